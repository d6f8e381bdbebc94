//! Whether a write created an object, if its response was lost.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::{Duration, SystemTime};

/// Both compared times are whole seconds of the cluster's clock. So an object that another client created in the two seconds before,
/// and whose response was lost, counts as new.
const ROUNDING: Duration = Duration::from_secs(2);

/// The part of an applied object that is parsed: the rest may be as big as its manifest. An unexpected value in it must not turn
/// the success into a failure.
#[derive(Debug, Deserialize)]
pub(crate) struct Created {
    metadata: Option<Box<RawValue>>,
}

impl Created {
    fn timestamp(&self) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Metadata<'a> {
            #[serde(borrow)]
            creation_timestamp: &'a RawValue,
        }
        let metadata: Metadata<'_> = serde_json::from_str(self.metadata.as_ref()?.get()).ok()?;
        serde_json::from_str(metadata.creation_timestamp.get()).ok()
    }
}

/// Whether an object was created within `elapsed` before `at`, by the cluster's own clock.
pub(crate) fn is_created_since(object: &Created, at: SystemTime, elapsed: Duration) -> bool {
    let created = object.timestamp().and_then(|text| crate::stored_time::parse(&text));
    let begun = at.checked_sub(elapsed + ROUNDING);
    created.zip(begun).is_some_and(|(created, begun)| created >= begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    #[test]
    fn an_object_is_new_if_it_is_younger_than_the_first_try() {
        let at = SystemTime::from(OffsetDateTime::parse("2026-11-28T10:00:30Z", &Rfc3339).unwrap());
        let created = |object: serde_json::Value| serde_json::from_str::<Created>(&object.to_string()).unwrap();
        let object = |time: &str| created(json!({ "metadata": { "creationTimestamp": time } }));
        let is_new = |time: &str| is_created_since(&object(time), at, Duration::from_secs(10));
        assert!(is_new("2026-11-28T10:00:20Z") && is_new("2026-11-28T10:00:30Z"));
        assert!(!is_new("2026-11-28T10:00:17Z") && !is_new("2025-11-28T10:00:25Z") && !is_new("soon"));
        for odd in [
            json!({}),
            json!({ "metadata": null }),
            json!({ "metadata": "text" }),
            json!({ "metadata": { "creationTimestamp": 5 } }),
        ] {
            assert!(!is_created_since(&created(odd), at, Duration::from_secs(10)));
        }
    }
}
