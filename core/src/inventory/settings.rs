//! The settings of a cluster that decide whether its nodes can pull.

use crate::{
    call::Call,
    cluster::{ClusterBody, about, get_cluster},
    error::Result,
    http::Arm,
    id::ResourceId,
    identity::{ClusterIdentities, read_identities},
};
use serde::{Deserialize, Serialize};

/// A cluster with the settings that decide whether its nodes can pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterSettings {
    /// Its identities and its provisioning state.
    pub identities: ClusterIdentities,
    /// Whether it runs, in Azure's words: `Running` or `Stopped`.
    pub power_state: Option<String>,
    /// Its node pools.
    pub node_pools: Vec<NodePool>,
    /// How its nodes reach the Internet, in Azure's words, such as `loadBalancer` or `userDefinedRouting`.
    pub outbound_type: Option<String>,
    /// Resource IDs of the public IP addresses of its load balancer or managed NAT gateway.
    pub outbound_addresses: Vec<ResourceId>,
    /// Whether its nodes have public IP addresses of their own.
    pub has_node_addresses: bool,
    /// Whether its nodes use an HTTP proxy, so that a registry sees the proxy's address.
    pub has_http_proxy: bool,
}

/// A node pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodePool {
    /// Its name.
    pub name: String,
    /// The operating system, such as `Linux`.
    pub os_type: Option<String>,
    /// The variant of the operating system, such as `Ubuntu` or `Windows2022`.
    pub os_sku: Option<String>,
    /// The size of its virtual machines, such as `Standard_D2s_v5`.
    pub vm_size: Option<String>,
    /// Whether it runs, in Azure's words: `Running` or `Stopped`.
    pub power_state: Option<String>,
    /// Resource ID of its subnet, if it is not in a network that Azure made for the cluster.
    pub subnet: Option<String>,
}

impl ClusterSettings {
    /// A cluster with these identities; all other fields are empty.
    #[must_use]
    pub fn new(identities: ClusterIdentities) -> Self {
        Self {
            identities,
            power_state: None,
            node_pools: Vec::new(),
            outbound_type: None,
            outbound_addresses: Vec::new(),
            has_node_addresses: false,
            has_http_proxy: false,
        }
    }
}

impl NodePool {
    /// A pool with this name; all other fields are empty.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), os_type: None, os_sku: None, vm_size: None, power_state: None, subnet: None }
    }
}

pub(super) async fn read(arm: &Arm, id: &ResourceId, call: &Call) -> Result<ClusterSettings> {
    let answer = arm.send(get_cluster(id), call).await.map_err(|err| about(err, id))?;
    parse(id.clone(), &answer.read("a cluster")?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePool {
    name: String,
    os_type: Option<String>,
    #[serde(rename = "osSKU")]
    os_sku: Option<String>,
    vm_size: Option<String>,
    power_state: Option<WirePower>,
    #[serde(rename = "vnetSubnetID")]
    subnet: Option<String>,
    #[serde(rename = "enableNodePublicIP")]
    has_node_addresses: Option<bool>,
}

#[derive(Deserialize)]
struct WirePower {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProxy {
    enabled: Option<bool>,
    https_proxy: Option<String>,
}

#[derive(Deserialize)]
struct WireAddress {
    id: String,
}

fn parse(id: ResourceId, body: &ClusterBody) -> Result<ClusterSettings> {
    let pools: Vec<WirePool> = body.part("properties/agentPoolProfiles")?.unwrap_or_default();
    let mut addresses = Vec::new();
    for profile in ["loadBalancerProfile", "natGatewayProfile"] {
        let path = format!("properties/networkProfile/{profile}/effectiveOutboundIPs");
        let read: Option<Vec<WireAddress>> = body.part(&path)?;
        for address in read.unwrap_or_default() {
            addresses.push(address.id.parse().map_err(|err: crate::Error| err.of_kind(crate::ErrorKind::Unexpected))?);
        }
    }
    let proxy: Option<WireProxy> = body.part("properties/httpProxyConfig")?;
    Ok(ClusterSettings {
        // A configuration without the switch is in use: that came later.
        has_http_proxy: proxy.is_some_and(|proxy| proxy.enabled.unwrap_or(true) && proxy.https_proxy.is_some()),
        identities: read_identities(id, body)?,
        power_state: body.part("properties/powerState/code")?,
        outbound_type: body.part("properties/networkProfile/outboundType")?,
        outbound_addresses: addresses,
        // Off unless the service says otherwise: so the documentation of the field has it.
        has_node_addresses: pools.iter().any(|pool| pool.has_node_addresses.unwrap_or(false)),
        node_pools: pools.into_iter().map(WirePool::into_pool).collect(),
    })
}

impl WirePool {
    fn into_pool(self) -> NodePool {
        NodePool {
            name: self.name,
            os_type: self.os_type,
            os_sku: self.os_sku,
            vm_size: self.vm_size,
            power_state: self.power_state.and_then(|power| power.code),
            subnet: self.subnet.filter(|id| !id.is_empty()),
        }
    }
}
