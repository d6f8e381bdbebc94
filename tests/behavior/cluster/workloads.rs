//! Waiting for workloads of each kind, and for causes other than a pull.

use crate::{
    case::{Case, Checked, cases, refused},
    emulator::{NGINX, Scene, deployment},
};
use aks_acr::{CallOptions, ErrorKind, Event, Rollout, RolloutOptions};
use aks_acr_emulator::Fault;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

const ABSENT: &str = "docker.io/library/nginx:absent";

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [];
        on_emulator: [
            a_stateful_set_and_a_daemon_set_are_waited_for,
            a_stateful_set_and_a_daemon_set_fail_fast,
            a_kind_without_a_rollout_is_rejected_before_a_request,
            pods_updated_by_hand_have_no_rollout,
            a_deployment_is_not_judged_by_the_pods_of_another_with_its_labels,
            a_paused_deployment_ends_the_wait_at_once,
            a_paused_deployment_that_is_complete_is_complete,
            pods_that_fit_no_node_are_reported_and_end_a_fail_fast_wait_at_once,
            a_volume_that_cannot_be_mounted_is_reported_and_ends_a_fail_fast_wait,
            a_healthy_rollout_reads_no_events,
            a_caller_without_the_right_to_list_pods_sees_the_workloads_own_state,
            a_job_is_waited_for_until_it_completes,
            a_job_that_fails_ends_the_wait,
            a_job_whose_image_is_missing_ends_the_wait,
        ];
    }
}

fn set(kind: &str, name: &str, image: &str) -> String {
    let replicas = if kind == "StatefulSet" { "replicas: 2, serviceName: web, " } else { "" };
    deployment(name, image, 2).replace("kind: Deployment", &format!("kind: {kind}")).replace("replicas: 2, ", replicas)
}

async fn wait(scene: &Scene, workload: &str, options: RolloutOptions) -> aks_acr::Result<Rollout> {
    scene.client.wait_for_rollout(&scene.cluster, &workload.parse()?, options).await
}

async fn a_stateful_set_and_a_daemon_set_are_waited_for() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&set("StatefulSet", "db", NGINX)).await?;
    scene.apply(&set("DaemonSet", "agent", NGINX)).await?;
    let end = wait(&scene, "sts/db", RolloutOptions::default()).await?;
    assert_eq!((end.ready, end.wanted), (2, 2));
    let end = wait(&scene, "daemonset/agent", RolloutOptions::default()).await?;
    assert!(end.wanted > 0 && end.ready == end.wanted, "{end:?}");
    // Complete already: the same result at once.
    let begun = Instant::now();
    assert_eq!(wait(&scene, "StatefulSet.apps/db", RolloutOptions::default()).await?.ready, 2);
    assert!(begun.elapsed() < Duration::from_secs(1));
    Ok(())
}

async fn a_stateful_set_and_a_daemon_set_fail_fast() -> Checked {
    let scene = Scene::new()?;
    for (kind, name) in [("StatefulSet", "db"), ("DaemonSet", "agent")] {
        scene.apply(&set(kind, name, NGINX)).await?;
        let workload = format!("{kind}/{name}");
        wait(&scene, &workload, RolloutOptions::default()).await?;
        scene.apply(&set(kind, name, ABSENT)).await?;
        let begun = Instant::now();
        let err = refused(wait(&scene, &workload, RolloutOptions::default()).await, ErrorKind::PullFailed)?;
        assert!(begun.elapsed() < Duration::from_secs(60), "{workload}: {:?}", begun.elapsed());
        assert_eq!(err.pull_failure().map(|failure| failure.image.as_str()), Some(ABSENT), "{workload}");
    }
    Ok(())
}

async fn a_kind_without_a_rollout_is_rejected_before_a_request() -> Checked {
    let scene = Scene::new()?;
    for other in ["cronjob/x", "pod/x", "replicaset/x", "deployment.example/x"] {
        let err = refused(wait(&scene, other, RolloutOptions::default()).await, ErrorKind::Unsupported)?;
        assert!(err.to_string().contains("StatefulSet"), "{err}");
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn pods_updated_by_hand_have_no_rollout() -> Checked {
    let scene = Scene::new()?;
    let by_hand = set("DaemonSet", "agent", NGINX)
        .replace("spec: {selector", "spec: {updateStrategy: {type: OnDelete}, selector");
    scene.apply(&by_hand).await?;
    let err = refused(wait(&scene, "ds/agent", RolloutOptions::default()).await, ErrorKind::Unsupported)?;
    assert!(err.to_string().contains("updateStrategy: OnDelete"), "{err}");
    Ok(())
}

async fn a_deployment_is_not_judged_by_the_pods_of_another_with_its_labels() -> Checked {
    let scene = Scene::new()?;
    let named = |name: &str, image: &str| {
        deployment("web", image, 2).replace("{name: web}, spec: {rep", &format!("{{name: {name}}}, spec: {{rep"))
    };
    scene.apply(&named("bad", ABSENT)).await?;
    scene.apply(&named("good", NGINX)).await?;
    assert_eq!(wait(&scene, "good", RolloutOptions::default()).await?.ready, 2);
    let err = refused(wait(&scene, "bad", RolloutOptions::default()).await, ErrorKind::PullFailed)?;
    assert!(err.to_string().contains("ready: 0/2"), "{err}");
    Ok(())
}

fn paused(image: &str) -> String {
    deployment("web", image, 1).replace("spec: {replicas", "spec: {paused: true, replicas")
}

async fn a_paused_deployment_ends_the_wait_at_once() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 1)).await?;
    wait(&scene, "web", RolloutOptions::default()).await?;
    scene.apply(&paused(ABSENT)).await?;
    let begun = Instant::now();
    let err = refused(wait(&scene, "web", RolloutOptions::default()).await, ErrorKind::OperationFailed)?;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(err.to_string().contains("paused") && err.to_string().contains("kubectl rollout resume"), "{err}");
    Ok(())
}

async fn a_paused_deployment_that_is_complete_is_complete() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 1)).await?;
    wait(&scene, "web", RolloutOptions::default()).await?;
    scene.apply(&paused(NGINX)).await?;
    assert_eq!(wait(&scene, "web", RolloutOptions::default()).await?.ready, 1);
    Ok(())
}

async fn pods_that_fit_no_node_are_reported_and_end_a_fail_fast_wait_at_once() -> Checked {
    let scene = Scene::new()?;
    let nowhere =
        deployment("web", NGINX, 1).replace("spec: {containers", "spec: {nodeSelector: {disk: none}, containers");
    scene.apply(&nowhere).await?;
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = heard.clone();
    let call = CallOptions::default().with_deadline(Duration::from_secs(30)).with_progress(move |event| {
        if let (Event::Rollout { cause: Some(cause), .. }, Ok(mut sink)) = (event, sink.lock()) {
            sink.push(cause);
        }
    });
    let err =
        refused(wait(&scene, "web", RolloutOptions::default().with_call(call)).await, ErrorKind::DeadlineExceeded)?;
    for part in ["blocked by: unschedulable", "Unschedulable", "0/", "ready: 0/1"] {
        assert!(err.to_string().contains(part), "{part}: {err}");
    }
    let heard = heard.lock().map(|heard| heard.clone()).unwrap_or_default();
    assert!(heard.iter().any(|cause| cause.starts_with("no node fits the pods: 0/")), "{heard:?}");
    let begun = Instant::now();
    let fast = RolloutOptions::default().with_fail_fast(true);
    let err = refused(wait(&scene, "web", fast).await, ErrorKind::OperationFailed)?;
    assert!(begun.elapsed() < Duration::from_secs(1) && err.to_string().contains("hint: add nodes"), "{err}");
    Ok(())
}

/// A Deployment with a volume.
fn mounting(volume: &str) -> String {
    deployment("web", NGINX, 1)
        .replace("spec: {containers", &format!("spec: {{volumes: [{{name: settings, {volume}}}], containers"))
}

/// The status of such a pod says `ContainerCreating` and no more; kubelet's events say why.
async fn a_volume_that_cannot_be_mounted_is_reported_and_ends_a_fail_fast_wait() -> Checked {
    for (volume, lacks) in [
        ("configMap: {name: absent}", "configmap \"absent\" not found"),
        ("secret: {secretName: absent}", "secret \"absent\" not found"),
    ] {
        let scene = Scene::new()?;
        scene.apply(&mounting(volume)).await?;
        let heard: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
        let (begun, sink) = (Instant::now(), heard.clone());
        let call = CallOptions::default().with_deadline(Duration::from_secs(60)).with_progress(move |event| {
            if let (Event::Rollout { cause: Some(cause), .. }, Ok(mut sink)) = (event, sink.lock()) {
                sink.push((Instant::now(), cause));
            }
        });
        let options = RolloutOptions::default().with_call(call);
        let err = refused(wait(&scene, "web", options).await, ErrorKind::DeadlineExceeded)?;
        for part in ["blocked by: missing_config", "reason: FailedMount", lacks] {
            assert!(err.to_string().contains(part), "{part}: {err}");
        }
        let heard = heard.lock().map(|heard| heard.clone()).unwrap_or_default();
        let reported = heard.iter().find(|(_, cause)| cause.contains(lacks));
        assert!(reported.is_some_and(|(at, _)| *at - begun < Duration::from_secs(10)), "{heard:?}");
        let begun = Instant::now();
        let fast = RolloutOptions::default().with_fail_fast(true);
        let err = refused(wait(&scene, "web", fast).await, ErrorKind::OperationFailed)?;
        assert!(begun.elapsed() < Duration::from_secs(10) && err.to_string().contains(lacks), "{err}");
        // The object that was missing is made: the volume is mounted at the next try.
        let kind = if volume.starts_with("secret") { "Secret" } else { "ConfigMap" };
        scene.apply(&format!("{{apiVersion: v1, kind: {kind}, metadata: {{name: absent}}}}")).await?;
        assert_eq!(wait(&scene, "web", RolloutOptions::default()).await?.ready, 1);
    }
    Ok(())
}

async fn a_healthy_rollout_reads_no_events() -> Checked {
    let scene = Scene::new()?;
    scene.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: present}}").await?;
    scene.apply(&mounting("configMap: {name: present}")).await?;
    let mark = scene.azure.mark();
    assert_eq!(wait(&scene, "web", RolloutOptions::default()).await?.ready, 1);
    let requests = scene.azure.requests_since(mark);
    assert!(!requests.is_empty() && requests.iter().all(|one| !one.path.contains("/events")), "{requests:?}");
    Ok(())
}

async fn a_caller_without_the_right_to_list_pods_sees_the_workloads_own_state() -> Checked {
    for part in ["/pods", "/replicasets"] {
        let scene = Scene::new()?;
        scene.apply(&deployment("web", NGINX, 2)).await?;
        scene.azure.fault(Fault::on("GET", part).status(403).times(99));
        assert_eq!(wait(&scene, "web", RolloutOptions::default()).await?.ready, 2, "{part}");
    }
    Ok(())
}

fn job(image: &str, command: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: migrate}}, spec: {{{spec}, template: {{spec: {{restartPolicy: \
         Never, containers: [{{name: main, image: '{image}', command: [sh, -c, '{command}']}}]}}}}}}}}"
    )
}

async fn a_job_is_waited_for_until_it_completes() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&job(NGINX, "sleep 20", "completions: 3, parallelism: 2")).await?;
    let short = RolloutOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(5)));
    let err = refused(wait(&scene, "job/migrate", short).await, ErrorKind::DeadlineExceeded)?;
    assert!(err.to_string().contains("0 of 3 pods succeeded"), "{err}");
    let end = wait(&scene, "job/migrate", RolloutOptions::default()).await?;
    assert_eq!((end.ready, end.wanted), (3, 3));
    Ok(())
}

async fn a_job_that_fails_ends_the_wait() -> Checked {
    for (command, spec, reason) in [
        ("exit 3", "backoffLimit: 1", "backoff limit"),
        ("sleep 600", "activeDeadlineSeconds: 30", "longer than specified deadline"),
    ] {
        let scene = Scene::new()?;
        scene.apply(&job(NGINX, command, spec)).await?;
        let begun = Instant::now();
        let err = refused(wait(&scene, "job/migrate", RolloutOptions::default()).await, ErrorKind::OperationFailed)?;
        assert!(err.to_string().contains(reason), "{err}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{command}: {:?}", begun.elapsed());
    }
    Ok(())
}

async fn a_job_whose_image_is_missing_ends_the_wait() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&job(ABSENT, "exit 0", "backoffLimit: 1")).await?;
    let err = refused(wait(&scene, "job/migrate", RolloutOptions::default()).await, ErrorKind::PullFailed)?;
    assert_eq!(err.pull_failure().map(|failure| failure.image.as_str()), Some(ABSENT));
    Ok(())
}
