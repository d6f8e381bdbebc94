//! Checks from outside whether a cluster can pull, and says why not.

pub(crate) mod accounts;
pub(crate) mod ended;
pub(crate) mod gather;
pub(crate) mod inspect;
mod network;
mod options;

pub use options::{CheckOptions, KubernetesReads};

use super::{
    Parts, changes, registry_logs,
    right::{
        CHECK_ADDRESSES, CHECK_CACHE_RULES, CHECK_CREDENTIAL_SETS, CHECK_DELETED, CHECK_ENDPOINTS, CHECK_GATEWAYS,
        CHECK_LINKS, CHECK_METADATA, CHECK_NAMES, CHECK_NETWORKS, CHECK_PREFIXES, CHECK_RECORDS, CHECK_REPLICAS,
        CHECK_ZONE_GROUPS, PROVE_BY_CREDENTIAL, PROVE_BY_EVENTS, PROVE_BY_NODES, PROVE_BY_PODS, READ_ROLES,
        RequiredRight, RightScope, SEE_ACCOUNTS, SEE_BINDINGS, SEE_CHANGES, SEE_DIAGNOSTIC_SETTINGS, SEE_LOGIN_EVENTS,
        SEE_NODES, SEE_REPOSITORY_EVENTS, SEE_SCALE_SETS, useful,
    },
    span::Outcome,
};
use crate::{
    action::{PULL, READ_CLUSTER, READ_CONTENT, READ_DENIALS, READ_GRANTS, READ_REGISTRY, USER_CREDENTIAL},
    call::Call,
    cluster::ClusterRef,
    diagnosis::{diagnose, is_stopped, lacks_pulls, report::Report, success::last_success},
    error::{Error, Result},
    registry::RegistryRef,
};
use std::{net::IpAddr, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const RIGHTS: &[RequiredRight] = &[
    useful(READ_CLUSTER, RightScope::Cluster, "to read its identity, its state and its network settings"),
    useful(READ_REGISTRY, RightScope::Registry, "to read its mode, its state and its network settings"),
    useful(READ_GRANTS, RightScope::Registry, "to list the role assignments that allow pulling"),
    useful(READ_DENIALS, RightScope::Registry, "to list the deny assignments that forbid pulling"),
    READ_ROLES,
    CHECK_ADDRESSES,
    CHECK_PREFIXES,
    CHECK_GATEWAYS,
    CHECK_NETWORKS,
    CHECK_ENDPOINTS,
    CHECK_ZONE_GROUPS,
    CHECK_LINKS,
    CHECK_RECORDS,
    useful(USER_CREDENTIAL, RightScope::Cluster, "to read the nodes, with `kubernetes`"),
    SEE_NODES,
    SEE_SCALE_SETS,
    SEE_BINDINGS,
    SEE_ACCOUNTS,
    useful(PULL, RightScope::Registry, "to read the image from a registry with registry-wide permissions"),
    RequiredRight {
        is_data_action: true,
        ..useful(READ_CONTENT, RightScope::Registry, "to read the image from a registry with repository permissions")
    },
    CHECK_METADATA,
    CHECK_DELETED,
    CHECK_CACHE_RULES,
    CHECK_CREDENTIAL_SETS,
    CHECK_REPLICAS,
    PROVE_BY_CREDENTIAL,
    PROVE_BY_PODS,
    PROVE_BY_EVENTS,
    PROVE_BY_NODES,
    SEE_CHANGES,
    CHECK_NAMES,
    SEE_DIAGNOSTIC_SETTINGS,
    SEE_LOGIN_EVENTS,
    SEE_REPOSITORY_EVENTS,
];

impl Outcome for Report {
    fn outcome(&self) -> &'static str {
        self.verdict.as_str()
    }
}

pub(crate) async fn check(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &CheckOptions,
    call: &Call,
) -> Result<Report> {
    registry.check_cloud(parts.cloud())?;
    let addresses = read_addresses(&options.outbound_addresses)?;
    let step = "reading the cluster, the registry, its role assignments and the image";
    let mut facts = call.step(step, gather::gather(parts, (cluster, registry), options, &addresses, call)).await?;
    if options.registry_logs {
        registry_logs::add(parts, &mut facts, call).await?;
    }
    let reads_pods = match options.kubernetes {
        KubernetesReads::Never => false,
        KubernetesReads::IfNeeded => lacks_pulls(&facts),
        // A stopped cluster has no API server that could answer.
        KubernetesReads::Always => {
            let is_stopped = facts.cluster.as_ref().is_ok_and(|cluster| is_stopped(cluster.power_state.as_ref()));
            facts.pulls.is_none() && !is_stopped
        }
    };
    if reads_pods {
        let step = "reading the pods that have pulled from the registry";
        facts.pulls = call.step(step, gather::pulls(parts, cluster, &facts, call)).await?;
    }
    let mut report = diagnose(&facts, parts.time());
    if options.changes {
        changes::add(parts, &mut [(&mut report, last_success(&facts))], call).await?;
    }
    Ok(report)
}

pub(crate) fn read_addresses(texts: &[String]) -> Result<Vec<IpAddr>> {
    let read = |text: &String| {
        text.parse()
            .map_err(|_| Error::invalid("expected an IP address, such as 203.0.113.7", "outbound_addresses", text))
    };
    texts.iter().map(read).collect()
}
