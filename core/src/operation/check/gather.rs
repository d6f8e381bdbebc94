//! Reads what a check needs, in as few steps as possible.

use super::options::CheckOptions;
use crate::{
    action::{PULL, READ_CONTENT, smallest_role},
    call::Call,
    cloud::Cloud,
    cluster::ClusterRef,
    diagnosis::{
        facts::{Facts, Grants, ImageFacts, Read, Unread, read},
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
    let settings = read_cluster(parts, &cluster_id, call);
    let (cluster, at) = try_join!(settings, at_registry(parts, registry, options.image.as_ref(), call))?;
    join_facts(parts, (cluster_id, cluster), (registry, at), (options.principal_id, outbound_addresses), call).await
}

/// The settings of a cluster. One that does not exist is an error.
pub(crate) async fn read_cluster(parts: &Parts, id: &ResourceId, call: &Call) -> Result<Read<ClusterSettings>> {
    read(parts.inventory().cluster_settings(id, call).await)
}

/// Reads what a registry says about a cluster that was read already. The facts contain no image.
pub(crate) async fn gather_at(
    parts: &Parts,
    (cluster_id, cluster): (&ResourceId, &Read<ClusterSettings>),
    registry: &RegistryRef,
    (principal_id, outbound_addresses): (Option<PrincipalId>, &[IpAddr]),
    call: &Call,
) -> Result<Facts> {
    let at = at_registry(parts, registry, None, call).await?;
    let cluster = (cluster_id.clone(), cluster.clone());
    join_facts(parts, cluster, (registry, at), (principal_id, outbound_addresses), call).await
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
    (cluster_id, cluster): (ResourceId, Read<ClusterSettings>),
    (registry, at): (&RegistryRef, AtRegistry),
    (principal_id, outbound_addresses): (Option<PrincipalId>, &[IpAddr]),
    call: &Call,
) -> Result<Facts> {
    let kubelet = cluster.as_ref().ok().and_then(|one| one.identities.kubelet.as_ref());
    let principal = principal_id.or_else(|| kubelet.map(|kubelet| kubelet.object_id));
    let settings = at.settings.as_ref().ok().and_then(Option::as_ref);
    let (grants, addresses) = try_join!(
        grants(parts, (settings, principal), at.assignments, call),
        addresses(parts, (cluster.as_ref().ok(), settings), outbound_addresses, call),
    )?;
    let is_mode_new = settings.is_some_and(|one| parts.recent_mode_changes.has(&one.registry.id));
    Ok(Facts {
        is_mode_new,
        cluster_id,
        cluster,
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
