//! The scene of a cell: an emulator with a cluster, a registry and an image, and a client of it.

use crate::cell::{Cell, Pod};
use aks_acr::{ApplyOptions, CallOptions, Client, ClusterRef, Manifest, PodSelection, RegistryRef};
use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use azure_core::credentials::TokenCredential;
use libtest_mimic::Failed;
use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
    time::Duration,
};

pub const GROUP: &str = "group";
pub const CLUSTER: &str = "dev";
pub const REGISTRY: &str = "myregistry";
pub const IMAGE: &str = "myregistry.azurecr.io/team/app:v1";
pub const READER: &str = "Container Registry Repository Reader";
/// Another subscription of the tenant.
pub const ELSEWHERE: &str = "66666666-6666-6666-6666-666666666666";
/// A subscription of another tenant.
pub const FOREIGN: &str = "77777777-7777-7777-7777-777777777777";
const FOREIGN_TENANT: &str = "88888888-8888-8888-8888-888888888888";
/// The address of the caller, as registries see it.
pub const CALLER: &str = "203.0.113.7";
/// Long enough for two tries to pull.
pub const TWO_TRIES: Duration = Duration::from_secs(20);
/// How long nodes keep a credential in cells whose subject is not its age. The clock run has Azure's hour.
const CREDENTIALS: Duration = Duration::from_secs(60);

/// The round of pods that ran before.
const BEFORE_ROUND: usize = 99;

/// An emulator and a client whose caller is Owner of the subscription, and may read images in both modes.
pub struct Scene {
    pub azure: Emulator,
    pub client: Client,
    pub cluster: ClusterRef,
    /// The cluster's node pools, by its nodes.
    pub pools: Vec<String>,
    /// The image that a person has written in the manifest by now.
    corrected: OnceLock<String>,
}

/// A pod as Kubernetes shows it.
#[derive(Debug)]
pub struct Shown {
    pub pool: String,
    pub is_running: bool,
    /// What the kubelet says of the image, if it cannot be pulled.
    pub message: Option<String>,
    #[expect(dead_code, reason = "shown where a cell fails")]
    pub status: String,
}

impl Scene {
    pub fn of(cell: &Cell) -> Result<Self, Failed> {
        let azure = Emulator::new().with_cluster_of(cell.cluster.clone());
        let azure = azure.with_subscription(ELSEWHERE).with_foreign_subscription(FOREIGN, FOREIGN_TENANT);
        let azure = match &cell.registry {
            Some(registry) => azure.with_registry_of(registry.clone()),
            None => azure,
        };
        azure.set_timing(Timing::none().with_node_credentials(CREDENTIALS));
        if !cell.platforms.is_empty() {
            azure.push_image(IMAGE, &cell.platforms);
        }
        let client = client_of(&azure, azure.credential())?;
        let (cluster, pools) = (ClusterRef::new(GROUP, CLUSTER)?, cell.pools.clone());
        let scene = Self { client, cluster, pools, azure, corrected: OnceLock::new() };
        if cell.is_of_tenant() {
            scene.azure.grant(READER, &scene.azure.object_id_of("owner"), &scene.registry_id());
        }
        Ok(scene)
    }

    /// Lets the nodes pull from the registry while it has registry-wide permissions, and switches it then: they keep credentials of before
    /// for an hour.
    pub async fn switch(&self) -> Result<(), Failed> {
        const BEFORE: &str = "myregistry.azurecr.io/team/before:v1";
        self.azure.set_timing(Timing::none());
        self.azure.set_registry(GROUP, REGISTRY, RegistrySeed::legacy);
        self.azure.push_image(BEFORE, &["linux/amd64"]);
        let grant = self.azure.grant("AcrPull", &self.puller(), &self.registry_id());
        let pod = Pod { image: BEFORE.to_owned(), secrets: Vec::new(), policy: None };
        // Nodes without the identity have no credential of before.
        self.start(BEFORE_ROUND, &pod).await?;
        tokio::time::sleep(TWO_TRIES).await;
        self.azure.revoke(&grant);
        self.azure.set_registry(GROUP, REGISTRY, RegistrySeed::abac);
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    }

    /// Writes another image in the manifest.
    pub fn correct(&self, image: &str) -> Result<(), Failed> {
        self.corrected.set(image.to_owned()).map_err(|_| "the manifest is corrected twice".into())
    }

    /// The cell's pod, as the manifest has it by now.
    pub fn pod(&self, cell: &Cell) -> Pod {
        let image = self.corrected.get().unwrap_or(&cell.pod.image);
        Pod { image: image.clone(), ..cell.pod.clone() }
    }

    pub fn registry_id(&self) -> String {
        self.azure.registry_id(GROUP, REGISTRY)
    }

    pub fn by_id(&self) -> Result<RegistryRef, Failed> {
        registry_in(self.azure.subscription())
    }

    pub fn subscription(&self) -> String {
        format!("/subscriptions/{}", self.azure.subscription())
    }

    /// The object ID of what the cluster's nodes should pull with: its kubelet identity or its service principal.
    pub fn puller(&self) -> String {
        match self.azure.kubelet_object_id(GROUP, CLUSTER) {
            none if none.is_empty() => self.azure.control_plane_object_id(GROUP, CLUSTER),
            kubelet => kubelet,
        }
    }

    /// Grants a role at the registry, as if long ago.
    pub fn grant(&self, role: &str) {
        self.azure.grant(role, &self.puller(), &self.registry_id());
    }

    pub async fn apply(&self, manifests: &str) -> Result<(), Failed> {
        self.client.apply(&self.cluster, Manifest::parse_all(manifests)?, ApplyOptions::default()).await?;
        Ok(())
    }

    /// Runs a pod once, so that nodes have what it needs.
    pub async fn warm_up(&self, pod: &Pod) -> Result<(), Failed> {
        self.start(BEFORE_ROUND, pod).await?;
        tokio::time::sleep(TWO_TRIES).await;
        match self.pods(BEFORE_ROUND).await?.into_iter().find(|pod| !pod.is_running) {
            Some(pod) => Err(format!("the pod of before does not run: {pod:?}").into()),
            None => Ok(()),
        }
    }

    /// Starts one pod of the cell in each pool.
    pub async fn start(&self, round: usize, pod: &Pod) -> Result<(), Failed> {
        let mut manifests = String::new();
        for pool in &self.pools {
            let name = pod_name(round, pool);
            let secrets = pod.secrets.iter().map(|name| format!("{{name: {name}}}")).collect::<Vec<_>>().join(", ");
            let policy = pod.policy.map_or_else(String::new, |policy| format!(", imagePullPolicy: {policy}"));
            writeln!(
                manifests,
                "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{round: r{round}}}}}, spec: {{\
                 nodeSelector: {{kubernetes.azure.com/agentpool: {pool}}}, imagePullSecrets: [{secrets}], \
                 containers: [{{name: main, image: '{}'{policy}}}]}}}}",
                pod.image
            )?;
        }
        self.apply(&manifests).await
    }

    /// The pods of a round, pool by pool.
    pub async fn pods(&self, round: usize) -> Result<Vec<Shown>, Failed> {
        let pods = self.client.pods(&self.cluster, &PodSelection::default(), CallOptions::default()).await?;
        let of_pool = |pool: &String| {
            let name = pod_name(round, pool);
            let pod = pods.pods.iter().find(|pod| pod.name == name).ok_or(format!("there is no pod {name}"))?;
            let message = pod.pull_failure.as_ref().map(|failure| failure.message.clone());
            let (is_running, status) = (pod.status == "Running", pod.status.clone());
            Ok(Shown { pool: pool.clone(), is_running, message, status })
        };
        self.pools.iter().map(of_pool).collect()
    }

    /// The number of pods, those of Jobs among them.
    pub async fn count(&self) -> Result<usize, Failed> {
        Ok(self.client.pods(&self.cluster, &PodSelection::default(), CallOptions::default()).await?.pods.len())
    }
}

/// The registry by its ID in a subscription.
pub fn registry_in(subscription: &str) -> Result<RegistryRef, Failed> {
    let group = format!("/subscriptions/{subscription}/resourceGroups/{GROUP}");
    Ok(format!("{group}/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}").parse()?)
}

/// A client of an emulator, as a caller.
pub fn client_of(azure: &Emulator, credential: Arc<dyn TokenCredential>) -> Result<Client, Failed> {
    let client = Client::builder(credential, azure.subscription()).transport(azure.transport());
    Ok(client.kubernetes(azure.kubernetes()).build()?)
}

/// Whether a pod, as `namespace/name`, was started in a round.
pub fn is_of_round(round: usize, pod: &str) -> bool {
    pod.contains(&format!("/{}", pod_name(round, "")))
}

fn pod_name(round: usize, pool: &str) -> String {
    format!("web-{round}-{pool}")
}
