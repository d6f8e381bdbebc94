//! Creates a registry unless it exists.

use super::{
    Parts,
    right::{LEARN_LOCATION, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{READ_PROVIDER, READ_REGISTRY, REGISTER_REGISTRIES, WRITE_REGISTRY},
    call::{Call, CallOptions},
    error::{Error, Result},
    id::{ResourceId, check_not_empty, group_name},
    registry::{CreatedRegistry, DomainNameLabelScope, NewRegistry, Sku, TYPE, registry_name},
    role::RoleAssignmentMode,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(10 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    needed(READ_REGISTRY, RightScope::ResourceGroup, "to check whether it exists, and when it is ready"),
    needed(WRITE_REGISTRY, RightScope::ResourceGroup, "to create it"),
    LEARN_LOCATION,
    useful(REGISTER_REGISTRIES, RightScope::Subscription, "to register the resource provider, on request"),
    useful(READ_PROVIDER, RightScope::Subscription, "to check when it is registered"),
];

/// Options for creating a registry.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CreateRegistryOptions {
    /// The region; by default the resource group's.
    pub location: Option<String>,
    /// The service tier; `Basic` by default.
    pub sku: Sku,
    /// Whether permissions apply to the whole registry, which is the default, or to its repositories.
    pub mode: RoleAssignmentMode,
    /// The scope of the label that Azure adds to the name in the login server; no label by default. Requires a preview version of Azure's
    /// API.
    pub domain_name_label_scope: Option<DomainNameLabelScope>,
    /// Whether to register `Microsoft.ContainerRegistry` if the subscription has not registered it; off by default.
    pub register_providers: bool,
    /// Deadline (10 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl CreateRegistryOptions {
    /// Sets [`location`](Self::location).
    #[must_use]
    pub fn with_location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Sets [`sku`](Self::sku).
    #[must_use]
    pub fn with_sku(mut self, sku: Sku) -> Self {
        self.sku = sku;
        self
    }

    /// Sets [`mode`](Self::mode).
    #[must_use]
    pub fn with_mode(mut self, mode: RoleAssignmentMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets [`domain_name_label_scope`](Self::domain_name_label_scope).
    #[must_use]
    pub fn with_domain_name_label_scope(mut self, label: DomainNameLabelScope) -> Self {
        self.domain_name_label_scope = Some(label);
        self
    }

    /// Sets [`register_providers`](Self::register_providers).
    #[must_use]
    pub fn with_register_providers(mut self, register_providers: bool) -> Self {
        self.register_providers = register_providers;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

pub(crate) async fn create(
    parts: &Parts,
    group: &str,
    name: &str,
    options: &CreateRegistryOptions,
    call: &Call,
) -> Result<CreatedRegistry> {
    let id = ResourceId::new(parts.subscription_id(), &group_name(group)?, TYPE, &new_name(name)?);
    check_not_empty("location", options.location.as_deref())?;
    let new = NewRegistry {
        id,
        location: options.location.clone(),
        sku: options.sku,
        mode: options.mode,
        domain_name_label_scope: options.domain_name_label_scope,
        register_providers: options.register_providers,
    };
    parts.registry_importer().create(&new, call).await
}

/// Azure allows upper case in a name; its own tools do not, because the hosts of images are lower case.
fn new_name(name: &str) -> Result<String> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Error::invalid("a new registry's name must be lower case", "registry name", name));
    }
    registry_name(name)
}

impl Outcome for CreatedRegistry {
    fn outcome(&self) -> &'static str {
        if self.is_new { "created" } else { "already_exists" }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}
