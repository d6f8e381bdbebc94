//! Pods whose volumes or network are being prepared. Their status never says why that fails: kubelet reports it in events only
//! (`WaitForAttachAndMount` in `k8s.io/kubernetes/pkg/kubelet/kubelet.go`).

use super::{super::event_time::last_seen, blocker::Obstacle};
use crate::cluster::{Pod, RolloutBlockerKind as Kind};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// A healthy pod takes less, so it costs no request.
const HEALTHY: Duration = Duration::from_secs(5);
/// How often the events are read while such pods exist.
const AGAIN: Duration = Duration::from_secs(15);
/// The events to list: there is no way to ask for one of several reasons.
pub(super) const FIELDS: &str = "involvedObject.kind=Pod,type=Warning";
/// `k8s.io/kubernetes/pkg/kubelet/events/event.go`; the second is an event of the controller that attaches disks.
const REASONS: [&str; 3] = ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"];

/// The pods that are being prepared, by their UID.
#[derive(Default)]
pub(super) struct Preparing {
    pods: BTreeMap<String, One>,
    /// When the events were last read.
    read: Option<Instant>,
    /// Whether the caller lacks the permission to read events.
    is_forbidden: bool,
}

struct One {
    name: String,
    since: Instant,
    cause: Option<(Option<SystemTime>, Obstacle)>,
}

/// Whether a pod has a node, and waits there for its volumes or its network. With both, its containers begin; a pull is one of their
/// states.
pub(in super::super) fn is_preparing(pod: &Value) -> bool {
    let status = &pod["status"];
    let containers = ["initContainerStatuses", "containerStatuses"].map(|field| status[field].as_array());
    let mut containers = containers.into_iter().flatten().flatten().peekable();
    let begins = |one: &Value| {
        matches!(one["state"]["waiting"]["reason"].as_str(), Some("ContainerCreating" | "PodInitializing"))
    };
    let conditions = status["conditions"].as_array();
    let has_sandbox = conditions
        .is_some_and(|all| all.iter().any(|one| one["type"] == "PodReadyToStartContainers" && one["status"] == "True"));
    containers.peek().is_some()
        && containers.all(begins)
        && !has_sandbox
        && pod["metadata"]["deletionTimestamp"].is_null()
}

impl Preparing {
    /// Takes a pod that is being prepared; returns why that fails, if an event has said so.
    pub fn put(&mut self, pod: &Pod) -> Option<Obstacle> {
        let new = || One { name: pod.name.clone(), since: Instant::now(), cause: None };
        let one = self.pods.entry(pod.uid.clone()).or_insert_with(new);
        one.cause.as_ref().map(|(_, obstacle)| obstacle.clone())
    }

    pub fn remove(&mut self, uid: &str) {
        self.pods.remove(uid);
    }

    /// Forgets the pods that a new list does not have.
    pub fn retain(&mut self, pods: &[Pod]) {
        let all: std::collections::BTreeSet<&str> = pods.iter().map(|pod| pod.uid.as_str()).collect();
        self.pods.retain(|uid, _| all.contains(uid.as_str()));
    }

    /// When the events have to be read next.
    pub fn due(&self) -> Option<Instant> {
        if self.is_forbidden {
            return None;
        }
        let first = self.pods.values().map(|one| one.since).min()? + HEALTHY;
        Some(self.read.map_or(first, |read| first.max(read + AGAIN)))
    }

    /// Notes that the events are read now.
    pub fn begin(&mut self) {
        self.read = Some(Instant::now());
    }

    /// Notes that the events cannot be read: then the cause is unknown.
    pub fn forbid(&mut self) {
        self.is_forbidden = true;
    }

    /// Takes an event; returns how many bytes it keeps. The one seen last counts.
    pub fn listed(&mut self, event: &Value) -> usize {
        let Some(one) = event["involvedObject"]["uid"].as_str().and_then(|uid| self.pods.get_mut(uid)) else {
            return 0;
        };
        let at = last_seen(event);
        let Some(obstacle) = obstacle_in(event).filter(|_| one.cause.as_ref().is_none_or(|(last, _)| at >= *last))
        else {
            return 0;
        };
        let kept = obstacle.1.len() + obstacle.2.len();
        one.cause = Some((at, obstacle));
        kept
    }

    /// What events say about the pods, by name.
    pub fn causes(&self) -> impl Iterator<Item = (&str, &Obstacle)> {
        self.pods.values().filter_map(|one| Some((one.name.as_str(), &one.cause.as_ref()?.1)))
    }
}

/// Why a pod is not prepared, if an event says so.
pub(in super::super) fn obstacle_in(event: &Value) -> Option<Obstacle> {
    let (reason, message) = (event["reason"].as_str()?, event["message"].as_str()?);
    REASONS.contains(&reason).then(|| (kind_of(message), reason.to_owned(), message.to_owned()))
}

/// Texts of `k8s.io/kubernetes/pkg/volume/{configmap,secret,projected}`, and of the API server about an object that is not found.
fn kind_of(message: &str) -> Kind {
    let lacks_object = ["configmap \"", "secret \""]
        .iter()
        .any(|of| message.split(of).skip(1).any(|rest| rest.contains("\" not found")));
    if lacks_object || message.contains("references non-existent ") {
        Kind::MissingConfig
    } else {
        Kind::ContainerError
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::pods::read_pod;
    use serde_json::json;

    fn pod(waiting: &str, sandbox: &str) -> Value {
        json!({
            "metadata": { "name": "web-1", "uid": "u" },
            "status": {
                "phase": "Pending",
                "conditions": [{ "type": "PodReadyToStartContainers", "status": sandbox }],
                "containerStatuses": [{ "name": "c", "state": { "waiting": { "reason": waiting } } }],
            },
        })
    }

    fn event(reason: &str, second: u32, message: &str) -> Value {
        let at = format!("2026-11-28T00:00:{second:02}Z");
        json!({ "involvedObject": { "uid": "u" }, "reason": reason, "message": message, "lastTimestamp": at })
    }

    #[test]
    fn only_a_pod_without_its_sandbox_is_being_prepared() {
        assert!(is_preparing(&pod("ContainerCreating", "False")) && is_preparing(&pod("PodInitializing", "False")));
        assert!(!is_preparing(&pod("ContainerCreating", "True")), "an image is being pulled");
        assert!(!is_preparing(&pod("ErrImagePull", "False")));
        for other in
            [json!({}), json!({ "status": { "containerStatuses": [] } }), json!({ "status": null }), json!("pod")]
        {
            assert!(!is_preparing(&other), "{other}");
        }
        let mut ending = pod("ContainerCreating", "False");
        ending["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
        assert!(!is_preparing(&ending));
    }

    #[tokio::test(start_paused = true)]
    async fn events_are_read_after_a_while_and_then_from_time_to_time() {
        let (mut preparing, start) = (Preparing::default(), Instant::now());
        assert_eq!(preparing.due(), None);
        preparing.put(&read_pod(&pod("ContainerCreating", "False")));
        assert_eq!(preparing.due(), Some(start + HEALTHY));
        tokio::time::sleep(HEALTHY).await;
        preparing.begin();
        assert_eq!(preparing.due(), Some(start + HEALTHY + AGAIN));
        preparing.forbid();
        assert_eq!(preparing.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_event_seen_last_says_why() {
        let mut preparing = Preparing::default();
        let pod = read_pod(&pod("ContainerCreating", "False"));
        assert_eq!(preparing.put(&pod), None);
        let missing = "MountVolume.SetUp failed for volume \"x\" : configmap \"y\" not found";
        for event in [event("FailedMount", 3, missing), event("FailedMount", 2, "earlier"), event("Unhealthy", 4, "no")]
        {
            preparing.listed(&event);
        }
        let obstacle = preparing.put(&pod).unwrap();
        assert_eq!(obstacle, (Kind::MissingConfig, "FailedMount".to_owned(), missing.to_owned()));
        assert_eq!(preparing.causes().collect::<Vec<_>>(), [("web-1", &obstacle)]);
        preparing.retain(&[]);
        assert_eq!(preparing.put(&pod), None, "another list has no such pod");
    }

    #[test]
    fn what_is_missing_is_told_from_what_fails() {
        for text in [
            "MountVolume.SetUp failed for volume \"x\" : secret \"y\" not found",
            "MountVolume.SetUp failed for volume \"x\" : configmap references non-existent config key: k",
            "MountVolume.SetUp failed for volume \"x\" : references non-existent secret key: k",
            "MountVolume.SetUp failed for volume \"x\" : [configmap \"a\" not found, secret \"b\" not found]",
        ] {
            assert_eq!(kind_of(text), Kind::MissingConfig, "{text}");
        }
        for text in [
            "MountVolume.MountDevice failed for volume \"x\" : driver name files.csi.azure.com not found in the list of registered CSI drivers",
            "AttachVolume.Attach failed for volume \"x\" : the disk is attached to another node",
        ] {
            assert_eq!(kind_of(text), Kind::ContainerError, "{text}");
        }
    }
}
