//! What a deployment says about its rollout: counts, and the conditions Available and Progressing.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::object::{self, condition, name, number, text};
use super::MANAGER;
use super::rollout;

impl Kubernetes {
    /// Writes the status of a deployment.
    pub(super) fn report_rollout(&mut self, deployment: &Value) {
        let Some(before) = self.store.get(&object::key("deployments.apps", deployment)).cloned() else {
            return;
        };
        let (new, old) = self.replica_sets(&before);
        let sum = |field: &str| -> i64 {
            old.iter().chain(&new).filter_map(|set| number(set, &format!("/status/{field}"))).sum()
        };
        let wanted = number(&before, "/spec/replicas").unwrap_or(1);
        let (replicas, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
        let updated = new.as_ref().and_then(|set| number(set, "/status/replicas")).unwrap_or(0);
        let mut status = json!({"observedGeneration": before["metadata"]["generation"]});
        for (field, count) in [
            ("replicas", replicas),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", available),
            ("unavailableReplicas", (replicas.max(wanted) - available).max(0)),
        ] {
            if count > 0 {
                status[field] = json!(count);
            }
        }
        if let Some(collisions) = before.pointer("/status/collisionCount") {
            status["collisionCount"] = collisions.clone();
        }
        status["conditions"] = self.conditions(&before, &status, (new.as_ref(), &old), wanted);
        let mut after = before.clone();
        after["status"] = status;
        self.change_as(MANAGER, "deployments", "status", &before, after);
    }

    fn conditions(
        &mut self,
        before: &Value,
        status: &Value,
        (new, old): (Option<&Value>, &[Value]),
        wanted: i64,
    ) -> Value {
        let count = |field: &str| status[field].as_i64().unwrap_or(0);
        let missing = if rollout::is_recreate(before) { 0 } else { rollout::bounds(before, wanted).unavailable };
        let least = wanted - missing;
        let available = if count("availableReplicas") >= least {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned())
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.".to_owned())
        };
        let mut conditions = vec![self.condition(before, "Available", available, false)];
        if let Some((progress, moved)) = self.progress(before, status, new, wanted) {
            conditions.push(self.condition(before, "Progressing", progress, moved));
        } else if let Some(known) = condition(before, "Progressing") {
            conditions.push(known.clone());
        }
        let of_set = |set: &Value| condition(set, "ReplicaFailure").map(failure_of_set);
        let failure = new.and_then(of_set).or_else(|| old.iter().find_map(of_set));
        // Without a set, the reason is reported until there is one.
        conditions.extend(failure.or_else(|| condition(before, "ReplicaFailure").filter(|_| new.is_none()).cloned()));
        json!(conditions)
    }

    /// What to say about progress, and whether there was some; `None` when nothing is to be said anew.
    fn progress(
        &mut self,
        before: &Value,
        status: &Value,
        new: Option<&Value>,
        wanted: i64,
    ) -> Option<((&'static str, &'static str, String), bool)> {
        let set = new
            .map_or_else(|| format!("Deployment \"{}\"", name(before)), |set| format!("ReplicaSet \"{}\"", name(set)));
        let count = |field: &str| status[field].as_i64().unwrap_or(0);
        let was = |field: &str| number(before, &format!("/status/{field}")).unwrap_or(0);
        let known = condition(before, "Progressing");
        let reason = known.map(|known| text(known, "/reason")).unwrap_or_default();
        match (before["spec"]["paused"] == true, reason) {
            (true, reason) if reason != "ProgressDeadlineExceeded" => {
                return Some((("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()), false));
            }
            (false, "DeploymentPaused") => {
                return Some((("Unknown", "DeploymentResumed", "Deployment is resumed".to_owned()), true));
            }
            _ => {}
        }
        let complete = ["replicas", "updatedReplicas", "availableReplicas"].iter().all(|field| count(field) == wanted);
        if complete {
            return Some((("True", "NewReplicaSetAvailable", format!("{set} has successfully progressed.")), false));
        }
        if reason == "NewReplicaSetAvailable"
            && count("replicas") == count("updatedReplicas")
            && wanted == asked_for(new)
        {
            return None;
        }
        let grew =
            ["updatedReplicas", "readyReplicas", "availableReplicas"].iter().any(|field| count(field) > was(field));
        let shrank = count("replicas") - count("updatedReplicas") < was("replicas") - was("updatedReplicas");
        if known.is_none() {
            return Some((
                (
                    "True",
                    "NewReplicaSetCreated",
                    format!("Created new replica set \"{}\"", new.map(name).unwrap_or_default()),
                ),
                true,
            ));
        }
        if grew || shrank || (reason == "NewReplicaSetAvailable") {
            return Some((("True", "ReplicaSetUpdated", format!("{set} is progressing.")), true));
        }
        let seconds = number(before, "/spec/progressDeadlineSeconds").unwrap_or(600);
        let since = known.and_then(|known| self.clock.instant(text(known, "/lastUpdateTime")))?;
        let deadline = since + Duration::from_secs(seconds.unsigned_abs());
        if reason == "ProgressDeadlineExceeded" {
            return None;
        }
        if deadline <= self.now {
            return Some((("False", "ProgressDeadlineExceeded", format!("{set} has timed out progressing.")), true));
        }
        self.wake(deadline);
        None
    }

    fn condition(&self, before: &Value, kind: &str, what: (&str, &str, String), moved: bool) -> Value {
        let now = self.clock.text(self.now);
        let (status, reason, message) = what;
        let known = condition(before, kind);
        let same = known.filter(|known| known["status"] == status);
        let transition = same.map_or_else(|| now.clone(), |known| text(known, "/lastTransitionTime").to_owned());
        let unchanged = same.filter(|known| known["reason"] == reason && known["message"] == message && !moved);
        let updated = unchanged.map_or_else(|| now.clone(), |known| text(known, "/lastUpdateTime").to_owned());
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastUpdateTime": updated, "lastTransitionTime": transition})
    }
}

/// A set's failure as its deployment repeats it.
fn failure_of_set(failure: &Value) -> Value {
    let mut failure = failure.clone();
    failure["lastUpdateTime"] = failure["lastTransitionTime"].clone();
    failure
}

/// How many pods the new set was asked for.
fn asked_for(new: Option<&Value>) -> i64 {
    new.and_then(|set| number(set, "/spec/replicas")).unwrap_or(0)
}
