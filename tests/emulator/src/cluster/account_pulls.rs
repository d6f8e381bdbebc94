//! Pulls as service accounts: nodes sign in to registries as the identity of a pod's service account, and not as the kubelet's.
//!
//! A preview: `securityProfile.serviceAccountImagePullProfile` is in the versions from 2026-01-02-preview on, and in no stable one. What nodes do
//! then is in `pkg/credentialprovider/azure_credentials.go` of cloud-provider-azure, and in the credential provider's configuration of
//! [AgentBaker](https://github.com/Azure/AgentBaker): the annotation of the service account, or else the default identity, or else none.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Cluster;
use crate::emulator::Emulator;
use crate::node::OnBehalf;
use crate::world::World;

/// The annotation of a service account that names an identity by its client id.
pub(crate) const ANNOTATION: &str = "kubernetes.azure.com/acr-client-id";
/// The first version that shows the setting.
const FIRST: &str = "2026-01-02-preview";

/// What a cluster's nodes pull as, where they pull as service accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountPulls {
    /// Whether it is switched on.
    pub(crate) enabled: bool,
    /// The resource id of the identity of service accounts that name none.
    pub(crate) default: Option<String>,
    /// The resource ids of the identities that are bound to the cluster.
    pub(crate) bound: Vec<String>,
}

impl Cluster {
    /// The setting, in the versions that have it.
    pub(crate) fn account_pull_profile(&self, version: &str) -> Option<Value> {
        let is_shown = version.ends_with("-preview") && version >= FIRST;
        let pulls = &self.account_pulls;
        (is_shown && pulls.enabled)
            .then(|| json!({"enabled": pulls.enabled, "defaultManagedIdentityId": pulls.default}))
    }

    /// Its identity bindings, as a list shows them.
    pub(crate) fn bindings(&self, world: &World) -> Vec<Value> {
        let of = |id: &String| {
            let identity = world.identity(id)?;
            let client = world.principal(&identity.principal)?.client_id.clone();
            let issuer = format!("https://ib.oic.prod-aks.azure.com/{}/{client}", world.tenant);
            Some(json!({
                "id": format!("{}/identityBindings/{}", self.id(), identity.name),
                "name": identity.name,
                "type": "Microsoft.ContainerService/managedClusters/identityBindings",
                "properties": {
                    "managedIdentity": {
                        "resourceId": id, "clientId": client, "objectId": identity.principal, "tenantId": world.tenant,
                    },
                    "oidcIssuer": {"oidcIssuerUrl": issuer},
                    "provisioningState": "Succeeded",
                },
            }))
        };
        self.account_pulls.bound.iter().filter_map(of).collect()
    }

    /// What its nodes sign in as for a service account with this annotation. Without a name, or a binding to the cluster, there is no token.
    pub(crate) fn signs_in_for(&self, world: &World, annotated: Option<&str>) -> OnBehalf {
        if !self.account_pulls.enabled {
            return OnBehalf::Nodes;
        }
        let bound = self.account_pulls.bound.iter().filter_map(|id| world.identity(id));
        let is_named = |principal: &str, id: &str| match annotated {
            Some(client) => world.principal(principal).is_some_and(|one| one.client_id.eq_ignore_ascii_case(client)),
            None => self.account_pulls.default.as_deref().is_some_and(|default| default.eq_ignore_ascii_case(id)),
        };
        let found = bound.into_iter().find(|one| is_named(&one.principal, &one.id()));
        found.map_or(OnBehalf::Nobody, |one| OnBehalf::Account(one.principal.clone()))
    }
}

impl World {
    /// Switches a new cluster to pulls as service accounts. The default identity is made and bound.
    pub(crate) fn seed_account_pulls(&mut self, cluster: &mut Cluster, start: Instant) {
        cluster.account_pulls.enabled = true;
        let default = cluster.seed.default_pull_identity.clone().map(|name| {
            let place = [cluster.subscription.as_str(), cluster.group.as_str(), name.as_str()];
            self.make_identity(place, &cluster.location, start).id()
        });
        cluster.account_pulls.bound.extend(default.clone());
        cluster.account_pulls.default = default;
    }
}

impl Emulator {
    /// Makes a managed identity and binds it to a cluster, as `az aks identity-binding create` does, so that service accounts can name it. Returns
    /// its client id and its object id, or nothing if there is no such cluster.
    #[must_use]
    pub fn bind_identity(&self, group: &str, cluster: &str, name: &str) -> (String, String) {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) else { return (String::new(), String::new()) };
            let (subscription, location) =
                (world.clusters[at].subscription.clone(), world.clusters[at].location.clone());
            let now = world.clock.start();
            let made = world.make_identity([&subscription, group, name], &location, now);
            world.clusters[at].account_pulls.bound.push(made.id());
            let client = world.principal(&made.principal).map(|one| one.client_id.clone());
            (client.unwrap_or_default(), made.principal)
        })
    }

    /// Makes a managed identity, binds it to a cluster, and makes it the default one for pulls as service accounts. Returns its object id.
    #[must_use]
    pub fn set_default_pull_identity(&self, group: &str, cluster: &str, name: &str) -> String {
        let (_, principal) = self.bind_identity(group, cluster, name);
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            if let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) {
                let pulls = &mut world.clusters[at].account_pulls;
                pulls.default = pulls.bound.last().cloned();
            }
        });
        principal
    }

    /// The object id of the default identity of a cluster whose nodes pull as service accounts. Empty if it has none.
    #[must_use]
    pub fn default_pull_object_id(&self, group: &str, cluster: &str) -> String {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).and_then(|one| one.account_pulls.default.clone());
            known.and_then(|id| world.identity(&id).map(|one| one.principal.clone())).unwrap_or_default()
        })
    }
}
