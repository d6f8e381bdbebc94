//! The emulator: how to set its scene, and how to connect to it.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use azure_core::credentials::TokenCredential;
use azure_core::http::HttpClient;

use crate::door::credential::Credential;
use crate::door::kubernetes::KubernetesDoor;
use crate::door::network::settle;
use crate::door::transport::Transport;
use crate::door::{self, Shared};
use crate::image;
use crate::principal::{Principal, stable_id};
use crate::rbac::Role;
use crate::registry::upstream;
use crate::role_seed::RoleSeed;
use crate::seed::{ClusterSeed, RegistrySeed};
use crate::upstream_seed::UpstreamSeed;
use crate::world::{OWNER, World};

/// An emulated Azure in memory. Clones share the same state.
///
/// ```
/// use aks_acr_emulator::Emulator;
/// use azure_core::http::{HttpClient, Method, Request};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> azure_core::Result<()> {
/// let azure = Emulator::new().with_cluster("group", "dev");
/// let token = azure.credential().get_token(&["https://management.azure.com/.default"], None).await?;
///
/// let url = format!("https://management.azure.com{}?api-version=2026-05-01", azure.cluster_id("group", "dev"));
/// let mut request = Request::new(url.parse()?, Method::Get);
/// request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
/// let answer = azure.transport().execute_request(&request).await?;
///
/// assert_eq!(u16::from(answer.status()), 200);
/// assert_eq!(azure.requests().len(), 2);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Emulator {
    pub(crate) shared: Arc<Shared>,
    router: Router,
    tenant: String,
    subscription: String,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}

impl Default for Emulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulator {
    /// Creates an emulator with a tenant, a subscription, and one caller who is its Owner.
    #[must_use]
    pub fn new() -> Self {
        Self::of(World::new())
    }

    /// The same, beginning at `wall`, with ids and secrets that grow from a root.
    #[cfg(feature = "serve")]
    pub(crate) fn rooted(root: uuid::Uuid, wall: std::time::SystemTime) -> Self {
        Self::of(World::rooted(root, wall))
    }

    fn of(world: World) -> Self {
        let (tenant, subscription) = (world.tenant.clone(), world.subscription().to_owned());
        let shared = Arc::new(Shared::new(world));
        let router = door::router(Arc::clone(&shared));
        Self { shared, router, tenant, subscription }
    }

    /// Gives clusters that are made from now on a real control plane of these programs. Needs a tokio runtime.
    #[cfg(feature = "serve")]
    pub(crate) fn with_control_planes(
        self,
        programs: crate::control_plane::Programs,
    ) -> Result<Self, crate::serve::ServeError> {
        let program = programs.program()?;
        let planes = crate::control_plane::ControlPlanes::new(programs, &self.shared);
        Ok(self.with(|world| (world.control_planes, world.program) = (Some(planes), program)))
    }

    /// Stops the control planes of all clusters, and waits for it.
    #[cfg(feature = "serve")]
    pub(crate) async fn stop_control_planes(&self) {
        let planes = self.act(|world| {
            for cluster in &mut world.clusters {
                cluster.real = None;
            }
            world.control_planes.take()
        });
        if let Some(planes) = planes {
            planes.ended().await;
        }
    }

    /// Looks at the world, or changes it, as it is now: all that was to happen before has happened.
    pub(crate) fn act<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.shared.world();
        let now = world.clock.now();
        settle(&mut world, now);
        let done = act(&mut world);
        drop(world);
        self.shared.changed.notify_waiters();
        done
    }

    fn with(self, change: impl FnOnce(&mut World)) -> Self {
        self.act(change);
        self
    }

    /// Adds a subscription. The first caller is its Owner too.
    #[must_use]
    pub fn with_subscription(self, id: &str) -> Self {
        self.with(|world| world.add_subscription(id))
    }

    /// Adds a subscription of another tenant. Azure refuses the tokens of all callers there, and their roles end at the tenant.
    #[must_use]
    pub fn with_foreign_subscription(self, id: &str, tenant: &str) -> Self {
        self.with(|world| world.foreign_subscriptions.push((id.to_owned(), tenant.to_owned())))
    }

    /// Adds a resource group.
    #[must_use]
    pub fn with_group(self, group: &str, location: &str) -> Self {
        self.with(|world| {
            let subscription = world.subscription().to_owned();
            world.ensure_group(&subscription, group, location);
        })
    }

    /// Adds a cluster like [`ClusterSeed::new`], and its group if needed.
    #[must_use]
    pub fn with_cluster(self, group: &str, name: &str) -> Self {
        self.with_cluster_of(ClusterSeed::new(group, name))
    }

    /// Adds a cluster from a seed, and its group if needed.
    #[must_use]
    pub fn with_cluster_of(self, seed: ClusterSeed) -> Self {
        self.with(|world| world.seed_cluster(seed))
    }

    /// Adds a user-assigned identity by its resource ID, and its group if needed. It is as old as the emulator.
    ///
    /// # Panics
    /// If the ID is not that of a user-assigned identity.
    #[must_use]
    pub fn with_identity(self, id: &str) -> Self {
        let segments: Vec<&str> = id.split('/').skip(1).collect();
        let [_, subscription, _, group, _, _, kind, name] = segments.as_slice() else {
            panic!("{id} is not a resource ID");
        };
        assert!(kind.eq_ignore_ascii_case("userAssignedIdentities"), "{id} is not a user-assigned identity");
        self.with(|world| {
            world.ensure_group(subscription, group, "westeurope");
            let start = world.clock.start();
            world.make_identity([subscription, group, name], "westeurope", start);
        })
    }

    /// Adds a registry like [`RegistrySeed::new`], and its group if needed.
    #[must_use]
    pub fn with_registry(self, group: &str, name: &str) -> Self {
        self.with_registry_of(RegistrySeed::new(group, name))
    }

    /// Adds a registry from a seed, and its group if needed.
    #[must_use]
    pub fn with_registry_of(self, seed: RegistrySeed) -> Self {
        self.with(|world| {
            let start = world.clock.start();
            world.seed_registry(seed, start);
            // Images may have been seeded before the registry that they are for.
            if let Some(registry) = world.registries.last_mut()
                && let Some(outside) = world.upstreams.remove(registry.login_server())
            {
                registry.images = outside.images;
            }
        })
    }

    /// Adds a registry outside Azure, or changes an existing one.
    #[must_use]
    pub fn with_upstream(self, seed: UpstreamSeed) -> Self {
        self.with(|world| {
            world.upstreams.entry(upstream::api_host(&seed.host).to_owned()).or_default().manner = seed.manner;
        })
    }

    /// Adds an image to the registry with this login server. If none has it, the host becomes a registry outside Azure.
    /// The bytes are generated from name and platforms; the digests are those of the bytes.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_image("docker.io/library/nginx:latest", &["linux/amd64", "linux/arm64"]);
    /// ```
    #[must_use]
    pub fn with_image(self, name: &str, platforms: &[&str]) -> Self {
        self.with(|world| put_image(world, name, platforms, world.clock.start()))
    }

    /// Adds a service principal that has these roles (built-in or custom, by name) at these scopes. In a scope, `{subscription}` stands
    /// for the ID of [`Emulator::subscription`].
    ///
    /// # Panics
    /// If the role does not exist, or a scope does not start with a slash: a test that grants nothing by mistake would pass for the wrong reason.
    #[must_use]
    pub fn with_caller(self, name: &str, roles: &[(&str, &str)]) -> Self {
        self.with(|world| {
            let principal = Principal::service(name, world.ids.secret(), world.clock.start());
            let id = principal.object_id.clone();
            world.principals.push(principal);
            for (role, scope) in roles {
                let scope = scope.replace("{subscription}", world.subscription());
                assert!(scope.starts_with('/'), "a scope begins with a slash: {scope}");
                let granted = world.grant(role, &id, &scope);
                assert!(granted.is_some(), "role {role} does not exist");
            }
        })
    }

    /// Adds a member to an Entra group and creates the group if needed; [`Emulator::group_id`] returns its object ID. A member is a
    /// caller or another group by name, a cluster's kubelet identity as `group/cluster`, or any principal by object ID.
    ///
    /// # Panics
    /// If the member does not exist.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// let azure = azure.with_member("acr-pullers", "group/dev");
    /// azure.grant("AcrPull", &azure.group_id("acr-pullers"), &azure.registry_id("group", "myregistry"));
    /// ```
    #[must_use]
    pub fn with_member(self, group: &str, member: &str) -> Self {
        self.put_into(group, member, None);
        self
    }

    /// Adds an Entra group without members, unless it exists.
    #[must_use]
    pub fn with_entra_group(self, group: &str) -> Self {
        self.with(|world| world.ensure_entra_group(group))
    }

    /// The client ID of a principal, given by its object ID. Empty if it does not exist.
    #[must_use]
    pub fn client_id_of(&self, object_id: &str) -> String {
        self.shared.world().principal(object_id).map(|one| one.client_id.clone()).unwrap_or_default()
    }

    /// The object ID of a member of a group by its name, if it exists.
    pub(crate) fn member_id(&self, member: &str) -> Option<String> {
        let of_cluster = member.split_once('/').map(|(group, cluster)| self.kubelet_object_id(group, cluster));
        let world = self.shared.world();
        let named =
            || world.principal_named(member).or_else(|| world.principal(member)).map(|one| one.object_id.clone());
        of_cluster.filter(|id| !id.is_empty()).or_else(named)
    }

    pub(crate) fn put_into(&self, group: &str, member: &str, since: Option<tokio::time::Instant>) {
        let Some(member) = self.member_id(member) else { panic!("member {member} does not exist") };
        self.act(|world| {
            world.ensure_entra_group(group);
            world.join(&member, &stable_id(&format!("group/{group}")), since);
        });
    }

    /// Adds an Entra user by sign-in name. A user can have roles and be a member of groups, but cannot sign in
    /// here.
    #[must_use]
    pub fn with_user(self, sign_in_name: &str) -> Self {
        self.with(|world| {
            let start = world.clock.start();
            world.principals.push(Principal { kind: "User", ..Principal::managed(sign_in_name, start) });
        })
    }

    /// Allows a caller (`"owner"` is the first one) to use Microsoft Graph. In Azure, rights on a subscription include no
    /// rights in the directory, so no caller has them by default.
    ///
    /// # Panics
    /// If the caller does not exist.
    #[must_use]
    pub fn with_graph_rights(self, caller: &str) -> Self {
        self.with(|world| {
            world.seeded_caller(caller).directory = true;
        })
    }

    /// Gives a caller one permission in Microsoft Graph, such as `GroupMember.ReadWrite.All`, instead of all rights.
    ///
    /// # Panics
    /// If the caller does not exist.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_graph_permission("owner", "GroupMember.ReadWrite.All");
    /// ```
    #[must_use]
    pub fn with_graph_permission(self, caller: &str, permission: &str) -> Self {
        self.with(|world| world.seeded_caller(caller).permissions.push(permission.to_owned()))
    }

    /// Makes a caller an owner of an Entra group, which is created if needed: it can add and remove members without a permission in
    /// Microsoft Graph, but not list them.
    ///
    /// # Panics
    /// If the caller does not exist.
    #[must_use]
    pub fn with_group_owner(self, group: &str, caller: &str) -> Self {
        self.with(|world| {
            let owner = world.seeded_caller(caller).object_id.clone();
            world.ensure_entra_group(group);
            let group = stable_id(&format!("group/{group}"));
            if let Some(found) = world.principals.iter_mut().find(|one| one.object_id == group) {
                found.owners.push(owner);
            }
        })
    }

    /// Adds a role definition with these actions and data actions.
    #[must_use]
    pub fn with_custom_role(self, name: &str, actions: &[&str], data_actions: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let role = Role {
            id: stable_id(&format!("role/{name}")),
            name: name.to_owned(),
            description: format!("The custom role {name}."),
            actions: owned(actions),
            data_actions: owned(data_actions),
            ..Role::default()
        };
        self.with(|world| world.access.roles.push(role))
    }

    /// Adds a role definition with its own blocks of permissions and assignable scopes.
    ///
    /// ```
    /// # use aks_acr_emulator::{Emulator, RoleSeed};
    /// let everything = RoleSeed::new("all but pulls").block(&["*"], &["Microsoft.ContainerRegistry/registries/pull/read"]);
    /// let azure = Emulator::new().with_role(everything.assignable_at("/subscriptions/5b5b5b5b-0000-4000-8000-000000000005"));
    /// ```
    #[must_use]
    pub fn with_role(self, seed: RoleSeed) -> Self {
        self.with(|world| world.access.roles.push(seed.into_role()))
    }

    /// The credential of the Owner. It has no cache, so each token request shows in the log.
    #[must_use]
    pub fn credential(&self) -> Arc<dyn TokenCredential> {
        self.credential_of(OWNER)
    }

    /// The credential of a caller added with [`with_caller`](Self::with_caller). A caller that does not exist gets no token.
    #[must_use]
    pub fn credential_of(&self, caller: &str) -> Arc<dyn TokenCredential> {
        let (client, secret) = self.client_secret_of(caller);
        Arc::new(Credential { router: self.router.clone(), tenant: self.tenant.clone(), client, secret })
    }

    /// Client ID and secret of a caller, for another credential type.
    #[must_use]
    pub fn client_secret_of(&self, caller: &str) -> (String, String) {
        let world = self.shared.world();
        let known = world.principal_named(caller);
        known
            .map(|one| (one.client_id.clone(), one.passwords.last().map(|one| one.text.clone()).unwrap_or_default()))
            .unwrap_or_default()
    }

    /// The HTTP transport for Azure's client library: reaches Azure, Entra, and all registries.
    #[must_use]
    pub fn transport(&self) -> Arc<dyn HttpClient> {
        Arc::new(Transport(self.router.clone()))
    }

    /// The router, for a door that handles the connections itself.
    #[cfg(feature = "serve")]
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// The tower service that reaches the API servers of the clusters.
    #[must_use]
    pub fn kubernetes(&self) -> KubernetesDoor {
        KubernetesDoor { router: self.router.clone(), shared: Arc::clone(&self.shared) }
    }

    /// The id of the first subscription.
    #[must_use]
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The id of the tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The object ID of a cluster's kubelet identity; empty if it has none.
    #[must_use]
    pub fn kubelet_object_id(&self, group: &str, name: &str) -> String {
        let world = self.shared.world();
        let cluster = world.cluster_named(group, name);
        cluster.and_then(|one| one.kubelet.clone()).unwrap_or_default()
    }

    /// The object ID of a cluster's control plane identity or service principal; empty if the cluster does not exist.
    #[must_use]
    pub fn control_plane_object_id(&self, group: &str, name: &str) -> String {
        let world = self.shared.world();
        let cluster = world.cluster_named(group, name);
        cluster.map(|one| one.control_plane.clone()).unwrap_or_default()
    }

    /// Gives the service principal of a cluster a new secret without an end, and the cluster's nodes, made anew, the same.
    ///
    /// # Panics
    /// If there is no such cluster.
    pub fn renew_service_principal(&self, group: &str, name: &str) {
        self.act(|world| {
            let id = world.cluster_named(group, name).map(crate::cluster::Cluster::id);
            let at = id.and_then(|id| world.cluster_of_id(&id)).unwrap_or_else(|| panic!("no cluster {name}"));
            let (text, key, now) = (world.ids.secret(), world.ids.id().to_string(), world.clock.now());
            let principal = world.clusters[at].control_plane.clone();
            if let Some(identity) = world.service_identity(&principal, Some(text.clone())) {
                world.clusters[at].change_service_principal(identity, now);
            }
            if let Some(principal) = world.principals.iter_mut().find(|one| one.object_id == principal) {
                principal.passwords.push(crate::password::Password::lasting(key, text, now));
            }
        });
    }

    /// Switches a service principal off or on, as its administrator does: off, it signs in nowhere.
    ///
    /// # Panics
    /// If the principal does not exist.
    pub fn set_service_principal_enabled(&self, object_id: &str, enabled: bool) {
        self.act(|world| {
            let found = world.principals.iter_mut().find(|one| one.object_id.eq_ignore_ascii_case(object_id));
            let found = found.unwrap_or_else(|| panic!("principal {object_id} does not exist"));
            found.enabled = enabled;
        });
    }

    /// The object ID of a caller; empty if the caller does not exist.
    #[must_use]
    pub fn object_id_of(&self, caller: &str) -> String {
        self.shared.world().principal_named(caller).map(|one| one.object_id.clone()).unwrap_or_default()
    }

    /// The object ID of a group that [`with_member`](Self::with_member) created.
    #[must_use]
    pub fn group_id(&self, group: &str) -> String {
        stable_id(&format!("group/{group}"))
    }

    /// The resource id of a registry. If it does not exist: the ID that it would have in the first subscription.
    #[must_use]
    pub fn registry_id(&self, group: &str, name: &str) -> String {
        let world = self.shared.world();
        let known = world.registry_named(group, name).map(|at| world.registries[at].id());
        let kind = "Microsoft.ContainerRegistry/registries";
        known.unwrap_or_else(|| resource_id(&self.subscription, group, kind, name))
    }

    /// The resource id of a cluster. If it does not exist: the ID that it would have in the first subscription.
    #[must_use]
    pub fn cluster_id(&self, group: &str, name: &str) -> String {
        let world = self.shared.world();
        let known = world.cluster_named(group, name).map(|one| one.subscription.clone());
        let subscription = known.unwrap_or_else(|| self.subscription.clone());
        resource_id(&subscription, group, "Microsoft.ContainerService/managedClusters", name)
    }
}

fn resource_id(subscription: &str, group: &str, kind: &str, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")
}

pub(crate) fn put_image(world: &mut World, name: &str, platforms: &[&str], at: tokio::time::Instant) {
    let (host, repository, reference) = image::split(name);
    let own = world.registries.iter_mut().find(|registry| registry.login_server().eq_ignore_ascii_case(host));
    let store = match own {
        Some(registry) => &mut registry.images,
        None => &mut world.upstreams.entry(upstream::api_host(host).to_owned()).or_default().images,
    };
    store.make(repository, reference, platforms, &world.program, at);
}
