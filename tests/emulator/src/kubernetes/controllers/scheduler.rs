//! The scheduler: gives each pod a node that fits, in turn.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::object::{condition, is_deleting, list, map, name, text};
use super::super::recorder::Happening;
use super::super::selector::Labels;

const SCHEDULER: &str = "default-scheduler";

impl Kubernetes {
    pub(in super::super) fn schedule(&mut self) {
        for pod in self.snapshot("pods") {
            let waiting = text(&pod, "/spec/nodeName").is_empty() && !is_deleting(&pod);
            if waiting && text(&pod, "/spec/schedulerName") == SCHEDULER {
                match self.fitting_node(&pod) {
                    Some(node) => self.bind(&pod, &node),
                    None => self.report_unschedulable(&pod),
                }
            }
        }
    }

    fn fitting_node(&mut self, pod: &Value) -> Option<String> {
        let nodes: Vec<&Value> = self.store.list("nodes", "").filter(|node| fits(pod, node)).collect();
        let chosen = name(nodes.get(self.turn % nodes.len().max(1))?).to_owned();
        self.turn += 1;
        Some(chosen)
    }

    fn bind(&mut self, pod: &Value, node: &str) {
        let mut bound = pod.clone();
        map(&mut bound, &["spec"]).insert("nodeName".to_owned(), json!(node));
        let time = self.clock.text(self.now);
        map(&mut bound, &["status"]).insert(
            "conditions".to_owned(),
            json!([{"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": time}]),
        );
        // Binding has its own subresource: it changes what an update of the pod may not.
        let key = super::super::object::key("pods", pod);
        self.store.put(key, bound, self.now);
        let message = format!("Successfully assigned {}/{} to {node}", text(pod, "/metadata/namespace"), name(pod));
        self.record(pod, &happening(false, "Scheduled", &message));
    }

    fn report_unschedulable(&mut self, pod: &Value) {
        let count = self.store.list("nodes", "").count();
        let message = if count == 0 {
            "no nodes available to schedule pods".to_owned()
        } else {
            format!(
                "0/{count} nodes are available: {count} node(s) didn't match Pod's node affinity/selector. preemption: \
                 0/{count} nodes are available: {count} Preemption is not helpful for scheduling."
            )
        };
        if condition(pod, "PodScheduled").is_some_and(|known| known["message"] == message) {
            return;
        }
        let mut waiting = pod.clone();
        let time = self.clock.text(self.now);
        map(&mut waiting, &["status"]).insert(
            "conditions".to_owned(),
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
                "lastProbeTime": null, "lastTransitionTime": time}]),
        );
        self.change_as("kube-scheduler", "pods", "status", pod, waiting);
        self.record(pod, &happening(true, "FailedScheduling", &message));
    }
}

fn happening<'a>(warning: bool, reason: &'a str, message: &'a str) -> Happening<'a> {
    Happening { component: SCHEDULER, host: "", part: "", warning, reason, message }
}

/// Whether a node is open, has the labels that a pod asks for, and no taint that the pod does not tolerate.
pub(super) fn fits(pod: &Value, node: &Value) -> bool {
    let labels = node.pointer("/metadata/labels");
    let wanted = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    let selected =
        wanted.into_iter().flatten().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value));
    let terms =
        list(pod, "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    let near = terms.is_empty() || terms.iter().any(|term| is_in(term, node));
    selected && near && node.pointer("/spec/unschedulable") != Some(&json!(true)) && tolerates(pod, node)
}

/// Whether a node is within a term of an affinity: by its labels, and by its name.
fn is_in(term: &Value, node: &Value) -> bool {
    let fields = json!({"matchExpressions": term["matchFields"]});
    let own = json!({"metadata.name": name(node)});
    Labels::of_expressions(term).fit(node.pointer("/metadata/labels"))
        && Labels::of_expressions(&fields).fit(Some(&own))
}

fn tolerates(pod: &Value, node: &Value) -> bool {
    list(node, "/spec/taints").iter().filter(|taint| taint["effect"] != "PreferNoSchedule").all(|taint| {
        list(pod, "/spec/tolerations").iter().any(|toleration| {
            let field = |name: &str| text(toleration, name);
            let key = field("/key").is_empty() || toleration["key"] == taint["key"];
            let value = field("/operator") == "Exists" || field("/value") == text(taint, "/value");
            let effect = field("/effect").is_empty() || toleration["effect"] == taint["effect"];
            key && value && effect
        })
    })
}
