//! A property of a cluster or a registry that was changed.

use serde::{Deserialize, Serialize};

/// The properties whose values are kept, with those below them: pulls depend on them, and they hold no secret. See
/// [registries](https://learn.microsoft.com/rest/api/container-registry/registries/get) and
/// [managed clusters](https://learn.microsoft.com/rest/api/aks/managed-clusters/get).
const KEPT: [&str; 34] = [
    "sku.name",
    "adminUserEnabled",
    "anonymousPullEnabled",
    "dataEndpointEnabled",
    "networkRuleBypassOptions",
    "networkRuleSet.defaultAction",
    "networkRuleSet.ipRules",
    "networkRuleSet.virtualNetworkRules",
    "policies.azureADAuthenticationAsArmPolicy.status",
    "policies.exportPolicy.status",
    "policies.quarantinePolicy.status",
    "policies.retentionPolicy.days",
    "policies.retentionPolicy.status",
    "policies.softDeletePolicy.retentionDays",
    "policies.softDeletePolicy.status",
    "policies.trustPolicy.status",
    "privateEndpointConnections.properties.privateLinkServiceConnectionState.status",
    "publicNetworkAccess",
    "roleAssignmentMode",
    "identity.type",
    "agentPoolProfiles.enableNodePublicIP",
    "agentPoolProfiles.nodeImageVersion",
    "agentPoolProfiles.osSKU",
    "agentPoolProfiles.osType",
    "agentPoolProfiles.powerState.code",
    "agentPoolProfiles.vnetSubnetID",
    "bootstrapProfile.artifactSource",
    "bootstrapProfile.containerRegistryId",
    "identityProfile.kubeletidentity.clientId",
    "identityProfile.kubeletidentity.objectId",
    "identityProfile.kubeletidentity.resourceId",
    "networkProfile.outboundType",
    "powerState.code",
    "servicePrincipalProfile.clientId",
];

/// A property of a resource that was changed.
///
/// The values are kept only of properties that pulls depend on, such as `networkRuleSet.defaultAction`. Of any other one, and of a
/// property that Azure shows without values, both are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangedProperty {
    /// Its path within the resource, in Azure's words, without `properties.` at the beginning.
    pub property: String,
    /// Its value before the change. `None` if it had none.
    pub before: Option<String>,
    /// Its value after the change. `None` if it has none.
    pub after: Option<String>,
}

impl ChangedProperty {
    /// Whether pulls depend on it, as far as this version knows.
    pub(crate) fn matters(&self) -> bool {
        is_kept(&self.property)
    }
}

/// Whether the value of a property is kept. Places in lists do not count; how Azure writes them is not documented.
pub(super) fn is_kept(property: &str) -> bool {
    let mut path = String::new();
    let mut depth = 0_u32;
    for letter in property.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            letter if depth == 0 => path.push(letter.to_ascii_lowercase()),
            _ => {}
        }
    }
    let names: Vec<&str> = path.split('.').filter(|name| !name.bytes().all(|letter| letter.is_ascii_digit())).collect();
    let path = names.join(".");
    KEPT.iter().any(|kept| {
        let rest = path.strip_prefix(&kept.to_ascii_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_within_another_is_not_kept() {
        assert!(is_kept("agentPoolProfiles.0.vnetSubnetID") && is_kept("SKU.name"));
        assert!(is_kept("networkRuleSet.ipRules[0].value"));
        assert!(!is_kept("roleAssignmentModeSecret") && !is_kept("servicePrincipalProfile.secret"));
    }
}
