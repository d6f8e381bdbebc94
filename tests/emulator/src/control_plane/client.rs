//! An HTTPS client of one API server on loopback.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower::Service;

use super::certificates::Identity;
use crate::serve::ServeError;

/// How long an API server may take for an answer that has an end, or to begin one that has none. It is on this machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Connections to one API server, with or without a certificate of the administrator.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pool: Pool<Dial, Full<Bytes>>,
    port: u16,
    timeout: Duration,
}

impl Client {
    /// A client of the server at a port of loopback, whose certificate has the name `host`.
    pub(super) fn new(identity: &Identity, is_admin: bool, host: &str, port: u16) -> Result<Self, ServeError> {
        let pem = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(ServeError::certificate);
        let mut roots = RootCertStore::empty();
        roots.add(pem(&identity.authority)?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = if is_admin {
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(ServeError::certificate)?;
            config.with_client_auth_cert(vec![pem(&identity.certificate)?], key)?
        } else {
            config.with_no_client_auth()
        };
        let name = ServerName::try_from(host.to_owned()).map_err(ServeError::certificate)?;
        let dial = Dial { port, name, tls: TlsConnector::from(Arc::new(config)) };
        let mut builder = Pool::builder(TokioExecutor::new());
        builder.pool_idle_timeout(Duration::from_secs(30)).pool_timer(TokioTimer::new());
        Ok(Self { pool: builder.build(dial), port, timeout: TIMEOUT })
    }

    /// Sends a request for a path, and waits for the answer as long as the caller does.
    pub(super) async fn send(&self, mut request: Request<Bytes>) -> io::Result<Response<Incoming>> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("https://127.0.0.1:{}{path}", self.port).parse().map_err(io::Error::other)?;
        self.pool.request(request.map(Full::new)).await.map_err(io::Error::other)
    }

    /// Sends a request; the whole answer.
    pub(super) async fn exchange(&self, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
        let answer = async {
            let (head, body) = self.send(request).await?.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        within(self.timeout, answer).await
    }

    /// Reads a path.
    pub(super) async fn get(&self, path: &str) -> io::Result<Response<Bytes>> {
        self.exchange(get(path)?).await
    }

    /// Begins to watch a path.
    pub(super) async fn watch(&self, path: &str) -> io::Result<Response<Incoming>> {
        within(self.timeout, self.send(get(path)?)).await
    }

    /// The same client with another timeout.
    #[cfg(test)]
    pub(super) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

fn get(path: &str) -> io::Result<Request<Bytes>> {
    let request = Request::get(path).header("user-agent", "kubelet/aks-acr-emulator").body(Bytes::new());
    request.map_err(io::Error::other)
}

/// The result of what ends within a time.
pub(super) async fn within<T>(timeout: Duration, act: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("it did not respond within {timeout:?}"));
    tokio::time::timeout(timeout, act).await.map_err(late)?
}

/// Opens connections.
#[derive(Clone)]
struct Dial {
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dial").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Service<Uri> for Dial {
    type Response = Wire;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Wire>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { port, name, tls } = self.clone();
        let wire = async move {
            let stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            Ok(Wire(TokioIo::new(tls.connect(name, stream).await?)))
        };
        Box::pin(within(TIMEOUT, wire))
    }
}

/// One connection. Only its type differs from what tokio has.
struct Wire(TokioIo<TlsStream<TcpStream>>);

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, endless, reply};
    use super::*;

    const SHORT: Duration = Duration::from_millis(300);

    fn is_late<T: std::fmt::Debug>(result: io::Result<T>) {
        let fault = result.unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::TimedOut, "{fault}");
        assert!(fault.to_string().contains("did not respond within"), "{fault}");
    }

    #[tokio::test]
    async fn a_server_that_accepts_and_says_nothing_is_given_up() {
        let fake = Fake::start(|_| None).await;
        let client = fake.clients.admin.clone().with_timeout(SHORT);
        is_late(client.get("/readyz").await);
        is_late(client.watch("/api/v1/pods?watch=1").await);
        let write = Request::post("/api/v1/nodes").body(Bytes::new()).unwrap();
        is_late(client.exchange(write).await);
        assert_eq!(fake.seen(), ["GET /readyz", "GET /api/v1/pods?watch=1", "POST /api/v1/nodes"]);
    }

    #[tokio::test]
    async fn a_server_that_does_not_speak_tls_is_given_up() {
        let identity = Fake::identity();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = Client::new(&identity, true, "fake", listener.local_addr().unwrap().port()).unwrap();
        is_late(client.with_timeout(SHORT).get("/readyz").await);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_end_is_given_up_unless_it_is_a_watch() {
        let fake =
            Fake::start(|request| Some(if request.uri() == "/a" { reply(200, "a") } else { endless("b") })).await;
        let client = fake.clients.admin.clone().with_timeout(SHORT);
        assert_eq!(client.get("/a").await.unwrap().body(), "a");
        is_late(client.get("/b").await);
        let mut watch = client.watch("/b").await.unwrap().into_body();
        assert_eq!(watch.frame().await.unwrap().unwrap().into_data().unwrap(), "b");
    }
}
