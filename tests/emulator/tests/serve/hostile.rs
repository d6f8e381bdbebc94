//! Clients that mean no good, or no HTTP: each gets an error, and the next one is served as if nothing had been.

use std::sync::Arc;
use std::time::Duration;

use aks_acr_emulator::Emulator;
use aks_acr_emulator::serve::{Server, ServerOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::door::{direct, server, token};

/// The address of an origin or a proxy.
fn address(url: &str) -> String {
    url.rsplit_once('/').unwrap().1.replace("localhost", "127.0.0.1")
}

fn connector(server: &Server) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

async fn tls(server: &Server, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address(server.origin())).await?;
    connector(server).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// Sends bytes over TLS, and reads until the server closes.
async fn exchange(server: &Server, sent: &[u8]) -> String {
    let mut stream = tls(server, "localhost").await.unwrap();
    let _ = stream.write_all(sent).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn exchange_with_proxy(server: &Server, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address(server.proxy())).await.unwrap();
    let _ = stream.write_all(sent).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether an ordinary client is still served.
async fn serves(server: &Server) {
    let client = direct(server);
    let token = token(&client, server.emulator(), server.origin(), "https://management.azure.com/.default").await;
    let url = format!("{}/subscriptions?api-version=2022-12-01", server.origin());
    assert_eq!(client.get(url).bearer_auth(token).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn it_listens_on_loopback_or_not_at_all() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let address = address.parse().unwrap();
        let listen = ServerOptions::default().with_listen(address);
        assert!(Server::start(Emulator::new(), listen).await.is_err(), "{address}");
        let proxy = ServerOptions::default().with_proxy(address);
        assert!(Server::start(Emulator::new(), proxy).await.is_err(), "{address}");
    }
}

#[tokio::test]
async fn broken_http_gets_an_error() {
    let server = server(Emulator::new()).await;
    for sent in [
        "GARBAGE\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a@localhost\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let answer = exchange(&server, sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "{sent:?}: {answer}");
    }
    serves(&server).await;
}

#[tokio::test]
async fn headers_without_end_are_cut_short() {
    let server = server(Emulator::new()).await;
    let mut sent = b"GET / HTTP/1.1\r\nhost: localhost\r\n".to_vec();
    for number in 0..20_000 {
        sent.extend(format!("x-{number}: {number}\r\n").into_bytes());
    }
    let answer = exchange(&server, &sent).await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
    serves(&server).await;
}

#[tokio::test]
async fn plain_http_and_noise_in_place_of_tls_are_left() {
    let server = server(Emulator::new()).await;
    for sent in [&b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..], &[0; 4096], &[0x16, 3, 1, 0xff, 0xff, 1]] {
        let mut stream = TcpStream::connect(address(server.origin())).await.unwrap();
        let _ = stream.write_all(sent).await;
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!answer.starts_with(b"HTTP"));
    }
    serves(&server).await;
}

#[tokio::test]
async fn a_name_that_is_not_emulated_gets_no_certificate() {
    let server = server(Emulator::new()).await;
    assert!(tls(&server, "management.azure.com").await.is_ok());
    assert!(tls(&server, "example.com").await.is_err());
    assert!(tls(&server, "nobody.azurecr.io").await.is_err());
    serves(&server).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let server = server(Emulator::new()).await;
    let answer = direct(&server).post(server.origin()).body(vec![b' '; 5 * 1024 * 1024]).send().await;
    // The refusal may come while the body is still being sent; then some clients see the connection end.
    assert!(answer.is_err() || answer.unwrap().status() == 413);
    let sent = b"POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 999999999999\r\n\r\n";
    let answer = exchange(&server, sent).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    serves(&server).await;
}

#[tokio::test]
async fn deep_json_is_an_error_and_no_end() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let server = server(azure).await;
    let (client, azure) = (direct(&server), server.emulator());
    let token = token(&client, azure, server.origin(), "https://management.azure.com/.default").await;
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let url = format!("{}{}?api-version=2025-11-01", server.origin(), azure.registry_id("group", "myregistry"));
    let answer = client.put(url).bearer_auth(token).body(deep.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let url = format!("{}/_emulator/fault", server.origin());
    let answer = client.post(url).bearer_auth(server.control_token()).body(deep).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    serves(&server).await;
}

#[tokio::test]
async fn path_tricks_lead_to_no_file_and_no_other_service() {
    let server = server(Emulator::new()).await;
    for path in
        ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//\\..\\x", "/subscriptions/%00", "/_emulator/../state"]
    {
        let sent = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = exchange(&server, sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
    serves(&server).await;
}

#[tokio::test]
async fn the_proxy_refuses_what_is_no_tunnel() {
    let server = server(Emulator::new()).await;
    for (sent, status) in [
        ("GET http://management.azure.com/ HTTP/1.1\r\nhost: management.azure.com\r\nconnection: close\r\n\r\n", "405"),
        ("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "405"),
        ("CONNECT example.com:443 HTTP/1.1\r\nconnection: close\r\n\r\n", "502"),
        ("CONNECT 169.254.169.254:80 HTTP/1.1\r\nconnection: close\r\n\r\n", "502"),
        ("CONNECT management.azure.com:22 HTTP/1.1\r\nconnection: close\r\n\r\n", "502"),
        ("CONNECT / HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
    ] {
        let answer = exchange_with_proxy(&server, sent.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{sent:?}: {answer}");
    }
    serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn who_opens_a_connection_and_says_nothing_is_left() {
    let server = server(Emulator::new()).await;
    let mut stream = TcpStream::connect(address(server.origin())).await.unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_not_waited_for() {
    let server = server(Emulator::new()).await;
    let mut stream = tls(&server, "localhost").await.unwrap();
    // A whole request first, so that both sides are known to be there when time stops to be real.
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap();
        assert_ne!(length, 0);
        answer.extend_from_slice(&part[..length]);
    }
    tokio::time::pause();
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn many_who_say_nothing_keep_nobody_out() {
    let server = server(Emulator::new()).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(address(server.origin())).await.unwrap());
    }
    serves(&server).await;
}
