//! From Kubernetes' pod to ours.

use super::{
    Pod,
    status::{self, Summary},
};
use crate::pull::{PullCause, PullFailure};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, time::SystemTime};

/// Reasons that a container waits for its image.
const PULL_REASONS: [&str; 5] =
    ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"];

/// A pod object, as far as it is looked at. Nothing in it is required.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    pub metadata: Metadata,
    pub spec: Spec,
    pub status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub labels: BTreeMap<String, String>,
    pub creation_timestamp: Option<String>,
    pub deletion_timestamp: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec {
    pub node_name: Option<String>,
    pub containers: Vec<Container>,
    pub init_containers: Vec<Container>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    pub name: String,
    pub image: String,
    pub restart_policy: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    pub phase: String,
    pub reason: Option<String>,
    pub conditions: Vec<Condition>,
    pub container_statuses: Vec<ContainerStatus>,
    pub init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    pub name: String,
    pub ready: bool,
    pub started: Option<bool>,
    pub restart_count: u32,
    #[serde(rename = "imageID")]
    pub image_id: String,
    pub state: State,
    pub last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub waiting: Option<Waiting>,
    pub running: Option<Value>,
    pub terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    pub reason: String,
    pub message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated {
    pub reason: String,
    pub signal: i32,
    pub exit_code: i32,
    pub finished_at: Option<String>,
}

/// Reads a pod object. What is no pod is one without a name.
pub(crate) fn read_pod(object: &Value) -> Pod {
    let object = Object::deserialize(object).unwrap_or_default();
    let Summary { status, ready, containers, restarts, last_restart } = status::summarize(&object);
    let image_id = object.status.container_statuses.first().map(|one| one.image_id.clone());
    Pod {
        status,
        ready,
        containers,
        restarts,
        last_restart,
        created: object.metadata.creation_timestamp.as_deref().and_then(time),
        image_id: image_id.filter(|id| !id.is_empty()),
        pull_failure: pull_failure(&object),
        is_ready: object.has_condition("Ready"),
        node: object.spec.node_name,
        name: object.metadata.name,
        namespace: object.metadata.namespace,
        labels: object.metadata.labels.into_iter().collect(),
        uid: object.metadata.uid,
    }
}

pub(super) fn time(text: &str) -> Option<SystemTime> {
    text.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}

impl Object {
    pub fn has_condition(&self, kind: &str) -> bool {
        self.status.conditions.iter().any(|one| one.kind == kind && one.status == "True")
    }
}

/// The first container that waits for its image.
fn pull_failure(object: &Object) -> Option<PullFailure> {
    let statuses = object.status.init_container_statuses.iter().chain(&object.status.container_statuses);
    let waiting = statuses.filter_map(|one| Some((one, one.state.waiting.as_ref()?)));
    let (status, waiting) = waiting.into_iter().find(|(_, waiting)| PULL_REASONS.contains(&waiting.reason.as_str()))?;
    let containers = object.spec.init_containers.iter().chain(&object.spec.containers);
    let image = containers.into_iter().find(|one| one.name == status.name).map(|one| one.image.clone());
    Some(PullFailure {
        pod: object.metadata.name.clone(),
        container: status.name.clone(),
        image: image.unwrap_or_default(),
        reason: waiting.reason.clone(),
        cause: PullCause::read(&waiting.reason, &waiting.message),
        message: waiting.message.clone(),
    })
}
