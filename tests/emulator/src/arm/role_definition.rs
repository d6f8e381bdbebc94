//! Role definitions: listed at a scope, found by name or id.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Call, equals, filter_unknown, page, parts};
use crate::rbac::Role;
use crate::reply::{self, Reply};
use crate::world::World;

const READ: &str = "Microsoft.Authorization/roleDefinitions/read";

pub(crate) fn serve(world: &mut World, call: &Call<'_>, scope: &str, name: Option<&str>) -> Option<Reply> {
    let answer = match (call.method(), name) {
        (&Method::GET, None) => list(world, call, scope),
        (&Method::GET, Some(name)) => get(world, call, scope, name),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn list(world: &World, call: &Call<'_>, scope: &str) -> Result<Reply, Reply> {
    call.demand_action(world, READ, scope)?;
    let mut roles: Vec<&Role> = world.access.roles.iter().filter(|role| role.is_assignable(scope)).collect();
    let filter = call.parameter("$filter").unwrap_or_default();
    for part in parts(filter) {
        if let Some(name) = equals(part, "roleName") {
            roles.retain(|role| role.name.eq_ignore_ascii_case(&name));
        } else if let Some(kind) = equals(part, "type") {
            roles.retain(|role| kind_of(role).eq_ignore_ascii_case(&kind));
        } else if !part.trim().eq_ignore_ascii_case("atScopeAndBelow()") {
            return Err(filter_unknown(call));
        }
    }
    let items: Vec<Value> = roles.into_iter().map(|role| body(world, role, scope)).collect();
    Ok(page(world, call, &items))
}

fn get(world: &World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    // The built-in ones belong to no subscription: everyone may read them there.
    if !scope.is_empty() {
        call.demand_action(world, READ, scope)?;
    }
    match world.access.role(name).filter(|role| role.is_assignable(scope)) {
        Some(role) => Ok(reply::json(StatusCode::OK, &body(world, role, scope))),
        None => Err(missing(name)),
    }
}

pub(crate) fn missing(id: &str) -> Reply {
    let message = format!("The specified role definition with ID '{id}' does not exist.");
    reply::arm_error(StatusCode::NOT_FOUND, "RoleDefinitionDoesNotExist", &message)
}

/// The id of a role as it is written in the subscription of a scope.
pub(crate) fn id_at(scope: &str, role: &str) -> String {
    let subscription = scope.split('/').nth(2).filter(|_| scope.to_ascii_lowercase().starts_with("/subscriptions/"));
    let prefix = subscription.map(|id| format!("/subscriptions/{}", id.to_ascii_lowercase())).unwrap_or_default();
    format!("{prefix}/providers/Microsoft.Authorization/roleDefinitions/{role}")
}

fn kind_of(role: &Role) -> &'static str {
    if role.built_in { "BuiltInRole" } else { "CustomRole" }
}

fn permissions(block: &Role) -> Value {
    json!({
        "actions": block.actions,
        "notActions": block.not_actions,
        "dataActions": block.data_actions,
        "notDataActions": block.not_data_actions,
    })
}

fn body(world: &World, role: &Role, scope: &str) -> Value {
    let everywhere = || world.subscriptions.iter().map(|id| format!("/subscriptions/{id}")).collect();
    let scopes: Vec<String> = match role.assignable.as_slice() {
        _ if role.built_in => vec![String::from("/")],
        [] => everywhere(),
        named => named.to_vec(),
    };
    let blocks = std::iter::once(role).chain(&role.further).map(permissions).collect::<Vec<_>>();
    json!({
        "properties": {
            "roleName": role.name,
            "type": kind_of(role),
            "description": role.description,
            "assignableScopes": scopes,
            "permissions": blocks,
            "createdOn": "2018-10-22T19:01:56.8227182Z",
            "updatedOn": "2021-11-11T20:13:08.8779328Z",
            "createdBy": null,
            "updatedBy": null,
        },
        "id": id_at(scope, &role.id),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
    })
}
