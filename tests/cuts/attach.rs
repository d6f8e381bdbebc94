//! Attach, and its plan.

use crate::{
    case::{Case, case},
    scene::{Scene, cluster, registry},
};
use aks_acr::{ApplyAttachOptions, AttachOptions, AttachPlan, OnConditionMismatch, OnInheritedGrant};
use aks_acr_emulator::{ClusterSeed, Emulator, RegistrySeed, Timing};
use std::time::Duration;

const NARROW: &str = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/app'";
const OTHER: &str = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/other'";

pub fn cases() -> Vec<Case> {
    vec![
        case!("attach", "the registry by its name", Scene::plain(), |client, scene| {
            client.attach(&cluster(), &registry(), AttachOptions::default().with_call(scene.call())).await
        }),
        case!("attach", "the registry by its id", Scene::plain(), |client, scene| {
            client.attach(&cluster(), &scene.by_id(), AttachOptions::default().with_call(scene.call())).await
        }),
        case!("attach", "permissions on repositories, with a condition", on_repositories(), |client, scene| {
            client
                .attach(
                    &cluster(),
                    &registry(),
                    AttachOptions::default().with_call(scene.call()).with_condition(NARROW),
                )
                .await
        }),
        case!("attach", "another condition, to be replaced", narrowed_otherwise(), |client, scene| {
            let options = AttachOptions::default().with_call(scene.call()).with_condition(NARROW);
            let options = options.with_on_condition_mismatch(OnConditionMismatch::Replace);
            client.attach(&cluster(), &scene.by_id(), options).await
        }),
        case!("attach", "granted already", granted(), |client, scene| {
            client.attach(&cluster(), &registry(), AttachOptions::default().with_call(scene.call())).await
        }),
        case!("attach", "granted by the group, to be granted directly", granted_above(), |client, scene| {
            let options = AttachOptions::default()
                .with_call(scene.call())
                .with_on_inherited_grant(OnInheritedGrant::GrantDirectly);
            client.attach(&cluster(), &scene.by_id(), options).await
        }),
        case!("attach", "a service principal that the directory finds", in_directory(), |client, scene| {
            let options = AttachOptions::default().with_call(scene.call()).with_query_graph(true);
            client.attach(&cluster(), &registry(), options).await
        }),
        case!("attach", "a service principal", with_service_principal(), |client, scene| {
            let principal = scene.azure.control_plane_object_id("group", "dev").parse()?;
            client
                .attach(
                    &cluster(),
                    &registry(),
                    AttachOptions::default().with_call(scene.call()).with_principal_id(principal),
                )
                .await
        }),
        case!("attach", "an identity that the directory does not find yet", forgotten(), |client, scene| {
            client.attach(&cluster(), &registry(), AttachOptions::default().with_call(scene.call())).await
        }),
        case!("plan_attach", "nothing granted", Scene::plain(), |client, scene| {
            client.plan_attach(&cluster(), &registry(), AttachOptions::default().with_call(scene.call())).await
        }),
        case!("plan_attach", "granted already", granted(), |client, scene| {
            client.plan_attach(&cluster(), &scene.by_id(), AttachOptions::default().with_call(scene.call())).await
        }),
        case!("apply_attach", "a stored plan", planned(Scene::plain()).await, |client, scene| {
            let plan: AttachPlan = scene.stored();
            client.apply_attach(&plan, ApplyAttachOptions::default().with_call(scene.call())).await
        }),
        case!("apply_attach", "permissions on repositories", planned(on_repositories()).await, |client, scene| {
            let plan: AttachPlan = scene.stored();
            client.apply_attach(&plan, ApplyAttachOptions::default().with_call(scene.call())).await
        }),
    ]
}

fn on_repositories() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev");
    Scene::of(azure.with_registry_of(RegistrySeed::new("group", "myregistry").abac()))
}

fn narrowed_otherwise() -> Scene {
    let scene = on_repositories();
    let (kubelet, role) = (scene.azure.kubelet_object_id("group", "dev"), "Container Registry Repository Reader");
    scene.azure.grant_if(role, &kubelet, &scene.registry_id(), OTHER);
    scene
}

fn granted() -> Scene {
    let scene = Scene::plain();
    scene.grant("AcrPull", &scene.registry_id());
    scene
}

fn granted_above() -> Scene {
    let scene = Scene::plain();
    scene.grant("AcrPull", &format!("/subscriptions/{}/resourceGroups/group", scene.azure.subscription()));
    scene
}

fn with_service_principal() -> Scene {
    let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").service_principal());
    Scene::of(azure.with_registry("group", "myregistry"))
}

/// A cluster with a service principal, which the caller can read in Microsoft Graph.
pub fn in_directory() -> Scene {
    let scene = with_service_principal();
    drop(scene.azure.clone().with_graph_rights("owner"));
    scene
}

fn forgotten() -> Scene {
    let scene = Scene::plain();
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
    scene.azure.forget_principal(&kubelet, Duration::from_secs(20));
    scene
}

async fn planned(scene: Scene) -> Scene {
    let plan = scene.client().plan_attach(&cluster(), &registry(), AttachOptions::default()).await;
    scene.store(&plan.expect("a plan"));
    scene.begin()
}
