//! Subnets: those of nodes, their addresses, and what they are connected with.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::world::World;

/// The service endpoint for registries.
const SERVICE: &str = "Microsoft.ContainerRegistry";

/// The network of a subnet, by their IDs.
pub(crate) fn network_of(subnet: &str) -> &str {
    let at = subnet.to_ascii_lowercase().rfind("/subnets/");
    at.map_or(subnet, |at| &subnet[..at])
}

/// The subnet of a cluster's nodes: that of its first pool, or the one that AKS makes in the group of the nodes.
pub(super) fn of_nodes(world: &World, cluster: &Cluster) -> String {
    let pools = cluster.body(world);
    let pools = pools["properties"]["agentPoolProfiles"].as_array().cloned().unwrap_or_default();
    let own =
        pools.iter().find_map(|pool| pool["vnetSubnetID"].as_str().filter(|id| !id.is_empty()).map(str::to_owned));
    own.unwrap_or_else(|| format!("{}/subnets/aks-subnet", cluster.network_id()))
}

fn properties<'w>(world: &'w World, id: &str) -> Option<&'w Value> {
    world.resources.get(&id.to_ascii_lowercase()).map(|found| &found["properties"])
}

/// Whether a subnet has a service endpoint for registries.
pub(super) fn has_service_endpoint(world: &World, subnet: &str) -> bool {
    let all = properties(world, subnet).and_then(|found| found["serviceEndpoints"].as_array());
    all.is_some_and(|all| all.iter().any(|one| one["service"] == SERVICE))
}

/// Whether traffic of one network reaches another one.
pub(super) fn is_peered(world: &World, from: &str, to: &str) -> bool {
    let within = format!("{}/virtualnetworkpeerings/", from.to_ascii_lowercase());
    world.resources.iter().filter(|(id, _)| id.starts_with(&within)).any(|(_, peering)| {
        let properties = &peering["properties"];
        properties["remoteVirtualNetwork"]["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(to))
            && properties["peeringState"] == "Connected"
    })
}

fn prefix(world: &World, subnet: &str) -> u32 {
    let found = properties(world, subnet);
    let text = found.and_then(|found| found["addressPrefix"].as_str().or_else(|| found["addressPrefixes"][0].as_str()));
    let base = text.and_then(|text| text.split('/').next()).and_then(|base| base.parse::<Ipv4Addr>().ok());
    base.unwrap_or(Ipv4Addr::new(10, 224, 0, 0)).into()
}

/// The address of a subnet's first node. Azure keeps the first four for itself.
pub(super) fn first_address(world: &World, subnet: &str) -> String {
    Ipv4Addr::from(prefix(world, subnet) + 4).to_string()
}

/// An address of a subnet that no private endpoint has. Those of nodes are below.
pub(crate) fn free_address(world: &World, subnet: &str, taken: u32) -> String {
    let is_here =
        |one: &&Value| one["properties"]["subnet"]["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(subnet));
    let count = |one: &Value| one["members"].as_array().map_or(0, Vec::len);
    let used: usize = super::endpoints(world).filter(is_here).map(count).sum();
    let used = u32::try_from(used).unwrap_or_default();
    Ipv4Addr::from(prefix(world, subnet) + 100 + used + taken).to_string()
}
