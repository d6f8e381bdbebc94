//! The way to a registry's private endpoint: the nodes' DNS, the zone with its link and records, and the endpoint's network.

use super::{
    catalogue::FindingId,
    command::Command,
    facts::{Distance, Facts, Unread},
    finding::Finding,
    nodes::of_cluster,
    stage::PullStage,
    text::NextStep,
};
use crate::{
    id::ResourceId,
    inventory::{ClusterSettings, PrivateDnsZone, PrivateEndpoint, VirtualNetwork, ZoneOfEndpoint},
    registry::RegistrySettings,
};

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
    let of_zone = match (&facts.network.zone_of, &facts.network.zone) {
        (Some(Ok(Some(written))), Some(Ok(zone))) => names(facts, settings, network, (zone, written)),
        (Some(Ok(Some(written))), Some(Err(unread))) => {
            let found = Finding::unknown(FindingId::PRIVATE_ZONE_NOT_LINKED);
            let text = format!("whether zone {} is linked to the nodes' network could not be read", written.zone);
            Err(Path::incomplete(found.saying(text).needing(unread.need.clone())))
        }
        (Some(Err(unread)), _) => Err(Path::incomplete(unread_path(facts, settings, unread))),
        (Some(Ok(None)), _) => Err(Path::incomplete(without_zone_group(facts, settings))),
        _ => {
            let unread = facts.network.endpoints.iter().find_map(|one| one.as_ref().err());
            Err(Path::incomplete(unread.map_or_else(
                || unknown_path(facts, settings, "its private endpoints could not be determined"),
                |unread| unread_path(facts, settings, unread),
            )))
        }
    };
    match of_zone {
        Err(path) => path,
        Ok(layers) => match (route(facts, settings, network), layers) {
            (Path::Complete(by), Some(found)) => Path::WithoutLayers(by, Box::new(found)),
            (path, _) => path,
        },
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
    (zone, written): (&PrivateDnsZone, &ZoneOfEndpoint),
) -> Result<Option<Finding>, Path> {
    let Some((_, is_public_otherwise)) = zone.links.iter().find(|(id, _)| network.id.is(id)) else {
        return Err(Path::incomplete(not_linked(facts, network, &zone.id)));
    };
    let all: Vec<(&str, String)> = hosts(settings).map(|host| (host, record_of(&zone.id, host))).collect();
    let missing: Vec<&(&str, String)> = all.iter().filter(|(_, record)| !zone.records.contains_key(record)).collect();
    let layers = if missing.is_empty() {
        None
    } else {
        let found = record_missing(facts, settings, (zone, written), &missing, all.len());
        if *is_public_otherwise {
            return Err(Path::incomplete(found));
        }
        if found.stage != PullStage::Layers {
            return Err(Path::found(found));
        }
        Some(found)
    };
    let differs = |(_, record): &&(&str, String)| {
        let both = written.records.get(record).zip(zone.records.get(record));
        both.is_some_and(|(addresses, found)| addresses != found)
    };
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
    (zone, written): (&PrivateDnsZone, &ZoneOfEndpoint),
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
    let id = &zone.id;
    let text = format!("private DNS zone {} in group {} has no record {}", id.name(), id.group(), names.join(", "));
    let found = found.saying(text).seen("private DNS zone", "id", id);
    let found = missing.iter().fold(found, |found, (host, _)| found.seen("registry", "host", host));
    let first = missing.first().and_then(|(_, record)| Some((record, written.records.get(record)?.first()?)));
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
    found.seen("private endpoint", "id", id).run(
        Command::new("az network private-endpoint dns-zone-group create")
            .with("--resource-group", id.group())
            .with("--endpoint-name", id.name())
            .words("--name default --zone-name registry")
            .with("--private-dns-zone", zone)
            .at(id.subscription(), facts.cluster_id.subscription()),
    )
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
