//! The actions of Azure that this library needs, and the smallest built-in role that has each.

pub(crate) const READ_PROVIDER: &str = "Microsoft.Resources/subscriptions/providers/read";
pub(crate) const READ_GROUP: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

pub(crate) const READ_GRANTS: &str = "Microsoft.Authorization/roleAssignments/read";
pub(crate) const WRITE_GRANT: &str = "Microsoft.Authorization/roleAssignments/write";
pub(crate) const DELETE_GRANT: &str = "Microsoft.Authorization/roleAssignments/delete";
pub(crate) const READ_DENIALS: &str = "Microsoft.Authorization/denyAssignments/read";
pub(crate) const READ_ROLE: &str = "Microsoft.Authorization/roleDefinitions/read";

pub(crate) const READ_REGISTRY: &str = "Microsoft.ContainerRegistry/registries/read";
/// Needed to ask whether any registry of the cloud has a name.
pub(crate) const CHECK_NAME: &str = "Microsoft.ContainerRegistry/checkNameAvailability/read";
/// Needed to list the images of a registry that were deleted and can be restored.
pub(crate) const READ_DELETED: &str = "Microsoft.ContainerRegistry/registries/deleted/read";
pub(crate) const READ_CACHE_RULES: &str = "Microsoft.ContainerRegistry/registries/cacheRules/read";
pub(crate) const READ_CREDENTIAL_SETS: &str = "Microsoft.ContainerRegistry/registries/credentialSets/read";
pub(crate) const READ_REPLICAS: &str = "Microsoft.ContainerRegistry/registries/replications/read";
pub(crate) const WRITE_REGISTRY: &str = "Microsoft.ContainerRegistry/registries/write";
pub(crate) const DELETE_REGISTRY: &str = "Microsoft.ContainerRegistry/registries/delete";
pub(crate) const IMPORT: &str = "Microsoft.ContainerRegistry/registries/importImage/action";
pub(crate) const REGISTER_REGISTRIES: &str = "Microsoft.ContainerRegistry/register/action";
/// Needed to pull from a registry with registry-wide permissions.
pub(crate) const PULL: &str = "Microsoft.ContainerRegistry/registries/pull/read";
/// Needed to push to a registry with registry-wide permissions.
pub(crate) const PUSH: &str = "Microsoft.ContainerRegistry/registries/push/write";
/// Needed to delete from a registry with registry-wide permissions.
pub(crate) const DELETE_ARTIFACTS: &str = "Microsoft.ContainerRegistry/registries/artifacts/delete";
/// Needed to pull from a registry with repository permissions: a data action.
pub(crate) const READ_CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";
/// Needed to push to a registry with repository permissions: a data action.
pub(crate) const WRITE_CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content/write";
/// Needed to delete from a registry with repository permissions: a data action.
pub(crate) const DELETE_CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content/delete";

/// Needed to read an image's platform from a registry with repository permissions: a data action. Elsewhere [`PULL`] is enough.
pub(crate) const READ_METADATA: &str = "Microsoft.ContainerRegistry/registries/repositories/metadata/read";

/// Needed to list the repositories of a registry with repository permissions: a data action. Elsewhere [`PULL`] is enough.
pub(crate) const LIST_REPOSITORIES: &str = "Microsoft.ContainerRegistry/registries/catalog/read";

pub(crate) const READ_CLUSTER: &str = "Microsoft.ContainerService/managedClusters/read";
pub(crate) const WRITE_CLUSTER: &str = "Microsoft.ContainerService/managedClusters/write";
pub(crate) const DELETE_CLUSTER: &str = "Microsoft.ContainerService/managedClusters/delete";
pub(crate) const REGISTER_CLUSTERS: &str = "Microsoft.ContainerService/register/action";
pub(crate) const READ_ADDRESS: &str = "Microsoft.Network/publicIPAddresses/read";
pub(crate) const READ_PREFIX: &str = "Microsoft.Network/publicIPPrefixes/read";
pub(crate) const READ_GATEWAY: &str = "Microsoft.Network/natGateways/read";
pub(crate) const READ_NETWORK: &str = "Microsoft.Network/virtualNetworks/read";
pub(crate) const READ_ENDPOINT: &str = "Microsoft.Network/privateEndpoints/read";
pub(crate) const READ_ZONE_GROUPS: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read";
pub(crate) const READ_LINKS: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read";
pub(crate) const READ_RECORDS: &str = "Microsoft.Network/privateDnsZones/A/read";
/// Needed to read the activity log.
pub(crate) const READ_ACTIVITY: &str = "Microsoft.Insights/eventtypes/values/read";
/// Needed to read where the resource logs of a registry are sent.
pub(crate) const READ_DIAGNOSTIC_SETTINGS: &str = "Microsoft.Insights/diagnosticSettings/read";
/// Needed to query the resource logs of a registry at the registry. See [resource
/// permissions](https://learn.microsoft.com/azure/azure-monitor/logs/manage-access#resource-permissions).
pub(crate) const READ_LOGIN_EVENTS: &str = "Microsoft.Insights/logs/ContainerRegistryLoginEvents/read";
pub(crate) const READ_REPOSITORY_EVENTS: &str = "Microsoft.Insights/logs/ContainerRegistryRepositoryEvents/read";
/// Needed at a workspace that requires workspace permissions. See [workspace
/// permissions](https://learn.microsoft.com/azure/azure-monitor/logs/manage-access#workspace-permissions).
pub(crate) const QUERY_WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces/query/read";
pub(crate) const QUERY_WORKSPACE_LOGINS: &str =
    "Microsoft.OperationalInsights/workspaces/query/ContainerRegistryLoginEvents/read";
pub(crate) const QUERY_WORKSPACE_REPOSITORIES: &str =
    "Microsoft.OperationalInsights/workspaces/query/ContainerRegistryRepositoryEvents/read";
pub(crate) const READ_SCALE_SETS: &str = "Microsoft.Compute/virtualMachineScaleSets/read";
pub(crate) const READ_BINDINGS: &str = "Microsoft.ContainerService/managedClusters/identityBindings/read";
pub(crate) const USER_CREDENTIAL: &str = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action";
pub(crate) const ADMIN_CREDENTIAL: &str =
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action";

/// Data actions of clusters that authorize with Azure RBAC. Others have the same verbs in roles of their own.
pub(crate) const READ_SECRETS: &str = "Microsoft.ContainerService/managedClusters/secrets/read";
pub(crate) const READ_NODES: &str = "Microsoft.ContainerService/managedClusters/nodes/read";
pub(crate) const READ_EVENTS: &str = "Microsoft.ContainerService/managedClusters/events/read";
pub(crate) const READ_PODS: &str = "Microsoft.ContainerService/managedClusters/pods/read";
pub(crate) const READ_ACCOUNTS: &str = "Microsoft.ContainerService/managedClusters/serviceaccounts/read";
pub(crate) const READ_JOBS: &str = "Microsoft.ContainerService/managedClusters/batch/jobs/read";
pub(crate) const WRITE_JOBS: &str = "Microsoft.ContainerService/managedClusters/batch/jobs/write";
pub(crate) const DELETE_JOBS: &str = "Microsoft.ContainerService/managedClusters/batch/jobs/delete";
pub(crate) const READ_REPLICA_SETS: &str = "Microsoft.ContainerService/managedClusters/apps/replicasets/read";
pub(crate) const READ_STATEFUL_SETS: &str = "Microsoft.ContainerService/managedClusters/apps/statefulsets/read";
pub(crate) const READ_DAEMON_SETS: &str = "Microsoft.ContainerService/managedClusters/apps/daemonsets/read";

pub(crate) const READ_IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/read";
pub(crate) const WRITE_IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/write";
pub(crate) const DELETE_IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/delete";
/// Needed to give an identity to a cluster: by its creator for both identities, and by the control plane for the kubelet identity.
pub(crate) const ASSIGN_IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/// Needed to put nodes into a subnet: by its creator, and by the control plane for load balancers.
pub(crate) const JOIN_SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets/join/action";

/// The smallest built-in role that contains an action. See [built-in
/// roles](https://learn.microsoft.com/azure/role-based-access-control/built-in-roles).
pub(crate) fn smallest_role(action: &str) -> Option<&'static str> {
    let role = match action {
        WRITE_GRANT | DELETE_GRANT => "Role Based Access Control Administrator",
        IMPORT => "Container Registry Data Importer and Data Reader",
        PULL => "AcrPull",
        READ_CONTENT | READ_METADATA => "Container Registry Repository Reader",
        LIST_REPOSITORIES => "Container Registry Repository Catalog Lister",
        WRITE_CLUSTER | DELETE_CLUSTER => "Azure Kubernetes Service Contributor Role",
        READ_PODS | READ_EVENTS | READ_REPLICA_SETS | READ_STATEFUL_SETS | READ_DAEMON_SETS | READ_JOBS
        | READ_ACCOUNTS => "Azure Kubernetes Service RBAC Reader",
        READ_SECRETS | WRITE_JOBS | DELETE_JOBS => "Azure Kubernetes Service RBAC Writer",
        READ_NODES => "Azure Kubernetes Service RBAC Cluster Admin",
        USER_CREDENTIAL => "Azure Kubernetes Service Cluster User Role",
        ADMIN_CREDENTIAL => "Azure Kubernetes Service Cluster Admin Role",
        WRITE_REGISTRY | DELETE_REGISTRY => "Contributor",
        WRITE_IDENTITY | DELETE_IDENTITY => "Managed Identity Contributor",
        ASSIGN_IDENTITY => "Managed Identity Operator",
        JOIN_SUBNET => "Network Contributor",
        register if register.ends_with("/register/action") => "Contributor",
        read if read.ends_with("/read") => "Reader",
        _ => return None,
    };
    Some(role)
}
