//! What a node does to get an image: the credential provider of its kubelet, and its container runtime.

#![allow(dead_code, reason = "a placeholder")]

use bytes::Bytes;

/// What lies between a node and the hosts it talks to.
pub(crate) trait Network {
    /// Sends a request from a node; `Err` is a failure below HTTP.
    fn send(
        &mut self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, NetworkFailure>;
    /// A token of the instance metadata service for the kubelet identity; `None` when the node pool has none.
    fn identity_token(&mut self, audience: &str) -> Option<String>;
    /// Tenant id that the node's cloud configuration names.
    fn tenant(&self) -> String;
}

/// Why a request did not reach its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetworkFailure {
    NoSuchHost,
    Timeout { address: String },
    Tls(String),
}
