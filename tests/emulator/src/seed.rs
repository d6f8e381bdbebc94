//! The clusters and registries that a test starts with.

use std::time::Duration;

use serde_json::{Value, json};

use crate::node::{Containerd, Kubelet, USUAL_CONTAINERD};
use crate::registry::children::Kind;
use crate::throttle::Rate;

/// A cluster to start with.
///
/// ```
/// use aks_acr_emulator::{ClusterSeed, Emulator};
///
/// let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").entra().node("aks-arm-0", "linux", "arm64"));
/// assert!(!azure.kubelet_object_id("group", "dev").is_empty());
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of its own")]
pub struct ClusterSeed {
    pub(crate) subscription: Option<String>,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) version: String,
    pub(crate) containerd: Containerd,
    /// How many pulls its kubelets start.
    pub(crate) pulls: Option<Rate>,
    pub(crate) state: String,
    pub(crate) entra: bool,
    pub(crate) azure_rbac: bool,
    pub(crate) local_accounts_disabled: bool,
    pub(crate) service_principal: bool,
    /// For how long the secret of its service principal is valid.
    pub(crate) secret_lasts: Option<Duration>,
    /// Or when it ends, in seconds since 1970.
    pub(crate) secret_ends: Option<u64>,
    pub(crate) without_kubelet_identity: bool,
    pub(crate) outdated_nodes: bool,
    pub(crate) detached_identity: bool,
    /// Whether its nodes pull as service accounts.
    pub(crate) account_pulls: bool,
    /// The name of the identity of service accounts that name none.
    pub(crate) default_pull_identity: Option<String>,
    pub(crate) bootstrap_refused: bool,
    /// The node image of its Linux pools, if it is not the newest.
    pub(crate) node_image: Option<String>,
    pub(crate) user_assigned: bool,
    pub(crate) admin_groups: Vec<String>,
    pub(crate) tags: Value,
    /// Properties in ARM's words, laid over the others.
    pub(crate) properties: Value,
    pub(crate) nodes: Vec<SeedNode>,
    own_nodes: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct SeedNode {
    pub(crate) name: String,
    pub(crate) pool: String,
    pub(crate) os: String,
    pub(crate) architecture: String,
}

impl ClusterSeed {
    /// A cluster that is `Succeeded`, with a system-assigned control plane, a kubelet identity and two nodes of
    /// linux/amd64, and without Entra.
    #[must_use]
    pub fn new(group: &str, name: &str) -> Self {
        let node = |number: u8| SeedNode {
            name: format!("aks-nodepool1-{number}"),
            pool: String::from("nodepool1"),
            os: String::from("linux"),
            architecture: String::from("amd64"),
        };
        Self {
            subscription: None,
            group: group.to_owned(),
            name: name.to_owned(),
            location: String::from("westeurope"),
            version: String::from("1.33.4"),
            containerd: USUAL_CONTAINERD,
            pulls: None,
            state: String::from("Succeeded"),
            entra: false,
            azure_rbac: false,
            local_accounts_disabled: false,
            service_principal: false,
            secret_lasts: None,
            secret_ends: None,
            without_kubelet_identity: false,
            outdated_nodes: false,
            detached_identity: false,
            bootstrap_refused: false,
            account_pulls: false,
            default_pull_identity: None,
            node_image: None,
            user_assigned: false,
            admin_groups: Vec::new(),
            tags: json!({}),
            properties: json!({}),
            nodes: vec![node(0), node(1)],
            own_nodes: false,
        }
    }

    /// Puts it in a subscription other than the emulator's first.
    #[must_use]
    pub fn in_subscription(mut self, id: &str) -> Self {
        self.subscription = Some(id.to_owned());
        self
    }

    /// Puts it in another region.
    #[must_use]
    pub fn location(mut self, location: &str) -> Self {
        location.clone_into(&mut self.location);
        self
    }

    /// Lets its users sign in with Entra; members of an admin group are administrators.
    #[must_use]
    pub fn entra(mut self) -> Self {
        self.entra = true;
        self
    }

    /// Authorizes requests in the cluster by Azure roles; use with [`entra`](Self::entra).
    #[must_use]
    pub fn azure_rbac(mut self) -> Self {
        self.entra = true;
        self.azure_rbac = true;
        self
    }

    /// Switches off the local accounts, whose credentials are static.
    #[must_use]
    pub fn local_accounts_disabled(mut self) -> Self {
        self.local_accounts_disabled = true;
        self
    }

    /// Gives it a service principal in place of managed identities.
    #[must_use]
    pub fn service_principal(mut self) -> Self {
        self.service_principal = true;
        self
    }

    /// Lets the secret of its service principal end after this time, counted from the emulator's start: at once for zero.
    #[must_use]
    pub fn secret_lasts(mut self, time: Duration) -> Self {
        self.secret_lasts = Some(time);
        self
    }

    /// Gives its control plane a user-assigned identity instead of a system-assigned one.
    #[must_use]
    pub fn user_assigned(mut self) -> Self {
        self.user_assigned = true;
        self
    }

    /// Sets any property by Azure's name: add-ons, a private API server, and so on. It is returned, and changes nothing
    /// else.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties[name] = value.into();
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags[name] = value.into();
        self
    }

    /// Leaves out the kubelet identity.
    #[must_use]
    pub fn without_kubelet_identity(mut self) -> Self {
        self.without_kubelet_identity = true;
        self
    }

    /// Lets its nodes keep a former kubelet identity, as after a change of it: they get the present one when they are renewed.
    #[must_use]
    pub fn outdated_nodes(mut self) -> Self {
        self.outdated_nodes = true;
        self
    }

    /// Takes the kubelet identity from the scale sets of its nodes, as a user can by hand: the nodes get no token of it, and their labels
    /// still name it. An update of the cluster gives it back.
    #[must_use]
    pub fn detached_identity(mut self) -> Self {
        self.detached_identity = true;
        self
    }

    /// Lets its nodes pull as the service accounts of pods, and not as the kubelet identity, with a default identity of this name. Only previews of
    /// Azure's API show it.
    #[must_use]
    pub fn service_account_pulls(mut self, default: Option<&str>) -> Self {
        self.account_pulls = true;
        self.default_pull_identity = default.map(str::to_owned);
        self
    }

    /// Isolates its network, with a registry of the user's own from which its nodes get their programs, by its resource id. The kubelet identity had no
    /// grant there, so no node has joined, and the cluster has failed: it tries again when it is reconciled.
    #[must_use]
    pub fn bootstrap_refused(mut self, registry: &str) -> Self {
        self.bootstrap_refused = true;
        self.state = String::from("Failed");
        self.properties["bootstrapProfile"] = json!({"artifactSource": "Cache", "containerRegistryId": registry});
        self
    }

    /// Sets the image that its Linux nodes were made from, such as `AKSUbuntu-2204gen2containerd-202501.12.0`. Those of before April 2025
    /// ask for a token for Azure Resource Manager, which a registry may refuse. Nodes that are made anew have the newest image.
    #[must_use]
    pub fn node_image(mut self, image: &str) -> Self {
        self.node_image = Some(image.to_owned());
        self
    }

    /// Sets the provisioning state.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        state.clone_into(&mut self.state);
        self
    }

    /// Sets the version of Kubernetes, 1.33.4 by default. What nodes do and say depends on it.
    ///
    /// # Panics
    /// If it is not a version, such as `1.33` or `1.33.4`.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        Kubelet::of(version);
        version.clone_into(&mut self.version);
        self
    }

    /// Sets the version of containerd on its nodes, 2.0.14 by default. The messages of failed pulls depend on it.
    ///
    /// # Panics
    /// If it is not a version, such as `2.0` or `2.0.14`.
    #[must_use]
    pub fn containerd(mut self, version: &str) -> Self {
        self.containerd = version.parse().unwrap_or_else(|fault: String| panic!("{fault}"));
        self
    }

    /// Lets each of its kubelets start so many pulls a second, and at once: `registryPullQPS` and `registryBurst` in
    /// [the kubelet's configuration](https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/). A kubelet refuses those
    /// that are more, and tries them again after its back-off. By default, and with 0, there is no limit.
    #[must_use]
    pub fn registry_pull_qps(mut self, qps: u32, burst: u32) -> Self {
        self.pulls = (qps > 0).then(|| Rate { capacity: f64::from(burst), per_second: f64::from(qps) });
        self
    }

    /// Adds a node. The first one replaces the two default nodes. The pool is the name without `aks-` and without the part
    /// after the last dash.
    #[must_use]
    pub fn node(mut self, name: &str, os: &str, architecture: &str) -> Self {
        if !self.own_nodes {
            self.nodes.clear();
            self.own_nodes = true;
        }
        let pool = node_pool(name);
        self.nodes.push(SeedNode {
            name: name.to_owned(),
            pool: pool.to_owned(),
            os: os.to_owned(),
            architecture: architecture.to_owned(),
        });
        self
    }

    /// Makes the members of an Entra group its administrators.
    #[must_use]
    pub fn admin_group(mut self, object_id: &str) -> Self {
        self.entra = true;
        self.admin_groups.push(object_id.to_owned());
        self
    }
}

/// The pool that a node's name speaks of: `aks-nodepool1-0`, or as AKS names it, `aks-nodepool1-12345678-vmss000000`.
pub(crate) fn node_pool(name: &str) -> &str {
    let (pool, machine) = name.rsplit_once('-').unwrap_or((name, ""));
    // The number is the same for all pools of a cluster.
    let numbered = pool.rsplit_once('-').filter(|(_, number)| {
        machine.starts_with("vmss") && number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    numbered.map_or(pool, |(pool, _)| pool).trim_start_matches("aks-")
}

/// A registry to start with, or what to change of one.
///
/// ```
/// use aks_acr_emulator::{Emulator, RegistrySeed};
///
/// let azure = Emulator::new().with_registry_of(RegistrySeed::new("group", "myregistry").abac().sku("Premium"));
/// assert!(azure.registry_id("group", "myregistry").ends_with("/registries/myregistry"));
/// ```
#[derive(Clone, Debug)]
pub struct RegistrySeed {
    pub(crate) subscription: Option<String>,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) sku: Option<String>,
    pub(crate) login_server: Option<String>,
    pub(crate) tags: Value,
    /// Properties in ARM's words, laid over the defaults.
    pub(crate) properties: Value,
    pub(crate) lag: Duration,
    pub(crate) lags_for_nodes: bool,
    pub(crate) replicas: Vec<String>,
    pub(crate) children: Vec<(Kind, String, Value)>,
}

impl RegistrySeed {
    /// A registry of sku Basic in the legacy mode, open to all networks.
    #[must_use]
    pub fn new(group: &str, name: &str) -> Self {
        Self {
            subscription: None,
            group: group.to_owned(),
            name: name.to_owned(),
            location: String::from("westeurope"),
            sku: None,
            login_server: None,
            tags: json!({}),
            properties: json!({}),
            lag: Duration::ZERO,
            lags_for_nodes: false,
            replicas: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Puts it in a subscription other than the emulator's first.
    #[must_use]
    pub fn in_subscription(mut self, id: &str) -> Self {
        self.subscription = Some(id.to_owned());
        self
    }

    /// Puts it in another region.
    #[must_use]
    pub fn location(mut self, location: &str) -> Self {
        location.clone_into(&mut self.location);
        self
    }

    /// Sets the sku: `Basic`, `Standard` or `Premium`.
    #[must_use]
    pub fn sku(mut self, sku: &str) -> Self {
        self.sku = Some(sku.to_owned());
        self
    }

    /// Sets the login server, if it differs from the name.
    #[must_use]
    pub fn login_server(mut self, host: &str) -> Self {
        self.login_server = Some(host.to_ascii_lowercase());
        self
    }

    /// Sets the mode `AbacRepositoryPermissions`: repository roles and conditions decide.
    #[must_use]
    pub fn abac(self) -> Self {
        self.property("roleAssignmentMode", "AbacRepositoryPermissions")
    }

    /// Sets the mode `LegacyRegistryPermissions`: `AcrPull` and similar roles decide.
    #[must_use]
    pub fn legacy(self) -> Self {
        self.property("roleAssignmentMode", "LegacyRegistryPermissions")
    }

    /// Allows anonymous pulls.
    #[must_use]
    pub fn anonymous_pull(self) -> Self {
        self.property("anonymousPullEnabled", true)
    }

    /// Allows access only through private endpoints.
    #[must_use]
    pub fn public_network_disabled(self) -> Self {
        self.property("publicNetworkAccess", "Disabled")
    }

    /// Allows access only from these addresses (or ranges, such as `192.0.2.0/24`).
    #[must_use]
    pub fn only_from(self, addresses: &[&str]) -> Self {
        let rules: Vec<Value> = addresses.iter().map(|address| json!({"action": "Allow", "value": address})).collect();
        self.property("networkRuleSet", json!({"defaultAction": "Deny", "ipRules": rules}))
    }

    /// Gives it replicas that return an imported image only this long after the import has ended.
    #[must_use]
    pub fn replicas_lag(mut self, time: Duration) -> Self {
        self.lag = time;
        self
    }

    /// Gives it a replica in another region. Nodes pull from it: with [`replicas_lag`](Self::replicas_lag), it is only they whom an image that
    /// was pushed is shown to later.
    #[must_use]
    pub fn replica(mut self, region: &str) -> Self {
        self.replicas.push(region.to_owned());
        self.lags_for_nodes = true;
        self.sku("Premium")
    }

    /// Gives it an endpoint in each region that it has a replica in, its own among them: `myregistry.westeurope.geo.azurecr.io`.
    #[must_use]
    pub fn regional_endpoints(self) -> Self {
        self.property("regionalEndpoints", "Enabled").sku("Premium")
    }

    /// Keeps deleted images, so that they can be restored.
    #[must_use]
    pub fn soft_delete(self) -> Self {
        self.policy("softDeletePolicy")
    }

    /// Serves images only once a scanner has passed them: see [`Emulator::pass_quarantine`](crate::Emulator::pass_quarantine).
    #[must_use]
    pub fn quarantine(self) -> Self {
        self.policy("quarantinePolicy")
    }

    fn policy(mut self, name: &str) -> Self {
        self.properties["policies"][name]["status"] = "enabled".into();
        self
    }

    /// Fetches images of a repository outside, such as `docker.io/library/*`, when they are pulled from `target`, such as `hub/*`. With a
    /// credential set it signs in there; see [`Emulator::set_credentials`](crate::Emulator::set_credentials).
    #[must_use]
    pub fn cache_rule(mut self, name: &str, source: &str, target: &str, credential_set: Option<&str>) -> Self {
        let mut rule = json!({"sourceRepository": source, "targetRepository": target});
        if let Some(set) = credential_set {
            rule["credentialSet"] = set.into();
            let host = source.split('/').next().unwrap_or_default();
            let secret = |name: &str| format!("https://vault.vault.azure.net/secrets/{name}");
            let credential = json!({"name": "Credential1", "usernameSecretIdentifier": secret("user"),
                                    "passwordSecretIdentifier": secret("password")});
            let set_of = json!({"loginServer": host, "authCredentials": [credential]});
            self.children.push((Kind::CredentialSet, set.to_owned(), set_of));
        }
        self.children.push((Kind::CacheRule, name.to_owned(), rule));
        self
    }

    /// Makes a credential set unusable, with Azure's words.
    #[must_use]
    pub fn credential_error(mut self, credential_set: &str, message: &str) -> Self {
        let is_it = |kind: Kind, name: &str| kind == Kind::CredentialSet && name == credential_set;
        for (_, _, properties) in self.children.iter_mut().filter(|(kind, name, _)| is_it(*kind, name)) {
            properties["fault"] = message.into();
        }
        self
    }

    /// Refuses tokens made for Azure Resource Manager.
    #[must_use]
    pub fn refuse_arm_tokens(mut self) -> Self {
        self.properties["policies"]["azureADAuthenticationAsArmPolicy"]["status"] = "disabled".into();
        self
    }

    /// Sets any property by Azure's name.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties[name] = value.into();
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags[name] = value.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusterSeed, node_pool};

    #[test]
    fn a_kubelet_without_pulls_a_second_has_no_limit() {
        let limit = |qps| ClusterSeed::new("group", "dev").registry_pull_qps(qps, 10).pulls;
        assert!(limit(0).is_none() && limit(1).is_some());
    }

    #[test]
    fn the_name_of_a_node_has_that_of_its_pool() {
        for (name, pool) in [
            ("aks-nodepool1-0", "nodepool1"),
            ("aks-nodepool1-12345678-vmss000000", "nodepool1"),
            ("aks-gpu-pool-12345678-vmss00000a", "gpu-pool"),
            ("aks-nodepool1-1234-vmss000000", "nodepool1-1234"),
            ("other", "other"),
        ] {
            assert_eq!(node_pool(name), pool, "{name}");
        }
    }
}
