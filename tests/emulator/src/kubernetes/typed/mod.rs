//! The types of the kinds, with which server-side apply checks objects before it merges them.
//!
//! `kubernetes-1.33.json` is made from the schema in `k8s.io/client-go` v0.33.3 (`applyconfigurations/internal`), the types of custom
//! resource definitions from `k8s.io/apiextensions-apiserver` v0.33.3. `vectors.json` are objects with what
//! `sigs.k8s.io/structured-merge-diff/v4` v4.6.0, the library that the API server uses, says of them.

mod check;
mod convert;
mod custom;
mod decode;
mod go;
mod path;
mod prune;
mod restore;

pub(super) use go::{json_name, plain, type_of};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

pub(super) use check::mismatches;
pub(super) use convert::{generation_error, unconvertible};
pub(super) use custom::of_schema;
pub(super) use decode::decode_error;
pub(super) use prune::prune;
pub(super) use restore::restore_error;

use super::kinds::Kind;

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// `string`, `numeric`, `boolean`, or `untyped`: any of them.
    Scalar(Scalar),
    List {
        of: Box<Type>,
        relation: Relation,
    },
    Map {
        fields: BTreeMap<String, Type>,
        /// Fields that are filled in where a key of a list's entry is left out.
        defaults: BTreeMap<String, Value>,
        /// The type of other fields; without one there are none.
        others: Option<Box<Type>>,
    },
    /// A type of the table.
    Named(String),
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Text,
    Number,
    Boolean,
    Untyped,
}

/// How the entries of a list are distinguished.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Relation {
    Atomic,
    Set,
    Keyed(Vec<String>),
}

static TABLE: LazyLock<BTreeMap<String, Type>> = LazyLock::new(|| {
    let text = include_str!("kubernetes-1.33.json");
    let table: BTreeMap<String, Value> = serde_json::from_str(text).unwrap_or_default();
    table.iter().map(|(name, value)| (name.clone(), read(value))).collect()
});

fn read(value: &Value) -> Type {
    let map = match value {
        Value::String(name) => return named(name),
        Value::Object(map) => map,
        _ => return Type::Any,
    };
    if let Some(of) = map.get("set") {
        return Type::List { of: Box::new(read(of)), relation: Relation::Set };
    }
    if let Some(of) = map.get("list") {
        let keys = map.get("keys").and_then(Value::as_array);
        let keys = keys.map(|keys| keys.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        return Type::List { of: Box::new(read(of)), relation: keys.map_or(Relation::Atomic, Relation::Keyed) };
    }
    let entries = |field: &str| map.get(field).and_then(Value::as_object).into_iter().flatten();
    Type::Map {
        fields: entries("fields").map(|(name, value)| (name.clone(), read(value))).collect(),
        defaults: entries("defaults").map(|(name, value)| (name.clone(), value.clone())).collect(),
        others: map.get("of").map(|of| Box::new(read(of))),
    }
}

fn named(name: &str) -> Type {
    match name {
        "string" => Type::Scalar(Scalar::Text),
        "numeric" => Type::Scalar(Scalar::Number),
        "boolean" => Type::Scalar(Scalar::Boolean),
        "untyped" => Type::Scalar(Scalar::Untyped),
        _ => name.strip_prefix('@').map_or(Type::Any, |name| Type::Named(name.to_owned())),
    }
}

impl Type {
    /// The type itself, not its name.
    fn resolved(&self) -> &Self {
        match self {
            Self::Named(name) => TABLE.get(name).map_or(&Self::Any, Self::resolved),
            other => other,
        }
    }

    fn field(&self, name: &str) -> Option<&Self> {
        match self.resolved() {
            Self::Map { fields, others, .. } => fields.get(name).or(others.as_deref()),
            _ => None,
        }
    }

    /// What names the type among Go's: the last part of its name.
    fn short(&self) -> &str {
        match self {
            Self::Named(name) => name.rsplit('.').next().unwrap_or_default(),
            _ => "",
        }
    }
}

/// The type of a kind's objects.
pub(super) fn of_kind(kind: &Kind) -> Type {
    if let Some(own) = &kind.schema {
        return own.clone();
    }
    let group = if kind.group.is_empty() { "core" } else { kind.group.split('.').next().unwrap_or_default() };
    Type::Named(format!("{group}.{}.{}", kind.version, kind.kind))
}

#[cfg(test)]
mod tests {
    use super::super::kinds::Kinds;
    use super::*;

    #[test]
    fn every_kind_that_is_served_has_a_type() {
        for kind in Kinds::built_in().all() {
            let name = of_kind(kind);
            assert!(matches!(&name, Type::Named(name) if TABLE.contains_key(name)), "{name:?}");
            assert!(name.field("metadata").is_some(), "{name:?}");
        }
    }

    #[test]
    fn errors_are_those_of_kubernetes_own_library() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
        assert!(vectors.len() > 90);
        for vector in vectors {
            let found = mismatches(&Type::Named(vector["type"].as_str().unwrap().to_owned()), &vector["object"]);
            let wanted = vector["error"].as_str().unwrap();
            assert_eq!(found.unwrap_or_default(), wanted, "{vector}");
        }
    }
}
