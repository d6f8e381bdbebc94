//! The door for the clusters' nodes, and the passing of time in the clusters.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;

use super::faulty;
use crate::cluster::Cluster;
use crate::fault::Arrival;
use crate::kubernetes::Kubernetes;
use crate::log::{From, Service};
use crate::network::{self, Way};
use crate::node::{Network, NetworkFailure, OnBehalf};
use crate::operation;
use crate::reply::{Broken, Caller};
use crate::world::World;

/// The address of a host that does not respond: one of those that [are for documentation](https://www.rfc-editor.org/rfc/rfc5737).
pub(crate) const SILENT: &str = "203.0.113.40:443";

/// No world has more to do at one time than this; more means that something does not move on.
const MOST_STEPS: usize = 1_000_000;

/// What happens by itself.
enum Next {
    Operation,
    Cluster(usize),
}

/// Brings about all that time has brought about, in the order in which it did: a pull meets the grants and images of its
/// own time, not those of the request that made us look.
pub(crate) fn settle(world: &mut World, now: Instant) {
    for _ in 0..MOST_STEPS {
        match next(world).filter(|(at, _)| *at <= now) {
            Some((at, Next::Operation)) => operation::settle(world, at),
            Some((at, Next::Cluster(cluster))) => advance(world, cluster, at),
            None => break,
        }
    }
    world.forget(now);
    if let Some(keeper) = &mut world.keeper {
        keeper.seen(world.clock.since_start(now));
    }
}

/// When something happens by itself next.
#[cfg(feature = "serve")]
pub(crate) fn next_event(world: &World) -> Option<Instant> {
    next(world).map(|(at, _)| at)
}

fn next(world: &World) -> Option<(Instant, Next)> {
    let operation = operation::next(world).map(|at| (at, Next::Operation));
    let due = |(at, cluster): (usize, &Cluster)| {
        #[cfg(feature = "serve")]
        if let Some(real) = &cluster.real {
            return Some((real.remote.next_event()?, Next::Cluster(at)));
        }
        let next = cluster.kubernetes.as_ref()?.next_event()?;
        Some((next, Next::Cluster(at)))
    };
    let clusters = world.clusters.iter().enumerate().filter_map(due);
    operation.into_iter().chain(clusters).min_by_key(|(at, _)| *at)
}

/// Moves one cluster on.
pub(crate) fn advance(world: &mut World, at: usize, now: Instant) {
    let lent = &mut Lent::take(world, at);
    #[cfg(feature = "serve")]
    if let Some(real) = &mut lent.real {
        real.remote.advance(now, &mut Nodes { world: lent.world, cluster: at, now });
        return;
    }
    if let Some(kubernetes) = &mut lent.kubernetes {
        kubernetes.advance(now, &mut Nodes { world: lent.world, cluster: at, now });
    }
}

/// A cluster's Kubernetes while it is out of the world, the emulator's own or a real one: it goes back whatever happens, so that
/// a fault in it takes down no more than the request that met it.
struct Lent<'a> {
    world: &'a mut World,
    at: usize,
    kubernetes: Option<Kubernetes>,
    #[cfg(feature = "serve")]
    real: Option<crate::control_plane::Real>,
}

impl<'a> Lent<'a> {
    fn take(world: &'a mut World, at: usize) -> Self {
        let cluster = &mut world.clusters[at];
        let kubernetes = cluster.kubernetes.take();
        #[cfg(feature = "serve")]
        let real = cluster.real.take();
        Self {
            world,
            at,
            kubernetes,
            #[cfg(feature = "serve")]
            real,
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let cluster = &mut self.world.clusters[self.at];
        cluster.kubernetes = self.kubernetes.take();
        #[cfg(feature = "serve")]
        {
            cluster.real = self.real.take();
        }
    }
}

/// Pulls on a node of the first cluster.
#[cfg(all(test, feature = "serve"))]
pub(crate) fn pull_on_a_node(
    world: &mut World,
    node: &mut crate::node::Node,
    image: &crate::node::Image,
    secrets: Vec<crate::node::PullSecret>,
) -> Result<String, String> {
    let now = Instant::now();
    node.pull(image, secrets, now, &mut Nodes { world, cluster: 0, now })
}

/// The network of one cluster's nodes.
struct Nodes<'a> {
    world: &'a mut World,
    cluster: usize,
    now: Instant,
}

impl Nodes<'_> {
    /// The way to a registry, of Azure or not. All else that nodes need is reached.
    fn way(&self, service: Service, host: &str) -> Result<Option<Way>, NetworkFailure> {
        if service != Service::Registry {
            return Ok(None);
        }
        network::way(self.world, &self.world.clusters[self.cluster], host).map(Some)
    }
}

impl Network for Nodes<'_> {
    fn send(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, NetworkFailure> {
        let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
        let service = self.world.service(&host);
        let place = self.world.log.start(service, request.method(), request.uri(), From::Node);
        if service == Service::Unknown || self.world.is_unknown_to_nodes(&host, self.now) {
            self.world.log.end(place, None, None);
            return Err(NetworkFailure::NoSuchHost);
        }
        let way = match self.way(service, &host) {
            Ok(way) => way,
            Err(failure) => {
                self.world.log.end(place, None, None);
                return Err(failure);
            }
        };
        let fault = self.world.faults.take(service, From::Node, request.method(), request.uri());
        let instead = fault.as_ref().and_then(|fault| Some((fault.after_effect, faulty(fault)?)));
        let mut answer = match instead {
            Some((false, answer)) => answer,
            other => {
                let way = way.unwrap_or_else(|| Way::Public(self.world.addresses.nodes.clone()));
                let answer = self.world.serve(&request, &way, self.now);
                other.map_or(answer, |(_, answer)| answer)
            }
        };
        if let Some(fault) = fault.filter(|fault| fault.dress(&mut answer)) {
            self.world.log.meet(place, fault.word());
        }
        let is_cut = matches!(answer.extensions().get(), Some(Arrival::Truncated | Arrival::Silent(_)));
        let broken = answer.extensions().get::<Broken>().cloned().or(is_cut.then_some(Broken::Reset));
        let caller = answer.extensions().get::<Caller>().map(|caller| caller.0.clone());
        let status = broken.is_none().then(|| answer.status().as_u16());
        self.world.log.end(place, status, caller);
        match broken {
            None => Ok(answer),
            Some(Broken::Reset) => Err(NetworkFailure::Cut),
            Some(Broken::Silent) => Err(NetworkFailure::Timeout { address: SILENT.to_owned() }),
            Some(Broken::Untrusted(why)) => Err(NetworkFailure::Tls(why)),
        }
    }

    fn identity_token(&mut self, principal: &str, audience: &str) -> Option<String> {
        let cluster = self.world.clusters[self.cluster].id();
        self.world.node_token([&cluster, principal, audience.trim_end_matches('/')], self.now)
    }

    fn signs_in_for(&self, annotated: Option<&str>) -> OnBehalf {
        self.world.clusters[self.cluster].signs_in_for(self.world, annotated)
    }

    fn tenant(&self) -> String {
        self.world.tenant.clone()
    }

    fn credential_life(&self) -> Duration {
        self.world.timing.node_credentials
    }
}

#[cfg(test)]
#[cfg(feature = "serve")]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::Emulator;
    use crate::control_plane::Real;
    use crate::control_plane::fake::Fake;

    #[tokio::test]
    async fn what_is_lent_goes_back_though_its_work_panics() {
        let azure = Emulator::new().with_cluster("group", "dev");
        let (real, _writes) = Real::of(&Fake::start(|_| None).await);
        azure.act(|world| world.clusters[0].real = Some(real));
        let mut world = azure.shared.world();
        let work = AssertUnwindSafe(|| {
            let lent = Lent::take(&mut world, 0);
            assert!(lent.kubernetes.is_some() && lent.real.is_some());
            assert!(lent.world.clusters[0].real.is_none());
            panic!("a fault in a kubelet");
        });
        assert!(catch_unwind(work).is_err());
        assert!(world.clusters[0].kubernetes.is_some() && world.clusters[0].real.is_some());
    }
}
