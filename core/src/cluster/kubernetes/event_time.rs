//! When an event was last seen.

use crate::stored_time;
use serde_json::Value;
use std::time::SystemTime;

/// Events of older clients have `lastTimestamp`, those of `events.k8s.io` a series or `eventTime`. Kubernetes lists events by name, which
/// says nothing of time.
pub(super) fn last_seen(event: &Value) -> Option<SystemTime> {
    let times =
        [&event["series"]["lastObservedTime"], &event["lastTimestamp"], &event["eventTime"], &event["firstTimestamp"]];
    times.into_iter().filter_map(Value::as_str).filter_map(stored_time::parse).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_as_old_as_it_was_last_seen() {
        let at = |event: Value| last_seen(&event).map(stored_time::text);
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z");
        assert_eq!(at(json!({ "firstTimestamp": early, "lastTimestamp": late })).as_deref(), Some(late));
        let series = json!({ "firstTimestamp": null, "lastTimestamp": null, "eventTime": "2026-01-01T00:00:00.123456Z", "series": { "lastObservedTime": late } });
        assert_eq!(at(series).as_deref(), Some(late));
        assert_eq!(at(json!({})), None);
    }
}
