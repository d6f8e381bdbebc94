//! The way to a registry's private endpoint: the nodes' DNS, the zone with its link and records, and the endpoint's network.

use super::{
    catalogue::FindingId,
    command::Command,
    facts::{Distance, Facts, NetworkFacts, Unread},
    finding::{Finding, FindingStatus},
    nodes::of_cluster,
    stage::PullStage,
    text::NextStep,
};
use crate::{
    id::ResourceId,
    inventory::{ClusterSettings, PrivateDnsZone, PrivateEndpoint, VirtualNetwork, ZoneOfEndpoint},
    registry::RegistrySettings,
};
use std::{fmt, net::IpAddr};

/// The name of the private DNS zone that decides about a host.
pub(crate) fn zone_name(login_server: &str) -> String {
    let (_, suffix) = login_server.split_once('.').unwrap_or(("", login_server));
    format!("privatelink.{suffix}")
}

/// What is known of the private path. Findings are large.
pub(super) enum Path {
    /// Nodes reach the endpoint, for this reason.
    Complete(String),
    /// The same, but the layers' hosts have no record.
    WithoutLayers(String, Box<Finding>),
    /// Names lead to the public address, or it is not known where they lead.
    Incomplete(Box<Finding>),
    /// Names lead into the zone, and no further.
    Found(Box<Finding>),
}

impl Path {
    fn incomplete(found: Finding) -> Self {
        Self::Incomplete(Box::new(found))
    }

    fn found(found: Finding) -> Self {
        Self::Found(Box::new(found))
    }
}

/// Whether the nodes' requests to the registry go through their HTTP proxy.
pub(super) fn uses_proxy(cluster: &ClusterSettings, settings: &RegistrySettings) -> bool {
    cluster.has_http_proxy && hosts(settings).any(|host| !cluster.no_proxy.iter().any(|entry| exempts(entry, host)))
}

/// The hosts that a private endpoint has addresses for.
fn hosts(settings: &RegistrySettings) -> impl Iterator<Item = &str> {
    std::iter::once(settings.registry.login_server.as_str()).chain(settings.data_hosts.iter().map(String::as_str))
}

/// Whether an entry of `noProxy` means a host: a domain contains the names below it, and with a dot in front only those. See
/// [`httpproxy`](https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config). AKS rejects wildcards.
fn exempts(entry: &str, host: &str) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    let domain = entry.strip_prefix('.').unwrap_or(&entry);
    let is_below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')) && !domain.is_empty();
    is_below || host == entry
}

pub(super) fn path(facts: &Facts, cluster: &ClusterSettings, settings: &RegistrySettings) -> Path {
    if uses_proxy(cluster, settings) {
        return Path::incomplete(proxy(facts, settings));
    }
    let network = match &facts.network.network {
        Some(Ok(network)) => network,
        Some(Err(unread)) => return Path::incomplete(unread_path(facts, settings, unread)),
        None => {
            return Path::incomplete(unknown_path(facts, settings, "the virtual network of the nodes is not known"));
        }
    };
    if !network.uses_azure_dns() {
        let found = unknown_path(facts, settings, "the nodes' network has its own DNS servers");
        let servers = network.dns_servers.join(", ");
        return Path::incomplete(found.seen("virtual network", "dhcpOptions.dnsServers", servers));
    }
    let layers = match deciding_zone(facts, settings, network).and_then(|zone| names(facts, settings, network, &zone)) {
        Ok(layers) => layers,
        Err(path) => return path,
    };
    match (route(facts, settings, network), layers) {
        (Path::Complete(by), Some(found)) => Path::WithoutLayers(by, Box::new(found)),
        (path, _) => path,
    }
}

/// The zone that decides in the nodes' network: a network is linked to at most one of a name.
struct DecidingZone<'f> {
    zone: &'f PrivateDnsZone,
    /// The records as the endpoint's zone group has written them, if it has one for this name.
    written: Option<&'f ZoneOfEndpoint>,
    /// Whether they are written into this zone. Those of another one are kept in another way.
    is_written: bool,
    endpoint: Option<&'f PrivateEndpoint>,
}

impl DecidingZone<'_> {
    /// The addresses that a record must have, if they are known.
    fn expected(&self, host: &str, record: &str) -> Option<&Vec<IpAddr>> {
        let written = self.written.and_then(|written| written.records.get(record));
        written.or_else(|| self.endpoint.and_then(|endpoint| endpoint.addresses.get(host)))
    }
}

fn deciding_zone<'f>(
    facts: &'f Facts,
    settings: &RegistrySettings,
    network: &VirtualNetwork,
) -> Result<DecidingZone<'f>, Path> {
    let NetworkFacts { zone_of, zone, linked, endpoints, .. } = &facts.network;
    let endpoint = facts.network.nearest().map(|(_, endpoint)| endpoint);
    let of = |zone, written, is_written| DecidingZone { zone, written, is_written, endpoint };
    let written = match zone_of {
        Some(Ok(written)) => written.as_ref(),
        Some(Err(unread)) => return Err(Path::incomplete(unread_path(facts, settings, unread))),
        None => {
            let unread = endpoints.iter().find_map(|one| one.as_ref().err());
            return Err(Path::incomplete(unread.map_or_else(
                || unknown_path(facts, settings, "its private endpoints could not be determined"),
                |unread| unread_path(facts, settings, unread),
            )));
        }
    };
    if let Some(Ok(Some(zone))) = linked {
        return Ok(of(zone, written, false));
    }
    match (written, zone) {
        (Some(_), Some(Ok(zone))) if zone.link_to(&network.id).is_some() => Ok(of(zone, written, true)),
        (Some(_), Some(Ok(zone))) => {
            let found = not_linked(facts, network, &zone.id);
            Err(Path::incomplete(match linked {
                None => found,
                Some(Ok(_)) => {
                    let text = format!("{}, nor is another zone of that name that you can read", found.message);
                    found.saying(text)
                }
                Some(Err(unread)) => {
                    let text = format!("{}; whether another zone of that name is could not be read", found.message);
                    let found = Finding { status: FindingStatus::Unknown, ..found };
                    found.saying(text).needing(unread.need.clone())
                }
            }))
        }
        (Some(written), Some(Err(unread))) => {
            let found = Finding::unknown(FindingId::PRIVATE_ZONE_NOT_LINKED);
            let text = format!("whether zone {} is linked to the nodes' network could not be read", written.zone);
            Err(Path::incomplete(found.saying(text).needing(unread.need.clone())))
        }
        _ => Err(Path::incomplete(without_zone_group(facts, settings))),
    }
}

/// The last part of the path, once names lead to the endpoint.
fn route(facts: &Facts, settings: &RegistrySettings, network: &VirtualNetwork) -> Path {
    match facts.network.nearest() {
        Some((Distance::SameNetwork, endpoint)) => {
            Path::Complete(format!("private endpoint {} in the nodes' network", endpoint.id.name()))
        }
        Some((Distance::Peered, endpoint)) => {
            Path::Complete(format!("private endpoint {} in a peered network", endpoint.id.name()))
        }
        Some((Distance::Elsewhere, endpoint)) => Path::found(elsewhere(facts, settings, network, endpoint)),
        None => Path::found(match facts.network.endpoints.iter().find_map(|one| one.as_ref().err()) {
            Some(unread) => unread_path(facts, settings, unread),
            None => unknown_path(facts, settings, "the network of its private endpoint is not known"),
        }),
    }
}

/// Whether names lead to the endpoint. What is missing only for the layers does not end the path.
fn names(
    facts: &Facts,
    settings: &RegistrySettings,
    network: &VirtualNetwork,
    of_network: &DecidingZone<'_>,
) -> Result<Option<Finding>, Path> {
    let zone = of_network.zone;
    let is_public_otherwise = zone.link_to(&network.id).is_some_and(|(_, is_public)| *is_public);
    let all: Vec<(&str, String)> = hosts(settings).map(|host| (host, record_of(&zone.id, host))).collect();
    let missing: Vec<&(&str, String)> = all.iter().filter(|(_, record)| !zone.records.contains_key(record)).collect();
    let layers = if missing.is_empty() {
        None
    } else {
        let found = record_missing(facts, settings, of_network, &missing, all.len());
        if is_public_otherwise {
            return Err(Path::incomplete(found));
        }
        if found.stage != PullStage::Layers {
            return Err(Path::found(found));
        }
        Some(found)
    };
    let differs = |(host, record): &&(&str, String)| {
        let both = of_network.expected(host, record).zip(zone.records.get(record));
        both.is_some_and(|(addresses, found)| addresses != found)
    };
    let is_kept_elsewhere = |(host, record): &(&str, String)| of_network.expected(host, record).is_none();
    if !of_network.is_written && all.iter().any(is_kept_elsewhere) {
        let why = "the addresses of the endpoint are not known, and its records are not those of a DNS zone group";
        let found = unknown_path(facts, settings, why).seen("private DNS zone", "id", &zone.id);
        return Err(Path::found(found));
    }
    match all.iter().find(differs) {
        Some((host, record)) => {
            let found = unknown_path(facts, settings, "a record leads to another address than the private endpoint's");
            let addresses = zone.records.get(record).into_iter().flatten();
            Err(Path::found(
                addresses.fold(found, |found, one| found.seen(&format!("record of {host}"), "aRecords", one)),
            ))
        }
        None => Ok(layers),
    }
}

/// The name of a host's record in a zone.
fn record_of(zone: &ResourceId, host: &str) -> String {
    let suffix = zone.name().split_once('.').map_or("", |(_, suffix)| suffix).to_ascii_lowercase();
    host.strip_suffix(&suffix).and_then(|rest| rest.strip_suffix('.')).unwrap_or(host).to_owned()
}

fn not_linked(facts: &Facts, network: &VirtualNetwork, zone: &ResourceId) -> Finding {
    let text = format!(
        "private DNS zone {} in group {} is not linked to the nodes' virtual network {}",
        zone.name(),
        zone.group(),
        network.id.name()
    );
    Finding::failing(FindingId::PRIVATE_ZONE_NOT_LINKED)
        .saying(text)
        .seen("private DNS zone", "id", zone)
        .seen("virtual network", "id", &network.id)
        .run(
            Command::new("az network private-dns link vnet create")
                .with("--resource-group", zone.group())
                .with("--zone-name", zone.name())
                .with("--name", network.id.name())
                .with("--virtual-network", &network.id)
                .words("--registration-enabled false")
                .at(zone.subscription(), facts.cluster_id.subscription()),
        )
}

fn record_missing(
    facts: &Facts,
    settings: &RegistrySettings,
    of_network: &DecidingZone<'_>,
    missing: &[&(&str, String)],
    all: usize,
) -> Finding {
    let login = settings.registry.login_server.as_str();
    let login_exists = missing.iter().all(|(host, _)| *host != login);
    // Which region's data endpoint a node is sent to is not known.
    let has_some_data = login_exists && missing.len() + 1 < all;
    let mut found = if has_some_data { Finding::unknown } else { Finding::failing }(FindingId::RECORD_MISSING);
    if login_exists {
        // The login server is reached: sign-in and authorization come first.
        found.stage = PullStage::Layers;
    }
    let names: Vec<&str> = missing.iter().map(|(_, record)| record.as_str()).collect();
    let id = &of_network.zone.id;
    let text = format!("private DNS zone {} in group {} has no record {}", id.name(), id.group(), names.join(", "));
    let found = found.saying(text).seen("private DNS zone", "id", id);
    let found = missing.iter().fold(found, |found, (host, _)| found.seen("registry", "host", host));
    // A group writes all records, and keeps them.
    if let (None, Some(endpoint)) = (of_network.written, of_network.endpoint) {
        return found.run(zone_group(facts, &endpoint.id, id));
    }
    let first = missing.first().and_then(|(host, record)| Some((record, of_network.expected(host, record)?.first()?)));
    match first {
        Some((record, address)) => found.run(
            Command::new("az network private-dns record-set a add-record")
                .with("--resource-group", id.group())
                .with("--zone-name", id.name())
                .with("--record-set-name", record)
                .with("--ipv4-address", address)
                .at(id.subscription(), facts.cluster_id.subscription()),
        ),
        None => found,
    }
}

/// A private path that only a node can prove.
fn unknown_path(facts: &Facts, settings: &RegistrySettings, why: &str) -> Finding {
    let name = settings.registry.id.name();
    let text = format!("whether the nodes reach the private endpoint of registry {name} is not known: {why}");
    let mut found = Finding::unknown(FindingId::PRIVATE_PATH_UNKNOWN).saying(text);
    if let Some(access) = &settings.public_network_access {
        found = found.seen("registry", "publicNetworkAccess", access);
    }
    if let Some(image) = &facts.image {
        let arguments = [("cluster", facts.cluster_id.to_string()), ("image", image.reference.to_string())];
        found.next_step = NextStep {
            operation: Some("prove_pull".to_owned()),
            arguments: arguments.map(|(name, value)| (name.to_owned(), value)).into(),
            ..found.next_step
        };
    }
    found
}

fn unread_path(facts: &Facts, settings: &RegistrySettings, unread: &Unread) -> Finding {
    unknown_path(facts, settings, "a part of the path could not be read").needing(unread.need.clone())
}

fn without_zone_group(facts: &Facts, settings: &RegistrySettings) -> Finding {
    let zone = zone_name(&settings.registry.login_server);
    let why = format!(
        "the endpoint has no DNS zone group with {zone}, so that its records are kept in another way, or not at all"
    );
    let found = unknown_path(facts, settings, &why);
    let Some((_, endpoint)) = facts.network.nearest() else { return found };
    let id = &endpoint.id;
    found.seen("private endpoint", "id", id).run(zone_group(facts, id, zone))
}

/// The command that lets an endpoint write its records into a zone.
fn zone_group(facts: &Facts, endpoint: &ResourceId, zone: impl fmt::Display) -> Command {
    Command::new("az network private-endpoint dns-zone-group create")
        .with("--resource-group", endpoint.group())
        .with("--endpoint-name", endpoint.name())
        .words("--name default --zone-name registry")
        .with("--private-dns-zone", zone)
        .at(endpoint.subscription(), facts.cluster_id.subscription())
}

fn elsewhere(
    facts: &Facts,
    settings: &RegistrySettings,
    network: &VirtualNetwork,
    endpoint: &PrivateEndpoint,
) -> Finding {
    let found = unknown_path(facts, settings, "its network is neither the nodes' nor connected with it by peering");
    found.seen("private endpoint", "subnet", &endpoint.network).seen("virtual network", "id", &network.id)
}

/// The proxy resolves names itself, and may be anywhere.
fn proxy(facts: &Facts, settings: &RegistrySettings) -> Finding {
    let all: Vec<&str> = hosts(settings).collect();
    let text = "the nodes reach the registry through their HTTP proxy, and whether that reaches the private endpoint is not known";
    let mut found = Finding::unknown(FindingId::PROXY_BLOCKS).saying(text);
    found.next_step.summary = format!("add {} to noProxy in the cluster's proxy configuration", all.join(" and "));
    found
        .seen("cluster", "httpProxyConfig.noProxy", all.join(", "))
        .run(of_cluster("az aks update", &facts.cluster_id).words("--http-proxy-config FILE"))
}
