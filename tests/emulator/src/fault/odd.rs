//! Values of another kind than belongs there, as gateways and beta versions of services have sent them.

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};

/// Where null is a value that belongs there, and means none: lists, as services in Go write them, and the identities of a cluster that has
/// none. There it would be a lie, which no one can tell from the truth.
const NONE_IF_NULL: [&str; 4] = ["/value", "/items", "/resources", "/properties/identityProfile"];

/// What stands where something else belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// The whole answer is `null`.
    Null,
    /// The whole answer is a sentence.
    Sentence,
    /// One of the objects and lists in the answer, picked by this number, is `null`.
    NullWithin(u16),
    /// The same, a sentence.
    SentenceWithin(u16),
}

impl Oddity {
    /// Puts itself into a JSON answer that is no refusal, and says whether there was a place for it.
    pub(crate) fn twist(self, answer: &mut Response<Bytes>) -> bool {
        let is_json = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().windows(4).any(|part| part == b"json"));
        let Some(mut value) =
            serde_json::from_slice::<Value>(answer.body()).ok().filter(|_| is_json && answer.status().is_success())
        else {
            return false;
        };
        let sentence = || json!("The service is being updated.");
        let twisted = match self {
            Self::Null => replace(&mut value, Value::Null),
            Self::Sentence => replace(&mut value, sentence()),
            Self::NullWithin(pick) => within(&mut value, pick, Value::Null),
            Self::SentenceWithin(pick) => within(&mut value, pick, sentence()),
        };
        if twisted {
            answer.headers_mut().remove(CONTENT_LENGTH);
            *answer.body_mut() = Bytes::from(value.to_string());
        }
        twisted
    }
}

fn replace(place: &mut Value, by: Value) -> bool {
    *place = by;
    true
}

/// Replaces one of the values that hold others, below the outermost.
fn within(value: &mut Value, pick: u16, by: Value) -> bool {
    let mut places = Vec::new();
    holders(value, "", &mut places);
    places.retain(|place| !(by.is_null() && NONE_IF_NULL.contains(&place.as_str())));
    let Some(place) = places.get(usize::from(pick) % places.len().max(1)) else { return false };
    value.pointer_mut(place).is_some_and(|place| replace(place, by))
}

fn holders(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => return,
    };
    for (name, value) in inner {
        let place = format!("{at}/{name}");
        if value.is_object() || value.is_array() {
            found.push(place.clone());
            holders(value, &place, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twisted(oddity: Oddity, body: &str) -> (bool, String) {
        let answer = Response::builder().header(CONTENT_TYPE, "application/json; charset=utf-8");
        let mut answer = answer.body(Bytes::from(body.to_owned())).unwrap();
        (oddity.twist(&mut answer), String::from_utf8(answer.body().to_vec()).unwrap())
    }

    #[test]
    fn one_of_the_values_within_is_replaced() {
        let body = r#"{"a":{"b/c":{}},"d":[{"e":1}]}"#;
        assert_eq!(twisted(Oddity::NullWithin(0), body), (true, r#"{"a":null,"d":[{"e":1}]}"#.into()));
        assert_eq!(twisted(Oddity::NullWithin(1), body), (true, r#"{"a":{"b/c":null},"d":[{"e":1}]}"#.into()));
        assert_eq!(twisted(Oddity::NullWithin(3), body), (true, r#"{"a":{"b/c":{}},"d":[null]}"#.into()));
        assert_eq!(twisted(Oddity::Null, body), (true, "null".into()));
        let list = r#"{"value":[{}]}"#;
        assert_eq!(twisted(Oddity::NullWithin(0), list), (true, r#"{"value":[null]}"#.into()));
    }

    #[test]
    fn what_has_no_place_comes_as_it_is() {
        assert_eq!(twisted(Oddity::SentenceWithin(5), r#"{"a":1}"#), (false, r#"{"a":1}"#.into()));
        assert_eq!(twisted(Oddity::Null, ""), (false, String::new()));
    }
}
