//! A permission that an operation needs.

use crate::{
    action::{READ_CLUSTER, READ_GRANTS, READ_GROUP, READ_REGISTRY, READ_ROLE, USER_CREDENTIAL},
    error::words,
};
use serde::{Deserialize, Serialize};

/// The scope at which a permission is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RightScope {
    /// The cluster.
    Cluster,
    /// The registry. If the registry is given by name or login server, the library searches its subscription for it, so the permission to
    /// read it is needed on that subscription.
    Registry,
    /// The resource group in which a resource is created.
    ResourceGroup,
    /// Each searched subscription.
    Subscription,
}

words!(
    RightScope, "scope":
    Cluster => "cluster",
    Registry => "registry",
    ResourceGroup => "resource_group",
    Subscription => "subscription",
);

/// A permission that an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct RequiredRight {
    /// The action, such as `Microsoft.Authorization/roleAssignments/write`.
    pub action: &'static str,
    /// Whether it is a data action, which a role lists separately.
    pub is_data_action: bool,
    /// The scope at which it is needed.
    pub at: RightScope,
    /// Whether it is required.
    /// `false`: the operation works without it, and `why` says what is lost, or when it is needed.
    pub is_required: bool,
    /// The purpose.
    pub why: &'static str,
    /// The smallest built-in role that contains it, if known.
    pub smallest_role: Option<&'static str>,
}

pub(crate) const fn needed(action: &'static str, at: RightScope, why: &'static str) -> RequiredRight {
    RequiredRight { action, is_data_action: false, at, is_required: true, why, smallest_role: None }
}

pub(crate) const fn useful(action: &'static str, at: RightScope, why: &'static str) -> RequiredRight {
    RequiredRight { is_required: false, ..needed(action, at, why) }
}

pub(crate) const READ_THE_CLUSTER: RequiredRight =
    needed(READ_CLUSTER, RightScope::Cluster, "to read the kubelet identity");
pub(crate) const READ_THE_REGISTRY: RequiredRight =
    needed(READ_REGISTRY, RightScope::Registry, "to read its ID, login server and mode");
pub(crate) const LIST_GRANTS: RequiredRight = useful(
    READ_GRANTS,
    RightScope::Registry,
    "to list role assignments: required on registries with repository permissions (without it, a condition could be \
        lost), optional on others",
);
pub(crate) const LIST_GRANTS_REQUIRED: RequiredRight =
    needed(READ_GRANTS, RightScope::Registry, "to list role assignments");
pub(crate) const REPORT_REMAINING: RequiredRight = useful(
    READ_REGISTRY,
    RightScope::Registry,
    "to report exactly what still gives access: required if the registry is given by name, otherwise optional",
);
pub(crate) const READ_ROLES: RequiredRight =
    useful(READ_ROLE, RightScope::Registry, "to check whether a custom role allows pulling");
pub(crate) const LEARN_LOCATION: RequiredRight =
    needed(READ_GROUP, RightScope::ResourceGroup, "to read the location, if none is given");
pub(crate) const TALK: RequiredRight = needed(
    USER_CREDENTIAL,
    RightScope::Cluster,
    "to connect to its API; clusters with Entra ID require permissions inside Kubernetes too",
);
