//! What is listed of a registry.

use crate::{error::words, id::ResourceId};
use serde::{Deserialize, Serialize};

/// What a firewall, a proxy and private DNS have to know of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryEndpoints {
    /// The registry.
    pub registry: ResourceId,
    /// The cluster, if one was given.
    pub cluster: Option<ResourceId>,
    /// The hosts to allow, for the egress rules of a firewall.
    pub hosts: Vec<RegistryHost>,
    /// The records that a private DNS zone needs, if the registry has private endpoints.
    pub private_dns: Vec<PrivateDnsRecord>,
    /// The hosts for `noProxy` in the HTTP proxy configuration of a cluster, if nodes should reach the registry without the proxy. AKS
    /// rejects wildcards, so that there are none.
    pub no_proxy: Vec<String>,
    /// The service tags for network security groups and Azure Firewall, instead of the hosts.
    pub service_tags: Vec<String>,
}

/// A host of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryHost {
    /// The host, or a wildcard where Azure does not name the host, such as `*.blob.core.windows.net`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What it is for.
    pub purpose: HostPurpose,
    /// Who needs it.
    pub needed_by: HostUser,
    /// Whether Azure reports the host for this registry. `false`: it is a wildcard, or is needed only if a feature is used that Azure does
    /// not report.
    pub certain: bool,
}

/// A record of a private DNS zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrivateDnsRecord {
    /// The name of the zone, such as `privatelink.azurecr.io`.
    pub zone: String,
    /// The name of the record in it, such as `myregistry.westeurope.data`.
    pub record: String,
}

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HostPurpose {
    /// The login server: sign-in, manifests, tags.
    Login,
    /// A data endpoint of the registry: layers.
    Data,
    /// The login server of one region.
    RegionalLogin,
    /// Microsoft's storage accounts: layers of a registry without data endpoints.
    Blob,
    /// Microsoft's own registry, from which nodes get what AKS runs on them.
    Mcr,
}

words!(
    HostPurpose, "purpose":
    Login => "login",
    Data => "data",
    RegionalLogin => "regional_login",
    Blob => "blob",
    Mcr => "mcr",
);

/// Who needs a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HostUser {
    /// The nodes of clusters.
    Node,
    /// Those who push images, or look at them.
    Client,
    /// Both.
    NodeAndClient,
}

words!(HostUser, "user": Node => "node", Client => "client", NodeAndClient => "node_and_client");
