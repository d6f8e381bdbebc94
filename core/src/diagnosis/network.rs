//! The stage network, from outside: the registry's access settings, private endpoints, and the nodes' addresses.

use super::{
    catalogue::FindingId,
    command::Command,
    facts::{Facts, Unread},
    finding::{Finding, Need},
    outcome::Outcome,
    private_path::{self, Path},
    stage::PullStage,
};
use crate::{
    id::ResourceId,
    inventory::{ClusterSettings, VirtualNetwork},
    registry::{PrivateEndpointConnection, RegistrySettings},
};
use std::net::IpAddr;

/// Outbound types without a way to public addresses. See [Customize cluster egress with outbound
/// types](https://learn.microsoft.com/azure/aks/egress-outboundtype).
const NO_EGRESS: [&str; 2] = ["none", "block"];
/// Outbound types whose public addresses the cluster reports.
const REPORTED: [&str; 2] = ["loadBalancer", "managedNATGateway"];
/// The outbound type whose public addresses are those of the subnet's NAT gateway.
const GATEWAY: &str = "userAssignedNATGateway";

/// The stage, and what is known of the layers: the registry's data endpoints have names of their own.
pub(super) fn network(facts: &Facts) -> (Outcome, Option<Outcome>) {
    let outcome = Outcome::of(PullStage::Network);
    let Ok(Some(settings)) = &facts.registry else { return (outcome, None) };
    if let Some(found) = closed(settings, &facts.cluster_id) {
        return (outcome.with(found), None);
    }
    let Ok(cluster) = &facts.cluster else { return (outcome, None) };
    let public = || public(facts, cluster, settings);
    if !has_approved_endpoint(settings) {
        let stage = public();
        let pending = pending(settings, &facts.cluster_id).filter(|_| stage.passes());
        return (pending.into_iter().fold(stage, Outcome::with), None);
    }
    let stage = match private_path::path(facts, cluster, settings) {
        Path::Complete(by) => outcome.passed_by(by),
        Path::WithoutLayers(by, found) => {
            return (outcome.passed_by(by), Some(Outcome::of(PullStage::Layers).with(*found)));
        }
        Path::Found(found) => outcome.with(*found),
        // Where the public address is good enough, a private path that is incomplete does not matter.
        Path::Incomplete(found) => Some(public()).filter(Outcome::passes).unwrap_or_else(|| outcome.with(*found)),
    };
    (stage, None)
}

/// Whether the registry's firewall depends on the nodes' addresses, so that these have to be read.
pub(crate) fn depends_on_addresses(cluster: &ClusterSettings, settings: &RegistrySettings) -> bool {
    denies(settings) && !is_private_only(settings) && !is_closed(settings) && !has_no_egress(cluster)
}

/// Whether the nodes' network and the registry's private endpoints decide, so that these have to be read.
pub(crate) fn depends_on_network(cluster: &ClusterSettings, settings: &RegistrySettings) -> bool {
    let has_own_subnet = cluster.node_pools.iter().any(|pool| pool.subnet.is_some());
    let by_subnet = has_own_subnet && (denies(settings) || has_no_egress(cluster));
    !is_closed(settings) && (has_approved_endpoint(settings) || by_subnet)
}

/// Whether the cluster reports the addresses of its nodes towards the Internet.
pub(crate) fn reports_addresses(cluster: &ClusterSettings, settings: &RegistrySettings) -> bool {
    let kind = cluster.outbound_type.as_deref();
    let is_reported = kind.is_some_and(|kind| REPORTED.iter().any(|one| one.eq_ignore_ascii_case(kind)));
    is_reported && has_own_way(cluster, settings) && !cluster.outbound_addresses.is_empty()
}

/// The NAT gateway whose addresses are those of the nodes.
pub(crate) fn nat_gateway<'n>(cluster: &ClusterSettings, network: &'n VirtualNetwork) -> Option<&'n ResourceId> {
    let is_used = cluster.outbound_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(GATEWAY));
    let subnets = cluster.node_pools.iter().filter_map(|pool| network.subnet(pool.subnet.as_deref()?));
    let mut gateways = subnets.map(|subnet| subnet.nat_gateway.as_ref());
    let first = gateways.next()??;
    // With several gateways, the address depends on the pool.
    let is_same = |other: Option<&ResourceId>| other.is_some_and(|other| other.is(first.as_str()));
    (is_used && gateways.all(is_same) && !cluster.has_node_addresses && !cluster.has_http_proxy).then_some(first)
}

/// Whether the registry sees the addresses of the cluster's outbound type: not those of nodes, and not that of a proxy.
fn has_own_way(cluster: &ClusterSettings, settings: &RegistrySettings) -> bool {
    !cluster.has_node_addresses && !private_path::uses_proxy(cluster, settings)
}

pub(super) fn denies(settings: &RegistrySettings) -> bool {
    settings.default_action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("deny"))
}

pub(super) fn is_private_only(settings: &RegistrySettings) -> bool {
    settings.public_network_access.as_deref().is_some_and(|access| access.eq_ignore_ascii_case("disabled"))
}

/// Whether the nodes have no way to public addresses.
pub(crate) fn has_no_egress(cluster: &ClusterSettings) -> bool {
    cluster.outbound_type.as_deref().is_some_and(|kind| NO_EGRESS.iter().any(|none| none.eq_ignore_ascii_case(kind)))
}

fn has_approved_endpoint(settings: &RegistrySettings) -> bool {
    settings.private_endpoints.iter().any(PrivateEndpointConnection::is_approved)
}

/// Whether no node reaches the registry, or its setting is not known.
fn is_closed(settings: &RegistrySettings) -> bool {
    if is_private_only(settings) {
        return !has_approved_endpoint(settings);
    }
    settings.public_network_access.as_deref().is_some_and(|access| !access.eq_ignore_ascii_case("enabled"))
}

fn closed(settings: &RegistrySettings, cluster: &ResourceId) -> Option<Finding> {
    let access = settings.public_network_access.as_deref().filter(|_| is_closed(settings))?;
    if !is_private_only(settings) {
        return Some(odd_setting(settings, "publicNetworkAccess", access));
    }
    let name = settings.registry.id.name();
    let found = if let Some(one) = settings.private_endpoints.first() {
        let text = format!("registry {name} allows access through private endpoints only, and none is approved");
        not_approved(Finding::failing(FindingId::PRIVATE_ENDPOINT_NOT_APPROVED).saying(text), settings, one, cluster)
    } else {
        let text = format!("registry {name} allows no access from public addresses, and has no private endpoint");
        let command = Command::new("az acr update").with("--name", name).words("--public-network-enabled true");
        let command = command.at(settings.registry.id.subscription(), cluster.subscription());
        Finding::failing(FindingId::PUBLIC_ACCESS_DISABLED).saying(text).run(command)
    };
    Some(found.seen("registry", "publicNetworkAccess", access))
}

fn not_approved(
    found: Finding,
    settings: &RegistrySettings,
    one: &PrivateEndpointConnection,
    cluster: &ResourceId,
) -> Finding {
    let registry = &settings.registry.id;
    let command = Command::new("az acr private-endpoint-connection approve").with("--registry-name", registry.name());
    let command = command.with("--name", &one.name).at(registry.subscription(), cluster.subscription());
    found.seen("registry", "privateEndpointConnections.status", &one.status).run(command)
}

/// An endpoint that waits for approval, beside a public address. Whether Azure leads the registry's name to its address before it is approved is
/// documented nowhere.
fn pending(settings: &RegistrySettings, cluster: &ResourceId) -> Option<Finding> {
    let one = settings.private_endpoints.iter().find(|one| one.status.eq_ignore_ascii_case("pending"))?;
    let text = format!(
        "registry {} has a private endpoint that waits for approval: nodes whose network is linked to its DNS zone may get its address, which \
         does not respond yet",
        settings.registry.id.name()
    );
    Some(not_approved(Finding::warning(FindingId::PRIVATE_ENDPOINT_NOT_APPROVED).saying(text), settings, one, cluster))
}

/// The command that lets the registry's firewall admit an address.
pub(super) fn network_rule(settings: &RegistrySettings, address: IpAddr, cluster: &ResourceId) -> Command {
    let registry = &settings.registry.id;
    let command = Command::new("az acr network-rule add").with("--name", registry.name());
    command.with("--ip-address", address).at(registry.subscription(), cluster.subscription())
}

fn odd_setting(settings: &RegistrySettings, field: &str, value: &str) -> Finding {
    let text =
        format!("registry {} has a network setting that this version does not know", settings.registry.id.name());
    Finding::unknown(FindingId::UNKNOWN_NETWORK).saying(text).seen("registry", field, value)
}

/// The way over the registry's public address.
fn public(facts: &Facts, cluster: &ClusterSettings, settings: &RegistrySettings) -> Outcome {
    let outcome = Outcome::of(PullStage::Network);
    if is_private_only(settings) {
        return outcome;
    }
    if has_no_egress(cluster) {
        return outcome.with(no_egress(facts, cluster, settings));
    }
    match settings.default_action.as_deref() {
        None => outcome.passed_by("public access".to_owned()),
        Some(action) if action.eq_ignore_ascii_case("allow") => outcome.passed_by("public access".to_owned()),
        Some(_) if denies(settings) => firewall(outcome, facts, cluster, settings),
        Some(other) => outcome.with(odd_setting(settings, "networkRuleSet.defaultAction", other)),
    }
}

fn no_egress(facts: &Facts, cluster: &ClusterSettings, settings: &RegistrySettings) -> Finding {
    let name = settings.registry.id.name();
    let found = if let Some(subnet) = subnet_with_endpoint(facts, cluster) {
        // A service endpoint is a way of its own.
        Finding::unknown(FindingId::SUBNET_RULES_NOT_VISIBLE).seen("subnet", "serviceEndpoints", subnet)
    } else {
        let text = format!("the nodes have no way to public addresses, and registry {name} has no private endpoint");
        Finding::failing(FindingId::NO_EGRESS).saying(text)
    };
    found.seen("cluster", "networkProfile.outboundType", cluster.outbound_type.as_deref().unwrap_or_default())
}

/// A subnet of the nodes that has a service endpoint for registries.
fn subnet_with_endpoint<'c>(facts: &Facts, cluster: &'c ClusterSettings) -> Option<&'c str> {
    let Some(Ok(network)) = &facts.network.network else { return None };
    let mut subnets = cluster.node_pools.iter().filter_map(|pool| pool.subnet.as_deref());
    subnets.find(|id| network.subnet(id).is_some_and(crate::inventory::Subnet::has_registry_endpoint))
}

/// What keeps the rules for addresses from deciding. With a service endpoint, the registry sees the nodes' private addresses, and only rules
/// for subnets count, which the API in use does not show. See [Virtual network service
/// endpoints](https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview).
fn subnet_rules(facts: &Facts, cluster: &ClusterSettings) -> Option<Finding> {
    let found = Finding::unknown(FindingId::SUBNET_RULES_NOT_VISIBLE);
    if let Some(subnet) = subnet_with_endpoint(facts, cluster) {
        return Some(found.seen("subnet", "serviceEndpoints", subnet));
    }
    match &facts.network.network {
        Some(Err(Unread { need, .. })) => Some(found.needing(need.clone())),
        _ => None,
    }
}

fn firewall(outcome: Outcome, facts: &Facts, cluster: &ClusterSettings, settings: &RegistrySettings) -> Outcome {
    if let Some(found) = subnet_rules(facts, cluster) {
        return outcome.with(found);
    }
    let name = settings.registry.id.name();
    let addresses = match &facts.addresses {
        Ok(addresses) if !addresses.is_empty() => addresses,
        _ if settings.allowed_addresses.is_empty() => {
            let text = format!("the firewall of registry {name} allows no address at all");
            let found = Finding::failing(FindingId::OUTBOUND_IP_NOT_ALLOWED).saying(text);
            return outcome.with(found.seen("registry", "networkRuleSet.ipRules", "[]"));
        }
        unread => return outcome.with(unknown_address(cluster, unread.as_ref().err())),
    };
    let denied: Vec<&IpAddr> = addresses.iter().filter(|one| !is_allowed(settings, **one)).collect();
    let Some(first) = denied.first() else {
        return outcome.passed_by("network rules".to_owned());
    };
    let all = denied.len() == addresses.len();
    let found = if all { Finding::failing } else { Finding::warning }(FindingId::OUTBOUND_IP_NOT_ALLOWED);
    let which = if all { "none" } else { "only some" };
    let text = format!("the firewall of registry {name} allows {which} of the cluster's addresses");
    let found = denied.iter().fold(found.saying(text), |found, one| found.seen("public IP address", "ipAddress", one));
    let found = found.seen("registry", "networkRuleSet.ipRules", settings.allowed_addresses.join(", "));
    outcome.with(found.run(network_rule(settings, **first, &facts.cluster_id)))
}

fn unknown_address(cluster: &ClusterSettings, unread: Option<&Unread>) -> Finding {
    let kind = cluster.outbound_type.as_deref().unwrap_or("not reported");
    let found = Finding::unknown(FindingId::OUTBOUND_IP_UNKNOWN).seen("cluster", "networkProfile.outboundType", kind);
    let reason = "the nodes' addresses could not be read from the cluster";
    let need = unread.map(|unread| unread.need.clone()).filter(|need| need.action.is_some());
    let found = need.map_or(found.clone(), |need| found.needing(need));
    found.needing(Need::option("outbound_addresses", reason))
}

/// Whether a rule contains the address. A rule that is neither an address nor a range allows nothing.
fn is_allowed(settings: &RegistrySettings, address: IpAddr) -> bool {
    settings.allowed_addresses.iter().any(|rule| {
        if let Ok(one) = rule.parse::<IpAddr>() {
            return one == address;
        }
        rule.parse::<ipnet::IpNet>().is_ok_and(|range| range.contains(&address))
    })
}
