//! Registries and what they have, as they stand in a scene.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ServeError;
use super::scene_cluster::check_choice;
use crate::emulator::Emulator;
use crate::image::{OddImage, split};
use crate::seed::RegistrySeed;
use crate::timing::FOR_EVER;

/// The tiers of registries.
const SKUS: &[&str] = &["Basic", "Standard", "Premium"];

/// A registry.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Registry {
    group: String,
    pub(super) name: String,
    subscription: Option<String>,
    location: Option<String>,
    sku: Option<String>,
    login_server: Option<String>,
    /// Whether repository permissions and conditions are enforced.
    #[serde(default)]
    abac: bool,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
    /// Azure's own properties.
    #[serde(default)]
    properties: serde_json::Map<String, Value>,
    /// The regions of its replicas, besides its own.
    #[serde(default)]
    replicas: Vec<String>,
    /// After how many seconds a replica has an image.
    replicas_lag: Option<f64>,
    /// The workspace that its resource logs are sent to.
    logs_workspace: Option<String>,
    #[serde(default)]
    pub(super) cache_rules: Vec<CacheRule>,
}

/// A rule by which a registry fetches images from another one.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CacheRule {
    name: String,
    /// The repository outside, such as `docker.io/library/*`.
    source: String,
    /// The repository in the registry, such as `hub/*`.
    target: String,
    credential_set: Option<String>,
    /// Why Azure cannot sign in with the credential set.
    credential_error: Option<String>,
}

/// An image, by the name that a pod uses.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Image {
    name: String,
    #[serde(default)]
    platforms: Vec<String>,
    /// What it is instead of an image that runs: `schema1` or `chart`.
    artifact: Option<Artifact>,
    /// Whether it is deleted again. A registry with soft delete keeps it.
    #[serde(default)]
    deleted: bool,
    read_enabled: Option<bool>,
}

/// What nodes cannot run as an image.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum Artifact {
    /// A manifest of Docker's first schema.
    Schema1,
    /// A Helm chart.
    Chart,
}

/// A manifest that refers to an image, which is named by its tag or digest.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Referrer {
    pub(super) subject: String,
    pub(super) artifact_type: String,
}

impl Registry {
    /// The group and the name, with the workspace for its resource logs.
    pub(super) fn logged(&self) -> Option<(String, String, String)> {
        Some((self.group.clone(), self.name.clone(), self.logs_workspace.clone()?))
    }

    pub(super) fn seed(self) -> Result<RegistrySeed, ServeError> {
        let mut seed = RegistrySeed::new(&self.group, &self.name);
        seed = self.subscription.iter().fold(seed, |seed, id| seed.in_subscription(id));
        seed = self.location.iter().fold(seed, |seed, location| seed.location(location));
        if let Some(sku) = &self.sku {
            let named = |fault| ServeError::new(format!("registries: sku of {}: {fault}", self.name));
            check_choice(sku, SKUS).map_err(named)?;
            seed = seed.sku(sku);
        }
        seed = self.tags.iter().fold(seed, |seed, (name, value)| seed.tag(name, value));
        seed = self.login_server.iter().fold(seed, |seed, host| seed.login_server(host));
        if self.abac {
            seed = seed.abac();
        }
        seed = self.replicas.iter().fold(seed, |seed, region| seed.replica(region));
        if let Some(seconds) = self.replicas_lag {
            let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= FOR_EVER);
            let odd = || ServeError::new(format!("registries: replicasLag of {}: {seconds} seconds", self.name));
            seed = seed.replicas_lag(time.ok_or_else(odd)?);
        }
        for CacheRule { name, source, target, credential_set, credential_error } in &self.cache_rules {
            seed = seed.cache_rule(name, source, target, credential_set.as_deref());
            if let (Some(set), Some(error)) = (credential_set, credential_error) {
                seed = seed.credential_error(set, error);
            }
        }
        Ok(self.properties.into_iter().fold(seed, |seed, (name, value)| seed.property(&name, value)))
    }
}

impl Image {
    /// One that runs.
    pub(super) fn of(name: &str, platforms: &[&str]) -> Self {
        let platforms = platforms.iter().map(|one| (*one).to_owned()).collect();
        Self { name: name.to_owned(), platforms, artifact: None, deleted: false, read_enabled: None }
    }

    pub(super) fn enter(&self, mut azure: Emulator) -> Result<Emulator, ServeError> {
        if (self.artifact.is_some() || self.deleted || self.read_enabled.is_some()) && !self.is_in_azure(&azure) {
            let why = "artifact, deleted and readEnabled are for images of the scene's registries";
            return Err(ServeError::new(format!("images: {}: {why}", self.name)));
        }
        if self.artifact.is_some() && !self.platforms.is_empty() {
            return Err(ServeError::new(format!("images: {}: an artifact has no platforms", self.name)));
        }
        match self.artifact {
            Some(Artifact::Schema1) => azure.push_odd_image(&self.name, OddImage::Schema1),
            Some(Artifact::Chart) => azure.push_odd_image(&self.name, OddImage::Chart),
            None => {
                let platforms: Vec<&str> = self.platforms.iter().map(String::as_str).collect();
                let platforms = if platforms.is_empty() { vec!["linux/amd64", "linux/arm64"] } else { platforms };
                azure = azure.with_image(&self.name, &platforms);
            }
        }
        if let Some(enabled) = self.read_enabled {
            let (host, repository, reference) = split(&self.name);
            let mark = if reference.contains(':') { '@' } else { ':' };
            azure.set_read_enabled(&format!("{host}/{repository}{mark}{reference}"), enabled);
        }
        if self.deleted {
            azure.delete_image(&self.name);
        }
        Ok(azure)
    }

    fn is_in_azure(&self, azure: &Emulator) -> bool {
        let (host, _, _) = split(&self.name);
        azure.act(|world| world.registries.iter().any(|one| one.login_server().eq_ignore_ascii_case(host)))
    }
}
