//! From text to values: YAML or JSON, as JSON values.

use crate::error::{Error, ErrorKind, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The options of every YAML parser here.
pub(super) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    }
}

/// All documents of a text, the empty ones as null.
pub(super) fn parse(text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Tree> =
        serde_saphyr::from_multiple_with_options(text, options()).map_err(|err| not_yaml(&err))?;
    Ok(documents.into_iter().map(|document| document.0).collect())
}

/// The parser's own message may quote its input, which may be a Secret: only the position is reported.
fn not_yaml(err: &serde_saphyr::Error) -> Error {
    let at = err.location().map(|at| format!("line {}, column {}", at.line(), at.column()));
    Error::new(ErrorKind::InvalidInput, "the manifests are not YAML")
        .with_context("stopped at", at.unwrap_or_else(|| "the end".to_owned()))
}

/// A value. `serde_json` parses a number that JSON cannot represent (`.inf`, `.nan`) as null, and null counts as absent: here it is
/// rejected.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can hold")
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("JSON cannot represent this number"))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> std::result::Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_none<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        Tree::deserialize(deserializer).map(|tree| tree.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Tree(value))) = entries.next_entry::<String, Tree>()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_as_json_holds_them() {
        let text = "a: [1, -2, 2.5, 18446744073709551615, true, ~, '1', 0123, no]\nb: {1: x}\n---\n---\nc\n";
        let wanted =
            json!({"a": [1, -2, 2.5, 18_446_744_073_709_551_615_u64, true, null, "1", "0123", "no"], "b": {"1": "x"}});
        let documents = parse(text).unwrap();
        assert_eq!(documents.first(), Some(&wanted));
        assert_eq!(documents.last(), Some(&json!("c")));
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_no_null() {
        for number in [".inf", "-.inf", ".nan", "1e999"] {
            let read = parse(&format!("a: {number}"));
            assert!(read.as_ref().is_ok_and(|read| !read[0]["a"].is_null()) || read.is_err(), "{number}: {read:?}");
        }
    }
}
