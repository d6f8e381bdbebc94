//! What makes a registry and a cluster.

use crate::{
    case::{Case, case},
    scene::{Scene, cluster, registry},
};
use aks_acr::{Client, ClusterRef, CreateClusterOptions, CreateRegistryOptions, Sku, UpdateRegistryOptions};
use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use futures::future::BoxFuture;
use std::time::Duration;

pub fn registries() -> Vec<Case> {
    vec![
        case!("create_registry", "a free name", slow(), |client, scene| {
            client.create_registry("group", "another", CreateRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("create_registry", "done at once", Scene::plain(), |client, scene| {
            client
                .create_registry(
                    "group",
                    "another",
                    CreateRegistryOptions::default().with_call(scene.call()).with_sku(Sku::Premium),
                )
                .await
        }),
        case!("create_registry", "its provider is not registered", unregistered(), |client, scene| {
            let options = CreateRegistryOptions::default().with_call(scene.call()).with_register_providers(true);
            client.create_registry("group", "another", options).await
        }),
        case!("create_registry", "exists, and differs", slow(), |client, scene| {
            let options = CreateRegistryOptions::default().with_call(scene.call()).with_sku(Sku::Premium);
            client.create_registry("group", "myregistry", options).await
        }),
        case!("create_registry", "another caller is creating it", registry_in_the_making().await, |client, scene| {
            client.create_registry("group", "another", CreateRegistryOptions::default().with_call(scene.call())).await
        }),
        case!("update_registry", "settings that differ", slow(), |client, scene| {
            let options = UpdateRegistryOptions::default().with_sku(Sku::Premium).with_data_endpoint(true);
            let options = options.with_tag("team", Some("web")).with_call(scene.call());
            client.update_registry(&registry(), options).await.map(|updated| updated.registry)
        }),
    ]
}

pub fn clusters() -> Vec<Case> {
    vec![
        case!("create_cluster", "a free name, with a registry", slow(), |client, scene| {
            client.create_cluster(&fresh(), attached(scene)).await
        }),
        case!("create_cluster", "a free name, with two registries", with_two_registries(), |client, scene| {
            let options = attached(scene).with_registry("second".parse()?).with_node_count(2);
            client.create_cluster(&fresh(), options).await
        }),
        case!(
            "create_cluster",
            "its identity shows at the end, permissions on repositories",
            late(),
            |client, scene| { client.create_cluster(&fresh(), attached(scene)).await }
        ),
        case!("create_cluster", "its provider is not registered", unregistered(), |client, scene| {
            client.create_cluster(&fresh(), attached(scene).with_register_providers(true)).await
        }),
        case!("create_cluster", "without a registry", slow(), |client, scene| {
            client.create_cluster(&fresh(), CreateClusterOptions::default().with_call(scene.call())).await
        }),
        case!("create_cluster", "exists, to be attached", Scene::plain(), |client, scene| {
            client.create_cluster(&cluster(), attached(scene)).await
        }),
        case!("create_cluster", "another caller is creating it", cluster_in_the_making().await, |client, scene| {
            client.create_cluster(&fresh(), attached(scene)).await
        }),
    ]
}

fn fresh() -> ClusterRef {
    ClusterRef::new("group", "fresh").expect("a name")
}

fn attached(scene: &Scene) -> CreateClusterOptions {
    CreateClusterOptions::default().with_call(scene.call()).with_registry(registry())
}

fn timing() -> Timing {
    let timing = Timing::none().with_registry(Duration::from_secs(20)).with_cluster_creation(Duration::from_secs(60));
    timing.with_kubelet_identity(Duration::from_secs(25))
}

fn slow() -> Scene {
    let scene = Scene::of(Emulator::new().with_registry("group", "myregistry"));
    scene.azure.set_timing(timing());
    scene
}

fn with_two_registries() -> Scene {
    let scene = Scene::of(Emulator::new().with_registry("group", "myregistry").with_registry("group", "second"));
    scene.azure.set_timing(timing());
    scene
}

/// Registries that show conditions: a grant made twice would be seen.
fn late() -> Scene {
    let scene = Scene::of(Emulator::new().with_registry_of(RegistrySeed::new("group", "myregistry").abac()));
    scene.azure.set_timing(Timing::none().with_cluster_creation(Duration::from_secs(60)));
    scene
}

fn unregistered() -> Scene {
    let scene = slow();
    scene.azure.unregister_provider("Microsoft.ContainerRegistry");
    scene.azure.unregister_provider("Microsoft.ContainerService");
    scene.azure.set_timing(Timing::none().with_registration(Duration::from_secs(25)));
    scene
}

async fn registry_in_the_making() -> Scene {
    left_alone(slow(), |client| {
        Box::pin(async { drop(client.create_registry("group", "another", CreateRegistryOptions::default()).await) })
    })
    .await
}

async fn cluster_in_the_making() -> Scene {
    left_alone(slow(), |client| {
        Box::pin(async { drop(client.create_cluster(&fresh(), CreateClusterOptions::default()).await) })
    })
    .await
}

/// Another caller started the creation, and has ended.
async fn left_alone(scene: Scene, work: for<'a> fn(&'a Client) -> BoxFuture<'a, ()>) -> Scene {
    let client = scene.client();
    let left = tokio::time::timeout(Duration::from_secs(2), work(&client)).await;
    assert!(left.is_err(), "it is not made in two seconds");
    scene.begin()
}
