//! How names are resolved inside of a network: by private DNS zones that are linked to it, or by DNS servers of its own.

use serde_json::Value;

use super::Hosts;
use crate::node::NetworkFailure;
use crate::world::World;

/// Azure's name server, which is the same in all networks: see
/// [168.63.129.16](https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
pub(crate) const AZURE: &str = "168.63.129.16";

/// Where a name leads.
pub(super) enum Found {
    Public,
    /// To an address of a private zone.
    Private(String),
}

/// What a node of a network finds.
pub(super) fn look_up(world: &World, network: &str, host: &str) -> Result<Found, NetworkFailure> {
    let own = servers(world, network);
    let Some(server) = own.first().filter(|server| **server != AZURE) else {
        return of_azure(world, network, host).ok_or(NetworkFailure::NoSuchHost);
    };
    let Hosts { name_servers, .. } = &world.hosts;
    match name_servers.get(*server) {
        None => Err(NetworkFailure::NameServer { server: (*server).to_owned(), is_silent: true }),
        Some(None) => Ok(Found::Public),
        Some(Some(hub)) => of_azure(world, hub, host)
            .ok_or_else(|| NetworkFailure::NameServer { server: (*server).to_owned(), is_silent: false }),
    }
}

/// The DNS servers that a network names; none: Azure's.
fn servers<'w>(world: &'w World, network: &str) -> Vec<&'w str> {
    let servers = world
        .resources
        .get(&network.to_ascii_lowercase())
        .and_then(|network| network["properties"]["dhcpOptions"]["dnsServers"].as_array());
    servers.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What Azure's own server answers in a network. The public name of a registry with a private endpoint is an alias below `privatelink`, so
/// that a linked zone of that name decides: [private link](https://learn.microsoft.com/azure/container-registry/container-registry-private-link).
fn of_azure(world: &World, network: &str, host: &str) -> Option<Found> {
    let is_alias = world.registry_of_any_host(host).is_some_and(|registry| {
        let connections = registry.properties["privateEndpointConnections"].as_array();
        connections.is_some_and(|all| !all.is_empty()) && !registry.is_blob_host(host)
    });
    let suffix = "azurecr.io";
    let Some(record) = host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).filter(|_| is_alias) else {
        return Some(Found::Public);
    };
    let Some((zone, link)) = linked(world, network, &format!("privatelink.{suffix}")) else {
        return Some(Found::Public);
    };
    if let Some(address) = address(world, zone, record) {
        return Some(Found::Private(address));
    }
    // See `VirtualNetworkLink.resolutionPolicy` in the API of private DNS, 2024-06-01.
    (link["properties"]["resolutionPolicy"] == "NxDomainRedirect").then_some(Found::Public)
}

/// The zone of a name that is linked to a network, with the link. A network has at most one of each name.
fn linked<'w>(world: &'w World, network: &str, name: &str) -> Option<(&'w str, &'w Value)> {
    let is_to = |link: &Value| {
        let to = link["properties"]["virtualNetwork"]["id"].as_str();
        link["type"] == "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
            && to.is_some_and(|id| id.eq_ignore_ascii_case(network))
    };
    world.resources.iter().filter(|(_, body)| is_to(body)).find_map(|(id, link)| {
        let (zone, _) = id.split_once("/virtualnetworklinks/")?;
        zone.ends_with(&format!("/privatednszones/{name}")).then_some((zone, link))
    })
}

/// The address of a record.
fn address(world: &World, zone: &str, record: &str) -> Option<String> {
    let found = world.resources.get(&format!("{zone}/a/{record}").to_ascii_lowercase())?;
    found["properties"]["aRecords"][0]["ipv4Address"].as_str().map(str::to_owned)
}
