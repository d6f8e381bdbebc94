//! Whatever is polled: it is asked for at once, and after it is there no more is lost than a tenth of the time that it took, and a
//! second, unless the service asks for a longer wait.

use crate::{Scene, client_of};
use aks_acr::{
    ApplyOptions, AttachOptions, CallOptions, Client, CreateClusterOptions, CreateRegistryOptions, Event, HttpClient,
    ImportOptions, Manifest, Result,
};
use aks_acr_emulator::{Emulator, Fault, Timing};
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, Request, headers::HeaderName};
use futures::future::BoxFuture;
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// What the requests before and after the wait take, of which the emulator lets each have a millisecond.
const REQUESTS: Duration = Duration::from_millis(60);
const TAKES: [u64; 9] = [0, 400, 1_000, 3_300, 12_000, 47_000, 99_000, 130_000, 500_000];

/// A transport that hides for how long a service asks to wait.
#[derive(Debug)]
struct Hurried(Arc<dyn HttpClient>);

#[async_trait]
impl HttpClient for Hurried {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.0.execute_request(request).await?.try_into_raw_response().await?;
        let (status, headers, body) = answer.deconstruct();
        let mut kept = azure_core::http::headers::Headers::new();
        for (name, value) in headers.iter().filter(|(name, _)| **name != HeaderName::from_static("retry-after")) {
            kept.insert(name.clone(), value.clone());
        }
        Ok(AsyncRawResponse::from_bytes(status, kept, body))
    }
}

fn azure() -> Emulator {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"])
}

fn scene() -> Scene {
    let azure = azure();
    let client = client_of(&azure, |builder| builder.transport(Arc::new(Hurried(azure.transport()))));
    let registry = azure.registry_id("group", "myregistry").parse().unwrap();
    Scene { client, cluster: "group/dev".parse().unwrap(), registry, azure }
}

type Prepare = fn(&Emulator, Duration);
type Run = for<'a> fn(&'a Client, CallOptions) -> BoxFuture<'a, Result<()>>;

/// What is waited for, how long that may take, how it is made to take a time, and the operation.
const WAITS: [(&str, u64, Prepare, Run); 6] = [
    (
        "the operation of a registry",
        500,
        |azure, takes| azure.set_timing(Timing::none().with_registry(takes)),
        create_registry,
    ),
    (
        "the operation of a cluster",
        500,
        |azure, takes| azure.set_timing(Timing::none().with_cluster_creation(takes)),
        |client, call| {
            Box::pin(async move {
                let options = CreateClusterOptions::default().with_call(call);
                client.create_cluster(&"group/fresh".parse()?, options).await.map(drop)
            })
        },
    ),
    (
        "the identity of a cluster, and its operation",
        500,
        |azure, takes| {
            let timing = Timing::none().with_cluster_creation(takes);
            azure.set_timing(timing.with_kubelet_identity(takes));
        },
        |client, call| {
            Box::pin(async move {
                let options = CreateClusterOptions::default().with_registry("myregistry".parse()?).with_call(call);
                client.create_cluster(&"group/fresh".parse()?, options).await.map(drop)
            })
        },
    ),
    (
        "import handle",
        500,
        |azure, takes| azure.set_timing(Timing::none().with_import(takes)),
        |client, call| {
            Box::pin(async move {
                let options = ImportOptions::default().with_target("nginx:v1").with_call(call);
                client.import_image(&"myregistry".parse()?, &"nginx".parse()?, options).await.map(drop)
            })
        },
    ),
    (
        "the registration of a provider",
        500,
        |azure, takes| {
            azure.unregister_provider("Microsoft.ContainerRegistry");
            azure.set_timing(Timing::none().with_registration(takes));
        },
        |client, call| {
            Box::pin(async move {
                let options = CreateRegistryOptions::default().with_register_providers(true).with_call(call);
                client.create_registry("group", "another", options).await.map(drop)
            })
        },
    ),
    (
        "a principal that the directory does not know",
        110,
        |azure, takes| azure.forget_principal(&azure.kubelet_object_id("group", "dev"), takes),
        |client, call| {
            Box::pin(async move {
                let options = AttachOptions::default().with_call(call);
                client.attach(&"group/dev".parse()?, &"myregistry".parse()?, options).await.map(drop)
            })
        },
    ),
];

fn create_registry(client: &Client, call: CallOptions) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        client.create_registry("group", "another", CreateRegistryOptions::default().with_call(call)).await.map(drop)
    })
}

#[tokio::test(start_paused = true)]
async fn no_poll_loses_more_than_a_tenth_and_a_second() {
    for (what, most, prepare, run) in WAITS {
        for takes in TAKES.map(Duration::from_millis).into_iter().filter(|takes| takes.as_secs() <= most) {
            let scene = scene();
            prepare(&scene.azure, takes);
            let begun = Instant::now();
            run(&scene.client, CallOptions::default()).await.unwrap_or_else(|err| panic!("{what}: {err:#}"));
            let lost = begun.elapsed().saturating_sub(takes);
            assert!(lost <= takes / 10 + Duration::from_secs(1) + REQUESTS, "{what} took {takes:?}, lost {lost:?}");
        }
    }
}

/// The grant of a cluster that is being made comes soon after its identity has shown.
#[tokio::test(start_paused = true)]
async fn an_identity_is_seen_soon_after_it_shows() {
    for shows in [5, 42, 170].map(Duration::from_secs) {
        let scene = scene();
        let timing = Timing::none().with_cluster_creation(Duration::from_secs(400)).with_kubelet_identity(shows);
        scene.azure.set_timing(timing);
        let (begun, granted) = (Instant::now(), Arc::new(Mutex::new(None)));
        let hears = granted.clone();
        let call = CallOptions::default().with_progress(move |event: Event| {
            if matches!(&event, Event::Started { step } if step.starts_with("granting")) {
                *hears.lock().unwrap() = Some(begun.elapsed());
            }
        });
        let options = CreateClusterOptions::default().with_registry("myregistry".parse().unwrap()).with_call(call);
        scene.client.create_cluster(&"group/fresh".parse().unwrap(), options).await.unwrap();
        let lost = granted.lock().unwrap().unwrap().saturating_sub(shows);
        assert!(lost <= shows / 10 + Duration::from_secs(1) + REQUESTS, "it showed after {shows:?}, lost {lost:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_was_just_defined_is_there_in_a_moment() {
    const KIND: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Lamp, plural: lamps, singular: lamp, listKind: LampList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: example.com/v1
kind: Lamp
metadata: {name: desk}
";
    for lookups in [0, 1, 3, 6] {
        let scene = scene();
        let absent =
            json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404 });
        scene.azure.fault(Fault::on("GET", "/apis/example.com/v1").status(404).body(absent).times(lookups));
        let begun = Instant::now();
        let manifests = Manifest::parse_all(KIND).unwrap();
        scene.client.apply(&scene.cluster, manifests, ApplyOptions::default()).await.unwrap();
        let most =
            Duration::from_millis([0, 100, 700, 6_500][[0, 1, 3, 6].iter().position(|one| *one == lookups).unwrap()]);
        assert!(begun.elapsed() <= most + REQUESTS, "{lookups} look-ups in vain: {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_asked_for_between_two_polls_is_kept_in_every_form() {
    let in_a_minute = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(61));
    let forms: [(&str, &dyn Fn() -> String); 4] = [
        ("retry-after", &|| "60".to_owned()),
        ("retry-after", &in_a_minute),
        ("retry-after-ms", &|| "60000".to_owned()),
        ("x-ms-retry-after-ms", &|| "60000".to_owned()),
    ];
    let polls = [
        ("/operationStatuses/", json!({ "status": "Creating" })),
        ("/operationResults/", json!({ "status": "Accepted" })),
    ];
    for (path, body) in polls {
        for (name, value) in forms {
            let scene = Scene::of(azure());
            let takes = Duration::from_secs(5);
            scene.azure.set_timing(Timing::none().with_registry(takes).with_import(takes));
            let fault = Fault::on("GET", path).status(200).body(body.clone()).header(name, &value()).times(2);
            scene.azure.fault(fault);
            let begun = Instant::now();
            if path.contains("Statuses") {
                create_registry(&scene.client, CallOptions::default()).await.unwrap();
            } else {
                let options = ImportOptions::default().with_target("nginx:v1");
                scene.client.import_image(&scene.registry, &"nginx".parse().unwrap(), options).await.unwrap();
            }
            let took = begun.elapsed();
            assert!(took >= Duration::from_secs(110) && took < Duration::from_secs(135), "{path} {name}: {took:?}");
        }
    }
}
