//! Registries through Azure Resource Manager and their own data plane.

use super::{
    CacheRule, CreatedRegistry, DeletedRegistry, ImportHandle, ImportRequest, ImportStatus, NewRegistry, Registry,
    RegistryImporter, RegistryRef, RegistrySettings, RegistryToken, RegistryUpdate, UpdatedRegistry, artifact_cache,
    create,
    data_plane::DataPlane,
    delete, import,
    lookup::{find_in_list, is_name_taken, read_registry},
    reference::By,
    update,
    wire::{Requested, WireRegistry},
};
use crate::{
    call::Call,
    connection::Connection,
    error::Result,
    http::Arm,
    id::{ResourceId, SubscriptionId},
    image::{Digest, Image, ImageDetails, ImageReference, ManifestAttributes, ReadSwitches, Referrer},
};
use async_trait::async_trait;

/// The [`RegistryImporter`](crate::RegistryImporter) for Azure.
#[derive(Clone, Debug)]
pub struct AzureRegistryImporter {
    arm: Arm,
    data_plane: DataPlane,
    subscription: SubscriptionId,
}

impl AzureRegistryImporter {
    /// Makes the part from a connection: see [`Connection`].
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        let Connection { subscription, cloud, arm, registries, tokens, .. } = connection.clone();
        Self { arm, data_plane: DataPlane::new(registries, cloud, tokens), subscription }
    }

    async fn read(&self, registry: &RegistryRef, call: &Call) -> Result<Option<WireRegistry>> {
        registry.check_cloud(self.arm.cloud())?;
        let subscription = registry.subscription(self.subscription);
        match &registry.by {
            By::Id(id) => read_registry(&self.arm, id, call).await,
            By::Name(name) => find_in_list(&self.arm, subscription, Requested::Name(name), call).await,
            By::LoginServer(host) => find_in_list(&self.arm, subscription, Requested::LoginServer(host), call).await,
        }
    }
}

#[async_trait]
impl RegistryImporter for AzureRegistryImporter {
    async fn find(&self, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
        self.read(registry, call).await?.map(WireRegistry::into_registry).transpose()
    }

    async fn settings(&self, registry: &RegistryRef, call: &Call) -> Result<Option<RegistrySettings>> {
        self.read(registry, call).await?.map(WireRegistry::into_settings).transpose()
    }

    async fn is_name_taken(&self, subscription: SubscriptionId, name: &str, call: &Call) -> Result<bool> {
        is_name_taken(&self.arm, subscription, name, call).await
    }

    async fn create(&self, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry> {
        create::create(&self.arm, registry, call).await
    }

    async fn update(&self, registry: &ResourceId, update: &RegistryUpdate, call: &Call) -> Result<UpdatedRegistry> {
        update::update(&self.arm, registry, update, call).await
    }

    async fn delete(&self, registry: &Registry, call: &Call) -> Result<DeletedRegistry> {
        delete::delete(&self.arm, registry, call).await
    }

    async fn start_import(&self, registry: &Registry, request: &ImportRequest, call: &Call) -> Result<ImportHandle> {
        import::start(&self.arm, registry, request, call).await
    }

    async fn poll_import(&self, handle: &mut ImportHandle, call: &Call) -> Result<ImportStatus> {
        import::poll(&self.arm, handle, call).await
    }

    async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        self.data_plane.image(image, call).await
    }

    async fn token(&self, login_server: &str, call: &Call) -> Result<RegistryToken> {
        self.data_plane.refresh_token(login_server, call).await
    }

    async fn describe(&self, image: &ImageReference, call: &Call) -> Result<Option<ImageDetails>> {
        self.data_plane.describe(image, call).await
    }

    async fn referrers(&self, image: &ImageReference, call: &Call) -> Result<Vec<Referrer>> {
        self.data_plane.referrers(image, call).await
    }

    async fn manifests(&self, image: &ImageReference, call: &Call) -> Result<Option<Vec<ManifestAttributes>>> {
        self.data_plane.manifests(image, call).await
    }

    async fn read_switches(&self, image: &ImageReference, call: &Call) -> Result<ReadSwitches> {
        self.data_plane.read_switches(image, call).await
    }

    async fn deleted(&self, image: &ImageReference, call: &Call) -> Result<Option<Digest>> {
        self.data_plane.deleted(image, call).await
    }

    async fn cache_rules(&self, registry: &ResourceId, call: &Call) -> Result<Vec<CacheRule>> {
        artifact_cache::rules(&self.arm, registry, call).await
    }

    async fn replicas(&self, registry: &ResourceId, call: &Call) -> Result<Vec<String>> {
        artifact_cache::replicas(&self.arm, registry, call).await
    }

    async fn repository_count(&self, registry: &Registry, call: &Call) -> Result<u32> {
        self.data_plane.repository_count(registry, call).await
    }
}
