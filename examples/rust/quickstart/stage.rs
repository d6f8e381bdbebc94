//! Where the story runs: on the emulator in this process, or on existing resources in Azure.

use aks_acr::{Client, Cloud, ClusterRef, ImageReference, Result};
use aks_acr_emulator::{Emulator, Mark, Timing, summary};
use azure_core::credentials::TokenCredential;
use std::sync::Arc;

/// What the story needs.
pub struct Stage {
    pub client: Client,
    /// A caller who may only read. On Azure it is the same caller.
    pub reader: Client,
    pub cluster: ClusterRef,
    pub registry_group: String,
    pub registry: String,
    pub source: ImageReference,
    emulator: Option<Emulator>,
}

impl Stage {
    /// An emulated Azure with a resource group, an image in Docker Hub, and a caller who may only read.
    pub fn emulator() -> Result<Self> {
        let azure = Emulator::new()
            .with_group("group", "westeurope")
            .with_image("docker.io/library/nginx:latest", &["linux/amd64", "linux/arm64"]);
        let everything = format!("/subscriptions/{}", azure.subscription());
        let azure = azure.with_caller("reader", &[("Reader", &everything)]);
        azure.set_timing(Timing::typical());
        let client = |credential| {
            Client::builder(credential, azure.subscription())
                .transport(azure.transport())
                .kubernetes(azure.kubernetes())
                .build()
        };
        Ok(Self {
            client: client(azure.credential())?,
            reader: client(azure.credential_of("reader"))?,
            cluster: ClusterRef::new("group", "dev")?,
            registry_group: "group".to_owned(),
            registry: "myregistry".to_owned(),
            source: "nginx".parse()?,
            emulator: Some(azure),
        })
    }

    /// Existing resources in Azure.
    pub fn azure(
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        subscription: &str,
        resources: Resources,
    ) -> Result<Self> {
        let client = Client::builder(credential, subscription).cloud(cloud).build()?;
        Ok(Self {
            reader: client.clone(),
            client,
            cluster: resources.cluster,
            registry_group: resources.registry_group,
            registry: resources.registry,
            source: resources.source,
            emulator: None,
        })
    }

    pub fn has_reader(&self) -> bool {
        self.emulator.is_some()
    }

    pub fn mark(&self) -> Option<Mark> {
        self.emulator.as_ref().map(Emulator::mark)
    }

    /// The requests of a step, as the emulator counted them. Azure does not report them.
    pub fn requests_since(&self, mark: Option<Mark>) -> String {
        let (Some(azure), Some(mark)) = (&self.emulator, mark) else { return "not counted on Azure".to_owned() };
        let seen = summary(&azure.requests_since(mark));
        format!("{} requests, {} deep, {}", seen.count, seen.depth, counted(seen.writes, "write"))
    }

    /// How often Azure refused a step.
    pub fn refusals_since(&self, mark: Option<Mark>) -> String {
        let (Some(azure), Some(mark)) = (&self.emulator, mark) else { return "not counted on Azure".to_owned() };
        counted(azure.requests_since(mark).iter().filter(|one| one.status == Some(403)).count(), "refusal")
    }

    /// How many times the cluster was written, including its creation.
    pub fn cluster_writes(&self) -> String {
        let Some(azure) = &self.emulator else { return "not written after its creation".to_owned() };
        let id = azure.cluster_id("group", "dev").to_lowercase();
        let writes = azure.requests().iter().filter(|one| one.method == "PUT" && one.path.to_lowercase() == id).count();
        format!("{} in all: its creation", counted(writes, "write"))
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The resources of the story on Azure.
pub struct Resources {
    pub cluster: ClusterRef,
    pub registry_group: String,
    pub registry: String,
    pub source: ImageReference,
}
