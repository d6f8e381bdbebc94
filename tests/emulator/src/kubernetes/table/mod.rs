//! Objects as a table, the way `kubectl get` asks for them.

mod cells;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use self::cells::Cell;
use super::clock::Clock;
use super::kinds::Kind;
use super::object::{condition, is_deleting, is_true, list, number, text};

/// A table of objects of one kind.
pub(super) fn render(kind: &Kind, objects: &[Value], metadata: &Value, clock: &Clock, now: Instant) -> Value {
    let definition = |cell: Cell| {
        let format = if cell.name == "Name" { "name" } else { "" };
        json!({"name": cell.name, "type": if cell.value.is_number() { "integer" } else { "string" }, "format": format,
            "description": cell.name, "priority": u8::from(cell.wide)})
    };
    let columns: Vec<_> = cells::of(kind, &Value::Null, clock, now).into_iter().map(definition).collect();
    let rows: Vec<_> = objects
        .iter()
        .map(|object| {
            let partial = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]});
            let cells: Vec<_> = cells::of(kind, object, clock, now).into_iter().map(|cell| cell.value).collect();
            json!({"cells": cells, "object": partial})
        })
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns, "rows": rows})
}

/// Ready containers, all containers, restarts. Init containers that go on running count as containers.
fn counts(pod: &Value) -> (usize, usize, i64) {
    let sidecars: Vec<_> = list(pod, "/spec/initContainers")
        .iter()
        .filter(|spec| spec["restartPolicy"] == "Always")
        .map(name_of)
        .collect();
    let init = list(pod, "/status/initContainerStatuses").iter().filter(|status| sidecars.contains(&name_of(status)));
    let statuses: Vec<_> = list(pod, "/status/containerStatuses").iter().chain(init).collect();
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    let restarts = statuses.iter().filter_map(|status| number(status, "/restartCount")).sum();
    (ready, list(pod, "/spec/containers").len() + sidecars.len(), restarts)
}

fn name_of(container: &Value) -> &str {
    text(container, "/name")
}

/// The STATUS column.
fn pod_status(pod: &Value) -> String {
    let gated = condition(pod, "PodScheduled").is_some_and(|condition| condition["reason"] == "SchedulingGated");
    let phase = text(pod, "/status/phase");
    let mut status = match text(pod, "/status/reason") {
        "" if gated => "SchedulingGated".to_owned(),
        "" => phase.to_owned(),
        reason => reason.to_owned(),
    };
    let initializing = init_status(pod);
    let initialized = is_true(pod, "Initialized");
    match initializing {
        Some(initializing) if !initialized => status = initializing,
        _ => {
            // The first container has the last word.
            for container in list(pod, "/status/containerStatuses").iter().rev() {
                status = container_status(container).unwrap_or(status);
            }
            let running = list(pod, "/status/containerStatuses")
                .iter()
                .any(|container| container["ready"] == true && container.pointer("/state/running").is_some());
            if status == "Completed" && running {
                let shown = if is_true(pod, "Ready") { "Running" } else { "NotReady" };
                shown.clone_into(&mut status);
            }
        }
    }
    if is_deleting(pod) && !matches!(phase, "Failed" | "Succeeded") {
        let lost = text(pod, "/status/reason") == "NodeLost";
        let shown = if lost { "Unknown" } else { "Terminating" };
        shown.clone_into(&mut status);
    }
    status
}

/// What the first init container that is not through says.
fn init_status(pod: &Value) -> Option<String> {
    let total = list(pod, "/spec/initContainers").len();
    list(pod, "/status/initContainerStatuses").iter().enumerate().find_map(|(index, container)| {
        let terminated = container.pointer("/state/terminated");
        let sidecar = container["started"] == true && terminated.is_none();
        if sidecar || terminated.is_some_and(|terminated| terminated["exitCode"] == 0) {
            return None;
        }
        let waiting = text(container, "/state/waiting/reason");
        Some(match (terminated, waiting) {
            (Some(_), _) => format!("Init:{}", container_status(container).unwrap_or_default()),
            (None, "" | "PodInitializing") => format!("Init:{index}/{total}"),
            (None, reason) => format!("Init:{reason}"),
        })
    })
}

fn container_status(container: &Value) -> Option<String> {
    let waiting = text(container, "/state/waiting/reason");
    if !waiting.is_empty() {
        return Some(waiting.to_owned());
    }
    let terminated = container.pointer("/state/terminated")?;
    let (reason, signal) = (text(terminated, "/reason"), number(terminated, "/signal").unwrap_or(0));
    Some(match (reason, signal) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode").unwrap_or(0)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    })
}

/// How long ago a time was.
fn since(time: &str, clock: &Clock, now: Instant) -> String {
    clock.instant(time).map_or_else(|| "<unknown>".to_owned(), |time| duration(now.saturating_duration_since(time)))
}

/// Two units at most, and the smaller one only while it matters.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |big: u64, unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if hours < 3 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(init: &Value, containers: &Value, conditions: &Value) -> Value {
        json!({"spec": {"initContainers": init, "containers": containers}, "status": {"phase": "Pending",
            "conditions": conditions, "initContainerStatuses": init, "containerStatuses": containers}})
    }

    #[test]
    fn the_first_containers_reason_wins() {
        let waiting = |reason: &str| json!({"state": {"waiting": {"reason": reason}}});
        let pod = pod(&json!([]), &json!([waiting("ErrImagePull"), waiting("ContainerCreating")]), &json!([]));
        assert_eq!(pod_status(&pod), "ErrImagePull");
    }

    #[test]
    fn an_init_container_that_does_not_pull_is_named_with_its_reason() {
        let init =
            json!([{"state": {"terminated": {"exitCode": 0}}}, {"state": {"waiting": {"reason": "ImagePullBackOff"}}}]);
        let containers = json!([{"state": {"waiting": {"reason": "PodInitializing"}}}]);
        assert_eq!(pod_status(&pod(&init, &containers, &json!([]))), "Init:ImagePullBackOff");
    }

    #[test]
    fn ages_have_two_units_at_most() {
        let shown = [20, 119, 125, 3600, 3 * 3600 + 60, 50 * 3600, 30 * 86400]
            .map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(shown, ["20s", "119s", "2m5s", "60m", "3h1m", "2d2h", "30d"]);
    }
}
