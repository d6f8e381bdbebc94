//! Where the story plays: an Azure with nothing but a group and images elsewhere, and a kubeconfig file with entries of others.

use crate::{
    credential::Patient,
    story::{self, Stop},
};
use aks_acr::{CallOptions, Client, ClusterRef, PodSelection};
use aks_acr_emulator::{Emulator, Mark, Storm, Timing};
use aks_acr_tests::folder::Folder;
use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// What was in the kubeconfig file before.
pub const OTHERS: &str = "# kept by hand\napiVersion: v1\nkind: Config\nclusters:\n- name: theirs  # do not touch\n  cluster: {server: \
     'https://theirs.example'}\ncontexts:\n- name: theirs\n  context: {cluster: theirs, user: them}\ncurrent-context: theirs\n\
     users:\n- name: them\n  user: {token: secret}\n";

pub struct Stage {
    pub azure: Emulator,
    pub seed: u64,
    runtime: Runtime,
    folder: Folder,
}

impl Stage {
    pub fn new(seed: u64) -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let azure = runtime.block_on(async {
            let azure = Emulator::new().with_group("group", "westeurope");
            azure.set_timing(Timing::typical());
            let both = &["linux/amd64", "linux/arm64"];
            let images = ["library/nginx:latest", "library/redis:7", "team/app:v1", "team/tool:v2"];
            images.iter().fold(azure, |azure, image| azure.with_image(&format!("docker.io/{image}"), both))
        });
        let folder = Folder::new();
        fs::write(folder.join("config"), OTHERS).unwrap();
        Self { azure, seed, runtime, folder }
    }

    pub fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.join("config")
    }

    /// A client that remembers nothing.
    pub fn client(&self) -> Client {
        let credential = Arc::new(Patient(self.azure.credential()));
        let builder = Client::builder(credential, self.azure.subscription());
        builder.transport(self.azure.transport()).kubernetes(self.azure.kubernetes()).build().unwrap()
    }

    /// Runs the story in a storm.
    pub fn stormy(&self, share: f64) -> story::Told {
        let storm = Storm::new(self.seed, share);
        self.azure.storm(if crate::check::strikes_nodes(self.seed) { storm } else { storm.sparing_nodes() });
        let told = self.runtime.block_on(story::tell(self, story::Patience::ByChance));
        self.azure.calm();
        told
    }

    /// Runs the story without faults and returns its end.
    pub fn calm_end(&self) -> Result<String, Stop> {
        self.azure.calm();
        match self.runtime.block_on(story::tell(self, story::Patience::Long)).stopped {
            Some(stop) => Err(stop),
            None => Ok(self.end()),
        }
    }

    /// The same after waiting until every node may try again: that is five minutes at most.
    pub fn calm_end_later(&self) -> Result<String, Stop> {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_secs(6 * 60)).await });
        self.calm_end()
    }

    /// What exists at the end of the story, in words that are the same in every run.
    pub fn end(&self) -> String {
        self.runtime.block_on(async {
            let (client, call) = (self.client(), CallOptions::default);
            let registry = client.registry(&story::REGISTRY.parse().unwrap(), call()).await.unwrap().unwrap();
            let cluster = ClusterRef::new("group", "dev").unwrap();
            let state = client.identities(&cluster, call()).await.unwrap().state;
            let second = client.identities(&ClusterRef::new("group", "second").unwrap(), call()).await.unwrap().state;
            let pods = client.pods(&cluster, &PodSelection::default().with_labels("app=nginx0"), call()).await.unwrap();
            let pods: Vec<_> = pods.pods.iter().map(|pod| (pod.status.clone(), pod.ready)).collect();
            let images = ["nginx:v1", "redis:7", "app:v1", "tool:v2"];
            let digests = images.map(|image| self.azure.digest(&format!("{}/{image}", registry.login_server)));
            format!(
                "{} {} {:?} {:?} {state} {second} {pods:?} {digests:#?} {:#?}",
                registry.login_server,
                registry.sku,
                registry.mode,
                registry.state,
                self.grants()
            )
        })
    }

    /// How often a cluster was written.
    pub fn writes_of(&self, cluster: &str) -> usize {
        let path = format!("/managedclusters/{cluster}");
        let is_write = |one: &aks_acr_emulator::Request| {
            one.method == "PUT"
                && one.path.to_ascii_lowercase().ends_with(&path)
                && one.status.is_some_and(|status| status < 300)
                && one.fault.is_none()
        };
        self.azure.requests().iter().filter(|one| is_write(one)).count()
    }

    /// Whether a list has left something out since then: what is new, or what cannot be read, which a warning reports.
    pub fn has_left_out(&self, since: Mark) -> bool {
        let leaves_out = |one: &aks_acr_emulator::Request| matches!(one.fault, Some("lagging list" | "odd body"));
        self.azure.requests_since(since).iter().any(leaves_out)
    }

    /// Who may what on the registry, and how often.
    pub fn grants(&self) -> BTreeMap<String, usize> {
        let kubelets = story::CLUSTERS.map(|name| (self.azure.kubelet_object_id("group", name), name));
        let mut grants = BTreeMap::new();
        for one in self.azure.role_assignments().iter().filter(|one| one.scope.contains("/registries/")) {
            let who = kubelets.iter().find(|(id, _)| *id == one.principal_id).map_or("nobody", |(_, name)| name);
            let grant = format!("{who} {} {} {:?}", one.role_definition_guid, one.scope, one.condition);
            *grants.entry(grant).or_default() += 1;
        }
        grants
    }
}
