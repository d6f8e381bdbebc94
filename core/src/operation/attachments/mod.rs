//! Attachments: which registries a cluster can pull from, who can pull from a registry, and by which grants.

mod grants;
mod run;

pub(crate) use grants::pull_grants;
pub(crate) use run::{DEADLINE, of_cluster, of_registry};

use super::{
    right::{READ_ROLES, READ_THE_CLUSTER, READ_THE_REGISTRY, RequiredRight, RightScope, SEE_GRANTS, needed, useful},
    span::Outcome,
};
use crate::{
    action::{READ_CLUSTER, READ_GRANTS, READ_REGISTRY},
    call::CallOptions,
    error::words,
    id::{PrincipalId, ResourceId, SubscriptionId},
    quoted::Quoted,
    registry::Registry,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

pub(crate) const RIGHTS_OF_CLUSTER: &[RequiredRight] = &[
    READ_THE_CLUSTER,
    needed(READ_GRANTS, RightScope::Subscription, "to see what the identity was granted"),
    useful(READ_REGISTRY, RightScope::Subscription, "to find the registries that an inherited grant reaches"),
    READ_ROLES,
];
pub(crate) const RIGHTS_OF_REGISTRY: &[RequiredRight] = &[
    READ_THE_REGISTRY,
    SEE_GRANTS,
    useful(READ_CLUSTER, RightScope::Subscription, "to tell which cluster's a grant is"),
    READ_ROLES,
];

/// Where attachments are looked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AttachmentsOptions {
    /// Further subscriptions to look in. The client's own is looked in, and that of the cluster or registry.
    pub subscriptions: Vec<SubscriptionId>,
    /// Asks the directory which principals of a registry's grants still exist, and who the members of its groups are; at a cluster there
    /// is nothing to ask, as Azure itself says what a cluster's groups give it. By default it is not asked: it takes rights in Microsoft
    /// Graph (`Directory.Read.All`, or `Application.Read.All` and `GroupMember.Read.All`), which roles in Azure do not bring.
    pub query_graph: bool,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl AttachmentsOptions {
    /// Adds one of [`subscriptions`](Self::subscriptions).
    #[must_use]
    pub fn with_subscription(mut self, subscription: SubscriptionId) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Sets [`query_graph`](Self::query_graph).
    #[must_use]
    pub fn with_query_graph(mut self, ask: bool) -> Self {
        self.query_graph = ask;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// What a cluster's nodes can pull from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterAttachments {
    /// The cluster.
    pub cluster: ResourceId,
    /// Who pulls for it.
    pub principal_id: PrincipalId,
    /// The grants, one or more for a registry: those on the registry itself first. Those of the Entra groups that the identity is a member
    /// of, itself or through other groups, are among them.
    pub grants: Vec<PullGrant>,
    /// The subscriptions that were looked in. A registry elsewhere may be attached too.
    pub subscriptions: Vec<SubscriptionId>,
}

/// Who can pull from a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryAttachments {
    /// The registry.
    pub registry: Registry,
    /// The grants: those on the registry itself first.
    pub grants: Vec<PullGrant>,
    /// The subscriptions whose clusters were looked at, to tell whose a grant is. One where the caller may not list them is
    /// left out.
    pub subscriptions: Vec<SubscriptionId>,
}

/// A role assignment that lets somebody pull from a registry.
///
/// A role is judged by what it allows: an Owner can pull too, where permissions are on the whole registry. One without effect in the
/// registry's mode is no grant of pull, and is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullGrant {
    /// The registry.
    pub registry: ResourceId,
    /// Who holds the assignment: an identity or a group.
    pub principal_id: PrincipalId,
    /// Azure's word for what that is: `ServicePrincipal` (a managed identity too), `Group`, `User`.
    pub principal_type: Option<String>,
    /// Whether the principal still exists, as far as that is known.
    pub principal_state: PrincipalState,
    /// The clusters whose nodes pull with it, of those that were looked at: it is their kubelet identity, or a group that has that as a
    /// member (see [`membership`](Self::membership)).
    pub clusters: Vec<ResourceId>,
    /// The role definition's id, the part that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// The role's name. `None` where the caller may not read the definition.
    pub role_name: Option<String>,
    /// Id of the role assignment.
    pub assignment_id: String,
    /// Where it was assigned.
    pub reach: GrantReach,
    /// What narrows it, if anything does.
    pub condition: Option<String>,
    /// `false`: the caller may not read the role's definition or the registry, so that it may give pull, or not.
    pub is_certain: bool,
    /// Where the principal is a group: whether its members are known, and so the [`clusters`](Self::clusters) complete.
    pub membership: GroupMembership,
}

/// Where a grant was assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantReach {
    /// On the registry itself: detach removes it, if its role is one that attach gives.
    Direct,
    /// On a scope above the registry, and so for all that is below that.
    Inherited {
        /// That scope.
        from: String,
    },
}

/// Whether a principal still exists. Only the directory tells of all of them, if it is asked: see
/// [`query_graph`](AttachmentsOptions::query_graph).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PrincipalState {
    /// It is the kubelet identity of a cluster that exists, or the directory knows it.
    Exists,
    /// The directory does not know it: Azure keeps its assignments, and nobody can use them.
    Gone,
    /// Not known.
    #[default]
    Unknown,
}

words!(PrincipalState, "principal state": Exists => "exists", Gone => "gone", Unknown => "unknown");

/// Whether it is known who pulls by a group's grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupMembership {
    /// The principal is not a group.
    #[default]
    None,
    /// It is a group, and the clusters that were looked at were compared with its members.
    Checked,
    /// It is a group, and its members were not read, so that a cluster may pull by it that is not named here.
    /// [`query_graph`](AttachmentsOptions::query_graph) reads them, with `GroupMember.Read.All` in Microsoft Graph.
    Unchecked,
}

words!(GroupMembership, "membership": None => "none", Checked => "checked", Unchecked => "unchecked");

impl fmt::Display for PullGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = self.role_name.clone().unwrap_or_else(|| self.role_definition_id.to_string());
        let group = if self.membership == GroupMembership::None { "" } else { "group " };
        write!(f, "{} for {group}{} on {}", Quoted(&role), self.principal_id, self.registry.name())?;
        if let GrantReach::Inherited { from } = &self.reach {
            write!(f, ", from {from}")?;
        }
        if self.condition.is_some() {
            f.write_str(", under a condition")?;
        }
        if self.membership == GroupMembership::Unchecked {
            f.write_str(", members not checked")?;
        }
        if self.is_certain { Ok(()) } else { f.write_str(", perhaps") }
    }
}

impl Outcome for ClusterAttachments {}

impl Outcome for RegistryAttachments {}
