//! Network isolated clusters: their nodes get their programs from a registry before they join.
//!
//! The exit codes are those of `cse_helpers.sh` in [AgentBaker](https://github.com/Azure/AgentBaker); the message is that of the extension, as in
//! [AKS#2793](https://github.com/Azure/AKS/issues/2793).

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Cluster;
use crate::emulator::Emulator;
use crate::registry::gate::{self, Right};
use crate::world::World;

/// The registry did not respond, or there is none.
const NETWORK_TIMEOUT: u16 = 211;
/// The registry refused the kubelet identity.
pub(crate) const UNAUTHORIZED: u16 = 212;
/// What nodes pull from a registry of the user's own, by the cache rule `aks-managed-mcr`.
const REPOSITORY: &str = "aks-managed-repository/aks/packages/kubernetes/kubernetes-node";

impl Cluster {
    /// What it shows of nodes that did not join.
    pub(crate) fn bootstrap_status(&self) -> Option<Value> {
        let code = self.bootstrap_failure?;
        let message = format!(
            "VM has reported a failure when processing extension 'vmssCSE'. Error message: \"Enable failed: failed to execute \
             command: command terminated with exit status={code}\n[stdout]\n{{ \"ExitCode\": \"{code}\", \"Output\": \"\" }}\n\n\
             [stderr]\n\". More information on troubleshooting is available at https://aka.ms/VMExtensionCSELinuxTroubleshoot."
        );
        Some(json!({"provisioningError": {"code": "VMExtensionProvisioningError", "message": message}}))
    }

    /// Why nodes that are made now do not join.
    fn bootstraps(&self, world: &World, now: Instant) -> Option<u16> {
        let profile = &self.seed.properties["bootstrapProfile"];
        // Without an id, it is a registry that AKS makes with its grant.
        let id = profile["containerRegistryId"].as_str().filter(|_| profile["artifactSource"] == "Cache")?;
        let registry = world.registries.iter().find(|one| one.id().eq_ignore_ascii_case(id));
        let (Some(registry), Some(principal)) = (registry, self.node_identity(world)) else {
            return Some(NETWORK_TIMEOUT);
        };
        let may =
            registry.allows_anonymous() || gate::permits(world, registry, principal, Right::Pull, REPOSITORY, now);
        (!may).then_some(UNAUTHORIZED)
    }
}

impl Emulator {
    /// Lets an operation of a network isolated cluster fail because the registry refuses new nodes, as an upgrade can. Nodes that joined stay.
    pub fn refuse_bootstrap(&self, group: &str, cluster: &str) {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            if let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) {
                world.clusters[at].bootstrap_failure = Some(UNAUTHORIZED);
                world.clusters[at].state = String::from("Failed");
            }
        });
    }
}

impl World {
    /// Lets a cluster whose nodes did not join try it again.
    pub(crate) fn bootstrap_again(&mut self, at: usize, now: Instant) {
        if self.clusters[at].bootstrap_failure.is_none() {
            return;
        }
        let failure = self.clusters[at].bootstraps(self, now);
        let cluster = &mut self.clusters[at];
        cluster.bootstrap_failure = failure;
        if failure.is_none() {
            cluster.state = String::from("Succeeded");
            cluster.adjust_nodes(now);
        }
    }
}
