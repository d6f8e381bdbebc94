//! Locks, and what they are in the way of.

use aks_acr_emulator::Emulator;
use azure_core::http::Method;
use serde_json::json;

use crate::client::{ACR_PULL, Answer, arm, get, grant};

const NAME: &str = "11111111-1111-4111-8111-111111111111";

fn scene() -> (Emulator, String) {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let id = azure.registry_id("group", "myregistry");
    (azure, id)
}

async fn lock(azure: &Emulator, scope: &str, level: &str) -> Answer {
    let path = format!("{scope}/providers/Microsoft.Authorization/locks/keep");
    arm(azure, "owner", Method::Put, &path, Some(json!({"properties": {"level": level}}))).await
}

#[tokio::test(start_paused = true)]
async fn a_lock_against_deletion_stops_it_and_that_of_the_group_until_it_is_gone() {
    let (azure, registry) = scene();
    let kubelet = azure.kubelet_object_id("group", "dev");
    assert_eq!(lock(&azure, &registry, "CanNotDelete").await.status, 201);
    assert_eq!(grant(&azure, &registry, NAME, &kubelet, ACR_PULL).await.status, 201, "a write is no deletion");
    let refused = arm(&azure, "owner", Method::Delete, &registry, None).await;
    assert_eq!((refused.status, refused.code()), (409, "ScopeLocked"));
    let assignment = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{NAME}");
    assert_eq!(arm(&azure, "owner", Method::Delete, &assignment, None).await.code(), "ScopeLocked");
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    assert_eq!(arm(&azure, "owner", Method::Delete, &group, None).await.code(), "ScopeLocked");
    let own = format!("{registry}/providers/Microsoft.Authorization/locks/keep");
    assert_eq!(arm(&azure, "owner", Method::Delete, &own, None).await.status, 200);
    assert_eq!(arm(&azure, "owner", Method::Delete, &registry, None).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_read_only_group_takes_no_grant_and_no_call_that_changes() {
    let (azure, registry) = scene();
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    lock(&azure, &group, "ReadOnly").await;
    let kubelet = azure.kubelet_object_id("group", "dev");
    assert_eq!(grant(&azure, &registry, NAME, &kubelet, ACR_PULL).await.code(), "ScopeLocked");
    let keys = format!("{registry}/listCredentials");
    assert_eq!(arm(&azure, "owner", Method::Post, &keys, None).await.code(), "ScopeLocked");
    assert_eq!(get(&azure, &registry).await.status, 200);
    let listed = get(&azure, &format!("{registry}/providers/Microsoft.Authorization/locks?$filter=atScope()")).await;
    assert_eq!(listed.body["value"][0]["properties"]["level"], "ReadOnly");
}
