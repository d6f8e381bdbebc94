//! Role assignments: the grants themselves.

mod put;

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::role_definition::id_at;
use super::{Call, equals, filter_unknown, page, parts, resource_missing};
use crate::rbac::{Assignment, Wanted, has_management_group, same_scope, within};
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

const READ: &str = "Microsoft.Authorization/roleAssignments/read";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";

pub(crate) fn serve(world: &mut World, call: &Call<'_>, scope: &str, name: Option<&str>) -> Option<Reply> {
    let answer = match (call.method(), name) {
        (&Method::GET, None) => list(world, call, scope),
        (&Method::GET, Some(name)) => get(world, call, scope, name),
        (&Method::PUT, Some(name)) => put::put(world, call, scope, name),
        (&Method::DELETE, Some(name)) => delete(world, call, scope, name),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

/// How many there are in a subscription, at all scopes inside it. Microsoft documents the limit of 4,000, and not this call: its form is
/// that which public programs read.
pub(crate) fn usage(world: &World, call: &Call<'_>, scope: &str) -> Option<Reply> {
    const LIMIT: usize = 4000;
    if call.method() != Method::GET {
        return None;
    }
    if let Err(refusal) = call.demand_action(world, "Microsoft.Authorization/roleAssignments/read", scope) {
        return Some(refusal);
    }
    let count = world.access.standing().filter(|one| within(&one.scope, scope)).count();
    let body = json!({
        "roleAssignmentsLimit": LIMIT,
        "roleAssignmentsCurrentCount": count,
        "roleAssignmentsRemainingCount": LIMIT.saturating_sub(count),
    });
    Some(reply::json(StatusCode::OK, &body))
}

fn path_of(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}")
}

/// How old the assignments that a scene starts with look: they have always been there.
const AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(crate) fn body(world: &World, assignment: &Assignment) -> Value {
    let dated = |at| world.clock.rfc3339_before(at, if at == world.clock.start() { AGE } else { Duration::ZERO });
    json!({
        "properties": {
            "roleDefinitionId": id_at(&assignment.scope, &assignment.role),
            "principalId": assignment.principal,
            "principalType": assignment.principal_type,
            "scope": if assignment.scope.is_empty() { "/" } else { &assignment.scope },
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
            "createdOn": dated(assignment.created),
            "updatedOn": dated(assignment.updated),
            "createdBy": assignment.created_by,
            "updatedBy": assignment.updated_by,
            "delegatedManagedIdentityResourceId": null,
            "description": assignment.description,
        },
        "id": path_of(assignment.scope.trim_end_matches('/'), &assignment.name),
        "type": "Microsoft.Authorization/roleAssignments",
        "name": assignment.name,
    })
}

fn position(world: &World, scope: &str, name: &str) -> Option<usize> {
    world.access.assignments.iter().position(|assignment| {
        assignment.fades.is_none() && assignment.name.eq_ignore_ascii_case(name) && same_scope(&assignment.scope, scope)
    })
}

fn get(world: &World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    call.demand(world, &Wanted::action(READ, scope), &path_of(scope, name))?;
    if let Some(at) = position(world, scope, name) {
        return Ok(reply::json(StatusCode::OK, &body(world, &world.access.assignments[at])));
    }
    let message = format!("The role assignment '{name}' is not found.");
    Err(arm_error(StatusCode::NOT_FOUND, "RoleAssignmentNotFound", &message))
}

/// Which of all assignments a list asks for.
struct Filter {
    /// Nothing below the scope.
    at_scope: bool,
    /// Held by this principal itself.
    principal: Option<String>,
    /// Held by this principal or a group it is in.
    assigned_to: Option<String>,
}

impl Filter {
    fn parse(call: &Call<'_>, text: &str) -> Result<Self, Reply> {
        let mut filter = Self { at_scope: false, principal: None, assigned_to: None };
        for part in parts(text) {
            if part.eq_ignore_ascii_case("atScope()") {
                filter.at_scope = true;
            } else if let Some(principal) = equals(part, "principalId") {
                filter.principal = Some(principal);
            } else if let Some(id) = part.strip_prefix("assignedTo(").and_then(|rest| rest.strip_suffix(')')) {
                filter.assigned_to = Some(id.trim_matches('\'').to_owned());
            } else {
                return Err(filter_unknown(call));
            }
        }
        Ok(filter)
    }

    /// `assignedTo` takes no group's id. (Documented; the code is likely.)
    fn refuse_group(&self, world: &World) -> Result<(), Reply> {
        let named = self.assigned_to.as_deref().and_then(|id| world.principal(id));
        if named.is_some_and(|one| one.kind == "Group") {
            let message = "The filter 'assignedTo' accepts the object ID of a user or a service principal only.";
            return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidFilter", message));
        }
        Ok(())
    }

    fn meets(&self, world: &World, assignment: &Assignment, scope: &str) -> bool {
        let above = within(scope, &assignment.scope);
        let placed = above || (!self.at_scope && within(&assignment.scope, scope));
        let held = |id: &str| assignment.principal.eq_ignore_ascii_case(id);
        let through_group =
            |id: &str| world.principal(id).is_some_and(|one| world.groups_of(one).contains(&assignment.principal));
        placed
            && self.principal.as_deref().is_none_or(held)
            && self.assigned_to.as_deref().is_none_or(|id| held(id) || through_group(id))
    }
}

fn list(world: &World, call: &Call<'_>, scope: &str) -> Result<Reply, Reply> {
    call.demand_action(world, READ, scope)?;
    let filter = Filter::parse(call, call.parameter("$filter").unwrap_or_default())?;
    demand_scope(world, call, scope)?;
    filter.refuse_group(world)?;
    let listed = world.access.assignments.iter().filter(|one| one.is_listed(call.now));
    let wanted = listed.filter(|assignment| filter.meets(world, assignment, scope));
    let items: Vec<Value> = wanted.map(|assignment| body(world, assignment)).collect();
    Ok(page(world, call, &items))
}

/// The resource that a grant is on must be there. (Known from use, not from a recording.)
fn demand_scope(world: &World, call: &Call<'_>, scope: &str) -> Result<(), Reply> {
    if let Some(there) = has_management_group(scope) {
        // What Azure says of one that is not there is not known.
        return if there { Ok(()) } else { Err(crate::world::unknown_request(call.method(), call.request.uri())) };
    }
    let segments: Vec<&str> = scope.split('/').skip(1).collect();
    if let [_, subscription, _, group, _, provider, kind, name] = segments.as_slice() {
        let there = match kind.to_ascii_lowercase().as_str() {
            "registries" => world.registry(subscription, group, name).is_some(),
            "managedclusters" => world.cluster_at(subscription, group, name).is_some(),
            "userassignedidentities" => world.identity(scope).is_some(),
            _ => true,
        };
        super::demand_group(world, subscription, group)?;
        return if there { Ok(()) } else { Err(resource_missing(&format!("{provider}/{kind}"), group, name)) };
    }
    if let [_, subscription, _, group] = segments.as_slice() {
        return super::demand_group(world, subscription, group);
    }
    Ok(())
}

fn delete(world: &mut World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    let Some(at) = position(world, scope, name) else {
        call.demand(world, &Wanted::action(DELETE, scope), &path_of(scope, name))?;
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    let assignment = &world.access.assignments[at];
    let facts = [
        ("Microsoft.Authorization/roleAssignments:RoleDefinitionId", assignment.role.as_str()),
        ("Microsoft.Authorization/roleAssignments:PrincipalId", assignment.principal.as_str()),
        ("Microsoft.Authorization/roleAssignments:PrincipalType", assignment.principal_type.as_str()),
    ];
    let wanted = Wanted { action: DELETE, data: false, scope, facts: &facts };
    call.demand(world, &wanted, &path_of(scope, name))?;
    let answer = body(world, assignment);
    world.access.assignments[at].fades = Some(call.now + world.timing.deletion);
    world.access.assignments[at].unlisted = Some(call.now + world.timing.listing);
    Ok(reply::json(StatusCode::OK, &answer))
}
