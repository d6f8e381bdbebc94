//! What the API server says of a value that does not fit after a strategic patch, which it does not decode but converts:
//! `fromUnstructured` in `k8s.io/apimachinery/pkg/runtime/converter.go` (v0.33.3).

use serde_json::Value;

use super::convert::base64_error;
use super::decode::{number_type, text_type};
use super::{Scalar, Type, of_kind};
use crate::kubernetes::kinds::Kind;

/// The first value of an object that cannot be converted.
pub(in crate::kubernetes) fn restore_error(kind: &Kind, object: &Value) -> Option<String> {
    let bytes = object.get("data").filter(|_| kind.kind == "Secret").and_then(Value::as_object);
    let bytes = bytes.into_iter().flatten().find_map(|(_, value)| bytes_error(value));
    bytes.or_else(|| visit(&of_kind(kind), object, &kind.kind, ""))
}

fn bytes_error(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            items.iter().any(|item| !item.is_number()).then(|| "unrecognized type: uint8".to_owned())
        }
        Value::String(text) => base64_error(text).map(|error| format!("error decoding from json: {error}")),
        other => Some(format!("cannot restore slice from {}", kind_of(other))),
    }
}

fn visit(kind: &Type, value: &Value, owner: &str, field: &str) -> Option<String> {
    match (kind.resolved(), value) {
        (Type::Any, _) | (_, Value::Null) => None,
        (Type::Scalar(scalar), value) => unfit(*scalar, value, owner, field),
        (Type::List { of, .. }, Value::Array(items)) => items.iter().find_map(|item| visit(of, item, owner, field)),
        (Type::List { .. }, other) => Some(format!("cannot restore slice from {}", kind_of(other))),
        (map @ Type::Map { .. }, Value::Object(object)) => {
            object.iter().find_map(|(name, value)| visit(map.field(name)?, value, kind.short(), name))
        }
        (Type::Map { fields, .. }, other) if fields.is_empty() => {
            Some(format!("cannot restore map from {}", kind_of(other)))
        }
        (_, other) => Some(format!("cannot restore struct from: {}", kind_of(other))),
    }
}

fn unfit(scalar: Scalar, value: &Value, owner: &str, field: &str) -> Option<String> {
    match (scalar, value) {
        (Scalar::Text, Value::Number(number)) if !number.is_f64() => {
            Some(format!("cannot convert int64 to {}", text_type(owner, field)))
        }
        (Scalar::Text, Value::String(_)) | (Scalar::Boolean, Value::Bool(_)) | (Scalar::Untyped, _) => None,
        (Scalar::Number, Value::Number(number)) => {
            let has_fraction = number.as_f64().is_some_and(|number| number.fract() != 0.0);
            has_fraction.then(|| format!("cannot convert float64 to {}", number_type(field)))
        }
        (Scalar::Text, _) => Some("unrecognized type: string".to_owned()),
        (Scalar::Number, _) => Some(format!("unrecognized type: {}", number_type(field))),
        (Scalar::Boolean, _) => Some("unrecognized type: bool".to_owned()),
    }
}

/// `reflect.Kind` of a value.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}
