//! The doors: one router behind all of them, which every request passes in the same steps.

pub(crate) mod credential;
pub(crate) mod kubernetes;
pub(crate) mod network;
#[cfg(test)]
#[cfg(feature = "serve")]
mod tests;
pub(crate) mod transport;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::entra;
use crate::fault::lag::{Asked, Lagged};
use crate::fault::{self, Fault, Outcome, Repeated};
use crate::keeper::{self, Change};
use crate::kubernetes::Watch;
use crate::log::{From, Service};
use crate::network::Way;
use crate::reply::{Broken, Caller, Reply};
use crate::world::World;

/// The world, and the bell that rings when something in it has changed.
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Held during each change of the world: what is kept is kept in the order in which it was
    /// done. It is taken before the world.
    turn: Mutex<()>,
    pub(crate) changed: Notify,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), turn: Mutex::new(()), changed: Notify::new() }
    }

    /// The turn to change the world.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, for a short time. A test that panicked while it held it does not take it from others.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer, whole or still going on.
pub(crate) enum Served {
    Whole(Reply),
    /// A watch on a cluster, by the host of its API server.
    Watch {
        parts: http::response::Parts,
        watch: Box<Watch>,
        host: String,
        caller: String,
    },
    /// The answer of a real API server, as it comes.
    #[cfg(feature = "serve")]
    Stream {
        parts: http::response::Parts,
        body: Body,
        caller: Option<String>,
    },
}

/// The router. It has one rule: what answers is decided by the host.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        // The client went away while it was sending.
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return answer;
    };
    let request = Request::from_parts(with_host(parts), body.to_bytes());
    answer(&shared, request).await
}

/// Takes the host from the header when the address has none, as it is with requests that came over a socket.
fn with_host(mut parts: http::request::Parts) -> http::request::Parts {
    if parts.uri.host().is_none()
        && let Some(host) = parts.headers.get("host").and_then(|value| value.to_str().ok())
        && let Ok(authority) = host.parse()
    {
        let mut uri = parts.uri.clone().into_parts();
        uri.scheme = Some(http::uri::Scheme::HTTPS);
        uri.authority = Some(authority);
        if let Ok(uri) = http::Uri::from_parts(uri) {
            parts.uri = uri;
        }
    }
    parts
}

/// Latency, then a fault, then the rules, then the log.
async fn answer(shared: &Arc<Shared>, request: Request<Bytes>) -> Response<Body> {
    let from = sender(&request);
    let (place, latency, fault) = {
        let _turn = shared.turn();
        let mut world = shared.world();
        let service = world.service(request.uri().host().unwrap_or_default());
        let place = world.log.start(service, request.method(), request.uri(), from);
        if let Some(refusal) = entra::real::refuse(service, &request) {
            drop(world);
            return dated(shared, close(shared, place, Served::Whole(refusal)));
        }
        let fault = world.faults.take(service, from, request.method(), request.uri());
        // A storm follows from its seed and from all requests that it could have met.
        if fault.is_some() || world.faults.storm.is_some() {
            // The keeper reports one that cannot be kept; at worst it is used once more by another run.
            let now = world.clock.now();
            let kept = world.keep(&Change::Fault(request.method(), request.uri()), now).is_ok();
            world.kept(kept);
        }
        (place, world.timing.latency, fault)
    };
    let delay = fault.as_ref().map(|fault| fault.delay).unwrap_or_default();
    let before = fault.as_ref().is_none_or(|fault| !fault.after_effect);
    tokio::time::sleep(latency + if before { delay } else { std::time::Duration::ZERO }).await;
    let served = effect(shared, request, fault.as_ref(), place).await;
    if !before {
        tokio::time::sleep(delay).await;
    }
    let answer = close(shared, place, served);
    if matches!(answer.extensions().get(), Some(Broken::Silent)) {
        // The caller has to give up first.
        return std::future::pending().await;
    }
    dated(shared, answer)
}

/// Who sent a request. A real node has its own way in, which marks what comes by it.
fn sender(request: &Request<Bytes>) -> From {
    request.extensions().get().copied().unwrap_or(From::Client)
}

/// Every server sends its time, from which clients compute ages and waits.
fn dated(shared: &Shared, mut answer: Response<Body>) -> Response<Body> {
    let clock = shared.world().clock;
    let date = clock.http_date(clock.now());
    if let Ok(date) = date.parse() {
        answer.headers_mut().entry(http::header::DATE).or_insert(date);
    }
    answer
}

/// The effect of a request, unless a fault comes first. A fault that happened is logged.
async fn effect(shared: &Shared, mut request: Request<Bytes>, fault: Option<&Fault>, place: usize) -> Served {
    let Some(fault) = fault else {
        return come_about(shared, &request, false).await.0;
    };
    let (mut came_about, mut word) = (false, fault.word());
    let expires = matches!(fault.outcome, Outcome::ExpiredToken);
    if expires && !fault.after_effect {
        came_about = shared.world().expire_tokens_of(&request);
    }
    if matches!(fault.outcome, Outcome::RepeatedPage) {
        request.extensions_mut().insert(Repeated);
    }
    let mut served = match faulty(fault) {
        Some(answer) if !fault.after_effect => Served::Whole(answer),
        instead => {
            let lags = matches!(fault.outcome, Outcome::Lagging);
            let (served, lagged) = come_about(shared, &request, lags).await;
            if let Some(lagged) = lagged {
                (came_about, word) = (true, lagged.word());
            }
            instead.map_or(served, Served::Whole)
        }
    };
    if expires && fault.after_effect {
        came_about = shared.world().expire_tokens_of(&request);
    }
    came_about |= match &mut served {
        Served::Whole(answer) => fault.dress(answer),
        Served::Watch { parts, .. } => fault.dress_watch(parts),
        #[cfg(feature = "serve")]
        Served::Stream { parts, .. } => fault.dress_watch(parts),
    };
    if came_about {
        shared.world().log.meet(place, word);
    }
    served
}

/// Lets the API server of a real control plane answer, or the rules; in a storm, a replica that lags may answer by them.
#[cfg(feature = "serve")]
async fn come_about(shared: &Shared, request: &Request<Bytes>, lags: bool) -> (Served, Option<Lagged>) {
    let onward = {
        let mut world = shared.world();
        // The rules settle by themselves.
        if kubernetes::has_real_server(&world, request) {
            let now = world.clock.now();
            network::settle(&mut world, now);
            kubernetes::onward(&world, request, now)
        } else {
            None
        }
    };
    match onward {
        None => by_replicas(shared, request, lags),
        Some(Err(refusal)) => (Served::Whole(refusal), None),
        Some(Ok(onward)) => (pass_on(request, onward).await, None),
    }
}

#[cfg(not(feature = "serve"))]
fn come_about(shared: &Shared, request: &Request<Bytes>, lags: bool) -> std::future::Ready<(Served, Option<Lagged>)> {
    std::future::ready(by_replicas(shared, request, lags))
}

/// Lets a real API server answer.
#[cfg(feature = "serve")]
async fn pass_on(request: &Request<Bytes>, onward: kubernetes::Onward) -> Served {
    use crate::control_plane::Returned;
    let kubernetes::Onward { to, user } = onward;
    match to.send(request, user.is_some()).await {
        Returned::Whole(mut answer) => {
            if let Some(user) = user {
                answer.extensions_mut().insert(Caller(user));
            }
            Served::Whole(answer)
        }
        Returned::Stream(parts, body) => Served::Stream { parts, body, caller: user },
    }
}

/// The answer of the rules, and what a replica that lags has done to it.
fn by_replicas(shared: &Shared, request: &Request<Bytes>, lags: bool) -> (Served, Option<Lagged>) {
    let mut served = ring(shared, request);
    let lagged = replicate(shared, request, &mut served, lags);
    (served, lagged)
}

/// Serves a request, and rings the bell.
fn ring(shared: &Shared, request: &Request<Bytes>) -> Served {
    let served = serve(shared, request);
    shared.changed.notify_waiters();
    served
}

/// In a storm, what replicas have heard of; one that lags answers instead, and then this says with what.
fn replicate(shared: &Shared, request: &Request<Bytes>, served: &mut Served, lags: bool) -> Option<Lagged> {
    let Served::Whole(answer) = served else { return None };
    let world = &mut *shared.world();
    world.faults.storm.as_ref()?;
    let service = world.service(request.uri().host().unwrap_or_default());
    let asked = Asked { service, method: request.method(), uri: request.uri(), at: world.clock.now() };
    world.faults.replicas.pass(&asked, answer, lags)
}

/// The answer of a fault; `None` when it changes none.
pub(crate) fn faulty(fault: &Fault) -> Option<Reply> {
    match &fault.outcome {
        Outcome::Unchanged | Outcome::ExpiredToken | Outcome::RepeatedPage | Outcome::Odd(_) | Outcome::Lagging => None,
        Outcome::Broken(broken) => {
            let mut cut = crate::reply::empty(StatusCode::BAD_GATEWAY);
            cut.extensions_mut().insert(broken.clone());
            Some(cut)
        }
        Outcome::Answer { status, headers, body } => Some(fault::answer(*status, headers, body)),
    }
}

/// Answers by the rules; what may change the world is kept first, where a record is kept.
///
/// First, so that a change that cannot be kept is not made. What comes to nothing is not kept, nor is what breaks.
pub(crate) fn serve(shared: &Shared, request: &Request<Bytes>) -> Served {
    let _turn = shared.turn();
    let mut world = shared.world();
    let now = world.clock.now();
    network::settle(&mut world, now);
    let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
    let service = world.service(&host);
    if !keeper::may_change(service, request) {
        return by_rules(&mut world, service, request, now);
    }
    if let Err(why) = world.keep(&Change::Request(request), now) {
        return Served::Whole(not_kept(service, &why));
    }
    let served = catch_unwind(AssertUnwindSafe(|| by_rules(&mut world, service, request, now)));
    let broken_or_nothing = match &served {
        Ok(Served::Whole(answer)) => keeper::came_to_nothing(answer),
        Ok(_) => false,
        Err(_) => true,
    };
    world.kept(!broken_or_nothing);
    served.unwrap_or_else(|fault| resume_unwind(fault))
}

fn by_rules(world: &mut World, service: Service, request: &Request<Bytes>, now: Instant) -> Served {
    if service == Service::Kubernetes {
        let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
        return kubernetes::serve(world, &host, request, now);
    }
    let address = match sender(request) {
        From::Node => world.addresses.nodes.clone(),
        From::Client => world.addresses.client.clone(),
    };
    let answer = world.serve(request, &Way::Public(address), now);
    network::settle(world, now);
    Served::Whole(answer)
}

/// The refusal of a change that could not be kept, in the words of the service.
fn not_kept(service: Service, why: &str) -> Reply {
    if service == Service::Kubernetes {
        return kubernetes::status(StatusCode::INSUFFICIENT_STORAGE, "EmulatorStateNotKept", why);
    }
    crate::reply::arm_error(StatusCode::INSUFFICIENT_STORAGE, "EmulatorStateNotKept", why)
}

/// Writes the end of a request into the log, and gives its answer out.
fn close(shared: &Arc<Shared>, place: usize, served: Served) -> Response<Body> {
    let mut world = shared.world();
    match served {
        Served::Whole(answer) => {
            let cut = answer.extensions().get::<Broken>().is_some();
            let caller = answer.extensions().get::<Caller>().map(|caller| caller.0.clone());
            world.log.end(place, (!cut).then(|| answer.status().as_u16()), caller);
            answer.map(Body::from)
        }
        #[cfg(feature = "serve")]
        Served::Stream { parts, body, caller } => {
            world.log.end(place, Some(parts.status.as_u16()), caller);
            Response::from_parts(parts, body)
        }
        Served::Watch { parts, watch, host, caller } => {
            world.log.end(place, Some(parts.status.as_u16()), Some(caller));
            let stream = kubernetes::stream(Arc::clone(shared), host, watch);
            Response::from_parts(parts, Body::from_stream(stream))
        }
    }
}
