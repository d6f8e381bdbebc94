//! Options for a check.

use crate::{call::CallOptions, id::PrincipalId, image::ImageReference};

/// Options for checking whether a cluster can pull.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The image to check, such as `team/app:v1`. Without a host it is an image of the registry. By default, the registry as a whole is
    /// checked: whether the cluster may pull from it, and reaches it.
    pub image: Option<ImageReference>,
    /// Object ID of the identity that pulls. By default, it is the cluster's kubelet identity. A cluster with a service principal needs it:
    /// Azure reports only the application ID of that.
    pub principal_id: Option<PrincipalId>,
    /// The addresses from which the nodes reach the registry, such as `203.0.113.7`. They are needed only if the registry's firewall admits
    /// some addresses and the cluster's routes are your own; otherwise they are read from Azure.
    pub outbound_addresses: Vec<String>,
    /// Deadline (1 minute by default), cancellation, progress.
    pub call: CallOptions,
}

impl CheckOptions {
    /// Sets [`image`](Self::image).
    #[must_use]
    pub fn with_image(mut self, image: ImageReference) -> Self {
        self.image = Some(image);
        self
    }

    /// Sets [`principal_id`](Self::principal_id).
    #[must_use]
    pub fn with_principal_id(mut self, principal_id: PrincipalId) -> Self {
        self.principal_id = Some(principal_id);
        self
    }

    /// Adds one of [`outbound_addresses`](Self::outbound_addresses).
    #[must_use]
    pub fn with_outbound_address(mut self, address: impl Into<String>) -> Self {
        self.outbound_addresses.push(address.into());
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}
