//! Resource Manager is eventually consistent: what one read does not show may exist all the same.

use crate::Scene;
use aks_acr::{
    AttachOptions, CallOptions, ClusterRef, CreateClusterOptions, CreateRegistryOptions, CreatedCluster, Error,
    ErrorKind, Manifest, RolloutOptions, WorkloadRef,
};
use aks_acr_emulator::{Fault, Timing};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const IMAGE: &str = "myregistry.azurecr.io/web:1";
/// So many reads in a row have to agree that something is missing.
const READS: usize = 5;
/// How many lists without a grant end a rollout.
const LISTS: usize = 7;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many reads of this path that find nothing.
fn missing(path: &str, code: &str, reads: usize) -> Fault {
    Fault::on("GET", path).status(404).body(json!({ "error": { "code": code, "message": "not found" } })).times(reads)
}

fn fact<'a>(err: &'a Error, name: &str) -> Option<&'a str> {
    err.context().find(|(given, _)| *given == name).map(|(_, value)| value)
}

/// A cluster with pods that cannot pull.
async fn deployed() -> Scene {
    let scene = Scene::new();
    let scene = Scene::of(scene.azure.with_image(IMAGE, &["linux/amd64"]));
    let text = format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{replicas: 1, selector: {{matchLabels: {{app: web}}}}, \
         template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: web, image: '{IMAGE}'}}]}}}}}}}}"
    );
    let manifests = Manifest::parse_all(&text).unwrap();
    scene.client.apply(&scene.cluster, manifests, aks_acr::ApplyOptions::default()).await.unwrap();
    scene
}

async fn wait_for_rollout(scene: &Scene, call: CallOptions) -> (aks_acr::Result<u32>, Duration) {
    let begun = Instant::now();
    let options = RolloutOptions::default().with_call(call);
    let ended = scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), options).await;
    (ended.map(|done| done.ready), begun.elapsed())
}

fn lists(scene: &Scene) -> usize {
    scene.azure.requests().iter().filter(|one| one.method == "GET" && one.path.ends_with("/roleAssignments")).count()
}

#[tokio::test(start_paused = true)]
async fn a_rollout_right_after_an_attach_does_not_call_the_grant_missing_while_lists_lag() {
    for lag in [1, 4, 19, 3600] {
        let scene = deployed().await;
        scene.azure.set_timing(Timing::none().with_propagation(secs(60)).with_listing(secs(lag)));
        scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        let (ended, took) = wait_for_rollout(&scene, CallOptions::default()).await;
        assert_eq!(ended.unwrap(), 1, "a list lags {lag} s");
        assert!(took >= secs(55), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_another_client_has_just_made_is_found_by_a_later_read() {
    let scene = deployed().await;
    scene.azure.set_timing(Timing::none().with_propagation(secs(60)).with_listing(secs(2)));
    let other = Scene::of(scene.azure.clone());
    other.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    let (ended, took) = wait_for_rollout(&scene, CallOptions::default()).await;
    assert_eq!(ended.unwrap(), 1);
    assert!(took >= secs(55), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_was_removed_is_not_remembered() {
    let scene = deployed().await;
    scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    scene.client.detach(&scene.cluster, &scene.registry, aks_acr::DetachOptions::default()).await.unwrap();
    let err = wait_for_rollout(&scene, CallOptions::default()).await.0.unwrap_err();
    assert!(fact(&err, "missing grant").is_some(), "{err}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_grant_is_reported_when_reads_in_a_row_agree() {
    let scene = deployed().await;
    let (ended, took) = wait_for_rollout(&scene, CallOptions::default()).await;
    let err = ended.unwrap_err();
    assert!(fact(&err, "missing grant").is_some_and(|text| text.starts_with("AcrPull for kubelet identity")), "{err}");
    assert_eq!(lists(&scene), LISTS + 1, "the last is of the explanation");
    assert!(took >= secs(2) && took <= secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn pods_that_run_before_the_lists_agree_end_the_wait_at_once() {
    let mut saved = 0;
    for wait in 4..14 {
        let scene = deployed().await;
        scene.azure.set_timing(Timing::none().with_propagation(secs(2)).with_listing(secs(3600)));
        let other = Scene::of(scene.azure.clone());
        other.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        // Kubelet tries again at its own pace.
        tokio::time::sleep(secs(wait)).await;
        let (ended, took) = wait_for_rollout(&scene, CallOptions::default()).await;
        assert!(took <= secs(5), "{took:?}");
        saved += usize::from(lists(&scene) > 1 && ended.is_ok());
    }
    assert!(saved > 0, "pods that came to run while the lists were read");
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_makes_no_grant_missing() {
    let scene = deployed().await;
    let (ended, took) = wait_for_rollout(&scene, CallOptions::default().with_deadline(secs(2))).await;
    let err = ended.unwrap_err();
    assert_eq!((err.kind(), fact(&err, "missing grant")), (ErrorKind::DeadlineExceeded, None), "{err}");
    assert!(fact(&err, "grant not listed yet").is_some_and(|text| text.starts_with("AcrPull")), "{err}");
    assert!(took <= secs(2), "{took:?}");
}

fn slow() -> Timing {
    Timing::none().with_registry(secs(60)).with_cluster_creation(secs(300))
}

/// Another caller is creating a cluster; this one finds it and waits, and from 60 seconds on some reads find nothing.
async fn waits_beside_another(reads: usize) -> (aks_acr::Result<CreatedCluster>, Duration) {
    let scene = Scene::new();
    scene.azure.set_timing(slow());
    let cluster = ClusterRef::new("group", "new").unwrap();
    let create = || scene.client.create_cluster(&cluster, CreateClusterOptions::default().with_node_count(1));
    let begun = Instant::now();
    let waiting = async {
        tokio::time::sleep(secs(1)).await;
        let ended = create().await;
        (ended, begun.elapsed())
    };
    let lag = async {
        tokio::time::sleep(secs(60)).await;
        scene.azure.fault(missing("/managedClusters/new", "ResourceNotFound", reads));
    };
    let (_, waited, ()) = tokio::join!(create(), waiting, lag);
    waited
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_reads_do_not_find_is_deleted_only_when_five_in_a_row_agree() {
    for reads in [1, READS - 1] {
        let (ended, took) = waits_beside_another(reads).await;
        let created = ended.unwrap();
        assert_eq!((created.is_new, created.cluster.state.as_str()), (false, "Succeeded"), "{reads} reads");
        assert!(took >= secs(300));
    }
    let (ended, took) = waits_beside_another(READS).await;
    let err = ended.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert!(err.to_string().contains("the cluster was deleted while it was being created"), "{err}");
    assert!(took >= secs(80) && took < secs(100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_first_answer_was_lost_is_found_by_a_later_read() {
    let scene = Scene::new();
    scene.azure.set_timing(slow());
    scene.azure.fault(Fault::on("PUT", "/managedClusters/").reset().after_effect());
    let cluster = ClusterRef::new("group", "new").unwrap();
    let create = scene.client.create_cluster(&cluster, CreateClusterOptions::default().with_node_count(1));
    let lag = async {
        // After the first look, which finds nothing in fact.
        tokio::time::sleep(secs(1)).await;
        scene.azure.fault(missing("/managedClusters/new", "ResourceNotFound", READS - 1));
    };
    let (created, ()) = tokio::join!(create, lag);
    assert_eq!(created.unwrap().cluster.state, "Succeeded");
    let written =
        scene.azure.requests().into_iter().filter(|one| one.method == "PUT" && one.status == Some(201)).count();
    assert_eq!(written, 0, "the answer to the only write that had an effect was lost");
}

/// An operation is a separate resource, which a replica may not know yet either.
#[tokio::test(start_paused = true)]
async fn an_operation_that_reads_do_not_find_has_failed_only_when_five_in_a_row_agree() {
    for reads in [1, READS - 1, READS] {
        let scene = Scene::new();
        scene.azure.set_timing(slow());
        scene.azure.fault(missing("/operationStatuses/", "NotFound", reads));
        let created = scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await;
        match created {
            Ok(created) => assert!(created.is_new && reads < READS),
            Err(err) => assert_eq!((err.kind(), reads), (ErrorKind::OperationFailed, READS), "{err}"),
        }
    }
}

/// What a replica does not know when the time is up may exist, and cost: the error says that it was created.
#[tokio::test(start_paused = true)]
async fn a_cluster_that_the_last_read_does_not_find_is_not_said_to_be_gone() {
    let scene = Scene::new();
    scene.azure.set_timing(slow());
    let options = CreateClusterOptions::default().with_call(CallOptions::default().with_deadline(secs(30)));
    let cluster = ClusterRef::new("group", "new").unwrap();
    let create = scene.client.create_cluster(&cluster, options);
    let lag = async {
        tokio::time::sleep(secs(1)).await;
        scene.azure.fault(missing("/managedClusters/new", "ResourceNotFound", 99));
    };
    let (created, ()) = tokio::join!(create, lag);
    let err = created.unwrap_err();
    assert_eq!((err.kind(), fact(&err, "state")), (ErrorKind::DeadlineExceeded, None), "{err}");
    assert!(err.created().is_some(), "{err}");
}
