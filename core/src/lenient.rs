//! Parses a field that may be null, or of another type than documented: such a field is dropped, never the rest.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Null counts as absent.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(reader: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

/// A word that is shown or compared. Any other value is shown as what it is, so that it equals no word.
pub(crate) fn word<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(as_word(&Value::deserialize(reader)?))
}

/// The same for a value. An empty text is absent.
pub(crate) fn as_word(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) => Some("(a list)".to_owned()),
        Value::Object(_) => Some("(an object)".to_owned()),
    }
}
