//! Disruption budgets: how many pods may be missing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::object::{self, bounded, condition, is_deleting, is_true, map, namespace, number, text, uid};
use super::super::selector::Labels;
use super::MANAGER;

impl Kubernetes {
    pub(in super::super) fn sync_disruption_budgets(&mut self) {
        for budget in self.snapshot("poddisruptionbudgets.policy") {
            self.sync_disruption_budget(&budget);
        }
    }

    fn sync_disruption_budget(&mut self, budget: &Value) {
        let selector = &budget["spec"]["selector"];
        let labels = Labels::of(selector);
        // Without a selector no pod is meant, with an empty one all are.
        let fits = |pod: &&Value| !selector.is_null() && labels.fit(pod.pointer("/metadata/labels"));
        let pods: Vec<Value> = self.store.list("pods", namespace(budget)).filter(fits).cloned().collect();
        let (expected, desired) = self.wanted_health(budget, &pods);
        let healthy = pods.iter().filter(|pod| is_true(pod, "Ready") && !is_deleting(pod)).count();
        let healthy = i64::try_from(healthy).unwrap_or(0);
        let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
        let mut after = budget.clone();
        let time = self.clock.text(self.now);
        let status = map(&mut after, &["status"]);
        for (field, count) in [
            ("currentHealthy", healthy),
            ("desiredHealthy", desired),
            ("disruptionsAllowed", allowed),
            ("expectedPods", expected),
        ] {
            status.insert(field.to_owned(), json!(count));
        }
        status.insert("observedGeneration".to_owned(), budget["metadata"]["generation"].clone());
        status.insert("conditions".to_owned(), json!([disruption_allowed(budget, allowed > 0, &time)]));
        self.change_as(MANAGER, "poddisruptionbudgets", "status", budget, after);
    }

    /// How many pods there should be, and how many of them have to be healthy.
    fn wanted_health(&self, budget: &Value, pods: &[Value]) -> (i64, i64) {
        let (least, most) = (&budget["spec"]["minAvailable"], &budget["spec"]["maxUnavailable"]);
        if let Some(least) = least.as_i64().map(bounded) {
            return (i64::try_from(pods.len()).unwrap_or(0), least);
        }
        let expected = self.replicas_of_owners(pods);
        let share = |value: &Value| {
            let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse().ok()).unwrap_or(0_i64);
            // Validation allows no more.
            value.as_i64().map_or((expected * percent.clamp(0, 100) + 99) / 100, bounded)
        };
        (expected, if most.is_null() { share(least) } else { (expected - share(most)).max(0) })
    }

    fn replicas_of_owners(&self, pods: &[Value]) -> i64 {
        let mut owners: BTreeMap<&str, i64> = BTreeMap::new();
        for (pod, owner) in pods.iter().filter_map(|pod| Some((pod, object::controller(pod)?))) {
            let resource = match text(owner, "/kind") {
                "ReplicaSet" => "replicasets.apps",
                "StatefulSet" => "statefulsets.apps",
                _ => continue,
            };
            let known = self.store.list(resource, namespace(pod)).find(|set| uid(set) == text(owner, "/uid"));
            owners.insert(text(owner, "/uid"), known.and_then(|set| number(set, "/spec/replicas")).unwrap_or(0));
        }
        owners.values().copied().fold(0, i64::saturating_add)
    }
}

fn disruption_allowed(budget: &Value, is_allowed: bool, time: &str) -> Value {
    let (status, reason) = if is_allowed { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let known = condition(budget, "DisruptionAllowed").filter(|known| known["status"] == status);
    let since = known.map_or(time, |known| text(known, "/lastTransitionTime"));
    json!({"type": "DisruptionAllowed", "status": status, "reason": reason, "message": "",
        "observedGeneration": budget["metadata"]["generation"], "lastTransitionTime": since})
}
