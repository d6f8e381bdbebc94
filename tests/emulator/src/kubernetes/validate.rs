//! What the API server refuses in an object (422), and what may not change.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::limits;
use super::object::{list, name, number, text};
use super::refusal::Flaw;
use super::selector::Labels;

const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Everything that is wrong with a new or changed object.
pub(super) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let mut flaws = metadata(kind, object);
    flaws.extend(limits::flaws(kind, object));
    match kind.kind.as_str() {
        "Pod" => pod_spec(object, "/spec", &mut flaws),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => {
            workload(kind, object, &mut flaws);
        }
        "Secret" => secret(object, &mut flaws),
        _ => {}
    }
    flaws
}

fn metadata(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let name = name(object);
    let rbac = kind.group == "rbac.authorization.k8s.io";
    let label = matches!(kind.kind.as_str(), "Namespace" | "Service");
    if rbac {
        if name.contains(['/', '%']) || name == "." || name == ".." {
            flaws.push(Flaw::invalid("metadata.name", &json!(name), "may not contain '/' or '%'"));
        }
    } else if label && !is_label(name) {
        flaws.push(Flaw::invalid("metadata.name", &json!(name), LABEL_RULE));
    } else if !label && !is_subdomain(name) {
        flaws.push(Flaw::invalid("metadata.name", &json!(name), SUBDOMAIN_RULE));
    }
    labels(object.pointer("/metadata/labels"), "metadata.labels", &mut flaws);
    flaws
}

fn labels(labels: Option<&Value>, field: &str, flaws: &mut Vec<Flaw>) {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        let name = key.rsplit('/').next().unwrap_or_default();
        if !is_word(name) || name.is_empty() {
            flaws.push(Flaw::invalid(
                field,
                &json!(key),
                "name part must consist of alphanumeric characters, '-', '_' or '.'",
            ));
        }
        if !value.as_str().is_some_and(is_word) {
            let detail = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
                and must start and end with an alphanumeric character";
            flaws.push(Flaw::invalid(field, value, detail));
        }
    }
}

fn is_word(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && is_word(text)
        && text.bytes().all(|byte| !byte.is_ascii_uppercase() && byte != b'_' && byte != b'.')
}

fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        edge(part.bytes().next())
            && edge(part.bytes().last())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(part)
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
    let labels_of_template = object.pointer("/spec/template/metadata/labels");
    match selector.map(Labels::of) {
        None => flaws.push(Flaw::required("spec.selector", "")),
        Some(selector) if selector.is_empty() => {
            let detail = format!("empty selector is invalid for {}", kind.kind.to_lowercase());
            flaws.push(Flaw::invalid("spec.selector", &json!({}), &detail));
        }
        Some(selector) if !selector.fit(labels_of_template) => {
            let found = labels_of_template.cloned().unwrap_or_default();
            let detail = "`selector` does not match template `labels`";
            flaws.push(Flaw::invalid("spec.template.metadata.labels", &found, detail));
        }
        Some(_) => {}
    }
    labels(labels_of_template, "spec.template.labels", flaws);
    let policy = text(object, "/spec/template/spec/restartPolicy");
    if !policy.is_empty() && policy != "Always" {
        let detail = "supported values: \"Always\"";
        flaws.push(Flaw::unsupported("spec.template.spec.restartPolicy", &json!(policy), detail));
    }
    pod_spec(object, "/spec/template/spec", flaws);
}

fn pod_spec(object: &Value, pointer: &str, flaws: &mut Vec<Flaw>) {
    let field = pointer[1..].replace('/', ".");
    let containers = list(object, &format!("{pointer}/containers"));
    if containers.is_empty() {
        flaws.push(Flaw::required(format!("{field}.containers"), ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (list_name, entries) in
        [("initContainers", list(object, &format!("{pointer}/initContainers"))), ("containers", containers)]
    {
        for (index, container) in entries.iter().enumerate() {
            let at = format!("{field}.{list_name}[{index}]");
            let name = text(container, "/name");
            if !name.is_empty() && names.contains(&name) {
                let message = format!("Duplicate value: \"{name}\"");
                flaws.push(Flaw { reason: "FieldValueDuplicate", field: format!("{at}.name"), message });
            }
            names.push(name);
            self::container(container, &at, flaws);
        }
    }
}

fn container(container: &Value, at: &str, flaws: &mut Vec<Flaw>) {
    let name = text(container, "/name");
    if name.is_empty() {
        flaws.push(Flaw::required(format!("{at}.name"), ""));
    } else if !is_label(name) {
        flaws.push(Flaw::invalid(format!("{at}.name"), &json!(name), LABEL_RULE));
    }
    let image = text(container, "/image");
    if image.is_empty() {
        flaws.push(Flaw::required(format!("{at}.image"), ""));
    } else if image != image.trim() {
        let detail = "must not have leading or trailing whitespace";
        flaws.push(Flaw::invalid(format!("{at}.image"), &json!(image), detail));
    }
    let policy = text(container, "/imagePullPolicy");
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        let detail = "supported values: \"Always\", \"IfNotPresent\", \"Never\"";
        flaws.push(Flaw::unsupported(format!("{at}.imagePullPolicy"), &json!(policy), detail));
    }
    for (index, port) in list(container, "/ports").iter().enumerate() {
        let at = format!("{at}.ports[{index}].containerPort");
        match number(port, "/containerPort") {
            None => flaws.push(Flaw::required(at, "")),
            Some(number) if !(1..=65535).contains(&number) => {
                flaws.push(Flaw::invalid(at, &json!(number), "must be between 1 and 65535, inclusive"));
            }
            Some(_) => {}
        }
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
        if let Err(error) = serde_json::from_slice::<Value>(&bytes) {
            flaws.push(Flaw::invalid(
                "data[.dockerconfigjson]",
                &json!("<secret contents redacted>"),
                &error.to_string(),
            ));
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
            flaws.push(Flaw::invalid("spec.selector", &after["spec"]["selector"], "field is immutable"));
        }
        "Pod" if pod_without_images(before) != pod_without_images(after) => {
            let detail = "pod updates may not change fields other than `spec.containers[*].image`, \
                `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to \
                existing tolerations), `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                previously negative)";
            flaws.push(Flaw::forbidden("spec", detail));
        }
        "Secret" if before["type"] != after["type"] => {
            flaws.push(Flaw::invalid("type", &after["type"], "field is immutable"));
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
