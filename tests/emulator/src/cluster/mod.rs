//! A cluster: what Azure knows of it, and the Kubernetes inside.

pub(crate) mod account_pulls;
mod body;
pub(crate) mod bootstrap;
pub(crate) mod make;
pub(crate) mod pool;

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;

use crate::kubernetes::{Kubernetes, NodeIdentity, NodeSpec};
use crate::principal::{Principal, stable_id};
use crate::seed::{ClusterSeed, SeedNode};
use crate::world::World;

/// A managed cluster.
pub(crate) struct Cluster {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    /// The provisioning state.
    pub(crate) state: String,
    /// Whether it was stopped: without nodes, and without an API server.
    pub(crate) stopped: bool,
    pub(crate) etag: String,
    pub(crate) tags: Value,
    pub(crate) sku: Value,
    pub(crate) dns_prefix: String,
    fqdn: String,
    /// How many clusters of this id there were before it: each has another address.
    generation: usize,
    /// The group of the nodes, and of the identity made for them.
    pub(crate) node_group: String,
    /// The version as it was asked for, which may be `1.33`; the seed's is the one that runs.
    pub(crate) wanted_version: String,
    /// Its settings, and in `properties` all that a write brought along.
    pub(crate) seed: ClusterSeed,
    /// The node pools, in ARM's words.
    pub(crate) pools: Vec<Value>,
    /// Object id of the identity that nodes pull with, if there is one.
    pub(crate) kubelet: Option<String>,
    /// The resource id of that identity.
    pub(crate) kubelet_id: String,
    /// Whether it was there before the cluster.
    pub(crate) brought_kubelet: bool,
    /// What nodes that are made now sign in to registries as. Older nodes keep what they have.
    pub(crate) pulls_as: Option<NodeIdentity>,
    /// Whether they sign in as the service accounts of pods instead.
    pub(crate) account_pulls: account_pulls::AccountPulls,
    /// The exit code with which its nodes ended before they joined.
    pub(crate) bootstrap_failure: Option<u16>,
    /// The principals that older nodes sign in as.
    pub(crate) formers: Vec<String>,
    /// The room that is left on the disks of nodes, by their pool, if they are not as good as empty.
    pub(crate) rooms: BTreeMap<String, u64>,
    /// Whether it shows that identity already while it is being created.
    pub(crate) shows_kubelet: bool,
    /// Object id of the control plane's identity, or of the service principal.
    pub(crate) control_plane: String,
    /// The resource id of the control plane's identity, if a user assigned it.
    pub(crate) control_plane_id: Option<String>,
    pub(crate) user_token: String,
    pub(crate) admin_token: String,
    /// Absent until the cluster was created; and taken out only while it moves on, since its nodes then need the rest of
    /// the world.
    pub(crate) kubernetes: Option<Kubernetes>,
    /// A real control plane and its nodes instead.
    #[cfg(feature = "serve")]
    pub(crate) real: Option<crate::control_plane::Real>,
}

impl Cluster {
    /// The id, with the lower-case `resourcegroups` that this provider writes.
    pub(crate) fn id(&self) -> String {
        format!(
            "/subscriptions/{}/resourcegroups/{}/providers/Microsoft.ContainerService/managedClusters/{}",
            self.subscription, self.group, self.name
        )
    }

    /// The host of the API server, as it was given at creation.
    pub(crate) fn fqdn(&self) -> &str {
        &self.fqdn
    }

    fn first_fqdn(&self) -> String {
        let suffix = match self.generation {
            0 => stable_id(&self.id()),
            more => stable_id(&format!("{}#{more}", self.id())),
        };
        format!("{}-{}.hcp.{}.azmk8s.io", self.dns_prefix, &suffix[..8], self.location).to_ascii_lowercase()
    }

    /// Whether it is in the middle of something.
    pub(crate) fn is_busy(&self) -> bool {
        ["Creating", "Updating", "Upgrading", "Deleting", "Stopping", "Starting"]
            .iter()
            .any(|state| self.state.eq_ignore_ascii_case(state))
    }

    /// The nodes that its pools have by now.
    pub(crate) fn node_specs(&self) -> Vec<NodeSpec> {
        let spec = |node: &SeedNode| NodeSpec {
            name: node.name.clone(),
            pool: node.pool.clone(),
            os: node.os.clone(),
            architecture: node.architecture.clone(),
            containerd: self.seed.containerd,
            identity: self.pulls_as.clone(),
            machine: pool::machine(&self.pools, &node.pool, self.rooms.get(&node.pool).copied(), self.seed.pulls),
        };
        self.seed.nodes.iter().filter(|_| !self.stopped && self.bootstrap_failure.is_none()).map(spec).collect()
    }

    /// The managed identity of its nodes.
    pub(crate) fn node_identity<'a>(&self, world: &'a World) -> Option<&'a Principal> {
        world.principal(self.kubelet.as_ref()?)
    }

    /// Adds a node to its pool, which is created if there is none.
    pub(crate) fn add_node(&mut self, node: SeedNode, now: Instant) {
        match self.pools.iter_mut().find(|pool| pool["name"] == node.pool.as_str()) {
            Some(pool) => pool["count"] = (pool::count(pool) + 1).into(),
            None => self.pools.extend(pool::of_nodes(std::slice::from_ref(&node))),
        }
        self.seed.nodes.push(node);
        self.adjust_nodes(now);
    }

    /// Takes another service principal, or another secret of it: all its nodes are made anew.
    pub(crate) fn change_service_principal(&mut self, identity: NodeIdentity, now: Instant) {
        self.control_plane.clone_from(&identity.principal);
        self.pulls_as = Some(identity);
        let pools = self.seed.nodes.iter().map(|node| node.pool.clone());
        for pool in pools.collect::<std::collections::BTreeSet<_>>() {
            self.renew_nodes(&pool, now);
        }
    }

    /// Lets nodes join and leave until there are those of the pools.
    pub(crate) fn adjust_nodes(&mut self, now: Instant) {
        let specs = self.node_specs();
        #[cfg(feature = "serve")]
        if let Some(real) = &mut self.real {
            real.adjust(&specs, now);
        }
        if let Some(kubernetes) = &mut self.kubernetes {
            kubernetes.adjust(&specs, now);
        }
    }

    /// Takes another kubelet identity. Nodes that are there keep the one that they have until they are made anew
    /// (azure-aks-docs, `user-assigned-managed-identity.md`).
    pub(crate) fn change_kubelet(&mut self, id: String, principal: String, identity: Option<NodeIdentity>) {
        self.formers.extend(self.kubelet.take());
        (self.kubelet_id, self.kubelet, self.brought_kubelet) = (id, Some(principal), true);
        self.pulls_as = identity;
    }

    /// Gives its scale sets the identity that they should have, as each update of a cluster does.
    pub(crate) fn reconcile(&mut self) {
        if let Some(identity) = &mut self.pulls_as {
            identity.is_attached = true;
        }
        let specs = self.node_specs();
        if let Some(kubernetes) = &mut self.kubernetes {
            kubernetes.attach(&specs);
        }
    }

    /// Makes the nodes of a pool anew, from the newest image.
    pub(crate) fn renew_nodes(&mut self, pool: &str, now: Instant) {
        pool::take_newest_image(&mut self.pools, pool);
        self.rooms.remove(pool);
        let specs = self.node_specs();
        #[cfg(feature = "serve")]
        if let Some(real) = &mut self.real {
            real.reimage(&specs, pool, now);
        }
        if let Some(kubernetes) = &mut self.kubernetes {
            kubernetes.reimage(&specs, pool, now);
        }
    }

    /// Leaves so much room on the disks of a pool's nodes, until they are made anew. Returns whether there is such a pool.
    pub(crate) fn leave_room(&mut self, pool: &str, bytes: u64) -> bool {
        if self.pools.iter().all(|one| one["name"] != pool) {
            return false;
        }
        self.rooms.insert(pool.to_owned(), bytes);
        let specs = self.node_specs();
        if let Some(kubernetes) = &mut self.kubernetes {
            kubernetes.leave_room(&specs);
        }
        true
    }

    /// Loses the file of a manifest in the store of an emulated node. Returns whether there is such a node.
    pub(crate) fn lose(&mut self, node: &str, digest: &str) -> bool {
        self.kubernetes.as_mut().is_some_and(|kubernetes| kubernetes.lose(node, digest))
    }

    /// Whether it has an API server by now.
    pub(crate) fn is_open(&self) -> bool {
        #[cfg(feature = "serve")]
        if self.real.is_some() {
            return true;
        }
        self.kubernetes.is_some()
    }
}

impl World {
    /// How nodes sign in that have the managed identity of this principal.
    pub(crate) fn node_identity(&self, principal: &str) -> Option<NodeIdentity> {
        let one = self.principal(principal)?;
        let (principal, client) = (one.object_id.clone(), one.client_id.clone());
        Some(NodeIdentity { principal, client, is_managed: true, is_attached: true, secret: None })
    }

    /// The same of a cluster with a service principal.
    pub(crate) fn service_identity(&self, principal: &str, secret: Option<String>) -> Option<NodeIdentity> {
        Some(NodeIdentity { is_managed: false, secret, ..self.node_identity(principal)? })
    }

    /// The cluster with this id, however its letters are written.
    pub(crate) fn cluster_at(&self, subscription: &str, group: &str, name: &str) -> Option<usize> {
        self.clusters.iter().position(|cluster| {
            cluster.subscription.eq_ignore_ascii_case(subscription)
                && cluster.group.eq_ignore_ascii_case(group)
                && cluster.name.eq_ignore_ascii_case(name)
        })
    }

    /// The same by its whole id.
    pub(crate) fn cluster_of_id(&self, id: &str) -> Option<usize> {
        self.clusters.iter().position(|cluster| cluster.id().eq_ignore_ascii_case(id))
    }

    /// The cluster with this name in a group of this name, in the first subscription that has one.
    pub(crate) fn cluster_named(&self, group: &str, name: &str) -> Option<&Cluster> {
        let place = |id: &String| self.cluster_at(id, group, name);
        self.subscriptions.iter().find_map(place).map(|at| &self.clusters[at])
    }
}
