//! Faults, throttling, and what the log makes of requests.

use std::time::Duration;

use aks_acr_emulator::{Emulator, Fault, Timing, summary};
use azure_core::http::Method;
use serde_json::json;

use crate::client::{ACR_PULL, ARM, arm, get, grant, send, token};

const ONE: &str = "11111111-1111-4111-8111-111111111111";

fn scene() -> (Emulator, String, String) {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let (registry, kubelet) = (azure.registry_id("group", "myregistry"), azure.kubelet_object_id("group", "dev"));
    (azure, registry, kubelet)
}

#[tokio::test(start_paused = true)]
async fn a_fault_before_the_effect_prevents_it_and_counts_down() {
    let (azure, registry, kubelet) = scene();
    let body = json!({"error": {"code": "TooManyRequests", "message": "slower"}});
    azure.fault(Fault::on("PUT", "/roleassignments/").status(429).header("retry-after", "2").body(body));
    let refused = grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    assert_eq!((refused.status, refused.header("retry-after"), refused.code()), (429, Some("2"), "TooManyRequests"));
    assert!(!azure.role_assignments().iter().any(|one| one.name == ONE));
    assert_eq!(grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_connection_cut_after_the_effect_leaves_it() {
    let (azure, registry, _) = scene();
    let bearer = format!("Bearer {}", token(&azure, "owner", ARM).await);
    azure.fault(Fault::on("PATCH", "/registries/").after_effect().reset());
    let url = format!("{ARM}{registry}?api-version=2025-11-01");
    let body = json!({"properties": {"adminUserEnabled": true}}).to_string();
    let fault = send(&azure, Method::Patch, &url, &[("authorization", bearer)], Some(body)).await.unwrap_err();
    assert!(matches!(fault.kind(), azure_core::error::ErrorKind::Io), "{fault}");
    assert_eq!(get(&azure, &registry).await.body["properties"]["adminUserEnabled"], true);
    assert!(azure.requests().iter().any(|one| one.method == "PATCH" && one.status.is_none() && one.ended.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_in_the_emulators_time() {
    let (azure, registry, _) = scene();
    azure.fault(Fault::on("GET", "/registries/").delay(Duration::from_secs(30)));
    let start = tokio::time::Instant::now();
    assert_eq!(get(&azure, &registry).await.status, 200);
    assert!(start.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_has_no_end() {
    let (azure, registry, _) = scene();
    azure.set_timing(Timing::none().with_latency(Duration::from_secs(60)));
    let given_up = tokio::time::timeout(Duration::from_secs(1), get(&azure, &registry)).await;
    assert!(given_up.is_err());
    assert_eq!(azure.requests().last().unwrap().ended, None);
}

#[tokio::test(start_paused = true)]
async fn an_empty_bucket_refuses_with_a_wait_that_is_enough() {
    let (azure, registry, _) = scene();
    azure.throttle_at("reads", 2, 0.5);
    get(&azure, &registry).await;
    assert_eq!(get(&azure, &registry).await.header("x-ms-ratelimit-remaining-subscription-reads"), Some("0"));
    let refused = get(&azure, &registry).await;
    assert_eq!((refused.status, refused.code()), (429, "SubscriptionRequestsThrottled"));
    let wait = refused.header("retry-after").unwrap().parse().unwrap();
    tokio::time::advance(Duration::from_secs(wait)).await;
    assert_eq!(get(&azure, &registry).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn another_principal_has_a_bucket_of_its_own() {
    let (azure, registry, _) = scene();
    let azure = azure.with_caller("reader", &[("Reader", &registry)]);
    azure.throttle_at("reads", 1, 0.1);
    get(&azure, &registry).await;
    assert_eq!(get(&azure, &registry).await.status, 429);
    assert_eq!(arm(&azure, "reader", Method::Get, &registry, None).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn requests_sent_together_are_one_deep_and_those_after_them_two() {
    let (azure, registry, kubelet) = scene();
    let mark = azure.mark();
    let cluster = azure.cluster_id("group", "dev");
    let together = tokio::join!(get(&azure, &cluster), get(&azure, &registry));
    assert_eq!((together.0.status, together.1.status), (200, 200));
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let cost = summary(&azure.requests_since(mark));
    assert_eq!((cost.count, cost.depth, cost.writes, cost.tokens), (3, 2, 1, 3));
}
