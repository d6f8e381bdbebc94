//! Deployments: one replica set for each template, and the way from the old to the new.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::names::template_hash;
use super::super::object::{self, is_controlled_by, is_deleting, map, name, namespace, number, text};
use super::super::recorder::Happening;
use super::MANAGER;
use super::rollout::{self, Size};

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

impl Kubernetes {
    pub(in super::super) fn sync_deployments(&mut self) {
        for deployment in self.snapshot("deployments.apps") {
            if !is_deleting(&deployment) {
                self.sync_deployment(&deployment);
            }
        }
    }

    fn sync_deployment(&mut self, deployment: &Value) {
        let paused = deployment.pointer("/spec/paused") == Some(&json!(true));
        let (new, old) = self.replica_sets(deployment);
        let new = if paused { new } else { self.new_set(deployment, new, &old) };
        if let Some(new) = &new {
            self.scale_sets(deployment, new, &old, paused);
        }
        if !paused {
            self.remove_history(deployment);
        }
        self.report_rollout(deployment);
    }

    /// The set with the deployment's template, if there is one, and the others, oldest first.
    pub(super) fn replica_sets(&self, deployment: &Value) -> (Option<Value>, Vec<Value>) {
        let mut sets: Vec<Value> = self
            .store
            .list("replicasets.apps", namespace(deployment))
            .filter(|set| is_controlled_by(set, deployment) && !is_deleting(set))
            .cloned()
            .collect();
        sets.sort_by_key(revision);
        let index = sets.iter().position(|set| template_of(set) == deployment["spec"]["template"]);
        (index.map(|index| sets.remove(index)), sets)
    }

    /// Makes the new set, or marks the one there is as the newest.
    fn new_set(&mut self, deployment: &Value, new: Option<Value>, old: &[Value]) -> Option<Value> {
        let next = old.iter().map(revision).max().unwrap_or(0) + 1;
        if let Some(set) = new {
            if revision(&set) < next {
                let mut after = set.clone();
                map(&mut after, &["metadata", "annotations"]).insert(REVISION.to_owned(), json!(next.to_string()));
                self.change_as(MANAGER, "replicasets", "", &set, after);
            }
            self.mark_revision(deployment, revision(&set).max(next));
            return Some(set);
        }
        if rollout::is_recreate(deployment) && self.have_pods(old) {
            self.scale_all_down(deployment, old);
            return None;
        }
        let made = self.make_set(deployment, old, next)?;
        self.mark_revision(deployment, next);
        Some(made)
    }

    /// Whether there are pods of these sets, those that are ending included.
    fn have_pods(&self, sets: &[Value]) -> bool {
        let is_alive = |pod: &Value| !matches!(text(pod, "/status/phase"), "Failed" | "Succeeded");
        self.store.list("pods", "").any(|pod| is_alive(pod) && sets.iter().any(|set| is_controlled_by(pod, set)))
    }

    fn make_set(&mut self, deployment: &Value, old: &[Value], revision: i64) -> Option<Value> {
        let template = &deployment["spec"]["template"];
        let collisions = number(deployment, "/status/collisionCount").unwrap_or(0);
        let hash = template_hash(template, collisions);
        let wanted = number(deployment, "/spec/replicas").unwrap_or(1);
        let bounds = rollout::bounds(deployment, wanted);
        let old: Vec<Size> = old.iter().map(Size::of).collect();
        let mut set = json!({
            "metadata": {"name": format!("{}-{hash}", name(deployment)),
                "labels": template["metadata"]["labels"],
                "annotations": {REVISION: revision.to_string(),
                    "deployment.kubernetes.io/desired-replicas": wanted.to_string(),
                    "deployment.kubernetes.io/max-replicas": (wanted + bounds.surge).to_string()},
                "ownerReferences": object::owner_reference("apps/v1", "Deployment", deployment)},
            "spec": {"replicas": rollout::new_size(wanted, bounds, 0, &old), "selector": deployment["spec"]["selector"],
                "template": template}});
        if let Some(seconds) = deployment.pointer("/spec/minReadySeconds") {
            set["spec"]["minReadySeconds"] = seconds.clone();
        }
        for path in [
            &["metadata", "labels"][..],
            &["spec", "selector", "matchLabels"],
            &["spec", "template", "metadata", "labels"],
        ] {
            map(&mut set, path).insert(HASH.to_owned(), json!(hash));
        }
        let made = match self.write_as(MANAGER, "replicasets", namespace(deployment), set) {
            Ok(made) => made,
            Err(refusal) => {
                self.no_set(deployment, collisions, &refusal.body());
                return None;
            }
        };
        self.record_scaled(deployment, &made, 0, number(&made, "/spec/replicas").unwrap_or(0));
        self.start_anew(deployment, &made);
        Some(made)
    }

    /// A new template has its own deadline: that the one before missed its own says nothing of it.
    fn start_anew(&mut self, deployment: &Value, made: &Value) {
        let Some(before) = self.store.get(&object::key("deployments.apps", deployment)).cloned() else {
            return;
        };
        let missed = object::condition(&before, "Progressing").map(|one| text(one, "/reason").to_owned());
        if missed.as_deref() != Some("ProgressDeadlineExceeded") {
            return;
        }
        let (mut after, time) = (before.clone(), self.clock.text(self.now));
        let conditions = map(&mut after, &["status"]).entry("conditions").or_insert_with(|| json!([]));
        if let Some(conditions) = conditions.as_array_mut() {
            conditions.retain(|one| one["type"] != "Progressing");
            conditions.push(json!({"type": "Progressing", "status": "True", "reason": "NewReplicaSetCreated",
                "message": format!("Created new replica set \"{}\"", name(made)),
                "lastUpdateTime": time, "lastTransitionTime": time}));
        }
        self.change_as(MANAGER, "deployments", "status", &before, after);
    }

    /// A set could not be made. If another object has the name, the next try hashes with a higher count; any other error is reported
    /// in a condition, and nothing is tried again until the deployment changes.
    fn no_set(&mut self, deployment: &Value, collisions: i64, refusal: &Value) {
        let mut after = deployment.clone();
        if text(refusal, "/reason") == "AlreadyExists" {
            map(&mut after, &["status"]).insert("collisionCount".to_owned(), json!(collisions + 1));
        } else {
            let message = text(refusal, "/message");
            if object::condition(deployment, "ReplicaFailure").is_some_and(|one| text(one, "/message") == message) {
                return;
            }
            let time = self.clock.text(self.now);
            let failure = json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": message, "lastUpdateTime": time, "lastTransitionTime": time});
            let conditions = map(&mut after, &["status"]).entry("conditions").or_insert_with(|| json!([]));
            if let Some(conditions) = conditions.as_array_mut() {
                conditions.retain(|one| one["type"] != "ReplicaFailure");
                conditions.push(failure);
            }
        }
        self.change_as(MANAGER, "deployments", "status", deployment, after);
    }

    fn mark_revision(&mut self, deployment: &Value, revision: i64) {
        let Some(before) = self.store.get(&object::key("deployments.apps", deployment)).cloned() else {
            return;
        };
        let mut after = before.clone();
        map(&mut after, &["metadata", "annotations"]).insert(REVISION.to_owned(), json!(revision.to_string()));
        if after != before {
            self.change_as(MANAGER, "deployments", "status", &before, after);
        }
    }

    fn scale_all_down(&mut self, deployment: &Value, sets: &[Value]) {
        for set in sets {
            self.resize(deployment, set, 0);
        }
    }

    fn scale_sets(&mut self, deployment: &Value, new: &Value, old: &[Value], paused: bool) {
        let wanted = number(deployment, "/spec/replicas").unwrap_or(1);
        let bounds = rollout::bounds(deployment, wanted);
        let sizes: Vec<Size> = old.iter().map(Size::of).collect();
        let is_rolling = sizes.iter().any(|size| size.wanted > 0);
        if paused && is_rolling {
            return;
        }
        let size = Size::of(new);
        self.resize(deployment, new, rollout::new_size(wanted, bounds, size.wanted, &sizes));
        if is_rolling {
            for (set, size) in old.iter().zip(rollout::old_sizes(wanted, bounds, size, &sizes)) {
                self.resize(deployment, set, size);
            }
        }
    }

    fn resize(&mut self, deployment: &Value, set: &Value, size: i64) {
        let before = number(set, "/spec/replicas").unwrap_or(0);
        if before == size {
            return;
        }
        let Some(current) = self.store.get(&object::key("replicasets.apps", set)).cloned() else {
            return;
        };
        let mut after = current.clone();
        map(&mut after, &["spec"]).insert("replicas".to_owned(), json!(size));
        self.change_as(MANAGER, "replicasets", "", &current, after);
        self.record_scaled(deployment, set, before, size);
    }

    /// Sets without pods go when there are more of them than the history keeps.
    fn remove_history(&mut self, deployment: &Value) {
        let limit = usize::try_from(number(deployment, "/spec/revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
        let (_, old) = self.replica_sets(deployment);
        let empty: Vec<_> = old
            .iter()
            .filter(|set| number(set, "/spec/replicas") == Some(0) && number(set, "/status/replicas") == Some(0))
            .collect();
        let Ok(kind) = self.kind("replicasets").cloned() else {
            return;
        };
        for set in &empty[..empty.len().saturating_sub(limit)] {
            let _ = self.delete(&kind, &object::key("replicasets.apps", set), &Deletion::default());
        }
    }

    fn record_scaled(&mut self, deployment: &Value, set: &Value, from: i64, to: i64) {
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {from} to {to}", name(set));
        let happening = Happening {
            component: "deployment-controller",
            host: "",
            part: "",
            warning: false,
            reason: "ScalingReplicaSet",
            message: &message,
        };
        self.record(deployment, &happening);
    }
}

/// A set's template as its deployment has it.
fn template_of(set: &Value) -> Value {
    let mut template = set["spec"]["template"].clone();
    map(&mut template, &["metadata", "labels"]).remove(HASH);
    template
}

fn revision(set: &Value) -> i64 {
    set["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}
