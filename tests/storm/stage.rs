//! Where a story plays: an Azure, and a kubeconfig file with entries of others.

use crate::{
    credential::Patient,
    story,
    teller::{self, Outcome, Patience, Stop},
    wider,
};
use aks_acr::{Client, KubeletIdentityPlan};
use aks_acr_emulator::{Emulator, Mark, Storm, Timing};
use aks_acr_tests::folder::Folder;
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// What was in the kubeconfig file before.
pub const OTHERS: &str = "# kept by hand\napiVersion: v1\nkind: Config\nclusters:\n- name: theirs  # do not touch\n  cluster: {server: \
     'https://theirs.example'}\ncontexts:\n- name: theirs\n  context: {cluster: theirs, user: them}\ncurrent-context: theirs\n\
     users:\n- name: them\n  user: {token: secret}\n";

/// Which story runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Play {
    Documented,
    Wider,
}

pub struct Stage {
    pub azure: Emulator,
    pub seed: u64,
    pub play: Play,
    plan: Mutex<Option<KubeletIdentityPlan>>,
    runtime: Runtime,
    folder: Folder,
}

impl Stage {
    pub fn new(play: Play, seed: u64) -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let azure = runtime.block_on(async {
            let azure = match play {
                Play::Documented => story::azure(),
                Play::Wider => wider::azure(),
            };
            azure.set_timing(Timing::typical());
            azure
        });
        let folder = Folder::new();
        fs::write(folder.join("config"), OTHERS).unwrap();
        Self { azure, seed, play, plan: Mutex::default(), runtime, folder }
    }

    pub fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.join("config")
    }

    /// The plan that the caller keeps, if there is one.
    pub fn kept(&self) -> Option<KubeletIdentityPlan> {
        self.plan.lock().unwrap().clone()
    }

    pub fn keep(&self, plan: Option<KubeletIdentityPlan>) {
        *self.plan.lock().unwrap() = plan;
    }

    /// A client that remembers nothing.
    pub fn client(&self) -> Client {
        let credential = Arc::new(Patient(self.azure.credential()));
        let builder = Client::builder(credential, self.azure.subscription());
        builder.transport(self.azure.transport()).kubernetes(self.azure.kubernetes()).build().unwrap()
    }

    /// Runs the story in a storm.
    pub fn stormy(&self, share: f64) -> Outcome {
        let storm = Storm::new(self.seed, share);
        self.azure.storm(if crate::check::strikes_nodes(self.seed) { storm } else { storm.sparing_nodes() });
        let told = self.runtime.block_on(teller::tell(self, Patience::ByChance));
        self.azure.calm();
        told
    }

    /// Runs the story without faults and returns its end.
    pub fn calm_end(&self) -> Result<String, Stop> {
        self.azure.calm();
        match self.runtime.block_on(teller::tell(self, Patience::Long)).stopped {
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
            match self.play {
                Play::Documented => story::end(self).await,
                Play::Wider => wider::end(self).await,
            }
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

    /// Whether a list has left something out, since then or at all: what is new, or what cannot be read, which a warning reports.
    pub fn has_left_out(&self, since: Option<Mark>) -> bool {
        let leaves_out = |one: &aks_acr_emulator::Request| matches!(one.fault, Some("lagging list" | "odd body"));
        let requests = since.map_or_else(|| self.azure.requests(), |since| self.azure.requests_since(since));
        requests.iter().any(leaves_out)
    }

    /// Who may what on what, and how often. What the emulator's callers have from the beginning is no part of it.
    pub fn grants(&self) -> BTreeMap<String, usize> {
        let dump = self.azure.dump();
        let named = |id: &str| {
            let principal = dump["principals"].as_array().into_iter().flatten().find(|one| one["objectId"] == id);
            principal.map_or_else(|| "nobody".to_owned(), |one| one["name"].as_str().unwrap_or_default().to_owned())
        };
        let mut grants = BTreeMap::new();
        for one in self.azure.role_assignments().iter().filter(|one| one.scope.contains("/providers/")) {
            let who = named(&one.principal_id);
            let on = one.scope.rsplit('/').next().unwrap_or_default();
            let grant = format!("{who} {} {on} {:?}", one.role_definition_guid, one.condition);
            *grants.entry(grant).or_default() += 1;
        }
        grants
    }
}
