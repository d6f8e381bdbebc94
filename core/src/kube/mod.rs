//! The one way to Kubernetes: a client of `kube` for a cluster, over TLS or over a service that is given.

#[cfg(not(feature = "kubernetes"))]
mod absent;
#[cfg(feature = "kubernetes")]
mod apply;
#[cfg(feature = "kubernetes")]
mod bounded;
#[cfg(feature = "kubernetes")]
mod connect;
#[cfg(feature = "kubernetes")]
mod connection;
#[cfg(feature = "kubernetes")]
mod created;
#[cfg(feature = "kubernetes")]
mod failure;
#[cfg(feature = "kubernetes")]
mod missing;
#[cfg(feature = "kubernetes")]
mod pull_memory;
#[cfg(feature = "kubernetes")]
mod refuser;
#[cfg(feature = "kubernetes")]
mod roll_out;
#[cfg(feature = "kubernetes")]
mod rolling;
#[cfg(feature = "kubernetes")]
mod schema;
#[cfg(feature = "kubernetes")]
mod send;
#[cfg(feature = "kubernetes")]
mod session;
#[cfg(feature = "kubernetes")]
mod status;
#[cfg(feature = "kubernetes")]
mod tell;
#[cfg(feature = "kubernetes")]
mod watch;

#[cfg(not(feature = "kubernetes"))]
pub(crate) use absent::Kubernetes;
#[cfg(feature = "kubernetes")]
pub use connect::{KubeBody, KubeService};
#[cfg(feature = "kubernetes")]
pub(crate) use connect::{KubeConnector, Kubernetes};
