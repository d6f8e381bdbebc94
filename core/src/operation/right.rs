//! A permission that an operation needs.

use crate::{
    action::{
        CHECK_NAME, PULL, READ_ACCOUNTS, READ_ACTIVITY, READ_ADDRESS, READ_BINDINGS, READ_CACHE_RULES, READ_CLUSTER,
        READ_CONTENT, READ_CREDENTIAL_SETS, READ_DAEMON_SETS, READ_DELETED, READ_DENIALS, READ_DIAGNOSTIC_SETTINGS,
        READ_ENDPOINT, READ_EVENTS, READ_GATEWAY, READ_GRANTS, READ_GROUP, READ_JOBS, READ_LINKS, READ_LOGIN_EVENTS,
        READ_METADATA, READ_NETWORK, READ_NODES, READ_PODS, READ_PREFIX, READ_RECORDS, READ_REGISTRY,
        READ_REPLICA_SETS, READ_REPLICAS, READ_REPOSITORY_EVENTS, READ_ROLE, READ_SCALE_SETS, READ_SECRETS,
        READ_STATEFUL_SETS, READ_ZONE_GROUPS, USER_CREDENTIAL,
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

/// The permissions that find pulls that have succeeded.
pub(crate) const PROVE_BY_CREDENTIAL: RequiredRight = useful(
    USER_CREDENTIAL,
    RightScope::Cluster,
    "to connect to the cluster's API, if only pods that have pulled can answer",
);
pub(crate) const PROVE_BY_PODS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_PODS,
        RightScope::Cluster,
        "to find pods that have pulled from the registry, on clusters with Azure RBAC",
    )
};
pub(crate) const PROVE_BY_EVENTS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_EVENTS, RightScope::Cluster, "to read when images were pulled, on clusters with Azure RBAC")
};
pub(crate) const PROVE_BY_NODES: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_NODES,
        RightScope::Cluster,
        "to read the age, the pool and the identity of nodes that have pulled, on clusters with Azure RBAC",
    )
};

/// The permissions that explain a failed pull: none of them is required, and what is missing is named in the result.
pub(crate) const SEE_PODS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_PODS, RightScope::Cluster, "to read pods, on clusters with Azure RBAC")
};
pub(crate) const SEE_REPLICA_SETS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_REPLICA_SETS, RightScope::Cluster, "to read why pods are not created, on clusters with Azure RBAC")
};
pub(crate) const SEE_STATEFUL_SETS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_STATEFUL_SETS,
        RightScope::Cluster,
        "to read why a StatefulSet lacks pods, on clusters with Azure RBAC",
    )
};
pub(crate) const SEE_DAEMON_SETS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_DAEMON_SETS, RightScope::Cluster, "to read why a DaemonSet lacks pods, on clusters with Azure RBAC")
};
pub(crate) const SEE_JOBS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_JOBS, RightScope::Cluster, "to read why a Job lacks pods, on clusters with Azure RBAC")
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
pub(crate) const CHECK_PREFIXES: RequiredRight =
    useful(READ_PREFIX, RightScope::Subscription, "to read the addresses of a NAT gateway of your own");
pub(crate) const CHECK_GATEWAYS: RequiredRight =
    useful(READ_GATEWAY, RightScope::Subscription, "to read which addresses a NAT gateway of your own has");
pub(crate) const CHECK_NETWORKS: RequiredRight = useful(
    READ_NETWORK,
    RightScope::Subscription,
    "to read the DNS servers, peerings and subnets of the nodes' network",
);
pub(crate) const CHECK_ENDPOINTS: RequiredRight =
    useful(READ_ENDPOINT, RightScope::Subscription, "to read which network a private endpoint of the registry is in");
pub(crate) const CHECK_ZONE_GROUPS: RequiredRight =
    useful(READ_ZONE_GROUPS, RightScope::Subscription, "to find the private DNS zone of a private endpoint");
pub(crate) const CHECK_LINKS: RequiredRight = useful(
    READ_LINKS,
    RightScope::Subscription,
    "to read whether the private DNS zone is linked to the nodes' network",
);
pub(crate) const CHECK_RECORDS: RequiredRight =
    useful(READ_RECORDS, RightScope::Subscription, "to read whether the private DNS zone has the registry's records");
pub(crate) const CHECK_NAMES: RequiredRight =
    useful(CHECK_NAME, RightScope::Subscription, "to find out whether a registry that is not found exists elsewhere");
pub(crate) const SEE_CHANGES: RequiredRight =
    useful(READ_ACTIVITY, RightScope::Subscription, "to read what has changed, with `changes`");
pub(crate) const SEE_DIAGNOSTIC_SETTINGS: RequiredRight = useful(
    READ_DIAGNOSTIC_SETTINGS,
    RightScope::Registry,
    "to read whether the registry's resource logs are sent to a workspace, with `registry_logs`",
);
pub(crate) const SEE_LOGIN_EVENTS: RequiredRight =
    useful(READ_LOGIN_EVENTS, RightScope::Registry, "to read who has signed in to the registry, with `registry_logs`");
pub(crate) const SEE_REPOSITORY_EVENTS: RequiredRight =
    useful(READ_REPOSITORY_EVENTS, RightScope::Registry, "to read who has pulled, with `registry_logs`");
pub(crate) const SEE_SCALE_SETS: RequiredRight =
    useful(READ_SCALE_SETS, RightScope::Subscription, "to read which identities the nodes' scale sets have");
pub(crate) const SEE_BINDINGS: RequiredRight = useful(
    READ_BINDINGS,
    RightScope::Cluster,
    "to read which identities service accounts can use, if nodes pull as service accounts",
);
pub(crate) const SEE_ACCOUNTS: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_ACCOUNTS,
        RightScope::Cluster,
        "to read which identities service accounts name, if nodes pull as service accounts, on clusters with Azure RBAC",
    )
};
pub(crate) const EXPLAIN_ACCOUNTS: RequiredRight = RequiredRight {
    why: "to read service accounts, if nodes pull as those, or a registry outside Azure rejects pods without pull secrets, on clusters with Azure RBAC",
    ..SEE_ACCOUNTS
};
pub(crate) const CHECK_IMAGE: RequiredRight =
    useful(PULL, RightScope::Registry, "to read the images from a registry with registry-wide permissions");
/// What explains why a registry does not serve an image.
pub(crate) const CHECK_METADATA: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(
        READ_METADATA,
        RightScope::Registry,
        "to read the platform of an image, its nearest tags, and whether it can be read, from a registry with repository permissions",
    )
};
pub(crate) const CHECK_DELETED: RequiredRight =
    useful(READ_DELETED, RightScope::Registry, "to find out whether a missing image was deleted and can be restored");
pub(crate) const CHECK_CACHE_RULES: RequiredRight =
    useful(READ_CACHE_RULES, RightScope::Registry, "to find the cache rule that fetches a missing image");
pub(crate) const CHECK_CREDENTIAL_SETS: RequiredRight =
    useful(READ_CREDENTIAL_SETS, RightScope::Registry, "to read whether a cache rule's credentials work");
pub(crate) const CHECK_REPLICAS: RequiredRight =
    useful(READ_REPLICAS, RightScope::Registry, "to find out whether a missing image may not be replicated yet");
pub(crate) const CHECK_CONTENT: RequiredRight = RequiredRight {
    is_data_action: true,
    ..useful(READ_CONTENT, RightScope::Registry, "to read the images from a registry with repository permissions")
};
