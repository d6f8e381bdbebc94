//! How the pools and the settings of an existing cluster differ from the requested ones.

use super::{NewCluster, NewNodePool};
use crate::{cluster::ClusterBody, difference::Differences, error::Result};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ExistingPool {
    name: Option<String>,
    pub mode: Option<String>,
    pub count: Option<u32>,
    pub vm_size: Option<String>,
    os_type: Option<String>,
    #[serde(rename = "osSKU")]
    os_sku: Option<String>,
    max_pods: Option<u32>,
    availability_zones: Option<Vec<String>>,
    node_labels: Option<BTreeMap<String, String>>,
    node_taints: Option<Vec<String>>,
    enable_auto_scaling: Option<bool>,
    min_count: Option<u32>,
    max_count: Option<u32>,
    #[serde(rename = "vnetSubnetID")]
    subnet: Option<String>,
}

/// The first system pool, or else the first pool.
pub(super) fn main_pool(pools: &[ExistingPool]) -> Option<&ExistingPool> {
    let is_system = |pool: &&ExistingPool| pool.mode.as_deref().is_some_and(|mode| mode.eq_ignore_ascii_case("System"));
    pools.iter().find(is_system).or(pools.first())
}

/// What Azure does not report is shown so, and differs.
fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// A list in one line, in an order of its own.
fn list(values: &[String]) -> String {
    let mut values = values.to_vec();
    values.sort();
    if values.is_empty() { "none".to_owned() } else { values.join(", ") }
}

/// Settings that were not requested are not compared.
pub(super) fn settings(asked: &NewCluster, found: &ClusterBody, differences: &mut Differences) -> Result<()> {
    let text = |path: &str| found.part::<String>(&format!("properties/{path}"));
    let settings = &asked.settings;
    if let Some(plugin) = settings.network_plugin {
        let (kind, mode) = (text("networkProfile/networkPlugin")?, text("networkProfile/networkPluginMode")?);
        let joined = kind.map(|kind| mode.map_or(kind.clone(), |mode| format!("{kind}_{mode}")));
        differences.check("network_plugin", plugin.as_str(), &shown(joined));
    }
    if let Some(policy) = settings.network_policy {
        differences.check("network_policy", policy.as_str(), &shown(text("networkProfile/networkPolicy")?));
    }
    let switches = [
        ("private_api_server", settings.private_api_server, "apiServerAccessProfile/enablePrivateCluster"),
        ("entra", settings.entra, "aadProfile/managed"),
        ("azure_rbac", settings.azure_rbac, "aadProfile/enableAzureRBAC"),
        ("oidc_issuer", settings.oidc_issuer, "oidcIssuerProfile/enabled"),
        ("workload_identity", settings.workload_identity, "securityProfile/workloadIdentity/enabled"),
    ];
    for (name, _, path) in switches.iter().filter(|(_, is_asked, _)| *is_asked) {
        // Azure leaves out what is off.
        let is_on = found.part::<bool>(&format!("properties/{path}"))? == Some(true);
        differences.check(name, "true", if is_on { "true" } else { "false" });
    }
    if !settings.admin_groups.is_empty() {
        let own: Option<Vec<String>> = found.part("properties/aadProfile/adminGroupObjectIDs")?;
        let groups: Vec<String> = settings.admin_groups.iter().map(ToString::to_string).collect();
        differences.check("admin_groups", &list(&groups), &list(&own.unwrap_or_default()));
    }
    if !asked.tags.is_empty() {
        let own: BTreeMap<String, String> = found.part("tags")?.unwrap_or_default();
        for (name, value) in &asked.tags {
            let known = own.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            // The values of tags are compared as they are.
            if known != Some(value) {
                differences.add(&format!("tags.{name}"), value, &shown(known));
            }
        }
    }
    Ok(())
}

/// Requested pools, by their names; others are not compared.
pub(super) fn pools(asked: &NewCluster, found: &[ExistingPool], differences: &mut Differences) {
    for pool in &asked.pools() {
        let by_name =
            |known: &&ExistingPool| known.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&pool.name));
        let subnet = pool.subnet.as_deref().or(asked.settings.subnet.as_deref());
        // A single pool is compared with the main one, whatever its name: so are `node_count` and `vm_size`, elsewhere.
        if asked.node_pools.is_empty() {
            if let Some(subnet) = subnet {
                let own = main_pool(found).and_then(|one| one.subnet.as_deref());
                differences.check("subnet", subnet, &shown(own));
            }
        } else if let Some(known) = found.iter().find(by_name) {
            one_pool(pool, subnet, known, differences);
        } else {
            differences.add(&format!("node_pools[{}]", pool.name), "a pool", "none");
        }
    }
}

fn one_pool(asked: &NewNodePool, subnet: Option<&str>, found: &ExistingPool, differences: &mut Differences) {
    let mut check = |setting: &str, asked_value: Option<String>, found: String| {
        if let Some(value) = asked_value {
            differences.check(&format!("node_pools[{}].{setting}", asked.name), &value, &found);
        }
    };
    check("mode", Some(asked.mode.as_str().to_owned()), shown(found.mode.as_deref()));
    check("os_type", Some(asked.os_type.as_str().to_owned()), shown(found.os_type.as_deref()));
    check("vm_size", asked.vm_size.clone(), shown(found.vm_size.as_deref()));
    check("os_sku", asked.os_sku.clone(), shown(found.os_sku.as_deref()));
    check("max_pods", asked.max_pods.map(|pods| pods.to_string()), shown(found.max_pods));
    let range =
        |least: Option<u32>, most: Option<u32>| least.zip(most).map(|(least, most)| format!("{least} to {most}"));
    let own = range(found.min_count, found.max_count).filter(|_| found.enable_auto_scaling == Some(true));
    let autoscaling = range(asked.min_count, asked.max_count);
    // With autoscaling, the count changes without a request.
    let count = asked.nodes().to_string();
    check("count", Some(count).filter(|_| autoscaling.is_none()), shown(found.count));
    check("min_count and max_count", autoscaling, shown(own));
    let given = |values: &[String]| (!values.is_empty()).then(|| list(values));
    check(
        "availability_zones",
        given(&asked.availability_zones),
        list(found.availability_zones.as_deref().unwrap_or_default()),
    );
    check("taints", given(&asked.taints), list(found.node_taints.as_deref().unwrap_or_default()));
    for (label, value) in &asked.labels {
        let known = found.node_labels.as_ref().and_then(|labels| labels.get(label));
        check(&format!("labels.{label}"), Some(value.clone()), shown(known));
    }
    check("subnet", subnet.map(str::to_owned), shown(found.subnet.as_deref()));
}
