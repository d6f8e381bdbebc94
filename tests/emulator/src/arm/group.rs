//! Subscriptions, resource groups, and the list of all resources.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::polling::{operation_missing, signature};
use super::{Call, HOST, demand_group, equals, filter_unknown, page, parts};
use crate::operation::Work;
use crate::principal::Principal;
use crate::rbac::{self, Wanted};
use crate::reply::{self, Reply};
use crate::world::{Group, World};

pub(crate) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let answer = match (call.method(), lower) {
        (&Method::GET, ["subscriptions"]) => Ok(subscriptions(world, call)),
        (&Method::GET, ["subscriptions", _]) => subscription(world, call, segments[1]),
        (&Method::GET, ["subscriptions", _, "resources"]) => resources(world, call, segments[1]),
        (&Method::GET, ["subscriptions", _, "resourcegroups"]) => list(world, call, segments[1]),
        (&Method::GET, ["subscriptions", _, "resourcegroups", _]) => get(world, call, segments[1], segments[3]),
        (&Method::HEAD, ["subscriptions", _, "resourcegroups", _]) => head(world, call, segments[1], segments[3]),
        (&Method::DELETE, ["subscriptions", _, "resourcegroups", _]) => delete(world, call, segments[1], segments[3]),
        (&Method::GET, ["subscriptions", _, "operationresults", id]) => Ok(deletion(world, call, id)),
        (&Method::PUT, ["subscriptions", _, "resourcegroups", _]) => put(world, call, segments[1], segments[3]),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn subscriptions(world: &World, call: &Call<'_>) -> Reply {
    let visible = |id: &&String| sees_something(world, &call.caller, &format!("/subscriptions/{id}"));
    let items: Vec<Value> = world.subscriptions.iter().filter(visible).map(|id| subscription_body(world, id)).collect();
    page(world, call, &items)
}

fn subscription(world: &World, call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Resources/subscriptions/read", &format!("/subscriptions/{id}"))?;
    Ok(reply::json(StatusCode::OK, &subscription_body(world, id)))
}

fn subscription_body(world: &World, id: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": world.tenant,
        "displayName": "Emulator",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
    })
}

/// Whether the caller holds any role here or below.
pub(crate) fn sees_something(world: &World, caller: &Principal, scope: &str) -> bool {
    let ids = caller.ids();
    world.access.standing().any(|assignment| {
        ids.contains(&assignment.principal)
            && (rbac::within(&assignment.scope, scope) || rbac::within(scope, &assignment.scope))
    })
}

/// A list over a subscription shows what the caller may read, and is refused to who may read nothing in it.
///
/// That Azure filters so is known from use, not from a recording.
pub(crate) fn demand_sight(world: &World, call: &Call<'_>, action: &str, scope: &str) -> Result<(), Reply> {
    if sees_something(world, &call.caller, scope) { Ok(()) } else { call.demand_action(world, action, scope) }
}

fn resources(world: &World, call: &Call<'_>, subscription: &str) -> Result<Reply, Reply> {
    let scope = format!("/subscriptions/{subscription}");
    demand_sight(world, call, "Microsoft.Resources/subscriptions/resources/read", &scope)?;
    let filter = Filter::parse(call)?;
    let wanted = |of: &str| filter.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case(of));
    let mut items: Vec<Value> = Vec::new();
    if wanted("Microsoft.ContainerRegistry/registries") {
        let here = |id: &str| readable(world, call, "Microsoft.ContainerRegistry/registries/read", id, subscription);
        items.extend(world.registries.iter().filter(|one| here(&one.id())).map(|one| one.item(world)));
    }
    if wanted("Microsoft.ContainerService/managedClusters") {
        let here =
            |id: &str| readable(world, call, "Microsoft.ContainerService/managedClusters/read", id, subscription);
        let clusters = world.clusters.iter().filter(|one| here(&one.id()));
        items.extend(clusters.map(|one| {
            json!({"id": one.id(), "name": one.name, "type": "Microsoft.ContainerService/managedClusters",
                   "location": one.location, "tags": {}})
        }));
    }
    if wanted("Microsoft.ManagedIdentity/userAssignedIdentities") {
        let read = "Microsoft.ManagedIdentity/userAssignedIdentities/read";
        let here = |id: &str| readable(world, call, read, id, subscription);
        items.extend(world.identities.iter().filter(|one| here(&one.id())).map(crate::identity::Identity::item));
    }
    items.retain(|item| filter.meets(item));
    Ok(page(world, call, &items))
}

/// Which of all resources are asked for.
#[derive(Default)]
struct Filter {
    kind: Option<String>,
    group: Option<String>,
    name: Option<String>,
}

impl Filter {
    fn parse(call: &Call<'_>) -> Result<Self, Reply> {
        let mut filter = Self::default();
        for part in parts(call.parameter("$filter").unwrap_or_default()) {
            if let Some(kind) = equals(part, "resourceType") {
                filter.kind = Some(kind);
            } else if let Some(group) = equals(part, "resourceGroup") {
                filter.group = Some(group);
            } else if let Some(name) = equals(part, "name") {
                filter.name = Some(name);
            } else {
                return Err(filter_unknown(call));
            }
        }
        Ok(filter)
    }

    fn meets(&self, item: &Value) -> bool {
        let group = item["id"].as_str().and_then(|id| id.split('/').nth(4)).unwrap_or_default();
        let name = item["name"].as_str().unwrap_or_default();
        self.group.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(group))
            && self.name.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
    }
}

/// Whether a resource is in the subscription and the caller may read it.
pub(crate) fn readable(world: &World, call: &Call<'_>, action: &str, id: &str, subscription: &str) -> bool {
    rbac::within(id, &format!("/subscriptions/{subscription}"))
        && world.permits(&call.caller, &Wanted::action(action, id), call.now)
}

const READ: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

fn scope_of(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourcegroups/{group}")
}

fn list(world: &World, call: &Call<'_>, subscription: &str) -> Result<Reply, Reply> {
    demand_sight(world, call, READ, &format!("/subscriptions/{subscription}"))?;
    let here = |group: &&Group| readable(world, call, READ, &scope_of(&group.subscription, &group.name), subscription);
    let items: Vec<Value> = world.groups.iter().filter(here).map(body).collect();
    Ok(page(world, call, &items))
}

fn get(world: &World, call: &Call<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, READ, &scope_of(subscription, name))?;
    demand_group(world, subscription, name)?;
    let body = world.group(subscription, name).map(body).unwrap_or_default();
    Ok(reply::json(StatusCode::OK, &body))
}

fn put(world: &mut World, call: &Call<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    let write = "Microsoft.Resources/subscriptions/resourcegroups/write";
    call.demand_action(world, write, &scope_of(subscription, name))?;
    let sent = call.json()?;
    let Some(location) = sent["location"].as_str() else {
        let message = "The location property is required for this definition.";
        return Err(reply::gateway_error(StatusCode::BAD_REQUEST, "LocationRequired", message));
    };
    let status = if world.group(subscription, name).is_some() { StatusCode::OK } else { StatusCode::CREATED };
    world.ensure_group(subscription, name, location);
    let group = world.group(subscription, name).map(body).unwrap_or_default();
    Ok(reply::json(status, &group))
}

/// Whether it is there, in one status.
fn head(world: &World, call: &Call<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, READ, &scope_of(subscription, name))?;
    let there = world.group(subscription, name).is_some();
    Ok(reply::empty(if there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }))
}

/// Deletes a group with all that is in it, at once.
fn delete(world: &mut World, call: &Call<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    let scope = scope_of(subscription, name);
    call.demand_action(world, "Microsoft.Resources/subscriptions/resourceGroups/delete", &scope)?;
    demand_group(world, subscription, name)?;
    let id = world.start(Work::Group(scope), call.now, call.now);
    let location = format!(
        "https://{HOST}/subscriptions/{subscription}/operationresults/{id}?api-version={}{}",
        call.api_version(),
        signature(&id)
    );
    Ok(reply::with(reply::empty(StatusCode::ACCEPTED), "location", &location))
}

fn deletion(world: &World, call: &Call<'_>, id: &str) -> Reply {
    match world.operation(id) {
        None => operation_missing(id),
        Some(operation) if operation.is_through(call.now) => reply::empty(StatusCode::OK),
        Some(_) => reply::empty(StatusCode::ACCEPTED),
    }
}

fn body(group: &Group) -> Value {
    json!({
        "id": format!("/subscriptions/{}/resourceGroups/{}", group.subscription, group.name),
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "properties": {"provisioningState": "Succeeded"},
    })
}
