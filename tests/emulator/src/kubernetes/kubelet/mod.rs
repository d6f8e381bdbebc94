//! The kubelets: what happens to a pod on its node.

mod container;
mod pulling;
mod status;

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Kubernetes;
use super::machine;
use super::object::{self, is_deleting, list, map, text, uid};
use super::recorder::Happening;
use super::store::Key;
use crate::node::Network;
use container::{Container, Phase};

/// How long each step takes: a pull, a start, an end.
const STEP: Duration = Duration::from_secs(1);

/// What a kubelet does for one pod.
#[derive(Debug)]
pub(super) struct PodWork {
    key: Key,
    /// The node, by its place among the workers.
    node: usize,
    address: String,
    since: String,
    containers: Vec<Container>,
    dying: Option<Instant>,
}

impl PodWork {
    /// When something happens to the pod next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.dying.or_else(|| self.containers.iter().filter_map(|container| container.due).min())
    }

    /// Containers that may begin now: init containers one after another, then all others.
    fn startable(&self) -> Vec<usize> {
        let mut startable = Vec::new();
        for (index, container) in self.containers.iter().enumerate() {
            if container.phase == Phase::Waiting {
                startable.push(index);
            }
            if container.init && !container.lets_next_begin() {
                break;
            }
        }
        startable
    }
}

impl Kubernetes {
    /// Takes up pods that were given to a node, notices changed images, and begins to end pods that are deleted.
    pub(super) fn accept_pods(&mut self) {
        for pod in self.snapshot("pods") {
            let node = self.workers.iter().position(|worker| worker.name == text(&pod, "/spec/nodeName"));
            match (node, self.work.contains_key(uid(&pod))) {
                (Some(_), true) => self.follow(&pod),
                // Whoever set a finalizer has to take it away first.
                (Some(_), false) if is_deleting(&pod) && list(&pod, "/metadata/finalizers").is_empty() => {
                    drop(self.store.remove(&object::key("pods", &pod), self.now));
                }
                (Some(node), false) if !is_deleting(&pod) && matches!(text(&pod, "/status/phase"), "" | "Pending") => {
                    self.accept(&pod, node);
                }
                _ => {}
            }
        }
        let store = &self.store;
        self.work.retain(|id, work| store.get(&work.key).is_some_and(|pod| uid(pod) == id));
    }

    fn accept(&mut self, pod: &Value, node: usize) {
        let containers = [("/spec/initContainers", true), ("/spec/containers", false)];
        let containers = containers
            .iter()
            .flat_map(|(pointer, init)| list(pod, pointer).iter().map(|container| Container::new(container, *init)));
        let work = PodWork {
            key: object::key("pods", pod),
            node,
            address: self.names.pod_address(node),
            since: self.clock.text(self.now),
            containers: containers.collect(),
            dying: None,
        };
        self.carry_on(work);
    }

    /// What the API server says anew about a pod that is on its node already.
    fn follow(&mut self, pod: &Value) {
        let Some(mut work) = self.work.remove(uid(pod)) else {
            return;
        };
        if is_deleting(pod) && work.dying.is_none() {
            work.dying = Some(self.now + STEP);
            for container in work.containers.iter().filter(|container| container.is_running()) {
                let message = format!("Stopping container {}", container.name);
                self.tell(pod, &work, container, (false, "Killing", &message));
            }
        }
        let specs = list(pod, "/spec/initContainers").iter().chain(list(pod, "/spec/containers"));
        let mut changed = false;
        for (container, spec) in work.containers.iter_mut().zip(specs) {
            if container.image != text(spec, "/image") {
                container.replace_image(text(spec, "/image"));
                changed = true;
            }
        }
        if changed {
            self.carry_on(work);
        } else {
            self.work.insert(uid(pod).to_owned(), work);
        }
    }

    /// Does what is due on all nodes.
    pub(super) fn run_kubelets(&mut self, network: &mut dyn Network) {
        let due: Vec<String> = self
            .work
            .iter()
            .filter(|(_, work)| work.due().is_some_and(|due| due <= self.now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            let Some(mut work) = self.work.remove(&id) else {
                continue;
            };
            let Some(pod) = self.store.get(&work.key).cloned() else {
                continue;
            };
            if work.dying.is_some() {
                self.end(&pod);
                continue;
            }
            for index in 0..work.containers.len() {
                if work.containers[index].due.is_some_and(|due| due <= self.now) {
                    self.step(&pod, &mut work, index, network);
                }
            }
            self.carry_on(work);
        }
    }

    /// The containers have ended: the pod goes, unless somebody else holds it.
    fn end(&mut self, pod: &Value) {
        if list(pod, "/metadata/finalizers").is_empty() {
            self.store.remove(&object::key("pods", pod), self.now);
        } else {
            let mut ended = pod.clone();
            map(&mut ended, &["status"]).insert("phase".to_owned(), Value::from("Succeeded"));
            self.change_as("kubelet", "pods", "status", pod, ended);
        }
    }

    /// Begins what may begin and writes the pod's status.
    fn carry_on(&mut self, mut work: PodWork) {
        let Some(pod) = self.store.get(&work.key).cloned() else {
            return;
        };
        for index in work.startable() {
            self.begin(&pod, &mut work, index);
        }
        let mut after = pod.clone();
        let place = (machine::address(work.node), self.clock.text(self.now));
        after["status"] = status::status(&pod, &work, &place);
        self.work.insert(uid(&pod).to_owned(), work);
        self.change_as("kubelet", "pods", "status", &pod, after);
    }

    fn tell(
        &mut self,
        pod: &Value,
        work: &PodWork,
        container: &Container,
        (warning, reason, message): (bool, &str, &str),
    ) {
        let list = if container.init { "initContainers" } else { "containers" };
        let part = format!("spec.{list}{{{}}}", container.name);
        let host = self.workers[work.node].name.clone();
        self.record(pod, &Happening { component: "kubelet", host: &host, part: &part, warning, reason, message });
    }
}
