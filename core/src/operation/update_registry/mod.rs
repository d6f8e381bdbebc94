//! Changes settings of an existing registry.

mod change;
mod decide;
mod options;

pub use change::SettingChange;
pub use options::UpdateRegistryOptions;

use super::{
    Parts,
    right::{RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::{READ_REGISTRY, WRITE_REGISTRY},
    call::Call,
    error::Result,
    registry::{Registry, RegistryRef},
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(10 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    needed(READ_REGISTRY, RightScope::Registry, "to read which settings differ, and whether they have changed"),
    needed(WRITE_REGISTRY, RightScope::Registry, "to change them"),
];

/// The result of updating a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdatedSettings {
    /// The registry, after the change.
    pub registry: Registry,
    /// The settings that this call changed. Empty: all were as requested, and nothing was written.
    pub changes: Vec<SettingChange>,
    /// What the settings keep out, although it is rarely meant.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    /// `None` if nothing was written.
    pub correlation_id: Option<String>,
}

impl fmt::Display for UpdatedSettings {
    /// The changes, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.registry.id.name();
        write!(f, "{name}: {}", if self.changes.is_empty() { "nothing to change" } else { "changed" })?;
        self.changes.iter().try_for_each(|change| write!(f, "\n- {change}"))?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\n! {warning}"))
    }
}

impl Outcome for UpdatedSettings {
    fn outcome(&self) -> &'static str {
        if self.changes.is_empty() { "unchanged" } else { "changed" }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

pub(crate) async fn update(
    parts: &Parts,
    registry: &RegistryRef,
    options: &UpdateRegistryOptions,
    call: &Call,
) -> Result<UpdatedSettings> {
    options.check()?;
    registry.check_cloud(parts.cloud())?;
    let found = parts.registry_importer().settings(registry, call).await?;
    let found = found.ok_or_else(|| parts.no_such_registry(registry))?;
    let (update, changes) = decide::decide(options, &found)?;
    let warnings = decide::warnings(options, &found);
    if changes.is_empty() {
        return Ok(UpdatedSettings { registry: found.registry, changes, warnings, correlation_id: None });
    }
    let updated = parts.registry_importer().update(&found.registry.id, &update, call).await?;
    Ok(UpdatedSettings { registry: updated.registry, changes, warnings, correlation_id: updated.correlation_id })
}
