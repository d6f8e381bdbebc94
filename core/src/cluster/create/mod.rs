//! Making a cluster.

mod azure;
mod existing;
mod public_key;
mod ssh;
#[cfg(feature = "ssh")]
mod ssh_pair;
mod wire;

pub use ssh::SshKey;

pub(super) use azure::{finish, start};

use crate::{difference::Difference, error::words, id::ResourceId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many nodes a cluster gets unless something else is asked for: as many as by Azure's own tools.
pub(crate) const NODES: u32 = 3;

/// A cluster's tier: what its control plane is good for, and what it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ClusterTier {
    /// No promise of its control plane being there.
    #[default]
    Free,
    /// With one.
    Standard,
    /// The same with long-term support.
    Premium,
}

words!(ClusterTier, "tier": Free => "Free", Standard => "Standard", Premium => "Premium");

/// A cluster to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCluster {
    /// The resource id that it will have.
    pub id: ResourceId,
    /// The region; that of the resource group where none is given.
    pub location: Option<String>,
    /// How many nodes its one pool has.
    pub node_count: u32,
    /// The size of its nodes; the service's choice where none is given.
    pub vm_size: Option<String>,
    /// The version of Kubernetes, such as `1.33` or `1.33.4`; the service's choice where none is given.
    pub kubernetes_version: Option<String>,
    /// The tier.
    pub tier: ClusterTier,
    /// Who may sign in to the nodes by SSH.
    pub ssh_key: SshKey,
    /// Whether the resource provider is registered where the subscription has not done so.
    pub register_providers: bool,
}

impl NewCluster {
    /// A cluster with the defaults of everything but its id.
    #[must_use]
    pub fn new(id: ResourceId) -> Self {
        Self {
            id,
            location: None,
            node_count: NODES,
            vm_size: None,
            kubernetes_version: None,
            tier: ClusterTier::default(),
            ssh_key: SshKey::default(),
            register_providers: false,
        }
    }
}

/// A cluster as Azure has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cluster {
    /// Its resource id.
    pub id: ResourceId,
    /// The region.
    pub location: String,
    /// The service's word for its state, such as `Succeeded` or `Updating`.
    pub state: String,
    /// The version of Kubernetes that runs.
    pub kubernetes_version: String,
    /// Such as `Free`.
    pub tier: String,
    /// The nodes of its first system pool. `None` where Azure states no count, as for a pool of several sizes.
    pub node_count: Option<u32>,
    /// The size of those; empty where Azure states none.
    pub vm_size: String,
    /// The host of its API server, once it has one.
    pub host: Option<String>,
}

impl Cluster {
    /// A cluster of which nothing is known but its id.
    #[must_use]
    pub fn new(id: ResourceId) -> Self {
        Self {
            id,
            location: String::new(),
            state: String::new(),
            kubernetes_version: String::new(),
            tier: String::new(),
            node_count: None,
            vm_size: String::new(),
            host: None,
        }
    }
}

/// A creation that was begun, or a cluster that was found in its place.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterCreation {
    /// The cluster's resource id.
    pub cluster: ResourceId,
    /// Whether this call began it.
    pub is_new: bool,
    /// In what a cluster that was there differs from the one that would have been made.
    pub differences: Vec<Difference>,
    /// The cluster, where it is made already.
    pub made: Option<Cluster>,
    /// `x-ms-correlation-request-id` of the write that began it. `None` where this call wrote nothing, or its answer was lost.
    pub correlation_id: Option<String>,
    /// Where the operation is followed, which is signed: whoever has it can follow it.
    link: Option<String>,
}

impl ClusterCreation {
    /// A creation that is under way.
    #[must_use]
    pub fn new(cluster: ResourceId, is_new: bool) -> Self {
        Self { cluster, is_new, differences: Vec::new(), made: None, correlation_id: None, link: None }
    }

    /// Sets [`made`](Self::made).
    #[must_use]
    pub fn with_made(mut self, made: Cluster) -> Self {
        self.made = Some(made);
        self
    }

    /// Sets [`differences`](Self::differences).
    #[must_use]
    pub fn with_differences(mut self, differences: Vec<Difference>) -> Self {
        self.differences = differences;
        self
    }
}

impl fmt::Debug for ClusterCreation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterCreation")
            .field("cluster", &self.cluster)
            .field("is_new", &self.is_new)
            .field("differences", &self.differences)
            .field("made", &self.made)
            .finish_non_exhaustive()
    }
}
