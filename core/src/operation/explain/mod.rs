//! Explains why pods do not run: first what Kubernetes says of their images, then what Azure says of the same pull.

mod explanation;
mod gather;
mod group;
mod target;

pub use explanation::{Explanation, OtherCause, PodGroup};
pub use target::{ExplainOptions, ExplainTarget};

use super::{
    Parts, changes,
    check::read_addresses,
    right::{
        CHECK_ADDRESSES, CHECK_CACHE_RULES, CHECK_CLUSTER, CHECK_CONTENT, CHECK_CREDENTIAL_SETS, CHECK_DELETED,
        CHECK_DENIALS, CHECK_ENDPOINTS, CHECK_GATEWAYS, CHECK_GRANTS, CHECK_IMAGE, CHECK_LINKS, CHECK_METADATA,
        CHECK_NAMES, CHECK_NETWORKS, CHECK_PREFIXES, CHECK_RECORDS, CHECK_REPLICAS, CHECK_ZONE_GROUPS,
        EXPLAIN_ACCOUNTS, FIND_REGISTRY, READ_ROLES, RequiredRight, SEE_BINDINGS, SEE_CHANGES, SEE_DAEMON_SETS,
        SEE_DIAGNOSTIC_SETTINGS, SEE_EVENTS, SEE_JOBS, SEE_LOGIN_EVENTS, SEE_NODES, SEE_PODS, SEE_REPLICA_SETS,
        SEE_REPOSITORY_EVENTS, SEE_SCALE_SETS, SEE_SECRETS, SEE_STATEFUL_SETS, TALK,
    },
    span::Outcome,
};
use crate::{
    call::Call,
    cluster::{ClusterRef, ObservedPods},
    error::Result,
    id::ResourceId,
};
use std::{net::IpAddr, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);

pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    SEE_PODS,
    SEE_REPLICA_SETS,
    SEE_STATEFUL_SETS,
    SEE_DAEMON_SETS,
    SEE_JOBS,
    SEE_NODES,
    SEE_EVENTS,
    SEE_SECRETS,
    CHECK_CLUSTER,
    FIND_REGISTRY,
    CHECK_GRANTS,
    CHECK_DENIALS,
    READ_ROLES,
    CHECK_ADDRESSES,
    CHECK_PREFIXES,
    CHECK_GATEWAYS,
    CHECK_NETWORKS,
    CHECK_ENDPOINTS,
    CHECK_ZONE_GROUPS,
    CHECK_LINKS,
    CHECK_RECORDS,
    SEE_SCALE_SETS,
    SEE_BINDINGS,
    EXPLAIN_ACCOUNTS,
    CHECK_IMAGE,
    CHECK_CONTENT,
    CHECK_METADATA,
    CHECK_DELETED,
    CHECK_CACHE_RULES,
    CHECK_CREDENTIAL_SETS,
    CHECK_REPLICAS,
    SEE_CHANGES,
    CHECK_NAMES,
    SEE_DIAGNOSTIC_SETTINGS,
    SEE_LOGIN_EVENTS,
    SEE_REPOSITORY_EVENTS,
];

impl Outcome for Explanation {
    fn outcome(&self) -> &'static str {
        if self.groups.is_empty() && self.other_causes.is_empty() { "healthy" } else { "explained" }
    }
}

pub(crate) async fn explain(
    parts: &Parts,
    cluster: &ClusterRef,
    target: &ExplainTarget,
    options: &ExplainOptions,
    call: &Call,
) -> Result<Explanation> {
    let addresses = read_addresses(&options.outbound_addresses)?;
    let scope = target::scope(target, options)?;
    let id = cluster.id(parts.subscription_id());
    let observing = async { parts.cluster_deployer().observe_pods(cluster, &scope, call).await };
    let observed = call.step("reading the pods", observing).await.map_err(target::refused)?;
    explain_observed(parts, (cluster, &id), &observed, options, &addresses, call).await
}

/// Explains pods that were read already.
pub(crate) async fn explain_observed(
    parts: &Parts,
    (cluster, id): (&ClusterRef, &ResourceId),
    observed: &ObservedPods,
    options: &ExplainOptions,
    addresses: &[IpAddr],
    call: &Call,
) -> Result<Explanation> {
    let mut groups = group::groups(observed, false);
    let step = "reading the cluster, the registries, their role assignments and the images";
    let mut facts =
        call.step(step, gather::gather(parts, (cluster, id), (&groups, observed), options, addresses, call)).await?;
    if facts.is_by_account() {
        // Service accounts of one name may name different identities.
        groups = group::groups(observed, true);
    }
    facts.add_pulls(observed);
    if options.registry_logs {
        facts.add_registry_logs(parts, call).await?;
    }
    let successes = facts.successes();
    let mut explanation = explanation::explained(id.clone(), observed, groups, facts, parts.time());
    if options.changes {
        let mut reports = Vec::new();
        for PodGroup { report, .. } in &mut explanation.groups {
            let last = report.registry.as_ref().and_then(|id| successes.get(&id.to_string()).copied());
            reports.push((report, last));
        }
        changes::add(parts, &mut reports, call).await?;
    }
    Ok(explanation)
}
