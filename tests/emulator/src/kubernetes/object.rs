//! Reading and writing parts of an object.

use serde_json::{Map, Value, json};

use super::store::Key;

/// The text at a JSON pointer, or the empty text.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer. None that is reckoned with is beyond 32 bits; what a client wrote beyond that
/// counts as the last of them, so that no sum overflows.
pub(super) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64).map(bounded)
}

/// The same for a number from elsewhere.
pub(super) fn bounded(number: i64) -> i64 {
    number.clamp(-i64::from(i32::MAX), i64::from(i32::MAX))
}

/// What of a template's metadata the pods made from it have: not its name, nor its namespace.
pub(super) fn template_metadata(pod: &mut Value) -> &mut Map<String, Value> {
    let metadata = map(pod, &["metadata"]);
    metadata.retain(|name, _| ["labels", "annotations", "finalizers"].contains(&name.as_str()));
    metadata
}

/// The entries of the list at a JSON pointer.
pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(super) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub(super) fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// Where an object of this resource is kept.
pub(super) fn key(resource: &str, object: &Value) -> Key {
    Key::new(resource, namespace(object), name(object))
}

/// The map at a path of field names, made where it is missing. A value that is no map is replaced.
pub(super) fn map<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut current = as_map(object);
    for field in path {
        current = as_map(current.entry(*field).or_insert_with(|| json!({})));
    }
    current
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made a map above"),
    }
}

/// Sets a field that is absent or null.
pub(super) fn default_to(map: &mut Map<String, Value>, field: &str, value: Value) {
    let slot = map.entry(field).or_insert(Value::Null);
    if slot.is_null() {
        *slot = value;
    }
}

/// The controller that an object belongs to.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    list(object, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true)
}

/// Whether `owner` is the controller of `object`.
pub(super) fn is_controlled_by(object: &Value, owner: &Value) -> bool {
    controller(object).is_some_and(|reference| text(reference, "/uid") == uid(owner))
}

/// A reference to the controller of a new object.
pub(super) fn owner_reference(api_version: &str, kind: &str, owner: &Value) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true}])
}

/// A condition of an object's status.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// Whether a condition is there and true.
pub(super) fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Adds a finalizer, unless the object has it.
pub(super) fn add_finalizer(object: &mut Value, finalizer: &str) {
    let finalizers = map(object, &["metadata"]).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(finalizers) = finalizers.as_array_mut().filter(|known| known.iter().all(|one| one != finalizer)) {
        finalizers.push(json!(finalizer));
    }
}

/// The object without a finalizer; `None` if it does not have it.
pub(super) fn without_finalizer(object: &Value, finalizer: &str) -> Option<Value> {
    let finalizers = list(object, "/metadata/finalizers");
    let left: Vec<Value> = finalizers.iter().filter(|known| *known != finalizer).cloned().collect();
    let mut after = object.clone();
    set_or_remove(&mut after, "finalizers", &left);
    (left.len() < finalizers.len()).then_some(after)
}

/// Sets a list of the metadata. An empty one is not shown.
pub(super) fn set_or_remove(object: &mut Value, field: &str, entries: &[Value]) {
    let metadata = map(object, &["metadata"]);
    if entries.is_empty() {
        metadata.remove(field);
    } else {
        metadata.insert(field.to_owned(), json!(entries));
    }
}
