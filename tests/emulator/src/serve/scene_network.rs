//! Private endpoints of registries, as they stand in a scene.

use serde::{Deserialize, Serialize};

use super::ServeError;
use crate::emulator::Emulator;
use crate::network::network_of;

/// A private endpoint of a registry in the network of a cluster's nodes. Its records are in the private DNS zone of the registry's group.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PrivateEndpoint {
    /// As `group/name`.
    registry: String,
    /// As `group/name`.
    cluster: String,
    /// Whether its connection waits for approval.
    #[serde(default)]
    pending: bool,
    /// Whether the zone is not linked to the cluster's network.
    #[serde(default)]
    unlinked: bool,
    /// A resource group with another zone of that name, which has the same records and is linked to the cluster's network instead, as that of
    /// a hub is.
    #[serde(skip_serializing_if = "Option::is_none")]
    linked_zone: Option<String>,
    /// Records that the linked zone lacks, such as `myregistry`.
    #[serde(default)]
    missing_records: Vec<String>,
}

impl PrivateEndpoint {
    pub(super) fn enter(&self, azure: &Emulator) -> Result<(), ServeError> {
        let missing =
            |what: &str, name: &str| ServeError::new(format!("privateEndpoints: {what} {name} does not exist"));
        let registry = self.registry.split_once('/');
        let registry = registry.filter(|(group, name)| azure.act(|world| world.registry_named(group, name).is_some()));
        let (group, name) = registry.ok_or_else(|| missing("registry", &self.registry))?;
        let nodes = self.cluster.split_once('/').and_then(|(group, name)| azure.subnet_of_nodes(group, name));
        let nodes = nodes.ok_or_else(|| missing("cluster", &self.cluster))?;
        let endpoint = azure.add_private_endpoint(&azure.registry_id(group, name), &nodes, !self.pending);
        let own = azure.add_private_zone(group, &endpoint);
        let zone = self.linked_zone.as_ref().map_or_else(|| own.clone(), |hub| azure.copy_zone(&own, hub));
        if !self.unlinked {
            azure.link_zone(&zone, network_of(&nodes));
        }
        for record in &self.missing_records {
            if !azure.delete_network(&format!("{zone}/A/{record}")) {
                return Err(missing("record", record));
            }
        }
        Ok(())
    }
}
