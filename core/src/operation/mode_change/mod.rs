//! Moves a registry to the other role assignment mode: who would lose access gets an equivalent role first.

mod compare;
mod plan;
mod run;
mod show;

pub use plan::{
    AccessChange, ApplyModeChangeOptions, ChangeReason, EquivalentRole, ModeChangePlan, ReplacedAssignment, StoppedRole,
};
pub(crate) use run::{APPLY_DEADLINE, DEADLINE, apply_plan, plan};

use super::{
    right::{LIST_GRANTS_REQUIRED, READ_THE_REGISTRY, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{DELETE_GRANT, READ_CLUSTER, READ_DENIALS, READ_ROLE, WRITE_GRANT, WRITE_REGISTRY},
    call::CallOptions,
    error::words,
    id::{PrincipalId, ResourceId},
    role::RoleAssignmentMode,
};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use uuid::Uuid;

const READ_DEFINITIONS: RequiredRight = useful(
    READ_ROLE,
    RightScope::Registry,
    "to find out what custom roles allow: without it, they are reported as lost",
);
const LIST_DENIALS: RequiredRight =
    useful(READ_DENIALS, RightScope::Registry, "to see which access deny assignments take away in either mode");
const LIST_CLUSTERS: RequiredRight = useful(
    READ_CLUSTER,
    RightScope::Subscription,
    "to name the clusters whose nodes pull, and to grant their identities no listing of repositories",
);
pub(crate) const PLAN_RIGHTS: &[RequiredRight] =
    &[READ_THE_REGISTRY, LIST_GRANTS_REQUIRED, READ_DEFINITIONS, LIST_DENIALS, LIST_CLUSTERS];
pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_REGISTRY,
    LIST_GRANTS_REQUIRED,
    needed(
        READ_ROLE,
        RightScope::Registry,
        "to find out what custom roles allow; not needed if the plan could not read them either",
    ),
    LIST_DENIALS,
    LIST_CLUSTERS,
    needed(WRITE_REGISTRY, RightScope::Registry, "to change the mode"),
    needed(WRITE_GRANT, RightScope::Registry, "to grant the equivalent roles, unless all of them exist"),
    useful(DELETE_GRANT, RightScope::Registry, "to remove the equivalent roles, when a change is reversed"),
];

/// Options for planning a change of a registry's role assignment mode.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModeChangeOptions {
    /// Whether to grant a role that allows more than the principal can do today, where no other role keeps its access; off by default.
    ///
    /// Only registry-wide permissions have a role for deleting alone, and only repository permissions have roles for single repositories. If
    /// off, that access is in the plan's [`lost`](ModeChangePlan::lost).
    pub allow_wider: bool,
    /// Whether principals that have access through a role above the registry, such as the owners of its subscription, keep it; on by
    /// default. If off, that access is in the plan's [`lost`](ModeChangePlan::lost).
    pub keep_inherited: bool,
    /// Whether principals that can list the repositories keep that; on by default. The kubelet identities of clusters do not need it and
    /// never get it.
    pub keep_listing: bool,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl Default for ModeChangeOptions {
    fn default() -> Self {
        Self { allow_wider: false, keep_inherited: true, keep_listing: true, call: CallOptions::default() }
    }
}

impl ModeChangeOptions {
    /// Sets [`allow_wider`](Self::allow_wider).
    #[must_use]
    pub fn with_allow_wider(mut self, allow: bool) -> Self {
        self.allow_wider = allow;
        self
    }

    /// Sets [`keep_inherited`](Self::keep_inherited).
    #[must_use]
    pub fn with_keep_inherited(mut self, keep: bool) -> Self {
        self.keep_inherited = keep;
        self
    }

    /// Sets [`keep_listing`](Self::keep_listing).
    #[must_use]
    pub fn with_keep_listing(mut self, keep: bool) -> Self {
        self.keep_listing = keep;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// The result of changing a registry's role assignment mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModeChange {
    /// What the call did.
    pub outcome: ModeChangeOutcome,
    /// The registry.
    pub registry: ResourceId,
    /// Its mode now.
    pub mode: RoleAssignmentMode,
    /// The equivalent roles of the plan that exist now.
    pub granted: Vec<KeptRole>,
    /// IDs of the role assignments that this call removed, or whose condition it restored: those of the change that was reversed.
    pub removed: Vec<String>,
    /// Principals of the plan that do not exist anymore, and so got no role.
    pub gone: Vec<PrincipalId>,
    /// The clusters whose nodes pull from the registry with a role of the plan.
    pub clusters: Vec<ResourceId>,
    /// Until when nodes may still hold a credential from before the change, which the registry rejects: an hour after the change, by Azure's
    /// clock. `None`: this call did not change the mode.
    #[serde(default, with = "crate::stored_time::option")]
    pub credentials_until: Option<SystemTime>,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log. `None` if this call did not change the mode.
    pub correlation_id: Option<String>,
}

/// A role that keeps the access of a principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeptRole {
    /// The principal.
    pub principal_id: PrincipalId,
    /// The part of the role definition's ID that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// The role's name.
    pub role_name: String,
    /// ID of the role assignment.
    pub assignment_id: String,
    /// Whether this call created it, or removed its condition.
    pub is_new: bool,
}

/// What a call did to the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModeChangeOutcome {
    /// It changed the mode.
    Changed,
    /// The registry had the mode already. The call only completed what was missing.
    AlreadyChanged,
}

words!(ModeChangeOutcome, "outcome": Changed => "changed", AlreadyChanged => "already_changed");

impl Outcome for ModeChange {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

impl Outcome for ModeChangePlan {}
