//! What the API server refuses in kinds other than pods, in the words of Kubernetes 1.33.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{list, number, text};
use super::quantity::Quantity;
use super::refusal::Flaw;
use super::validate_pod::one_of;
use super::{validate_job, validate_selector};

const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or \
    'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const PERCENT_RULE: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for \
    validation is '[0-9]+%')";

pub(super) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    match kind.kind.as_str() {
        "ConfigMap" => config_map(object, &mut flaws),
        "Secret" => secret(object, &mut flaws),
        "Service" => service(object, &mut flaws),
        "Deployment" => deployment(object, &mut flaws),
        "StatefulSet" => stateful_set(object, &mut flaws),
        "Job" => validate_job::job(object, &mut flaws),
        "CronJob" => validate_job::cron_job(object, &mut flaws),
        "PodDisruptionBudget" => budget(object, &mut flaws),
        "Lease" => lease(object, &mut flaws),
        "ResourceQuota" => quota(object, &mut flaws),
        "Role" | "ClusterRole" => role(object, &mut flaws),
        "CustomResourceDefinition" => definition(object, &mut flaws),
        _ => {}
    }
    flaws
}

fn keys(object: &Value, field: &str, flaws: &mut Vec<Flaw>) {
    for key in object.get(field).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key) {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if key.is_empty() || !key.bytes().all(is_valid) {
            flaws.push(Flaw::invalid(format!("{field}[{key}]"), &json!(key), KEY_RULE));
        }
    }
}

fn config_map(object: &Value, flaws: &mut Vec<Flaw>) {
    keys(object, "data", flaws);
    for key in object.get("data").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key) {
        if object["binaryData"].get(key).is_some() {
            let detail = "duplicate of key present in binaryData";
            flaws.push(Flaw::invalid(format!("data[{key}]"), &json!(key), detail));
        }
    }
    keys(object, "binaryData", flaws);
}

fn secret(object: &Value, flaws: &mut Vec<Flaw>) {
    keys(object, "data", flaws);
    if object["type"] == "kubernetes.io/tls" {
        for key in ["tls.crt", "tls.key"] {
            if object["data"].get(key).is_none() {
                flaws.push(Flaw::required(format!("data[{key}]"), ""));
            }
        }
    }
}

fn service(object: &Value, flaws: &mut Vec<Flaw>) {
    let ports = list(object, "/spec/ports");
    let needs_ports = object["spec"]["type"] != "ExternalName" && object["spec"]["clusterIP"] != "None";
    if ports.is_empty() && needs_ports {
        flaws.push(Flaw::required("spec.ports", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{index}]");
        if ports.len() > 1 && text(port, "/name").is_empty() {
            flaws.push(Flaw::required(format!("{at}.name"), ""));
        }
        for field in ["port", "targetPort"] {
            if let Some(number) = number(port, &format!("/{field}")).filter(|number| !(1..=65535).contains(number)) {
                let detail = "must be between 1 and 65535, inclusive";
                flaws.push(Flaw::invalid(format!("{at}.{field}"), &json!(number), detail));
            }
        }
    }
    one_of(
        &object["spec"]["type"],
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
        "spec.type".to_owned(),
        flaws,
    );
}

fn deployment(object: &Value, flaws: &mut Vec<Flaw>) {
    let strategy = &object["spec"]["strategy"];
    let rolling = strategy.get("rollingUpdate").filter(|rolling| !rolling.is_null());
    match text(strategy, "/type") {
        "Recreate" if rolling.is_some() => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            flaws.push(Flaw::forbidden("spec.strategy.rollingUpdate", detail));
        }
        "RollingUpdate" => rolling_update(rolling, flaws),
        "Recreate" | "" => {}
        other => {
            let pointer = if rolling.is_some() { "0x0" } else { "nil" };
            let value = format!(
                "apps.DeploymentStrategy{{Type:{}, RollingUpdate:(*apps.RollingUpdateDeployment)({pointer})}}",
                json!(other)
            );
            let message = format!("Unsupported value: {value}: supported values: \"Recreate\", \"RollingUpdate\"");
            flaws.push(Flaw { reason: "FieldValueNotSupported", field: "spec.strategy".to_owned(), message });
        }
    }
    let (ready, deadline) = (number(object, "/spec/minReadySeconds"), number(object, "/spec/progressDeadlineSeconds"));
    if let Some(deadline) = deadline.filter(|deadline| *deadline <= ready.unwrap_or(0) && *deadline >= 0) {
        let detail = "must be greater than minReadySeconds";
        flaws.push(Flaw::invalid("spec.progressDeadlineSeconds", &json!(deadline), detail));
    }
}

fn rolling_update(rolling: Option<&Value>, flaws: &mut Vec<Flaw>) {
    let Some(rolling) = rolling else { return };
    for field in ["maxUnavailable", "maxSurge"] {
        percentage(&rolling[field], format!("spec.strategy.rollingUpdate.{field}"), flaws);
    }
    if is_zero(&rolling["maxSurge"]) && is_zero(&rolling["maxUnavailable"]) {
        let value = "intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}";
        let field = "spec.strategy.rollingUpdate.maxUnavailable";
        flaws.push(Flaw::invalid_go(field, value, "may not be 0 when `maxSurge` is 0"));
    }
}

/// A text has to be a percentage.
fn percentage(value: &Value, field: String, flaws: &mut Vec<Flaw>) {
    if let Some(text) = value.as_str().filter(|text| digits(text).is_none()) {
        flaws.push(Flaw::invalid_go(field, &as_go(text), PERCENT_RULE));
    }
}

/// The digits of a percentage.
fn digits(text: &str) -> Option<&str> {
    text.strip_suffix('%').filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn as_go(text: &str) -> String {
    format!("intstr.IntOrString{{Type:1, IntVal:0, StrVal:{}}}", json!(text))
}

fn quota(object: &Value, flaws: &mut Vec<Flaw>) {
    for (resource, amount) in object["spec"]["hard"].as_object().into_iter().flatten() {
        flaws.extend(Quantity::flaw(amount, &format!("spec.hard[{resource}]")));
    }
}

/// `ValidateLeaseSpec` in `pkg/apis/coordination/validation`. The API server drops what only coordinated elections have.
fn lease(object: &Value, flaws: &mut Vec<Flaw>) {
    for (name, least, detail) in [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ] {
        let value = &object["spec"][name];
        if value.as_i64().is_some_and(|number| number < least) {
            flaws.push(Flaw::invalid(format!("spec.{name}"), value, detail));
        }
    }
}

fn budget(object: &Value, flaws: &mut Vec<Flaw>) {
    let spec = &object["spec"];
    let bounds = [("minAvailable", &spec["minAvailable"]), ("maxUnavailable", &spec["maxUnavailable"])];
    if bounds.iter().all(|(_, bound)| !bound.is_null()) {
        let value = super::go_text::budget(spec);
        flaws.push(Flaw::invalid_go("spec", &value, "minAvailable and maxUnavailable cannot be both set"));
    }
    for (name, bound) in bounds {
        let field = format!("spec.{name}");
        percentage(bound, field.clone(), flaws);
        if bound.as_i64().is_some_and(|number| number < 0) {
            flaws.push(Flaw::invalid(field.clone(), bound, "must be greater than or equal to 0"));
        }
        let text = bound.as_str().unwrap_or_default();
        // A number that is too long for any type is too high, too.
        if digits(text).is_some_and(|digits| digits.parse().unwrap_or(u64::MAX) > 100) {
            flaws.push(Flaw::invalid_go(field, &as_go(text), "must not be greater than 100%"));
        }
    }
    one_of(
        &spec["unhealthyPodEvictionPolicy"],
        &["AlwaysAllow", "IfHealthyBudget"],
        "spec.unhealthyPodEvictionPolicy".to_owned(),
        flaws,
    );
    validate_selector::flaws(&spec["selector"], "spec.selector", flaws);
}

fn is_zero(value: &Value) -> bool {
    *value == 0 || *value == "0%"
}

fn stateful_set(object: &Value, flaws: &mut Vec<Flaw>) {
    let policy = text(object, "/spec/podManagementPolicy");
    if !matches!(policy, "" | "OrderedReady" | "Parallel") {
        let detail = "must be 'OrderedReady' or 'Parallel'";
        flaws.push(Flaw::invalid("spec.podManagementPolicy", &json!(policy), detail));
    }
}

fn role(object: &Value, flaws: &mut Vec<Flaw>) {
    for (index, rule) in list(object, "/rules").iter().enumerate() {
        let at = format!("rules[{index}]");
        let is_empty = |field: &str| list(rule, &format!("/{field}")).is_empty();
        if is_empty("verbs") {
            flaws.push(Flaw::required(format!("{at}.verbs"), "verbs must contain at least one value"));
        }
        if !is_empty("nonResourceURLs") {
            continue;
        }
        if is_empty("apiGroups") {
            flaws.push(Flaw::required(format!("{at}.apiGroups"), "resource rules must supply at least one api group"));
        }
        if is_empty("resources") {
            flaws.push(Flaw::required(format!("{at}.resources"), "resource rules must supply at least one resource"));
        }
    }
}

fn definition(object: &Value, flaws: &mut Vec<Flaw>) {
    let wanted = format!("{}.{}", text(object, "/spec/names/plural"), text(object, "/spec/group"));
    if text(object, "/metadata/name") != wanted {
        let name = json!(text(object, "/metadata/name"));
        flaws.push(Flaw::invalid("metadata.name", &name, "must be spec.names.plural+\".\"+spec.group"));
    }
    for (index, version) in list(object, "/spec/versions").iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            let at = format!("spec.versions[{index}].schema.openAPIV3Schema");
            flaws.push(Flaw::required(at, "schemas are required"));
        }
    }
}
