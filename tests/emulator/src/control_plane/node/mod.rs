//! Real nodes: kubelet, containerd and runc for each node of a cluster with a real control plane.
//!
//! A node runs in namespaces of its own for processes, mounts, the network and control groups, which a program of ours makes (its
//! source is in `real-node/agent`). It reaches nothing but sockets in its folder, on which the emulator serves what a node of AKS
//! reaches: the API server, registries, the identity endpoint, the name server. Nothing is added to the machine's own network.

mod egress;
mod files;
mod follow;
mod machine;
mod preflight;

use std::collections::BTreeMap;

pub(super) use egress::{Table, serve as serve_egress};
pub(super) use follow::{Nodes, follow};
pub(super) use machine::Common;
pub(super) use preflight::{BUILT, demand, demand_root};

use crate::kubernetes::NodeSpec;

/// The nodes that a cluster is to have, each with how often it was made anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(pub(super) Vec<(NodeSpec, u64)>);

impl Wanted {
    /// The same nodes anew, those of one pool.
    pub(super) fn renew(&mut self, specs: &[NodeSpec], pool: &str) {
        for (spec, renewed) in self.0.iter_mut().filter(|(spec, _)| spec.pool == pool) {
            if let Some(now) = specs.iter().find(|one| one.name == spec.name) {
                *spec = now.clone();
            }
            *renewed += 1;
        }
    }

    /// These nodes: those that stay are not made anew, and keep their identity.
    pub(super) fn adjust(&mut self, specs: Vec<NodeSpec>) {
        let mut known: BTreeMap<String, (NodeSpec, u64)> =
            self.0.drain(..).map(|(spec, renewed)| (spec.name.clone(), (spec, renewed))).collect();
        self.0 = specs.into_iter().map(|spec| known.remove(&spec.name).unwrap_or((spec, 0))).collect();
    }
}

/// Whether this machine can be this node.
pub(super) fn can_be_real(spec: &NodeSpec) -> bool {
    spec.os == "linux" && spec.architecture == crate::image::own_architecture()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, pool: &str, architecture: &str) -> NodeSpec {
        NodeSpec {
            name: name.to_owned(),
            pool: pool.to_owned(),
            os: String::from("linux"),
            architecture: architecture.to_owned(),
            containerd: crate::node::USUAL_CONTAINERD,
            identity: Some(crate::kubernetes::NodeIdentity::fake()),
            machine: crate::kubernetes::machine::Machine::default(),
        }
    }

    #[test]
    fn nodes_that_stay_are_not_made_anew() {
        let mut wanted = Wanted::default();
        wanted.adjust(vec![spec("a", "one", "amd64"), spec("b", "two", "amd64")]);
        wanted.renew(&[], "two");
        wanted.adjust(vec![spec("b", "two", "amd64"), spec("c", "one", "amd64")]);
        let found: Vec<_> = wanted.0.iter().map(|(spec, renewed)| (spec.name.as_str(), *renewed)).collect();
        assert_eq!(found, [("b", 1), ("c", 0)]);
    }

    #[test]
    fn a_node_of_another_kind_of_machine_stays_emulated() {
        assert!(can_be_real(&spec("a", "one", crate::image::own_architecture())));
        assert!(!can_be_real(&spec("a", "one", "s390x")));
    }
}
