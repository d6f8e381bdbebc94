//! Imports.

use std::time::Duration;

use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, arm, get};

const HUB: &str = "docker.io/library/nginx:latest";

fn scene() -> Emulator {
    Emulator::new().with_registry("group", "target").with_image(HUB, &["linux/amd64", "linux/arm64"])
}

async fn start(azure: &Emulator, caller: &str, body: Value) -> Answer {
    let path = format!("{}/importImage", azure.registry_id("group", "target"));
    arm(azure, caller, Method::Post, &path, Some(body)).await
}

/// Starts an import and asks once how it went.
async fn import(azure: &Emulator, body: Value) -> Answer {
    let started = start(azure, "owner", body).await;
    assert_eq!(started.status, 202);
    get(azure, started.header("location").unwrap()).await
}

fn hub(mode: &str) -> Value {
    json!({"source": {"registryUri": "docker.io", "sourceImage": "library/nginx:latest"}, "targetTags": ["nginx:v1"], "mode": mode})
}

#[tokio::test(start_paused = true)]
async fn a_time_without_end_is_one_that_no_test_sees_the_end_of() {
    let azure = scene();
    azure.set_timing(Timing::none().with_import(Duration::MAX));
    let started = start(&azure, "owner", hub("NoForce")).await;
    tokio::time::advance(Duration::from_secs(365 * 24 * 3600)).await;
    assert_eq!(get(&azure, started.header("location").unwrap()).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn an_import_is_pending_and_then_has_the_sources_digest() {
    let azure = scene();
    azure.set_timing(Timing::none().with_import(Duration::from_secs(12)));
    let started = start(&azure, "owner", hub("NoForce")).await;
    assert_eq!((started.status, started.header("retry-after")), (202, Some("10")));
    let first = started.header("location").unwrap();
    assert!(first.contains("/locations/WESTEUROPE/operationResults/registries-"));
    let pending = get(&azure, first).await;
    assert_eq!((pending.status, pending.body), (202, json!({"nginx:v1": "Pending", "status": "Accepted"})));
    assert_eq!(azure.digest("target.azurecr.io/nginx:v1"), None);
    tokio::time::advance(Duration::from_secs(12)).await;
    let done = get(&azure, first).await;
    assert_eq!((done.status, done.body), (200, json!({"status": "Succeeded"})));
    assert_eq!(azure.digest("target.azurecr.io/nginx:v1"), azure.digest(HUB));
}

#[tokio::test(start_paused = true)]
async fn each_poll_answers_with_a_new_address() {
    let azure = scene();
    azure.set_timing(Timing::none().with_import(Duration::from_secs(12)));
    let started = start(&azure, "owner", hub("NoForce")).await;
    let first = started.header("location").unwrap();
    let pending = get(&azure, first).await;
    assert_ne!(pending.header("location"), Some(first));
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_exists_is_kept_unless_forced() {
    let azure = scene().with_image("target.azurecr.io/nginx:v1", &["linux/amd64"]);
    let before = azure.digest("target.azurecr.io/nginx:v1");
    let refused = import(&azure, hub("NoForce")).await;
    assert!((400..500).contains(&refused.status));
    assert_eq!(refused.message(), "Tag nginx:v1 already exists in target registry.");
    assert_eq!(azure.digest("target.azurecr.io/nginx:v1"), before);
    assert_eq!(import(&azure, hub("Force")).await.status, 200);
    assert_eq!(azure.digest("target.azurecr.io/nginx:v1"), azure.digest(HUB));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_has_no_such_image_is_named() {
    let azure = scene();
    let body =
        json!({"source": {"registryUri": "docker.io", "sourceImage": "library/none:1"}, "targetTags": ["none:1"]});
    let failed = import(&azure, body).await;
    assert_eq!(failed.message(), "Unable to find manifest digest  Repo: docker.io/library/none Tag: 1 Manifest: ");
}

#[tokio::test(start_paused = true)]
async fn a_digest_can_be_imported_and_tagged() {
    let azure = scene();
    let digest = azure.digest(HUB).unwrap();
    let body = json!({"source": {"registryUri": "docker.io", "sourceImage": format!("library/nginx@{digest}")}, "targetTags": ["nginx:pinned"]});
    assert_eq!(import(&azure, body).await.status, 200);
    assert_eq!(azure.digest("target.azurecr.io/nginx:pinned"), Some(digest));
}

/// As microsoft/Docker-Provider#1246 found of `az acr import`.
#[tokio::test(start_paused = true)]
async fn an_import_leaves_what_refers_to_the_image() {
    let azure = scene();
    let signature = azure.push_referrer(HUB, "application/vnd.cncf.notary.signature").unwrap();
    assert_eq!(import(&azure, hub("Force")).await.status, 200);
    assert_eq!(azure.digest(&format!("target.azurecr.io/nginx@{signature}")), None);
    let body = json!({"source": {"registryUri": "docker.io", "sourceImage": format!("library/nginx@{signature}")}, "untaggedTargetRepositories": ["nginx"]});
    assert_eq!(import(&azure, body).await.status, 200);
    assert!(azure.digest(&format!("target.azurecr.io/nginx@{signature}")).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_untagged_import_makes_no_tag() {
    let azure = scene();
    let body = json!({"source": {"registryUri": "docker.io", "sourceImage": "library/nginx:latest"}, "untaggedTargetRepositories": ["plain"]});
    assert_eq!(import(&azure, body).await.status, 200);
    assert_eq!(azure.digest("target.azurecr.io/plain:latest"), None);
    let digest = azure.digest(HUB).unwrap();
    assert!(azure.digest(&format!("target.azurecr.io/plain@{digest}")).is_some());
}

#[tokio::test(start_paused = true)]
async fn another_registry_gives_only_to_who_may_read_it() {
    let azure = scene().with_registry("group", "source").with_image("source.azurecr.io/app:1", &["linux/amd64"]);
    let (target, source) = (azure.registry_id("group", "target"), azure.registry_id("group", "source"));
    let azure = azure.with_caller("importer", &[("Contributor", &target)]);
    let body = || json!({"source": {"resourceId": source, "sourceImage": "app:1"}, "targetTags": ["app:1"]});
    let poll = |started: Answer| started.header("location").unwrap().to_owned();
    let refused = get(&azure, &poll(start(&azure, "importer", body()).await)).await;
    assert_eq!(refused.message(), "Access to source.azurecr.io denied.");
    azure.grant("AcrPull", &azure.object_id_of("importer"), &source);
    assert_eq!(get(&azure, &poll(start(&azure, "importer", body()).await)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn credentials_open_a_registry_that_is_named_by_its_host() {
    let azure = scene().with_registry("group", "source").with_image("source.azurecr.io/app:1", &["linux/amd64"]);
    let source = azure.registry_id("group", "source");
    let azure = azure.with_caller("puller", &[("AcrPull", &source)]);
    let (username, password) = azure.client_secret_of("puller");
    let body = |credentials: Value| {
        json!({"source": {"registryUri": "source.azurecr.io", "sourceImage": "app:1", "credentials": credentials},
               "targetTags": ["app:1"], "mode": "Force"})
    };
    assert_eq!(import(&azure, body(json!({}))).await.message(), "Access to source.azurecr.io denied.");
    assert_eq!(import(&azure, body(json!({"username": username, "password": password}))).await.status, 200);
    let token = crate::client::token(&azure, "puller", "https://containerregistry.azure.net").await;
    assert_eq!(import(&azure, body(json!({"password": token}))).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_caller_needs_the_right_to_import() {
    let azure = scene();
    let target = azure.registry_id("group", "target");
    let azure = azure.with_caller("reader", &[("Reader", &target)]);
    let refused = start(&azure, "reader", hub("NoForce")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.message().contains("Microsoft.ContainerRegistry/registries/importImage/action"));
}

#[tokio::test(start_paused = true)]
async fn a_resource_id_that_is_none_is_refused_at_once() {
    let azure = scene();
    let body = json!({"source": {"resourceId": "source", "sourceImage": "app:1"}, "targetTags": ["app:1"]});
    assert_eq!(start(&azure, "owner", body).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_source_with_its_network_closed_must_be_named_by_id() {
    let seed = RegistrySeed::new("group", "source").sku("Premium").anonymous_pull().public_network_disabled();
    let azure = scene().with_registry_of(seed).with_image("source.azurecr.io/app:1", &["linux/amd64"]);
    let source = |source: Value| json!({"source": source, "targetTags": ["app:1"]});
    let by_host = source(json!({"registryUri": "source.azurecr.io", "sourceImage": "app:1"}));
    assert_eq!(import(&azure, by_host).await.status, 400);
    let by_id = source(json!({"resourceId": azure.registry_id("group", "source"), "sourceImage": "app:1"}));
    assert_eq!(import(&azure, by_id).await.status, 200);
}
