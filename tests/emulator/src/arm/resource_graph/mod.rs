//! Azure Resource Graph: an index of the resources that the caller can read, in all subscriptions. See
//! [Resources](https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources).

pub(crate) mod changes;

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Call;
use super::group::sees_something;
use super::kql::Query;
use crate::emulator::Emulator;
use crate::rbac::Wanted;
use crate::reply::{self, Reply};
use crate::world::World;

/// How many rows a response has, if the query names no other number, and at most. See [large data
/// sets](https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data).
const USUAL_ROWS: u64 = 100;
const MOST_ROWS: u64 = 1000;
const TABLES: [&str; 2] = ["resources", "resourcechanges"];
/// The columns that every row has. See [the schema of
/// `resources`](https://learn.microsoft.com/azure/governance/resource-graph/concepts/explore-resources).
const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
];
/// The types of `Microsoft.Network` that the table has of those that are stored here.
const NETWORK: [&str; 7] = [
    "virtualNetworks",
    "privateEndpoints",
    "natGateways",
    "publicIPAddresses",
    "publicIPPrefixes",
    "privateDnsZones",
    "privateDnsZones/virtualNetworkLinks",
];

pub(super) fn route(world: &World, call: &Call<'_>, lower: &[&str]) -> Option<Reply> {
    let is_query = matches!(lower, ["providers", "microsoft.resourcegraph", "resources"]);
    (is_query && call.method() == Method::POST).then(|| answer(world, call).unwrap_or_else(|refusal| refusal))
}

fn answer(world: &World, call: &Call<'_>) -> Result<Reply, Reply> {
    let sent = call.json()?;
    let text = sent["query"].as_str().ok_or_else(|| refusal("InvalidQuery", "Query is missing."))?;
    let query = Query::parse(text, world.clock.wall(call.now), |_| Ok(COLUMNS.to_vec()));
    let query = query.map_err(|fault| refusal("ParserFailure", &fault))?;
    let table = query.tables[0].to_ascii_lowercase();
    if !TABLES.contains(&table.as_str()) || query.is_union {
        let fault = format!("Failed to resolve table or column expression named '{}'", query.tables[0]);
        return Err(refusal("UnknownTable", &fault));
    }
    let options = &sent["options"];
    if options["resultFormat"].as_str().is_some_and(|format| !format.eq_ignore_ascii_case("objectArray")) {
        return Err(crate::world::unknown_request(call.method(), call.request.uri()));
    }
    let scope: Option<Vec<&str>> =
        sent["subscriptions"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect());
    let (rows, has_id) = query.run(rows(world, call, &table, scope.as_deref())?);
    let top = options["$top"].as_u64().unwrap_or(USUAL_ROWS).min(MOST_ROWS);
    let top = usize::try_from(top).unwrap_or(usize::MAX);
    let from = options["$skipToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0).min(rows.len());
    let to = from.saturating_add(top).min(rows.len());
    let mut body = json!({
        "totalRecords": rows.len(), "count": to - from, "facets": [], "data": rows[from..to],
        "resultTruncated": if to < rows.len() && !has_id { "true" } else { "false" },
    });
    if to < rows.len() && has_id {
        body["$skipToken"] = to.to_string().into();
    }
    Ok(reply::json(StatusCode::OK, &body))
}

/// The error of a query. Its shape is known from public threads.
fn refusal(code: &str, message: &str) -> Reply {
    let details = json!([
        {"code": "InvalidQuery", "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying."},
        {"code": code, "message": message},
    ]);
    let text = "Please provide below info when asking for support: timestamp = , correlationId = .";
    reply::json(StatusCode::BAD_REQUEST, &json!({"error": {"code": "BadRequest", "message": text, "details": details}}))
}

/// The rows of a table that the caller can read, or the refusal if that is nothing in any subscription: see
/// [permissions](https://learn.microsoft.com/azure/governance/resource-graph/overview#permissions-in-azure-resource-graph).
fn rows(world: &World, call: &Call<'_>, table: &str, scope: Option<&[&str]>) -> Result<Vec<Value>, Reply> {
    let is_meant = |id: &str| scope.is_none_or(|all| all.iter().any(|one| one.eq_ignore_ascii_case(id)));
    let meant = world.subscriptions.iter().filter(|id| is_meant(id));
    if !meant.clone().any(|id| sees_something(world, &call.caller, &format!("/subscriptions/{id}"))) {
        let message = "Access is denied to the requested resource. The user might not have enough permission.";
        return Err(reply::json(
            StatusCode::FORBIDDEN,
            &json!({"error": {"code": "AccessDenied", "message": message}}),
        ));
    }
    let meant: BTreeSet<String> = meant.map(|id| id.to_ascii_lowercase()).collect();
    let is_visible = |(kind, id, _): &(String, String, Value)| {
        let subscription = id.split('/').nth(2).unwrap_or_default().to_ascii_lowercase();
        meant.contains(&subscription)
            && world.permits(&call.caller, &Wanted::action(&format!("{kind}/read"), id), call.now)
    };
    let all = if table == "resources" { all(world) } else { changes::rows(world, call.now) };
    Ok(all.into_iter().filter(is_visible).map(|(_, _, row)| indexed(world, row)).collect())
}

/// All that the table `resources` has, visible or not, each with its type and ID.
fn all(world: &World) -> Vec<(String, String, Value)> {
    let is_listed = |body: &&Value| {
        let kind = body["type"].as_str().and_then(|kind| kind.strip_prefix("Microsoft.Network/"));
        kind.is_some_and(|kind| NETWORK.contains(&kind))
    };
    let network = world.index.as_ref().unwrap_or(&world.resources).values().filter(is_listed).cloned();
    let registries = world.registries.iter().map(|one| one.body(world));
    let clusters = world.clusters.iter().map(|one| one.body(world));
    let identities = world.identities.iter().map(|one| one.body(world));
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let all = network.chain(registries).chain(clusters).chain(identities);
    all.map(|row| (text(&row, "type"), text(&row, "id"), row)).collect()
}

/// A resource as the index has it: with its place as columns, and its type and group in small letters.
fn indexed(world: &World, mut row: Value) -> Value {
    let id = row["id"].as_str().unwrap_or_default().to_owned();
    let part = |at: usize| id.split('/').nth(at).unwrap_or_default().to_ascii_lowercase();
    row["subscriptionId"] = part(2).into();
    row["resourceGroup"] = part(4).into();
    row["type"] = row["type"].as_str().unwrap_or_default().to_ascii_lowercase().into();
    row["tenantId"] = world.tenant.clone().into();
    row
}

impl Emulator {
    /// Lets Azure Resource Graph lag behind: from now on, it shows networks, private endpoints and private DNS zones as they are at this moment,
    /// and no later changes of any resource.
    pub fn freeze_resource_graph(&self) {
        self.act(|world| {
            world.index = Some(world.resources.clone());
            world.changes_until = Some(world.clock.now());
        });
    }
}
