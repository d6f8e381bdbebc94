//! Reads everything in parallel, and evaluates it.

use super::{
    AttachmentsOptions, ClusterAttachments, GroupMembership, PrincipalState, PullGrant, RegistryAttachments,
    pull_grants,
};
use crate::{
    call::Call,
    cluster::ClusterRef,
    error::{ErrorKind, Result},
    id::{PrincipalId, ResourceId, SubscriptionId},
    inventory::{ClusterFilter, ListError, ListedCluster, Listing, RegistryFilter},
    operation::{
        Parts,
        attach::{PrincipalAdvice, principal},
    },
    registry::{Registry, RegistryRef, TYPE},
    role::{RoleAssignment, Roles},
};
use futures::future::try_join_all;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);

pub(crate) async fn of_cluster(
    parts: &Parts,
    cluster: &ClusterRef,
    options: &AttachmentsOptions,
    call: &Call,
) -> Result<ClusterAttachments> {
    let id = cluster.id(parts.subscription_id());
    let step = "reading the cluster, the registries and the role assignments";
    call.step(step, gather_of_cluster(parts, (cluster, id), options, call)).await
}

async fn gather_of_cluster(
    parts: &Parts,
    (cluster, id): (&ClusterRef, ResourceId),
    options: &AttachmentsOptions,
    call: &Call,
) -> Result<ClusterAttachments> {
    let subscriptions = subscriptions(parts, id.subscription(), &options.subscriptions);
    let held = async {
        let identities = parts.identity_resolver().identities(cluster, call).await?;
        let principal_id = principal(&identities, None, PrincipalAdvice::ListByRegistry)?;
        let held = subscriptions.iter().map(|one| parts.inventory().assignments_of(principal_id, *one, call));
        Ok((principal_id, try_join_all(held).await?))
    };
    let ((principal_id, held), registries) = futures::try_join!(held, registries(parts, &subscriptions, call))?;
    let of = |subscription: SubscriptionId| {
        registries.iter().filter(move |one| one.id.subscription() == subscription).cloned().collect()
    };
    let found: Vec<Observed> = subscriptions
        .iter()
        .zip(held)
        .map(|(subscription, assignments)| Observed {
            subscription: *subscription,
            assignments,
            registries: of(*subscription),
        })
        .collect();
    let mut grants = Vec::new();
    for one in &found {
        grants.extend(one.grants(parts, call).await?);
    }
    // A group that Azure lists for the identity has it as a member.
    let known = |grant: PullGrant| grant.held_by(principal_id, &id).held_through_group([id.clone()]);
    let grants = grants.into_iter().map(known).collect();
    Ok(ClusterAttachments { cluster: id, principal_id, grants, subscriptions })
}

/// What was read in one subscription.
struct Observed {
    subscription: SubscriptionId,
    assignments: Vec<RoleAssignment>,
    registries: Vec<Registry>,
}

impl Observed {
    async fn grants(&self, parts: &Parts, call: &Call) -> Result<Vec<PullGrant>> {
        let unseen = self.unseen();
        let registries = self.registries.iter().map(|one| (&one.id, Some(one.mode)));
        let registries: Vec<_> = registries.chain(unseen.iter().map(|id| (id, None))).collect();
        if registries.is_empty() {
            return Ok(Vec::new());
        }
        let roles = Roles::read(parts.role_assigner(), None, &self.assignments, call).await?;
        let mut grants = Vec::new();
        for (id, mode) in registries {
            grants.extend(pull_grants(id, mode, &self.assignments, &roles)?);
        }
        Ok(grants)
    }

    /// Registries of the subscription that the caller cannot read, but that an assignment names.
    fn unseen(&self) -> Vec<ResourceId> {
        let mut unseen: Vec<ResourceId> = Vec::new();
        let named = self.assignments.iter().filter_map(|one| one.scope.parse::<ResourceId>().ok());
        for id in named.filter(|id| id.is_of_type(TYPE) && id.subscription() == self.subscription) {
            if !unseen.contains(&id) && !self.registries.iter().any(|registry| registry.id == id) {
                unseen.push(id);
            }
        }
        unseen
    }
}

/// A caller without the permission to list registries gets those that an assignment names.
async fn registries(parts: &Parts, subscriptions: &[SubscriptionId], call: &Call) -> Result<Vec<Registry>> {
    let listing = parts.inventory().registries(subscriptions, &RegistryFilter::default(), call).await?;
    listed(listing).map(|(_, registries)| registries)
}

/// What was listed, and in which subscriptions. Where the caller lacks the permission nothing is known; any other error for a
/// subscription fails the whole list.
fn listed<T>(listing: Listing<T>) -> Result<(Vec<SubscriptionId>, Vec<T>)> {
    let fails = |part: &ListError| part.resource.is_none() && part.error.kind() != ErrorKind::Forbidden;
    match listing.unreadable.into_iter().find(fails) {
        Some(part) => Err(part.error),
        None => Ok((listing.subscriptions, listing.items)),
    }
}

pub(crate) async fn of_registry(
    parts: &Parts,
    registry: &RegistryRef,
    options: &AttachmentsOptions,
    call: &Call,
) -> Result<RegistryAttachments> {
    registry.check_cloud(parts.cloud())?;
    let step = "reading the registry, its role assignments and the clusters";
    call.step(step, gather_of_registry(parts, registry, options, call)).await
}

async fn gather_of_registry(
    parts: &Parts,
    registry: &RegistryRef,
    options: &AttachmentsOptions,
    call: &Call,
) -> Result<RegistryAttachments> {
    let own = registry.subscription(parts.subscription_id());
    let at_registry = async {
        if let Some(id) = registry.id() {
            let found = parts.find_registry(registry, call);
            return futures::try_join!(found, parts.role_assigner().list(id, call));
        }
        let found = parts.find_registry(registry, call).await?;
        let assignments = parts.role_assigner().list(&found.id, call).await?;
        Ok((found, assignments))
    };
    let clusters = find_clusters(parts, own, &options.subscriptions, call);
    let ((registry, assignments), (subscriptions, clusters)) = futures::try_join!(at_registry, clusters)?;
    let mut grants = grants_of(parts, &registry, &assignments, &clusters, call).await?;
    if options.query_graph {
        let kubelets: Vec<(PrincipalId, &ResourceId)> = kubelets(&clusters).collect();
        grants = with_members(parts, grants, &kubelets, call).await?;
        find_deleted(parts, &mut grants, call).await?;
    }
    Ok(RegistryAttachments { registry, grants, subscriptions })
}

/// The clusters of a registry's subscription, of the client's and of further ones, with the subscriptions where the caller can list them.
pub(crate) async fn find_clusters(
    parts: &Parts,
    own: SubscriptionId,
    further: &[SubscriptionId],
    call: &Call,
) -> Result<(Vec<SubscriptionId>, Vec<ListedCluster>)> {
    let subscriptions = subscriptions(parts, own, further);
    listed(parts.inventory().clusters(&subscriptions, &ClusterFilter::default(), call).await?)
}

/// The pull grants among a registry's role assignments, with the clusters that use them.
pub(crate) async fn grants_of(
    parts: &Parts,
    registry: &Registry,
    assignments: &[RoleAssignment],
    clusters: &[ListedCluster],
    call: &Call,
) -> Result<Vec<PullGrant>> {
    let roles = Roles::read(parts.role_assigner(), Some(&registry.id), assignments, call).await?;
    let grants = pull_grants(&registry.id, Some(registry.mode), assignments, &roles)?;
    let known = |grant| kubelets(clusters).fold(grant, |grant: PullGrant, (who, cluster)| grant.held_by(who, cluster));
    Ok(grants.into_iter().map(known).collect())
}

/// Queries Microsoft Graph for the members of groups, once for each group.
async fn with_members(
    parts: &Parts,
    grants: Vec<PullGrant>,
    kubelets: &[(PrincipalId, &ResourceId)],
    call: &Call,
) -> Result<Vec<PullGrant>> {
    let is_group = |grant: &&PullGrant| grant.membership == GroupMembership::Unchecked;
    let groups: BTreeSet<PrincipalId> = grants.iter().filter(is_group).map(|grant| grant.principal_id).collect();
    let read = groups.into_iter().map(|group| async move {
        match parts.inventory().members(group, call).await {
            Ok(members) => Ok(Some((group, members))),
            // A group that the directory no longer has is skipped; the code below finds out that it was deleted.
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
    });
    let members: BTreeMap<PrincipalId, Vec<PrincipalId>> = try_join_all(read).await?.into_iter().flatten().collect();
    let known = |grant: PullGrant| match members.get(&grant.principal_id) {
        Some(members) => {
            let within = kubelets.iter().filter(|(kubelet, _)| members.contains(kubelet));
            grant.held_through_group(within.map(|(_, cluster)| (*cluster).clone()))
        }
        None => grant,
    };
    Ok(grants.into_iter().map(known).collect())
}

/// Queries Microsoft Graph for the principals of unknown state.
async fn find_deleted(parts: &Parts, grants: &mut [PullGrant], call: &Call) -> Result<()> {
    let is_unknown = |grant: &PullGrant| grant.principal_state == PrincipalState::Unknown;
    let unknown: HashSet<PrincipalId> =
        grants.iter().filter(|grant| is_unknown(grant)).map(|grant| grant.principal_id).collect();
    let unknown: Vec<PrincipalId> = unknown.into_iter().collect();
    let existing = parts.inventory().existing(&unknown, call).await?;
    for grant in grants.iter_mut().filter(|grant| is_unknown(grant)) {
        let exists = existing.contains(&grant.principal_id);
        grant.principal_state = if exists { PrincipalState::Exists } else { PrincipalState::Gone };
    }
    Ok(())
}

fn kubelets(clusters: &[ListedCluster]) -> impl Iterator<Item = (PrincipalId, &ResourceId)> {
    clusters.iter().filter_map(|one| Some((one.identities.kubelet.as_ref()?.object_id, &one.id)))
}

/// The client's subscription, the target's and the requested ones, each once.
fn subscriptions(parts: &Parts, own: SubscriptionId, further: &[SubscriptionId]) -> Vec<SubscriptionId> {
    let mut all = vec![parts.subscription_id()];
    for one in std::iter::once(own).chain(further.iter().copied()) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
