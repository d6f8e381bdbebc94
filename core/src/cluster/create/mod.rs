//! Making a cluster.

mod azure;
mod cause;
mod compare;
mod existing;
mod network;
mod pool;
mod public_key;
mod ssh;
#[cfg(feature = "ssh")]
mod ssh_pair;
mod wire;

pub use network::{NetworkPlugin, NetworkPolicy, NewClusterSettings};
pub use pool::{NewNodePool, NodeOs, NodePoolMode};
pub use ssh::SshKey;

pub(super) use azure::{find, finish, start};
pub(crate) use pool::{check_pools, check_subnet};

use crate::{difference::Difference, error::words, id::ResourceId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The default number of nodes, as in Azure's own tools.
pub(crate) const NODES: u32 = 3;

/// A cluster's pricing tier, which determines the control plane's service level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ClusterTier {
    /// No uptime SLA for the control plane.
    #[default]
    Free,
    /// With an uptime SLA.
    Standard,
    /// With an uptime SLA and long-term support.
    Premium,
}

words!(ClusterTier, "tier": Free => "Free", Standard => "Standard", Premium => "Premium");

/// A cluster to create.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCluster {
    /// The resource ID that the cluster will have.
    pub id: ResourceId,
    /// The region; by default the resource group's.
    pub location: Option<String>,
    /// The number of nodes in its single node pool, without [`node_pools`](Self::node_pools).
    pub node_count: u32,
    /// The VM size of its nodes; by default the service's choice.
    pub vm_size: Option<String>,
    /// All its node pools; without any, it has one.
    pub node_pools: Vec<NewNodePool>,
    /// Its network, and how users sign in.
    pub settings: NewClusterSettings,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The Kubernetes version, such as `1.33` or `1.33.4`; by default the service's choice.
    pub kubernetes_version: Option<String>,
    /// The tier.
    pub tier: ClusterTier,
    /// SSH access to the nodes.
    pub ssh_key: SshKey,
    /// A user-assigned identity for the control plane; by default Azure creates one.
    pub control_plane_identity: Option<ResourceId>,
    /// A user-assigned identity for the nodes; by default Azure creates one.
    pub kubelet_identity: Option<ResourceId>,
    /// Whether the control plane's identity is known to have its role on the kubelet identity. A new role assignment takes a while to have an
    /// effect: then a refusal for want of it is retried for some minutes.
    pub has_operator_role: bool,
    /// Whether to register the resource provider if the subscription has not registered it.
    pub register_providers: bool,
}

/// The name that Azure's own tools give to the first pool.
const POOL: &str = "nodepool1";

impl NewCluster {
    /// Its pools: those that were given, or the one of `node_count` and `vm_size`.
    pub(crate) fn pools(&self) -> Vec<NewNodePool> {
        if !self.node_pools.is_empty() {
            return self.node_pools.clone();
        }
        let count = Some(self.node_count);
        let plain =
            NewNodePool { mode: NodePoolMode::System, count, vm_size: self.vm_size.clone(), ..NewNodePool::new(POOL) };
        vec![plain]
    }

    /// A cluster with this ID and default settings.
    #[must_use]
    pub fn new(id: ResourceId) -> Self {
        Self {
            id,
            location: None,
            node_count: NODES,
            vm_size: None,
            node_pools: Vec::new(),
            settings: NewClusterSettings::default(),
            tags: BTreeMap::new(),
            kubernetes_version: None,
            tier: ClusterTier::default(),
            ssh_key: SshKey::default(),
            control_plane_identity: None,
            kubelet_identity: None,
            has_operator_role: false,
            register_providers: false,
        }
    }
}

/// A cluster as reported by Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cluster {
    /// Its resource ID.
    pub id: ResourceId,
    /// The region.
    pub location: String,
    /// The provisioning state reported by Azure, such as `Succeeded` or `Updating`.
    pub state: String,
    /// The current Kubernetes version.
    pub kubernetes_version: String,
    /// The pricing tier, such as `Free`.
    pub tier: String,
    /// The number of nodes in its first system pool. `None` if Azure reports no count, for example for a pool with several VM sizes.
    pub node_count: Option<u32>,
    /// The VM size of those nodes; empty if Azure reports none.
    pub vm_size: String,
    /// The host of its API server, once it has one.
    pub host: Option<String>,
    /// The resource group with its nodes, disks, load balancer and public IP addresses, such as `MC_group_dev_westeurope`; empty if Azure
    /// reports none.
    pub node_resource_group: String,
    /// The URL of its OIDC issuer, if it has one.
    #[serde(default)]
    pub oidc_issuer: Option<String>,
    /// Azure's `eTag`, which changes with each write. `None` if Azure reports none.
    pub etag: Option<String>,
    /// Azure's `resourceUID`. A cluster that was deleted and created again has the same resource ID but another UID.
    /// `None` if Azure reports none.
    pub uid: Option<String>,
}

impl Cluster {
    /// A `Cluster` value with this ID; all other fields are empty.
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
            node_resource_group: String::new(),
            oidc_issuer: None,
            etag: None,
            uid: None,
        }
    }
}

/// A creation that was started, or an existing cluster.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterCreation {
    /// The cluster's resource ID.
    pub cluster: ResourceId,
    /// Whether this call started the creation.
    pub is_new: bool,
    /// How an existing cluster differs from the requested one.
    pub differences: Vec<Difference>,
    /// The cluster, if it is already created.
    pub made: Option<Cluster>,
    /// `x-ms-correlation-request-id` of the write that started it.
    /// `None` if this call wrote nothing, or if the response to the write was lost.
    pub correlation_id: Option<String>,
    /// The link to poll the operation. It is signed: anyone with the link can follow the operation.
    link: Option<String>,
}

impl ClusterCreation {
    /// A creation that is still running.
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
