//! A plan of setting up an own kubelet identity, as a value that can be shown, stored and applied later.

use crate::{
    call::CallOptions,
    error::words,
    id::{PrincipalId, ResourceId},
    operation::span::Outcome,
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan for an own kubelet identity: what exists, and what would be created. It can be applied for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language. Keep it:
/// [`remove_kubelet_identity`](crate::Client::remove_kubelet_identity) uses it, at any time, to remove what was created from it.
///
/// Applying it reads the current state again. What was created in the meantime is kept; if more would have to be created than planned,
/// nothing is written and the error says so.
///
/// `Display` has a line for each part, marked with `+` (would be created), `=` (exists) or `?` (could not be read, and would be created
/// unless it exists).
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KubeletIdentityPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan cannot be applied after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The identity that the nodes would pull images with.
    pub kubelet: PlannedIdentity,
    /// The identity of the control plane.
    pub control_plane: PlannedIdentity,
    /// The region of identities that would be created. `None`: the resource group's.
    #[serde(deserialize_with = "Option::deserialize")]
    pub location: Option<String>,
    /// The control plane's role on the kubelet identity, Managed Identity Operator.
    pub operator_role: PartState,
    /// The kubelet identity's membership in the Entra group, if one was given.
    #[serde(deserialize_with = "Option::deserialize")]
    pub membership: Option<PlannedMembership>,
    /// The grants on the registries, in the order of the options, without duplicates.
    pub pulls: Vec<PlannedPull>,
}

/// An identity in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedIdentity {
    /// Its resource ID.
    pub id: ResourceId,
    /// Its object ID. `None`: the identity is missing and would be created.
    #[serde(deserialize_with = "Option::deserialize")]
    pub principal_id: Option<PrincipalId>,
}

/// A membership in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedMembership {
    /// Object ID of the group.
    pub group: PrincipalId,
    /// Whether the kubelet identity is a member, directly or through another group.
    pub state: PartState,
}

/// A grant in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedPull {
    /// The registry.
    pub registry: ResourceId,
    /// The role that allows pulling.
    pub role: PullRole,
    /// Whether the grant exists, at the registry or above it.
    pub state: PartState,
}

/// Whether a part of a plan exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PartState {
    /// It exists: nothing would be written.
    Exists,
    /// It would be created.
    Missing,
    /// The caller lacks the permission to read it. It would be created unless it exists.
    Unknown,
}

words!(PartState, "state": Exists => "exists", Missing => "missing", Unknown => "unknown");

impl PartState {
    /// Whether applying a plan that found the first state may do what the second one needs.
    pub(super) fn allows(self, now: Self) -> bool {
        self != Self::Exists || now == Self::Exists
    }
}

impl PlannedIdentity {
    pub(super) fn state(&self) -> PartState {
        if self.principal_id.is_some() { PartState::Exists } else { PartState::Missing }
    }
}

impl Outcome for KubeletIdentityPlan {}

/// Options for applying a plan of an own kubelet identity. The plan itself says what is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyKubeletIdentityOptions {
    /// Deadline (10 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyKubeletIdentityOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}
