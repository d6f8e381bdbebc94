//! An emulator of the part of Azure that joins a container registry to a Kubernetes cluster, in which a grant matters.

pub(crate) mod kubernetes;
pub(crate) mod node;
