//! Detach, and its plan.

use crate::{
    attach::in_directory,
    case::{Case, case},
    scene::{Scene, cluster, registry},
};
use aks_acr::{ApplyDetachOptions, AttachOptions, DetachOptions, DetachPlan};
use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    vec![
        case!("detach", "attached by us, the registry by its name", attached().await, |client, scene| {
            client.detach(&cluster(), &registry(), DetachOptions::default().with_call(scene.call())).await
        }),
        case!("detach", "both pull roles, which take a minute to fade", both(), |client, scene| {
            client.detach(&cluster(), &scene.by_id(), DetachOptions::default().with_call(scene.call())).await
        }),
        case!("detach", "only ours, and a grant of others", ours_and_others().await, |client, scene| {
            client
                .detach(
                    &cluster(),
                    &scene.by_id(),
                    DetachOptions::default().with_call(scene.call()).with_only_created_by_aks_acr(true),
                )
                .await
        }),
        case!("detach", "nothing to remove, and the group's grant remains", from_above(), |client, scene| {
            client.detach(&cluster(), &registry(), DetachOptions::default().with_call(scene.call())).await
        }),
        case!("detach", "a service principal that the directory finds", service_principal(), |client, scene| {
            let options = DetachOptions::default().with_call(scene.call()).with_query_graph(true);
            client.detach(&cluster(), &registry(), options).await
        }),
        case!("plan_detach", "both pull roles", both(), |client, scene| {
            client.plan_detach(&cluster(), &scene.by_id(), DetachOptions::default().with_call(scene.call())).await
        }),
        case!("apply_detach", "a stored plan for both pull roles", planned().await, |client, scene| {
            let plan: DetachPlan = scene.stored();
            client.apply_detach(&plan, ApplyDetachOptions::default().with_call(scene.call())).await
        }),
    ]
}

/// A grant that the library made.
async fn attached() -> Scene {
    let scene = Scene::plain();
    scene.client().attach(&cluster(), &registry(), AttachOptions::default()).await.expect("attached");
    scene.begin()
}

/// The role of either kind of registry.
fn both() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev");
    let scene = Scene::of(azure.with_registry_of(RegistrySeed::new("group", "myregistry").abac()));
    scene.azure.set_timing(Timing::none().with_deletion(Duration::from_secs(60)));
    scene.grant("AcrPull", &scene.registry_id());
    scene.grant("Container Registry Repository Reader", &scene.registry_id());
    scene
}

async fn ours_and_others() -> Scene {
    let scene = attached().await;
    scene.grant("Container Registry Repository Reader", &scene.registry_id());
    scene
}

fn from_above() -> Scene {
    let scene = Scene::plain();
    scene.grant("AcrPull", &format!("/subscriptions/{}/resourceGroups/group", scene.azure.subscription()));
    scene
}

async fn planned() -> Scene {
    let scene = both();
    let plan = scene.client().plan_detach(&cluster(), &registry(), DetachOptions::default()).await;
    scene.store(&plan.expect("a plan"));
    scene.begin()
}

fn service_principal() -> Scene {
    let scene = in_directory();
    let principal = scene.azure.control_plane_object_id("group", "dev");
    scene.azure.grant("AcrPull", &principal, &scene.registry_id());
    scene
}
