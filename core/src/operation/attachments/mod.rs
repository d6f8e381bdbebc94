//! Attachments: which registries a cluster can pull from, which principals can pull from a registry, and the grants that allow it.

mod grants;
mod run;

pub(crate) use grants::pull_grants;
pub(crate) use run::{DEADLINE, find_clusters, grants_of, of_cluster, of_registry};

use super::{
    right::{
        LIST_GRANTS_REQUIRED, READ_ROLES, READ_THE_CLUSTER, READ_THE_REGISTRY, RequiredRight, RightScope, needed,
        useful,
    },
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
    needed(READ_GRANTS, RightScope::Subscription, "to list the identity's role assignments"),
    useful(READ_REGISTRY, RightScope::Subscription, "to find the registries that an inherited grant covers"),
    READ_ROLES,
];
pub(crate) const RIGHTS_OF_REGISTRY: &[RequiredRight] = &[
    READ_THE_REGISTRY,
    LIST_GRANTS_REQUIRED,
    useful(READ_CLUSTER, RightScope::Subscription, "to find the clusters that use a grant"),
    READ_ROLES,
];

/// Options for listing attachments.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AttachmentsOptions {
    /// Further subscriptions to search.
    /// The client's subscription, and that of the cluster or registry, are always searched.
    pub subscriptions: Vec<SubscriptionId>,
    /// Whether to query Microsoft Graph for deleted principals and the members of groups; off by default.
    ///
    /// Only [`attachments_of_registry`](crate::Client::attachments_of_registry) uses it: for a cluster, Azure already reports the
    /// grants that come through groups. It requires permissions in Microsoft Graph (`Directory.Read.All`, or `Application.Read.All` and
    /// `GroupMember.Read.All`), which Azure roles do not include.
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

/// The registries that a cluster's nodes can pull from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterAttachments {
    /// The cluster.
    pub cluster: ResourceId,
    /// The principal that pulls for the cluster.
    pub principal_id: PrincipalId,
    /// The grants, one or more for each registry, direct grants first.
    /// Includes grants to Entra groups of which the identity is a direct or nested member.
    pub grants: Vec<PullGrant>,
    /// The subscriptions that were searched. Registries in other subscriptions may be attached too.
    pub subscriptions: Vec<SubscriptionId>,
}

/// The principals that can pull from a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryAttachments {
    /// The registry.
    pub registry: Registry,
    /// The grants, direct grants first.
    pub grants: Vec<PullGrant>,
    /// The subscriptions that were searched for clusters that use a grant.
    /// A subscription where the caller lacks the permission to list clusters is left out.
    pub subscriptions: Vec<SubscriptionId>,
}

/// A role assignment that allows a principal to pull from a registry.
///
/// Roles are judged by their permissions. For example, an Owner can also pull from a registry with registry-wide permissions. A role
/// without effect in the registry's mode does not allow pulling, and is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullGrant {
    /// The registry.
    pub registry: ResourceId,
    /// The principal that has the role: an identity or a group.
    pub principal_id: PrincipalId,
    /// The principal's type in Azure: `ServicePrincipal` (including managed identities), `Group`, `User`.
    pub principal_type: Option<String>,
    /// Whether the principal still exists, if known.
    pub principal_state: PrincipalState,
    /// The clusters whose nodes pull with this grant, among those that the call listed: the principal is their kubelet identity, or a group
    /// that contains it (see [`membership`](Self::membership)).
    pub clusters: Vec<ResourceId>,
    /// The part of the role definition's ID that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// The role's name. `None` if the caller lacks the permission to read the definition.
    pub role_name: Option<String>,
    /// ID of the role assignment.
    pub assignment_id: String,
    /// Whether the grant is direct or inherited.
    pub reach: GrantReach,
    /// The condition that restricts it, if any.
    pub condition: Option<String>,
    /// Whether the role is known to allow pulling.
    /// `false`: the caller lacks the permission to read the role's definition or the registry.
    pub is_certain: bool,
    /// If the principal is a group: whether its members are known, and so whether `clusters` is complete.
    pub membership: GroupMembership,
}

/// The scope of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantReach {
    /// On the registry itself: detach removes it if its role is one that attach assigns.
    Direct,
    /// On a scope above the registry, so it covers everything below that scope.
    Inherited {
        /// The scope at which the role is assigned.
        from: String,
    },
}

/// Whether a principal still exists.
///
/// Only Microsoft Graph knows this for every principal: see [`query_graph`](AttachmentsOptions::query_graph).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PrincipalState {
    /// It exists: it is the kubelet identity of an existing cluster, or Microsoft Graph returned it.
    Exists,
    /// It was deleted in Entra ID. Azure keeps its role assignments; they have no effect once the principal's last token has
    /// expired.
    Gone,
    /// Not known.
    #[default]
    Unknown,
}

words!(PrincipalState, "principal state": Exists => "exists", Gone => "gone", Unknown => "unknown");

/// Whether the members of a group with a grant are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupMembership {
    /// The principal is not a group.
    #[default]
    None,
    /// It is a group, and the listed clusters were compared with its members.
    Checked,
    /// It is a group whose members were not read: a cluster that is not named here may pull with it.
    /// [`query_graph`](AttachmentsOptions::query_graph) reads them.
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
