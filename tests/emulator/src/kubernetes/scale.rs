//! The scale of a workload, as a separate resource.

use serde_json::{Value, json};

use super::go_json;
use super::kinds::Kind;
use super::object::{map, name, namespace, number, text, uid};
use super::refusal::Refusal;
use super::typed::json_name;
use super::writes::Call;

/// The `Scale` of an object.
pub(super) fn of(object: &Value) -> Value {
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector: Vec<_> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    // Zero is left out.
    let replicas = number(object, "/spec/replicas").filter(|replicas| *replicas != 0);
    let spec = replicas.map_or_else(|| json!({}), |replicas| json!({"replicas": replicas}));
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": name(object), "namespace": namespace(object), "uid": uid(object),
            "resourceVersion": object["metadata"]["resourceVersion"],
            "creationTimestamp": object["metadata"]["creationTimestamp"]},
        "spec": spec,
        "status": {"replicas": number(object, "/status/replicas").unwrap_or(0), "selector": selector.join(",")}})
}

/// The `Scale` in the body of a request.
pub(super) fn decoded(call: &Call<'_>) -> Result<Value, Refusal> {
    let bytes = call.request.body();
    let scale = go_json::object("Scale", bytes)?;
    let given = |field: &str, usual: &'static str| match text(&scale, field) {
        "" => usual.to_owned(),
        given => given.to_owned(),
    };
    let (kind, version) = (given("/kind", "Scale"), given("/apiVersion", VERSION));
    let cannot = |why: &str| {
        let short = version.rsplit('/').next().unwrap_or_default();
        Refusal::bad_request(format!("{kind} in version \"{short}\" cannot be handled as a Scale: {why}"))
    };
    if kind != "Scale" || version != VERSION {
        return Err(cannot(&format!(
            "no kind \"{kind}\" is registered for version \"{version}\" in scheme \"pkg/runtime/scheme.go:110\""
        )));
    }
    type_error(&scale).map_or(Ok(scale), |why| Err(cannot(&why)))
}

const VERSION: &str = "autoscaling/v1";

/// Why a `Scale` cannot be read, in the words of Go's reader.
pub(super) fn type_error(scale: &Value) -> Option<String> {
    let error = |value: &Value, field: &str, kind: &str| {
        let shown =
            if value.is_number() && kind == "int32" { format!("number {value}") } else { json_name(value).to_owned() };
        format!("json: cannot unmarshal {shown} into Go struct field {field} of type {kind}")
    };
    let parts = [("metadata", "v1.ObjectMeta"), ("spec", "v1.ScaleSpec")];
    let odd = parts.iter().find(|(field, _)| !scale[*field].is_null() && !scale[*field].is_object());
    if let Some((field, kind)) = odd {
        return Some(error(&scale[*field], &format!("Scale.{field}"), kind));
    }
    let replicas = &scale["spec"]["replicas"];
    let fits = replicas.is_null() || replicas.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
    (!fits).then(|| error(replicas, "ScaleSpec.spec.replicas", "int32"))
}

/// The object with the number of replicas that a `Scale` wants; one without a number wants none.
pub(super) fn scaled(kind: &Kind, object: &Value, scale: &Value) -> Result<Value, Refusal> {
    let (name, replicas) = (name(object), number(scale, "/spec/replicas").unwrap_or(0));
    if replicas < 0 {
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        let causes = json!([{"reason": "FieldValueInvalid", "message": why, "field": "spec.replicas"}]);
        let details = json!({"name": name, "group": "autoscaling", "kind": "Scale", "causes": causes});
        return Err(Refusal::options(
            &format!("Scale.autoscaling \"{name}\" is invalid: spec.replicas: {why}"),
            details,
        ));
    }
    let revision = text(scale, "/metadata/resourceVersion");
    if !revision.is_empty() && revision != text(object, "/metadata/resourceVersion") {
        return Err(Refusal::changed(kind, name));
    }
    let mut scaled = object.clone();
    map(&mut scaled, &["spec"]).insert("replicas".to_owned(), json!(replicas));
    Ok(scaled)
}
