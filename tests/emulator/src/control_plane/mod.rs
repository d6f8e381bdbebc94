//! Real control planes for emulated clusters: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback. The nodes
//! stay emulated and are clients of the API server, so that a pull still depends on Azure's grants.

mod build;
mod certificates;
mod client;
#[cfg(test)]
pub(crate) mod fake;
mod forward;
mod guard;
mod leftovers;
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
pub(crate) use build::{Build, build};
pub(crate) use forward::{Forward, Returned};
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
}

impl ControlPlanes {
    /// Control planes of these programs, for the clusters of this world.
    pub(crate) fn new(programs: Programs, shared: &Arc<Shared>) -> Self {
        let (runtime, wake) = (Handle::current(), Arc::new(Notify::new()));
        runtime.spawn(drive(Arc::downgrade(shared), Arc::clone(&wake)));
        let (alive, ended) = mpsc::channel(1);
        Self { programs: Arc::new(programs), runtime, shared: Arc::downgrade(shared), wake, alive, ended }
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
        remote.adjust(nodes, now);
        let real = Real { remote, state: state.subscribe(), _stop: stop.clone(), wake: Arc::clone(&self.wake) };
        let cluster = running::Cluster {
            fqdn: fqdn.to_owned(),
            programs: Arc::clone(&self.programs),
            shared: Weak::clone(&self.shared),
            wake: Arc::clone(&self.wake),
            alive: self.alive.clone(),
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
        self.remote.adjust(specs, now);
        self.wake.notify_one();
    }

    /// Makes the nodes of a pool anew.
    pub(crate) fn reimage(&mut self, pool: &str, now: Instant) {
        self.remote.reimage(pool, now);
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
        let real = Self { remote, state, _stop: watch::Sender::new(()), wake: Arc::new(Notify::new()) };
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
