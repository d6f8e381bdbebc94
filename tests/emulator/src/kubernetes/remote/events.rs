//! Events for a real API server: the same thing said again is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::correlator::{COMBINED, Correlator};
use super::super::names::Names;
use super::super::object::{map, namespace, text, uid};
use super::super::recorder::{Happening, event};
use super::Write;

/// As long as an API server keeps an event.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Events {
    correlator: Correlator,
    names: Names,
    said: BTreeMap<String, Said>,
}

#[derive(Debug)]
struct Said {
    /// As it was written last.
    event: Value,
    count: u64,
    last: Instant,
}

impl Events {
    /// The write of an event, or of its count; none if there are too many of one object.
    pub(super) fn record(
        &mut self,
        object: &Value,
        happening: &Happening<'_>,
        now: Instant,
        time: &str,
    ) -> Option<Write> {
        let Happening { component, host, part, warning, reason, .. } = happening;
        let about = format!("{component} {host} {} {warning}", uid(object));
        let message = self.correlator.message(&format!("{about} {reason}"), happening.message, now);
        if !self.correlator.allows(&about, now) {
            return None;
        }
        let place = format!("/api/v1/namespaces/{}/events", namespace(object));
        let same = if message.starts_with(COMBINED) { COMBINED } else { &message };
        let subject = format!("{about} {part} {reason} {same}");
        if let Some(said) = self.said.get_mut(&subject) {
            (said.count, said.last) = (said.count + 1, now);
            let change = json!({"count": said.count, "lastTimestamp": time, "message": message});
            map(&mut said.event, &[]).extend(change.as_object().cloned().unwrap_or_default());
            let name = text(&said.event, "/metadata/name");
            return Some(Write::count_of_event(&place, name, &change, &said.event));
        }
        let event = event(object, &Happening { message: &message, ..*happening }, &self.names.event_suffix(), time);
        let write = Write::create(place, &event);
        self.said.insert(subject, Said { event, count: 1, last: now });
        Some(write)
    }

    /// Drops what the server no longer has.
    pub(super) fn forget(&mut self, now: Instant) {
        self.correlator.forget(now);
        self.said.retain(|_, said| now.saturating_duration_since(said.last) < KEPT);
    }
}
