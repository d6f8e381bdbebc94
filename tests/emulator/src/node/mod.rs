//! What a node does to get an image: the credential provider of its kubelet, and its container runtime.
//!
//! A node speaks real HTTP to whatever stands behind [`Network`]; its error texts are composed from what comes back.

mod challenge;
mod credential_provider;
mod failure;
mod image;
mod pull_secret;
mod runtime;
mod token;

#[cfg(test)]
pub(crate) mod fake;

use std::collections::BTreeMap;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use credential_provider::Credential;
use credential_provider::Provided;
use failure::joined;
pub(crate) use image::Image;
pub(crate) use pull_secret::credentials_for;

/// What lies between a node and the hosts it talks to.
pub(crate) trait Network {
    /// Sends a request from a node; `Err` is a failure below HTTP.
    fn send(&mut self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, NetworkFailure>;
    /// A token of the instance metadata service for the kubelet identity; `None` when the node pool has none.
    fn identity_token(&mut self, audience: &str) -> Option<String>;
    /// Tenant id that the node's cloud configuration names.
    fn tenant(&self) -> String;
    /// How long kubelet goes on using a credential without asking the provider again.
    fn credential_life(&self) -> Duration;
}

/// Why no HTTP answer came.
#[derive(Clone, Debug)]
pub(crate) enum NetworkFailure {
    /// The name does not resolve.
    NoSuchHost,
    /// Nothing answered at this address (`ip` or `ip:port`).
    Timeout {
        /// Where the node tried to connect to.
        address: String,
    },
    /// The certificate was refused; the text follows `x509: `.
    Tls(String),
}

/// One node: its platform, the images it holds and the registry credentials it remembers.
#[derive(Debug)]
pub(crate) struct Node {
    os: String,
    architecture: String,
    images: BTreeMap<String, String>,
    provided: BTreeMap<String, Provided>,
}

impl Node {
    /// A node that has just joined: no image, no remembered credential.
    pub(crate) fn new(os: &str, architecture: &str) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            images: BTreeMap::new(),
            provided: BTreeMap::new(),
        }
    }

    /// The digest of an image that is on the node already.
    pub(crate) fn present(&self, image: &Image) -> Option<&str> {
        self.images.get(&image.to_string()).map(String::as_str)
    }

    /// Pulls an image, trying each credential in turn as kubelet does: pull secrets, then the provider's, then none.
    /// The error is the text that kubelet shows.
    pub(crate) fn pull(
        &mut self,
        image: &Image,
        secrets: Vec<Credential>,
        now: Instant,
        network: &mut dyn Network,
    ) -> Result<String, String> {
        let mut failures = Vec::new();
        for credential in self.keyring(image.host(), secrets, now, network) {
            match runtime::pull(image, (&self.os, &self.architecture), credential.as_ref(), network) {
                Ok(digest) => {
                    self.images.insert(image.to_string(), digest.clone());
                    return Ok(digest);
                }
                Err(failure) => failures.push(failure.to_string()),
            }
        }
        Err(joined(&failures))
    }

    /// The credentials to try, in order; `None` is an anonymous try.
    fn keyring(
        &mut self,
        host: &str,
        secrets: Vec<Credential>,
        now: Instant,
        network: &mut dyn Network,
    ) -> Vec<Option<Credential>> {
        let mut keyring: Vec<_> = secrets.into_iter().map(Some).collect();
        if let Some(provided) = self.provided(host, now, network) {
            // The provider's answer always holds an empty entry for all registries of its cloud as well.
            keyring.extend([Some(provided), None]);
        }
        if keyring.is_empty() {
            keyring.push(None);
        }
        keyring
    }

    /// What the credential provider says, or said a short time ago. A failure is not remembered.
    fn provided(&mut self, host: &str, now: Instant, network: &mut dyn Network) -> Option<Credential> {
        if !credential_provider::matches(host) {
            return None;
        }
        if let Some(known) = self.provided.get(host).filter(|known| known.is_fresh(now)) {
            return Some(known.credential.clone());
        }
        let credential = credential_provider::provide(host, network)?;
        self.provided.insert(host.to_owned(), Provided::new(credential.clone(), now + network.credential_life()));
        Some(credential)
    }
}

#[cfg(test)]
mod tests;
