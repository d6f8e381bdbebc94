//! Connections to clusters: kept while they are good, replaced when they are not, and never waited for beyond a call's deadline.

use crate::Scene;
use aks_acr::{
    ApplyOptions, CallOptions, ClusterRef, CreateClusterOptions, ErrorKind, Manifest, PodSelection, RolloutOptions,
    WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Emulator, Fault, Timing};
use azure_core::http::{Method, Request};
use std::time::Duration;
use tokio::time::Instant;

const FETCH: &str = "/listClusterUserCredential";

fn scene_with(cluster: ClusterSeed) -> Scene {
    let azure = Emulator::new().with_cluster_of(cluster).with_registry("group", "myregistry");
    azure.set_timing(Timing::none());
    Scene::of(azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]))
}

fn scene() -> Scene {
    scene_with(ClusterSeed::new("group", "dev"))
}

async fn pods(scene: &Scene, call: CallOptions) -> aks_acr::Result<usize> {
    let pods = scene.client.pods(&scene.cluster, &PodSelection::default(), call).await?;
    Ok(pods.pods.len())
}

fn fetched(scene: &Scene) -> usize {
    scene.azure.requests().iter().filter(|one| one.path.ends_with(FETCH)).count()
}

async fn arm(scene: &Scene, method: Method, rest: &str) {
    let token = scene.azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    let id = scene.azure.cluster_id("group", "dev");
    let url = format!("https://management.azure.com{id}{rest}?api-version=2026-05-01");
    let mut request = Request::new(url.parse().unwrap(), method);
    request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
    let answer = scene.azure.transport().execute_request(&request).await.unwrap();
    assert_eq!(u16::from(answer.status()), 202, "{rest}");
}

/// Deletes the cluster and makes it again: it has another address, other certificates and other tokens.
async fn recreate(scene: &Scene) {
    arm(scene, Method::Delete, "").await;
    scene.client.create_cluster(&scene.cluster, CreateClusterOptions::default()).await.unwrap();
}

async fn rotate(scene: &Scene) {
    arm(scene, Method::Post, "/rotateClusterCertificates").await;
}

fn objects(count: usize) -> Vec<Manifest> {
    let one = |at: usize| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{at}}}, data: {{a: b}}}}");
    Manifest::parse_all(&(0..count).map(one).collect::<Vec<_>>().join("\n---\n")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_created_again_is_found_at_its_new_address() {
    let scene = scene();
    pods(&scene, CallOptions::default()).await.unwrap();
    recreate(&scene).await;
    let begun = Instant::now();
    pods(&scene, CallOptions::default()).await.unwrap();
    assert_eq!(fetched(&scene), 2);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    pods(&scene, CallOptions::default()).await.unwrap();
    assert_eq!(fetched(&scene), 2, "the new connection is kept");
    let mut hosts: Vec<String> = scene.azure.requests().into_iter().map(|one| one.host).collect();
    hosts.retain(|host| host.ends_with(".azmk8s.io"));
    hosts.dedup();
    assert_eq!(hosts.len(), 2, "{hosts:?}");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_were_rotated_are_fetched_again_within_the_call() {
    for is_entra in [false, true] {
        let cluster = ClusterSeed::new("group", "dev");
        let cluster = if is_entra { cluster.entra() } else { cluster };
        let scene = scene_with(cluster);
        if is_entra {
            scene.azure.fault(Fault::on("GET", "/pods").status(401).times(1));
        } else {
            pods(&scene, CallOptions::default()).await.unwrap();
            rotate(&scene).await;
        }
        let ended = pods(&scene, CallOptions::default()).await;
        // A member of no group is forbidden to list, and was let in.
        assert!(ended.is_ok() || ended.is_err_and(|err| is_entra && err.kind() == ErrorKind::Forbidden));
        assert_eq!(fetched(&scene), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_refused_again_are_an_error_after_one_renewal() {
    let scene = scene();
    scene.azure.fault(Fault::on("GET", "/pods").status(401).times(1000));
    let err = pods(&scene, CallOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    let asked = scene.azure.requests().iter().filter(|one| one.path.ends_with("/pods")).count();
    assert_eq!((asked, fetched(&scene)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_many_objects_survives_a_rotation_and_a_token_that_was_revoked() {
    let by_group = ClusterSeed::new("group", "dev").admin_group(&Emulator::new().group_id("admins"));
    for (cluster, fault) in [
        (ClusterSeed::new("group", "dev"), None),
        (by_group, Some(Fault::on("PATCH", "/configmaps/c7").expired_token())),
    ] {
        let scene = scene_with(cluster);
        let scene = Scene::of(scene.azure.clone().with_member("admins", "owner"));
        let rotates = fault.is_none();
        match fault {
            Some(fault) => scene.azure.fault(fault),
            None => scene.azure.fault(Fault::on("PATCH", "/configmaps/c7").delay(Duration::from_secs(10))),
        }
        let (applied, ()) =
            tokio::join!(scene.client.apply(&scene.cluster, objects(20), ApplyOptions::default()), async {
                tokio::time::sleep(Duration::from_secs(5)).await;
                if rotates {
                    rotate(&scene).await;
                }
            });
        assert_eq!(applied.unwrap().len(), 20);
        assert_eq!(fetched(&scene), 2);
        let writes =
            scene.azure.requests().iter().filter(|one| one.method == "PATCH" && one.status == Some(201)).count();
        assert_eq!(writes, 20, "no object was written twice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_rollout_survives_a_rotation_in_its_midst() {
    let scene = scene();
    let text = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1, selector: {matchLabels: {app: web}}, \
                template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx}]}}}}";
    scene.azure.fault(Fault::on("GET", "watch=true").silent_body().times(2));
    scene.client.apply(&scene.cluster, Manifest::parse_all(text).unwrap(), ApplyOptions::default()).await.unwrap();
    let web = WorkloadRef::new("web");
    let (ended, ()) =
        tokio::join!(scene.client.wait_for_rollout(&scene.cluster, &web, RolloutOptions::default()), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            rotate(&scene).await;
        });
    assert_eq!(ended.unwrap().ready, 1);
}

#[tokio::test(start_paused = true)]
async fn a_kubeconfig_is_fetched_again_after_an_hour_and_no_sooner() {
    let scene = scene();
    pods(&scene, CallOptions::default()).await.unwrap();
    tokio::time::advance(Duration::from_secs(59 * 60)).await;
    pods(&scene, CallOptions::default()).await.unwrap();
    assert_eq!(fetched(&scene), 1);
    tokio::time::advance(Duration::from_secs(2 * 60)).await;
    pods(&scene, CallOptions::default()).await.unwrap();
    assert_eq!(fetched(&scene), 2);
}

/// Where the cluster cannot be reached at all, another kubeconfig does not help, and is not fetched with every try.
#[tokio::test(start_paused = true)]
async fn a_cluster_out_of_reach_costs_no_kubeconfig_for_each_try() {
    let scene = scene();
    pods(&scene, CallOptions::default()).await.unwrap();
    scene.azure.fault(Fault::on("GET", "/pods").reset().times(1000));
    let err = pods(&scene, CallOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert_eq!(fetched(&scene), 2);
}

#[tokio::test(start_paused = true)]
async fn one_connection_that_broke_off_costs_no_kubeconfig() {
    let scene = scene();
    pods(&scene, CallOptions::default()).await.unwrap();
    scene.azure.fault(Fault::on("GET", "/pods").reset());
    pods(&scene, CallOptions::default()).await.unwrap();
    assert_eq!(fetched(&scene), 1);
}

/// Another call is making the connection for half an hour, when this one is refused.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_another_calls_connection_beyond_the_deadline() {
    let scene = scene();
    pods(&scene, CallOptions::default()).await.unwrap();
    scene.azure.fault(Fault::on("GET", "/pods").delay(Duration::from_secs(5)).status(401).times(1000));
    scene.azure.fault(Fault::on("POST", FETCH).delay(Duration::from_secs(1800)).times(1000));
    let soon = async {
        let begun = Instant::now();
        let err = pods(&scene, CallOptions::default().with_deadline(Duration::from_secs(30))).await.unwrap_err();
        (err.kind(), begun.elapsed())
    };
    let late = pods(&scene, CallOptions::default().with_deadline(Duration::from_secs(3600)));
    // The other call has the turn: it is polled first.
    let (_, (kind, took)) = tokio::join!(biased; late, soon);
    assert_eq!((kind, took), (ErrorKind::DeadlineExceeded, Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_slow_keeps_nobody_from_another() {
    let azure =
        Emulator::new().with_cluster("group", "dev").with_cluster("group", "two").with_registry("group", "myregistry");
    let scene = Scene::of(azure);
    scene.azure.fault(Fault::on("POST", "/dev/listClusterUserCredential").silent());
    let two = ClusterRef::new("group", "two").unwrap();
    let (begun, all) = (Instant::now(), PodSelection::default());
    tokio::select! {
        _ = pods(&scene, CallOptions::default()) => panic!("it has no end"),
        ended = scene.client.pods(&two, &all, CallOptions::default()) => drop(ended.unwrap()),
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
