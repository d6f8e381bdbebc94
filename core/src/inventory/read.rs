//! Reads the lists of many subscriptions in parallel.

use super::{
    ClusterFilter, ListError, ListedCluster, Listing, ReadSource, RegistryFilter,
    filter::{Criteria, Listed},
};
use crate::{
    call::Call,
    cluster::{ClusterBody, list_clusters},
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, read_item},
    id::SubscriptionId,
    identity::read_identities,
    registry::{self, Registry},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::Value;

/// How many subscriptions are read at the same time.
const AT_A_TIME: usize = 16;

pub(super) async fn registries(
    arm: &Arm,
    subscriptions: &[SubscriptionId],
    filter: &RegistryFilter,
    call: &Call,
) -> Result<Listing<Registry>> {
    let read = |_: Listed, item: Value| registry::read_listed(item);
    all(arm, subscriptions, (registry::list_registries, "a list of registries"), filter.criteria(), call, read).await
}

pub(super) async fn clusters(
    arm: &Arm,
    subscriptions: &[SubscriptionId],
    filter: &ClusterFilter,
    call: &Call,
) -> Result<Listing<ListedCluster>> {
    if filter.fleet.is_some() {
        let text = "Azure Resource Manager cannot list the members of a fleet";
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    let read = |listed: Listed, item: Value| {
        let body: ClusterBody = read_item(item, "a cluster")?;
        Ok(Some(ListedCluster {
            location: listed.location,
            tags: listed.tags,
            power_state: body.part("properties/powerState/code")?,
            identities: read_identities(listed.id.clone(), &body)?,
            id: listed.id,
        }))
    };
    all(arm, subscriptions, (list_clusters, "a list of clusters"), filter.criteria(), call, read).await
}

/// A subscription that the caller cannot read does not hide the others, and neither does an item that cannot be parsed. Any other
/// error ends the list: the same call may succeed later.
async fn all<T: Serialize + Send>(
    arm: &Arm,
    subscriptions: &[SubscriptionId],
    (request, what): (fn(SubscriptionId) -> ArmRequest, &str),
    criteria: Criteria<'_>,
    call: &Call,
    read: impl Fn(Listed, Value) -> Result<Option<T>> + Send + Sync,
) -> Result<Listing<T>> {
    criteria.check()?;
    let read = &read;
    let one = |item: Value| {
        let listed = Listed::of(&item)?;
        if criteria.matches(&listed)? { read(listed, item) } else { Ok(None) }
    };
    let one = &one;
    let listed = stream::iter(subscriptions.to_vec()).map(|subscription| async move {
        match arm.list_or_skip(request(subscription), what, call, one).await {
            Ok(listed) => Ok((subscription, Ok(listed))),
            Err(err) if is_unreadable(err.kind()) => Ok((subscription, Err(err))),
            Err(err) => Err(err.with_context("subscription", subscription.to_string())),
        }
    });
    let listed: Vec<_> = listed.buffered(AT_A_TIME).try_collect().await?;
    let mut listing = Listing::new(ReadSource::Arm, Vec::new(), Vec::new());
    for (subscription, listed) in listed {
        match listed {
            Ok((items, skipped)) => {
                listing.subscriptions.push(subscription);
                listing.items.extend(items);
                let skipped = skipped.into_iter().map(|(id, error)| {
                    let resource = id.unwrap_or_else(|| "a resource without an ID".to_owned());
                    ListError::new(subscription, error).with_resource(resource)
                });
                listing.unreadable.extend(skipped);
            }
            Err(error) => listing.unreadable.push(ListError::new(subscription, error)),
        }
    }
    Ok(listing)
}

/// Whether the error lasts until the caller's roles change or a resource provider is registered.
fn is_unreadable(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::NotRegistered)
}
