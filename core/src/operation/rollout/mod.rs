//! Rollout: waits until a workload's pods are ready, or until it is known why they are not.

mod cause;
mod grant;
mod judge;
mod options;
mod passing;
mod run;

pub use options::{OnMissingGrant, RolloutOptions};
pub(crate) use run::wait_for_rollout;

use super::{
    right::{RequiredRight, RightScope, TALK, useful},
    span::Outcome,
};
use crate::{
    action::{READ_CLUSTER, READ_GRANTS, READ_NODES, READ_REGISTRY},
    cluster::Rollout,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(15 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    // Without any one of these a refusal by the registry is taken for a grant that is not effective yet. Without the registry, a missing
    // image or host name is final, as it gives no time to replicas and to new names.
    useful(READ_CLUSTER, RightScope::Cluster, "to fail early if a grant is missing, instead of waiting for it"),
    useful(
        READ_REGISTRY,
        RightScope::Subscription,
        "to find the registry by its login server: the call then fails early if a grant is missing, and waits for replicas and for a new host name",
    ),
    useful(READ_GRANTS, RightScope::Registry, "to fail early if a grant is missing: lists the role assignments"),
    RequiredRight {
        is_data_action: true,
        ..useful(
            READ_NODES,
            RightScope::Cluster,
            "to fail early if the nodes pull with a former identity, on clusters with Azure RBAC",
        )
    },
];

impl Outcome for Rollout {}
