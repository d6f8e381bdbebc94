//! What the API server refuses in an object (422), and what may not change.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::text;
use super::refusal::Flaw;
use super::selector::Labels;
use super::{go_text, limits, validate_custom, validate_metadata, validate_other, validate_pod, validate_selector};

const MISMATCH: &str = "`selector` does not match template `labels`";
/// Everything that is wrong with a new or changed object.
pub(super) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let mut flaws = validate_metadata::flaws(kind, object);
    flaws.extend(limits::flaws(kind, object));
    flaws.extend(super::policy::flaws(kind, object));
    match kind.kind.as_str() {
        "Pod" => {
            validate_pod::flaws(object, "/spec", &mut flaws);
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => {
            workload(kind, object, &mut flaws);
        }
        "Secret" => secret(object, &mut flaws),
        _ => {}
    }
    flaws.extend(validate_custom::flaws(&kind.definition, object));
    flaws.extend(validate_other::flaws(kind, object));
    flaws
}

/// A count: whole, not below zero, of 32 bits.
fn whole(value: &Value, field: &str, flaws: &mut Vec<Flaw>) {
    let detail = match value.as_i64() {
        _ if value.is_null() => return,
        Some(number) if number < 0 => "must be greater than or equal to 0",
        Some(number) if number <= i64::from(i32::MAX) => return,
        _ => "must be a whole number of 32 bits",
    };
    flaws.push(Flaw::invalid(field, value, detail));
}

fn workload(kind: &Kind, object: &Value, flaws: &mut Vec<Flaw>) {
    for field in ["replicas", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"] {
        whole(&object["spec"][field], &format!("spec.{field}"), flaws);
    }
    for field in ["maxSurge", "maxUnavailable"] {
        let value = &object["spec"]["strategy"]["rollingUpdate"][field];
        if !value.is_string() {
            whole(value, &format!("spec.strategy.rollingUpdate.{field}"), flaws);
        }
    }
    let selector = object.pointer("/spec/selector");
    let known = flaws.len();
    validate_selector::flaws(selector.unwrap_or(&Value::Null), "spec.selector", flaws);
    if flaws.len() > known {
        let value = go_text::selector(&object["spec"]["selector"]);
        flaws.push(Flaw::invalid_go("spec.selector", &value, "invalid label selector"));
        return;
    }
    let labels_of_template = object.pointer("/spec/template/metadata/labels");
    match selector.map(Labels::of) {
        None => {
            flaws.push(Flaw::required("spec.selector", ""));
            let found = go_text::labels(labels_of_template);
            flaws.push(Flaw::invalid_go("spec.template.metadata.labels", &found, MISMATCH));
        }
        Some(selector) if selector.is_empty() => {
            let detail = format!("empty selector is invalid for {}", kind.kind.to_lowercase());
            let value = go_text::selector(&object["spec"]["selector"]);
            flaws.push(Flaw::invalid_go("spec.selector", &value, &detail));
        }
        Some(selector) if !selector.fit(labels_of_template) => {
            let found = go_text::labels(labels_of_template);
            flaws.push(Flaw::invalid_go("spec.template.metadata.labels", &found, MISMATCH));
        }
        Some(_) => {}
    }
    validate_pod::template(object, "/spec/template", flaws);
    let policy = text(object, "/spec/template/spec/restartPolicy");
    if !policy.is_empty() && policy != "Always" {
        let detail = "supported values: \"Always\"";
        flaws.push(Flaw::unsupported("spec.template.spec.restartPolicy", &json!(policy), detail));
    }
}

fn secret(object: &Value, flaws: &mut Vec<Flaw>) {
    let data = object.get("data").and_then(Value::as_object);
    for (key, value) in data.into_iter().flatten() {
        if value.as_str().is_none_or(|value| STANDARD.decode(value).is_err()) {
            flaws.push(Flaw::invalid(format!("data[{key}]"), &json!("<secret>"), "must be base64"));
        }
    }
    if object["type"] == "kubernetes.io/dockerconfigjson" {
        let config = data.and_then(|data| data.get(".dockerconfigjson")).and_then(Value::as_str);
        let Some(config) = config else {
            flaws.push(Flaw::required("data[.dockerconfigjson]", ""));
            return;
        };
        let bytes = STANDARD.decode(config).unwrap_or_default();
        if let Some(error) = super::go_json::error(&bytes) {
            flaws.push(Flaw::invalid("data[.dockerconfigjson]", &json!("<secret contents redacted>"), &error));
        }
    }
}

/// What an update may not change.
pub(super) fn change_flaws(kind: &Kind, before: &Value, after: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    match kind.kind.as_str() {
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet"
            if before.pointer("/spec/selector") != after.pointer("/spec/selector") =>
        {
            let value = go_text::selector(&after["spec"]["selector"]);
            flaws.push(Flaw::invalid_go("spec.selector", &value, "field is immutable"));
        }
        "Pod" if pod_without_images(before) != pod_without_images(after) => {
            let detail = "pod updates may not change fields other than `spec.containers[*].image`,\
                `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                previously negative)";
            flaws.push(Flaw::forbidden("spec", &format!("{detail}\n\u{a0}\u{a0}core.PodSpec{{}}\n")));
        }
        "Job" if without_uids(before) != without_uids(after) => {
            flaws.push(Flaw::invalid_go("spec.template", "core.PodTemplateSpec{}", "field is immutable"));
        }
        "Secret" if before["type"] != after["type"] => {
            flaws.push(Flaw::invalid("type", &after["type"], "field is immutable"));
        }
        "Secret" | "ConfigMap" if before["immutable"] == true && after["immutable"] != true => {
            flaws.push(Flaw::forbidden("immutable", "field is immutable when `immutable` is set"));
        }
        "Secret" | "ConfigMap" if before["immutable"] == true && before["data"] != after["data"] => {
            flaws.push(Flaw::forbidden("data", "field is immutable when `immutable` is set"));
        }
        "RoleBinding" | "ClusterRoleBinding" if before["roleRef"] != after["roleRef"] => {
            flaws.push(Flaw::invalid("roleRef", &after["roleRef"], "cannot change roleRef"));
        }
        _ => {}
    }
    flaws
}

/// A job's template, without the labels that the server adds.
fn without_uids(job: &Value) -> Value {
    let mut template = job["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.retain(|key, _| !key.ends_with("controller-uid") && !key.ends_with("job-name"));
    }
    template
}

fn pod_without_images(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
            spec.remove(field);
        }
    }
    for field in ["containers", "initContainers"] {
        for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                container.insert("image".to_owned(), Value::Null);
            }
        }
    }
    spec
}
