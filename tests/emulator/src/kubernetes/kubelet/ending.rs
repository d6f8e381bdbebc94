//! The end of a container, and its next start.

use std::time::Duration;

use serde_json::Value;

use super::super::object::{name, namespace, uid};
use super::container::Phase;
use super::pulling::begin;
use super::{Api, PodWork, STEP, SYNC, record_of_pod};

/// The wait before the second restart; it doubles with each, up to five minutes.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A running container's program has ended.
pub(super) fn end_container(api: &mut dyn Api, work: &mut PodWork, index: usize, since: String) {
    let now = api.now();
    let until = api.time();
    let container = &mut work.containers[index];
    container.phase = Phase::Ended(since, until, container.run.code);
    container.due = container.is_restarted().then_some(now + STEP);
}

/// What follows an end: the first restart comes at once, the others wait.
pub(super) fn restart_container(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize) {
    let container = &mut work.containers[index];
    if matches!(container.phase, Phase::Ended(..) | Phase::NotStarted(..)) {
        container.last = container.state("");
    } else if container.backs_off(api.now()) {
        return say_back_off(api, pod, work, index);
    }
    if matches!(container.phase, Phase::CrashLoop) || container.restarts == 0 {
        container.restarts += 1;
        begin(api, pod, work, index);
        return;
    }
    let wait = if container.crash_wait.is_zero() { FIRST_WAIT } else { (container.crash_wait * 2).min(LONGEST_WAIT) };
    container.crash_wait = wait;
    let place = format!("{}_{}({})", name(pod), namespace(pod), uid(pod));
    container.crash_message =
        format!("back-off {} restarting failed container={} pod={place}", shown(wait), container.name);
    container.phase = Phase::CrashLoop;
    container.retry_at = Some(api.now() + wait);
    say_back_off(api, pod, work, index);
}

/// Waits before the next start, and says so each time that kubelet looks after the pod.
fn say_back_off(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize) {
    let container = &mut work.containers[index];
    container.due = container.retry_at.map(|at| at.min(api.now() + SYNC));
    let place = format!("{}_{}({})", name(pod), namespace(pod), uid(pod));
    let message = format!("Back-off restarting failed container {} in pod {place}", container.name);
    record_of_pod(api, pod, work, &work.containers[index], (true, "BackOff", &message));
}

/// A duration as Go prints it.
fn shown(wait: Duration) -> String {
    match (wait.as_secs() / 60, wait.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
