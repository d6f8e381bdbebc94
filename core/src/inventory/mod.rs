//! The resources of a subscription: registries, clusters, and the role assignments of a principal.

mod account_pulls;
mod activity;
mod address;
mod azure;
mod changed_property;
mod filter;
mod listing;
pub(crate) mod network;
mod read;
mod registry_log;
mod resource_changes;
mod resource_graph;
mod scale_set;
mod search;
mod settings;
mod subscription;
mod usage;

pub use account_pulls::{BoundIdentity, ServiceAccountPulls};
pub use activity::Change;
pub use azure::AzureInventory;
pub use changed_property::ChangedProperty;
pub use filter::{ClusterFilter, RegistryFilter};
pub use listing::{ListError, ListedCluster, Listing, ReadSource, RoleAssignmentUsage};
pub use network::{PrivateDnsZone, PrivateEndpoint, Subnet, VirtualNetwork, ZoneOfEndpoint};
pub use registry_log::{RegistryLogEvent, RegistryLogs};
pub use resource_changes::RecordedChanges;
pub use scale_set::NodeScaleSet;
pub(crate) use search::{Search, SearchAll};
pub use settings::{ClusterSettings, NodePool, ProvisioningError};

use crate::{
    call::Call,
    error::Result,
    id::{PrincipalId, ResourceId, SubscriptionId},
    refusal::EligibleRole,
    registry::Registry,
    role::{DenyAssignment, RoleAssignment},
};
use async_trait::async_trait;
use std::{fmt, net::IpAddr, time::SystemTime};

/// Lists the resources of subscriptions, reads those that decide about pulls, and finds principals in Microsoft Graph.
///
/// - `cluster_settings` of a cluster that does not exist is [`NotFound`](crate::ErrorKind::NotFound).
/// - Listing changes nothing in Azure, and reads every page. Only what matches the filter is kept.
/// - A subscription that the caller cannot read, and an item that this version cannot parse, such as a registry with an unknown mode,
///   is in [`unreadable`](Listing::unreadable) and does not hide the others. A transient error fails the whole list.
/// - A registry that has no login server yet is left out: nothing can be pulled from it.
/// - A resource that the caller cannot read, in a subscription that it can read, is left out without a trace: Azure does not list it.
/// - A filter that the implementation cannot apply, such as one for the members of a fleet, is
///   [`Unsupported`](crate::ErrorKind::Unsupported).
#[async_trait]
pub trait Inventory: fmt::Debug + Send + Sync + 'static {
    /// The registries of these subscriptions that match the filter; the filter's own subscriptions are ignored.
    async fn registries(
        &self,
        subscriptions: &[SubscriptionId],
        filter: &RegistryFilter,
        call: &Call,
    ) -> Result<Listing<Registry>>;
    /// The clusters of these subscriptions that match the filter; the filter's own subscriptions are ignored.
    async fn clusters(
        &self,
        subscriptions: &[SubscriptionId],
        filter: &ClusterFilter,
        call: &Call,
    ) -> Result<Listing<ListedCluster>>;
    /// A cluster with the settings that decide whether its nodes can pull, from one read of the cluster.
    async fn cluster_settings(&self, cluster: &ResourceId, call: &Call) -> Result<ClusterSettings>;
    /// The deny assignments at `scope` and at the scopes above it.
    async fn deny_assignments(&self, scope: &ResourceId, call: &Call) -> Result<Vec<DenyAssignment>>;
    /// The roles at `scope`, above it and below it that the caller can activate in Privileged Identity Management.
    async fn eligible_roles(&self, scope: &str, call: &Call) -> Result<Vec<EligibleRole>>;
    /// The address of a public IP address resource, if it has one.
    async fn public_address(&self, address: &ResourceId, call: &Call) -> Result<Option<IpAddr>>;
    /// The addresses of a public IP prefix resource.
    async fn public_prefix(&self, prefix: &ResourceId, call: &Call) -> Result<Vec<IpAddr>>;
    /// The public IP addresses and prefixes of a NAT gateway, by their resource IDs.
    async fn nat_gateway(&self, gateway: &ResourceId, call: &Call) -> Result<Vec<ResourceId>>;
    /// A virtual network.
    async fn virtual_network(&self, network: &ResourceId, call: &Call) -> Result<VirtualNetwork>;
    /// The virtual networks of a resource group, by the group's ID.
    async fn virtual_networks(&self, group: &str, call: &Call) -> Result<Vec<VirtualNetwork>>;
    /// A private endpoint.
    async fn private_endpoint(&self, endpoint: &ResourceId, call: &Call) -> Result<PrivateEndpoint>;
    /// The private DNS zones that a private endpoint writes its records into.
    async fn zones_of_endpoint(&self, endpoint: &ResourceId, call: &Call) -> Result<Vec<ZoneOfEndpoint>>;
    /// The links and the address records of a private DNS zone.
    async fn private_dns_zone(&self, zone: &ResourceId, call: &Call) -> Result<PrivateDnsZone>;
    /// The private DNS zones of a name that a network is linked to, in all subscriptions that the caller can read. Azure has this in an index
    /// that is updated with a delay.
    async fn linked_zones(&self, network: &ResourceId, name: &str, call: &Call) -> Result<Vec<ResourceId>>;
    /// The scale sets in the resource group of a cluster's nodes.
    async fn scale_sets(&self, subscription: SubscriptionId, group: &str, call: &Call) -> Result<Vec<NodeScaleSet>>;
    /// What the nodes of a cluster pull with on behalf of service accounts. `None`: they pull with the kubelet identity. Azure has this in a
    /// preview only, which it may refuse.
    async fn service_account_pulls(&self, cluster: &ResourceId, call: &Call) -> Result<Option<ServiceAccountPulls>>;
    /// The managed identities that service accounts of a cluster can use.
    async fn identity_bindings(&self, cluster: &ResourceId, call: &Call) -> Result<Vec<BoundIdentity>>;
    /// What has changed in a resource group since a time, the newest first, by Azure's activity log.
    async fn changes(
        &self,
        subscription: SubscriptionId,
        group: &str,
        since: SystemTime,
        call: &Call,
    ) -> Result<Vec<Change>>;
    /// What has changed at resources since a time, property by property, the newest first, by Azure Resource Graph. It keeps changes for 14
    /// days, and has those of resources that the caller can read.
    async fn resource_changes(
        &self,
        resources: &[ResourceId],
        since: SystemTime,
        call: &Call,
    ) -> Result<RecordedChanges>;
    /// The sign-ins to a registry and the pulls from it since a time, by Azure Monitor: those of the given identities, which are client IDs or
    /// object IDs, and those that failed.
    async fn registry_logs(
        &self,
        registry: &ResourceId,
        identities: &[String],
        since: SystemTime,
        call: &Call,
    ) -> Result<RegistryLogs>;
    /// The enabled subscriptions that the caller can see.
    async fn subscriptions(&self, call: &Call) -> Result<Vec<SubscriptionId>>;
    /// How many role assignments a subscription has, and its limit.
    async fn usage(&self, subscription: SubscriptionId, call: &Call) -> Result<RoleAssignmentUsage>;
    /// The role assignments that a principal has in a subscription and above it, directly or through groups.
    async fn assignments_of(
        &self,
        principal: PrincipalId,
        subscription: SubscriptionId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>>;
    /// Those of the given principals that exist in Entra ID.
    /// This requires permissions in Microsoft Graph; Azure roles do not include them.
    async fn existing(&self, principals: &[PrincipalId], call: &Call) -> Result<Vec<PrincipalId>>;
    /// The members of a group, including the members of its nested groups.
    ///
    /// This requires permissions in Microsoft Graph; a group that does not exist is [`NotFound`](crate::ErrorKind::NotFound).
    async fn members(&self, group: PrincipalId, call: &Call) -> Result<Vec<PrincipalId>>;
}
