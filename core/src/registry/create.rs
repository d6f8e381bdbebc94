//! Making a registry, unless it is there.

use super::{DomainLabel, NewRegistry, Registry, RoleAssignmentMode, Sku, reference::TYPE, registry_name};
use crate::{
    call::CallOptions,
    client::Client,
    difference::Difference,
    error::{Error, Result},
    id::{ResourceId, check_not_empty, group_name},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// How a registry is made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CreateRegistryOptions {
    /// The region. By default that of the resource group.
    pub location: Option<String>,
    /// The service tier. `Basic` by default.
    pub sku: Sku,
    /// Whether permissions are given on the whole registry, which is the default, or on its repositories.
    pub mode: RoleAssignmentMode,
    /// What Azure puts behind the name in the login server; nothing by default. Only a preview of Azure's interface makes such a
    /// registry.
    pub domain_label: Option<DomainLabel>,
    /// Whether `Microsoft.ContainerRegistry` is registered where the subscription has not done so. It is not by default.
    pub register: bool,
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

    /// Sets [`domain_label`](Self::domain_label).
    #[must_use]
    pub fn with_domain_label(mut self, label: DomainLabel) -> Self {
        self.domain_label = Some(label);
        self
    }

    /// Sets [`register`](Self::register).
    #[must_use]
    pub fn with_register(mut self, register: bool) -> Self {
        self.register = register;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl CreatedRegistry {
    /// A registry that was made, or was there.
    #[must_use]
    pub fn new(registry: Registry, is_new: bool) -> Self {
        Self { registry, is_new, differences: Vec::new(), correlation_id: None }
    }

    /// Sets [`differences`](Self::differences).
    #[must_use]
    pub fn with_differences(mut self, differences: Vec<Difference>) -> Self {
        self.differences = differences;
        self
    }
}

/// The registry, and whether this call made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatedRegistry {
    /// The registry.
    pub registry: Registry,
    /// `false`: it was there, and was left as it is.
    pub is_new: bool,
    /// In what one that was there differs from the one that would have been made: `location`, where one was asked for, `sku`,
    /// `role_assignment_mode`, `domain_label`, `admin_user`, `anonymous_pull`.
    pub differences: Vec<Difference>,
    /// `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `None` where nothing was written.
    pub correlation_id: Option<String>,
}

pub(crate) async fn create(
    client: &Client,
    group: &str,
    name: &str,
    options: &CreateRegistryOptions,
) -> Result<CreatedRegistry> {
    let id = ResourceId::new(client.subscription_id(), &group_name(group)?, TYPE, &new_name(name)?);
    check_not_empty("location", options.location.as_deref())?;
    let new = NewRegistry {
        id,
        location: options.location.clone(),
        sku: options.sku,
        mode: options.mode,
        domain_label: options.domain_label,
        register: options.register,
    };
    client.registry_importer().create(&new, &options.call.start(DEADLINE)).await
}

/// Azure lets a name have capitals; its own tools do not, since images' hosts are written in lower case.
fn new_name(name: &str) -> Result<String> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Error::invalid("a new registry's name must be lower case", "registry name", name));
    }
    registry_name(name)
}
