//! Bodies and headers without end, over a real connection: what is compressed counts as what it becomes.

use aks_acr::{CallOptions, Client, Cloud, ErrorKind};
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// What the server sends to everybody: a head, and a part that it repeats until the client goes away or so many bytes are sent.
#[derive(Clone)]
struct Script {
    head: String,
    begin: Vec<u8>,
    part: Vec<u8>,
    most: usize,
}

/// A mebibyte of spaces, as deflate has it with a full flush at its end: so many of them in a row are a valid stream.
fn mebibyte() -> Vec<u8> {
    let mut part =
        vec![0xec, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0x2a, 0xeb, 0x9f, 0xd2, 0x10, 0xbe, 0x40, 0x01];
    part.extend([0; 1015]);
    part.extend([0x7c, 0x06, 0x00, 0x00, 0xff, 0xff]);
    part
}

async fn serve(script: Script) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, tls) = (script.clone(), tls.clone());
            tokio::spawn(async move {
                let mut stream = tls.accept(stream).await?;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                stream.write_all(script.head.as_bytes()).await?;
                stream.write_all(&script.begin).await?;
                let mut sent = 0;
                while sent < script.most {
                    stream.write_all(&script.part).await?;
                    sent += script.part.len();
                }
                stream.shutdown().await
            });
        }
    });
    (port, made.cert.pem())
}

#[derive(Debug)]
struct Anybody;

#[async_trait]
impl TokenCredential for Anybody {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let end = std::time::SystemTime::now() + Duration::from_secs(3600);
        Ok(AccessToken::new("token", end.into()))
    }
}

const SUBSCRIPTION: &str = "22222222-2222-2222-2222-222222222222";

async fn ask(script: Script, by_id: bool) -> aks_acr::Error {
    let (port, authority) = serve(script).await;
    let cloud = Cloud::custom(&format!("https://localhost:{port}"), ".azurecr.io").unwrap();
    let builder = Client::builder(Arc::new(Anybody), SUBSCRIPTION).environment(|_| None);
    let client = builder.cloud(cloud).trust(authority).build().unwrap();
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry"
    );
    let registry = if by_id { id.parse() } else { "myregistry".parse() }.unwrap();
    let call = CallOptions::default().with_deadline(Duration::from_secs(60));
    client.registry(&registry, call).await.unwrap_err()
}

/// The most memory that the process has had, in KiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn head(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}connection: close\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused_by_its_limit_compressed_or_not() {
    let gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let plain = Script { head: head(""), begin: Vec::new(), part: vec![b' '; 1 << 16], most: 1 << 30 };
    let bomb = Script { head: head("content-encoding: gzip\r\n"), begin: gzip, part: mebibyte(), most: 1 << 21 };
    for script in [plain, bomb] {
        for (by_id, limit) in [(true, "4 MiB, the limit for a resource"), (false, "8 MiB, the limit for a page")] {
            let before = peak();
            let err = ask(script.clone(), by_id).await;
            let grown = (peak() - before) / 1024;
            assert_eq!(err.kind(), ErrorKind::Unexpected, "{err:#}");
            assert!(err.to_string().contains(limit) && !err.is_transient(), "{err:#}");
            assert!(grown < 64, "{grown} MiB more in memory");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_without_end_is_refused() {
    let head = "HTTP/1.1 200 OK\r\nx-long: ".to_owned();
    let before = peak();
    let err = ask(Script { head, begin: Vec::new(), part: vec![b'x'; 1 << 16], most: 10 << 20 }, true).await;
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
    let grown = (peak() - before) / 1024;
    assert!(grown < 64, "{grown} MiB more in memory");
}
