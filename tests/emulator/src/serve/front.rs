//! What stands between the wire and the emulator: limits, the control endpoint, and which host a request means.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tower::ServiceExt as _;

use super::authority::LOCAL_NAMES;
use super::control::Control;
use super::origin;
use crate::emulator::Emulator;
use crate::fault::arrive;
use crate::log::{From, Service};
use crate::registry::upstream;
use crate::reply::{Broken, Reply, arm_error};

/// The biggest body that Resource Manager takes, and the others with it.
const BODY: usize = 4 * 1024 * 1024;
/// The biggest body that a registry takes: one layer, or a part of one.
const LAYER: usize = 256 * 1024 * 1024;
/// How long a body may take to come.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// The front.
pub(super) struct Front {
    pub(super) emulator: Emulator,
    pub(super) control: Control,
    /// The ports of the direct way in.
    pub(super) port: u16,
}

impl Front {
    /// Whether a host is emulated.
    pub(super) fn knows(&self, host: &str) -> bool {
        self.emulator.shared.world().service(main_name(host)) != Service::Unknown
    }

    /// Whether a fault leaves every request to a host unanswered.
    pub(super) fn is_silent(&self, host: &str) -> bool {
        self.emulator.shared.world().faults.silences(host)
    }

    /// Whether the name of a host has reached nodes: that of a new registry takes a while.
    pub(super) fn is_known_to_nodes(&self, host: &str) -> bool {
        let world = self.emulator.shared.world();
        !world.is_unknown_to_nodes(host, world.clock.now())
    }

    pub(super) fn is_own_port(&self, port: u16) -> bool {
        port == self.port
    }

    /// Answers a request; an error cuts the connection.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let Some(asked) = asked(&request) else {
            let refusal = arm_error(StatusCode::BAD_REQUEST, "BadRequest", "The request has no host.");
            return Ok(refusal.map(Body::from));
        };
        let is_direct = LOCAL_NAMES.contains(&asked.host());
        let limit = match self.emulator.shared.world().service(main_name(asked.host())) {
            Service::Registry => LAYER,
            _ => BODY,
        };
        let request = match whole(request, limit).await {
            Ok(request) => request,
            Err(refusal) => return Ok(refusal.map(Body::from)),
        };
        if is_direct { self.direct(request, &asked).await } else { self.emulated(request, &asked).await }
    }

    /// Answers a request to this host, whatever it names itself.
    pub(super) async fn to(self: Arc<Self>, request: Request<Incoming>, host: &str) -> Result<Response<Body>, Cut> {
        let host = host.parse().map_err(|_| Cut)?;
        match whole(request, BODY).await {
            Ok(request) => self.emulated(request, &host).await,
            Err(refusal) => Ok(refusal.map(Body::from)),
        }
    }

    /// A request to the server's own name.
    async fn direct(&self, request: Request<Bytes>, asked: &Authority) -> Result<Response<Body>, Cut> {
        let origin = format!("https://{asked}");
        let path = format!("/{}", request.uri().path().trim_start_matches('/'));
        if let Some(order) = path.strip_prefix("/_emulator/") {
            return Ok(self.control.answer(&self.emulator, order, &request).map(Body::from));
        }
        if path.trim_end_matches('/').eq_ignore_ascii_case("/metadata/endpoints") {
            return Ok(self.cloud(&request, &origin).map(Body::from));
        }
        let host = Authority::from_static(origin::host_of(&path));
        let answer = self.asked(collapsed(request, &path)?, &host).await?;
        let (parts, body) = answer.into_parts();
        // Every answer of Resource Manager, Entra and Graph ends.
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        Ok(arrive(origin::translate(Response::from_parts(parts, body), &origin).map(Body::from)))
    }

    /// What this cloud is: no rule of Azure knows the origin, and yet it was a request to Resource Manager.
    fn cloud(&self, request: &Request<Bytes>, origin: &str) -> Reply {
        let uri =
            format!("https://{}{}", crate::arm::HOST, request.uri().path_and_query().map_or("/", PathAndQuery::as_str));
        let answer = origin::cloud(request.uri().query().unwrap_or_default(), origin);
        if let Ok(uri) = uri.parse() {
            let mut world = self.emulator.shared.world();
            let place = world.log.start(Service::Arm, request.method(), &uri, From::Client);
            world.log.end(place, Some(answer.status().as_u16()), None);
        }
        answer
    }

    /// A request to an emulated host.
    async fn emulated(&self, request: Request<Bytes>, host: &Authority) -> Result<Response<Body>, Cut> {
        self.asked(request, host).await.map(arrive)
    }

    /// The same, with a body that has not yet met the fault that is to meet it.
    async fn asked(&self, mut request: Request<Bytes>, host: &Authority) -> Result<Response<Body>, Cut> {
        let mut uri = request.uri().clone().into_parts();
        uri.scheme = Some(Scheme::HTTPS);
        let known = main_name(host.host());
        uri.authority = if known == host.host() { Some(host.clone()) } else { known.parse().ok() };
        uri.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from_parts(uri).map_err(|_| Cut)?;
        let answer = match self.emulator.router().oneshot(request.map(Body::from)).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        if answer.extensions().get::<Broken>().is_some() { Err(Cut) } else { Ok(answer) }
    }
}

/// A request to this path: some clients put one slash too many before it.
fn collapsed(mut request: Request<Bytes>, path: &str) -> Result<Request<Bytes>, Cut> {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut uri = request.uri().clone().into_parts();
    uri.path_and_query = Some(format!("{path}{query}").parse().map_err(|_| Cut)?);
    *request.uri_mut() = Uri::from_parts(uri).map_err(|_| Cut)?;
    Ok(request)
}

/// Docker Hub answers at more names than one; the rules know its first.
pub(super) fn main_name(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry.hub.docker.com" => upstream::api_host(host),
        other => other,
    }
}

/// The host that a request names, in its address or in its header.
fn asked(request: &Request<Incoming>) -> Option<Authority> {
    let named = request.uri().authority().map(Authority::as_str);
    let header = || request.headers().get("host")?.to_str().ok();
    let name = named.or_else(header)?.to_ascii_lowercase();
    // A name and a password before the host are no part of it.
    name.parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@'))
}

/// Reads the body, if it is not too big and not too slow.
async fn whole(request: Request<Incoming>, limit: usize) -> Result<Request<Bytes>, Box<Reply>> {
    let (parts, body) = request.into_parts();
    let refusal = |status, code, message: &str| Box::new(arm_error(status, code, message));
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        return Err(too_big(limit));
    }
    match tokio::time::timeout(BODY_PATIENCE, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(Request::from_parts(parts, body.to_bytes())),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => Err(too_big(limit)),
        Ok(Err(_)) => Err(refusal(StatusCode::BAD_REQUEST, "BadRequest", "The request content is truncated.")),
        Err(_) => {
            Err(refusal(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", "The request content did not arrive in time."))
        }
    }
}

fn too_big(limit: usize) -> Box<Reply> {
    let message = format!("The request content exceeds the maximum size of {limit} bytes.");
    Box::new(arm_error(StatusCode::PAYLOAD_TOO_LARGE, "RequestContentTooLarge", &message))
}

/// The connection is cut instead of an answer.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut by the emulator")
    }
}

impl std::error::Error for Cut {}
