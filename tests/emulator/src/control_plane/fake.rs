//! An API server for tests, on loopback.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificates::{self, Identity};
use super::client::Client;
use super::running::Clients;

/// The name in its certificate.
pub(super) const HOST: &str = "fake";

/// What a server answers; `None` is silence.
type Answer = Box<dyn Fn(&Request<Bytes>) -> Option<Response<Body>> + Send + Sync>;

/// The clients of a server, and the requests that it got, such as `GET /readyz`.
pub(crate) struct Fake {
    pub(super) clients: Arc<Clients>,
    pub(super) requests: Arc<Mutex<Vec<(String, Bytes)>>>,
}

impl Fake {
    /// The server that answers like this, as long as the runtime of the test lives.
    pub(crate) async fn start(
        answer: impl Fn(&Request<Bytes>) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (identity, certificate, key) = issue();
        let certificate = CertificateDer::from_pem_slice(&certificate).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let client = |is_admin| Client::new(&identity, is_admin, HOST, port).unwrap();
        let clients = Arc::new(Clients { admin: client(true), plain: client(false) });
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen): (Arc<Answer>, _) = (Arc::new(Box::new(answer)), Arc::clone(&requests));
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), answer, seen));
        Self { clients, requests }
    }

    /// What a client needs of a server that does not exist.
    pub(super) fn identity() -> Identity {
        issue().0
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }
}

/// What clients need, and the certificate and key of the server.
fn issue() -> (Identity, Vec<u8>, Vec<u8>) {
    let folder = std::env::temp_dir().join(format!("aks-acr-fake-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    // The port is in files that nobody reads here.
    let identity = certificates::issue(&folder, &[HOST], 0).unwrap();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let files = (identity, read("server.crt"), read("server.key"));
    std::fs::remove_dir_all(&folder).unwrap();
    files
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, answer: Arc<Answer>, seen: Arc<Mutex<Vec<(String, Bytes)>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, answer, seen) = (tls.clone(), Arc::clone(&answer), Arc::clone(&seen));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await?.to_bytes();
                    seen.lock().unwrap().push((format!("{} {}", head.method, head.uri), body.clone()));
                    match answer(&Request::from_parts(head, body)) {
                        Some(answer) => Ok::<_, hyper::Error>(answer),
                        None => std::future::pending().await,
                    }
                }
            });
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An answer with a status and a text.
pub(crate) fn reply(status: u16, text: &'static str) -> Response<Body> {
    Response::builder().status(status).body(Body::from(text)).unwrap()
}

/// An answer that begins with a text and goes on.
pub(crate) fn endless(text: &'static str) -> Response<Body> {
    use futures::StreamExt as _;
    let begin = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes()))]);
    Response::new(Body::from_stream(begin.chain(futures::stream::pending())))
}
