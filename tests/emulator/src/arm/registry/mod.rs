//! Registries as resources: read, created, changed, listed; names checked; operations polled.

mod children;
mod delete;
mod keys;
mod parts;
mod put;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::group::{demand_sight, readable};
use super::polling::{escaped, operation_missing, signature};
use super::{Call, HOST, demand_group, import, page, resource_missing};
use crate::operation::Work;
use crate::registry::Registry;
use crate::reply::{self, Reply};
use crate::world::World;

const KIND: &str = "Microsoft.ContainerRegistry/registries";
const FOLLOW: &str = "Microsoft.ContainerRegistry/locations/operationResults/read";
const READ: &str = "Microsoft.ContainerRegistry/registries/read";
const WRITE: &str = "Microsoft.ContainerRegistry/registries/write";

/// A registry as a path names it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) subscription: &'a str,
    pub(crate) group: &'a str,
    pub(crate) name: &'a str,
}

impl Place<'_> {
    pub(crate) fn id(&self) -> String {
        let Self { subscription, group, name } = self;
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{KIND}/{name}")
    }

    pub(crate) fn find<'w>(&self, world: &'w World) -> Result<&'w Registry, Reply> {
        demand_group(world, self.subscription, self.group)?;
        let found = world.registry(self.subscription, self.group, self.name);
        found.ok_or_else(|| resource_missing(KIND, self.group, self.name))
    }
}

pub(crate) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let in_subscription = ["providers", "microsoft.containerregistry"];
    let answer = if lower.get(2..4) == Some(&in_subscription[..]) {
        of_subscription(world, call, segments, lower)?
    } else if lower.get(4..7) == Some(&["providers", "microsoft.containerregistry", "registries"][..]) {
        of_group(world, call, segments, lower)?
    } else {
        return None;
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn of_subscription(
    world: &mut World,
    call: &Call<'_>,
    segments: &[&str],
    lower: &[&str],
) -> Option<Result<Reply, Reply>> {
    let subscription = segments[1];
    match (call.method(), &lower[4..]) {
        (&Method::GET, ["registries"]) => {
            let scope = format!("/subscriptions/{subscription}");
            Some(demand_sight(world, call, READ, &scope).map(|()| list(world, call, subscription, None)))
        }
        (&Method::POST, ["checknameavailability"]) => Some(check_name(world, call, subscription)),
        (&Method::GET, ["locations", _, "operationresults", id]) => Some(result(world, call, subscription, id)),
        _ => None,
    }
}

fn of_group(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Result<Reply, Reply>> {
    let (subscription, group) = (segments[1], segments[3]);
    let Some(name) = segments.get(7) else {
        return (call.method() == Method::GET).then(|| list_group(world, call, subscription, group));
    };
    let place = Place { subscription, group, name };
    match (call.method(), &lower[8..]) {
        (&Method::GET, []) => Some(get(world, call, place)),
        (&Method::PUT, []) => Some(put::put(world, call, place)),
        (&Method::PATCH, []) => Some(put::patch(world, call, place)),
        (&Method::DELETE, []) => Some(delete::delete(world, call, place)),
        (&Method::POST, ["importimage"]) => Some(import::start(world, call, place)),
        (&Method::POST, ["listcredentials"]) => Some(keys::list(world, call, place)),
        (&Method::POST, ["regeneratecredential"]) => Some(keys::regenerate(world, call, place)),
        (&Method::GET, ["listusages"]) => Some(parts::usages(world, call, place)),
        (&Method::GET, ["privateendpointconnections"]) => Some(parts::connections(world, call, place)),
        (&Method::GET, ["privateendpointconnections", _]) => Some(parts::connection(world, call, place, segments[9])),
        (&Method::PUT, ["privateendpointconnections", _]) => Some(parts::decide(world, call, place, segments[9])),
        (&Method::GET, ["replications"]) => Some(parts::replications(world, call, place)),
        (&Method::GET, ["webhooks"]) => Some(parts::none(world, call, place, "webhooks")),
        (&Method::POST, ["generatecredentials"]) => Some(children::generate(world, call, place)),
        (method, [kind, rest @ ..]) if children::kind_of(kind).is_some() => {
            let kind = children::kind_of(kind)?;
            match (method, rest) {
                (&Method::GET, []) => Some(children::list(world, call, place, kind)),
                (&Method::GET, [_]) => Some(children::get(world, call, place, (kind, segments[9]))),
                (&Method::PUT | &Method::PATCH, [_]) => Some(children::write(world, call, place, (kind, segments[9]))),
                (&Method::DELETE, [_]) => Some(children::delete(world, call, place, (kind, segments[9]))),
                _ => None,
            }
        }
        (&Method::GET, ["operationstatuses", id]) => Some(poll(world, call, place, id)),
        _ => None,
    }
}

fn list_group(world: &World, call: &Call<'_>, subscription: &str, group: &str) -> Result<Reply, Reply> {
    let scope = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    demand_sight(world, call, READ, &scope)?;
    demand_group(world, subscription, group)?;
    Ok(list(world, call, subscription, Some(group)))
}

fn list(world: &World, call: &Call<'_>, subscription: &str, group: Option<&str>) -> Reply {
    let wanted = |registry: &&Registry| {
        group.is_none_or(|group| registry.group.eq_ignore_ascii_case(group))
            && readable(world, call, READ, &registry.id(), subscription)
    };
    let items = world.registries.iter().filter(wanted);
    let items: Vec<Value> = items.map(|one| visible(call, &one.body(world))).collect();
    page(world, call, &items)
}

fn get(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, READ, &place.id())?;
    Ok(shown(call, StatusCode::OK, &place.find(world)?.body(world)))
}

fn shown(call: &Call<'_>, status: StatusCode, body: &Value) -> Reply {
    reply::with(reply::json(status, &visible(call, body)), "api-supported-versions", call.api_version())
}

/// A registry's body, without the fields that the api-version asked for does not show.
fn visible(call: &Call<'_>, body: &Value) -> Value {
    let version = call.api_version();
    let preview = version.ends_with("-preview");
    let mut body = body.clone();
    if let Some(properties) = body["properties"].as_object_mut() {
        if version < "2025-03-01" || (!preview && version < "2025-11-01") {
            properties.remove("roleAssignmentMode");
        }
        if !preview {
            properties.remove("autoGeneratedDomainNameLabelScope");
            properties.remove("regionalEndpoints");
        }
        // Rules for subnets were shown, then hidden, and are shown again.
        let subnets = version <= "2021-12-01-preview" || version >= "2026-03-01";
        let rules = properties.get_mut("networkRuleSet").and_then(Value::as_object_mut);
        if let Some(rules) = rules.filter(|_| !subnets) {
            rules.remove("virtualNetworkRules");
        }
    }
    body
}

/// A name is free, taken, or no name: always with status 200.
fn check_name(world: &World, call: &Call<'_>, subscription: &str) -> Result<Reply, Reply> {
    let scope = format!("/subscriptions/{subscription}");
    call.demand_action(world, "Microsoft.ContainerRegistry/checkNameAvailability/read", &scope)?;
    let sent = call.json()?;
    let name = sent["name"].as_str().unwrap_or_default();
    let refused = |reason: &str, message: &str| json!({"nameAvailable": false, "reason": reason, "message": message});
    let body = if let Some(message) = name_fault(name) {
        refused("Invalid", message)
    } else if taken(world, name) {
        refused("AlreadyExists", &format!("The registry {name} is already in use."))
    } else {
        let scope = put::label_scope(call, &sent["autoGeneratedDomainNameLabelScope"]);
        let group = sent["resourceGroupName"].as_str().unwrap_or_default();
        let server = put::login_server(world, Place { subscription, group, name }, scope);
        json!({"nameAvailable": true, "availableLoginServerName": server})
    };
    Ok(reply::json(StatusCode::OK, &body))
}

/// What is wrong with a name, if anything.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    if ["microsoft", "azure", "windows"].contains(&name.to_ascii_lowercase().as_str()) {
        return Some("The specified resource name is disallowed.");
    }
    let fits = (5..=50).contains(&name.len()) && name.chars().all(|letter| letter.is_ascii_alphanumeric());
    (!fits).then_some("The resource name must be between 5 and 50 alphanumeric characters.")
}

/// Names are one space for all of Azure.
fn taken(world: &World, name: &str) -> bool {
    world.registries.iter().any(|registry| registry.name.eq_ignore_ascii_case(name))
}

/// What an operation has come to, by the address that its `Location` named.
fn result(world: &World, call: &Call<'_>, subscription: &str, id: &str) -> Result<Reply, Reply> {
    if world.links_need_action {
        call.demand_action(world, FOLLOW, &format!("/subscriptions/{subscription}"))?;
    }
    let begun = world.operation(id.trim_start_matches("registries-"));
    Ok(match begun {
        Some(operation) if matches!(operation.work, Work::RegistryDeletion(_)) => delete::result(call, operation),
        _ => import::poll(world, call, id),
    })
}

/// A polling address with a signature, as Azure makes them.
fn poll_address(call: &Call<'_>, place: Place<'_>, id: &str) -> String {
    let path = escaped(&place.id());
    format!(
        "https://{HOST}{path}/operationStatuses/registries-{id}?api-version={}{}",
        call.api_version(),
        signature(id)
    )
}

fn poll(world: &World, call: &Call<'_>, place: Place<'_>, id: &str) -> Result<Reply, Reply> {
    call.demand_action(world, READ, &place.id())?;
    let id = id.trim_start_matches("registries-");
    let Some(operation) = world.operation(id) else {
        return Err(operation_missing(id));
    };
    let body = world.state_of(operation, "Creating", call.now);
    Ok(reply::with(reply::json(StatusCode::OK, &body), "azure-asyncoperation", &poll_address(call, place, id)))
}
