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
async fn a_body_that_is_cut_off_has_had_its_effect() {
    let (azure, registry, kubelet) = scene();
    azure.fault(Fault::on("PUT", "/roleassignments/").truncated());
    let bearer = format!("Bearer {}", token(&azure, "owner", ARM).await);
    let path = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{ONE}");
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}");
    let body = json!({"properties": {"roleDefinitionId": role, "principalId": kubelet}}).to_string();
    let url = format!("{ARM}{path}?api-version=2022-04-01");
    let fault = send(&azure, Method::Put, &url, &[("authorization", bearer)], Some(body)).await.unwrap_err();
    assert!(matches!(fault.kind(), azure_core::error::ErrorKind::Io), "{fault}");
    assert!(azure.role_assignments().iter().any(|one| one.name == ONE));
    assert_eq!(azure.requests().last().and_then(|one| one.fault), Some("truncated body"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_late_and_whole() {
    let (azure, registry, _) = scene();
    azure.fault(Fault::on("GET", "/registries/").slow_body(Duration::from_secs(40)));
    let start = tokio::time::Instant::now();
    assert_eq!(get(&azure, &registry).await.body["name"], "myregistry");
    assert!(start.elapsed() >= Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_proxy_and_a_wrong_label_come_in_place_of_an_answer() {
    let (azure, registry, _) = scene();
    azure.fault(Fault::on("GET", "/registries/").page().status(200));
    azure.fault(Fault::on("GET", "/registries/").content_type("text/html"));
    let page = get(&azure, &registry).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.bytes.starts_with(b"<!DOCTYPE html>"));
    let labelled = get(&azure, &registry).await;
    assert_eq!((labelled.header("content-type"), &labelled.body["name"]), (Some("text/html"), &json!("myregistry")));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_a_fault_lets_expire_is_expired_for_good_and_another_is_not() {
    let (azure, registry, _) = scene();
    let one = [("authorization", format!("Bearer {}", token(&azure, "owner", ARM).await))];
    let url = format!("{ARM}{registry}?api-version=2025-11-01");
    azure.fault(Fault::on("GET", "/registries/").expired_token().after_effect());
    assert_eq!(send(&azure, Method::Get, &url, &one, None).await.unwrap().status, 200);
    for _ in 0..2 {
        let refused = send(&azure, Method::Get, &url, &one, None).await.unwrap();
        assert_eq!((refused.status, refused.code()), (401, "ExpiredAuthenticationToken"));
        assert!(refused.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    }
    assert_eq!(get(&azure, &registry).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_repeated_names_itself_and_then_goes_on() {
    let (azure, _, _) = scene();
    let azure = azure.with_registry("group", "second");
    azure.set_page_size(1);
    azure.fault(Fault::on("GET", "/registries").repeated_page());
    let mut url = format!(
        "/subscriptions/{}/providers/Microsoft.ContainerRegistry/registries?api-version=2025-11-01",
        azure.subscription()
    );
    let mut names = Vec::new();
    loop {
        let page = get(&azure, &url).await;
        names.push(page.body["value"][0]["name"].as_str().unwrap().to_owned());
        let Some(next) = page.body["nextLink"].as_str() else { break };
        url = next.to_owned();
    }
    assert_eq!(names, ["myregistry", "myregistry", "second"]);
}

#[tokio::test(start_paused = true)]
async fn azures_own_limits_hold_on_request() {
    let (azure, registry, _) = scene();
    let bearer = [("authorization", format!("Bearer {}", token(&azure, "owner", ARM).await))];
    let url = format!("{ARM}{registry}?api-version=2025-11-01");
    azure.set_timing(Timing::none().with_latency(Duration::ZERO));
    azure.throttle_as_azure(true);
    let first = send(&azure, Method::Get, &url, &bearer, None).await.unwrap();
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-global-reads"), Some("3749"));
    for _ in 0..249 {
        send(&azure, Method::Get, &url, &bearer, None).await.unwrap();
    }
    let refused = send(&azure, Method::Get, &url, &bearer, None).await.unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
}

#[tokio::test(start_paused = true)]
async fn a_registry_refuses_by_its_own_numbers() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    azure.set_timing(Timing::none().with_latency(Duration::ZERO));
    azure.throttle_as_azure(true);
    let url = "https://myregistry.azurecr.io/v2/";
    for _ in 0..5000 {
        assert_eq!(send(&azure, Method::Get, url, &[], None).await.unwrap().status, 401);
    }
    let refused = send(&azure, Method::Get, url, &[], None).await.unwrap();
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (429, &json!("TOOMANYREQUESTS")));
}

#[tokio::test(start_paused = true)]
async fn a_storm_strikes_its_share_and_ends() {
    let (azure, registry, _) = scene();
    azure.storm(aks_acr_emulator::Storm::new(5, 0.5));
    let bearer = [("authorization", String::from("Bearer none"))];
    let url = format!("{ARM}{registry}?api-version=2025-11-01");
    for _ in 0..100 {
        // Some are never answered.
        let sent = send(&azure, Method::Get, &url, &bearer, None);
        drop(tokio::time::timeout(std::time::Duration::from_secs(60), sent).await);
    }
    let struck = || azure.requests().iter().filter(|one| one.fault.is_some()).count();
    // About half of the draws hit. Some of their kinds do nothing here: an invalid token cannot expire, and what is refused cannot lag.
    assert!((20..=60).contains(&struck()), "{}", struck());
    let before = struck();
    azure.calm();
    drop(send(&azure, Method::Get, &url, &bearer, None).await);
    assert_eq!(struck(), before);
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

#[tokio::test(start_paused = true)]
async fn a_subscription_of_another_tenant_refuses_the_token_and_names_both_tenants() {
    let (subscription, tenant) = ("99999999-9999-9999-9999-999999999999", "88888888-8888-8888-8888-888888888888");
    let azure = Emulator::new().with_foreign_subscription(subscription, tenant);
    let refused = get(&azure, &format!("/subscriptions/{subscription}?api-version=2022-12-01")).await;
    assert_eq!((refused.status, refused.code()), (401, "InvalidAuthenticationTokenTenant"));
    assert!(refused.header("www-authenticate").is_some_and(|header| header.contains(tenant)));
    let text = refused.message().to_owned();
    assert!(text.contains(tenant) && text.contains(azure.tenant()), "{text}");
    let own = get(&azure, &format!("/subscriptions/{}?api-version=2022-12-01", azure.subscription())).await;
    assert_eq!(own.status, 200);
}
