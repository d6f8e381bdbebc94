//! A TLS server that sends what a script says, to clients in the same process or in another.

use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
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

/// What the server sends: a head, the beginning of a body, and a part that it repeats until the client goes away or so many bytes are sent.
#[derive(Clone)]
pub struct Script {
    pub head: String,
    pub begin: Vec<u8>,
    pub part: Vec<u8>,
    pub most: usize,
}

impl Script {
    /// A whole response.
    pub fn whole(status: &str, headers: &str, body: impl Into<Vec<u8>>) -> Self {
        let begin = body.into();
        let length = begin.len();
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n");
        Self { head, begin, part: Vec::new(), most: 0 }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::whole("200 OK", "", body)
    }

    /// A body that begins so and continues with one part for a gigabyte, or until the client has enough.
    pub fn endless(begin: impl Into<Vec<u8>>, part: impl Into<Vec<u8>>) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n".to_owned();
        let part = part.into();
        // Of a size that is written at once.
        let times = (1_usize << 16).div_ceil(part.len());
        Self { head, begin: begin.into(), part: part.repeat(times), most: 1 << 30 }
    }

    /// Spaces for two gigabytes, compressed a thousand times.
    pub fn gzip_bomb() -> Self {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n";
        let begin = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        Self { head: head.to_owned(), begin, part: mebibyte(), most: 1 << 21 }
    }

    /// A header of ten megabytes.
    pub fn long_header() -> Self {
        let head = "HTTP/1.1 200 OK\r\nx-long: ".to_owned();
        Self { head, begin: Vec::new(), part: vec![b'x'; 1 << 16], most: 10 << 20 }
    }
}

/// A mebibyte of spaces, as deflate has it with a full flush at its end: so many of them in a row are a valid stream.
fn mebibyte() -> Vec<u8> {
    let mut part =
        vec![0xec, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0x2a, 0xeb, 0x9f, 0xd2, 0x10, 0xbe, 0x40, 0x01];
    part.extend([0; 1015]);
    part.extend([0x7c, 0x06, 0x00, 0x00, 0xff, 0xff]);
    part
}

/// A certificate that is its own authority, and how to speak TLS with it.
pub fn identity(host: &str) -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(tls)), made.cert.pem())
}

/// Answers each request by its head and the server's certificate, under the name `localhost`. Gives the port and the certificate.
pub async fn serve(answer: impl Fn(&str, &str) -> Script + Send + Sync + 'static) -> (u16, String) {
    let (tls, authority) = identity("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let pem = authority.clone();
    let answer: Arc<Answer> = Arc::new(move |head| answer(head, &pem));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, tls) = (answer.clone(), tls.clone());
            // A client that has enough goes away.
            tokio::spawn(async move { converse(stream, &tls, answer.as_ref()).await.unwrap_or_default() });
        }
    });
    (port, authority)
}

type Answer = dyn Fn(&str) -> Script + Send + Sync;

async fn converse(stream: TcpStream, tls: &TlsAcceptor, answer: &Answer) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = tls.accept(stream).await?;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head.to_ascii_lowercase().split("content-length: ").nth(1).and_then(|rest| {
            let digits = rest.split("\r\n").next()?;
            digits.parse::<usize>().ok()
        });
        stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await?;
        let script = answer(&head);
        let mut first = script.head.into_bytes();
        if !head.starts_with("HEAD") {
            first.extend(script.begin);
        }
        stream.write_all(&first).await?;
        if script.most == 0 {
            stream.flush().await?;
            continue;
        }
        let mut sent = 0;
        while sent < script.most {
            stream.write_all(&script.part).await?;
            sent += script.part.len();
        }
        return stream.shutdown().await;
    }
}

/// The most memory that this process has had, in KiB.
pub fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
