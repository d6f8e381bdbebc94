//! The identities that nodes pull with: by their own labels, pool by pool, against the cluster's kubelet identity.

use super::{
    Parts,
    right::{RequiredRight, RightScope, SEE_NODES, TALK, needed},
    span::Outcome,
};
use crate::{
    action::READ_CLUSTER,
    call::Call,
    cluster::{ClusterRef, ObservedNode},
    error::{Error, ErrorKind, Result, words},
    id::ResourceId,
    identity::KubeletIdentity,
    inventory::ClusterSettings,
};
use futures::try_join;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] =
    &[needed(READ_CLUSTER, RightScope::Cluster, "to read its kubelet identity and its node pools"), TALK, SEE_NODES];

/// The identities that a cluster's nodes pull images with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeIdentities {
    /// The cluster.
    pub cluster: ResourceId,
    /// The cluster's kubelet identity, which new nodes pull with. `None` on a cluster with a service principal.
    pub kubelet: Option<KubeletIdentity>,
    /// Application (client) ID of the service principal, on a cluster that uses one instead.
    pub service_principal: Option<String>,
    /// The node pools, sorted by name.
    pub pools: Vec<PoolIdentity>,
}

/// What the nodes of a pool pull with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PoolIdentity {
    /// The name of the pool. Empty: nodes whose labels name no pool.
    pub pool: String,
    /// Whether its nodes pull with the cluster's identity.
    pub state: NodeIdentityState,
    /// The number of its nodes.
    pub nodes: u32,
    /// Client IDs of the managed identities that its nodes pull with, by their labels.
    pub client_ids: Vec<String>,
    /// The nodes that pull with another identity than the cluster's, sorted by name.
    pub outdated_nodes: Vec<String>,
    /// The node images that its nodes were created from.
    pub node_images: Vec<String>,
    /// The operating system of its nodes, such as `linux`, if it is the same on all.
    pub os: Option<String>,
    /// Their architecture, such as `amd64`, if it is the same on all.
    pub architecture: Option<String>,
}

/// Whether the nodes of a pool pull with the cluster's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeIdentityState {
    /// All of them do.
    Current,
    /// None of them does: they were created before the cluster got its identity, and keep what they have until they are recreated.
    Outdated,
    /// Some do, and some do not.
    Mixed,
    /// At least one node does not say what it pulls with, and the others pull with the cluster's identity.
    NotLabelled,
    /// The pool has no nodes now.
    NoNodes,
}

words!(
    NodeIdentityState, "state":
    Current => "current",
    Outdated => "outdated",
    Mixed => "mixed",
    NotLabelled => "not_labelled",
    NoNodes => "no_nodes",
);

impl Outcome for NodeIdentities {
    fn outcome(&self) -> &'static str {
        if self.is_current() { "current" } else { "not_current" }
    }
}

impl NodeIdentities {
    /// Whether every node is known to pull with the cluster's kubelet identity.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let is_current =
            |one: &PoolIdentity| matches!(one.state, NodeIdentityState::Current | NodeIdentityState::NoNodes);
        self.kubelet.is_some() && self.pools.iter().all(is_current)
    }
}

pub(crate) async fn node_identities(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<NodeIdentities> {
    let id = cluster.id(parts.subscription_id());
    let (settings, nodes) = try_join!(parts.inventory().cluster_settings(&id, call), read_nodes(parts, cluster, call))?;
    Ok(compared(id, settings, nodes))
}

async fn read_nodes(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<Vec<ObservedNode>> {
    parts.cluster_deployer().nodes(cluster, None, call).await.map_err(refused)
}

/// Names the role that is enough. A refusal by Azure names its action itself.
fn refused(err: Error) -> Error {
    if err.kind() != ErrorKind::Forbidden || err.missing_action().is_some() {
        return err;
    }
    let hint = "to list nodes, a cluster with Azure RBAC needs the role Azure Kubernetes Service RBAC Cluster Admin or a custom role with \
                managedClusters/nodes/read; another one a cluster role that allows listing nodes";
    err.with_context("hint", hint)
}

/// Compares. No request is made here.
fn compared(cluster: ResourceId, settings: ClusterSettings, nodes: Vec<ObservedNode>) -> NodeIdentities {
    let identities = settings.identities;
    let mut by_pool: BTreeMap<String, Vec<ObservedNode>> =
        settings.node_pools.into_iter().map(|pool| (pool.name, Vec::new())).collect();
    for node in nodes {
        by_pool.entry(node.pool.clone().unwrap_or_default()).or_default().push(node);
    }
    let wanted = identities.kubelet.as_ref().and_then(|kubelet| kubelet.client_id.as_deref());
    NodeIdentities {
        cluster,
        pools: by_pool.into_iter().map(|(pool, nodes)| of_pool(pool, &nodes, wanted)).collect(),
        kubelet: identities.kubelet,
        service_principal: identities.service_principal,
    }
}

fn of_pool(pool: String, nodes: &[ObservedNode], wanted: Option<&str>) -> PoolIdentity {
    let is_wanted = |id: &str| wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(id));
    let labels = || nodes.iter().filter_map(|node| Some((node, node.identity_client_id.as_deref()?)));
    let outdated: Vec<String> = labels().filter(|(_, id)| !is_wanted(id)).map(|(node, _)| node.name.clone()).collect();
    let unlabelled = nodes.len() - labels().count();
    let state = match (nodes.len(), outdated.len(), unlabelled) {
        (0, _, _) => NodeIdentityState::NoNodes,
        (_, 0, 0) => NodeIdentityState::Current,
        (_, 0, _) => NodeIdentityState::NotLabelled,
        (all, outdated, _) if all == outdated => NodeIdentityState::Outdated,
        _ => NodeIdentityState::Mixed,
    };
    PoolIdentity {
        pool,
        state,
        nodes: u32::try_from(nodes.len()).unwrap_or(u32::MAX),
        client_ids: distinct(nodes, |node| node.identity_client_id.as_ref()),
        outdated_nodes: outdated,
        node_images: distinct(nodes, |node| node.node_image.as_ref()),
        os: only(distinct(nodes, |node| node.os.as_ref())),
        architecture: only(distinct(nodes, |node| node.architecture.as_ref())),
    }
}

fn distinct(nodes: &[ObservedNode], of: impl Fn(&ObservedNode) -> Option<&String>) -> Vec<String> {
    let mut all: Vec<String> = nodes.iter().filter_map(of).cloned().collect();
    all.sort();
    all.dedup();
    all
}

fn only(mut all: Vec<String>) -> Option<String> {
    if all.len() == 1 { all.pop() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(labels: &[Option<&str>], wanted: Option<&str>) -> NodeIdentityState {
        let node = |label: Option<&str>| ObservedNode {
            identity_client_id: label.map(str::to_owned),
            ..ObservedNode::new("node")
        };
        let nodes: Vec<ObservedNode> = labels.iter().copied().map(node).collect();
        of_pool("pool".to_owned(), &nodes, wanted).state
    }

    #[test]
    fn the_state_of_a_pool_is_that_of_all_its_nodes() {
        let wanted = Some("new");
        assert_eq!(state(&[], wanted), NodeIdentityState::NoNodes);
        assert_eq!(state(&[Some("new"), Some("NEW")], wanted), NodeIdentityState::Current);
        assert_eq!(state(&[Some("old"), Some("old")], wanted), NodeIdentityState::Outdated);
        assert_eq!(state(&[Some("new"), Some("old")], wanted), NodeIdentityState::Mixed);
        assert_eq!(state(&[Some("old"), None], wanted), NodeIdentityState::Mixed);
        assert_eq!(state(&[Some("new"), None], wanted), NodeIdentityState::NotLabelled);
        // A cluster without a kubelet identity: what a node has is of an earlier time.
        assert_eq!(state(&[Some("old")], None), NodeIdentityState::Outdated);
    }
}
