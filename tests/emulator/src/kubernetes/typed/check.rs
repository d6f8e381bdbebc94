//! Whether an object fits a type, as server-side apply finds out.

use serde_json::{Map, Value};

use super::path::{Step, of_apply};
use super::{Relation, Scalar, Type, go};

/// One thing that does not fit.
pub(super) struct Mismatch {
    pub(super) path: Vec<Step>,
    pub(super) what: What,
}

pub(super) enum What {
    Unknown,
    Wrong {
        wanted: Wanted,
        found: Value,
    },
    /// Two entries of a list have the same key.
    Duplicate(String),
    /// An entry has no key.
    NoKey(usize, String),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    Text,
    Number,
    Boolean,
    Scalar,
    List,
    Map,
}

/// What is wrong, in the words of server-side apply; `None` if nothing is.
pub(in crate::kubernetes) fn mismatches(kind: &Type, object: &Value) -> Option<String> {
    let errors: Vec<String> = all(kind, object).iter().map(Mismatch::text).collect();
    match &errors[..] {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("errors:\n  {}", many.join("\n  "))),
    }
}

pub(super) fn all(kind: &Type, object: &Value) -> Vec<Mismatch> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.visit(kind, object);
    walk.found
}

impl Mismatch {
    fn text(&self) -> String {
        let message = match &self.what {
            What::Unknown => "field not declared in schema".to_owned(),
            What::Duplicate(key) => format!("duplicate entries for key {key}"),
            What::NoKey(index, why) => format!("element {index}: {why}"),
            What::Wrong { wanted, found, .. } => wanted.expected(found),
        };
        match of_apply(&self.path) {
            path if path.is_empty() => message,
            path => format!("{path}: {message}"),
        }
    }
}

impl Wanted {
    fn expected(self, found: &Value) -> String {
        let plain = || format!("&{{{}}}", go::plain(found));
        match self {
            Self::Number => format!("expected numeric (int or float), got {}", go::type_of(found)),
            Self::Text => {
                format!("expected string, got &value.valueUnstructured{{Value:{}}}", go::with_types(found))
            }
            Self::Boolean => format!("expected boolean, got {}", plain()),
            Self::Scalar => format!("expected any scalar, got {}", plain()),
            Self::List => format!("expected list, got {}", plain()),
            Self::Map => format!("expected map, got {}", plain()),
        }
    }
}

struct Walk {
    path: Vec<Step>,
    found: Vec<Mismatch>,
}

impl Walk {
    fn add(&mut self, what: What) {
        self.found.push(Mismatch { path: self.path.clone(), what });
    }

    fn wrong(&mut self, wanted: Wanted, found: &Value) {
        self.add(What::Wrong { wanted, found: found.clone() });
    }

    fn visit(&mut self, kind: &Type, value: &Value) {
        match (kind.resolved(), value) {
            (Type::Any, _) | (_, Value::Null) => {}
            (Type::Scalar(scalar), value) => self.scalar(*scalar, value),
            (Type::List { of, relation }, Value::Array(items)) => self.list(of, relation, items),
            (Type::List { .. }, other) => self.wrong(Wanted::List, other),
            (map, Value::Object(object)) => self.map(map, object),
            (_, other) => self.wrong(Wanted::Map, other),
        }
    }

    fn scalar(&mut self, scalar: Scalar, value: &Value) {
        let is_scalar = value.is_string() || value.is_number() || value.is_boolean();
        let (wanted, fits) = match scalar {
            Scalar::Text => (Wanted::Text, value.is_string()),
            Scalar::Number => (Wanted::Number, value.is_number()),
            Scalar::Boolean => (Wanted::Boolean, value.is_boolean()),
            Scalar::Untyped => (Wanted::Scalar, is_scalar),
        };
        if !fits {
            self.wrong(wanted, value);
        }
    }

    /// The first unknown field ends it, in the order that the fields have here; in Kubernetes' it is any.
    fn map(&mut self, kind: &Type, object: &Map<String, Value>) {
        for (name, value) in object {
            self.path.push(Step::Field(name.clone()));
            let field = kind.field(name);
            match field {
                Some(field) => self.visit(field, value),
                None => self.add(What::Unknown),
            }
            self.path.pop();
            if field.is_none() {
                return;
            }
        }
    }

    fn list(&mut self, of: &Type, relation: &Relation, items: &[Value]) {
        let mut seen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let key = match key(of, relation, item) {
                Ok(key) => key,
                Err(why) => return self.add(What::NoKey(index, why)),
            };
            if let Some(key) = &key {
                if seen.contains(key) {
                    self.add(What::Duplicate(key.clone()));
                }
                seen.push(key.clone());
            }
            self.path.push(Step::Entry(index, key));
            self.visit(of, item);
            self.path.pop();
        }
    }
}

/// The key of a list's entry, as messages show it.
fn key(of: &Type, relation: &Relation, item: &Value) -> Result<Option<String>, String> {
    let keys = match relation {
        Relation::Atomic => return Ok(None),
        Relation::Set => return set_key(item).map(Some),
        Relation::Keyed(keys) => keys,
    };
    let entry = match item {
        Value::Object(entry) => entry,
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let Type::Map { fields, defaults, .. } = of.resolved() else { return Ok(None) };
    let mut shown = Vec::new();
    for key in keys {
        // A text has the empty one for its default.
        let empty = Value::from("");
        let empty = fields.get(key).filter(|field| **field == Type::Scalar(Scalar::Text)).map(|_| &empty);
        let value = entry.get(key).or_else(|| defaults.get(key)).or(empty).ok_or_else(|| {
            format!("associative list with keys has an element that omits key field {key:?} (and doesn't have default value)")
        })?;
        shown.push(format!("{key}={value}"));
    }
    shown.sort();
    Ok(Some(format!("[{}]", shown.join(","))))
}

fn set_key(item: &Value) -> Result<String, String> {
    match item {
        Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
        scalar => Ok(format!("[={scalar}]")),
    }
}
