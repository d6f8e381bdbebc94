//! The parts of a workload object that are read, and how the pods of its newest template are recognized.

use crate::{
    cluster::workload::WorkloadKind::{self, DaemonSet, Deployment, Job, StatefulSet},
    lenient::or_default,
    stored_time,
};
use serde::Deserialize;
use std::{collections::BTreeMap, time::SystemTime};

const REVISION: &str = "deployment.kubernetes.io/revision";
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// A workload of any kind. Its fields are those of all kinds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Object {
    pub metadata: Metadata,
    #[serde(deserialize_with = "or_default")]
    pub spec: Spec,
    #[serde(deserialize_with = "or_default")]
    pub status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Metadata {
    pub name: String,
    pub uid: String,
    pub generation: u64,
    #[serde(deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    pub creation_timestamp: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub managed_fields: Vec<ManagedField>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ManagedField {
    subresource: Option<String>,
    time: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Spec {
    pub replicas: Option<u32>,
    pub paused: Option<bool>,
    pub suspend: Option<bool>,
    pub completions: Option<u32>,
    pub parallelism: Option<u32>,
    #[serde(deserialize_with = "or_default")]
    pub selector: Selector,
    #[serde(deserialize_with = "or_default")]
    pub update_strategy: UpdateStrategy,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct UpdateStrategy {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub rolling_update: RollingUpdate,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RollingUpdate {
    pub partition: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Selector {
    #[serde(deserialize_with = "or_default")]
    match_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    match_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Expression {
    key: String,
    operator: String,
    #[serde(deserialize_with = "or_default")]
    values: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Status {
    pub observed_generation: u64,
    // Deployments and StatefulSets
    pub replicas: u32,
    pub ready_replicas: u32,
    pub updated_replicas: u32,
    pub available_replicas: u32,
    pub update_revision: Option<String>,
    // DaemonSets
    pub desired_number_scheduled: u32,
    pub current_number_scheduled: u32,
    pub updated_number_scheduled: u32,
    pub number_available: u32,
    // Jobs
    pub active: u32,
    pub succeeded: u32,
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
}

/// How the pods of the newest template are recognized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Newest {
    /// Each pod that the workload owns.
    Owned,
    /// The owned pods that also have this label.
    Labeled(&'static str, String),
    /// Those of the ReplicaSet with this revision.
    OfRevision(String),
    /// None that is known.
    Unknown,
}

/// Identifies a round of the rollout. A different pod template means different pods, so they are read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Round {
    uid: String,
    generation: u64,
    observed: u64,
    newest: Newest,
    is_failing: bool,
}

impl Object {
    pub fn uid(&self) -> &str {
        &self.metadata.uid
    }

    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The labels of its pods, in the form of a list request.
    pub fn selector(&self) -> String {
        let selector = &self.spec.selector;
        let equal = selector.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let others = selector.match_expressions.iter().map(Expression::to_text);
        equal.chain(others).collect::<Vec<_>>().join(",")
    }

    pub fn round(&self, kind: WorkloadKind) -> Round {
        Round {
            uid: self.metadata.uid.clone(),
            generation: self.metadata.generation,
            observed: self.status.observed_generation,
            newest: self.newest(kind),
            is_failing: self.condition("ReplicaFailure").is_some(),
        }
    }

    pub fn newest(&self, kind: WorkloadKind) -> Newest {
        let annotation = |name: &str| self.metadata.annotations.get(name).cloned();
        match kind {
            Deployment => annotation(REVISION).map_or(Newest::Unknown, Newest::OfRevision),
            StatefulSet => match self.status.update_revision.clone().filter(|revision| !revision.is_empty()) {
                Some(revision) => Newest::Labeled("controller-revision-hash", revision),
                None => Newest::Unknown,
            },
            DaemonSet => match annotation(TEMPLATE_GENERATION) {
                Some(generation) => Newest::Labeled("pod-template-generation", generation),
                None => Newest::Owned,
            },
            Job => Newest::Owned,
        }
    }

    /// When its specification was last changed, if it was and that is known.
    pub fn changed(&self) -> Option<SystemTime> {
        // All that is said of an object whose specification is its first is said of that.
        if self.metadata.generation == 1 {
            return None;
        }
        let managed =
            self.metadata.managed_fields.iter().filter(|one| one.subresource.as_deref().unwrap_or_default().is_empty());
        let times = managed.filter_map(|one| one.time.as_deref()).chain(self.metadata.creation_timestamp.as_deref());
        times.filter_map(stored_time::parse).max()
    }
}

impl Expression {
    fn to_text(&self) -> String {
        let (key, values) = (&self.key, self.values.join(","));
        match self.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn controllers_do_not_change_a_specification() {
        let object = Object::deserialize(json!({ "metadata": {
            "creationTimestamp": "2026-11-01T00:00:00Z",
            "managedFields": [
                { "time": "2026-11-02T00:00:00Z" },
                { "time": "2026-11-03T00:00:00Z", "subresource": "status" },
            ],
        } }));
        assert_eq!(object.unwrap().changed(), stored_time::parse("2026-11-02T00:00:00Z"));
    }
}
