//! A plan of granting access, as a value that can be shown, stored and applied later.

use super::GrantAccessOptions;
use crate::{
    call::CallOptions,
    id::{PrincipalId, ResourceId},
    operation::{
        attach::{ActionText, OnConditionMismatch, OnInheritedGrant, PlannedAction, unchecked},
        span::Outcome,
    },
    role::{AccessRole, PrincipalType, RegistryRole},
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan of what granting access would do. It is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it reads the current state again. If the planned change was made in the meantime, the call succeeds; if something else
/// would have to be done, nothing is written and the error says so.
///
/// `Display` starts with a line that is marked with `+` (creates a role assignment), `~` (replaces a condition), or `=` (writes
/// nothing). The lines below it show everything that would be written; a line with `!` is a warning.
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrantAccessPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The registry.
    pub registry: ResourceId,
    /// What the principal would get.
    pub access: AccessRole,
    /// The built-in role for it.
    pub role: RegistryRole,
    /// The principal that would get the role.
    pub principal_id: PrincipalId,
    /// The type that Azure would be given for it.
    pub principal_type: PrincipalType,
    /// The condition that would restrict it.
    // Absent is not null here: a plan that lost its condition would grant more than was shown.
    #[serde(deserialize_with = "Option::deserialize")]
    pub condition: Option<String>,
    /// The planned action.
    pub action: PlannedAction,
    /// The [`on_inherited_grant`](crate::GrantAccessOptions::on_inherited_grant) that the plan was made with.
    pub on_inherited_grant: OnInheritedGrant,
    /// The [`on_condition_mismatch`](crate::GrantAccessOptions::on_condition_mismatch) that the plan was made with.
    pub on_condition_mismatch: OnConditionMismatch,
    /// Object IDs of Entra groups that have this access. Azure did not say whether the principal is a member of them.
    /// Usually empty.
    pub unchecked_groups: Vec<String>,
}

impl GrantAccessPlan {
    /// The options that the plan was made with and that matter for applying it.
    pub(super) fn options(&self, how: &ApplyGrantAccessOptions) -> GrantAccessOptions {
        GrantAccessOptions {
            role: self.access,
            principal_type: Some(self.principal_type),
            condition: self.condition.clone(),
            on_inherited_grant: self.on_inherited_grant,
            on_condition_mismatch: self.on_condition_mismatch,
            retry_forbidden_for: how.retry_forbidden_for,
            call: how.call.clone(),
        }
    }
}

impl fmt::Display for GrantAccessPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = ActionText::of(&self.action);
        let Self { role, registry, principal_id, principal_type, access, .. } = self;
        write!(f, "{} {role} on {} for {principal_id}\n    does: {}", action.sign, registry.name(), action.does)?;
        write!(f, "\n    principal: {principal_id} ({principal_type})\n    scope: {registry}")?;
        action.details(self.condition.as_deref(), f)?;
        let allows = match access {
            AccessRole::Pull => "allows pulling",
            AccessRole::Push => "allows pushing and pulling",
        };
        unchecked(&self.unchecked_groups, allows, f)
    }
}

/// Options for applying a plan of granting access. The plan itself says what is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyGrantAccessOptions {
    /// How long to retry after a 403. Off by default; useful right after activating a PIM role.
    pub retry_forbidden_for: Option<Duration>,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyGrantAccessOptions {
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

impl Outcome for GrantAccessPlan {}
