//! The identities of nodes, as a table.

use super::table;
use crate::{
    operation::exports::{NodeIdentities, NodeIdentityState, PoolIdentity},
    quoted::quoted,
};
use std::fmt;

impl fmt::Display for NodeIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["POOL", "NODES", "STATE", "PULLS WITH", "NODE IMAGE"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(header).chain(self.pools.iter().map(row)).collect();
        table::write(f, &rows)?;
        write!(f, "\n{}/{}: ", self.cluster.group(), self.cluster.name())?;
        let client = self.kubelet.as_ref().map(|kubelet| kubelet.client_id.as_deref().unwrap_or("unknown"));
        match (client, &self.service_principal) {
            (Some(id), _) => write!(f, "the kubelet identity has the client ID {}", quoted(id.to_owned()))?,
            (None, Some(id)) => write!(f, "the nodes pull with the service principal {}", quoted(id.clone()))?,
            (None, None) => write!(f, "the cluster has no kubelet identity")?,
        }
        let outdated =
            |one: &&PoolIdentity| matches!(one.state, NodeIdentityState::Outdated | NodeIdentityState::Mixed);
        for one in self.pools.iter().filter(outdated) {
            let (group, cluster, pool) = (self.cluster.group(), self.cluster.name(), quoted(one.pool.clone()));
            let (outdated, all) = (one.outdated_nodes.len(), one.nodes);
            if pool.is_empty() {
                write!(f, "\n! {outdated} of {all} nodes that name no pool pull with another identity")?;
                continue;
            }
            write!(
                f,
                "\n! {outdated} of {all} nodes of {pool} pull with another identity; recreate them: az aks nodepool upgrade \
                 --node-image-only --resource-group {group} --cluster-name {cluster} --name {pool}"
            )?;
        }
        Ok(())
    }
}

fn row(pool: &PoolIdentity) -> [String; 5] {
    let join = |all: &[String]| all.join(", ");
    let (pulls, images) = (join(&pool.client_ids), join(&pool.node_images));
    [pool.pool.clone(), pool.nodes.to_string(), pool.state.to_string(), pulls, images].map(quoted)
}

impl fmt::Display for PoolIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pool, nodes) = (quoted(self.pool.clone()), self.nodes);
        write!(f, "{pool}: {}, {nodes} {}", self.state, if nodes == 1 { "node" } else { "nodes" })
    }
}
