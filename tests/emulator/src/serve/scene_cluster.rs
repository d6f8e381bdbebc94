//! A cluster, as it stands in a scene.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ServeError;
use crate::emulator::Emulator;
use crate::node::Kubelet;
use crate::seed::ClusterSeed;

/// The operating systems of nodes.
const OPERATING_SYSTEMS: &[&str] = &["linux", "windows"];
/// The architectures of nodes.
const ARCHITECTURES: &[&str] = &["amd64", "arm64"];
/// The provisioning states of clusters.
const STATES: &[&str] =
    &["Succeeded", "Failed", "Creating", "Updating", "Deleting", "Upgrading", "Stopping", "Starting", "Canceled"];

/// A cluster.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of its own")]
pub(super) struct Cluster {
    group: String,
    name: String,
    subscription: Option<String>,
    location: Option<String>,
    version: Option<String>,
    /// The version of containerd on its nodes.
    containerd: Option<String>,
    /// How many pulls a second each of its kubelets starts.
    #[serde(rename = "registryPullQPS")]
    registry_pull_qps: Option<u32>,
    /// How many of them at once.
    registry_burst: Option<u32>,
    #[serde(default)]
    entra: bool,
    #[serde(default)]
    azure_rbac: bool,
    #[serde(default)]
    local_accounts_disabled: bool,
    #[serde(default)]
    service_principal: bool,
    /// When the secret of its service principal ends, such as `2026-01-01T00:00:00Z`.
    secret_ends: Option<String>,
    #[serde(default)]
    user_assigned: bool,
    /// Its nodes then pull anonymously.
    #[serde(default)]
    without_kubelet_identity: bool,
    /// Its nodes then pull as a former kubelet identity.
    #[serde(default)]
    outdated_nodes: bool,
    /// Its scale sets lack the kubelet identity.
    #[serde(default)]
    detached_identity: bool,
    /// The image of its Linux nodes, such as `AKSUbuntu-2204gen2containerd-202501.12.0`.
    node_image: Option<String>,
    /// Its provisioning state, such as `Failed`.
    state: Option<String>,
    /// Its nodes then pull as the service accounts of pods.
    service_account_pulls: Option<AccountPulls>,
    /// The registry, as `group/name`, that has refused the programs of its nodes: its network is isolated.
    bootstrap_refused: Option<String>,
    #[serde(default)]
    admin_groups: Vec<String>,
    #[serde(default)]
    nodes: Vec<Node>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    properties: serde_json::Map<String, Value>,
}

/// How nodes pull as service accounts.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountPulls {
    /// The name of the identity of service accounts that name none.
    default: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Node {
    name: String,
    os: Option<String>,
    architecture: Option<String>,
}

/// Rejects a value that is none of the choices, and names these.
pub(super) fn check_choice(value: &str, choices: &[&str]) -> Result<(), String> {
    if choices.contains(&value) {
        return Ok(());
    }
    Err(format!("{value:?} is invalid: must be one of {}", choices.join(", ")))
}

/// Rejects a node of a platform that AKS does not have. The error names the word of the scene.
pub(super) fn check_platform(os: &str, architecture: &str) -> Result<(), String> {
    check_choice(os, OPERATING_SYSTEMS).map_err(|fault| format!("os: {fault}"))?;
    check_choice(architecture, ARCHITECTURES).map_err(|fault| format!("architecture: {fault}"))
}

impl Cluster {
    pub(super) fn seed(self, azure: &Emulator) -> Result<ClusterSeed, ServeError> {
        let mut seed = ClusterSeed::new(&self.group, &self.name);
        if let Some(version) = &self.version {
            let named = |fault| ServeError::new(format!("clusters: version of {}: {fault}", self.name));
            version.parse::<Kubelet>().map_err(named)?;
        }
        if let Some(version) = &self.containerd {
            let named = |fault| ServeError::new(format!("clusters: containerd of {}: {fault}", self.name));
            seed.containerd = version.parse().map_err(named)?;
        }
        if self.registry_pull_qps.is_some() || self.registry_burst.is_some() {
            // What the kubelet takes if its configuration says nothing.
            seed = seed.registry_pull_qps(self.registry_pull_qps.unwrap_or(5), self.registry_burst.unwrap_or(10));
        }
        seed = self.subscription.iter().fold(seed, |seed, id| seed.in_subscription(id));
        seed = self.location.iter().fold(seed, |seed, location| seed.location(location));
        seed = self.version.iter().fold(seed, |seed, version| seed.version(version));
        for (wanted, set) in [
            (self.entra, ClusterSeed::entra as fn(ClusterSeed) -> ClusterSeed),
            (self.azure_rbac, ClusterSeed::azure_rbac),
            (self.local_accounts_disabled, ClusterSeed::local_accounts_disabled),
            (self.service_principal, ClusterSeed::service_principal),
            (self.user_assigned, ClusterSeed::user_assigned),
            (self.without_kubelet_identity, ClusterSeed::without_kubelet_identity),
            (self.outdated_nodes, ClusterSeed::outdated_nodes),
            (self.detached_identity, ClusterSeed::detached_identity),
        ] {
            if wanted {
                seed = set(seed);
            }
        }
        if let Some(end) = &self.secret_ends {
            let odd = || ServeError::new(format!("clusters: secretEnds of {} is not a time: {end}", self.name));
            seed.secret_ends = Some(crate::password::unix(end).ok_or_else(odd)?);
        }
        seed = self.node_image.iter().fold(seed, |seed, image| seed.node_image(image));
        if let Some(state) = &self.state {
            let named = |fault| ServeError::new(format!("clusters: state of {}: {fault}", self.name));
            check_choice(state, STATES).map_err(named)?;
            seed = seed.state(state);
        }
        if let Some(pulls) = &self.service_account_pulls {
            seed = seed.service_account_pulls(pulls.default.as_deref());
        }
        if let Some(registry) = &self.bootstrap_refused {
            let placed = registry.split_once('/');
            let found = placed.filter(|(group, name)| azure.act(|world| world.registry_named(group, name).is_some()));
            let odd =
                || ServeError::new(format!("clusters: bootstrapRefused of {}: no registry {registry}", self.name));
            let (group, name) = found.ok_or_else(odd)?;
            seed = seed.bootstrap_refused(&azure.registry_id(group, name));
        }
        seed = self.tags.iter().fold(seed, |seed, (name, value)| seed.tag(name, value));
        seed = self.admin_groups.iter().fold(seed, |seed, group| seed.admin_group(group));
        for node in &self.nodes {
            let os = node.os.as_deref().unwrap_or("linux");
            let architecture = node.architecture.as_deref().unwrap_or("amd64");
            let named = |fault| ServeError::new(format!("clusters: node {} of {}: {fault}", node.name, self.name));
            check_platform(os, architecture).map_err(named)?;
            seed = seed.node(&node.name, os, architecture);
        }
        Ok(self.properties.into_iter().fold(seed, |seed, (name, value)| seed.property(&name, value)))
    }
}
