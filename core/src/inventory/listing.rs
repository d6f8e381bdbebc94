//! What a list holds, and how complete it is.

use crate::{
    error::{Error, words},
    id::{ResourceId, SubscriptionId},
    identity::ClusterIdentities,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What was listed, and what could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing<T> {
    /// The matching resources, in the order of the subscriptions.
    pub items: Vec<T>,
    /// The service that listed them.
    pub source: ReadSource,
    /// The subscriptions that were read.
    pub subscriptions: Vec<SubscriptionId>,
    /// What could not be read. If empty, the list is complete.
    pub unreadable: Vec<ListError>,
}

impl<T> Listing<T> {
    /// A list of these resources, from subscriptions that were read completely.
    #[must_use]
    pub fn new(source: ReadSource, subscriptions: Vec<SubscriptionId>, items: Vec<T>) -> Self {
        Self { items, source, subscriptions, unreadable: Vec::new() }
    }

    /// Adds a part that could not be read.
    #[must_use]
    pub fn with_unreadable(mut self, part: ListError) -> Self {
        self.unreadable.push(part);
        self
    }

    /// Whether everything could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty()
    }
}

/// A subscription, or one of its resources, that could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListError {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The resource, if only this one could not be read: its ID, or `a resource without an ID`.
    pub resource: Option<String>,
    /// The error.
    pub error: Error,
}

impl ListError {
    /// A subscription that could not be read.
    #[must_use]
    pub fn new(subscription: SubscriptionId, error: Error) -> Self {
        Self { subscription, resource: None, error }
    }

    /// A resource of the subscription that could not be read.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }
}

/// The service that a list was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReadSource {
    /// Azure Resource Manager: the current state.
    Arm,
    /// Azure Resource Graph: an index that is updated with a delay.
    Graph,
}

words!(ReadSource, "source": Arm => "arm", Graph => "graph");

/// A listed cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListedCluster {
    /// Its resource ID.
    pub id: ResourceId,
    /// The region, if Azure names it.
    pub location: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether the cluster is running, as reported by Azure: `Running` or `Stopped`.
    pub power_state: Option<String>,
    /// Its identities, and how its users sign in.
    pub identities: ClusterIdentities,
}

impl ListedCluster {
    /// A cluster of which only the ID is known.
    #[must_use]
    pub fn new(id: ResourceId) -> Self {
        let identities = ClusterIdentities::new(id.clone());
        Self { id, location: None, tags: BTreeMap::new(), power_state: None, identities }
    }
}

impl fmt::Display for ListedCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = self.power_state.as_deref().unwrap_or("power state unknown");
        let location = self.location.as_deref().unwrap_or("an unknown region");
        write!(f, "{}/{} in {location} ({power})", self.id.group(), self.id.name())?;
        match &self.identities.kubelet {
            Some(kubelet) => write!(f, ": pulls with kubelet identity {}", kubelet.object_id),
            None => Ok(()),
        }
    }
}

/// How many role assignments a subscription has, and how many it can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoleAssignmentUsage {
    /// The limit of the subscription.
    pub limit: u32,
    /// The existing role assignments, at all scopes inside the subscription.
    pub current: u32,
    /// The number that can still be created.
    pub remaining: u32,
}

impl RoleAssignmentUsage {
    /// The usage of a subscription with this limit.
    #[must_use]
    pub fn new(limit: u32, current: u32) -> Self {
        Self { limit, current, remaining: limit.saturating_sub(current) }
    }
}
