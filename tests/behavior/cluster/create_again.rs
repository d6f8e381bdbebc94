//! Creating a cluster that exists or is being created: the call waits and attaches, and never writes the cluster.

use super::create::{attached, create, is_grant, is_put, slow};
use crate::{
    backend::{Backend, call},
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{AttachOutcome, CallOptions, ClusterTier, CreateClusterOptions, ErrorKind, Event, NewCluster, SshKey};
use aks_acr_emulator::{ClusterSeed, Fault, RegistrySeed};
use std::{sync::Arc, sync::Mutex, time::Duration};

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [
            create_of_a_cluster_that_exists_is_that_cluster,
        ];
        on_emulator: [
            start_create_never_writes_a_cluster_that_exists,
            create_says_in_what_a_cluster_that_exists_differs,
            create_attaches_a_cluster_that_exists,
            create_of_a_cluster_that_is_busy_attaches_it,
            create_waits_for_a_cluster_that_somebody_is_making,
            two_creations_at_once_make_one_cluster,
            create_names_the_state_of_a_cluster_that_failed,
            create_of_a_cluster_that_is_being_deleted_is_a_conflict,
            create_takes_a_cluster_that_it_may_not_read_for_no_absent_one,
            create_takes_a_service_out_of_order_for_no_absent_cluster,
            create_does_not_write_over_a_cluster_that_came_meanwhile,
            create_whose_answer_was_lost_goes_on_without_a_second_write,
            create_whose_request_was_lost_is_sent_again,
            create_that_is_throttled_is_sent_again,
            create_outlasts_a_poll_that_fails,
            create_finds_a_grant_that_is_there_already,
        ];
    }
}

async fn create_of_a_cluster_that_exists_is_that_cluster(backend: &dyn Backend) -> Checked {
    let created = backend.client().create_cluster(backend.cluster(), CreateClusterOptions::default()).await?;
    assert!(!created.is_new);
    assert_eq!(created.cluster.id.name().to_lowercase(), backend.cluster().name().to_lowercase());
    assert!(created.cluster.host.is_some() && created.attachments.is_empty());
    Ok(())
}

async fn start_create_never_writes_a_cluster_that_exists() -> Checked {
    let scene = Scene::new()?;
    let etag = scene.azure.cluster_etag(GROUP, CLUSTER);
    let mut new = NewCluster::new(scene.azure.cluster_id(GROUP, CLUSTER).parse()?);
    new.node_count = 9;
    let creation = scene.client.cluster_deployer().start_create(&new, &call()).await?;
    assert!(!creation.is_new && creation.made.is_some());
    assert_eq!(creation.differences[0].property, "node_count");
    let made = scene.client.cluster_deployer().finish_create(creation, &call()).await?;
    assert_eq!(made.state, "Succeeded");
    assert_eq!((scene.writes(), scene.azure.cluster_etag(GROUP, CLUSTER)), (vec![], etag));
    Ok(())
}

async fn create_says_in_what_a_cluster_that_exists_differs() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).version("1.32.8"))?;
    let options = CreateClusterOptions::default()
        .with_location("francecentral")
        .with_node_count(5)
        .with_kubernetes_version("1.33")
        .with_tier(ClusterTier::Premium)
        .with_ssh_key(SshKey::Public(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ".into(),
        ));
    let created = scene.client.create_cluster(&scene.cluster, options).await?;
    let told: Vec<_> = created.differences.iter().map(|one| (one.property.as_str(), one.found.as_str())).collect();
    let count = created.cluster.node_count.expect("Azure states it").to_string();
    let wanted = [
        ("location", "westeurope"),
        ("node_count", count.as_str()),
        ("kubernetes_version", "1.32.8"),
        ("tier", "Free"),
        ("ssh_key", "none"),
    ];
    assert_eq!(told, wanted);
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn create_attaches_a_cluster_that_exists() -> Checked {
    let scene = Scene::new()?;
    for outcome in [AttachOutcome::Granted, AttachOutcome::AlreadyGranted] {
        let created = scene.client.create_cluster(&scene.cluster, attached()?).await?;
        assert_eq!((created.is_new, &created.attachments[0].outcome), (false, &outcome));
    }
    assert_eq!((scene.writes().len(), scene.sent(is_grant).len()), (1, 1));
    Ok(())
}

async fn create_of_a_cluster_that_is_busy_attaches_it() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).state("Updating"))?;
    let created = scene.client.create_cluster(&scene.cluster, attached()?).await?;
    assert_eq!((created.cluster.state.as_str(), created.attachments.len()), ("Updating", 1));
    Ok(())
}

async fn create_waits_for_a_cluster_that_somebody_is_making() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let short = CallOptions::default().with_deadline(Duration::from_secs(100));
    let err = refused(create(&scene, attached()?.with_call(short)).await, ErrorKind::DeadlineExceeded)?;
    assert!(err.context().any(|(name, text)| name == "hint" && text.contains("call again")), "{err}");
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = told.clone();
    let call = CallOptions::default().with_progress(move |event: Event| {
        if let (Event::Polling { status, .. }, Ok(mut told)) = (event, hears.lock()) {
            told.push(status);
        }
    });
    let created = create(&scene, attached()?.with_call(call)).await?;
    assert_eq!((created.is_new, created.cluster.state.as_str()), (false, "Succeeded"));
    assert_eq!(created.attachments[0].outcome, AttachOutcome::Granted);
    assert_eq!(scene.sent(is_put).len(), 1);
    assert!(told.lock().is_ok_and(|told| told.iter().all(|word| word == "Creating") && told.len() > 3));
    Ok(())
}

async fn two_creations_at_once_make_one_cluster() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow().with_kubelet_identity(Duration::from_secs(60)));
    let (one, other) = tokio::join!(create(&scene, attached()?), create(&scene, attached()?));
    let (one, other) = (one?, other?);
    assert_eq!(one.cluster, other.cluster);
    assert_eq!([one.is_new, other.is_new].iter().filter(|is_new| **is_new).count(), 1);
    assert_eq!(one.attachments[0].assignment_id, other.attachments[0].assignment_id);
    let mut answers: Vec<_> = scene.sent(is_put).iter().map(|put| put.status).collect();
    answers.sort_unstable();
    assert_eq!(answers, [Some(201), Some(412)], "the second says that it wants to make one, and not to change one");
    Ok(())
}

async fn create_names_the_state_of_a_cluster_that_failed() -> Checked {
    for state in ["Failed", "Canceled"] {
        let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).state(state))?;
        let created = scene.client.create_cluster(&scene.cluster, attached()?).await;
        let err = refused(created, ErrorKind::OperationFailed)?;
        assert!(err.context().any(|fact| fact == ("state", state)), "{err}");
        assert_eq!(scene.writes(), []);
    }
    Ok(())
}

async fn create_of_a_cluster_that_is_being_deleted_is_a_conflict() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).state("Deleting"))?;
    refused(scene.client.create_cluster(&scene.cluster, attached()?).await, ErrorKind::Conflict)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

/// A caller who may write and not read would write over it.
async fn create_takes_a_cluster_that_it_may_not_read_for_no_absent_one() -> Checked {
    let scene = Scene::new()?;
    let etag = scene.azure.cluster_etag(GROUP, CLUSTER);
    let write = ["Microsoft.ContainerService/managedClusters/write"];
    let azure = scene.azure.clone().with_custom_role("Writer", &write, &[]);
    let azure = azure.with_caller("writer", &[("Writer", &scene.everything())]);
    let writer = crate::emulator::client(&azure, azure.credential_of("writer"))?;
    let options = CreateClusterOptions::default().with_location("westeurope");
    let err = refused(writer.create_cluster(&scene.cluster, options).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerService/managedClusters/read"));
    assert_eq!((scene.writes(), scene.azure.cluster_etag(GROUP, CLUSTER)), (vec![], etag));
    Ok(())
}

async fn create_takes_a_service_out_of_order_for_no_absent_cluster() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("GET", "/managedClusters/").status(500).times(10_000));
    let options =
        CreateClusterOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(60)));
    refused(create(&scene, options).await, ErrorKind::DeadlineExceeded)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

/// Another caller creates one between the read and the write.
async fn create_does_not_write_over_a_cluster_that_came_meanwhile() -> Checked {
    let scene = Scene::new()?;
    let etag = scene.azure.cluster_etag(GROUP, CLUSTER);
    let body = serde_json::json!({ "error": { "code": "ResourceNotFound", "message": "not found" } });
    scene.azure.fault(Fault::on("GET", "/managedClusters/").status(404).body(body));
    let options = CreateClusterOptions::default().with_node_count(9);
    let created = scene.client.create_cluster(&scene.cluster, options).await?;
    assert_eq!((created.is_new, created.differences[0].property.as_str()), (false, "node_count"));
    assert_eq!(scene.azure.cluster_etag(GROUP, CLUSTER), etag);
    Ok(())
}

async fn create_whose_answer_was_lost_goes_on_without_a_second_write() -> Checked {
    for fault in [
        Fault::on("PUT", "/managedClusters/").reset().after_effect(),
        Fault::on("PUT", "/managedClusters/").status(502).after_effect(),
    ] {
        let scene = Scene::new()?;
        scene.azure.set_timing(slow());
        scene.azure.fault(fault);
        let created = create(&scene, attached()?).await?;
        assert_eq!((created.is_new, created.cluster.state.as_str()), (true, "Succeeded"));
        assert_eq!(scene.sent(is_put).len(), 1);
    }
    Ok(())
}

async fn create_whose_request_was_lost_is_sent_again() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("PUT", "/managedClusters/").reset().times(2));
    assert!(create(&scene, attached()?).await?.is_new);
    assert_eq!(scene.sent(is_put).len(), 3);
    Ok(())
}

async fn create_that_is_throttled_is_sent_again() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("PUT", "/managedClusters/").status(429).header("retry-after", "20").times(3));
    let begun = tokio::time::Instant::now();
    assert!(create(&scene, attached()?).await?.is_new);
    assert!(begun.elapsed() >= Duration::from_secs(60));
    Ok(())
}

async fn create_outlasts_a_poll_that_fails() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    scene.azure.fault(Fault::on("GET", "/operations/").status(502).times(5));
    scene.azure.fault(Fault::on("GET", "/managedClusters/fresh").status(503).times(2));
    assert_eq!(create(&scene, attached()?).await?.cluster.state, "Succeeded");
    Ok(())
}

/// The grant of a group or of an earlier run, above the registry.
async fn create_finds_a_grant_that_is_there_already() -> Checked {
    let scene = Scene::of(ClusterSeed::new(GROUP, CLUSTER), RegistrySeed::new(GROUP, REGISTRY))?;
    let group = format!("{}/resourceGroups/{GROUP}", scene.everything());
    scene.azure.grant("AcrPull", &scene.azure.kubelet_object_id(GROUP, CLUSTER), &group);
    let created = scene.client.create_cluster(&scene.cluster, attached()?).await?;
    assert!(matches!(created.attachments[0].outcome, AttachOutcome::Inherited { .. }));
    assert_eq!(scene.writes(), []);
    Ok(())
}
