//! Changes settings of an existing registry.

use super::{
    Registry, Sku,
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
use serde_json::{Value, json};
use std::collections::BTreeMap;

const STEP: &str = "changing the registry";

/// The settings of a registry to change. `None` leaves a setting as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryUpdate {
    /// Whether permissions apply to the whole registry or to its repositories. A change invalidates every credential that the registry has
    /// issued.
    pub mode: Option<RoleAssignmentMode>,
    /// The service tier.
    pub sku: Option<Sku>,
    /// Whether the admin user is enabled.
    pub admin_user: Option<bool>,
    /// Whether everyone can pull without a credential.
    pub anonymous_pull: Option<bool>,
    /// Whether public addresses have access.
    pub public_network_access: Option<bool>,
    /// The firewall, as a whole.
    pub network_rules: Option<NetworkRules>,
    /// Whether the registry has its own data endpoints.
    pub data_endpoint: Option<bool>,
    /// All tags: others are removed.
    pub tags: Option<BTreeMap<String, String>>,
}

/// A registry's firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkRules {
    /// What happens to an address that no rule allows: `Allow` or `Deny`.
    pub default_action: String,
    /// The addresses and ranges in CIDR notation that are allowed.
    pub allowed_addresses: Vec<String>,
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
    ArmRequest::new(Method::Patch, id.as_str(), API).body(body(update)).step(STEP).needs(WRITE_REGISTRY, id.as_str())
}

fn body(update: &RegistryUpdate) -> Value {
    let rules = update.network_rules.as_ref().map(|rules| {
        let allow = |one: &String| json!({ "action": "Allow", "value": one });
        let addresses: Vec<Value> = rules.allowed_addresses.iter().map(allow).collect();
        json!({ "defaultAction": rules.default_action, "ipRules": addresses })
    });
    let access = update.public_network_access.map(|enabled| if enabled { "Enabled" } else { "Disabled" });
    let properties = [
        ("roleAssignmentMode", update.mode.map(|mode| mode.as_str().into())),
        ("adminUserEnabled", update.admin_user.map(Value::from)),
        ("anonymousPullEnabled", update.anonymous_pull.map(Value::from)),
        ("publicNetworkAccess", access.map(Value::from)),
        ("networkRuleSet", rules),
        ("dataEndpointEnabled", update.data_endpoint.map(Value::from)),
    ];
    let set = properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let parts = [
        ("properties", Some(Value::Object(set.collect()))),
        ("sku", update.sku.map(|sku| json!({ "name": sku.as_str() }))),
        ("tags", update.tags.as_ref().map(|tags| json!(tags))),
    ];
    Value::Object(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
