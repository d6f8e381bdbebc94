//! The status of a pod, from what its containers are doing.

use serde_json::{Value, json};

use super::super::object::{condition, text};
use super::PodWork;
use super::container::{Container, Phase};

/// The status to write; `place` is the node's address and the time.
pub(super) fn status(pod: &Value, work: &PodWork, (host, now): &(String, String)) -> Value {
    let initialized = work.containers.iter().filter(|container| container.init).all(Container::lets_next_begin);
    let has_init = work.containers.iter().any(|container| container.init);
    let mut status = json!({
        "phase": phase(pod, work, initialized), "conditions": conditions(pod, work, initialized, now),
        "hostIP": host, "hostIPs": [{"ip": host}],
        "startTime": work.since, "qosClass": pod["status"]["qosClass"],
        "containerStatuses": statuses(work, false, initialized, has_init)});
    // Without its volumes, a pod has no sandbox and no address.
    if work.unmounted.is_empty() {
        status["podIP"] = json!(work.address);
        status["podIPs"] = json!([{"ip": work.address}]);
    }
    if has_init {
        status["initContainerStatuses"] = statuses(work, true, initialized, true);
    }
    status
}

fn phase(pod: &Value, work: &PodWork, initialized: bool) -> &'static str {
    if let Some(success) = work.outcome() {
        return if success { "Succeeded" } else { "Failed" };
    }
    let mut mains = work.containers.iter().filter(|container| !container.init);
    // One container that waits for its first start keeps the pod pending; once it ran, a later pull does not.
    let ran = text(pod, "/status/phase") == "Running";
    let has_begun = |container: &Container| container.is_running() || container.has_ended();
    if ran || (initialized && mains.all(has_begun)) { "Running" } else { "Pending" }
}

fn statuses(work: &PodWork, init: bool, initialized: bool, has_init: bool) -> Value {
    let waiting = if has_init && !initialized { "PodInitializing" } else { "ContainerCreating" };
    let statuses: Vec<_> = work
        .containers
        .iter()
        .filter(|container| container.init == init)
        .map(|container| {
            let running = container.is_running();
            let id = if running || container.has_ended() { container_id(work, container) } else { String::new() };
            json!({"name": container.name, "image": container.image, "imageID": container.image_id, "lastState": container.last,
                "ready": if init && !container.sidecar { matches!(container.phase, Phase::Ended(_, _, 0)) } else { running },
                "restartCount": container.restarts, "started": running, "state": container.state(waiting),
                "containerID": id})
        })
        .collect();
    json!(statuses)
}

fn container_id(work: &PodWork, container: &Container) -> String {
    use sha2::{Digest, Sha256};
    format!("containerd://{:x}", Sha256::digest(format!("{:?}{}{}", work.key, container.name, container.restarts)))
}

fn conditions(pod: &Value, work: &PodWork, initialized: bool, now: &str) -> Value {
    let names = |unready: &dyn Fn(&&Container) -> bool| -> Vec<&str> {
        work.containers.iter().filter(unready).map(|container| container.name.as_str()).collect()
    };
    if let Some(success) = work.outcome() {
        return ended(pod, initialized, success, now);
    }
    let incomplete = names(&|container| container.init && !container.lets_next_begin());
    let unready = names(&|container| (!container.init || container.sidecar) && !container.is_running());
    let incomplete = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    let unready_message = format!("containers with unready status: [{}]", unready.join(" "));
    let ready = unready.is_empty() && initialized;
    let not_ready = (!ready).then_some(("ContainersNotReady", unready_message.as_str()));
    let not_initialized = (!initialized).then_some(("ContainersNotInitialized", incomplete.as_str()));
    let no_sandbox = (!work.unmounted.is_empty()).then_some(("", ""));
    json!([
        one(pod, "PodReadyToStartContainers", no_sandbox, now),
        one(pod, "Initialized", not_initialized, now),
        one(pod, "Ready", not_ready, now),
        one(pod, "ContainersReady", not_ready, now),
        one(pod, "PodScheduled", None, now),
    ])
}

/// The conditions of a pod that has ended.
fn ended(pod: &Value, initialized: bool, success: bool, now: &str) -> Value {
    let why = if success { ("PodCompleted", "") } else { ("PodFailed", "") };
    let incomplete = (!initialized).then_some(("ContainersNotInitialized", ""));
    json!([
        one(pod, "PodReadyToStartContainers", Some(("", "")), now),
        one(pod, "Initialized", incomplete, now),
        one(pod, "Ready", Some(why), now),
        one(pod, "ContainersReady", Some(why), now),
        one(pod, "PodScheduled", None, now),
    ])
}

/// One condition: true unless there is a reason; the time moves only when that changes.
fn one(pod: &Value, kind: &str, reason: Option<(&str, &str)>, now: &str) -> Value {
    let status = if reason.is_some() { "False" } else { "True" };
    let known = condition(pod, kind).filter(|known| known["status"] == status);
    let since = known.map_or(now, |known| text(known, "/lastTransitionTime"));
    let mut condition = json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
    let (reason, message) = reason.unwrap_or_default();
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition[field] = json!(text);
        }
    }
    condition
}
