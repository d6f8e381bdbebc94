//! What is reported through `tracing`: the page is `aks_acr::telemetry`.

mod listener;

use crate::{Scene, rights};
use aks_acr::{AttachOptions, CallOptions, ClusterRef, Operation, PodSelection, telemetry};
use aks_acr_emulator::{Emulator, Fault};
use listener::{Listener, Told};
use serde_json::Value;
use std::time::Duration;

/// An Azure in which every operation has something to do, and a listener.
fn scene() -> (Scene, Listener) {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    (Scene::of(azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"])), Listener::default())
}

/// Whether it is about a cluster, a registry or a plan; others are about all of a kind.
fn has_arguments(operation: Operation) -> bool {
    let listed: Vec<Value> = serde_json::from_str(include_str!("../../contract/operations.json")).unwrap();
    let known = listed.iter().find(|one| one["rust"] == operation.as_str()).unwrap();
    known["arguments"].as_array().is_some_and(|arguments| !arguments.is_empty())
}

/// That of the result, where it has one.
fn outcome(operation: Operation, result: &Value) -> &str {
    let outcome = &result["outcome"];
    outcome.as_str().or(outcome["kind"].as_str()).unwrap_or(match operation {
        Operation::Registry => "found",
        Operation::CreateRegistry | Operation::CreateCluster | Operation::ApplyKubeletIdentity => "created",
        Operation::UpdateRegistry => "changed",
        Operation::RemoveKubeletIdentity => "removed",
        Operation::ImportImage => "imported",
        Operation::StartImport => "started",
        Operation::PollImport => "succeeded",
        Operation::Check => "cannot_pull",
        Operation::Explain => "healthy",
        Operation::NodeIdentities => "current",
        _ => "done",
    })
}

#[tokio::test(start_paused = true)]
async fn every_operation_has_a_span_and_one_end_with_its_outcome() {
    for operation in Operation::ALL {
        let (scene, listener) = scene();
        let _guard = listener.listen();
        let result = rights::call(&scene.client, &scene.client, *operation, &scene.registry).await.unwrap();
        let outcome = outcome(*operation, &result);
        let spans = listener.spans(operation.as_str());
        let [span] = &spans[..] else { panic!("{operation}: {} spans", spans.len()) };
        assert_eq!((span.target.as_str(), span.field("outcome")), (telemetry::OPERATION, Some(outcome)), "{operation}");
        assert_eq!(span.field("subscription"), Some(scene.azure.subscription()));
        let is_of_one = has_arguments(*operation);
        assert_eq!(span.field("cluster").or(span.field("registry")).is_some(), is_of_one, "{operation}");
        let ends = listener.events(telemetry::END);
        let ends: Vec<&Told> = ends.iter().filter(|end| end.field("operation") == Some(operation.as_str())).collect();
        let [end] = &ends[..] else { panic!("{operation}: {} ends", ends.len()) };
        assert_eq!((end.level, end.field("outcome")), (tracing::Level::INFO, Some(outcome)), "{operation}");
        assert_eq!(end.span, Some(span.number), "{operation}: its end is within its span");
        assert_eq!(end.field("correlation_id"), span.field("correlation_id"));
        if matches!(operation, Operation::CreateRegistry | Operation::CreateCluster) {
            assert!(
                span.field("correlation_id").is_some(),
                "{operation}: Azure's activity log has the write under this id"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_is_told_once_within_its_operation_and_without_its_query() {
    let (scene, listener) = scene();
    let _guard = listener.listen();
    let mark = scene.azure.mark();
    let attached = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    scene.client.pods(&scene.cluster, &PodSelection::default(), CallOptions::default()).await.unwrap();
    let told = listener.events(telemetry::HTTP);
    let names = |one: &Told| ["method", "host", "path"].map(|name| one.field(name).unwrap().to_owned());
    // The credential is the emulator's own, whose requests are its affair.
    let seen = scene.azure.requests_since(mark);
    let seen = seen.iter().filter(|one| one.service != aks_acr_emulator::Service::Entra);
    let mut seen: Vec<[String; 3]> = seen.map(|one| [one.method.clone(), one.host.clone(), one.path.clone()]).collect();
    let mut heard: Vec<[String; 3]> = told.iter().map(names).collect();
    seen.sort();
    heard.sort();
    assert_eq!(heard, seen);
    for one in &told {
        assert!(one.span.is_some() && one.field("duration_ms").is_some() && one.field("step").is_some(), "{one:?}");
        assert!(!one.fields.values().any(|value| value.contains("api-version")), "{one:?}");
    }
    let write = told.iter().find(|one| one.field("method") == Some("PUT")).unwrap();
    assert_eq!((write.field("status"), write.field("attempt")), (Some("201"), Some("1")));
    let [span] = &listener.spans("attach")[..] else { panic!("one attach") };
    assert_eq!(span.field("correlation_id"), attached.correlation_id.as_deref());
    let audiences: Vec<_> = listener.events(telemetry::CREDENTIAL);
    assert!(audiences.iter().all(|one| one.field("credential") == Some("given")), "{audiences:?}");
    assert_eq!(
        audiences.iter().filter(|one| one.field("audience") == Some("https://management.azure.com/.default")).count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_told_with_its_reason_and_each_try_by_itself() {
    let (scene, listener) = scene();
    let _guard = listener.listen();
    scene.azure.fault(Fault::on("GET", "/managedClusters/").status(429).header("retry-after", "3"));
    scene.azure.fault(Fault::on("GET", "/managedClusters/").reset());
    scene.client.identities(&scene.cluster, CallOptions::default()).await.unwrap();
    let tries: Vec<_> = listener.events(telemetry::HTTP);
    let tries: Vec<_> =
        tries.iter().map(|one| (one.field("attempt"), one.field("status"), one.field("reason").is_some())).collect();
    assert_eq!(tries.len(), 3, "{tries:?}");
    assert!(
        tries.contains(&(Some("3"), Some("200"), false)) && tries.iter().filter(|one| one.2).count() == 1,
        "{tries:?}"
    );
    let waits: Vec<Told> = listener.events(telemetry::PROGRESS);
    let waits: Vec<_> = waits.iter().filter(|one| one.level == tracing::Level::INFO).collect();
    assert_eq!(waits.len(), 2, "{waits:?}");
    assert!(waits.iter().any(|one| one.field("wait_ms") == Some("3000") && one.field("reason").is_some()), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_with_its_kind_and_what_azure_said() {
    let (scene, listener) = scene();
    let _guard = listener.listen();
    let absent = ClusterRef::new("group", "absent").unwrap();
    let err = scene.client.identities(&absent, CallOptions::default()).await.unwrap_err();
    let [span] = &listener.spans("identities")[..] else { panic!("one span") };
    assert_eq!((span.field("outcome"), span.field("cluster")), (Some("not_found"), Some("group/absent")));
    let [end] = &listener.events(telemetry::END)[..] else { panic!("one end") };
    assert_eq!((end.field("status"), end.field("code")), (Some("404"), err.code()));
    assert_eq!((end.field("error"), end.field("request_id")), (Some(err.to_string().as_str()), err.request_id()));
    // A job that runs at night is read by its errors: each says what it was about.
    assert_eq!((end.level, end.field("cluster")), (tracing::Level::ERROR, Some("group/absent")));
}

#[tokio::test(start_paused = true)]
async fn an_end_names_cluster_and_registry_also_those_that_options_name() {
    let (scene, listener) = scene();
    let _guard = listener.listen();
    let both = |one: &Told| ["cluster", "registry"].map(|name| one.field(name).map(str::to_owned));
    scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    let options = aks_acr::ApplyOptions::default().with_registry(scene.registry.clone());
    scene.client.apply(&scene.cluster, Vec::new(), options).await.unwrap();
    let absent: aks_acr::RegistryRef = "noregistry".parse().unwrap();
    scene.client.attach(&scene.cluster, &absent, AttachOptions::default()).await.unwrap_err();
    let ends = listener.events(telemetry::END);
    // As the caller named them.
    let known = [Some("group/dev".to_owned()), Some(scene.registry.to_string())];
    assert_eq!(
        ends.iter().map(both).collect::<Vec<_>>(),
        [known.clone(), known, ["group/dev", "noregistry"].map(|name| Some(name.to_owned()))]
    );
    assert_eq!(
        ends.iter().map(|one| one.level).collect::<Vec<_>>(),
        [tracing::Level::INFO, tracing::Level::INFO, tracing::Level::ERROR]
    );
    for span in ["attach", "apply"].iter().flat_map(|name| listener.spans(name)) {
        assert!(span.field("cluster").is_some() && span.field("registry").is_some(), "{span:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_with_failures_is_an_error_and_a_cancelled_call_is_none() {
    let (scene, listener) = scene();
    let _guard = listener.listen();
    let item = |source: &str| aks_acr::ImportItem::new(source.parse().unwrap(), aks_acr::ImportOptions::default());
    let images = vec![item("docker.io/library/nginx:latest"), item("docker.io/library/absent:1")];
    scene.client.import_images(&scene.registry, images, aks_acr::ImportManyOptions::default()).await.unwrap();
    let cancel = aks_acr::CancellationToken::new();
    cancel.cancel();
    let call = CallOptions::default().with_cancel(cancel);
    scene.client.identities(&scene.cluster, call).await.unwrap_err();
    let ends = listener.events(telemetry::END);
    let told: Vec<_> = ends.iter().map(|one| (one.level, one.field("outcome").unwrap())).collect();
    assert_eq!(told, [(tracing::Level::ERROR, "some_failed"), (tracing::Level::INFO, "cancelled")]);
    assert!(ends[0].field("error").unwrap().starts_with("1 of 2 failed, the first: "), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_nobody_waits_for_is_told_as_dropped() {
    let (scene, listener) = scene();
    let _guard = listener.listen();
    scene.azure.fault(Fault::on("GET", "/managedClusters/").delay(Duration::from_secs(60)));
    let work = scene.client.identities(&scene.cluster, CallOptions::default());
    assert!(tokio::time::timeout(Duration::from_secs(5), work).await.is_err());
    let [end] = &listener.events(telemetry::END)[..] else { panic!("one end") };
    assert_eq!((end.field("outcome"), end.field("duration_ms")), (Some("dropped"), Some("5000")));
    assert_eq!(listener.spans("identities")[0].field("outcome"), Some("dropped"));
}
