//! Attach: make a cluster's nodes able to pull from a registry.

mod check;
mod decide;
mod plan;
mod run;
mod show;

pub use plan::{ApplyAttachOptions, AttachPlan, PlannedAction};

pub(crate) use check::{GrantCheck, check_grant};
pub(crate) use decide::{Otherwise, principal};
pub(crate) use plan::{GOOD_FOR, check_before, check_is_current};
pub(crate) use run::{DEADLINE, apply_plan, attach, attach_found, plan};
pub(crate) use show::{Quoted, Whose, or_none};

use super::{
    right::{LIST_GRANTS, READ_THE_CLUSTER, READ_THE_REGISTRY, RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::WRITE_GRANT,
    call::CallOptions,
    error::words,
    id::{PrincipalId, ResourceId},
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_CLUSTER,
    READ_THE_REGISTRY,
    needed(WRITE_GRANT, RightScope::Registry, "to make the grant, where it is not there"),
    LIST_GRANTS,
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[READ_THE_CLUSTER, READ_THE_REGISTRY, LIST_GRANTS];

/// How a cluster is attached.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AttachOptions {
    /// Who gets the grant, where that is not the cluster's kubelet identity: the object id of a service principal, on a cluster
    /// that has one. It is not compared with the cluster: whoever is named gets the grant.
    pub principal_id: Option<PrincipalId>,
    /// Narrows the grant, in the language of Azure's attribute-based access control. Only for registries whose permissions are
    /// on repositories: elsewhere it would have no effect, and is refused.
    pub condition: Option<String>,
    /// What is done where a scope above the registry, or an Entra group, gives pull already.
    pub on_inherited_grant: OnInheritedGrant,
    /// What is done where the role is there with another condition.
    pub on_condition_mismatch: OnConditionMismatch,
    /// For how long a refusal is tried again. Not at all by default; rights that were just activated need it.
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

/// What is done where a scope above the registry, or an Entra group that the identity is a member of, gives pull already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnInheritedGrant {
    /// It is enough: nothing is written.
    #[default]
    Suffices,
    /// A grant on the registry itself is made all the same.
    GrantDirectly,
}

words!(OnInheritedGrant, "on_inherited_grant": Suffices => "suffices", GrantDirectly => "grant_directly");

/// What is done where the role is there with another condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnConditionMismatch {
    /// It is left as it is, and the outcome says so.
    #[default]
    Keep,
    /// It is replaced by the one that was asked for, which may widen the grant.
    Replace,
}

words!(OnConditionMismatch, "on_condition_mismatch": Keep => "keep", Replace => "replace");

/// The state "this cluster can pull from this registry, by that grant".
///
/// Assigned is not yet effective: Azure takes from seconds to minutes until a registry honours a new grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// What was found or done.
    pub outcome: AttachOutcome,
    /// The role that gives pull.
    pub role: PullRole,
    /// Who has it.
    pub principal_id: PrincipalId,
    /// The registry.
    pub registry: ResourceId,
    /// Id of the role assignment. `None` where one exists that the caller may not read.
    pub assignment_id: Option<String>,
    /// What narrows the grant, if anything does.
    pub condition: Option<String>,
    /// `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `None` where nothing was written.
    pub correlation_id: Option<String>,
    /// Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a member.
    /// Usually empty.
    pub unchecked_groups: Vec<String>,
}

/// What attach found or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttachOutcome {
    /// The grant was made.
    Granted,
    /// The same grant was there: nothing was written.
    AlreadyGranted,
    /// A scope above the registry gives the role: nothing was written.
    Inherited {
        /// That scope.
        from: String,
    },
    /// The identity is a member of an Entra group, itself or through other groups, that has a role which gives pull: nothing was written.
    ///
    /// A warning goes with it: nodes keep a token with the memberships of the time when it was issued, for up to a day, so that a
    /// membership that was just made takes long to have an effect. Ask for a direct grant to be independent of that.
    ThroughGroup {
        /// Object id of the group that holds the role.
        group: String,
        /// The scope of its role assignment: the registry or one above it.
        from: String,
    },
    /// The role is there with another condition, which was left as it is: nothing was written.
    ConditionDiffers {
        /// The condition that is there. `None` means that the role is there without any, and so is wider than was asked.
        existing: Option<String>,
    },
}

impl Outcome for Attachment {
    fn outcome(&self) -> &'static str {
        match self.outcome {
            AttachOutcome::Granted => "granted",
            AttachOutcome::AlreadyGranted => "already_granted",
            AttachOutcome::Inherited { .. } => "inherited",
            AttachOutcome::ThroughGroup { .. } => "through_group",
            AttachOutcome::ConditionDiffers { .. } => "condition_differs",
        }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}
