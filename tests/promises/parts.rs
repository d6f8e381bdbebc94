//! Each Azure-backed part can be made from the builder's connection, wrapped and handed back; the client then uses the wrapper, at the cost of
//! the same requests.

use crate::Scene;
use aks_acr::{
    Applied, ApplyOptions, AttachOptions, AttachmentsOptions, AzureClusterDeployer, AzureIdentityResolver,
    AzureInventory, AzureRegistryImporter, AzureRoleAssigner, BoundIdentity, CacheRule, Call, Change, Cluster,
    ClusterCreation, ClusterDeployer, ClusterFilter, ClusterIdentities, ClusterRef, ClusterSettings, CreatedRegistry,
    DeletedCluster, DeletedRegistry, DenyAssignment, Digest, EligibleRole, Grant, Granted, IdentityResolver, Image,
    ImageDetails, ImageReference, ImportHandle, ImportRequest, ImportStatus, Inventory, Kubeconfig, KubeconfigOptions,
    ListedCluster, Listing, Manifest, ManifestAttributes, NewCluster, NewRegistry, NodeScaleSet, ObservedNode,
    ObservedPods, ObservedServiceAccount, PodListener, PodScope, PodSelection, Pods, PrincipalId, PrivateDnsZone,
    PrivateEndpoint, PullSecretState, ReadSwitches, RecordedChanges, Referrer, Registry, RegistryFilter,
    RegistryImporter, RegistryLogs, RegistryRef, RegistrySettings, RegistryToken, RegistryUpdate, ResourceId, Result,
    Revoked, RoleAssigner, RoleAssignment, RoleAssignmentUsage, RoleDefinition, RolloutListener, ServiceAccountPulls,
    SubscriptionId, UpdatedRegistry, Uuid, VirtualNetwork, WorkloadRef, ZoneOfEndpoint, async_trait,
};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

/// A part of Azure's that counts its calls.
#[derive(Clone, Debug)]
struct Counted<T> {
    part: T,
    calls: Arc<AtomicUsize>,
}

impl<T> Counted<T> {
    fn new(part: T) -> Self {
        Self { part, calls: Arc::default() }
    }

    fn part(&self) -> &T {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &self.part
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl IdentityResolver for Counted<AzureIdentityResolver> {
    async fn identities(&self, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities> {
        self.part().identities(cluster, call).await
    }
}

#[async_trait]
impl RoleAssigner for Counted<AzureRoleAssigner> {
    async fn grant(&self, grant: &Grant, call: &Call) -> Result<Granted> {
        self.part().grant(grant, call).await
    }
    async fn revoke(&self, id: &str, call: &Call) -> Result<Revoked> {
        self.part().revoke(id, call).await
    }
    async fn list(&self, scope: &ResourceId, call: &Call) -> Result<Vec<RoleAssignment>> {
        self.part().list(scope, call).await
    }
    async fn list_assigned_to(
        &self,
        scope: &ResourceId,
        principal: PrincipalId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>> {
        self.part().list_assigned_to(scope, principal, call).await
    }
    async fn definition(&self, scope: &str, role: Uuid, call: &Call) -> Result<RoleDefinition> {
        self.part().definition(scope, role, call).await
    }
}

#[async_trait]
impl RegistryImporter for Counted<AzureRegistryImporter> {
    async fn find(&self, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
        self.part().find(registry, call).await
    }
    async fn settings(&self, registry: &RegistryRef, call: &Call) -> Result<Option<RegistrySettings>> {
        self.part().settings(registry, call).await
    }
    async fn is_name_taken(&self, subscription: SubscriptionId, name: &str, call: &Call) -> Result<bool> {
        self.part().is_name_taken(subscription, name, call).await
    }
    async fn describe(&self, image: &ImageReference, call: &Call) -> Result<Option<ImageDetails>> {
        self.part().describe(image, call).await
    }
    async fn create(&self, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry> {
        self.part().create(registry, call).await
    }
    async fn update(&self, registry: &ResourceId, update: &RegistryUpdate, call: &Call) -> Result<UpdatedRegistry> {
        self.part().update(registry, update, call).await
    }
    async fn delete(&self, registry: &Registry, call: &Call) -> Result<DeletedRegistry> {
        self.part().delete(registry, call).await
    }
    async fn start_import(&self, registry: &Registry, request: &ImportRequest, call: &Call) -> Result<ImportHandle> {
        self.part().start_import(registry, request, call).await
    }
    async fn poll_import(&self, handle: &mut ImportHandle, call: &Call) -> Result<ImportStatus> {
        self.part().poll_import(handle, call).await
    }
    async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        self.part().image(image, call).await
    }
    async fn token(&self, login_server: &str, call: &Call) -> Result<RegistryToken> {
        self.part().token(login_server, call).await
    }
    async fn referrers(&self, image: &ImageReference, call: &Call) -> Result<Vec<Referrer>> {
        self.part().referrers(image, call).await
    }
    async fn manifests(&self, image: &ImageReference, call: &Call) -> Result<Option<Vec<ManifestAttributes>>> {
        self.part().manifests(image, call).await
    }
    async fn read_switches(&self, image: &ImageReference, call: &Call) -> Result<ReadSwitches> {
        self.part().read_switches(image, call).await
    }
    async fn deleted(&self, image: &ImageReference, call: &Call) -> Result<Option<Digest>> {
        self.part().deleted(image, call).await
    }
    async fn cache_rules(&self, registry: &ResourceId, call: &Call) -> Result<Vec<CacheRule>> {
        self.part().cache_rules(registry, call).await
    }
    async fn replicas(&self, registry: &ResourceId, call: &Call) -> Result<Vec<String>> {
        self.part().replicas(registry, call).await
    }
    async fn repository_count(&self, registry: &Registry, call: &Call) -> Result<u32> {
        self.part().repository_count(registry, call).await
    }
}

#[async_trait]
impl ClusterDeployer for Counted<AzureClusterDeployer> {
    async fn find(&self, cluster: &ClusterRef, call: &Call) -> Result<Option<Cluster>> {
        self.part().find(cluster, call).await
    }
    async fn delete(&self, cluster: &Cluster, call: &Call) -> Result<DeletedCluster> {
        self.part().delete(cluster, call).await
    }
    async fn start_create(&self, cluster: &NewCluster, call: &Call) -> Result<ClusterCreation> {
        self.part().start_create(cluster, call).await
    }
    async fn finish_create(&self, creation: ClusterCreation, call: &Call) -> Result<Cluster> {
        self.part().finish_create(creation, call).await
    }
    async fn kubeconfig(&self, cluster: &ClusterRef, options: &KubeconfigOptions, call: &Call) -> Result<Kubeconfig> {
        self.part().kubeconfig(cluster, options, call).await
    }
    async fn apply(
        &self,
        cluster: &ClusterRef,
        manifests: &[Manifest],
        options: &ApplyOptions,
        call: &Call,
    ) -> Result<Vec<Applied>> {
        self.part().apply(cluster, manifests, options, call).await
    }
    async fn pull_secret(
        &self,
        cluster: &ClusterRef,
        secret: (&str, &str),
        service_accounts: &[String],
        call: &Call,
    ) -> Result<PullSecretState> {
        self.part().pull_secret(cluster, secret, service_accounts, call).await
    }
    async fn link_pull_secret(
        &self,
        cluster: &ClusterRef,
        secret: (&str, &str),
        service_account: &str,
        call: &Call,
    ) -> Result<bool> {
        self.part().link_pull_secret(cluster, secret, service_account, call).await
    }
    async fn watch_rollout(
        &self,
        cluster: &ClusterRef,
        workload: &WorkloadRef,
        listener: &mut RolloutListener<'_>,
        call: &Call,
    ) -> Result<()> {
        self.part().watch_rollout(cluster, workload, listener, call).await
    }
    async fn pods(&self, cluster: &ClusterRef, selection: &PodSelection, call: &Call) -> Result<Pods> {
        self.part().pods(cluster, selection, call).await
    }
    async fn observe_pods(&self, cluster: &ClusterRef, scope: &PodScope, call: &Call) -> Result<ObservedPods> {
        self.part().observe_pods(cluster, scope, call).await
    }
    async fn service_accounts(
        &self,
        cluster: &ClusterRef,
        namespace: Option<&str>,
        call: &Call,
    ) -> Result<Vec<ObservedServiceAccount>> {
        self.part().service_accounts(cluster, namespace, call).await
    }
    async fn nodes(
        &self,
        cluster: &ClusterRef,
        image: Option<&ImageReference>,
        call: &Call,
    ) -> Result<Vec<ObservedNode>> {
        self.part().nodes(cluster, image, call).await
    }
    async fn delete_job(&self, cluster: &ClusterRef, job: (&str, &str), call: &Call) -> Result<bool> {
        self.part().delete_job(cluster, job, call).await
    }
    async fn watch(
        &self,
        cluster: &ClusterRef,
        selection: &PodSelection,
        listener: &mut PodListener<'_>,
        call: &Call,
    ) -> Result<()> {
        self.part().watch(cluster, selection, listener, call).await
    }
}

#[async_trait]
impl Inventory for Counted<AzureInventory> {
    async fn registries(
        &self,
        subscriptions: &[SubscriptionId],
        filter: &RegistryFilter,
        call: &Call,
    ) -> Result<Listing<Registry>> {
        self.part().registries(subscriptions, filter, call).await
    }
    async fn clusters(
        &self,
        subscriptions: &[SubscriptionId],
        filter: &ClusterFilter,
        call: &Call,
    ) -> Result<Listing<ListedCluster>> {
        self.part().clusters(subscriptions, filter, call).await
    }
    async fn cluster_settings(&self, cluster: &ResourceId, call: &Call) -> Result<ClusterSettings> {
        self.part().cluster_settings(cluster, call).await
    }
    async fn deny_assignments(&self, scope: &ResourceId, call: &Call) -> Result<Vec<DenyAssignment>> {
        self.part().deny_assignments(scope, call).await
    }
    async fn eligible_roles(&self, scope: &str, call: &Call) -> Result<Vec<EligibleRole>> {
        self.part().eligible_roles(scope, call).await
    }
    async fn public_address(&self, address: &ResourceId, call: &Call) -> Result<Option<IpAddr>> {
        self.part().public_address(address, call).await
    }
    async fn public_prefix(&self, prefix: &ResourceId, call: &Call) -> Result<Vec<IpAddr>> {
        self.part().public_prefix(prefix, call).await
    }
    async fn nat_gateway(&self, gateway: &ResourceId, call: &Call) -> Result<Vec<ResourceId>> {
        self.part().nat_gateway(gateway, call).await
    }
    async fn virtual_network(&self, network: &ResourceId, call: &Call) -> Result<VirtualNetwork> {
        self.part().virtual_network(network, call).await
    }
    async fn virtual_networks(&self, group: &str, call: &Call) -> Result<Vec<VirtualNetwork>> {
        self.part().virtual_networks(group, call).await
    }
    async fn private_endpoint(&self, endpoint: &ResourceId, call: &Call) -> Result<PrivateEndpoint> {
        self.part().private_endpoint(endpoint, call).await
    }
    async fn zones_of_endpoint(&self, endpoint: &ResourceId, call: &Call) -> Result<Vec<ZoneOfEndpoint>> {
        self.part().zones_of_endpoint(endpoint, call).await
    }
    async fn private_dns_zone(&self, zone: &ResourceId, call: &Call) -> Result<PrivateDnsZone> {
        self.part().private_dns_zone(zone, call).await
    }
    async fn changes(
        &self,
        subscription: SubscriptionId,
        group: &str,
        since: SystemTime,
        call: &Call,
    ) -> Result<Vec<Change>> {
        self.part().changes(subscription, group, since, call).await
    }
    async fn resource_changes(
        &self,
        resources: &[ResourceId],
        since: SystemTime,
        call: &Call,
    ) -> Result<RecordedChanges> {
        self.part().resource_changes(resources, since, call).await
    }

    async fn registry_logs(
        &self,
        registry: &ResourceId,
        identities: &[String],
        since: SystemTime,
        call: &Call,
    ) -> Result<RegistryLogs> {
        self.part().registry_logs(registry, identities, since, call).await
    }
    async fn linked_zones(&self, network: &ResourceId, name: &str, call: &Call) -> Result<Vec<ResourceId>> {
        self.part().linked_zones(network, name, call).await
    }
    async fn scale_sets(&self, subscription: SubscriptionId, group: &str, call: &Call) -> Result<Vec<NodeScaleSet>> {
        self.part().scale_sets(subscription, group, call).await
    }
    async fn service_account_pulls(&self, cluster: &ResourceId, call: &Call) -> Result<Option<ServiceAccountPulls>> {
        self.part().service_account_pulls(cluster, call).await
    }
    async fn identity_bindings(&self, cluster: &ResourceId, call: &Call) -> Result<Vec<BoundIdentity>> {
        self.part().identity_bindings(cluster, call).await
    }
    async fn subscriptions(&self, call: &Call) -> Result<Vec<SubscriptionId>> {
        self.part().subscriptions(call).await
    }
    async fn usage(&self, subscription: SubscriptionId, call: &Call) -> Result<RoleAssignmentUsage> {
        self.part().usage(subscription, call).await
    }
    async fn assignments_of(
        &self,
        principal: PrincipalId,
        subscription: SubscriptionId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>> {
        self.part().assignments_of(principal, subscription, call).await
    }
    async fn existing(&self, principals: &[PrincipalId], call: &Call) -> Result<Vec<PrincipalId>> {
        self.part().existing(principals, call).await
    }
    async fn members(&self, group: PrincipalId, call: &Call) -> Result<Vec<PrincipalId>> {
        self.part().members(group, call).await
    }
}

#[tokio::test]
async fn each_part_can_be_wrapped() {
    let scene = Scene::new();
    let mut builder = aks_acr::Client::builder(scene.azure.credential(), scene.azure.subscription())
        .transport(scene.azure.transport())
        .kubernetes(scene.azure.kubernetes());
    let connection = builder.connection().unwrap();
    let identities = Counted::new(AzureIdentityResolver::new(&connection));
    let roles = Counted::new(AzureRoleAssigner::new(&connection));
    let registries = Counted::new(AzureRegistryImporter::new(&connection));
    let clusters = Counted::new(AzureClusterDeployer::new(&connection));
    let inventory = Counted::new(AzureInventory::new(&connection));
    let client = builder
        .identity_resolver(Arc::new(identities.clone()))
        .role_assigner(Arc::new(roles.clone()))
        .registry_importer(Arc::new(registries.clone()))
        .cluster_deployer(Arc::new(clusters.clone()))
        .inventory(Arc::new(inventory.clone()))
        .build()
        .unwrap();
    client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!((identities.calls(), roles.calls(), registries.calls()), (1, 2, 1));
    let requests = scene.azure.requests();
    assert_eq!(requests.len(), 1 + 4, "a token and 4 requests: {requests:#?}");
    client.pods(&scene.cluster, &PodSelection::default(), aks_acr::CallOptions::default()).await.unwrap();
    client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await.unwrap();
    assert_eq!((clusters.calls(), inventory.calls() > 0), (1, true));
}

#[tokio::test]
async fn a_setting_after_the_connection_makes_another() {
    let scene = Scene::new();
    let mut builder = aks_acr::Client::builder(scene.azure.credential(), scene.azure.subscription())
        .transport(scene.azure.transport());
    builder.connection().unwrap();
    let client = builder.read_only().build().unwrap();
    let err = client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    assert_eq!(err.refusal(), Some(aks_acr::RefusalKind::ReadOnlyClient));
}
