//! Replica sets: as many pods as wanted, made from the template.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::object::{
    self, condition, is_controlled_by, is_deleting, is_true, name, namespace, number, template_metadata, text,
};
use super::super::recorder::Happening;
use super::super::selector::Labels;
use super::MANAGER;

const COMPONENT: &str = "replicaset-controller";

impl Kubernetes {
    pub(in super::super) fn sync_replica_sets(&mut self) {
        for set in self.snapshot("replicasets.apps") {
            if !is_deleting(&set) {
                self.sync_replica_set(&set);
            }
        }
    }

    fn sync_replica_set(&mut self, set: &Value) {
        let pods = self.active_pods(set);
        let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
        let failure = (pods.len()..wanted).find_map(|_| self.make_pod(set));
        if pods.len() > wanted {
            self.delete_pods(set, pods, wanted);
        }
        let Some(set) = self.store.get(&object::key("replicasets.apps", set)).cloned() else {
            return;
        };
        self.report_replicas(&set, failure);
    }

    /// The pods of a set that have not ended and are not about to.
    fn active_pods(&self, set: &Value) -> Vec<Value> {
        let is_active = |pod: &&Value| {
            let ended = matches!(text(pod, "/status/phase"), "Failed" | "Succeeded");
            is_controlled_by(pod, set) && !is_deleting(pod) && !ended
        };
        self.store.list("pods", namespace(set)).filter(is_active).cloned().collect()
    }

    /// Makes one more pod, or says why it could not be made.
    fn make_pod(&mut self, set: &Value) -> Option<String> {
        let mut pod = set["spec"]["template"].clone();
        let metadata = template_metadata(&mut pod);
        metadata.insert("generateName".to_owned(), json!(format!("{}-", name(set))));
        let owner = object::owner_reference("apps/v1", "ReplicaSet", set);
        metadata.insert("ownerReferences".to_owned(), owner);
        match self.write_as(MANAGER, "pods", namespace(set), pod) {
            Ok(pod) => {
                self.record_of_set(set, false, "SuccessfulCreate", &format!("Created pod: {}", name(&pod)));
                None
            }
            Err(refusal) => {
                let failure = text(&refusal.body(), "/message").to_owned();
                let message = format!("Error creating: {failure}");
                self.record_failed_create(set, COMPONENT, &format!("{}-", name(set)), &message);
                Some(failure)
            }
        }
    }

    /// Pods that are not running go first, then the youngest.
    fn delete_pods(&mut self, set: &Value, mut pods: Vec<Value>, wanted: usize) {
        pods.sort_by_cached_key(|pod| {
            let scheduled = !text(pod, "/spec/nodeName").is_empty();
            let running = text(pod, "/status/phase") == "Running";
            let created = text(pod, "/metadata/creationTimestamp").to_owned();
            (scheduled, running, is_true(pod, "Ready"), std::cmp::Reverse(created))
        });
        let Ok(kind) = self.kind("pods").cloned() else {
            return;
        };
        for pod in &pods[..pods.len() - wanted] {
            // One that is gone by itself is as good as deleted.
            let _ = self.delete(&kind, &object::key("pods", pod), &Deletion::default());
            self.record_of_set(set, false, "SuccessfulDelete", &format!("Deleted pod: {}", name(pod)));
        }
    }

    fn report_replicas(&mut self, set: &Value, failure: Option<String>) {
        let pods = self.active_pods(set);
        let template = Labels::of(&json!({"matchLabels": set["spec"]["template"]["metadata"]["labels"]}));
        let labeled = pods.iter().filter(|pod| template.fit(pod.pointer("/metadata/labels"))).count();
        let ready = pods.iter().filter(|pod| is_true(pod, "Ready")).count();
        let available = pods.iter().filter(|pod| self.is_available(set, pod)).count();
        let mut status = json!({"replicas": pods.len(), "observedGeneration": set["metadata"]["generation"]});
        for (field, count) in
            [("fullyLabeledReplicas", labeled), ("readyReplicas", ready), ("availableReplicas", available)]
        {
            if count > 0 {
                status[field] = json!(count);
            }
        }
        if let Some(failure) = failure {
            // The first failure stays until there is none.
            let time = self.clock.text(self.now);
            let new = json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure,
                "lastTransitionTime": time});
            status["conditions"] = json!([condition(set, "ReplicaFailure").cloned().unwrap_or(new)]);
        }
        let mut after = set.clone();
        after["status"] = status;
        self.change_as(MANAGER, "replicasets", "status", set, after);
    }

    /// Ready, and for as long as `minReadySeconds` says.
    fn is_available(&mut self, set: &Value, pod: &Value) -> bool {
        if !is_true(pod, "Ready") {
            return false;
        }
        let seconds = number(set, "/spec/minReadySeconds").unwrap_or(0);
        let since = condition(pod, "Ready").map(|ready| text(ready, "/lastTransitionTime"));
        let Some(since) = since.and_then(|since| self.clock.instant(since)) else {
            return false;
        };
        let then = since + std::time::Duration::from_secs(seconds.unsigned_abs());
        self.wake(then);
        then <= self.now
    }

    fn record_of_set(&mut self, set: &Value, warning: bool, reason: &str, message: &str) {
        self.record(set, &Happening { component: COMPONENT, host: "", part: "", warning, reason, message });
    }
}
