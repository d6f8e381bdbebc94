//! The objects of a cluster, one counter of revisions, and what changed lately.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::object;

/// As long as the cluster's database keeps old revisions at least.
const KEPT: Duration = Duration::from_secs(5 * 60);
/// As many of the latest changes are known however old they are.
const ALWAYS_KEPT: usize = 200;

/// Where an object is kept: `deployments.apps`, namespace (empty for cluster-wide kinds), name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) resource: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: resource.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// One change: the object before and after it.
pub(super) struct Change {
    pub(super) revision: u64,
    pub(super) at: Instant,
    pub(super) key: Key,
    pub(super) before: Option<Value>,
    /// For a removal the last state, with the revision of the removal.
    pub(super) object: Value,
    pub(super) removed: bool,
}

/// All objects.
pub(super) struct Store {
    revision: u64,
    /// Changes up to this revision are no longer known.
    compacted: u64,
    objects: BTreeMap<Key, Value>,
    changes: VecDeque<Change>,
}

impl fmt::Debug for Store {
    /// Objects hold secrets: only their number is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.objects.len();
        f.debug_struct("Store").field("revision", &self.revision).field("objects", &objects).finish_non_exhaustive()
    }
}

impl Store {
    pub(super) fn new() -> Self {
        Self { revision: 1, compacted: 0, objects: BTreeMap::new(), changes: VecDeque::new() }
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// Objects of one resource in one namespace, or in all when `namespace` is empty, in the order of their keys.
    pub(super) fn list<'a>(&'a self, resource: &'a str, namespace: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        let start = Key::new(resource, namespace, "");
        self.objects
            .range(start..)
            .take_while(move |(key, _)| {
                key.resource == resource && (namespace.is_empty() || key.namespace == namespace)
            })
            .map(|(_, object)| object)
    }

    /// As [`list`](Self::list), starting behind a key.
    pub(super) fn list_after<'a>(&'a self, after: &Key, namespace: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        let resource = after.resource.clone();
        self.objects
            .range((Bound::Excluded(after.clone()), Bound::Unbounded))
            .take_while(move |(key, _)| {
                key.resource == resource && (namespace.is_empty() || key.namespace == namespace)
            })
            .map(|(_, object)| object)
    }

    /// Every object there is, with its key.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter()
    }

    /// Keeps an object under the next revision.
    pub(super) fn put(&mut self, key: Key, mut value: Value, now: Instant) -> Value {
        self.revision += 1;
        object::map(&mut value, &["metadata"]).insert("resourceVersion".to_owned(), json!(self.revision.to_string()));
        let before = self.objects.insert(key.clone(), value.clone());
        let change = Change { revision: self.revision, at: now, key, before, object: value.clone(), removed: false };
        self.changes.push_back(change);
        value
    }

    /// Removes an object; gives its last state.
    pub(super) fn remove(&mut self, key: &Key, now: Instant) -> Option<Value> {
        let before = self.objects.remove(key)?;
        self.revision += 1;
        let mut last = before.clone();
        object::map(&mut last, &["metadata"]).insert("resourceVersion".to_owned(), json!(self.revision.to_string()));
        let change = Change {
            revision: self.revision,
            at: now,
            key: key.clone(),
            before: Some(before),
            object: last.clone(),
            removed: true,
        };
        self.changes.push_back(change);
        Some(last)
    }

    /// Changes after a revision.
    pub(super) fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let start = self.changes.partition_point(|change| change.revision <= revision);
        self.changes.range(start..)
    }

    /// Forgets changes that are too old to be watched from.
    pub(super) fn compact(&mut self, now: Instant) {
        while self.changes.len() > ALWAYS_KEPT && self.changes.front().is_some_and(|change| change.at + KEPT < now) {
            self.compacted = self.changes.pop_front().map_or(self.compacted, |change| change.revision);
        }
    }

    /// Forgets all changes.
    pub(super) fn forget_changes(&mut self) {
        self.changes.clear();
        self.compacted = self.revision;
    }
}
