//! Attach: lets a cluster's nodes pull from a registry.

mod check;
mod decide;
mod plan;
mod principal;
mod run;
mod show;

pub use plan::{ApplyAttachOptions, AttachPlan, PlannedAction};

pub(crate) use check::{GrantCheck, check_grant};
pub(crate) use decide::{Decision, GrantRequest, Observed, PrincipalAdvice, check_condition_text, principal};
pub(crate) use plan::{GOOD_FOR, check_before, check_is_current, check_version};
pub(crate) use principal::{find_principal, is_found};
pub(crate) use run::{
    DEADLINE, apply_plan, attach, attach_found, decide_with_groups, gather_at, outdated, plan, write,
};
pub(crate) use show::{ActionText, PrincipalText, or_none, unchecked, warned};

use super::{
    right::{LIST_GRANTS, READ_THE_CLUSTER, READ_THE_REGISTRY, RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::WRITE_GRANT,
    call::CallOptions,
    diagnosis::finding::Finding,
    error::words,
    id::{PrincipalId, ResourceId},
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_CLUSTER,
    READ_THE_REGISTRY,
    needed(WRITE_GRANT, RightScope::Registry, "to create the role assignment, if it does not exist"),
    LIST_GRANTS,
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[READ_THE_CLUSTER, READ_THE_REGISTRY, LIST_GRANTS];

/// Options for attaching a registry to a cluster.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AttachOptions {
    /// Object ID of the principal that gets the role, instead of the cluster's kubelet identity.
    ///
    /// Needed on a cluster with a service principal, unless `query_graph` finds it. It is not checked against the cluster: this principal
    /// gets the role.
    pub principal_id: Option<PrincipalId>,
    /// Whether to query Microsoft Graph for the object ID of the cluster's service principal, if the cluster has one instead of a kubelet
    /// identity; off by default.
    ///
    /// It requires `Application.Read.All` in Microsoft Graph, which Azure roles do not include.
    pub query_graph: bool,
    /// A condition that restricts the grant, in the language of Azure's attribute-based access control (ABAC).
    ///
    /// Only for registries with repository permissions: on other registries a condition would have no effect, and is rejected.
    pub condition: Option<String>,
    /// What to do if a scope above the registry, or an Entra group, already gives access.
    pub on_inherited_grant: OnInheritedGrant,
    /// What to do if the role assignment exists with a different condition.
    pub on_condition_mismatch: OnConditionMismatch,
    /// How long to retry after a 403. Off by default; useful right after activating a PIM role.
    pub retry_forbidden_for: Option<Duration>,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl AttachOptions {
    /// Sets [`principal_id`](Self::principal_id).
    #[must_use]
    pub fn with_principal_id(mut self, principal: PrincipalId) -> Self {
        self.principal_id = Some(principal);
        self
    }

    /// Sets [`query_graph`](Self::query_graph).
    #[must_use]
    pub fn with_query_graph(mut self, query_graph: bool) -> Self {
        self.query_graph = query_graph;
        self
    }

    /// Sets [`condition`](Self::condition).
    #[must_use]
    pub fn with_condition(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// Sets [`on_inherited_grant`](Self::on_inherited_grant).
    #[must_use]
    pub fn with_on_inherited_grant(mut self, on_inherited_grant: OnInheritedGrant) -> Self {
        self.on_inherited_grant = on_inherited_grant;
        self
    }

    /// Sets [`on_condition_mismatch`](Self::on_condition_mismatch).
    #[must_use]
    pub fn with_on_condition_mismatch(mut self, on_condition_mismatch: OnConditionMismatch) -> Self {
        self.on_condition_mismatch = on_condition_mismatch;
        self
    }

    /// Sets [`retry_forbidden_for`](Self::retry_forbidden_for).
    #[must_use]
    pub fn with_retry_forbidden_for(mut self, time: Duration) -> Self {
        self.retry_forbidden_for = Some(time);
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// What attach does if a scope above the registry, or an Entra group of the identity, already gives access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnInheritedGrant {
    /// It is sufficient: nothing is written.
    #[default]
    Suffices,
    /// A grant on the registry itself is made anyway.
    GrantDirectly,
}

words!(OnInheritedGrant, "on_inherited_grant": Suffices => "suffices", GrantDirectly => "grant_directly");

/// What attach does if the role assignment exists with a different condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnConditionMismatch {
    /// Keeps the existing condition, and the outcome says so.
    #[default]
    Keep,
    /// Replaces it with the requested condition, which may widen the grant.
    Replace,
}

words!(OnConditionMismatch, "on_condition_mismatch": Keep => "keep", Replace => "replace");

/// The result of attach: the role assignment that lets the cluster pull from the registry.
///
/// A new role assignment takes seconds to minutes to take effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// What attach found or did.
    pub outcome: AttachOutcome,
    /// The role that allows pulling.
    pub role: PullRole,
    /// The principal that has the role.
    pub principal_id: PrincipalId,
    /// The registry.
    pub registry: ResourceId,
    /// ID of the role assignment. `None` if it exists but the caller lacks the permission to read it.
    pub assignment_id: Option<String>,
    /// The condition that restricts the grant, if any.
    pub condition: Option<String>,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    /// `None` if nothing was written.
    pub correlation_id: Option<String>,
    /// Object IDs of Entra groups that have access. Azure did not say whether the identity is a member of them.
    /// Usually empty.
    pub unchecked_groups: Vec<String>,
    /// What keeps pods from pulling although the role is assigned, if the settings of the cluster or of the registry show it. Usually empty.
    /// [`check`](crate::Client::check) reads more.
    pub warnings: Vec<Finding>,
}

/// What attach found or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttachOutcome {
    /// The grant was made.
    Granted,
    /// The same grant existed: nothing was written.
    AlreadyGranted,
    /// The role is already assigned at a scope above the registry: nothing was written.
    Inherited {
        /// The scope at which the role is assigned.
        from: String,
    },
    /// The identity is a direct or nested member of an Entra group that has access: nothing was written.
    ///
    /// This comes with a warning: a node keeps its token, with the memberships it was issued with, for up to a day, so a new membership can
    /// take that long to take effect. Request a direct grant to avoid this.
    ThroughGroup {
        /// Object ID of the group that has the role.
        group: String,
        /// The scope of its role assignment: the registry or a scope above it.
        from: String,
    },
    /// The role assignment exists with a different condition, which was kept: nothing was written.
    ConditionDiffers {
        /// The existing condition.
        /// `None` means that the role assignment has no condition, and so is wider than requested.
        existing: Option<String>,
    },
}

impl AttachOutcome {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::AlreadyGranted => "already_granted",
            Self::Inherited { .. } => "inherited",
            Self::ThroughGroup { .. } => "through_group",
            Self::ConditionDiffers { .. } => "condition_differs",
        }
    }
}

impl Outcome for Attachment {
    fn outcome(&self) -> &'static str {
        self.outcome.word()
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}
