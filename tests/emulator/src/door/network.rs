//! The door for the clusters' nodes, and the passing of time in the clusters.

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;

use super::faulty;
use crate::log::{From, Service};
use crate::node::{Network, NetworkFailure};
use crate::reply::{Caller, Reset};
use crate::world::World;

/// No cluster has more to do at one time than this; more means that it does not move on.
const MOST_STEPS: usize = 100_000;

/// Brings about all that time has brought about, clusters included.
pub(crate) fn settle(world: &mut World, now: Instant) {
    world.settle(now);
    for at in 0..world.clusters.len() {
        advance(world, at, now);
    }
}

/// Moves one cluster on, each event in its own time, so that an answer of a registry belongs to the time of the pull.
pub(crate) fn advance(world: &mut World, at: usize, now: Instant) {
    let Some(mut kubernetes) = world.clusters[at].kubernetes.take() else {
        return;
    };
    for _ in 0..MOST_STEPS {
        let Some(next) = kubernetes.next_event().filter(|next| *next <= now) else {
            break;
        };
        kubernetes.advance(
            next,
            &mut Nodes {
                world,
                cluster: at,
                now: next,
            },
        );
        if kubernetes.next_event() == Some(next) {
            break;
        }
    }
    kubernetes.advance(
        now,
        &mut Nodes {
            world,
            cluster: at,
            now,
        },
    );
    world.clusters[at].kubernetes = Some(kubernetes);
}

/// The network of one cluster's nodes.
struct Nodes<'a> {
    world: &'a mut World,
    cluster: usize,
    now: Instant,
}

impl Network for Nodes<'_> {
    fn send(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, NetworkFailure> {
        let host = request
            .uri()
            .host()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let service = self.world.service(&host);
        let place = self
            .world
            .log
            .start(service, request.method(), request.uri(), From::Node);
        if service == Service::Unknown {
            self.world.log.end(place, None, None);
            return Err(NetworkFailure::NoSuchHost);
        }
        let fault = self.world.faults.take(request.method(), request.uri());
        let instead = fault
            .as_ref()
            .and_then(|fault| Some((fault.after_effect, faulty(fault)?)));
        let answer = match instead {
            Some((false, answer)) => answer,
            other => {
                let address = self.world.addresses.nodes.clone();
                let answer = self.world.serve(&request, &address, self.now);
                other.map_or(answer, |(_, answer)| answer)
            }
        };
        let cut = answer.extensions().get::<Reset>().is_some();
        let caller = answer
            .extensions()
            .get::<Caller>()
            .map(|caller| caller.0.clone());
        self.world
            .log
            .end(place, (!cut).then(|| answer.status().as_u16()), caller);
        if cut {
            Err(NetworkFailure::Timeout {
                address: format!("{host}:443"),
            })
        } else {
            Ok(answer)
        }
    }

    fn identity_token(&mut self, audience: &str) -> Option<String> {
        let cluster = &self.world.clusters[self.cluster];
        // Nodes of a cluster with a service principal sign in as that.
        let principal = cluster
            .seed
            .service_principal
            .then_some(&cluster.control_plane);
        let kubelet = self
            .world
            .principal(cluster.kubelet.as_ref().or(principal)?)?;
        Some(
            self.world
                .token(kubelet, audience.trim_end_matches('/'), self.now),
        )
    }

    fn tenant(&self) -> String {
        self.world.tenant.clone()
    }
}
