//! The settings of a registry that decide who reaches it.

use super::Registry;
use crate::{error::words, id::ResourceId};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// A registry with the settings that decide who reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistrySettings {
    /// The registry.
    pub registry: Registry,
    /// Azure's setting for access from public addresses: `Enabled` or `Disabled`.
    pub public_network_access: Option<String>,
    /// What the firewall does with an address that no rule allows: `Allow` or `Deny`.
    pub default_action: Option<String>,
    /// The addresses and ranges in CIDR notation that the firewall allows.
    pub allowed_addresses: Vec<String>,
    /// The connections to private endpoints.
    pub private_endpoints: Vec<PrivateEndpointConnection>,
    /// Whether everyone can pull without a credential.
    pub anonymous_pull: bool,
    /// Whether the admin user, who has full access with a password, is enabled; `None` if Azure does not report it.
    #[serde(default)]
    pub admin_user: Option<bool>,
    /// Whether the registry has its own data endpoints; `None` if Azure does not report it.
    #[serde(default)]
    pub data_endpoint: Option<bool>,
    /// The hosts of its data endpoints, one for each region that it is in.
    #[serde(default)]
    pub data_hosts: Vec<String>,
    /// Whether deleted images can be restored for a time; `None` if Azure does not report it.
    #[serde(default)]
    pub soft_delete: Option<bool>,
    /// Whether an image can be pulled only once a scanner has passed it; `None` if Azure does not report it.
    #[serde(default)]
    pub quarantine: Option<bool>,
    /// When it was last changed, its mode and its network rules included; `None` if Azure does not report it.
    #[serde(default, with = "crate::stored_time::option")]
    pub updated: Option<SystemTime>,
    /// Whether it accepts tokens that were issued for Azure Resource Manager, which nodes with an old image sign in with; `None` if Azure does
    /// not report it.
    #[serde(default)]
    pub arm_tokens: Option<bool>,
    /// Whether its content is encrypted with a key in Azure Key Vault, without which no image can be pulled; `None` if Azure does not report it.
    #[serde(default)]
    pub customer_managed_key: Option<bool>,
}

/// What a registry's firewall does with an address that no rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NetworkAction {
    /// Lets it in.
    Allow,
    /// Keeps it out.
    Deny,
}

words!(NetworkAction, "default_action": Allow => "Allow", Deny => "Deny");

/// A connection between a registry and a private endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrivateEndpointConnection {
    /// Its name.
    pub name: String,
    /// Its state in Azure: `Approved`, `Pending`, `Rejected` or `Disconnected`.
    pub status: String,
    /// Resource ID of the private endpoint.
    #[serde(default)]
    pub endpoint: Option<ResourceId>,
}

impl RegistrySettings {
    /// A registry that everyone reaches.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            public_network_access: None,
            default_action: None,
            allowed_addresses: Vec::new(),
            private_endpoints: Vec::new(),
            anonymous_pull: false,
            admin_user: None,
            data_endpoint: None,
            data_hosts: Vec::new(),
            soft_delete: None,
            quarantine: None,
            updated: None,
            arm_tokens: None,
            customer_managed_key: None,
        }
    }
}

impl PrivateEndpointConnection {
    /// Whether the endpoint can be used.
    pub(crate) fn is_approved(&self) -> bool {
        self.status.eq_ignore_ascii_case("approved")
    }
}
