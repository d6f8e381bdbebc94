//! What the API server fills in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::defaults_pod::{entries, pod, pod_spec, quality};
use super::kinds::Kind;
use super::object::{add_finalizer, default_to, map, name};
use super::quantity;

/// How often a daemon set's template has changed; a separate number in older versions.
pub(super) const GENERATION_OF_TEMPLATE: &str = "deprecated.daemonset.template.generation";

/// Fills in the defaults of a kind.
pub(super) fn fill(kind: &Kind, object: &mut Value) {
    super::validate_custom::fill(&kind.definition, object);
    super::policy::defaults(kind, object);
    match kind.kind.as_str() {
        "Pod" => pod(object),
        "Deployment" => deployment(object),
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => workload(object, &kind.kind),
        "CronJob" => cron_job(object),
        "NetworkPolicy" => network_policy(object),
        "HorizontalPodAutoscaler" => autoscaler(object),
        "PersistentVolumeClaim" => claim(object),
        "PersistentVolume" => persistent_volume(object),
        "LimitRange" => limit_range(object),
        "ResourceQuota" => quantity::shorten(map(object, &["spec"]).get_mut("hard")),
        "StorageClass" => storage_class(object),
        "Role" | "ClusterRole" => rules(object),
        "RoleBinding" | "ClusterRoleBinding" => subjects(object),
        "PriorityClass" => default_to(map(object, &[]), "preemptionPolicy", json!("PreemptLowerPriority")),
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
    map(object, &["spec", "template", "metadata"]).entry("creationTimestamp").or_insert(Value::Null);
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
            let retention = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
            default_to(spec, "persistentVolumeClaimRetentionPolicy", retention);
            rolling_update(object, &[("partition", json!(0))]);
        }
        "DaemonSet" => {
            default_to(spec, "revisionHistoryLimit", json!(10));
            rolling_update(object, &[("maxSurge", json!(0)), ("maxUnavailable", json!(1))]);
            let annotations = map(object, &["metadata", "annotations"]);
            let known = annotations.get(GENERATION_OF_TEMPLATE).and_then(Value::as_str);
            // An update gets that of the object.
            let number = known.and_then(|known| known.parse::<i64>().ok()).unwrap_or(1).max(1);
            annotations.insert(GENERATION_OF_TEMPLATE.to_owned(), json!(number.to_string()));
        }
        "Job" => job(object),
        _ => {}
    }
    map(object, &["spec", "template", "metadata"]).entry("creationTimestamp").or_insert(Value::Null);
    pod_spec(map(object, &["spec", "template", "spec"]));
}

fn rolling_update(object: &mut Value, defaults: &[(&str, Value)]) {
    let strategy = map(object, &["spec", "updateStrategy"]);
    default_to(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let rolling = map(object, &["spec", "updateStrategy", "rollingUpdate"]);
        for (name, value) in defaults {
            default_to(rolling, name, value.clone());
        }
    }
}

fn job(object: &mut Value) {
    job_spec(map(object, &["spec"]));
    // A job without labels gets those of its template.
    if object["metadata"].get("labels").is_none_or(|labels| labels.as_object().is_none_or(Map::is_empty))
        && let Some(labels) = object.pointer("/spec/template/metadata/labels").cloned()
    {
        map(object, &["metadata"]).insert("labels".to_owned(), labels);
    }
}

fn job_spec(spec: &mut Map<String, Value>) {
    let one = spec.get("completions").is_none_or(Value::is_null) && spec.get("parallelism").is_none_or(Value::is_null);
    if one {
        spec.insert("completions".to_owned(), json!(1));
    }
    default_to(spec, "parallelism", json!(1));
    default_to(spec, "backoffLimit", json!(6));
    default_to(spec, "completionMode", json!("NonIndexed"));
    default_to(spec, "suspend", json!(false));
    default_to(spec, "podReplacementPolicy", json!("TerminatingOrFailed"));
    default_to(spec, "manualSelector", json!(false));
}

/// Sets a new job's selector, and the labels of its pods, to its own uid. The API server does so after it has filled in the defaults.
fn select_by_uid(object: &mut Value) {
    let is_labelled = object.pointer("/metadata/labels") != object.pointer("/spec/template/metadata/labels");
    if object["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (object["metadata"]["uid"].clone(), object["metadata"]["name"].clone());
    map(object, &["spec", "selector", "matchLabels"])
        .insert("batch.kubernetes.io/controller-uid".to_owned(), uid.clone());
    let labels = map(object, &["spec", "template", "metadata", "labels"]);
    for prefix in ["batch.kubernetes.io/", ""] {
        labels.insert(format!("{prefix}controller-uid"), uid.clone());
        labels.insert(format!("{prefix}job-name"), name.clone());
    }
    // In Go, labels that came from the template are the same map, and change with it.
    if !is_labelled {
        let labels = labels.clone();
        map(object, &["metadata"]).insert("labels".to_owned(), json!(labels));
    }
}

fn cron_job(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "concurrencyPolicy", json!("Allow"));
    default_to(spec, "suspend", json!(false));
    default_to(spec, "successfulJobsHistoryLimit", json!(3));
    default_to(spec, "failedJobsHistoryLimit", json!(1));
    map(object, &["spec", "jobTemplate", "metadata"]).entry("creationTimestamp").or_insert(Value::Null);
    map(object, &["spec", "jobTemplate", "spec", "template", "metadata"])
        .entry("creationTimestamp")
        .or_insert(Value::Null);
    pod_spec(map(object, &["spec", "jobTemplate", "spec", "template", "spec"]));
}

fn network_policy(object: &mut Value) {
    let has_egress = object["spec"].get("egress").is_some();
    let types = if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    default_to(map(object, &["spec"]), "policyTypes", types);
}

fn autoscaler(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "minReplicas", json!(1));
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
    default_to(spec, "metrics", json!([metric]));
}

fn claim(object: &mut Value) {
    default_to(map(object, &["spec"]), "volumeMode", json!("Filesystem"));
}

fn persistent_volume(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "volumeMode", json!("Filesystem"));
    default_to(spec, "persistentVolumeReclaimPolicy", json!("Retain"));
    if let Some(Value::Object(path)) = spec.get_mut("hostPath") {
        default_to(path, "type", json!(""));
    }
}

fn limit_range(object: &mut Value) {
    entries(map(object, &["spec"]).get_mut("limits"))
        .filter(|limit| limit.get("type") == Some(&json!("Container")))
        .for_each(|limit| {
            let max = limit.get("max").cloned().unwrap_or_else(|| json!({}));
            let min = limit.get("min").cloned().unwrap_or_else(|| json!({}));
            let merge = |limit: &mut Map<String, Value>, field: &str, from: &Value| {
                let entry = limit.entry(field).or_insert_with(|| json!({}));
                for (name, value) in from.as_object().into_iter().flatten() {
                    entry.as_object_mut().map(|entry| entry.entry(name).or_insert_with(|| value.clone()));
                }
            };
            merge(limit, "default", &max);
            let default = limit.get("default").cloned().unwrap_or_default();
            merge(limit, "defaultRequest", &default);
            merge(limit, "defaultRequest", &min);
        });
    for limit in entries(map(object, &["spec"]).get_mut("limits")) {
        for bound in ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"] {
            quantity::shorten(limit.get_mut(bound));
        }
    }
}

/// A list without entries is null there.
fn rules(object: &mut Value) {
    let role = map(object, &[]);
    if role.get("rules").is_none_or(|rules| rules.as_array().is_some_and(Vec::is_empty)) {
        role.insert("rules".to_owned(), Value::Null);
    }
}

fn subjects(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let binding = map(object, &[]);
    if binding.get("subjects").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        binding.remove("subjects");
    }
    entries(binding.get_mut("subjects"))
        .filter(|subject| matches!(subject.get("kind").and_then(Value::as_str), Some("User" | "Group")))
        .for_each(|subject| default_to(subject, "apiGroup", json!(GROUP)));
    default_to(map(object, &["roleRef"]), "apiGroup", json!(GROUP));
}

fn storage_class(object: &mut Value) {
    let class = map(object, &[]);
    default_to(class, "reclaimPolicy", json!("Delete"));
    default_to(class, "volumeBindingMode", json!("Immediate"));
}

fn service(object: &mut Value) {
    let spec = map(object, &["spec"]);
    default_to(spec, "type", json!("ClusterIP"));
    default_to(spec, "sessionAffinity", json!("None"));
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        default_to(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    if matches!(kind.as_str(), "LoadBalancer" | "NodePort") {
        default_to(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        default_to(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if spec.get("clusterIP").is_some_and(|address| address == "None") {
        default_to(spec, "clusterIPs", json!(["None"]));
        let is_selected = spec.get("selector").is_some();
        default_to(spec, "ipFamilies", if is_selected { json!(["IPv4"]) } else { json!(["IPv4", "IPv6"]) });
        default_to(spec, "ipFamilyPolicy", json!(if is_selected { "SingleStack" } else { "RequireDualStack" }));
    }
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
}

/// What the API server sets after it has noted whose fields are whose.
pub(super) fn prepare(kind: &Kind, object: &mut Value) {
    match kind.kind.as_str() {
        "Namespace" => default_to(map(object, &["spec"]), "finalizers", json!(["kubernetes"])),
        "PersistentVolumeClaim" => add_finalizer(object, "kubernetes.io/pvc-protection"),
        "PersistentVolume" => add_finalizer(object, "kubernetes.io/pv-protection"),
        "Job" => select_by_uid(object),
        _ => {}
    }
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
        "PersistentVolumeClaim" => Some(json!({"phase": "Pending"})),
        "PersistentVolume" => Some(json!({"phase": "Pending", "lastPhaseTransitionTime": time})),
        "PodDisruptionBudget" => {
            Some(json!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}))
        }
        "HorizontalPodAutoscaler" => Some(json!({"desiredReplicas": 0, "currentMetrics": null})),
        "Service" | "Ingress" => Some(json!({"loadBalancer": {}})),
        "ReplicaSet" => Some(json!({"replicas": 0})),
        "StatefulSet" => Some(json!({"replicas": 0, "availableReplicas": 0})),
        "DaemonSet" => Some(json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0,
            "numberReady": 0})),
        "CustomResourceDefinition" => {
            let versions = super::object::list(object, "/spec/versions").iter();
            let stored: Vec<_> =
                versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone()).collect();
            Some(json!({"acceptedNames": {"kind": "", "plural": ""}, "storedVersions": stored, "conditions": null}))
        }
        _ => kind.status.then(|| json!({})).filter(|_| !kind.custom),
    }
}
