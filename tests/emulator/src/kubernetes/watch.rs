//! Watches: the changes after a revision that a selection matches.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::object::map;
use super::reads::Selection;
use super::refusal::Refusal;
use super::request::Query;
use super::store::Change;
use super::{Kubernetes, table};

const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// What comes before the changes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Beginning {
    /// Nothing.
    Nothing,
    /// What already exists.
    Objects,
    /// What already exists, followed by a bookmark.
    MarkedObjects,
}

/// A watch that a client has open.
#[derive(Debug)]
pub(crate) struct Watch {
    selection: Selection,
    cursor: u64,
    beginning: Beginning,
    bookmarks: bool,
    table: bool,
    last_sent: Instant,
    ends: Option<Instant>,
    over: bool,
}

impl Watch {
    pub(super) fn start(
        selection: Selection,
        query: &Query,
        table: bool,
        revision: u64,
        now: Instant,
    ) -> Result<Self, Refusal> {
        let given = query.get("resourceVersion");
        let since: u64 = match given {
            "" => 0,
            text => text.parse().map_err(|_| Refusal::bad_request(format!("Invalid resource version: {text}")))?,
        };
        let streaming = query.is_set("sendInitialEvents");
        let seconds = query.get("timeoutSeconds").parse().ok().filter(|seconds: &u32| *seconds > 0);
        Ok(Self {
            selection,
            cursor: if since == 0 || streaming { revision } else { since },
            beginning: match (streaming, since) {
                (true, _) => Beginning::MarkedObjects,
                (false, 0) => Beginning::Objects,
                (false, _) => Beginning::Nothing,
            },
            bookmarks: query.is_set("allowWatchBookmarks"),
            table,
            last_sent: now,
            ends: seconds.map(|seconds| now + Duration::from_secs(seconds.into())),
            over: false,
        })
    }

    /// When the client wanted the watch to end.
    pub(crate) fn ends(&self) -> Option<Instant> {
        self.ends
    }

    /// Whether nothing more will come, because the revision was too old.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    fn line(&self, kubernetes: &Kubernetes, event: &str, object: &Value) -> Bytes {
        let kind = &self.selection.kind;
        let mut object = object.clone();
        map(&mut object, &[]).insert("apiVersion".to_owned(), json!(kind.api_version()));
        if self.table && event != "BOOKMARK" {
            let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            object = table::render(kind, &[object], &metadata, &kubernetes.clock, kubernetes.now);
        }
        line(event, &object)
    }

    fn bookmark(&self, revision: u64, initial_end: bool) -> Bytes {
        let kind = &self.selection.kind;
        let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        line("BOOKMARK", &json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata}))
    }

    /// What a change is to this watch: an object may come into the selection or leave it.
    fn event(&self, change: &Change) -> Option<&'static str> {
        if change.key.resource != self.selection.kind.resource() {
            return None;
        }
        let was_in = change.before.as_ref().is_some_and(|before| self.selection.holds(before));
        let is_in = !change.removed && self.selection.holds(&change.object);
        match (was_in, is_in) {
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
            (false, false) => None,
        }
    }
}

fn line(event: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": event, "object": object})))
}

impl Kubernetes {
    /// What happened since the watch was last asked, one line an event.
    pub(crate) fn watch(&mut self, watch: &mut Watch) -> Vec<Bytes> {
        if watch.over {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if watch.beginning != Beginning::Nothing {
            self.send_initial(watch, &mut lines);
        } else if watch.cursor < self.store.compacted() {
            watch.over = true;
            let message = format!("too old resource version: {} ({})", watch.cursor, self.store.compacted());
            return vec![line("ERROR", &Refusal::expired(message).body())];
        }
        for change in self.store.changes_after(watch.cursor) {
            if let Some(event) = watch.event(change) {
                lines.push(watch.line(self, event, &change.object));
            }
        }
        watch.cursor = watch.cursor.max(self.store.revision());
        if watch.bookmarks && lines.is_empty() && watch.last_sent + BOOKMARK_EVERY <= self.now {
            lines.push(watch.bookmark(watch.cursor, false));
        }
        if !lines.is_empty() {
            watch.last_sent = self.now;
        }
        lines
    }

    fn send_initial(&self, watch: &mut Watch, lines: &mut Vec<Bytes>) {
        let resource = watch.selection.kind.resource();
        let objects = self.store.list(&resource, &watch.selection.namespace);
        let selected = objects.filter(|object| watch.selection.holds(object));
        lines.extend(selected.map(|object| watch.line(self, "ADDED", object)));
        watch.cursor = self.store.revision();
        if watch.beginning == Beginning::MarkedObjects && watch.bookmarks {
            lines.push(watch.bookmark(watch.cursor, true));
        }
        watch.beginning = Beginning::Nothing;
    }
}
