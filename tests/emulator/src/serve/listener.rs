//! Connections: accepted, shaken hands with, spoken HTTP with, and ended.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::ServerOptions;
use super::fault::ServeError;
use super::front::Front;
use crate::log::From;

/// Connections at one time on one port. More wait until others end.
const MOST_CONNECTIONS: usize = 1024;
/// What an open connection may take to become one that speaks TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What the head of a request may take to come; a connection that is kept open lies idle so long, too.
pub(super) const PATIENCE: Duration = Duration::from_secs(75);
/// How long running requests may take to end when the server stops.
pub(super) const LAST_CHANCE: Duration = Duration::from_secs(1);

/// Becomes `true` when the server stops.
pub(super) type Stop = watch::Receiver<bool>;

/// Opens a port, on loopback or not at all.
pub(super) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::new(format!(
            "{address} is not a loopback address: the emulator serves only this machine"
        )));
    }
    let failed = |fault: io::Error| ServeError::io(&format!("cannot listen on {address}"), &fault);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The two ways in, open.
pub(super) struct Doors {
    pub(super) direct: TcpListener,
    pub(super) proxy: TcpListener,
    pub(super) ports: Ports,
    /// The address of the proxy.
    pub(super) proxies: SocketAddr,
}

/// The ports of the two ways in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) listen: u16,
    pub(super) proxy: u16,
}

impl Doors {
    /// Opens both. Where any port is good, one of before is taken, if there is one and it is free.
    pub(super) async fn open(options: &ServerOptions, before: Ports) -> Result<Self, ServeError> {
        let (direct, listens) = bind_again(options.listen, before.listen).await?;
        let (proxy, proxies) = bind_again(options.proxy, before.proxy).await?;
        Ok(Self { direct, proxy, ports: Ports { listen: listens.port(), proxy: proxies.port() }, proxies })
    }
}

async fn bind_again(address: SocketAddr, before: u16) -> Result<(TcpListener, SocketAddr), ServeError> {
    if address.port() != 0 || before == 0 {
        return bind(address).await;
    }
    let known = SocketAddr::new(address.ip(), before);
    if let Ok(bound) = bind(known).await {
        return Ok(bound);
    }
    let bound = bind(address).await?;
    let port = bound.1.port();
    eprintln!(
        "aks-acr-emulator: port {before} of the previous run is in use; using port {port}: reconfigure the clients"
    );
    Ok(bound)
}

/// Takes connections until the server stops, and serves each in its own task.
pub(super) async fn accept<F, S>(listener: TcpListener, mut stop: Stop, serve: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let stream = tokio::select! {
            stream = listener.accept() => stream,
            _ = stop.wait_for(|stops| *stops) => break,
        };
        while tasks.try_join_next().is_some() {}
        match stream {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let task = serve(stream);
                tasks.spawn(async move {
                    task.await;
                    drop(permit);
                });
            }
            // Out of file handles, most likely: it gets better when connections end.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    drop(listener);
    let _ = timeout(LAST_CHANCE, async { while tasks.join_next().await.is_some() {} }).await;
}

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) tls: TlsAcceptor,
    pub(super) front: Arc<Front>,
    pub(super) stop: Stop,
    /// Held by everything that is running; waiting for its end means waiting for the last holder.
    pub(super) alive: mpsc::Sender<()>,
    /// Who comes by it.
    pub(super) from: From,
}

impl Wire {
    /// Speaks TLS and then HTTP, of whichever version the client chose.
    pub(super) async fn serve<I>(self, stream: I)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // One that is silent, or speaks something else, is left.
        let Ok(Ok(stream)) = timeout(HANDSHAKE, self.tls.accept(stream)).await else {
            return;
        };
        let (front, _alive, from) = (self.front, self.alive, self.from);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let front = Arc::clone(&front);
            request.extensions_mut().insert(from);
            async move { front.answer(request).await }
        });
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(64 * 1024);
        http.http2().timer(TokioTimer::new()).max_concurrent_streams(256).max_header_list_size(64 * 1024);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let mut stop = self.stop;
        // What goes wrong on a connection concerns its client alone.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stops| *stops) => connection.as_mut().graceful_shutdown(),
        }
        let _ = timeout(LAST_CHANCE, connection).await;
    }
}
