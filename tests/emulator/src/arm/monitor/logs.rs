//! The resource logs of registries, and queries of them at the registry. See [querying logs for Azure
//! resources](https://learn.microsoft.com/azure/azure-monitor/logs/api/azure-resource-queries).

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::setting::sends;
use crate::arm::Call;
use crate::arm::kql::Query;
use crate::rbac::Wanted;
use crate::reply::{self, Reply};
use crate::world::World;

/// The tables, which have the names of the categories.
pub(super) const TABLES: [&str; 2] = [LOGINS, REPOSITORIES];
pub(crate) const LOGINS: &str = "ContainerRegistryLoginEvents";
pub(crate) const REPOSITORIES: &str = "ContainerRegistryRepositoryEvents";
/// Columns of both tables. See [their
/// reference](https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryloginevents).
const COLUMNS: [&str; 16] = [
    "CallerIpAddress",
    "Category",
    "CorrelationId",
    "DurationMs",
    "Identity",
    "LoginServer",
    "OperationName",
    "Region",
    "ResultDescription",
    "ResultType",
    "SourceSystem",
    "TenantId",
    "TimeGenerated",
    "Type",
    "UserAgent",
    "_ResourceId",
];
const OF_LOGINS: [&str; 1] = ["JwtId"];
const OF_REPOSITORIES: [&str; 7] = ["ArtifactType", "Digest", "MediaType", "Repository", "Size", "Tag", "UserTenantId"];
/// The oldest are forgotten beyond this number.
const MOST_ROWS: usize = 10_000;

/// A row, in one workspace.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    at: Instant,
    registry: String,
    workspace: String,
    columns: Value,
}

/// What a registry has answered, for its logs.
pub(crate) struct Logged {
    pub(crate) table: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) identity: String,
    pub(crate) address: String,
    pub(crate) status: StatusCode,
    pub(crate) user_agent: String,
    /// The repository, the tag and the digest.
    pub(crate) image: Option<(String, String, String)>,
}

impl World {
    /// Notes what a registry has answered, if a setting sends it to a workspace.
    pub(crate) fn note_log(&mut self, registry: &str, host: &str, region: &str, logged: &Logged, now: Instant) {
        let workspaces = self.monitor.workspaces_of(registry, |properties| sends(properties, logged.table));
        if workspaces.is_empty() {
            return;
        }
        let mut columns = json!({
            "TimeGenerated": self.clock.rfc3339(now), "Type": logged.table, "Category": logged.table,
            "OperationName": logged.operation, "Identity": logged.identity, "CallerIpAddress": logged.address,
            "ResultType": "HttpStatusCode", "ResultDescription": logged.status.as_u16().to_string(),
            "CorrelationId": self.ids.id(), "LoginServer": host, "Region": region, "DurationMs": "1",
            "UserAgent": logged.user_agent, "SourceSystem": "Azure", "_ResourceId": registry.to_ascii_lowercase(),
        });
        if let Some((repository, tag, digest)) = &logged.image {
            columns["Repository"] = repository.as_str().into();
            columns["Tag"] = tag.as_str().into();
            columns["Digest"] = digest.as_str().into();
            columns["ArtifactType"] = "acr.docker".into();
        }
        for workspace in workspaces {
            let tenant = self.monitor.workspaces[&workspace]["properties"]["customerId"].clone();
            let mut columns = columns.clone();
            columns["TenantId"] = tenant;
            if self.monitor.rows.len() >= MOST_ROWS {
                self.monitor.rows.remove(0);
            }
            self.monitor.rows.push(Row { at: now, registry: registry.to_owned(), workspace, columns });
        }
    }
}

pub(super) fn route(world: &World, call: &Call<'_>, scope: &str) -> Option<Result<Reply, Reply>> {
    (call.method() == Method::POST).then(|| answer(world, call, scope))
}

fn answer(world: &World, call: &Call<'_>, scope: &str) -> Result<Reply, Reply> {
    if !world.registries.iter().any(|one| one.id().eq_ignore_ascii_case(scope)) {
        return Err(fault(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundError",
            &format!("The resource {scope} was not found"),
        ));
    }
    let sent = call.json()?;
    // A span beside the query's own is not known here.
    let (Some(text), true) = (sent["query"].as_str(), sent["timespan"].is_null()) else {
        return Err(crate::world::unknown_request(call.method(), call.request.uri()));
    };
    let query = Query::parse(text, world.clock.wall(call.now), columns).map_err(|why| syntax(&why))?;
    let access = Access::of(world, call, scope);
    let may = |table: &&str| !access.denied.contains(*table);
    let allowed: Vec<&str> = TABLES.into_iter().filter(may).collect();
    if allowed.is_empty() {
        let message = "The provided credentials have insufficient access to perform the requested operation";
        let inner = format!("User '{}' does not have access to read logs for this resource", call.caller.object_id);
        let body = json!({"error": {"message": message, "code": "InsufficientAccessError",
            "innererror": {"code": "AuthorizationFailedError", "message": inner}}});
        return Err(reply::json(StatusCode::FORBIDDEN, &body));
    }
    let is_visible = |row: &&Row| {
        let table = row.columns["Type"].as_str().unwrap_or_default();
        row.registry.eq_ignore_ascii_case(scope)
            && query.tables.iter().any(|one| one == table)
            && allowed.contains(&table)
            && row.at + world.timing.registry_logs <= call.now
            && access.workspaces.iter().any(|(id, denied)| *id == row.workspace && !denied.contains(table))
    };
    let rows: Vec<Value> = world.monitor.rows.iter().filter(is_visible).map(|row| row.columns.clone()).collect();
    let names: Vec<&str> = query.columns().unwrap_or_else(|| columns(&query.tables).unwrap_or_default());
    let kind = |name: &str| if name == "TimeGenerated" { "datetime" } else { "string" };
    let shown: Vec<Value> = names.iter().map(|name| json!({"name": name, "type": kind(name)})).collect();
    // A text that a row does not have is empty, and never null.
    let shown_cell =
        |row: &Value, name: &str| row.get(name).filter(|one| !one.is_null()).cloned().unwrap_or_else(|| "".into());
    let (rows, _) = query.run(rows);
    let rows: Vec<Value> = rows.iter().map(|row| names.iter().map(|name| shown_cell(row, name)).collect()).collect();
    let mut body = json!({"tables": [{"name": "PrimaryResult", "columns": shown, "rows": rows}]});
    let prefer = call.request.headers().get("prefer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if prefer.split(',').any(|one| one.trim() == "include-permissions=true") {
        body["permissions"] = access.shown(scope);
    }
    Ok(reply::json(StatusCode::OK, &body))
}

/// The columns of the tables of a query: a table that does not exist is an error.
fn columns(tables: &[String]) -> Result<Vec<&'static str>, String> {
    let mut all = COLUMNS.to_vec();
    for table in tables {
        match table.as_str() {
            LOGINS => all.extend(OF_LOGINS),
            REPOSITORIES => all.extend(OF_REPOSITORIES),
            other => {
                return Err(format!("'where' operator: Failed to resolve table or column expression named '{other}'"));
            }
        }
    }
    Ok(all)
}

/// What a caller can see of a registry's logs.
struct Access {
    /// The tables that it cannot read at the registry.
    denied: BTreeSet<&'static str>,
    /// All workspaces that have some.
    all: Vec<String>,
    /// Those that it can read, with the tables that it cannot.
    workspaces: Vec<(String, BTreeSet<&'static str>)>,
}

impl Access {
    /// See [manage access](https://learn.microsoft.com/azure/azure-monitor/logs/manage-access#azure-rbac).
    fn of(world: &World, call: &Call<'_>, scope: &str) -> Self {
        let may = |action: &str, at: &str| world.permits(&call.caller, &Wanted::action(action, at), call.now);
        let lacks = |prefix: &str, at: &str| -> BTreeSet<&'static str> {
            TABLES.into_iter().filter(|table| !may(&format!("{prefix}/{table}/read"), at)).collect()
        };
        let denied = lacks("Microsoft.Insights/logs", scope);
        let rows = world.monitor.rows.iter().filter(|row| row.registry.eq_ignore_ascii_case(scope));
        let mut all: Vec<String> = rows.map(|row| row.workspace.clone()).collect();
        all.extend(world.monitor.workspaces_of(scope, |_| true));
        all.sort();
        all.dedup();
        let query = "Microsoft.OperationalInsights/workspaces/query";
        let workspaces = all.iter().filter_map(|id| {
            if world.monitor.uses_resource_permissions(id) {
                return Some((id.clone(), BTreeSet::new()));
            }
            may(&format!("{query}/read"), id).then(|| (id.clone(), lacks(query, id)))
        });
        let workspaces = workspaces.collect();
        Self { denied, all, workspaces }
    }

    fn shown(&self, scope: &str) -> Value {
        let mut resource = json!({"resourceId": scope, "dataSources": self.all});
        if !self.denied.is_empty() {
            resource["denyTables"] = json!(self.denied);
        }
        let source = |(id, denied): &(String, BTreeSet<&str>)| {
            let mut source = json!({"resourceId": id});
            if !denied.is_empty() {
                source["denyTables"] = json!(denied);
            }
            source
        };
        json!({"resources": [resource], "dataSources": self.workspaces.iter().map(source).collect::<Vec<_>>()})
    }
}

fn fault(status: StatusCode, code: &str, message: &str) -> Reply {
    reply::json(status, &json!({"error": {"message": message, "code": code}}))
}

/// See [errors](https://learn.microsoft.com/azure/azure-monitor/logs/api/errors).
fn syntax(why: &str) -> Reply {
    let inner = json!({"code": "SyntaxError", "message": why});
    let body = json!({"error": {"message": "The request had some invalid properties", "code": "BadArgumentError", "innererror": inner}});
    reply::json(StatusCode::BAD_REQUEST, &body)
}
