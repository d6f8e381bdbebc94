//! Keeps the real nodes of a cluster as they are to be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Wanted;
use super::egress::Table;
use super::machine::{Azure, Common, Machine};
use crate::control_plane::running::Cluster;
use crate::kubernetes::NodeSpec;
use crate::serve::NodeGate;

/// How often it is checked that all nodes run.
const CHECK: Duration = Duration::from_secs(1);
/// The wait before a node that did not start, or has ended, is started again.
const PAUSE: Duration = Duration::from_secs(10);

/// What the real nodes of a cluster are made of.
pub(in super::super) struct Nodes {
    pub(in super::super) wanted: watch::Receiver<Wanted>,
    pub(in super::super) gate: watch::Receiver<Option<Arc<NodeGate>>>,
}

/// The nodes that run, and those that failed.
#[derive(Default)]
struct Running {
    machines: BTreeMap<String, Machine>,
    /// How many have joined.
    joined: usize,
    /// When a node may be started again, and why it was not there.
    later: BTreeMap<String, (Instant, String)>,
}

/// Starts and stops nodes until the cluster is gone.
pub(in super::super) async fn follow(cluster: &Cluster, common: &Arc<Common>, nodes: &Nodes, table: &Table) {
    let (mut wanted, mut gate) = (nodes.wanted.clone(), nodes.gate.clone());
    let mut running = Running::default();
    loop {
        // It opens when the server does.
        let Ok(open) = gate.wait_for(Option::is_some).await.map(|gate| gate.clone()) else { return };
        let Some(open) = open else { continue };
        let now = wanted.borrow_and_update().clone();
        running.check(cluster, table);
        running.remove(cluster, common, table, &now).await;
        let missing: Vec<(NodeSpec, u64)> =
            now.0.into_iter().filter(|(spec, _)| running.is_missing(&spec.name)).collect();
        for (spec, renewed) in missing {
            running.start(cluster, common, &open, table, &spec, renewed).await;
        }
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(CHECK) => {}
        }
    }
}

impl Running {
    fn is_missing(&self, name: &str) -> bool {
        !self.machines.contains_key(name) && self.later.get(name).is_none_or(|(at, _)| *at <= Instant::now())
    }

    /// Notices nodes that have ended by themselves.
    fn check(&mut self, cluster: &Cluster, table: &Table) {
        let ended: Vec<_> = self.machines.iter().filter_map(|(name, one)| Some((name.clone(), one.ended()?))).collect();
        for (name, why) in ended {
            if let Some(machine) = self.machines.remove(&name) {
                table.remove(machine.number);
            }
            self.failed(cluster, &name, why);
        }
    }

    fn failed(&mut self, cluster: &Cluster, name: &str, why: String) {
        if self.later.get(name).is_none_or(|(_, known)| *known != why) {
            eprintln!(
                "aks-acr-emulator: the node {name} of {} failed, and is started again in {PAUSE:?}: {why}",
                cluster.fqdn()
            );
        }
        self.later.insert(name.to_owned(), (Instant::now() + PAUSE, why));
    }

    /// Ends the nodes that are to go, or to be made anew.
    async fn remove(&mut self, cluster: &Cluster, common: &Common, table: &Table, wanted: &Wanted) {
        let stays = |name: &str, machine: &Machine| {
            wanted.0.iter().any(|(spec, renewed)| spec.name == name && *renewed == machine.renewed)
        };
        let gone: Vec<String> =
            self.machines.iter().filter(|(name, one)| !stays(name, one)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            let Some(machine) = self.machines.remove(&name) else { continue };
            table.remove(machine.number);
            machine.stop().await;
            let paths = [
                format!("/api/v1/nodes/{name}"),
                format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}"),
            ];
            for path in paths {
                let request = Request::delete(&path).body(Bytes::new()).map_err(std::io::Error::other);
                let deleted = match request {
                    Ok(request) => common.admin.exchange(request).await,
                    Err(fault) => Err(fault),
                };
                if let Err(fault) = deleted {
                    eprintln!(
                        "aks-acr-emulator: DELETE {path} failed at the API server of {}: {fault}",
                        cluster.fqdn()
                    );
                }
            }
        }
    }

    async fn start(
        &mut self,
        cluster: &Cluster,
        common: &Arc<Common>,
        gate: &Arc<NodeGate>,
        table: &Table,
        spec: &NodeSpec,
        renewed: u64,
    ) {
        let identity = spec.identity.clone();
        let Some(azure) = cluster.look(|world, _| Azure { tenant: world.tenant.clone(), identity }) else {
            return;
        };
        let number = self.joined;
        match Machine::start(common, gate, azure, spec, (number, renewed)).await {
            Ok(machine) => {
                self.joined += 1;
                table.insert(number, machine.dial());
                self.machines.insert(spec.name.clone(), machine);
            }
            Err(fault) => self.failed(cluster, &spec.name, fault.to_string()),
        }
    }
}
