//! The four programs of one control plane: how they are started, and when they are ready.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::certificates::{self, Identity};
use super::client::Client;
use super::guard::Guard;
use super::programs::Programs;
use super::running::Clients;
use crate::serve::ServeError;

/// How long a start may take. It takes 8 seconds on two idle cores.
const PATIENCE: Duration = Duration::from_secs(240);

/// Emulated nodes run no programs, and pods and services have no addresses of this machine: a connection to one of them would reach a
/// stranger. So the API server has to make them through a socket that does not exist.
const EGRESS: &str = r#"{"apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration", "egressSelections": [{"name": "cluster",
"connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": "/nonexistent/emulated-nodes-run-no-programs"}}}}]}"#;

/// Why a control plane did not come up.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Another program took a port in the moment between its choice and its use.
    PortTaken,
    Other(String),
}

impl From<ServeError> for Obstacle {
    fn from(fault: ServeError) -> Self {
        Self::Other(fault.to_string())
    }
}

impl From<io::Error> for Obstacle {
    fn from(fault: io::Error) -> Self {
        Self::Other(fault.to_string())
    }
}

/// A control plane that runs.
pub(super) struct Parts {
    guard: Guard,
    pub(super) clients: Arc<Clients>,
}

impl Parts {
    /// Starts the programs and waits until the API server is ready and namespaces get their service account.
    pub(super) async fn start(programs: &Programs, fqdn: &str) -> Result<Self, Obstacle> {
        let mut guard = Guard::new(&std::env::temp_dir())?;
        let [etcd, peer, server, manager, scheduler] = free_ports()?;
        let identity = certificates::issue(guard.folder(), &["127.0.0.1", "localhost", fqdn], server)?;
        certificates::write(&guard.folder().join("egress.json"), EGRESS)?;
        let clients = Arc::new(clients(&identity, fqdn, server)?);
        let mut run = |name: &str, arguments: Vec<String>| guard.start(name, &programs.path(name), &arguments, &[]);
        run("etcd", of_etcd(etcd, peer))?;
        run("kube-apiserver", of_server(etcd, server))?;
        let parts = Self { guard, clients };
        // The others end if they may not read their configuration yet.
        let mut parts = parts.when_ready(&["/readyz"]).await?;
        for (name, port) in [("kube-controller-manager", manager), ("kube-scheduler", scheduler)] {
            parts.guard.start(name, &programs.path(name), &of_client(name, port), &[])?;
        }
        parts.when_ready(&["/readyz", "/api/v1/namespaces/default/serviceaccounts/default"]).await
    }

    async fn when_ready(self, paths: &[&str]) -> Result<Self, Obstacle> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(fault) = self.ended() {
                let taken = fault.contains("address already in use");
                return Err(if taken { Obstacle::PortTaken } else { Obstacle::Other(fault) });
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
                let log = self.guard.log("kube-apiserver");
                return Err(Obstacle::Other(format!("kube-apiserver was not ready within {PATIENCE:?}: {log}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Which program has ended, with the end of its log.
    pub(super) fn ended(&self) -> Option<String> {
        let name = self.guard.ended()?;
        Some(format!("{name} has ended: {}", self.guard.log(name)))
    }
}

/// Clients with and without a certificate.
fn clients(identity: &Identity, fqdn: &str, port: u16) -> Result<Clients, ServeError> {
    let client = |is_admin| Client::new(identity, is_admin, fqdn, port);
    Ok(Clients { admin: client(true)?, plain: client(false)? })
}

/// Ports that no program uses. They are reserved together, so that they differ.
fn free_ports() -> io::Result<[u16; 5]> {
    let listeners: Vec<TcpListener> = (0..5).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<io::Result<_>>()?;
    let mut ports = [0; 5];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
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

fn of_server(etcd: u16, port: u16) -> Vec<String> {
    let (etcd, port) = (format!("http://127.0.0.1:{etcd}"), port.to_string());
    flags(&[
        ("etcd-servers", &etcd),
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
    ])
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
