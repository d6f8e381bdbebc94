//! The stage network, as far as it is known from outside: the registry's access settings and the nodes' addresses.

use super::{
    catalogue::FindingId,
    facts::Facts,
    finding::{Finding, Need},
    outcome::Outcome,
    stage::PullStage,
};
use crate::{
    inventory::ClusterSettings,
    registry::{PrivateEndpointConnection, RegistrySettings},
};
use std::net::IpAddr;

/// Outbound types without a way to public addresses. See [Customize cluster egress with outbound
/// types](https://learn.microsoft.com/azure/aks/egress-outboundtype).
const NO_EGRESS: [&str; 2] = ["none", "block"];
/// Outbound types whose public addresses the cluster reports.
const REPORTED: [&str; 2] = ["loadBalancer", "managedNATGateway"];

pub(super) fn network(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Network);
    let (Ok(cluster), Ok(Some(settings))) = (&facts.cluster, &facts.registry) else { return outcome };
    if let Some(found) = private_only(settings) {
        return outcome.with(found);
    }
    if has_no_egress(cluster) {
        return outcome.with(no_egress(cluster, settings));
    }
    match settings.default_action.as_deref() {
        None => outcome.passed_by("public access".to_owned()),
        Some(action) if action.eq_ignore_ascii_case("allow") => outcome.passed_by("public access".to_owned()),
        Some(action) if action.eq_ignore_ascii_case("deny") => firewall(outcome, facts, cluster, settings),
        Some(other) => outcome.with(odd_setting(settings, "networkRuleSet.defaultAction", other)),
    }
}

/// Whether the registry's firewall depends on the nodes' addresses, so that these have to be read.
pub(crate) fn depends_on_addresses(cluster: &ClusterSettings, settings: &RegistrySettings) -> bool {
    let denies = settings.default_action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("deny"));
    denies && private_only(settings).is_none() && !has_no_egress(cluster) && !has_approved_endpoint(settings)
}

/// Whether the cluster reports the addresses of its nodes towards the Internet.
pub(crate) fn reports_addresses(cluster: &ClusterSettings) -> bool {
    let kind = cluster.outbound_type.as_deref();
    let is_reported = kind.is_some_and(|kind| REPORTED.iter().any(|one| one.eq_ignore_ascii_case(kind)));
    is_reported && !cluster.has_node_addresses && !cluster.has_http_proxy && !cluster.outbound_addresses.is_empty()
}

fn has_no_egress(cluster: &ClusterSettings) -> bool {
    cluster.outbound_type.as_deref().is_some_and(|kind| NO_EGRESS.iter().any(|none| none.eq_ignore_ascii_case(kind)))
}

fn has_approved_endpoint(settings: &RegistrySettings) -> bool {
    settings.private_endpoints.iter().any(PrivateEndpointConnection::is_approved)
}

/// The finding for a registry that public addresses do not reach.
fn private_only(settings: &RegistrySettings) -> Option<Finding> {
    let access = settings.public_network_access.as_deref()?;
    if access.eq_ignore_ascii_case("enabled") {
        return None;
    }
    if !access.eq_ignore_ascii_case("disabled") {
        return Some(odd_setting(settings, "publicNetworkAccess", access));
    }
    let name = settings.registry.id.name();
    let found = if has_approved_endpoint(settings) {
        private_path(name)
    } else if let Some(one) = settings.private_endpoints.first() {
        let text = format!("registry {name} allows access through private endpoints only, and none is approved");
        let found = Finding::failing(FindingId::PRIVATE_ENDPOINT_NOT_APPROVED).saying(text);
        let command = format!("az acr private-endpoint-connection approve --registry-name {name} --name {}", one.name);
        found.seen("registry", "privateEndpointConnections.status", &one.status).run(command)
    } else {
        let text = format!("registry {name} allows no access from public addresses, and has no private endpoint");
        let command = format!("az acr update --name {name} --public-network-enabled true");
        Finding::failing(FindingId::PUBLIC_ACCESS_DISABLED).saying(text).run(command)
    };
    Some(found.seen("registry", "publicNetworkAccess", access))
}

fn private_path(name: &str) -> Finding {
    let text = format!("whether the nodes reach the private endpoint of registry {name} is not known from outside");
    Finding::unknown(FindingId::PRIVATE_PATH_UNKNOWN).saying(text)
}

fn odd_setting(settings: &RegistrySettings, field: &str, value: &str) -> Finding {
    let text =
        format!("registry {} has a network setting that this version does not know", settings.registry.id.name());
    Finding::unknown(FindingId::UNKNOWN_NETWORK).saying(text).seen("registry", field, value)
}

fn no_egress(cluster: &ClusterSettings, settings: &RegistrySettings) -> Finding {
    let name = settings.registry.id.name();
    let found = if has_approved_endpoint(settings) {
        private_path(name)
    } else {
        let text = format!("the nodes have no way to public addresses, and registry {name} has no private endpoint");
        Finding::failing(FindingId::NO_EGRESS).saying(text)
    };
    found.seen("cluster", "networkProfile.outboundType", cluster.outbound_type.as_deref().unwrap_or_default())
}

fn firewall(outcome: Outcome, facts: &Facts, cluster: &ClusterSettings, settings: &RegistrySettings) -> Outcome {
    let name = settings.registry.id.name();
    if has_approved_endpoint(settings) {
        return outcome.with(private_path(name));
    }
    let addresses = match &facts.addresses {
        Ok(addresses) if !addresses.is_empty() => addresses,
        unread => {
            let kind = cluster.outbound_type.as_deref().unwrap_or("not reported");
            let found =
                Finding::unknown(FindingId::OUTBOUND_IP_UNKNOWN).seen("cluster", "networkProfile.outboundType", kind);
            let reason = "the nodes' addresses could not be read from the cluster";
            let need = unread.as_ref().err().map(|unread| unread.need.clone()).filter(|need| need.action.is_some());
            let found = need.map_or(found.clone(), |need| found.needing(need));
            return outcome.with(found.needing(Need::option("outbound_addresses", reason)));
        }
    };
    let denied: Vec<&IpAddr> = addresses.iter().filter(|one| !is_allowed(settings, **one)).collect();
    let Some(first) = denied.first() else {
        return outcome.passed_by("network rules".to_owned());
    };
    let subnet = cluster.node_pools.iter().find_map(|pool| pool.subnet.as_ref());
    if let Some(subnet) = subnet {
        let found = Finding::unknown(FindingId::SUBNET_RULES_NOT_VISIBLE).seen("cluster", "vnetSubnetID", subnet);
        return outcome.with(found.seen("public IP address", "ipAddress", first));
    }
    let all = denied.len() == addresses.len();
    let found = if all { Finding::failing } else { Finding::warning }(FindingId::OUTBOUND_IP_NOT_ALLOWED);
    let which = if all { "none" } else { "only some" };
    let text = format!("the firewall of registry {name} allows {which} of the cluster's addresses");
    let found = denied.iter().fold(found.saying(text), |found, one| found.seen("public IP address", "ipAddress", one));
    let found = found.seen("registry", "networkRuleSet.ipRules", settings.allowed_addresses.join(", "));
    outcome.with(found.run(format!("az acr network-rule add --name {name} --ip-address {first}")))
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
