//! What Go's decoder says of a value of another type: `k8s.io/json` as the API server uses it, which names the struct, the fields on the
//! way without keys of maps and places in lists, and the type.

use serde_json::Value;

use super::convert::{base64_error, is_long};
use super::{Scalar, Type, go};

/// Fields with a type of their own in Go, which is a string: struct, field, type.
const NAMED: [(&str, &str, &str); 12] = [
    ("Secret", "type", "v1.SecretType"),
    ("ServiceSpec", "type", "v1.ServiceType"),
    ("", "concurrencyPolicy", "v1.ConcurrencyPolicy"),
    ("", "dnsPolicy", "v1.DNSPolicy"),
    ("", "effect", "v1.TaintEffect"),
    ("", "imagePullPolicy", "v1.PullPolicy"),
    ("", "operator", "v1.TolerationOperator"),
    ("", "podManagementPolicy", "v1.PodManagementPolicyType"),
    ("", "protocol", "v1.Protocol"),
    ("", "restartPolicy", "v1.RestartPolicy"),
    ("", "sessionAffinity", "v1.ServiceAffinity"),
    ("", "terminationMessagePolicy", "v1.TerminationMessagePolicy"),
];

/// The Go type of a text.
pub(super) fn text_type(owner: &str, field: &str) -> &'static str {
    let named = NAMED.iter().find(|(of, name, _)| *name == field && (of.is_empty() || *of == owner));
    named.map_or("string", |(_, _, kind)| kind)
}

/// The Go type of a number.
pub(super) fn number_type(field: &str) -> &'static str {
    if is_long(field) { "int64" } else { "int32" }
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
            (Type::Scalar(scalar), value) => self.scalar(*scalar, kind, value),
            (Type::List { of, .. }, Value::Array(items)) => items.iter().find_map(|item| self.visit(of, item)),
            (Type::Map { fields, others, .. }, Value::Object(object)) => match others {
                Some(of) if fields.is_empty() && self.is_bytes() => object.values().find_map(|one| self.bytes(one, of)),
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
            (Scalar::Text, Value::String(_))
            | (Scalar::Boolean, Value::Bool(_))
            | (Scalar::Untyped, Value::String(_) | Value::Number(_) | Value::Bool(_)) => None,
            (Scalar::Number, Value::Number(number)) => {
                let is_long = is_long(self.field());
                // The schema of a definition has numbers with a fraction.
                if self.owner == "JSONSchemaProps" {
                    return None;
                }
                let fits = |number: i64| is_long || i32::try_from(number).is_ok();
                if number.as_i64().is_some_and(fits) {
                    return None;
                }
                Some(self.error(&format!("number {number}"), number_type(self.field())))
            }
            (_, other) => Some(self.error(go::json_name(other), &self.go_type(kind))),
        }
    }

    /// The data of a secret is bytes.
    fn is_bytes(&self) -> bool {
        self.owner == "Secret" && self.field() == "data"
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
        match kind.resolved() {
            Type::Scalar(Scalar::Text) => text_type(&self.owner, self.field()).to_owned(),
            Type::Scalar(Scalar::Number) => number_type(self.field()).to_owned(),
            Type::Scalar(Scalar::Boolean) => "bool".to_owned(),
            Type::Scalar(Scalar::Untyped) => "resource.Quantity".to_owned(),
            Type::List { of, .. } => format!("[]{}", self.go_type(of)),
            Type::Map { fields, others: Some(of), .. } if fields.is_empty() => {
                let of = if self.is_bytes() { "[]uint8".to_owned() } else { self.go_type(of) };
                format!("map[string]{of}")
            }
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
