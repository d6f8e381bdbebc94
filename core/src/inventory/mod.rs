//! The resources of a subscription: registries, clusters, and the role assignments of a principal.

mod azure;
mod directory;
mod search;
mod subscription;

pub use azure::AzureInventory;
use directory::Directory;
pub(crate) use search::Search;

use crate::{
    call::Call,
    error::Result,
    id::{PrincipalId, SubscriptionId},
    identity::ClusterIdentities,
    registry::Registry,
    role::RoleAssignment,
};
use async_trait::async_trait;
use std::fmt;

/// Lists the resources of subscriptions, and principals in Microsoft Graph.
///
/// - Listing changes nothing in Azure, and reads every page.
/// - A registry that has no login server yet is left out: nothing can be pulled from it.
/// - What this version cannot parse, such as a registry with an unknown mode, is left out, and reported through `tracing`.
/// - Resources that the caller lacks the permission to read may be missing: Azure leaves them out, or refuses the whole list.
#[async_trait]
pub trait Inventory: fmt::Debug + Send + Sync + 'static {
    /// The registries of a subscription.
    async fn registries(&self, subscription: SubscriptionId, call: &Call) -> Result<Vec<Registry>>;
    /// The identities of a subscription's clusters.
    async fn clusters(&self, subscription: SubscriptionId, call: &Call) -> Result<Vec<ClusterIdentities>>;
    /// The subscriptions that the caller can list.
    async fn subscriptions(&self, call: &Call) -> Result<Vec<SubscriptionId>>;
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
