//! The other kinds of patch: JSON merge patch, strategic merge patch and JSON patch.

use serde_json::{Map, Value};

use super::schema::{ListKind, list_kind};
use super::typed::{plain, type_of};

/// JSON merge patch (RFC 7386).
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (field, value) in patch {
        if value.is_null() {
            target.remove(field);
        } else {
            merge(target.entry(field).or_insert(Value::Null), value);
        }
    }
}

/// Why a strategic patch cannot be merged: `k8s.io/apimachinery/pkg/util/strategicpatch/patch.go` (v0.33.3).
#[derive(Debug, PartialEq)]
pub(super) enum Unmerged {
    ListOfLists,
    Other(String),
}

/// Strategic merge patch: as a merge patch, but lists with keys merge by entry.
pub(super) fn strategic(target: &mut Value, patch: &Value) -> Result<(), Unmerged> {
    strategic_at(target, patch, &mut Vec::new())
}

fn strategic_at<'a>(target: &mut Value, patch: &'a Value, fields: &mut Vec<&'a str>) -> Result<(), Unmerged> {
    match (&mut *target, patch) {
        (Value::Object(map), Value::Object(changes)) => strategic_map(map, changes, fields)?,
        (Value::Array(there), Value::Array(entries)) => match list_kind(fields, false) {
            ListKind::Atomic => *target = patch.clone(),
            ListKind::Set => {
                check_entries(there, entries)?;
                let new: Vec<_> = entries.iter().filter(|entry| !there.contains(entry)).cloned().collect();
                there.extend(new);
            }
            // Strategic patches know one key field, the first.
            ListKind::Keyed(keys) => {
                check_entries(there, entries)?;
                strategic_list(there, entries, keys[0], fields)?;
            }
        },
        _ => *target = without_directives(patch),
    }
    Ok(())
}

/// The entries of a list that is merged have one type.
fn check_entries(there: &[Value], entries: &[Value]) -> Result<(), Unmerged> {
    let mut types = there.iter().chain(entries).map(type_of);
    let Some(first) = types.next() else { return Ok(()) };
    if first == type_of(&Value::Array(Vec::new())) {
        return Err(Unmerged::ListOfLists);
    }
    if types.any(|other| other != first) {
        let lists = format!("[{} {}]", plain(&Value::from(there)), plain(&Value::from(entries)));
        return Err(Unmerged::Other(format!("list element types are not identical: {lists}")));
    }
    Ok(())
}

fn strategic_map<'a>(
    map: &mut Map<String, Value>,
    changes: &'a Map<String, Value>,
    fields: &mut Vec<&'a str>,
) -> Result<(), Unmerged> {
    if changes.get("$patch").is_some_and(|directive| directive == "replace") {
        map.clear();
    }
    if let Some(kept) = changes.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|field, _| kept.iter().any(|kept| kept == field));
    }
    for (field, value) in changes {
        if let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") {
            delete_from(map.get_mut(list), value);
        } else if field.starts_with('$') {
            // Orders of lists and the directives read above.
        } else if value.is_null() || value.get("$patch").is_some_and(|directive| directive == "delete") {
            map.remove(field);
        } else {
            fields.push(field);
            strategic_at(map.entry(field).or_insert(Value::Null), value, fields)?;
            fields.pop();
        }
    }
    Ok(())
}

fn strategic_list<'a>(
    there: &mut Vec<Value>,
    entries: &'a [Value],
    key: &str,
    fields: &mut Vec<&'a str>,
) -> Result<(), Unmerged> {
    if entries.iter().any(|entry| entry["$patch"] == "replace") {
        *there = entries.iter().filter(|entry| entry["$patch"] != "replace").map(without_directives).collect();
        return Ok(());
    }
    for entry in entries {
        if entry.is_object() && entry.get(key).is_none() {
            return Err(Unmerged::Other(format!("map: {} does not contain declared merge key: {key}", plain(entry))));
        }
        let index = there.iter().position(|known| known.get(key) == entry.get(key));
        match (index, entry["$patch"] == "delete") {
            (Some(index), true) => {
                there.remove(index);
            }
            (Some(index), false) => strategic_at(&mut there[index], entry, fields)?,
            (None, true) => {}
            (None, false) => there.push(without_directives(entry)),
        }
    }
    Ok(())
}

fn delete_from(list: Option<&mut Value>, gone: &Value) {
    if let (Some(Value::Array(list)), Value::Array(gone)) = (list, gone) {
        list.retain(|entry| !gone.contains(entry));
    }
}

fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(field, value)| !field.starts_with('$') && !value.is_null())
            .map(|(field, value)| (field.clone(), without_directives(value)))
            .collect(),
        Value::Array(entries) => entries.iter().map(without_directives).collect(),
        value => value.clone(),
    }
}

/// JSON patch (RFC 6902). The error says which operation failed.
pub(super) fn json(target: &mut Value, operations: &Value) -> Result<(), String> {
    let operations = operations.as_array().ok_or("a JSON patch is a list of operations")?;
    operations.iter().try_for_each(|operation| {
        let field = |name: &str| operation.get(name).and_then(Value::as_str);
        let path = field("path").ok_or("an operation has no path")?;
        let value = || operation.get("value").cloned().ok_or_else(|| format!("no value for {path}"));
        match field("op") {
            Some("add") => add(target, path, value()?),
            Some("remove") => take(target, path).map(drop),
            Some("replace") => {
                let slot = target
                    .pointer_mut(path)
                    .ok_or_else(|| format!("replace operation does not apply: doc is missing key: {path}"))?;
                *slot = value()?;
                Ok(())
            }
            Some("test") if target.pointer(path) == Some(&value()?) => Ok(()),
            Some("test") => Err(format!("testing value {path} failed: test failed")),
            Some("move") => {
                let moved = take(target, field("from").unwrap_or_default())?;
                add(target, path, moved)
            }
            Some("copy") => {
                let from = field("from").unwrap_or_default();
                let copied = target.pointer(from).cloned().ok_or_else(|| format!("no value at {from}"))?;
                add(target, path, copied)
            }
            _ => Err(format!("unexpected kind of operation at {path}")),
        }
    })
}

fn parent<'a>(target: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (parent, last) = path.rsplit_once('/').ok_or_else(|| format!("not a path: {path}"))?;
    let parent = target
        .pointer_mut(parent)
        .ok_or_else(|| format!("add operation does not apply: doc is missing path: {path}"))?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (parent, field) = parent(target, path)?;
    match parent {
        Value::Object(map) => {
            map.insert(field, value);
        }
        Value::Array(list) => {
            let index = if field == "-" { Some(list.len()) } else { field.parse().ok() };
            let index = index.filter(|index| *index <= list.len()).ok_or_else(|| format!("no such index: {path}"))?;
            list.insert(index, value);
        }
        _ => return Err(format!("neither a map nor a list above {path}")),
    }
    Ok(())
}

fn take(target: &mut Value, path: &str) -> Result<Value, String> {
    let missing = || format!("remove operation does not apply: doc is missing key: {path}");
    let (parent, field) = parent(target, path)?;
    match parent {
        Value::Object(map) => map.remove(&field).ok_or_else(missing),
        Value::Array(list) => {
            let index = field.parse().ok().filter(|index: &usize| *index < list.len()).ok_or_else(missing)?;
            Ok(list.remove(index))
        }
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_strategic_patch_merges_containers_by_name() {
        let mut target = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}});
        let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "b"}],
            "containers": [{"name": "b", "image": "2"}, {"name": "a", "$patch": "delete"}]}});
        assert_eq!(strategic(&mut target, &patch), Ok(()));
        assert_eq!(target, json!({"spec": {"containers": [{"name": "b", "image": "2"}]}}));
    }

    #[test]
    fn a_strategic_patch_merges_entries_of_one_type_with_their_key_only() {
        let merged = |ports: &Value| {
            let mut target = json!({"spec": {"ports": [{"port": 80}]}});
            strategic(&mut target, &json!({"spec": {"ports": ports}}))
        };
        let other = |why: &str| Err(Unmerged::Other(why.to_owned()));
        assert_eq!(merged(&json!([{"port": 81}])), Ok(()));
        assert_eq!(merged(&json!(["x"])), other("list element types are not identical: [[map[port:80]] [x]]"));
        assert_eq!(merged(&json!([{"x": "y"}])), other("map: map[x:y] does not contain declared merge key: port"));
        assert_eq!(merged(&json!("x")), Ok(()), "it replaces the list, and is refused by the converter");
        let mut target = json!({"spec": {"ports": []}});
        assert_eq!(strategic(&mut target, &json!({"spec": {"ports": [["x"]]}})), Err(Unmerged::ListOfLists));
    }

    #[test]
    fn a_merge_patch_replaces_lists_and_removes_nulls() {
        let mut target = json!({"a": [1, 2], "b": 1, "c": {"d": 1}});
        merge(&mut target, &json!({"a": [3], "b": null, "c": {"e": 2}}));
        assert_eq!(target, json!({"a": [3], "c": {"d": 1, "e": 2}}));
    }

    #[test]
    fn a_json_patch_stops_at_a_failed_test() {
        let mut target = json!({"a": 1});
        let add = json!({"op": "add", "path": "/b", "value": [1]});
        assert!(json(&mut target, &json!([add, {"op": "test", "path": "/a", "value": 2}])).is_err());
        assert_eq!(json(&mut target, &json!([{"op": "add", "path": "/b/-", "value": 2}])), Ok(()));
        assert_eq!(target["b"], json!([1, 2]));
    }
}
