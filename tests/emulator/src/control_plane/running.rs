//! The life of one control plane, from its start to its end.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use tokio::sync::{Notify, watch};

use super::client::Client;
use super::node::{self, Nodes, Table};
use super::parts::{Parts, StartError};
use super::programs::Programs;
use super::watching;
use crate::door::Shared;
use crate::kubernetes::{WATCHED, Write};
use crate::world::World;

/// How often a start is tried whose ports are taken.
const TRIES: usize = 3;
/// How often kubelet renews a lease.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often it is checked that all programs run.
const CHECK: Duration = Duration::from_secs(1);

/// How far a control plane is.
#[derive(Clone, Debug)]
pub(super) enum State {
    Starting,
    /// It serves: to an administrator, and to requests that bring their own credential.
    Ready(Arc<Clients>),
    /// It did not start, or a program has ended; this says why.
    Failed(String),
}

/// The ways to an API server.
#[derive(Debug)]
pub(super) struct Clients {
    /// With the rights of an administrator.
    pub(super) admin: Client,
    /// For requests that bring their own credential.
    pub(super) plain: Client,
}

/// What a control plane needs to know of its cluster.
pub(super) struct Cluster {
    pub(super) fqdn: String,
    pub(super) programs: Arc<Programs>,
    pub(super) shared: Weak<Shared>,
    pub(super) wake: Arc<Notify>,
    /// Held until the processes have ended.
    pub(super) alive: Sender<()>,
    /// The real nodes, if nodes are real.
    pub(super) nodes: Option<Nodes>,
}

impl Cluster {
    /// Runs until the cluster is gone.
    pub(super) async fn run(
        self,
        state: watch::Sender<State>,
        mut stop: watch::Receiver<()>,
        writes: UnboundedReceiver<Write>,
    ) {
        let end = async { while stop.changed().await.is_ok() {} };
        tokio::select! {
            () = end => {}
            () = self.live(state, writes) => {}
        }
    }

    async fn live(&self, state: watch::Sender<State>, writes: UnboundedReceiver<Write>) {
        let parts = match self.start().await {
            Ok(parts) => parts,
            Err(why) => return self.fail(&state, why).await,
        };
        state.send_replace(State::Ready(Arc::clone(&parts.clients)));
        let clients = Arc::clone(&parts.clients);
        let follows = WATCHED.map(|resource| watching::follow(self, resource, &clients.admin));
        let fault = tokio::select! {
            fault = self.watch_over(&parts) => fault,
            _ = futures::future::join_all(follows) => return,
            () = watching::write(self, writes, &clients.admin) => return,
            () = self.renew_leases() => return,
            fault = self.run_nodes(&parts) => fault,
        };
        drop(parts);
        self.fail(&state, fault).await;
    }

    async fn start(&self) -> Result<Parts, String> {
        for _ in 0..TRIES {
            match Parts::start(Arc::clone(&self.programs), &self.fqdn, self.alive.clone()).await {
                Ok(parts) => return Ok(parts),
                Err(StartError::PortTaken) => {}
                Err(StartError::Other(why)) => return Err(why),
            }
        }
        Err(String::from("other programs took its ports"))
    }

    /// What is left to do is to say why, until the cluster is gone.
    async fn fail(&self, state: &watch::Sender<State>, why: String) {
        eprintln!("aks-acr-emulator: the control plane of {} failed: {why}", self.fqdn);
        state.send_replace(State::Failed(why));
        std::future::pending::<()>().await;
    }

    async fn watch_over(&self, parts: &Parts) -> String {
        loop {
            tokio::time::sleep(CHECK).await;
            if let Some(fault) = parts.ended() {
                return fault;
            }
        }
    }

    /// Runs the real nodes as long as this is polled.
    async fn run_nodes(&self, parts: &Parts) -> String {
        let (Some(nodes), Some((socket, common))) = (&self.nodes, parts.of_nodes(&self.fqdn)) else {
            return std::future::pending().await;
        };
        let table = Table::default();
        tokio::select! {
            fault = node::serve_egress(&socket, &table) => match fault {
                Ok(()) => String::from("the proxy to its nodes has ended"),
                Err(fault) => format!("{}: {fault}", socket.display()),
            },
            () = node::follow(self, &common, nodes, &table) => std::future::pending().await,
        }
    }

    async fn renew_leases(&self) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            if self.with(|real, now| real.remote.renew_leases(now)).is_none() {
                return;
            }
        }
    }

    /// The host of the API server.
    pub(super) fn fqdn(&self) -> &str {
        &self.fqdn
    }

    /// Reads the world and this cluster in it. `None` when the cluster is gone.
    pub(super) fn look<T>(&self, read: impl FnOnce(&World, &crate::cluster::Cluster) -> T) -> Option<T> {
        let shared = self.shared.upgrade()?;
        let world = shared.world();
        let cluster = world.clusters.iter().find(|cluster| cluster.fqdn() == self.fqdn)?;
        Some(read(&world, cluster))
    }

    /// Changes what the nodes know, and lets them do what follows from it. `None` when the cluster is gone.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut super::Real, tokio::time::Instant) -> T) -> Option<T> {
        let shared = self.shared.upgrade()?;
        let mut world = shared.world();
        let now = world.clock.now();
        let cluster = world.clusters.iter_mut().find(|cluster| cluster.fqdn() == self.fqdn)?;
        let done = act(cluster.real.as_mut()?, now);
        drop(world);
        self.wake.notify_one();
        Some(done)
    }
}
