//! Registries: what Azure knows of one, and the hosts that serve images.

mod acr;
mod artifact_cache;
pub(crate) mod children;
mod distribution;
pub(crate) mod gate;
mod key;
mod layers;
mod page;
pub(crate) mod push;
pub(crate) mod quarantine;
mod soft_delete;
pub(crate) mod upstream;
mod wish;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::ids::Ids;
use crate::image::Store;
use crate::network::Way;
use crate::rbac;
use crate::reply::Reply;
use crate::seed::RegistrySeed;
use crate::world::World;

/// A registry of this Azure.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) sku: String,
    pub(crate) tags: Value,
    /// In ARM's words; the rules read them from here.
    pub(crate) properties: Value,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    /// When its role assignment mode was last switched.
    pub(crate) switched: Option<Instant>,
    pub(crate) images: Store,
    /// Those of the admin user, which open nothing unless that is enabled.
    pub(crate) passwords: [String; 2],
    /// Its scope maps, tokens, credential sets and cache rules.
    pub(crate) children: Vec<children::Child>,
    /// Blobs that are being uploaded, by the id of the upload.
    pub(crate) uploads: BTreeMap<String, push::Upload>,
    /// How long the replica that answers is behind.
    pub(crate) lag: Duration,
    /// Whether it is only nodes whom such a replica answers.
    pub(crate) lags_for_nodes: bool,
    pub(crate) late: Vec<Late>,
    /// The regions of its replicas, besides its own.
    pub(crate) replicas: Vec<String>,
    pub(crate) deleted: Vec<soft_delete::Deleted>,
    /// Whether it lost the key that encrypts its content.
    pub(crate) is_locked: bool,
}

/// A tag or a digest that a replica does not show yet.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    until: Instant,
    repository: String,
    reference: String,
    /// What a tag meant before.
    earlier: Option<String>,
}

impl Registry {
    pub(crate) fn id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerRegistry/registries/{}",
            self.subscription, self.group, self.name
        )
    }

    pub(crate) fn login_server(&self) -> &str {
        self.text("loginServer")
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.text("provisioningState") == "Deleting"
    }

    /// Whether it is at this host. Whether Azure still serves images while it deletes the registry is not known: here it does not.
    fn serves(&self, host: &str) -> bool {
        !self.is_deleting() && (self.login_server().eq_ignore_ascii_case(host) || self.has_regional_host(host))
    }

    /// Whether it has an endpoint of this name in its region, or in that of a replica: see [Regional
    /// endpoints](https://learn.microsoft.com/azure/container-registry/container-registry-regional-endpoints).
    fn has_regional_host(&self, host: &str) -> bool {
        let Some((name, suffix)) = self.login_server().split_once('.') else { return false };
        let regions = std::iter::once(&self.location).chain(&self.replicas);
        let is_it = |region: &String| host.eq_ignore_ascii_case(&format!("{name}.{region}.geo.{suffix}"));
        self.properties["regionalEndpoints"] == "Enabled" && regions.into_iter().any(is_it)
    }

    fn text(&self, property: &str) -> &str {
        self.properties[property].as_str().unwrap_or_default()
    }

    /// Notes what a reference means now, before it comes to mean something else.
    pub(crate) fn note(&mut self, repository: &str, reference: &str, now: Instant) {
        if self.lag.is_zero() {
            return;
        }
        let known = self.images.repositories.get(repository).and_then(|found| found.resolve(reference));
        self.note_tag(repository, reference, known.map(str::to_owned), now);
    }

    /// Notes what a reference meant before it was moved.
    pub(crate) fn note_tag(&mut self, repository: &str, reference: &str, earlier: Option<String>, now: Instant) {
        if self.lag.is_zero() {
            return;
        }
        let (repository, reference) = (repository.to_owned(), reference.to_owned());
        self.late.push(Late { until: now + self.lag, repository, reference, earlier });
    }

    /// What the replica that answers has.
    pub(crate) fn visible(&self, is_node: bool, now: Instant) -> Cow<'_, Store> {
        if self.lags_for_nodes && !is_node {
            return Cow::Borrowed(&self.images);
        }
        let late: Vec<&Late> = self.late.iter().filter(|late| late.until > now).collect();
        if late.is_empty() {
            return Cow::Borrowed(&self.images);
        }
        let mut images = self.images.clone();
        // The last change is taken back first.
        for late in late.into_iter().rev() {
            let Some(repository) = images.repositories.get_mut(&late.repository) else { continue };
            match &late.earlier {
                Some(digest) if late.reference != *digest => {
                    repository.tags.insert(late.reference.clone(), (digest.clone(), None));
                }
                Some(_) => {}
                None => {
                    repository.tags.remove(&late.reference);
                    repository.manifests.remove(&late.reference);
                }
            }
        }
        Cow::Owned(images)
    }

    pub(crate) fn is_abac(&self) -> bool {
        self.text("roleAssignmentMode") == "AbacRepositoryPermissions"
    }

    pub(crate) fn allows_anonymous(&self) -> bool {
        self.properties["anonymousPullEnabled"] == true
    }

    pub(crate) fn refuses_arm_tokens(&self) -> bool {
        self.properties["policies"]["azureADAuthenticationAsArmPolicy"]["status"] == "disabled"
    }

    /// Lays properties over those that are there, as `PATCH` does: objects are merged, all else is replaced.
    pub(crate) fn merge(&mut self, properties: &Value) {
        merge(&mut self.properties, properties);
    }

    /// The same, and notes a switch of the mode, which ends all tokens.
    pub(crate) fn change(&mut self, properties: &Value, now: Instant) {
        let was_abac = self.is_abac();
        self.merge(properties);
        if self.is_abac() != was_abac {
            self.switched = Some(now);
        }
    }

    /// The hosts of its data endpoints, if it has any: see [dedicated data
    /// endpoints](https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints).
    pub(crate) fn name_data_endpoints(&mut self) {
        let host = format!("{}.{}.data.azurecr.io", self.name.to_ascii_lowercase(), self.location);
        let hosts = if self.properties["dataEndpointEnabled"] == true { vec![host] } else { Vec::new() };
        self.properties["dataEndpointHostNames"] = json!(hosts);
    }

    /// The body that a GET answers.
    pub(crate) fn body(&self, world: &World) -> Value {
        let mut item = self.item(world);
        let mut properties = self.properties.clone();
        if self.sku != "Premium" {
            // Recorded: only Premium has network rules.
            properties.as_object_mut().map(|properties| properties.remove("networkRuleSet"));
        }
        item["properties"] = properties;
        item
    }

    /// What a list of resources shows of it: no properties.
    pub(crate) fn item(&self, world: &World) -> Value {
        json!({
            "sku": {"name": self.sku, "tier": self.sku},
            "type": "Microsoft.ContainerRegistry/registries",
            "id": self.id(),
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "systemData": {
                "createdByType": "Application",
                "createdAt": world.clock.rfc3339(self.created),
                "lastModifiedByType": "Application",
                "lastModifiedAt": world.clock.rfc3339(self.updated),
            },
        })
    }
}

/// A password as the service makes them.
pub(crate) fn new_password(ids: &Ids) -> String {
    format!("{}{}", ids.secret(), ids.secret())
}

/// Lays one JSON value over another: objects are merged, all else is replaced.
pub(crate) fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// What every registry has before anything was asked for.
fn default_properties(world: &World, login_server: &str, now: Instant) -> Value {
    let created = world.clock.rfc3339(now);
    json!({
        "loginServer": login_server,
        "creationDate": created,
        "provisioningState": "Succeeded",
        "adminUserEnabled": false,
        "networkRuleSet": {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []},
        "policies": {
            "quarantinePolicy": {"status": "disabled"},
            "trustPolicy": {"type": "Notary", "status": "disabled"},
            "retentionPolicy": {"days": 7, "lastUpdatedTime": created, "status": "disabled"},
            "exportPolicy": {"status": "enabled"},
            "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
            "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": created, "status": "disabled"},
        },
        "encryption": {"status": "disabled"},
        "dataEndpointEnabled": false,
        "dataEndpointHostNames": [],
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "networkRuleBypassOptions": "AzureServices",
        "zoneRedundancy": "Disabled",
        "anonymousPullEnabled": false,
        "metadataSearch": "Disabled",
        "roleAssignmentMode": "LegacyRegistryPermissions",
        "autoGeneratedDomainNameLabelScope": "Unsecure",
    })
}

impl World {
    /// Makes a registry from a seed.
    pub(crate) fn seed_registry(&mut self, seed: RegistrySeed, now: Instant) {
        let subscription = seed.subscription.clone().unwrap_or_else(|| self.subscription().to_owned());
        self.ensure_group(&subscription, &seed.group, &seed.location);
        let host = format!("{}.azurecr.io", seed.name.to_ascii_lowercase());
        let login_server = seed.login_server.unwrap_or(host);
        let mut registry = Registry {
            subscription,
            group: seed.group,
            name: seed.name,
            location: seed.location,
            sku: seed.sku.unwrap_or_else(|| String::from("Basic")),
            tags: seed.tags,
            properties: default_properties(self, &login_server, now),
            created: now,
            updated: now,
            switched: None,
            images: Store::default(),
            passwords: [new_password(&self.ids), new_password(&self.ids)],
            children: Vec::new(),
            uploads: BTreeMap::new(),
            lag: seed.lag,
            lags_for_nodes: seed.lags_for_nodes,
            late: Vec::new(),
            replicas: seed.replicas,
            deleted: Vec::new(),
            is_locked: false,
        };
        registry.merge(&seed.properties);
        for (kind, name, properties) in seed.children {
            registry.make_child(kind, &name, properties, now);
        }
        self.registries.push(registry);
    }

    pub(crate) fn registry(&self, subscription: &str, group: &str, name: &str) -> Option<&Registry> {
        self.registry_at(subscription, group, name).map(|at| &self.registries[at])
    }

    pub(crate) fn registry_at(&self, subscription: &str, group: &str, name: &str) -> Option<usize> {
        self.registries.iter().position(|registry| {
            registry.subscription.eq_ignore_ascii_case(subscription)
                && registry.group.eq_ignore_ascii_case(group)
                && registry.name.eq_ignore_ascii_case(name)
        })
    }

    /// The registry with this name in a group of this name, in the first subscription that has one.
    pub(crate) fn registry_named(&self, group: &str, name: &str) -> Option<usize> {
        let place = |id: &String| self.registry_at(id, group, name);
        self.subscriptions.iter().find_map(place)
    }

    /// The registry that a host is the login server of.
    pub(crate) fn registry_of_host(&self, host: &str) -> Option<&Registry> {
        self.registries.iter().find(|registry| registry.serves(host))
    }

    /// Whether a host name is that of a registry so new that nodes do not resolve it.
    pub(crate) fn is_unknown_to_nodes(&self, host: &str, now: Instant) -> bool {
        self.registry_of_host(host).is_some_and(|registry| now < registry.created + self.timing.registry_name)
    }

    /// Removes a registry, and what was granted on it and below.
    ///
    /// That Azure removes role assignments with their scope is documented for [key
    /// vaults](https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview); it has no page about registries.
    pub(crate) fn remove_registry(&mut self, id: &str) {
        self.registries.retain(|registry| !registry.id().eq_ignore_ascii_case(id));
        self.monitor.remove_settings(id);
        self.access.assignments.retain(|assignment| !rbac::within(&assignment.scope, id));
    }
}

/// Whether some registry, of this Azure or not, is at this host.
pub(crate) fn is_host(world: &World, host: &str) -> bool {
    world.registry_of_any_host(host).is_some() || upstream::is_host(world, host)
}

/// Answers a request to a registry.
pub(crate) fn serve(world: &mut World, host: &str, request: &Request<Bytes>, way: &Way, now: Instant) -> Reply {
    if let Some(answer) = layers::serve(world, host, request, way, now) {
        return answer;
    }
    let own = world.registries.iter().position(|registry| registry.serves(host));
    match own {
        Some(at) => acr::serve(world, at, request, way, now),
        None => upstream::serve(world, host, request, now),
    }
}
