//! One real node: its folder, its sockets, its processes.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::super::certificates::{Authority, write};
use super::super::client::Client;
use super::super::guard::Guard;
use super::super::programs::Programs;
use super::files;
use crate::kubernetes::{NodeIdentity, NodeSpec};
use crate::serve::{Addresses, NodeGate};

/// What a node knows. The API server has the address of the service `kubernetes`; hosts that do not respond have the one that texts of
/// emulated nodes have.
pub(super) const KNOWN: Addresses = Addresses {
    hosts: Ipv4Addr::new(10, 225, 0, 1),
    server: Ipv4Addr::new(10, 0, 0, 1),
    silent: Ipv4Addr::new(203, 0, 113, 40),
};

/// The addresses of a node, by its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) address: Ipv4Addr,
    /// The first three parts of its pods' addresses.
    pub(super) pods: [u8; 3],
}

impl Place {
    pub(super) fn of(number: usize) -> Self {
        let part = |number: usize| u8::try_from(number).unwrap_or_default();
        Self {
            address: Ipv4Addr::new(10, 224, part(number / 250 % 250), part(4 + number % 250)),
            pods: [10, 244, part(number % 256)],
        }
    }

    /// Whether it or one of its pods has this address.
    pub(super) fn has(self, address: Ipv4Addr) -> bool {
        address == self.address || address.octets()[..3] == self.pods
    }
}

/// What all nodes of a cluster have in common.
pub(in super::super) struct Common {
    pub(in super::super) programs: Arc<Programs>,
    pub(in super::super) fqdn: String,
    /// The port of the API server.
    pub(in super::super) port: u16,
    pub(in super::super) authority: Arc<Authority>,
    /// The administrator of the API server.
    pub(in super::super) admin: Client,
}

/// Who a node is in Azure.
pub(super) struct Azure {
    pub(super) tenant: String,
    pub(super) identity: Option<NodeIdentity>,
}

/// A node that runs. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) renewed: u64,
    pub(super) number: usize,
    guard: Option<Guard>,
    /// What serves its sockets.
    _serving: JoinSet<()>,
}

impl Machine {
    /// Starts a node. It becomes ready by itself.
    pub(super) async fn start(
        common: &Arc<Common>,
        gate: &Arc<NodeGate>,
        azure: Azure,
        spec: &NodeSpec,
        (number, renewed): (usize, u64),
    ) -> io::Result<Self> {
        let (known, trusted, spec) = (Arc::clone(common), gate.authority.clone(), spec.clone());
        let made = tokio::task::spawn_blocking(move || {
            let guard = Guard::new(&std::env::temp_dir())?;
            files::put(guard.folder(), &known, &spec, Place::of(number), &azure, &trusted)?;
            Ok::<_, io::Error>(guard)
        });
        let mut guard = made.await.map_err(io::Error::other)??;
        let serving = sockets(&guard.folder().join(files::SOCKETS), common, gate)?;
        let config = guard.folder().join(files::CONFIG).to_string_lossy().into_owned();
        let started = (common.programs.path("agent"), [String::from("start"), config]);
        let guard = tokio::task::spawn_blocking(move || {
            let (program, arguments) = started;
            guard.start("agent", &program, &arguments, &[])?;
            Ok::<_, io::Error>(guard)
        });
        let guard = guard.await.map_err(io::Error::other)??;
        Ok(Self { renewed, number, guard: Some(guard), _serving: serving })
    }

    /// The socket by which connections into the node are made.
    pub(super) fn dial(&self) -> PathBuf {
        self.guard.as_ref().map(|guard| guard.folder().join(files::SOCKETS).join("d")).unwrap_or_default()
    }

    /// Why it has ended, if it has.
    pub(super) fn ended(&self) -> Option<String> {
        let guard = self.guard.as_ref()?;
        guard.ended().map(|_| guard.log("agent").trim().to_owned())
    }

    /// Ends it, and waits for that.
    pub(super) async fn stop(mut self) {
        let guard = self.guard.take();
        let _ = tokio::task::spawn_blocking(move || drop(guard)).await;
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let guard = self.guard.take();
        if let (Some(_), Ok(runtime)) = (&guard, tokio::runtime::Handle::try_current()) {
            runtime.spawn_blocking(move || drop(guard));
        }
    }
}

/// Serves what a node reaches.
fn sockets(folder: &Path, common: &Arc<Common>, gate: &Arc<NodeGate>) -> io::Result<JoinSet<()>> {
    let mut serving = JoinSet::new();
    let mut open = |name: &str, serve: fn(Arc<Common>, Arc<NodeGate>, UnixStream) -> Served| {
        let listener = UnixListener::bind(folder.join(name)).map_err(|fault| too_long(folder, fault))?;
        serving.spawn(accept(listener, Arc::clone(common), Arc::clone(gate), serve));
        Ok::<_, io::Error>(())
    };
    open("r", |_, gate, stream| Box::pin(async move { gate.serve(stream).await }))?;
    open("i", |common, gate, stream| Box::pin(async move { gate.serve_identity(stream, &common.fqdn).await }))?;
    open("n", |common, gate, stream| Box::pin(async move { gate.serve_names(stream, &common.fqdn, KNOWN).await }))?;
    open("k", |common, _, stream| Box::pin(async move { to_server(stream, common.port).await }))?;
    Ok(serving)
}

type Served = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn accept(
    listener: UnixListener,
    common: Arc<Common>,
    gate: Arc<NodeGate>,
    serve: fn(Arc<Common>, Arc<NodeGate>, UnixStream) -> Served,
) {
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => drop(tasks.spawn(serve(Arc::clone(&common), Arc::clone(&gate), stream))),
            // Out of file handles, most likely: it gets better when connections end.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

async fn to_server(mut stream: UnixStream, port: u16) {
    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
        let _ = server.set_nodelay(true);
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
    }
}

/// The path of a socket has at most 107 bytes.
fn too_long(folder: &Path, fault: io::Error) -> io::Error {
    if fault.kind() == io::ErrorKind::InvalidInput {
        let text = format!(
            "the path {} is too long for sockets: set TMPDIR to a folder with a shorter path",
            folder.display()
        );
        return io::Error::new(fault.kind(), text);
    }
    fault
}

/// Writes a file of a node, with the folders that it is in.
pub(super) fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_addresses_of_their_own() {
        let (first, second) = (Place::of(0), Place::of(1));
        assert_eq!(first.address, Ipv4Addr::new(10, 224, 0, 4));
        assert!(first.has(Ipv4Addr::new(10, 244, 0, 9)) && !second.has(Ipv4Addr::new(10, 244, 0, 9)));
        assert!(second.has(Ipv4Addr::new(10, 224, 0, 5)) && !second.has(first.address));
        assert_eq!(Place::of(251).address, Ipv4Addr::new(10, 224, 1, 5));
    }
}
