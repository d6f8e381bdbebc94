//! Detach: take back what lets a cluster's nodes pull from a registry.

mod plan;
mod run;

pub use plan::{ApplyDetachOptions, DetachPlan};

pub(crate) use run::{DEADLINE, apply_plan, detach, plan};

use super::{
    attachments::PullGrant,
    right::{READ_ROLES, READ_THE_CLUSTER, RequiredRight, RightScope, SEE_GRANTS, TELL_REMAINING, needed},
    span::Outcome,
};
use crate::{
    action::DELETE_GRANT,
    call::CallOptions,
    error::words,
    id::{PrincipalId, ResourceId},
    role::{PullRole, RoleAssignment},
};
use serde::{Deserialize, Serialize};

pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_CLUSTER,
    SEE_GRANTS,
    needed(DELETE_GRANT, RightScope::Registry, "to remove the grant, where there is one"),
    TELL_REMAINING,
    READ_ROLES,
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[READ_THE_CLUSTER, SEE_GRANTS, TELL_REMAINING, READ_ROLES];

/// How a cluster is detached.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DetachOptions {
    /// Whose grant is removed, where that is not the cluster's kubelet identity. The cluster is not looked at then: so it can be
    /// one that was deleted, whose grants Azure keeps.
    pub principal_id: Option<PrincipalId>,
    /// Leaves alone what this library did not make, such as a grant that Terraform or Bicep would make again. By default every
    /// direct grant of the two roles that attach gives is removed, whoever made it.
    pub only_created_by_aks_acr: bool,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl DetachOptions {
    /// Sets [`principal_id`](Self::principal_id).
    #[must_use]
    pub fn with_principal_id(mut self, principal: PrincipalId) -> Self {
        self.principal_id = Some(principal);
        self
    }

    /// Sets [`only_created_by_aks_acr`](Self::only_created_by_aks_acr).
    #[must_use]
    pub fn with_only_created_by_aks_acr(mut self, only_created_by_aks_acr: bool) -> Self {
        self.only_created_by_aks_acr = only_created_by_aks_acr;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// What was removed, and what still lets the cluster pull.
///
/// Removed is not yet without effect: Azure takes from seconds to minutes, a node may hold a token of the registry for hours, and
/// an image that is on a node already starts without a pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Detachment {
    /// What was found or done.
    pub outcome: DetachOutcome,
    /// Whose grants.
    pub principal_id: PrincipalId,
    /// The registry.
    pub registry: ResourceId,
    /// What was removed.
    pub removed: Vec<RemovedGrant>,
    /// What still gives this principal pull: grants from above, of other roles, of Entra groups that it is a member of, or not made by us
    /// where only ours were to go.
    pub remaining: Vec<PullGrant>,
}

/// What detach found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DetachOutcome {
    /// One grant or more was removed.
    Removed,
    /// There was none to remove: nothing was written. The cluster may be able to pull all the same, by what remains.
    NothingToRemove,
}

words!(DetachOutcome, "outcome": Removed => "removed", NothingToRemove => "nothing_to_remove");

/// A grant that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemovedGrant {
    /// Id of the role assignment that is gone.
    pub assignment_id: String,
    /// Its role.
    pub role: PullRole,
    /// What narrowed it, if anything did.
    pub condition: Option<String>,
    /// `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it.
    pub correlation_id: Option<String>,
}

/// The role that attach could have given by it, if it is one.
fn pull_role(assignment: &RoleAssignment) -> Option<PullRole> {
    PullRole::ALL.iter().copied().find(|role| role.id() == assignment.role_definition_id)
}

impl Outcome for Detachment {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    /// That of the first of its writes.
    fn correlation_id(&self) -> Option<&str> {
        self.removed.iter().find_map(|grant| grant.correlation_id.as_deref())
    }
}
