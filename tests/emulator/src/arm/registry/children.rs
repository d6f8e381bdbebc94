//! What a client makes below a registry: scope maps, tokens, credential sets and cache rules.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Place;
use crate::arm::{Call, page};
use crate::principal::Principal;
use crate::registry::children::{Child, Kind};
use crate::registry::{merge, new_password};
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";

/// The kind that a segment of a path names, in lower case.
pub(super) fn kind_of(segment: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.segment().eq_ignore_ascii_case(segment))
}

fn demand(world: &World, call: &Call<'_>, place: Place<'_>, (kind, verb): (Kind, &str)) -> Result<usize, Reply> {
    call.demand_action(world, &format!("{REGISTRY}/{}/{verb}", kind.segment()), &place.id())?;
    place.find(world)?;
    Ok(world.registry_at(place.subscription, place.group, place.name).unwrap_or_default())
}

fn body(world: &World, at: usize, child: &Child) -> Value {
    let segment = child.kind.segment();
    let mut body = json!({
        "id": format!("{}/{segment}/{}", world.registries[at].id(), child.name),
        "name": child.name,
        "type": format!("{REGISTRY}/{segment}"),
        "systemData": {"createdAt": world.clock.rfc3339(child.created), "createdByType": "Application"},
        "properties": child.shown(&world.clock),
    });
    if let Some(principal) = &child.principal {
        body["identity"] = json!({"type": "SystemAssigned", "principalId": principal, "tenantId": world.tenant});
    }
    body
}

fn missing(kind: Kind, place: Place<'_>, name: &str) -> Reply {
    crate::arm::resource_missing(&format!("{REGISTRY}/{}/{}", place.name, kind.segment()), place.group, name)
}

pub(super) fn list(world: &World, call: &Call<'_>, place: Place<'_>, kind: Kind) -> Result<Reply, Reply> {
    let at = demand(world, call, place, (kind, "read"))?;
    let of_system = Child::of_system(kind, world.registries[at].created);
    let own = world.registries[at].children.iter().filter(|child| child.kind == kind);
    let items: Vec<Value> = of_system.iter().chain(own).map(|child| body(world, at, child)).collect();
    Ok(page(world, call, &items))
}

pub(super) fn get(
    world: &World,
    call: &Call<'_>,
    place: Place<'_>,
    (kind, name): (Kind, &str),
) -> Result<Reply, Reply> {
    let at = demand(world, call, place, (kind, "read"))?;
    let registry = &world.registries[at];
    let of_system = Child::of_system(kind, registry.created);
    let found =
        of_system.iter().find(|child| child.name.eq_ignore_ascii_case(name)).or_else(|| registry.child(kind, name));
    let found = found.ok_or_else(|| missing(kind, place, name))?;
    Ok(reply::json(StatusCode::OK, &body(world, at, found)))
}

/// A PUT makes one, or sets what it names in one that is there; a PATCH does the second only.
pub(super) fn write(
    world: &mut World,
    call: &Call<'_>,
    place: Place<'_>,
    (kind, name): (Kind, &str),
) -> Result<Reply, Reply> {
    let at = demand(world, call, place, (kind, "write"))?;
    let sent = call.json()?;
    let is_patch = call.method() == http::Method::PATCH;
    let there = world.registries[at].children.iter().position(|child| child.is(kind, name));
    if there.is_none() && is_patch {
        return Err(missing(kind, place, name));
    }
    check(world, at, (kind, name), &sent["properties"])?;
    let index = there.unwrap_or_else(|| make(world, at, (kind, name), call.now));
    let mut properties = sent["properties"].clone();
    // Passwords are made by another request.
    properties.as_object_mut().map(|properties| properties.remove("credentials"));
    merge(&mut world.registries[at].children[index].properties, &properties);
    let status = if there.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(reply::json(status, &body(world, at, &world.registries[at].children[index])))
}

/// A new one, and the identity of a credential set.
fn make(world: &mut World, at: usize, (kind, name): (Kind, &str), now: Instant) -> usize {
    let mut child = Child::new(kind, name, now);
    if kind == Kind::CredentialSet {
        let id = world.unused(&format!("{}/{}/{name}", world.registries[at].id(), kind.segment()));
        let principal = Principal::managed(&id, now);
        child.principal = Some(principal.object_id.clone());
        world.principals.push(principal);
    }
    world.registries[at].children.push(child);
    world.registries[at].children.len() - 1
}

/// What a body must have. The words are not recorded.
fn check(world: &World, at: usize, (kind, name): (Kind, &str), sent: &Value) -> Result<(), Reply> {
    let bad = |message: &str| Err(arm_error(StatusCode::BAD_REQUEST, "InvalidParameter", message));
    let registry = &world.registries[at];
    let is_new = registry.child(kind, name).is_none();
    match kind {
        Kind::ScopeMap => {
            let actions = sent["actions"].as_array();
            if is_new && actions.is_none_or(Vec::is_empty) {
                return bad("A scope map needs at least one action.");
            }
            let is_one = |action: &Value| action.as_str().is_some_and(|action| action.split('/').count() >= 4);
            if !actions.into_iter().flatten().all(is_one) {
                return bad("An action is 'repositories/<name>/<content or metadata>/<read, write or delete>'.");
            }
        }
        Kind::Token => {
            let map = sent["scopeMapId"].as_str().and_then(|id| id.rsplit('/').next());
            if is_new && map.is_none() {
                return bad("A token needs a scope map.");
            }
            let is_known = |map: &str| {
                registry.child(Kind::ScopeMap, map).is_some()
                    || Child::of_system(Kind::ScopeMap, registry.created).iter().any(|one| one.is(Kind::ScopeMap, map))
            };
            if map.is_some_and(|map| !is_known(map)) {
                return bad("The scope map of the token was not found.");
            }
        }
        Kind::CredentialSet => {
            if is_new && sent["authCredentials"].as_array().is_none_or(Vec::is_empty) {
                return bad("A credential set needs a credential.");
            }
        }
        Kind::CacheRule => {
            if is_new && (sent["sourceRepository"].as_str().is_none() || sent["targetRepository"].as_str().is_none()) {
                return bad("A cache rule needs a source and a target repository.");
            }
        }
    }
    Ok(())
}

pub(super) fn delete(
    world: &mut World,
    call: &Call<'_>,
    place: Place<'_>,
    (kind, name): (Kind, &str),
) -> Result<Reply, Reply> {
    let at = demand(world, call, place, (kind, "delete"))?;
    let before = world.registries[at].children.len();
    world.registries[at].children.retain(|child| !child.is(kind, name));
    let is_gone = world.registries[at].children.len() < before;
    // The management SDK takes no 200 of the newer two.
    let is_older = matches!(kind, Kind::ScopeMap | Kind::Token);
    Ok(reply::empty(if is_gone && is_older { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}

/// See [Generate credentials](https://learn.microsoft.com/rest/api/container-registry/registries/generate-credentials): new passwords of a
/// token, both or the one that is named.
pub(super) fn generate(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{REGISTRY}/generateCredentials/action"), &place.id())?;
    place.find(world)?;
    let at = world.registry_at(place.subscription, place.group, place.name).unwrap_or_default();
    let sent = call.json()?;
    let name = sent["tokenId"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default().to_owned();
    let Some(index) = world.registries[at].children.iter().position(|child| child.is(Kind::Token, &name)) else {
        return Err(missing(Kind::Token, place, &name));
    };
    let created = world.clock.rfc3339(call.now);
    let named = sent["name"].as_str();
    let mut made = Vec::new();
    for password in ["password1", "password2"].into_iter().filter(|one| named.is_none_or(|named| named == *one)) {
        let value = new_password(&world.ids);
        made.push(json!({"name": password, "creationTime": created, "expiry": sent["expiry"], "value": value}));
    }
    let token = &mut world.registries[at].children[index];
    token.passwords.retain(|one| !made.iter().any(|new| new["name"] == one["name"]));
    token.passwords.extend(made.iter().cloned());
    Ok(reply::json(StatusCode::OK, &json!({"username": token.name, "passwords": made})))
}
