//! Registries through Azure Resource Manager and their own data plane.

use super::{
    CreatedRegistry, ImportHandle, ImportRequest, ImportStatus, NewRegistry, Registry, RegistryImporter, RegistryRef,
    RoleAssignmentMode,
    data_plane::DataPlane,
    import,
    reference::{By, TYPE},
};
use crate::{
    call::{Call, Event},
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, CORRELATION_ID, Operation},
    id::{ResourceId, SubscriptionId},
    image::{Image, ImageReference},
};
use async_trait::async_trait;
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

pub(super) const API: &str = "2025-11-01";
const GROUP_API: &str = "2024-11-01";
const STEP_CREATE: &str = "creating the registry";
const LOOK_AGAIN: Duration = Duration::from_secs(3);
pub(crate) const READ: &str = "Microsoft.ContainerRegistry/registries/read";
pub(crate) const WRITE: &str = "Microsoft.ContainerRegistry/registries/write";
pub(crate) const READ_GROUP: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

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
    async fn look(&self, id: &ResourceId, call: &Call) -> Result<Option<WireRegistry>> {
        match self.arm.send(get_registry(id), call).await {
            Ok(answer) => answer.read("a registry").map(Some),
            Err(err) if err.code() == Some("ResourceNotFound") => Ok(None),
            Err(err) => Err(err.with_context("registry", id.name())),
        }
    }

    /// Waits until a registry is made, by whomever.
    async fn made(&self, id: &ResourceId, call: &Call) -> Result<Registry> {
        for attempt in 1.. {
            let Some(registry) = self.look(id, call).await? else { break };
            let state = registry.state();
            if state.eq_ignore_ascii_case("failed") || state.eq_ignore_ascii_case("canceled") {
                let text = "Azure could not make the registry; remove it, then try again";
                return Err(Error::new(ErrorKind::OperationFailed, text).with_context("state", state));
            }
            if !state.eq_ignore_ascii_case("creating") {
                return registry.into_registry();
            }
            let (step, status) = (STEP_CREATE.to_owned(), state.to_owned());
            call.report(Event::Polling { step, attempt, status });
            call.sleep(STEP_CREATE, LOOK_AGAIN).await?;
        }
        Err(Error::new(ErrorKind::Unexpected, "Azure made the registry and does not know it")
            .with_context("registry", id.name()))
    }

    /// One list answers for the id, the login server and the mode; the shorter list of resources has only the id.
    async fn find_in_list(
        &self,
        subscription: SubscriptionId,
        is_it: impl Fn(&WireRegistry) -> bool + Send,
        call: &Call,
    ) -> Result<Option<Registry>> {
        let listed: Vec<WireRegistry> =
            self.arm.list(list_registries(subscription), "a list of registries", call).await?;
        listed.into_iter().find(is_it).map(WireRegistry::into_registry).transpose()
    }

    async fn location(&self, registry: &NewRegistry, call: &Call) -> Result<String> {
        if let Some(location) = &registry.location {
            return Ok(location.clone());
        }
        Ok(self.arm.send(get_group(&registry.id), call).await?.read::<WireGroup>("a resource group")?.location)
    }
}

#[async_trait]
impl RegistryImporter for AzureRegistryImporter {
    async fn find(&self, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
        registry.check_cloud(self.arm.cloud())?;
        let subscription = registry.subscription(self.subscription);
        match &registry.by {
            By::Id(id) => self.find_by_id(id, call).await,
            By::Name(name) => self.find_in_list(subscription, |one| one.name.eq_ignore_ascii_case(name), call).await,
            By::LoginServer(host) => self.find_in_list(subscription, |one| one.has_login_server(host), call).await,
        }
    }

    /// Azure's PUT would change a registry that exists, and reset what the body leaves out; so a look comes first.
    async fn create(&self, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry> {
        if self.look(&registry.id, call).await?.is_some() {
            return Ok(CreatedRegistry::new(self.made(&registry.id, call).await?, false));
        }
        let location = self.location(registry, call).await?;
        let answer = self.arm.send(put_registry(registry, &location), call).await.map_err(explain_taken)?;
        if let Some(operation) = Operation::begun_by(&self.arm, &answer, STEP_CREATE)? {
            operation.wait(&self.arm, call).await?;
        }
        let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
        Ok(CreatedRegistry { registry: self.made(&registry.id, call).await?, is_new: true, correlation_id })
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

fn explain_taken(err: Error) -> Error {
    if err.code() == Some("RegistryNameAlreadyInUse") {
        return err.with_context("hint", "registry names are unique in the whole cloud; this one is taken elsewhere");
    }
    err
}

/// See [Registries](https://learn.microsoft.com/rest/api/container-registry/registries/get).
fn get_registry(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the registry").needs(READ, id.as_str())
}

/// Every registry of a subscription that can be pulled from: one that has no login server yet cannot.
pub(crate) async fn list(arm: &Arm, subscription: SubscriptionId, call: &Call) -> Result<Vec<Registry>> {
    let listed: Vec<WireRegistry> = arm.list(list_registries(subscription), "a list of registries", call).await?;
    let ready = listed.into_iter().filter(|one| one.properties.login_server.is_some());
    ready.map(WireRegistry::into_registry).collect()
}

fn list_registries(subscription: SubscriptionId) -> ArmRequest {
    let scope = subscription.path();
    ArmRequest::get(format!("{scope}/providers/{TYPE}"), API).step("listing the registries").needs(READ, scope)
}

fn get_group(id: &ResourceId) -> ArmRequest {
    let group = format!("{}/resourceGroups/{}", id.subscription().path(), id.group());
    ArmRequest::get(group.clone(), GROUP_API).step("reading the resource group").needs(READ_GROUP, group)
}

fn put_registry(registry: &NewRegistry, location: &str) -> ArmRequest {
    let body = json!({
        "location": location,
        "sku": { "name": registry.sku.as_str() },
        "properties": { "adminUserEnabled": false, "roleAssignmentMode": registry.mode.as_str() },
    });
    ArmRequest::new(Method::Put, registry.id.as_str(), API)
        .body(body)
        .step(STEP_CREATE)
        .needs(WRITE, registry.id.as_str())
}

#[derive(Deserialize)]
struct WireGroup {
    location: String,
}

#[derive(Deserialize)]
struct WireRegistry {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    sku: WireSku,
    #[serde(default)]
    properties: WireProperties,
}

#[derive(Default, Deserialize)]
struct WireSku {
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireProperties {
    login_server: Option<String>,
    role_assignment_mode: Option<String>,
    provisioning_state: Option<String>,
}

impl WireRegistry {
    fn state(&self) -> &str {
        self.properties.provisioning_state.as_deref().unwrap_or_default()
    }

    fn has_login_server(&self, host: &str) -> bool {
        self.properties.login_server.as_deref().is_some_and(|mine| mine.eq_ignore_ascii_case(host))
    }

    fn into_registry(self) -> Result<Registry> {
        let no_host = || {
            Error::new(ErrorKind::Unexpected, "the registry has no login server yet")
                .with_context("registry", &self.name)
        };
        let login_server = self.properties.login_server.as_deref().map(str::to_ascii_lowercase).ok_or_else(no_host)?;
        Ok(Registry {
            id: self.id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?,
            login_server,
            location: self.location,
            sku: self.sku.name,
            mode: mode(self.properties.role_assignment_mode.as_deref())?,
            state: self.properties.provisioning_state.unwrap_or_default(),
        })
    }
}

/// A mode that is not known here is an error: a role that has no effect must not be granted for want of a better guess.
fn mode(word: Option<&str>) -> Result<RoleAssignmentMode> {
    let Some(word) = word else { return Ok(RoleAssignmentMode::default()) };
    let known = [RoleAssignmentMode::LegacyRegistryPermissions, RoleAssignmentMode::AbacRepositoryPermissions];
    let found = known.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the registry has a role assignment mode that this version does not know")
            .with_context("roleAssignmentMode", word)
    })
}
