//! Registries as Azure Resource Manager lists and shows them.

use super::{
    Registry,
    reference::TYPE,
    wire::{Search, Wanted, WireRegistry},
};
use crate::{
    absent,
    action::READ_REGISTRY,
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, read_item},
    id::{ResourceId, SubscriptionId},
};

pub(super) const API: &str = "2025-11-01";
const LIST: &str = "a list of registries";

/// `None` if the registry itself is absent. Where its group or subscription is, Azure says so by another code.
pub(super) async fn look(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<WireRegistry>> {
    match arm.send(get_registry(id), call).await {
        Ok(answer) => answer.read("a registry").map(Some),
        Err(err) if err.code() == Some("ResourceNotFound") => Ok(None),
        Err(err) if err.kind() == ErrorKind::NotFound => Err(absent::explain(err, "registry", id)),
        Err(err) => Err(err.with_context("registry", id.name())),
    }
}

/// One list answers for the id, the login server and the mode; the shorter list of resources has only the id. Which one is meant
/// shows before any is read: what is odd of another one is nobody's trouble.
pub(super) async fn find_in_list(
    arm: &Arm,
    subscription: SubscriptionId,
    wanted: Wanted<'_>,
    call: &Call,
) -> Result<Option<Registry>> {
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
    read_item::<WireRegistry>(item, "a registry")?.into_registry().map(Some)
}

/// See [Registries](https://learn.microsoft.com/rest/api/container-registry/registries/get).
fn get_registry(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the registry").needs(READ_REGISTRY, id.as_str())
}

/// Every registry of a subscription that can be pulled from: one that has no login server yet cannot. One that this version cannot read,
/// such as one with a mode that it does not know, takes none of the others along.
pub(crate) async fn list(arm: &Arm, subscription: SubscriptionId, call: &Call) -> Result<Vec<Registry>> {
    let read = |registry: WireRegistry| if registry.has_host() { registry.into_registry().map(Some) } else { Ok(None) };
    arm.list(list_registries(subscription), LIST, call, read).await
}

fn list_registries(subscription: SubscriptionId) -> ArmRequest {
    let scope = subscription.path();
    ArmRequest::get(format!("{scope}/providers/{TYPE}"), API).step("listing the registries").needs(READ_REGISTRY, scope)
}
