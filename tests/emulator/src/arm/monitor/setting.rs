//! Diagnostic settings of registries: which logs go where. See [Diagnostic
//! settings](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/create-or-update). Of the places, only workspaces matter here.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::logs::TABLES;
use crate::arm::{Call, page, resource_missing};
use crate::reply::{self, Reply, gateway_error};
use crate::world::World;

const GROUPS: [&str; 2] = ["allLogs", "audit"];

pub(super) fn route(
    world: &mut World,
    call: &Call<'_>,
    scope: &str,
    name: Option<&str>,
) -> Option<Result<Reply, Reply>> {
    Some(match (call.method(), name) {
        (&Method::GET, None) => list(world, call, scope),
        (&Method::GET, Some(name)) => get(world, call, scope, name),
        (&Method::PUT, Some(name)) => put(world, call, scope, name),
        (&Method::DELETE, Some(name)) => delete(world, call, scope, name),
        _ => return None,
    })
}

/// Continues only if the caller may do this, and the resource is a registry that exists: others have no settings here.
fn demand(world: &World, call: &Call<'_>, verb: &str, scope: &str) -> Result<(), Reply> {
    call.demand_action(world, &format!("Microsoft.Insights/diagnosticSettings/{verb}"), scope)?;
    if world.registries.iter().any(|one| one.id().eq_ignore_ascii_case(scope)) {
        return Ok(());
    }
    let part = |at: usize| scope.split('/').nth(at).unwrap_or_default();
    Err(resource_missing(&format!("{}/{}", part(6), part(7)), part(4), part(8)))
}

fn key(scope: &str, name: &str) -> (String, String) {
    (scope.to_ascii_lowercase(), name.to_ascii_lowercase())
}

fn list(world: &World, call: &Call<'_>, scope: &str) -> Result<Reply, Reply> {
    demand(world, call, "read", scope)?;
    let here = world.monitor.settings.iter().filter(|((of, _), _)| of.eq_ignore_ascii_case(scope));
    Ok(page(world, call, &here.map(|(_, body)| body.clone()).collect::<Vec<_>>()))
}

fn get(world: &World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    demand(world, call, "read", scope)?;
    let found = world.monitor.settings.get(&key(scope, name));
    let missing =
        || resource_missing("Microsoft.Insights/diagnosticSettings", scope.split('/').nth(4).unwrap_or_default(), name);
    Ok(reply::json(StatusCode::OK, found.ok_or_else(missing)?))
}

fn put(world: &mut World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    demand(world, call, "write", scope)?;
    let properties = call.json()?["properties"].clone();
    if let Some(id) = properties["workspaceId"].as_str() {
        // Documented: who makes a workspace a destination needs this there.
        call.demand_action(world, "Microsoft.OperationalInsights/workspaces/sharedKeys/action", id)?;
        if !world.monitor.workspaces.contains_key(&id.to_ascii_lowercase()) {
            let part = |at: usize| id.split('/').nth(at).unwrap_or_default();
            return Err(resource_missing("Microsoft.OperationalInsights/workspaces", part(4), part(8)));
        }
    }
    let places = ["workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId"];
    if places.iter().all(|place| properties[*place].is_null()) {
        return Err(bad("At least one data sink needs to be specified."));
    }
    for log in properties["logs"].as_array().into_iter().flatten() {
        let is_known = |field: &str, all: &[&str]| log[field].as_str().is_none_or(|one| all.contains(&one));
        if !is_known("category", &TABLES) || !is_known("categoryGroup", &GROUPS) {
            let category = log["category"].as_str().or(log["categoryGroup"].as_str()).unwrap_or_default();
            return Err(bad(&format!("Category '{category}' is not supported.")));
        }
    }
    world.monitor.put_setting(scope, name, &properties);
    Ok(reply::json(StatusCode::OK, &world.monitor.settings[&key(scope, name)]))
}

/// The code is from the reference, the words are from public threads.
fn bad(message: &str) -> Reply {
    gateway_error(StatusCode::BAD_REQUEST, "BadRequest", message)
}

fn delete(world: &mut World, call: &Call<'_>, scope: &str, name: &str) -> Result<Reply, Reply> {
    demand(world, call, "delete", scope)?;
    let gone = world.monitor.settings.remove(&key(scope, name));
    Ok(reply::empty(if gone.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}

impl super::Monitor {
    pub(super) fn put_setting(&mut self, scope: &str, name: &str, properties: &Value) {
        let id = format!("{scope}/providers/microsoft.insights/diagnosticSettings/{name}");
        let body =
            json!({"id": id, "name": name, "type": "Microsoft.Insights/diagnosticSettings", "properties": properties});
        self.settings.insert(key(scope, name), body);
    }

    /// The workspaces that the settings of a resource name.
    pub(super) fn workspaces_of(&self, scope: &str, sends: impl Fn(&Value) -> bool) -> Vec<String> {
        let here = self.settings.iter().filter(|((of, _), _)| of.eq_ignore_ascii_case(scope));
        let named = here.filter(|(_, body)| sends(&body["properties"]));
        let ids = named.filter_map(|(_, body)| body["properties"]["workspaceId"].as_str().map(str::to_ascii_lowercase));
        let mut ids: Vec<String> = ids.filter(|id| self.workspaces.contains_key(id)).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// Whether a setting sends a table.
pub(super) fn sends(properties: &Value, table: &str) -> bool {
    let is_meant = |log: &Value| {
        let in_group = log["categoryGroup"].as_str().is_some_and(|group| GROUPS.contains(&group));
        log["enabled"] == true && (log["category"] == table || in_group)
    };
    properties["logs"].as_array().is_some_and(|logs| logs.iter().any(is_meant))
}
