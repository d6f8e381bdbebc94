//! Grant access: lets any principal pull from or push to a registry, without a cluster.

mod plan;
mod run;

pub use plan::{ApplyGrantAccessOptions, GrantAccessPlan};

pub(crate) use run::{apply_plan, grant_access, plan};

use super::{
    attach::{AttachOutcome, OnConditionMismatch, OnInheritedGrant},
    right::{LIST_GRANTS, READ_THE_REGISTRY, RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::WRITE_GRANT,
    call::CallOptions,
    id::{PrincipalId, ResourceId},
    role::{AccessRole, PrincipalType, RegistryRole},
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_REGISTRY,
    needed(WRITE_GRANT, RightScope::Registry, "to create the role assignment, if it does not exist"),
    LIST_GRANTS,
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[READ_THE_REGISTRY, LIST_GRANTS];

/// Options for granting a principal access to a registry.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GrantAccessOptions {
    /// What the principal gets. The built-in role follows the registry's mode.
    pub role: AccessRole,
    /// The principal's type in Azure. If it is not set: the type in the principal's existing role assignments at the registry or above it,
    /// otherwise `ServicePrincipal`, which includes managed identities. Azure rejects the wrong type.
    pub principal_type: Option<PrincipalType>,
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

impl GrantAccessOptions {
    /// Sets [`role`](Self::role).
    #[must_use]
    pub fn with_role(mut self, role: AccessRole) -> Self {
        self.role = role;
        self
    }

    /// Sets [`principal_type`](Self::principal_type).
    #[must_use]
    pub fn with_principal_type(mut self, principal_type: PrincipalType) -> Self {
        self.principal_type = Some(principal_type);
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

/// The result of granting access: the role assignment that gives it.
///
/// A new role assignment takes seconds to minutes to take effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrantedAccess {
    /// What was found or done.
    pub outcome: AttachOutcome,
    /// The built-in role.
    pub role: RegistryRole,
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
    /// Object IDs of Entra groups that have this access. Azure did not say whether the principal is a member of them.
    /// Usually empty.
    pub unchecked_groups: Vec<String>,
}

impl fmt::Display for GrantedAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, principal_id, registry, outcome, .. } = self;
        write!(f, "{role} for {principal_id} on {}: {outcome}", registry.name())?;
        if !self.unchecked_groups.is_empty() {
            write!(f, "; membership not checked in groups {}", self.unchecked_groups.join(", "))?;
        }
        Ok(())
    }
}

impl Outcome for GrantedAccess {
    fn outcome(&self) -> &'static str {
        self.outcome.word()
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}
