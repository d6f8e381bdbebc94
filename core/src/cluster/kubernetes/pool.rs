//! Connections to clusters, one for each cluster, created when first needed.

use super::connection::Connection;
use crate::{
    call::Call,
    cloud::Cloud,
    cluster::{KubeconfigOptions, credentials::kubeconfig, kubeconfig::Endpoint},
    error::{Error, ErrorKind, Result},
    http::{Arm, Tokens},
    id::ResourceId,
    kubernetes::{KubeConnector, from_kube, over_tls},
    network::{Network, Proxy},
};
use kube::{
    Config,
    config::{AuthInfo, Cluster, Context, KubeConfigOptions, NamedAuthInfo, NamedCluster, NamedContext},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
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
        let own = self.network.proxy_for(host, 443).ok().flatten().and_then(|proxy| proxy.uri().ok());
        let named = proxy.parse::<http::Uri>().ok();
        own.zip(named).is_some_and(|(own, named)| {
            (own.scheme(), own.host(), own.port_u16()) == (named.scheme(), named.host(), named.port_u16())
        })
    }

    async fn connect(&self, cluster: &ResourceId, call: &Call) -> Result<Connection> {
        let is_own = |host: &str, proxy: &str| self.names_proxy(host, proxy);
        let fetched = kubeconfig(&self.arm, cluster, &KubeconfigOptions::default(), &is_own, call).await?;
        let endpoint = fetched.endpoint()?;
        let scope = endpoint.is_entra.then(Cloud::kubernetes_scope);
        let config = read(endpoint, &self.network).await?;
        let client = match &self.connector {
            KubeConnector::Service(service) => service.client(&config),
            KubeConnector::Tls => over_tls(config),
        };
        let client = client.map_err(|err| from_kube(err, "connecting to the cluster"))?;
        Ok(Connection::new(client, scope))
    }
}

/// A configuration of these parts only: nothing else, and no file, is read.
async fn read(endpoint: Endpoint, network: &Network) -> Result<Config> {
    const NAME: &str = "cluster";
    let odd = || Error::new(ErrorKind::Unexpected, "Azure's kubeconfig is unusable");
    let named = endpoint.proxy.as_deref().map(str::parse).transpose().map_err(|_| odd())?;
    let cluster =
        Cluster { server: Some(endpoint.server), certificate_authority_data: endpoint.authority, ..Cluster::default() };
    let auth = if endpoint.is_entra {
        AuthInfo::default()
    } else {
        AuthInfo {
            client_certificate_data: endpoint.certificate,
            client_key_data: endpoint.key.map(|key| key.secret().to_owned().into()),
            token: endpoint.token.map(|token| token.secret().to_owned().into()),
            ..AuthInfo::default()
        }
    };
    let context = Context { cluster: NAME.to_owned(), user: Some(NAME.to_owned()), ..Context::default() };
    let parts = kube::config::Kubeconfig {
        clusters: vec![NamedCluster { name: NAME.to_owned(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: NAME.to_owned(), auth_info: Some(auth), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: NAME.to_owned(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(NAME.to_owned()),
        ..kube::config::Kubeconfig::default()
    };
    let mut config = Config::from_custom_kubeconfig(parts, &KubeConfigOptions::default()).await.map_err(|_| odd())?;
    // kube's own choice is not used: it compares NO_PROXY with the proxy's own host. The file has precedence over variables, as in
    // kubectl.
    let (host, port) = (config.cluster_url.host().unwrap_or_default(), config.cluster_url.port_u16().unwrap_or(443));
    config.proxy_url = match named {
        Some(proxy) => Some(proxy),
        None => network.proxy_for(host, port)?.map(Proxy::uri).transpose()?,
    };
    // AKS includes a cluster's root certificate in every kubeconfig. Without it, the system's would be used, and kube adds none to
    // those.
    if let Some(authorities) = &mut config.root_cert {
        authorities.extend(network.trusted().iter().map(|one| one.to_vec()));
    }
    config.connect_timeout = Some(Duration::from_secs(30));
    // Our own retries know the call's deadline.
    config.default_retry = false;
    Ok(config)
}
