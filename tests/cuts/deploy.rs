//! What deploys, and waits until it runs.

use crate::{
    case::{Case, case},
    scene::{Scene, cluster, registry},
};
use aks_acr::{
    ApplyOptions, ApplyPullSecretOptions, AttachOptions, ErrorKind, Manifest, PullSecretOptions, PullSecretPlan,
    RegistryCredential, RolloutOptions, WorkloadRef, azure_core::credentials::Secret,
};
use aks_acr_emulator::{Emulator, Timing};
use serde_json::json;
use std::time::Duration;

pub const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: nginx}]}
";

const SERVICE: &str = "\
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
";

/// A kind and an object of it.
const KIND: &str = "\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Lamp, plural: lamps, singular: lamp, listKind: LampList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: example.com/v1
kind: Lamp
metadata: {name: desk}
spec: {on: true}
";

pub fn cases() -> Vec<Case> {
    vec![
        case!("apply", "nothing of it is there", with_images(), |client, scene| {
            client
                .apply(&cluster(), objects(&[DEPLOYMENT, SERVICE]), ApplyOptions::default().with_call(scene.call()))
                .await
        }),
        case!("apply", "with a registry's name to fill in", granted(), |client, scene| {
            let deployment = DEPLOYMENT.replace("image: nginx", "image: <acr-name>.azurecr.io/app:1");
            client
                .apply(
                    &cluster(),
                    objects(&[&deployment]),
                    ApplyOptions::default().with_call(scene.call()).with_registry(registry()),
                )
                .await
        }),
        case!("plan_pull_secret", "a secret of ours with another password", with_secret().await, |client, scene| {
            let options = PullSecretOptions::default().with_call(scene.call());
            client.plan_pull_secret(&cluster(), "ghcr", robot("newer"), options).await
        }),
        case!("apply_pull_secret", "nothing of it is there", planned_secret().await, |client, scene| {
            let plan: PullSecretPlan = scene.stored();
            let options = ApplyPullSecretOptions::default().with_call(scene.call());
            client.apply_pull_secret(&plan, robot("word"), options).await.map(|done| done.registries)
        }),
        case!(
            "apply_pull_secret",
            "a secret of ours with another password",
            replanned_secret().await,
            |client, scene| {
                let plan: PullSecretPlan = scene.stored();
                let options = ApplyPullSecretOptions::default().with_call(scene.call());
                client.apply_pull_secret(&plan, robot("newer"), options).await.map(|done| done.registries)
            }
        ),
        case!("apply", "a kind and an object of it", with_images(), |client, scene| {
            client.apply(&cluster(), objects(&[KIND]), ApplyOptions::default().with_call(scene.call())).await
        }),
        case!("apply", "there, with another image", running(DEPLOYMENT).await, |client, scene| {
            let deployment = DEPLOYMENT.replace("image: nginx", "image: mcr.microsoft.com/hello-world");
            client.apply(&cluster(), objects(&[&deployment]), ApplyOptions::default().with_call(scene.call())).await
        }),
        case!("apply", "all there", running(DEPLOYMENT).await, |client, scene| {
            client.apply(&cluster(), objects(&[DEPLOYMENT]), ApplyOptions::default().with_call(scene.call())).await
        }),
        case!("apply", "a dry run", with_images(), |client, scene| {
            client
                .apply(
                    &cluster(),
                    objects(&[DEPLOYMENT]),
                    ApplyOptions::default().with_call(scene.call()).with_dry_run(true),
                )
                .await
        }),
        case!("wait_for_rollout", "pods that start", applied(with_images(), DEPLOYMENT).await, |client, scene| {
            client
                .wait_for_rollout(
                    &cluster(),
                    &WorkloadRef::new("web"),
                    RolloutOptions::default().with_call(scene.call()),
                )
                .await
        }),
        case!("wait_for_rollout", "a grant that has no effect yet", attached().await, |client, scene| {
            client
                .wait_for_rollout(
                    &cluster(),
                    &WorkloadRef::new("web"),
                    RolloutOptions::default().with_call(scene.call()),
                )
                .await
        }),
        case!(
            "wait_for_rollout",
            "a pull that nothing grants",
            applied(with_images(), &own()).await,
            |client, scene| {
                let ended = client
                    .wait_for_rollout(
                        &cluster(),
                        &WorkloadRef::new("web"),
                        RolloutOptions::default().with_call(scene.call()),
                    )
                    .await;
                match ended {
                    Err(err) if err.kind() == ErrorKind::PullFailed => Ok(json!(err.to_string())),
                    ended => ended.map(|rolled_out| json!(rolled_out)),
                }
            }
        ),
    ]
}

fn robot(password: &str) -> Vec<RegistryCredential> {
    vec![RegistryCredential::new("ghcr.io", "robot", Secret::from(password.to_owned()))]
}

async fn planned(scene: Scene, password: &str) -> Scene {
    let options = PullSecretOptions::default();
    let plan = scene.client().plan_pull_secret(&cluster(), "ghcr", robot(password), options).await.expect("a plan");
    scene.store(&plan);
    scene.begin()
}

/// A plan to create a pull secret.
async fn planned_secret() -> Scene {
    planned(Scene::plain(), "word").await
}

/// A pull secret that a service account uses.
async fn with_secret() -> Scene {
    let scene = planned_secret().await;
    let plan: PullSecretPlan = scene.stored();
    let done = scene.client().apply_pull_secret(&plan, robot("word"), ApplyPullSecretOptions::default()).await;
    done.expect("a secret");
    scene.begin()
}

/// A plan to renew it.
async fn replanned_secret() -> Scene {
    planned(with_secret().await, "newer").await
}

fn objects(texts: &[&str]) -> Vec<Manifest> {
    Manifest::parse_all(&texts.concat()).expect("manifests")
}

/// The deployment with an image of the registry.
fn own() -> String {
    DEPLOYMENT.replace("image: nginx", "image: myregistry.azurecr.io/app:1")
}

fn with_images() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let azure = azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    let azure = azure.with_image("mcr.microsoft.com/hello-world:latest", &["linux/amd64"]);
    Scene::of(azure.with_image("myregistry.azurecr.io/app:1", &["linux/amd64"]))
}

fn granted() -> Scene {
    let scene = with_images();
    scene.grant("AcrPull", &scene.registry_id());
    scene
}

async fn applied(scene: Scene, text: &str) -> Scene {
    scene.client().apply(&cluster(), objects(&[text]), ApplyOptions::default()).await.expect("applied");
    scene.begin()
}

pub async fn running(text: &str) -> Scene {
    let scene = applied(with_images(), text).await;
    let ended = scene.client().wait_for_rollout(&cluster(), &WorkloadRef::new("web"), RolloutOptions::default()).await;
    ended.expect("it runs");
    // Where a response is lost, an object's age alone says whether this call created it: these are from long before.
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.begin()
}

async fn attached() -> Scene {
    let scene = with_images();
    scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
    scene.client().attach(&cluster(), &registry(), AttachOptions::default()).await.expect("attached");
    applied(scene, &own()).await
}
