//! The TLS server on loopback, for clients in another process or another language.
//!
//! There are two ways to connect. The *origin* (`https://localhost:PORT`) is a separate cloud: Resource Manager, Entra and
//! Graph at one address. The *proxy* reaches every emulated host under its own name, for clients with `HTTPS_PROXY`
//! set; registries and clusters are always reached through it.

mod advice;
mod authority;
mod background;
mod ca_file;
mod command;
mod control;
mod fault;
mod front;
mod listener;
mod log_file;
#[cfg(test)]
mod node_causes;
mod node_gate;
mod origin;
mod proxy;
#[cfg(test)]
mod pull_causes;
mod scene_cluster;
mod scene_file;
mod scene_network;
mod scene_registry;
mod scene_upstream;
mod signal;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use self::authority::Authority;
use self::control::Control;
use self::front::Front;
use self::listener::{Doors, LAST_CHANCE, Ports, Wire};
use crate::emulator::Emulator;
use crate::{log, world};

pub use advice::Format;
pub use background::{Background, Token};
pub use command::{Command, run};
pub use fault::{OrderError, ServeError};
pub(crate) use node_gate::{Addresses, NodeGate};

/// Where a server listens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The address of the origin. Port 0 is any free one, which is the default.
    pub listen: SocketAddr,
    /// The address of the proxy. Port 0 is any free one, which is the default.
    pub proxy: SocketAddr,
    /// Whether a kubeconfig names the proxy, so that kubectl connects without `HTTPS_PROXY`. On by default; Azure's kubeconfigs name none.
    pub proxy_in_kubeconfig: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen: any, proxy: any, proxy_in_kubeconfig: true }
    }
}

impl ServerOptions {
    /// Sets [`listen`](Self::listen).
    #[must_use]
    pub fn with_listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets [`proxy`](Self::proxy).
    #[must_use]
    pub fn with_proxy(mut self, address: SocketAddr) -> Self {
        self.proxy = address;
        self
    }

    /// Sets [`proxy_in_kubeconfig`](Self::proxy_in_kubeconfig).
    #[must_use]
    pub fn with_proxy_in_kubeconfig(mut self, names: bool) -> Self {
        self.proxy_in_kubeconfig = names;
        self
    }
}

/// A running server. It stops when it is dropped; [`stop`](Self::stop) lets running requests finish first.
///
/// ```
/// use aks_acr_emulator::Emulator;
/// use aks_acr_emulator::serve::{Server, ServerOptions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let azure = Emulator::new().with_registry("group", "myregistry");
/// let server = Server::start(azure, ServerOptions::default()).await?;
/// assert!(server.origin().starts_with("https://localhost:"));
/// assert!(server.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// server.stop().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Server {
    emulator: Emulator,
    origin: String,
    proxy: String,
    ca_pem: String,
    control_token: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Closed when nothing is running any longer.
    ended: mpsc::Receiver<()>,
}

impl Server {
    /// Starts to serve an emulator. Clients can connect once this returns.
    ///
    /// # Errors
    /// If an address is not a loopback address, or is in use.
    pub async fn start(emulator: Emulator, options: ServerOptions) -> Result<Self, ServeError> {
        let doors = Doors::open(&options, Ports::default()).await?;
        let authority = Authority::playing(&emulator)?;
        Self::behind(emulator, doors, authority, options.proxy_in_kubeconfig)
    }

    /// Serves behind doors that are open. Kubeconfigs name the proxy or leave that to the client.
    fn behind(emulator: Emulator, doors: Doors, authority: Authority, names_proxy: bool) -> Result<Self, ServeError> {
        let authority = Arc::new(authority);
        let proxy = format!("http://{}", doors.proxies);
        let (stop, stopped) = watch::channel(false);
        let (alive, ended) = mpsc::channel(1);
        let token = emulator.act(|world| world.ids.named("the control token"));
        let control = Control::new(token.simple().to_string(), stop.clone());
        let control_token = control.token().to_owned();
        let client = authority.client()?;
        emulator.act(|world| {
            world.signer.serves_locally = true;
            let authority = authority.pem().to_owned();
            let named = names_proxy.then(|| proxy.clone());
            world.wire = Some(world::Wire { proxy: named, authority, client });
        });
        let front = Arc::new(Front { emulator: emulator.clone(), control, port: doors.ports.listen });
        let known = Arc::clone(&front);
        let tls = authority.tls(Arc::new(move |host| known.knows(host)))?;
        let tls = TlsAcceptor::from(Arc::new(tls));
        let wire = Wire { tls, front, stop: stopped.clone(), alive, from: log::From::Client };
        emulator.act(|world| {
            if let Some(planes) = &world.control_planes {
                planes.open(Some(NodeGate::new(&wire, authority.pem())));
            }
        });
        let direct = wire.clone();
        let tasks = vec![
            tokio::spawn(listener::accept(doors.direct, stopped.clone(), move |stream| direct.clone().serve(stream))),
            tokio::spawn(listener::accept(doors.proxy, stopped, proxy::start(&wire))),
        ];
        let origin = format!("https://localhost:{}", doors.ports.listen);
        Ok(Self { emulator, origin, proxy, ca_pem: authority.pem().to_owned(), control_token, stop, tasks, ended })
    }

    /// The emulator that is served. Clients see changes to it immediately.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Resource Manager, Entra and Graph in one: `https://localhost:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The value of `HTTPS_PROXY` that reaches the hosts by their own names: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// The certificate that clients must trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The bearer token for requests to `{origin}/_emulator/…`.
    #[must_use]
    pub fn control_token(&self) -> &str {
        &self.control_token
    }

    /// Executes an order of the control endpoint by its name and body: `fault`, `timing`, `advance`,
    /// `clock`, `paging`, `grant`, `revoke`, `image`, `delete-image`, `node`.
    ///
    /// # Errors
    /// If the order is invalid, or names something that does not exist.
    ///
    /// ```
    /// # use aks_acr_emulator::{Emulator, serve::{Server, ServerOptions}};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::start(Emulator::new(), ServerOptions::default()).await?;
    /// server.order("fault", serde_json::json!({"method": "PUT", "part": "/roleAssignments/", "status": 429}))?;
    /// assert!(server.order("grant", serde_json::json!({"role": "Sorcerer", "caller": "owner", "scope": "/"})).is_err());
    /// # Ok(()) }
    /// ```
    pub fn order(&self, name: &str, body: Value) -> Result<Value, OrderError> {
        Ok(control::obey(&self.emulator, name, body)?)
    }

    /// Reads a view of the control endpoint, from a mark of the log on: `state`, `mark`, `requests`, `summary`.
    ///
    /// # Errors
    /// If the view does not exist.
    ///
    /// ```
    /// # use aks_acr_emulator::{Emulator, serve::{Server, ServerOptions}};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::start(Emulator::new(), ServerOptions::default()).await?;
    /// assert_eq!(server.look("summary", 0)?["count"], 0);
    /// # Ok(()) }
    /// ```
    pub fn look(&self, name: &str, since: usize) -> Result<Value, OrderError> {
        Ok(control::look(&self.emulator, name, since)?)
    }

    /// Waits until the control endpoint receives a shutdown request.
    pub async fn asked_to_stop(&self) {
        // The sender is ours, so that the channel cannot be closed.
        let _ = self.stop.subscribe().wait_for(|stops| *stops).await;
    }

    /// Accepts no more connections, gives running requests a second to finish, and closes.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
        // Tunnels of the proxy are in no list.
        let _ = tokio::time::timeout(LAST_CHANCE, self.ended.recv()).await;
        self.emulator.stop_control_planes().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        // Nodes hold what the emulator is made of.
        if let Some(planes) = &self.emulator.shared.world().control_planes {
            planes.open(None);
        }
        for task in &self.tasks {
            task.abort();
        }
    }
}
