//! The addresses that nodes have towards the Internet, by the cluster's outbound type: see [Customize cluster egress with outbound
//! types](https://learn.microsoft.com/azure/aks/egress-outboundtype).

use serde_json::Value;

use super::{network_of, public_address};
use crate::cluster::Cluster;
use crate::principal::stable_id;
use crate::world::World;

/// The address that a host sees, `None` without a way to it.
pub(super) fn address(world: &World, cluster: &Cluster, subnet: &str, host: &str) -> Option<String> {
    let body = cluster.body(world);
    let properties = &body["properties"];
    let kind = properties["networkProfile"]["outboundType"].as_str().unwrap_or_default();
    let pools = properties["agentPoolProfiles"].as_array().cloned().unwrap_or_default();
    if pools.iter().any(|pool| pool["enableNodePublicIP"] == true) {
        // An address of the node's own comes before all others.
        return Some(public_address(&format!("{}/node", cluster.id())));
    }
    match kind {
        "none" | "block" => None,
        "userDefinedRouting" => Some(firewall(world, network_of(subnet))),
        "userAssignedNATGateway" => one_of(gateway(world, subnet), cluster, host),
        _ => {
            let profile = if kind == "managedNATGateway" { "natGatewayProfile" } else { "loadBalancerProfile" };
            let ids = properties["networkProfile"][profile]["effectiveOutboundIPs"].as_array().cloned();
            let ids = ids.unwrap_or_default();
            let shown = ids.iter().filter_map(|one| of_id(world, one["id"].as_str()?)).collect::<Vec<_>>();
            Some(one_of(shown, cluster, host).unwrap_or_else(|| world.addresses.nodes.clone()))
        }
    }
}

/// Each flow has one of the addresses; here it is always the same for a cluster and a host.
fn one_of(addresses: Vec<String>, cluster: &Cluster, host: &str) -> Option<String> {
    let number = usize::from_str_radix(&stable_id(&format!("{}/{host}", cluster.id()))[..4], 16).unwrap_or_default();
    let at = number.checked_rem(addresses.len())?;
    addresses.into_iter().nth(at)
}

/// The address of a resource: one that is kept, or the one that AKS made for a cluster.
fn of_id(world: &World, id: &str) -> Option<String> {
    let kept = world.resources.get(&id.to_ascii_lowercase());
    let address = kept.and_then(|one| one["properties"]["ipAddress"].as_str());
    address.map(str::to_owned).or_else(|| {
        let is_of = |one: &Cluster| one.address_id().is_some_and(|own| own.eq_ignore_ascii_case(id));
        world.clusters.iter().any(is_of).then(|| world.addresses.nodes.clone())
    })
}

/// The addresses of the NAT gateway of a subnet.
fn gateway(world: &World, subnet: &str) -> Vec<String> {
    let properties = |id: &str| world.resources.get(&id.to_ascii_lowercase()).map(|one| &one["properties"]);
    let gateway = properties(subnet).and_then(|subnet| properties(subnet["natGateway"]["id"].as_str()?));
    let ids = |kind: &str| gateway.and_then(|one| one[kind].as_array()).into_iter().flatten();
    let single = ids("publicIpAddresses").filter_map(|one| of_id(world, one["id"].as_str()?));
    // The first address of each range.
    let first =
        |one: &Value| Some(properties(one["id"].as_str()?)?["ipPrefix"].as_str()?.split('/').next()?.to_owned());
    single.chain(ids("publicIpPrefixes").filter_map(first)).collect()
}

/// What a user's own routes lead to: a firewall that was set up, or one whose address is nobody's business.
fn firewall(world: &World, network: &str) -> String {
    let known = world.hosts.firewalls.get(&network.to_ascii_lowercase());
    known.cloned().unwrap_or_else(|| public_address(&format!("{network}/firewall")))
}
