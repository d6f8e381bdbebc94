//! Events: what a component says happened to an object. The same thing said again is counted.

use std::time::Duration;

use serde_json::{Value, json};

use super::Kubernetes;
use super::object::{key, map, name, namespace, number, text, uid};

/// Something that happened.
pub(super) struct Happening<'a> {
    pub(super) component: &'a str,
    /// The node it happened on, or empty.
    pub(super) host: &'a str,
    /// The part of the object, such as `spec.containers{a}`, or empty.
    pub(super) part: &'a str,
    pub(super) warning: bool,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

/// How long an event is kept after it was last said.
const KEPT: Duration = Duration::from_secs(60 * 60);

impl Kubernetes {
    /// Drops events that are too old, and looks again when the next one is: whoever only looks changes nothing.
    pub(super) fn expire_events(&mut self) {
        let ends = |event: &Value| Some(self.clock.instant(text(event, "/lastTimestamp"))? + KEPT);
        let ends: Vec<_> =
            self.store.list("events", "").filter_map(|event| Some((ends(event)?, key("events", event)))).collect();
        for (end, key) in ends {
            if end <= self.now {
                self.store.remove(&key, self.now);
            } else {
                self.alarms.insert(end);
            }
        }
    }

    /// Writes an event of an object, or counts it.
    pub(super) fn record(&mut self, object: &Value, happening: &Happening<'_>) {
        let time = self.clock.text(self.now);
        let same = |event: &&Value| {
            text(event, "/involvedObject/uid") == uid(object)
                && text(event, "/involvedObject/fieldPath") == happening.part
                && text(event, "/reason") == happening.reason
                && text(event, "/message") == happening.message
        };
        let known = self.store.list("events", namespace(object)).find(same).cloned();
        if let Some(before) = known {
            let mut after = before.clone();
            let fields = map(&mut after, &[]);
            fields.insert("count".to_owned(), json!(number(&before, "/count").unwrap_or(1) + 1));
            fields.insert("lastTimestamp".to_owned(), json!(time));
            self.change_as(happening.component, "events", "", &before, after);
            return;
        }
        let mut involved = json!({"kind": object["kind"], "apiVersion": object["apiVersion"], "name": name(object),
            "namespace": namespace(object), "uid": uid(object),
            "resourceVersion": object["metadata"]["resourceVersion"]});
        if !happening.part.is_empty() {
            involved["fieldPath"] = json!(happening.part);
        }
        let mut source = json!({"component": happening.component});
        if !happening.host.is_empty() {
            source["host"] = json!(happening.host);
        }
        let event = json!({
            "metadata": {"name": format!("{}.{}", name(object), self.names.event_suffix())},
            "involvedObject": involved, "reason": happening.reason, "message": happening.message,
            "type": if happening.warning { "Warning" } else { "Normal" }, "source": source, "count": 1,
            "firstTimestamp": time, "lastTimestamp": time, "eventTime": null,
            "reportingComponent": happening.component, "reportingInstance": happening.host});
        // Only a namespace that is going away refuses events, and then nobody reads them.
        let _ = self.write_as(happening.component, "events", namespace(object), event);
    }
}
