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
    /// Records that the zone lacks, such as `myregistry`.
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
        let zone = azure.add_private_zone(group, &endpoint);
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
