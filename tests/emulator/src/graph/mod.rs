//! Microsoft Graph: service principals, users and groups, found by filters, and who is in which group.
//!
//! Rights in Azure do not count here: a caller needs a permission of the directory, which none has until it is given, or owns the group.

pub(crate) mod application;
mod filter;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::entra::form_field;
use crate::entra::token;
use crate::principal::{Principal, stable_id};
use crate::reply::{self, Caller, Reply, arm_error};
use crate::world::World;
use filter::Filter;

pub(crate) const HOST: &str = "graph.microsoft.com";

/// Answers a request to Graph.
pub(crate) fn serve(world: &mut World, request: &Request<Bytes>, now: Instant) -> Reply {
    let shown = crate::arm::bearer(request).unwrap_or_default();
    let Ok(caller) = world.holder(shown, &[token::GRAPH], now) else {
        let message = "Access token validation failure.";
        return arm_error(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
    };
    let mut answer = if permits(world, request, &caller) {
        route(world, request, &caller, now)
    } else {
        let message = "Insufficient privileges to complete the operation.";
        arm_error(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    };
    answer.extensions_mut().insert(Caller(caller.name));
    answer
}

/// Whether a caller may send this: with every right, with a permission that is enough for it, or as an owner of the group, who [may
/// change its members][1] without a permission, and [may not list them][2].
///
/// [1]: https://learn.microsoft.com/graph/api/group-post-members
/// [2]: https://techcommunity.microsoft.com/idea/microsoft365developerplatform/provided-ownedby-permissions-for-groups-and-groupmember/3846345
fn permits(world: &World, request: &Request<Bytes>, caller: &Principal) -> bool {
    if caller.directory {
        return true;
    }
    let path = request.uri().path().replace("%24", "$").to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
    let known = world.principal(&caller.object_id);
    let has = |names: &[&str]| {
        known.is_some_and(|one| {
            one.permissions.iter().any(|has| names.iter().any(|name| has.eq_ignore_ascii_case(name)))
        })
    };
    let owns = |group: &str| {
        world.principal(group).is_some_and(|one| one.owners.iter().any(|id| id.eq_ignore_ascii_case(&caller.object_id)))
    };
    match (request.method(), segments.as_slice()) {
        (_, ["groups", group, "members", ..]) if request.method() != Method::GET => {
            has(&["GroupMember.ReadWrite.All"]) || owns(group)
        }
        (&Method::GET, ["groups", group]) => has(&READS_GROUPS) || owns(group),
        (&Method::GET, ["groups", ..]) | (&Method::POST, [_, _, "checkmembergroups"]) => has(&READS_GROUPS),
        (&Method::GET, ["serviceprincipals" | "applications", ..]) => has(&READS_APPLICATIONS),
        (&Method::GET, [collection]) if app_id(collection).is_some() => has(&READS_APPLICATIONS),
        _ => false,
    }
}

const READS_GROUPS: [&str; 2] = ["GroupMember.Read.All", "GroupMember.ReadWrite.All"];

/// See [Get servicePrincipal](https://learn.microsoft.com/graph/api/serviceprincipal-get).
const READS_APPLICATIONS: [&str; 3] = ["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"];

/// The collection and the client id in `servicePrincipals(appId='...')`: an alternate key.
fn app_id(segment: &str) -> Option<(&str, &str)> {
    let (collection, key) = segment.split_once("(appid=")?;
    let id = key.strip_suffix(')')?.trim_matches('\'');
    matches!(collection, "serviceprincipals" | "applications").then_some((collection, id))
}

fn by_app_id(world: &World, request: &Request<Bytes>, segment: &str, now: Instant) -> Reply {
    let Some((collection, id)) = app_id(segment) else {
        return crate::world::unknown_request(request.method(), request.uri());
    };
    let answer = if collection == "applications" {
        application::of_app_id(world, id)
    } else {
        let found = world.principals.iter().find(|one| one.client_id.eq_ignore_ascii_case(id));
        match found.filter(|one| one.kind == "ServicePrincipal" && !is_young(world, one, now)) {
            Some(principal) => reply::json(StatusCode::OK, &body(principal)),
            None => missing(id),
        }
    };
    selected(answer, request)
}

/// Leaves out the fields that `$select` does not name.
fn selected(answer: Reply, request: &Request<Bytes>) -> Reply {
    let select = form_field(request.uri().query().unwrap_or_default().as_bytes(), "$select");
    let (Some(select), true) = (select, answer.status().is_success()) else { return answer };
    let named: Vec<&str> = select.split(',').collect();
    match serde_json::from_slice(answer.body()) {
        Ok(Value::Object(mut whole)) => {
            whole.retain(|field, _| field.starts_with('@') || named.contains(&field.as_str()));
            reply::json(answer.status(), &Value::Object(whole))
        }
        _ => answer,
    }
}

/// Whether the directory does not find a principal yet: a new one is at first unknown in some of its replicas.
fn is_young(world: &World, principal: &Principal, now: Instant) -> bool {
    principal.made > world.clock.start() && now < principal.made + world.timing.principal
}

/// The collections of principals, and the kind that each holds.
const COLLECTIONS: [(&str, &str); 3] =
    [("serviceprincipals", "ServicePrincipal"), ("groups", "Group"), ("users", "User")];

fn route(world: &mut World, request: &Request<Bytes>, caller: &Principal, now: Instant) -> Reply {
    let path = request.uri().path().replace("%24", "$").to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
    let kind_of = |name: &str| COLLECTIONS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["me"]) => reply::json(StatusCode::OK, &body(caller)),
        (&Method::GET, ["applications"]) => applications(world, request),
        (&Method::POST, ["applications"]) => application::make(world, request.body()),
        (&Method::GET, [collection]) if app_id(collection).is_some() => by_app_id(world, request, collection, now),
        (&Method::GET, ["applications", id]) => application::one(world, id),
        (&Method::DELETE, ["applications", id]) => application::delete(world, id),
        (&Method::POST, ["applications", id, "addpassword"]) => {
            application::add_password(world, id, request.body(), now)
        }
        (&Method::POST, ["applications", id, "removepassword"]) => {
            application::remove_password(world, id, request.body())
        }
        (&Method::PATCH, ["serviceprincipals", id]) => application::change_principal(world, id, request.body()),
        (&Method::POST, ["serviceprincipals"]) => application::make_principal(world, request.body(), now),
        (&Method::GET, ["groups", group, "owners"]) => owners(world, group),
        (&Method::POST, ["groups"]) => make_group(world, request.body(), now),
        (&Method::POST, ["directoryobjects", "getbyids"]) => by_ids(world, request.body(), now),
        (&Method::POST, [_, id, "checkmembergroups"]) => check_groups(world, id, request.body(), now),
        (&Method::POST, [_, id, "getmembergroups" | "getmemberobjects"]) => groups_of(world, id),
        (&Method::GET, ["groups", group, "members"]) => members(world, group),
        (&Method::GET, ["groups", group, "transitivemembers"]) => transitive_members(world, request, group),
        (&Method::GET, [collection, id, "transitivememberof"]) if kind_of(collection).is_some() => {
            transitive_member_of(world, id)
        }
        (&Method::POST, ["groups", group, "members", "$ref"]) => add(world, group, request.body(), now),
        (&Method::DELETE, ["groups", group, "members", member, "$ref"]) => remove(world, group, member),
        (&Method::DELETE, ["groups", group]) => delete_group(world, group),
        (&Method::GET, ["directoryobjects", id]) => shown(world, id, None, now),
        (&Method::GET, [collection]) => match kind_of(collection) {
            Some(kind) => filtered(world, request, kind, now),
            None => crate::world::unknown_request(request.method(), request.uri()),
        },
        (&Method::GET, [collection, id]) if kind_of(collection).is_some() => shown(world, id, kind_of(collection), now),
        _ => crate::world::unknown_request(request.method(), request.uri()),
    }
}

fn body(principal: &Principal) -> Value {
    match principal.kind {
        "Group" => json!({
            "@odata.type": "#microsoft.graph.group",
            "id": principal.object_id,
            "displayName": principal.name,
            "mailNickname": principal.name,
            "mailEnabled": false,
            "securityEnabled": true,
            "groupTypes": [],
        }),
        "User" => json!({
            "@odata.type": "#microsoft.graph.user",
            "id": principal.object_id,
            "displayName": principal.name,
            "userPrincipalName": principal.name,
        }),
        _ => json!({
            "@odata.type": "#microsoft.graph.servicePrincipal",
            "id": principal.object_id,
            "appId": principal.client_id,
            "displayName": principal.name,
            "accountEnabled": principal.enabled,
            "servicePrincipalNames": [principal.client_id],
            "passwordCredentials": [],
            "keyCredentials": [],
            "servicePrincipalType": if principal.of_application { "Application" } else { "ManagedIdentity" },
        }),
    }
}

fn list(collection: &str, items: &[Value]) -> Reply {
    let context = format!("https://{HOST}/v1.0/$metadata#{collection}");
    reply::json(StatusCode::OK, &json!({"@odata.context": context, "value": items}))
}

fn filtered(world: &World, request: &Request<Bytes>, kind: &str, now: Instant) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let text = form_field(query.as_bytes(), "$filter").unwrap_or_default();
    let Some(filter) = Filter::parse(&text) else {
        return crate::world::unknown_request(request.method(), request.uri());
    };
    let found =
        world.principals.iter().filter(|one| one.kind == kind && !is_young(world, one, now) && filter.meets(one));
    let collection = match kind {
        "Group" => "groups",
        "User" => "users",
        _ => "servicePrincipals",
    };
    list(collection, &found.map(body).collect::<Vec<_>>())
}

fn shown(world: &World, id: &str, kind: Option<&str>, now: Instant) -> Reply {
    let known = world.principal(id).filter(|one| !is_young(world, one, now));
    match known.filter(|one| kind.is_none_or(|kind| one.kind == kind)) {
        Some(principal) => reply::json(StatusCode::OK, &body(principal)),
        None => missing(id),
    }
}

fn by_ids(world: &World, sent: &[u8], now: Instant) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let ids = sent["ids"].as_array().cloned().unwrap_or_default();
    let types = sent["types"].as_array().cloned().unwrap_or_default();
    let wanted = |one: &&Principal| {
        types.is_empty()
            || types.iter().any(|kind| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(one.kind)))
    };
    let known = ids.iter().filter_map(|id| world.principal(id.as_str()?)).filter(wanted);
    let known = known.filter(|one| !is_young(world, one, now));
    list("directoryObjects", &known.map(body).collect::<Vec<_>>())
}

/// All groups that a principal is in, directly or through other groups.
fn groups_of(world: &World, id: &str) -> Reply {
    let Some(one) = world.principal(id) else {
        return missing(id);
    };
    let context = format!("https://{HOST}/v1.0/$metadata#Collection(Edm.String)");
    reply::json(StatusCode::OK, &json!({"@odata.context": context, "value": world.groups_of(one)}))
}

fn transitive_member_of(world: &World, id: &str) -> Reply {
    let Some(one) = world.principal(id) else {
        return missing(id);
    };
    let groups = world.groups_of(one);
    list("directoryObjects", &groups.iter().filter_map(|id| world.principal(id)).map(body).collect::<Vec<_>>())
}

/// Which of some groups a principal is in, directly or through other groups.
fn check_groups(world: &World, id: &str, sent: &[u8], now: Instant) -> Reply {
    let Some(one) = world.principal(id).filter(|one| !is_young(world, one, now)) else {
        return missing(id);
    };
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let asked = sent["groupIds"].as_array().cloned().unwrap_or_default();
    if asked.len() > 20 {
        let message = "Too many elements in parameter 'groupIds': at most 20 are allowed.";
        return arm_error(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
    }
    let known = world.groups_of(one);
    let within =
        |group: &Value| group.as_str().is_some_and(|group| known.iter().any(|known| known.eq_ignore_ascii_case(group)));
    let found: Vec<Value> = asked.into_iter().filter(within).collect();
    let context = format!("https://{HOST}/v1.0/$metadata#Collection(Edm.String)");
    reply::json(StatusCode::OK, &json!({"@odata.context": context, "value": found}))
}

fn missing(id: &str) -> Reply {
    let message =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    arm_error(StatusCode::NOT_FOUND, "Request_ResourceNotFound", &message)
}

fn is_group(world: &World, id: &str) -> bool {
    world.principal(id).is_some_and(|one| one.kind == "Group")
}

/// Names of groups need not be unique: a second one is another group.
fn make_group(world: &mut World, sent: &[u8], now: Instant) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let Some(name) = sent["displayName"].as_str().filter(|name| !name.is_empty()) else {
        let message = "A value is required for property 'displayName' of resource 'Group'.";
        return arm_error(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
    };
    let first = stable_id(&format!("group/{name}"));
    let again = Principal::managed(&world.unused(&format!("group/{name}")), now);
    let object_id = if world.principal(&first).is_none() { first } else { again.object_id.clone() };
    let group = Principal { object_id, kind: "Group", name: name.to_owned(), ..again };
    let shown = body(&group);
    world.principals.push(group);
    reply::json(StatusCode::CREATED, &shown)
}

fn delete_group(world: &mut World, group: &str) -> Reply {
    if !is_group(world, group) {
        return missing(group);
    }
    let members: Vec<String> = world.principals.iter().map(|one| one.object_id.clone()).collect();
    for member in &members {
        world.leave(member, group);
    }
    world.remove_principal(group);
    reply::empty(StatusCode::NO_CONTENT)
}

fn members(world: &World, group: &str) -> Reply {
    if !is_group(world, group) {
        return missing(group);
    }
    let within = |one: &&Principal| one.groups.iter().any(|known| known.eq_ignore_ascii_case(group));
    list("directoryObjects", &world.principals.iter().filter(within).map(body).collect::<Vec<_>>())
}

fn owners(world: &World, group: &str) -> Reply {
    let Some(group) = world.principal(group).filter(|one| one.kind == "Group") else {
        return missing(group);
    };
    list("directoryObjects", &group.owners.iter().filter_map(|id| world.principal(id)).map(body).collect::<Vec<_>>())
}

fn applications(world: &World, request: &Request<Bytes>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let filter = form_field(query.as_bytes(), "$filter").unwrap_or_default();
    let mut items = Vec::new();
    for one in &world.applications {
        match one.meets(&filter) {
            None => return crate::world::unknown_request(request.method(), request.uri()),
            Some(true) => items.push(one.shown(&world.clock)),
            Some(false) => {}
        }
    }
    list("applications", &items)
}

/// Page by page, with a link to the next.
fn transitive_members(world: &World, request: &Request<Bytes>, group: &str) -> Reply {
    if !is_group(world, group) {
        return missing(group);
    }
    let query = request.uri().query().unwrap_or_default();
    let number = |name: &str| form_field(query.as_bytes(), name).and_then(|text| text.parse::<usize>().ok());
    let within = |one: &&Principal| world.groups_of(one).iter().any(|known| known.eq_ignore_ascii_case(group));
    let all: Vec<Value> = world.principals.iter().filter(within).map(body).collect();
    let size = number("$top").unwrap_or(100).min(world.paging.size).max(1);
    let from = number("$skiptoken").unwrap_or(0).min(all.len());
    let to = from.saturating_add(size).min(all.len());
    let context = format!("https://{HOST}/v1.0/$metadata#directoryObjects");
    let mut page = json!({"@odata.context": context, "value": all[from..to]});
    if to < all.len() {
        let link = format!("https://{HOST}/v1.0/groups/{group}/transitiveMembers?$top={size}&$skiptoken={to}");
        page["@odata.nextLink"] = link.into();
    }
    reply::json(StatusCode::OK, &page)
}

fn add(world: &mut World, group: &str, sent: &[u8], now: Instant) -> Reply {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let member = sent["@odata.id"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if !is_group(world, group) {
        return missing(group);
    }
    if world.principal(member).is_none_or(|one| is_young(world, one, now)) {
        return missing(member);
    }
    if !world.join(member, group, Some(now)) {
        let message =
            "One or more added object references already exist for the following modified properties: 'members'.";
        return arm_error(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
    }
    reply::empty(StatusCode::NO_CONTENT)
}

fn remove(world: &mut World, group: &str, member: &str) -> Reply {
    if world.leave(member, group) { reply::empty(StatusCode::NO_CONTENT) } else { missing(member) }
}
