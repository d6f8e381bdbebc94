//! What accepts a connection and says nothing, and who holds a lock and keeps it: in real time, a call ends at most a quarter of a second
//! after its deadline, and after it was cancelled.

use crate::server;
use aks_acr::{
    AttachOptions, CallOptions, CancellationToken, Client, ClientBuilder, ClusterRef, Error, ErrorKind,
    MergeKubeconfigOptions, PodSelection,
};
use aks_acr_emulator::Emulator;
use aks_acr_tests::folder::Folder;
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const ALLOWED: Duration = Duration::from_millis(600);
const LATE: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silent {
    /// From the beginning of a connection.
    Connect,
    /// After it has let the client through: TLS is not spoken.
    Tls,
}

/// A proxy that accepts everyone.
async fn silent(from: Silent) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            if from == Silent::Tls {
                let mut asked = [0; 4096];
                let _ = connection.read(&mut asked).await;
                let _ = connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
            }
            held.push(connection);
        }
    });
    address
}

/// Runs a call with a deadline, and once more to cancel it.
async fn check<T>(what: &str, run: impl AsyncFn(CallOptions) -> Result<T, Error>) {
    let begun = Instant::now();
    let Err(err) = run(CallOptions::default().with_deadline(ALLOWED)).await else {
        panic!("{what}: nothing to wait for")
    };
    let took = begun.elapsed();
    assert_eq!(err.kind(), ErrorKind::DeadlineExceeded, "{what}: {err:#}");
    assert!(took >= ALLOWED && took <= ALLOWED + LATE, "{what}: {took:?}");
    let (begun, cancel) = (Instant::now(), CancellationToken::new());
    let call = CallOptions::default().with_cancel(cancel.clone()).with_deadline(Duration::from_secs(60));
    let (ended, ()) = tokio::join!(run(call), async {
        tokio::time::sleep(ALLOWED).await;
        cancel.cancel();
    });
    let Err(err) = ended else { panic!("{what}: nothing to wait for") };
    assert_eq!(err.kind(), ErrorKind::Cancelled, "{what}: {err:#}");
    assert!(begun.elapsed() <= ALLOWED + LATE, "{what}: {:?}", begun.elapsed());
}

fn through(azure: &Emulator, proxy: &str) -> ClientBuilder {
    Client::builder(azure.credential(), azure.subscription()).environment(|_| None).proxy(format!("http://{proxy}"))
}

fn cluster() -> ClusterRef {
    ClusterRef::new("group", "dev").unwrap()
}

#[tokio::test]
async fn azure_that_is_silent() {
    let server = server().await;
    for from in [Silent::Connect, Silent::Tls] {
        let client = through(server.emulator(), &silent(from).await).build().unwrap();
        check(&format!("{from:?}"), async |call| {
            let options = AttachOptions::default().with_call(call);
            client.attach(&cluster(), &"myregistry".parse().unwrap(), options).await
        })
        .await;
    }
}

#[tokio::test]
async fn a_cluster_that_is_silent() {
    let server = server().await;
    for from in [Silent::Connect, Silent::Tls] {
        let builder = through(server.emulator(), &silent(from).await);
        let client = builder.transport(server.emulator().transport()).build().unwrap();
        check(&format!("{from:?}"), async |call| client.pods(&cluster(), &PodSelection::default(), call).await).await;
    }
}

/// The second call waits for the connection that the first one makes.
#[tokio::test]
async fn two_calls_for_one_connection_that_is_silent() {
    let server = server().await;
    let builder = through(server.emulator(), &silent(Silent::Tls).await);
    let client = builder.transport(server.emulator().transport()).build().unwrap();
    let other = client.clone();
    let first = tokio::spawn(async move {
        let call = CallOptions::default().with_deadline(Duration::from_secs(60));
        drop(other.pods(&cluster(), &PodSelection::default(), call).await);
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    check("the second", async |call| client.pods(&cluster(), &PodSelection::default(), call).await).await;
    first.abort();
}

#[tokio::test]
async fn a_lock_that_somebody_keeps() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let builder = Client::builder(azure.credential(), azure.subscription()).environment(|_| None);
    let client = builder.transport(azure.transport()).build().unwrap();
    let folder = Folder::new();
    fs::write(folder.join("config.lock"), "").unwrap();
    let options = MergeKubeconfigOptions::default().with_file(folder.join("config"));
    let begun = Instant::now();
    let call = CallOptions::default().with_deadline(ALLOWED);
    let err = client.merge_kubeconfig(&cluster(), options.clone().with_call(call)).await.unwrap_err();
    // The error names the holder of the lock, not the expired time.
    assert!(matches!(err.kind(), ErrorKind::Conflict | ErrorKind::DeadlineExceeded), "{err:#}");
    assert!(begun.elapsed() <= ALLOWED + LATE, "{:?}", begun.elapsed());
    let (begun, cancel) = (Instant::now(), CancellationToken::new());
    let call = CallOptions::default().with_cancel(cancel.clone());
    let cluster = cluster();
    let (ended, ()) = tokio::join!(client.merge_kubeconfig(&cluster, options.with_call(call)), async {
        tokio::time::sleep(ALLOWED).await;
        cancel.cancel();
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(begun.elapsed() <= ALLOWED + LATE, "{:?}", begun.elapsed());
}
