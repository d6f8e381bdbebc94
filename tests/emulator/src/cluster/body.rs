//! What a cluster shows of itself.

use serde_json::{Value, json};

use super::{Cluster, pool};
use crate::kubernetes::machine;
use crate::registry::merge;
use crate::world::World;

impl Cluster {
    /// Seen absent in every recorded body of a cluster that was being created, unless it was brought along. So it is here, unless
    /// the timing says otherwise.
    fn shows_kubelet_identity(&self) -> bool {
        self.kubelet.is_some() && (self.shows_kubelet || !self.state.eq_ignore_ascii_case("Creating"))
    }

    /// The body that a GET answers.
    pub(crate) fn body(&self, world: &World) -> Value {
        let mut properties = self.properties(world);
        let mut body = json!({
            "id": self.id(),
            "location": self.location,
            "name": self.name,
            "type": "Microsoft.ContainerService/ManagedClusters",
            "kind": "Base",
            "sku": self.sku,
            "eTag": self.etag,
        });
        if self.tags.as_object().is_some_and(|tags| !tags.is_empty()) {
            body["tags"] = self.tags.clone();
        }
        if self.seed.service_principal {
            let client = world.principal(&self.control_plane).map_or("", |one| one.client_id.as_str());
            properties["servicePrincipalProfile"]["clientId"] = client.into();
        } else {
            body["identity"] = self.identity(world);
        }
        body["properties"] = properties;
        body
    }

    fn properties(&self, world: &World) -> Value {
        let seed = &self.seed;
        let mut properties = self.defaults();
        if seed.entra {
            properties["aadProfile"] = json!({
                "managed": true,
                "adminGroupObjectIDs": seed.admin_groups,
                "adminUsers": null,
                "enableAzureRBAC": seed.azure_rbac,
                "tenantID": world.tenant,
            });
        }
        let kubelet = self.kubelet.as_deref().and_then(|id| world.principal(id));
        if let Some(kubelet) = kubelet.filter(|_| self.shows_kubelet_identity()) {
            properties["identityProfile"] = json!({"kubeletidentity": {
                "resourceId": self.kubelet_id,
                "clientId": kubelet.client_id,
                "objectId": kubelet.object_id,
            }});
        }
        merge(&mut properties, &seed.properties);
        if let Some(status) = self.bootstrap_status() {
            properties["status"] = status;
        }
        let network = &seed.properties["networkProfile"];
        if network["networkPlugin"].is_string() && network["networkPluginMode"].is_null() {
            // The overlay goes with the plugin that the service chooses, not with any that was asked for.
            properties["networkProfile"].as_object_mut().map(|network| network.remove("networkPluginMode"));
        }
        // Recorded: the addresses are not shown before the cluster was created.
        let is_made = !matches!(self.state.as_str(), "Creating" | "Canceled");
        if let Some(address) = self.address_id().filter(|_| is_made) {
            let network = &mut properties["networkProfile"];
            if network["outboundType"] == "managedNATGateway" {
                if network["natGatewayProfile"]["effectiveOutboundIPs"].is_null() {
                    network["natGatewayProfile"]["effectiveOutboundIPs"] = json!([{"id": address}]);
                }
            } else if network["loadBalancerProfile"]["effectiveOutboundIPs"].is_null() {
                network["loadBalancerProfile"] = json!({
                    "managedOutboundIPs": {"count": 1}, "effectiveOutboundIPs": [{"id": address}],
                    "backendPoolType": "nodeIPConfiguration",
                });
            }
        }
        if properties["apiServerAccessProfile"]["enablePrivateCluster"] == true {
            // Recorded: a private cluster has both names, unless the public one is disabled.
            let zone = crate::principal::stable_id(&format!("{}/zone", self.id()));
            let host = self.fqdn().split('.').next().unwrap_or_default().to_owned();
            let private = format!("{host}.{zone}.privatelink.{}.azmk8s.io", self.location);
            properties["privateFQDN"] = private.into();
        }
        if properties["oidcIssuerProfile"]["enabled"] == true {
            let place = crate::principal::stable_id(&format!("{}/issuer", self.id()));
            let issuer = format!("https://{}.oic.prod-aks.azure.com/{}/{place}/", self.location, world.tenant);
            properties["oidcIssuerProfile"]["issuerURL"] = issuer.into();
        }
        properties
    }

    fn power(&self) -> &'static str {
        if self.stopped { "Stopped" } else { "Running" }
    }

    /// What every cluster has.
    fn defaults(&self) -> Value {
        let seed = &self.seed;
        json!({
            "provisioningState": self.state,
            "powerState": {"code": self.power()},
            "kubernetesVersion": self.wanted_version,
            "currentKubernetesVersion": seed.version,
            "dnsPrefix": self.dns_prefix,
            "fqdn": self.fqdn(),
            "azurePortalFQDN": self.fqdn().replace(".hcp.", ".portal.hcp."),
            "agentPoolProfiles": self.pools.iter().map(|pool| self.pool(pool)).collect::<Value>(),
            "servicePrincipalProfile": {"clientId": "msi"},
            "nodeResourceGroup": self.node_group,
            "enableRBAC": true,
            "supportPlan": "KubernetesOfficial",
            "networkProfile": {
                "networkPlugin": "azure", "networkPluginMode": "overlay", "loadBalancerSku": "standard",
                "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10",
                "outboundType": "loadBalancer",
            },
            "maxAgentPools": 100,
            "disableLocalAccounts": seed.local_accounts_disabled,
            "resourceUID": self.uid(),
            "oidcIssuerProfile": {"enabled": false},
        })
    }

    /// The virtual network that AKS makes where none is named, in the group of the nodes.
    pub(crate) fn network_id(&self) -> String {
        let number = u32::from_str_radix(&crate::principal::stable_id(&self.id())[..7], 16).unwrap_or(0) % 100_000_000;
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/aks-vnet-{number:08}",
            self.subscription, self.node_group
        )
    }

    /// The public address that its nodes are seen at, where it has a load balancer for that.
    pub(crate) fn address_id(&self) -> Option<String> {
        let kind = &self.seed.properties["networkProfile"]["outboundType"];
        (kind.is_null() || kind == "loadBalancer" || kind == "managedNATGateway").then(|| {
            let name = crate::principal::stable_id(&format!("{}/address", self.id()));
            format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/publicIPAddresses/{name}",
                self.subscription, self.node_group
            )
        })
    }

    /// Another one for each cluster of the same id; in recorded bodies 24 hexadecimal digits.
    fn uid(&self) -> String {
        let mut uid = crate::principal::stable_id(&format!("{}/uid/{}", self.id(), self.generation)).replace('-', "");
        uid.truncate(24);
        uid
    }

    /// A pool with the state that it shares with its cluster.
    pub(crate) fn pool(&self, pool: &Value) -> Value {
        let mut pool = pool.clone();
        pool["provisioningState"] = self.state.clone().into();
        pool["powerState"] = json!({"code": self.power()});
        pool["orchestratorVersion"] = self.wanted_version.clone().into();
        pool["currentOrchestratorVersion"] = self.seed.version.clone().into();
        if pool["nodeImageVersion"].is_null() {
            let is_windows = pool["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("windows"));
            let size = pool["vmSize"].as_str().unwrap_or_default();
            let os = if is_windows { "windows" } else { "linux" };
            pool["nodeImageVersion"] = machine::first_image(os, pool::architecture(size)).into();
        }
        pool
    }

    /// A pool as a separate resource.
    pub(crate) fn pool_body(&self, pool: &Value) -> Value {
        let name = pool["name"].as_str().unwrap_or_default();
        json!({
            "id": format!("{}/agentPools/{name}", self.id()),
            "name": name,
            "type": "Microsoft.ContainerService/managedClusters/agentPools",
            "properties": self.pool(pool),
        })
    }

    /// The control plane's identity, system-assigned or user-assigned.
    fn identity(&self, world: &World) -> Value {
        let Some(id) = &self.control_plane_id else {
            return json!({
                "type": "SystemAssigned",
                "principalId": self.control_plane,
                "tenantId": world.tenant,
            });
        };
        let client = world.principal(&self.control_plane).map(|one| one.client_id.as_str());
        let identity = json!({"clientId": client, "principalId": self.control_plane});
        json!({"type": "UserAssigned", "userAssignedIdentities": {id.as_str(): identity}})
    }
}
