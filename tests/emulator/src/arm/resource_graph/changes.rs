//! The table `resourcechanges`: what writes have changed at the resources of the table `resources`. See [Get resource
//! changes](https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes) and
//! [Changes](https://learn.microsoft.com/rest/api/resources/changes). The form of the values is known from public threads.
//!
//! Azure shows a change within five minutes; here it is shown at once, unless the index is
//! [frozen](crate::Emulator::freeze_resource_graph). Not established: how a path names an item of a list, and whether more than reading the
//! resource is needed to see its changes. What a service changes later on its own, and what goes with its group, is not recorded here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::NETWORK;
use crate::arm::Call;
use crate::principal::stable_id;
use crate::world::World;

/// For how long Azure keeps a change.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The oldest are forgotten beyond this number.
const MOST_CHANGES: usize = 10_000;
/// What is no setting of a resource.
const NO_SETTINGS: [&str; 5] = ["id", "name", "type", "systemData", "eTag"];

/// A change of a resource.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    at: Instant,
    target: String,
    target_type: String,
    /// `Create`, `Update` or `Delete`.
    kind: &'static str,
    /// The values of each property before and after.
    properties: BTreeMap<String, (Option<String>, Option<String>)>,
    client: String,
    correlation: String,
    operation: String,
}

/// The resource that a path belongs to: the one itself, or the nearest above.
pub(in crate::arm) fn resource_at(world: &World, call: &Call<'_>) -> Option<Value> {
    if *call.method() == Method::GET {
        return None;
    }
    let path = &call.path;
    let is_here = |id: &str| {
        let rest = path.split_at_checked(id.len()).filter(|(start, _)| start.eq_ignore_ascii_case(id));
        rest.is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
    };
    let is_listed = |body: &Value| {
        let kind = body["type"].as_str().and_then(|kind| kind.strip_prefix("Microsoft.Network/"));
        kind.is_some_and(|kind| NETWORK.contains(&kind))
    };
    let registry = world.registries.iter().find(|one| is_here(&one.id())).map(|one| one.body(world));
    let cluster = || world.clusters.iter().find(|one| is_here(&one.id())).map(|one| one.body(world));
    let identity = || world.identities.iter().find(|one| is_here(&one.id())).map(|one| one.body(world));
    let network = || {
        let found = world.resources.iter().filter(|(id, body)| is_here(id) && is_listed(body));
        found.max_by_key(|(id, _)| id.len()).map(|(_, body)| body.clone())
    };
    registry.or_else(cluster).or_else(identity).or_else(network)
}

/// Notes what a write that has succeeded made of a resource, with the correlation ID and the operation of its event.
pub(in crate::arm) fn note(
    world: &mut World,
    call: &Call<'_>,
    before: Option<Value>,
    (correlation, operation): (String, String),
) {
    let id = |body: &Value| body["id"].as_str().unwrap_or_default().to_ascii_lowercase();
    let (target, kind, properties) = match (before, resource_at(world, call)) {
        (Some(before), Some(after)) if id(&before) == id(&after) => {
            let properties = differences(&before, &after);
            if properties.is_empty() {
                return;
            }
            (after, "Update", properties)
        }
        (Some(before), after) if after.as_ref().is_none_or(|after| id(after).len() < id(&before).len()) => {
            (before, "Delete", BTreeMap::new())
        }
        (_, Some(after)) => (after, "Create", BTreeMap::new()),
        (_, None) => return,
    };
    let text = |name: &str| target[name].as_str().unwrap_or_default().to_owned();
    let change = Change {
        at: call.now,
        target: text("id"),
        target_type: text("type").to_ascii_lowercase(),
        kind,
        properties,
        client: call.caller.client_id.clone(),
        correlation,
        operation,
    };
    if world.changes.len() >= MOST_CHANGES {
        world.changes.remove(0);
    }
    world.changes.push(change);
}

fn differences(before: &Value, after: &Value) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let (before, after) = (settings(before), settings(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differs.map(|name| (name.clone(), (before.get(name).cloned(), after.get(name).cloned()))).collect()
}

/// The values of a resource by their paths.
fn settings(body: &Value) -> BTreeMap<String, String> {
    fn add(all: &mut BTreeMap<String, String>, path: &str, value: &Value) {
        let text = match value {
            Value::Null => return,
            Value::Object(parts) => {
                return parts.iter().for_each(|(name, part)| add(all, &format!("{path}.{name}"), part));
            }
            Value::Array(parts) => {
                return parts.iter().enumerate().for_each(|(at, part)| add(all, &format!("{path}[{at}]"), part));
            }
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
        };
        all.insert(path.to_owned(), text);
    }
    let mut all = BTreeMap::new();
    let parts = body.as_object().into_iter().flatten().filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()));
    parts.for_each(|(name, part)| add(&mut all, name, part));
    all
}

/// The rows, each with the type and the ID of the resource that was changed.
pub(super) fn rows(world: &World, now: Instant) -> Vec<(String, String, Value)> {
    let is_shown = |change: &&Change| {
        now.saturating_duration_since(change.at) <= KEPT && world.changes_until.is_none_or(|until| change.at <= until)
    };
    let row = |change: &Change| (change.target_type.clone(), change.target.clone(), body(world, change));
    world.changes.iter().filter(is_shown).map(row).collect()
}

fn body(world: &World, change: &Change) -> Value {
    let time = world.clock.rfc3339(change.at);
    let made = |what: &str| stable_id(&format!("{what} of {} at {time} by {}", change.target, change.correlation));
    let changes: Map<String, Value> = change
        .properties
        .iter()
        .map(|(name, (before, after))| {
            let mut values = json!({"previousValue": before});
            if let Some(after) = after {
                values["newValue"] = after.as_str().into();
            }
            (name.clone(), values)
        })
        .collect();
    let mut properties = json!({
        "targetResourceId": change.target,
        "targetResourceType": change.target_type,
        "changeType": change.kind,
        "changeAttributes": {
            "previousResourceSnapshotId": made("before"),
            "newResourceSnapshotId": made("after"),
            "correlationId": change.correlation,
            "changesCount": changes.len(),
            "timestamp": time,
            "clientType": "Unknown",
            "changedBy": change.client,
            "operation": change.operation,
        },
    });
    if change.kind == "Update" {
        properties["changes"] = changes.into();
    }
    let name = made("change");
    json!({
        "id": format!("{}/providers/Microsoft.Resources/changes/{name}", change.target),
        "name": name,
        "type": "Microsoft.Resources/changes",
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_path_of_a_value() {
        let before = json!({"id": "/r", "properties": {"on": false, "rules": [{"value": "a"}]}, "eTag": "1"});
        let after = json!({"id": "/r", "properties": {"on": true, "rules": []}, "tags": {"team": "b"}, "eTag": "2"});
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            differences(&before, &after),
            BTreeMap::from([
                ("properties.on".to_owned(), (text("False"), text("True"))),
                ("properties.rules[0].value".to_owned(), (text("a"), None)),
                ("tags.team".to_owned(), (None, text("b"))),
            ])
        );
    }
}
