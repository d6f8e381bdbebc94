//! Detach: removes the grants that let a cluster's nodes pull from a registry.

mod plan;
mod run;

pub use plan::{ApplyDetachOptions, DetachPlan};

pub(crate) use run::{DEADLINE, about, apply_plan, detach, plan, remove_all, whole};

use super::{
    attachments::PullGrant,
    right::{LIST_GRANTS_REQUIRED, READ_ROLES, READ_THE_CLUSTER, REPORT_REMAINING, RequiredRight, RightScope, needed},
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
    LIST_GRANTS_REQUIRED,
    needed(DELETE_GRANT, RightScope::Registry, "to remove the role assignment, if it exists"),
    REPORT_REMAINING,
    READ_ROLES,
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] =
    &[READ_THE_CLUSTER, LIST_GRANTS_REQUIRED, REPORT_REMAINING, READ_ROLES];

/// Options for detaching a registry from a cluster.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DetachOptions {
    /// Object ID of the principal whose grants are removed, instead of the cluster's kubelet identity.
    ///
    /// The cluster is then not read, so this works for a deleted cluster too: Azure keeps its grants.
    pub principal_id: Option<PrincipalId>,
    /// Whether to query Microsoft Graph for the object ID of the cluster's service principal, if the cluster has one instead of a kubelet
    /// identity; off by default.
    ///
    /// It requires `Application.Read.All` in Microsoft Graph, which Azure roles do not include.
    pub query_graph: bool,
    /// Whether to keep grants that this library did not create, such as a grant that Terraform or Bicep would create again.
    ///
    /// Off by default: every direct grant of the two roles that attach assigns is removed.
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

    /// Sets [`query_graph`](Self::query_graph).
    #[must_use]
    pub fn with_query_graph(mut self, query_graph: bool) -> Self {
        self.query_graph = query_graph;
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

/// The result of detach: the removed grants, and those that still give access.
///
/// A removed grant may stay effective for some time: Azure takes seconds to minutes, a node may keep a registry credential for up to an
/// hour, and an image that is already on a node starts without a pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Detachment {
    /// What detach found or did.
    pub outcome: DetachOutcome,
    /// The principal whose grants were removed.
    pub principal_id: PrincipalId,
    /// The registry.
    pub registry: ResourceId,
    /// The removed grants.
    pub removed: Vec<RemovedGrant>,
    /// The grants that still allow this principal to pull: inherited ones, those of other roles or of its Entra groups, and those kept
    /// by [`only_created_by_aks_acr`](DetachOptions::only_created_by_aks_acr).
    pub remaining: Vec<PullGrant>,
}

/// What detach found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DetachOutcome {
    /// At least one grant was removed.
    Removed,
    /// There was nothing to remove, and nothing was written.
    /// Other grants may still give access; see `remaining`.
    NothingToRemove,
}

words!(DetachOutcome, "outcome": Removed => "removed", NothingToRemove => "nothing_to_remove");

/// A grant that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemovedGrant {
    /// ID of the removed role assignment.
    pub assignment_id: String,
    /// Its role.
    pub role: PullRole,
    /// The condition that restricted it, if any.
    pub condition: Option<String>,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    pub correlation_id: Option<String>,
}

/// The pull role of the assignment, if it is one that attach assigns.
fn pull_role(assignment: &RoleAssignment) -> Option<PullRole> {
    PullRole::ALL.iter().copied().find(|role| role.id() == assignment.role_definition_id)
}

impl Outcome for Detachment {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    /// That of the first write.
    fn correlation_id(&self) -> Option<&str> {
        self.removed.iter().find_map(|grant| grant.correlation_id.as_deref())
    }
}
