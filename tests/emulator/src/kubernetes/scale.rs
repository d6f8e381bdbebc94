//! The scale of a workload, as a resource of its own.

use serde_json::{Value, json};

use super::object::{map, name, namespace, number, text, uid};
use super::refusal::Refusal;

/// The `Scale` of an object.
pub(super) fn of(object: &Value) -> Value {
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector: Vec<_> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": name(object), "namespace": namespace(object), "uid": uid(object),
            "resourceVersion": object["metadata"]["resourceVersion"],
            "creationTimestamp": object["metadata"]["creationTimestamp"]},
        "spec": {"replicas": number(object, "/spec/replicas").unwrap_or(0)},
        "status": {"replicas": number(object, "/status/replicas").unwrap_or(0), "selector": selector.join(",")}})
}

/// The object with the number of replicas that a `Scale` wants.
pub(super) fn scaled(object: &Value, scale: &Value) -> Result<Value, Refusal> {
    let replicas = number(scale, "/spec/replicas").unwrap_or(0);
    let revision = text(scale, "/metadata/resourceVersion");
    if !revision.is_empty() && revision != text(object, "/metadata/resourceVersion") {
        return Err(Refusal::bad_request("the scale was read from an older state of the object"));
    }
    let mut scaled = object.clone();
    map(&mut scaled, &["spec"]).insert("replicas".to_owned(), json!(replicas));
    Ok(scaled)
}
