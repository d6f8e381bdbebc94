//! Which cluster is meant.

use crate::{
    error::{Error, ErrorKind, Result},
    id::{ResourceId, SubscriptionId, group_name},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

pub(crate) const TYPE: &str = "Microsoft.ContainerService/managedClusters";
const LONGEST_NAME: usize = 63;

/// A reference to a cluster: resource group and name, or resource ID.
///
/// ```
/// use aks_acr::ClusterRef;
///
/// let cluster = ClusterRef::new("group", "dev")?;
/// assert_eq!(cluster.to_string(), "group/dev");
/// let elsewhere = cluster.in_subscription("22222222-2222-2222-2222-222222222222".parse()?);
/// assert_eq!(elsewhere.to_string().parse::<ClusterRef>()?, elsewhere);
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct ClusterRef {
    /// Its subscription. `None`: the client's.
    subscription: Option<SubscriptionId>,
    /// Its resource group.
    group: String,
    /// Its name.
    name: String,
}

/// A stored reference: its source is not trusted.
#[derive(Deserialize)]
struct Stored {
    subscription: Option<SubscriptionId>,
    group: String,
    name: String,
}

impl TryFrom<Stored> for ClusterRef {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        Ok(Self { subscription: stored.subscription, ..Self::new(&stored.group, &stored.name)? })
    }
}

impl ClusterRef {
    /// A cluster of the client's subscription.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the group or the name is invalid.
    pub fn new(group: &str, name: &str) -> Result<Self> {
        Ok(Self { subscription: None, group: group_name(group)?, name: cluster_name(name)? })
    }

    /// The same cluster in a subscription other than the client's.
    #[must_use]
    pub fn in_subscription(mut self, subscription: SubscriptionId) -> Self {
        self.subscription = Some(subscription);
        self
    }

    /// Its subscription, if named; otherwise the client's is used.
    #[must_use]
    pub fn subscription(&self) -> Option<SubscriptionId> {
        self.subscription
    }

    /// The cluster's resource group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster's resource ID, in the given subscription unless this reference has its own.
    pub(crate) fn id(&self, default: SubscriptionId) -> ResourceId {
        ResourceId::new(self.subscription.unwrap_or(default), &self.group, TYPE, &self.name)
    }

    /// Adds to the error of a cluster that was not found where it was not searched.
    pub(crate) fn explain_not_found(&self, err: Error) -> Error {
        let hint = "give the resource ID of a cluster in another subscription";
        let is_by_name = err.kind() == ErrorKind::NotFound && self.subscription.is_none();
        if is_by_name { err.with_context("hint", hint) } else { err }
    }
}

/// 1 to 63 letters, digits, `-` and `_`, a letter or digit at both ends.
/// See [naming rules](https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
fn cluster_name(text: &str) -> Result<String> {
    let is_edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if text.len() <= LONGEST_NAME
        && text.chars().all(is_inner)
        && is_edge(text.chars().next())
        && is_edge(text.chars().last())
    {
        return Ok(text.to_owned());
    }
    let wanted = "expected 1 to 63 letters, digits, '-' and '_', with a letter or digit at both ends";
    Err(Error::invalid(wanted, "cluster name", text))
}

impl FromStr for ClusterRef {
    type Err = Error;

    /// Parses `group/name`, or a resource ID, which starts with a slash.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the expected format.
    fn from_str(text: &str) -> Result<Self> {
        if !text.starts_with('/') {
            let parts = text.split_once('/').filter(|(_, name)| !name.contains('/'));
            let (group, name) =
                parts.ok_or_else(|| Error::invalid("expected group/name or a resource ID", "cluster", text))?;
            return Self::new(group, name);
        }
        let id = text.parse::<ResourceId>()?.of_type(TYPE, "cluster")?;
        Ok(Self::new(id.group(), id.name())?.in_subscription(id.subscription()))
    }
}

/// The format that [`FromStr`] parses: `group/name`, or the resource ID if the subscription is named.
impl fmt::Display for ClusterRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subscription {
            Some(subscription) => self.id(subscription).fmt(f),
            None => write!(f, "{}/{}", self.group, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_refused_and_named() {
        for (group, name) in
            [("g", "-dev"), ("g", "dev-"), ("g", ""), ("g.", "dev"), ("g/h", "dev"), ("..", "dev"), ("g", "d v")]
        {
            let err = ClusterRef::new(group, name).unwrap_err();
            assert_eq!(err.kind(), crate::ErrorKind::InvalidInput, "{group} {name}");
        }
    }

    #[test]
    fn the_id_of_a_registry_is_not_a_cluster() {
        let id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r";
        assert!(id.parse::<ClusterRef>().unwrap_err().to_string().contains("managedClusters"));
    }
}
