//! Daemon sets: one pod on each node that fits. A changed template replaces the pods one node at a time.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::defaults::GENERATION_OF_TEMPLATE;
use super::super::deletion::Deletion;
use super::super::names::template_hash;
use super::super::object::{self, is_controlled_by, is_deleting, is_true, map, name, namespace, text};
use super::MANAGER;
use super::scheduler::fits;

const HASH: &str = "controller-revision-hash";
/// Where a pod says which node it is made for.
const COMPONENT: &str = "daemonset-controller";
const AFFINITY: [&str; 4] = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];

impl Kubernetes {
    pub(in super::super) fn sync_daemon_sets(&mut self) {
        for set in self.snapshot("daemonsets.apps") {
            if !is_deleting(&set) {
                self.sync_daemon_set(&set);
            }
        }
    }

    fn sync_daemon_set(&mut self, set: &Value) {
        let hash = template_hash(&set["spec"]["template"], 0);
        let template = &set["spec"]["template"];
        let nodes: Vec<String> = self
            .store
            .list("nodes", "")
            .filter(|node| fits(template, node))
            .map(|node| name(node).to_owned())
            .collect();
        let pods = self.daemon_pods(set);
        for node in nodes.iter().filter(|node| !pods.iter().any(|pod| destination(pod) == node.as_str())) {
            self.make_daemon(set, node, &hash);
        }
        let Ok(kind) = self.kind("pods").cloned() else {
            return;
        };
        let misplaced =
            pods.iter().filter(|pod| !is_deleting(pod) && !nodes.iter().any(|node| node == destination(pod)));
        for pod in misplaced.chain(self.replaceable(set, &pods, &hash)) {
            // One that is gone by itself is as good as deleted.
            let _ = self.delete(&kind, &object::key("pods", pod), &Deletion::default());
        }
        self.report_daemons(set, nodes.len(), &hash);
    }

    /// All pods of a set, those that are ending included: their nodes are not free yet.
    fn daemon_pods(&self, set: &Value) -> Vec<Value> {
        self.store.list("pods", namespace(set)).filter(|pod| is_controlled_by(pod, set)).cloned().collect()
    }

    fn make_daemon(&mut self, set: &Value, node: &str, hash: &str) {
        let mut pod = set["spec"]["template"].clone();
        let metadata = object::template_metadata(&mut pod);
        metadata.insert("generateName".to_owned(), json!(format!("{}-", name(set))));
        let owner = object::owner_reference("apps/v1", "DaemonSet", set);
        metadata.insert("ownerReferences".to_owned(), owner);
        let labels = map(&mut pod, &["metadata", "labels"]);
        labels.insert(HASH.to_owned(), json!(hash));
        let generation = set["metadata"]["annotations"][GENERATION_OF_TEMPLATE].as_str();
        labels.extend(generation.map(|generation| ("pod-template-generation".to_owned(), json!(generation))));
        let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
        map(&mut pod, &AFFINITY).insert("nodeSelectorTerms".to_owned(), json!([{"matchFields": [field]}]));
        // A pod that is refused is tried again with the next change.
        if let Err(refusal) = self.write_as(MANAGER, "pods", namespace(set), pod) {
            let message = format!("Error creating: {}", text(&refusal.body(), "/message"));
            self.record_failed_create(set, COMPONENT, &format!("{}-", name(set)), &message);
        }
    }

    /// The next pod of an old template, if no other is missing just now.
    fn replaceable<'a>(&self, set: &Value, pods: &'a [Value], hash: &str) -> Option<&'a Value> {
        if text(set, "/spec/updateStrategy/type") == "OnDelete" {
            return None;
        }
        let old = |pod: &&Value| !is_deleting(pod) && pod["metadata"]["labels"][HASH] != hash;
        let broken = pods.iter().find(|pod| old(pod) && !is_true(pod, "Ready"));
        let all_ready = self.daemon_pods(set).iter().all(|pod| is_true(pod, "Ready") && !is_deleting(pod));
        broken.or_else(|| pods.iter().find(|pod| all_ready && old(pod)))
    }

    fn report_daemons(&mut self, set: &Value, wanted: usize, hash: &str) {
        let pods = self.daemon_pods(set);
        let count =
            |condition: &dyn Fn(&Value) -> bool| pods.iter().filter(|pod| !is_deleting(pod) && condition(pod)).count();
        let ready = count(&|pod| is_true(pod, "Ready"));
        let mut after = set.clone();
        after["status"] = json!({"currentNumberScheduled": count(&|_| true), "desiredNumberScheduled": wanted,
            "numberMisscheduled": 0, "numberReady": ready, "observedGeneration": set["metadata"]["generation"]});
        let updated = count(&|pod| pod["metadata"]["labels"][HASH] == hash);
        for (field, count) in [
            ("updatedNumberScheduled", updated),
            ("numberAvailable", ready),
            ("numberUnavailable", wanted.saturating_sub(ready)),
        ] {
            if count > 0 {
                after["status"][field] = json!(count);
            }
        }
        self.change_as(MANAGER, "daemonsets", "status", set, after);
    }
}

/// The node that a pod of a daemon set is made for.
fn destination(pod: &Value) -> &str {
    text(pod, &format!("/{}/nodeSelectorTerms/0/matchFields/0/values/0", AFFINITY.join("/")))
}
