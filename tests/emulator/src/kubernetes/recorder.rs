//! Events: what a component says happened to an object. The same thing said again is counted.

use std::time::Duration;

use serde_json::{Value, json};

use super::Kubernetes;
use super::correlator::COMBINED;
use super::names::without_suffixes;
use super::object::{key, map, name, namespace, number, text, uid};

/// Something that happened.
#[derive(Clone, Copy)]
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
    /// Drops events that are too old, and checks again when the next one is: reading alone changes nothing.
    pub(super) fn expire_events(&mut self) {
        self.correlator.forget(self.now);
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

    /// Writes that an object's controller could not create a pod, once for each reason: each try has its own name with this prefix.
    pub(super) fn record_failed_create(&mut self, owner: &Value, component: &str, prefix: &str, message: &str) {
        let reason = "FailedCreate";
        let why = without_suffixes(message, prefix);
        let is_same = |event: &Value| {
            text(event, "/involvedObject/uid") == uid(owner)
                && text(event, "/reason") == reason
                && without_suffixes(text(event, "/message").trim_start_matches(COMBINED), prefix) == why
        };
        if !self.store.list("events", namespace(owner)).any(is_same) {
            self.record(owner, &Happening { component, host: "", part: "", warning: true, reason, message });
        }
    }

    /// Writes an event of an object, or counts it, unless its component writes too many about the object.
    pub(super) fn record(&mut self, object: &Value, happening: &Happening<'_>) {
        let Happening { component, host, warning, reason, .. } = happening;
        let about = format!("{component} {host} {} {warning}", uid(object));
        let message = self.correlator.message(&format!("{about} {reason}"), happening.message, self.now);
        if self.correlator.allows(&about, self.now) {
            self.write_event(object, &Happening { message: &message, ..*happening });
        }
    }

    fn write_event(&mut self, object: &Value, happening: &Happening<'_>) {
        let time = self.clock.text(self.now);
        let same = |event: &&Value| {
            text(event, "/involvedObject/uid") == uid(object)
                && text(event, "/involvedObject/fieldPath") == happening.part
                && text(event, "/reason") == happening.reason
                && is_same(text(event, "/message"), happening.message)
        };
        let known = self.store.list("events", namespace(object)).find(same).cloned();
        if let Some(before) = known {
            let mut after = before.clone();
            let fields = map(&mut after, &[]);
            fields.insert("count".to_owned(), json!(number(&before, "/count").unwrap_or(1) + 1));
            fields.insert("lastTimestamp".to_owned(), json!(time));
            fields.insert("message".to_owned(), json!(happening.message));
            self.change_as(happening.component, "events", "", &before, after);
            return;
        }
        let event = event(object, happening, &self.names.event_suffix(), &time);
        // Only a namespace that is going away refuses events, and then no one reads them.
        let _ = self.write_as(happening.component, "events", namespace(object), event);
    }
}

/// A new event of an object.
pub(super) fn event(object: &Value, happening: &Happening<'_>, suffix: &str, time: &str) -> Value {
    let mut involved = json!({"kind": object["kind"], "apiVersion": object["apiVersion"], "name": name(object),
        "namespace": namespace(object), "uid": uid(object), "resourceVersion": object["metadata"]["resourceVersion"]});
    if !happening.part.is_empty() {
        involved["fieldPath"] = json!(happening.part);
    }
    let mut source = json!({"component": happening.component});
    if !happening.host.is_empty() {
        source["host"] = json!(happening.host);
    }
    json!({
        "metadata": {"name": format!("{}.{suffix}", name(object))},
        "involvedObject": involved, "reason": happening.reason, "message": happening.message,
        "type": if happening.warning { "Warning" } else { "Normal" }, "source": source, "count": 1,
        "firstTimestamp": time, "lastTimestamp": time, "eventTime": null,
        "reportingComponent": happening.component, "reportingInstance": happening.host})
}

/// Whether a message is counted with another. The combined ones are one event, whatever they say.
fn is_same(known: &str, message: &str) -> bool {
    known == message || (known.starts_with(COMBINED) && message.starts_with(COMBINED))
}
