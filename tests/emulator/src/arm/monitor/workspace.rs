//! Log Analytics workspaces. See [Workspaces](https://learn.microsoft.com/rest/api/loganalytics/workspaces/create-or-update).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::arm::{Call, demand_group, page, resource_missing};
use crate::principal::stable_id;
use crate::registry::merge;
use crate::reply::{self, Reply};
use crate::world::World;

const KIND: &str = "Microsoft.OperationalInsights/workspaces";

pub(super) fn route(
    world: &mut World,
    call: &Call<'_>,
    segments: &[&str],
    rest: &[&str],
) -> Option<Result<Reply, Reply>> {
    let id = format!("/{}", segments.join("/"));
    Some(match (call.method(), rest) {
        (&Method::GET, []) => list(world, call, &id, segments),
        (&Method::GET, [_]) => get(world, call, &id, segments),
        (&Method::PUT, [_]) => put(world, call, &id, segments),
        (&Method::DELETE, [_]) => delete(world, call, &id, segments),
        _ => return None,
    })
}

fn demand(world: &World, call: &Call<'_>, verb: &str, id: &str, segments: &[&str]) -> Result<(), Reply> {
    call.demand_action(world, &format!("{KIND}/{verb}"), id)?;
    demand_group(world, segments[1], segments[3])
}

fn list(world: &World, call: &Call<'_>, id: &str, segments: &[&str]) -> Result<Reply, Reply> {
    demand(world, call, "read", id, segments)?;
    let within = format!("{}/", id.to_ascii_lowercase());
    let found = world.monitor.workspaces.iter().filter(|(one, _)| one.starts_with(&within));
    Ok(page(world, call, &found.map(|(_, body)| body.clone()).collect::<Vec<_>>()))
}

fn get(world: &World, call: &Call<'_>, id: &str, segments: &[&str]) -> Result<Reply, Reply> {
    demand(world, call, "read", id, segments)?;
    let found = world.monitor.workspaces.get(&id.to_ascii_lowercase());
    let found = found.ok_or_else(|| resource_missing(KIND, segments[3], segments[segments.len() - 1]))?;
    Ok(reply::json(StatusCode::OK, found))
}

fn put(world: &mut World, call: &Call<'_>, id: &str, segments: &[&str]) -> Result<Reply, Reply> {
    demand(world, call, "write", id, segments)?;
    let is_new = world.monitor.put_workspace(id, &call.json()?);
    let body = &world.monitor.workspaces[&id.to_ascii_lowercase()];
    Ok(reply::json(if is_new { StatusCode::CREATED } else { StatusCode::OK }, body))
}

fn delete(world: &mut World, call: &Call<'_>, id: &str, segments: &[&str]) -> Result<Reply, Reply> {
    demand(world, call, "delete", id, segments)?;
    let gone = world.monitor.workspaces.remove(&id.to_ascii_lowercase());
    Ok(reply::empty(if gone.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}

impl super::Monitor {
    /// Makes or changes a workspace. A new one uses resource or workspace permissions: see [access control
    /// mode](https://learn.microsoft.com/azure/azure-monitor/logs/manage-access#access-control-mode).
    pub(super) fn put_workspace(&mut self, id: &str, sent: &Value) -> bool {
        let key = id.to_ascii_lowercase();
        let is_new = !self.workspaces.contains_key(&key);
        let name = id.rsplit('/').next().unwrap_or_default();
        let body = self.workspaces.entry(key).or_insert_with(|| {
            json!({
                "id": id, "name": name, "type": KIND,
                "properties": {
                    "customerId": stable_id(&format!("{id}/customer")),
                    "provisioningState": "Succeeded",
                    "retentionInDays": 30,
                    "sku": {"name": "PerGB2018"},
                    "features": {"enableLogAccessUsingOnlyResourcePermissions": true},
                },
            })
        });
        for field in ["location", "tags", "properties"] {
            if let Some(value) = sent.get(field) {
                if body.get(field).is_none() {
                    body[field] = Value::Null;
                }
                merge(&mut body[field], value);
            }
        }
        is_new
    }

    /// Whether the permissions on a resource are enough to read its logs in a workspace.
    pub(super) fn uses_resource_permissions(&self, id: &str) -> bool {
        let body = self.workspaces.get(&id.to_ascii_lowercase());
        body.is_some_and(|body| body["properties"]["features"]["enableLogAccessUsingOnlyResourcePermissions"] == true)
    }
}
