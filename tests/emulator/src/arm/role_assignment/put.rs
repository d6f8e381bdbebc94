//! Making a role assignment, or changing what of one may change.

use http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::{body, demand_scope, path_of, position};
use crate::arm::Call;
use crate::arm::role_definition::missing as role_missing;
use crate::rbac::condition::Condition;
use crate::rbac::{Assignment, Wanted};
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";

/// What a PUT asks for.
struct Asked {
    principal: String,
    principal_type: Option<String>,
    role: String,
    condition: Option<String>,
    condition_version: Option<String>,
    description: Option<String>,
}

impl Asked {
    fn read(call: &Call<'_>, sent: &Value) -> Result<Self, Reply> {
        let text = |name: &str| sent["properties"][name].as_str().map(str::to_owned);
        let (Some(principal), Some(role)) = (text("principalId"), text("roleDefinitionId")) else {
            let message = "The request content was invalid: 'principalId' and 'roleDefinitionId' are required.";
            return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidRequestContent", message));
        };
        if Uuid::parse_str(&principal).is_err() {
            let message = format!("The Principal ID '{principal}' is not valid. Principal ID must be a GUID.");
            return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidPrincipalId", &message));
        }
        if !role.contains('/') {
            // Known from az, which warns of it; the code is likely, not recorded.
            let message = format!("The role definition ID '{role}' is not valid: it must be a whole resource ID.");
            return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidRoleDefinitionId", &message));
        }
        let role = role.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let asked = Self {
            principal: principal.to_ascii_lowercase(),
            principal_type: text("principalType"),
            role,
            condition: text("condition"),
            condition_version: text("conditionVersion"),
            description: text("description"),
        };
        asked.check_condition(call)?;
        Ok(asked)
    }

    /// A condition that is not understood here may be one that Azure understands, so that it is no mistake of the client's.
    fn check_condition(&self, call: &Call<'_>) -> Result<(), Reply> {
        let Some(condition) = &self.condition else {
            return Ok(());
        };
        if Condition::parse(condition).is_none() {
            return Err(crate::world::unknown_request(call.method(), call.request.uri()));
        }
        if self.condition_version.as_deref() != Some("2.0") {
            let message = "A role assignment with a condition needs conditionVersion '2.0'.";
            return Err(arm_error(StatusCode::BAD_REQUEST, "RoleAssignmentConditionInvalid", message));
        }
        Ok(())
    }
}

pub(super) fn put(world: &mut World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    let asked = match call.json().and_then(|sent| Asked::read(call, &sent)) {
        Ok(asked) => asked,
        Err(complaint) => {
            // A caller that may not write at all gets that answer, whatever it sent.
            call.demand(world, &Wanted::action(WRITE, scope), &path_of(scope, name))?;
            return Err(complaint);
        }
    };
    demand_write(world, call, scope, name, &asked)?;
    if Uuid::parse_str(name).is_err() {
        let message = format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidRoleAssignmentId", &message));
    }
    demand_scope(world, call, scope)?;
    let Some(role) = world.access.role(&asked.role) else {
        return Err(role_missing(&asked.role));
    };
    if !role.is_assignable(scope) {
        // The code is known from public reports; the words are likely.
        let message =
            format!("The scope '{scope}' is not one at which the role definition '{}' is assignable.", role.id);
        return Err(arm_error(StatusCode::BAD_REQUEST, "RoleAssignmentScopeNotAssignableToRoleDefinition", &message));
    }
    let principal_type = demand_principal(world, call, &asked)?;
    match position(world, scope, name) {
        Some(at) => repeat(world, call, at, asked),
        // A name is one assignment's, wherever that is.
        None if world.access.standing().any(|one| one.name.eq_ignore_ascii_case(name)) => Err(not_permitted()),
        None => create(world, call, scope, name, asked, principal_type),
    }
}

/// The right to write, which a condition may limit to some roles and principals.
fn demand_write(world: &World, call: &Call<'_>, scope: &str, name: &str, asked: &Asked) -> Result<(), Reply> {
    let kind = asked.principal_type.as_deref().unwrap_or_default();
    let facts = [
        ("Microsoft.Authorization/roleAssignments:RoleDefinitionId", asked.role.as_str()),
        ("Microsoft.Authorization/roleAssignments:PrincipalId", asked.principal.as_str()),
        ("Microsoft.Authorization/roleAssignments:PrincipalType", kind),
    ];
    let wanted = Wanted { action: WRITE, data: false, scope, facts: &facts };
    call.demand(world, &wanted, &path_of(scope, name))
}

/// Looks the principal up as Azure does; the answer is its type.
fn demand_principal(world: &World, call: &Call<'_>, asked: &Asked) -> Result<String, Reply> {
    let short = asked.principal.replace('-', "");
    let not_found = || {
        let message = format!("Principal {short} does not exist in the directory {}.", world.tenant);
        Err(arm_error(StatusCode::BAD_REQUEST, "PrincipalNotFound", &message))
    };
    let forgotten = |(id, until): &(String, _)| id.eq_ignore_ascii_case(&asked.principal) && call.now < *until;
    if world.forgotten.iter().any(forgotten) {
        return not_found();
    }
    let sent = asked.principal_type.as_deref();
    match world.principal(&asked.principal) {
        // With this type the look-up is left out.
        None if sent == Some("ServicePrincipal") => Ok(String::from("ServicePrincipal")),
        None => not_found(),
        Some(known) if sent.is_none() && known.made > world.clock.start() => {
            if call.now < known.made + world.timing.principal { not_found() } else { Ok(known.kind.to_owned()) }
        }
        Some(known) => match sent {
            Some(sent) if sent != known.kind => {
                // "PrinciaplType" is how Azure writes it.
                let message = format!(
                    "The PrincipalId '{short}' has type '{}' , which is different from specified PrinciaplType '{sent}'.",
                    known.kind
                );
                Err(arm_error(StatusCode::BAD_REQUEST, "UnmatchedPrincipalType", &message))
            }
            _ => Ok(known.kind.to_owned()),
        },
    }
}

fn not_permitted() -> Reply {
    let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
    arm_error(StatusCode::BAD_REQUEST, "RoleAssignmentUpdateNotPermitted", message)
}

/// The same name again: condition and description may change, who and what may not.
fn repeat(world: &mut World, call: &Call<'_>, at: usize, asked: Asked) -> Result<Reply, Reply> {
    let status = world.repeated_assignment;
    let assignment = &mut world.access.assignments[at];
    if !assignment.is_for(&assignment.scope, &asked.principal, &asked.role) {
        return Err(not_permitted());
    }
    assignment.condition = asked.condition;
    assignment.condition_version = asked.condition_version;
    assignment.description = asked.description;
    assignment.updated = call.now;
    assignment.updated_by = Some(call.caller.object_id.clone());
    Ok(reply::json(status, &body(world, &world.access.assignments[at])))
}

fn create(
    world: &mut World,
    call: &Call<'_>,
    scope: &str,
    name: &str,
    asked: Asked,
    principal_type: String,
) -> Result<Reply, Reply> {
    if world.access.standing().any(|one| one.is_for(scope, &asked.principal, &asked.role)) {
        return Err(arm_error(StatusCode::CONFLICT, "RoleAssignmentExists", "The role assignment already exists."));
    }
    let assignment = Assignment {
        name: name.to_owned(),
        scope: scope.to_owned(),
        principal: asked.principal,
        principal_type,
        role: asked.role,
        condition: asked.condition,
        condition_version: asked.condition_version,
        description: asked.description,
        created: call.now,
        updated: call.now,
        created_by: Some(call.caller.object_id.clone()),
        updated_by: Some(call.caller.object_id.clone()),
        effective: call.now + world.timing.propagation,
        fades: None,
        listed: call.now + world.timing.listing,
        unlisted: None,
    };
    let mut answer = body(world, &assignment);
    // Recorded: who made it is missing from the answer that says it was made.
    answer["properties"]["createdBy"] = Value::Null;
    world.access.assignments.push(assignment);
    Ok(reply::json(StatusCode::CREATED, &answer))
}
