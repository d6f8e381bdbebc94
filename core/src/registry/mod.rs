//! Registries: finding and making one, importing into it, looking at an image.

mod address;
mod azure;
mod created;
mod data_plane;
mod import;
mod import_failure;
mod label;
mod lookup;
mod make;
mod manifest;
mod probe;
mod reference;
mod sign_in;
mod wire;

pub use azure::AzureRegistryImporter;
pub use created::CreatedRegistry;
pub use import::{ImportCredentials, ImportHandle, ImportRequest, ImportStatus};
pub use label::DomainNameLabelScope;
pub use reference::RegistryRef;

pub(crate) use import::Arriving;
pub(crate) use lookup::list;
pub(crate) use manifest::DigestMismatch;
pub(crate) use reference::{TYPE, registry_name};

use crate::{
    call::Call,
    error::{Result, words},
    id::ResourceId,
    image::{Image, ImageReference},
    role::RoleAssignmentMode,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Finds and makes registries, imports images into them, and looks at images.
///
/// - `find` of what does not exist is `None`; it follows every page before it says so.
/// - `create` never changes a registry that exists, and says in what it differs; one that is still being made is waited for.
/// - `create` tells a name that is taken elsewhere, a [`Conflict`](crate::ErrorKind::Conflict), from a registry of that name in
///   the group.
/// - `create` registers no resource provider unless it was asked to.
/// - A registry that `create` makes lets nobody in without an identity: no admin user, no anonymous pull.
/// - `start_import` returns when Azure has accepted the import; it is not sent twice.
/// - `poll_import` looks once. A failed import is an error with Azure's own text.
/// - `image` of what does not exist is `None`; it looks at any registry, with the caller's identity at one of Azure's and
///   without one elsewhere. An image that is named by its digest has that digest, or it is an error.
#[async_trait]
pub trait RegistryImporter: fmt::Debug + Send + Sync + 'static {
    /// The registry, if it exists.
    async fn find(&self, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>>;
    /// Makes a registry unless it exists, and waits until it is there.
    async fn create(&self, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry>;
    /// Begins an import.
    async fn start_import(&self, registry: &Registry, request: &ImportRequest, call: &Call) -> Result<ImportHandle>;
    /// How far an import is. The handle changes with each look: Azure names a new link each time.
    async fn poll_import(&self, handle: &mut ImportHandle, call: &Call) -> Result<ImportStatus>;
    /// What a registry says of an image, if it has it.
    async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>>;
}

/// A registry as Azure has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Registry {
    /// Its resource id.
    pub id: ResourceId,
    /// The host that images are pushed to and pulled from. Not always the name and an ending.
    pub login_server: String,
    /// The region.
    pub location: String,
    /// Such as `Basic`.
    pub sku: String,
    /// Whether permissions are given on the whole registry or on its repositories.
    pub mode: RoleAssignmentMode,
    /// The service's word for its state, such as `Succeeded`.
    pub state: String,
}

impl Registry {
    /// A registry of which the id and the login server are known.
    #[must_use]
    pub fn new(id: ResourceId, login_server: impl Into<String>) -> Self {
        Self {
            id,
            login_server: login_server.into(),
            location: String::new(),
            sku: String::new(),
            mode: RoleAssignmentMode::default(),
            state: String::new(),
        }
    }
}

/// A registry's service tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sku {
    /// The smallest.
    #[default]
    Basic,
    /// More storage and throughput.
    Standard,
    /// Private links, network rules, replication.
    Premium,
}

words!(Sku, "sku": Basic => "Basic", Standard => "Standard", Premium => "Premium");

/// A registry to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRegistry {
    /// The resource id that it will have.
    pub id: ResourceId,
    /// The region; that of the resource group where none is given.
    pub location: Option<String>,
    /// The service tier.
    pub sku: Sku,
    /// Whether permissions will be given on the whole registry or on its repositories.
    pub mode: RoleAssignmentMode,
    /// What the login server has beside the name; nothing by default.
    pub domain_name_label_scope: Option<DomainNameLabelScope>,
    /// Whether the resource provider is registered where the subscription has not done so.
    pub register_providers: bool,
}

impl NewRegistry {
    /// A registry with the defaults of everything but its id.
    #[must_use]
    pub fn new(id: ResourceId) -> Self {
        Self {
            id,
            location: None,
            sku: Sku::default(),
            mode: RoleAssignmentMode::default(),
            domain_name_label_scope: None,
            register_providers: false,
        }
    }
}
