//! From Kubernetes' pod to ours.

use super::{
    Pod,
    object::{ContainerStatus, Metadata, Object, Status, time},
    status::{self, Summary},
};
use crate::{diagnosis::text::PullFailure, image::ImageReference};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Reasons that a container waits for its image: kubelet's `pkg/kubelet/images/types.go`, and `k8s.io/cri-api/pkg/errors`.
const PULL_REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Parses a pod object. Null counts as absent, as in Kubernetes' own clients. If a pod has a value of another type, the other parts are
/// parsed: it keeps its name, and an invalid status is unknown, never ready.
pub(crate) fn read_pod(object: &Value) -> Pod {
    let object = parse(object);
    let Summary { status, ready, containers, restarts, last_restart } = status::summarize(&object);
    let pull_failure = failures(&object).next();
    let image_id = object.status.container_statuses.first().map(|one| one.image_id.clone());
    Pod {
        status,
        ready,
        containers,
        restarts,
        last_restart,
        created: object.metadata.creation_timestamp.as_deref().and_then(time),
        image_id: image_id.filter(|id| !id.is_empty()),
        pull_failure,
        is_ready: object.has_condition("Ready"),
        node: object.spec.node_name,
        name: object.metadata.name,
        namespace: object.metadata.namespace,
        labels: object.metadata.labels.into_iter().collect(),
        uid: object.metadata.uid,
    }
}

fn parse(object: &Value) -> Object {
    Object::deserialize(object).unwrap_or_else(|_| in_parts(&without_nulls(object)))
}

fn in_parts(object: &Value) -> Object {
    if let Ok(whole) = Object::deserialize(object) {
        return whole;
    }
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let named =
        || Metadata { name: text("name"), namespace: text("namespace"), uid: text("uid"), ..Metadata::default() };
    Object {
        metadata: part(object, "metadata").unwrap_or_else(named),
        spec: part(object, "spec").unwrap_or_default(),
        status: part(object, "status").unwrap_or_else(|| Status { phase: "Unknown".to_owned(), ..Status::default() }),
    }
}

fn part<T: DeserializeOwned + Default>(object: &Value, field: &str) -> Option<T> {
    object.get(field).map_or_else(|| Some(T::default()), |part| T::deserialize(part).ok())
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// The containers that wait for their images.
pub(crate) fn pull_failures(object: &Value) -> Vec<PullFailure> {
    failures(&parse(object)).collect()
}

fn failures(object: &Object) -> impl Iterator<Item = PullFailure> {
    let statuses = object.status.init_container_statuses.iter().chain(&object.status.container_statuses);
    statuses.filter_map(|status| failure(object, status))
}

fn failure(object: &Object, status: &ContainerStatus) -> Option<PullFailure> {
    let waiting = status.state.waiting.as_ref().filter(|one| PULL_REASONS.contains(&one.reason.as_str()))?;
    let spec = &object.spec;
    let mut containers = spec.init_containers.iter().chain(&spec.containers);
    let own = containers.find(|one| one.name == status.name).map(|one| one.image.as_str()).unwrap_or_default();
    let image = volume_in(object, &waiting.message, own).unwrap_or(own);
    Some(PullFailure::new(&object.metadata.name, &status.name, image, &waiting.reason, &waiting.message))
}

/// The image of a volume, if the message is about that: a container waits for the images of its volumes with the same reasons.
fn volume_in<'a>(object: &'a Object, message: &str, own: &str) -> Option<&'a str> {
    // containerd writes a name in full.
    let full = |image: &str| ImageReference::parse(image).map_or_else(|_| image.to_owned(), |image| image.to_string());
    let is_named =
        |image: &str| [image.to_owned(), full(image)].iter().any(|one| message.contains(&format!("\"{one}\"")));
    let mut volumes = object.spec.volumes.iter().filter_map(|volume| Some(volume.image.as_ref()?.reference.as_str()));
    volumes.find(|image| is_named(image) && !is_named(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "team", "uid": "u", "labels": {"app": "web"}},
            "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "nginx"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "c", "ready": true, "restartCount": 0, "state": {"running": {}}}]},
        })
    }

    #[test]
    fn a_null_is_as_good_as_an_absent_field() {
        let wanted = read_pod(&pod());
        assert!(wanted.is_ready && wanted.status == "Running");
        let mut nulls = pod();
        nulls["metadata"]["annotations"] = Value::Null;
        nulls["spec"]["initContainers"] = Value::Null;
        nulls["status"]["initContainerStatuses"] = Value::Null;
        nulls["status"]["reason"] = Value::Null;
        nulls["status"]["containerStatuses"][0]["lastState"] = Value::Null;
        assert_eq!(read_pod(&nulls), wanted);
    }

    #[test]
    fn the_image_of_a_volume_is_named_where_it_is_not_pulled() {
        let waiting = |image: &str| {
            let message = format!("failed to pull and unpack image \"{image}\": {image}: not found");
            json!({"name": "c", "state": {"waiting": {"reason": "ErrImagePull", "message": message}}})
        };
        let mut object = pod();
        object["spec"]["volumes"] =
            json!([{"name": "a", "emptyDir": {}}, {"name": "m", "image": {"reference": "team/model:1"}}]);
        for (message, wanted) in [
            ("docker.io/library/nginx:latest", "nginx"),
            ("docker.io/team/model:1", "team/model:1"),
            ("docker.io/other/model:1", "nginx"),
        ] {
            object["status"]["containerStatuses"] = json!([waiting(message)]);
            assert_eq!(pull_failures(&object)[0].image, wanted);
        }
    }

    #[test]
    fn a_field_of_another_type_loses_neither_name_nor_the_other_parts() {
        for (pointer, odd) in [
            ("/status/containerStatuses/0/restartCount", json!("3")),
            ("/status/phase", json!(1)),
            ("/status", json!("Running")),
        ] {
            let mut object = pod();
            *object.pointer_mut(pointer).unwrap() = odd;
            let read = read_pod(&object);
            assert_eq!((read.name.as_str(), read.namespace.as_str(), read.node.as_deref()), ("web", "team", Some("n")));
            assert_eq!((read.status.as_str(), read.is_ready), ("Unknown", false), "{pointer}");
        }
        let mut object = pod();
        object["metadata"]["labels"] = json!([1]);
        let read = read_pod(&object);
        assert_eq!((read.name.as_str(), read.uid.as_str(), read.status.as_str()), ("web", "u", "Running"));
    }
}
