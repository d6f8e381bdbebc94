//! Importing images.

use crate::{
    argument::{self, Millis, Text},
    client::Client,
    runtime::operations,
};
use aks_acr::{ExistingTag, ImageReference, RegistryRef};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ImportOptions {
    target: Option<String>,
    existing: Option<Text<ExistingTag>>,
    deadline_ms: Option<Millis>,
}

operations! {
    /// Copies an image into a registry.
    import_image(client, call; registry, source, given) {
        let registry: RegistryRef = argument::parse("registry", registry)?;
        let source: ImageReference = argument::parse("source", source)?;
        let given: ImportOptions = argument::options(given)?;
        let mut options = aks_acr::ImportOptions::default().with_call(call.options(given.deadline_ms));
        options.target = given.target;
        options.existing = given.existing.map_or(options.existing, |existing| existing.0);
        async move { client.import_image(&registry, &source, options).await }
    }
}
