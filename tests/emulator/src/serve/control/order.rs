//! The orders that the control endpoint takes, as they stand in JSON.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, missing, unclear};
use crate::emulator::Emulator;
use crate::rbac::condition::Condition;
use crate::serve::scene_cluster::check_platform;
use crate::timing::{FOR_EVER, Timing};

/// How long things take from now on: what is not named starts from the preset, or else from [`Timing::none`]. Seconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::serve) struct TimingOrder {
    preset: Option<String>,
    latency: Option<f64>,
    propagation: Option<f64>,
    deletion: Option<f64>,
    listing: Option<f64>,
    membership: Option<f64>,
    principal: Option<f64>,
    import: Option<f64>,
    registry: Option<f64>,
    registry_name: Option<f64>,
    registry_logs: Option<f64>,
    registry_deletion: Option<f64>,
    cluster: Option<f64>,
    cluster_creation: Option<f64>,
    cluster_deletion: Option<f64>,
    kubelet_identity: Option<f64>,
    registration: Option<f64>,
    command: Option<f64>,
    node_credentials: Option<f64>,
    node_tokens: Option<f64>,
    token: Option<f64>,
}

impl TimingOrder {
    pub(in crate::serve) fn with_latency(mut self, seconds: f64) -> Self {
        self.latency = Some(seconds);
        self
    }

    pub(in crate::serve) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        let mut timing = match self.preset.as_deref() {
            None | Some("none") => Timing::none(),
            Some("typical") => Timing::typical(),
            Some(other) => return Err(missing(format!("unknown timing: {other}; expected none or typical"))),
        };
        for (wanted, field) in [
            (self.latency, &mut timing.latency),
            (self.propagation, &mut timing.propagation),
            (self.deletion, &mut timing.deletion),
            (self.listing, &mut timing.listing),
            (self.membership, &mut timing.membership),
            (self.principal, &mut timing.principal),
            (self.import, &mut timing.import),
            (self.registry, &mut timing.registry),
            (self.registry_name, &mut timing.registry_name),
            (self.registry_logs, &mut timing.registry_logs),
            (self.registry_deletion, &mut timing.registry_deletion),
            (self.cluster, &mut timing.cluster),
            (self.cluster_creation, &mut timing.cluster_creation),
            (self.cluster_deletion, &mut timing.cluster_deletion),
            (self.kubelet_identity, &mut timing.kubelet_identity),
            (self.registration, &mut timing.registration),
            (self.command, &mut timing.command),
            (self.node_credentials, &mut timing.node_credentials),
            (self.node_tokens, &mut timing.node_tokens),
            (self.token, &mut timing.token),
        ] {
            if let Some(wanted) = wanted {
                *field = seconds(wanted)?;
            }
        }
        emulator.set_timing(timing);
        Ok(json!({}))
    }
}

/// A time that a clock can take: not negative, and at most ten years.
pub(super) fn seconds(number: f64) -> Result<Duration, Refusal> {
    let wrong = || unclear(format!("invalid time: {number} seconds"));
    let time = Duration::try_from_secs_f64(number).map_err(|_| wrong())?;
    if time > FOR_EVER { Err(wrong()) } else { Ok(time) }
}

/// A real control plane has a real clock.
fn demand_clock(emulator: &Emulator) -> Result<(), Refusal> {
    emulator.clock_is_real().map_or(Ok(()), |why| Err(unclear(why)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    seconds: f64,
}

impl Advance {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        let time = seconds(self.seconds)?;
        demand_clock(emulator)?;
        emulator.advance(time);
        Ok(json!({}))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::serve) struct Speed {
    pub(in crate::serve) speed: u32,
}

impl Speed {
    pub(in crate::serve) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if !(1..=100_000).contains(&self.speed) {
            return Err(unclear(format!("the clock's speed must be from 1 to 100000, not {}", self.speed)));
        }
        if self.speed != 1 {
            demand_clock(emulator)?;
        }
        emulator.set_clock_speed(self.speed);
        Ok(json!({}))
    }
}

/// How lists are cut.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Paging {
    size: Option<usize>,
    empty_first: Option<bool>,
}

impl Paging {
    pub(super) fn obey(self, emulator: &Emulator) -> Value {
        if let Some(size) = self.size {
            emulator.set_page_size(size);
        }
        if let Some(empty) = self.empty_first {
            emulator.set_empty_first_page(empty);
        }
        json!({})
    }
}

/// A role for a caller (by name), or for any principal: by object ID, or a cluster's kubelet identity as `group/cluster`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    role: String,
    caller: Option<String>,
    principal: Option<String>,
    scope: String,
    condition: Option<String>,
}

impl Grant {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        let principal = match (self.caller, self.principal) {
            (Some(caller), None) => {
                let id = emulator.object_id_of(&caller);
                if id.is_empty() {
                    return Err(missing(format!("caller {caller} does not exist")));
                }
                id
            }
            (None, Some(principal)) => principal_of(emulator, principal)?,
            _ => return Err(unclear("a grant needs either a caller or a principal")),
        };
        let known =
            emulator.act(|world| world.access.role_named(&self.role).or(world.access.role(&self.role)).is_some());
        if !known {
            return Err(missing(format!("role {} does not exist", self.role)));
        }
        if let Some(condition) = self.condition.as_deref().filter(|text| Condition::parse(text).is_none()) {
            return Err(unclear(format!("the condition is not supported: {condition}")));
        }
        let name = match self.condition {
            Some(condition) => emulator.grant_if(&self.role, &principal, &self.scope, &condition),
            None => emulator.grant(&self.role, &principal, &self.scope),
        };
        Ok(json!({"name": name}))
    }
}

/// The object ID of a principal that may be named by its cluster.
fn principal_of(emulator: &Emulator, named: String) -> Result<String, Refusal> {
    let Some((group, cluster)) = named.split_once('/') else { return Ok(named) };
    let id = emulator.kubelet_object_id(group, cluster);
    if id.is_empty() { Err(missing(format!("cluster {named} has no kubelet identity"))) } else { Ok(id) }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    name: String,
}

impl Revoke {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.revoke(&self.name) {
            return Ok(json!({}));
        }
        Err(missing(format!("role assignment {} does not exist", self.name)))
    }
}

/// A principal that is added to a group of the directory, or removed from it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberOrder {
    group: String,
    member: String,
}

impl MemberOrder {
    pub(super) fn add(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.member_id(&self.member).is_none() {
            return Err(missing(format!("member {} does not exist", self.member)));
        }
        emulator.add_member(&self.group, &self.member);
        Ok(json!({"group": emulator.group_id(&self.group)}))
    }

    pub(super) fn remove(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.remove_member(&self.group, &self.member) {
            return Ok(json!({}));
        }
        Err(missing(format!("{} is not a member of {}", self.member, self.group)))
    }
}

/// A policy that denies resources of a type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PolicyOrder {
    name: String,
    resource_type: String,
    scope: String,
}

impl PolicyOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Value {
        emulator.add_policy(&self.name, &self.resource_type, &self.scope);
        json!({})
    }
}

/// What a region has left for nodes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CapacityOrder {
    region: String,
    /// The cores that each family of virtual machines has.
    #[serde(default)]
    cores: std::collections::BTreeMap<String, u64>,
    #[serde(default)]
    without_sizes: Vec<String>,
    zones: Option<bool>,
    full: Option<bool>,
}

impl CapacityOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Value {
        self.cores.iter().for_each(|(family, cores)| emulator.set_core_quota(&self.region, family, *cores));
        self.without_sizes.iter().for_each(|size| emulator.remove_vm_size(&self.region, size));
        if self.zones == Some(false) {
            emulator.remove_zones(&self.region);
        }
        if let Some(full) = self.full {
            emulator.set_region_full(&self.region, full);
        }
        json!({})
    }
}

/// A subnet, and its network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubnetOrder {
    group: String,
    network: String,
    name: String,
    prefix: String,
}

impl SubnetOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Value {
        json!({"id": emulator.add_subnet(&self.group, &self.network, &self.name, &self.prefix)})
    }
}

/// What is denied to all but some callers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DenyOrder {
    name: String,
    actions: Vec<String>,
    scope: String,
    #[serde(default)]
    but_for: Vec<String>,
}

impl DenyOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if let Some(unknown) = self.but_for.iter().find(|caller| emulator.object_id_of(caller).is_empty()) {
            return Err(missing(format!("caller {unknown} does not exist")));
        }
        let actions: Vec<&str> = self.actions.iter().map(String::as_str).collect();
        let but_for: Vec<&str> = self.but_for.iter().map(String::as_str).collect();
        emulator.add_deny_assignment(&self.name, &actions, &self.scope, &but_for);
        Ok(json!({}))
    }
}

/// A caller to which conditional access gives no tokens, or gives them again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    caller: String,
    blocked: bool,
}

impl Block {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.object_id_of(&self.caller).is_empty() {
            return Err(missing(format!("caller {} does not exist", self.caller)));
        }
        emulator.block_sign_in(&self.caller, self.blocked);
        Ok(json!({}))
    }
}

/// An image, by the name that a pod uses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    name: String,
    #[serde(default = "both")]
    platforms: Vec<String>,
}

fn both() -> Vec<String> {
    ["linux/amd64", "linux/arm64"].map(String::from).to_vec()
}

impl Image {
    pub(super) fn push(self, emulator: &Emulator) -> Value {
        let platforms: Vec<&str> = self.platforms.iter().map(String::as_str).collect();
        emulator.push_image(&self.name, &platforms);
        json!({"digest": emulator.digest(&self.name)})
    }

    pub(super) fn delete(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.delete_image(&self.name) {
            return Ok(json!({}));
        }
        Err(missing(format!("image {} does not exist", self.name)))
    }
}

/// A node that joins a cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    group: String,
    cluster: String,
    name: String,
    #[serde(default = "linux")]
    os: String,
    #[serde(default = "amd64")]
    architecture: String,
}

fn linux() -> String {
    String::from("linux")
}

fn amd64() -> String {
    String::from("amd64")
}

impl Node {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.control_plane_object_id(&self.group, &self.cluster).is_empty() {
            return Err(missing(format!("cluster {} does not exist in group {}", self.cluster, self.group)));
        }
        check_platform(&self.os, &self.architecture).map_err(unclear)?;
        emulator.add_node(&self.group, &self.cluster, &self.name, &self.os, &self.architecture);
        Ok(json!({}))
    }
}

/// Whether the nodes of a cluster reach a host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Egress {
    group: String,
    cluster: String,
    host: String,
    allowed: bool,
}

impl Egress {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.set_egress(&self.group, &self.cluster, &self.host, self.allowed) {
            return Ok(json!({}));
        }
        Err(missing(format!("cluster {} does not exist in group {}", self.cluster, self.group)))
    }
}

/// Whether a firewall inspects what the nodes of a cluster send to a host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspection {
    group: String,
    cluster: String,
    host: String,
    inspected: bool,
}

impl Inspection {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.set_inspection(&self.group, &self.cluster, &self.host, self.inspected) {
            return Ok(json!({}));
        }
        Err(missing(format!("cluster {} does not exist in group {}", self.cluster, self.group)))
    }
}

/// An image whose manifest the store of a node loses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoseContent {
    group: String,
    cluster: String,
    node: String,
    image: String,
}

impl LoseContent {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.lose_content(&self.group, &self.cluster, &self.node, &self.image) {
            return Ok(json!({}));
        }
        let Self { group, cluster, node, image } = self;
        Err(missing(format!("no emulated node {node} of cluster {cluster} in group {group}, or no image {image}")))
    }
}

/// Whether a registry has the key that encrypts its content.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    group: String,
    registry: String,
    accessible: bool,
}

impl Key {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.set_key_access(&self.group, &self.registry, self.accessible) {
            return Ok(json!({}));
        }
        Err(no_registry(&self.group, &self.registry))
    }
}

fn no_registry(group: &str, name: &str) -> Refusal {
    missing(format!("registry {name} does not exist in group {group}"))
}

/// What others with an identity send to a registry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LoadOrder {
    group: String,
    registry: String,
    principal: String,
    reads_per_minute: u32,
    seconds: f64,
}

impl LoadOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        let Self { group, registry, principal, reads_per_minute, seconds: time } = self;
        let principal = principal_of(emulator, principal)?;
        if emulator.set_registry_load(&group, &registry, &principal, reads_per_minute, seconds(time)?) {
            return Ok(json!({}));
        }
        Err(no_registry(&group, &registry))
    }
}

/// The room on the disks of a pool's nodes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Disk {
    group: String,
    cluster: String,
    pool: String,
    bytes: u64,
}

impl Disk {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.set_disk_room(&self.group, &self.cluster, &self.pool, self.bytes) {
            return Ok(json!({}));
        }
        let Self { group, cluster, pool, .. } = self;
        Err(missing(format!("cluster {cluster} in group {group} has no pool {pool}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_is_put_back_or_out_of_sight() {
        assert!(seconds(-1.0).is_err() && seconds(f64::NAN).is_err() && seconds(1e30).is_err());
        assert_eq!(seconds(1.5).unwrap(), Duration::from_millis(1500));
    }
}
