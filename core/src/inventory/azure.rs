//! Lists from Azure Resource Manager.

use super::{
    BoundIdentity, Change, ClusterFilter, ClusterSettings, Inventory, ListedCluster, Listing, NodeScaleSet,
    PrivateDnsZone, PrivateEndpoint, RecordedChanges, RegistryFilter, RegistryLogs, RoleAssignmentUsage,
    ServiceAccountPulls, VirtualNetwork, ZoneOfEndpoint, account_pulls, activity, address, network, read, registry_log,
    resource_changes, resource_graph, scale_set, settings, subscription, usage,
};
use crate::{
    call::Call,
    connection::Connection,
    error::Result,
    http::Arm,
    id::{PrincipalId, ResourceId, SubscriptionId},
    identity::Directory,
    refusal::EligibleRole,
    registry::Registry,
    role::{self, DenyAssignment, RoleAssignment},
};
use async_trait::async_trait;
use std::{net::IpAddr, time::SystemTime};

/// The [`Inventory`](crate::Inventory) for Azure.
#[derive(Clone, Debug)]
pub struct AzureInventory {
    arm: Arm,
    directory: Directory,
}

impl AzureInventory {
    /// Makes the part from a connection: see [`Connection`].
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        let Connection { cloud, registries, tokens, .. } = connection.clone();
        Self { arm: connection.arm.clone(), directory: Directory::new(cloud, registries, tokens) }
    }
}

#[async_trait]
impl Inventory for AzureInventory {
    async fn registries(
        &self,
        subscriptions: &[SubscriptionId],
        filter: &RegistryFilter,
        call: &Call,
    ) -> Result<Listing<Registry>> {
        read::registries(&self.arm, subscriptions, filter, call).await
    }

    async fn clusters(
        &self,
        subscriptions: &[SubscriptionId],
        filter: &ClusterFilter,
        call: &Call,
    ) -> Result<Listing<ListedCluster>> {
        read::clusters(&self.arm, subscriptions, filter, call).await
    }

    async fn cluster_settings(&self, cluster: &ResourceId, call: &Call) -> Result<ClusterSettings> {
        settings::read(&self.arm, cluster, call).await
    }

    async fn deny_assignments(&self, scope: &ResourceId, call: &Call) -> Result<Vec<DenyAssignment>> {
        role::list_denials(&self.arm, scope, call).await
    }

    async fn eligible_roles(&self, scope: &str, call: &Call) -> Result<Vec<EligibleRole>> {
        role::list_eligible(&self.arm, scope, call).await
    }

    async fn public_address(&self, id: &ResourceId, call: &Call) -> Result<Option<IpAddr>> {
        address::read(&self.arm, id, call).await
    }

    async fn public_prefix(&self, id: &ResourceId, call: &Call) -> Result<Vec<IpAddr>> {
        network::prefix(&self.arm, id, call).await
    }

    async fn nat_gateway(&self, id: &ResourceId, call: &Call) -> Result<Vec<ResourceId>> {
        network::gateway(&self.arm, id, call).await
    }

    async fn virtual_network(&self, id: &ResourceId, call: &Call) -> Result<VirtualNetwork> {
        network::network(&self.arm, id, call).await
    }

    async fn virtual_networks(&self, group: &str, call: &Call) -> Result<Vec<VirtualNetwork>> {
        network::networks(&self.arm, group, call).await
    }

    async fn private_endpoint(&self, id: &ResourceId, call: &Call) -> Result<PrivateEndpoint> {
        network::endpoint(&self.arm, id, call).await
    }

    async fn zones_of_endpoint(&self, id: &ResourceId, call: &Call) -> Result<Vec<ZoneOfEndpoint>> {
        network::zones_of(&self.arm, id, call).await
    }

    async fn private_dns_zone(&self, id: &ResourceId, call: &Call) -> Result<PrivateDnsZone> {
        network::zone(&self.arm, id, call).await
    }

    async fn linked_zones(&self, id: &ResourceId, name: &str, call: &Call) -> Result<Vec<ResourceId>> {
        resource_graph::linked_zones(&self.arm, id, name, call).await
    }

    async fn scale_sets(&self, subscription: SubscriptionId, group: &str, call: &Call) -> Result<Vec<NodeScaleSet>> {
        scale_set::list(&self.arm, subscription, group, call).await
    }

    async fn service_account_pulls(&self, cluster: &ResourceId, call: &Call) -> Result<Option<ServiceAccountPulls>> {
        account_pulls::read(&self.arm, cluster, call).await
    }

    async fn identity_bindings(&self, cluster: &ResourceId, call: &Call) -> Result<Vec<BoundIdentity>> {
        account_pulls::bindings(&self.arm, cluster, call).await
    }

    async fn changes(
        &self,
        subscription: SubscriptionId,
        group: &str,
        since: SystemTime,
        call: &Call,
    ) -> Result<Vec<Change>> {
        activity::changes(&self.arm, subscription, group, since, call).await
    }

    async fn resource_changes(
        &self,
        resources: &[ResourceId],
        since: SystemTime,
        call: &Call,
    ) -> Result<RecordedChanges> {
        resource_changes::read(&self.arm, resources, since, call).await
    }

    async fn registry_logs(
        &self,
        registry: &ResourceId,
        identities: &[String],
        since: SystemTime,
        call: &Call,
    ) -> Result<RegistryLogs> {
        registry_log::logs(&self.arm, registry, identities, since, call).await
    }

    async fn subscriptions(&self, call: &Call) -> Result<Vec<SubscriptionId>> {
        subscription::list(&self.arm, call).await
    }

    async fn usage(&self, subscription: SubscriptionId, call: &Call) -> Result<RoleAssignmentUsage> {
        usage::read(&self.arm, subscription, call).await
    }

    async fn assignments_of(
        &self,
        principal: PrincipalId,
        subscription: SubscriptionId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>> {
        role::list_of_principal(&self.arm, principal, subscription, call).await
    }

    async fn existing(&self, principals: &[PrincipalId], call: &Call) -> Result<Vec<PrincipalId>> {
        self.directory.existing(principals, call).await
    }

    async fn members(&self, group: PrincipalId, call: &Call) -> Result<Vec<PrincipalId>> {
        self.directory.members(group, call).await
    }
}
