//! The operations: each reads what it needs, decides, writes at most once, and reports.

pub(crate) mod apply;
pub(crate) mod attach;
pub(crate) mod attachments;
pub(crate) mod create_cluster;
pub(crate) mod create_registry;
pub(crate) mod detach;
pub(crate) mod identities;
pub(crate) mod import;
pub(crate) mod kubeconfig;
pub(crate) mod list;
mod parts;
pub(crate) mod pods;
pub(crate) mod registry;
pub(crate) mod right;
pub(crate) mod rights;
pub(crate) mod rollout;
pub(crate) mod span;
pub(crate) mod table;

pub(crate) use parts::Parts;
