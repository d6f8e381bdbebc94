//! What the API server fills in for pods, and for the templates of pods.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::object::{default_to, list, map};
use super::quantity::Quantity;
use crate::node::Image;

pub(super) fn pod(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "enableServiceLinks", json!(true));
    pod_spec(spec);
    if spec.get("hostNetwork") == Some(&json!(true)) {
        for field in ["initContainers", "containers"] {
            for port in entries(spec.get_mut(field)).flat_map(|container| entries(container.get_mut("ports"))) {
                let number = port.get("containerPort").cloned().unwrap_or_default();
                default_to(port, "hostPort", number);
            }
        }
    }
    for field in ["initContainers", "containers"] {
        entries(spec.get_mut(field)).for_each(requests_from_limits);
    }
}

/// A limit without a request is the request too.
fn requests_from_limits(container: &mut Map<String, Value>) {
    let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else { return };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else { return };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    if let Some(requests) = requests.as_object_mut() {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

/// What admission, not the kind's defaults, fills in.
pub(super) fn admitted_pod(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    default_to(spec, "priority", json!(0));
    default_to(spec, "serviceAccountName", json!("default"));
    let account = spec["serviceAccountName"].clone();
    default_to(spec, "serviceAccount", account);
    let tolerations = ["not-ready", "unreachable"].map(|condition| {
        json!({"key": format!("node.kubernetes.io/{condition}"), "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300})
    });
    default_to(spec, "tolerations", json!([]));
    if let Some(known) = spec.get_mut("tolerations").and_then(Value::as_array_mut) {
        for toleration in tolerations {
            let is_there = |one: &Value| {
                (one["key"].is_null() || one["key"] == toleration["key"])
                    && (one["effect"].is_null() || one["effect"] == "NoExecute")
            };
            if !known.iter().any(is_there) {
                known.push(toleration);
            }
        }
    }
}

/// A pod's conditions show the time of a probe that never was.
pub(super) fn probe_times(pod: &mut Value) {
    entries(map(pod, &["status"]).get_mut("conditions")).for_each(|condition| {
        condition.entry("lastProbeTime").or_insert(Value::Null);
    });
}

pub(super) fn pod_spec(spec: &mut Map<String, Value>) {
    default_to(spec, "restartPolicy", json!("Always"));
    default_to(spec, "dnsPolicy", json!("ClusterFirst"));
    default_to(spec, "schedulerName", json!("default-scheduler"));
    default_to(spec, "securityContext", json!({}));
    default_to(spec, "terminationGracePeriodSeconds", json!(30));
    if spec["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        spec.insert("terminationGracePeriodSeconds".to_owned(), json!(1));
    }
    for field in ["initContainers", "containers"] {
        entries(spec.get_mut(field)).for_each(container);
    }
    entries(spec.get_mut("volumes")).for_each(volume);
}

pub(super) fn entries(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn container(container: &mut Map<String, Value>) {
    if let Some(resources) = container.get_mut("resources") {
        super::quantity::shorten(resources.get_mut("limits"));
        super::quantity::shorten(resources.get_mut("requests"));
    }
    default_to(container, "resources", json!({}));
    default_to(container, "terminationMessagePath", json!("/dev/termination-log"));
    default_to(container, "terminationMessagePolicy", json!("File"));
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    // An image that cannot be read is no reason to refuse here: kubelet reports it.
    let latest = Image::parse(image).is_ok_and(|image| image.is_latest());
    default_to(container, "imagePullPolicy", json!(if latest { "Always" } else { "IfNotPresent" }));
    entries(container.get_mut("ports")).for_each(|port| default_to(port, "protocol", json!("TCP")));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(Value::Object(probe)) = container.get_mut(probe) {
            handler(probe);
            default_to(probe, "timeoutSeconds", json!(1));
            default_to(probe, "periodSeconds", json!(10));
            default_to(probe, "successThreshold", json!(1));
            default_to(probe, "failureThreshold", json!(3));
        }
    }
    if let Some(Value::Object(lifecycle)) = container.get_mut("lifecycle") {
        lifecycle.values_mut().filter_map(Value::as_object_mut).for_each(handler);
    }
    entries(container.get_mut("env")).for_each(|variable| {
        // An empty text is the same as none.
        if variable.get("value").is_some_and(|value| value == "") {
            variable.remove("value");
        }
        if let Some(Value::Object(from)) = variable.get_mut("valueFrom") {
            field_reference(from);
        }
    });
}

fn field_reference(from: &mut Map<String, Value>) {
    if let Some(Value::Object(field)) = from.get_mut("fieldRef") {
        default_to(field, "apiVersion", json!("v1"));
    }
}

/// What a probe or a hook calls.
fn handler(handler: &mut Map<String, Value>) {
    if let Some(Value::Object(get)) = handler.get_mut("httpGet") {
        default_to(get, "path", json!("/"));
        default_to(get, "scheme", json!("HTTP"));
    }
    if let Some(Value::Object(grpc)) = handler.get_mut("grpc") {
        default_to(grpc, "service", json!(""));
    }
}

fn volume(volume: &mut Map<String, Value>) {
    if let Some(Value::Object(path)) = volume.get_mut("hostPath") {
        default_to(path, "type", json!(""));
    }
    if let Some(limit) = volume.get_mut("emptyDir").and_then(|directory| directory.get_mut("sizeLimit")) {
        super::quantity::shorten_one(limit);
    }
    if let Some(Value::Object(down)) = volume.get_mut("downwardAPI") {
        entries(down.get_mut("items")).for_each(field_reference);
    }
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if let Some(Value::Object(source)) = volume.get_mut(source) {
            default_to(source, "defaultMode", json!(420));
        }
    }
    if volume.len() == 1 {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
}

/// The class of a pod's claims on its node.
/// Only processor time and memory count, and none of them is as good as nothing.
fn counts(name: &str, value: &Value) -> bool {
    matches!(name, "cpu" | "memory") && Quantity::of(value).is_some_and(|amount| !amount.is_zero())
}

/// The amounts of a part of a container's resources that count; `None` if there are none.
fn part<'a>(container: &'a Value, part: &str) -> Option<BTreeMap<&'a String, &'a Value>> {
    let amounts = container.pointer(&format!("/resources/{part}"))?.as_object()?;
    let counted: BTreeMap<_, _> = amounts.iter().filter(|(name, value)| counts(name, value)).collect();
    (!counted.is_empty()).then_some(counted)
}

pub(super) fn quality(pod: &Value) -> &'static str {
    let containers = list(pod, "/spec/containers");
    let bare = |container: &Value| part(container, "requests").is_none() && part(container, "limits").is_none();
    let fixed = |container: &Value| {
        let limits = part(container, "limits");
        let both = limits.as_ref().is_some_and(|limits| limits.len() == 2);
        let requests = part(container, "requests");
        both && (requests.is_none() || requests == limits)
    };
    if containers.iter().all(bare) {
        "BestEffort"
    } else if containers.iter().all(fixed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}
