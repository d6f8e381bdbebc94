//! User-assigned identities, and clusters that are given them.

use std::time::Duration;

use aks_acr_emulator::{Emulator, Timing};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, arm, get, grant};

const OPERATOR: &str = "f1a07417-d97a-45cb-824c-7a7467783830";

fn scene() -> Emulator {
    Emulator::new().with_group("group", "westus2")
}

fn id_of(azure: &Emulator, name: &str) -> String {
    let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
    format!("/subscriptions/{}/resourcegroups/group/providers/{kind}/{name}", azure.subscription())
}

async fn make(azure: &Emulator, name: &str) -> Answer {
    arm(azure, "owner", Method::Put, &id_of(azure, name), Some(json!({"location": "westus2"}))).await
}

fn principal(answer: &Answer) -> &str {
    answer.body["properties"]["principalId"].as_str().unwrap()
}

fn cluster(azure: &Emulator) -> Value {
    let id = id_of(azure, "control");
    json!({"location": "westus2", "identity": {"type": "UserAssigned", "userAssignedIdentities": {id: {}}},
        "properties": {"agentPoolProfiles": [{"name": "one", "count": 1, "mode": "System"}],
            "identityProfile": {"kubeletidentity": {"resourceId": id_of(azure, "kubelet")}}}})
}

#[tokio::test(start_paused = true)]
async fn an_identity_is_made_once_and_found_by_its_group() {
    let azure = scene();
    let made = make(&azure, "one").await;
    assert_eq!((made.status, made.header("location")), (201, Some(id_of(&azure, "one").as_str())));
    let again = make(&azure, "one").await;
    assert_eq!((again.status, principal(&again)), (200, principal(&made)));
    let all = get(&azure, id_of(&azure, "one").rsplit_once('/').unwrap().0).await;
    assert_eq!(all.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(arm(&azure, "owner", Method::Delete, &id_of(&azure, "one"), None).await.status, 200);
    assert_eq!(arm(&azure, "owner", Method::Delete, &id_of(&azure, "one"), None).await.status, 204);
    assert_eq!(get(&azure, &id_of(&azure, "one")).await.code(), "ResourceNotFound");
    assert_ne!(principal(&make(&azure, "one").await), principal(&made), "a name anew is somebody else");
}

#[tokio::test(start_paused = true)]
async fn a_new_identity_is_unknown_to_the_directory_for_a_time() {
    let azure = scene();
    azure.set_timing(Timing::none().with_principal(Duration::from_secs(15)));
    let made = make(&azure, "one").await;
    let path = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111",
        id_of(&azure, "one")
    );
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{OPERATOR}");
    let body = json!({"properties": {"roleDefinitionId": role, "principalId": principal(&made)}});
    let early = arm(&azure, "owner", Method::Put, &path, Some(body.clone())).await;
    assert_eq!(early.code(), "PrincipalNotFound");
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(arm(&azure, "owner", Method::Put, &path, Some(body)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_brought_kubelet_identity_needs_the_operator_role_and_is_shown_at_once() {
    let azure = scene();
    let control = make(&azure, "control").await;
    let kubelet = make(&azure, "kubelet").await;
    let id = azure.cluster_id("group", "new");
    let refused = arm(&azure, "owner", Method::Put, &id, Some(cluster(&azure))).await;
    assert_eq!(refused.body["code"], "CustomKubeletIdentityMissingPermissionError");
    let name = "11111111-1111-4111-8111-111111111111";
    assert_eq!(grant(&azure, &id_of(&azure, "kubelet"), name, principal(&control), OPERATOR).await.status, 201);
    let made = arm(&azure, "owner", Method::Put, &id, Some(cluster(&azure))).await;
    assert_eq!(made.status, 201);
    let shown = &made.body["properties"]["identityProfile"]["kubeletidentity"];
    assert_eq!(shown["objectId"], principal(&kubelet));
    assert_eq!(
        made.body["identity"]["userAssignedIdentities"][id_of(&azure, "control")]["principalId"],
        principal(&control)
    );
    arm(&azure, "owner", Method::Delete, &id, None).await;
    assert_eq!(get(&azure, &id_of(&azure, "kubelet")).await.status, 200, "it was there before, and stays");
}

#[tokio::test(start_paused = true)]
async fn who_gives_an_identity_to_a_cluster_needs_the_right_to_assign_it() {
    let azure = scene();
    make(&azure, "control").await;
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    let azure = azure.with_caller("maker", &[("Azure Kubernetes Service Contributor Role", &group)]);
    let mut body = cluster(&azure);
    body["properties"]["identityProfile"] = Value::Null;
    let id = azure.cluster_id("group", "new");
    let refused = arm(&azure, "maker", Method::Put, &id, Some(body)).await;
    assert_eq!((refused.status, refused.code()), (403, "LinkedAuthorizationFailed"));
}
