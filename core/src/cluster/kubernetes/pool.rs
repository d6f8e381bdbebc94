//! Connections to clusters, one for each cluster, created when first needed.

use super::{
    connection::Connection,
    transport::{bearer, transport},
    unreached,
};
use crate::{
    call::Call,
    cloud::Cloud,
    cluster::{KubeconfigOptions, credentials::kubeconfig},
    error::{Error, ErrorKind, Result},
    http::{Arm, Tokens},
    id::ResourceId,
    kubernetes::{KubeConnector, KubeService as _, over_http},
    network::{Network, Proxy},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// All clusters that the client has connected to.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    connector: KubeConnector,
    network: Network,
    arm: Arm,
    pub(super) tokens: Tokens,
    /// A cell for each cluster, so that a slow one does not block the others.
    cells: Arc<Mutex<HashMap<String, Arc<Cell>>>>,
}

/// The current connection to a cluster, and the lock for creating it. Calls wait for the lock within their own deadline; taking or
/// dropping a connection does not need it.
#[derive(Debug, Default)]
struct Cell {
    connection: Mutex<Option<Arc<Connection>>>,
    turn: tokio::sync::Mutex<()>,
}

impl Cell {
    fn connection(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Arc<Connection>> {
        self.connection().clone().filter(|connection| !connection.is_old())
    }
}

impl Pool {
    pub fn new(connector: KubeConnector, network: Network, arm: Arm, tokens: Tokens) -> Self {
        Self { connector, network, arm, tokens, cells: Arc::default() }
    }

    /// The current connection, or a new one.
    pub(super) async fn connection(&self, cluster: &ResourceId, call: &Call) -> Result<Arc<Connection>> {
        let place = self.cell(cluster);
        if let Some(connection) = place.current() {
            return Ok(connection);
        }
        let made = async {
            let _turn = place.turn.lock().await;
            if let Some(connection) = place.current() {
                return Ok(connection);
            }
            let connection = Arc::new(self.connect(cluster, call).await?);
            *place.connection() = Some(connection.clone());
            Ok(connection)
        };
        call.run("connecting to the cluster", Box::pin(made)).await
    }

    fn cell(&self, cluster: &ResourceId) -> Arc<Cell> {
        let mut all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(cluster.as_str().to_lowercase()).or_default().clone()
    }

    /// Drops a connection, unless it was already replaced. Returns whether it did.
    pub(super) fn drop_connection(&self, cluster: &ResourceId, connection: &Arc<Connection>) -> bool {
        let place = self.cell(cluster);
        let mut held = place.connection();
        held.take_if(|held| Arc::ptr_eq(held, connection)).is_some()
    }

    /// Whether this is still the current connection to the cluster.
    pub(super) fn holds(&self, cluster: &ResourceId, connection: &Arc<Connection>) -> bool {
        self.cell(cluster).connection().as_ref().is_some_and(|held| Arc::ptr_eq(held, connection))
    }

    /// Whether a proxy in a kubeconfig is the one that the caller configured for that host.
    pub fn names_proxy(&self, host: &str, proxy: &str) -> bool {
        let own = self.network.proxy_for(host, 443).ok().flatten();
        own.zip(Proxy::parse(proxy, "proxy-url").ok()).is_some_and(|(own, named)| own.is_at(&named))
    }

    /// The error of a request that got no response, if the cluster is stopped.
    pub(super) async fn stopped(&self, cluster: &ResourceId, call: &Call) -> Option<Error> {
        unreached::stopped(&self.arm, cluster, call).await
    }

    async fn connect(&self, cluster: &ResourceId, call: &Call) -> Result<Connection> {
        let is_own = |host: &str, proxy: &str| self.names_proxy(host, proxy);
        let fetched = kubeconfig(&self.arm, cluster, &KubeconfigOptions::default(), &is_own, call).await?;
        let mut endpoint = fetched.endpoint()?;
        let scope = endpoint.is_entra.then(Cloud::kubernetes_scope);
        if endpoint.is_entra {
            endpoint = endpoint.without_credentials();
        }
        let odd = || Error::new(ErrorKind::Unexpected, "Azure's kubeconfig is unusable");
        let server = endpoint.server.parse().map_err(|_| odd())?;
        let credential = endpoint.token.as_ref().map(bearer).transpose().map_err(|_| odd())?;
        let client = match &self.connector {
            KubeConnector::Service(service) => service.client(server, credential),
            KubeConnector::Tls => over_http(transport(&endpoint, &self.network)?).client(server, credential),
        };
        Ok(Connection::new(client, scope))
    }
}
