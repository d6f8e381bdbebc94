//! Fields that a kind does not have. Deployments and pods are checked, as far down as a container's own fields.

use serde_json::Value;

use super::kinds::Kind;
use super::object::text;

const OBJECT: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
const METADATA: [&str; 14] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
];
const DEPLOYMENT: [&str; 8] = [
    "replicas",
    "selector",
    "template",
    "strategy",
    "minReadySeconds",
    "revisionHistoryLimit",
    "paused",
    "progressDeadlineSeconds",
];
const POD: [&str; 41] = [
    "volumes",
    "initContainers",
    "containers",
    "ephemeralContainers",
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "activeDeadlineSeconds",
    "dnsPolicy",
    "nodeSelector",
    "serviceAccountName",
    "serviceAccount",
    "automountServiceAccountToken",
    "nodeName",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "shareProcessNamespace",
    "securityContext",
    "imagePullSecrets",
    "hostname",
    "subdomain",
    "affinity",
    "schedulerName",
    "tolerations",
    "hostAliases",
    "priorityClassName",
    "priority",
    "dnsConfig",
    "readinessGates",
    "runtimeClassName",
    "enableServiceLinks",
    "preemptionPolicy",
    "overhead",
    "topologySpreadConstraints",
    "setHostnameAsFQDN",
    "os",
    "hostUsers",
    "schedulingGates",
    "resourceClaims",
    "resources",
    "hostnameOverride",
];
const CONTAINER: [&str; 26] = [
    "name",
    "image",
    "command",
    "args",
    "workingDir",
    "ports",
    "envFrom",
    "env",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "volumeMounts",
    "volumeDevices",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "imagePullPolicy",
    "securityContext",
    "stdin",
    "stdinOnce",
    "tty",
    "targetContainerName",
];

/// Removes what a kind does not have; gives the paths of what was removed.
pub(super) fn prune(kind: &Kind, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    if kind.custom || !matches!(kind.kind.as_str(), "Deployment" | "Pod") {
        return unknown;
    }
    keep(object, "", &OBJECT, &mut unknown);
    metadata(object.get_mut("metadata"), "metadata", &mut unknown);
    let Some(spec) = object.get_mut("spec") else {
        return unknown;
    };
    if kind.kind == "Pod" {
        pod(spec, "spec", &mut unknown);
        return unknown;
    }
    keep(spec, "spec", &DEPLOYMENT, &mut unknown);
    if let Some(template) = spec.get_mut("template") {
        keep(template, "spec.template", &["metadata", "spec"], &mut unknown);
        metadata(template.get_mut("metadata"), "spec.template.metadata", &mut unknown);
        if let Some(spec) = template.get_mut("spec") {
            pod(spec, "spec.template.spec", &mut unknown);
        }
    }
    unknown
}

fn metadata(metadata: Option<&mut Value>, at: &str, unknown: &mut Vec<String>) {
    if let Some(metadata) = metadata {
        let mut known = METADATA.to_vec();
        known.push("managedFields");
        keep(metadata, at, &known, unknown);
    }
}

fn pod(spec: &mut Value, at: &str, unknown: &mut Vec<String>) {
    keep(spec, at, &POD, unknown);
    for field in ["initContainers", "containers"] {
        let containers = spec.get_mut(field).and_then(Value::as_array_mut);
        for (index, container) in containers.into_iter().flatten().enumerate() {
            keep(container, &format!("{at}.{field}[{index}]"), &CONTAINER, unknown);
        }
    }
}

fn keep(value: &mut Value, at: &str, known: &[&str], unknown: &mut Vec<String>) {
    let Some(map) = value.as_object_mut() else {
        return;
    };
    map.retain(|field, _| {
        let keep = known.contains(&field.as_str());
        if !keep {
            unknown.push(if at.is_empty() { field.clone() } else { format!("{at}.{field}") });
        }
        keep
    });
}

/// A value of a wrong type that manifests often have: the text after `cannot be handled as a …: `.
pub(super) fn type_error(kind: &Kind, object: &Value) -> Option<String> {
    if kind.custom {
        return None;
    }
    let wrong = |found: &Value, field: &str, wanted: &str| {
        Some(format!("json: cannot unmarshal {} into Go struct field {field} of type {wanted}", named(found)))
    };
    if let Some(replicas) = object.pointer("/spec/replicas").filter(|value| !value.is_i64() && !value.is_null()) {
        return wrong(replicas, &format!("{}Spec.spec.replicas", kind.kind), "int32");
    }
    let pointer = if kind.kind == "Pod" { "/spec" } else { "/spec/template/spec" };
    let spec = object.pointer(pointer)?;
    let path = pointer[1..].replace('/', ".");
    for container in spec.get("containers")?.as_array()? {
        if !text(container, "/image").is_empty() || container.get("image").is_none() {
            let variables = container.get("env").and_then(Value::as_array).into_iter().flatten();
            if let Some(value) = variables.filter_map(|variable| variable.get("value")).find(|value| !value.is_string())
            {
                return wrong(value, &format!("EnvVar.{path}.containers.env.value"), "string");
            }
        } else if !container["image"].is_string() {
            return wrong(&container["image"], &format!("Container.{path}.containers.image"), "string");
        }
    }
    None
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
