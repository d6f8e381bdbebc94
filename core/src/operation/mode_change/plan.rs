//! A plan of a change of the mode, as a value that can be shown, stored and applied later.

use crate::{
    call::CallOptions,
    error::words,
    id::{PrincipalId, ResourceId},
    operation::delete_registry::UnreadPart,
    role::{PROPAGATION, RegistryAccess, RoleAssignmentMode},
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan for moving a registry to the other role assignment mode: who has access today, which roles keep it, and what cannot be kept. It
/// is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language. Keep it: applied with
/// `reverse`, it undoes the change, at any time.
///
/// Applying it reads the current state again. If a principal that is not in the plan would lose access, nothing is written and the error says
/// so. A plan that was applied in part can be applied again.
///
/// `Display` starts with a line for the registry, marked with `~`. Then come lines for the roles that would be granted (`+`), for what
/// cannot be kept or is gained (`!`), for roles that stop having an effect (`-`), and for what could not be read (`?`).
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModeChangePlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this, unless it is applied with
    /// [`reverse`](crate::ApplyModeChangeOptions::reverse).
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The registry.
    pub registry: ResourceId,
    /// The mode that the registry has.
    pub from: RoleAssignmentMode,
    /// The mode that it would get.
    pub to: RoleAssignmentMode,
    /// The roles that would be granted on the registry before the mode changes.
    pub grants: Vec<EquivalentRole>,
    /// The access that would be lost.
    pub lost: Vec<AccessChange>,
    /// The access that would be gained, because a role that exists has an effect in the new mode only.
    pub gained: Vec<AccessChange>,
    /// The role assignments that would not give access to the registry's images anymore. They stay. Once the change has proven itself, remove
    /// those that were made for that; keep those with another purpose, such as Owner, and those of a scope above the registry.
    pub stopped: Vec<StoppedRole>,
    /// For the reverse of a plan: the roles that the plan granted. They are removed after the mode has changed.
    pub remove: Vec<EquivalentRole>,
    /// The clusters whose nodes pull from the registry with one of the roles.
    pub clusters: Vec<ResourceId>,
    /// What could not be read.
    pub unread: Vec<UnreadPart>,
    /// The [`allow_wider`](crate::ModeChangeOptions::allow_wider) that the plan was made with.
    pub allow_wider: bool,
    /// The [`keep_inherited`](crate::ModeChangeOptions::keep_inherited) that the plan was made with.
    pub keep_inherited: bool,
    /// The [`keep_listing`](crate::ModeChangeOptions::keep_listing) that the plan was made with.
    pub keep_listing: bool,
}

/// A role that keeps the access of a principal in the new mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EquivalentRole {
    /// The principal.
    pub principal_id: PrincipalId,
    /// Its type in Azure: `ServicePrincipal` (including managed identities), `Group`, `User`.
    pub principal_type: Option<String>,
    /// The part of the role definition's ID that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// The role's name.
    pub role_name: String,
    /// What the principal can do today and keeps by this role.
    pub keeps: Vec<RegistryAccess>,
    /// What the principal cannot do today, and can do with this role. Usually empty: see
    /// [`allow_wider`](crate::ModeChangeOptions::allow_wider).
    pub adds: Vec<RegistryAccess>,
    /// The clusters whose nodes pull as this principal.
    pub clusters: Vec<ResourceId>,
    /// The existing assignment of this role whose condition would be removed, because it allows less than the principal can do today.
    // Absent is not null here: a plan that lost it would not restore the condition.
    #[serde(deserialize_with = "Option::deserialize")]
    pub replaces: Option<ReplacedAssignment>,
}

/// An existing role assignment whose condition is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplacedAssignment {
    /// Its ID.
    pub assignment_id: String,
    /// Its condition.
    pub condition: String,
    /// Its description, which is kept.
    pub description: Option<String>,
}

/// Access that a principal loses or gains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessChange {
    /// The principal.
    pub principal_id: PrincipalId,
    /// Its type in Azure: `ServicePrincipal` (including managed identities), `Group`, `User`.
    pub principal_type: Option<String>,
    /// What it can do in one of the modes only.
    pub access: Vec<RegistryAccess>,
    /// The reason.
    pub reason: ChangeReason,
    /// IDs of the role assignments that allow it in one of the modes.
    pub assignment_ids: Vec<String>,
}

/// Why access is lost or gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeReason {
    /// A condition limits the access, and the new mode has no conditions; or the condition could not be evaluated.
    Condition,
    /// The smallest role that keeps the access allows more than the principal can do today, and `allow_wider` is off.
    Wider,
    /// What the role allows is not known: its definition could not be read. The access may be lost.
    RoleNotRead,
    /// A deny assignment takes it away in the new mode.
    Denied,
    /// It comes from a scope above the registry, and `keep_inherited` is off.
    Inherited,
    /// A role that exists has an effect in the new mode only.
    OtherMode,
}

words!(
    ChangeReason, "reason":
    Condition => "condition",
    Wider => "wider",
    RoleNotRead => "role_not_read",
    Denied => "denied",
    Inherited => "inherited",
    OtherMode => "other_mode",
);

/// A role assignment that has no effect in the new mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoppedRole {
    /// Its ID.
    pub assignment_id: String,
    /// The principal.
    pub principal_id: PrincipalId,
    /// Its scope: the registry, or one above it.
    pub scope: String,
    /// The role's name.
    pub role_name: String,
    /// Whether it is a custom role. Give it permissions of the new mode if it shall go on working.
    pub is_custom: bool,
}

/// Options for applying a plan of a mode change. The plan itself says what is done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplyModeChangeOptions {
    /// Whether to apply a plan in which access is lost; off by default.
    pub accept_loss: bool,
    /// Whether to undo the plan instead of carrying it out; off by default. The mode changes back, and then the roles that the plan granted are
    /// removed and the conditions that it removed are restored. For this, a plan does not expire.
    pub reverse: bool,
    /// How long a new role assignment may take to become effective; 10 minutes by default. The mode changes when the newest equivalent role
    /// is that old.
    pub propagation_time: Duration,
    /// Deadline (30 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl Default for ApplyModeChangeOptions {
    fn default() -> Self {
        Self { accept_loss: false, reverse: false, propagation_time: PROPAGATION, call: CallOptions::default() }
    }
}

impl ApplyModeChangeOptions {
    /// Sets [`accept_loss`](Self::accept_loss).
    #[must_use]
    pub fn with_accept_loss(mut self, accept: bool) -> Self {
        self.accept_loss = accept;
        self
    }

    /// Sets [`reverse`](Self::reverse).
    #[must_use]
    pub fn with_reverse(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }

    /// Sets [`propagation_time`](Self::propagation_time).
    #[must_use]
    pub fn with_propagation_time(mut self, time: Duration) -> Self {
        self.propagation_time = time;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl ModeChangePlan {
    /// The plan that undoes this one, to review it before it is applied with
    /// [`reverse`](crate::ApplyModeChangeOptions::reverse): it changes the mode back, and then removes the roles that this plan granted, and restores the
    /// conditions that it removed.
    ///
    /// Roles that had no effect before have none again. Applying it writes nothing if a principal would lose access that it had before the
    /// change, because a role has been removed since.
    #[must_use]
    pub fn reverse(&self) -> Self {
        let (from, to) = (self.to, self.from);
        Self {
            version: self.version,
            expires: self.expires,
            registry: self.registry.clone(),
            from,
            to,
            grants: self.remove.clone(),
            lost: self.gained.clone(),
            gained: self.lost.clone(),
            stopped: Vec::new(),
            remove: self.grants.clone(),
            clusters: self.clusters.clone(),
            unread: Vec::new(),
            allow_wider: self.allow_wider,
            keep_inherited: self.keep_inherited,
            keep_listing: self.keep_listing,
        }
    }
}
