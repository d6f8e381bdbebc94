//! The other way in: a proxy that clients find through `HTTPS_PROXY`. It lets every emulated host answer under its own
//! name, and opens no connection to anywhere.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::authority::LOCAL_NAMES;
use super::listener::{PATIENCE, Wire};

/// Serves one connection of a client that takes us for a proxy.
pub(super) async fn serve(wire: Wire, stream: TcpStream) {
    let mut stop = wire.stop.clone();
    let service = service_fn(move |request| {
        let answer = answer(&wire, request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        _ = connection => {}
        _ = stop.wait_for(|stops| *stops) => {}
    }
}

fn answer(wire: &Wire, request: Request<Incoming>) -> Response<Body> {
    if request.method() != Method::CONNECT {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "this proxy accepts only CONNECT: use https");
    }
    let Some(authority) = request.uri().authority().cloned() else {
        return refusal(StatusCode::BAD_REQUEST, "CONNECT needs a host and a port");
    };
    let host = authority.host().to_ascii_lowercase();
    let port = authority.port_u16().unwrap_or(443);
    let is_own = LOCAL_NAMES.contains(&host.as_str()) && wire.front.is_own_port(port);
    if !is_own && (port != 443 || !wire.front.knows(&host)) {
        let message = format!("{authority} is not emulated, and this proxy never connects to the network");
        return refusal(StatusCode::BAD_GATEWAY, &message);
    }
    tokio::spawn(tunnel(wire.clone(), request));
    Response::new(Body::empty())
}

/// What comes through the tunnel is served here as if it had come to the host.
async fn tunnel(wire: Wire, request: Request<Incoming>) {
    if let Ok(stream) = hyper::upgrade::on(request).await {
        wire.serve(TokioIo::new(stream)).await;
    }
}

fn refusal(status: StatusCode, message: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(format!("aks-acr-emulator: {message}\n")));
    *answer.status_mut() = status;
    answer
}

/// Starts taking connections.
pub(super) fn start(wire: &Wire) -> impl Fn(TcpStream) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + use<> {
    let wire = Arc::new(wire.clone());
    move |stream| Box::pin(serve((*wire).clone(), stream))
}
