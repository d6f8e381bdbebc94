//! Roles that callers are eligible for in Privileged Identity Management: they have no effect until they are activated.
//!
//! The fields are those of the reference of the REST API, 2020-10-01, not of a recording.

use http::Method;
use serde_json::{Value, json};

use super::{Call, page};
use crate::emulator::Emulator;
use crate::principal::stable_id;
use crate::rbac::within;
use crate::reply::Reply;
use crate::world::World;

/// A role that a principal can activate at a scope.
#[derive(Clone, Debug)]
pub(crate) struct Eligibility {
    principal: String,
    role: String,
    scope: String,
}

impl Emulator {
    /// Makes a caller eligible for a built-in role at a scope. To activate it, grant the role.
    ///
    /// # Panics
    /// If the caller or the role does not exist.
    pub fn add_eligible_role(&self, caller: &str, role: &str, scope: &str) {
        let principal = self.object_id_of(caller);
        assert!(!principal.is_empty(), "caller {caller} does not exist");
        self.act(|world| {
            assert!(world.access.role_named(role).is_some(), "role {role} does not exist");
            world.eligible.push(Eligibility { principal, role: role.to_owned(), scope: scope.to_owned() });
        });
    }
}

/// Lists those of the caller at a scope, above it and below it. Nobody needs a permission for their own.
pub(super) fn serve(world: &World, call: &Call<'_>, scope: &str, name: Option<&str>) -> Option<Reply> {
    if (call.method(), name) != (&Method::GET, None) {
        return None;
    }
    let filter = call.parameter("$filter").unwrap_or_default().trim();
    if !filter.eq_ignore_ascii_case("asTarget()") {
        return Some(super::filter_unknown(call));
    }
    let ids = call.caller.ids();
    let is_here = |one: &&Eligibility| within(scope, &one.scope) || within(&one.scope, scope);
    let own = world.eligible.iter().filter(|one| ids.contains(&one.principal)).filter(is_here);
    Some(page(world, call, &own.map(|one| one.body(world)).collect::<Vec<_>>()))
}

impl Eligibility {
    fn body(&self, world: &World) -> Value {
        let name = stable_id(&format!("eligible/{}/{}/{}", self.principal, self.role, self.scope));
        let role = world.access.role_named(&self.role).map(|role| role.id.clone()).unwrap_or_default();
        let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{role}", self.scope);
        let kind = "Microsoft.Authorization/roleEligibilityScheduleInstances";
        json!({
            "id": format!("{}/providers/{kind}/{name}", self.scope),
            "name": name,
            "type": kind,
            "properties": {
                "scope": self.scope,
                "roleDefinitionId": role,
                "principalId": self.principal,
                "principalType": "User",
                "status": "Accepted",
                "memberType": "Direct",
                "startDateTime": "2026-01-01T00:00:00Z",
                "endDateTime": null,
                "expandedProperties": {
                    "scope": {"id": self.scope, "displayName": self.scope, "type": "resource"},
                    "roleDefinition": {"id": role, "displayName": self.role, "type": "BuiltInRole"},
                    "principal": {"id": self.principal, "type": "User"},
                },
            },
        })
    }
}
