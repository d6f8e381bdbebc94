//! Pods: a list of them.

use super::{pods, wait_for_rollout::wait_for_rollout};
use crate::{
    backend::{Backend, absent_cluster, random_name},
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, HELLO, NGINX, Scene, deployment},
};
use aks_acr::{CallOptions, ErrorKind, PodSelection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [
            pods_of_a_namespace_without_pods_is_an_empty_list,
            pods_of_an_absent_cluster_is_not_found,
            pods_tell_name_node_and_image,
        ];
        on_emulator: [
            pods_are_those_of_the_namespace_and_with_the_labels,
            pods_show_the_table_that_kubectl_prints,
            pods_of_an_odd_namespace_is_refused_before_a_request,
            pods_tell_why_an_image_is_not_pulled,
            pods_whose_list_expires_between_its_pages_are_listed_again,
            pods_without_a_way_to_the_emulators_kubernetes_say_what_is_missing,
        ];
    }
}

async fn pods_of_a_namespace_without_pods_is_an_empty_list(backend: &dyn Backend) -> Checked {
    let nowhere = PodSelection::default().in_namespace(random_name("empty-"));
    let listed = backend.client().pods(backend.cluster(), &nowhere, CallOptions::default()).await?;
    assert_eq!(listed.pods, []);
    Ok(())
}

async fn pods_of_an_absent_cluster_is_not_found(backend: &dyn Backend) -> Checked {
    let absent = absent_cluster(backend)?;
    let result = backend.client().pods(&absent, &PodSelection::default(), CallOptions::default()).await;
    refused(result, ErrorKind::NotFound)?;
    Ok(())
}

async fn pods_tell_name_node_and_image(backend: &dyn Backend) -> Checked {
    let running = backend.running_deployment().await?;
    backend.client().wait_for_rollout(backend.cluster(), &running, aks_acr::RolloutOptions::default()).await?;
    let there = PodSelection::default().in_namespace(&running.namespace);
    let listed = backend.client().pods(backend.cluster(), &there, CallOptions::default()).await?;
    assert!(listed.pods.is_sorted_by_key(|pod| pod.name.clone()));
    let of_it = listed.pods.into_iter().find(|pod| pod.name.starts_with(&format!("{}-", running.name)));
    let pod = some(of_it, "pod of the deployment")?;
    assert_eq!((pod.namespace, pod.status.as_str()), (running.namespace, "Running"));
    assert!(pod.ready == pod.containers && pod.node.is_some() && pod.created.is_some());
    assert!(pod.image_id.is_some_and(|id| id.contains("sha256:")));
    Ok(())
}

/// The cluster's database forgets old versions while the pages of a list are read.
async fn pods_whose_list_expires_between_its_pages_are_listed_again() -> Checked {
    let scene = Scene::new()?;
    let pod = |n: u8| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p{n}}}, spec: {{containers: [{{name: c, image: nginx}}]}}}}"
        )
    };
    scene.apply(&[pod(1), pod(2), pod(3)].join("\n---\n")).await?;
    let (azure, pages) = (scene.azure.clone(), Arc::new(AtomicUsize::new(0)));
    let (forgetful, seen) = (azure.clone(), pages.clone());
    let door = azure.kubernetes().map_request(move |mut request: http::Request<aks_acr::KubeBody>| {
        if request.uri().path().ends_with("/pods") {
            let page = seen.fetch_add(1, Ordering::Relaxed);
            // Before the second page of the first two lists.
            if page == 1 || page == 3 {
                forgetful.add_node(GROUP, CLUSTER, &format!("more{page}"), "linux", "amd64");
                forgetful.forget_history(GROUP, CLUSTER);
            }
            if let Ok(short) = request.uri().to_string().replace("limit=250", "limit=2").parse() {
                *request.uri_mut() = short;
            }
        }
        request
    });
    let client = aks_acr::Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    let client = client.kubernetes(door).build()?;
    let listed = client.pods(&scene.cluster, &PodSelection::default(), CallOptions::default()).await?;
    assert_eq!((listed.pods.len(), pages.load(Ordering::Relaxed)), (3, 6));
    Ok(())
}

/// The emulator's kubeconfig has no certificate that a real TLS client accepts.
async fn pods_without_a_way_to_the_emulators_kubernetes_say_what_is_missing() -> Checked {
    let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
    let builder = aks_acr::Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    let (client, cluster) = (builder.build()?, "group/dev".parse()?);
    let result = client.pods(&cluster, &PodSelection::default(), CallOptions::default()).await;
    let err = refused(result, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("ClientBuilder::kubernetes"), "{err}");
    Ok(())
}

async fn names(scene: &Scene, selection: PodSelection) -> aks_acr::Result<Vec<String>> {
    let listed = scene.client.pods(&scene.cluster, &selection, CallOptions::default()).await?;
    Ok(listed.pods.into_iter().map(|pod| pod.name.split('-').next().unwrap_or_default().to_owned()).collect())
}

async fn pods_are_those_of_the_namespace_and_with_the_labels() -> Checked {
    let scene = Scene::new()?;
    scene.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}").await?;
    scene.apply(&format!("{}\n---\n{}", deployment("web", NGINX, 2), deployment("other", HELLO, 1))).await?;
    let options = aks_acr::ApplyOptions::default().with_namespace("team");
    scene.apply_with(&deployment("away", NGINX, 1), options).await?;
    wait_for_rollout(&scene).await?;
    let default = PodSelection::default;
    assert_eq!(names(&scene, default()).await?, ["other", "web", "web"]);
    assert_eq!(names(&scene, default().in_namespace("team")).await?, ["away"]);
    assert_eq!(names(&scene, default().with_labels("app=other")).await?, ["other"]);
    assert_eq!(names(&scene, default().with_labels("app in (web, other), app!=other")).await?, ["web", "web"]);
    assert_eq!(names(&scene, default().with_labels("app=none")).await?.len(), 0);
    Ok(())
}

async fn pods_show_the_table_that_kubectl_prints() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", NGINX, 2)).await?;
    wait_for_rollout(&scene).await?;
    tokio::time::sleep(Duration::from_secs(125)).await;
    let listed = scene.client.pods(&scene.cluster, &PodSelection::default(), CallOptions::default()).await?;
    let table = listed.to_string();
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(lines.len(), 3);
    for line in &lines[1..] {
        assert_eq!(&line[1..4], ["1/1", "Running", "0"]);
        assert!(line[4].starts_with("2m"), "{table}");
    }
    Ok(())
}

async fn pods_of_an_odd_namespace_is_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    for odd in ["", "Team", "a/b", "..", "a?limit=1", "-a", "a b", "%2e%2e"] {
        let selection = PodSelection::default().in_namespace(odd);
        let result = scene.client.pods(&scene.cluster, &selection, CallOptions::default()).await;
        refused(result, ErrorKind::InvalidInput)?;
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn pods_tell_why_an_image_is_not_pulled() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", "myregistry.azurecr.io/nginx:v1", 1)).await?;
    tokio::time::sleep(Duration::from_secs(90)).await;
    let pod = pods(&scene).await?.remove(0);
    let failure = some(pod.pull_failure, "pull failure")?;
    assert_eq!((pod.ready, pod.containers), (0, 1));
    assert_eq!((failure.pod, failure.container.as_str()), (pod.name, "main"));
    assert_eq!((failure.finding.id, failure.reason), (aks_acr::FindingId::NO_CREDENTIAL, pod.status));
    Ok(())
}
