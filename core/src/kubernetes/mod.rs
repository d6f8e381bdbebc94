//! Requests to a cluster's Kubernetes API: how they are sent and retried, and what their failures mean.

mod bounded;
mod created;
mod failure;
mod meaning;
mod missing;
mod refuser;
mod schema;
mod send;
mod service;
mod status;
mod trace;
mod warnings;

pub(crate) use bounded::Bounded;
pub(crate) use created::Created;
pub(crate) use failure::{from_kube, is_passing, is_too_large, unreadable};
pub(crate) use refuser::{Refuser, find_in as refuser_of};
pub(crate) use send::{Answer, read_with, repeated, send, send_delete, send_write, within_a_try};
pub use service::{KubeBody, KubeService};
pub(crate) use service::{KubeConnector, over_http};
pub(crate) use status::from_status;
