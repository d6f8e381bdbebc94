//! Changes settings of an existing registry.

use super::{
    Registry,
    lookup::{API, read_registry},
    wire::WireRegistry,
};
use crate::{
    action::WRITE_REGISTRY,
    call::{Call, Poll, Polling},
    error::{Error, ErrorKind, Result},
    http::{Answer, Arm, ArmRequest, CORRELATION_ID, Operation, Provisioned, shown},
    id::ResourceId,
    role::RoleAssignmentMode,
};
use azure_core::http::Method;
use serde_json::json;

const STEP: &str = "changing the registry";

/// The settings of a registry to change. `None` leaves a setting as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryUpdate {
    /// Whether permissions apply to the whole registry or to its repositories. A change invalidates every credential that the registry has
    /// issued.
    pub mode: Option<RoleAssignmentMode>,
}

impl RegistryUpdate {
    /// Sets [`mode`](Self::mode).
    #[must_use]
    pub fn with_mode(mut self, mode: RoleAssignmentMode) -> Self {
        self.mode = Some(mode);
        self
    }
}

/// The result of [`RegistryImporter::update`](crate::RegistryImporter::update).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdatedRegistry {
    /// The registry after the change.
    pub registry: Registry,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl UpdatedRegistry {
    /// A registry that was changed.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self { registry, correlation_id: None }
    }
}

/// A PATCH: a PUT would reset what its body leaves out.
pub(super) async fn update(
    arm: &Arm,
    id: &ResourceId,
    update: &RegistryUpdate,
    call: &Call,
) -> Result<UpdatedRegistry> {
    let work = async {
        let answer = arm.send(patch_registry(id, update), call).await?;
        let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
        let registry =
            end(arm, id, &answer, call).await.map_err(|err| err.correlated_with(correlation_id.as_deref()))?;
        Ok(UpdatedRegistry { registry, correlation_id })
    };
    call.step(STEP, work).await
}

/// Azure may be done at once, and then its answer says all.
async fn end(arm: &Arm, id: &ResourceId, answer: &Answer, call: &Call) -> Result<Registry> {
    if let Some(operation) = Operation::begun_by(arm, answer, STEP)? {
        operation.wait(arm, call).await?;
    } else {
        let changed = answer.read::<WireRegistry>("a registry")?;
        if changed.is_complete() {
            return changed.into_registry();
        }
    }
    let poll = || async {
        let Some(registry) = read_registry(arm, id, call).await? else {
            let text = "the registry was deleted while it was being changed";
            return Err(Error::new(ErrorKind::Conflict, text).with_context("registry", id.name()));
        };
        let state = registry.state();
        if state.eq_ignore_ascii_case("succeeded") {
            return registry.into_registry().map(Poll::Ready);
        }
        if Provisioned::of(state) == Provisioned::Failed {
            let text = "Azure could not change the registry";
            let err = Error::new(ErrorKind::OperationFailed, text).with_context("registry", id.name());
            return Err(err.with_context("state", state));
        }
        Ok(Poll::Pending { status: Some(shown(state)), wait: None })
    };
    call.poll_until(Polling::new(STEP), poll).await
}

/// See [Update](https://learn.microsoft.com/rest/api/container-registry/registries/update).
fn patch_registry(id: &ResourceId, update: &RegistryUpdate) -> ArmRequest {
    let mut properties = json!({});
    if let Some(mode) = update.mode {
        properties["roleAssignmentMode"] = mode.as_str().into();
    }
    ArmRequest::new(Method::Patch, id.as_str(), API)
        .body(json!({ "properties": properties }))
        .step(STEP)
        .needs(WRITE_REGISTRY, id.as_str())
}
