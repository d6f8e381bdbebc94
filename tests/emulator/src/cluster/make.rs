//! Making clusters: from a seed as one that was always there, or by a request as one that is to come.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Cluster, pool};
use crate::kubernetes::{Kubernetes, NodeIdentity};
use crate::principal::Principal;
use crate::seed::ClusterSeed;
use crate::world::World;

/// The identities of a cluster, known before it is made.
pub(crate) struct Identities {
    pub(crate) control_plane: String,
    pub(crate) control_plane_id: Option<String>,
    /// What the nodes of a cluster with a service principal sign in with.
    pub(crate) secret: Option<String>,
    pub(crate) kubelet: Option<String>,
    pub(crate) kubelet_id: String,
    pub(crate) brought_kubelet: bool,
}

impl World {
    /// Makes a cluster as it would be after its creation, with its identities.
    pub(crate) fn seed_cluster(&mut self, mut seed: ClusterSeed) {
        let subscription = seed.subscription.clone().unwrap_or_else(|| self.subscription().to_owned());
        seed.subscription = Some(subscription.clone());
        self.ensure_group(&subscription, &seed.group, &seed.location);
        let start = self.clock.start();
        let identities = self.seed_identities(&seed, &subscription);
        let pools = pool::of_nodes(&seed.nodes);
        let mut cluster = self.new_cluster(seed, pools, identities);
        let present = cluster.pulls_as.clone();
        if cluster.seed.outdated_nodes {
            let former = Principal::managed(&format!("{}-former", cluster.id()), start);
            cluster.formers.push(former.object_id.clone());
            cluster.pulls_as = Some(NodeIdentity {
                principal: former.object_id.clone(),
                client: former.client_id.clone(),
                is_managed: true,
                is_attached: true,
                secret: None,
            });
            self.principals.push(Principal { name: format!("{} (former kubelet identity)", cluster.name), ..former });
        }
        if let Some(image) = cluster.seed.node_image.clone() {
            let is_linux = |pool: &&mut Value| pool["osType"] != "Windows";
            cluster.pools.iter_mut().filter(is_linux).for_each(|pool| pool["nodeImageVersion"] = image.clone().into());
        }
        if let Some(identity) = cluster.pulls_as.as_mut().filter(|_| cluster.seed.detached_identity) {
            identity.is_attached = false;
        }
        let present = if cluster.seed.detached_identity { cluster.pulls_as.clone() } else { present };
        if cluster.seed.account_pulls {
            self.seed_account_pulls(&mut cluster, start);
        }
        self.open(&mut cluster, start);
        self.make_network(&cluster);
        cluster.pulls_as = present;
        self.clusters.push(cluster);
    }

    fn seed_identities(&mut self, seed: &ClusterSeed, subscription: &str) -> Identities {
        let start = self.clock.start();
        let key = format!("{subscription}/{}/{}", seed.group, seed.name);
        let named = |name: String, principal: Principal| Principal { name, ..principal };
        let control_plane = if seed.service_principal {
            let principal = Principal::service(&format!("{key}/service-principal"), self.ids.secret(), start);
            let mut principal = named(format!("{} (service principal)", seed.name), principal);
            let lasts = seed.secret_lasts.map(|lasts| self.clock.unix(start) + lasts.as_secs());
            let end = seed.secret_ends.or(lasts);
            principal.passwords.iter_mut().for_each(|one| one.end = end);
            principal
        } else {
            named(format!("{} (control plane)", seed.name), Principal::managed(&key, start))
        };
        let has_kubelet = !seed.service_principal && !seed.without_kubelet_identity;
        let kubelet = has_kubelet.then(|| {
            let principal = Principal::managed(&format!("{key}-agentpool"), start);
            named(format!("{}-agentpool", seed.name), principal)
        });
        let identity = |group: &str, name: &str| {
            format!(
                "/subscriptions/{subscription}/resourcegroups/{group}/providers/Microsoft.ManagedIdentity\
                 /userAssignedIdentities/{name}"
            )
        };
        let assigned = seed.user_assigned.then(|| identity(&seed.group, &format!("{}-control-plane", seed.name)));
        let identities = Identities {
            control_plane: control_plane.object_id.clone(),
            control_plane_id: assigned,
            secret: control_plane.passwords.first().map(|one| one.text.clone()),
            kubelet: kubelet.as_ref().map(|one| one.object_id.clone()),
            kubelet_id: identity(&node_group(seed), &format!("{}-agentpool", seed.name)),
            brought_kubelet: false,
        };
        self.principals.push(control_plane);
        self.principals.extend(kubelet);
        identities
    }

    /// A cluster without a Kubernetes yet.
    pub(crate) fn new_cluster(&self, seed: ClusterSeed, pools: Vec<Value>, identities: Identities) -> Cluster {
        let mut cluster = Cluster {
            subscription: seed.subscription.clone().unwrap_or_else(|| self.subscription().to_owned()),
            group: seed.group.clone(),
            name: seed.name.clone(),
            location: seed.location.clone(),
            state: seed.state.clone(),
            stopped: false,
            etag: self.ids.id().to_string(),
            tags: seed.tags.clone(),
            sku: json!({"name": "Base", "tier": "Free"}),
            dns_prefix: String::new(),
            fqdn: String::new(),
            generation: 0,
            node_group: node_group(&seed),
            wanted_version: seed.version.clone(),
            pools,
            kubelet: identities.kubelet,
            kubelet_id: identities.kubelet_id,
            brought_kubelet: identities.brought_kubelet,
            pulls_as: None,
            bootstrap_failure: seed.bootstrap_refused.then_some(super::bootstrap::UNAUTHORIZED),
            account_pulls: super::account_pulls::AccountPulls::default(),
            formers: Vec::new(),
            rooms: BTreeMap::new(),
            shows_kubelet: identities.brought_kubelet,
            control_plane: identities.control_plane,
            control_plane_id: identities.control_plane_id,
            user_token: self.ids.secret(),
            admin_token: self.ids.secret(),
            kubernetes: None,
            #[cfg(feature = "serve")]
            real: None,
            seed,
        };
        cluster.pulls_as = match &cluster.kubelet {
            Some(kubelet) => self.node_identity(kubelet),
            None if cluster.seed.service_principal => self.service_identity(&cluster.control_plane, identities.secret),
            None => None,
        };
        let id = cluster.id();
        cluster.generation = self.removed_clusters.iter().filter(|removed| removed.eq_ignore_ascii_case(&id)).count();
        cluster.address(None);
        cluster
    }

    /// Brings a cluster that was being created to its end: its nodes are there, and its API server answers.
    pub(crate) fn open_cluster(&mut self, id: &str, now: Instant) {
        let Some(at) = self.cluster_of_id(id) else {
            return;
        };
        self.clusters[at].state = String::from("Succeeded");
        if self.clusters[at].is_open() {
            self.clusters[at].adjust_nodes(now);
            return;
        }
        let mut cluster = self.clusters.remove(at);
        self.open(&mut cluster, now);
        self.make_network(&cluster);
        self.clusters.insert(at, cluster);
    }

    /// Makes the network of a cluster whose pools name no subnet.
    fn make_network(&mut self, cluster: &Cluster) {
        let pools =
            [&cluster.pools[..], cluster.seed.properties["agentPoolProfiles"].as_array().map_or(&[], Vec::as_slice)];
        if pools.concat().iter().any(|pool| pool["vnetSubnetID"].is_string()) {
            return;
        }
        let body = json!({"location": cluster.location, "properties": {
            "addressSpace": {"addressPrefixes": ["10.224.0.0/12"]},
            "subnets": [{"name": "aks-subnet", "properties": {"addressPrefix": "10.224.0.0/16"}}],
        }});
        self.ensure_group(&cluster.subscription, &cluster.node_group, &cluster.location);
        crate::arm::stored::store(self, &cluster.network_id(), "virtualNetworks", &body);
    }

    /// Gives a cluster its Kubernetes.
    fn open(&self, cluster: &mut Cluster, now: Instant) {
        let wall = self.clock.wall(now);
        #[cfg(feature = "serve")]
        if let Some(planes) = &self.control_planes {
            // What answers is of this version, whichever was asked for.
            planes.version().clone_into(&mut cluster.seed.version);
            cluster.real = Some(planes.start(cluster.fqdn(), &cluster.node_specs(), now, wall));
            return;
        }
        cluster.kubernetes = Some(Kubernetes::new(&cluster.seed.version, cluster.node_specs(), now, wall));
    }

    /// Rotates a cluster's certificates: credentials that were handed out before are no longer valid.
    pub(crate) fn rotate_certificates(&mut self, id: &str) {
        let (user, admin) = (self.ids.secret(), self.ids.secret());
        if let Some(at) = self.cluster_of_id(id) {
            let cluster = &mut self.clusters[at];
            (cluster.user_token, cluster.admin_token) = (user, admin);
            cluster.state = String::from("Succeeded");
        }
    }

    /// Removes a cluster with its nodes' group and the identities made for it. What was granted to those stays behind.
    pub(crate) fn remove_cluster(&mut self, id: &str) {
        let Some(at) = self.cluster_of_id(id) else {
            return;
        };
        let cluster = self.clusters.remove(at);
        self.removed_clusters.push(cluster.id());
        crate::arm::stored::remove(self, &cluster.network_id());
        if cluster.control_plane_id.is_none() && !cluster.seed.service_principal {
            self.remove_principal(&cluster.control_plane);
        }
        if let Some(kubelet) = cluster.kubelet.filter(|_| !cluster.brought_kubelet) {
            self.remove_identity(&cluster.kubelet_id);
            self.remove_principal(&kubelet);
        }
        let nodes = |group: &crate::world::Group| {
            group.subscription.eq_ignore_ascii_case(&cluster.subscription)
                && group.name.eq_ignore_ascii_case(&cluster.node_group)
        };
        self.groups.retain(|group| !nodes(group));
        self.access.assignments.retain(|one| !crate::rbac::within(&one.scope, id));
    }
}

/// The group of the nodes, unless another name was asked for.
pub(crate) fn node_group(seed: &ClusterSeed) -> String {
    format!("MC_{}_{}_{}", seed.group, seed.name, seed.location)
}

impl Cluster {
    /// Gives it the name that its API server is found by.
    pub(crate) fn address(&mut self, prefix: Option<&str>) {
        let part =
            |text: &str, most: usize| text.chars().filter(char::is_ascii_alphanumeric).take(most).collect::<String>();
        let own = format!("{}-{}-{}", part(&self.name, 10), part(&self.group, 16), part(&self.subscription, 6));
        self.dns_prefix = prefix.map_or_else(|| own.to_ascii_lowercase(), str::to_owned);
        self.fqdn = self.first_fqdn();
    }
}
