//! Why pods are not created: from the condition of a ReplicaSet, or from the events of controllers that set none.

use super::{super::event_time::last_seen, blocker::not_created};
use crate::cluster::RolloutBlocker;
use serde_json::Value;
use std::time::SystemTime;

/// The reason of the events.
pub(in super::super) const FAILED: &str = "FailedCreate";

/// The last failure to create a pod.
#[derive(Debug, Default)]
pub(in super::super) struct Creation {
    condition: Option<RolloutBlocker>,
    /// The message of the last event, and when it was last seen.
    event: Option<(String, Option<SystemTime>)>,
    /// The specification's last change. An earlier event says nothing about the current specification.
    changed: Option<SystemTime>,
    /// The resource version from which the events are watched, if they are watched.
    pub version: Option<String>,
}

impl Creation {
    pub fn of_condition(condition: Option<RolloutBlocker>) -> Self {
        Self { condition, ..Self::default() }
    }

    pub fn since(changed: Option<SystemTime>) -> Self {
        Self { changed, ..Self::default() }
    }

    /// Takes an existing event; returns how many bytes it keeps.
    pub fn listed(&mut self, event: &Value) -> usize {
        let (Some(message), Some(at)) = (event["message"].as_str(), last_seen(event)) else { return 0 };
        // Times of Kubernetes are whole seconds: in the second of the change itself, it is unknown which came first.
        let is_of_now = self.changed.is_none_or(|changed| at > changed);
        let is_newest = self.event.as_ref().is_none_or(|(_, last)| Some(at) > *last);
        if !is_of_now || !is_newest {
            return 0;
        }
        self.event = Some((message.to_owned(), Some(at)));
        message.len()
    }

    /// Takes an event that happens now.
    pub fn happened(&mut self, event: &Value) {
        if let Some(message) = event["message"].as_str() {
            self.event = Some((message.to_owned(), last_seen(event)));
        }
    }

    /// A pod that was created after a failure ends it.
    pub fn pod_exists(&mut self, created: Option<SystemTime>) {
        let failed = self.event.as_ref().and_then(|(_, at)| *at);
        if created.zip(failed).is_some_and(|(created, failed)| created > failed) {
            self.event = None;
        }
    }

    /// What keeps pods from being created. `is_lacking`: whether any pods are missing.
    pub fn blocker(&self, object: String, is_lacking: bool) -> Option<RolloutBlocker> {
        let (message, _) =
            self.event.as_ref().filter(|_| is_lacking).map_or((None, None), |(text, at)| (Some(text), *at));
        self.condition.clone().or_else(|| message.map(|message| not_created(object, FAILED, message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored_time;
    use serde_json::json;

    fn at(second: u32) -> String {
        format!("2026-11-28T00:00:{second:02}Z")
    }

    fn event(second: u32, message: &str) -> Value {
        json!({ "message": message, "lastTimestamp": at(second), "eventTime": null })
    }

    fn since(second: u32) -> Creation {
        Creation::since(stored_time::parse(&at(second)))
    }

    fn message(creation: &Creation) -> Option<String> {
        creation.blocker("Job/x".to_owned(), true).map(|blocker| blocker.message)
    }

    #[test]
    fn the_event_seen_last_counts_in_any_order() {
        let mut creation = since(1);
        for event in [event(5, "last"), event(3, "earlier"), event(2, "first")] {
            creation.listed(&event);
        }
        assert_eq!(message(&creation).as_deref(), Some("last"));
        assert_eq!(creation.blocker("Job/x".to_owned(), false), None);
    }

    #[test]
    fn an_event_from_before_the_last_change_says_nothing() {
        let mut creation = since(5);
        creation.listed(&event(4, "old"));
        creation.listed(&event(5, "perhaps old"));
        assert_eq!(message(&creation), None);
        creation.happened(&event(5, "new"));
        assert_eq!(message(&creation).as_deref(), Some("new"));
    }

    #[test]
    fn a_pod_that_was_created_later_ends_the_failure() {
        let mut creation = since(1);
        creation.listed(&event(3, "rejected"));
        creation.pod_exists(stored_time::parse(&at(3)));
        assert!(message(&creation).is_some());
        creation.pod_exists(stored_time::parse(&at(4)));
        assert_eq!(message(&creation), None);
    }
}
