//! The resource logs of a registry in Azure Monitor: who has signed in and pulled, from where, and with which result.
//!
//! A registry sends them to a Log Analytics workspace only if a diagnostic setting says so. They are queried at the registry itself, by Azure
//! Resource Manager: that needs no token for another service, covers every workspace, and returns rows of this registry only. See [querying
//! logs for Azure resources](https://learn.microsoft.com/azure/azure-monitor/logs/api/azure-resource-queries). Azure takes [3 to 10
//! minutes](https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time#azure-metrics-resource-logs-activity-log) to show an event.

use super::resource_graph::quoted;
use crate::{
    action::{
        QUERY_WORKSPACE, QUERY_WORKSPACE_LOGINS, QUERY_WORKSPACE_REPOSITORIES, READ_DIAGNOSTIC_SETTINGS,
        READ_LOGIN_EVENTS, READ_REPOSITORY_EVENTS,
    },
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Answer, Arm, ArmRequest},
    id::ResourceId,
    stored_time,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const SETTINGS_API: &str = "2021-05-01-preview";
const API: &str = "2018-03-01-preview";
const LOGINS: &str = "ContainerRegistryLoginEvents";
const REPOSITORIES: &str = "ContainerRegistryRepositoryEvents";
/// The groups of categories that contain both tables: see [the rule of PSRule for
/// Azure](https://azure.github.io/PSRule.Rules.Azure/en/rules/Azure.ACR.Logs/).
const GROUPS: [&str; 2] = ["allLogs", "audit"];
/// How many rows are read: the newest.
const MOST_ROWS: usize = 100;
/// What the logs have instead of a value that does not exist.
const NIL: &str = "<nil>";

/// A sign-in to a registry, or a pull from it, as the registry's resource logs have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryLogEvent {
    /// When it happened.
    #[serde(with = "crate::stored_time")]
    pub time: SystemTime,
    /// The operation, such as `Pull`.
    pub operation: String,
    /// The table: `ContainerRegistryLoginEvents` or `ContainerRegistryRepositoryEvents`.
    pub table: String,
    /// The repository, if it is about one.
    pub repository: Option<String>,
    /// The tag, if the image was named by it.
    pub tag: Option<String>,
    /// The digest of the image, if the registry has logged it.
    pub digest: Option<String>,
    /// Who called: a user's sign-in name, or the ID of another identity.
    pub identity: Option<String>,
    /// The IP address that the registry has seen.
    pub caller_address: Option<String>,
    /// What [`result`](Self::result) is, in Azure's words: `HttpStatusCode`.
    pub result_type: Option<String>,
    /// The result, such as `200` or `403`.
    pub result: Option<String>,
    /// The correlation ID of the request, for Azure's support.
    pub correlation_id: Option<String>,
}

impl RegistryLogEvent {
    /// Whether the registry has answered with success. See [the queries for
    /// failures](https://learn.microsoft.com/azure/container-registry/monitor-container-registry#analyzing-logs), which compare the result
    /// with `200` and `40…`.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.result.as_ref().and_then(|result| result.parse::<u16>().ok()).is_some_and(|status| status / 100 == 2)
    }

    /// The image within the registry, such as `team/app:v1`, if it is about one.
    pub(crate) fn image(&self) -> Option<String> {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        Some(self.repository.iter().cloned().chain(tag).chain(digest).collect()).filter(|_| self.repository.is_some())
    }

    /// Whether it is a pull.
    #[must_use]
    pub fn is_pull(&self) -> bool {
        self.table == REPOSITORIES && self.operation.eq_ignore_ascii_case("Pull")
    }
}

/// What Azure Monitor has of a registry's resource logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryLogs {
    /// Which of the two tables the registry sends to a Log Analytics workspace, by its diagnostic settings. If it sends none, none was queried.
    pub tables: Vec<String>,
    /// The events, the newest first: at most 100.
    pub events: Vec<RegistryLogEvent>,
    /// The actions that the caller lacks to see all events, each with its scope. Azure leaves such events out.
    pub missing: Vec<(String, String)>,
    /// Why Azure has returned only a part, in its own words.
    pub partial_error: Option<String>,
}

#[derive(Deserialize)]
struct WireSetting {
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    workspace_id: Option<String>,
    logs: Option<Vec<WireLog>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    category: Option<String>,
    category_group: Option<String>,
    enabled: bool,
}

impl WireSetting {
    /// Which of the two tables it sends to a workspace.
    fn tables(&self) -> impl Iterator<Item = &'static str> {
        let to_workspace = self.properties.workspace_id.as_ref().and(self.properties.logs.as_ref());
        let enabled: Vec<&WireLog> = to_workspace.into_iter().flatten().filter(|log| log.enabled).collect();
        let is =
            |text: &Option<String>, wanted: &str| text.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(wanted));
        let sends = move |table: &&'static str| {
            let in_group = |log: &&WireLog| GROUPS.iter().any(|group| is(&log.category_group, group));
            enabled.iter().any(|log| is(&log.category, table) || in_group(log))
        };
        [LOGINS, REPOSITORIES].into_iter().filter(sends)
    }
}

#[derive(Deserialize)]
struct WireResult {
    tables: Vec<WireTable>,
    /// What is wrong with a result that is not whole.
    error: Option<WireError>,
    permissions: Option<WirePermissions>,
}

#[derive(Deserialize)]
struct WireTable {
    columns: Vec<WireColumn>,
    rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
struct WireColumn {
    name: String,
}

#[derive(Deserialize)]
struct WireError {
    code: String,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePermissions {
    resources: Option<Vec<WireAccess>>,
    data_sources: Option<Vec<WireAccess>>,
}

/// What the caller can see of the registry, or of a workspace.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAccess {
    resource_id: String,
    data_sources: Option<Vec<String>>,
    deny_tables: Option<Vec<String>>,
}

impl WireAccess {
    fn denies(&self, table: &str) -> bool {
        self.deny_tables.iter().flatten().any(|one| one.eq_ignore_ascii_case(table))
    }
}

/// The logs of a registry since a time: rows about these identities, and failures. See [Diagnostic
/// settings](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/list).
pub(super) async fn logs(
    arm: &Arm,
    registry: &ResourceId,
    identities: &[String],
    since: SystemTime,
    call: &Call,
) -> Result<RegistryLogs> {
    let request = ArmRequest::get(format!("{registry}/providers/Microsoft.Insights/diagnosticSettings"), SETTINGS_API)
        .step("reading the registry's diagnostic settings")
        .needs(READ_DIAGNOSTIC_SETTINGS, registry.to_string());
    let settings = arm.list(request, "diagnostic settings", call, |one: WireSetting| {
        let tables: Vec<&str> = one.tables().collect();
        Ok((!tables.is_empty()).then_some(tables))
    });
    let tables: BTreeSet<&str> = settings.await?.into_iter().flatten().collect();
    let tables: Vec<String> = tables.into_iter().map(str::to_owned).collect();
    if tables.is_empty() {
        return Ok(RegistryLogs::default());
    }
    let path = format!("{registry}/providers/Microsoft.Insights/logs");
    let request = ArmRequest::new(azure_core::http::Method::Post, path, API)
        .reads()
        // Azure says then what it has left out.
        .header("prefer", "include-permissions=true")
        .step("querying the registry's resource logs")
        .needs(READ_REPOSITORY_EVENTS, registry.to_string())
        .body(json!({"query": query(&tables, identities, since)}));
    let answer = arm.send(request, call).await?;
    read(&answer, registry, tables)
}

/// The query. What the column `Identity` has for a managed identity is not documented, so that it may be the client ID or the object ID. See
/// the columns of [`ContainerRegistryLoginEvents`](https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryloginevents)
/// and [`ContainerRegistryRepositoryEvents`](https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryrepositoryevents),
/// of which the former has no repository. A table that a workspace does not have yet is left out: see
/// [union](https://learn.microsoft.com/kusto/query/union-operator).
fn query(tables: &[String], identities: &[String], since: SystemTime) -> String {
    let mut text = format!("union isfuzzy=true {}", tables.join(", "));
    // A time of KQL has 7 digits of a second at most.
    let whole =
        since.duration_since(UNIX_EPOCH).map_or(UNIX_EPOCH, |time| UNIX_EPOCH + Duration::from_secs(time.as_secs()));
    let _ = write!(text, " | where TimeGenerated >= datetime({})", stored_time::text(whole));
    let _ = write!(text, " | where Type == {} or OperationName =~ 'Pull'", quoted(LOGINS));
    let own: Vec<String> = identities.iter().map(|one| quoted(one)).collect();
    let is_own = if own.is_empty() { String::new() } else { format!("Identity in~ ({}) or ", own.join(", ")) };
    let _ = write!(text, " | where {is_own}ResultDescription !startswith '2'");
    let _ = write!(text, " | top {MOST_ROWS} by TimeGenerated desc | project TimeGenerated, Type, OperationName");
    for column in ["Repository", "Tag", "Digest"] {
        let _ = write!(text, ", {column} = column_ifexists({}, '')", quoted(column));
    }
    text + ", Identity, CallerIpAddress, ResultType, ResultDescription, CorrelationId"
}

/// Reads a result: see [the response format](https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format).
fn read(answer: &Answer, registry: &ResourceId, tables: Vec<String>) -> Result<RegistryLogs> {
    // Documented: a workspace without any data.
    if answer.status == 204 {
        return Ok(RegistryLogs { tables, ..RegistryLogs::default() });
    }
    let result: WireResult = answer.read("a result of a log query")?;
    let [table] = &result.tables[..] else {
        let err = Error::new(ErrorKind::Unexpected, "the result of a log query does not have one table");
        return Err(err.with_context("tables", result.tables.len().to_string()));
    };
    // Each workspace has a row of its own about an event.
    let mut events: Vec<RegistryLogEvent> = Vec::new();
    for row in &table.rows {
        let event = event(&table.columns, row)?;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    events.sort_by_key(|one| std::cmp::Reverse(one.time));
    let missing = result.permissions.as_ref().map_or_else(Vec::new, |one| missing(one, registry));
    let partial_error = result.error.map(|error| error.message.unwrap_or(error.code));
    Ok(RegistryLogs { tables, events, missing, partial_error })
}

/// A row.
fn event(columns: &[WireColumn], row: &[Value]) -> Result<RegistryLogEvent> {
    let find = |name: &str| columns.iter().position(|column| column.name == name).and_then(|at| row.get(at)?.as_str());
    let text = |name: &str| find(name).ok_or_else(|| lacks(name));
    let optional = |name: &str| Ok::<_, Error>(Some(text(name)?).filter(|one| !one.is_empty() && *one != NIL));
    let owned = |name: &str| Ok::<_, Error>(optional(name)?.map(str::to_owned));
    let time = stored_time::parse(text("TimeGenerated")?).ok_or_else(|| lacks("TimeGenerated"))?;
    // A pull by digest has the digest as its tag.
    let (digest_of_tag, tag) = optional("Tag")?
        .map_or((None, None), |tag| if tag.contains(':') { (Some(tag), None) } else { (None, Some(tag)) });
    Ok(RegistryLogEvent {
        time,
        operation: text("OperationName")?.to_owned(),
        table: text("Type")?.to_owned(),
        repository: owned("Repository")?,
        tag: tag.map(str::to_owned),
        digest: optional("Digest")?.or(digest_of_tag).map(str::to_owned),
        identity: owned("Identity")?,
        caller_address: owned("CallerIpAddress")?,
        result_type: owned("ResultType")?,
        result: owned("ResultDescription")?,
        correlation_id: owned("CorrelationId")?,
    })
}

fn lacks(column: &str) -> Error {
    Error::new(ErrorKind::Unexpected, "a row of a log query has no valid value in a column")
        .with_context("column", column)
}

/// The actions that the caller lacks: for a table at the registry, for a workspace, or for a table in a workspace. See [partial
/// access](https://learn.microsoft.com/azure/azure-monitor/logs/api/azure-resource-queries#partial-access) and [manage
/// access](https://learn.microsoft.com/azure/azure-monitor/logs/manage-access#azure-rbac).
fn missing(permissions: &WirePermissions, registry: &ResourceId) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    let own = [(LOGINS, READ_LOGIN_EVENTS), (REPOSITORIES, READ_REPOSITORY_EVENTS)];
    let of_workspace = [(LOGINS, QUERY_WORKSPACE_LOGINS), (REPOSITORIES, QUERY_WORKSPACE_REPOSITORIES)];
    let visible: Vec<&WireAccess> = permissions.data_sources.iter().flatten().collect();
    for resource in permissions.resources.iter().flatten().filter(|one| registry.is(&one.resource_id)) {
        let denied = own.iter().filter(|(table, _)| resource.denies(table));
        missing.extend(denied.map(|(_, action)| ((*action).to_owned(), registry.to_string())));
        let is_visible = |id: &&String| visible.iter().any(|one| one.resource_id.eq_ignore_ascii_case(id));
        let hidden = resource.data_sources.iter().flatten().filter(|id| !is_visible(id));
        missing.extend(hidden.map(|id| (QUERY_WORKSPACE.to_owned(), id.clone())));
    }
    for workspace in visible {
        let denied = of_workspace.iter().filter(|(table, _)| workspace.denies(table));
        missing.extend(denied.map(|(_, action)| ((*action).to_owned(), workspace.resource_id.clone())));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/group/providers/Microsoft.ContainerRegistry/registries/myregistry";
    const COLUMNS: [&str; 11] = [
        "TimeGenerated",
        "Type",
        "OperationName",
        "Repository",
        "Tag",
        "Digest",
        "Identity",
        "CallerIpAddress",
        "ResultType",
        "ResultDescription",
        "CorrelationId",
    ];

    fn columns() -> Vec<WireColumn> {
        COLUMNS.iter().map(|name| WireColumn { name: (*name).to_owned() }).collect()
    }

    fn row(tag: &str, digest: &str, result: &str) -> Vec<Value> {
        [
            "2026-11-30T10:00:00.1234567Z",
            REPOSITORIES,
            "Pull",
            "app",
            tag,
            digest,
            "id",
            "203.0.113.1",
            "HttpStatusCode",
            result,
            "c",
        ]
        .map(Value::from)
        .to_vec()
    }

    #[test]
    fn a_setting_sends_what_it_enables_to_a_workspace() {
        let sends = |properties: Value| {
            let setting: WireSetting = serde_json::from_value(json!({"properties": properties})).unwrap();
            setting.tables().collect::<Vec<_>>()
        };
        let log = |field: &str, value: &str, enabled: bool| json!([{field: value, "enabled": enabled}]);
        assert_eq!(sends(json!({"workspaceId": "w", "logs": log("category", REPOSITORIES, true)})), [REPOSITORIES]);
        assert_eq!(sends(json!({"workspaceId": "w", "logs": log("category", REPOSITORIES, false)})), [""; 0]);
        assert_eq!(
            sends(json!({"workspaceId": "w", "logs": log("categoryGroup", "audit", true)})),
            [LOGINS, REPOSITORIES]
        );
        assert_eq!(sends(json!({"workspaceId": "w", "logs": log("categoryGroup", "other", true)})), [""; 0]);
        assert_eq!(sends(json!({"storageAccountId": "s", "logs": log("categoryGroup", "allLogs", true)})), [""; 0]);
        assert_eq!(sends(json!({"workspaceId": "w", "logs": null})), [""; 0]);
    }

    #[test]
    fn names_in_a_query_are_quoted() {
        let since = UNIX_EPOCH + Duration::from_nanos(1_796_083_200_123_456_789);
        let text = query(&[LOGINS.to_owned()], &["a' or 1 == 1 | x '".to_owned()], since);
        assert!(text.contains(r"Identity in~ ('a\' or 1 == 1 | x \'') or ResultDescription"), "{text}");
        assert!(text.contains("datetime(2026-12-01T00:00:00Z)"), "{text}");
        assert!(!query(&[LOGINS.to_owned()], &[], since).contains("Identity in~"));
    }

    #[test]
    fn a_row_is_read_by_the_names_of_its_columns() {
        let read = |row: Vec<Value>| event(&columns(), &row);
        let pull = read(row("v1", "<nil>", "200")).unwrap();
        assert_eq!((pull.tag.as_deref(), pull.digest.as_deref()), (Some("v1"), None));
        assert!(pull.is_pull() && pull.has_succeeded());
        let by_digest = read(row("sha256:aa", "<nil>", "404")).unwrap();
        assert_eq!((by_digest.tag.as_deref(), by_digest.digest.as_deref()), (None, Some("sha256:aa")));
        assert!(!by_digest.has_succeeded() && !read(row("v1", "", "")).unwrap().has_succeeded());
        let err = read(vec![Value::Null; 11]).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        assert!(event(&columns()[..10], &row("v1", "", "200")).is_err());
    }

    #[test]
    fn what_azure_leaves_out_is_named() {
        let registry: ResourceId = REGISTRY.parse().unwrap();
        let permissions = json!({
            "resources": [{"resourceId": REGISTRY.to_lowercase(), "dataSources": ["/w/one", "/w/two"], "denyTables": [LOGINS]}],
            "dataSources": [{"resourceId": "/W/one", "denyTables": [REPOSITORIES]}],
        });
        let found = missing(&serde_json::from_value(permissions).unwrap(), &registry);
        let found: Vec<(&str, &str)> = found.iter().map(|(action, scope)| (action.as_str(), scope.as_str())).collect();
        assert_eq!(
            found,
            [(READ_LOGIN_EVENTS, REGISTRY), (QUERY_WORKSPACE, "/w/two"), (QUERY_WORKSPACE_REPOSITORIES, "/W/one")]
        );
    }
}
