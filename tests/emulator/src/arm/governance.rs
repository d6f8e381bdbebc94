//! What stands in the way of those who have the right: deny assignments, and policies with the effect `deny`.
//!
//! Azure's answers to both are known from public threads, not from a recording.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Call, page};
use crate::emulator::Emulator;
use crate::principal::stable_id;
use crate::rbac::{Wanted, matches, within};
use crate::reply::{self, Reply, gateway_error};
use crate::world::World;

/// A policy that denies resources of a type, assigned to a scope.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    name: String,
    resource_type: String,
    scope: String,
}

/// What no caller may do at a scope and below, whatever roles it has, with a few exceptions.
#[derive(Clone, Debug)]
pub(crate) struct DenyAssignment {
    name: String,
    actions: Vec<String>,
    data_actions: Vec<String>,
    scope: String,
    /// Object ids of the principals that it excludes.
    excluded: Vec<String>,
}

#[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
impl Emulator {
    /// Assigns a policy with the effect `deny` to a scope: resources of this type (as `Microsoft.ContainerRegistry/registries`) are
    /// neither made nor changed there and below.
    pub fn add_policy(&self, name: &str, resource_type: &str, scope: &str) {
        let (name, resource_type, scope) = (name.to_owned(), resource_type.to_owned(), scope.to_owned());
        self.act(|world| world.policies.push(Policy { name, resource_type, scope }));
    }

    /// Takes a policy away. The answer is whether it was there.
    pub fn remove_policy(&self, name: &str) -> bool {
        self.act(|world| {
            let before = world.policies.len();
            world.policies.retain(|policy| policy.name != name);
            before != world.policies.len()
        })
    }

    /// Denies actions (with `*` for anything) to all at a scope and below, except for these callers.
    ///
    /// # Panics
    /// If the caller does not exist.
    pub fn add_deny_assignment(&self, name: &str, actions: &[&str], scope: &str, but_for: &[&str]) {
        self.deny(name, (actions, &[]), scope, but_for);
    }

    /// The same with actions on data, which are what counts in a registry with repository permissions.
    ///
    /// # Panics
    /// If one of those callers does not exist.
    pub fn add_data_deny_assignment(&self, name: &str, data_actions: &[&str], scope: &str, but_for: &[&str]) {
        self.deny(name, (&[], data_actions), scope, but_for);
    }

    fn deny(&self, name: &str, (actions, data_actions): (&[&str], &[&str]), scope: &str, but_for: &[&str]) {
        let excluded = but_for.iter().map(|caller| {
            let id = self.member_id(caller).unwrap_or_default();
            assert!(!id.is_empty(), "caller {caller} does not exist");
            id
        });
        let denied = DenyAssignment {
            name: name.to_owned(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            data_actions: data_actions.iter().map(|action| (*action).to_owned()).collect(),
            scope: scope.to_owned(),
            excluded: excluded.collect(),
        };
        self.act(|world| world.deny_assignments.push(denied));
    }

    /// Removes the deny assignments of this name, as the deletion of the deployment stack that owns them does.
    pub fn remove_deny_assignment(&self, name: &str) {
        self.act(|world| world.deny_assignments.retain(|one| one.name != name));
    }
}

/// Lists deny assignments at a scope, and at the scopes above it.
pub(super) fn serve(world: &World, call: &Call<'_>, scope: &str, name: Option<&str>) -> Option<Reply> {
    if (call.method(), name) != (&Method::GET, None) {
        return None;
    }
    let filter = call.parameter("$filter").unwrap_or_default().trim();
    if !filter.eq_ignore_ascii_case("atScope()") {
        return Some(super::filter_unknown(call));
    }
    if let Err(refusal) = call.demand_action(world, "Microsoft.Authorization/denyAssignments/read", scope) {
        return Some(refusal);
    }
    let here = world.deny_assignments.iter().filter(|one| within(scope, &one.scope));
    Some(page(world, call, &here.map(DenyAssignment::body).collect::<Vec<_>>()))
}

impl DenyAssignment {
    fn guid(&self) -> String {
        stable_id(&format!("deny/{}", self.name))
    }

    /// As in the reference of the REST API, 2022-04-01.
    fn body(&self) -> Value {
        let excluded: Vec<Value> =
            self.excluded.iter().map(|id| json!({"id": id, "type": "ServicePrincipal"})).collect();
        json!({
            "id": format!("{}/providers/Microsoft.Authorization/denyAssignments/{}", self.scope, self.guid()),
            "type": "Microsoft.Authorization/denyAssignments",
            "name": self.guid(),
            "properties": {
                "denyAssignmentName": self.name,
                "description": "",
                "permissions": [{"actions": self.actions, "notActions": [], "dataActions": self.data_actions, "notDataActions": []}],
                "scope": self.scope,
                "doNotApplyToChildScopes": false,
                "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "Everyone"}],
                "excludePrincipals": excluded,
                "isSystemProtected": true,
            },
        })
    }
}

/// The answer to a caller who has the right, where something else keeps them from using it.
pub(super) fn refusal(world: &World, call: &Call<'_>, wanted: &Wanted<'_>, shown_scope: &str) -> Option<Reply> {
    denied(world, call, wanted, shown_scope)
        .or_else(|| super::lock::refusal(world, wanted.action, wanted.scope))
        .or_else(|| disallowed(world, wanted, shown_scope))
}

/// The deny assignment that takes an action from a caller, given as its principals.
pub(crate) fn denying<'a>(world: &'a World, ids: &[String], wanted: &Wanted<'_>) -> Option<&'a DenyAssignment> {
    let stops = |one: &&DenyAssignment| {
        within(wanted.scope, &one.scope)
            && if wanted.data { &one.data_actions } else { &one.actions }
                .iter()
                .any(|pattern| matches(pattern, wanted.action))
            && !ids.iter().any(|id| one.excluded.contains(id))
    };
    world.deny_assignments.iter().find(stops)
}

fn denied(world: &World, call: &Call<'_>, wanted: &Wanted<'_>, shown_scope: &str) -> Option<Reply> {
    let one = denying(world, &call.caller.ids(), wanted)?;
    let message = format!(
        "The client '{}' with object id '{}' has permission to perform action '{}' on scope '{shown_scope}'; however, the access \
         is denied because of the deny assignment with name '{}' and Id '{}' at scope '{}'.",
        call.caller.client_id,
        call.caller.object_id,
        wanted.action,
        one.name,
        one.guid().replace('-', ""),
        one.scope,
    );
    Some(gateway_error(StatusCode::FORBIDDEN, "DenyAssignmentAuthorizationFailed", &message))
}

/// Policies judge what a request would make or change; all that are violated are named.
fn disallowed(world: &World, wanted: &Wanted<'_>, shown_scope: &str) -> Option<Reply> {
    let resource_type = wanted.action.strip_suffix("/write").filter(|_| !wanted.data)?;
    let stops =
        |one: &&Policy| one.resource_type.eq_ignore_ascii_case(resource_type) && within(wanted.scope, &one.scope);
    let violated: Vec<&Policy> = world.policies.iter().filter(stops).collect();
    if violated.is_empty() {
        return None;
    }
    let identifiers: Vec<Value> = violated.iter().map(|one| one.identifiers()).collect();
    let name = shown_scope.rsplit('/').next().unwrap_or_default();
    let message =
        format!("Resource '{name}' was disallowed by policy. Policy identifiers: '{}'.", Value::from(identifiers));
    let info: Vec<Value> = violated.iter().map(|one| one.violation(resource_type)).collect();
    let error = json!({
        "code": "RequestDisallowedByPolicy",
        "target": name,
        "message": message,
        "additionalInfo": info,
    });
    let answer = reply::json(StatusCode::FORBIDDEN, &json!({ "error": error }));
    Some(reply::with(answer, "x-ms-failure-cause", "gateway"))
}

impl Policy {
    fn id(&self, kind: &str) -> String {
        format!("{}/providers/Microsoft.Authorization/{kind}/{}", self.scope, self.name)
    }

    fn identifiers(&self) -> Value {
        json!({
            "policyAssignment": {"name": self.name, "id": self.id("policyAssignments")},
            "policyDefinition": {"name": self.name, "id": self.id("policyDefinitions")},
        })
    }

    fn violation(&self, resource_type: &str) -> Value {
        json!({
            "type": "PolicyViolation",
            "info": {
                "evaluationDetails": {"evaluatedExpressions": [{
                    "result": "True",
                    "expressionKind": "Field",
                    "expression": "type",
                    "path": "type",
                    "expressionValue": resource_type,
                    "targetValue": self.resource_type,
                    "operator": "Equals",
                }]},
                "policyDefinitionId": self.id("policyDefinitions"),
                "policyDefinitionName": self.name,
                "policyDefinitionDisplayName": self.name,
                "policyDefinitionEffect": "deny",
                "policyAssignmentId": self.id("policyAssignments"),
                "policyAssignmentName": self.name,
                "policyAssignmentDisplayName": self.name,
                "policyAssignmentScope": self.scope,
                "policyAssignmentParameters": {},
            },
        })
    }
}
