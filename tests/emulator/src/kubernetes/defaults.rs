//! What the API server fills in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::object::{default_to, map, name};
use crate::node::Image;

/// Fills in the defaults of a kind.
pub(super) fn fill(kind: &Kind, object: &mut Value) {
    match kind.kind.as_str() {
        "Pod" => pod(object),
        "Deployment" => deployment(object),
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => workload(object, &kind.kind),
        "Service" => service(object),
        "Secret" => secret(object),
        "Namespace" => namespace(object),
        "CustomResourceDefinition" => definition(object),
        _ => {}
    }
}

fn deployment(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "replicas", json!(1));
    default_to(spec, "revisionHistoryLimit", json!(10));
    default_to(spec, "progressDeadlineSeconds", json!(600));
    let strategy = map(object, &["spec", "strategy"]);
    default_to(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let rolling = map(object, &["spec", "strategy", "rollingUpdate"]);
        default_to(rolling, "maxSurge", json!("25%"));
        default_to(rolling, "maxUnavailable", json!("25%"));
    }
    pod_spec(map(object, &["spec", "template", "spec"]));
}

fn workload(object: &mut Value, kind: &str) {
    let spec = map(object, &["spec"]);
    match kind {
        "ReplicaSet" => default_to(spec, "replicas", json!(1)),
        "StatefulSet" => {
            default_to(spec, "replicas", json!(1));
            default_to(spec, "podManagementPolicy", json!("OrderedReady"));
            default_to(spec, "revisionHistoryLimit", json!(10));
            default_to(map(object, &["spec", "updateStrategy"]), "type", json!("RollingUpdate"));
        }
        "DaemonSet" => {
            default_to(spec, "revisionHistoryLimit", json!(10));
            default_to(map(object, &["spec", "updateStrategy"]), "type", json!("RollingUpdate"));
        }
        "Job" => {
            default_to(spec, "completions", json!(1));
            default_to(spec, "parallelism", json!(1));
            default_to(spec, "backoffLimit", json!(6));
        }
        _ => {}
    }
    pod_spec(map(object, &["spec", "template", "spec"]));
}

fn pod(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "enableServiceLinks", json!(true));
    default_to(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    default_to(spec, "priority", json!(0));
    default_to(spec, "serviceAccountName", json!("default"));
    let account = spec["serviceAccountName"].clone();
    default_to(spec, "serviceAccount", account);
    let tolerations = ["not-ready", "unreachable"].map(|condition| {
        json!({"key": format!("node.kubernetes.io/{condition}"), "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300})
    });
    default_to(spec, "tolerations", json!(tolerations));
    pod_spec(spec);
}

fn pod_spec(spec: &mut Map<String, Value>) {
    default_to(spec, "restartPolicy", json!("Always"));
    default_to(spec, "dnsPolicy", json!("ClusterFirst"));
    default_to(spec, "schedulerName", json!("default-scheduler"));
    default_to(spec, "securityContext", json!({}));
    default_to(spec, "terminationGracePeriodSeconds", json!(30));
    for field in ["initContainers", "containers"] {
        entries(spec.get_mut(field)).for_each(container);
    }
    entries(spec.get_mut("volumes")).for_each(volume);
}

fn entries(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn container(container: &mut Map<String, Value>) {
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
            default_to(probe, "timeoutSeconds", json!(1));
            default_to(probe, "periodSeconds", json!(10));
            default_to(probe, "successThreshold", json!(1));
            default_to(probe, "failureThreshold", json!(3));
        }
    }
    entries(container.get_mut("env")).for_each(|variable| {
        if let Some(Value::Object(field)) = variable.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef")) {
            default_to(field, "apiVersion", json!("v1"));
        }
    });
}

fn volume(volume: &mut Map<String, Value>) {
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if let Some(Value::Object(source)) = volume.get_mut(source) {
            default_to(source, "defaultMode", json!(420));
        }
    }
    if volume.len() == 1 {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
}

fn service(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "type", json!("ClusterIP"));
    default_to(spec, "sessionAffinity", json!("None"));
    default_to(spec, "internalTrafficPolicy", json!("Cluster"));
    entries(spec.get_mut("ports")).for_each(|port| {
        default_to(port, "protocol", json!("TCP"));
        let target = port.get("port").cloned().unwrap_or_default();
        default_to(port, "targetPort", target);
    });
}

/// `stringData` is only ever written; what is kept is `data`.
fn secret(object: &mut Value) {
    let secret = map(object, &[]);
    default_to(secret, "type", json!("Opaque"));
    if let Some(Value::Object(texts)) = secret.remove("stringData") {
        let data = map(object, &["data"]);
        for (key, text) in texts {
            data.insert(key, json!(STANDARD.encode(text.as_str().unwrap_or_default())));
        }
    }
}

fn namespace(object: &mut Value) {
    let name = name(object).to_owned();
    map(object, &["metadata", "labels"]).insert("kubernetes.io/metadata.name".to_owned(), json!(name));
    default_to(map(object, &["spec"]), "finalizers", json!(["kubernetes"]));
}

fn definition(object: &mut Value) {
    let names = map(object, &["spec", "names"]);
    let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    default_to(names, "singular", json!(kind.to_lowercase()));
    default_to(names, "listKind", json!(format!("{kind}List")));
    default_to(map(object, &["spec"]), "conversion", json!({"strategy": "None"}));
}

/// The status that a new object has; what a client sends as status does not count.
pub(super) fn first_status(kind: &Kind, object: &Value, time: &str) -> Option<Value> {
    match kind.kind.as_str() {
        "Pod" => Some(json!({"phase": "Pending", "qosClass": quality(object)})),
        "Namespace" => Some(json!({"phase": "Active"})),
        "Service" | "Ingress" => Some(json!({"loadBalancer": {}})),
        "ReplicaSet" | "StatefulSet" => Some(json!({"replicas": 0})),
        "DaemonSet" => Some(json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0,
            "numberReady": 0})),
        "CustomResourceDefinition" => {
            let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": time});
            let versions: Vec<_> = super::object::list(object, "/spec/versions")
                .iter()
                .filter(|version| version["storage"] == true)
                .map(|version| version["name"].clone())
                .collect();
            Some(json!({"acceptedNames": object["spec"]["names"], "storedVersions": versions, "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted")]}))
        }
        _ => kind.status.then(|| json!({})).filter(|_| !kind.custom),
    }
}

fn quality(pod: &Value) -> &'static str {
    let containers = super::object::list(pod, "/spec/containers");
    let part = |container: &Value, part: &str| {
        container
            .pointer(&format!("/resources/{part}"))
            .filter(|part| part.as_object().is_some_and(|part| !part.is_empty()))
            .cloned()
    };
    let bare = |container: &Value| part(container, "requests").is_none() && part(container, "limits").is_none();
    let fixed = |container: &Value| {
        let limits = part(container, "limits");
        let both = limits.as_ref().is_some_and(|limits| limits.get("cpu").is_some() && limits.get("memory").is_some());
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
