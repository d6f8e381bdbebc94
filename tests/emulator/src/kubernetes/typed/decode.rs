//! What Go's decoder says of a value of another type: `k8s.io/json` as the API server uses it, which names the struct, the fields on the
//! way without keys of maps and places in lists, and the type.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Number, Value};

use super::convert::{QUANTITY, base64_error};
use super::{Scalar, Type, go};

/// The types of fields in Go, by struct: of texts with a type of their own, of numbers other than `int32`, of bytes, and of maps and lists
/// with a type of their own (`=`). Made by reflection from `k8s.io/api` and `k8s.io/apiextensions-apiserver` v0.33.3.
static TYPES: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("go-types-1.33.json")).unwrap_or_default());

fn listed(owner: &str, field: &str) -> Option<&'static str> {
    TYPES.get(owner)?.get(field).map(String::as_str)
}

/// The Go type of a text.
pub(super) fn text_type(owner: &str, field: &str) -> &'static str {
    let of = listed(owner, field).and_then(|name| match name.strip_prefix('=') {
        Some(whole) => whole.rsplit_once(']').map(|(_, of)| of),
        None => Some(name),
    });
    of.filter(|name| name.contains('.')).unwrap_or("string")
}

/// The Go type of a number.
pub(super) fn number_type(owner: &str, field: &str) -> &'static str {
    listed(owner, field).filter(|name| matches!(*name, "int64" | "float64")).unwrap_or("int32")
}

/// Whether a number has 32 bits.
pub(super) fn is_short(number: &Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

/// Whether a field is bytes, or a map of bytes.
pub(super) fn is_bytes(owner: &str, field: &str) -> bool {
    listed(owner, field) == Some("uint8")
}

/// The type of a map or list that has one of its own.
fn whole_type(owner: &str, field: &str) -> Option<&'static str> {
    listed(owner, field)?.strip_prefix('=')
}

/// The first value that the decoder cannot take, in its words.
pub(in crate::kubernetes) fn decode_error(kind: &Type, object: &Value) -> Option<String> {
    Walk::default().visit(kind, object)
}

#[derive(Default)]
struct Walk {
    /// The innermost struct, and the names of the fields that lead to the value.
    owner: String,
    fields: Vec<String>,
}

impl Walk {
    fn error(&self, value: &str, wanted: &str) -> String {
        let (owner, path) = (&self.owner, self.fields.join("."));
        format!("json: cannot unmarshal {value} into Go struct field {owner}.{path} of type {wanted}")
    }

    fn field(&self) -> &str {
        self.fields.last().map_or("", String::as_str)
    }

    fn visit(&mut self, kind: &Type, value: &Value) -> Option<String> {
        match (kind.resolved(), value) {
            (Type::Any, _) | (_, Value::Null) => None,
            // It is kept as it is written.
            _ if kind.short() == "FieldsV1" => None,
            (Type::Scalar(_), value) if is_bytes(&self.owner, self.field()) => self.bytes(value, kind),
            (Type::Scalar(scalar), value) => self.scalar(*scalar, kind, value),
            (Type::List { of, .. }, Value::Array(items)) => items.iter().find_map(|item| self.visit(of, item)),
            (Type::Map { fields, others, .. }, Value::Object(object)) => match others {
                Some(of) if fields.is_empty() && is_bytes(&self.owner, self.field()) => {
                    object.values().find_map(|one| self.bytes(one, of))
                }
                Some(of) if fields.is_empty() => object.values().find_map(|one| self.visit(of, one)),
                _ => {
                    let before = std::mem::replace(&mut self.owner, kind.short().to_owned());
                    let found = object.iter().find_map(|(name, value)| {
                        let of = kind.field(name)?;
                        self.fields.push(name.clone());
                        let found = self.visit(of, value);
                        self.fields.pop();
                        found
                    });
                    self.owner = before;
                    found
                }
            },
            (_, other) => Some(self.error(go::json_name(other), &self.go_type(kind))),
        }
    }

    fn scalar(&self, scalar: Scalar, kind: &Type, value: &Value) -> Option<String> {
        match (scalar, value) {
            (Scalar::Text, Value::String(_)) | (Scalar::Boolean, Value::Bool(_)) => None,
            (Scalar::Untyped, value) => self.untyped(kind.short(), value),
            (Scalar::Number, Value::Number(number)) => self.number(number, number_type(&self.owner, self.field())),
            (_, other) => Some(self.error(go::json_name(other), &self.go_type(kind))),
        }
    }

    fn number(&self, number: &Number, wanted: &str) -> Option<String> {
        let fits = match (wanted, number.as_i64()) {
            ("float64", _) | ("int64", Some(_)) => true,
            _ => is_short(number),
        };
        (!fits).then(|| self.error(&format!("number {number}"), wanted))
    }

    /// A value that its type reads itself.
    fn untyped(&self, kind: &str, value: &Value) -> Option<String> {
        match (kind, value) {
            (_, Value::String(_)) | ("Quantity", Value::Number(_)) => None,
            ("Quantity", _) => Some(QUANTITY.to_owned()),
            ("IntOrString", Value::Number(number)) => self.number(number, "int32"),
            ("IntOrString", other) => Some(self.error(go::json_name(other), "int32")),
            (_, other) => Some(self.error(go::json_name(other), "string")),
        }
    }

    fn bytes(&self, value: &Value, of: &Type) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(text) => base64_error(text),
            Value::Array(items) => {
                let odd = items.iter().find(|item| !item.is_number() && !item.is_null());
                let odd = odd.map(|item| self.error(go::json_name(item), "uint8"));
                odd.or_else(|| Some(self.error("array", &self.go_type(of))))
            }
            other => Some(self.error(go::json_name(other), "[]uint8")),
        }
    }

    fn go_type(&self, kind: &Type) -> String {
        let whole = || whole_type(&self.owner, self.field()).map(str::to_owned);
        match kind.resolved() {
            Type::Scalar(Scalar::Text) => text_type(&self.owner, self.field()).to_owned(),
            Type::Scalar(Scalar::Number) => number_type(&self.owner, self.field()).to_owned(),
            Type::Scalar(Scalar::Boolean) => "bool".to_owned(),
            Type::Scalar(Scalar::Untyped) => match kind.short() {
                "Quantity" => "resource.Quantity".to_owned(),
                "IntOrString" => "intstr.IntOrString".to_owned(),
                short => format!("v1.{short}"),
            },
            Type::List { of, .. } => whole().unwrap_or_else(|| format!("[]{}", self.go_type(of))),
            Type::Map { fields, others: Some(of), .. } if fields.is_empty() => whole().unwrap_or_else(|| {
                let is_bytes = is_bytes(&self.owner, self.field());
                let of = if is_bytes { "[]uint8".to_owned() } else { self.go_type(of) };
                format!("map[string]{of}")
            }),
            Type::Map { .. } => match kind {
                Type::Named(name) => {
                    name.rsplit('.').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(".")
                }
                _ => "map[string]interface {}".to_owned(),
            },
            Type::Any | Type::Named(_) => "interface {}".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::kinds::Kinds;
    use super::super::{of_kind, restore_error, unconvertible};
    use super::*;

    /// What Kubernetes' own libraries say of a value in each field of `go-types-1.33.json`: `sigs.k8s.io/json`, and
    /// `runtime.DefaultUnstructuredConverter` of `k8s.io/apimachinery` v0.33.3.
    #[test]
    fn errors_of_readers_are_those_of_kubernetes_own_libraries() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("readers.json")).unwrap();
        let kinds = Kinds::built_in();
        assert!(vectors.len() > 300);
        for vector in vectors {
            let (of, object) = (Type::Named(vector["type"].as_str().unwrap().to_owned()), &vector["object"]);
            let kind = kinds.all().iter().find(|kind| of_kind(kind) == of).unwrap();
            let errors = [decode_error(&of, object), restore_error(kind, object)];
            let errors = errors.map(|error| error.or_else(|| unconvertible(kind, object)).unwrap_or_default());
            assert_eq!(
                errors,
                [&vector["decoder"], &vector["converter"]].map(|text| text.as_str().unwrap()),
                "{vector}"
            );
        }
    }
}
