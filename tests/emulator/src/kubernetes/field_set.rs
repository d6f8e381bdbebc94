//! Sets of field paths, in the form that `managedFields` has (`FieldsV1`).
//!
//! A step of a path is written as there: `f:name` a field, `k:{…}` an entry of a list by its key, `v:…` one of a set.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::schema::{ListKind, is_atomic_map, key_value, list_kind};

pub(super) type Path = Vec<String>;

/// Paths of the values that have an owner.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FieldSet(pub(super) BTreeSet<Path>);

/// Parts of `metadata` that only the server writes, or that name the object.
const NOT_OWNED: [&str; 9] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
];

impl FieldSet {
    /// The paths of all values in an object, in those of its fields that count.
    pub(super) fn of(object: &Value, custom: bool, counts: impl Fn(&str) -> bool) -> Self {
        let mut set = Self::default();
        for (field, value) in object.as_object().into_iter().flatten().filter(|(field, _)| counts(field)) {
            match field.as_str() {
                "apiVersion" | "kind" => {}
                "metadata" => set.add_metadata(value, custom),
                // The conditions of a job are one value, unlike all others.
                "status" if object["kind"] == "Job" => {
                    set.add(value, &mut vec!["f:status".to_owned()], &mut vec!["status of a job"], custom);
                }
                field => set.add(value, &mut vec![format!("f:{field}")], &mut vec![field], custom),
            }
        }
        set
    }

    /// The same, and the paths of the maps and lists that hold these values: who adds a map owns it as well. Maps that are there in every
    /// object, since Go has no other empty value, have no owner.
    pub(super) fn with_holders(&self, custom: bool) -> Self {
        let mut all = self.0.clone();
        for path in &self.0 {
            // From the inside out: what is in the set has its own holders there, too.
            for end in (1..path.len()).rev() {
                if !is_always_there(&path[..end], custom) && !all.insert(path[..end].to_vec()) {
                    break;
                }
            }
        }
        Self(all)
    }

    fn add_metadata(&mut self, metadata: &Value, custom: bool) {
        for (field, value) in metadata.as_object().into_iter().flatten() {
            if !NOT_OWNED.contains(&field.as_str()) {
                let mut path = vec!["f:metadata".to_owned(), format!("f:{field}")];
                self.add(value, &mut path, &mut vec!["metadata", field], custom);
            }
        }
    }

    fn add<'a>(&mut self, value: &'a Value, path: &mut Path, fields: &mut Vec<&'a str>, custom: bool) {
        match value {
            Value::Object(map) if !map.is_empty() && !is_atomic_map(fields) => {
                let has_time = fields.last() == Some(&"metadata");
                for (field, value) in map.iter().filter(|(field, _)| !(has_time && *field == "creationTimestamp")) {
                    path.push(format!("f:{field}"));
                    fields.push(field);
                    self.add(value, path, fields, custom);
                    fields.pop();
                    path.pop();
                }
            }
            Value::Array(entries) if !entries.is_empty() => match list_kind(fields, custom) {
                ListKind::Atomic => self.insert(path),
                ListKind::Set => entries.iter().for_each(|entry| {
                    path.push(format!("v:{entry}"));
                    self.insert(path);
                    path.pop();
                }),
                ListKind::Keyed(keys) => entries.iter().for_each(|entry| {
                    path.push(key_step(entry, keys));
                    self.insert(path);
                    // A reference to an owner is one value.
                    let is_whole = fields == &["metadata", "ownerReferences"];
                    if !is_whole && entry.as_object().is_some_and(|entry| !entry.is_empty()) {
                        self.add(entry, path, fields, custom);
                    }
                    path.pop();
                }),
            },
            _ => self.insert(path),
        }
    }

    fn insert(&mut self, path: &Path) {
        self.0.insert(path.clone());
    }

    /// Whether this path, or one below it, is in the set.
    pub(super) fn touches(&self, path: &Path) -> bool {
        self.0.range(path.clone()..).next().is_some_and(|found| found.starts_with(path))
    }

    /// Reads `FieldsV1`.
    pub(super) fn decode(fields: &Value) -> Self {
        let mut set = Self::default();
        set.decode_below(fields, &mut Vec::new());
        set
    }

    fn decode_below(&mut self, fields: &Value, path: &mut Path) {
        let Some(map) = fields.as_object() else {
            return;
        };
        if map.is_empty() && !path.is_empty() {
            self.insert(path);
        }
        for (step, below) in map {
            if step == "." {
                self.insert(path);
            } else {
                path.push(step.clone());
                self.decode_below(below, path);
                path.pop();
            }
        }
    }

    /// Writes `FieldsV1`.
    pub(super) fn encode(&self) -> Value {
        let mut root = Map::new();
        for path in &self.0 {
            let mut current = &mut root;
            for step in path {
                let below = current.entry(step.clone()).or_insert_with(|| json!({}));
                let Value::Object(map) = below else {
                    return Value::Object(root);
                };
                current = map;
            }
            if self.has_below(path) {
                current.insert(".".to_owned(), json!({}));
            }
        }
        Value::Object(root)
    }

    fn has_below(&self, path: &Path) -> bool {
        let mut after = self.0.range(path.clone()..).skip(1);
        after.next().is_some_and(|next| next.starts_with(path))
    }
}

fn is_always_there(path: &[String], custom: bool) -> bool {
    let path = path.join("/");
    if path == "f:metadata" {
        return true;
    }
    let template = |rest: &str| {
        let rest = rest.strip_prefix("/f:jobTemplate/f:spec").unwrap_or(rest);
        let rest = rest.strip_prefix("/f:jobTemplate").unwrap_or(rest);
        matches!(
            rest,
            "" | "/f:metadata"
                | "/f:template"
                | "/f:template/f:metadata"
                | "/f:template/f:spec"
                | "/f:template/f:spec/f:containers"
                | "/f:containers"
                | "/f:strategy"
                | "/f:updateStrategy"
                | "/f:resources"
                | "/f:scaleTargetRef"
                | "/f:names"
                | "/f:podSelector"
        )
    };
    !custom
        && (path.strip_prefix("f:spec").is_some_and(template)
            || matches!(path.as_str(), "f:status" | "f:status/f:loadBalancer"))
}

fn key_step(entry: &Value, keys: &[&str]) -> String {
    let key: Map<String, Value> =
        keys.iter().filter_map(|key| Some(((*key).to_owned(), key_value(entry, key)?))).collect();
    format!("k:{}", Value::Object(key))
}

/// The value at a path, if there is one.
pub(super) fn value_at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |current, step| match step.split_at_checked(2)? {
        ("f:", field) => current.get(field),
        ("k:", key) => current.as_array()?.iter().find(|entry| has_key(entry, key)),
        _ => current.as_array()?.iter().find(|entry| step[2..] == entry.to_string()),
    })
}

fn has_key(entry: &Value, key: &str) -> bool {
    let Ok(Value::Object(key)) = serde_json::from_str(key) else {
        return false;
    };
    key.iter().all(|(field, value)| key_value(entry, field).as_ref() == Some(value))
}

/// Removes the value at a path, and maps and lists above it that become empty.
pub(super) fn remove_at(object: &mut Value, path: &[String]) {
    let Some((step, below)) = path.split_first() else {
        return;
    };
    match (step.split_at_checked(2), object) {
        (Some(("f:", field)), Value::Object(map)) => {
            let emptied = if below.is_empty() {
                true
            } else {
                map.get_mut(field).is_some_and(|value| {
                    remove_at(value, below);
                    is_empty(value)
                })
            };
            if emptied {
                map.remove(field);
            }
        }
        (Some((kind, key)), Value::Array(entries)) => {
            let found = entries.iter().position(|entry| if kind == "k:" { has_key(entry, key) } else { *entry == key });
            match found {
                Some(index) if below.is_empty() => {
                    entries.remove(index);
                }
                Some(index) => remove_at(&mut entries[index], below),
                None => {}
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// A path as messages show it: `.spec.template.spec.containers[name="nginx"].image`.
pub(super) fn shown(path: &[String]) -> String {
    path.iter()
        .map(|step| match step.split_at_checked(2) {
            Some(("f:", field)) => format!(".{field}"),
            Some(("k:", key)) => shown_key(key),
            _ => format!("[={}]", &step[2..]),
        })
        .collect()
}

fn shown_key(key: &str) -> String {
    let Ok(Value::Object(key)) = serde_json::from_str(key) else {
        return String::new();
    };
    let pairs: Vec<_> = key.iter().map(|(field, value)| format!("{field}={value}")).collect();
    format!("[{}]", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "args": ["x"]}]}})
    }

    #[test]
    fn fields_survive_being_written_and_read() {
        let set = FieldSet::of(&pod(), false, |_| true);
        assert_eq!(FieldSet::decode(&set.encode()), set);
        let container = set.encode()["f:spec"]["f:containers"]["k:{\"name\":\"c\"}"].clone();
        assert_eq!(container["."], json!({}));
        assert_eq!(container["f:args"], json!({}));
        assert!(container["f:ports"].get("k:{\"containerPort\":80,\"protocol\":\"TCP\"}").is_some());
    }

    #[test]
    fn a_removed_value_takes_the_empty_maps_above_it_along() {
        let mut object = pod();
        remove_at(&mut object, &["f:metadata".into(), "f:labels".into(), "f:app".into()]);
        assert_eq!(object["metadata"], json!({"name": "a"}));
    }

    #[test]
    fn paths_are_shown_as_messages_write_them() {
        let path = ["f:spec", "f:containers", "k:{\"name\":\"c\"}", "f:image"].map(str::to_owned);
        assert_eq!(shown(&path), ".spec.containers[name=\"c\"].image");
        assert_eq!(value_at(&pod(), &path), Some(&json!("i")));
    }
}
