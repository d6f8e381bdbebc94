//! Resource logs of registries: who sends them where, and who can read them.

use std::time::Duration;

use aks_acr_emulator::{Emulator, RoleSeed, Timing};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{ARM, Answer, arm, get, send, token};

const VERSION: &str = "?api-version=2018-03-01-preview";
const QUERY: &str = "union isfuzzy=true ContainerRegistryLoginEvents, ContainerRegistryRepositoryEvents \
    | where Type == 'ContainerRegistryLoginEvents' or OperationName =~ 'Pull' | top 5 by TimeGenerated desc | project Type, Identity, ResultDescription";

fn scene() -> (Emulator, String, String) {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let id = azure.registry_id("group", "myregistry");
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    (azure, id, format!("{group}/providers/Microsoft.OperationalInsights/workspaces/logs"))
}

async fn put(azure: &Emulator, path: &str, version: &str, properties: Value) -> Answer {
    let path = format!("{path}?api-version={version}");
    arm(azure, "owner", Method::Put, &path, Some(json!({"location": "westeurope", "properties": properties}))).await
}

async fn set(azure: &Emulator, registry: &str, properties: Value) -> Answer {
    let path = format!("{registry}/providers/Microsoft.Insights/diagnosticSettings/audit");
    put(azure, &path, "2021-05-01-preview", properties).await
}

/// Signs in to the registry as the owner.
async fn sign_in(azure: &Emulator) {
    let shown = token(azure, "owner", ARM).await;
    let form = format!("grant_type=access_token&service=myregistry.azurecr.io&access_token={shown}");
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let url = "https://myregistry.azurecr.io/oauth2/exchange";
    assert_eq!(send(azure, Method::Post, url, &headers, Some(form)).await.unwrap().status, 200);
}

async fn query(azure: &Emulator, caller: &str, registry: &str, text: &str) -> Answer {
    let path = format!("{registry}/providers/Microsoft.Insights/logs{VERSION}");
    arm(azure, caller, Method::Post, &path, Some(json!({"query": text}))).await
}

fn rows(answer: &Answer) -> usize {
    answer.body["tables"][0]["rows"].as_array().map_or(0, Vec::len)
}

#[tokio::test(start_paused = true)]
async fn a_setting_sends_to_a_workspace_that_exists_what_registries_have() {
    let (azure, registry, workspace) = scene();
    let logs = |category: &str| json!([{"category": category, "enabled": true}]);
    let audit = json!({"workspaceId": workspace, "logs": [{"categoryGroup": "audit", "enabled": true}]});
    assert_eq!(set(&azure, &registry, audit.clone()).await.status, 404, "there is no workspace");
    assert_eq!(put(&azure, &workspace, "2023-09-01", json!({})).await.status, 201);
    assert_eq!(put(&azure, &workspace, "2023-09-01", json!({"retentionInDays": 31})).await.status, 200);
    let unknown = set(&azure, &registry, json!({"workspaceId": workspace, "logs": logs("kube-audit")})).await;
    assert_eq!((unknown.status, unknown.code()), (400, "BadRequest"));
    assert_eq!(set(&azure, &registry, json!({"logs": logs("ContainerRegistryLoginEvents")})).await.status, 400);
    assert_eq!(set(&azure, &registry, audit).await.status, 200);
    let listed = get(
        &azure,
        &format!("{registry}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview"),
    )
    .await;
    assert_eq!(listed.body["value"][0]["properties"]["workspaceId"], workspace.as_str());
    let shown = get(&azure, &format!("{workspace}?api-version=2023-09-01")).await;
    assert_eq!(shown.body["properties"]["retentionInDays"], 31);
}

#[tokio::test(start_paused = true)]
async fn logs_are_what_happened_since_the_setting_and_come_late() {
    let (azure, registry, _) = scene();
    sign_in(&azure).await;
    azure.send_registry_logs("group", "myregistry", "logs");
    azure.set_timing(Timing::none().with_registry_logs(Duration::from_secs(60)));
    sign_in(&azure).await;
    let mark = azure.mark();
    assert_eq!(rows(&query(&azure, "owner", &registry, QUERY).await), 0, "they are late");
    assert!(azure.requests_since(mark).iter().all(|one| !one.is_write()), "a query writes nothing");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let answer = query(&azure, "owner", &registry, QUERY).await;
    assert_eq!(rows(&answer), 1, "the first sign-in was before the setting");
    let row = &answer.body["tables"][0]["rows"][0];
    assert_eq!((&row[0], &row[2]), (&json!("ContainerRegistryLoginEvents"), &json!("200")));
    assert!(row[1].as_str().is_some_and(|id| id.len() == 36), "{row}");
    for text in [
        "Heartbeat",
        "ContainerRegistryLoginEvents | where Repository == 'a'",
        "ContainerRegistryLoginEvents | summarize count()",
    ] {
        let refused = query(&azure, "owner", &registry, text).await;
        assert_eq!((refused.status, refused.code()), (400, "BadArgumentError"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_needs_a_right_of_its_own() {
    let (azure, registry, _) = scene();
    let workspace = azure.send_registry_logs("group", "myregistry", "logs");
    sign_in(&azure).await;
    let right = |table: &str| format!("Microsoft.Insights/logs/{table}/read");
    let (logins, pulls) = (right("ContainerRegistryLoginEvents"), right("ContainerRegistryRepositoryEvents"));
    let azure = azure.with_role(RoleSeed::new("no logins").block(&["*"], &[&logins]));
    let azure = azure.with_role(RoleSeed::new("no logs").block(&["*"], &[&logins, &pulls]));
    let azure = azure.with_caller("some", &[("no logins", &registry)]).with_caller("none", &[("no logs", &registry)]);
    assert_eq!(rows(&query(&azure, "some", &registry, QUERY).await), 0, "left out without a word");
    let refused = query(&azure, "none", &registry, QUERY).await;
    assert_eq!((refused.status, refused.code()), (403, "InsufficientAccessError"));
    // What is left out is said on request.
    let bearer = format!("Bearer {}", token(&azure, "some", ARM).await);
    let url = format!("{ARM}{registry}/providers/Microsoft.Insights/logs{VERSION}");
    let headers = [("authorization", bearer), ("prefer", "include-permissions=true".to_owned())];
    let body = json!({"query": QUERY}).to_string();
    let answer = send(&azure, Method::Post, &url, &headers, Some(body.clone())).await.unwrap();
    let permissions = &answer.body["permissions"];
    assert_eq!(permissions["resources"][0]["denyTables"], json!(["ContainerRegistryLoginEvents"]));
    assert_eq!(permissions["dataSources"].as_array().map(Vec::len), Some(1));
    azure.require_workspace_permissions(&workspace);
    let answer = send(&azure, Method::Post, &url, &headers, Some(body)).await.unwrap();
    assert_eq!(
        answer.body["permissions"]["dataSources"],
        json!([]),
        "the registry's rights are not those of the workspace"
    );
}
