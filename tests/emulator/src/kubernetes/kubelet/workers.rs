//! The nodes of a cluster, and what their kubelets are doing.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::super::NodeSpec;
use super::PodWork;
use crate::node::{Kubelet, Node};

/// A node and its name.
#[derive(Debug)]
pub(in super::super) struct Worker {
    pub(in super::super) name: String,
    /// Which of the nodes that ever joined, counted from 0: its addresses follow from it.
    pub(in super::super) number: usize,
    pub(in super::super) node: Node,
}

/// The nodes.
#[derive(Debug)]
pub(in super::super) struct Workers {
    pub(in super::super) version: String,
    list: Vec<Worker>,
    /// How many nodes have joined, those that left included.
    joined: usize,
    /// What kubelets are doing, by the uid of the pod.
    pub(in super::super) work: BTreeMap<String, PodWork>,
}

impl Workers {
    /// No nodes yet, of a cluster with this version.
    pub(in super::super) fn new(version: &str) -> Self {
        Self { version: version.to_owned(), list: Vec::new(), joined: 0, work: BTreeMap::new() }
    }

    /// Adds a node; the answer is its number.
    pub(in super::super) fn join(&mut self, spec: &NodeSpec) -> usize {
        let number = self.joined;
        self.joined += 1;
        let node = self.made(spec);
        self.list.push(Worker { name: spec.name.clone(), number, node });
        number
    }

    fn made(&self, spec: &NodeSpec) -> Node {
        let identity = spec.identity.as_ref().and_then(|identity| identity.sign_in(spec.has_old_provider()));
        Node::new((&spec.os, &spec.architecture), Kubelet::of(&self.version), spec.containerd, identity)
            .made_from(spec.image(), spec.machine.room)
            .limited_to(spec.machine.pulls)
    }

    /// Takes a node away.
    pub(in super::super) fn leave(&mut self, name: &str) {
        self.list.retain(|worker| worker.name != name);
    }

    /// The names of all nodes.
    pub(in super::super) fn names(&self) -> Vec<String> {
        self.list.iter().map(|worker| worker.name.clone()).collect()
    }

    pub(in super::super) fn worker(&self, name: &str) -> Option<&Worker> {
        self.list.iter().find(|worker| worker.name == name)
    }

    pub(in super::super) fn worker_mut(&mut self, name: &str) -> Option<&mut Worker> {
        self.list.iter_mut().find(|worker| worker.name == name)
    }

    /// Makes a node anew: it holds no image and no credential, and has the cluster's present identity.
    pub(in super::super) fn reimage(&mut self, spec: &NodeSpec) {
        // What it is made from does not depend on the object, which clients can change.
        let node = self.made(spec);
        if let Some(worker) = self.worker_mut(&spec.name) {
            worker.node = node;
        }
    }

    /// Gives a node's disk the room that it has by now.
    pub(in super::super) fn leave_room(&mut self, spec: &NodeSpec) {
        if let Some(worker) = self.worker_mut(&spec.name) {
            worker.node.leave_room(spec.machine.room);
        }
    }

    /// Loses the file of a manifest on a node. Returns whether there is such a node.
    pub(in super::super) fn lose(&mut self, node: &str, digest: &str) -> bool {
        let worker = self.worker_mut(node);
        worker.map(|worker| worker.node.lose(digest)).is_some()
    }

    /// Gives a node the identity that its scale set has by now, without making it anew.
    pub(in super::super) fn attach(&mut self, spec: &NodeSpec) {
        let identity = spec.identity.as_ref().and_then(|identity| identity.sign_in(spec.has_old_provider()));
        if let Some(worker) = self.worker_mut(&spec.name) {
            worker.node.sign_in_as(identity);
        }
    }

    /// When a kubelet next has something to do.
    pub(in super::super) fn due(&self) -> Option<Instant> {
        self.work.values().filter_map(PodWork::due).min()
    }
}
