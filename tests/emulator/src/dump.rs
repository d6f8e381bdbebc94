//! All there is, as a value: what a test holds two ends against each other by.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::arm::{lock, role_assignment};
use crate::cluster::Cluster;
use crate::emulator::Emulator;
use crate::identity::Identity;
use crate::image::Store;
use crate::kubernetes::{Answer, Kubernetes};
use crate::registry::Registry;
use crate::world::World;

impl Emulator {
    /// All there is, without secrets, as it is now: what the control endpoint shows as `state`, and besides it each resource as
    /// Resource Manager shows it, every object of each cluster, manifests without a tag, locks, identities, and which providers are
    /// not registered. Its form may change with any version: hold one dump against another.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_cluster("group", "dev");
    /// assert_eq!(azure.dump()["clusters"][0]["name"], "dev");
    /// ```
    #[must_use]
    pub fn dump(&self) -> Value {
        let mut dump = state(self);
        self.act(|world| {
            for (shown, one) in entries(&mut dump, "registries").zip(&world.registries) {
                shown["resource"] = one.body(world);
                shown["manifests"] = manifests(&one.images);
            }
            for (shown, one) in entries(&mut dump, "clusters").zip(&world.clusters) {
                shown["resource"] = one.body(world);
                shown["objects"] = one.kubernetes.as_ref().map(Kubernetes::dump).into();
            }
            for (shown, one) in entries(&mut dump, "roleAssignments").zip(world.access.standing()) {
                shown["resource"] = role_assignment::body(world, one);
            }
            dump["identities"] = world.identities.iter().map(Identity::item).collect();
            dump["locks"] = world.locks.iter().map(lock::body).collect();
            dump["unregistered"] = json!(world.unregistered);
            dump["underWay"] = world.operations.iter().filter(|one| one.outcome.is_none()).count().into();
        });
        dump
    }
}

/// The entries of a list, to add to.
fn entries<'a>(dump: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    dump[list].as_array_mut().into_iter().flatten()
}

/// Digests by repository.
fn manifests(store: &Store) -> Value {
    let digests = |one: &crate::image::Repository| one.manifests.keys().map(String::as_str).collect::<Value>();
    Value::Object(store.repositories.iter().map(|(name, one)| (name.clone(), digests(one))).collect())
}

/// The whole scene, without secrets.
pub(crate) fn state(emulator: &Emulator) -> Value {
    let assignments = emulator.role_assignments();
    let assignments: Vec<Value> = assignments
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "scope": one.scope,
                "principalId": one.principal_id,
                "roleDefinition": one.role_definition_guid,
                "condition": one.condition,
                "description": one.description,
            })
        })
        .collect();
    emulator.act(|world| {
        let clusters: Vec<Value> = (0..world.clusters.len()).map(|at| cluster(world, at)).collect();
        json!({
            "tenant": world.tenant,
            "subscriptions": world.subscriptions,
            "foreignSubscriptions": world.foreign_subscriptions,
            "now": world.clock.rfc3339(world.clock.now()),
            "groups": world.groups.iter().map(|group| {
                json!({"subscription": group.subscription, "name": group.name, "location": group.location})
            }).collect::<Vec<_>>(),
            "principals": world.principals.iter().map(|one| json!({
                "name": one.name, "objectId": one.object_id, "clientId": one.client_id, "kind": one.kind,
                "groups": one.groups, "directory": one.directory,
            })).collect::<Vec<_>>(),
            "roleAssignments": assignments,
            "registries": world.registries.iter().map(registry).collect::<Vec<_>>(),
            "upstreams": world.upstreams.iter().map(|(host, one)| (host.clone(), tags(&one.images)))
                .collect::<serde_json::Map<_, _>>(),
            "clusters": clusters,
        })
    })
}

fn registry(registry: &Registry) -> Value {
    json!({
        "id": registry.id(),
        "name": registry.name,
        "sku": registry.sku,
        "loginServer": registry.login_server(),
        "roleAssignmentMode": registry.properties["roleAssignmentMode"],
        "properties": registry.properties,
        "images": tags(&registry.images),
    })
}

/// Digest by tag by repository.
fn tags(store: &Store) -> Value {
    let repository = |repository: &crate::image::Repository| {
        let tags = repository.tags.iter().map(|(tag, (digest, _))| (tag.clone(), Value::from(digest.as_str())));
        Value::Object(tags.collect())
    };
    Value::Object(store.repositories.iter().map(|(name, one)| (name.clone(), repository(one))).collect())
}

fn cluster(world: &mut World, at: usize) -> Value {
    let deployments = objects(world, at, "/apis/apps/v1/deployments");
    let pods = objects(world, at, "/api/v1/pods");
    let cluster: &Cluster = &world.clusters[at];
    json!({
        "id": cluster.id(),
        "name": cluster.name,
        "fqdn": cluster.fqdn(),
        "state": cluster.state,
        "etag": cluster.etag,
        "kubelet": cluster.kubelet,
        "controlPlane": cluster.control_plane,
        "deployments": deployments,
        "pods": pods,
    })
}

/// The objects at a path, as the API server lists them.
fn objects(world: &mut World, at: usize, path: &'static str) -> Value {
    #[cfg(feature = "serve")]
    if let Some(real) = &world.clusters[at].real {
        // Of a real API server only what its nodes watch is known here.
        return if path == "/api/v1/pods" { real.remote.pods().cloned().collect() } else { Value::Null };
    }
    let now = world.clock.now();
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = http::Uri::from_static(path);
    let kubernetes = world.clusters[at].kubernetes.as_mut();
    let Some(Answer::Whole(answer)) = kubernetes.map(|one| one.serve(&request, "emulator", now)) else {
        return Value::Null;
    };
    let mut list: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    list["items"].take()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn azure() -> Emulator {
        Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry")
    }

    #[tokio::test(start_paused = true)]
    async fn a_dump_shows_what_has_changed_and_nothing_else() {
        let azure = azure();
        let before = azure.dump();
        assert_eq!(azure.dump(), before);
        azure.unregister_provider("Microsoft.ContainerRegistry");
        azure.lock("kept", &azure.registry_id("group", "myregistry"), "CanNotDelete");
        let after = azure.dump();
        let parts = |dump: &Value| dump.as_object().cloned().unwrap();
        let changed: Vec<String> =
            parts(&before).into_iter().filter(|(name, part)| after[name] != *part).map(|(name, _)| name).collect();
        assert_eq!(changed, ["locks", "unregistered"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dump_has_no_secret() {
        let azure = azure();
        let text = azure.dump().to_string();
        let (_, secret) = azure.client_secret_of("owner");
        let world = azure.shared.world();
        let (cluster, registry) = (&world.clusters[0], &world.registries[0]);
        for secret in [&secret, &cluster.user_token, &cluster.admin_token, &registry.passwords[0]] {
            assert!(!secret.is_empty() && !text.contains(secret));
        }
    }
}
