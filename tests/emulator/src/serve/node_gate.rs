//! What real nodes reach, as in Azure: registries and all other hosts, their identity endpoint, and the name server.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::front::main_name;
use super::listener::{PATIENCE, Wire};
use crate::entra::machine::{self, OfNode};
use crate::log::From;

/// The way in for real nodes.
pub(crate) struct NodeGate {
    wire: Wire,
    /// The certificate that nodes trust, as PEM.
    pub(crate) authority: String,
}

/// The addresses that a node knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    /// Of every emulated host.
    pub(crate) hosts: Ipv4Addr,
    /// Of the API server.
    pub(crate) server: Ipv4Addr,
    /// Of hosts that do not respond.
    pub(crate) silent: Ipv4Addr,
}

impl fmt::Debug for NodeGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeGate")
    }
}

impl NodeGate {
    pub(super) fn new(wire: &Wire, authority: &str) -> Arc<Self> {
        // The server does not wait for nodes when it stops: it stops them.
        let (alive, _) = mpsc::channel(1);
        Arc::new(Self { wire: Wire { alive, from: From::Node, ..wire.clone() }, authority: authority.to_owned() })
    }

    /// Serves TLS for any emulated host.
    pub(crate) async fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.wire.clone().serve(stream).await;
    }

    /// Serves the identity endpoint of a node of this cluster.
    pub(crate) async fn serve_identity<S>(&self, stream: S, fqdn: &str)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(OfNode(fqdn.to_owned()));
            request.extensions_mut().insert(From::Node);
            Arc::clone(&self.wire.front).to(request, machine::HOST)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 * 1024);
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }

    /// Answers questions about names, each with its length before it.
    pub(crate) async fn serve_names<S>(&self, mut stream: S, fqdn: &str, at: Addresses)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        while let Ok(length) = stream.read_u16().await {
            let mut question = vec![0; usize::from(length)];
            if stream.read_exact(&mut question).await.is_err() {
                return;
            }
            let address = |name: &str| {
                let front = &self.wire.front;
                if name == fqdn {
                    Some(at.server)
                } else if front.is_silent(name) {
                    Some(at.silent)
                } else {
                    (front.knows(name) && front.is_known_to_nodes(main_name(name))).then_some(at.hosts)
                }
            };
            let Some(answer) = answer(&question, address) else { return };
            let length = u16::try_from(answer.len()).unwrap_or_default();
            if stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await.is_err() {
                return;
            }
        }
    }
}

/// Responds to a [DNS](https://www.rfc-editor.org/rfc/rfc1035#section-4) query for one name. `None` if the packet is not such a query.
fn answer(question: &[u8], address: impl Fn(&str) -> Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let (mut name, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = question.get(at..at + length).filter(|_| length < 64)?;
        name.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 2)?;
    let asked = question.get(12..at + 4)?;
    let known = address(&name.join("."));
    // Only addresses of version 4 exist.
    let shown = known.filter(|_| kind == [0, 1]);
    // A response, recursion available; 3: the name does not exist.
    let flags = if known.is_some() { [0x81, 0x80] } else { [0x81, 0x83] };
    let mut answer = [&question[..2], &flags, &[0, 1, 0, u8::from(shown.is_some()), 0, 0, 0, 0], asked].concat();
    if let Some(address) = shown {
        // The name is the one of the question; it is good for 4 seconds.
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 4, 0, 4]);
        answer.extend_from_slice(&address.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A question for the address of `my.azurecr.io`, as a resolver of Go sends it.
    fn question(kind: u8) -> Vec<u8> {
        [&[7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2][..], b"My\x07azurecr\x02io", &[0, 0, kind, 0, 1, 0, 0, 41, 4, 208]]
            .concat()
    }

    #[test]
    fn a_name_has_an_address_or_does_not_exist() {
        let known = |name: &str| (name == "my.azurecr.io").then_some(Ipv4Addr::new(10, 1, 2, 3));
        let found = answer(&question(1), known).unwrap();
        assert_eq!(found[..8], [7, 9, 0x81, 0x80, 0, 1, 0, 1]);
        assert_eq!(found[found.len() - 6..], [0, 4, 10, 1, 2, 3]);
        // It exists, and has no address of version 6.
        assert_eq!(answer(&question(28), known).unwrap()[2..8], [0x81, 0x80, 0, 1, 0, 0]);
        assert_eq!(answer(&question(1), |_| None).unwrap()[2..8], [0x81, 0x83, 0, 1, 0, 0]);
    }

    #[test]
    fn what_is_no_question_has_no_answer() {
        let whole = question(1);
        for length in 0..29 {
            assert!(answer(&whole[..length], |_| None).is_none(), "{length}");
        }
        assert!(answer(&[0xc0; 40], |_| None).is_none());
    }
}
