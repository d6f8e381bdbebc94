//! Reads what a check needs, in as few steps as possible.

use super::options::CheckOptions;
use crate::{
    action::{PULL, READ_CONTENT, smallest_role},
    call::Call,
    cloud::Cloud,
    cluster::ClusterRef,
    diagnosis::{
        facts::{Facts, Grants, ImageFacts, Read, ServicePrincipalFacts, Unread, read},
        network::{depends_on_addresses, reports_addresses},
    },
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    image::{ImageDetails, ImageReference},
    inventory::ClusterSettings,
    operation::Parts,
    registry::{By, Registry, RegistryRef, RegistrySettings},
    role::{DenyAssignment, Effect, GroupAccess, RoleAssignment, RoleAssignmentMode, Roles, Wanted, group_access},
};
use futures::{future::join_all, join, try_join};
use std::{net::IpAddr, time::Duration};

/// How long the registry's own host may take: it may not be reachable from here.
const REGISTRY_TIMEOUT: Duration = Duration::from_secs(3);
/// The same with the caller's own sign-in, which may be a program or a person.
const LONGEST_PROBE: Duration = Duration::from_secs(30);
/// How many addresses of a cluster are read; a load balancer has at most 100, and rules usually contain ranges.
const MOST_ADDRESSES: usize = 16;

/// What is read of the registry, and with its ID.
struct AtRegistry {
    settings: Read<Option<RegistrySettings>>,
    assignments: Read<Vec<RoleAssignment>>,
    denials: Read<Vec<DenyAssignment>>,
    image: Option<ImageFacts>,
}

pub(super) async fn gather(
    parts: &Parts,
    (cluster, registry): (&ClusterRef, &RegistryRef),
    options: &CheckOptions,
    outbound_addresses: &[IpAddr],
    call: &Call,
) -> Result<Facts> {
    let cluster_id = cluster.id(parts.subscription_id());
    let cluster = read_cluster(parts, &cluster_id, options.query_graph, call);
    let (cluster, at) = try_join!(cluster, at_registry(parts, registry, options.image.as_ref(), call))?;
    join_facts(parts, cluster, (registry, at), (options.principal_id, outbound_addresses), call).await
}

/// What was read of a cluster.
#[derive(Clone)]
pub(crate) struct AtCluster {
    pub id: ResourceId,
    pub settings: Read<ClusterSettings>,
    pub service_principal: Option<ServicePrincipalFacts>,
}

impl AtCluster {
    /// The identity that pulls, if it is known.
    pub fn principal(&self) -> Option<PrincipalId> {
        let kubelet = self.settings.as_ref().ok()?.identities.kubelet.as_ref();
        let found = || self.service_principal.as_ref()?.found();
        kubelet.map(|kubelet| kubelet.object_id).or_else(|| found().map(|found| found.object_id))
    }
}

/// The settings of a cluster, and its service principal. A cluster that does not exist is an error.
pub(crate) async fn read_cluster(parts: &Parts, id: &ResourceId, query_graph: bool, call: &Call) -> Result<AtCluster> {
    let settings = read(parts.inventory().cluster_settings(id, call).await)?;
    let client_id = settings.as_ref().ok().and_then(|one| one.identities.service_principal.as_deref());
    let service_principal = match client_id.filter(|_| query_graph) {
        Some(client_id) => Some(read_service_principal(parts, client_id, call).await?),
        None => None,
    };
    Ok(AtCluster { id: id.clone(), settings, service_principal })
}

/// What Microsoft Graph does not answer is unknown; only the end of the whole call is an error.
async fn read_service_principal(parts: &Parts, client_id: &str, call: &Call) -> Result<ServicePrincipalFacts> {
    fn unless_ended<T>(result: Result<T>, call: &Call) -> Result<Read<T>> {
        match result {
            Err(err) if ends_call(&err, call) => Err(err),
            result => Ok(result.map_err(|err| Unread::of(&err))),
        }
    }
    let limited = call.at_most(LONGEST_PROBE);
    let manager = parts.identity_manager();
    let (principal, credentials) =
        join!(manager.service_principal(client_id, &limited), manager.application_credentials(client_id, &limited));
    Ok(ServicePrincipalFacts {
        principal: unless_ended(principal, call)?,
        credentials: unless_ended(credentials, call)?,
        read_at: parts.time(),
    })
}

/// Reads what a registry says about a cluster that was read already. The facts contain no image.
pub(crate) async fn gather_at(
    parts: &Parts,
    cluster: &AtCluster,
    registry: &RegistryRef,
    (principal_id, outbound_addresses): (Option<PrincipalId>, &[IpAddr]),
    call: &Call,
) -> Result<Facts> {
    let at = at_registry(parts, registry, None, call).await?;
    join_facts(parts, cluster.clone(), (registry, at), (principal_id, outbound_addresses), call).await
}

/// Reads an image of a registry that was found.
pub(crate) async fn read_image(
    parts: &Parts,
    image: &ImageReference,
    registry: &Registry,
    call: &Call,
) -> Result<Option<ImageFacts>> {
    Ok(look(parts, Some(image), call).await?.map(|image| with_need(image, registry)))
}

/// Adds what depends on both the cluster and the registry.
async fn join_facts(
    parts: &Parts,
    cluster: AtCluster,
    (registry, at): (&RegistryRef, AtRegistry),
    (principal_id, outbound_addresses): (Option<PrincipalId>, &[IpAddr]),
    call: &Call,
) -> Result<Facts> {
    let principal = principal_id.or_else(|| cluster.principal());
    let settings = at.settings.as_ref().ok().and_then(Option::as_ref);
    let (grants, addresses) = try_join!(
        grants(parts, (settings, principal), at.assignments, call),
        addresses(parts, (cluster.settings.as_ref().ok(), settings), outbound_addresses, call),
    )?;
    let is_mode_new = settings.is_some_and(|one| parts.recent_mode_changes.has(&one.registry.id));
    Ok(Facts {
        is_mode_new,
        cluster_id: cluster.id,
        cluster: cluster.settings,
        service_principal: cluster.service_principal,
        registry_ref: registry.as_str().to_owned(),
        registry: at.settings,
        is_by_id: registry.id().is_some(),
        principal,
        grants,
        denials: at.denials,
        addresses,
        image: at.image,
    })
}

/// With the registry's ID, everything is read at once; without it, the registry has to be found first.
async fn at_registry(
    parts: &Parts,
    registry: &RegistryRef,
    image: Option<&ImageReference>,
    call: &Call,
) -> Result<AtRegistry> {
    let settings = async { read_settings(parts.registry_importer().settings(registry, call).await) };
    // Before the registry was read, the caller's token is sent only to the host that it has by its name, or that the caller names.
    let early = image.filter(|image| is_plainly_its_host(parts.cloud(), registry, image.registry()));
    let (settings, at, early) = if let Some(id) = registry.id() {
        let (settings, at, early) = try_join!(settings, at_scope(parts, id, call), look(parts, early, call))?;
        (settings, Some(at), early)
    } else {
        let (settings, early) = try_join!(settings, look(parts, early, call))?;
        (settings, None, early)
    };
    let Ok(Some(found)) = &settings else {
        let (assignments, denials) = (Err(Unread::of_no_registry()), Err(Unread::of_no_registry()));
        let image = image.map(|one| ImageFacts { reference: one.clone(), details: None });
        return Ok(AtRegistry { settings, assignments, denials, image });
    };
    let late = async {
        let Some(image) = image.filter(|_| early.is_none()) else { return Ok(None) };
        let named = image.as_typed_in(&found.registry.login_server).unwrap_or_else(|| image.clone());
        // An image of another host is not this registry's to show.
        let is_here = named.registry().eq_ignore_ascii_case(&found.registry.login_server);
        match look(parts, Some(&named).filter(|_| is_here), call).await? {
            None => Ok(Some(ImageFacts { reference: named, details: None })),
            read => Ok(read),
        }
    };
    let at_scope = async {
        match at {
            Some(at) => Ok(at),
            None => at_scope(parts, &found.registry.id, call).await,
        }
    };
    let (late, (assignments, denials)) = try_join!(late, at_scope)?;
    let image = early.or(late).map(|image| with_need(image, &found.registry));
    Ok(AtRegistry { settings, assignments, denials, image })
}

/// Another registry may have the same name, followed by a domain label.
fn is_plainly_its_host(cloud: &Cloud, registry: &RegistryRef, host: &str) -> bool {
    match &registry.by {
        By::LoginServer(named) => named.eq_ignore_ascii_case(host),
        By::Name(name) => cloud.plain_login_server(name).eq_ignore_ascii_case(host),
        By::Id(id) => cloud.plain_login_server(id.name()).eq_ignore_ascii_case(host),
    }
}

/// A registry in a resource group that does not exist does not exist. A subscription that is not found may be another tenant's.
fn read_settings(result: Result<Option<RegistrySettings>>) -> Result<Read<Option<RegistrySettings>>> {
    match result {
        Err(err) if err.code() == Some("ResourceGroupNotFound") => Ok(Ok(None)),
        result => read_below(result),
    }
}

/// The role assignments and the deny assignments at a registry. One that does not exist has none.
async fn at_scope(
    parts: &Parts,
    registry: &ResourceId,
    call: &Call,
) -> Result<(Read<Vec<RoleAssignment>>, Read<Vec<DenyAssignment>>)> {
    let (assignments, denials) =
        join!(parts.role_assigner().list(registry, call), parts.inventory().deny_assignments(registry, call),);
    Ok((read_below(assignments)?, read_below(denials)?))
}

/// That the registry is missing is reported by the read of the registry itself.
fn read_below<T>(result: Result<T>) -> Result<Read<T>> {
    match result {
        Err(err) if err.kind() == ErrorKind::NotFound || err.is_of_another_tenant() => Ok(Err(Unread::of(&err))),
        result => read(result),
    }
}

/// Reads the image as the caller. Only the end of the whole call is an error.
async fn look(parts: &Parts, image: Option<&ImageReference>, call: &Call) -> Result<Option<ImageFacts>> {
    let Some(image) = image else { return Ok(None) };
    let limited = call.at_most(LONGEST_PROBE).with_registry_timeout(REGISTRY_TIMEOUT);
    let details: Read<Option<ImageDetails>> = match parts.registry_importer().describe(image, &limited).await {
        Ok(details) => Ok(details),
        Err(err) if ends_call(&err, call) => return Err(err),
        Err(err) => Err(Unread::of(&err)),
    };
    Ok(Some(ImageFacts { reference: image.clone(), details: Some(details) }))
}

fn ends_call(err: &Error, call: &Call) -> bool {
    err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO
}

/// A registry refuses a caller without a role with 401, and does not name the action.
fn with_need(mut image: ImageFacts, registry: &Registry) -> ImageFacts {
    if let Some(Err(unread)) = &mut image.details
        && unread.status == Some(401)
        && unread.need.action.is_none()
    {
        let action = match registry.mode {
            RoleAssignmentMode::LegacyRegistryPermissions => PULL,
            RoleAssignmentMode::AbacRepositoryPermissions => READ_CONTENT,
        };
        unread.need.action = Some(action.to_owned());
        unread.need.scope = Some(registry.id.to_string());
        unread.need.smallest_role = smallest_role(action).map(str::to_owned);
    }
    image
}

/// What decides among the role assignments: custom roles of the identity, and its groups if it has no grant of its own.
async fn grants(
    parts: &Parts,
    (settings, principal): (Option<&RegistrySettings>, Option<PrincipalId>),
    assignments: Read<Vec<RoleAssignment>>,
    call: &Call,
) -> Result<Read<Grants>> {
    let assignments = match assignments {
        Ok(assignments) => assignments,
        Err(unread) => return Ok(Err(unread)),
    };
    let (Some(settings), Some(principal)) = (settings, principal) else {
        return Ok(Ok(Grants { assignments, ..Grants::default() }));
    };
    let (id, mode) = (&settings.registry.id, Some(settings.registry.mode));
    let own: Vec<RoleAssignment> = assignments.iter().filter(|one| one.is_of(principal)).cloned().collect();
    let roles = Roles::read(parts.role_assigner(), Some(id), &own, call).await?;
    let suffices =
        |one: &RoleAssignment| one.condition.is_none() && roles.effect(one.role_definition_id, mode) == Effect::Allows;
    let groups = if own.iter().any(suffices) {
        GroupAccess::default()
    } else {
        group_access(parts.role_assigner(), (id, mode, Wanted::PULL), principal, &assignments, call).await?
    };
    let is_recent = parts.recent_grants.has(id, principal);
    Ok(Ok(Grants { assignments, roles, groups, is_recent }))
}

/// The addresses of the nodes, if the registry's firewall depends on them.
async fn addresses(
    parts: &Parts,
    (cluster, settings): (Option<&ClusterSettings>, Option<&RegistrySettings>),
    given: &[IpAddr],
    call: &Call,
) -> Result<Read<Vec<IpAddr>>> {
    let (Some(cluster), Some(settings)) = (cluster, settings) else { return Ok(Ok(Vec::new())) };
    if !given.is_empty() {
        return Ok(Ok(given.to_vec()));
    }
    if !depends_on_addresses(cluster, settings) || !reports_addresses(cluster) {
        return Ok(Ok(Vec::new()));
    }
    let ids = cluster.outbound_addresses.iter().take(MOST_ADDRESSES);
    let mut addresses = Vec::new();
    for result in join_all(ids.map(|id| parts.inventory().public_address(id, call))).await {
        match result {
            Ok(address) => addresses.extend(address),
            Err(err) if ends_call(&err, call) => return Err(err),
            // One that is not known could be the one that is denied.
            Err(err) => return Ok(Err(Unread::of(&err))),
        }
    }
    Ok(Ok(addresses))
}
