//! The nodes of a cluster whose API server is a real one: what they know of it, and what they write to it.
//!
//! Nothing here waits. What was read from the server comes by [`Remote::replace`] and [`Remote::change`]; what is to be written
//! goes into a channel, in order.

mod api;
mod events;
mod on_node;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::clock::Clock;
use super::kubelet::{self, Workers};
use super::names::Names;
use super::object::{key, name, text};
use super::store::Key;
use super::{MOST_ROUNDS, NodeSpec, machine};
use crate::node::Network;
use events::Events;
use write::About;
pub(crate) use write::Write;

/// The resources that nodes watch.
pub(crate) const WATCHED: [&str; 3] = ["pods", "secrets", "configmaps"];

/// How far one watch may be behind another.
const LAG: Duration = Duration::from_millis(100);

/// The nodes of one cluster.
pub(crate) struct Remote {
    workers: Workers,
    clock: Clock,
    now: Instant,
    /// Pods and what they refer to, as the server showed them last.
    known: BTreeMap<Key, Value>,
    /// The status that a kubelet wrote last, by the uid of the pod: it knows better than the server.
    written: BTreeMap<String, Value>,
    events: Events,
    names: Names,
    writes: UnboundedSender<Write>,
    /// When kubelets look at what the server has shown of pods.
    news: Option<Instant>,
    /// What was listed; before everything is, kubelets wait.
    listed: BTreeSet<String>,
}

impl std::fmt::Debug for Remote {
    /// Objects hold secrets: only their number is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Remote {
    /// A cluster without nodes, which takes `wall` for the time of day at `now`.
    pub(crate) fn new(version: &str, now: Instant, wall: SystemTime, writes: UnboundedSender<Write>) -> Self {
        Self {
            workers: Workers::new(version),
            clock: Clock::new(now, wall),
            now,
            known: BTreeMap::new(),
            written: BTreeMap::new(),
            events: Events::default(),
            names: Names::default(),
            writes,
            news: None,
            listed: BTreeSet::new(),
        }
    }

    /// Lets nodes join and leave until there are these and no others.
    pub(crate) fn adjust(&mut self, specs: &[NodeSpec], now: Instant) {
        self.now = self.now.max(now);
        let known = self.workers.names();
        for name in known.iter().filter(|name| specs.iter().all(|spec| spec.name != **name)) {
            self.workers.leave(name);
            self.write(Write::delete(format!("/api/v1/nodes/{name}")).of_node(name, false));
            self.write(Write::delete(Write::path_of_lease(name)).of_node(name, false));
        }
        for spec in specs.iter().filter(|spec| !known.contains(&spec.name)) {
            self.join(spec);
        }
    }

    /// As kubelet registers: first the node, then its status.
    fn join(&mut self, spec: &NodeSpec) {
        let number = self.workers.join(spec);
        let time = self.clock.text(self.now);
        let node = machine::node(spec, &self.workers.version, number, &time);
        self.write(Write::create("/api/v1/nodes", &node).of_node(&spec.name, true));
        let status = Write::merge(format!("/api/v1/nodes/{}/status", spec.name), &node, "status");
        self.write(status.of_node(&spec.name, true));
        self.write(Write::lease(&spec.name, &time));
    }

    /// Says that the nodes are alive, as kubelets do every ten seconds.
    pub(crate) fn renew_leases(&mut self, now: Instant) {
        let time = self.clock.text(now);
        for name in self.workers.names() {
            self.write(Write::lease(&name, &time));
        }
    }

    /// Makes the nodes of a pool anew: they hold no image and no credential, and their pods go.
    pub(crate) fn reimage(&mut self, specs: &[NodeSpec], pool: &str, now: Instant) {
        self.now = self.now.max(now);
        for spec in specs
            .iter()
            .filter(|spec| spec.pool == pool && self.workers.worker(&spec.name).is_some())
            .cloned()
            .collect::<Vec<_>>()
        {
            self.workers.reimage(&spec);
            let labels = serde_json::json!({"metadata": {"labels": machine::labels(&spec)}});
            let path = format!("/api/v1/nodes/{}", spec.name);
            self.write(Write::merge(path, &labels, "metadata").of_node(&spec.name, true));
            let pods: Vec<Value> =
                self.pods().filter(|pod| text(pod, "/spec/nodeName") == spec.name).cloned().collect();
            for pod in pods {
                kubelet::Api::remove(self, &pod);
            }
        }
    }

    /// Takes up a write again that the server has not taken, if it still says what is so.
    pub(crate) fn lost(&mut self, write: Write) {
        let is_so = match write.about() {
            About::Status { pod, id } => {
                // There may be a newer one.
                if let Some(status) = self.written.get(id) {
                    self.write(Write::status(pod, id, status));
                }
                false
            }
            About::Removal => true,
            About::Node { name, exists } => self.workers.worker(name).is_some() == *exists,
            // A lease is renewed soon, and kubelets drop events, too.
            About::Moment => false,
        };
        if is_so {
            self.write(write);
        }
    }

    /// What the server has of one of [`WATCHED`] now.
    pub(crate) fn replace(&mut self, resource: &str, objects: Vec<Value>, now: Instant) {
        self.now = self.now.max(now);
        self.known.retain(|key, _| key.resource != resource);
        self.known.extend(objects.into_iter().map(|object| (key(resource, &object), object)));
        self.listed.insert(resource.to_owned());
        self.expect(now);
    }

    /// A change that the server reports: `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) fn change(&mut self, resource: &str, kind: &str, object: Value, now: Instant) {
        self.now = self.now.max(now);
        let key = key(resource, &object);
        match kind {
            "ADDED" | "MODIFIED" => drop(self.known.insert(key, object)),
            "DELETED" => drop(self.known.remove(&key)),
            _ => return,
        }
        if resource == "pods" {
            self.expect(now);
        }
    }

    /// Lets kubelets look soon: what a pod refers to, which was made before it, is on its way.
    fn expect(&mut self, now: Instant) {
        self.news.get_or_insert(now + LAG);
    }

    /// Moves the kubelets on to `now`; nodes pull through `network`.
    pub(crate) fn advance(&mut self, now: Instant, network: &mut dyn Network) {
        if self.next_event().is_none_or(|next| next > now) {
            return;
        }
        if self.news.is_some_and(|at| at <= now) {
            self.news = None;
            kubelet::accept_pods(self);
        }
        for _ in 0..MOST_ROUNDS {
            kubelet::run_kubelets(self, network);
            match self.workers.due().filter(|due| *due <= now) {
                Some(due) => self.now = self.now.max(due),
                None => break,
            }
        }
        self.now = self.now.max(now);
        let known = &self.known;
        let ids: BTreeSet<&str> = known.values().map(super::object::uid).collect();
        self.written.retain(|id, _| ids.contains(id.as_str()));
        self.events.forget(self.now);
    }

    /// When something happens next, if anything will.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        if WATCHED.iter().any(|resource| !self.listed.contains(*resource)) {
            return None;
        }
        self.news.into_iter().chain(self.workers.due()).min()
    }

    /// The pods that the server has, for a look from outside.
    pub(crate) fn pods(&self) -> impl Iterator<Item = &Value> {
        self.known.iter().filter(|(key, _)| key.resource == "pods").map(|(_, pod)| pod)
    }

    fn write(&self, write: Write) {
        // Without a receiver the cluster is gone.
        let _ = self.writes.send(write);
    }

    /// A pod with the status that its kubelet wrote last.
    fn as_written(&self, pod: &Value) -> Value {
        let mut pod = pod.clone();
        if let Some(status) = self.written.get(super::object::uid(&pod)) {
            pod["status"] = status.clone();
        }
        // Items of a list do not say what they are.
        pod["kind"] = "Pod".into();
        pod["apiVersion"] = "v1".into();
        pod
    }
}

/// The path of a pod.
fn path_of(pod: &Value) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", text(pod, "/metadata/namespace"), name(pod))
}
