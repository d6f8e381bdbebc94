//! Microsoft Graph: service principals by their application, and the members of groups.
//!
//! Rights in Azure are none here: a caller needs a permission of the directory, which nobody has until it is given.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::entra::form_field;
use crate::entra::token;
use crate::principal::Principal;
use crate::reply::{self, Caller, Reply, arm_error};
use crate::world::World;

pub(crate) const HOST: &str = "graph.microsoft.com";

/// Answers a request to Graph.
pub(crate) fn serve(world: &mut World, request: &Request<Bytes>, now: Instant) -> Reply {
    let shown = crate::arm::bearer(request).unwrap_or_default();
    let Ok(caller) = world.holder(shown, &[token::GRAPH], now) else {
        let message = "Access token validation failure.";
        return arm_error(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
    };
    let mut answer = if caller.directory {
        route(world, request)
    } else {
        let message = "Insufficient privileges to complete the operation.";
        arm_error(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    };
    answer.extensions_mut().insert(Caller(caller.name));
    answer
}

fn route(world: &mut World, request: &Request<Bytes>) -> Reply {
    let segments: Vec<&str> = request.uri().path().split('/').skip(2).collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["servicePrincipals"]) => by_application(world, request),
        (&Method::GET, ["servicePrincipals", id]) => match world.principal(id) {
            Some(principal) => reply::json(StatusCode::OK, &body(principal)),
            None => missing(id),
        },
        (&Method::POST, ["directoryObjects", "getByIds"]) => by_ids(world, request.body()),
        (&Method::POST, ["groups", group, "members", "$ref"]) => add(world, group, request.body()),
        (&Method::DELETE, ["groups", group, "members", member, "$ref"]) => remove(world, group, member),
        _ => crate::world::unknown_request(request.method(), request.uri()),
    }
}

fn body(principal: &Principal) -> Value {
    let kind = if principal.kind == "Group" { "group" } else { "servicePrincipal" };
    json!({
        "@odata.type": format!("#microsoft.graph.{kind}"),
        "id": principal.object_id,
        "appId": principal.client_id,
        "displayName": principal.name,
        "servicePrincipalNames": [principal.client_id],
        "servicePrincipalType": if principal.secret.is_some() { "Application" } else { "ManagedIdentity" },
    })
}

fn list(items: &[Value]) -> Reply {
    let context = format!("https://{HOST}/v1.0/$metadata#servicePrincipals");
    reply::json(StatusCode::OK, &json!({"@odata.context": context, "value": items}))
}

/// The forms of the filter that clients send: by one of the names, and by the application's id.
fn by_application(world: &World, request: &Request<Bytes>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let filter = form_field(query.as_bytes(), "$filter").unwrap_or_default();
    let by_name = filter.strip_prefix("servicePrincipalNames/any(c:c eq '");
    let application = by_name
        .and_then(|rest| rest.strip_suffix("')"))
        .or_else(|| filter.strip_prefix("appId eq '")?.strip_suffix('\''));
    let Some(application) = application else {
        return crate::world::unknown_request(request.method(), request.uri());
    };
    let fits = |one: &&Principal| one.client_id.eq_ignore_ascii_case(application);
    let found: Vec<Value> = world.principals.iter().filter(fits).map(body).collect();
    list(&found)
}

fn by_ids(world: &World, sent: &[u8]) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let ids = sent["ids"].as_array().cloned().unwrap_or_default();
    let known = ids.iter().filter_map(|id| world.principal(id.as_str()?));
    list(&known.map(body).collect::<Vec<_>>())
}

fn missing(id: &str) -> Reply {
    let message =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    arm_error(StatusCode::NOT_FOUND, "Request_ResourceNotFound", &message)
}

fn add(world: &mut World, group: &str, sent: &[u8]) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let member = sent["@odata.id"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if world.principal(group).is_none_or(|one| one.kind != "Group") {
        return missing(group);
    }
    let found = world.principals.iter_mut().find(|one| one.object_id.eq_ignore_ascii_case(member));
    let Some(found) = found else {
        return missing(member);
    };
    if found.groups.iter().any(|one| one.eq_ignore_ascii_case(group)) {
        let message =
            "One or more added object references already exist for the following modified properties: 'members'.";
        return arm_error(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
    }
    found.groups.push(group.to_owned());
    reply::empty(StatusCode::NO_CONTENT)
}

fn remove(world: &mut World, group: &str, member: &str) -> Reply {
    let found = world.principals.iter_mut().find(|one| one.object_id.eq_ignore_ascii_case(member));
    let Some(found) = found else {
        return missing(member);
    };
    let before = found.groups.len();
    found.groups.retain(|one| !one.eq_ignore_ascii_case(group));
    if found.groups.len() == before { missing(member) } else { reply::empty(StatusCode::NO_CONTENT) }
}
