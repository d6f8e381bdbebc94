//! How far a rollout is, according to its workload. The rules are those of `kubectl rollout status`
//! (`k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go`), and of `kubectl wait --for=condition=complete` for a Job.

use super::object::{Condition, Object};
use crate::{
    cluster::{
        RolloutPhase,
        workload::WorkloadKind::{self, DaemonSet, Deployment, Job, StatefulSet},
    },
    error::{Error, ErrorKind, Result},
};

impl Object {
    /// Rejects a workload whose controller does not update its pods.
    pub fn check_strategy(&self, kind: WorkloadKind) -> Result<()> {
        let strategy = self.spec.update_strategy.kind.as_deref().unwrap_or("RollingUpdate");
        if matches!(kind, StatefulSet | DaemonSet) && strategy != "RollingUpdate" {
            let message = "this workload has no rollout: its pods are updated only when they are deleted";
            return Err(Error::new(ErrorKind::Unsupported, message).with_context("updateStrategy", strategy));
        }
        Ok(())
    }

    /// The pods that the rollout needs.
    pub fn wanted(&self, kind: WorkloadKind) -> u32 {
        match kind {
            Deployment | StatefulSet => self.spec.replicas.unwrap_or(1),
            DaemonSet => self.status.desired_number_scheduled,
            // Without completions, one success of the parallel pods ends a Job.
            Job => self.spec.completions.unwrap_or(1),
        }
    }

    /// Ready pods, as the workload counts them.
    pub fn ready(&self, kind: WorkloadKind) -> u32 {
        match kind {
            Deployment => self.status.available_replicas,
            StatefulSet => self.status.ready_replicas,
            DaemonSet => self.status.number_available,
            Job => self.status.succeeded,
        }
    }

    /// Whether pods that the rollout needs have not been created.
    pub fn lacks_pods(&self, kind: WorkloadKind) -> bool {
        let (status, wanted) = (&self.status, self.wanted(kind));
        match kind {
            Deployment | StatefulSet => status.replicas < wanted,
            DaemonSet => status.current_number_scheduled < wanted,
            Job => {
                let missing = wanted.saturating_sub(status.succeeded);
                status.active < missing.min(self.spec.parallelism.unwrap_or(1))
            }
        }
    }

    /// Kubernetes counts generations from 1: without a generation it is unknown what the status refers to. A Job has no observed
    /// generation, since its template cannot change.
    fn is_observed(&self, kind: WorkloadKind) -> bool {
        kind == Job || (self.metadata.generation > 0 && self.status.observed_generation >= self.metadata.generation)
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|one| one.kind == kind && one.status == "True")
    }

    pub fn phase(&self, kind: WorkloadKind) -> RolloutPhase {
        if !self.is_observed(kind) {
            return RolloutPhase::NotObserved;
        }
        if self.is_complete(kind) {
            return RolloutPhase::Complete;
        }
        if let Some(failed) = self.condition("Failed").filter(|_| kind == Job) {
            return RolloutPhase::Failed { reason: failed.reason.clone(), message: failed.message.clone() };
        }
        if self.spec.paused == Some(true) || self.spec.suspend == Some(true) {
            return RolloutPhase::Paused;
        }
        let stalled = self.status.conditions.iter().find(|one| one.reason == "ProgressDeadlineExceeded");
        match stalled {
            Some(stalled) if kind == Deployment => RolloutPhase::Stalled { message: stalled.message.clone() },
            _ => RolloutPhase::Progressing,
        }
    }

    fn is_complete(&self, kind: WorkloadKind) -> bool {
        match kind {
            Job => self.condition("Complete").is_some(),
            _ => self.waiting_for(kind).is_none(),
        }
    }

    /// What an unfinished rollout waits for.
    pub fn waiting_for(&self, kind: WorkloadKind) -> Option<String> {
        if !self.is_observed(kind) {
            return Some(format!("the controller to observe generation {}", self.metadata.generation));
        }
        match kind {
            Deployment => self.deployment_waits_for(),
            StatefulSet => self.stateful_set_waits_for(),
            DaemonSet => self.daemon_set_waits_for(),
            Job => Some(format!("{} of {} pods succeeded", self.status.succeeded, self.wanted(kind))),
        }
    }

    fn deployment_waits_for(&self) -> Option<String> {
        let (status, wanted) = (&self.status, self.wanted(Deployment));
        if status.updated_replicas < wanted {
            return Some(format!("{} of {wanted} pods are updated", status.updated_replicas));
        }
        if status.replicas > status.updated_replicas {
            return Some(format!("old pods to terminate: {}", status.replicas - status.updated_replicas));
        }
        let (available, updated) = (status.available_replicas, status.updated_replicas);
        (available < updated).then(|| format!("{available} of {updated} updated pods are available"))
    }

    fn stateful_set_waits_for(&self) -> Option<String> {
        let (status, wanted) = (&self.status, self.wanted(StatefulSet));
        if status.ready_replicas < wanted {
            return Some(format!("{} of {wanted} pods are ready", status.ready_replicas));
        }
        let partition = self.spec.update_strategy.rolling_update.partition.unwrap_or(0);
        let to_update = wanted.saturating_sub(partition);
        (status.updated_replicas < to_update)
            .then(|| format!("{} of {to_update} pods are updated", status.updated_replicas))
    }

    fn daemon_set_waits_for(&self) -> Option<String> {
        let (status, wanted) = (&self.status, self.wanted(DaemonSet));
        if status.updated_number_scheduled < wanted {
            return Some(format!("{} of {wanted} pods are updated", status.updated_number_scheduled));
        }
        (status.number_available < wanted)
            .then(|| format!("{} of {wanted} updated pods are available", status.number_available))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    fn phase(kind: WorkloadKind, object: Value) -> (RolloutPhase, Option<String>) {
        let object = Object::deserialize(object).unwrap();
        (object.phase(kind), object.waiting_for(kind))
    }

    fn object(spec: &Value, status: &Value) -> Value {
        json!({ "metadata": { "generation": 2 }, "spec": spec, "status": status })
    }

    #[test]
    fn a_deployment_without_a_generation_is_not_done() {
        let done = |metadata: Value| {
            phase(Deployment, json!({ "metadata": metadata, "spec": { "replicas": 0 }, "status": {} })).0
        };
        for metadata in [json!({}), json!({ "generation": 0 }), json!({ "generation": 1 })] {
            assert_eq!(done(metadata), RolloutPhase::NotObserved);
        }
        let status = json!({ "observedGeneration": 2, "conditions": null });
        assert_eq!(phase(Deployment, object(&json!({ "replicas": 0 }), &status)).0, RolloutPhase::Complete);
    }

    #[test]
    fn a_deployment_waits_as_kubectl_does() {
        for (status, waits) in [
            (json!({}), "2 pods are updated"),
            (json!({ "updatedReplicas": 1, "replicas": 2 }), "1 of 2 pods are updated"),
            (json!({ "updatedReplicas": 2, "replicas": 3, "availableReplicas": 2 }), "old pods to terminate: 1"),
            (
                json!({ "updatedReplicas": 2, "replicas": 2, "availableReplicas": 1 }),
                "1 of 2 updated pods are available",
            ),
        ] {
            let mut status = status;
            status["observedGeneration"] = json!(2);
            let (phase, text) = phase(Deployment, object(&json!({ "replicas": 2 }), &status));
            assert!(
                phase == RolloutPhase::Progressing && text.as_deref().is_some_and(|text| text.ends_with(waits)),
                "{text:?}"
            );
        }
        let (phase, text) = phase(Deployment, object(&json!({}), &json!({ "observedGeneration": 1 })));
        assert_eq!(
            (phase, text.as_deref()),
            (RolloutPhase::NotObserved, Some("the controller to observe generation 2"))
        );
    }

    #[test]
    fn a_paused_deployment_is_paused_unless_it_is_complete() {
        let paused = json!({ "replicas": 1, "paused": true });
        let status = json!({ "observedGeneration": 2, "replicas": 1, "availableReplicas": 1 });
        assert_eq!(phase(Deployment, object(&paused, &status)).0, RolloutPhase::Paused);
        let status = json!({ "observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 });
        assert_eq!(phase(Deployment, object(&paused, &status)).0, RolloutPhase::Complete);
    }

    #[test]
    fn a_stateful_set_waits_for_ready_pods_and_for_its_partition() {
        let spec = |partition: u32| json!({ "replicas": 3, "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": partition } } });
        let status = |ready: u32, updated: u32| json!({ "observedGeneration": 2, "readyReplicas": ready, "updatedReplicas": updated });
        assert_eq!(phase(StatefulSet, object(&spec(0), &status(2, 3))).0, RolloutPhase::Progressing);
        assert_eq!(phase(StatefulSet, object(&spec(0), &status(3, 2))).0, RolloutPhase::Progressing);
        assert_eq!(phase(StatefulSet, object(&spec(1), &status(3, 2))).0, RolloutPhase::Complete);
        assert_eq!(phase(StatefulSet, object(&spec(9), &status(3, 0))).0, RolloutPhase::Complete);
        assert_eq!(phase(StatefulSet, object(&json!({ "replicas": 0 }), &status(0, 0))).0, RolloutPhase::Complete);
    }

    #[test]
    fn a_daemon_set_waits_for_each_of_its_nodes() {
        let status = |updated: u32, available: u32| json!({ "observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available });
        assert_eq!(phase(DaemonSet, object(&json!({}), &status(1, 2))).0, RolloutPhase::Progressing);
        assert_eq!(phase(DaemonSet, object(&json!({}), &status(2, 1))).0, RolloutPhase::Progressing);
        assert_eq!(phase(DaemonSet, object(&json!({}), &status(2, 2))).0, RolloutPhase::Complete);
        let empty = json!({ "observedGeneration": 2 });
        assert_eq!(phase(DaemonSet, object(&json!({}), &empty)).0, RolloutPhase::Complete);
    }

    #[test]
    fn a_job_ends_with_its_conditions() {
        let with = |kind: &str| json!({ "conditions": [{ "type": kind, "status": "True", "reason": "BackoffLimitExceeded" }] });
        assert_eq!(phase(Job, object(&json!({}), &with("Complete"))).0, RolloutPhase::Complete);
        assert!(
            matches!(phase(Job, object(&json!({}), &with("Failed"))).0, RolloutPhase::Failed { reason, .. } if reason == "BackoffLimitExceeded")
        );
        // Pods may still be running.
        assert_eq!(phase(Job, object(&json!({}), &with("FailureTarget"))).0, RolloutPhase::Progressing);
        assert_eq!(phase(Job, object(&json!({ "suspend": true }), &json!({}))).0, RolloutPhase::Paused);
        assert_eq!(
            phase(Job, object(&json!({ "completions": 2 }), &json!({ "succeeded": 1 }))).0,
            RolloutPhase::Progressing
        );
    }

    #[test]
    fn pods_that_are_updated_by_hand_have_no_rollout() {
        let by_hand = Object::deserialize(json!({ "spec": { "updateStrategy": { "type": "OnDelete" } } })).unwrap();
        for kind in [StatefulSet, DaemonSet] {
            assert_eq!(by_hand.check_strategy(kind).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}
