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

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A proxy to node number 1, which accepts connections to port 10250 only and then sends `hello`.
    async fn proxy() -> (Folder, PathBuf) {
        let folder = std::env::temp_dir().join(format!("aks-acr-egress-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        let (socket, node) = (folder.join("e"), folder.join("d"));
        let table = Table::default();
        table.insert(1, node.clone());
        let listener = UnixListener::bind(node).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                let answer = if line.ends_with(":10250\n") { "ok\nhello" } else { "error connection refused\n" };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let place = socket.clone();
        tokio::spawn(async move { serve(&place, &table).await });
        while !socket.exists() {
            tokio::task::yield_now().await;
        }
        (Folder(folder), socket)
    }

    async fn asked(socket: &Path, target: &str) -> String {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: Go-http-client/1.1\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn an_api_server_gets_to_the_nodes_of_its_cluster_and_nowhere_else() {
        let (_folder, socket) = proxy().await;
        for address in ["10.224.0.5:10250", "10.244.1.7:10250"] {
            assert_eq!(asked(&socket, address).await, "HTTP/1.1 200 OK\r\n\r\nhello");
        }
        let refused = asked(&socket, "10.224.0.5:80").await;
        assert!(refused.starts_with("HTTP/1.1 502 ") && refused.contains("error connection refused"), "{refused}");
        for address in ["10.224.0.4:10250", "127.0.0.1:10250", "192.0.2.1:443", "nonsense"] {
            let refused = asked(&socket, address).await;
            assert!(refused.contains(&format!("no node of this cluster has the address {address}")), "{refused}");
        }
    }
}
