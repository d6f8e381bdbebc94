//! One registry, if it exists.

use super::{
    Parts,
    right::{READ_THE_REGISTRY, RequiredRight},
    span::Outcome,
};
use crate::{
    call::Call,
    error::Result,
    registry::{Registry, RegistryRef},
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[READ_THE_REGISTRY];

pub(crate) async fn registry(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
    parts.registry_importer.find(registry, call).await
}

impl Outcome for Option<Registry> {
    fn outcome(&self) -> &'static str {
        if self.is_some() { "found" } else { "absent" }
    }
}
