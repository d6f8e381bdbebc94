//! STATUS, READY and RESTARTS, computed as the Kubernetes API server's printer computes them.

use super::object::{ContainerStatus, Object, State, Terminated, time};
use std::time::SystemTime;

pub(super) struct Summary {
    pub status: String,
    pub ready: u32,
    pub containers: u32,
    pub restarts: u32,
    pub last_restart: Option<SystemTime>,
}

/// What was counted so far.
#[derive(Default)]
struct Count {
    ready: u32,
    restarts: u32,
    last_restart: Option<SystemTime>,
}

impl Count {
    fn restarts(&mut self, status: &ContainerStatus) {
        self.restarts = self.restarts.saturating_add(status.restart_count);
        let ended = status.last_state.terminated.as_ref().and_then(|last| last.finished_at.as_deref()).and_then(time);
        self.last_restart = self.last_restart.max(ended);
    }
}

pub(super) fn summarize(pod: &Object) -> Summary {
    let mut init = Init::default();
    let initializing = initialize(pod, &mut init);
    let is_initialized = initializing.is_none() || pod.has_condition("Initialized");
    let mut status = initializing.unwrap_or_else(|| phase(pod));
    let mut count = init.all;
    if is_initialized {
        // Once the pod runs, only the sidecars among its init containers count.
        count = init.sidecars;
        let reason = run(pod, &mut count);
        status = reason.unwrap_or(status);
        if status == "Completed" && is_any_running(pod) {
            status = if pod.has_condition("Ready") { "Running" } else { "NotReady" }.into();
        }
    }
    Summary {
        status: deleted(pod).unwrap_or(status),
        ready: count.ready,
        containers: total(pod),
        restarts: count.restarts,
        last_restart: count.last_restart,
    }
}

fn phase(pod: &Object) -> String {
    let is_gated = |one: &&super::object::Condition| {
        one.kind == "PodScheduled" && one.reason.as_deref() == Some("SchedulingGated")
    };
    if pod.status.conditions.iter().any(|one| is_gated(&one)) {
        return "SchedulingGated".to_owned();
    }
    pod.status.reason.clone().filter(|reason| !reason.is_empty()).unwrap_or_else(|| pod.status.phase.clone())
}

/// What was counted of init containers.
#[derive(Default)]
struct Init {
    all: Count,
    sidecars: Count,
}

/// Init containers in their order; the first that is not done gives the status.
fn initialize(pod: &Object, count: &mut Init) -> Option<String> {
    let total = pod.spec.init_containers.len();
    for (index, status) in pod.status.init_container_statuses.iter().enumerate() {
        count.all.restarts(status);
        if is_sidecar(pod, &status.name) {
            count.sidecars.restarts(status);
        }
        let state = &status.state;
        if state.terminated.as_ref().is_some_and(|ended| ended.exit_code == 0) {
            continue;
        }
        if is_sidecar(pod, &status.name) && status.started == Some(true) {
            count.all.ready += u32::from(status.ready);
            count.sidecars.ready += u32::from(status.ready);
            continue;
        }
        let waiting = state.waiting.as_ref().map(|waiting| waiting.reason.as_str());
        return Some(match (&state.terminated, waiting) {
            (Some(ended), _) => format!("Init:{}", ended_reason(ended)),
            (None, Some(reason)) if !reason.is_empty() && reason != "PodInitializing" => format!("Init:{reason}"),
            _ => format!("Init:{index}/{total}"),
        });
    }
    None
}

/// Containers from last to first, so that the first one's reason wins.
fn run(pod: &Object, count: &mut Count) -> Option<String> {
    let mut reason = None;
    for status in pod.status.container_statuses.iter().rev() {
        count.restarts(status);
        match &status.state {
            State { waiting: Some(waiting), .. } if !waiting.reason.is_empty() => reason = Some(waiting.reason.clone()),
            State { terminated: Some(ended), .. } => reason = Some(ended_reason(ended)),
            State { running: Some(_), .. } if status.ready => count.ready += 1,
            _ => {}
        }
    }
    reason
}

fn ended_reason(ended: &Terminated) -> String {
    match ended {
        Terminated { reason, .. } if !reason.is_empty() => reason.clone(),
        Terminated { signal, .. } if *signal != 0 => format!("Signal:{signal}"),
        Terminated { exit_code, .. } => format!("ExitCode:{exit_code}"),
    }
}

fn is_any_running(pod: &Object) -> bool {
    pod.status.container_statuses.iter().any(|status| status.ready && status.state.running.is_some())
}

fn is_sidecar(pod: &Object, name: &str) -> bool {
    let container = pod.spec.init_containers.iter().find(|one| one.name == name);
    container.is_some_and(|one| one.restart_policy.as_deref() == Some("Always"))
}

fn total(pod: &Object) -> u32 {
    let sidecars = pod.spec.init_containers.iter().filter(|one| one.restart_policy.as_deref() == Some("Always"));
    u32::try_from(pod.spec.containers.len() + sidecars.count()).unwrap_or(u32::MAX)
}

fn deleted(pod: &Object) -> Option<String> {
    pod.metadata.deletion_timestamp.as_ref()?;
    if pod.status.reason.as_deref() == Some("NodeLost") {
        return Some("Unknown".to_owned());
    }
    let is_final = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
    (!is_final).then(|| "Terminating".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::cluster::pods::read_pod;
    use serde_json::{Value, json};

    fn shown(pod: &Value) -> (String, String, u32) {
        let pod = read_pod(pod);
        (pod.status, format!("{}/{}", pod.ready, pod.containers), pod.restarts)
    }

    fn pod(status: impl Into<Value>) -> Value {
        let status = status.into();
        json!({ "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}, "status": status })
    }

    fn is(pod: &Value, status: &str, ready: &str) {
        let (got, got_ready, _) = shown(pod);
        assert_eq!((got.as_str(), got_ready.as_str()), (status, ready));
    }

    #[test]
    fn without_containers_the_phase_or_the_reason_shows() {
        is(&pod(json!({"phase": "Pending"})), "Pending", "0/2");
        is(&pod(json!({"phase": "Failed", "reason": "Evicted"})), "Evicted", "0/2");
        let gated = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]});
        is(&pod(gated), "SchedulingGated", "0/2");
    }

    #[test]
    fn the_first_containers_reason_wins() {
        let status = json!({"phase": "Pending", "containerStatuses": [
            {"name": "a", "state": {"waiting": {"reason": "ErrImagePull"}}},
            {"name": "b", "ready": true, "state": {"running": {}}, "restartCount": 2},
        ]});
        assert_eq!(shown(&pod(status)), ("ErrImagePull".to_owned(), "1/2".to_owned(), 2));
    }

    #[test]
    fn how_a_container_ended_shows() {
        let ended = |state: Value| {
            pod(json!({"phase": "Running", "containerStatuses": [{"name": "a", "state": {"terminated": state}}]}))
        };
        is(&ended(json!({"reason": "OOMKilled", "exitCode": 137})), "OOMKilled", "0/2");
        is(&ended(json!({"signal": 9})), "Signal:9", "0/2");
        is(&ended(json!({"exitCode": 3})), "ExitCode:3", "0/2");
    }

    #[test]
    fn completed_beside_running_is_running_or_not_ready() {
        let with = |ready: &str| {
            pod(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [
                {"name": "a", "state": {"terminated": {"reason": "Completed"}}},
                {"name": "b", "ready": true, "state": {"running": {}}},
            ]}))
        };
        is(&with("True"), "Running", "1/2");
        is(&with("False"), "NotReady", "1/2");
    }

    #[test]
    fn init_containers_show_until_they_are_done() {
        let with = |state: Value| {
            json!({ "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
                "status": {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": state}]} })
        };
        is(&with(json!({"waiting": {"reason": "PodInitializing"}})), "Init:0/2", "0/1");
        is(&with(json!({"waiting": {"reason": "ImagePullBackOff"}})), "Init:ImagePullBackOff", "0/1");
        is(&with(json!({"terminated": {"exitCode": 2}})), "Init:ExitCode:2", "0/1");
        is(&with(json!({"terminated": {"exitCode": 0}})), "Pending", "0/1");
    }

    #[test]
    fn a_started_sidecar_counts_in_both_numbers() {
        let pod = json!({
            "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "s", "restartPolicy": "Always"}]},
            "status": {"phase": "Running",
                "initContainerStatuses": [{"name": "s", "ready": true, "started": true, "restartCount": 1, "state": {"running": {}}}],
                "containerStatuses": [{"name": "a", "ready": true, "state": {"running": {}}}]}
        });
        assert_eq!(shown(&pod), ("Running".to_owned(), "2/2".to_owned(), 1));
    }

    #[test]
    fn a_pod_that_is_deleted_is_terminating_unless_it_has_ended() {
        let with = |status: Value| json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": status});
        is(&with(json!({"phase": "Running"})), "Terminating", "0/0");
        is(&with(json!({"phase": "Running", "reason": "NodeLost"})), "Unknown", "0/0");
        is(&with(json!({"phase": "Succeeded"})), "Succeeded", "0/0");
    }
}
