//! The node pools of a cluster to create, and the rules that Azure documents for them.

use crate::{
    error::{Error, Result, words},
    id::ResourceId,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

/// See [limits](https://learn.microsoft.com/azure/aks/quotas-skus-regions).
const MOST_NODES: u32 = 1000;
const MOST_POOLS: usize = 100;
const PODS: std::ops::RangeInclusive<u32> = 10..=250;
const NETWORKS: &str = "Microsoft.Network/virtualNetworks";

/// What a node pool is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodePoolMode {
    /// For the cluster's own pods. A cluster has at least one, of Linux.
    System,
    /// For workloads.
    #[default]
    User,
}

words!(NodePoolMode, "mode": System => "System", User => "User");

/// The operating system of a node pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeOs {
    /// Linux.
    #[default]
    Linux,
    /// Windows Server.
    Windows,
}

words!(NodeOs, "os_type": Linux => "Linux", Windows => "Windows");

/// A node pool of a cluster to create.
///
/// The VM size decides the architecture: sizes with a `p` after the number of cores, such as `Standard_D2ps_v5`, have Arm processors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NewNodePool {
    /// Its name: a lower-case letter, then lower-case letters and digits; at most 12 characters, 6 for Windows.
    pub name: String,
    /// What it is for; `User` by default.
    pub mode: NodePoolMode,
    /// The number of nodes; by default 3, or `min_count`.
    pub count: Option<u32>,
    /// The VM size of its nodes, such as `Standard_D2s_v5`; by default the service's choice.
    #[serde(alias = "vmSize")]
    pub vm_size: Option<String>,
    /// The operating system; `Linux` by default.
    #[serde(alias = "osType")]
    pub os_type: NodeOs,
    /// The variant of the operating system, such as `Ubuntu`, `AzureLinux` or `Windows2022`; by default the service's choice.
    #[serde(alias = "osSku")]
    pub os_sku: Option<String>,
    /// The maximum number of pods on a node, 10 to 250; by default the service's choice.
    #[serde(alias = "maxPods")]
    pub max_pods: Option<u32>,
    /// The availability zones of its nodes, such as `1`, `2` and `3`; none by default.
    #[serde(alias = "availabilityZones")]
    pub availability_zones: Vec<String>,
    /// Labels of its nodes.
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes, such as `sku=gpu:NoSchedule`.
    pub taints: Vec<String>,
    /// The smallest number of nodes with autoscaling, which is on if this and `max_count` are given.
    #[serde(alias = "minCount")]
    pub min_count: Option<u32>,
    /// The largest number of nodes with autoscaling.
    #[serde(alias = "maxCount")]
    pub max_count: Option<u32>,
    /// Resource ID of its subnet; by default the cluster's.
    pub subnet: Option<String>,
}

impl NewNodePool {
    /// A pool of this name with default settings.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The number of nodes at the beginning.
    pub(crate) fn nodes(&self) -> u32 {
        self.count.or(self.min_count).unwrap_or(super::NODES)
    }

    pub(crate) fn is_windows(&self) -> bool {
        self.os_type == NodeOs::Windows
    }

    pub(crate) fn is_system(&self) -> bool {
        self.mode == NodePoolMode::System
    }

    /// Whether the size's processors are of Arm's design: see [naming of
    /// sizes](https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions).
    pub(crate) fn is_arm(&self) -> bool {
        let size = self.vm_size.as_deref().unwrap_or_default();
        let family = size.split('_').nth(1).unwrap_or_default();
        let features = family.trim_start_matches(|one: char| one.is_ascii_uppercase());
        features.trim_start_matches(|one: char| one.is_ascii_digit() || one == '-').contains('p')
    }

    /// Rejects a pool that Azure documents as impossible. The error names the pool and the setting.
    fn check(&self) -> Result<()> {
        let refuse = |setting: &str, text: String, value: String| {
            Err(Error::invalid(format!("node_pools[{}].{setting}: {text}", self.name), "node_pools", value))
        };
        let most = if self.is_windows() { 6 } else { 12 };
        let plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit();
        let starts_well = self.name.starts_with(|one: char| one.is_ascii_lowercase());
        if !starts_well || self.name.len() > most || !self.name.chars().all(plain) {
            let os = self.os_type.as_str();
            let text = format!(
                "the name of a {os} pool starts with a lower-case letter and has up to {most} lower-case letters and digits"
            );
            return refuse("name", text, self.name.clone());
        }
        let nodes = self.nodes();
        let fewest = u32::from(self.is_system());
        if !(fewest..=MOST_NODES).contains(&nodes) {
            let mode = self.mode.as_str();
            return refuse(
                "count",
                format!("expected {fewest} to {MOST_NODES} nodes in a {mode} pool"),
                nodes.to_string(),
            );
        }
        match (self.min_count, self.max_count) {
            (None, None) => {}
            (Some(least), Some(most)) => {
                let shown = format!("{least} to {most}, and {nodes} nodes");
                if least > most || most > MOST_NODES || least < fewest {
                    let text = format!("expected {fewest} <= min_count <= max_count <= {MOST_NODES}");
                    return refuse("min_count", text, shown);
                }
                if !(least..=most).contains(&nodes) {
                    return refuse("count", "expected min_count <= count <= max_count".to_owned(), shown);
                }
            }
            (one, other) => {
                let (missing, given) = if one.is_none() { ("min_count", other) } else { ("max_count", one) };
                let text = "autoscaling needs min_count and max_count".to_owned();
                let given = given.map(|given| given.to_string());
                return refuse(missing, text, format!("nothing, and the other is {}", given.unwrap_or_default()));
            }
        }
        if let Some(pods) = self.max_pods.filter(|pods| !PODS.contains(pods)) {
            let text = format!("expected {} to {} pods a node", PODS.start(), PODS.end());
            return refuse("max_pods", text, pods.to_string());
        }
        if self.is_windows() && self.is_system() {
            return refuse("mode", "a Windows pool cannot be a System pool".to_owned(), "System".to_owned());
        }
        if self.is_windows() && self.is_arm() {
            let size = self.vm_size.clone().unwrap_or_default();
            return refuse("vm_size", "a Windows pool cannot have Arm processors".to_owned(), size);
        }
        if let Some(sku) = &self.os_sku
            && sku.to_ascii_lowercase().starts_with("windows") != self.is_windows()
        {
            let text = format!("expected a variant of {}", self.os_type.as_str());
            return refuse("os_sku", text, sku.clone());
        }
        for (setting, value) in [("vm_size", &self.vm_size), ("os_sku", &self.os_sku)] {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                return refuse(setting, "must not be empty".to_owned(), String::new());
            }
        }
        if let Some(zone) =
            self.availability_zones.iter().find(|zone| zone.is_empty() || !zone.chars().all(|one| one.is_ascii_digit()))
        {
            return refuse("availability_zones", "expected the number of a zone, such as 1".to_owned(), zone.clone());
        }
        if let Some(taint) = self.taints.iter().find(|taint| !is_taint(taint)) {
            let text = "expected key=value:Effect with the effect NoSchedule, PreferNoSchedule or NoExecute";
            return refuse("taints", text.to_owned(), taint.clone());
        }
        if let Some(label) = self.labels.keys().find(|label| label.trim().is_empty()) {
            return refuse("labels", "a label has a name".to_owned(), label.clone());
        }
        check_subnet(&format!("node_pools[{}].subnet", self.name), self.subnet.as_deref())
    }
}

/// See [Taints](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
fn is_taint(text: &str) -> bool {
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    text.rsplit_once(':').is_some_and(|(key, effect)| {
        effects.contains(&effect) && !key.split('=').next().unwrap_or_default().trim().is_empty()
    })
}

/// Rejects an ID that is not that of a subnet.
pub(crate) fn check_subnet(part: &str, subnet: Option<&str>) -> Result<()> {
    let Some(id) = subnet else { return Ok(()) };
    // What is above the subnet is an ID of its own.
    let network = id.rsplit_once('/').and_then(|(rest, name)| {
        let (network, kind) = rest.rsplit_once('/')?;
        (kind.eq_ignore_ascii_case("subnets") && !name.is_empty()).then(|| network.parse::<ResourceId>().ok())?
    });
    if network.is_some_and(|network| network.is_of_type(NETWORKS)) {
        return Ok(());
    }
    let text = format!(
        "{part}: expected the ID of a subnet, /subscriptions/{{id}}/resourceGroups/{{group}}/providers/{NETWORKS}/{{network}}/subnets/\
         {{subnet}}"
    );
    Err(Error::invalid(text, "subnet", id))
}

/// Rejects pools that Azure documents as impossible, alone or together.
pub(crate) fn check_pools(pools: &[NewNodePool]) -> Result<()> {
    pools.iter().try_for_each(NewNodePool::check)?;
    let mut names = BTreeSet::new();
    if let Some(twice) = pools.iter().find(|pool| !names.insert(&pool.name)) {
        return Err(Error::invalid("two pools have the same name", "node_pools", twice.name.as_str()));
    }
    if pools.len() > MOST_POOLS {
        let text = format!("a cluster has up to {MOST_POOLS} pools");
        return Err(Error::invalid(text, "node_pools", pools.len().to_string()));
    }
    if !pools.iter().any(|pool| pool.is_system() && !pool.is_windows()) {
        let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
        let text = "a cluster needs at least one pool of Linux with the mode System";
        return Err(Error::invalid(text, "node_pools", names.join(", ")));
    }
    Ok(())
}

impl FromStr for NewNodePool {
    type Err = Error;

    /// Parses the JSON form: an object with the fields, of which only `name` is required.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the field.
    fn from_str(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|err| Error::invalid("invalid node pool", "node_pools", err.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(change: fn(&mut NewNodePool)) -> NewNodePool {
        let mut pool = NewNodePool::new("web");
        change(&mut pool);
        pool
    }

    #[test]
    fn each_rule_names_the_pool_and_the_setting() {
        type Change = fn(&mut NewNodePool);
        let all: [(Change, &str); 15] = [
            (|pool| pool.name = "Web".to_owned(), "node_pools[Web].name"),
            (|pool| pool.name = "abcdefghijklm".to_owned(), "node_pools[abcdefghijklm].name"),
            (|pool| (pool.name, pool.os_type) = ("abcdefg".to_owned(), NodeOs::Windows), "node_pools[abcdefg].name"),
            (|pool| pool.count = Some(1001), "node_pools[web].count"),
            (|pool| (pool.mode, pool.count) = (NodePoolMode::System, Some(0)), "node_pools[web].count"),
            (|pool| pool.min_count = Some(1), "node_pools[web].max_count"),
            (|pool| (pool.min_count, pool.max_count) = (Some(3), Some(2)), "node_pools[web].min_count"),
            (
                |pool| (pool.count, pool.min_count, pool.max_count) = (Some(5), Some(1), Some(4)),
                "node_pools[web].count",
            ),
            (|pool| pool.max_pods = Some(9), "node_pools[web].max_pods"),
            (|pool| (pool.mode, pool.os_type) = (NodePoolMode::System, NodeOs::Windows), "node_pools[web].mode"),
            (
                |pool| (pool.os_type, pool.vm_size) = (NodeOs::Windows, Some("Standard_D2ps_v5".to_owned())),
                "node_pools[web].vm_size",
            ),
            (|pool| pool.os_sku = Some("Windows2022".to_owned()), "node_pools[web].os_sku"),
            (|pool| pool.availability_zones = vec!["a".to_owned()], "node_pools[web].availability_zones"),
            (|pool| pool.taints = vec!["sku=gpu".to_owned()], "node_pools[web].taints"),
            (|pool| pool.vm_size = Some(String::new()), "node_pools[web].vm_size"),
        ];
        for (change, part) in all {
            let err = pool(change).check().unwrap_err();
            assert!(err.to_string().contains(part), "{part}: {err}");
        }
    }

    #[test]
    fn possible_pools_pass() {
        let system = pool(|pool| pool.mode = NodePoolMode::System);
        let mut windows = NewNodePool::new("win22a");
        windows.os_type = NodeOs::Windows;
        windows.count = Some(0);
        let mut arm = NewNodePool::new("arm");
        arm.vm_size = Some("Standard_D2pds_v5".to_owned());
        (arm.min_count, arm.max_count) = (Some(1), Some(5));
        assert_eq!((arm.is_arm(), arm.nodes(), windows.is_arm()), (true, 1, false));
        assert!(check_pools(&[system.clone(), windows.clone(), arm]).is_ok());
        assert!(check_pools(&[windows]).unwrap_err().to_string().contains("System"));
        assert!(check_pools(&[system.clone(), system]).unwrap_err().to_string().contains("same name"));
    }

    #[test]
    fn a_pool_is_read_in_the_spelling_of_each_language() {
        let plain: NewNodePool = r#"{"name":"a","vm_size":"x","min_count":1,"max_count":2}"#.parse().unwrap();
        let camel: NewNodePool = r#"{"name":"a","vmSize":"x","minCount":1,"maxCount":2}"#.parse().unwrap();
        assert_eq!(plain, camel);
        let err = r#"{"name":"a","size":"x"}"#.parse::<NewNodePool>().unwrap_err();
        assert!(err.to_string().contains("`size`"), "{err}");
    }
}
