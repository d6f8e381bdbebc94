//! Registries as listed and returned by Azure Resource Manager.

use super::{
    Registry,
    reference::TYPE,
    wire::{Requested, Search, WireRegistry},
};
use crate::{
    action::{CHECK_NAME, READ_REGISTRY},
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, read_item},
    id::{ResourceId, SubscriptionId},
    missing,
};
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const API: &str = "2025-11-01";
const LIST: &str = "a list of registries";

/// `None` if the registry itself is missing. For a missing group or subscription, Azure has another code.
pub(super) async fn read_registry(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<WireRegistry>> {
    match arm.send(get_registry(id), call).await {
        Ok(answer) => answer.read("a registry").map(Some),
        Err(err) if err.code() == Some("ResourceNotFound") => Ok(None),
        Err(err) if err.kind() == ErrorKind::NotFound => Err(missing::explain(err, "registry", id)),
        Err(err) => Err(err.with_context("registry", id.name())),
    }
}

/// One list provides the ID, the login server and the mode; the shorter list of resources has only the ID. The requested item is
/// identified before any is parsed: an invalid other item does not matter.
pub(super) async fn find_in_list(
    arm: &Arm,
    subscription: SubscriptionId,
    wanted: Requested<'_>,
    call: &Call,
) -> Result<Option<WireRegistry>> {
    let mut search = Search::new(wanted);
    arm.each(list_registries(subscription), LIST, call, |item| search.take(item)).await?;
    let has_nameless = search.has_nameless();
    let Some(item) = search.found() else {
        if !has_nameless {
            return Ok(None);
        }
        let text = "Azure listed a registry that could not be parsed, and it may be the requested one";
        return Err(Error::new(ErrorKind::Unexpected, text).with_context("subscription", subscription.to_string()));
    };
    read_item(item, "a registry").map(Some)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireName {
    name_available: bool,
    reason: Option<String>,
}

/// Whether a registry has this name, whoever owns it. Azure also keeps the name of a deleted registry for some time. See [Check Name
/// Availability](https://learn.microsoft.com/rest/api/container-registry/registries/check-name-availability).
pub(super) async fn is_name_taken(arm: &Arm, subscription: SubscriptionId, name: &str, call: &Call) -> Result<bool> {
    let scope = subscription.path();
    let path = format!("{scope}/providers/Microsoft.ContainerRegistry/checkNameAvailability");
    let request = ArmRequest::new(Method::Post, path, API)
        .reads()
        .step("asking whether a registry has this name")
        .needs(CHECK_NAME, scope)
        .body(json!({"name": name, "type": TYPE}));
    let answer: WireName = arm.send(request, call).await?.read("whether a name is free")?;
    match (answer.name_available, answer.reason.as_deref()) {
        (false, Some("AlreadyExists")) => Ok(true),
        // Azure gives an invalid name to no registry.
        (true, _) | (false, Some("Invalid")) => Ok(false),
        (false, reason) => {
            let text = format!("Azure says that a registry's name is not available for an unknown reason: {reason:?}");
            Err(Error::new(ErrorKind::Unexpected, text).with_context("registry", name))
        }
    }
}

/// See [Registries](https://learn.microsoft.com/rest/api/container-registry/registries/get).
fn get_registry(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the registry").needs(READ_REGISTRY, id.as_str())
}

/// An item of a list. A registry without a login server is left out: nothing can be pulled from it.
pub(crate) fn read_listed(item: Value) -> Result<Option<Registry>> {
    let registry: WireRegistry = read_item(item, "a registry")?;
    if registry.has_host() { registry.into_registry().map(Some) } else { Ok(None) }
}

pub(crate) fn list_registries(subscription: SubscriptionId) -> ArmRequest {
    let scope = subscription.path();
    ArmRequest::get(format!("{scope}/providers/{TYPE}"), API).step("listing the registries").needs(READ_REGISTRY, scope)
}
