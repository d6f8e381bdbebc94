//! Pods: their changes.

use super::{pods, wait_for_rollout::wait_for_rollout};
use crate::{
    backend::{Backend, call},
    case::{Case, Checked, cases, refused},
    emulator::{HELLO, NGINX, Scene, deployment},
    kubectl,
};
use aks_acr::{CallOptions, CancellationToken, ErrorKind, FindingId, PodEvent, PodSelection};
use aks_acr_emulator::Fault;
use std::{collections::BTreeSet, ops::ControlFlow, time::Duration};
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [watch_tells_the_pods_that_are_there_first];
        on_emulator: [
            watch_tells_each_change_after_the_present_ones,
            watch_tells_that_a_pod_is_gone,
            watch_tells_only_the_pods_that_were_chosen,
            watch_keeps_the_first_error_of_a_pull,
            watch_ends_at_its_deadline,
            watch_ends_when_it_is_cancelled,
            watch_goes_on_after_a_connection_broke_off_and_tells_nothing_twice,
            watch_that_goes_silent_is_begun_anew,
            watch_that_is_quiet_stays_open_by_its_bookmarks,
        ];
    }
}

fn name(event: &PodEvent) -> String {
    match event {
        PodEvent::Present(pod) => pod.name.clone(),
        PodEvent::Gone { name } => name.clone(),
        _ => String::new(),
    }
}

async fn watch_tells_the_pods_that_are_there_first(backend: &dyn Backend) -> Checked {
    let running = backend.running_deployment().await?;
    backend.client().wait_for_rollout(backend.cluster(), &running, aks_acr::RolloutOptions::default()).await?;
    let there = PodSelection::default().in_namespace(&running.namespace);
    let listed = backend.client().pods(backend.cluster(), &there, CallOptions::default()).await?;
    let wanted: BTreeSet<String> = listed.pods.into_iter().map(|pod| pod.name).collect();
    let mut told = BTreeSet::new();
    let mut listener = |event: PodEvent| {
        assert!(matches!(event, PodEvent::Present(_)), "{event:?}");
        told.insert(name(&event));
        if told.len() == wanted.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    backend.client().cluster_deployer().watch(backend.cluster(), &there, &mut listener, &call()).await?;
    assert_eq!(told, wanted);
    Ok(())
}

/// Watches for longer than anything takes here, and returns everything that was reported.
async fn watched(scene: &Scene, selection: &PodSelection, time: u64) -> aks_acr::Result<Vec<PodEvent>> {
    let mut told = Vec::new();
    let mut listener = |event: PodEvent| {
        told.push(event);
        ControlFlow::Continue(())
    };
    let call = CallOptions::default().start(Duration::from_secs(time));
    let ended = scene.client.cluster_deployer().watch(&scene.cluster, selection, &mut listener, &call).await;
    match ended {
        Err(err) if err.kind() == ErrorKind::DeadlineExceeded => Ok(told),
        ended => ended.map(|()| told),
    }
}

fn statuses(events: &[PodEvent]) -> Vec<&str> {
    events
        .iter()
        .map(|event| match event {
            PodEvent::Present(pod) => pod.status.as_str(),
            _ => "gone",
        })
        .collect()
}

async fn watch_tells_each_change_after_the_present_ones() -> Checked {
    let scene = Scene::new()?;
    let selection = PodSelection::default();
    let (told, applied) = tokio::join!(watched(&scene, &selection, 300), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        scene.apply(&deployment("web", NGINX, 1)).await
    });
    applied?;
    let told = told?;
    let statuses = statuses(&told);
    assert_eq!((statuses.first(), statuses.last()), (Some(&"Pending"), Some(&"Running")), "{statuses:?}");
    assert!(statuses.contains(&"ContainerCreating"), "{statuses:?}");
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "what did not change is not told");
    Ok(())
}

async fn watch_tells_that_a_pod_is_gone() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 2)).await?;
    wait_for_rollout(&scene).await?;
    let there: BTreeSet<String> = pods(&scene).await?.into_iter().map(|pod| pod.name).collect();
    let selection = PodSelection::default();
    let (told, applied) = tokio::join!(watched(&scene, &selection, 300), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        scene.apply(&deployment("web", NGINX, 0)).await
    });
    applied?;
    let told = told?;
    let gone = told.iter().filter(|event| matches!(event, PodEvent::Gone { .. })).map(name).collect();
    assert_eq!(there, gone);
    assert!(statuses(&told).contains(&"Terminating"), "{told:?}");
    assert!(matches!(told.last(), Some(PodEvent::Gone { .. })));
    Ok(())
}

async fn watch_tells_only_the_pods_that_were_chosen() -> Checked {
    let scene = Scene::new()?;
    scene.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}").await?;
    scene.apply(&format!("{}\n---\n{}", deployment("web", NGINX, 1), deployment("other", HELLO, 1))).await?;
    let options = aks_acr::ApplyOptions::default().with_namespace("team");
    scene.apply_with(&deployment("away", NGINX, 1), options).await?;
    for (selection, start) in [
        (PodSelection::default().with_labels("app=other"), "other-"),
        (PodSelection::default().in_namespace("team"), "away-"),
    ] {
        let told = watched(&scene, &selection, 120).await?;
        assert!(!told.is_empty() && told.iter().all(|event| name(event).starts_with(start)), "{told:?}");
    }
    Ok(())
}

async fn watch_keeps_the_first_error_of_a_pull() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", "docker.io/library/nginx:absent", 1)).await?;
    let told = watched(&scene, &PodSelection::default(), 300).await?;
    assert!(statuses(&told).contains(&"ImagePullBackOff"), "{:?}", statuses(&told));
    for event in told {
        let PodEvent::Present(pod) = event else { return Err("a pod is gone".into()) };
        let finding = pod.pull_failure.map(|failure| failure.finding.id);
        assert!(finding.is_none() || finding == Some(FindingId::IMAGE_NOT_FOUND), "{}: {finding:?}", pod.status);
    }
    Ok(())
}

async fn watch_ends_at_its_deadline() -> Checked {
    let scene = Scene::new()?;
    let begun = Instant::now();
    let call = CallOptions::default().start(Duration::from_secs(77));
    let mut listener = |_| ControlFlow::Continue(());
    let deployer = scene.client.cluster_deployer();
    let ended = deployer.watch(&scene.cluster, &PodSelection::default(), &mut listener, &call).await;
    refused(ended, ErrorKind::DeadlineExceeded)?;
    assert_eq!(begun.elapsed().as_secs(), 77);
    Ok(())
}

async fn watch_ends_when_it_is_cancelled() -> Checked {
    let scene = Scene::new()?;
    let (cancel, begun) = (CancellationToken::new(), Instant::now());
    let call = CallOptions::default().with_cancel(cancel.clone()).start(Duration::from_secs(999));
    let mut listener = |_| ControlFlow::Continue(());
    let selection = PodSelection::default();
    let (ended, ()) =
        tokio::join!(scene.client.cluster_deployer().watch(&scene.cluster, &selection, &mut listener, &call), async {
            tokio::time::sleep(Duration::from_secs(33)).await;
            cancel.cancel();
        });
    refused(ended, ErrorKind::Cancelled)?;
    assert_eq!(begun.elapsed().as_secs(), 33);
    Ok(())
}

/// A pod that was deleted while nothing was watching is reported as deleted by the next list.
async fn watch_goes_on_after_a_connection_broke_off_and_tells_nothing_twice() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 1)).await?;
    wait_for_rollout(&scene).await?;
    let before = pods(&scene).await?.remove(0).name;
    scene.azure.fault(Fault::on("GET", "watch=true").reset().times(3));
    let selection = PodSelection::default();
    let (told, deleted) = tokio::join!(watched(&scene, &selection, 300), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        kubectl::delete(&scene, &format!("/api/v1/namespaces/default/pods/{before}")).await
    });
    deleted?;
    let told = told?;
    assert_eq!(told.iter().filter(|event| matches!(event, PodEvent::Gone { .. })).count(), 1, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(matches!(told.last(), Some(PodEvent::Present(pod)) if pod.name != before && pod.status == "Running"));
    Ok(())
}

/// The connection stays open in each case, and nothing says that it is dead.
async fn watch_that_goes_silent_is_begun_anew() -> Checked {
    let silences = [
        Fault::on("GET", "watch=true").silent(),
        Fault::on("GET", "watch=true").silent_body(),
        Fault::on("GET", "watch=true").silent_after(Duration::from_secs(20)),
        Fault::on("GET", "/pods?&limit").silent(),
        Fault::on("GET", "/pods?&limit").silent_body(),
    ];
    for silence in silences {
        let scene = Scene::new()?;
        scene.azure.fault(silence.clone());
        let selection = PodSelection::default();
        let (told, applied) = tokio::join!(watched(&scene, &selection, 300), async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            scene.apply(&deployment("web", NGINX, 1)).await
        });
        applied?;
        let told = told?;
        assert_eq!(statuses(&told).last(), Some(&"Running"), "{silence:?}: {told:?}");
        assert!(
            scene.azure.requests().iter().any(|one| one.fault.is_some_and(|word| word.starts_with("silent"))),
            "{silence:?}"
        );
    }
    Ok(())
}

/// Kubernetes is asked to end each watch before a load balancer drops it, and one that only sends bookmarks is not taken for dead.
async fn watch_that_is_quiet_stays_open_by_its_bookmarks() -> Checked {
    let scene = Scene::new()?;
    watched(&scene, &PodSelection::default(), 175).await?;
    let watches = scene.sent(|request| request.query.contains("watch=true"));
    assert_eq!(watches.len(), 1, "{watches:?}");
    let ends = watches[0].query.split('&').find_map(|part| part.strip_prefix("timeoutSeconds=")?.parse::<u32>().ok());
    assert!(ends.is_some_and(|seconds| (60..240).contains(&seconds)), "{watches:?}");
    assert!(watches[0].query.contains("allowWatchBookmarks=true"), "{watches:?}");
    Ok(())
}
