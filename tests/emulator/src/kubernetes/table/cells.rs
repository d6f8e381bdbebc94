//! What the columns of each kind are, and what stands in them.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Clock, Kind, counts, pod_status, since};
use crate::kubernetes::object::{is_true, list, name, number, text};

/// One cell, with what its column is called.
pub(super) struct Cell {
    pub(super) name: &'static str,
    pub(super) value: Value,
    /// Only shown when asked for wide tables.
    pub(super) wide: bool,
}

impl Cell {
    fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self { name, value: value.into(), wide: false }
    }

    fn wide(name: &'static str, value: impl Into<Value>) -> Self {
        Self { name, value: value.into(), wide: true }
    }
}

/// The row of an object. Of no object it has the same columns.
pub(super) fn of(kind: &Kind, object: &Value, clock: &Clock, now: Instant) -> Vec<Cell> {
    let age = Cell::new("Age", since(text(object, "/metadata/creationTimestamp"), clock, now));
    let mut row = vec![Cell::new("Name", name(object))];
    match kind.kind.as_str() {
        "Event" => return event(object, clock, now),
        "Pod" => row.extend(pod(object, age)),
        "Node" => row.extend(node(object, age)),
        "Service" => row.extend(service(object, age)),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => row.extend(workload(kind, object, age)),
        "Namespace" => row.extend([Cell::new("Status", text(object, "/status/phase")), age]),
        "Secret" => {
            row.extend([Cell::new("Type", text(object, "/type")), Cell::new("Data", entries(object, &["/data"])), age]);
        }
        "ConfigMap" => row.extend([Cell::new("Data", entries(object, &["/data", "/binaryData"])), age]),
        "Lease" => row.extend([Cell::new("Holder", text(object, "/spec/holderIdentity")), age]),
        "ServiceAccount" => row.extend([Cell::new("Secrets", list(object, "/secrets").len()), age]),
        _ => row.push(age),
    }
    row
}

fn entries(object: &Value, pointers: &[&str]) -> usize {
    pointers.iter().filter_map(|pointer| object.pointer(pointer)?.as_object()).map(serde_json::Map::len).sum()
}

fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

fn or_none(text: &str) -> String {
    if text.is_empty() { String::from("<none>") } else { text.to_owned() }
}

fn pod(object: &Value, age: Cell) -> Vec<Cell> {
    let (ready, total, restarts) = counts(object);
    vec![
        Cell::new("Ready", format!("{ready}/{total}")),
        Cell::new("Status", pod_status(object)),
        Cell::new("Restarts", restarts.to_string()),
        age,
        Cell::wide("IP", or_none(text(object, "/status/podIP"))),
        Cell::wide("Node", or_none(text(object, "/spec/nodeName"))),
        Cell::wide("Nominated Node", "<none>"),
        Cell::wide("Readiness Gates", "<none>"),
    ]
}

fn node(object: &Value, age: Cell) -> Vec<Cell> {
    let ready = if is_true(object, "Ready") { "Ready" } else { "NotReady" };
    let cordoned = object.pointer("/spec/unschedulable") == Some(&json!(true));
    let about = |field: &str| text(object, &format!("/status/nodeInfo/{field}")).to_owned();
    let address = |kind: &str| {
        let found = list(object, "/status/addresses").iter().find(|one| one["type"] == kind);
        or_none(found.map(|one| text(one, "/address")).unwrap_or_default())
    };
    vec![
        Cell::new("Status", format!("{ready}{}", if cordoned { ",SchedulingDisabled" } else { "" })),
        Cell::new("Roles", "<none>"),
        age,
        Cell::new("Version", about("kubeletVersion")),
        Cell::wide("Internal-IP", address("InternalIP")),
        Cell::wide("External-IP", address("ExternalIP")),
        Cell::wide("OS-Image", about("osImage")),
        Cell::wide("Kernel-Version", about("kernelVersion")),
        Cell::wide("Container-Runtime", about("containerRuntimeVersion")),
    ]
}

fn service(object: &Value, age: Cell) -> Vec<Cell> {
    let port = |port: &Value| {
        let node = number(port, "/nodePort").map(|node| format!(":{node}")).unwrap_or_default();
        let protocol = or_default(text(port, "/protocol"), "TCP");
        format!("{}{node}/{protocol}", count(port, "/port"))
    };
    let ports: Vec<_> = list(object, "/spec/ports").iter().map(port).collect();
    vec![
        Cell::new("Type", or_default(text(object, "/spec/type"), "ClusterIP")),
        Cell::new("Cluster-IP", or_none(text(object, "/spec/clusterIP"))),
        Cell::new("External-IP", "<none>"),
        Cell::new("Port(s)", or_none(&ports.join(","))),
        age,
        Cell::wide("Selector", or_none(&labels(object, "/spec/selector"))),
    ]
}

fn or_default(text: &str, default: &str) -> String {
    if text.is_empty() { default.to_owned() } else { text.to_owned() }
}

fn workload(kind: &Kind, object: &Value, age: Cell) -> Vec<Cell> {
    let status = |name: &'static str, field: &str| Cell::new(name, count(object, &format!("/status/{field}")));
    let ready = || {
        Cell::new("Ready", format!("{}/{}", count(object, "/status/readyReplicas"), count(object, "/spec/replicas")))
    };
    let mut row = match kind.kind.as_str() {
        "Deployment" => {
            vec![ready(), status("Up-to-date", "updatedReplicas"), status("Available", "availableReplicas"), age]
        }
        "StatefulSet" => vec![ready(), age],
        "ReplicaSet" => vec![
            Cell::new("Desired", count(object, "/spec/replicas")),
            status("Current", "replicas"),
            status("Ready", "readyReplicas"),
            age,
        ],
        _ => vec![
            status("Desired", "desiredNumberScheduled"),
            status("Current", "currentNumberScheduled"),
            status("Ready", "numberReady"),
            status("Up-to-date", "updatedNumberScheduled"),
            status("Available", "numberAvailable"),
            Cell::new("Node Selector", or_none(&labels(object, "/spec/template/spec/nodeSelector"))),
            age,
        ],
    };
    let containers = list(object, "/spec/template/spec/containers");
    let all = |field: &str| containers.iter().map(|one| text(one, field)).collect::<Vec<_>>().join(",");
    row.extend([Cell::wide("Containers", all("/name")), Cell::wide("Images", all("/image"))]);
    if kind.kind != "StatefulSet" {
        row.push(Cell::wide("Selector", or_none(&labels(object, "/spec/selector/matchLabels"))));
    }
    row
}

fn labels(object: &Value, pointer: &str) -> String {
    let all = object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    all.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>().join(",")
}

fn event(object: &Value, clock: &Clock, now: Instant) -> Vec<Cell> {
    let involved = |field: &str| text(object, &format!("/involvedObject/{field}"));
    let about = format!("{}/{}", involved("kind").to_lowercase(), involved("name"));
    let source = [text(object, "/source/component"), text(object, "/source/host")];
    let source: Vec<_> = source.into_iter().filter(|part| !part.is_empty()).collect();
    vec![
        Cell::new("Last Seen", since(text(object, "/lastTimestamp"), clock, now)),
        Cell::new("Type", text(object, "/type")),
        Cell::new("Reason", text(object, "/reason")),
        Cell::new("Object", about),
        Cell::wide("Subobject", involved("fieldPath")),
        Cell::wide("Source", source.join(", ")),
        Cell::new("Message", text(object, "/message")),
        Cell::wide("First Seen", since(text(object, "/firstTimestamp"), clock, now)),
        Cell::wide("Count", count(object, "/count")),
        Cell::wide("Name", name(object)),
    ]
}
