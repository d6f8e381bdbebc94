//! The resources of a subscription: registries, clusters, and the role assignments of a principal.

mod address;
mod azure;
mod filter;
mod listing;
mod read;
mod search;
mod settings;
mod subscription;
mod usage;

pub use azure::AzureInventory;
pub use filter::{ClusterFilter, RegistryFilter};
pub use listing::{ListError, ListedCluster, Listing, ReadSource, RoleAssignmentUsage};
pub(crate) use search::{Search, SearchAll};
pub use settings::{ClusterSettings, NodePool};

use crate::{
    call::Call,
    error::Result,
    id::{PrincipalId, ResourceId, SubscriptionId},
    registry::Registry,
    role::{DenyAssignment, RoleAssignment},
};
use async_trait::async_trait;
use std::{fmt, net::IpAddr};

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
    /// The address of a public IP address resource, if it has one.
    async fn public_address(&self, address: &ResourceId, call: &Call) -> Result<Option<IpAddr>>;
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
