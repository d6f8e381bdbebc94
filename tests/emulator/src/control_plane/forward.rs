//! The way of a client's request to the API server of its cluster.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::response::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::watch;

use super::running::State;
use crate::door::kubernetes::{goes_on, status};
use crate::reply::Reply;

/// How long a request waits for a control plane that starts.
const READY_TIMEOUT: Duration = Duration::from_secs(250);

/// The way to one API server.
pub(crate) struct Forward(watch::Receiver<State>);

/// What came back: whole, or as it comes.
pub(crate) enum Returned {
    Whole(Reply),
    Stream(Parts, Body),
}

impl Forward {
    pub(super) fn new(state: watch::Receiver<State>) -> Self {
        Self(state)
    }

    /// Sends a request, as an administrator or with the credential that it brings.
    pub(crate) async fn send(mut self, request: &Request<Bytes>, is_admin: bool) -> Returned {
        let is_settled = |state: &State| !matches!(state, State::Starting);
        let state = tokio::time::timeout(READY_TIMEOUT, self.0.wait_for(is_settled)).await;
        let state = state.ok().and_then(Result::ok).map(|state| state.clone());
        let clients = match state {
            Some(State::Ready(clients)) => clients,
            Some(State::Failed(why)) => return Returned::Whole(unavailable(&why)),
            _ => return Returned::Whole(unavailable("the control plane is not ready")),
        };
        let client = if is_admin { &clients.admin } else { &clients.plain };
        match client.send(forwarded(request, is_admin)).await {
            Ok(answer) => returned(request, answer).await,
            Err(fault) => Returned::Whole(unavailable(&format!("kube-apiserver did not respond: {fault}"))),
        }
    }
}

fn unavailable(why: &str) -> Reply {
    status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", why)
}

/// The request without what concerns the connection that it came by.
fn forwarded(request: &Request<Bytes>, is_admin: bool) -> Request<Bytes> {
    let mut sent = Request::new(request.body().clone());
    *sent.method_mut() = request.method().clone();
    *sent.uri_mut() = request.uri().clone();
    *sent.headers_mut() = request.headers().clone();
    for name in [HOST, CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        sent.headers_mut().remove(name);
    }
    if is_admin {
        // The certificate says it.
        sent.headers_mut().remove(AUTHORIZATION);
    }
    sent
}

async fn returned(request: &Request<Bytes>, answer: Response<hyper::body::Incoming>) -> Returned {
    let (mut parts, body) = answer.into_parts();
    for name in [CONNECTION, TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.version = http::Version::default();
    if goes_on(request) {
        return Returned::Stream(parts, Body::new(body));
    }
    match body.collect().await {
        Ok(body) => Returned::Whole(Response::from_parts(parts, body.to_bytes())),
        Err(fault) => Returned::Whole(unavailable(&format!("kube-apiserver cut its response: {fault}"))),
    }
}
