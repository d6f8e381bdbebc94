//! What only looks: it changes nothing, cut or not.

use crate::{
    attach::in_directory,
    case::{Case, case},
    deploy::{DEPLOYMENT, running},
    scene::{Scene, cluster, registry},
};
use aks_acr::{
    Access, ApplyOptions, AttachmentsOptions, CheckOptions, ClusterFilter, EndpointsOptions, ExplainOptions,
    ExplainTarget, Kubeconfig, KubeconfigOptions, Manifest, PodSelection, ProvePullOptions, ReadOptions,
    RegistryFilter, RegistryToken,
};
use aks_acr_emulator::{ClusterSeed, Emulator, RegistrySeed, RoleSeed};
use serde_json::{Value, json};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    vec![
        case!("identities", "a cluster", Scene::plain(), |client, scene| {
            client.identities(&cluster(), scene.call()).await
        }),
        case!("registry", "by its name, one a page", in_pages(), |client, scene| {
            client.registry(&registry(), scene.call()).await
        }),
        case!("registry", "by its id", Scene::plain(), |client, scene| {
            client.registry(&scene.by_id(), scene.call()).await
        }),
        case!("registry_token", "by login server", Scene::plain(), |client, scene| {
            let registry = "myregistry.azurecr.io".parse()?;
            client.registry_token(&registry, scene.call()).await.map(|one| without_password(&one))
        }),
        case!("registry_token", "by name", Scene::plain(), |client, scene| {
            client.registry_token(&registry(), scene.call()).await.map(|one| without_password(&one))
        }),
        case!("attachments_of_cluster", "three registries, one a page", in_pages(), |client, scene| {
            client.attachments_of_cluster(&cluster(), AttachmentsOptions::default().with_call(scene.call())).await
        }),
        case!("attachments_of_registry", "grants, and the directory is asked", with_directory(), |client, scene| {
            let options = AttachmentsOptions::default().with_call(scene.call()).with_query_graph(true);
            client.attachments_of_registry(&registry(), options).await
        }),
        case!(
            "check",
            "an image for one platform, a custom role and a firewall",
            with_custom_role(),
            |client, scene| {
                let options = CheckOptions::default().with_call(scene.call()).with_image("app:1".parse()?);
                client.check(&cluster(), &scene.by_id(), options).await
            }
        ),
        case!("check", "a service principal that the directory finds", in_directory(), |client, scene| {
            let options = CheckOptions::default().with_call(scene.call()).with_query_graph(true);
            client.check(&cluster(), &scene.by_id(), options).await
        }),
        case!(
            "explain",
            "a service principal without a grant, a pod with a secret",
            failing().await,
            |client, scene| {
                let options = ExplainOptions::default().with_call(scene.call()).with_query_graph(true);
                client.explain(&cluster(), &ExplainTarget::Pods, options).await
            }
        ),
        case!("endpoints", "a registry and a cluster", Scene::plain(), |client, scene| {
            let options = EndpointsOptions::default().with_cluster(cluster()).with_call(scene.call());
            client.endpoints(&scene.by_id(), options).await
        }),
        case!("node_identities", "a cluster", Scene::plain(), |client, scene| {
            client.node_identities(&cluster(), scene.call()).await
        }),
        case!("prove_pull", "a pull that is granted", granted(), |client, scene| {
            let options = ProvePullOptions::default().with_call(scene.call());
            let image = "myregistry.azurecr.io/app:1".parse()?;
            client.prove_pull(&cluster(), &image, options).await.map(|proof| (proof.outcome, proof.cleaned_up))
        }),
        case!("clusters", "two subscriptions, one a page", in_two_subscriptions(), |client, scene| {
            let options = ReadOptions::default().with_call(scene.call());
            client.clusters(&ClusterFilter::default(), options).await.map(|list| list.clusters)
        }),
        case!("registries", "all, one a page", in_pages(), |client, scene| {
            let options = ReadOptions::default().with_call(scene.call());
            client.registries(&RegistryFilter::default(), options).await.map(|list| list.registries)
        }),
        case!("kubeconfig", "as a user", Scene::plain(), |client, scene| {
            client
                .kubeconfig(&cluster(), KubeconfigOptions::default().with_call(scene.call()))
                .await
                .map(|one| without_token(&one))
        }),
        case!("kubeconfig", "as administrator, under another name", Scene::plain(), |client, scene| {
            let options =
                KubeconfigOptions::default().with_call(scene.call()).with_access(Access::Admin).with_context("mine");
            client.kubeconfig(&cluster(), options).await.map(|one| without_token(&one))
        }),
        case!("pods", "a deployment that runs", running(DEPLOYMENT).await, |client, scene| {
            client.pods(&cluster(), &PodSelection::default(), scene.call()).await
        }),
        case!("pods", "a cluster that is entered with Entra", with_entra(), |client, scene| {
            client.pods(&cluster(), &PodSelection::default(), scene.call()).await
        }),
    ]
}

fn in_pages() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "another");
    let azure = azure.with_registry("group", "myregistry");
    let scene = Scene::of(azure.with_registry_of(RegistrySeed::new("group", "third").abac()));
    scene.grant("AcrPull", &scene.registry_id());
    scene.grant("Container Registry Repository Reader", &scene.azure.registry_id("group", "third"));
    scene.azure.set_page_size(1);
    scene
}

fn in_two_subscriptions() -> Scene {
    let second = "33333333-3333-3333-3333-333333333333";
    let azure = Emulator::new().with_subscription(second).with_cluster("group", "dev").with_cluster("group", "web");
    let azure = azure.with_cluster_of(ClusterSeed::new("far", "batch").in_subscription(second));
    azure.set_page_size(1);
    Scene::of(azure)
}

fn with_directory() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let scene = Scene::of(azure.with_user("somebody@example.com").with_graph_rights("owner"));
    scene.grant("AcrPull", &scene.registry_id());
    scene.azure.grant("AcrPull", &scene.azure.object_id_of("somebody@example.com"), &scene.registry_id());
    scene.azure.grant("AcrPull", "00000000-0000-0000-0000-00000000dead", &scene.registry_id());
    scene
}

fn with_entra() -> Scene {
    let scene = Scene::of(Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").azure_rbac()));
    let (role, owner) = ("Azure Kubernetes Service RBAC Cluster Admin", scene.azure.object_id_of("owner"));
    scene.azure.grant(role, &owner, &scene.azure.cluster_id("group", "dev"));
    scene
}

/// The password is another one with each call.
fn without_password(token: &RegistryToken) -> Value {
    json!({ "login_server": token.login_server, "username": token.username, "expires": token.expires.is_some() })
}

/// The token is another one in each emulator.
fn without_token(kubeconfig: &Kubeconfig) -> Value {
    let lines: Vec<&str> = kubeconfig.text().lines().filter(|line| !line.trim().starts_with("token: ")).collect();
    json!({ "context": kubeconfig.context(), "server": kubeconfig.server(), "lines": lines })
}

/// Two pods that cannot pull, one of them with a pull secret.
async fn failing() -> Scene {
    let scene = in_directory();
    scene.azure.push_image("myregistry.azurecr.io/app:1", &["linux/amd64"]);
    let pod = |name: &str, secrets: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{secrets}containers: [{{name: main, image: \
             'myregistry.azurecr.io/app:1'}}]}}}}\n"
        )
    };
    let secret = "---\n{apiVersion: v1, kind: Secret, metadata: {name: hub}, type: kubernetes.io/dockerconfigjson, stringData: \
                  {.dockerconfigjson: '{\"auths\":{\"ghcr.io\":{\"auth\":\"eDp5\"}}}'}}\n";
    let manifests = [secret, &pod("web", ""), &pod("api", "imagePullSecrets: [{name: hub}], ")].concat();
    let manifests = Manifest::parse_all(&manifests).expect("manifests");
    scene.client().apply(&cluster(), manifests, ApplyOptions::default()).await.expect("an apply");
    tokio::time::sleep(Duration::from_secs(5)).await;
    scene.begin()
}

fn granted() -> Scene {
    let scene = Scene::plain();
    scene.azure.push_image("myregistry.azurecr.io/app:1", &["linux/amd64"]);
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    scene.azure.grant("AcrPull", &kubelet, &scene.azure.registry_id("group", "myregistry"));
    scene.begin()
}

/// Everything that a check can read, except groups.
fn with_custom_role() -> Scene {
    let scene = Scene::plain();
    scene.azure.push_image("myregistry.azurecr.io/app:1", &["linux/amd64"]);
    let seed = |seed: RegistrySeed| seed.sku("Premium").only_from(&["198.51.100.20", "203.0.113.7"]);
    scene.azure.set_registry("group", "myregistry", seed);
    let role = RoleSeed::new("puller").block(&["Microsoft.ContainerRegistry/registries/pull/read"], &[]);
    let _ = scene.azure.clone().with_role(role);
    scene.grant("puller", &scene.registry_id());
    scene
}
