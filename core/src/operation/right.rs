//! A permission that an operation needs.

use crate::{
    action::{
        PULL, READ_ADDRESS, READ_CLUSTER, READ_CONTENT, READ_DENIALS, READ_EVENTS, READ_GRANTS, READ_GROUP, READ_NODES,
        READ_PODS, READ_REGISTRY, READ_REPLICA_SETS, READ_ROLE, READ_SECRETS, USER_CREDENTIAL,
    },
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

/// The permissions that explain a failed pull: none of them is required, and what is missing is named in the result.
pub(crate) const SEE_PODS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_PODS, RightScope::Cluster, "to read pods, on clusters with Azure RBAC")
};
pub(crate) const SEE_REPLICA_SETS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_REPLICA_SETS, RightScope::Cluster, "to read why pods are not created, on clusters with Azure RBAC")
};
pub(crate) const SEE_NODES: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_NODES,
        RightScope::Cluster,
        "to read the platform and the identity of the nodes, on clusters with Azure RBAC",
    )
};
pub(crate) const SEE_EVENTS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_EVENTS,
        RightScope::Cluster,
        "to read causes that the pods' state no longer has, on clusters with Azure RBAC",
    )
};
pub(crate) const SEE_SECRETS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_SECRETS,
        RightScope::Cluster,
        "to read which registries the pull secrets are for, on clusters with Azure RBAC",
    )
};
pub(crate) const CHECK_CLUSTER: RequiredRight =
    useful(READ_CLUSTER, RightScope::Cluster, "to read its identity and its network settings");
pub(crate) const FIND_REGISTRY: RequiredRight = useful(
    READ_REGISTRY,
    RightScope::Subscription,
    "to find the registry by its login server, and to read its settings",
);
pub(crate) const CHECK_GRANTS: RequiredRight =
    useful(READ_GRANTS, RightScope::Registry, "to list the role assignments that allow pulling");
pub(crate) const CHECK_DENIALS: RequiredRight =
    useful(READ_DENIALS, RightScope::Registry, "to list the deny assignments that forbid pulling");
pub(crate) const CHECK_ADDRESSES: RequiredRight =
    useful(READ_ADDRESS, RightScope::Subscription, "to compare the nodes' addresses with the registry's network rules");
pub(crate) const CHECK_IMAGE: RequiredRight =
    useful(PULL, RightScope::Registry, "to read the images from a registry with registry-wide permissions");
pub(crate) const CHECK_CONTENT: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_CONTENT, RightScope::Registry, "to read the images from a registry with repository permissions")
};
