//! Stateful sets: numbered pods, one after another. A changed template replaces them from the last to the first.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::names::template_hash;
use super::super::object::{self, is_controlled_by, is_deleting, is_true, map, name, namespace, number, text};
use super::super::store::Key;
use super::MANAGER;

const COMPONENT: &str = "statefulset-controller";
const HASH: &str = "controller-revision-hash";

impl Kubernetes {
    pub(in super::super) fn sync_stateful_sets(&mut self) {
        for set in self.snapshot("statefulsets.apps") {
            if !is_deleting(&set) {
                self.sync_stateful_set(&set);
            }
        }
    }

    fn sync_stateful_set(&mut self, set: &Value) {
        let hash = format!("{}-{}", name(set), template_hash(&set["spec"]["template"], 0));
        let wanted = number(set, "/spec/replicas").unwrap_or(1);
        let parallel = set["spec"]["podManagementPolicy"] == "Parallel";
        self.take_next_step(set, &hash, wanted, parallel);
        self.report_stateful(set, &hash);
    }

    /// Fills the first gap, or removes the last pod too many, or replaces the last old pod; one thing at a time.
    fn take_next_step(&mut self, set: &Value, hash: &str, wanted: i64, parallel: bool) {
        for ordinal in 0..wanted {
            match self.stateful_pod(set, ordinal) {
                None => {
                    if !self.make_stateful(set, ordinal, hash) || !parallel {
                        return;
                    }
                }
                // It waits for a pod that never gets ready, even when the template is mended: then the user has to
                // delete the pod.
                Some(pod) if !is_true(&pod, "Ready") && !parallel => return,
                Some(_) => {}
            }
        }
        let pods = self.stateful_pods(set);
        let excess = pods.iter().filter(|(ordinal, _)| *ordinal >= wanted).max_by_key(|(ordinal, _)| *ordinal);
        let is_old = |pod: &Value| pod["metadata"]["labels"][HASH] != hash;
        let busy = pods.iter().any(|(_, pod)| is_deleting(pod) || !is_true(pod, "Ready"));
        let old = pods.iter().filter(|(_, pod)| is_old(pod)).max_by_key(|(ordinal, _)| *ordinal);
        if let Some((_, pod)) = excess.or_else(|| old.filter(|_| !busy)) {
            self.remove_stateful(pod);
        }
    }

    fn stateful_pod(&self, set: &Value, ordinal: i64) -> Option<Value> {
        self.store.get(&Key::new("pods", namespace(set), &format!("{}-{ordinal}", name(set)))).cloned()
    }

    fn stateful_pods(&self, set: &Value) -> Vec<(i64, Value)> {
        let ordinal = |pod: &Value| name(pod).rsplit('-').next().and_then(|number| number.parse().ok());
        self.store
            .list("pods", namespace(set))
            .filter(|pod| is_controlled_by(pod, set))
            .filter_map(|pod| Some((ordinal(pod)?, pod.clone())))
            .collect()
    }

    fn make_stateful(&mut self, set: &Value, ordinal: i64, hash: &str) -> bool {
        let mut pod = set["spec"]["template"].clone();
        let own = format!("{}-{ordinal}", name(set));
        let metadata = object::template_metadata(&mut pod);
        metadata.insert("name".to_owned(), json!(own));
        let owner = object::owner_reference("apps/v1", "StatefulSet", set);
        metadata.insert("ownerReferences".to_owned(), owner);
        let labels = map(&mut pod, &["metadata", "labels"]);
        labels.insert(HASH.to_owned(), json!(hash));
        labels.insert("statefulset.kubernetes.io/pod-name".to_owned(), json!(own));
        labels.insert("apps.kubernetes.io/pod-index".to_owned(), json!(ordinal.to_string()));
        // A pod that is refused is tried again with the next change.
        match self.write_as(MANAGER, "pods", namespace(set), pod) {
            Ok(_) => true,
            Err(refusal) => {
                let failure = text(&refusal.body(), "/message").to_owned();
                let message = format!("create Pod {own} in StatefulSet {} failed error: {failure}", name(set));
                self.record_failed_create(set, COMPONENT, &format!("{}-", name(set)), &message);
                false
            }
        }
    }

    fn remove_stateful(&mut self, pod: &Value) {
        if let (Ok(kind), false) = (self.kind("pods").cloned(), is_deleting(pod)) {
            // One that is gone by itself is as good as deleted.
            let _ = self.delete(&kind, &object::key("pods", pod), &Deletion::default());
        }
    }

    fn report_stateful(&mut self, set: &Value, hash: &str) {
        let pods = self.stateful_pods(set);
        let count = |condition: &dyn Fn(&Value) -> bool| pods.iter().filter(|(_, pod)| condition(pod)).count();
        let ready = count(&|pod| is_true(pod, "Ready") && !is_deleting(pod));
        let updated = count(&|pod| pod["metadata"]["labels"][HASH] == hash);
        let done = updated == pods.len();
        let current = set["status"]["currentRevision"].as_str().filter(|_| !done).unwrap_or(hash);
        let mut after = set.clone();
        let mut status = json!({"replicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready,
            "updatedReplicas": updated, "currentReplicas": if done { updated } else { pods.len() - updated },
            "currentRevision": current, "updateRevision": hash, "collisionCount": 0,
            "observedGeneration": set["metadata"]["generation"]});
        // Zeros are left out, except for these.
        if let Some(status) = status.as_object_mut() {
            let kept = ["replicas", "availableReplicas", "collisionCount"];
            status.retain(|field, value| kept.contains(&field.as_str()) || *value != 0);
        }
        after["status"] = status;
        self.change_as(MANAGER, "statefulsets", "status", set, after);
    }
}
