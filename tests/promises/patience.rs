//! What is temporary is outlasted within the deadline, what is not is reported at once; all in no time of the wall clock.

use crate::Scene;
use aks_acr::{
    AttachOptions, AttachOutcome, CallOptions, CancellationToken, CreateRegistryOptions, DetachOptions, ErrorKind,
    Event, ImportOptions, ImportProof,
};
use aks_acr_emulator::{Emulator, Fault, Timing};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

fn puts(azure: &Emulator, part: &str) -> usize {
    azure.requests().iter().filter(|one| one.method == "PUT" && one.path.contains(part)).count()
}

fn grants(azure: &Emulator) -> usize {
    azure.role_assignments().iter().filter(|one| one.scope.contains("registries")).count()
}

#[tokio::test(start_paused = true)]
async fn a_principal_that_the_directory_does_not_know_yet_is_waited_for() {
    let scene = Scene::new();
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    scene.azure.forget_principal(&kubelet, Duration::from_secs(20));
    let attachment = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(attachment.outcome, AttachOutcome::Granted);
    assert!(puts(&scene.azure, "roleAssignments") > 2);
    assert_eq!(grants(&scene.azure), 1);
}

#[tokio::test(start_paused = true)]
async fn a_principal_that_never_appears_is_given_up_with_a_hint() {
    let scene = Scene::new();
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    scene.azure.forget_principal(&kubelet, Duration::from_secs(3600));
    let begun = Instant::now();
    let err = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    assert_eq!(err.code(), Some("PrincipalNotFound"));
    assert!(err.to_string().contains("client or application ID"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(5 * 60));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_does_not_hide_that_the_principal_is_unknown() {
    let scene = Scene::new();
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    scene.azure.forget_principal(&kubelet, Duration::from_secs(3600));
    let options = AttachOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(20)));
    let begun = Instant::now();
    let err = scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap_err();
    assert_eq!(err.code(), Some("PrincipalNotFound"));
    assert!(begun.elapsed() <= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_asks_to_come_back_at_once_is_not_asked_in_a_frenzy() {
    let scene = Scene::new();
    scene.azure.set_timing(with(|timing| timing.registry = Duration::from_secs(30)));
    let body = json!({ "status": "Creating" });
    scene
        .azure
        .fault(Fault::on("GET", "/operationStatuses/").status(200).header("retry-after", "0").body(body).times(20));
    scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await.unwrap();
    let polls = scene.azure.requests().iter().filter(|one| one.path.contains("/operationStatuses/")).count();
    assert!(polls <= 40, "{polls} polls in 30 s");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_in_every_form() {
    // A date is compared with the machine's clock, which runs on: a minute leaves enough room for that.
    let in_a_minute = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(61));
    let forms: [(&str, &dyn Fn() -> String); 4] = [
        ("retry-after", &|| "60".to_owned()),
        ("retry-after", &in_a_minute),
        ("retry-after-ms", &|| "60000".to_owned()),
        ("x-ms-retry-after-ms", &|| "60000".to_owned()),
    ];
    for (name, value) in forms {
        for status in [408, 429, 500, 502, 503, 504] {
            let (scene, value) = (Scene::new(), value());
            scene.azure.fault(Fault::on("PUT", "/roleAssignments/").status(status).header(name, &value).times(2));
            let begun = Instant::now();
            scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
            let took = begun.elapsed();
            assert!(took >= Duration::from_secs(100) && took < Duration::from_secs(130), "{name}: {value}: {took:?}");
            assert_eq!(puts(&scene.azure, "roleAssignments"), 3);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_ends_at_once_and_says_how_long_it_would_have_been() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").status(429).header("retry-after", "3600").times(9));
    let begun = Instant::now();
    let options = AttachOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(60)));
    let err = scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap_err();
    assert_eq!((err.kind(), err.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3600))));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(puts(&scene.azure, "roleAssignments"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_a_service_out_of_order_asks_for_is_bounded_like_any_other() {
    for status in [408, 429, 500, 502, 503, 504] {
        let scene = Scene::new();
        scene.azure.fault(Fault::on("PUT", "/roleAssignments/").status(status).header("retry-after", "600").times(9));
        let begun = Instant::now();
        let call = CallOptions::default().with_deadline(Duration::from_secs(60));
        let options = AttachOptions::default().with_call(call);
        let err = scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap_err();
        assert_eq!((err.status(), err.retry_after()), (Some(status), Some(Duration::from_secs(600))));
        assert!(begun.elapsed() < Duration::from_secs(1) && puts(&scene.azure, "roleAssignments") == 1, "{status}");
        let cancel = CancellationToken::new();
        let call = CallOptions::default().with_deadline(Duration::from_secs(3600)).with_cancel(cancel.clone());
        let options = AttachOptions::default().with_call(call);
        let (result, ()) = tokio::join!(scene.client.attach(&scene.cluster, &scene.registry, options), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cancel.cancel();
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(begun.elapsed() < Duration::from_secs(3), "{status}: {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn no_wait_outlives_the_deadline() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "managedClusters").status(503).times(1000));
    let begun = Instant::now();
    let options = AttachOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(30)));
    let err = scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap_err();
    assert_eq!((err.kind(), err.status()), (ErrorKind::DeadlineExceeded, Some(503)), "what stood in the way is told");
    assert!(begun.elapsed() <= Duration::from_secs(31), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up_at_the_deadline() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "managedClusters").delay(Duration::from_secs(3600)));
    let begun = Instant::now();
    let options = AttachOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(30)));
    let err = scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::DeadlineExceeded);
    assert!(begun.elapsed() <= Duration::from_secs(31));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_ends_at_once() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "managedClusters").delay(Duration::from_secs(3600)));
    let cancel = CancellationToken::new();
    let options = AttachOptions::default().with_call(CallOptions::default().with_cancel(cancel.clone()));
    let (result, ()) = tokio::join!(scene.client.attach(&scene.cluster, &scene.registry, options), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    });
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leads_to_one_grant() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").reset().after_effect());
    scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(grants(&scene.azure), 1);
}

/// A registry whose creation takes a while, and what was reported about it.
async fn create_registry_with(fault: Fault) -> Vec<String> {
    let scene = Scene::new();
    scene.azure.set_timing(with(|timing| timing.registry = Duration::from_secs(10)));
    scene.azure.fault(fault);
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = told.clone();
    let call = CallOptions::default().with_progress(move |event: Event| {
        if let Event::Polling { status, .. } = event {
            hears.lock().unwrap().push(status);
        }
    });
    let options = CreateRegistryOptions::default().with_call(call);
    let created = scene.client.create_registry("group", "another", options).await.unwrap();
    assert_eq!((created.is_new, created.registry.state.as_str()), (true, "Succeeded"));
    let told = told.lock().unwrap();
    told.clone()
}

fn with(change: impl FnOnce(&mut Timing)) -> Timing {
    let mut timing = Timing::none();
    change(&mut timing);
    timing
}

#[tokio::test(start_paused = true)]
async fn a_bad_gateway_in_a_poll_does_not_end_the_operation() {
    create_registry_with(Fault::on("GET", "/operationStatuses/").status(502).times(3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_status_word_that_nobody_knows_means_running() {
    let word = "CreatingAgentPools: 1/3 nodes completed";
    let told = create_registry_with(
        Fault::on("GET", "/operationStatuses/").status(200).body(json!({ "status": word })).times(2),
    )
    .await;
    assert!(told.iter().any(|status| status == word), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_fails_says_why() {
    for word in ["Failed", "Canceled", "cancelled"] {
        let scene = Scene::new();
        scene.azure.set_timing(with(|timing| timing.registry = Duration::from_secs(10)));
        let body = json!({ "status": word, "error": { "code": "QuotaExceeded", "message": "too many" } });
        scene.azure.fault(Fault::on("GET", "/operationStatuses/").status(200).body(body));
        let err = scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await.unwrap_err();
        assert_eq!((err.kind(), err.code()), (ErrorKind::OperationFailed, Some("QuotaExceeded")), "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_to_another_host_is_not_followed() {
    let scene = Scene::new();
    let page = json!({ "value": [], "nextLink": "https://evil.example/next" });
    scene.azure.fault(Fault::on("GET", "/registries").status(200).body(page));
    let err = scene
        .client
        .attach(&scene.cluster, &"myregistry".parse().unwrap(), AttachOptions::default())
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected);
    assert!(err.to_string().contains("another host"), "{err}");
    assert!(scene.azure.requests().iter().all(|one| one.host != "evil.example"));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_names_itself_as_next_is_an_error_and_no_endless_loop() {
    let scene = Scene::new();
    let path = format!(
        "https://management.azure.com/subscriptions/{}/next?api-version=2025-11-01",
        scene.azure.subscription()
    );
    for part in ["/registries", "/next"] {
        scene.azure.fault(Fault::on("GET", part).status(200).body(json!({ "value": [], "nextLink": path })).times(50));
    }
    let err = scene
        .client
        .attach(&scene.cluster, &"myregistry".parse().unwrap(), AttachOptions::default())
        .await
        .unwrap_err();
    assert!(err.to_string().contains("same next page repeatedly"), "{err}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_twice_counts_once() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "/registries").repeated_page().times(3));
    scene.azure.fault(Fault::on("GET", "/roleAssignments").repeated_page());
    scene.client.attach(&scene.cluster, &"myregistry".parse().unwrap(), AttachOptions::default()).await.unwrap();
    scene.azure.fault(Fault::on("GET", "/roleAssignments").repeated_page());
    let detached = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    assert_eq!(detached.removed.len(), 1);
    assert_eq!(scene.azure.requests().iter().filter(|one| one.method == "DELETE").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_or_is_a_page_of_a_proxy_is_asked_for_again() {
    let faults =
        [Fault::on("GET", "managedClusters").truncated(), Fault::on("GET", "managedClusters").page().status(200)];
    for fault in faults {
        let scene = Scene::new();
        scene.azure.fault(fault.clone().times(2));
        scene.azure.fault(Fault::on("PUT", "/roleAssignments/").truncated());
        let attachment = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!((grants(&scene.azure), puts(&scene.azure, "roleAssignments")), (1, 2), "{attachment:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_proxy_is_never_the_end_of_an_operation() {
    let told = create_registry_with(Fault::on("GET", "/operationStatuses/").page().status(200).times(2)).await;
    assert!(!told.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_answers_everything_is_named() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "managedClusters").page().status(200).times(1000));
    let err = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert!(err.to_string().contains("text/html"), "{err}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_without_a_word_does_not_hold_a_request_until_its_deadline() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "managedClusters").slow_body(Duration::from_secs(24 * 3600)));
    let begun = Instant::now();
    let options = AttachOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(600)));
    scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_expired_is_replaced_and_one_that_is_refused_again_is_not() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").expired_token());
    scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!((grants(&scene.azure), puts(&scene.azure, "roleAssignments")), (1, 2));
    let scene = Scene::new();
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").expired_token().times(1000));
    let err = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    assert_eq!((err.kind(), err.code()), (ErrorKind::Unauthenticated, Some("ExpiredAuthenticationToken")));
    assert_eq!(puts(&scene.azure, "roleAssignments"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_import_whose_answer_is_lost_is_not_sent_twice() {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    let scene = Scene::of(azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]));
    scene.azure.fault(Fault::on("POST", "/importImage").reset().after_effect());
    let options = ImportOptions::default().with_target("nginx:v1");
    let import = scene.client.import_image(&scene.registry, &"nginx".parse().unwrap(), options).await.unwrap();
    assert!(matches!(import.proof, ImportProof::SourceMatched { .. }));
    let posts = scene.azure.requests().iter().filter(|one| one.path.ends_with("/importImage")).count();
    assert_eq!(posts, 1);
}

#[tokio::test(start_paused = true)]
async fn rights_that_were_just_activated_can_be_waited_for() {
    let scene = Scene::new();
    let registry = scene.azure.registry_id("group", "myregistry");
    let everything = format!("/subscriptions/{}", scene.azure.subscription());
    let azure = scene.azure.clone().with_caller("soon", &[("Reader", &everything)]);
    let soon = crate::client(&azure, azure.credential_of("soon"));
    let options = AttachOptions::default().with_retry_forbidden_for(Duration::from_secs(120));
    let (result, ()) = tokio::join!(soon.attach(&scene.cluster, &scene.registry, options), async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        azure.grant("Role Based Access Control Administrator", &azure.object_id_of("soon"), &registry);
    });
    assert_eq!(result.unwrap().outcome, AttachOutcome::Granted);
}

#[tokio::test(start_paused = true)]
async fn without_a_network_it_is_said_soon_and_why() {
    let scene = Scene::new();
    scene.azure.fault(Fault::on("GET", "managedClusters").reset().times(10_000));
    let begun = Instant::now();
    let err = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert!(err.context().any(|(name, value)| name == "host" && value == "management.azure.com"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
