//! Clusters as resources, and the doors of their API servers.

use std::time::Duration;

use aks_acr_emulator::{ClusterSeed, Emulator, Service as ServiceOf, Timing};
use axum::body::Body;
use azure_core::http::Method;
use base64::Engine as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::client::{Answer, arm, get, token};

const KUBERNETES: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

async fn cluster(azure: &Emulator) -> Answer {
    get(azure, &azure.cluster_id("group", "dev")).await
}

async fn kubeconfig(azure: &Emulator, caller: &str, which: &str) -> Result<String, Answer> {
    let path = format!("{}/listCluster{which}Credential", azure.cluster_id("group", "dev"));
    let answer = arm(azure, caller, Method::Post, &path, None).await;
    let Some(file) = answer.body["kubeconfigs"][0]["value"].as_str() else {
        return Err(answer);
    };
    let file = base64::engine::general_purpose::STANDARD.decode(file).unwrap();
    Ok(String::from_utf8(file).unwrap())
}

/// What follows a key in a kubeconfig.
fn value<'a>(file: &'a str, key: &str) -> &'a str {
    let line = file.lines().find_map(|line| line.trim().strip_prefix(key));
    line.unwrap_or_default().trim()
}

async fn api(azure: &Emulator, path: &str, bearer: &str) -> u16 {
    let fqdn = cluster(azure).await.body["properties"]["fqdn"].as_str().unwrap().to_owned();
    let request = http::Request::get(format!("https://{fqdn}:443{path}"))
        .header("authorization", format!("Bearer {bearer}"))
        .body(Body::empty())
        .unwrap();
    azure.kubernetes().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_shows_the_identity_that_pulls() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let answer = cluster(&azure).await;
    let kubelet = &answer.body["properties"]["identityProfile"]["kubeletidentity"];
    assert_eq!(kubelet["objectId"], azure.kubelet_object_id("group", "dev"));
    assert_ne!(kubelet["objectId"], answer.body["identity"]["principalId"]);
    assert_eq!(answer.body["properties"]["servicePrincipalProfile"]["clientId"], "msi");
    assert!(answer.body["id"].as_str().unwrap().contains("/resourcegroups/"), "as this provider writes it");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_being_created_has_no_kubelet_identity_yet() {
    let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").state("Creating"));
    assert!(cluster(&azure).await.body["properties"].get("identityProfile").is_none());
    azure.set_cluster_state("group", "dev", "Succeeded");
    assert!(cluster(&azure).await.body["properties"].get("identityProfile").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_cluster_has_no_identities() {
    let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").service_principal());
    let body = cluster(&azure).await.body;
    assert!(body.get("identity").is_none());
    assert_ne!(body["properties"]["servicePrincipalProfile"]["clientId"], "msi");
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_may_have_an_identity_assigned_by_a_user() {
    let addons = json!({"azurepolicy": {"enabled": true, "identity": {"objectId": "not-this-one"}}});
    let seed = ClusterSeed::new("group", "dev").user_assigned().property("addonProfiles", addons);
    let azure = Emulator::new().with_cluster_of(seed);
    let body = cluster(&azure).await.body;
    assert_eq!(body["identity"]["type"], "UserAssigned");
    let identities = body["identity"]["userAssignedIdentities"].as_object().unwrap();
    let identity = identities.values().next().unwrap();
    assert_eq!(identity["principalId"], azure.control_plane_object_id("group", "dev"));
    assert_eq!(body["properties"]["addonProfiles"]["azurepolicy"]["enabled"], true);
}

#[tokio::test(start_paused = true)]
async fn an_absent_cluster_is_not_found() {
    let azure = Emulator::new().with_group("group", "westeurope");
    assert_eq!(cluster(&azure).await.code(), "ResourceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_write_of_the_cluster_leaves_a_trace() {
    let azure = Emulator::new().with_cluster("group", "dev");
    azure.set_timing(Timing::none().with_cluster(Duration::from_secs(114)));
    let before = azure.cluster_etag("group", "dev");
    let body = cluster(&azure).await.body;
    let path = azure.cluster_id("group", "dev");
    let answer = arm(&azure, "owner", Method::Put, &path, Some(body.clone())).await;
    assert_eq!((answer.status, answer.body["properties"]["provisioningState"].as_str()), (200, Some("Updating")));
    assert_ne!(azure.cluster_etag("group", "dev"), before);
    let poll = answer.header("azure-asyncoperation").unwrap().to_owned();
    assert!(answer.header("retry-after").is_none());
    assert_eq!(get(&azure, &poll).await.body["status"], "InProgress");
    let busy = arm(&azure, "owner", Method::Put, &path, Some(body)).await;
    assert_eq!((busy.status, busy.body["code"].as_str()), (409, Some("OperationNotAllowed")));
    tokio::time::advance(Duration::from_secs(114)).await;
    assert_eq!(get(&azure, &poll).await.body["status"], "Succeeded");
    assert_eq!(cluster(&azure).await.body["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_static_credential_opens_the_api_server() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let file = kubeconfig(&azure, "owner", "User").await.unwrap();
    assert_eq!(value(&file, "- name:"), "clusterUser_group_dev");
    assert!(value(&file, "server:").ends_with(".hcp.westeurope.azmk8s.io:443"));
    assert_eq!(api(&azure, "/api/v1/namespaces/default/pods", value(&file, "token:")).await, 200);
    assert_eq!(api(&azure, "/api/v1/namespaces/default/pods", "wrong").await, 401);
}

#[tokio::test(start_paused = true)]
async fn disabled_local_accounts_give_no_static_credential() {
    let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").entra().local_accounts_disabled());
    let refused = kubeconfig(&azure, "owner", "Admin").await.unwrap_err();
    assert_eq!((refused.status, refused.body["code"].as_str()), (400, Some("BadRequest")));
    let file = kubeconfig(&azure, "owner", "User").await.unwrap();
    assert_eq!(value(&file, "command:"), "kubelogin");
    assert!(file.contains(&format!("      - {KUBERNETES}\n")));
}

#[tokio::test(start_paused = true)]
async fn credentials_need_their_action() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let id = azure.cluster_id("group", "dev");
    let azure = azure
        .with_caller("user", &[("Azure Kubernetes Service Cluster User Role", &id)])
        .with_caller("reader", &[("Reader", &id)]);
    assert!(kubeconfig(&azure, "user", "User").await.is_ok());
    assert_eq!(kubeconfig(&azure, "user", "Admin").await.unwrap_err().code(), "AuthorizationFailed");
    assert_eq!(kubeconfig(&azure, "reader", "User").await.unwrap_err().status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_member_of_an_admin_group_is_let_in_with_an_entra_token() {
    let azure = Emulator::new().with_caller("admin", &[]).with_caller("other", &[]).with_member("admins", "admin");
    let group = azure.group_id("admins");
    let azure = azure.with_cluster_of(ClusterSeed::new("group", "dev").admin_group(&group));
    let path = "/api/v1/namespaces/default/pods";
    assert_eq!(api(&azure, path, &token(&azure, "admin", KUBERNETES).await).await, 200);
    assert_eq!(api(&azure, path, &token(&azure, "other", KUBERNETES).await).await, 403);
    let wrong = token(&azure, "admin", "https://management.azure.com").await;
    assert_eq!(api(&azure, path, &wrong).await, 401);
}

#[tokio::test(start_paused = true)]
async fn data_actions_decide_where_azure_roles_count() {
    let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").azure_rbac());
    let id = azure.cluster_id("group", "dev");
    let azure = azure.with_caller("viewer", &[("Azure Kubernetes Service RBAC Reader", &id)]);
    let bearer = token(&azure, "viewer", KUBERNETES).await;
    assert_eq!(api(&azure, "/api/v1/namespaces/default/pods", &bearer).await, 200);
    assert_eq!(api(&azure, "/api/v1/namespaces/default/secrets", &bearer).await, 403);
    assert_eq!(api(&azure, "/version", &bearer).await, 200);
}

#[tokio::test(start_paused = true)]
async fn requests_to_an_api_server_are_in_the_log() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let file = kubeconfig(&azure, "owner", "User").await.unwrap();
    api(&azure, "/version", value(&file, "token:")).await;
    let last = azure.requests().pop().unwrap();
    assert_eq!((last.service, last.caller.as_deref()), (ServiceOf::Kubernetes, Some("clusterUser")));
}
