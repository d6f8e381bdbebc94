//! A cluster: what Azure knows of it, and the Kubernetes inside.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::kubernetes::{Kubernetes, NodeSpec};
use crate::principal::{Principal, stable_id};
use crate::registry::merge;
use crate::seed::ClusterSeed;
use crate::world::World;

/// A managed cluster.
pub(crate) struct Cluster {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    /// The provisioning state.
    pub(crate) state: String,
    pub(crate) etag: String,
    fqdn: String,
    pub(crate) seed: ClusterSeed,
    /// Object id of the identity that nodes pull with, where there is one.
    pub(crate) kubelet: Option<String>,
    /// Object id of the control plane's identity, or of the service principal.
    pub(crate) control_plane: String,
    pub(crate) user_token: String,
    pub(crate) admin_token: String,
    /// Taken out only while it moves on, since its nodes then need the rest of the world.
    pub(crate) kubernetes: Option<Kubernetes>,
}

impl Cluster {
    /// The id, with the lower-case `resourcegroups` that this provider writes.
    pub(crate) fn id(&self) -> String {
        format!(
            "/subscriptions/{}/resourcegroups/{}/providers/Microsoft.ContainerService/managedClusters/{}",
            self.subscription, self.group, self.name
        )
    }

    fn dns_prefix(&self) -> String {
        let part =
            |text: &str, most: usize| text.chars().filter(char::is_ascii_alphanumeric).take(most).collect::<String>();
        format!("{}-{}-{}", part(&self.name, 10), part(&self.group, 16), part(&self.subscription, 6))
            .to_ascii_lowercase()
    }

    /// The host of the API server, as it was given at creation.
    pub(crate) fn fqdn(&self) -> &str {
        &self.fqdn
    }

    fn first_fqdn(&self) -> String {
        let suffix = stable_id(&self.id());
        format!("{}-{}.hcp.{}.azmk8s.io", self.dns_prefix(), &suffix[..8], self.location)
    }

    fn node_group(&self) -> String {
        format!("MC_{}_{}_{}", self.group, self.name, self.location)
    }

    fn has_kubelet_identity(&self) -> bool {
        // Seen absent in every recorded body of a cluster that was being created.
        self.kubelet.is_some() && !self.state.eq_ignore_ascii_case("Creating")
    }

    /// The body that a GET answers.
    pub(crate) fn body(&self, world: &World) -> Value {
        let seed = &self.seed;
        let mut properties = json!({
            "provisioningState": self.state,
            "powerState": {"code": "Running"},
            "kubernetesVersion": seed.version,
            "currentKubernetesVersion": seed.version,
            "dnsPrefix": self.dns_prefix(),
            "fqdn": self.fqdn(),
            "azurePortalFQDN": self.fqdn().replace(".hcp.", ".portal.hcp."),
            "agentPoolProfiles": self.pools(),
            "servicePrincipalProfile": {"clientId": "msi"},
            "nodeResourceGroup": self.node_group(),
            "enableRBAC": true,
            "supportPlan": "KubernetesOfficial",
            "networkProfile": {
                "networkPlugin": "azure", "networkPluginMode": "overlay", "loadBalancerSku": "standard",
                "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10",
                "outboundType": "loadBalancer",
            },
            "maxAgentPools": 100,
            "disableLocalAccounts": seed.local_accounts_disabled,
            "oidcIssuerProfile": {"enabled": false},
        });
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
        if let Some(kubelet) = kubelet.filter(|_| self.has_kubelet_identity()) {
            properties["identityProfile"] = json!({"kubeletidentity": {
                "resourceId": format!(
                    "/subscriptions/{}/resourcegroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}-agentpool",
                    self.subscription, self.node_group(), self.name
                ),
                "clientId": kubelet.client_id,
                "objectId": kubelet.object_id,
            }});
        }
        let mut body = json!({
            "id": self.id(),
            "location": self.location,
            "name": self.name,
            "type": "Microsoft.ContainerService/ManagedClusters",
            "kind": "Base",
            "sku": {"name": "Base", "tier": "Free"},
            "eTag": self.etag,
        });
        if seed.service_principal {
            let client = world.principal(&self.control_plane).map_or("", |one| one.client_id.as_str());
            properties["servicePrincipalProfile"]["clientId"] = client.into();
        } else {
            body["identity"] = self.identity(world);
        }
        merge(&mut properties, &seed.properties);
        body["properties"] = properties;
        body
    }

    /// The control plane's identity, of its own or assigned by a user.
    fn identity(&self, world: &World) -> Value {
        if !self.seed.user_assigned {
            return json!({
                "type": "SystemAssigned",
                "principalId": self.control_plane,
                "tenantId": world.tenant,
            });
        }
        let client = world.principal(&self.control_plane).map(|one| one.client_id.as_str());
        let id = format!(
            "/subscriptions/{}/resourcegroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}-control-plane",
            self.subscription, self.group, self.name
        );
        let identity = json!({"clientId": client, "principalId": self.control_plane});
        json!({"type": "UserAssigned", "userAssignedIdentities": {id: identity}})
    }

    fn pools(&self) -> Value {
        let mut pools: Vec<(&str, usize, &str)> = Vec::new();
        for node in &self.seed.nodes {
            match pools.iter_mut().find(|(pool, _, _)| *pool == node.pool) {
                Some((_, count, _)) => *count += 1,
                None => pools.push((&node.pool, 1, &node.os)),
            }
        }
        let body = |(at, (name, count, os)): (usize, &(&str, usize, &str))| {
            json!({
                "name": name,
                "count": count,
                "vmSize": "Standard_D2s_v5",
                "maxPods": 250,
                "type": "VirtualMachineScaleSets",
                "provisioningState": self.state,
                "powerState": {"code": "Running"},
                "orchestratorVersion": self.seed.version,
                "currentOrchestratorVersion": self.seed.version,
                "mode": if at == 0 { "System" } else { "User" },
                "osType": if *os == "windows" { "Windows" } else { "Linux" },
            })
        };
        pools.iter().enumerate().map(body).collect()
    }
}

impl World {
    /// The cluster with this id, however its letters are written.
    pub(crate) fn cluster_at(&self, subscription: &str, group: &str, name: &str) -> Option<usize> {
        self.clusters.iter().position(|cluster| {
            cluster.subscription.eq_ignore_ascii_case(subscription)
                && cluster.group.eq_ignore_ascii_case(group)
                && cluster.name.eq_ignore_ascii_case(name)
        })
    }

    /// The cluster with this name in a group of this name, in the first subscription that has one.
    pub(crate) fn cluster_named(&self, group: &str, name: &str) -> Option<&Cluster> {
        let place = |id: &String| self.cluster_at(id, group, name);
        self.subscriptions.iter().find_map(place).map(|at| &self.clusters[at])
    }

    /// Makes a cluster as it would be after its creation, with its identities.
    pub(crate) fn seed_cluster(&mut self, seed: ClusterSeed) {
        let subscription = seed.subscription.clone().unwrap_or_else(|| self.subscription().to_owned());
        self.ensure_group(&subscription, &seed.group, &seed.location);
        let start = self.clock.start();
        let key = format!("{subscription}/{}/{}", seed.group, seed.name);
        let named = |name: String, principal: Principal| Principal { name, ..principal };
        let control_plane = if seed.service_principal {
            let principal = Principal::service(&format!("{key}/service-principal"), start);
            named(format!("{} (service principal)", seed.name), principal)
        } else {
            named(format!("{} (control plane)", seed.name), Principal::managed(&key, start))
        };
        let has_kubelet = !seed.service_principal && !seed.without_kubelet_identity;
        let kubelet = has_kubelet.then(|| {
            let principal = Principal::managed(&format!("{key}-agentpool"), start);
            named(format!("{}-agentpool", seed.name), principal)
        });
        let specs = seed.nodes.iter().map(|node| NodeSpec {
            name: node.name.clone(),
            pool: node.pool.clone(),
            os: node.os.clone(),
            architecture: node.architecture.clone(),
        });
        let kubernetes = Kubernetes::new(&seed.version, specs.collect(), start);
        let mut cluster = Cluster {
            subscription,
            group: seed.group.clone(),
            name: seed.name.clone(),
            location: seed.location.clone(),
            state: seed.state.clone(),
            etag: Uuid::new_v4().to_string(),
            fqdn: String::new(),
            kubelet: kubelet.as_ref().map(|one| one.object_id.clone()),
            control_plane: control_plane.object_id.clone(),
            user_token: Uuid::new_v4().simple().to_string(),
            admin_token: Uuid::new_v4().simple().to_string(),
            kubernetes: Some(kubernetes),
            seed,
        };
        cluster.fqdn = cluster.first_fqdn();
        self.principals.push(control_plane);
        self.principals.extend(kubelet);
        self.clusters.push(cluster);
    }
}
