//! The progress of a rollout, computed from what was read. No request is made here.

use super::watch::pod_weight;
use crate::{
    cluster::{Pod, Rollout},
    error::{Error, ErrorKind},
    http::{Kept, TooLarge},
    pull::{PullFailure, PullRetry},
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// A deployment object, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeploymentObject {
    metadata: Metadata,
    pub spec: Spec,
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    generation: u64,
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Spec {
    replicas: Option<u32>,
    selector: Selector,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Selector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    observed_generation: u64,
    replicas: u32,
    updated_replicas: u32,
    available_replicas: u32,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    reason: String,
    message: String,
}

const REVISION: &str = "deployment.kubernetes.io/revision";
const TEMPLATE_HASH: &str = "pod-template-hash";

impl DeploymentObject {
    /// The labels of its pods, in the form of a list request.
    pub fn selector(&self) -> String {
        let equal = self.spec.selector.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let others = self.spec.selector.match_expressions.iter().map(Expression::to_text);
        equal.chain(others).collect::<Vec<_>>().join(",")
    }

    /// Identifies the pod template of the rollout: with another template, other pods count.
    pub fn round(&self) -> (u64, u64, Option<&String>) {
        (self.metadata.generation, self.status.observed_generation, self.metadata.annotations.get(REVISION))
    }

    fn wanted(&self) -> u32 {
        self.spec.replicas.unwrap_or(1)
    }

    /// Kubernetes counts generations from 1: without a generation it is unknown what the status refers to.
    fn is_observed(&self) -> bool {
        self.metadata.generation > 0 && self.status.observed_generation >= self.metadata.generation
    }

    /// As `kubectl rollout status` decides it.
    fn is_complete(&self) -> bool {
        let status = &self.status;
        self.is_observed()
            && status.updated_replicas >= self.wanted()
            && status.replicas <= status.updated_replicas
            && status.available_replicas >= status.updated_replicas
    }

    fn stuck(&self) -> Option<&str> {
        let stuck = self.status.conditions.iter().find(|one| one.reason == "ProgressDeadlineExceeded");
        stuck.map(|one| one.message.as_str())
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

/// The hash in the names and labels of the pods that count, if this replica set has the deployment's revision.
pub(super) fn hash_in(deployment: &DeploymentObject, replica_set: &Value) -> Option<String> {
    let revision = deployment.metadata.annotations.get(REVISION)?;
    let is_current = replica_set["metadata"]["annotations"][REVISION] == revision.as_str();
    let hash = replica_set["metadata"]["labels"][TEMPLATE_HASH].as_str()?;
    is_current.then(|| hash.to_owned())
}

/// Limits the timeout so that adding it to the current time cannot overflow.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// A rollout under way.
pub(super) struct RolloutProgress {
    pub deployment: DeploymentObject,
    hash: Option<String>,
    pods: BTreeMap<String, Pod>,
    kept: Kept,
    propagation_timeout: Duration,
    /// Since when a cause that depends on a grant blocks the rollout.
    refused_since: Option<Instant>,
    /// Since when pods may still become ready although Kubernetes has reported the rollout as failed: it did so before the first read,
    /// or while such a cause blocked it. Its controllers continue anyway, and withdraw the report once a pod is ready.
    hoped_since: Option<Instant>,
    is_begun: bool,
}

impl RolloutProgress {
    pub fn new(propagation_timeout: Duration) -> Self {
        let deployment = DeploymentObject::default();
        Self {
            deployment,
            hash: None,
            pods: BTreeMap::new(),
            kept: Kept::default(),
            propagation_timeout: propagation_timeout.min(LONGEST_TIMEOUT),
            refused_since: None,
            hoped_since: None,
            is_begun: false,
        }
    }

    pub fn begin(
        &mut self,
        deployment: DeploymentObject,
        hash: Option<String>,
        pods: Vec<Pod>,
    ) -> Result<(), TooLarge> {
        self.deployment = deployment;
        self.hash = hash;
        if !self.is_begun && self.deployment.stuck().is_some() {
            self.hoped_since = Some(Instant::now());
        }
        self.is_begun = true;
        self.pods.clear();
        self.kept = Kept::default();
        for pod in pods {
            self.insert(pod)?;
        }
        self.track_refusals();
        Ok(())
    }

    /// Takes a pod, if it belongs to the rollout.
    pub fn put(&mut self, pod: Pod) -> Result<(), TooLarge> {
        self.insert(pod)?;
        self.track_refusals();
        Ok(())
    }

    fn insert(&mut self, pod: Pod) -> Result<(), TooLarge> {
        let hash = pod.labels.iter().find(|(key, _)| key == TEMPLATE_HASH).map(|(_, hash)| hash);
        if self.hash.is_none() || hash == self.hash.as_ref() {
            self.kept.add(pod_weight(&pod))?;
            if let Some(before) = self.pods.insert(pod.name.clone(), pod) {
                self.kept.remove(pod_weight(&before));
            }
        }
        Ok(())
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(pod) = self.pods.remove(name) {
            self.kept.remove(pod_weight(&pod));
        }
        self.track_refusals();
    }

    /// The wait for refused pulls begins with the first one and ends with the last.
    fn track_refusals(&mut self) {
        let is_refused = self.failure(PullRetry::AfterGrant).is_some();
        if !is_refused && self.refused_since.is_some() {
            self.hoped_since = Some(Instant::now());
        }
        self.refused_since = is_refused.then(|| self.refused_since.unwrap_or_else(Instant::now));
    }

    pub fn wanted(&self) -> u32 {
        self.deployment.wanted()
    }

    pub fn ready(&self) -> u32 {
        let ready = self.pods.values().filter(|pod| pod.is_ready && pod.status == "Running").count();
        u32::try_from(ready).unwrap_or(u32::MAX)
    }

    fn failure(&self, retry: PullRetry) -> Option<&PullFailure> {
        let failures = self.pods.values().filter_map(|pod| pod.pull_failure.as_ref());
        failures.into_iter().find(|failure| failure.cause.retry() == retry)
    }

    /// What blocks the rollout, the worst first.
    pub fn cause(&self) -> Option<&PullFailure> {
        [PullRetry::Never, PullRetry::AfterGrant, PullRetry::Transient]
            .into_iter()
            .find_map(|retry| self.failure(retry))
    }

    /// Until when a refused pull is waited for, if there is one, with what came before.
    pub fn wait_until(&self) -> Option<Instant> {
        match self.refused_since {
            Some(since) => Some(since + self.propagation_timeout),
            None => {
                self.hoped_since.map(|since| since + self.propagation_timeout).filter(|until| *until > Instant::now())
            }
        }
    }

    /// The result, if the rollout has ended.
    pub fn verdict(&self) -> Option<Result<Rollout, Error>> {
        if self.deployment.is_complete() {
            let ready = self.deployment.status.available_replicas;
            return Some(Ok(Rollout { ready, wanted: self.wanted() }));
        }
        // Until the controller has seen the newest specification, the pods are those of an older one.
        if !self.deployment.is_observed() {
            return None;
        }
        if let Some(failure) = self.failure(PullRetry::Never) {
            return Some(Err(self.pull_failed(failure)));
        }
        if let (Some(failure), Some(until)) = (self.failure(PullRetry::AfterGrant), self.wait_until()) {
            // Kubernetes' own progress deadline may have ended before the grant was made; its controllers continue anyway.
            return (until <= Instant::now()).then(|| Err(self.pull_failed(failure)));
        }
        let stuck = self.deployment.stuck()?;
        if self.wait_until().is_some() {
            return None;
        }
        Some(Err(match self.cause() {
            Some(failure) => self.pull_failed(failure),
            None => Error::new(ErrorKind::OperationFailed, "the deployment makes no progress")
                .with_context("Kubernetes says", stuck),
        }))
    }

    fn pull_failed(&self, failure: &PullFailure) -> Error {
        let err = self.add_state(Error::new(ErrorKind::PullFailed, failure.cause.to_string()));
        failure.cause.hint().into_iter().fold(err, |err, hint| err.with_context("hint", hint))
    }

    /// Adds the progress, and what blocks the rollout.
    pub fn add_state(&self, err: Error) -> Error {
        let err = err.with_context("ready", format!("{}/{}", self.ready(), self.wanted()));
        match self.cause() {
            Some(failure) => err
                .with_context("image", failure.image.clone())
                .with_context("reason", failure.reason.clone())
                .with_pull_failure(failure.clone()),
            None => err,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull::PullCause;
    use serde_json::json;

    const REFUSED: &str = "failed to fetch oauth token: 401 Unauthorized";

    fn deployment(generation: u64, observed: u64, condition: &str) -> DeploymentObject {
        let object = json!({
            "metadata": { "generation": generation, "annotations": { REVISION: "1" } },
            "spec": { "replicas": 2 },
            "status": { "observedGeneration": observed, "replicas": 2, "updatedReplicas": 2, "conditions": [{ "reason": condition }] },
        });
        DeploymentObject::deserialize(object).unwrap()
    }

    fn pod(name: &str, text: Option<&str>) -> Pod {
        let state = match text {
            Some(text) => json!({ "waiting": { "reason": "ErrImagePull", "message": text } }),
            None => json!({ "running": {} }),
        };
        crate::cluster::pods::read_pod(&json!({
            "metadata": { "name": name, "labels": { TEMPLATE_HASH: "h" } },
            "status": { "containerStatuses": [{ "name": "c", "state": state }] },
        }))
    }

    fn rolling(deployment: DeploymentObject, pods: Vec<Pod>, propagation_timeout: u64) -> RolloutProgress {
        let mut rolling = RolloutProgress::new(Duration::from_secs(propagation_timeout));
        rolling.begin(deployment, Some("h".to_owned()), pods).unwrap();
        rolling
    }

    #[tokio::test(start_paused = true)]
    async fn the_pods_of_an_older_specification_do_not_end_it() {
        let broken = vec![pod("a", Some("a:1: not found"))];
        assert!(rolling(deployment(2, 1, ""), broken.clone(), 0).verdict().is_none());
        assert!(matches!(rolling(deployment(2, 2, ""), broken, 0).verdict(), Some(Err(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deployment_without_a_generation_is_not_done() {
        let done = |metadata: serde_json::Value| {
            let object = json!({ "metadata": metadata, "spec": { "replicas": 0 }, "status": {} });
            let deployment = DeploymentObject::deserialize(object).unwrap();
            rolling(deployment, Vec::new(), 0).verdict().is_some()
        };
        assert!(!done(json!({})) && !done(json!({ "generation": 0 })) && !done(json!({ "generation": 1 })));
        let scaled_to_none = json!({ "metadata": { "generation": 1 }, "spec": { "replicas": 0 }, "status": { "observedGeneration": 1 } });
        let scaled_to_none = DeploymentObject::deserialize(scaled_to_none).unwrap();
        assert!(matches!(rolling(scaled_to_none, Vec::new(), 0).verdict(), Some(Ok(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_continues_across_new_reads_and_any_order_of_pods() {
        let pods = || vec![pod("a", None), pod("b", Some(REFUSED)), pod("c", None)];
        let mut rolling = rolling(deployment(1, 1, ""), pods(), 60);
        let until = rolling.wait_until();
        assert!(until.is_some());
        tokio::time::advance(Duration::from_secs(30)).await;
        rolling.begin(deployment(1, 1, ""), Some("h".to_owned()), pods()).unwrap();
        assert_eq!(rolling.wait_until(), until);
        assert!(rolling.verdict().is_none());
        tokio::time::advance(Duration::from_secs(31)).await;
        let err = rolling.verdict().unwrap().unwrap_err();
        assert_eq!(err.pull_failure().map(|failure| &failure.cause), Some(&PullCause::Unauthorized));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unlimited_timeout_does_not_overflow() {
        let mut rolling = RolloutProgress::new(Duration::MAX);
        rolling.begin(deployment(1, 1, ""), Some("h".to_owned()), vec![pod("a", Some(REFUSED))]).unwrap();
        tokio::time::advance(Duration::from_secs(365 * 24 * 3600)).await;
        assert!(rolling.verdict().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_grants_ends_with_the_last_refused_pod() {
        let mut rolling = rolling(deployment(1, 1, ""), vec![pod("a", Some(REFUSED))], 0);
        rolling.remove("a");
        assert_eq!(rolling.wait_until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn kubernetes_progress_deadline_does_not_end_the_wait_for_a_grant() {
        let refused = || vec![pod("a", Some(REFUSED))];
        assert!(rolling(deployment(1, 1, "ProgressDeadlineExceeded"), refused(), 60).verdict().is_none());
        let mut stuck = rolling(deployment(1, 1, ""), vec![pod("a", None)], 60);
        stuck.deployment = deployment(1, 1, "ProgressDeadlineExceeded");
        assert_eq!(stuck.verdict().unwrap().unwrap_err().kind(), ErrorKind::OperationFailed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_progress_deadline_before_the_first_read_is_not_final() {
        let begun = || deployment(1, 1, "ProgressDeadlineExceeded");
        let mut rolling = rolling(begun(), vec![pod("a", None)], 60);
        assert!(rolling.verdict().is_none());
        tokio::time::advance(Duration::from_secs(61)).await;
        rolling.begin(begun(), Some("h".to_owned()), vec![pod("a", None)]).unwrap();
        assert_eq!(rolling.verdict().unwrap().unwrap_err().kind(), ErrorKind::OperationFailed);
    }

    #[tokio::test(start_paused = true)]
    async fn kubernetes_progress_deadline_does_not_end_the_wait_for_newly_admitted_pods() {
        let mut rolling = rolling(deployment(1, 1, "ProgressDeadlineExceeded"), vec![pod("a", Some(REFUSED))], 60);
        tokio::time::advance(Duration::from_secs(50)).await;
        rolling.put(pod("a", None)).unwrap();
        assert!(rolling.verdict().is_none());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(rolling.verdict().unwrap().unwrap_err().kind(), ErrorKind::OperationFailed);
        assert_eq!(rolling.wait_until(), None);
    }

    #[test]
    fn pods_of_another_replica_set_do_not_count() {
        let mut rolling = RolloutProgress::new(Duration::ZERO);
        rolling.begin(deployment(1, 1, ""), Some("other".to_owned()), vec![pod("a", Some("a:1: not found"))]).unwrap();
        assert!(rolling.verdict().is_none());
    }
}
