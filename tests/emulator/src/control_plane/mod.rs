//! Real control planes for emulated clusters: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback. The nodes
//! are emulated, or real as well; both are clients of the API server, and their pulls depend on Azure's grants.

mod build;
mod certificates;
mod client;
#[cfg(test)]
pub(crate) mod fake;
mod forward;
mod guard;
pub(crate) mod leftovers;
mod node;
mod parts;
mod programs;
mod running;
mod sources;
mod watching;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use crate::door::{Shared, network};
use crate::kubernetes::{NodeSpec, Remote};
use crate::serve::NodeGate;
pub(crate) use build::{Build, build};
pub(crate) use forward::{Forward, Returned};
use node::{Nodes, Wanted};
pub(crate) use programs::Programs;
use running::State;

/// The longest sleep of what moves the nodes on.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Starts the control planes of clusters.
pub(crate) struct ControlPlanes {
    programs: Arc<Programs>,
    runtime: Handle,
    shared: Weak<Shared>,
    /// Rings when nodes may have something to do.
    wake: Arc<Notify>,
    /// Held by each control plane that runs.
    alive: mpsc::Sender<()>,
    ended: mpsc::Receiver<()>,
    /// What real nodes reach, once a server runs.
    gate: watch::Sender<Option<Arc<NodeGate>>>,
}

impl fmt::Debug for ControlPlanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlanes").field("programs", &self.programs).finish_non_exhaustive()
    }
}

/// The control plane of one cluster, and the nodes that are its clients. It stops when this is dropped.
pub(crate) struct Real {
    pub(crate) remote: Remote,
    state: watch::Receiver<State>,
    /// Closed when the cluster is gone.
    _stop: watch::Sender<()>,
    wake: Arc<Notify>,
    /// The real nodes that there are to be, if nodes are real.
    nodes: Option<watch::Sender<Wanted>>,
}

/// Divides nodes into those that this machine can be, if nodes are real, and others, which are emulated.
fn adjust(remote: &mut Remote, real: Option<&watch::Sender<Wanted>>, specs: &[NodeSpec], now: Instant) {
    let is_real = |spec: &NodeSpec| real.is_some() && node::can_be_real(spec);
    let (made, emulated): (Vec<NodeSpec>, Vec<NodeSpec>) = specs.iter().cloned().partition(is_real);
    remote.adjust(&emulated, now);
    if let Some(real) = real {
        real.send_modify(|wanted| wanted.adjust(made));
    }
}

impl ControlPlanes {
    /// Control planes of these programs, for the clusters of this world.
    pub(crate) fn new(programs: Programs, shared: &Arc<Shared>) -> Self {
        let (runtime, wake) = (Handle::current(), Arc::new(Notify::new()));
        runtime.spawn(drive(Arc::downgrade(shared), Arc::clone(&wake)));
        let (alive, ended) = mpsc::channel(1);
        Self {
            programs: Arc::new(programs),
            runtime,
            shared: Arc::downgrade(shared),
            wake,
            alive,
            ended,
            gate: watch::Sender::new(None),
        }
    }

    /// Lets real nodes reach a server; `None` when it stops.
    pub(crate) fn open(&self, gate: Option<Arc<NodeGate>>) {
        self.gate.send_replace(gate);
    }

    /// The version of Kubernetes.
    pub(crate) fn version(&self) -> &str {
        &self.programs.version
    }

    /// Starts one for the cluster with this host and these nodes. It is ready some seconds later.
    pub(crate) fn start(&self, fqdn: &str, nodes: &[NodeSpec], now: Instant, wall: SystemTime) -> Real {
        let (writes, queue) = mpsc::unbounded_channel();
        let (state, stop) = (watch::Sender::new(State::Starting), watch::Sender::new(()));
        let mut remote = Remote::new(self.version(), now, wall, writes);
        let real_nodes = self.programs.has_node().then(|| watch::Sender::new(Wanted::default()));
        let known = real_nodes.as_ref().map(|wanted| Nodes { wanted: wanted.subscribe(), gate: self.gate.subscribe() });
        adjust(&mut remote, real_nodes.as_ref(), nodes, now);
        let wake = Arc::clone(&self.wake);
        let real = Real { remote, state: state.subscribe(), _stop: stop.clone(), wake, nodes: real_nodes };
        let cluster = running::Cluster {
            fqdn: fqdn.to_owned(),
            programs: Arc::clone(&self.programs),
            shared: Weak::clone(&self.shared),
            wake: Arc::clone(&self.wake),
            alive: self.alive.clone(),
            nodes: known,
        };
        self.runtime.spawn(cluster.run(state, stop.subscribe(), queue));
        real
    }

    /// Waits until the processes of all clusters have ended. The clusters have to be gone.
    pub(crate) async fn ended(self) {
        let Self { alive, mut ended, .. } = self;
        drop(alive);
        let _ = tokio::time::timeout(Duration::from_secs(10), ended.recv()).await;
    }
}

impl Real {
    /// Lets nodes join and leave until there are these.
    pub(crate) fn adjust(&mut self, specs: &[NodeSpec], now: Instant) {
        adjust(&mut self.remote, self.nodes.as_ref(), specs, now);
        self.wake.notify_one();
    }

    /// Makes the nodes of a pool anew.
    pub(crate) fn reimage(&mut self, specs: &[NodeSpec], pool: &str, now: Instant) {
        self.remote.reimage(specs, pool, now);
        if let Some(nodes) = &self.nodes {
            nodes.send_modify(|wanted| wanted.renew(specs, pool));
        }
        self.wake.notify_one();
    }

    /// The way to the API server.
    pub(crate) fn forward(&self) -> Forward {
        Forward::new(self.state.clone())
    }
}

#[cfg(test)]
impl Real {
    /// The control plane of a cluster without nodes whose API server is this one, and what the nodes write.
    pub(crate) fn of(server: &fake::Fake) -> (Self, mpsc::UnboundedReceiver<crate::kubernetes::Write>) {
        let (writes, queue) = mpsc::unbounded_channel();
        let remote = Remote::new("1.33.3", Instant::now(), SystemTime::now(), writes);
        let state = watch::Sender::new(State::Ready(Arc::clone(&server.clients))).subscribe();
        let real = Self { remote, state, _stop: watch::Sender::new(()), wake: Arc::new(Notify::new()), nodes: None };
        (real, queue)
    }
}

/// Lets happen what is due, and says when something is due next.
fn move_on(shared: &Shared) -> Option<Instant> {
    let mut world = shared.world();
    let now = world.clock.now();
    network::settle(&mut world, now);
    network::next_event(&world).map(|at| world.clock.real(at))
}

/// Moves the nodes on when something is due, though no request comes.
async fn drive(shared: Weak<Shared>, wake: Arc<Notify>) {
    loop {
        let Some(shared) = shared.upgrade() else { return };
        // A fault in one pod's work must not end that of all nodes; what it met is left out from now on.
        let next = catch_unwind(AssertUnwindSafe(|| move_on(&shared))).ok().flatten();
        drop(shared);
        let latest = Instant::now() + LONGEST_SLEEP;
        let until = next.map_or(latest, |next| next.min(latest));
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}
