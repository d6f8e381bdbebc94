//! Registries: finding and creating them, importing into them, reading images.

mod access;
mod address;
mod artifact_cache;
mod attributes;
mod azure;
mod catalog;
mod create;
mod created;
mod data_plane;
mod delete;
mod describe;
mod domain_label;
mod import;
mod import_failure;
mod lookup;
mod manifest;
mod probe;
mod reference;
mod referrers;
mod settings;
mod sign_in;
mod token;
mod update;
mod wire;

pub use artifact_cache::CacheRule;
pub use azure::AzureRegistryImporter;
pub use created::CreatedRegistry;
pub use delete::DeletedRegistry;
pub use domain_label::DomainNameLabelScope;
pub use import::{ImportCredentials, ImportHandle, ImportRequest, ImportStatus};
pub use reference::RegistryRef;
pub use settings::{NetworkAction, PrivateEndpointConnection, RegistrySettings};
pub use token::RegistryToken;
pub use update::{NetworkRules, RegistryUpdate, UpdatedRegistry};

pub(crate) use import::ExpectedImage;
pub(crate) use lookup::{list_registries, read_listed};
pub(crate) use manifest::DigestMismatch;
pub(crate) use reference::{By, TYPE, registry_name};
pub(crate) use token::expiry;

use crate::{
    call::Call,
    error::{Result, words},
    id::{ResourceId, SubscriptionId},
    image::{Digest, Image, ImageDetails, ImageReference, ManifestAttributes, ReadSwitches, Referrer},
    role::RoleAssignmentMode,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::SystemTime};

/// Finds, creates and deletes registries, imports images into them, and reads images.
///
/// - `find` of a missing registry is `None`, which is returned only after every page was read.
/// - `create` never changes an existing registry, and lists its differences; a registry that is still being created is waited for.
/// - `create` distinguishes a name that is taken elsewhere, a [`Conflict`](crate::ErrorKind::Conflict), from a registry of that name in
///   the resource group.
/// - `create` registers no resource provider unless the options say so.
/// - A registry that `create` creates allows no access without an identity: no admin user, no anonymous pull.
/// - `delete` deletes the registry that `find` returned, and returns when Azure no longer returns it. It does not read it again first. A
///   registry that is missing is a success and says so; one that is already being deleted is waited for.
/// - `delete` sends a second request only after a read has shown that the same registry, by its creation time, still exists.
/// - `update` changes what its argument names and nothing else, and returns when Azure has finished. It does not read the registry first.
/// - `start_import` returns when Azure has accepted the import; it is not sent twice.
/// - `poll_import` polls once. A failed import is an error with Azure's own text.
/// - `image` of a missing image is `None`; it reads any registry, with the caller's identity for Azure registries and anonymously
///   elsewhere. If the image is named by its digest, any other digest in the response is an error.
/// - `token` signs in at the registry with the caller's identity, and returns a token that is not cached anywhere; a caller that the registry
///   rejects is [`Forbidden`](crate::ErrorKind::Forbidden).
/// - `settings` is `find` with the settings that decide who reaches the registry. A setting that cannot be parsed is an error.
/// - `is_name_taken` also counts registries that the caller cannot read, and the name of a registry that was deleted recently. It says nothing
///   of registries whose login server has a domain label.
/// - `describe` of a missing image is `None`; it reads an Azure registry with the caller's identity, like `image`.
/// - `referrers` lists what refers to an image that is named by its digest, and to each image of its index. It is an error if any of the lists
///   cannot be read to its end: a list is complete.
/// - `manifests` lists the newest manifests of an image's repository, at most a hundred; it is `None` if the repository does not exist.
/// - `read_switches` says whether an image's repository and its tag can be read. What does not exist has no switch.
/// - `deleted` is the digest of an image that was deleted and can be restored; only registries with soft delete have such images.
/// - `cache_rules` lists the rules with the health of their credentials, and `replicas` the regions of a registry, its own among them.
/// - `repository_count` signs in at the registry with the caller's identity; a caller that cannot list repositories is
///   [`Forbidden`](crate::ErrorKind::Forbidden).
#[async_trait]
pub trait RegistryImporter: fmt::Debug + Send + Sync + 'static {
    /// The registry, if it exists.
    async fn find(&self, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>>;
    /// The registry with the settings that decide who reaches it, if it exists.
    async fn settings(&self, registry: &RegistryRef, call: &Call) -> Result<Option<RegistrySettings>>;
    /// Whether any registry of the cloud has a name.
    async fn is_name_taken(&self, subscription: SubscriptionId, name: &str, call: &Call) -> Result<bool>;
    /// Creates a registry unless it exists, and waits until it is ready.
    async fn create(&self, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry>;
    /// Changes settings of a registry, and waits until they have changed.
    async fn update(&self, registry: &ResourceId, update: &RegistryUpdate, call: &Call) -> Result<UpdatedRegistry>;
    /// Deletes a registry with all its images, and waits until it is gone.
    async fn delete(&self, registry: &Registry, call: &Call) -> Result<DeletedRegistry>;
    /// Starts an import.
    async fn start_import(&self, registry: &Registry, request: &ImportRequest, call: &Call) -> Result<ImportHandle>;
    /// Polls an import once. The handle changes with each poll, because Azure returns a new link.
    async fn poll_import(&self, handle: &mut ImportHandle, call: &Call) -> Result<ImportStatus>;
    /// Reads an image, if it exists.
    async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>>;
    /// Signs in with the caller's identity, and returns a new refresh token.
    async fn token(&self, login_server: &str, call: &Call) -> Result<RegistryToken>;
    /// Reads which platforms an image has, if it exists.
    async fn describe(&self, image: &ImageReference, call: &Call) -> Result<Option<ImageDetails>>;
    /// Lists what refers to an image, such as signatures and SBOMs.
    async fn referrers(&self, image: &ImageReference, call: &Call) -> Result<Vec<Referrer>>;
    /// Lists the newest manifests of an image's repository, if that exists.
    async fn manifests(&self, image: &ImageReference, call: &Call) -> Result<Option<Vec<ManifestAttributes>>>;
    /// Reads whether an image's repository and its tag can be read.
    async fn read_switches(&self, image: &ImageReference, call: &Call) -> Result<ReadSwitches>;
    /// Finds an image that was deleted and can be restored.
    async fn deleted(&self, image: &ImageReference, call: &Call) -> Result<Option<Digest>>;
    /// Lists the rules that make a registry fetch images from other registries.
    async fn cache_rules(&self, registry: &ResourceId, call: &Call) -> Result<Vec<CacheRule>>;
    /// Lists the regions of a registry.
    async fn replicas(&self, registry: &ResourceId, call: &Call) -> Result<Vec<String>>;
    /// Counts the repositories of a registry.
    async fn repository_count(&self, registry: &Registry, call: &Call) -> Result<u32>;
}

/// A registry as reported by Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Registry {
    /// Its resource ID.
    pub id: ResourceId,
    /// The host for pushes and pulls. It is not always the name followed by the cloud's suffix, such as `.azurecr.io`.
    pub login_server: String,
    /// The region.
    pub location: String,
    /// The service tier, such as `Basic`.
    pub sku: String,
    /// Whether permissions apply to the whole registry or to its repositories.
    pub mode: RoleAssignmentMode,
    /// The provisioning state reported by Azure, such as `Succeeded`.
    pub state: String,
    /// When it was created. A registry that was deleted and created again has the same ID but a different creation time.
    #[serde(default, with = "crate::stored_time::option")]
    pub created: Option<SystemTime>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Registry {
    /// A `Registry` value with this ID and login server; all other fields have defaults.
    #[must_use]
    pub fn new(id: ResourceId, login_server: impl Into<String>) -> Self {
        Self {
            id,
            login_server: login_server.into(),
            location: String::new(),
            sku: String::new(),
            mode: RoleAssignmentMode::default(),
            state: String::new(),
            created: None,
            tags: BTreeMap::new(),
        }
    }

    /// Whether the registry can have replicas, which get an image one after another: only the Premium tier has them.
    pub(crate) fn is_premium(&self) -> bool {
        self.sku.eq_ignore_ascii_case(Sku::Premium.as_str())
    }
}

/// A registry's service tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sku {
    /// The smallest tier.
    #[default]
    Basic,
    /// More storage and throughput.
    Standard,
    /// With private endpoints, network rules and geo-replication.
    Premium,
}

words!(Sku, "sku": Basic => "Basic", Standard => "Standard", Premium => "Premium");

/// A registry to create.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRegistry {
    /// The resource ID that the registry will have.
    pub id: ResourceId,
    /// The region; by default the resource group's.
    pub location: Option<String>,
    /// The service tier.
    pub sku: Sku,
    /// Whether permissions will apply to the whole registry or to its repositories.
    pub mode: RoleAssignmentMode,
    /// The label that Azure adds to the name in the login server; none by default.
    pub domain_name_label_scope: Option<DomainNameLabelScope>,
    /// Whether to register the resource provider if the subscription has not registered it.
    pub register_providers: bool,
}

impl NewRegistry {
    /// A registry with this ID and default settings.
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
