//! What Resource Manager answers itself: versions, providers, regions, groups.

use std::time::Duration;

use aks_acr_emulator::{Emulator, Timing};
use azure_core::http::Method;
use serde_json::json;

use crate::client::{arm, get};

fn scene() -> Emulator {
    Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry")
}

fn subscription(azure: &Emulator) -> String {
    format!("/subscriptions/{}", azure.subscription())
}

#[tokio::test(start_paused = true)]
async fn an_unknown_version_is_refused_with_those_that_are_known() {
    let azure = scene();
    let refused = get(&azure, &format!("{}?api-version=2099-01-01", azure.registry_id("group", "myregistry"))).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidResourceType"));
    assert!(refused.message().contains("2025-11-01"));
    let refused = get(&azure, &format!("{}?api-version=1", subscription(&azure))).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidApiVersionParameter"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_must_be_registered_before_anything_is_made_of_it() {
    let azure = scene();
    azure.unregister_provider("Microsoft.ContainerRegistry");
    let body = || Some(json!({"location": "westeurope", "sku": {"name": "Basic"}}));
    let id = azure.registry_id("group", "another");
    let refused = arm(&azure, "owner", Method::Put, &id, body()).await;
    assert_eq!((refused.status, refused.code()), (409, "MissingSubscriptionRegistration"));
    assert_eq!(refused.body["error"]["details"][0]["target"], "Microsoft.ContainerRegistry");
    let provider = format!("{}/providers/Microsoft.ContainerRegistry", subscription(&azure));
    assert_eq!(get(&azure, &provider).await.body["registrationState"], "NotRegistered");
    arm(&azure, "owner", Method::Post, &format!("{provider}/register"), None).await;
    assert_eq!(get(&azure, &provider).await.body["registrationState"], "Registered");
    assert!(arm(&azure, "owner", Method::Put, &id, body()).await.status < 300);
}

#[tokio::test(start_paused = true)]
async fn a_registration_takes_its_time() {
    let azure = scene();
    azure.unregister_provider("Microsoft.ContainerService");
    azure.set_timing(Timing::none().with_registration(Duration::from_secs(60)));
    let provider = format!("{}/providers/Microsoft.ContainerService", subscription(&azure));
    let state = || async { get(&azure, &provider).await.body["registrationState"].clone() };
    let begun = arm(&azure, "owner", Method::Post, &format!("{provider}/register"), None).await;
    assert_eq!((begun.status, &begun.body["registrationState"]), (200, &json!("Registering")));
    tokio::time::advance(Duration::from_secs(50)).await;
    assert_eq!(state().await, "Registering");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(state().await, "Registered");
}

#[tokio::test(start_paused = true)]
async fn a_group_goes_with_all_that_is_in_it() {
    let azure = scene();
    let group = format!("{}/resourceGroups/group", subscription(&azure));
    assert_eq!(arm(&azure, "owner", Method::Head, &group, None).await.status, 204);
    let deleted = arm(&azure, "owner", Method::Delete, &group, None).await;
    assert_eq!(deleted.status, 202);
    assert_eq!(get(&azure, deleted.header("location").unwrap()).await.status, 200);
    assert_eq!(arm(&azure, "owner", Method::Head, &group, None).await.status, 404);
    let left = get(&azure, &format!("{}/resources", subscription(&azure))).await;
    assert_eq!(left.body["value"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn resources_are_found_by_group_and_name() {
    let azure = scene().with_registry("other", "registrytwo");
    let filter = "resourceGroup eq 'other' and resourceType eq 'Microsoft.ContainerRegistry/registries'";
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let found = get(&azure, &format!("{}/resources?$filter={filter}", subscription(&azure))).await;
    let names: Vec<&str> =
        found.body["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["registrytwo"]);
}
