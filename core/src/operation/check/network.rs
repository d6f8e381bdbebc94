//! Reads what a check needs of networks: the nodes' own, the registry's private endpoints with their DNS, and addresses.

use super::ended::unless_ended;
use crate::{
    call::Call,
    diagnosis::{
        facts::{NetworkFacts, Read},
        private_path::zone_name,
    },
    error::Result,
    id::ResourceId,
    inventory::{ClusterSettings, PrivateDnsZone, VirtualNetwork, ZoneOfEndpoint, network::network_of},
    operation::Parts,
    registry::{PrivateEndpointConnection, RegistrySettings},
};
use futures::{
    future::{OptionFuture, join_all},
    join,
};
use std::net::IpAddr;

/// How many addresses of a cluster are read; a load balancer has at most 100, and rules usually contain ranges.
const MOST_ADDRESSES: usize = 16;
/// The same of a NAT gateway, which is read in one step more.
const MOST_OF_GATEWAY: usize = 4;
/// How many private endpoints are read, if none is in the nodes' network.
const MOST_ENDPOINTS: usize = 2;
/// How many zones of one name are read. A network is linked to at most one.
const MOST_ZONES: usize = 2;

/// The nodes' network, and of the nearest private endpoint its DNS zone: at most 6 requests, and at most 5 more if that is not linked to the
/// network.
pub(super) async fn read(
    parts: &Parts,
    cluster: &ClusterSettings,
    settings: &RegistrySettings,
    call: &Call,
) -> Result<NetworkFacts> {
    let approved = settings.private_endpoints.iter().filter(|one| one.is_approved());
    let known: Vec<&ResourceId> =
        approved.filter_map(|one: &PrivateEndpointConnection| one.endpoint.as_ref()).collect();
    // With one endpoint, everything that is named already is read at once.
    let only = Some(&known).filter(|known| known.len() == 1).and_then(|known| known.first().copied());
    let endpoint = OptionFuture::from(only.map(|id| parts.inventory().private_endpoint(id, call)));
    let zones = OptionFuture::from(only.map(|id| parts.inventory().zones_of_endpoint(id, call)));
    let (network, endpoint, zones) = join!(nodes_network(parts, cluster, call), endpoint, zones);
    let mut facts = NetworkFacts { network: network?, ..NetworkFacts::default() };
    facts.endpoints.extend(endpoint.map(|endpoint| unless_ended(endpoint, call)).transpose()?);
    let mut zones = zones.map(|zones| unless_ended(zones, call)).transpose()?;
    if only.is_none() && !known.is_empty() {
        let nearest = candidates(facts.network.as_ref().and_then(|network| network.as_ref().ok()), &known);
        for endpoint in join_all(nearest.iter().map(|id| parts.inventory().private_endpoint(id, call))).await {
            facts.endpoints.push(unless_ended(endpoint, call)?);
        }
        let id = facts.nearest().map(|(_, endpoint)| endpoint.id.clone());
        if let Some(id) = id {
            zones = Some(unless_ended(parts.inventory().zones_of_endpoint(&id, call).await, call)?);
        }
    }
    let wanted = zone_name(&settings.registry.login_server);
    let is_wanted = |zone: &ZoneOfEndpoint| zone.zone.name().eq_ignore_ascii_case(&wanted);
    facts.zone_of = match zones {
        Some(Ok(zones)) => Some(Ok(zones.into_iter().find(is_wanted))),
        Some(Err(unread)) => Some(Err(unread)),
        None => None,
    };
    if let Some(Ok(Some(zone))) = &facts.zone_of
        && is_needed(&facts)
    {
        facts.zone = Some(unless_ended(parts.inventory().private_dns_zone(&zone.zone, call).await, call)?);
    }
    facts.linked = other_zone(parts, &facts, &wanted, call).await?;
    Ok(facts)
}

/// Another zone of the registry's name that the nodes' network is linked to, such as the one that a hub keeps for all networks. `None`: the
/// endpoint's own zone decides, or nothing is known that a zone could decide.
async fn other_zone(
    parts: &Parts,
    facts: &NetworkFacts,
    name: &str,
    call: &Call,
) -> Result<Option<Read<Option<PrivateDnsZone>>>> {
    let Some(Ok(network)) = facts.network.as_ref().filter(|_| is_needed(facts)) else { return Ok(None) };
    let own = match (&facts.zone_of, &facts.zone) {
        (Some(Ok(Some(_))), Some(Ok(zone))) if zone.link_to(&network.id).is_some() => return Ok(None),
        (Some(Ok(own)), _) => own.as_ref().map(|own| &own.zone),
        _ => return Ok(None),
    };
    let found = match unless_ended(parts.inventory().linked_zones(&network.id, name, call).await, call)? {
        Ok(found) => found,
        Err(unread) => return Ok(Some(Err(unread))),
    };
    // The index may lag behind the endpoint's own zone, and behind others: the zone itself says to what it is linked.
    let others = found.iter().filter(|id| own.is_none_or(|own| !own.is(id.as_str()))).take(MOST_ZONES);
    for zone in join_all(others.map(|id| parts.inventory().private_dns_zone(id, call))).await {
        match unless_ended(zone, call)? {
            Ok(zone) if zone.link_to(&network.id).is_some() => return Ok(Some(Ok(Some(zone)))),
            Ok(_) => {}
            Err(unread) => return Ok(Some(Err(unread))),
        }
    }
    Ok(Some(Ok(None)))
}

/// With DNS servers of the network's own, Azure's zones do not decide.
fn is_needed(facts: &NetworkFacts) -> bool {
    matches!(&facts.network, Some(Ok(network)) if network.uses_azure_dns())
}

/// Those in the nodes' network, or else the first ones.
fn candidates<'a>(network: Option<&VirtualNetwork>, known: &[&'a ResourceId]) -> Vec<&'a ResourceId> {
    let here: Vec<&String> =
        network.iter().flat_map(|one| &one.subnets).flat_map(|one| &one.private_endpoints).collect();
    let is_here = |id: &&&ResourceId| here.iter().any(|one| id.is(one));
    let own = known.iter().find(is_here).copied();
    own.map_or_else(|| known.iter().copied().take(MOST_ENDPOINTS).collect(), |own| vec![own])
}

/// The network that the pools name, or the one that AKS made in the group of the nodes. `None`: neither is known.
async fn nodes_network(parts: &Parts, cluster: &ClusterSettings, call: &Call) -> Result<Option<Read<VirtualNetwork>>> {
    let named = cluster.node_pools.iter().find_map(|pool| pool.subnet.as_deref());
    if let Some(subnet) = named {
        let read = match network_of(subnet).parse() {
            Ok(id) => parts.inventory().virtual_network(&id, call).await,
            Err(err) => Err(err),
        };
        return Ok(Some(unless_ended(read, call)?));
    }
    let Some(group) = &cluster.node_resource_group else { return Ok(None) };
    let group = format!("{}/resourceGroups/{group}", cluster.identities.cluster.subscription().path());
    let networks = unless_ended(parts.inventory().virtual_networks(&group, call).await, call)?;
    Ok(match networks {
        Ok(networks) => {
            let [only] = <[VirtualNetwork; 1]>::try_from(networks).map_or([None], |[one]| [Some(one)]);
            only.map(Ok)
        }
        Err(unread) => Some(Err(unread)),
    })
}

/// The addresses of public IP addresses. One that is not known could be the one that is denied.
pub(super) async fn addresses(parts: &Parts, ids: &[ResourceId], call: &Call) -> Result<Read<Vec<IpAddr>>> {
    let read = ids.iter().take(MOST_ADDRESSES).map(|id| parts.inventory().public_address(id, call));
    let mut addresses = Vec::new();
    for result in join_all(read).await {
        match unless_ended(result, call)? {
            Ok(address) => addresses.extend(address),
            Err(unread) => return Ok(Err(unread)),
        }
    }
    Ok(Ok(addresses))
}

/// The addresses of a NAT gateway. Of one with many, nothing is known.
pub(super) async fn addresses_of_gateway(parts: &Parts, id: &ResourceId, call: &Call) -> Result<Read<Vec<IpAddr>>> {
    let ids = match unless_ended(parts.inventory().nat_gateway(id, call).await, call)? {
        Ok(ids) if ids.len() > MOST_OF_GATEWAY => return Ok(Ok(Vec::new())),
        Ok(ids) => ids,
        Err(unread) => return Ok(Err(unread)),
    };
    let is_prefix = |id: &ResourceId| id.is_of_type("Microsoft.Network/publicIPPrefixes");
    let (prefixes, single): (Vec<ResourceId>, Vec<ResourceId>) = ids.into_iter().partition(is_prefix);
    let read = join_all(prefixes.iter().map(|id| parts.inventory().public_prefix(id, call)));
    let (single, ranges) = join!(addresses(parts, &single, call), read);
    let mut all = match single? {
        Ok(single) => single,
        unread @ Err(_) => return Ok(unread),
    };
    for range in ranges {
        match unless_ended(range, call)? {
            Ok(range) => all.extend(range),
            Err(unread) => return Ok(Err(unread)),
        }
    }
    Ok(Ok(all))
}
