//! The network of a cluster to create, and who may sign in to it.

use super::{NewNodePool, check_subnet};
use crate::{
    error::{Error, Result, words},
    id::PrincipalId,
};
use serde::{Deserialize, Serialize};

/// How pods get their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NetworkPlugin {
    /// Azure CNI: addresses of the subnet.
    Azure,
    /// Azure CNI Overlay: addresses of a network of their own.
    AzureOverlay,
    /// A route table, for Linux only.
    Kubenet,
    /// No plugin: you install one.
    None,
}

words!(
    NetworkPlugin, "network_plugin": Azure => "azure", AzureOverlay => "azure_overlay", Kubenet => "kubenet",
    None => "none"
);

impl NetworkPlugin {
    /// Azure's two fields: the plugin, and its mode.
    pub(crate) fn on_the_wire(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::AzureOverlay => (Self::Azure.as_str(), Some("overlay")),
            other => (other.as_str(), None),
        }
    }
}

/// What enforces network policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NetworkPolicy {
    /// Azure Network Policy Manager.
    Azure,
    /// Calico.
    Calico,
    /// Cilium, with Cilium's data plane.
    Cilium,
}

words!(NetworkPolicy, "network_policy": Azure => "azure", Calico => "calico", Cilium => "cilium");

/// The settings of a cluster to create besides its pools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Azure's own")]
pub struct NewClusterSettings {
    /// How pods get their addresses; by default the service's choice.
    pub network_plugin: Option<NetworkPlugin>,
    /// What enforces network policies; none by default.
    pub network_policy: Option<NetworkPolicy>,
    /// Resource ID of the nodes' subnet; by default Azure creates a network.
    pub subnet: Option<String>,
    /// Whether the API server has a private address only.
    pub private_api_server: bool,
    /// Whether users sign in with Microsoft Entra ID.
    pub entra: bool,
    /// Object IDs of the Entra groups whose members are administrators.
    pub admin_groups: Vec<PrincipalId>,
    /// Whether roles of Azure decide what users can do in the cluster.
    pub azure_rbac: bool,
    /// Whether the cluster issues OIDC tokens.
    pub oidc_issuer: bool,
    /// Whether pods can sign in to Entra ID by those tokens.
    pub workload_identity: bool,
}

impl NewClusterSettings {
    /// Rejects what Azure documents as impossible.
    pub(crate) fn check(&self, pools: &[NewNodePool]) -> Result<()> {
        use NetworkPlugin::{Azure, AzureOverlay, Kubenet, None as NoPlugin};
        check_subnet("subnet", self.subnet.as_deref())?;
        let plugin = self.network_plugin;
        let shown = plugin.map_or("the service's choice", |plugin| plugin.as_str());
        let is_azure = matches!(plugin, Some(Azure | AzureOverlay));
        // See <https://learn.microsoft.com/azure/aks/windows-best-practices>: kubenet has no Windows nodes.
        if let Some(windows) = pools.iter().find(|pool| pool.is_windows()).filter(|_| !is_azure) {
            let text = format!("the Windows pool {} needs network_plugin azure or azure_overlay", windows.name);
            return Err(Error::invalid(text, "network_plugin", shown));
        }
        let fits = match (self.network_policy, plugin) {
            (None, _) | (Some(_), None | Some(Azure | AzureOverlay)) | (Some(NetworkPolicy::Calico), Some(Kubenet)) => {
                true
            }
            (Some(_), Some(NoPlugin)) | (Some(NetworkPolicy::Azure | NetworkPolicy::Cilium), Some(Kubenet)) => false,
        };
        if let Some(policy) = self.network_policy.filter(|_| !fits) {
            let text = format!("network_policy {} does not work with network_plugin {shown}", policy.as_str());
            return Err(Error::invalid(text, "network_policy", policy.as_str()));
        }
        check_one_network(self.subnet.as_deref(), pools)?;
        for (option, is_set) in [("admin_groups", !self.admin_groups.is_empty()), ("azure_rbac", self.azure_rbac)] {
            if is_set && !self.entra {
                return Err(Error::invalid(format!("{option} needs entra"), "entra", "false"));
            }
        }
        if self.workload_identity && !self.oidc_issuer {
            return Err(Error::invalid("workload_identity needs oidc_issuer", "oidc_issuer", "false"));
        }
        Ok(())
    }
}

/// See [multiple subnets](https://learn.microsoft.com/azure/aks/node-pool-unique-subnet): all are of one virtual network, and either all
/// pools have one or none has.
fn check_one_network(subnet: Option<&str>, pools: &[NewNodePool]) -> Result<()> {
    let Some(first) = pools.iter().find_map(|pool| pool.subnet.as_deref().or(subnet)) else { return Ok(()) };
    let network = |id: &str| id.to_ascii_lowercase().rsplit_once("/subnets/").map(|(network, _)| network.to_owned());
    for pool in pools {
        let refuse = |text: &str, value: &str| {
            Err(Error::invalid(format!("node_pools[{}].subnet: {text}", pool.name), "node_pools", value))
        };
        match pool.subnet.as_deref().or(subnet) {
            None => return refuse("either all pools have a subnet, or none", "nothing"),
            Some(other) if network(other) != network(first) => {
                return refuse("all pools are in one virtual network", other);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NodeOs, cluster::NodePoolMode};

    fn pools() -> Vec<NewNodePool> {
        let mut system = NewNodePool::new("system");
        system.mode = NodePoolMode::System;
        let mut windows = NewNodePool::new("win");
        windows.os_type = NodeOs::Windows;
        vec![system, windows]
    }

    fn settings(change: impl Fn(&mut NewClusterSettings)) -> NewClusterSettings {
        let mut settings =
            NewClusterSettings { network_plugin: Some(NetworkPlugin::AzureOverlay), ..NewClusterSettings::default() };
        change(&mut settings);
        settings
    }

    #[test]
    fn each_rule_names_the_option() {
        type Change = fn(&mut NewClusterSettings);
        let all: [(Change, &str); 6] = [
            (|settings| settings.network_plugin = Some(NetworkPlugin::Kubenet), "network_plugin"),
            (|settings| settings.network_plugin = None, "network_plugin"),
            (|settings| settings.azure_rbac = true, "entra"),
            (|settings| settings.workload_identity = true, "oidc_issuer"),
            (|settings| settings.admin_groups = vec!["22222222-2222-2222-2222-222222222222".parse().unwrap()], "entra"),
            (
                |settings| {
                    let network = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/\
                                   Microsoft.Network/virtualNetworks/v";
                    settings.subnet = Some(network.to_owned());
                },
                "subnet",
            ),
        ];
        assert!(settings(|_| ()).check(&pools()).is_ok());
        for (change, part) in all {
            let err = settings(change).check(&pools()).unwrap_err();
            assert!(err.to_string().contains(part), "{part}: {err}");
        }
        let linux = &pools()[..1];
        let policy = |plugin, policy| {
            let both = settings(|settings| {
                (settings.network_plugin, settings.network_policy) = (Some(plugin), Some(policy));
            });
            both.check(linux).is_ok()
        };
        assert!(policy(NetworkPlugin::Kubenet, NetworkPolicy::Calico));
        assert!(!policy(NetworkPlugin::Kubenet, NetworkPolicy::Cilium));
        assert!(!policy(NetworkPlugin::None, NetworkPolicy::Calico));
    }

    #[test]
    fn pools_are_in_one_network() {
        let subnet = |network: &str| {
            Some(format!(
                "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.Network/\
                 virtualNetworks/{network}/subnets/s"
            ))
        };
        let mut both = pools();
        (both[0].subnet, both[1].subnet) = (subnet("a"), subnet("b"));
        let check = |pools: &[NewNodePool]| settings(|_| ()).check(pools).map_err(|err| err.to_string());
        assert!(check(&both).unwrap_err().contains("node_pools[win].subnet"));
        both[1].subnet = None;
        assert!(check(&both).unwrap_err().contains("either all pools"));
        both[1].subnet = subnet("A");
        assert!(check(&both).is_ok());
    }
}
