//! Server-side apply: what a manager applies becomes its own, and what it no longer applies goes.

use serde_json::Value;

use super::field_set::{FieldSet, Path, remove_at, shown, value_at};
use super::ownership::{self, Author, Entry};
use super::refusal::Refusal;
use super::schema::{ListKind, is_atomic_map, list_kind, same_entry};

/// The object after applying a configuration to what exists (or to nothing).
pub(super) fn apply(
    live: Option<&Value>,
    configuration: &Value,
    author: &Author<'_>,
    force: bool,
) -> Result<Value, Refusal> {
    let mut entries = live.map(ownership::read).unwrap_or_default();
    if let Some(live) = live.filter(|_| entries.is_empty()) {
        entries = ownership::before_first_apply(live, author);
    }
    let applied = author.writable(configuration);
    if let Some(live) = live {
        let conflicts = conflicts(live, configuration, &applied, &entries, author);
        if !force && !conflicts.is_empty() {
            let causes: Vec<_> = conflicts.iter().map(|(entry, path)| (described(entry), shown(path))).collect();
            return Err(Refusal::ownership(&causes));
        }
        let lost: Vec<Path> = conflicts.into_iter().map(|(_, path)| path).collect();
        for entry in entries.iter_mut().filter(|entry| !author.wrote(entry)) {
            entry.fields.0.retain(|path| !lost.contains(path));
        }
    }
    let mut merged = live.cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    merge(&mut merged, configuration, &mut Vec::new(), author.custom);
    remove_dropped(&mut merged, &applied, &entries, author);
    author.claim(&mut entries, applied);
    ownership::write(&mut merged, &entries);
    Ok(merged)
}

/// Fields of other managers that the configuration would change.
fn conflicts(
    live: &Value,
    configuration: &Value,
    applied: &FieldSet,
    entries: &[Entry],
    author: &Author<'_>,
) -> Vec<(Entry, Path)> {
    let others = entries.iter().filter(|entry| !author.wrote(entry));
    others
        .flat_map(|entry| {
            let mut shared: Vec<&Path> = entry.fields.0.intersection(&applied.0).collect();
            // Values first, then what is within others, at each level.
            shared.sort_by_key(|path| {
                let steps = path.iter().enumerate();
                steps.map(|(at, step)| (at + 1 < path.len(), step.as_str())).collect::<Vec<_>>()
            });
            let changed = shared.into_iter().filter(|path| {
                let is_entry = path.last().is_some_and(|step| !step.starts_with("f:"));
                !is_entry && value_at(live, path) != value_at(configuration, path)
            });
            changed.map(|path| (entry.clone(), path.clone()))
        })
        .collect()
}

/// A manager as a conflict names it; one that does not apply is named with the version of its write.
fn described(entry: &Entry) -> String {
    let subresource = if entry.subresource.is_empty() {
        String::new()
    } else {
        format!(" with subresource \"{}\"", entry.subresource)
    };
    if entry.operation == "Apply" {
        return format!("\"{}\"{subresource}", entry.manager);
    }
    format!("\"{}\"{subresource} using {}", entry.manager, entry.api_version)
}

fn merge<'a>(live: &mut Value, applied: &'a Value, fields: &mut Vec<&'a str>, custom: bool) {
    match (&mut *live, applied) {
        (Value::Object(live), Value::Object(applied)) if !is_atomic_map(fields) => {
            for (field, value) in applied {
                fields.push(field);
                merge(live.entry(field).or_insert(Value::Null), value, fields, custom);
                fields.pop();
            }
        }
        (Value::Array(there), Value::Array(entries)) => match list_kind(fields, custom) {
            ListKind::Atomic => *live = applied.clone(),
            ListKind::Set => {
                for entry in entries {
                    if !there.contains(entry) {
                        there.push(entry.clone());
                    }
                }
            }
            ListKind::Keyed(keys) => {
                for entry in entries {
                    match there.iter_mut().find(|known| same_entry(known, entry, keys)) {
                        Some(known) if fields[..] == ["metadata", "ownerReferences"] => known.clone_from(entry),
                        Some(known) => merge(known, entry, fields, custom),
                        None => there.push(entry.clone()),
                    }
                }
            }
        },
        _ => *live = applied.clone(),
    }
}

/// Removes what this manager applied before and does not apply now, unless another manager owns it or a part of it.
fn remove_dropped(merged: &mut Value, applied: &FieldSet, entries: &[Entry], author: &Author<'_>) {
    let Some(own) = entries.iter().find(|entry| author.wrote(entry)) else {
        return;
    };
    let others: Vec<_> = entries.iter().filter(|entry| !author.wrote(entry)).collect();
    for path in &own.fields.0 {
        let kept = applied.touches(path) || others.iter().any(|entry| entry.fields.touches(path));
        if !kept {
            remove_at(merged, path);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn author(manager: &str) -> Author<'_> {
        Author {
            manager,
            operation: "Apply",
            subresource: "",
            api_version: "apps/v1",
            time: "t",
            custom: false,
            status: true,
        }
    }

    fn deployment(replicas: Value, containers: &Value) -> Value {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"template": {"spec": {"containers": containers}}}});
        if !replicas.is_null() {
            object["spec"]["replicas"] = replicas;
        }
        object
    }

    #[test]
    fn another_managers_field_is_a_conflict_that_names_both() {
        let live = apply(None, &deployment(json!(2), &json!([])), &author("one"), false).unwrap();
        let refusal = apply(Some(&live), &deployment(json!(3), &json!([])), &author("two"), false).unwrap_err();
        let body = refusal.body();
        assert_eq!(body["code"], 409);
        assert_eq!(
            body["details"]["causes"],
            json!([{"reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".spec.replicas"}])
        );
    }

    #[test]
    fn force_takes_the_field_over() {
        let live = apply(None, &deployment(json!(2), &json!([])), &author("one"), false).unwrap();
        let live = apply(Some(&live), &deployment(json!(3), &json!([])), &author("two"), true).unwrap();
        assert_eq!(live["spec"]["replicas"], 3);
        assert!(apply(Some(&live), &deployment(json!(2), &json!([])), &author("one"), false).is_err());
    }

    #[test]
    fn equal_values_are_owned_together() {
        let live = apply(None, &deployment(json!(2), &json!([])), &author("one"), false).unwrap();
        let live = apply(Some(&live), &deployment(json!(2), &json!([])), &author("two"), false).unwrap();
        let live = apply(Some(&live), &deployment(json!(null), &json!([])), &author("two"), false).unwrap();
        assert_eq!(live["spec"]["replicas"], 2);
        let live = apply(Some(&live), &deployment(json!(null), &json!([])), &author("one"), false).unwrap();
        assert_eq!(live["spec"].get("replicas"), None);
    }

    #[test]
    fn lists_with_keys_merge_by_entry_and_lose_what_is_dropped() {
        let first = json!([{"name": "a", "image": "x", "env": [{"name": "K", "value": "1"}]}]);
        let second = json!([{"name": "b", "image": "y"}]);
        let live = apply(None, &deployment(json!(1), &first), &author("one"), false).unwrap();
        let live = apply(Some(&live), &deployment(json!(1), &second), &author("two"), false).unwrap();
        let containers = &live["spec"]["template"]["spec"]["containers"];
        assert_eq!(containers.as_array().unwrap().len(), 2);
        let without_env = json!([{"name": "a", "image": "x"}]);
        let live = apply(Some(&live), &deployment(json!(1), &without_env), &author("one"), false).unwrap();
        assert_eq!(live["spec"]["template"]["spec"]["containers"][0], json!({"name": "a", "image": "x"}));
        let none = deployment(json!(1), &json!([]));
        let live = apply(Some(&live), &none, &author("one"), false).unwrap();
        assert_eq!(live["spec"]["template"]["spec"]["containers"], json!([{"name": "b", "image": "y"}]));
    }
}
