//! Waiting for a deployment.

use super::pods;
use crate::{
    backend::{Backend, call, random_name},
    case::{Case, Checked, cases, refused, some},
    emulator::{HELLO, NGINX, Scene, deployment},
};
use aks_acr::{
    CallOptions, CancellationToken, ErrorKind, Event, FindingId, Rollout, RolloutOptions, RolloutPhase, WorkloadRef,
    WorkloadState,
};
use aks_acr_emulator::Fault;
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [
            wait_for_rollout_of_a_deployment_that_runs_ends_at_once,
            wait_for_rollout_of_an_absent_deployment_is_not_found,
        ];
        on_emulator: [
            wait_for_rollout_ends_when_every_replica_is_ready,
            wait_for_rollout_tells_how_far_it_is,
            wait_for_rollout_of_no_replicas_ends_at_once,
            wait_for_rollout_looks_in_the_deployments_namespace,
            wait_for_rollout_of_an_odd_name_is_refused_before_a_request,
            wait_for_rollout_of_a_bad_update_ends_while_old_pods_run,
            wait_for_rollout_of_a_second_update_forgets_the_first_ones_failure,
            wait_for_rollout_without_a_node_ends_when_kubernetes_gives_up,
            wait_for_rollout_at_its_deadline_tells_how_far_it_was,
            wait_for_rollout_that_is_cancelled_ends_at_once,
            wait_for_rollout_goes_on_after_a_connection_broke_off,
            wait_for_rollout_notices_a_watch_that_went_silent,
            wait_for_rollout_of_another_tools_deployment_is_followed_too,
        ];
    }
}

pub async fn wait_for_rollout(scene: &Scene) -> aks_acr::Result<Rollout> {
    wait_for_rollout_with(scene, CallOptions::default()).await
}

async fn wait_for_rollout_with(scene: &Scene, call: CallOptions) -> aks_acr::Result<Rollout> {
    let options = RolloutOptions::default().with_call(call);
    scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), options).await
}

async fn wait_for_rollout_of_a_deployment_that_runs_ends_at_once(backend: &dyn Backend) -> Checked {
    let running = backend.running_deployment().await?;
    let begun = Instant::now();
    let end = backend.client().wait_for_rollout(backend.cluster(), &running, RolloutOptions::default()).await?;
    assert!(end.ready == end.wanted && end.wanted > 0);
    let mut states = Vec::new();
    let mut listener = |state: WorkloadState| {
        states.push(state);
        ControlFlow::Break(())
    };
    let deployer = backend.client().cluster_deployer();
    deployer.watch_rollout(backend.cluster(), &running, &mut listener, &call()).await?;
    assert_eq!(states, [WorkloadState::new(RolloutPhase::Complete, end.ready, end.wanted)]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    Ok(())
}

async fn wait_for_rollout_of_an_absent_deployment_is_not_found(backend: &dyn Backend) -> Checked {
    let absent = WorkloadRef::new(random_name("absent-"));
    let result = backend.client().wait_for_rollout(backend.cluster(), &absent, RolloutOptions::default()).await;
    refused(result, ErrorKind::NotFound)?;
    Ok(())
}

async fn wait_for_rollout_ends_when_every_replica_is_ready() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 3)).await?;
    let end = wait_for_rollout(&scene).await?;
    assert_eq!((end.ready, end.wanted), (3, 3));
    let pods = pods(&scene).await?;
    assert_eq!(pods.iter().filter(|pod| pod.status == "Running" && pod.ready == 1).count(), 3);
    Ok(())
}

async fn wait_for_rollout_tells_how_far_it_is() -> Checked {
    let scene = Scene::new()?;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = heard.clone();
    let call = CallOptions::default().with_progress(move |event| {
        if let (Event::Rollout { ready, wanted, .. }, Ok(mut sink)) = (event, sink.lock()) {
            sink.push((ready, wanted));
        }
    });
    scene.apply(&deployment("web", NGINX, 2)).await?;
    wait_for_rollout_with(&scene, call).await?;
    let heard = heard.lock().map(|heard| heard.clone()).unwrap_or_default();
    assert!(heard.is_sorted() && heard.first().is_some_and(|(ready, _)| *ready < 2), "{heard:?}");
    assert_eq!(heard.last(), Some(&(2, 2)));
    Ok(())
}

async fn wait_for_rollout_of_no_replicas_ends_at_once() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", "docker.io/library/nginx:absent", 0)).await?;
    let end = wait_for_rollout(&scene).await?;
    assert_eq!((end.ready, end.wanted), (0, 0));
    scene.apply(&deployment("web", NGINX, 2)).await?;
    wait_for_rollout(&scene).await?;
    scene.apply(&deployment("web", NGINX, 0)).await?;
    assert_eq!(wait_for_rollout(&scene).await?.wanted, 0);
    Ok(())
}

async fn wait_for_rollout_looks_in_the_deployments_namespace() -> Checked {
    let scene = Scene::new()?;
    scene.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}").await?;
    scene.apply(&deployment("web", "docker.io/library/nginx:absent", 1)).await?;
    let good =
        deployment("web", HELLO, 1).replace("{name: web}, spec: {rep", "{name: web, namespace: team}, spec: {rep");
    scene.apply(&good).await?;
    let there = WorkloadRef::new("web").in_namespace("team");
    scene.client.wait_for_rollout(&scene.cluster, &there, RolloutOptions::default()).await?;
    refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    Ok(())
}

async fn wait_for_rollout_of_an_odd_name_is_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    let odd = ["", "Web", "a/b", "..", "a?b", "-a", "a b"];
    let deployments = odd.iter().map(|name| WorkloadRef::new(*name));
    for odd in deployments.chain(odd.iter().map(|name| WorkloadRef::new("web").in_namespace(*name))) {
        let result = scene.client.wait_for_rollout(&scene.cluster, &odd, RolloutOptions::default()).await;
        refused(result, ErrorKind::InvalidInput)?;
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn wait_for_rollout_of_a_bad_update_ends_while_old_pods_run() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 2)).await?;
    wait_for_rollout(&scene).await?;
    let old: Vec<String> = pods(&scene).await?.into_iter().map(|pod| pod.name).collect();
    scene.apply(&deployment("web", "docker.io/library/nginx:absent", 2)).await?;
    let begun = Instant::now();
    let err = refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let failure = some(err.pull_failure(), "pull failure")?;
    assert_eq!(
        (failure.finding.id.clone(), failure.image.as_str()),
        (FindingId::IMAGE_NOT_FOUND, "docker.io/library/nginx:absent")
    );
    assert!(!old.contains(&failure.pod), "{} is an old pod", failure.pod);
    let running =
        pods(&scene).await?.into_iter().filter(|pod| pod.status == "Running" && old.contains(&pod.name)).count();
    assert!(running > 0, "the update took all old pods away");
    Ok(())
}

async fn wait_for_rollout_of_a_second_update_forgets_the_first_ones_failure() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", "docker.io/library/nginx:absent", 2)).await?;
    refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    scene.apply(&deployment("web", NGINX, 2)).await?;
    assert_eq!(wait_for_rollout(&scene).await?.ready, 2);
    Ok(())
}

async fn wait_for_rollout_without_a_node_ends_when_kubernetes_gives_up() -> Checked {
    let scene = Scene::new()?;
    let nowhere =
        deployment("web", NGINX, 1).replace("spec: {containers", "spec: {nodeSelector: {disk: none}, containers");
    scene.apply(&nowhere).await?;
    let begun = Instant::now();
    let err = refused(wait_for_rollout(&scene).await, ErrorKind::OperationFailed)?;
    assert!(begun.elapsed() >= Duration::from_secs(590) && begun.elapsed() < Duration::from_secs(700));
    assert_eq!(err.pull_failure(), None);
    assert_eq!(pods(&scene).await?[0].status, "Pending");
    Ok(())
}

async fn wait_for_rollout_at_its_deadline_tells_how_far_it_was() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("*", "mcr.microsoft.com").status(429).times(999));
    scene.apply(&deployment("web", HELLO, 2)).await?;
    let begun = Instant::now();
    let call = CallOptions::default().with_deadline(Duration::from_secs(120));
    let err = refused(wait_for_rollout_with(&scene, call).await, ErrorKind::DeadlineExceeded)?;
    assert_eq!(begun.elapsed().as_secs(), 120);
    assert!(err.to_string().contains("ready: 0/2"), "{err}");
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.id, FindingId::REGISTRY_THROTTLED);
    Ok(())
}

async fn wait_for_rollout_that_is_cancelled_ends_at_once() -> Checked {
    let scene = Scene::new()?;
    scene
        .apply(
            &deployment("web", NGINX, 1).replace("spec: {containers", "spec: {nodeSelector: {disk: none}, containers"),
        )
        .await?;
    let (cancel, begun) = (CancellationToken::new(), Instant::now());
    let call = CallOptions::default().with_cancel(cancel.clone());
    let (ended, ()) = tokio::join!(wait_for_rollout_with(&scene, call), async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        cancel.cancel();
    });
    refused(ended, ErrorKind::Cancelled)?;
    assert_eq!(begun.elapsed().as_secs(), 30);
    Ok(())
}

async fn wait_for_rollout_goes_on_after_a_connection_broke_off() -> Checked {
    for fault in [
        Fault::on("GET", "watch=true").reset(),
        Fault::on("GET", "/deployments/web").status(503),
        Fault::on("GET", "/pods").reset(),
    ] {
        let scene = Scene::new()?;
        scene.apply(&deployment("web", NGINX, 2)).await?;
        scene.azure.fault(fault.clone().times(2));
        assert_eq!(wait_for_rollout(&scene).await.map_err(|err| format!("{fault:?}: {err:#}"))?.ready, 2);
    }
    Ok(())
}

/// One watch is alive while the other is dead, or both are: the pods run meanwhile.
async fn wait_for_rollout_notices_a_watch_that_went_silent() -> Checked {
    for (part, times) in [("watch=true", 2), ("/pods?&watch", 1), ("/deployments?&watch", 1), ("/replicasets", 1)] {
        for silence in [Fault::on("GET", part).silent(), Fault::on("GET", part).silent_body()] {
            let scene = Scene::new()?;
            scene.apply(&deployment("web", NGINX, 2)).await?;
            scene.azure.fault(silence.clone().times(times));
            let begun = Instant::now();
            assert_eq!(wait_for_rollout(&scene).await.map_err(|err| format!("{silence:?}: {err:#}"))?.ready, 2);
            assert!(begun.elapsed() < Duration::from_secs(120), "{silence:?}: {:?}", begun.elapsed());
            assert!(scene.azure.requests().iter().any(|one| one.fault.is_some()), "{silence:?}");
        }
    }
    Ok(())
}

/// Its selector is one that only a list can express.
async fn wait_for_rollout_of_another_tools_deployment_is_followed_too() -> Checked {
    let scene = Scene::new()?;
    let text = deployment("web", "docker.io/library/nginx:absent", 1);
    let other =
        text.replace("matchLabels: {app: web}", "matchExpressions: [{key: app, operator: In, values: [web, site]}]");
    assert_ne!(text, other);
    scene.apply(&other).await?;
    refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    Ok(())
}
