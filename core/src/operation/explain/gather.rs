//! Reads what Azure says about the images of groups: each cluster, registry and image once.

use super::{
    group::{self, Group},
    target::ExplainOptions,
};
use crate::{
    call::Call,
    cluster::{ClusterRef, ObservedPods},
    diagnosis::{
        catalogue::FindingId,
        facts::{AccountFacts, Facts, Grants, ImageFacts, NetworkFacts, NodeFacts, Read, Unread},
        is_granted, login_server_of,
        success::{self, last_success},
    },
    error::{Error, Result},
    id::{PrincipalId, ResourceId, SubscriptionId},
    image::ImageReference,
    inventory::SearchAll,
    operation::{
        Parts,
        check::{
            accounts,
            gather::{AtCluster, gather_at, grants, is_name_taken, read_cluster, read_image, scale_sets},
            inspect::inspect,
        },
        registry_logs,
    },
    registry::{Registry, RegistryRef, RegistrySettings},
    role::RoleAssignmentMode,
};
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream, try_join};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    net::IpAddr,
    time::SystemTime,
};

/// How many registries, and images of one, are read at the same time.
const AT_ONCE: usize = 8;

/// Images by their names, and whether a node did not find the image.
type Names = BTreeMap<String, bool>;

/// What Azure says, by the registry's host.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    registries: BTreeMap<String, AtHost>,
    /// What the nodes pull with on behalf of service accounts, if that was read.
    accounts: Option<Read<Option<AccountFacts>>>,
}

#[derive(Debug)]
struct AtHost {
    facts: Facts,
    images: BTreeMap<String, ImageFacts>,
    /// What decides among the role assignments for identities of service accounts.
    others: BTreeMap<PrincipalId, Read<Grants>>,
}

impl Gathered {
    /// Adds the pulls that have succeeded.
    pub fn add_pulls(&mut self, observed: &ObservedPods) {
        for (host, at) in &mut self.registries {
            at.facts.pulls = Some(Ok(success::seen(observed, host)));
        }
    }

    /// Adds the resource logs of the registries.
    pub async fn add_registry_logs(&mut self, parts: &Parts, call: &Call) -> Result<()> {
        let each = self.registries.values_mut().map(|at| registry_logs::add(parts, &mut at.facts, call));
        try_join_all(each).await.map(drop)
    }

    /// When a pull has last succeeded, by the registry's ID.
    pub fn successes(&self) -> BTreeMap<String, SystemTime> {
        let all = self.registries.values().map(|at| &at.facts);
        let of = |facts: &Facts| {
            let registry = facts.registry.as_ref().ok()?.as_ref()?;
            Some((registry.registry.id.to_string(), last_success(facts)?))
        };
        all.filter_map(of).collect()
    }

    /// Whether the nodes pull as service accounts.
    pub fn is_by_account(&self) -> bool {
        matches!(self.accounts, Some(Ok(Some(_))))
    }

    /// The facts about a group's image. `None`: its registry is not one of Azure's, or there is no such host.
    pub fn with_image<T>(&mut self, group: &Group, judge: impl FnOnce(Option<&Facts>) -> T) -> T {
        let accounts = self.accounts_of(group);
        let image = group.image.as_ref();
        let Some((image, at)) = image.and_then(|image| Some((image, self.registries.get_mut(image.registry())?)))
        else {
            return judge(None);
        };
        let asked = at.images.remove(&image.to_string());
        at.facts.image = Some(asked.unwrap_or_else(|| ImageFacts::unasked(image.clone())));
        let judged = at.as_account(accounts, judge);
        if let Some(facts) = at.facts.image.take() {
            at.images.insert(image.to_string(), facts);
        }
        judged
    }

    /// What its nodes pull with on behalf of its service account. Nodes of Windows pull with the kubelet identity: the configuration that
    /// [AgentBaker](https://github.com/Azure/AgentBaker) gives them has no identity binding.
    fn accounts_of(&self, group: &Group) -> Option<Read<Option<AccountFacts>>> {
        if group.platform.as_ref().is_some_and(|platform| platform.os == "windows") {
            return None;
        }
        let account = Some((group.namespace.clone(), group.service_account.clone()));
        Some(match self.accounts.as_ref()? {
            Ok(Some(accounts)) => Ok(Some(AccountFacts { account, ..accounts.clone() })),
            other => other.clone(),
        })
    }
}

impl AtHost {
    fn new(facts: Facts, images: BTreeMap<String, ImageFacts>) -> Self {
        Self { facts, images, others: BTreeMap::new() }
    }

    /// Judges with the identity of a service account, where nodes pull as those.
    fn as_account<T>(
        &mut self,
        accounts: Option<Read<Option<AccountFacts>>>,
        judge: impl FnOnce(Option<&Facts>) -> T,
    ) -> T {
        let identity = match &accounts {
            Some(Ok(Some(accounts))) => Some(accounts.identity()),
            _ => None,
        };
        self.facts.nodes.accounts = accounts;
        let Some(identity) = identity else { return judge(Some(&self.facts)) };
        let own = mem::replace(&mut self.facts.principal, identity);
        let mut other = identity.and_then(|identity| self.others.get_mut(&identity));
        if let Some(other) = &mut other {
            mem::swap(&mut self.facts.grants, *other);
        }
        let judged = judge(Some(&self.facts));
        if let Some(other) = &mut other {
            mem::swap(&mut self.facts.grants, *other);
        }
        self.facts.principal = own;
        judged
    }
}

pub(super) async fn gather(
    parts: &Parts,
    (cluster, id): (&ClusterRef, &ResourceId),
    (groups, observed): (&[Group], &ObservedPods),
    options: &ExplainOptions,
    addresses: &[IpAddr],
    call: &Call,
) -> Result<Gathered> {
    let mut images: BTreeMap<String, Names> = BTreeMap::new();
    for group in groups.iter().filter(|group| depends_on_azure(group)) {
        let Some(image) = group.image.as_ref().filter(|image| parts.cloud().has_registry(image.registry())) else {
            continue;
        };
        let names = images.entry(image.registry().to_owned()).or_default();
        *names.entry(image.to_string()).or_default() |= group.failure.finding.id == FindingId::IMAGE_NOT_FOUND;
    }
    if images.is_empty() {
        return Ok(Gathered::default());
    }
    let login_servers: BTreeMap<String, String> =
        images.keys().map(|host| (host.clone(), login_server_of(host).unwrap_or_else(|| host.clone()))).collect();
    // A name leads no further than the login server, which is searched anyway.
    let by_id: Vec<&RegistryRef> = options.registries.iter().filter(|one| one.id().is_some()).collect();
    let given = |login_server: &str| by_id.iter().copied().find(|one| one.may_have_host(login_server));
    let hosts: Vec<&str> =
        login_servers.values().map(String::as_str).filter(|login_server| given(login_server).is_none()).collect();
    let searching = SearchAll::by_login_servers(parts.inventory(), &hosts, subscriptions(parts, cluster), false, call);
    let (at_cluster, search) = try_join!(read_cluster(parts, id, options.query_graph, call), searching)?;
    let read_host = |(host, names): (&String, &Names)| {
        let (host, names, at_cluster) = (host.clone(), names.clone(), &at_cluster);
        let login_server = login_server_of(&host).unwrap_or_else(|| host.clone());
        let (given, found) = (given(&login_server), search.find(&login_server).cloned());
        let has_no_name = groups.iter().any(|group| is_unresolved(group, &host));
        async move {
            let at = match (given, &found) {
                (Some(given), _) => {
                    let reading =
                        given_host(parts, at_cluster, (given, &login_server), &names, options, addresses, call);
                    Box::pin(reading).await?
                }
                (None, None) => {
                    let is_taken = if has_no_name { named(parts, &login_server, call).await? } else { None };
                    AtHost::new(not_found(at_cluster, &host, is_taken, parts.time()), BTreeMap::new())
                }
                (None, Some(registry)) => {
                    at_host(parts, at_cluster, registry, &names, options, addresses, call).await?
                }
            };
            Ok::<_, Error>((host, at))
        }
    };
    let reads: Vec<_> = images.iter().map(read_host).collect();
    let registries: BTreeMap<String, AtHost> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    // Who names the identity that pulls knows how the nodes pull.
    let accounts = match options.principal_id {
        None => read_accounts(parts, cluster, &at_cluster, groups, call).await?,
        Some(_) => None,
    };
    let mut gathered = Gathered { registries, accounts };
    if gathered.is_by_account() {
        // Service accounts of one name may name different identities.
        read_grants(parts, &group::groups(observed, true), &mut gathered, call).await?;
    } else {
        read_scale_sets(parts, &at_cluster, groups, &mut gathered.registries, call).await?;
    }
    Ok(gathered)
}

/// Whether the registry refused what the node signed in with, or it signed in with nothing.
fn is_refused(group: &Group) -> bool {
    group.failure.finding.depends_on_grants()
}

/// A node whose pull was refused may pull as the pod's service account, which only a preview of Azure's API shows.
async fn read_accounts(
    parts: &Parts,
    cluster: &ClusterRef,
    at: &AtCluster,
    groups: &[Group],
    call: &Call,
) -> Result<Option<Read<Option<AccountFacts>>>> {
    let refused = groups.iter().filter(|group| is_refused(group));
    let namespaces: BTreeSet<&str> = refused.map(|group| group.namespace.as_str()).collect();
    let only = if namespaces.len() == 1 { namespaces.first().copied() } else { None };
    if namespaces.is_empty() {
        return Ok(None);
    }
    let Ok(settings) = &at.settings else { return Ok(None) };
    accounts::read(parts, cluster, (&at.id, settings), only, call).await
}

/// What decides among the role assignments for the identities of service accounts.
async fn read_grants(parts: &Parts, groups: &[Group], gathered: &mut Gathered, call: &Call) -> Result<()> {
    let mut wanted: BTreeMap<String, BTreeSet<PrincipalId>> = BTreeMap::new();
    for group in groups.iter().filter(|group| is_refused(group)) {
        let (Some(image), Some(Ok(Some(accounts)))) = (&group.image, gathered.accounts_of(group)) else { continue };
        if let Some(identity) = accounts.identity() {
            wanted.entry(image.registry().to_owned()).or_default().insert(identity);
        }
    }
    for (host, ids) in wanted {
        let Some(at) = gathered.registries.get_mut(&host) else { continue };
        let settings = at.facts.registry.as_ref().ok().and_then(Option::as_ref);
        let assignments = match &at.facts.grants {
            Ok(grants) => Ok(grants.assignments.clone()),
            Err(unread) => Err(unread.clone()),
        };
        let read = ids.iter().map(|id| grants(parts, (settings, Some(*id)), assignments.clone(), call));
        let read = try_join_all(read).await?;
        at.others = ids.into_iter().zip(read).collect();
    }
    Ok(())
}

/// A node that pulls without a credential, though its identity has a grant or needs none to sign in, may lack the identity.
async fn read_scale_sets(
    parts: &Parts,
    cluster: &AtCluster,
    groups: &[Group],
    registries: &mut BTreeMap<String, AtHost>,
    call: &Call,
) -> Result<()> {
    let Ok(settings) = &cluster.settings else { return Ok(()) };
    let is_anonymous = |group: &&Group| group.failure.finding.id == FindingId::NO_CREDENTIAL;
    let hosts: BTreeSet<&str> =
        groups.iter().filter(is_anonymous).filter_map(|group| Some(group.image.as_ref()?.registry())).collect();
    let unexplained =
        registries.iter_mut().filter(|(host, at)| hosts.contains(host.as_str()) && is_unexplained(&at.facts));
    let mut unexplained: Vec<&mut AtHost> = unexplained.map(|(_, at)| at).collect();
    if unexplained.is_empty() || settings.identities.kubelet.is_none() {
        return Ok(());
    }
    let read = scale_sets(parts, &cluster.id, settings, call).await?;
    for at in &mut unexplained {
        // The message remains the answer where the sets cannot be read.
        at.facts.nodes.scale_sets = read.clone().filter(Result::is_ok);
    }
    Ok(())
}

/// Whether Azure has a say: what the manifest itself says is not read anew.
fn depends_on_azure(group: &Group) -> bool {
    ![FindingId::REFERENCE_INVALID, FindingId::PULL_POLICY_NEVER].contains(&group.failure.finding.id)
}

/// The client's subscription and the cluster's.
fn subscriptions(parts: &Parts, cluster: &ClusterRef) -> Vec<SubscriptionId> {
    let mut all = vec![parts.subscription_id()];
    all.extend(cluster.subscription().filter(|one| *one != parts.subscription_id()));
    all
}

/// Whether a node did not find a host's name. A registry that answers exists, and is not asked for.
fn is_unresolved(group: &Group, host: &str) -> bool {
    let is_of_host = group.image.as_ref().is_some_and(|image| image.registry() == host);
    is_of_host && group.failure.finding.id == FindingId::DNS_LOOKUP_FAILED
}

/// Whether any registry has the name in a login server.
async fn named(parts: &Parts, login_server: &str, call: &Call) -> Result<Option<Read<bool>>> {
    // No registry can have a name that is too short or has other letters: the message of the node remains the answer.
    let Ok(registry) = login_server.parse() else { return Ok(None) };
    is_name_taken(parts, &registry, call).await
}

async fn at_host(
    parts: &Parts,
    cluster: &AtCluster,
    registry: &Registry,
    names: &Names,
    options: &ExplainOptions,
    addresses: &[IpAddr],
    call: &Call,
) -> Result<AtHost> {
    let reference = RegistryRef::of_id(registry.id.clone())?;
    let facts = gather_at(parts, cluster, &reference, (options.principal_id, addresses), call);
    let (facts, images) = try_join!(facts, read_images(parts, registry, names, call))?;
    inspected(parts, facts, images, names, call).await
}

/// A registry that the options name: it may be one that cannot be read.
async fn given_host(
    parts: &Parts,
    cluster: &AtCluster,
    (registry, login_server): (&RegistryRef, &str),
    names: &Names,
    options: &ExplainOptions,
    addresses: &[IpAddr],
    call: &Call,
) -> Result<AtHost> {
    let facts = gather_at(parts, cluster, registry, (options.principal_id, addresses), call).await?;
    let Ok(Some(settings)) = &facts.registry else { return Ok(AtHost::new(facts, BTreeMap::new())) };
    let found = settings.registry.clone();
    if !found.login_server.eq_ignore_ascii_case(login_server) {
        let text = format!("its login server is {}, and the image is from {login_server}", found.login_server);
        return Err(Error::invalid(text, "registries", registry.as_str()));
    }
    let images = read_images(parts, &found, names, call).await?;
    inspected(parts, facts, images, names, call).await
}

/// Adds why images are not served.
async fn inspected(
    parts: &Parts,
    facts: Facts,
    images: BTreeMap<String, ImageFacts>,
    names: &Names,
    call: &Call,
) -> Result<AtHost> {
    let Ok(Some(settings)) = &facts.registry else { return Ok(AtHost::new(facts, images)) };
    let (keys, images): (Vec<String>, Vec<(ImageFacts, bool)>) = images
        .into_iter()
        .map(|(name, image)| {
            let is_missing = names.get(&name) == Some(&true);
            (name, (image, is_missing))
        })
        .unzip();
    let images = inspect(parts, images, settings, call).await?;
    Ok(AtHost::new(facts, keys.into_iter().zip(images).collect()))
}

/// The first image alone: then the others have its sign-in.
async fn read_images(
    parts: &Parts,
    registry: &Registry,
    names: &Names,
    call: &Call,
) -> Result<BTreeMap<String, ImageFacts>> {
    let read_one = |name: &String| {
        let name = name.clone();
        async move {
            let read = read_image(parts, &ImageReference::parse(&name)?, registry, call).await?;
            Ok::<_, Error>(read.map(|facts| (name, facts)))
        }
    };
    let mut images = BTreeMap::new();
    let mut names = names.keys();
    if let Some(first) = names.next() {
        images.extend(read_one(first).await?);
    }
    let others: Vec<_> = names.map(read_one).collect();
    let others: Vec<Option<(String, ImageFacts)>> = stream::iter(others).buffered(AT_ONCE).try_collect().await?;
    images.extend(others.into_iter().flatten());
    Ok(images)
}

/// Whether grants do not explain that a node has no credential. A registry with repository permissions refuses no sign-in for their lack.
fn is_unexplained(facts: &Facts) -> bool {
    let is_abac = |one: &RegistrySettings| one.registry.mode == RoleAssignmentMode::AbacRepositoryPermissions;
    is_granted(facts) || matches!(&facts.registry, Ok(Some(settings)) if is_abac(settings))
}

/// A registry that no subscription shows.
fn not_found(cluster: &AtCluster, host: &str, is_name_taken: Option<Read<bool>>, read_at: SystemTime) -> Facts {
    Facts {
        cluster_id: cluster.id.clone(),
        cluster: cluster.settings.clone(),
        service_principal: cluster.service_principal.clone(),
        registry_ref: host.to_owned(),
        registry: Ok(None),
        is_by_id: false,
        is_name_taken,
        is_mode_new: false,
        principal: cluster.principal(),
        grants: Err(Unread::of_no_registry()),
        denials: Err(Unread::of_no_registry()),
        addresses: Ok(Vec::new()),
        network: NetworkFacts::default(),
        image: None,
        pulls: None,
        registry_logs: None,
        nodes: NodeFacts::default(),
        read_at,
    }
}
