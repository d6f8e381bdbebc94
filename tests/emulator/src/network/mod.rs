//! The way from a cluster's nodes to a host: its proxy, names, private endpoints, and addresses towards the Internet. All of it follows from
//! the resources of networks that there are.

mod names;
mod outbound;
mod proxy;
mod scene;
mod subnet;

pub(crate) use proxy::Proxy;
pub(crate) use subnet::{free_address, network_of};

use serde_json::Value;

use crate::cluster::Cluster;
use crate::node::NetworkFailure;
use crate::principal::stable_id;
use crate::registry::Registry;
use crate::world::World;
use names::Found;

/// How a request comes to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Over the Internet, as this address.
    Public(String),
    /// From a subnet with a service endpoint for registries. The service sees the private address, and knows the subnet.
    Subnet { id: String, address: String },
    /// Through a private endpoint whose connection is approved.
    Private,
}

/// The state of networks that no resource of Azure has: what users run in them.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// DNS servers, each with the network whose private zones it resolves, if any.
    pub(crate) name_servers: std::collections::BTreeMap<String, Option<String>>,
    /// HTTP proxies, by host and port.
    pub(crate) proxies: std::collections::BTreeMap<String, Proxy>,
    /// What a user's own routes lead the traffic of a network to: a firewall with this address.
    pub(crate) firewalls: std::collections::BTreeMap<String, String>,
    /// Hosts to which a firewall lets no request of a network through.
    pub(crate) blocked: Patterns,
    /// Hosts whose TLS a firewall inspects: it presents certificates of its own.
    pub(crate) inspected: Patterns,
}

/// Hosts by network, in lower case: names, or `*.` and the end of names.
pub(crate) type Patterns = std::collections::BTreeMap<String, std::collections::BTreeSet<String>>;

impl Hosts {
    /// Whether a firewall drops what is sent from a network to the public address of a host.
    fn blocks(&self, network: &str, host: &str) -> bool {
        has_pattern(&self.blocked, network, host)
    }

    /// Whether a firewall decrypts what is sent from a network to the public address of a host.
    fn inspects(&self, network: &str, host: &str) -> bool {
        has_pattern(&self.inspected, network, host)
    }
}

fn has_pattern(patterns: &Patterns, network: &str, host: &str) -> bool {
    let is_meant = |pattern: &String| match pattern.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == pattern,
    };
    patterns.get(&network.to_ascii_lowercase()).is_some_and(|all| all.iter().any(is_meant))
}

/// The way that a node of a cluster takes to a host on port 443.
pub(crate) fn way(world: &World, cluster: &Cluster, host: &str) -> Result<Way, NetworkFailure> {
    match proxy::of(cluster, host) {
        Some(address) => proxy::way(world, cluster, &address, host),
        None => direct(world, cluster, &subnet::of_nodes(world, cluster), host),
    }
}

/// The same without a proxy, from one subnet.
fn direct(world: &World, cluster: &Cluster, from: &str, host: &str) -> Result<Way, NetworkFailure> {
    let network = network_of(from);
    match names::look_up(world, network, host)? {
        Found::Private(address) => private(world, network, &address, host),
        Found::Public if world.hosts.blocks(network, host) => {
            Err(NetworkFailure::Timeout { address: public_address(host) })
        }
        Found::Public if world.hosts.inspects(network, host) => {
            Err(NetworkFailure::Tls(String::from("certificate signed by unknown authority")))
        }
        Found::Public => {
            if serves(world, host) && subnet::has_service_endpoint(world, from) {
                let address = subnet::first_address(world, from);
                return Ok(Way::Subnet { id: from.to_owned(), address });
            }
            let source = outbound::address(world, cluster, from, host);
            source.map(Way::Public).ok_or_else(|| NetworkFailure::Timeout { address: public_address(host) })
        }
    }
}

/// Whether a registry of Azure has this host as its login server.
fn serves(world: &World, host: &str) -> bool {
    world.registry_of_host(host).is_some()
}

/// Through the private endpoint that has an address. Networks route to each other if they are peered.
fn private(world: &World, network: &str, address: &str, host: &str) -> Result<Way, NetworkFailure> {
    let silent = || NetworkFailure::Timeout { address: address.to_owned() };
    let endpoint = endpoints(world).find(|one| has(one, address, host)).ok_or_else(silent)?;
    let of_endpoint = network_of(endpoint["properties"]["subnet"]["id"].as_str().unwrap_or_default());
    let is_near = of_endpoint.eq_ignore_ascii_case(network) || subnet::is_peered(world, network, of_endpoint);
    let id = endpoint["id"].as_str().unwrap_or_default();
    let registry = world.registry_of_any_host(host);
    let is_approved = registry.is_some_and(|registry| registry.connection_status(id) == Some("Approved"));
    if is_near && is_approved { Ok(Way::Private) } else { Err(silent()) }
}

/// All private endpoints.
pub(crate) fn endpoints(world: &World) -> impl Iterator<Item = &Value> {
    world.resources.values().filter(|one| one["type"] == "Microsoft.Network/privateEndpoints")
}

/// Whether an endpoint has this address for this host.
fn has(endpoint: &Value, address: &str, host: &str) -> bool {
    let members = endpoint["members"].as_array().into_iter().flatten();
    members.map(|one| &one["properties"]).any(|one| one["privateIPAddress"] == address && one["fqdn"] == host)
}

/// The public address of a host: one of those that [are for documentation](https://www.rfc-editor.org/rfc/rfc5737).
pub(crate) fn public_address(host: &str) -> String {
    let number = u8::from_str_radix(&stable_id(&format!("address/{host}"))[..2], 16).unwrap_or_default();
    format!("192.0.2.{}", number.clamp(1, 254))
}

impl Registry {
    /// What became of the connection to a private endpoint.
    pub(crate) fn connection_status(&self, endpoint: &str) -> Option<&str> {
        let connections = self.properties["privateEndpointConnections"].as_array()?;
        let is_to = |one: &&Value| {
            one["properties"]["privateEndpoint"]["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(endpoint))
        };
        connections.iter().find(is_to)?["properties"]["privateLinkServiceConnectionState"]["status"].as_str()
    }
}
