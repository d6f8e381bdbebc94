//! What blocks a rollout: why pods are not created, and why a pod does not start. Kubernetes reports the first by text only.

use crate::{
    cluster::{RolloutBlocker, RolloutBlockerKind as Kind},
    kubernetes::{Refuser, refuser_of},
};
use serde_json::Value;

/// Before the API server's own text: `Error creating: ` by ReplicaSets, DaemonSets and Jobs
/// (`k8s.io/kubernetes/pkg/controller/controller_utils.go`), ` failed error: ` by StatefulSets
/// (`pkg/controller/statefulset/stateful_pod_control.go`).
const PREFIXES: [&str; 2] = ["Error creating: ", " failed error: "];

/// Texts of `kubernetes/plugin/pkg/admission/{serviceaccount,priority}`.
const MISSING: [&str; 2] = ["error looking up service account ", "no PriorityClass with name "];

/// The blocker in a controller's message about a pod that it could not create.
pub(super) fn not_created(object: String, reason: &str, message: &str) -> RolloutBlocker {
    let said = PREFIXES.iter().find_map(|prefix| message.split_once(prefix).map(|(_, said)| said)).unwrap_or(message);
    RolloutBlocker::new(kind_of(said), object, reason, said)
}

fn kind_of(message: &str) -> Kind {
    match refuser_of(message) {
        Some(Refuser::Quota) => Kind::Quota,
        Some(Refuser::LimitRange | Refuser::Policy | Refuser::Webhook | Refuser::PodSecurity) => Kind::Rejected,
        None if MISSING.iter().any(|text| message.contains(text)) => Kind::MissingConfig,
        // Validation, `Pod "web-x" is invalid: …`.
        None if message.starts_with("Pod \"") && message.contains("\" is invalid: ") => Kind::Rejected,
        _ => Kind::NotCreated,
    }
}

/// What keeps a pod from becoming ready, other than a pull, if its status says so: the kind, Kubernetes' reason and the message.
pub(in super::super) type Obstacle = (Kind, String, String);

pub(in super::super) fn obstacle_of(pod: &Value) -> Option<Obstacle> {
    unscheduled(pod).or_else(|| waiting(pod)).or_else(|| ended(pod))
}

fn unscheduled(pod: &Value) -> Option<Obstacle> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let scheduled = conditions.iter().find(|one| one["type"] == "PodScheduled" && one["status"] == "False")?;
    let text = |field: &str| scheduled[field].as_str().map(str::to_owned);
    // The reason SchedulingGated means that the pod has a scheduling gate, which its owner has to remove.
    Some((Kind::Unschedulable, text("reason")?, text("message")?))
}

/// The first container that waits for something other than its turn.
fn waiting(pod: &Value) -> Option<Obstacle> {
    containers(pod).find_map(|container| {
        let waiting = &container["state"]["waiting"];
        let reason = waiting["reason"].as_str()?;
        let message = waiting["message"].as_str().unwrap_or(reason);
        let kind = match reason {
            "CreateContainerConfigError" => Kind::MissingConfig,
            "CreateContainerError" | "RunContainerError" | "StartError" => Kind::ContainerError,
            // Its message changes with each back-off; how the container ended does not.
            "CrashLoopBackOff" => {
                let message = exit(container, "lastState").unwrap_or_else(|| message.to_owned());
                return Some((Kind::CrashLoop, reason.to_owned(), message));
            }
            _ => return None,
        };
        Some((kind, reason.to_owned(), message.to_owned()))
    })
}

/// The container with which a pod has failed for good: a Job creates the next pod.
fn ended(pod: &Value) -> Option<Obstacle> {
    if pod["status"]["phase"] != "Failed" {
        return None;
    }
    let exited = containers(pod).find_map(|container| {
        let is_failure = container["state"]["terminated"]["exitCode"].as_i64()? != 0;
        is_failure.then(|| exit(container, "state"))?
    });
    let reason = pod["status"]["reason"].as_str().unwrap_or("Error").to_owned();
    // Kubelet's own words, for example of an eviction.
    let message = exited.or_else(|| pod["status"]["message"].as_str().map(str::to_owned))?;
    Some((Kind::CrashLoop, reason, message))
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .filter_map(|field| pod["status"][field].as_array())
        .flatten()
}

fn exit(container: &Value, state: &str) -> Option<String> {
    let terminated = &container[state]["terminated"];
    let (name, code) = (container["name"].as_str()?, terminated["exitCode"].as_i64()?);
    let reason = terminated["reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
    Some(format!("container {name} exited with code {code}{reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each is the text of kubernetes 1.33.3, seen on its controllers' events or conditions, or quoted from the file named.
    #[test]
    fn who_keeps_a_pod_from_being_created_is_read_from_the_text() {
        for (text, kind) in [
            (
                r#"pods "q-6f5b8-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"#,
                Kind::Quota,
            ),
            (
                r#"Error creating: pods "a-x" is forbidden: failed quota: q: must specify limits.cpu for: c"#,
                Kind::Quota,
            ),
            (
                r#"Error creating: pods "web-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false"#,
                Kind::Rejected,
            ),
            (
                r#"create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: maximum cpu usage per Container is 100m, but limit is 1"#,
                Kind::Rejected,
            ),
            (
                r#"Error creating: pods "web-x" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest' denied request: every image needs a tag"#,
                Kind::Rejected,
            ),
            (r#"Error creating: admission webhook "pods.example" denied the request: no"#, Kind::Rejected),
            (
                r#"Error creating: Internal error occurred: failed calling webhook "pods.example": connection refused"#,
                Kind::NotCreated,
            ),
            (
                r#"Error creating: pods "web-" is forbidden: error looking up service account default/web: serviceaccount "web" not found"#,
                Kind::MissingConfig,
            ),
            (
                r#"Error creating: pods "web-" is forbidden: no PriorityClass with name high was found"#,
                Kind::MissingConfig,
            ),
            (
                r#"Error creating: Pod "web-x" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#,
                Kind::Rejected,
            ),
            ("Error creating: etcdserver: request timed out", Kind::NotCreated),
            ("anything else", Kind::NotCreated),
        ] {
            let blocker = not_created("ReplicaSet/web".to_owned(), "FailedCreate", text);
            assert_eq!(blocker.kind, kind, "{text}");
            assert!(
                !blocker.message.starts_with("Error creating") && !blocker.message.is_empty(),
                "{}",
                blocker.message
            );
        }
    }

    #[test]
    fn why_a_pod_does_not_start_is_in_its_status() {
        let of = |status: Value| obstacle_of(&json!({ "status": status }));
        let waits = |reason: &str, message: &str| {
            let state = json!({ "waiting": { "reason": reason, "message": message } });
            let last = json!({ "terminated": { "exitCode": 3, "reason": "Error" } });
            of(json!({ "containerStatuses": [{ "name": "c", "state": state, "lastState": last }] }))
        };
        let missing = waits("CreateContainerConfigError", "configmap \"nope\" not found").unwrap();
        assert_eq!((missing.0, missing.2.as_str()), (Kind::MissingConfig, "configmap \"nope\" not found"));
        let crash = waits("CrashLoopBackOff", "back-off 10s restarting failed container").unwrap();
        assert_eq!((crash.0, crash.2.as_str()), (Kind::CrashLoop, "container c exited with code 3 (Error)"));
        assert_eq!(waits("RunContainerError", "no such file").unwrap().0, Kind::ContainerError);
        for turn in ["ContainerCreating", "PodInitializing"] {
            assert_eq!(waits(turn, ""), None);
        }
        let nowhere = of(json!({ "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available" },
        ] }));
        assert_eq!(nowhere.map(|found| found.0), Some(Kind::Unschedulable));
        let evicted =
            of(json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory." }));
        assert_eq!(evicted.map(|found| found.1), Some("Evicted".to_owned()));
        assert_eq!(of(json!({ "phase": "Running" })), None);
        assert_eq!(of(json!("unexpected")), None);
    }
}
