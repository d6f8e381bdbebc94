//! A proxy as companies have them: it wants a user and a password, notes who was asked for, and passes on to the emulator's.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    io::Result,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

pub struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What a connection is checked against, and where it leads.
#[derive(Clone)]
struct Rules {
    /// `user:password`, where one is wanted.
    user: Option<String>,
    /// `host:port` of the emulator's proxy.
    next: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that lets every client through.
    pub async fn open(next: &str) -> Self {
        Self::start(next, None, None).await
    }

    /// One that wants `user:password`.
    pub async fn closed(next: &str, user: &str) -> Self {
        Self::start(next, Some(user), None).await
    }

    /// One that is spoken to over TLS, with the certificate of the authority that signed it.
    pub async fn over_tls(next: &str) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let proxy = Self::start(next, None, Some(TlsAcceptor::from(Arc::new(tls)))).await;
        (proxy, made.cert.pem())
    }

    async fn start(next: &str, user: Option<&str>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::default();
        let next = next.trim_start_matches("http://").to_owned();
        let rules = Rules { user: user.map(str::to_owned), next, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rules, tls) = (rules.clone(), tls.clone());
                tokio::spawn(async move {
                    // A client that goes away has its reasons.
                    let _ = match tls {
                        None => pass(stream, rules).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => pass(stream, rules).await,
                            Err(err) => Err(err),
                        },
                    };
                });
            }
        });
        Self { address, asked }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Every host that was asked for, once for each connection.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub fn was_asked_for(&self, ending: &str) -> bool {
        self.asked().iter().any(|host| host.ends_with(ending))
    }
}

async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, rules: Rules) -> Result<()> {
    let head = head(&mut client).await?;
    let host = head.split(' ').nth(1).unwrap_or_default().trim_end_matches(":443").to_owned();
    rules.asked.lock().unwrap().push(host);
    let shown = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    let wanted = rules.user.as_ref().map(|user| format!("Basic {}", STANDARD.encode(user)));
    if wanted.is_some() && shown != wanted.as_deref() {
        return client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n")
            .await;
    }
    let mut next = TcpStream::connect(&rules.next).await?;
    let own = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("proxy-authorization"));
    next.write_all(own.collect::<Vec<_>>().join("\r\n").as_bytes()).await?;
    next.write_all(b"\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut next).await?;
    Ok(())
}

/// The request's lines, without the empty one at their end.
async fn head(client: &mut (impl AsyncRead + Unpin)) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    head.truncate(head.len() - 4);
    Ok(String::from_utf8_lossy(&head).into_owned())
}
