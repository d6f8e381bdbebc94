//! Changes the scene while a test runs, and reads how it ended.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::arm::lock::Lock;
use crate::cluster::Cluster;
use crate::emulator::{Emulator, put_image};
use crate::fault::Fault;
use crate::image::{self, OddImage};
use crate::log::{Mark, Request};
use crate::principal::Principal;
use crate::rbac::Assignment;
use crate::rbac::condition::Condition;
use crate::registry::{Registry, upstream};
use crate::seed::RegistrySeed;
use crate::throttle::{Load, Rate, kind_named, scaled};
use crate::timing::Timing;
use crate::world::World;

/// A role assignment, for assertions on the end state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleAssignment {
    /// Its GUID.
    pub name: String,
    /// The scope as it was requested.
    pub scope: String,
    /// The object ID of the principal.
    pub principal_id: String,
    /// The GUID of the role.
    pub role_definition_guid: String,
    /// The condition, if any.
    pub condition: Option<String>,
    /// The description, if any.
    pub description: Option<String>,
}

#[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
impl Emulator {
    /// All requests so far, in the order in which they started; at most the last 100,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.world().log.since(0)
    }

    /// The current end of the log.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.shared.world().log.next())
    }

    /// The requests that started after a mark was taken.
    #[must_use]
    pub fn requests_since(&self, mark: Mark) -> Vec<Request> {
        self.shared.world().log.since(mark.0)
    }

    /// All role assignments that exist, including seeded ones.
    #[must_use]
    pub fn role_assignments(&self) -> Vec<RoleAssignment> {
        let shown = |one: &Assignment| RoleAssignment {
            name: one.name.clone(),
            scope: one.scope.clone(),
            principal_id: one.principal.clone(),
            role_definition_guid: one.role.clone(),
            condition: one.condition.clone(),
            description: one.description.clone(),
        };
        self.act(|world| world.access.standing().map(shown).collect())
    }

    /// What a principal can do with the content of a registry right now, directly or as a member of groups: `pull`, `push`, `delete`, each for
    /// a repository, and `list` for the names of the repositories. A registry that does not exist allows nothing.
    #[must_use]
    pub fn registry_access(&self, principal_id: &str, registry_id: &str, repository: &str) -> Vec<&'static str> {
        use crate::registry::gate::{Right, permits};
        let rights =
            [(Right::Pull, "pull"), (Right::Push, "push"), (Right::Delete, "delete"), (Right::Catalog, "list")];
        self.act(|world| {
            let (now, registry) =
                (Instant::now(), world.registries.iter().find(|one| one.id().eq_ignore_ascii_case(registry_id)));
            let (Some(registry), Some(principal)) = (registry, world.principal(principal_id)) else {
                return Vec::new();
            };
            let principal = Principal { groups: world.groups_of(principal), ..principal.clone() };
            let allowed = |right| permits(world, registry, &principal, right, repository, now);
            rights.into_iter().filter(|(right, _)| allowed(*right)).map(|(_, name)| name).collect()
        })
    }

    /// Sets how long operations take from now on. A longer time than ten years becomes ten years.
    pub fn set_timing(&self, timing: Timing) {
        self.act(|world| world.timing = timing.bounded());
    }

    /// Adds a fault. Several faults hit in the order in which they were added.
    pub fn fault(&self, fault: Fault) {
        self.act(|world| world.faults.add(fault));
    }

    /// Makes the bodies of operations contain fields without a value as `null`, or omit them again.
    pub fn set_explicit_nulls(&self, nulls: bool) {
        self.act(|world| world.manner.nulls = nulls);
    }

    /// Makes creations and imports that start from now on end as `Failed`, with this error: an object with `code` and `message`,
    /// a text, or any other JSON that a service may return. `None` makes them succeed again.
    pub fn set_operation_error(&self, error: Option<serde_json::Value>) {
        self.act(|world| world.manner.error = error);
    }

    /// Splits lists into pages of this size.
    pub fn set_page_size(&self, size: usize) {
        self.act(|world| world.paging.size = size);
    }

    /// Makes each list start with an empty page that links to the next.
    pub fn set_empty_first_page(&self, empty: bool) {
        self.act(|world| world.paging.empty_first = empty);
    }

    /// Makes registries know `@Resource` attributes of repositories in conditions, as many samples use them. Whether Azure's registries
    /// do is not established, and a condition that cannot be judged grants nothing, so by default they do not: `@Request` works.
    pub fn set_resource_attributes_known(&self, known: bool) {
        self.act(|world| world.access.knows_repositories = known);
    }

    /// Sets the status of a `PUT` that repeats a role assignment under its own name: 200 or 201. No recording shows
    /// which one Azure sends.
    pub fn set_repeated_assignment_status(&self, created: bool) {
        let status = if created { StatusCode::CREATED } else { StatusCode::OK };
        self.act(|world| world.repeated_assignment = status);
    }

    /// Makes the link to an import or a deletion, which is at the subscription, require
    /// `Microsoft.ContainerRegistry/locations/operationResults/read` there. Whether Azure does is not established: its links are signed, and
    /// by default that is enough.
    pub fn set_links_need_action(&self, needed: bool) {
        self.act(|world| world.links_need_action = needed);
    }

    /// Unregisters a provider (such as `Microsoft.ContainerRegistry`) in the first subscription. Its resources cannot be
    /// created there until it is registered again.
    pub fn unregister_provider(&self, namespace: &str) {
        self.act(|world| world.unregistered.push((world.subscription().to_owned(), namespace.to_owned())));
    }

    /// Limits `"reads"`, `"writes"` or `"deletes"` to a bucket of this size for each subscription and principal. It
    /// refills in the same proportion as Azure's: a tenth per second for reads, a twentieth for the others.
    pub fn throttle(&self, kind: &str, capacity: u32) {
        self.act(|world| {
            world.throttle.limit(kind_named(kind), scaled(kind, capacity));
        });
    }

    /// The same with a refill rate, in requests per second.
    pub fn throttle_at(&self, kind: &str, capacity: u32, per_second: f64) {
        let rate = Rate { capacity: f64::from(capacity), per_second };
        self.act(|world| world.throttle.limit(kind_named(kind), rate));
    }

    /// Turns Azure's published limits on: for each subscription and kind of request, per principal and in total; for each
    /// registry those of its tier, per identity and in total. Kinds with a limit of your own keep it.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// Emulator::new().throttle_as_azure(true);
    /// ```
    pub fn throttle_as_azure(&self, throttled: bool) {
        self.act(|world| world.throttle.limit_as_azure(throttled));
    }

    /// Lets others with an identity send so many reads a minute to a registry, for some time: other nodes of its cluster, or a build. With
    /// [Azure's limits](Self::throttle_as_azure), which this turns on, only what they leave is granted. Returns whether the registry exists.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// # use std::time::Duration;
    /// let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// let kubelet = azure.kubelet_object_id("group", "dev");
    /// assert!(azure.set_registry_load("group", "myregistry", &kubelet, 5000, Duration::from_secs(60)));
    /// ```
    pub fn set_registry_load(
        &self,
        group: &str,
        registry: &str,
        principal_id: &str,
        reads_per_minute: u32,
        lasting: Duration,
    ) -> bool {
        self.act(|world| {
            let Some(at) = world.registry_named(group, registry) else { return false };
            let load = Load { a_minute: f64::from(reads_per_minute), until: world.clock.now() + lasting };
            let host = world.registries[at].login_server().to_owned();
            world.throttle.limit_as_azure(true);
            world.throttle.load(&host, principal_id, load);
            true
        })
    }

    /// Grants a role (by name or GUID) as if long ago. Returns the assignment's name.
    ///
    /// # Panics
    /// If the role does not exist.
    pub fn grant(&self, role: &str, principal_id: &str, scope: &str) -> String {
        let granted = self.act(|world| world.grant(role, principal_id, scope));
        let Some(name) = granted else { panic!("role {role} does not exist") };
        name
    }

    /// Grants a role under a condition.
    ///
    /// # Panics
    /// If the role does not exist, or the emulator does not support the condition: it would grant nothing.
    pub fn grant_if(&self, role: &str, principal_id: &str, scope: &str, condition: &str) -> String {
        assert!(Condition::parse(condition).is_some(), "the condition is not supported: {condition}");
        self.conditionally(role, principal_id, scope, condition)
    }

    /// Grants a role now, so that it has an effect only after this time, as Azure's new grants do.
    ///
    /// # Panics
    /// If the role does not exist.
    pub fn grant_later(&self, role: &str, principal_id: &str, scope: &str, after: Duration) -> String {
        let name = self.grant(role, principal_id, scope);
        self.act(|world| {
            // What is dated with the start has always been there.
            let now = world.clock.now().max(world.clock.start() + Duration::from_millis(1));
            if let Some(assignment) = world.access.assignments.iter_mut().rfind(|one| one.name == name) {
                (assignment.created, assignment.updated, assignment.listed) = (now, now, now);
                assignment.effective = now + after;
            }
        });
        name
    }

    /// Grants a role under a condition that the emulator does not understand: it grants nothing.
    ///
    /// # Panics
    /// If the role does not exist, or the condition is understood.
    pub fn grant_if_unread(&self, role: &str, principal_id: &str, scope: &str, condition: &str) -> String {
        assert!(Condition::parse(condition).is_none(), "the condition is understood: {condition}");
        self.conditionally(role, principal_id, scope, condition)
    }

    fn conditionally(&self, role: &str, principal_id: &str, scope: &str, condition: &str) -> String {
        let granted = self.act(|world| {
            let name = world.grant(role, principal_id, scope)?;
            if let Some(assignment) = world.access.assignments.iter_mut().rfind(|one| one.name == name) {
                assignment.condition = Some(condition.to_owned());
                assignment.condition_version = Some(String::from("2.0"));
            }
            Some(name)
        });
        let Some(name) = granted else { panic!("role {role} does not exist") };
        name
    }

    /// Removes an assignment by name, with immediate effect. Returns whether it existed.
    pub fn revoke(&self, name: &str) -> bool {
        self.act(|world| {
            let before = world.access.assignments.len();
            world.access.assignments.retain(|one| !one.name.eq_ignore_ascii_case(name));
            before != world.access.assignments.len()
        })
    }

    /// Adds a member to an Entra group now, named as in [`with_member`](Self::with_member). Azure lists the group's roles for the member
    /// immediately; tokens contain the group after [`Timing::membership`].
    ///
    /// # Panics
    /// If the member does not exist.
    pub fn add_member(&self, group: &str, member: &str) {
        let now = self.act(|world| world.clock.now());
        self.put_into(group, member, Some(now));
    }

    /// Removes a member from an Entra group. Returns whether it was one. Tokens that were issued still contain the group.
    pub fn remove_member(&self, group: &str, member: &str) -> bool {
        let Some(member) = self.member_id(member) else { return false };
        let group = self.group_id(group);
        self.act(|world| world.leave(&member, &group))
    }

    /// Removes all of a caller's assignments, with immediate effect.
    ///
    /// # Panics
    /// If the caller does not exist.
    pub fn lose_rights(&self, caller: &str) {
        let id = self.object_id_of(caller);
        assert!(!id.is_empty(), "caller {caller} does not exist");
        self.act(|world| world.access.assignments.retain(|one| one.principal != id));
    }

    /// Makes conditional access refuse tokens to a caller, or issue them again. Issued tokens stay valid.
    ///
    /// # Panics
    /// If the caller does not exist.
    pub fn block_sign_in(&self, caller: &str, blocked: bool) {
        let id = self.object_id_of(caller);
        assert!(!id.is_empty(), "caller {caller} does not exist");
        self.act(|world| {
            world.blocked.retain(|one| *one != id);
            world.blocked.extend(blocked.then_some(id));
        });
    }

    /// Locks a scope and all that is below it: `"CanNotDelete"` or `"ReadOnly"`.
    ///
    /// # Panics
    /// If the level does not exist.
    pub fn lock(&self, name: &str, scope: &str, level: &str) {
        let Some(lock) = Lock::new(name, scope, level) else { panic!("lock level {level} does not exist") };
        self.act(|world| world.locks.push(lock));
    }

    /// Creates a managed identity now, so that it is new: see [`Timing::principal`]. Returns its object ID.
    pub fn make_identity(&self, name: &str) -> String {
        self.act(|world| {
            let made = Principal::managed(name, world.clock.now());
            let id = made.object_id.clone();
            world.principals.push(made);
            id
        })
    }

    /// Hides a principal from role assignments for a time, with or without `principalType`.
    pub fn forget_principal(&self, object_id: &str, time: Duration) {
        self.act(|world| world.forgotten.push((object_id.to_owned(), world.clock.now() + time)));
    }

    /// Changes a registry: its mode, its network rules or any property, with the methods of a seed.
    ///
    /// # Panics
    /// If the registry does not exist.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_registry("group", "myregistry");
    /// azure.set_registry("group", "myregistry", |seed| seed.abac());
    /// ```
    pub fn set_registry(&self, group: &str, name: &str, change: impl FnOnce(RegistrySeed) -> RegistrySeed) {
        let seed = change(RegistrySeed::new(group, name));
        self.act(|world| {
            let Some(at) = world.registry_named(group, name) else { panic!("registry {group}/{name} does not exist") };
            let now = world.clock.now();
            let registry = &mut world.registries[at];
            registry.change(&seed.properties, now);
            if let Some(sku) = seed.sku {
                registry.sku = sku;
            }
            if let Some(host) = seed.login_server {
                registry.properties["loginServer"] = host.into();
            }
        });
    }

    /// Sets a cluster's provisioning state.
    ///
    /// # Panics
    /// If the cluster does not exist.
    pub fn set_cluster_state(&self, group: &str, name: &str, state: &str) {
        self.act(|world| {
            let id = world.cluster_named(group, name).map(Cluster::id);
            let known = world.clusters.iter_mut().find(|one| Some(one.id()) == id);
            let Some(cluster) = known else { panic!("cluster {group}/{name} does not exist") };
            state.clone_into(&mut cluster.state);
        });
    }

    /// Removes a registry and its role assignments.
    pub fn delete_registry(&self, group: &str, name: &str) {
        self.act(|world| {
            if let Some(at) = world.registry_named(group, name) {
                let id = world.registries[at].id();
                world.remove_registry(&id);
            }
        });
    }

    /// Adds an image for these platforms, or moves its tag to a new one. Replicas that lag show it later.
    pub fn push_image(&self, name: &str, platforms: &[&str]) {
        let (host, repository, reference) = image::split(name);
        let before = self.tag_of(host, repository, reference);
        self.act(|world| {
            let now = world.clock.now();
            let of_host = |one: &&mut Registry| one.login_server().eq_ignore_ascii_case(host);
            let digests = |registry: &Registry| -> BTreeSet<String> {
                let found = registry.images.repositories.get(repository);
                found.iter().flat_map(|found| found.manifests.keys().cloned()).collect()
            };
            let known = world.registries.iter_mut().find(of_host).map(|registry| digests(registry));
            put_image(world, name, platforms, now);
            if let Some((registry, known)) = world.registries.iter_mut().find(of_host).zip(known) {
                for digest in digests(registry).difference(&known) {
                    registry.note_tag(repository, digest, None, now);
                }
                registry.note_tag(repository, reference, before, now);
            }
        });
    }

    /// Adds an artifact that nodes cannot run as an image to a registry of Azure.
    ///
    /// # Panics
    /// If the registry does not exist.
    pub fn push_odd_image(&self, name: &str, odd: OddImage) {
        let (host, repository, tag) = image::split(name);
        self.act(|world| {
            let now = world.clock.now();
            let own = world.registries.iter_mut().find(|one| one.login_server().eq_ignore_ascii_case(host));
            let Some(registry) = own else { panic!("registry {host} does not exist") };
            registry.images.make_odd(repository, tag, odd, now);
        });
    }

    /// Adds a manifest of this artifact type that refers to an image, such as a signature or an SBOM. Returns its digest; `None` if the image
    /// does not exist. It has no tag. In a registry without a referrers API, it is added to the index with the tag `sha256-…`, as the
    /// [OCI specification](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema) has clients do.
    ///
    /// ```
    /// use aks_acr_emulator::Emulator;
    ///
    /// let azure = Emulator::new().with_image("ghcr.io/team/app:v1", &["linux/amd64"]);
    /// let sbom = azure.push_referrer("ghcr.io/team/app:v1", "application/spdx+json").unwrap();
    /// assert!(azure.push_referrer(&format!("ghcr.io/team/app@{sbom}"), "application/vnd.cncf.notary.signature").is_some());
    /// ```
    pub fn push_referrer(&self, subject: &str, artifact_type: &str) -> Option<String> {
        let (host, repository, reference) = image::split(subject);
        self.act(|world| {
            let now = world.clock.now();
            if let Some(own) = world.registries.iter_mut().find(|one| one.login_server().eq_ignore_ascii_case(host)) {
                let into = own.images.repositories.get_mut(repository)?;
                return into.refer(reference, artifact_type, now);
            }
            let one = world.upstreams.get_mut(upstream::api_host(host))?;
            let into = one.images.repositories.get_mut(repository)?;
            let subject = into.resolve(reference)?.to_owned();
            let digest = into.refer(reference, artifact_type, now)?;
            if one.manner.knows_no_referrers {
                into.list_in_tag(&subject, &digest, now);
            }
            Some(digest)
        })
    }

    /// Gives an image, named by its tag or digest, another tag in its repository. Returns whether the image exists.
    pub fn tag_image(&self, name: &str, tag: &str) -> bool {
        let (host, repository, reference) = image::split(name);
        self.act(|world| {
            let now = world.clock.now();
            let own = world.registries.iter_mut().find(|one| one.login_server().eq_ignore_ascii_case(host));
            let store = match own {
                Some(registry) => Some(&mut registry.images),
                None => world.upstreams.get_mut(upstream::api_host(host)).map(|one| &mut one.images),
            };
            let repository = store.and_then(|store| store.repositories.get_mut(repository));
            let digest = repository.as_ref().and_then(|found| found.resolve(reference)).map(str::to_owned);
            let (Some(repository), Some(digest)) = (repository, digest) else { return false };
            repository.tags.insert(tag.to_owned(), (digest, Some(now)));
            true
        })
    }

    pub(crate) fn tag_of(&self, host: &str, repository: &str, reference: &str) -> Option<String> {
        self.act(|world| {
            let registry = world.registries.iter().find(|one| one.login_server().eq_ignore_ascii_case(host))?;
            registry.images.repositories.get(repository)?.resolve(reference).map(str::to_owned)
        })
    }

    /// Removes a tag, or a manifest named by its digest with its tags. Returns whether it existed. A registry with
    /// [soft delete](RegistrySeed::soft_delete) keeps it.
    pub fn delete_image(&self, name: &str) -> bool {
        let (host, repository, reference) = image::split(name);
        self.act(|world| {
            let now = world.clock.now();
            let mut registries = world.registries.iter_mut();
            if let Some(own) = registries.find(|one| one.login_server().eq_ignore_ascii_case(host)) {
                return own.remove(repository, reference, now);
            }
            let store = world.upstreams.get_mut(upstream::api_host(host)).map(|one| &mut one.images);
            let repository = store.and_then(|store| store.repositories.get_mut(repository));
            repository.is_some_and(|repository| repository.tags.remove(reference).is_some())
        })
    }

    /// Restores a deleted manifest, and the tag in the name if it has one. Returns whether it was there.
    pub fn restore_image(&self, name: &str, digest: &str) -> bool {
        let (host, rest) = name.split_once('/').unwrap_or_default();
        let (repository, tag) = rest.rsplit_once(':').map_or((rest, None), |(repository, tag)| (repository, Some(tag)));
        self.act(|world| {
            let now = world.clock.now();
            let own = world.registries.iter_mut().find(|one| one.login_server().eq_ignore_ascii_case(host));
            own.is_some_and(|registry| registry.restore(repository, digest, tag, now).status().is_success())
        })
    }

    /// Lets a scanner pass an image of a registry with [quarantine](RegistrySeed::quarantine). Returns whether the image exists.
    pub fn pass_quarantine(&self, name: &str) -> bool {
        let (host, repository, reference) = image::split(name);
        self.act(|world| {
            let own = world.registries.iter_mut().find(|one| one.login_server().eq_ignore_ascii_case(host));
            own.is_some_and(|registry| registry.pass(repository, reference))
        })
    }

    /// Switches the reading of an image on or off: of a tag, of a manifest named by its digest, or of a whole repository if neither is named.
    ///
    /// # Panics
    /// If the repository does not exist.
    pub fn set_read_enabled(&self, name: &str, enabled: bool) {
        let (host, rest) = name.split_once('/').unwrap_or_default();
        let (repository, item) = rest.split_once('@').or_else(|| rest.rsplit_once(':')).unwrap_or((rest, ""));
        self.act(|world| {
            let own = world.registries.iter_mut().find(|one| one.login_server().eq_ignore_ascii_case(host));
            let found = own.and_then(|registry| registry.images.repositories.get_mut(repository));
            let Some(found) = found else { panic!("repository {name} does not exist") };
            found.switches.entry(item.to_owned()).or_default().insert(String::from("readEnabled"), enabled);
        });
    }

    /// Makes a registry's credential set unusable, with Azure's code and message, or usable again.
    ///
    /// # Panics
    /// If the credential set does not exist.
    pub fn set_credentials(&self, group: &str, registry: &str, name: &str, fault: Option<(&str, &str)>) {
        use crate::registry::children::Kind;
        self.act(|world| {
            let Some(at) = world.registry_named(group, registry) else {
                panic!("registry {group}/{registry} does not exist")
            };
            let children = &mut world.registries[at].children;
            let set = children.iter_mut().find(|one| one.is(Kind::CredentialSet, name));
            let Some(set) = set else { panic!("credential set {name} does not exist") };
            set.fault = fault.map(|(code, message)| (code.to_owned(), message.to_owned()));
        });
    }

    /// The digest of a tag, if it exists.
    #[must_use]
    pub fn digest(&self, name: &str) -> Option<String> {
        let (host, repository, reference) = image::split(name);
        self.act(|world| {
            let store = match world.registry_of_host(host) {
                Some(registry) => Some(&registry.images),
                None => upstream::store(world, host),
            };
            let repository = store?.repositories.get(repository)?;
            repository.resolve(reference).map(str::to_owned)
        })
    }

    /// The etag of a cluster: it changes with every write of the cluster. Empty if the cluster does not exist.
    #[must_use]
    pub fn cluster_etag(&self, group: &str, name: &str) -> String {
        let etag = |world: &mut World| Some(world.cluster_named(group, name)?.etag.clone());
        self.act(etag).unwrap_or_default()
    }

    /// The address that registries see all nodes at.
    #[must_use]
    pub fn egress_address(&self) -> String {
        self.shared.world().addresses.nodes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registry_is_switched_at_the_time_that_the_clock_shows() {
        let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
        azure.advance(Duration::from_secs(60 * 60));
        let before = azure.act(|world| world.clock.now());
        azure.set_registry("group", "myregistry", RegistrySeed::abac);
        azure.add_node("group", "dev", "aks-later-0", "linux", "amd64");
        let switched = azure.act(|world| world.registries[0].switched);
        assert!(switched.is_some_and(|switched| switched >= before), "tokens from before are no longer valid");
    }
}
