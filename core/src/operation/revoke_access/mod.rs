//! Revoke access: removes the grants of any principal on a registry, or one role assignment, without a cluster.

mod plan;
mod run;

pub use plan::{ApplyRevokeAccessOptions, RevokeAccessPlan};

pub(crate) use run::{apply_plan, plan, revoke_access};

use super::{
    detach::DetachOutcome,
    right::{LIST_GRANTS_REQUIRED, READ_ROLES, REPORT_REMAINING, RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::DELETE_GRANT,
    call::CallOptions,
    id::{PrincipalId, ResourceId},
    role::AccessRole,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

pub(crate) const RIGHTS: &[RequiredRight] = &[
    LIST_GRANTS_REQUIRED,
    needed(DELETE_GRANT, RightScope::Registry, "to remove the role assignments, if they exist"),
    REPORT_REMAINING,
    READ_ROLES,
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[LIST_GRANTS_REQUIRED, REPORT_REMAINING, READ_ROLES];

/// Options for revoking access to a registry: which role assignments are removed. Either a principal or a role assignment is required.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RevokeAccessOptions {
    /// Object ID of the principal whose grants are removed. It may be deleted: Azure keeps its role assignments.
    ///
    /// Removes its direct grants of the built-in roles for the content of registries: `AcrPull`, `AcrPush`, `AcrDelete`, and Container
    /// Registry Repository Reader, Writer, Contributor and Catalog Lister. Other roles, such as Owner or custom roles, are removed by
    /// `assignment_id` only.
    pub principal_id: Option<PrincipalId>,
    /// ID of the role assignment to remove, of any role. It must be on the registry itself. Instead of `principal_id`.
    pub assignment_id: Option<String>,
    /// Removes only the roles of this access, of either role assignment mode. Only with `principal_id`.
    pub role: Option<AccessRole>,
    /// Whether to keep grants that this library did not create, such as a grant that Terraform or Bicep would create again.
    /// Only with `principal_id`.
    pub only_created_by_aks_acr: bool,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl RevokeAccessOptions {
    /// Sets [`principal_id`](Self::principal_id).
    #[must_use]
    pub fn with_principal_id(mut self, principal: PrincipalId) -> Self {
        self.principal_id = Some(principal);
        self
    }

    /// Sets [`assignment_id`](Self::assignment_id).
    #[must_use]
    pub fn with_assignment_id(mut self, assignment_id: impl Into<String>) -> Self {
        self.assignment_id = Some(assignment_id.into());
        self
    }

    /// Sets [`role`](Self::role).
    #[must_use]
    pub fn with_role(mut self, role: AccessRole) -> Self {
        self.role = Some(role);
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

/// A role assignment that gives access to a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessGrant {
    /// ID of the role assignment.
    pub assignment_id: String,
    /// The principal that has the role: for access through an Entra group, the group.
    pub principal_id: PrincipalId,
    /// The principal's type in Azure: `ServicePrincipal` (including managed identities), `Group`, `User`.
    pub principal_type: Option<String>,
    /// The part of the role definition's ID that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// The role's name. `None` if the caller lacks the permission to read the role.
    pub role_name: Option<String>,
    /// The scope of the role assignment: the registry or a scope above it.
    pub scope: String,
    /// The condition that restricts it, if any.
    pub condition: Option<String>,
    /// Its description; on role assignments that this library created, the library's name and version.
    pub description: Option<String>,
    /// `x-ms-correlation-request-id` of the removal, for Azure's activity log. `None` if it was not removed.
    #[serde(default)]
    pub correlation_id: Option<String>,
}

/// The result of revoking access: the removed role assignments, and those that still give access.
///
/// A removed role assignment may stay effective for some time: Azure takes seconds to minutes, and a credential of the registry is valid for
/// up to three hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessRevocation {
    /// What was found or done.
    pub outcome: DetachOutcome,
    /// The registry.
    pub registry: ResourceId,
    /// The principal whose role assignments were removed. `None` if there is no role assignment with the given ID.
    pub principal_id: Option<PrincipalId>,
    /// The removed role assignments.
    pub removed: Vec<AccessGrant>,
    /// The role assignments that still allow this principal to pull, push or delete: those of other roles, inherited ones, and those of its
    /// Entra groups.
    pub remaining: Vec<AccessGrant>,
}

impl fmt::Display for AccessGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role_name, role_definition_id, principal_id, scope, assignment_id, .. } = self;
        match role_name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "role {role_definition_id}")?,
        }
        let condition = if self.condition.is_some() { ", under a condition" } else { "" };
        write!(f, " for {principal_id} on {scope}{condition} ({assignment_id})")
    }
}

impl fmt::Display for AccessRevocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |grants: &[AccessGrant]| grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self.outcome {
            DetachOutcome::Removed => write!(f, "removed {}", list(&self.removed))?,
            DetachOutcome::NothingToRemove => write!(f, "nothing to remove on {}", self.registry.name())?,
        }
        if !self.remaining.is_empty() {
            write!(f, "; still gives access: {}", list(&self.remaining))?;
        }
        Ok(())
    }
}

impl Outcome for AccessRevocation {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    /// That of the first write.
    fn correlation_id(&self) -> Option<&str> {
        self.removed.iter().find_map(|grant| grant.correlation_id.as_deref())
    }
}
