//! Node pools: from what was asked for to nodes.

use serde_json::{Value, json};

use crate::kubernetes::machine::{Machine, first_image, newest_image};
use crate::principal::stable_id;
use crate::registry::merge;
use crate::seed::SeedNode;
use crate::throttle::Rate;

/// The size that the service chooses where none is asked for.
pub(crate) const SIZE: &str = "Standard_D2s_v5";

/// What only the service says of a pool.
const STATE: [&str; 6] = [
    "provisioningState",
    "powerState",
    "orchestratorVersion",
    "currentOrchestratorVersion",
    "eTag",
    "nodeImageVersion",
];

/// What clients send of any pool, and the service shows of pools of spot machines only.
const SPOT: [&str; 3] = ["scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice"];

/// A pool as it was asked for, laid over what it was before, or over what the service sets in a new one.
pub(crate) fn settled(sent: &Value, before: Option<&Value>) -> Value {
    let mut pool = before.cloned().unwrap_or_else(|| chosen(sent));
    let mut asked = sent.clone();
    if let Some(asked) = asked.as_object_mut() {
        asked.retain(|name, value| {
            !STATE.contains(&name.as_str()) && *value != "" && *value != json!([]) && !value.is_null()
        });
        if asked.get("osDiskSizeGB") == Some(&json!(0)) {
            asked.remove("osDiskSizeGB");
        }
        if asked.get("scaleSetPriority").is_none_or(|priority| priority == "Regular") {
            asked.retain(|name, _| !SPOT.contains(&name.as_str()));
        }
    }
    merge(&mut pool, &asked);
    pool
}

fn chosen(sent: &Value) -> Value {
    let windows = sent["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
    json!({
        "count": 1, "vmSize": SIZE, "osDiskSizeGB": 128, "osDiskType": "Managed", "kubeletDiskType": "OS",
        "maxPods": 250, "type": "VirtualMachineScaleSets", "enableAutoScaling": false, "enableNodePublicIP": false,
        "mode": "User", "osType": "Linux", "osSKU": if windows { "Windows2022" } else { "Ubuntu" },
        "upgradeSettings": {}, "enableFIPS": false,
    })
}

/// The pools that nodes of a seed belong to.
pub(super) fn of_nodes(nodes: &[SeedNode]) -> Vec<Value> {
    let mut pools: Vec<Value> = Vec::new();
    for node in nodes {
        if let Some(pool) = pools.iter_mut().find(|pool| pool["name"] == node.pool.as_str()) {
            pool["count"] = (count(pool) + 1).into();
            continue;
        }
        let mode = if pools.is_empty() { "System" } else { "User" };
        let os = if node.os == "windows" { "Windows" } else { "Linux" };
        let size = if node.architecture == "arm64" { "Standard_D2ps_v5" } else { SIZE };
        pools.push(json!({"name": node.pool, "count": 1, "vmSize": size, "maxPods": 250, "osDiskSizeGB": 128,
                          "type": "VirtualMachineScaleSets", "mode": mode, "osType": os, "kubeletDiskType": "OS",
                          "osSKU": if os == "Windows" { "Windows2022" } else { "Ubuntu" },
                          "nodeImageVersion": first_image(&node.os, &node.architecture)}));
    }
    pools
}

/// What the nodes of a pool are made from. Their disks have this room left, and their kubelets start so many pulls.
pub(super) fn machine(pools: &[Value], name: &str, room: Option<u64>, pulls: Option<Rate>) -> Machine {
    let pool = pools.iter().find(|pool| pool["name"] == name);
    let image = pool.and_then(|pool| pool["nodeImageVersion"].as_str()).map(str::to_owned);
    let disk = pool.and_then(|pool| pool["osDiskSizeGB"].as_u64());
    Machine { image, room: room.or(disk.map(|gib| gib << 30)), pulls }
}

/// Gives a pool the newest image: see `az aks nodepool upgrade --node-image-only`.
pub(super) fn take_newest_image(pools: &mut [Value], name: &str) {
    for pool in pools.iter_mut().filter(|pool| pool["name"] == name) {
        let is_windows = pool["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
        let os = if is_windows { "windows" } else { "linux" };
        pool["nodeImageVersion"] = newest_image(os, architecture(pool["vmSize"].as_str().unwrap_or_default())).into();
    }
}

pub(crate) fn count(pool: &Value) -> u64 {
    pool["count"].as_u64().unwrap_or(0)
}

/// The nodes that a pool has: those that are there, the newest ones gone or new ones added as its count says.
pub(crate) fn nodes(cluster: &str, pool: &Value, present: &[SeedNode]) -> Vec<SeedNode> {
    let name = pool["name"].as_str().unwrap_or_default();
    let wanted = usize::try_from(count(pool)).unwrap_or(usize::MAX);
    let mut nodes: Vec<SeedNode> = present.iter().filter(|node| node.pool == name).cloned().collect();
    let number = u32::from_str_radix(&stable_id(cluster)[..7], 16).unwrap_or(0) % 100_000_000;
    let windows = pool["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
    let mut next = 0_usize;
    while nodes.len() < wanted {
        let full =
            if windows { format!("aks{name}{next:06}") } else { format!("aks-{name}-{number:08}-vmss{next:06}") };
        if nodes.iter().all(|node| node.name != full) {
            nodes.push(SeedNode {
                name: full,
                pool: name.to_owned(),
                os: if windows { "windows" } else { "linux" }.to_owned(),
                architecture: architecture(pool["vmSize"].as_str().unwrap_or_default()).to_owned(),
            });
        }
        next += 1;
    }
    nodes.truncate(wanted);
    nodes
}

/// The architecture of a size: those with a `p` after the number of cores have processors of ARM's design.
pub(crate) fn architecture(size: &str) -> &'static str {
    let family = size.trim_start_matches("Standard_").split('_').next().unwrap_or_default();
    let features = family.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
    let features = features.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
    if features.contains('p') { "arm64" } else { "amd64" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_says_its_architecture() {
        assert_eq!(architecture("Standard_D2pds_v5"), "arm64");
        assert_eq!(architecture("Standard_DS2_v2"), "amd64");
        assert_eq!(architecture("Standard_D4s_v5"), "amd64");
    }

    #[test]
    fn an_empty_size_is_chosen_by_the_service() {
        let pool =
            settled(&json!({"name": "nodepool1", "vmSize": "", "osDiskSizeGB": 0, "count": 3, "madeUp": 1}), None);
        assert_eq!((pool["vmSize"].as_str(), pool["osDiskSizeGB"].as_u64()), (Some(SIZE), Some(128)));
        assert_eq!((count(&pool), pool["madeUp"].as_u64()), (3, Some(1)), "what is not known is kept");
    }

    #[test]
    fn only_a_pool_of_spot_machines_shows_their_price() {
        let pool =
            |priority: &str| settled(&json!({"name": "p", "scaleSetPriority": priority, "spotMaxPrice": -1.0}), None);
        assert_eq!((pool("Regular").get("spotMaxPrice"), pool("Regular").get("scaleSetPriority")), (None, None));
        assert_eq!(pool("Spot")["spotMaxPrice"], -1.0);
    }

    #[test]
    fn a_pool_grows_and_shrinks_at_its_end() {
        let pool = |count: u64| settled(&json!({"name": "one", "count": count}), None);
        let three = nodes("cluster", &pool(3), &[]);
        let one = nodes("cluster", &pool(1), &three);
        assert_eq!((three.len(), one.len()), (3, 1));
        assert_eq!(one[0].name, three[0].name);
        assert_eq!(nodes("cluster", &pool(3), &one)[2].name, three[2].name);
    }
}
