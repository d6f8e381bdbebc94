//! Registries through Azure Resource Manager and their own data plane.

use super::{
    CreatedRegistry, ImportHandle, ImportRequest, ImportStatus, NewRegistry, Registry, RegistryImporter, RegistryRef,
    data_plane::DataPlane,
    import, make,
    reference::{By, TYPE},
    wire::{Search, Wanted, WireRegistry},
};
use crate::{
    absent,
    call::Call,
    error::{ErrorKind, Result},
    http::{Arm, ArmRequest, read_item},
    id::{ResourceId, SubscriptionId},
    image::{Image, ImageReference},
};
use async_trait::async_trait;

pub(super) const API: &str = "2025-11-01";
const LIST: &str = "a list of registries";
pub(crate) const READ: &str = "Microsoft.ContainerRegistry/registries/read";

/// Works with registries of Azure.
#[derive(Clone, Debug)]
pub struct AzureRegistryImporter {
    pub(super) arm: Arm,
    data_plane: DataPlane,
    subscription: SubscriptionId,
}

impl AzureRegistryImporter {
    pub(crate) fn new(arm: Arm, data_plane: DataPlane, subscription: SubscriptionId) -> Self {
        Self { arm, data_plane, subscription }
    }

    async fn find_by_id(&self, id: &ResourceId, call: &Call) -> Result<Option<Registry>> {
        self.look(id, call).await?.map(WireRegistry::into_registry).transpose()
    }

    /// `None` if the registry itself is absent. Where its group or subscription is, Azure says so by another code.
    pub(super) async fn look(&self, id: &ResourceId, call: &Call) -> Result<Option<WireRegistry>> {
        match self.arm.send(get_registry(id), call).await {
            Ok(answer) => answer.read("a registry").map(Some),
            Err(err) if err.code() == Some("ResourceNotFound") => Ok(None),
            Err(err) if err.kind() == ErrorKind::NotFound => Err(absent::explain(err, "registry", id)),
            Err(err) => Err(err.with_context("registry", id.name())),
        }
    }

    /// One list answers for the id, the login server and the mode; the shorter list of resources has only the id. Which one is meant
    /// shows before any is read: what is odd of another one is nobody's trouble.
    pub(super) async fn find_in_list(
        &self,
        subscription: SubscriptionId,
        wanted: Wanted<'_>,
        call: &Call,
    ) -> Result<Option<Registry>> {
        let mut search = Search::new(wanted);
        self.arm.each(list_registries(subscription), LIST, call, |item| search.take(item)).await?;
        let Some(item) = search.found() else { return Ok(None) };
        read_item::<WireRegistry>(item, "a registry")?.into_registry().map(Some)
    }
}

#[async_trait]
impl RegistryImporter for AzureRegistryImporter {
    async fn find(&self, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
        registry.check_cloud(self.arm.cloud())?;
        let subscription = registry.subscription(self.subscription);
        match &registry.by {
            By::Id(id) => self.find_by_id(id, call).await,
            By::Name(name) => self.find_in_list(subscription, Wanted::Name(name), call).await,
            By::LoginServer(host) => self.find_in_list(subscription, Wanted::LoginServer(host), call).await,
        }
    }

    async fn create(&self, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry> {
        make::create(self, registry, call).await
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
}

/// See [Registries](https://learn.microsoft.com/rest/api/container-registry/registries/get).
fn get_registry(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the registry").needs(READ, id.as_str())
}

/// Every registry of a subscription that can be pulled from: one that has no login server yet cannot. One that this version cannot read,
/// such as one with a mode that it does not know, takes none of the others along.
pub(crate) async fn list(arm: &Arm, subscription: SubscriptionId, call: &Call) -> Result<Vec<Registry>> {
    let read = |registry: WireRegistry| if registry.has_host() { registry.into_registry().map(Some) } else { Ok(None) };
    arm.list(list_registries(subscription), LIST, call, read).await
}

fn list_registries(subscription: SubscriptionId) -> ArmRequest {
    let scope = subscription.path();
    ArmRequest::get(format!("{scope}/providers/{TYPE}"), API).step("listing the registries").needs(READ, scope)
}
