//! Finding and making registries.

use crate::{
    argument::{self, CallOnly, Millis, Text},
    client::Client,
    runtime::operations,
};
use aks_acr::{DomainNameLabelScope, RegistryRef, RoleAssignmentMode, Sku};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct CreateRegistryOptions {
    location: Option<String>,
    sku: Option<Text<Sku>>,
    mode: Option<Text<RoleAssignmentMode>>,
    domain_name_label_scope: Option<Text<DomainNameLabelScope>>,
    register_providers: Option<bool>,
    deadline_ms: Option<Millis>,
}

operations! {
    /// Finds a registry.
    registry(client, call; registry, given) {
        let registry: RegistryRef = argument::parse("registry", registry)?;
        let given: CallOnly = argument::options(given)?;
        let options = call.options(given.deadline_ms);
        async move { client.registry(&registry, options).await }
    }

    /// Makes a registry, unless it is there.
    create_registry(client, call; group, name, given) {
        let group = argument::text("group", group)?;
        let name = argument::text("name", name)?;
        let given: CreateRegistryOptions = argument::options(given)?;
        let mut options = aks_acr::CreateRegistryOptions::default().with_call(call.options(given.deadline_ms));
        options.location = given.location;
        options.sku = given.sku.map_or(options.sku, |sku| sku.0);
        options.mode = given.mode.map_or(options.mode, |mode| mode.0);
        options.domain_name_label_scope = given.domain_name_label_scope.map(|label| label.0);
        options.register_providers = given.register_providers.unwrap_or(options.register_providers);
        async move { client.create_registry(&group, &name, options).await }
    }
}
