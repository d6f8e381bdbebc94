//! The Kubernetes of one cluster: objects, controllers, nodes. It knows nothing of Azure.
//!
//! All rules are plain functions of an instant. [`Kubernetes::serve`] answers requests, [`Kubernetes::advance`] lets
//! controllers and nodes do what is due, [`Kubernetes::next_event`] says when something is due next.

mod admission;
mod apply;
mod applying;
mod clock;
mod controllers;
mod correlator;
mod decoding;
mod defaults;
mod defaults_pod;
mod deletion;
mod discovery;
mod field_set;
mod go_json;
mod go_scanner;
mod go_text;
mod goyaml;
mod kinds;
mod kubelet;
mod lifecycle;
mod limit_range;
mod limits;
mod logs;
pub(crate) mod machine;
mod names;
mod object;
mod openapi;
mod options;
mod ownership;
mod patch;
mod pod_security;
mod pod_warnings;
mod policy;
mod protobuf;
mod quantity;
mod quota;
mod reads;
mod recorder;
mod refusal;
#[cfg(feature = "serve")]
mod remote;
mod request;
mod scale;
mod schema;
mod selector;
mod serve;
mod store;
mod table;
mod typed;
mod validate;
mod validate_custom;
mod validate_job;
mod validate_metadata;
mod validate_other;
mod validate_pod;
mod validate_selector;
mod watch;
mod writes;
mod yaml;
mod yaml_scalar;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::node::{Containerd, Credential, Network, SignIn};
use clock::Clock;
use correlator::Correlator;
use kinds::Kinds;
use kubelet::Workers;
use names::Names;
use object::text;
#[cfg(feature = "serve")]
pub(crate) use remote::{Remote, WATCHED, Write};
use store::Store;
pub(crate) use watch::Watch;

/// No honest piece of work takes the controllers more rounds than this.
const MOST_ROUNDS: usize = 1_000;

/// A cluster here has no more pods than this: the rest are not made, as if a quota stood in the way.
const MOST_PODS: usize = 600;

/// A node that a cluster is made with.
#[derive(Clone, Debug)]
pub(crate) struct NodeSpec {
    /// Its name.
    pub(crate) name: String,
    /// The node pool it belongs to.
    pub(crate) pool: String,
    /// `linux`.
    pub(crate) os: String,
    /// `amd64`.
    pub(crate) architecture: String,
    /// The version of its container runtime.
    pub(crate) containerd: Containerd,
    /// What it signs in to registries as.
    pub(crate) identity: Option<NodeIdentity>,
    pub(crate) machine: machine::Machine,
}

/// The identity of a node. It is given to the node when it is made, and another one only when it is made anew.
#[derive(Clone, PartialEq)]
pub(crate) struct NodeIdentity {
    /// The object id.
    pub(crate) principal: String,
    /// The client id.
    pub(crate) client: String,
    /// Whether it is a managed identity, which a label of the node names.
    pub(crate) is_managed: bool,
    /// Whether its scale set has it. Otherwise the node's label names it, and the metadata service has no token of it.
    pub(crate) is_attached: bool,
    /// The secret of a service principal.
    pub(crate) secret: Option<String>,
}

impl fmt::Debug for NodeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeIdentity").field("client", &self.client).finish_non_exhaustive()
    }
}

impl NodeIdentity {
    /// What the node signs in with. A service principal without a secret gives none.
    pub(crate) fn sign_in(&self, for_arm: bool) -> Option<SignIn> {
        if self.is_managed {
            let sign_in = SignIn::Managed { principal: self.principal.clone(), for_arm };
            return self.is_attached.then_some(sign_in);
        }
        let password = self.secret.clone()?;
        Some(SignIn::Service(Credential { username: self.client.clone(), password }))
    }
}

#[cfg(test)]
impl NodeIdentity {
    pub(crate) fn fake() -> Self {
        Self {
            principal: String::from("principal"),
            client: String::from("client"),
            is_managed: true,
            is_attached: true,
            secret: None,
        }
    }
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// One whole response.
    Whole(http::Response<Bytes>),
    /// A response whose body is what [`Kubernetes::watch`] gives, until the watch ends.
    Watch(http::response::Parts, Box<Watch>),
}

/// One cluster.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    version: String,
    kinds: Kinds,
    store: Store,
    clock: Clock,
    now: Instant,
    names: Names,
    workers: Workers,
    correlator: Correlator,
    /// What policies say of the request under way.
    policy_warnings: Vec<String>,
    /// When a controller wants to look again.
    alarms: BTreeSet<Instant>,
    /// The revision at which controllers had nothing left to do.
    settled: u64,
    /// The node whose turn it is.
    turn: usize,
}

impl Kubernetes {
    /// A cluster with its namespaces and nodes, which takes `wall` for the time of day at `now`.
    pub(crate) fn new(version: &str, nodes: Vec<NodeSpec>, now: Instant, wall: std::time::SystemTime) -> Self {
        let mut kubernetes = Self {
            version: version.to_owned(),
            kinds: Kinds::built_in(),
            store: Store::new(),
            clock: Clock::new(now, wall),
            now,
            names: Names::default(),
            workers: Workers::new(version),
            correlator: Correlator::default(),
            policy_warnings: Vec::new(),
            alarms: BTreeSet::new(),
            settled: 0,
            turn: 0,
        };
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let namespace = json!({"metadata": {"name": name}});
            // Names of our own are valid.
            let _ = kubernetes.write_as("kube-apiserver", "namespaces", "", namespace);
        }
        for node in nodes {
            kubernetes.join(&node, now);
        }
        kubernetes
    }

    /// Adds a node.
    pub(crate) fn join(&mut self, spec: &NodeSpec, now: Instant) {
        self.now = self.now.max(now);
        let number = self.workers.join(spec);
        let object = machine::node(spec, &self.version, number, &self.clock.text(self.now));
        if let Ok(made) = self.write_as("kubelet", "nodes", "", object.clone()) {
            let mut ready = made.clone();
            ready["status"] = object["status"].clone();
            self.change_as("kubelet", "nodes", "status", &made, ready);
        }
    }

    /// Lets nodes join and leave until there are these and no others.
    pub(crate) fn adjust(&mut self, specs: &[NodeSpec], now: Instant) {
        self.now = self.now.max(now);
        let known = self.workers.names();
        for name in known.iter().filter(|name| specs.iter().all(|spec| spec.name != **name)) {
            self.leave(name);
        }
        for spec in specs.iter().filter(|spec| !known.contains(&spec.name)) {
            self.join(spec, now);
        }
    }

    /// Takes a node away, with its pods.
    fn leave(&mut self, name: &str) {
        self.workers.leave(name);
        self.store.remove(&store::Key::new("nodes", "", name), self.now);
        self.drop_pods_of(name);
    }

    fn drop_pods_of(&mut self, node: &str) {
        let pods = self.snapshot("pods");
        for pod in pods.iter().filter(|pod| text(pod, "/spec/nodeName") == node) {
            self.store.remove(&object::key("pods", pod), self.now);
        }
    }

    /// Makes the nodes of a pool anew, as an upgrade does: they hold no image and no credential, and their pods go.
    pub(crate) fn reimage(&mut self, specs: &[NodeSpec], pool: &str, now: Instant) {
        self.now = self.now.max(now);
        for spec in specs.iter().filter(|spec| spec.pool == pool) {
            self.workers.reimage(spec);
            self.drop_pods_of(&spec.name);
            let Some(node) = self.store.get(&store::Key::new("nodes", "", &spec.name)).cloned() else { continue };
            let mut renewed = node.clone();
            renewed["metadata"]["labels"] = machine::labels(spec);
            self.change_as("kubelet", "nodes", "", &node, renewed);
        }
    }

    /// Gives the nodes the identities that their scale sets have by now.
    pub(crate) fn attach(&mut self, specs: &[NodeSpec]) {
        for spec in specs {
            self.workers.attach(spec);
        }
    }

    /// Gives the disks of nodes the room that they have by now. They report no pressure on their disks, which depends on their sizes.
    pub(crate) fn leave_room(&mut self, specs: &[NodeSpec]) {
        for spec in specs {
            self.workers.leave_room(spec);
        }
    }

    /// Loses the file of a manifest in the store of a node. Returns whether there is such a node.
    pub(crate) fn lose(&mut self, node: &str, digest: &str) -> bool {
        self.workers.lose(node, digest)
    }

    /// Moves controllers, scheduler and kubelets on to `now`; nodes pull through `network`.
    pub(crate) fn advance(&mut self, now: Instant, network: &mut dyn Network) {
        self.store.compact(self.now);
        loop {
            self.settle();
            kubelet::run_kubelets(self, network);
            if self.settled != self.store.revision() {
                continue;
            }
            match self.next_event().filter(|next| *next <= now) {
                Some(next) => {
                    self.now = self.now.max(next);
                    self.settled = 0;
                }
                None => break,
            }
        }
        self.now = self.now.max(now);
    }

    /// When something next happens by itself, if anything will. After a write that is at once.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        if self.settled != self.store.revision() {
            return Some(self.now);
        }
        self.workers.due().into_iter().chain(self.alarms.first().copied()).min()
    }

    /// Every object there is, in the order of kinds and names, under what it is: `deployments.apps`. Secrets show what they are
    /// called.
    pub(crate) fn dump(&self) -> Vec<Value> {
        let shown = |(key, object): (&store::Key, &Value)| {
            let mut object = object.clone();
            if key.resource == "secrets" {
                object = json!({"metadata": object["metadata"], "type": object["type"]});
            }
            json!({"resource": key.resource, "object": object})
        };
        self.store.all().map(shown).collect()
    }

    /// Forgets all old revisions, as the cluster's database does from time to time: watches and pages that begin at
    /// one of them are gone.
    pub(crate) fn compact(&mut self) {
        self.store.forget_changes();
    }

    /// Lets the controllers work until none has anything to do.
    fn settle(&mut self) {
        for _ in 0..MOST_ROUNDS {
            if self.settled == self.store.revision() {
                return;
            }
            self.settled = self.store.revision();
            // Each controller sets its alarms again.
            self.alarms.clear();
            self.expire_events();
            self.empty_namespaces();
            self.collect_garbage();
            self.sync_deployments();
            self.sync_replica_sets();
            self.sync_daemon_sets();
            self.sync_stateful_sets();
            self.sync_jobs();
            self.sync_definitions();
            self.sync_disruption_budgets();
            self.sync_volumes();
            self.sync_quotas();
            self.schedule();
            kubelet::accept_pods(self);
        }
        // Controllers that run in a circle are left until the next write.
        self.settled = self.store.revision();
    }
}
