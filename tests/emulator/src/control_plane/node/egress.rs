//! The way of an API server to kubelets and pods, which have addresses in namespaces of their own.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::machine::Place;

/// The sockets of the nodes that run, by their numbers.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Table(Arc<Mutex<BTreeMap<usize, PathBuf>>>);

impl Table {
    pub(super) fn insert(&self, number: usize, socket: PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, socket);
    }

    pub(super) fn remove(&self, number: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// The socket of the node that has an address, or whose pods have it.
    fn find(&self, address: Ipv4Addr) -> Option<PathBuf> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(number, _)| Place::of(**number).has(address)).map(|(_, socket)| socket.clone())
    }
}

/// Serves a proxy for the API server at a socket, as long as this is polled.
pub(in super::super) async fn serve(socket: &Path, table: &Table) -> io::Result<()> {
    let listener = UnixListener::bind(socket)?;
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while tasks.try_join_next().is_some() {}
        let table = table.clone();
        tasks.spawn(async move {
            let _ = pass(stream, &table).await;
        });
    }
}

async fn pass(stream: UnixStream, table: &Table) -> io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut first = String::new();
    (&mut client).take(1024).read_line(&mut first).await?;
    let mut line = String::new();
    while !["\r\n", "\n", ""].contains(&line.as_str()) || line.is_empty() {
        line.clear();
        if (&mut client).take(1024).read_line(&mut line).await? == 0 {
            return Ok(());
        }
    }
    // Recorded from kube-apiserver 1.33: `CONNECT 10.224.0.4:10250 HTTP/1.1`.
    let target = first.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let known = target.parse::<SocketAddrV4>().ok().and_then(|address| table.find(*address.ip()));
    match reach(known, target).await {
        Ok(mut node) => {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            tokio::io::copy_bidirectional(&mut client, &mut node).await.map(|_| ())
        }
        Err(why) => {
            let body = format!("{why}\n");
            let head = format!("HTTP/1.1 502 Bad Gateway\r\nContent-Length: {}\r\n\r\n", body.len());
            client.write_all(format!("{head}{body}").as_bytes()).await
        }
    }
}

/// A connection to an address of a node.
async fn reach(node: Option<PathBuf>, target: &str) -> Result<BufReader<UnixStream>, String> {
    let socket = node.ok_or_else(|| format!("no node of this cluster has the address {target}"))?;
    let reached = async {
        let mut node = BufReader::new(UnixStream::connect(socket).await?);
        node.write_all(format!("{target}\n").as_bytes()).await?;
        let mut line = String::new();
        (&mut node).take(1024).read_line(&mut line).await?;
        Ok::<_, io::Error>((node, line))
    };
    match reached.await {
        Ok((node, line)) if line == "ok\n" => Ok(node),
        Ok((_, line)) => Err(format!("cannot connect to {target}: {}", line.trim())),
        Err(fault) => Err(format!("cannot connect to {target}: {fault}")),
    }
}
