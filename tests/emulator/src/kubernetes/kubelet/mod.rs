//! The kubelets: what happens to a pod on its node. They are clients of an API server, of the emulator's own or of a real one.

mod api;
mod container;
mod ending;
mod mounting;
mod program;
mod pulling;
mod status;
mod workers;

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::machine;
use super::object::{self, is_deleting, list, map, text, uid};
use super::recorder::Happening;
use super::store::Key;
use crate::node::Network;
pub(super) use api::Api;
#[cfg(feature = "serve")]
pub(super) use api::fields;
use container::{Container, Phase};
use mounting::{Unmounted, mount};
use pulling::{begin, step};
pub(super) use workers::Workers;

/// How long each step takes: a pull, a start, an end.
const STEP: Duration = Duration::from_secs(1);
/// A pod that did not start is looked after again in 10 to 15 seconds: `backOffPeriod` with `workerBackOffPeriodJitterFactor` in
/// `completeWork` of `pkg/kubelet/pod_workers.go` (v1.33.3). Each time its events are said again (`pkg/kubelet/images/image_manager.go`,
/// `doBackOff` of `pkg/kubelet/kuberuntime/kuberuntime_manager.go`). The emulated kubelet takes 12, and begins a pull or a container
/// whose back-off is over at once.
const SYNC: Duration = Duration::from_secs(12);

/// What a kubelet does for one pod.
#[derive(Debug)]
pub(super) struct PodWork {
    key: Key,
    /// The name of the node. It may be gone.
    node: String,
    /// The node's address.
    host: String,
    address: String,
    since: String,
    containers: Vec<Container>,
    /// No container begins before they are mounted.
    unmounted: Vec<Unmounted>,
    dying: Option<Instant>,
}

impl PodWork {
    /// When something happens to the pod next.
    pub(super) fn due(&self) -> Option<Instant> {
        let mounts = self.unmounted.iter().map(|volume| volume.due);
        self.dying.or_else(|| self.containers.iter().filter_map(|container| container.due).chain(mounts).min())
    }

    /// Whether the pod has ended, and if so, whether it succeeded.
    pub(super) fn outcome(&self) -> Option<bool> {
        let codes = |init: bool| {
            let containers = self.containers.iter().filter(move |container| container.init == init);
            containers.map(Container::final_code)
        };
        if codes(true).flatten().any(|code| code != 0) {
            return Some(false);
        }
        let codes: Option<Vec<i64>> = codes(false).collect();
        codes.map(|codes| codes.iter().all(|code| *code == 0))
    }

    /// Containers that may begin now: init containers one after another, then all others.
    fn startable(&self) -> Vec<usize> {
        let mut startable = Vec::new();
        if !self.unmounted.is_empty() {
            return startable;
        }
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

/// Takes up pods that were given to a node, notices changed images, and begins to end pods that are deleted.
pub(super) fn accept_pods(api: &mut dyn Api) {
    for pod in api.pods() {
        let worker = api.workers().worker(text(&pod, "/spec/nodeName")).map(|worker| worker.number);
        match (worker, api.workers().work.contains_key(uid(&pod))) {
            (Some(_), true) => follow(api, &pod),
            // The setter of a finalizer has to remove it first.
            (Some(_), false) if is_deleting(&pod) && list(&pod, "/metadata/finalizers").is_empty() => {
                api.remove(&pod);
            }
            (Some(number), false) if !is_deleting(&pod) && matches!(text(&pod, "/status/phase"), "" | "Pending") => {
                accept(api, &pod, number);
            }
            _ => {}
        }
    }
    let gone = api.workers().work.iter().filter(|(id, work)| !api.holds(&work.key, id));
    let gone: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
    for id in gone {
        api.workers_mut().work.remove(&id);
    }
}

fn accept(api: &mut dyn Api, pod: &Value, number: usize) {
    let policy = text(pod, "/spec/restartPolicy");
    let containers = [("/spec/initContainers", true), ("/spec/containers", false)];
    let containers = containers
        .iter()
        .flat_map(|(pointer, init)| list(pod, pointer).iter().map(|one| Container::new(one, *init, policy)));
    let mut work = PodWork {
        key: object::key("pods", pod),
        node: text(pod, "/spec/nodeName").to_owned(),
        host: machine::address(number),
        address: api.pod_address(number),
        since: api.time(),
        containers: containers.collect(),
        unmounted: Unmounted::of(pod, api.now()),
        dying: None,
    };
    mount(api, pod, &mut work);
    carry_on(api, work);
}

/// What the API server says anew about a pod that is on its node already.
fn follow(api: &mut dyn Api, pod: &Value) {
    let Some(mut work) = api.workers_mut().work.remove(uid(pod)) else {
        return;
    };
    if is_deleting(pod) && work.dying.is_none() {
        work.dying = Some(api.now() + STEP);
        for container in work.containers.iter().filter(|container| container.is_running()) {
            let message = format!("Stopping container {}", container.name);
            record_of_pod(api, pod, &work, container, (false, "Killing", &message));
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
        carry_on(api, work);
    } else {
        api.workers_mut().work.insert(uid(pod).to_owned(), work);
    }
}

/// Does what is due on all nodes.
pub(super) fn run_kubelets(api: &mut dyn Api, network: &mut dyn Network) {
    let now = api.now();
    let due: Vec<String> = api
        .workers()
        .work
        .iter()
        .filter(|(_, work)| work.due().is_some_and(|due| due <= now))
        .map(|(id, _)| id.clone())
        .collect();
    for id in due {
        let Some(mut work) = api.workers_mut().work.remove(&id) else {
            continue;
        };
        let pod = api.pod(&work.key).filter(|pod| uid(pod) == id);
        // The work on a node ends with the node.
        let Some(pod) = pod.filter(|_| api.workers().worker(&work.node).is_some()) else {
            continue;
        };
        if work.dying.is_some() {
            end(api, &pod);
            continue;
        }
        mount(api, &pod, &mut work);
        for index in 0..work.containers.len() {
            if work.containers[index].due.is_some_and(|due| due <= api.now()) {
                step(api, &pod, &mut work, index, network);
            }
        }
        carry_on(api, work);
    }
}

/// The containers were stopped: the pod is deleted, unless another finalizer holds it. Servers exit without an error when
/// they are stopped.
fn end(api: &mut dyn Api, pod: &Value) {
    if list(pod, "/metadata/finalizers").is_empty() {
        api.remove(pod);
    } else {
        let mut ended = pod.clone();
        let is_server = text(pod, "/spec/restartPolicy") == "Always";
        if !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
            let phase = if is_server { "Succeeded" } else { "Failed" };
            map(&mut ended, &["status"]).insert("phase".to_owned(), Value::from(phase));
        }
        api.write_status(pod, ended);
    }
}

/// Begins what may begin and writes the pod's status.
fn carry_on(api: &mut dyn Api, mut work: PodWork) {
    let Some(pod) = api.pod(&work.key) else {
        return;
    };
    for index in work.startable() {
        begin(api, &pod, &mut work, index);
    }
    let mut after = pod.clone();
    let place = (work.host.clone(), api.time());
    after["status"] = status::status(&pod, &work, &place);
    api.workers_mut().work.insert(uid(&pod).to_owned(), work);
    api.write_status(&pod, after);
}

fn record_of_pod(
    api: &mut dyn Api,
    pod: &Value,
    work: &PodWork,
    container: &Container,
    (warning, reason, message): (bool, &str, &str),
) {
    let list = if container.init { "initContainers" } else { "containers" };
    let part = format!("spec.{list}{{{}}}", container.name);
    api.record(pod, &Happening { component: "kubelet", host: &work.node, part: &part, warning, reason, message });
}
