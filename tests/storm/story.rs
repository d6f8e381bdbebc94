//! The documented story: a registry and a cluster are made, images imported, the kubeconfig merged, a deployment applied whose pods
//! cannot pull, the registry attached, the pods run, the registry detached and attached again; and a second cluster is made with the
//! registry attached.

use crate::{
    stage::{OTHERS, Stage},
    teller::{Stop, Teller, broken, failed},
};
use aks_acr::{
    ApplyOptions, AttachOptions, AttachmentsOptions, CallOptions, Client, ClusterRef, CreateClusterOptions,
    CreateRegistryOptions, DetachOptions, DetachOutcome, ErrorKind, ImportItem, ImportManyOptions, ImportOptions,
    Manifest, MergeKubeconfigOptions, PodSelection, PullGrant, RegistryRef, RolloutOptions, WorkloadRef,
};
use aks_acr_emulator::Emulator;
use serde_json::Value;
use std::{fs, time::Duration};

pub const REGISTRY: &str = "myregistry";
pub const CLUSTERS: [&str; 2] = ["dev", "second"];
const MANIFEST: &str = include_str!("../../examples/acr-nginx.yaml");

/// Nothing but a group, and images elsewhere.
pub fn azure() -> Emulator {
    let both = &["linux/amd64", "linux/arm64"];
    let images = ["library/nginx:latest", "library/redis:7", "team/app:v1", "team/tool:v2"];
    let azure = Emulator::new().with_group("group", "westeurope");
    images.iter().fold(azure, |azure, image| azure.with_image(&format!("docker.io/{image}"), both))
}

/// What exists at the end, in words that are the same in every run.
pub async fn end(stage: &Stage) -> String {
    let (client, call) = (stage.client(), CallOptions::default);
    let registry = client.registry(&REGISTRY.parse().unwrap(), call()).await.unwrap().unwrap();
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let first = client.identities(&cluster, call()).await.unwrap().state;
    let second = client.identities(&ClusterRef::new("group", "second").unwrap(), call()).await.unwrap().state;
    let pods = client.pods(&cluster, &PodSelection::default().with_labels("app=nginx0"), call()).await.unwrap();
    let pods: Vec<_> = pods.pods.iter().map(|pod| (pod.status.clone(), pod.ready)).collect();
    let images = ["nginx:v1", "redis:7", "app:v1", "tool:v2"];
    let digests = images.map(|image| stage.azure.digest(&format!("{}/{image}", registry.login_server)));
    format!(
        "{} {} {:?} {:?} {first} {second} {pods:?} {digests:#?} {:#?}",
        registry.login_server,
        registry.sku,
        registry.mode,
        registry.state,
        stage.grants()
    )
}

/// Tells the story.
pub async fn tell(teller: &mut Teller<'_>) -> Result<(), Stop> {
    Documented(teller).tell().await
}

struct Documented<'a, 'b>(&'a mut Teller<'b>);

impl Documented<'_, '_> {
    async fn tell(&mut self) -> Result<(), Stop> {
        let client = self.0.stage.client();
        let cluster = ClusterRef::new("group", "dev").unwrap();
        let registry: RegistryRef = REGISTRY.parse().unwrap();
        let deployment = WorkloadRef::new("nginx0-deployment");

        self.0
            .call("create_registry", 20, |call| {
                client.create_registry("group", REGISTRY, CreateRegistryOptions::default().with_call(call))
            })
            .await?;
        self.0
            .call("create_cluster", 60, |call| {
                client.create_cluster(&cluster, CreateClusterOptions::default().with_node_count(1).with_call(call))
            })
            .await?;
        let source = "nginx".parse().unwrap();
        self.0
            .call("import_image", 30, |call| {
                client.import_image(
                    &registry,
                    &source,
                    ImportOptions::default().with_target("nginx:v1").with_call(call),
                )
            })
            .await?;
        let results = self
            .0
            .call("import_images", 60, |call| {
                client.import_images(&registry, list(), ImportManyOptions::default().with_call(call))
            })
            .await?;
        for result in results {
            result.map_err(|err| failed("import_images", err))?;
        }
        let file = self.0.stage.kubeconfig();
        self.0
            .call("merge_kubeconfig", 10, |call| {
                client.merge_kubeconfig(&cluster, MergeKubeconfigOptions::default().with_file(&file).with_call(call))
            })
            .await?;
        self.0
            .call("apply", 10, |call| {
                let manifests = Manifest::parse_all(MANIFEST).unwrap();
                client.apply(
                    &cluster,
                    manifests,
                    ApplyOptions::default().with_registry(registry.clone()).with_call(call),
                )
            })
            .await?;
        let rolled = self
            .0
            .call("wait_for_rollout", 30, |call| {
                client.wait_for_rollout(&cluster, &deployment, RolloutOptions::default().with_call(call))
            })
            .await;
        // When the story is run again, the pods may be running by then.
        if let Err(Stop::Failed { step, err }) = rolled
            && err.kind() != ErrorKind::PullFailed
        {
            return Err(Stop::Failed { step, err });
        }
        self.attach("attach").await?;
        self.0
            .call("wait_for_rollout again", 60, |call| {
                client.wait_for_rollout(&cluster, &deployment, RolloutOptions::default().with_call(call))
            })
            .await?;
        self.pods(&client, &cluster).await?;
        self.attachments(&client, &registry).await?;
        self.detach(&client, &cluster, &registry).await?;
        self.attach("attach again").await?;
        let options = || CreateClusterOptions::default().with_node_count(1).with_registry(registry.clone());
        let second = ClusterRef::new("group", "second").unwrap();
        self.0
            .call("create_cluster with attach", 60, |call| client.create_cluster(&second, options().with_call(call)))
            .await
            .map(drop)
    }

    /// Reads the pods, which run. A pod whose status cannot be read is shown as unknown.
    async fn pods(&mut self, client: &Client, cluster: &ClusterRef) -> Result<(), Stop> {
        let selection = PodSelection::default().with_labels("app=nginx0");
        loop {
            let mark = self.0.stage.azure.mark();
            let pods = self.0.call("pods", 10, |call| client.pods(cluster, &selection, call)).await?.pods;
            let run = pods.len() == 2 && pods.iter().all(|pod| pod.status == "Running");
            let is_odd = pods.iter().any(|pod| pod.status == "Unknown") && self.0.stage.has_left_out(Some(mark));
            match (run, is_odd) {
                (true, _) => return Ok(()),
                (false, true) => {}
                (false, false) => return Err(broken("pods", format!("{pods:?}"))),
            }
        }
    }

    /// Reads who can pull. What Azure does not list yet is read again, as often as a waiting caller would.
    async fn attachments(&mut self, client: &Client, registry: &RegistryRef) -> Result<(), Stop> {
        loop {
            let mark = self.0.stage.azure.mark();
            let attached = self
                .0
                .call("attachments", 10, |call| {
                    client.attachments_of_registry(registry, AttachmentsOptions::default().with_call(call))
                })
                .await?;
            // When the story is run again, the second cluster may already be attached.
            let is_of_first = |grant: &&PullGrant| grant.clusters.iter().any(|one| one.name() == CLUSTERS[0]);
            let of_first = attached.grants.iter().filter(is_of_first).count();
            match of_first {
                1 => return Ok(()),
                0 if self.0.stage.has_left_out(Some(mark)) => tokio::time::sleep(Duration::from_secs(5)).await,
                _ => {
                    let why = format!("{of_first} grants of the first cluster: {:?}", attached.grants);
                    return Err(broken("attachments", why));
                }
            }
        }
    }

    /// Detach removes what Azure lists: a grant may stay only where a list has left it out, and then none is said to be removed.
    async fn detach(&mut self, client: &Client, cluster: &ClusterRef, registry: &RegistryRef) -> Result<(), Stop> {
        let mark = self.0.stage.azure.mark();
        let detached = self
            .0
            .call("detach", 10, |call| client.detach(cluster, registry, DetachOptions::default().with_call(call)))
            .await?;
        let stays = self.0.stage.grants().keys().any(|grant| grant.starts_with("dev "));
        let may_stay = detached.outcome == DetachOutcome::NothingToRemove && self.0.stage.has_left_out(Some(mark));
        if stays && !may_stay {
            return Err(broken("detach", format!("the grant stays: {detached:?}")));
        }
        Ok(())
    }

    async fn attach(&mut self, step: &'static str) -> Result<(), Stop> {
        let (client, cluster) = (self.0.stage.client(), ClusterRef::new("group", "dev").unwrap());
        let registry: RegistryRef = REGISTRY.parse().unwrap();
        self.0
            .call(step, 10, |call| client.attach(&cluster, &registry, AttachOptions::default().with_call(call)))
            .await
            .map(drop)
    }
}

/// What is wrong with the kubeconfig file: it is as it was, or others' entries are and ours is beside them.
pub fn damage(stage: &Stage) -> Option<String> {
    let text = &fs::read_to_string(stage.kubeconfig()).unwrap_or_default();
    if text == OTHERS {
        return None;
    }
    let values: Result<Value, _> = serde_saphyr::from_str(text);
    let Ok(values) = values else { return Some(format!("the kubeconfig file is none: {text}")) };
    let has =
        |list: &str, name: &str| values[list].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
    let kept = OTHERS.lines().filter(|line| !line.starts_with("current-context")).all(|line| text.contains(line));
    let whole = has("contexts", "theirs") && has("contexts", "dev") && has("clusters", "dev") && kept;
    (!whole).then(|| format!("the kubeconfig file is damaged: {text}"))
}

fn list() -> Vec<ImportItem> {
    let item = |source: &str, target: &str| {
        ImportItem::new(source.parse().unwrap(), ImportOptions::default().with_target(target))
    };
    vec![item("redis:7", "redis:7"), item("team/app:v1", "app:v1"), item("team/tool:v2", "tool:v2")]
}
