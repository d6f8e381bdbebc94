//! User-assigned identities as resources: made, read, listed, deleted.

use http::{Method, StatusCode};
use serde_json::Value;

use super::group::{demand_sight, readable};
use super::{Call, demand_group, page, resource_missing};
use crate::identity::Identity;
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

const KIND: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const READ: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/read";

pub(crate) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let subscription = segments[1];
    let answer = match (call.method(), &lower[2..]) {
        (&Method::GET, ["providers", _, "userassignedidentities"]) => list(world, call, subscription, None),
        (&Method::GET, ["resourcegroups", _, "providers", _, "userassignedidentities"]) => {
            list(world, call, subscription, Some(segments[3]))
        }
        (method, ["resourcegroups", _, "providers", _, "userassignedidentities", _]) => {
            let place = [subscription, segments[3], segments[7]];
            match *method {
                Method::GET => get(world, call, place),
                Method::PUT => put(world, call, place),
                Method::PATCH => patch(world, call, place),
                Method::DELETE => delete(world, call, place),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn id_of([subscription, group, name]: [&str; 3]) -> String {
    format!("/subscriptions/{subscription}/resourcegroups/{group}/providers/{KIND}/{name}")
}

fn list(world: &World, call: &Call<'_>, subscription: &str, group: Option<&str>) -> Result<Reply, Reply> {
    let in_group = group.map(|group| format!("/resourceGroups/{group}")).unwrap_or_default();
    demand_sight(world, call, READ, &format!("/subscriptions/{subscription}{in_group}"))?;
    if let Some(group) = group {
        demand_group(world, subscription, group)?;
    }
    let wanted = |one: &&Identity| {
        group.is_none_or(|group| one.group.eq_ignore_ascii_case(group))
            && readable(world, call, READ, &one.id(), subscription)
    };
    let items: Vec<Value> = world.identities.iter().filter(wanted).map(|one| one.body(world)).collect();
    Ok(page(world, call, &items))
}

fn get(world: &World, call: &Call<'_>, place: [&str; 3]) -> Result<Reply, Reply> {
    let id = id_of(place);
    call.demand_action(world, READ, &id)?;
    demand_group(world, place[0], place[1])?;
    match world.identity(&id) {
        Some(known) => Ok(reply::json(StatusCode::OK, &known.body(world))),
        None => Err(resource_missing(KIND, place[1], place[2])),
    }
}

fn put(world: &mut World, call: &Call<'_>, place: [&str; 3]) -> Result<Reply, Reply> {
    let id = id_of(place);
    call.demand_action(world, "Microsoft.ManagedIdentity/userAssignedIdentities/write", &id)?;
    demand_group(world, place[0], place[1])?;
    let sent = call.json()?;
    let Some(location) = sent["location"].as_str().filter(|location| !location.is_empty()) else {
        let message = "The location property is required for this definition.";
        return Err(reply::gateway_error(StatusCode::BAD_REQUEST, "LocationRequired", message));
    };
    let name = place[2];
    let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if !fits || !(3..=128).contains(&name.len()) {
        let message =
            format!("The resource name '{name}' is not valid: 3 to 128 letters, digits, hyphens and underscores.");
        return Err(arm_error(StatusCode::BAD_REQUEST, "BadRequest", &message));
    }
    let status = if world.identity(&id).is_some() {
        StatusCode::OK
    } else {
        world.make_identity(place, location, call.now);
        StatusCode::CREATED
    };
    label(world, &id, &sent);
    let body = world.identity(&id).map(|one| one.body(world)).unwrap_or_default();
    // Recorded: the address is a path, and only a creation has it.
    let answer = reply::json(status, &body);
    Ok(if status == StatusCode::CREATED { reply::with(answer, "location", &id) } else { answer })
}

fn label(world: &mut World, id: &str, sent: &Value) {
    let known = world.identities.iter_mut().find(|one| one.id().eq_ignore_ascii_case(id));
    if let Some(known) = known.filter(|_| sent["tags"].is_object()) {
        known.tags = sent["tags"].clone();
    }
}

fn patch(world: &mut World, call: &Call<'_>, place: [&str; 3]) -> Result<Reply, Reply> {
    let id = id_of(place);
    call.demand_action(world, "Microsoft.ManagedIdentity/userAssignedIdentities/write", &id)?;
    let sent = call.json()?;
    label(world, &id, &sent);
    let known = world.identity(&id).ok_or_else(|| resource_missing(KIND, place[1], place[2]))?;
    Ok(reply::json(StatusCode::OK, &known.body(world)))
}

fn delete(world: &mut World, call: &Call<'_>, place: [&str; 3]) -> Result<Reply, Reply> {
    let id = id_of(place);
    call.demand_action(world, "Microsoft.ManagedIdentity/userAssignedIdentities/delete", &id)?;
    let there = world.identity(&id).is_some();
    world.remove_identity(&id);
    world.access.assignments.retain(|one| !crate::rbac::within(&one.scope, &id));
    Ok(reply::empty(if there { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}
