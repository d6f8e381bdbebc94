//! Reads what Azure says about the images of groups: each cluster, registry and image once.

use super::{group::Group, target::ExplainOptions};
use crate::{
    call::Call,
    cluster::ClusterRef,
    diagnosis::{
        catalogue::FindingId,
        facts::{Facts, ImageFacts, Unread},
    },
    error::Result,
    id::{ResourceId, SubscriptionId},
    image::ImageReference,
    inventory::SearchAll,
    operation::{
        Parts,
        check::gather::{AtCluster, gather_at, read_cluster, read_image},
    },
    registry::{Registry, RegistryRef},
};
use futures::{StreamExt as _, TryStreamExt as _, stream, try_join};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// How many registries, and images of one, are read at the same time.
const AT_ONCE: usize = 8;

/// What Azure says, by the registry's host.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    registries: BTreeMap<String, AtHost>,
}

#[derive(Debug)]
struct AtHost {
    facts: Facts,
    images: BTreeMap<String, ImageFacts>,
}

impl Gathered {
    /// The facts about an image. `None`: its registry is not one of Azure's, or there is no such host.
    pub fn with_image<T>(&mut self, image: Option<&ImageReference>, judge: impl FnOnce(Option<&Facts>) -> T) -> T {
        let Some((image, at)) = image.and_then(|image| Some((image, self.registries.get_mut(image.registry())?)))
        else {
            return judge(None);
        };
        let asked = at.images.remove(&image.to_string());
        at.facts.image = Some(asked.unwrap_or_else(|| ImageFacts { reference: image.clone(), details: None }));
        let judged = judge(Some(&at.facts));
        if let Some(facts) = at.facts.image.take() {
            at.images.insert(image.to_string(), facts);
        }
        judged
    }
}

pub(super) async fn gather(
    parts: &Parts,
    (cluster, id): (&ClusterRef, &ResourceId),
    groups: &[Group],
    options: &ExplainOptions,
    addresses: &[IpAddr],
    call: &Call,
) -> Result<Gathered> {
    let mut images: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for image in groups.iter().filter(|group| depends_on_azure(group)).filter_map(|group| group.image.as_ref()) {
        if parts.cloud().has_registry(image.registry()) {
            images.entry(image.registry().to_owned()).or_default().insert(image.to_string());
        }
    }
    if images.is_empty() {
        return Ok(Gathered::default());
    }
    let hosts: Vec<&str> = images.keys().map(String::as_str).collect();
    let searching = SearchAll::by_login_servers(parts.inventory(), &hosts, subscriptions(parts, cluster), false, call);
    let (at_cluster, search) = try_join!(read_cluster(parts, id, options.query_graph, call), searching)?;
    let read_host = |(host, names): (&String, &BTreeSet<String>)| {
        let (host, names, at_cluster) = (host.clone(), names.clone(), &at_cluster);
        let found = search.find(&host).cloned();
        async move {
            let at = match &found {
                None => AtHost { facts: not_found(at_cluster, &host), images: BTreeMap::new() },
                Some(registry) => at_host(parts, at_cluster, registry, &names, options, addresses, call).await?,
            };
            Ok::<_, crate::Error>((host, at))
        }
    };
    let reads: Vec<_> = images.iter().map(read_host).collect();
    let registries = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(Gathered { registries })
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

async fn at_host(
    parts: &Parts,
    cluster: &AtCluster,
    registry: &Registry,
    names: &BTreeSet<String>,
    options: &ExplainOptions,
    addresses: &[IpAddr],
    call: &Call,
) -> Result<AtHost> {
    let reference = RegistryRef::of_id(registry.id.clone())?;
    let facts = gather_at(parts, cluster, &reference, (options.principal_id, addresses), call);
    let (facts, images) = try_join!(facts, read_images(parts, registry, names, call))?;
    Ok(AtHost { facts, images })
}

/// The first image alone: then the others have its sign-in.
async fn read_images(
    parts: &Parts,
    registry: &Registry,
    names: &BTreeSet<String>,
    call: &Call,
) -> Result<BTreeMap<String, ImageFacts>> {
    let read_one = |name: &String| {
        let name = name.clone();
        async move {
            let read = read_image(parts, &ImageReference::parse(&name)?, registry, call).await?;
            Ok::<_, crate::Error>(read.map(|facts| (name, facts)))
        }
    };
    let mut images = BTreeMap::new();
    let mut names = names.iter();
    if let Some(first) = names.next() {
        images.extend(read_one(first).await?);
    }
    let others: Vec<_> = names.map(read_one).collect();
    let others: Vec<Option<(String, ImageFacts)>> = stream::iter(others).buffered(AT_ONCE).try_collect().await?;
    images.extend(others.into_iter().flatten());
    Ok(images)
}

/// A registry that no subscription shows.
fn not_found(cluster: &AtCluster, host: &str) -> Facts {
    Facts {
        cluster_id: cluster.id.clone(),
        cluster: cluster.settings.clone(),
        service_principal: cluster.service_principal.clone(),
        registry_ref: host.to_owned(),
        registry: Ok(None),
        is_by_id: false,
        is_mode_new: false,
        principal: cluster.principal(),
        grants: Err(Unread::of_no_registry()),
        denials: Err(Unread::of_no_registry()),
        addresses: Ok(Vec::new()),
        image: None,
    }
}
