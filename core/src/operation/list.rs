//! Lists of many subscriptions: the clusters and the registries that match a filter.

use super::{
    Parts,
    right::{RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::{READ_CLUSTER, READ_REGISTRY},
    call::{Call, CallOptions},
    error::{Error, ErrorKind, Result, words},
    id::{SubscriptionId, check_not_empty},
    inventory::{ClusterFilter, ListError, ListedCluster, Listing, ReadSource, RegistryFilter},
    registry::Registry,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt::{self, Display},
    future::Future,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const RIGHTS_FOR_CLUSTERS: &[RequiredRight] =
    &[needed(READ_CLUSTER, RightScope::Subscription, "to list the clusters")];

pub(crate) const RIGHTS_FOR_REGISTRIES: &[RequiredRight] =
    &[needed(READ_REGISTRY, RightScope::Subscription, "to list the registries")];

/// Options for listing the resources of many subscriptions.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The service to read.
    pub read: ReadFrom,
    /// Whether the call succeeds even if a subscription that the filter names cannot be read.
    ///
    /// Off by default: a named subscription that cannot be read is an error. A subscription that the filter does not name is
    /// listed in `unreadable`; it is an error only if no subscription can be read.
    pub allow_partial: bool,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ReadOptions {
    /// Sets [`read`](Self::read).
    #[must_use]
    pub fn with_read(mut self, read: ReadFrom) -> Self {
        self.read = read;
        self
    }

    /// Sets [`allow_partial`](Self::allow_partial).
    #[must_use]
    pub fn with_allow_partial(mut self, allow_partial: bool) -> Self {
        self.allow_partial = allow_partial;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// The service to read lists from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReadFrom {
    /// The library decides; at present it always uses Azure Resource Manager.
    #[default]
    Auto,
    /// Azure Resource Manager: the current state, one list for each subscription.
    Arm,
    /// Azure Resource Graph: an index of all subscriptions that is updated with a delay.
    /// Not supported yet.
    Graph,
}

words!(ReadFrom, "read": Auto => "auto", Arm => "arm", Graph => "graph");

/// The clusters that match a filter, and how complete the list is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterList {
    /// The clusters, in the order of the subscriptions.
    pub clusters: Vec<ListedCluster>,
    /// The service that listed them.
    pub source: ReadSource,
    /// When reading began, by Azure's clock. The list shows the state at that time or a later one.
    #[serde(with = "crate::stored_time")]
    pub as_of: SystemTime,
    /// The subscriptions that were read.
    pub subscriptions: Vec<SubscriptionId>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Whether everything could be read. A cluster that the caller cannot read, in a subscription that it can read, is left out
    /// without a trace: Azure does not list it.
    pub is_complete: bool,
}

/// The registries that match a filter, and how complete the list is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryList {
    /// The registries, in the order of the subscriptions. One that has no login server yet is left out: nothing can be pulled from it.
    pub registries: Vec<Registry>,
    /// The service that listed them.
    pub source: ReadSource,
    /// When reading began, by Azure's clock. The list shows the state at that time or a later one.
    #[serde(with = "crate::stored_time")]
    pub as_of: SystemTime,
    /// The subscriptions that were read.
    pub subscriptions: Vec<SubscriptionId>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Whether everything could be read. A registry that the caller cannot read, in a subscription that it can read, is left out
    /// without a trace: Azure does not list it.
    pub is_complete: bool,
}

/// A subscription, or one of its resources, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unreadable {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The resource, if only this one could not be read: its ID, or `a resource without an ID`.
    pub resource: Option<String>,
    /// The action that the caller's roles lack, if that is the reason.
    pub missing_action: Option<String>,
    /// The error's text.
    pub reason: String,
}

pub(crate) async fn clusters(
    parts: &Parts,
    filter: &ClusterFilter,
    options: &ReadOptions,
    call: &Call,
) -> Result<ClusterList> {
    filter.criteria().check()?;
    if filter.fleet.is_some() {
        return Err(unsupported("the members of an Azure Kubernetes Fleet Manager", "name the clusters"));
    }
    let request = ListRequest {
        what: "the clusters",
        action: READ_CLUSTER,
        named: &filter.subscriptions,
        management_group: filter.management_group.as_deref(),
    };
    let list = |subscriptions: Vec<SubscriptionId>| async move {
        parts.inventory().clusters(&subscriptions, filter, call).await
    };
    let Read { listing, as_of } = read(parts, &request, options, call, list).await?;
    Ok(ClusterList {
        source: listing.source,
        as_of,
        is_complete: listing.is_complete(),
        unreadable: listing.unreadable.iter().map(Unreadable::of).collect(),
        clusters: listing.items,
        subscriptions: listing.subscriptions,
    })
}

pub(crate) async fn registries(
    parts: &Parts,
    filter: &RegistryFilter,
    options: &ReadOptions,
    call: &Call,
) -> Result<RegistryList> {
    filter.criteria().check()?;
    let request = ListRequest {
        what: "the registries",
        action: READ_REGISTRY,
        named: &filter.subscriptions,
        management_group: filter.management_group.as_deref(),
    };
    let list = |subscriptions: Vec<SubscriptionId>| async move {
        parts.inventory().registries(&subscriptions, filter, call).await
    };
    let Read { listing, as_of } = read(parts, &request, options, call, list).await?;
    Ok(RegistryList {
        source: listing.source,
        as_of,
        is_complete: listing.is_complete(),
        unreadable: listing.unreadable.iter().map(Unreadable::of).collect(),
        registries: listing.items,
        subscriptions: listing.subscriptions,
    })
}

/// What to list.
struct ListRequest<'a> {
    what: &'static str,
    /// What listing needs.
    action: &'static str,
    /// The subscriptions that the filter names.
    named: &'a [SubscriptionId],
    management_group: Option<&'a str>,
}

impl ListRequest<'_> {
    /// Rejects what cannot be read, before the first request.
    fn check(&self, options: &ReadOptions) -> Result<()> {
        check_not_empty("management group", self.management_group)?;
        if self.management_group.is_some() {
            return Err(unsupported("the subscriptions of a management group", "name the subscriptions"));
        }
        if options.read == ReadFrom::Graph {
            return Err(unsupported("Azure Resource Graph", "read from Azure Resource Manager, with read 'arm'"));
        }
        Ok(())
    }

    /// The named subscriptions, each once, or all that the caller can see.
    async fn subscriptions(&self, parts: &Parts, call: &Call) -> Result<Vec<SubscriptionId>> {
        let mut all: Vec<SubscriptionId> = Vec::new();
        for one in self.named {
            if !all.contains(one) {
                all.push(*one);
            }
        }
        if !all.is_empty() {
            return Ok(all);
        }
        let visible = parts.inventory().subscriptions(call).await?;
        if visible.is_empty() {
            let text = format!("the caller can see no enabled subscription to list {} in", self.what);
            return Err(Error::new(ErrorKind::Forbidden, text)
                .with_missing_action(self.action, "/")
                .with_context("hint", "check the tenant that the credential signs in to, or name the subscriptions"));
        }
        Ok(visible)
    }

    /// A named subscription that is missing is an error, and so is a list of which nothing could be read.
    fn check_read<T>(&self, listing: &mut Listing<T>) -> Result<()> {
        let is_whole = |part: &ListError| part.resource.is_none();
        let fails = |part: &ListError| {
            is_whole(part) && (self.named.contains(&part.subscription) || listing.subscriptions.is_empty())
        };
        if let Some(at) = listing.unreadable.iter().position(fails) {
            let ListError { subscription, error, .. } = listing.unreadable.swap_remove(at);
            let others = listing.unreadable.iter().filter(|part| is_whole(part)).count();
            let error = error.with_context("subscription", subscription.to_string());
            let error = if others == 0 { error } else { error.with_context("others", format!("{others} more")) };
            return Err(error.with_context("hint", "allow_partial lists what can be read"));
        }
        match self.named.iter().find(|one| !listing.subscriptions.contains(one)) {
            None => Ok(()),
            Some(missing) => Err(Error::new(ErrorKind::Unexpected, "a subscription is missing in the list")
                .with_context("subscription", missing.to_string())),
        }
    }
}

/// A list, and since when it holds.
struct Read<T> {
    listing: Listing<T>,
    as_of: SystemTime,
}

async fn read<T: Send, F: Future<Output = Result<Listing<T>>> + Send>(
    parts: &Parts,
    request: &ListRequest<'_>,
    options: &ReadOptions,
    call: &Call,
    list: impl FnOnce(Vec<SubscriptionId>) -> F + Send,
) -> Result<Read<T>> {
    request.check(options)?;
    let begun = Instant::now();
    let work = async { list(request.subscriptions(parts, call).await?).await };
    let mut listing = call.step(&format!("listing {}", request.what), work).await?;
    if !options.allow_partial {
        request.check_read(&mut listing)?;
    }
    // Azure's clock is known from its responses only.
    let as_of = parts.time().checked_sub(begun.elapsed());
    let as_of = as_of.ok_or_else(|| Error::new(ErrorKind::Unexpected, "Azure's clock is at the beginning of time"))?;
    Ok(Read { listing, as_of })
}

fn unsupported(what: &str, instead: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what} cannot be listed yet")).with_context("hint", instead)
}

impl Unreadable {
    fn of(part: &ListError) -> Self {
        Self {
            subscription: part.subscription,
            resource: part.resource.clone(),
            missing_action: part.error.missing_action().map(str::to_owned),
            reason: part.error.to_string(),
        }
    }
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{resource}: {}", self.reason),
            None => write!(f, "subscription {}: {}", self.subscription, self.reason),
        }
    }
}

impl Display for ClusterList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "cluster", &self.clusters, &self.unreadable)
    }
}

impl Display for RegistryList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "registry", &self.registries, &self.unreadable)
    }
}

/// A line for each item, and one for each part that could not be read.
fn show(f: &mut fmt::Formatter<'_>, what: &str, items: &[impl Display], unreadable: &[Unreadable]) -> fmt::Result {
    if items.is_empty() {
        write!(f, "no {what} found")?;
    }
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if at == 0 { "" } else { "\n" })?;
    }
    unreadable.iter().try_for_each(|part| write!(f, "\nnot read: {part}"))
}

impl Outcome for ClusterList {
    fn outcome(&self) -> &'static str {
        if self.is_complete { "done" } else { "partial" }
    }
}

impl Outcome for RegistryList {
    fn outcome(&self) -> &'static str {
        if self.is_complete { "done" } else { "partial" }
    }
}
