//! Explains why pods do not run: first what Kubernetes says of their images, then what Azure says of the same pull.

mod explanation;
mod gather;
mod group;
mod target;

pub use explanation::{Explanation, OtherCause, PodGroup};
pub use target::{ExplainOptions, ExplainTarget};

use super::{
    Parts,
    check::read_addresses,
    right::{READ_ROLES, RequiredRight, RightScope, TALK, useful},
    span::Outcome,
};
use crate::{
    action::{
        PULL, READ_ADDRESS, READ_CLUSTER, READ_CONTENT, READ_DENIALS, READ_EVENTS, READ_GRANTS, READ_NODES, READ_PODS,
        READ_REGISTRY, READ_REPLICA_SETS, READ_SECRETS,
    },
    call::Call,
    cluster::ClusterRef,
    error::Result,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);

pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    RequiredRight {
        is_data_action: true,
        ..useful(READ_PODS, RightScope::Cluster, "to read pods, on clusters with Azure RBAC")
    },
    RequiredRight {
        is_data_action: true,
        ..useful(
            READ_REPLICA_SETS,
            RightScope::Cluster,
            "to read why pods are not created, on clusters with Azure RBAC",
        )
    },
    RequiredRight {
        is_data_action: true,
        ..useful(READ_NODES, RightScope::Cluster, "to name the platform of the nodes, on clusters with Azure RBAC")
    },
    RequiredRight {
        is_data_action: true,
        ..useful(
            READ_EVENTS,
            RightScope::Cluster,
            "to read causes that the pods' state no longer has, on clusters with Azure RBAC",
        )
    },
    RequiredRight {
        is_data_action: true,
        ..useful(
            READ_SECRETS,
            RightScope::Cluster,
            "to read which registries the pull secrets are for, on clusters with Azure RBAC",
        )
    },
    useful(READ_CLUSTER, RightScope::Cluster, "to read its identity and its network settings"),
    useful(
        READ_REGISTRY,
        RightScope::Subscription,
        "to find the registry by its login server, and to read its settings",
    ),
    useful(READ_GRANTS, RightScope::Registry, "to list the role assignments that allow pulling"),
    useful(READ_DENIALS, RightScope::Registry, "to list the deny assignments that forbid pulling"),
    READ_ROLES,
    useful(READ_ADDRESS, RightScope::Subscription, "to compare the nodes' addresses with the registry's network rules"),
    useful(PULL, RightScope::Registry, "to read the images from a registry with registry-wide permissions"),
    RequiredRight {
        is_data_action: true,
        ..useful(READ_CONTENT, RightScope::Registry, "to read the images from a registry with repository permissions")
    },
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
    let groups = group::groups(&observed);
    let step = "reading the cluster, the registries, their role assignments and the images";
    let facts = call.step(step, gather::gather(parts, (cluster, &id), &groups, options, &addresses, call)).await?;
    Ok(explanation::explained(id, &observed, groups, facts, parts.time()))
}
