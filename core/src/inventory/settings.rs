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
    /// The resource group of its nodes.
    #[serde(default)]
    pub node_resource_group: Option<String>,
    /// Whether its nodes use an HTTP proxy, so that a registry sees the proxy's address.
    pub has_http_proxy: bool,
    /// The hosts that its nodes reach without the proxy, as they were configured.
    #[serde(default)]
    pub no_proxy: Vec<String>,
    /// Whether AKS adds nodes that are in none of its node pools, of sizes that it chooses itself.
    #[serde(default)]
    pub has_node_auto_provisioning: bool,
    /// Where its nodes get their own programs from, in Azure's words: `Direct`, or `Cache` for a registry, as in a network isolated cluster.
    #[serde(default)]
    pub bootstrap_source: Option<String>,
    /// Resource ID of that registry, if it is not one that AKS made.
    #[serde(default)]
    pub bootstrap_registry: Option<String>,
    /// Why its last operation, or that of a node pool, failed.
    #[serde(default)]
    pub provisioning_errors: Vec<ProvisioningError>,
}

/// Why the last operation of a cluster or of a node pool failed, in Azure's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProvisioningError {
    /// The node pool. `None`: the cluster itself.
    pub pool: Option<String>,
    /// Azure's code, such as `VMExtensionProvisioningError`.
    pub code: Option<String>,
    /// Azure's message.
    pub message: String,
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
    /// The version of the image of its nodes, such as `AKSUbuntu-2204gen2containerd-202607.29.0`.
    #[serde(default)]
    pub node_image: Option<String>,
    /// The size of its nodes' disks in GiB, if its images are on that disk.
    #[serde(default)]
    pub os_disk_gib: Option<u64>,
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
            no_proxy: Vec::new(),
            node_resource_group: None,
            has_node_auto_provisioning: false,
            bootstrap_source: None,
            bootstrap_registry: None,
            provisioning_errors: Vec::new(),
        }
    }
}

impl NodePool {
    /// A pool with this name; all other fields are empty.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            os_type: None,
            os_sku: None,
            vm_size: None,
            power_state: None,
            subnet: None,
            node_image: None,
            os_disk_gib: None,
        }
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
    status: Option<WireStatus>,
    #[serde(rename = "vnetSubnetID")]
    subnet: Option<String>,
    #[serde(rename = "enableNodePublicIP")]
    has_node_addresses: Option<bool>,
    #[serde(default, rename = "nodeImageVersion", deserialize_with = "crate::lenient::word")]
    node_image: Option<String>,
    #[serde(rename = "osDiskSizeGB")]
    os_disk_gib: Option<u64>,
    #[serde(default, deserialize_with = "crate::lenient::word")]
    kubelet_disk_type: Option<String>,
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
    no_proxy: Option<Vec<String>>,
}

/// `ManagedClusterStatus`, `AgentPoolStatus` and `ErrorDetail` of azure-mgmt-containerservice 41.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStatus {
    provisioning_error: Option<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    code: Option<String>,
    message: Option<String>,
    details: Option<Vec<WireError>>,
}

impl WireError {
    /// It, and the errors within it.
    fn read(self, pool: Option<&str>, errors: &mut Vec<ProvisioningError>) {
        if let Some(message) = self.message {
            errors.push(ProvisioningError { pool: pool.map(str::to_owned), code: self.code, message });
        }
        for detail in self.details.into_iter().flatten() {
            detail.read(pool, errors);
        }
    }
}

#[derive(Deserialize)]
struct WireAddress {
    id: String,
}

fn parse(id: ResourceId, body: &ClusterBody) -> Result<ClusterSettings> {
    let mut pools: Vec<WirePool> = body.part("properties/agentPoolProfiles")?.unwrap_or_default();
    let mut addresses = Vec::new();
    for profile in ["loadBalancerProfile", "natGatewayProfile"] {
        let path = format!("properties/networkProfile/{profile}/effectiveOutboundIPs");
        let read: Option<Vec<WireAddress>> = body.part(&path)?;
        for address in read.unwrap_or_default() {
            addresses.push(address.id.parse().map_err(|err: crate::Error| err.of_kind(crate::ErrorKind::Unexpected))?);
        }
    }
    let mut proxy: Option<WireProxy> = body.part("properties/httpProxyConfig")?;
    let no_proxy = proxy.as_mut().and_then(|proxy| proxy.no_proxy.take());
    let mut errors = Vec::new();
    let status: Option<WireStatus> = body.part("properties/status")?;
    if let Some(error) = status.and_then(|status| status.provisioning_error) {
        error.read(None, &mut errors);
    }
    for pool in &mut pools {
        if let Some(error) = pool.status.take().and_then(|status| status.provisioning_error) {
            error.read(Some(&pool.name), &mut errors);
        }
    }
    let mode: Option<String> = body.part("properties/nodeProvisioningProfile/mode")?;
    Ok(ClusterSettings {
        no_proxy: no_proxy.unwrap_or_default(),
        // A configuration without the switch is in use: that came later.
        has_http_proxy: proxy.is_some_and(|proxy| proxy.enabled.unwrap_or(true) && proxy.https_proxy.is_some()),
        identities: read_identities(id, body)?,
        power_state: body.part("properties/powerState/code")?,
        node_resource_group: body.part("properties/nodeResourceGroup")?,
        bootstrap_source: body.part("properties/bootstrapProfile/artifactSource")?,
        bootstrap_registry: body.part("properties/bootstrapProfile/containerRegistryId")?,
        provisioning_errors: errors,
        has_node_auto_provisioning: mode.is_some_and(|mode| mode.eq_ignore_ascii_case("auto")),
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
            node_image: self.node_image,
            // Zero is a size that Azure chooses. On the temporary disk there may be more room.
            os_disk_gib: self.os_disk_gib.filter(|size| {
                *size > 0 && self.kubelet_disk_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("os"))
            }),
        }
    }
}
