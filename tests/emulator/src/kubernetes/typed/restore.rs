//! What the API server says of a value that does not fit after a strategic patch, which it does not decode but converts:
//! `fromUnstructured` in `k8s.io/apimachinery/pkg/runtime/converter.go` (v0.33.3).

use serde_json::Value;

use super::convert::{QUANTITY, base64_error, bytes_of};
use super::decode::{is_bytes, is_short, number_type, text_type};
use super::{Scalar, Type, go, of_kind};
use crate::kubernetes::kinds::Kind;

/// The first value of an object that cannot be converted.
pub(in crate::kubernetes) fn restore_error(kind: &Kind, object: &Value) -> Option<String> {
    let bytes = bytes_of(kind, object).find_map(bytes_error);
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
        // It is kept as it is written.
        _ if kind.short() == "FieldsV1" => None,
        (Type::Scalar(_), value) if is_bytes(owner, field) => bytes_error(value),
        (Type::Scalar(Scalar::Untyped), value) => untyped(kind.short(), value),
        (Type::Scalar(scalar), value) => unfit(*scalar, value, owner, field),
        (Type::List { of, .. }, Value::Array(items)) => items.iter().find_map(|item| visit(of, item, owner, field)),
        (Type::List { .. }, other) => Some(format!("cannot restore slice from {}", kind_of(other))),
        (map @ Type::Map { .. }, Value::Object(object)) => {
            object.iter().find_map(|(name, value)| visit(map.field(name)?, value, kind.short(), name))
        }
        (Type::Map { fields, .. }, other) if fields.is_empty() && kind.short().is_empty() => {
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
            let wanted = number_type(owner, field);
            (has_fraction && wanted != "float64").then(|| format!("cannot convert float64 to {wanted}"))
        }
        (Scalar::Text, _) => Some("unrecognized type: string".to_owned()),
        (Scalar::Number, _) => Some(format!("unrecognized type: {}", number_type(owner, field))),
        (Scalar::Boolean, _) => Some("unrecognized type: bool".to_owned()),
    }
}

/// A value that its type reads itself, from JSON.
fn untyped(kind: &str, value: &Value) -> Option<String> {
    let (name, wanted) = match (kind, value) {
        (_, Value::String(_)) | ("Quantity", Value::Number(_)) => return None,
        ("Quantity", _) => return Some(QUANTITY.to_owned()),
        ("IntOrString", Value::Number(number)) if is_short(number) => return None,
        ("IntOrString", Value::Number(number)) => (format!("number {number}"), "int32"),
        ("IntOrString", other) => (go::json_name(other).to_owned(), "int32"),
        (_, other) => (go::json_name(other).to_owned(), "string"),
    };
    Some(format!("json: cannot unmarshal {name} into Go value of type {wanted}"))
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
