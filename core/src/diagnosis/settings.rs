//! What keeps nodes from pulling whatever their grants are, by the settings of cluster and registry alone: an attach reads these anyway.

use super::{
    cluster,
    facts::{Facts, NetworkFacts, NodeFacts, Unread},
    finding::{Finding, FindingStatus, Need},
    network::{self, depends_on_network},
    nodes,
};
use crate::{
    id::{PrincipalId, ResourceId},
    inventory::ClusterSettings,
    registry::RegistrySettings,
};
use std::time::SystemTime;

/// The findings that need nothing else. What is not known is not among them: `check` reads more.
pub(crate) fn obstacles(
    cluster: &ResourceId,
    settings: (Option<&ClusterSettings>, &RegistrySettings),
    principal: PrincipalId,
    now: SystemTime,
) -> Vec<Finding> {
    let facts = facts(cluster, settings, principal, now);
    // With private endpoints, or rules for subnets, the nodes' network decides.
    let is_decided = settings.0.is_none_or(|cluster| !depends_on_network(cluster, settings.1));
    let network = is_decided.then(|| network::network(&facts).0);
    let sign_in = nodes::sign_in(&facts).filter(|_| !cluster::is_anonymous(&facts));
    let outcomes = [cluster::cluster(&facts), cluster::registry(&facts)].into_iter().chain(network).chain(sign_in);
    let findings = outcomes.flat_map(|outcome| outcome.findings().to_vec());
    let mut known: Vec<Finding> = findings.filter(|finding| finding.status != FindingStatus::Unknown).collect();
    known.sort_by_key(|finding| (finding.status, finding.rank()));
    known
}

fn facts(
    id: &ResourceId,
    (cluster, registry): (Option<&ClusterSettings>, &RegistrySettings),
    principal: PrincipalId,
    now: SystemTime,
) -> Facts {
    Facts {
        cluster_id: id.clone(),
        cluster: cluster.cloned().ok_or_else(not_read),
        service_principal: None,
        registry_ref: registry.registry.id.to_string(),
        registry: Ok(Some(registry.clone())),
        is_by_id: true,
        is_name_taken: None,
        principal: Some(principal),
        grants: Err(not_read()),
        denials: Err(not_read()),
        is_mode_new: false,
        addresses: Err(not_read()),
        network: NetworkFacts::default(),
        image: None,
        pulls: None,
        registry_logs: None,
        nodes: NodeFacts::default(),
        read_at: now,
    }
}

fn not_read() -> Unread {
    Unread { need: Need::reason("it was not read"), status: None, service: None, is_of_another_tenant: false }
}
