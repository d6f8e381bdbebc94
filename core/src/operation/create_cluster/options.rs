//! Options for creating a cluster.

use crate::{
    call::CallOptions,
    cluster::{
        ClusterTier, NODES, NetworkPlugin, NetworkPolicy, NewCluster, NewClusterSettings, NewNodePool, SshKey,
        check_pools,
    },
    error::{Error, Result},
    id::{PrincipalId, ResourceId, check_not_empty},
    identity::IDENTITIES,
    registry::RegistryRef,
};
use std::collections::BTreeMap;

/// The maximum size of a pool.
const MOST_NODES: u32 = 1000;

/// Options for creating a cluster. The defaults are those of `az aks create`, but without an SSH key.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Azure's own")]
pub struct CreateClusterOptions {
    /// The registries that its nodes can pull from; none by default.
    /// A registry that is given twice, such as by name and by login server, counts once.
    pub registries: Vec<RegistryRef>,
    /// The region; by default the resource group's.
    pub location: Option<String>,
    /// The number of nodes in its single pool, `nodepool1`; 3 by default. With `node_pools`, each pool has its own.
    pub node_count: u32,
    /// The VM size of its nodes, such as `Standard_D2s_v5`; by default the service's choice. With `node_pools`, each pool has its own.
    pub vm_size: Option<String>,
    /// All node pools, of which at least one has the mode `System`; by default one, of `node_count` and `vm_size`.
    pub node_pools: Vec<NewNodePool>,
    /// How pods get their addresses; by default the service's choice. Windows pools need `azure` or `azure_overlay`.
    pub network_plugin: Option<NetworkPlugin>,
    /// What enforces network policies; none by default.
    pub network_policy: Option<NetworkPolicy>,
    /// Resource ID of the subnet of all pools that have none of their own; by default Azure creates a network.
    pub subnet: Option<String>,
    /// Whether the API server has a private address only, so that only its network reaches it; off by default.
    pub private_api_server: bool,
    /// Whether users sign in with Microsoft Entra ID; off by default.
    pub entra: bool,
    /// Object IDs of the Entra groups whose members are administrators; needs `entra`.
    pub admin_groups: Vec<PrincipalId>,
    /// Whether roles of Azure decide what users can do in the cluster; needs `entra`, off by default.
    pub azure_rbac: bool,
    /// Whether the cluster issues OIDC tokens; off by default.
    pub oidc_issuer: bool,
    /// Whether pods can sign in to Entra ID by those tokens; needs `oidc_issuer`, off by default.
    pub workload_identity: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The Kubernetes version, such as `1.33` or `1.33.4`; by default the service's choice.
    pub kubernetes_version: Option<String>,
    /// The pricing tier; `Free` by default.
    pub tier: ClusterTier,
    /// SSH access to the nodes, as `azureuser`; none by default.
    pub ssh_key: SshKey,
    /// Resource ID of a user-assigned identity for the control plane; by default Azure creates one with the cluster.
    pub control_plane_identity: Option<ResourceId>,
    /// Resource ID of a user-assigned identity that the nodes pull images with; by default Azure creates one with the cluster.
    ///
    /// It needs a [`control_plane_identity`](Self::control_plane_identity) that has the role Managed Identity Operator on it.
    /// [`apply_kubelet_identity`](crate::Client::apply_kubelet_identity) sets up both.
    pub kubelet_identity: Option<ResourceId>,
    /// Whether to register `Microsoft.ContainerService` if the subscription has not registered it; off by default.
    ///
    /// No other resource provider is registered: those for networks and virtual machines, which Azure needs for a cluster, are left to
    /// the subscription's owner.
    pub register_providers: bool,
    /// Deadline (60 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl Default for CreateClusterOptions {
    fn default() -> Self {
        Self {
            registries: Vec::new(),
            location: None,
            node_count: NODES,
            vm_size: None,
            node_pools: Vec::new(),
            network_plugin: None,
            network_policy: None,
            subnet: None,
            private_api_server: false,
            entra: false,
            admin_groups: Vec::new(),
            azure_rbac: false,
            oidc_issuer: false,
            workload_identity: false,
            tags: BTreeMap::new(),
            kubernetes_version: None,
            tier: ClusterTier::default(),
            ssh_key: SshKey::default(),
            control_plane_identity: None,
            kubelet_identity: None,
            register_providers: false,
            call: CallOptions::default(),
        }
    }
}

impl CreateClusterOptions {
    /// Adds one of the [`registries`](Self::registries).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registries.push(registry);
        self
    }

    /// Sets [`location`](Self::location).
    #[must_use]
    pub fn with_location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Sets [`node_count`](Self::node_count).
    #[must_use]
    pub fn with_node_count(mut self, count: u32) -> Self {
        self.node_count = count;
        self
    }

    /// Sets [`vm_size`](Self::vm_size).
    #[must_use]
    pub fn with_vm_size(mut self, size: impl Into<String>) -> Self {
        self.vm_size = Some(size.into());
        self
    }

    /// Adds one of the [`node_pools`](Self::node_pools).
    #[must_use]
    pub fn with_node_pool(mut self, pool: NewNodePool) -> Self {
        self.node_pools.push(pool);
        self
    }

    /// Sets [`network_plugin`](Self::network_plugin).
    #[must_use]
    pub fn with_network_plugin(mut self, plugin: NetworkPlugin) -> Self {
        self.network_plugin = Some(plugin);
        self
    }

    /// Sets [`network_policy`](Self::network_policy).
    #[must_use]
    pub fn with_network_policy(mut self, policy: NetworkPolicy) -> Self {
        self.network_policy = Some(policy);
        self
    }

    /// Sets [`subnet`](Self::subnet).
    #[must_use]
    pub fn with_subnet(mut self, subnet: impl Into<String>) -> Self {
        self.subnet = Some(subnet.into());
        self
    }

    /// Sets [`private_api_server`](Self::private_api_server).
    #[must_use]
    pub fn with_private_api_server(mut self, private_api_server: bool) -> Self {
        self.private_api_server = private_api_server;
        self
    }

    /// Sets [`entra`](Self::entra).
    #[must_use]
    pub fn with_entra(mut self, entra: bool) -> Self {
        self.entra = entra;
        self
    }

    /// Adds one of the [`admin_groups`](Self::admin_groups).
    #[must_use]
    pub fn with_admin_group(mut self, group: PrincipalId) -> Self {
        self.admin_groups.push(group);
        self
    }

    /// Sets [`azure_rbac`](Self::azure_rbac).
    #[must_use]
    pub fn with_azure_rbac(mut self, azure_rbac: bool) -> Self {
        self.azure_rbac = azure_rbac;
        self
    }

    /// Sets [`oidc_issuer`](Self::oidc_issuer).
    #[must_use]
    pub fn with_oidc_issuer(mut self, oidc_issuer: bool) -> Self {
        self.oidc_issuer = oidc_issuer;
        self
    }

    /// Sets [`workload_identity`](Self::workload_identity).
    #[must_use]
    pub fn with_workload_identity(mut self, workload_identity: bool) -> Self {
        self.workload_identity = workload_identity;
        self
    }

    /// Adds one of the [`tags`](Self::tags).
    #[must_use]
    pub fn with_tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Sets [`kubernetes_version`](Self::kubernetes_version).
    #[must_use]
    pub fn with_kubernetes_version(mut self, version: impl Into<String>) -> Self {
        self.kubernetes_version = Some(version.into());
        self
    }

    /// Sets [`tier`](Self::tier).
    #[must_use]
    pub fn with_tier(mut self, tier: ClusterTier) -> Self {
        self.tier = tier;
        self
    }

    /// Sets [`ssh_key`](Self::ssh_key).
    #[must_use]
    pub fn with_ssh_key(mut self, key: SshKey) -> Self {
        self.ssh_key = key;
        self
    }

    /// Sets [`control_plane_identity`](Self::control_plane_identity).
    #[must_use]
    pub fn with_control_plane_identity(mut self, identity: ResourceId) -> Self {
        self.control_plane_identity = Some(identity);
        self
    }

    /// Sets [`kubelet_identity`](Self::kubelet_identity).
    #[must_use]
    pub fn with_kubelet_identity(mut self, identity: ResourceId) -> Self {
        self.kubelet_identity = Some(identity);
        self
    }

    /// Sets [`register_providers`](Self::register_providers).
    #[must_use]
    pub fn with_register_providers(mut self, register_providers: bool) -> Self {
        self.register_providers = register_providers;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }

    /// Rejects invalid options before the first request; what only the service can check, such as VM sizes, is left to it.
    pub(super) fn new_cluster(&self, id: ResourceId) -> Result<NewCluster> {
        if !(1..=MOST_NODES).contains(&self.node_count) {
            let wanted = format!("expected 1 to {MOST_NODES} nodes");
            return Err(Error::invalid(wanted, "node_count", self.node_count.to_string()));
        }
        if let Some(version) = self.kubernetes_version.as_deref().filter(|version| !is_version(version)) {
            return Err(Error::invalid("expected two or three numbers, such as 1.33", "kubernetes_version", version));
        }
        for (part, text) in [("location", &self.location), ("vm_size", &self.vm_size)] {
            check_not_empty(part, text.as_deref())?;
        }
        self.ssh_key.check()?;
        for identity in [&self.control_plane_identity, &self.kubelet_identity].into_iter().flatten() {
            identity.clone().of_type(IDENTITIES, "managed identity")?;
        }
        if let (Some(kubelet), None) = (&self.kubelet_identity, &self.control_plane_identity) {
            let text = "a kubelet identity needs a control plane identity of your own as well";
            return Err(Error::invalid(text, "kubelet_identity", kubelet.as_str()));
        }
        if !self.node_pools.is_empty() && (self.node_count != NODES || self.vm_size.is_some()) {
            let text = "node_count and vm_size are those of a single pool: with node_pools, set count and vm_size of each pool";
            return Err(Error::invalid(text, "node_pools", self.node_pools.len().to_string()));
        }
        crate::tag::check(self.tags.keys().map(String::as_str))?;
        let new = self.unchecked(id);
        let pools = new.pools();
        check_pools(&pools)?;
        new.settings.check(&pools)?;
        Ok(new)
    }

    fn unchecked(&self, id: ResourceId) -> NewCluster {
        NewCluster {
            id,
            location: self.location.clone(),
            node_count: self.node_count,
            vm_size: self.vm_size.clone(),
            node_pools: self.node_pools.clone(),
            settings: NewClusterSettings {
                network_plugin: self.network_plugin,
                network_policy: self.network_policy,
                subnet: self.subnet.clone(),
                private_api_server: self.private_api_server,
                entra: self.entra,
                admin_groups: self.admin_groups.clone(),
                azure_rbac: self.azure_rbac,
                oidc_issuer: self.oidc_issuer,
                workload_identity: self.workload_identity,
            },
            tags: self.tags.clone(),
            kubernetes_version: self.kubernetes_version.clone(),
            tier: self.tier,
            ssh_key: self.ssh_key.clone(),
            control_plane_identity: self.control_plane_identity.clone(),
            kubelet_identity: self.kubelet_identity.clone(),
            has_operator_role: false,
            register_providers: self.register_providers,
        }
    }
}

fn is_version(text: &str) -> bool {
    let numbers: Vec<&str> = text.split('.').collect();
    (2..=3).contains(&numbers.len()) && numbers.iter().all(|number| number.parse::<u16>().is_ok())
}
