//! Why a pod's image is not pulled.

use crate::{
    value::{through_json, value, variants},
    word::Word,
};
use aks_acr::PullRetry;
use pyo3::prelude::*;

value! {
    /// A pull that failed: what was meant to be pulled, the cause as far as its text tells, and the text. `str()` is a line for
    /// a reader.
    pub struct PullFailure {
        /// The pod.
        pod: String,
        /// Its container.
        container: String,
        /// The image as the pod names it.
        image: String,
        /// Kubelet's reason, such as `ErrImagePull`.
        reason: String,
        /// What its text means.
        cause: PullCause,
        /// The text of the first failure: kubelet forgets it when it begins to wait.
        message: String,
    }
}

variants! {
    /// What a failed pull's text means. `str()` is a line for a reader.
    pub enum PullCause {
        /// The registry knows the identity and gives it no right on this repository.
        Unauthorized {},
        /// No credentials reached the registry.
        NoCredentials {},
        /// The registry's firewall refused the address.
        Firewall { address: Option<String> },
        /// The registry does not have the repository or the tag.
        NotFound {},
        /// The image has no variant for the node's operating system and processor.
        NoMatchingPlatform {},
        /// A private address does not answer.
        PrivateAddressTimeout {},
        /// A public address does not answer: outgoing traffic is filtered.
        PublicAddressTimeout {},
        /// The registry's host name does not resolve.
        NoSuchHost {},
        /// The registry throttles.
        Throttled {},
        /// The registry's certificate is not trusted.
        UntrustedCertificate {},
        /// The image's name is not one.
        InvalidName {},
        /// The image is not on the node, and the pod says that it is never to be pulled.
        NeverPulled {},
        /// The text is not known here. It may pass.
        Unknown {},
    }
    impl {
        /// Whether waiting can help.
        #[getter]
        fn retry(&self) -> PyResult<Word<PullRetry>> {
            Ok(Word(through_json::<aks_acr::PullCause>(self)?.retry()))
        }
    }
}
