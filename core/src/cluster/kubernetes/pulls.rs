//! Pods whose nodes have pulled their images: by the kubelet's events, and by the containers that run.

use super::{
    event_time::last_seen,
    nodes::{list_nodes, read as read_node},
    watch::{checked_name, list},
};
use crate::{
    call::Call,
    cluster::{ObservedNode, ObservedPod, ObservedPods, ObservedPull, PodScope, UnreadObjects, pods::read_pod},
    error::{ErrorKind, Result},
    stored_time,
};
use futures::join;
use kube::{Client, api::ListParams};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The reason of the kubelet's event about an image that is on the node, and how its message begins if the image was pulled: `EnsureImageExists` in
/// [image_manager.go](https://github.com/kubernetes/kubernetes/blob/v1.33.3/pkg/kubelet/images/image_manager.go).
pub(super) const PULLED: &str = "Pulled";
pub(super) const SUCCESSFULLY: &str = "Successfully pulled image";
/// How many events a page has: there is one of them for each pull.
const EVENTS: u32 = 500;

/// A kubelet asks the registry each time that it starts a container of this policy: `EnsureImageExists` in
/// [image_manager.go](https://github.com/kubernetes/kubernetes/blob/v1.33.3/pkg/kubelet/images/image_manager.go).
const ALWAYS: &str = "Always";

/// A permission that is missing leaves something unknown, and is no error.
pub(super) fn allowed<T>(resource: &str, read: Result<T>, unread: &mut Vec<UnreadObjects>) -> Result<Option<T>> {
    match read {
        Err(err) if err.kind() == ErrorKind::Forbidden => {
            if unread.iter().all(|one| one.resource != resource) {
                unread.push(UnreadObjects::new(resource, err));
            }
            Ok(None)
        }
        read => read.map(Some),
    }
}

pub(super) fn pods_path(namespace: Option<&str>) -> Result<String> {
    Ok(match namespace {
        Some(namespace) => format!("/api/v1/namespaces/{}/pods", checked_name(namespace)?),
        None => "/api/v1/pods".to_owned(),
    })
}

pub(super) fn events_path(namespace: Option<&str>) -> Result<String> {
    Ok(match namespace {
        Some(namespace) => format!("/api/v1/namespaces/{}/events", checked_name(namespace)?),
        None => "/api/v1/events".to_owned(),
    })
}

/// The names of a pod's pull secrets.
pub(super) fn secret_names(pod: &Value) -> Vec<String> {
    names_of_secrets(&pod["spec"]["imagePullSecrets"])
}

/// The names in a list of pull secrets.
pub(super) fn names_of_secrets(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
}

/// Reads what shows that images were pulled. Events and nodes that the caller cannot read are left out.
pub(super) async fn observe(client: &Client, scope: &PodScope, call: &Call) -> Result<ObservedPods> {
    let (pods, events, nodes) = join!(pods(client, scope, call), events(client, scope, call), nodes(client, call));
    let (mut pods, mut unread) = (pods?, Vec::new());
    let events = allowed("events", events, &mut unread)?.unwrap_or_default();
    let nodes = allowed("nodes", nodes, &mut unread)?.unwrap_or_default();
    for (uid, pulls) in events {
        if let Some(pod) = pods.get_mut(&uid) {
            pod.pulls.extend(pulls);
        }
    }
    let pods = pods.into_values().filter(|pod| !pod.pulls.is_empty()).collect();
    Ok(ObservedPods { nodes, unread, ..ObservedPods::new(pods) })
}

async fn pods(client: &Client, scope: &PodScope, call: &Call) -> Result<BTreeMap<String, ObservedPod>> {
    let mut pods = BTreeMap::new();
    let take = |object: &Value| {
        let pod = ObservedPod {
            pull_secrets: secret_names(object),
            pulls: of_containers(object),
            ..ObservedPod::new(read_pod(object))
        };
        let names =
            pod.pod.name.len() + pod.pod.namespace.len() + pod.pull_secrets.iter().map(String::len).sum::<usize>();
        let kept = size_of::<ObservedPod>() + names + weight(&pod.pulls);
        pods.insert(pod.pod.uid.clone(), pod);
        kept
    };
    let path = pods_path(scope.namespace.as_deref())?;
    list(client, &path, ListParams::default(), "listing the pods", call, take).await?;
    Ok(pods)
}

/// The pulls that succeeded, by the pod's UID. Kubernetes keeps events for an hour.
async fn events(client: &Client, scope: &PodScope, call: &Call) -> Result<HashMap<String, Vec<ObservedPull>>> {
    let path = events_path(scope.namespace.as_deref())?;
    let fields = format!("involvedObject.kind=Pod,reason={PULLED}");
    let mut pulls: HashMap<String, Vec<ObservedPull>> = HashMap::new();
    let take = |event: &Value| {
        let (Some(uid), Some(pull)) = (event["involvedObject"]["uid"].as_str(), pull_in(event)) else { return 0 };
        let kept = weight(std::slice::from_ref(&pull)) + uid.len();
        pulls.entry(uid.to_owned()).or_default().push(pull);
        kept
    };
    let parameters = ListParams::default().fields(&fields).limit(EVENTS);
    list(client, &path, parameters, "listing events", call, take).await?;
    Ok(pulls)
}

async fn nodes(client: &Client, call: &Call) -> Result<Vec<ObservedNode>> {
    let mut nodes = BTreeMap::new();
    let take = |object: &Value| {
        let Some(node) = read_node(object, None) else { return 0 };
        let kept = node.weight();
        nodes.insert(node.name.clone(), node);
        kept
    };
    list_nodes(client, take, call).await?;
    Ok(nodes.into_values().collect())
}

/// The pull in `Successfully pulled image "IMAGE" in …`. The same reason stands for an image that was on the node.
fn pull_in(event: &Value) -> Option<ObservedPull> {
    let image = event["message"].as_str()?.strip_prefix(SUCCESSFULLY)?.trim_start().strip_prefix('"')?;
    let (image, _) = image.split_once('"')?;
    Some(ObservedPull::new(image, last_seen(event)?, true))
}

/// The images of a pod's running containers: a node does not start a container without its image.
pub(super) fn of_containers(pod: &Value) -> Vec<ObservedPull> {
    let each = |part: &'static str| pod["status"][part].as_array().into_iter().flatten();
    let running = each("initContainerStatuses").chain(each("containerStatuses"));
    running.filter_map(|status| of_container(pod, status)).collect()
}

fn of_container(pod: &Value, status: &Value) -> Option<ObservedPull> {
    let started = status["state"]["running"]["startedAt"].as_str().and_then(stored_time::parse)?;
    let each = |part: &'static str| pod["spec"][part].as_array().into_iter().flatten();
    let container = each("initContainers").chain(each("containers")).find(|one| one["name"] == status["name"])?;
    Some(ObservedPull::new(container["image"].as_str()?, started, container["imagePullPolicy"] == ALWAYS))
}

/// How many bytes they keep.
pub(super) fn weight(pulls: &[ObservedPull]) -> usize {
    pulls.iter().map(|pull| size_of::<ObservedPull>() + pull.image.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A time in Kubernetes' form.
    fn text() -> &'static str {
        "2026-11-28T10:00:00Z"
    }

    fn at() -> std::time::SystemTime {
        stored_time::parse(text()).unwrap()
    }

    #[test]
    fn an_event_names_the_image_that_was_pulled() {
        let event = |message: &str| json!({"message": message, "lastTimestamp": text()});
        let pulled = event("Successfully pulled image \"r.azurecr.io/app:v1\" in 1s (1s including waiting).");
        assert_eq!(pull_in(&pulled), Some(ObservedPull::new("r.azurecr.io/app:v1", at(), true)));
        for other in ["Container image \"r.azurecr.io/app:v1\" already present on machine", "Successfully pulled image"]
        {
            assert_eq!(pull_in(&event(other)), None, "{other}");
        }
        assert_eq!(pull_in(&json!({"message": pulled["message"]})), None, "it has no time");
    }

    #[test]
    fn a_running_container_shows_its_image() {
        let pod = |policy: &str, state: Value| {
            json!({
                "spec": {"containers": [{"name": "main", "image": "r.azurecr.io/app:v1", "imagePullPolicy": policy}]},
                "status": {"containerStatuses": [{"name": "main", "state": state}]},
            })
        };
        let running = json!({"running": {"startedAt": text()}});
        for (policy, is_pulled) in [("Always", true), ("IfNotPresent", false)] {
            let wanted = vec![ObservedPull::new("r.azurecr.io/app:v1", at(), is_pulled)];
            assert_eq!(of_containers(&pod(policy, running.clone())), wanted, "{policy}");
        }
        assert_eq!(of_containers(&pod("Always", json!({"waiting": {"reason": "ErrImagePull"}}))), []);
        assert_eq!(of_containers(&json!({})), []);
    }
}
