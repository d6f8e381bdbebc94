//! What there is in a subscription: registries, clusters, and what a principal was granted.

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

/// Lists what there is in a subscription, and who there still is in the directory.
///
/// - Listing changes nothing in Azure, and follows every page.
/// - A registry that has no login server yet is left out: nobody can pull from it.
/// - What this version cannot read, such as a registry with a mode that it does not know, is left out, and told through `tracing`.
/// - What the caller may not see may be missing from a list: Azure leaves it out, or refuses the list.
#[async_trait]
pub trait Inventory: fmt::Debug + Send + Sync + 'static {
    /// The registries of a subscription.
    async fn registries(&self, subscription: SubscriptionId, call: &Call) -> Result<Vec<Registry>>;
    /// The clusters of a subscription, by their identities.
    async fn clusters(&self, subscription: SubscriptionId, call: &Call) -> Result<Vec<ClusterIdentities>>;
    /// The subscriptions that the caller can see.
    async fn subscriptions(&self, call: &Call) -> Result<Vec<SubscriptionId>>;
    /// The assignments that a principal holds in a subscription and above it, itself or through groups.
    async fn assignments_of(
        &self,
        principal: PrincipalId,
        subscription: SubscriptionId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>>;
    /// Those of some principals that the directory knows. It takes rights in the directory: a role in Azure does not bring them.
    async fn existing(&self, principals: &[PrincipalId], call: &Call) -> Result<Vec<PrincipalId>>;
    /// The members of a group, those of the groups in it too. It takes rights in the directory; a group that the directory does not have is
    /// [`NotFound`](crate::ErrorKind::NotFound).
    async fn members(&self, group: PrincipalId, call: &Call) -> Result<Vec<PrincipalId>>;
}
