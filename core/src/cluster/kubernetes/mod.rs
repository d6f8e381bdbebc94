//! A cluster's own API: the connections to it, and the operations on it.

#[cfg(feature = "kubernetes")]
mod accounts;
#[cfg(feature = "kubernetes")]
mod apply;
#[cfg(feature = "kubernetes")]
mod client;
#[cfg(feature = "kubernetes")]
mod connection;
#[cfg(feature = "kubernetes")]
mod event_time;
#[cfg(feature = "kubernetes")]
mod job;
#[cfg(feature = "kubernetes")]
mod later_secrets;
#[cfg(feature = "kubernetes")]
mod nodes;
#[cfg(feature = "kubernetes")]
mod not_created;
#[cfg(feature = "kubernetes")]
mod observe;
#[cfg(feature = "kubernetes")]
mod pool;
#[cfg(feature = "kubernetes")]
mod pull_memory;
#[cfg(feature = "kubernetes")]
mod pull_secret;
#[cfg(feature = "kubernetes")]
mod pulls;
#[cfg(feature = "kubernetes")]
mod rollout;
#[cfg(feature = "kubernetes")]
mod session;
#[cfg(feature = "kubernetes")]
mod transport;
#[cfg(feature = "kubernetes")]
mod unreached;
#[cfg(not(feature = "kubernetes"))]
mod unsupported;
#[cfg(feature = "kubernetes")]
mod watch;

#[cfg(feature = "kubernetes")]
pub(crate) use client::Kubernetes;
#[cfg(not(feature = "kubernetes"))]
pub(crate) use unsupported::Kubernetes;
