//! What deletes a registry or a cluster.

use crate::{
    case::{Case, case},
    scene::{Scene, cluster, registry},
};
use aks_acr::{
    ApplyDeleteClusterOptions, ApplyDeleteRegistryOptions, DeleteClusterOptions, DeleteClusterPlan,
    DeleteRegistryOptions, DeleteRegistryPlan,
};
use aks_acr_emulator::Timing;
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    vec![
        case!("delete_registry", "by its name, done at once", attached_registry(), |client, scene| {
            client.delete_registry(&registry(), DeleteRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("delete_registry", "by its ID, takes time", slow_to_go(), |client, scene| {
            client.delete_registry(&scene.by_id(), DeleteRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("delete_registry", "another caller is deleting it", going().await, |client, scene| {
            client.delete_registry(&scene.by_id(), DeleteRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("plan_delete_registry", "with images and a grant", attached_registry(), |client, scene| {
            client.plan_delete_registry(&registry(), DeleteRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("apply_delete_registry", "a stored plan, takes time", planned_deletion().await, |client, scene| {
            let plan: DeleteRegistryPlan = scene.stored();
            client.apply_delete_registry(&plan, ApplyDeleteRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("delete_cluster", "takes time", slow_cluster(), |client, scene| {
            client.delete_cluster(&cluster(), DeleteClusterOptions::default().with_call(scene.call())).await
        }),
        case!("delete_cluster", "another caller is deleting it", cluster_going().await, |client, scene| {
            client.delete_cluster(&cluster(), DeleteClusterOptions::default().with_call(scene.call())).await
        }),
        case!("plan_delete_cluster", "with a grant", attached_registry(), |client, scene| {
            client.plan_delete_cluster(&cluster(), DeleteClusterOptions::default().with_call(scene.call())).await
        }),
        case!("apply_delete_cluster", "a stored plan, takes time", planned_cluster().await, |client, scene| {
            let plan: DeleteClusterPlan = scene.stored();
            client.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default().with_call(scene.call())).await
        }),
    ]
}

/// A registry with images that the cluster may pull.
fn attached_registry() -> Scene {
    let scene = Scene::plain();
    scene.azure.push_image("myregistry.azurecr.io/app:1", &["linux/amd64"]);
    scene.grant("AcrPull", &scene.registry_id());
    scene
}

fn slow_to_go() -> Scene {
    let scene = attached_registry();
    scene.azure.set_timing(Timing::none().with_registry_deletion(Duration::from_secs(30)));
    scene
}

async fn going() -> Scene {
    let scene = slow_to_go();
    let (other, registry) = (scene.client(), scene.by_id());
    // That caller ends as soon as Azure has accepted it.
    let begun = other.delete_registry(&registry, DeleteRegistryOptions::default());
    let ended = tokio::time::timeout(Duration::from_millis(500), begun).await;
    assert!(ended.is_err(), "it takes longer");
    scene.begin()
}

async fn planned_deletion() -> Scene {
    let scene = slow_to_go();
    let plan = scene.client().plan_delete_registry(&scene.by_id(), DeleteRegistryOptions::default()).await;
    scene.store(&plan.expect("a plan"));
    scene.begin()
}

fn slow_cluster() -> Scene {
    let scene = attached_registry();
    scene.azure.set_timing(Timing::none().with_cluster_deletion(Duration::from_secs(30)));
    scene
}

async fn cluster_going() -> Scene {
    let scene = slow_cluster();
    let (other, target) = (scene.client(), cluster());
    let begun = other.delete_cluster(&target, DeleteClusterOptions::default());
    let ended = tokio::time::timeout(Duration::from_millis(500), begun).await;
    assert!(ended.is_err(), "it takes longer");
    scene.begin()
}

async fn planned_cluster() -> Scene {
    let scene = slow_cluster();
    let plan = scene.client().plan_delete_cluster(&cluster(), DeleteClusterOptions::default()).await;
    scene.store(&plan.expect("a plan"));
    scene.begin()
}
