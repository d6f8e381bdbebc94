//! What sets up a kubelet identity before its cluster, and removes it.

use crate::{
    case::{Case, case},
    scene::{Scene, registry},
};
use aks_acr::{
    ApplyKubeletIdentityOptions, ClusterRef, CreateClusterOptions, KubeletIdentityOptions, KubeletIdentityPlan,
    RemoveKubeletIdentityOptions,
};
use aks_acr_emulator::{Emulator, Timing};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    vec![
        case!("plan_kubelet_identity", "nothing exists", plain(), |client, scene| {
            client.plan_kubelet_identity("group", "kubelet", options().with_call(scene.call())).await
        }),
        case!("plan_kubelet_identity", "all exists", applied().await, |client, scene| {
            client.plan_kubelet_identity("group", "kubelet", options().with_call(scene.call())).await
        }),
        case!("apply_kubelet_identity", "a stored plan, a slow directory", planned().await, |client, scene| {
            let plan: KubeletIdentityPlan = scene.stored();
            client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default().with_call(scene.call())).await
        }),
        case!("remove_kubelet_identity", "all that was created", applied().await, |client, scene| {
            let plan: KubeletIdentityPlan = scene.stored();
            client.remove_kubelet_identity(&plan, RemoveKubeletIdentityOptions::default().with_call(scene.call())).await
        }),
        case!("create_cluster", "identities of its own", effective().await, |client, scene| {
            let plan: KubeletIdentityPlan = scene.stored();
            let options = CreateClusterOptions::default()
                .with_control_plane_identity(plan.control_plane.id)
                .with_kubelet_identity(plan.kubelet.id);
            client.create_cluster(&ClusterRef::new("group", "fresh")?, options.with_call(scene.call())).await
        }),
    ]
}

fn options() -> KubeletIdentityOptions {
    KubeletIdentityOptions::default().with_entra_group("acr-pullers").with_registry(registry())
}

fn plain() -> Scene {
    let azure = Emulator::new().with_registry("group", "myregistry").with_graph_rights("owner");
    let scene = Scene::of(azure.with_entra_group("acr-pullers"));
    let timing = Timing::none().with_principal(Duration::from_secs(15)).with_propagation(Duration::from_secs(20));
    scene.azure.set_timing(timing);
    scene
}

async fn planned() -> Scene {
    let scene = plain();
    scene.store(&scene.client().plan_kubelet_identity("group", "kubelet", options()).await.expect("a plan"));
    scene.begin()
}

async fn effective() -> Scene {
    let scene = applied().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.azure.set_timing(Timing::none().with_cluster_creation(Duration::from_secs(60)));
    scene.begin()
}

async fn applied() -> Scene {
    let scene = planned().await;
    let (client, plan) = (scene.client(), scene.stored::<KubeletIdentityPlan>());
    client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await.expect("identities");
    scene.begin()
}
