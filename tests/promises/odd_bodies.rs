//! What an operation of Azure has come to is read from what its bodies say, and a body that does not say so is never a success.

use crate::{Scene, client};
use aks_acr::{
    CallOptions, Client, CreateClusterOptions, CreateRegistryOptions, Error, ErrorKind, ImportOptions, Result,
};
use aks_acr_emulator::{Emulator, Fault, Timing};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long each of the operations takes.
const TAKES: Duration = Duration::from_secs(30);
/// The operations that end by a body, and where it is read.
const OPERATIONS: [(&str, &str, Run); 3] = [
    ("create_registry", "/operationStatuses/", |client, call| {
        Box::pin(async move {
            let options = CreateRegistryOptions::default().with_call(call);
            client.create_registry("group", "another", options).await.map(drop)
        })
    }),
    ("create_cluster", "/operations/", |client, call| {
        Box::pin(async move {
            let options = CreateClusterOptions::default().with_call(call);
            client.create_cluster(&"group/fresh".parse()?, options).await.map(drop)
        })
    }),
    ("import_image", "/operationResults/", |client, call| {
        Box::pin(async move {
            let options = ImportOptions::default().with_target("nginx:v1").with_call(call);
            client.import_image(&"myregistry".parse()?, &"nginx".parse()?, options).await.map(drop)
        })
    }),
];

type Run = for<'a> fn(&'a Client, CallOptions) -> BoxFuture<'a, Result<()>>;

fn scene() -> Scene {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    let azure = azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    azure.set_timing(Timing::none().with_registry(TAKES).with_cluster_creation(TAKES).with_import(TAKES));
    let client = client(&azure, azure.credential());
    let registry = azure.registry_id("group", "myregistry").parse().unwrap();
    Scene { client, cluster: "group/dev".parse().unwrap(), registry, azure }
}

/// Bodies that are empty or cannot be understood.
fn odd() -> Vec<Value> {
    vec![
        json!(null),
        json!("Succeeded"),
        json!(5),
        json!([]),
        json!(["Succeeded"]),
        json!({}),
        json!({ "status": null }),
        json!({ "status": "" }),
        json!({ "status": 5 }),
        json!({ "status": { "value": "Succeeded" } }),
        json!({ "status": ["Succeeded"] }),
        json!({ "status": "Sideways" }),
        json!({ "status": 5, "properties": { "provisioningState": "Succeeded" } }),
        json!({ "properties": null }),
        json!({ "properties": "Succeeded" }),
        json!({ "properties": { "provisioningState": null } }),
        json!({ "properties": { "provisioningState": "Sideways" } }),
        json!({ "properties": { "provisioningState": [] } }),
        json!({ "error": null }),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_say_so_is_no_success() {
    for (name, path, run) in OPERATIONS {
        for body in odd() {
            let (scene, begun) = (scene(), Instant::now());
            scene.azure.fault(Fault::on("GET", path).status(200).body(body.clone()).times(2));
            run(&scene.client, CallOptions::default()).await.unwrap();
            assert!(begun.elapsed() >= TAKES, "{name}, {body}: it ended after {:?}", begun.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_nobody_knows_is_waited_out_to_the_deadline_and_told() {
    for (name, path, run) in OPERATIONS {
        for (body, seen) in [
            (json!({ "status": "Sideways" }), Some("Sideways")),
            (json!({ "status": 5 }), Some("5")),
            (json!({ "properties": null }), Some("no state")),
        ] {
            let (scene, begun) = (scene(), Instant::now());
            scene.azure.fault(Fault::on("GET", path).status(200).body(body).times(1000));
            let call = CallOptions::default().with_deadline(Duration::from_secs(300));
            let err = run(&scene.client, call).await.unwrap_err();
            assert_eq!(err.kind(), ErrorKind::DeadlineExceeded, "{name}: {err}");
            assert!(begun.elapsed() > Duration::from_secs(280), "{name}: {:?}", begun.elapsed());
            // An import reports the state of each tag, and that is all that its trait returns.
            if name != "import_image" {
                assert_eq!(fact(&err, "last status"), seen, "{name}: {err}");
            }
        }
    }
}

fn fact<'a>(err: &'a Error, name: &str) -> Option<&'a str> {
    err.context().find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_is_never_the_end() {
    for (name, path, run) in OPERATIONS {
        let (scene, begun) = (scene(), Instant::now());
        scene.azure.fault(Fault::on("GET", path).page().status(200).times(1000));
        match run(&scene.client, CallOptions::default()).await {
            // An import that cannot be followed is looked for in the registry.
            Ok(()) => assert!(name == "import_image" && begun.elapsed() >= TAKES, "{name}: {:?}", begun.elapsed()),
            Err(err) => assert_eq!(err.kind(), ErrorKind::Unavailable, "{name}: {err}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_fails_is_a_failure_whatever_its_error_looks_like() {
    let errors = [
        (json!("text"), None, Some("text")),
        (json!({ "code": 42, "message": "m" }), Some("42"), Some("m")),
        (json!({ "code": "C", "message": null, "details": "text" }), Some("C"), None),
        (json!({ "code": "C", "message": "m", "details": null }), Some("C"), Some("m")),
        (json!(["text"]), None, None),
        (json!({}), None, None),
        (json!(null), None, None),
        (json!(5), None, Some("5")),
    ];
    for (name, _, run) in OPERATIONS {
        for nulls in [false, true] {
            for (error, code, message) in &errors {
                let scene = scene();
                scene.azure.set_explicit_nulls(nulls);
                scene.azure.set_operation_error(Some(error.clone()));
                let err = run(&scene.client, CallOptions::default()).await.unwrap_err();
                assert_eq!((err.kind(), err.code()), (ErrorKind::OperationFailed, *code), "{name}, {error}: {err:#}");
                let told = err.service().and_then(|service| service.message.as_deref());
                assert_eq!(told, *message, "{name}, {error}: {err:#}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn explicit_nulls_change_nothing() {
    for (name, _, run) in OPERATIONS {
        let (scene, begun) = (scene(), Instant::now());
        scene.azure.set_explicit_nulls(true);
        run(&scene.client, CallOptions::default()).await.unwrap_or_else(|err| panic!("{name}: {err:#}"));
        assert!(begun.elapsed() >= TAKES, "{name}");
    }
}

/// A resource whose own state is odd is not made yet.
#[tokio::test(start_paused = true)]
async fn a_resource_in_a_state_that_nobody_knows_is_not_taken_for_made() {
    for state in [json!(null), json!(""), json!("Sideways"), json!(5), json!({}), json!(["Succeeded"])] {
        let (scene, begun) = (scene(), Instant::now());
        let registry = scene.azure.registry_id("group", "myregistry");
        let body = json!({ "id": registry, "name": "myregistry", "location": "westeurope", "sku": { "name": "Basic" },
                           "properties": { "loginServer": "myregistry.azurecr.io", "provisioningState": state } });
        scene.azure.fault(Fault::on("GET", "/registries/myregistry").status(200).body(body).times(3));
        let made = scene.client.create_registry("group", "myregistry", CreateRegistryOptions::default()).await.unwrap();
        assert_eq!((made.registry.state.as_str(), made.is_new), ("Succeeded", false), "{state}");
        assert!(begun.elapsed() >= Duration::from_secs(2), "{state}: it was waited for");

        let body = json!({ "location": "westeurope", "properties": { "provisioningState": state } });
        scene.azure.fault(Fault::on("GET", "/managedClusters/dev").status(200).body(body).times(3));
        let made = scene.client.create_cluster(&scene.cluster, CreateClusterOptions::default()).await.unwrap();
        assert_eq!((made.cluster.state.as_str(), made.is_new), ("Succeeded", false), "{state}");
    }
}
