//! A cluster over TLS that changes behind a client's back, or answers without end.

use crate::script::identity;
use aks_acr::{ApplyOptions, CallOptions, Client, Cloud, ClusterRef, ErrorKind, Manifest, PodSelection, Pods};
use aks_acr_emulator::{Emulator, Fault};
use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const FETCH: &str = "/listClusterUserCredential";
const NO_PODS: &str = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;

/// A stand-in for an API server.
struct Server {
    port: u16,
    tls: Arc<Mutex<TlsAcceptor>>,
    authority: String,
    sent: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers lists with no pods; watches, or everything, without end.
    async fn start(endless: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (acceptor, authority) = identity("127.0.0.1");
        let (tls, sent) = (Arc::new(Mutex::new(acceptor)), Arc::new(AtomicUsize::new(0)));
        let (current, count, port) = (tls.clone(), sent.clone(), listener.local_addr().unwrap().port());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, count) = (current.lock().unwrap().clone(), count.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut asked = Vec::new();
                    while !asked.ends_with(b"\r\n\r\n") {
                        let Ok(byte @ 1..) = stream.read_u8().await else { return };
                        asked.push(byte);
                    }
                    let asked = String::from_utf8_lossy(&asked).into_owned();
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
                    if endless.is_empty() || !asked.contains(endless) {
                        let text = format!("{head}content-length: {}\r\n\r\n{NO_PODS}", NO_PODS.len());
                        let _ = stream.write_all(text.as_bytes()).await;
                        let _ = stream.shutdown().await;
                        return;
                    }
                    let _ = stream.write_all(format!("{head}\r\n{{\"kind\":\"").as_bytes()).await;
                    let chunk = vec![b'x'; 64 * 1024];
                    while stream.write_all(&chunk).await.is_ok() {
                        count.fetch_add(chunk.len(), Ordering::SeqCst);
                    }
                });
            }
        });
        Self { port, tls, authority, sent, task }
    }

    fn kubeconfig(&self) -> String {
        use base64::Engine as _;
        let authority = base64::engine::general_purpose::STANDARD.encode(&self.authority);
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts: [{{name: dev, context: {{cluster: dev, user: me}}}}]\n\
             clusters: [{{name: dev, cluster: {{server: 'https://127.0.0.1:{}', certificate-authority-data: {authority}}}}}]\n\
             users: [{{name: me, user: {{token: abc}}}}]\n",
            self.port
        )
    }

    /// As `az aks rotate-certs` does it.
    fn rotate(&mut self) {
        let (acceptor, authority) = identity("127.0.0.1");
        *self.tls.lock().unwrap() = acceptor;
        self.authority = authority;
    }
}

fn azure(kubeconfig: &str) -> (Emulator, Client) {
    let azure = Emulator::new().with_cluster("group", "dev");
    azure.fault(Fault::on("POST", FETCH).kubeconfig(kubeconfig));
    let cloud = Cloud::custom("https://management.azure.com", ".azurecr.io").unwrap();
    let builder = Client::builder(azure.credential(), azure.subscription()).environment(|_| None);
    let client = builder.transport(azure.transport()).cloud(cloud).build().unwrap();
    (azure, client)
}

async fn pods(client: &Client) -> aks_acr::Result<Pods> {
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let call = CallOptions::default().with_deadline(Duration::from_secs(60));
    client.pods(&cluster, &PodSelection::default(), call).await
}

fn fetched(azure: &Emulator) -> usize {
    azure.requests().iter().filter(|one| one.path.ends_with(FETCH)).count()
}

#[tokio::test]
async fn certificates_that_were_rotated_are_learnt_within_the_call() {
    let mut server = Server::start("").await;
    let (azure, client) = azure(&server.kubeconfig());
    pods(&client).await.unwrap();
    server.rotate();
    azure.fault(Fault::on("POST", FETCH).kubeconfig(&server.kubeconfig()));
    pods(&client).await.unwrap();
    pods(&client).await.unwrap();
    assert_eq!(fetched(&azure), 2);
}

#[tokio::test]
async fn an_address_where_nobody_answers_any_more_is_replaced_within_the_call() {
    let server = Server::start("").await;
    let (azure, client) = azure(&server.kubeconfig());
    pods(&client).await.unwrap();
    server.task.abort();
    let moved = Server::start("").await;
    azure.fault(Fault::on("POST", FETCH).kubeconfig(&moved.kubeconfig()));
    // The port is free once the task has ended.
    let _ = server.task.await;
    pods(&client).await.unwrap();
    assert_eq!(fetched(&azure), 2);
}

/// A certificate that is in no kubeconfig from Azure: another server stands between.
#[tokio::test]
async fn a_certificate_that_stays_untrusted_is_an_error_after_one_renewal() {
    let mut server = Server::start("").await;
    let (azure, client) = azure(&server.kubeconfig());
    pods(&client).await.unwrap();
    azure.fault(Fault::on("POST", FETCH).kubeconfig(&server.kubeconfig()).times(10));
    server.rotate();
    let err = pods(&client).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unavailable && !err.is_transient(), "{err:#}");
    assert_eq!(fetched(&azure), 2);
}

#[tokio::test]
async fn an_answer_without_end_is_read_up_to_its_limit() {
    let server = Server::start("/api/v1").await;
    let (_, client) = azure(&server.kubeconfig());
    let err = pods(&client).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unexpected && err.to_string().contains("8 MiB"), "{err:#}");
    assert!(server.sent.load(Ordering::SeqCst) < 20 << 20, "{}", server.sent.load(Ordering::SeqCst));
    // What kinds there are is asked in another way.
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let object = Manifest::parse_all("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}").unwrap();
    let err = client.apply(&cluster, object, ApplyOptions::default()).await.unwrap_err();
    assert!(
        err.kind() == ErrorKind::Unexpected && err.to_string().contains("1 MiB, the limit for the kinds"),
        "{err:#}"
    );
}

#[tokio::test]
async fn an_event_without_end_ends_the_watch() {
    let server = Server::start("watch=true").await;
    let (_, client) = azure(&server.kubeconfig());
    let (cluster, call) =
        (ClusterRef::new("group", "dev").unwrap(), CallOptions::default().start(Duration::from_secs(60)));
    let mut listener = |_| ControlFlow::Continue(());
    let watched = client.cluster_deployer().watch(&cluster, &PodSelection::default(), &mut listener, &call).await;
    let err = watched.unwrap_err();
    assert!(err.kind() == ErrorKind::Unexpected && err.to_string().contains("4 MiB"), "{err:#}");
    assert!(server.sent.load(Ordering::SeqCst) < 20 << 20, "{}", server.sent.load(Ordering::SeqCst));
}
