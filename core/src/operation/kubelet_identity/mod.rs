//! Sets up an own kubelet identity before its cluster exists: two identities, the role between them, a group, and the grants.

mod plan;
mod remove;
mod run;
mod show;

pub use plan::{
    ApplyKubeletIdentityOptions, KubeletIdentityPlan, PartState, PlannedIdentity, PlannedMembership, PlannedPull,
};
pub use remove::{IdentityPart, IdentityPartKind, KubeletIdentityRemoval, RemoveKubeletIdentityOptions};
pub(crate) use remove::{REMOVE_DEADLINE, REMOVE_RIGHTS, remove};
pub(crate) use run::{APPLY_DEADLINE, DEADLINE, apply_plan, has_operator, plan};

use super::{
    right::{LEARN_LOCATION, LIST_GRANTS, READ_THE_REGISTRY, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{READ_GRANTS, READ_IDENTITY, WRITE_GRANT, WRITE_IDENTITY},
    call::CallOptions,
    id::{PrincipalId, ResourceId},
    registry::RegistryRef,
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Managed Identity Operator: the role that lets the control plane give the kubelet identity to the nodes.
const OPERATOR: Uuid = Uuid::from_u128(0xf1a0_7417_d97a_45cb_824c_7a74_6778_3830);

const READ: RequiredRight = needed(READ_IDENTITY, RightScope::ResourceGroup, "to check whether the identities exist");
const REGISTRY: RequiredRight = RequiredRight { why: "to grant pulling from it, if one is given", ..READ_THE_REGISTRY };
const LIST_ROLE: RequiredRight = useful(
    READ_GRANTS,
    RightScope::ResourceGroup,
    "to check whether the control plane has its role on the kubelet identity",
);
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[READ, LIST_ROLE, REGISTRY, LIST_GRANTS];
pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ,
    LIST_ROLE,
    REGISTRY,
    LIST_GRANTS,
    needed(WRITE_IDENTITY, RightScope::ResourceGroup, "to create the identities that are missing"),
    LEARN_LOCATION,
    needed(
        WRITE_GRANT,
        RightScope::ResourceGroup,
        "to give the control plane the role Managed Identity Operator on the kubelet identity",
    ),
    useful(
        WRITE_GRANT,
        RightScope::Registry,
        "to grant pulling from it: required if a registry is given and the grant is missing",
    ),
];

/// Options for setting up an own kubelet identity.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KubeletIdentityOptions {
    /// The name of the control plane's identity, in the same resource group; by default the kubelet identity's name with
    /// `-control-plane`.
    pub control_plane: Option<String>,
    /// The region of identities that are created; by default the resource group's.
    pub location: Option<String>,
    /// An Entra group that the kubelet identity joins, by object ID or display name; none by default.
    ///
    /// To join it requires `GroupMember.ReadWrite.All` in Microsoft Graph, or to be an owner of the group; Azure roles do not include
    /// that.
    pub entra_group: Option<String>,
    /// The registries that the nodes can pull from; none by default.
    /// The role is granted to the group, if one is given, and otherwise to the kubelet identity.
    pub registries: Vec<RegistryRef>,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl KubeletIdentityOptions {
    /// Sets [`control_plane`](Self::control_plane).
    #[must_use]
    pub fn with_control_plane(mut self, name: impl Into<String>) -> Self {
        self.control_plane = Some(name.into());
        self
    }

    /// Sets [`location`](Self::location).
    #[must_use]
    pub fn with_location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Sets [`entra_group`](Self::entra_group).
    #[must_use]
    pub fn with_entra_group(mut self, group: impl Into<String>) -> Self {
        self.entra_group = Some(group.into());
        self
    }

    /// Adds one of the [`registries`](Self::registries).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registries.push(registry);
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// An own kubelet identity that is ready for a cluster.
///
/// Give the IDs of the two identities to [`create_cluster`](crate::Client::create_cluster).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KubeletIdentitySetup {
    /// The identity that the nodes pull images with.
    pub kubelet: SetUpIdentity,
    /// The identity of the control plane.
    pub control_plane: SetUpIdentity,
    /// The control plane's role on the kubelet identity, Managed Identity Operator.
    pub operator_role: SetUpRole,
    /// The kubelet identity's membership in the Entra group, if one was given.
    pub membership: Option<SetUpMembership>,
    /// The grants on the registries, in the order of the options, without duplicates.
    pub pulls: Vec<SetUpPull>,
}

/// An identity, and whether this call created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetUpIdentity {
    /// Its resource ID.
    pub id: ResourceId,
    /// Its object ID, which role assignments and groups use.
    pub principal_id: PrincipalId,
    /// Its client ID.
    pub client_id: String,
    /// Whether this call created it. `false`: it existed.
    pub is_new: bool,
}

/// A role assignment, and whether this call created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetUpRole {
    /// ID of the role assignment. `None` if it exists but the caller lacks the permission to read it.
    pub assignment_id: Option<String>,
    /// Whether this call created it. `false`: it existed, at this scope or above it.
    pub is_new: bool,
}

/// A membership, and whether this call created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetUpMembership {
    /// Object ID of the group.
    pub group: PrincipalId,
    /// Whether this call added the identity. `false`: it was a member, directly or through another group.
    pub is_new: bool,
}

/// A grant on a registry, and whether this call created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetUpPull {
    /// The registry.
    pub registry: ResourceId,
    /// The role that allows pulling.
    pub role: PullRole,
    /// The principal that has the role: the group, or the kubelet identity.
    pub principal_id: PrincipalId,
    /// ID of the role assignment. `None` if it exists but the caller lacks the permission to read it.
    pub assignment_id: Option<String>,
    /// The condition that restricts an existing grant, which was kept.
    pub condition: Option<String>,
    /// Whether this call created it. `false`: it existed, at the registry or above it.
    pub is_new: bool,
}

impl KubeletIdentitySetup {
    fn is_new(&self) -> bool {
        self.kubelet.is_new
            || self.control_plane.is_new
            || self.operator_role.is_new
            || self.membership.as_ref().is_some_and(|one| one.is_new)
            || self.pulls.iter().any(|one| one.is_new)
    }
}

impl Outcome for KubeletIdentitySetup {
    fn outcome(&self) -> &'static str {
        if self.is_new() { "created" } else { "already_exists" }
    }
}
