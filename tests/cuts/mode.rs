//! What moves a registry to the other role assignment mode, and back.

use crate::{
    case::{Case, case},
    scene::{Scene, registry},
};
use aks_acr::{ApplyModeChangeOptions, ModeChangeOptions, ModeChangePlan, RoleAssignmentMode};
use aks_acr_emulator::{Emulator, Timing};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    vec![
        case!("plan_mode_change", "a registry with a cluster", plain(), |client, scene| {
            let options = ModeChangeOptions::default().with_call(scene.call());
            client.plan_mode_change(&registry(), RoleAssignmentMode::AbacRepositoryPermissions, options).await
        }),
        case!("apply_mode_change", "a stored plan, roles that take a while", planned().await, |client, scene| {
            let plan: ModeChangePlan = scene.stored();
            client.apply_mode_change(&plan, options().with_call(scene.call())).await.map(|done| done.mode)
        }),
        case!("apply_mode_change", "the way back", applied().await, |client, scene| {
            let plan: ModeChangePlan = scene.stored();
            let options = options().with_reverse(true).with_call(scene.call());
            client.apply_mode_change(&plan, options).await.map(|done| done.mode)
        }),
    ]
}

/// Shorter than in Azure: each reading of the roles is a place to cut.
fn options() -> ApplyModeChangeOptions {
    ApplyModeChangeOptions::default().with_propagation_time(Duration::from_secs(90))
}

fn plain() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &azure.registry_id("group", "myregistry"));
    azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
    Scene::of(azure)
}

async fn planned() -> Scene {
    let scene = plain();
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let plan = scene.client().plan_mode_change(&registry(), mode, ModeChangeOptions::default()).await.expect("a plan");
    scene.store(&plan);
    scene.begin()
}

async fn applied() -> Scene {
    let scene = planned().await;
    let (client, plan) = (scene.client(), scene.stored::<ModeChangePlan>());
    client.apply_mode_change(&plan, options()).await.expect("a changed mode");
    scene.begin()
}
