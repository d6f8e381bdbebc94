//! Connections to clusters, one for each cluster, made when first needed.

use super::{failure::from_kube, tell::TellLayer};
use crate::{
    call::Call,
    cloud::Cloud,
    cluster::{Kubeconfig, KubeconfigMode, kubeconfig},
    error::{Error, ErrorKind, Result},
    http::{Arm, Tokens},
    id::ResourceId,
    network::{Network, Proxy},
    write::Guard,
};
use azure_core::credentials::Secret;
use kube::{
    Client, Config,
    client::{ClientBuilder, ConfigExt},
    config::{AuthInfo, KubeConfigOptions},
};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use tower::{BoxError, Service, ServiceBuilder};

/// The body of a request that `kube` sends.
pub type KubeBody = kube::client::Body;

/// Something that answers Kubernetes requests of any cluster, told apart by host: an emulator in the same process.
///
/// It is implemented for every service of `tower` that fits; nobody implements it by hand.
pub trait KubeService: Send + Sync + 'static {
    /// Makes a client that sends to it.
    #[doc(hidden)]
    fn client(&self, config: &Config) -> Result<Client, kube::Error>;
}

impl<S, B> KubeService for S
where
    S: Service<http::Request<KubeBody>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn client(&self, config: &Config) -> Result<Client, kube::Error> {
        let service = ServiceBuilder::new()
            .layer(TellLayer::new(config))
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .map_err(Into::<BoxError>::into)
            .service(self.clone());
        Ok(Client::new(service, config.default_namespace.clone()))
    }
}

/// How a cluster's API is reached.
#[derive(Clone, Default)]
pub(crate) enum KubeConnector {
    /// As its kubeconfig says, over TLS.
    #[default]
    Tls,
    /// Through a service that was given.
    Service(Arc<dyn KubeService>),
}

impl fmt::Debug for KubeConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "Tls",
            Self::Service(_) => "Service",
        })
    }
}

/// All clusters that the client has talked to.
#[derive(Clone, Debug)]
pub(crate) struct Kubernetes {
    connector: KubeConnector,
    network: Network,
    arm: Arm,
    tokens: Tokens,
    pub(super) guard: Guard,
    /// A cell for each cluster, so that one that is slow keeps nobody from another.
    cells: Arc<Mutex<HashMap<String, Cell>>>,
}

type Cell = Arc<Mutex<Option<Connection>>>;

struct Connection {
    kubeconfig: Kubeconfig,
    client: Client,
    /// The Entra token that the client sends, on a cluster that wants one.
    token: Option<Secret>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("kubeconfig", &self.kubeconfig).finish_non_exhaustive()
    }
}

impl Kubernetes {
    pub fn new(connector: KubeConnector, network: Network, arm: Arm, tokens: Tokens, guard: Guard) -> Self {
        Self { connector, network, arm, tokens, guard, cells: Arc::default() }
    }

    /// A client for the cluster. Its token is fresh: work that goes on for long asks again.
    pub async fn client(&self, cluster: &ResourceId, call: &Call) -> Result<Client> {
        call.run("connecting to the cluster", self.held_or_new(cluster, call)).await
    }

    async fn held_or_new(&self, cluster: &ResourceId, call: &Call) -> Result<Client> {
        let mine = self.cell(cluster).await;
        let mut held = mine.lock().await;
        let kubeconfig = match held.as_ref() {
            Some(connection) if self.is_current(connection, call).await? => return Ok(connection.client.clone()),
            Some(connection) => connection.kubeconfig.clone(),
            None => kubeconfig(&self.arm, cluster, KubeconfigMode::default(), call).await?,
        };
        let connection = self.connect(kubeconfig, call).await?;
        let client = connection.client.clone();
        *held = Some(connection);
        Ok(client)
    }

    async fn cell(&self, cluster: &ResourceId) -> Cell {
        let key = cluster.as_str().to_lowercase();
        self.cells.lock().await.entry(key).or_default().clone()
    }

    /// Lets go of a connection and a token that the cluster did not accept.
    pub async fn forget(&self, cluster: &ResourceId) {
        self.cell(cluster).await.lock().await.take();
        self.tokens.forget(Cloud::kubernetes_scope());
    }

    async fn is_current(&self, connection: &Connection, call: &Call) -> Result<bool> {
        match &connection.token {
            None => Ok(true),
            Some(token) => Ok(*token == self.tokens.get(Cloud::kubernetes_scope(), call).await?),
        }
    }

    async fn connect(&self, kubeconfig: Kubeconfig, call: &Call) -> Result<Connection> {
        let mut config = read(&kubeconfig, &self.network).await?;
        let token = if wants_entra(&config.auth_info) {
            let token = self.tokens.get(Cloud::kubernetes_scope(), call).await?;
            config.auth_info = AuthInfo { token: Some(token.secret().to_owned().into()), ..AuthInfo::default() };
            Some(token)
        } else {
            None
        };
        let client = match &self.connector {
            KubeConnector::Service(service) => service.client(&config),
            KubeConnector::Tls => over_tls(config).await?,
        };
        let client = client.map_err(|err| from_kube(err, "connecting to the cluster"))?;
        Ok(Connection { kubeconfig, client, token })
    }
}

async fn read(kubeconfig: &Kubeconfig, network: &Network) -> Result<Config> {
    let odd = || Error::new(ErrorKind::Unexpected, "Azure's kubeconfig cannot be used");
    let parsed = kube::config::Kubeconfig::from_yaml(kubeconfig.text()).map_err(|_| odd())?;
    let named = named_proxy(&parsed).map(str::parse).transpose().map_err(|_| odd())?;
    let mut config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await.map_err(|_| odd())?;
    // kube's own choice is not kept: it holds NO_PROXY against the proxy's own host.
    config.proxy_url = if named.is_some() {
        named
    } else {
        let (host, port) = (config.cluster_url.host().unwrap_or_default(), config.cluster_url.port_u16());
        network.proxy_for(host, port.unwrap_or(443))?.map(Proxy::uri).transpose()?
    };
    // AKS names a cluster's authority in every kubeconfig. Where one did not, the system's would count, and kube adds none to those.
    if let Some(authorities) = &mut config.root_cert {
        authorities.extend(network.trusted().iter().map(|one| one.to_vec()));
    }
    config.connect_timeout = Some(Duration::from_secs(30));
    // Our own retries know the call's deadline.
    config.default_retry = false;
    Ok(config)
}

/// The proxy that the file itself names for its cluster. As for kubectl, no variable of the environment switches it off.
fn named_proxy(file: &kube::config::Kubeconfig) -> Option<&str> {
    let current = file.current_context.as_deref()?;
    let context = file.contexts.iter().find(|one| one.name == current)?.context.as_ref()?;
    let cluster = file.clusters.iter().find(|one| one.name == context.cluster)?.cluster.as_ref()?;
    cluster.proxy_url.as_deref().filter(|address| !address.is_empty())
}

/// A cluster with Entra names `kubelogin`, or the older `azure` provider: the token that they would fetch is had in this process.
fn wants_entra(auth: &AuthInfo) -> bool {
    let exec = auth.exec.as_ref().and_then(|exec| exec.command.as_deref());
    let is_kubelogin = exec
        .is_some_and(|command| command.rsplit(['/', '\\']).next().is_some_and(|name| name.starts_with("kubelogin")));
    is_kubelogin || auth.auth_provider.as_ref().is_some_and(|provider| provider.name == "azure")
}

/// A program that the kubeconfig names runs while the client is made, and blocks the thread meanwhile.
async fn over_tls(config: Config) -> Result<Result<Client, kube::Error>> {
    let runs_program = config.auth_info.exec.is_some();
    let tell = TellLayer::new(&config);
    let client = move || Ok(ClientBuilder::try_from(config)?.with_layer(&tell).build());
    if !runs_program {
        return Ok(client());
    }
    let handle = tokio::runtime::Handle::current();
    let made = tokio::task::spawn_blocking(move || {
        let _guard = handle.enter();
        client()
    });
    made.await.map_err(|err| Error::new(ErrorKind::Unexpected, "connecting to the cluster broke off").with_source(err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_of_the_current_context_is_named() {
        let file = |current: &str| {
            let text = format!(
                "current-context: {current}\n\
                 contexts: [{{name: a, context: {{cluster: one}}}}, {{name: b, context: {{cluster: two}}}}]\n\
                 clusters: [{{name: one, cluster: {{server: 'https://one'}}}}, \
                 {{name: two, cluster: {{server: 'https://two', proxy-url: 'http://127.0.0.1:1'}}}}]\n"
            );
            kube::config::Kubeconfig::from_yaml(&text).unwrap()
        };
        assert_eq!(named_proxy(&file("a")), None);
        assert_eq!(named_proxy(&file("b")), Some("http://127.0.0.1:1"));
        assert_eq!(named_proxy(&file("c")), None);
    }
}
