//! Deleting a cluster: one write for the cluster that was read, and the wait until it is gone.

use crate::{
    backend::call,
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, Scene},
};
use aks_acr::{
    ApplyDeleteClusterOptions, AttachOptions, CallOptions, Client, Cluster, ClusterPart, CreateClusterOptions,
    DeleteClusterOptions, DeletedCluster, DeletionOutcome, ErrorKind, RefusalKind,
};
use aks_acr_emulator::{Fault, Request, Timing};
use libtest_mimic::Failed;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "cluster_deletion";
        everywhere: [];
        on_emulator: [
            a_deletion_is_waited_for,
            a_missing_cluster_is_a_success_that_says_so,
            a_cluster_that_is_being_deleted_is_waited_for_and_not_written,
            a_write_whose_response_is_lost_is_not_repeated,
            a_write_that_failed_is_repeated_after_a_read,
            a_cluster_that_was_created_again_meanwhile_is_left_alone,
            a_cluster_with_another_uid_is_not_deleted,
            a_cluster_without_a_uid_is_not_written_twice,
            a_cluster_that_was_changed_after_the_read_is_not_deleted,
            a_cluster_that_failed_is_deleted,
            a_lock_refuses_it_once,
            the_missing_right_is_named,
            a_client_that_may_not_write_sends_nothing,
            a_plan_says_what_goes_and_what_stays,
            a_plan_says_what_the_caller_may_not_read,
            a_plan_that_has_expired_is_rejected_before_a_write,
            a_group_that_is_gone_took_the_cluster_with_it,
        ];
    }
}

async fn found(scene: &Scene) -> Result<Cluster, Failed> {
    some(scene.client.cluster_deployer().find(&scene.cluster, &call()).await?, "the cluster")
}

async fn delete_as(client: &Client, cluster: &Cluster) -> aks_acr::Result<DeletedCluster> {
    client.cluster_deployer().delete(cluster, &call()).await
}

async fn delete(scene: &Scene) -> Result<aks_acr::Result<DeletedCluster>, Failed> {
    Ok(delete_as(&scene.client, &found(scene).await?).await)
}

async fn is_gone(scene: &Scene) -> aks_acr::Result<bool> {
    Ok(scene.client.cluster_deployer().find(&scene.cluster, &call()).await?.is_none())
}

fn slow() -> Timing {
    Timing::none().with_cluster_deletion(Duration::from_secs(240))
}

fn deletions(scene: &Scene) -> usize {
    scene.sent(|request: &Request| request.method == "DELETE").len()
}

async fn a_deletion_is_waited_for() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let begun = Instant::now();
    let deleted = delete(&scene).await??;
    assert!(deleted.deleted && deleted.correlation_id.is_some());
    // A tenth of the time and a second, at most.
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(240) && took <= Duration::from_secs(265), "{took:?}");
    assert!(is_gone(&scene).await?);
    assert_eq!(deletions(&scene), 1);
    Ok(())
}

async fn a_missing_cluster_is_a_success_that_says_so() -> Checked {
    let scene = Scene::new()?;
    let cluster = found(&scene).await?;
    delete_as(&scene.client, &cluster).await?;
    assert!(!delete_as(&scene.client, &cluster).await?.deleted);
    let deletion = scene.client.delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await?;
    assert_eq!(deletion.outcome, DeletionOutcome::NothingToDelete);
    assert_eq!(deletions(&scene), 2);
    Ok(())
}

async fn a_cluster_that_is_being_deleted_is_waited_for_and_not_written() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let (first, second) = tokio::join!(delete(&scene), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        delete(&scene).await
    });
    assert!(first??.deleted && !second??.deleted);
    assert_eq!(deletions(&scene), 1);
    Ok(())
}

async fn a_write_whose_response_is_lost_is_not_repeated() -> Checked {
    for timing in [Timing::none(), slow()] {
        let scene = Scene::new()?;
        scene.azure.set_timing(timing);
        scene.azure.fault(Fault::on("DELETE", "/managedClusters/").reset().after_effect());
        assert!(delete(&scene).await??.deleted);
        assert_eq!(deletions(&scene), 1);
        assert!(is_gone(&scene).await?);
    }
    Ok(())
}

async fn a_write_that_failed_is_repeated_after_a_read() -> Checked {
    for status in [429, 503] {
        let scene = Scene::new()?;
        scene.azure.fault(Fault::on("DELETE", "/managedClusters/").status(status).times(2));
        let cluster = found(&scene).await?;
        let mark = scene.azure.mark();
        assert!(delete_as(&scene.client, &cluster).await?.deleted);
        let sent = scene.azure.requests_since(mark).into_iter().map(|one| one.method);
        let methods: Vec<String> = sent.filter(|method| method != "POST").collect();
        assert_eq!(methods[..5], ["DELETE", "GET", "DELETE", "GET", "DELETE"]);
    }
    Ok(())
}

async fn a_cluster_that_was_created_again_meanwhile_is_left_alone() -> Checked {
    let scene = Scene::new()?;
    let before = found(&scene).await?;
    scene.azure.fault(Fault::on("DELETE", "/managedClusters/").status(503));
    let (deleted, created) = tokio::join!(delete(&scene), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        delete(&scene).await??;
        Ok::<_, Failed>(scene.client.create_cluster(&scene.cluster, CreateClusterOptions::default()).await?)
    });
    assert!(deleted??.deleted);
    assert_ne!(created?.cluster.uid, before.uid);
    assert!(!is_gone(&scene).await?);
    assert_eq!(deletions(&scene), 2);
    Ok(())
}

async fn a_cluster_with_another_uid_is_not_deleted() -> Checked {
    let scene = Scene::new()?;
    let plan = scene.client.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await?;
    let mut other = plan.clone();
    "690befc527107e00018eff22".clone_into(&mut other.uid);
    let applied = scene.client.apply_delete_cluster(&other, ApplyDeleteClusterOptions::default()).await;
    let err = refused(applied, ErrorKind::Conflict)?;
    assert!(err.to_string().contains("created again"), "{err}");
    assert_eq!(deletions(&scene), 0);
    let applied = scene.client.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default()).await?;
    assert_eq!(applied.outcome, DeletionOutcome::Deleted);
    Ok(())
}

/// An older body of Azure has none.
async fn a_cluster_without_a_uid_is_not_written_twice() -> Checked {
    let scene = Scene::new()?;
    let id = scene.azure.cluster_id(GROUP, CLUSTER);
    let body = json!({ "id": id, "location": "westeurope", "properties": { "provisioningState": "Succeeded" } });
    scene.azure.fault(Fault::on("GET", "/managedClusters/dev?").status(200).body(body).times(9));
    scene.azure.fault(Fault::on("DELETE", "/managedClusters/").status(503));
    refused(delete(&scene).await?, ErrorKind::Unavailable)?;
    assert_eq!(deletions(&scene), 1);
    let plan = scene.client.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await;
    let err = refused(plan, ErrorKind::Unexpected)?;
    assert!(err.to_string().contains("resourceUID"), "{err}");
    Ok(())
}

/// The write names the revision that was read.
async fn a_cluster_that_was_changed_after_the_read_is_not_deleted() -> Checked {
    let scene = Scene::new()?;
    let id = scene.azure.cluster_id(GROUP, CLUSTER);
    let body = json!({ "id": id, "eTag": "an-earlier-one", "location": "westeurope",
        "properties": { "provisioningState": "Succeeded", "resourceUID": "690befc527107e00018eff22" } });
    scene.azure.fault(Fault::on("GET", "/managedClusters/dev?").status(200).body(body));
    let err = refused(delete(&scene).await?, ErrorKind::Conflict)?;
    assert_eq!((err.status(), err.code()), (Some(412), Some("EtagMismatch")));
    assert!(err.to_string().contains("was not deleted"), "{err}");
    assert!(!is_gone(&scene).await?);
    assert!(delete(&scene).await??.deleted);
    Ok(())
}

async fn a_cluster_that_failed_is_deleted() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_cluster_state(GROUP, CLUSTER, "Failed");
    assert!(delete(&scene).await??.deleted);
    Ok(())
}

async fn a_lock_refuses_it_once() -> Checked {
    let scene = Scene::new()?;
    scene.azure.lock("keep", &scene.azure.cluster_id(GROUP, CLUSTER), "CanNotDelete");
    let err = refused(delete(&scene).await?, ErrorKind::Forbidden)?;
    assert_eq!((err.refusal(), err.code()), (Some(RefusalKind::Lock), Some("ScopeLocked")));
    assert_eq!(deletions(&scene), 1);
    Ok(())
}

async fn the_missing_right_is_named() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let err = refused(delete_as(&reader, &found(&scene).await?).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerService/managedClusters/delete"));
    assert_eq!(deletions(&scene), 1);
    Ok(())
}

async fn a_client_that_may_not_write_sends_nothing() -> Checked {
    let scene = Scene::new()?;
    let client = Client::builder(scene.azure.credential(), scene.azure.subscription())
        .transport(scene.azure.transport())
        .read_only()
        .build()?;
    let err = refused(delete_as(&client, &found(&scene).await?).await, ErrorKind::Forbidden)?;
    assert_eq!(err.refusal(), Some(RefusalKind::ReadOnlyClient));
    assert_eq!(deletions(&scene), 0);
    Ok(())
}

async fn a_plan_says_what_goes_and_what_stays() -> Checked {
    let scene = Scene::new()?;
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let plan = scene.client.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await?;
    assert_eq!(plan.node_resource_group, "MC_group_dev_westeurope");
    let text = plan.to_string();
    assert!(text.starts_with("- cluster dev with all that runs on it\n"), "{text}");
    assert!(text.contains("\n! AcrPull for ") && text.ends_with(" stays behind"), "{text}");
    assert!(plan.unread.is_empty());
    let stored = serde_json::from_str(&serde_json::to_string(&plan)?)?;
    assert_eq!(plan, stored);
    let deletion = scene.client.apply_delete_cluster(&stored, ApplyDeleteClusterOptions::default()).await?;
    assert_eq!(deletion.to_string(), "deleted dev");
    let again = scene.client.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default()).await?;
    assert_eq!((again.outcome, deletions(&scene)), (DeletionOutcome::NothingToDelete, 1));
    Ok(())
}

async fn a_plan_says_what_the_caller_may_not_read() -> Checked {
    let scene = Scene::new()?;
    let caller = scene.caller_who_may(&["Microsoft.ContainerService/managedClusters/read"])?;
    let plan = caller.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await?;
    let one = some(plan.unread.first(), "what was not read")?;
    assert_eq!(one.part, ClusterPart::Grants);
    assert_eq!(one.missing_action.as_deref(), Some("Microsoft.Authorization/roleAssignments/read"));
    assert!(plan.to_string().contains("\n? grants not read: "), "{plan}");
    // Of a cluster that the caller may not read, there is no plan.
    let scene = Scene::new()?;
    let blind = scene.caller_who_may(&["Microsoft.ContainerRegistry/registries/read"])?;
    refused(blind.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await, ErrorKind::Forbidden)?;
    Ok(())
}

async fn a_plan_that_has_expired_is_rejected_before_a_write() -> Checked {
    let scene = Scene::new()?;
    let plan = scene.client.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await?;
    tokio::time::sleep(Duration::from_secs(3601)).await;
    let fresh = Client::builder(scene.azure.credential(), scene.azure.subscription())
        .transport(scene.azure.transport())
        .build()?;
    let late = fresh.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default()).await;
    let err = refused(late, ErrorKind::Conflict)?;
    assert!(err.to_string().contains("expired"), "{err}");
    assert_eq!(deletions(&scene), 0);
    Ok(())
}

async fn a_group_that_is_gone_took_the_cluster_with_it() -> Checked {
    let scene = Scene::new()?;
    let plan = scene.client.plan_delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await?;
    let gone = || {
        let error = json!({ "code": "ResourceGroupNotFound", "message": "Resource group 'group' could not be found." });
        Fault::on("GET", "/managedClusters/dev?").status(404).body(json!({ "error": error })).times(9)
    };
    scene.azure.fault(gone());
    let options = ApplyDeleteClusterOptions::default().with_call(CallOptions::default());
    let applied = scene.client.apply_delete_cluster(&plan, options).await?;
    assert_eq!(applied.outcome, DeletionOutcome::NothingToDelete);
    // Without a plan, it is a wrong name.
    refused(scene.client.delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await, ErrorKind::NotFound)?;
    Ok(())
}
