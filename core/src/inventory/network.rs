//! Virtual networks, private endpoints, private DNS zones and NAT gateways: what decides how nodes reach a registry.

use crate::{
    action::{READ_ENDPOINT, READ_GATEWAY, READ_LINKS, READ_NETWORK, READ_PREFIX, READ_RECORDS, READ_ZONE_GROUPS},
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest},
    id::ResourceId,
};
use futures::try_join;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

const API: &str = "2024-05-01";
const DNS_API: &str = "2024-06-01";
/// Larger ranges are compared with no firewall.
const MOST_OF_PREFIX: usize = 256;
const NETWORKS: &str = "Microsoft.Network/virtualNetworks";

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VirtualNetwork {
    /// Its resource ID.
    pub id: ResourceId,
    /// Its own DNS servers. Without any, Azure's server is used.
    pub dns_servers: Vec<String>,
    /// Resource IDs of the networks that it is peered with, and the state of each peering, such as `Connected`.
    pub peerings: Vec<(String, String)>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
}

/// A subnet of a virtual network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Subnet {
    /// Its resource ID.
    pub id: String,
    /// The services that it has a service endpoint for, such as `Microsoft.ContainerRegistry`.
    pub service_endpoints: Vec<String>,
    /// Its NAT gateway.
    pub nat_gateway: Option<ResourceId>,
    /// Resource IDs of the private endpoints in it.
    pub private_endpoints: Vec<String>,
}

/// A private endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrivateEndpoint {
    /// Its resource ID.
    pub id: ResourceId,
    /// Resource ID of its virtual network.
    pub network: String,
    /// Its addresses by the names that lead to them. Azure reports them while no DNS zone group writes its records.
    #[serde(default, with = "crate::stored_map")]
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
}

/// A private DNS zone that a private endpoint writes its records into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ZoneOfEndpoint {
    /// Resource ID of the zone.
    pub zone: ResourceId,
    /// The records by name, as the endpoint wrote them.
    #[serde(with = "crate::stored_map")]
    pub records: BTreeMap<String, Vec<IpAddr>>,
}

/// A private DNS zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrivateDnsZone {
    /// Its resource ID.
    pub id: ResourceId,
    /// Resource IDs of the linked networks, and whether names that the zone does not have are resolved publicly.
    pub links: Vec<(String, bool)>,
    /// Its address records by name.
    #[serde(with = "crate::stored_map")]
    pub records: BTreeMap<String, Vec<IpAddr>>,
}

/// Azure's DNS server, which resolves linked private zones. See [What is IP address
/// 168.63.129.16?](https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
const AZURE_DNS: &str = "168.63.129.16";
/// The service of registries, as service endpoints name it.
const REGISTRIES: &str = "Microsoft.ContainerRegistry";

impl VirtualNetwork {
    /// Whether names are resolved by Azure, so that linked private DNS zones decide.
    pub(crate) fn uses_azure_dns(&self) -> bool {
        self.dns_servers.iter().all(|server| server == AZURE_DNS)
    }

    /// A subnet by its resource ID.
    pub(crate) fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets.iter().find(|one| one.id.eq_ignore_ascii_case(id))
    }
}

impl PrivateDnsZone {
    /// The link to a network. What it is linked to decides about all names of the zone there.
    pub(crate) fn link_to(&self, network: &ResourceId) -> Option<&(String, bool)> {
        self.links.iter().find(|(id, _)| network.is(id))
    }
}

impl Subnet {
    /// Whether it has a service endpoint for registries.
    pub(crate) fn has_registry_endpoint(&self) -> bool {
        self.service_endpoints.iter().any(|one| one.eq_ignore_ascii_case(REGISTRIES))
    }
}

#[derive(Deserialize)]
struct Wire<P> {
    id: Option<String>,
    name: Option<String>,
    properties: P,
}

#[derive(Deserialize)]
struct WireId {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNetwork {
    dhcp_options: Option<WireDhcp>,
    virtual_network_peerings: Option<Vec<Wire<WirePeering>>>,
    subnets: Option<Vec<Wire<WireSubnet>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDhcp {
    dns_servers: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePeering {
    remote_virtual_network: Option<WireId>,
    peering_state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSubnet {
    service_endpoints: Option<Vec<WireService>>,
    nat_gateway: Option<WireId>,
    private_endpoints: Option<Vec<WireId>>,
}

#[derive(Deserialize)]
struct WireService {
    service: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEndpoint {
    subnet: WireId,
    custom_dns_configs: Option<Vec<WireDnsConfig>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDnsConfig {
    fqdn: Option<String>,
    ip_addresses: Option<Vec<IpAddr>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireZoneGroup {
    private_dns_zone_configs: Option<Vec<WireZoneConfig>>,
}

#[derive(Deserialize)]
struct WireZoneConfig {
    properties: WireZoneConfigProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireZoneConfigProperties {
    private_dns_zone_id: Option<String>,
    record_sets: Option<Vec<WireRecordSet>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRecordSet {
    record_set_name: String,
    ip_addresses: Option<Vec<IpAddr>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLink {
    virtual_network: WireId,
    resolution_policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRecords {
    a_records: Option<Vec<WireRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRecord {
    ipv4_address: IpAddr,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGateway {
    public_ip_addresses: Option<Vec<WireId>>,
    public_ip_prefixes: Option<Vec<WireId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePrefix {
    ip_prefix: Option<String>,
}

fn ids(list: Option<Vec<WireId>>) -> Vec<String> {
    list.into_iter().flatten().map(|one| one.id).collect()
}

fn parsed(id: &str) -> Result<ResourceId> {
    id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))
}

/// The ID of the network that a subnet is in.
pub(crate) fn network_of(subnet: &str) -> &str {
    let at = subnet.to_ascii_lowercase().rfind("/subnets/");
    at.and_then(|at| subnet.get(..at)).unwrap_or(subnet)
}

impl Wire<WireNetwork> {
    fn into_network(self) -> Result<VirtualNetwork> {
        let properties = self.properties;
        let peering =
            |one: Wire<WirePeering>| Some((one.properties.remote_virtual_network?.id, one.properties.peering_state?));
        Ok(VirtualNetwork {
            id: parsed(self.id.as_deref().unwrap_or_default())?,
            dns_servers: properties.dhcp_options.and_then(|options| options.dns_servers).unwrap_or_default(),
            peerings: properties.virtual_network_peerings.into_iter().flatten().filter_map(peering).collect(),
            subnets: properties.subnets.into_iter().flatten().map(Wire::into_subnet).collect::<Result<_>>()?,
        })
    }
}

impl Wire<WireSubnet> {
    fn into_subnet(self) -> Result<Subnet> {
        let properties = self.properties;
        let services = properties.service_endpoints.into_iter().flatten().filter_map(|one| one.service);
        Ok(Subnet {
            id: self.id.unwrap_or_default(),
            service_endpoints: services.collect(),
            nat_gateway: properties.nat_gateway.map(|gateway| parsed(&gateway.id)).transpose()?,
            private_endpoints: ids(properties.private_endpoints),
        })
    }
}

/// See [Virtual networks](https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/get).
pub(super) async fn network(arm: &Arm, id: &ResourceId, call: &Call) -> Result<VirtualNetwork> {
    let request = ArmRequest::get(id.as_str(), API).step("reading a virtual network").needs(READ_NETWORK, id.as_str());
    arm.send(request, call).await?.read::<Wire<WireNetwork>>("a virtual network")?.into_network()
}

/// The networks of a resource group, by its ID.
pub(super) async fn networks(arm: &Arm, group: &str, call: &Call) -> Result<Vec<VirtualNetwork>> {
    let request = ArmRequest::get(format!("{group}/providers/{NETWORKS}"), API)
        .step("listing virtual networks")
        .needs(READ_NETWORK, group);
    arm.list(request, "a list of virtual networks", call, |one: Wire<WireNetwork>| one.into_network().map(Some)).await
}

/// See [Private endpoints](https://learn.microsoft.com/rest/api/virtualnetwork/private-endpoints/get).
pub(super) async fn endpoint(arm: &Arm, id: &ResourceId, call: &Call) -> Result<PrivateEndpoint> {
    let request =
        ArmRequest::get(id.as_str(), API).step("reading a private endpoint").needs(READ_ENDPOINT, id.as_str());
    let wire: Wire<WireEndpoint> = arm.send(request, call).await?.read("a private endpoint")?;
    let configs = wire.properties.custom_dns_configs.into_iter().flatten();
    let addresses = configs.filter_map(|one| Some((one.fqdn?.to_ascii_lowercase(), one.ip_addresses?))).collect();
    Ok(PrivateEndpoint { id: id.clone(), network: network_of(&wire.properties.subnet.id).to_owned(), addresses })
}

/// See [Private DNS zone groups](https://learn.microsoft.com/rest/api/virtualnetwork/private-dns-zone-groups/list).
pub(super) async fn zones_of(arm: &Arm, endpoint: &ResourceId, call: &Call) -> Result<Vec<ZoneOfEndpoint>> {
    let request = ArmRequest::get(format!("{endpoint}/privateDnsZoneGroups"), API)
        .step("listing the DNS zone groups of a private endpoint")
        .needs(READ_ZONE_GROUPS, endpoint.as_str());
    let groups: Vec<Vec<ZoneOfEndpoint>> = arm
        .list(request, "a list of DNS zone groups", call, |one: Wire<WireZoneGroup>| {
            let configs = one.properties.private_dns_zone_configs.into_iter().flatten();
            configs.filter_map(|config| config.properties.into_zone()).collect::<Result<_>>().map(Some)
        })
        .await?;
    Ok(groups.into_iter().flatten().collect())
}

impl WireZoneConfigProperties {
    fn into_zone(self) -> Option<Result<ZoneOfEndpoint>> {
        let id = self.private_dns_zone_id?;
        let sets = self.record_sets.into_iter().flatten();
        let records = sets
            .map(|set| (set.record_set_name.to_ascii_lowercase(), set.ip_addresses.into_iter().flatten().collect()));
        let records = records.collect();
        Some(parsed(&id).map(|zone| ZoneOfEndpoint { zone, records }))
    }
}

/// See [Virtual network links](https://learn.microsoft.com/rest/api/dns/privatedns/virtual-network-links/list) and [record
/// sets](https://learn.microsoft.com/rest/api/dns/privatedns/record-sets/list-by-type).
pub(super) async fn zone(arm: &Arm, id: &ResourceId, call: &Call) -> Result<PrivateDnsZone> {
    let list = |kind: &str, action, step: &str| {
        ArmRequest::get(format!("{id}/{kind}"), DNS_API).step(step).needs(action, id.as_str())
    };
    let links = list("virtualNetworkLinks", READ_LINKS, "listing the networks that a private DNS zone is linked to");
    let records = list("A", READ_RECORDS, "listing the records of a private DNS zone");
    let (links, records) = try_join!(
        arm.list(links, "a list of virtual network links", call, |one: Wire<WireLink>| {
            let is_public =
                one.properties.resolution_policy.is_some_and(|one| one.eq_ignore_ascii_case("NxDomainRedirect"));
            Ok(Some((one.properties.virtual_network.id, is_public)))
        }),
        arm.list(records, "a list of records", call, |one: Wire<WireRecords>| {
            let addresses: Vec<IpAddr> =
                one.properties.a_records.into_iter().flatten().map(|record| record.ipv4_address).collect();
            Ok(one.name.map(|name| (name.to_ascii_lowercase(), addresses)))
        }),
    )?;
    Ok(PrivateDnsZone { id: id.clone(), links, records: records.into_iter().collect() })
}

/// The addresses and the ranges of a NAT gateway, by their resource IDs. See [NAT
/// gateways](https://learn.microsoft.com/rest/api/virtualnetwork/nat-gateways/get).
pub(super) async fn gateway(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Vec<ResourceId>> {
    let request = ArmRequest::get(id.as_str(), API).step("reading a NAT gateway").needs(READ_GATEWAY, id.as_str());
    let wire: Wire<WireGateway> = arm.send(request, call).await?.read("a NAT gateway")?;
    let all = [wire.properties.public_ip_addresses, wire.properties.public_ip_prefixes].map(ids);
    all.iter().flatten().map(|id| parsed(id)).collect()
}

/// The addresses of a public IP prefix. See [Public IP address
/// prefixes](https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-address-prefix): it has at most 16, custom ones more.
pub(super) async fn prefix(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Vec<IpAddr>> {
    let request = ArmRequest::get(id.as_str(), API).step("reading a public IP prefix").needs(READ_PREFIX, id.as_str());
    let wire: Wire<WirePrefix> = arm.send(request, call).await?.read("a public IP prefix")?;
    let Some(text) = wire.properties.ip_prefix else { return Ok(Vec::new()) };
    let range: IpNet = text.parse().map_err(|_| {
        Error::new(ErrorKind::Unexpected, "Azure returned an IP prefix that could not be parsed")
            .with_context("public IP prefix", id.as_str())
    })?;
    let mut all: BTreeSet<IpAddr> = [range.network(), range.broadcast()].into();
    all.extend(range.hosts().take(MOST_OF_PREFIX));
    if all.len() > MOST_OF_PREFIX {
        let err = Error::new(ErrorKind::Unsupported, "the public IP prefix has too many addresses");
        return Err(err.with_context("public IP prefix", id.as_str()));
    }
    Ok(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_is_in_its_network() {
        assert_eq!(network_of("/a/virtualNetworks/v/Subnets/s"), "/a/virtualNetworks/v");
        assert_eq!(network_of("odd"), "odd");
    }
}
