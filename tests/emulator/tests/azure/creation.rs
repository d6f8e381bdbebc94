//! Clusters that come to be by a request, change and go.

use std::time::Duration;

use aks_acr_emulator::{Emulator, Timing};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, arm, get};

/// The body that az sends for its defaults.
fn body() -> Value {
    json!({"location": "westus2", "identity": {"type": "SystemAssigned"}, "sku": {"name": "Base", "tier": "Free"},
        "properties": {"kubernetesVersion": "", "dnsPrefix": "c1-rg1-111111", "enableRBAC": true,
            "disableLocalAccounts": false,
            "agentPoolProfiles": [{"name": "nodepool1", "mode": "System", "type": "VirtualMachineScaleSets", "count": 3,
                "vmSize": "", "osType": "Linux", "orchestratorVersion": "", "enableAutoScaling": false,
                "upgradeSettings": {}, "nodeTaints": []}],
            "linuxProfile": {"adminUsername": "azureuser", "ssh": {"publicKeys": [{"keyData": "ssh-rsa AAAA"}]}},
            "networkProfile": {"loadBalancerSku": "standard", "outboundType": "loadBalancer"},
            "addonProfiles": {}, "storageProfile": {}, "bootstrapProfile": {"artifactSource": "Direct"},
            "madeUp": {"kept": true}}})
}

fn scene() -> (Emulator, String) {
    let azure = Emulator::new().with_group("group", "westus2");
    let id = azure.cluster_id("group", "new");
    (azure, id)
}

async fn put(azure: &Emulator, id: &str, body: &Value) -> Answer {
    arm(azure, "owner", Method::Put, id, Some(body.clone())).await
}

async fn status(azure: &Emulator, address: &str) -> String {
    get(azure, address).await.body["status"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_created_with_what_the_service_chooses() {
    let (azure, id) = scene();
    let made = put(&azure, &id, &body()).await;
    assert_eq!((made.status, made.header("location"), made.header("retry-after")), (201, None, None));
    let properties = &made.body["properties"];
    assert_eq!(properties["provisioningState"], "Creating");
    assert!(properties.get("identityProfile").is_none(), "it comes when the cluster is there");
    assert_ne!(properties["kubernetesVersion"], "");
    assert!(properties["fqdn"].as_str().unwrap().starts_with("c1-rg1-111111-"));
    assert_eq!(status(&azure, made.header("azure-asyncoperation").unwrap()).await, "Succeeded", "at the first poll");
    let body = get(&azure, &id).await.body;
    let properties = &body["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["servicePrincipalProfile"]["clientId"], "msi");
    assert_eq!(properties["nodeResourceGroup"], "MC_group_new_westus2");
    assert_eq!(properties["madeUp"]["kept"], true, "what is not known is kept");
    assert_eq!(properties["agentPoolProfiles"][0]["vmSize"], "Standard_D2s_v5");
    let kubelet = &properties["identityProfile"]["kubeletidentity"];
    assert_eq!(kubelet["objectId"], azure.kubelet_object_id("group", "new"));
    let identity = get(&azure, kubelet["resourceId"].as_str().unwrap()).await;
    assert_eq!(identity.body["properties"]["principalId"], kubelet["objectId"]);
    let pools = get(&azure, &format!("{id}/agentPools")).await;
    assert_eq!(pools.body["value"][0]["properties"]["count"], 3);
}

#[tokio::test(start_paused = true)]
async fn a_slow_creation_tells_its_phases() {
    let (azure, id) = scene();
    azure.set_timing(Timing::none().with_cluster_creation(Duration::from_secs(300)));
    let made = put(&azure, &id, &body()).await;
    let poll = made.header("azure-asyncoperation").unwrap();
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.push(status(&azure, poll).await);
        tokio::time::advance(Duration::from_secs(50)).await;
    }
    let words = [
        "InProgress",
        "ProvisioningControlPlane",
        "ProvisioningControlPlane",
        "CreatingAgentPools: 0/3 nodes completed",
        "CreatingAgentPools: 0/3 nodes completed",
        "CreatingAgentPools: 3/3 nodes completed",
        "Succeeded",
    ];
    assert_eq!(seen, words);
    assert_eq!(get(&azure, &id).await.body["properties"]["agentPoolProfiles"][0]["provisioningState"], "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_creation_shows_the_kubelet_identity_when_the_timing_says_so() {
    let (azure, id) = scene();
    let times = Timing::none().with_cluster_creation(Duration::from_secs(300));
    azure.set_timing(times.with_kubelet_identity(Duration::from_secs(60)));
    put(&azure, &id, &body()).await;
    let shown =
        || async { get(&azure, &id).await.body["properties"]["identityProfile"]["kubeletidentity"].is_object() };
    assert!(!shown().await);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(shown().await);
    assert_eq!(get(&azure, &id).await.body["properties"]["provisioningState"], "Creating");
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_wants_nothing_to_be_there_changes_nothing_that_is() {
    let (azure, id) = scene();
    let bearer = format!("Bearer {}", crate::client::token(&azure, "owner", crate::client::ARM).await);
    let url = format!("{}{id}?api-version=2026-05-01", crate::client::ARM);
    let headers = [("authorization", bearer), ("if-none-match", String::from("*"))];
    let send = || crate::client::send(&azure, Method::Put, &url, &headers, Some(body().to_string()));
    assert_eq!(send().await.unwrap().status, 201);
    let refused = send().await.unwrap();
    assert_eq!((refused.status, refused.body["code"].as_str()), (412, Some("EtagMismatch")));
}

#[tokio::test(start_paused = true)]
async fn a_pool_has_the_nodes_that_its_count_says() {
    let (azure, id) = scene();
    let nodes = || async {
        let credential = arm(&azure, "owner", Method::Post, &format!("{id}/listClusterAdminCredential"), None).await;
        crate::client::nodes(&azure, &credential).await
    };
    put(&azure, &id, &body()).await;
    assert_eq!(nodes().await, 3);
    let mut changed = get(&azure, &id).await.body;
    changed["properties"]["agentPoolProfiles"][0]["count"] = 1.into();
    assert_eq!(put(&azure, &id, &changed).await.status, 200);
    assert_eq!(nodes().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_for_another_revision_is_refused() {
    let (azure, id) = scene();
    put(&azure, &id, &body()).await;
    let bearer = format!("Bearer {}", crate::client::token(&azure, "owner", crate::client::ARM).await);
    let url = format!("{}{id}?api-version=2026-05-01", crate::client::ARM);
    let headers = [("authorization", bearer), ("if-match", String::from("another"))];
    let refused = crate::client::send(&azure, Method::Put, &url, &headers, Some(body().to_string())).await.unwrap();
    assert_eq!((refused.status, refused.body["code"].as_str()), (412, Some("EtagMismatch")));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_makes_no_cluster_is_refused_without_a_wrapper() {
    let (azure, id) = scene();
    let mut without_pool = body();
    without_pool["properties"]["agentPoolProfiles"] = json!([]);
    let refused = put(&azure, &id, &without_pool).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (400, Some("InvalidParameter")));
    let mut unknown = body();
    unknown["identity"] = Value::Null;
    unknown["properties"]["servicePrincipalProfile"] = json!({"clientId": "nobody", "secret": "s"});
    let refused = put(&azure, &id, &unknown).await;
    assert_eq!(refused.body["code"], "ServicePrincipalNotFound");
    assert_eq!(get(&azure, &id).await.code(), "ResourceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_cluster_takes_its_identities_along() {
    let (azure, id) = scene();
    put(&azure, &id, &body()).await;
    azure.set_timing(Timing::none().with_cluster_deletion(Duration::from_secs(60)));
    let first = azure.kubelet_object_id("group", "new");
    let deleted = arm(&azure, "owner", Method::Delete, &id, None).await;
    assert_eq!(deleted.status, 202);
    let location = deleted.header("location").unwrap();
    assert_eq!(get(&azure, location).await.status, 202);
    assert_eq!(get(&azure, &id).await.body["properties"]["provisioningState"], "Deleting");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(status(&azure, deleted.header("azure-asyncoperation").unwrap()).await, "Succeeded");
    assert_eq!(get(&azure, location).await.status, 204);
    assert_eq!(get(&azure, &id).await.status, 404);
    assert_eq!(arm(&azure, "owner", Method::Delete, &id, None).await.status, 204);
    put(&azure, &id, &body()).await;
    assert_ne!(azure.kubelet_object_id("group", "new"), first, "what was granted to the old one is not the new one's");
}
