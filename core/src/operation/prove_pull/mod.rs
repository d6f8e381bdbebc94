//! Proves that a cluster's nodes can pull an image: a Job per node pool whose pod pulls it, and runs nothing of it.

mod caller;
mod job;
mod judge;
mod options;
mod pools;
mod proof;
mod run;

pub use options::{ProvePullOptions, PullProofVia};
pub use proof::{PoolProof, ProofOutcome, PullProof, PullProofKind};

use super::{
    Parts,
    right::{
        CHECK_ADDRESSES, CHECK_CACHE_RULES, CHECK_CONTENT, CHECK_CREDENTIAL_SETS, CHECK_DELETED, CHECK_DENIALS,
        CHECK_ENDPOINTS, CHECK_GATEWAYS, CHECK_GRANTS, CHECK_IMAGE, CHECK_LINKS, CHECK_METADATA, CHECK_NETWORKS,
        CHECK_PREFIXES, CHECK_RECORDS, CHECK_REPLICAS, CHECK_ZONE_GROUPS, FIND_REGISTRY, READ_ROLES, RequiredRight,
        RightScope, SEE_EVENTS, SEE_NODES, SEE_PODS, SEE_SECRETS, TALK, needed, useful,
    },
    span::Outcome,
};
use crate::{
    action::{DELETE_JOBS, READ_CLUSTER, READ_JOBS, WRITE_JOBS},
    call::Call,
    cluster::ClusterRef,
    error::Result,
    image::ImageReference,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(15 * 60);

pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    RequiredRight {
        is_data_action: true,
        ..useful(READ_JOBS, RightScope::Cluster, "to watch the Jobs, on clusters with Azure RBAC")
    },
    RequiredRight {
        is_data_action: true,
        ..useful(WRITE_JOBS, RightScope::Cluster, "to create the Jobs, on clusters with Azure RBAC")
    },
    RequiredRight {
        is_data_action: true,
        ..useful(DELETE_JOBS, RightScope::Cluster, "to delete the Jobs, on clusters with Azure RBAC")
    },
    needed(READ_CLUSTER, RightScope::Cluster, "to list its node pools"),
    SEE_PODS,
    SEE_NODES,
    SEE_EVENTS,
    SEE_SECRETS,
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
    CHECK_IMAGE,
    CHECK_CONTENT,
    CHECK_METADATA,
    CHECK_DELETED,
    CHECK_CACHE_RULES,
    CHECK_CREDENTIAL_SETS,
    CHECK_REPLICAS,
];

impl Outcome for PullProof {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }
}

pub(crate) async fn prove_pull(
    parts: &Parts,
    cluster: &ClusterRef,
    image: &ImageReference,
    options: &ProvePullOptions,
    call: &Call,
) -> Result<PullProof> {
    run::prove_pull(parts, cluster, image, options, call).await.map_err(run::refused)
}
