//! Values as Go prints them in messages.

use serde_json::Value;

/// `%v`.
pub(in crate::kubernetes) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => self::number(number),
        Value::Bool(value) => value.to_string(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(plain), " ")),
        Value::Object(map) => {
            format!("map[{}]", joined(map.iter().map(|(key, value)| format!("{key}:{}", plain(value))), " "))
        }
    }
}

/// `%#v`.
pub(super) fn with_types(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!("[]interface {{}}{{{}}}", joined(items.iter().map(with_types), ", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key:?}:{}", with_types(value)));
            format!("map[string]interface {{}}{{{}}}", joined(entries, ", "))
        }
        other => plain(other),
    }
}

/// `%T`.
pub(in crate::kubernetes) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// What a JSON value is called by Go's decoder.
pub(in crate::kubernetes) fn json_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn number(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}
