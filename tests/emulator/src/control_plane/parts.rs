//! The four programs of one control plane: how they are started, and when they are ready.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::certificates::{self, Authority, Identity};
use super::client::Client;
use super::guard::Guard;
use super::node::Common;
use super::programs::Programs;
use super::running::Clients;
use crate::serve::ServeError;

/// How long a start may take. It takes 8 seconds on two idle cores.
const READY_TIMEOUT: Duration = Duration::from_secs(240);

/// Emulated nodes run no programs, and pods and services have no addresses of this machine: a connection to one of them would reach a
/// stranger. So the API server has to make them through a socket that does not exist.
const NO_EGRESS: &str = "/nonexistent/emulated-nodes-run-no-programs";
/// With real nodes, it is a proxy to them, in the folder of the control plane.
const EGRESS: &str = "egress.sock";

/// Why a control plane did not start.
#[derive(Debug)]
pub(super) enum StartError {
    /// Another program took a port in the moment between its choice and its use.
    PortTaken,
    Other(String),
}

impl From<ServeError> for StartError {
    fn from(fault: ServeError) -> Self {
        Self::Other(fault.to_string())
    }
}

impl From<io::Error> for StartError {
    fn from(fault: io::Error) -> Self {
        Self::Other(fault.to_string())
    }
}

/// A control plane that runs.
pub(super) struct Parts {
    processes: Option<Processes>,
    programs: Arc<Programs>,
    ports: Ports,
    pub(super) clients: Arc<Clients>,
    signer: Arc<Authority>,
}

/// The processes, and what is held until they have ended.
struct Processes {
    guard: Guard,
    _alive: Sender<()>,
}

/// The port of each part.
#[derive(Clone, Copy)]
struct Ports {
    etcd: u16,
    peer: u16,
    server: u16,
    manager: u16,
    scheduler: u16,
}

impl Parts {
    /// Starts the programs and waits until the API server is ready and namespaces get their service account.
    pub(super) async fn start(programs: Arc<Programs>, fqdn: &str, alive: Sender<()>) -> Result<Self, StartError> {
        let fqdn = fqdn.to_owned();
        let parts = blocking(move || Self::start_server(programs, &fqdn, alive)).await?;
        // The others end if they may not read their configuration yet.
        let parts = parts.when_ready(&["/readyz"]).await?;
        let parts = blocking(move || parts.start_others()).await?;
        parts.when_ready(&["/readyz", "/api/v1/namespaces/default/serviceaccounts/default"]).await
    }

    fn start_server(programs: Arc<Programs>, fqdn: &str, alive: Sender<()>) -> Result<Self, StartError> {
        let guard = Guard::new(&std::env::temp_dir())?;
        let ports = free_ports()?;
        let identity = certificates::issue(guard.folder(), &names(fqdn), ports.server)?;
        let egress = guard.folder().join(EGRESS);
        let egress = if programs.has_node() { egress.as_path() } else { Path::new(NO_EGRESS) };
        certificates::write(&guard.folder().join("egress.json"), &egress_selector(egress).to_string())?;
        let clients = Arc::new(clients(&identity, fqdn, ports.server)?);
        let processes = Some(Processes { guard, _alive: alive });
        let mut started = Self { processes, programs, ports, clients, signer: identity.signer };
        started.run("etcd", &of_etcd(ports.etcd, ports.peer))?;
        started.run("kube-apiserver", &of_server(ports.etcd, ports.server, started.programs.has_node()))?;
        Ok(started)
    }

    fn start_others(mut self) -> Result<Self, StartError> {
        for (name, port) in [("kube-controller-manager", self.ports.manager), ("kube-scheduler", self.ports.scheduler)]
        {
            self.run(name, &of_client(name, port))?;
        }
        Ok(self)
    }

    fn run(&mut self, name: &str, arguments: &[String]) -> io::Result<()> {
        let path = self.programs.path(name);
        self.processes.as_mut().map_or(Ok(()), |running| running.guard.start(name, &path, arguments, &[]))
    }

    /// The socket at which the API server looks for a proxy to real nodes, and what these need.
    pub(super) fn of_nodes(&self, fqdn: &str) -> Option<(PathBuf, Arc<Common>)> {
        let folder = self.processes.as_ref()?.guard.folder();
        let common = Common {
            programs: Arc::clone(&self.programs),
            fqdn: fqdn.to_owned(),
            port: self.ports.server,
            authority: Arc::clone(&self.signer),
            admin: self.clients.admin.clone(),
        };
        Some((folder.join(EGRESS), Arc::new(common)))
    }

    async fn when_ready(self, paths: &[&str]) -> Result<Self, StartError> {
        let end = Instant::now() + READY_TIMEOUT;
        loop {
            if let Some(fault) = self.ended() {
                let taken = fault.contains("address already in use");
                return Err(if taken { StartError::PortTaken } else { StartError::Other(fault) });
            }
            let mut is_ready = true;
            for path in paths {
                is_ready =
                    is_ready && self.clients.admin.get(path).await.is_ok_and(|answer| answer.status().is_success());
            }
            if is_ready {
                return Ok(self);
            }
            if Instant::now() > end {
                let log = self.log("kube-apiserver");
                return Err(StartError::Other(format!("kube-apiserver was not ready within {READY_TIMEOUT:?}: {log}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Which program has ended, with the end of its log.
    pub(super) fn ended(&self) -> Option<String> {
        let name = self.processes.as_ref()?.guard.ended()?;
        Some(format!("{name} has ended: {}", self.log(name)))
    }

    fn log(&self, name: &str) -> String {
        self.processes.as_ref().map(|running| running.guard.log(name)).unwrap_or_default()
    }
}

impl Drop for Parts {
    /// Ends the processes, which takes a moment, beside the tasks of the runtime.
    fn drop(&mut self) {
        let processes = self.processes.take();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(processes));
        }
    }
}

/// The result of what waits for processes and files.
async fn blocking<T, F>(act: F) -> Result<T, StartError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StartError> + Send + 'static,
{
    tokio::task::spawn_blocking(act).await.map_err(|fault| StartError::Other(fault.to_string()))?
}

/// Clients with and without a certificate.
fn clients(identity: &Identity, fqdn: &str, port: u16) -> Result<Clients, ServeError> {
    let client = |is_admin| Client::new(identity, is_admin, fqdn, port);
    Ok(Clients { admin: client(true)?, plain: client(false)? })
}

/// Ports that no program uses. They are reserved together, so that they differ.
fn free_ports() -> io::Result<Ports> {
    let listeners: Vec<TcpListener> = (0..5).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<io::Result<_>>()?;
    let mut ports = [0; 5];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    let [etcd, peer, server, manager, scheduler] = ports;
    Ok(Ports { etcd, peer, server, manager, scheduler })
}

fn of_etcd(port: u16, peer: u16) -> Vec<String> {
    let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
    let cluster = format!("default={peer}");
    let pairs: [(&str, &str); 7] = [
        ("data-dir", "etcd"),
        ("log-level", "warn"),
        ("listen-client-urls", &client),
        ("advertise-client-urls", &client),
        ("listen-peer-urls", &peer),
        ("initial-advertise-peer-urls", &peer),
        ("initial-cluster", &cluster),
    ];
    // What is in it ends with the process, so that nothing has to reach the disk.
    flags(&pairs).into_iter().chain([String::from("--unsafe-no-fsync")]).collect()
}

fn of_server(etcd: u16, port: u16, has_nodes: bool) -> Vec<String> {
    let (etcd, port) = (format!("http://127.0.0.1:{etcd}"), port.to_string());
    let mut pairs = vec![
        ("etcd-servers", etcd.as_str()),
        ("secure-port", &port),
        ("bind-address", "127.0.0.1"),
        ("advertise-address", "127.0.0.1"),
        // The only way for it to be on loopback alone.
        ("endpoint-reconciler-type", "none"),
        ("egress-selector-config-file", "egress.json"),
        ("tls-cert-file", "server.crt"),
        ("tls-private-key-file", "server.key"),
        ("client-ca-file", "ca.crt"),
        ("anonymous-auth", "false"),
        ("authorization-mode", "Node,RBAC"),
        ("allow-privileged", "true"),
        ("profiling", "false"),
        ("service-account-key-file", "sa.pub"),
        ("service-account-signing-key-file", "sa.key"),
        ("service-account-issuer", "https://kubernetes.default.svc"),
        ("service-cluster-ip-range", "10.0.0.0/16"),
    ];
    if has_nodes {
        pairs.extend([
            ("enable-admission-plugins", "NodeRestriction"),
            ("kubelet-client-certificate", "kubelet-client.crt"),
            ("kubelet-client-key", "kubelet-client.key"),
            ("kubelet-preferred-address-types", "InternalIP"),
        ]);
    }
    flags(&pairs)
}

/// The names of the API server: those of its cluster, too.
fn names(fqdn: &str) -> [&str; 6] {
    ["127.0.0.1", "localhost", fqdn, "10.0.0.1", "kubernetes.default", "kubernetes.default.svc"]
}

/// How the API server connects to nodes, pods and services.
fn egress_selector(socket: &Path) -> Value {
    json!({
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [{
            "name": "cluster",
            "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": socket}}},
        }],
    })
}

/// The flags of the two programs that are clients of the API server.
fn of_client(name: &str, port: u16) -> Vec<String> {
    let (config, port) = (format!("{name}.kubeconfig"), port.to_string());
    let mut pairs: Vec<(&str, &str)> = vec![
        ("kubeconfig", &config),
        ("authentication-kubeconfig", &config),
        ("authorization-kubeconfig", &config),
        ("leader-elect", "false"),
        ("bind-address", "127.0.0.1"),
        ("profiling", "false"),
        ("secure-port", &port),
    ];
    if name == "kube-controller-manager" {
        pairs.extend([
            ("use-service-account-credentials", "true"),
            ("service-account-private-key-file", "sa.key"),
            ("root-ca-file", "ca.crt"),
        ]);
    }
    flags(&pairs)
}

fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}
