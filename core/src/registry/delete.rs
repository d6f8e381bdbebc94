//! Deletes a registry, and waits until Azure no longer returns it.

use super::{
    Registry,
    lookup::{API, read_registry},
};
use crate::{
    action::DELETE_REGISTRY,
    call::Call,
    error::Result,
    http::{Arm, ArmRequest, Deletion, Provisioned, Seen, shown},
    id::ResourceId,
};
use azure_core::http::Method;

const STEP: &str = "deleting the registry";

/// The result of [`RegistryImporter::delete`](crate::RegistryImporter::delete).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedRegistry {
    /// Whether this call deleted it.
    /// This includes the case where the response was lost and the registry is gone.
    pub deleted: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl DeletedRegistry {
    /// A registry that was deleted, or did not exist.
    #[must_use]
    pub fn new(deleted: bool) -> Self {
        Self { deleted, correlation_id: None }
    }
}

/// Azure has no way to delete only a registry of a certain time: one that is deleted and created again between the caller's read and the
/// write is deleted.
pub(super) async fn delete(arm: &Arm, registry: &Registry, call: &Call) -> Result<DeletedRegistry> {
    let deletion = Deletion {
        arm,
        step: STEP,
        kind: "registry",
        id: &registry.id,
        state: &registry.state,
        // Without its creation time, a new registry with the same name could not be distinguished from this one.
        is_known: registry.created.is_some(),
        request: &|| delete_registry(&registry.id),
        look: &|| Box::pin(look(arm, registry, call)),
    };
    let done = deletion.run(call).await?;
    Ok(DeletedRegistry { deleted: done.deleted, correlation_id: done.correlation_id })
}

async fn look(arm: &Arm, registry: &Registry, call: &Call) -> Result<Seen> {
    let found = match read_registry(arm, &registry.id, call).await {
        Err(err) if err.code() == Some("ResourceGroupNotFound") => return Ok(Seen::Gone),
        read => read?,
    };
    let Some(found) = found else { return Ok(Seen::Gone) };
    let is_other = found.created().zip(registry.created).is_some_and(|(found, known)| found != known);
    Ok(match Provisioned::of(found.state()) {
        _ if is_other => Seen::Gone,
        Provisioned::Deleting => Seen::Deleting,
        _ => Seen::There(shown(found.state())),
    })
}

/// See [Delete](https://learn.microsoft.com/rest/api/container-registry/registries/delete): 200, 202 with `Location`, or 204 if it does not
/// exist.
fn delete_registry(id: &ResourceId) -> ArmRequest {
    ArmRequest::new(Method::Delete, id.as_str(), API).step(STEP).needs(DELETE_REGISTRY, id.as_str()).once()
}
