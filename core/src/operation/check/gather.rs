//! Reads what a check needs, in as few steps as possible.

use super::{
    accounts,
    ended::{ends_call, unless_ended},
    inspect::inspect,
    network,
    options::{CheckOptions, KubernetesReads},
};
use crate::{
    action::{PULL, READ_CONTENT, READ_NODES, READ_PODS},
    call::Call,
    cloud::Cloud,
    cluster::{ClusterRef, ObservedNode, ObservedPods, PodScope},
    diagnosis::{
        bootstrap::has_failed,
        facts::{
            AccountFacts, Facts, Grants, ImageFacts, NetworkFacts, NodeFacts, OtherIdentity, Read, SeenPull,
            ServicePrincipalFacts, Unread, read,
        },
        is_regional, is_stopped,
        network::{depends_on_addresses, depends_on_network, nat_gateway, reports_addresses},
        no_other_may_pull,
        nodes::{depends_on_images, other_identities},
        success,
        unserved::is_upstreams,
    },
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    image::{ImageDetails, ImageReference},
    inventory::{ClusterSettings, NodeScaleSet},
    operation::Parts,
    registry::{By, Registry, RegistryRef, RegistrySettings},
    role::{DenyAssignment, Effect, GroupAccess, RoleAssignment, RoleAssignmentMode, Roles, Wanted, group_access},
};
use futures::{channel::oneshot, future::try_join_all, join, try_join};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// How long the registry's own host may take: it may not be reachable from here.
const REGISTRY_TIMEOUT: Duration = Duration::from_secs(3);
/// The same with the caller's own sign-in, which may be a program or a person.
const LONGEST_PROBE: Duration = Duration::from_secs(30);
/// How long the cluster's own API may take: it may not be reachable from here.
const LONGEST_PODS: Duration = Duration::from_secs(10);
/// How long the Kubernetes API and the list of scale sets may take: they are optional, and a private API server may not be reachable.
const NODES_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the question may take whether a name is free: it is optional.
const NAME_TIMEOUT: Duration = Duration::from_secs(5);
/// How many identities that are not the cluster's are looked up. Nodes have one or two.
const MOST_IDENTITIES: usize = 4;

/// What is read of the registry, and with its ID.
struct AtRegistry {
    settings: Read<Option<RegistrySettings>>,
    is_name_taken: Option<Read<bool>>,
    assignments: Read<Vec<RoleAssignment>>,
    denials: Read<Vec<DenyAssignment>>,
    image: Option<ImageFacts>,
}

pub(super) async fn gather(
    parts: &Parts,
    (cluster_ref, registry): (&ClusterRef, &RegistryRef),
    options: &CheckOptions,
    outbound_addresses: &[IpAddr],
    call: &Call,
) -> Result<Facts> {
    let cluster_id = cluster_ref.id(parts.subscription_id());
    // The network is read once both are known, while the image is still being read.
    let (send_cluster, cluster_known) = oneshot::channel();
    let (send_settings, settings_known) = oneshot::channel();
    let of_cluster = async {
        let read = read_cluster(parts, &cluster_id, options.query_graph, call).await?;
        // Nobody listens once another part has failed.
        let _ = send_cluster.send(read.settings.as_ref().ok().cloned());
        let nodes = nodes_of(parts, cluster_ref, &read, options, call).await?;
        Ok::<_, Error>((read, nodes))
    };
    let network = async {
        let (cluster, settings) = join!(cluster_known, settings_known);
        let (cluster, settings) = (cluster.ok().flatten(), settings.ok().flatten());
        network_facts(parts, cluster.as_ref().zip(settings.as_ref()), outbound_addresses, call).await
    };
    let at = at_registry(parts, registry, options.image.as_ref(), Some(send_settings), call);
    let ((cluster, nodes), at, network) = try_join!(of_cluster, at, network)?;
    let account = match &nodes.accounts {
        Some(Ok(Some(accounts))) => Some(accounts.identity()),
        _ => None,
    };
    let identities = (options.principal_id.or(account.flatten()), &nodes.others);
    let mut facts = join_facts(parts, cluster, (registry, at), identities, network, call).await?;
    let nodes = with_images(parts, cluster_ref, (&facts, options.kubernetes), nodes, call).await?;
    if account == Some(None) && options.principal_id.is_none() {
        facts.principal = None;
    }
    facts.nodes.accounts = nodes.accounts.clone();
    facts.nodes.may_others_pull = !no_other_may_pull(&facts);
    facts.nodes.nodes = nodes.nodes;
    facts.nodes.scale_sets = nodes.scale_sets;
    facts.pulls = nodes.pods.and_then(|pods| pulls_in(pods, &facts));
    Ok(facts)
}

/// What was read of the nodes, before the grants of their identities.
#[derive(Default)]
struct AtNodes {
    nodes: Option<Read<Vec<ObservedNode>>>,
    pods: Option<Read<ObservedPods>>,
    scale_sets: Option<Read<Vec<NodeScaleSet>>>,
    accounts: Option<Read<Option<AccountFacts>>>,
    /// The object IDs of identities that nodes have and the cluster has not.
    others: BTreeMap<String, Read<Option<PrincipalId>>>,
}

/// Reads what the nodes of a cluster pull with, if that was asked for.
async fn nodes_of(
    parts: &Parts,
    cluster: &ClusterRef,
    at: &AtCluster,
    options: &CheckOptions,
    call: &Call,
) -> Result<AtNodes> {
    // A stopped cluster has no nodes, and no API server that could answer.
    let running = at.settings.as_ref().ok().filter(|settings| !is_stopped(settings.power_state.as_ref()));
    let Some(settings) = running.filter(|_| options.kubernetes == KubernetesReads::Always) else {
        return Ok(AtNodes::default());
    };
    let (nodes, pods) = nodes_and_pods(parts, cluster, &at.id, call).await?;
    let known: &[ObservedNode] = nodes.as_ref().map_or(&[], Vec::as_slice);
    let ids = other_identities(settings, known).into_iter().filter(|_| options.query_graph).take(MOST_IDENTITIES);
    let ids: Vec<String> = ids.collect();
    let (scale_sets, accounts, found) = try_join!(
        scale_sets(parts, &at.id, settings, call),
        accounts::read(parts, cluster, (&at.id, settings), None, call),
        try_join_all(ids.iter().map(|id| object_id(parts, id, call)))
    )?;
    let others = ids.into_iter().zip(found).collect();
    Ok(AtNodes { nodes: Some(nodes), pods: Some(pods), scale_sets, accounts, others })
}

/// The nodes are among what shows pulls, and are listed once.
async fn nodes_and_pods(
    parts: &Parts,
    cluster: &ClusterRef,
    id: &ResourceId,
    call: &Call,
) -> Result<(Read<Vec<ObservedNode>>, Read<ObservedPods>)> {
    let pods = read_pods(parts, cluster, id, call).await?;
    let nodes = match &pods {
        Ok(pods) => match pods.unread.iter().find(|one| one.resource == "nodes") {
            Some(unread) => {
                let mut unread = Unread::of(&unread.error);
                unread.name_action(READ_NODES, None);
                Err(unread)
            }
            None => Ok(pods.nodes.clone()),
        },
        Err(_) => read_nodes(parts, cluster, call).await?,
    };
    Ok((nodes, pods))
}

async fn read_nodes(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<Read<Vec<ObservedNode>>> {
    let nodes = parts.cluster_deployer().nodes(cluster, None, &call.at_most(NODES_TIMEOUT)).await;
    let mut nodes = unless_ended(nodes, call)?;
    if let Err(unread) = &mut nodes
        && unread.status == Some(403)
    {
        unread.name_action(READ_NODES, None);
    }
    Ok(nodes)
}

/// The pods whose images were pulled. Kubernetes' own refusal does not name Azure's action.
async fn read_pods(parts: &Parts, cluster: &ClusterRef, id: &ResourceId, call: &Call) -> Result<Read<ObservedPods>> {
    let scope = PodScope { only_pulls: true, ..PodScope::default() };
    let read = parts.cluster_deployer().observe_pods(cluster, &scope, &call.at_most(LONGEST_PODS)).await;
    let is_forbidden = read.as_ref().is_err_and(|err| err.kind() == ErrorKind::Forbidden);
    let mut pods = unless_ended(read, call)?;
    if let Err(unread) = &mut pods {
        if is_forbidden {
            unread.name_action(READ_PODS, Some(id));
        }
        let reason = &mut unread.need.reason;
        *reason = format!("pods that have pulled from the registry would answer it, and could not be read: {reason}");
    }
    Ok(pods)
}

/// Adds the nodes where their images decide, and Azure does not report them, or where new nodes do not join.
async fn with_images(
    parts: &Parts,
    cluster: &ClusterRef,
    (facts, kubernetes): (&Facts, KubernetesReads),
    mut at: AtNodes,
    call: &Call,
) -> Result<AtNodes> {
    let (Ok(settings), Ok(Some(registry))) = (&facts.cluster, &facts.registry) else { return Ok(at) };
    let is_unreported = settings.node_pools.iter().any(|pool| pool.node_image.is_none());
    let is_needed = (is_unreported && depends_on_images(settings, registry.arm_tokens)) || has_failed(settings);
    if kubernetes == KubernetesReads::IfNeeded && is_needed {
        at.nodes = Some(read_nodes(parts, cluster, call).await?);
    }
    Ok(at)
}

async fn object_id(parts: &Parts, client_id: &str, call: &Call) -> Result<Read<Option<PrincipalId>>> {
    let found = parts.identity_manager().service_principal(client_id, &call.at_most(NODES_TIMEOUT)).await;
    Ok(unless_ended(found, call)?.map(|found| found.map(|one| one.object_id)))
}

/// What decides among the role assignments for an identity that nodes have and the cluster has not.
async fn other_grants(
    parts: &Parts,
    settings: Option<&RegistrySettings>,
    assignments: &Read<Vec<RoleAssignment>>,
    found: &Read<Option<PrincipalId>>,
    call: &Call,
) -> Result<Read<Option<OtherIdentity>>> {
    let principal = match found {
        Ok(Some(principal)) => *principal,
        Ok(None) => return Ok(Ok(None)),
        Err(unread) => return Ok(Err(unread.clone())),
    };
    let grants = grants(parts, (settings, Some(principal)), assignments.clone(), call).await?;
    Ok(Ok(Some(OtherIdentity { principal, grants })))
}

/// The scale sets of the nodes. `None`: Azure does not report their resource group.
pub(crate) async fn scale_sets(
    parts: &Parts,
    cluster: &ResourceId,
    settings: &ClusterSettings,
    call: &Call,
) -> Result<Option<Read<Vec<NodeScaleSet>>>> {
    let Some(group) = &settings.node_resource_group else { return Ok(None) };
    let limited = call.at_most(NODES_TIMEOUT);
    let listed = parts.inventory().scale_sets(cluster.subscription(), group, &limited).await;
    Ok(Some(unless_ended(listed, call)?))
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

async fn read_service_principal(parts: &Parts, client_id: &str, call: &Call) -> Result<ServicePrincipalFacts> {
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
    let at = at_registry(parts, registry, None, None, call).await?;
    let settings = at.settings.as_ref().ok().and_then(Option::as_ref);
    let both = cluster.settings.as_ref().ok().zip(settings);
    let network = network_facts(parts, both, outbound_addresses, call).await?;
    join_facts(parts, cluster.clone(), (registry, at), (principal_id, &BTreeMap::new()), network, call).await
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

/// The identity that the options name, and those of nodes that are not the cluster's.
type Identities<'a> = (Option<PrincipalId>, &'a BTreeMap<String, Read<Option<PrincipalId>>>);

/// Adds what depends on both the cluster and the registry.
async fn join_facts(
    parts: &Parts,
    cluster: AtCluster,
    (registry, at): (&RegistryRef, AtRegistry),
    (principal_id, others): Identities<'_>,
    (network, addresses): (NetworkFacts, Read<Vec<IpAddr>>),
    call: &Call,
) -> Result<Facts> {
    let principal = principal_id.or_else(|| cluster.principal());
    let settings = at.settings.as_ref().ok().and_then(Option::as_ref);
    let image = async {
        match (at.image, settings) {
            (Some(image), Some(settings)) => {
                inspect(parts, vec![(image, false)], settings, call).await.map(|mut read| read.pop())
            }
            (image, _) => Ok(image),
        }
    };
    let of_others = others.values().map(|found| other_grants(parts, settings, &at.assignments, found, call));
    let of_cluster = grants(parts, (settings, principal), at.assignments.clone(), call);
    let (image, others_grants, grants) = try_join!(image, try_join_all(of_others), of_cluster)?;
    let is_mode_new = settings.is_some_and(|one| parts.recent_mode_changes.has(&one.registry.id, parts.time()));
    Ok(Facts {
        is_mode_new,
        cluster_id: cluster.id,
        cluster: cluster.settings,
        service_principal: cluster.service_principal,
        registry_ref: registry.as_str().to_owned(),
        registry: at.settings,
        is_by_id: registry.id().is_some(),
        is_name_taken: at.is_name_taken,
        principal,
        grants,
        denials: at.denials,
        addresses,
        network,
        image,
        pulls: None,
        registry_logs: None,
        nodes: NodeFacts { others: others.keys().cloned().zip(others_grants).collect(), ..NodeFacts::default() },
        read_at: parts.time(),
    })
}

/// Reads which pulls from the registry have succeeded.
pub(super) async fn pulls(
    parts: &Parts,
    cluster: &ClusterRef,
    facts: &Facts,
    call: &Call,
) -> Result<Option<Read<Vec<SeenPull>>>> {
    Ok(pulls_in(read_pods(parts, cluster, &facts.cluster_id, call).await?, facts))
}

/// Those from the registry, if that was found.
fn pulls_in(pods: Read<ObservedPods>, facts: &Facts) -> Option<Read<Vec<SeenPull>>> {
    let Ok(Some(settings)) = &facts.registry else { return None };
    Some(pods.map(|pods| success::seen(&pods, &settings.registry.login_server)))
}

/// With the registry's ID, everything is read at once; without it, the registry has to be found first.
async fn at_registry(
    parts: &Parts,
    registry: &RegistryRef,
    image: Option<&ImageReference>,
    send_settings: Option<oneshot::Sender<Option<RegistrySettings>>>,
    call: &Call,
) -> Result<AtRegistry> {
    let settings = async {
        let read = read_settings(parts.registry_importer().settings(registry, call).await)?;
        if let Some(sender) = send_settings {
            let _ = sender.send(read.as_ref().ok().and_then(Clone::clone));
        }
        Ok(read)
    };
    // Before the registry was read, the caller's token is sent only to the host that it has by its name, or that the caller names.
    let early = image.filter(|image| plain_host(parts.cloud(), registry).eq_ignore_ascii_case(image.registry()));
    let (settings, at, early) = if let Some(id) = registry.id() {
        let (settings, at, early) = try_join!(settings, at_scope(parts, id, call), look(parts, early, call))?;
        (settings, Some(at), early)
    } else {
        let (settings, early) = try_join!(settings, look(parts, early, call))?;
        (settings, None, early)
    };
    let Ok(Some(found)) = &settings else {
        let (assignments, denials) = (Err(Unread::of_no_registry()), Err(Unread::of_no_registry()));
        // Without the registry, the image has the host that its name leads to.
        let host = plain_host(parts.cloud(), registry);
        let image = image.map(|one| ImageFacts::unasked(one.as_typed_in(&host).unwrap_or_else(|| one.clone())));
        let is_missing = settings.is_ok();
        let is_name_taken = if is_missing { is_name_taken(parts, registry, call).await? } else { None };
        return Ok(AtRegistry { settings, is_name_taken, assignments, denials, image });
    };
    let late = async {
        let Some(image) = image.filter(|_| early.is_none()) else { return Ok(None) };
        let named = image.as_typed_in(&found.registry.login_server).unwrap_or_else(|| image.clone());
        // An image of another host is not this registry's to show.
        let (host, login_server) = (named.registry(), &found.registry.login_server);
        let is_here = host.eq_ignore_ascii_case(login_server) || is_regional(host, login_server);
        match look(parts, Some(&named).filter(|_| is_here), call).await? {
            None => Ok(Some(ImageFacts::unasked(named))),
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
    Ok(AtRegistry { settings, is_name_taken: None, assignments, denials, image })
}

/// Whether any registry has the name of one that was not found. `None`: the name does not say it.
pub(crate) async fn is_name_taken(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Option<Read<bool>>> {
    let Some(name) = registry.plain_name() else { return Ok(None) };
    let subscription = registry.subscription(parts.subscription_id());
    let asked = parts.registry_importer().is_name_taken(subscription, name, &call.at_most(NAME_TIMEOUT)).await;
    Ok(Some(unless_ended(asked, call)?))
}

/// The host that a registry has by its name. Another registry may have the same name, followed by a domain label.
fn plain_host(cloud: &Cloud, registry: &RegistryRef) -> String {
    match &registry.by {
        By::LoginServer(named) => named.clone(),
        By::Name(name) => cloud.plain_login_server(name),
        By::Id(id) => cloud.plain_login_server(id.name()),
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
    Ok(Some(ImageFacts { details: Some(details), ..ImageFacts::unasked(image.clone()) }))
}

/// A registry refuses a caller without a role with 401, and does not name the action.
fn with_need(mut image: ImageFacts, registry: &Registry) -> ImageFacts {
    let action = match registry.mode {
        RoleAssignmentMode::LegacyRegistryPermissions => PULL,
        RoleAssignmentMode::AbacRepositoryPermissions => READ_CONTENT,
    };
    if let Some(Err(unread)) = &mut image.details
        && unread.status == Some(401)
        && !is_upstreams(unread)
    {
        unread.name_action(action, Some(&registry.id));
    }
    image
}

/// What decides among the role assignments: custom roles of the identity, and its groups if it has no grant of its own.
pub(crate) async fn grants(
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
    let is_recent = parts.recent_grants.has(id, principal, parts.time());
    Ok(Ok(Grants { assignments, roles, groups, is_recent }))
}

/// How the nodes reach the registry, if that has to be known: their network, and the addresses that the registry sees.
async fn network_facts(
    parts: &Parts,
    both: Option<(&ClusterSettings, &RegistrySettings)>,
    given: &[IpAddr],
    call: &Call,
) -> Result<(NetworkFacts, Read<Vec<IpAddr>>)> {
    let Some((cluster, settings)) = both else { return Ok((NetworkFacts::default(), Ok(Vec::new()))) };
    let is_asked = given.is_empty() && depends_on_addresses(cluster, settings);
    let network = async {
        if depends_on_network(cluster, settings) {
            network::read(parts, cluster, settings, call).await
        } else {
            Ok(NetworkFacts::default())
        }
    };
    let addresses = async {
        if is_asked && reports_addresses(cluster, settings) {
            network::addresses(parts, &cluster.outbound_addresses, call).await
        } else {
            Ok(Ok(given.to_vec()))
        }
    };
    let (network, addresses) = try_join!(network, addresses)?;
    match network.network.as_ref().and_then(|network| nat_gateway(cluster, network.as_ref().ok()?)) {
        Some(gateway) if is_asked => {
            let addresses = network::addresses_of_gateway(parts, gateway, call).await?;
            Ok((network, addresses))
        }
        _ => Ok((network, addresses)),
    }
}
