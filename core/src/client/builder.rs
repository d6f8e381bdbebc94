//! Builds a client.

use super::Client;
#[cfg(feature = "identity")]
use crate::credential::{CredentialContext, DefaultCredential};
#[cfg(not(feature = "reqwest"))]
use crate::error::{Error, ErrorKind};
#[cfg(any(feature = "kubernetes", feature = "reqwest"))]
use crate::network::Network;
use crate::{
    cloud::Cloud,
    cluster::{AzureClusterDeployer, ClusterDeployer},
    connection::Connection,
    environment::Environment,
    error::Result,
    http::{Arm, Caller, GivenCredential, PipelineFactory, Registries, Tokens},
    identity::{AzureIdentityManager, AzureIdentityResolver, IdentityManager, IdentityResolver},
    inventory::{AzureInventory, Inventory},
    operation::Parts,
    registry::{AzureRegistryImporter, RegistryImporter},
    role::{AzureRoleAssigner, RoleAssigner},
    write::{Guard, WriteHook},
};
#[cfg(feature = "kubernetes")]
use crate::{connection::Clusters, kubernetes::KubeConnector};
use azure_core::{
    credentials::{Secret, TokenCredential},
    http::HttpClient,
};
use std::{fmt, sync::Arc};

/// Builds a [`Client`].
#[derive(Clone)]
pub struct ClientBuilder {
    /// `None` is the default credential chain.
    credential: Option<Arc<dyn TokenCredential>>,
    #[cfg(feature = "identity")]
    executor: Option<Arc<dyn azure_identity::Executor>>,
    subscription: String,
    cloud: Cloud,
    transport: Option<Arc<dyn HttpClient>>,
    proxy: Option<Secret>,
    trusted: Vec<String>,
    environment: Environment,
    #[cfg(feature = "kubernetes")]
    connector: KubeConnector,
    identity_resolver: Option<Arc<dyn IdentityResolver>>,
    identity_manager: Option<Arc<dyn IdentityManager>>,
    role_assigner: Option<Arc<dyn RoleAssigner>>,
    registry_importer: Option<Arc<dyn RegistryImporter>>,
    cluster_deployer: Option<Arc<dyn ClusterDeployer>>,
    inventory: Option<Arc<dyn Inventory>>,
    guard: Guard,
    /// The connection with these settings, once it has been requested.
    connection: Option<Connection>,
}

/// The credential's own `Debug` might show secrets, so it is left out.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("subscription", &self.subscription)
            .field("cloud", &self.cloud)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a builder whose client signs in with the first credential that is configured in the environment.
    ///
    /// The credential is chosen at the first request, from this list, and kept. [`tracing`](crate::telemetry) reports which one it is.
    ///
    /// 1. A service principal: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, or `AZURE_CLIENT_CERTIFICATE_PATH`
    ///    (a PEM file with the certificate and its unencrypted RSA key).
    /// 2. GitHub Actions with `id-token: write`, and `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`.
    /// 3. Workload identity: `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`.
    /// 4. Azure Pipelines: `SYSTEM_OIDCREQUESTURI`, `SYSTEM_ACCESSTOKEN` and the variables that tasks set for a service connection.
    /// 5. The managed identity of the machine; if it has several, the one named by `AZURE_CLIENT_ID`.
    /// 6. The user signed in to az, or else the user signed in to azd.
    ///
    /// If a configured credential fails, the call fails; the next one is not tried. `AZURE_TOKEN_CREDENTIALS` restricts the list,
    /// much as in Azure's SDKs: `prod` (1 to 5), `dev` (6) or the name of one: `EnvironmentCredential`,
    /// `GitHubActionsCredential`, `WorkloadIdentityCredential`, `AzurePipelinesCredential`, `ManagedIdentityCredential`,
    /// `AzureCliCredential`, `AzureDeveloperCliCredential`. All except az and azd use the client's cloud, proxy and certificates;
    /// az and azd are separate programs with their own settings. GitHub and Azure Pipelines are asked for a new assertion
    /// whenever a new token is needed, so a job can run longer than an assertion is valid.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{CallOptions, Client};
    /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry");
    /// # let (id, secret) = azure.client_secret_of("owner");
    /// # let variables = [("AZURE_TENANT_ID", azure.tenant().to_owned()), ("AZURE_CLIENT_ID", id), ("AZURE_CLIENT_SECRET", secret)];
    /// # let lookup = move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    /// let builder = Client::builder_with_default_credential(azure.subscription());
    /// # let builder = builder.environment(lookup).transport(azure.transport());
    /// let client = builder.build()?;
    /// assert!(client.registry(&"myregistry".parse()?, CallOptions::default()).await?.is_some());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn builder_with_default_credential(subscription: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(None, subscription.into())
    }
}

impl ClientBuilder {
    pub(super) fn new(credential: Option<Arc<dyn TokenCredential>>, subscription: String) -> Self {
        Self {
            credential,
            #[cfg(feature = "identity")]
            executor: None,
            subscription,
            cloud: Cloud::default(),
            transport: None,
            proxy: None,
            trusted: Vec::new(),
            environment: Environment::default(),
            #[cfg(feature = "kubernetes")]
            connector: KubeConnector::default(),
            identity_resolver: None,
            identity_manager: None,
            role_assigner: None,
            registry_importer: None,
            cluster_deployer: None,
            inventory: None,
            guard: Guard::default(),
            connection: None,
        }
    }

    /// Sets the cloud. The public cloud by default.
    #[must_use]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.connection = None;
        self.cloud = cloud;
        self
    }

    /// Sets the HTTP transport for Azure and registries, such as an in-process emulator. reqwest by default.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn HttpClient>) -> Self {
        self.connection = None;
        self.transport = Some(transport);
        self
    }

    /// Sets the proxy for Azure, registries and clusters, such as `http://proxy.example:3128`.
    ///
    /// `https://…` works too, and the URL can contain a user name and password (`http://user:password@…`, percent-encoded) if the proxy
    /// requires them.
    ///
    /// Without this setting, `HTTPS_PROXY` and `ALL_PROXY` are read, in upper or lower case. In both cases the hosts in `NO_PROXY` and
    /// this machine (`localhost`, `127.0.0.0/8`, `::1`) are reached directly. A proxy in a kubeconfig is accepted only if it is the one
    /// that you configured for that cluster; any other is rejected. The default credential chain uses the proxy. A transport or a
    /// credential that you pass does not use it.
    ///
    /// ```
    /// # fn main() -> aks_acr::Result<()> {
    /// # let azure = aks_acr_emulator::Emulator::new();
    /// let client = aks_acr::Client::builder(azure.credential(), azure.subscription())
    ///     .proxy("http://user:pass%40word@proxy.example:3128")
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.connection = None;
        self.proxy = Some(Secret::new(address.into()));
        self
    }

    /// Adds root certificates, in PEM, that are trusted in addition to the system's.
    ///
    /// Use it for a proxy that inspects TLS, or for an emulator. One string may contain several certificates; calling it again adds more.
    ///
    /// They apply to Azure, registries and the default credential chain. For a cluster, they are trusted in addition to the certificate
    /// authority in its kubeconfig. For requests to clusters, the certificate of an `https` proxy must be signed by one of the
    /// certificates added here, because the system's root certificates are not used there. They do not apply to a transport or a
    /// credential that you pass. `NODE_EXTRA_CA_CERTS` and `REQUESTS_CA_BUNDLE` are not read.
    #[must_use]
    pub fn add_root_certificates(mut self, pem: impl Into<String>) -> Self {
        self.connection = None;
        self.trusted.push(pem.into());
        self
    }

    /// Sets how environment variables such as `HTTPS_PROXY` and `KUBECONFIG` are looked up.
    ///
    /// The process's environment by default. For tests, and for programs that serve several users.
    #[must_use]
    pub fn environment(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.connection = None;
        self.environment = Environment::new(lookup);
        self
    }

    /// Replaces the programs az and azd in the default credential chain, for tests.
    #[cfg(feature = "identity")]
    #[doc(hidden)]
    #[must_use]
    pub fn developer_tools(mut self, executor: Arc<dyn azure_identity::Executor>) -> Self {
        self.connection = None;
        self.executor = Some(executor);
        self
    }

    /// Sets the service that answers requests to clusters, such as an in-process emulator.
    ///
    /// By default requests go to each cluster over TLS.
    #[cfg(feature = "kubernetes")]
    #[must_use]
    pub fn kubernetes(mut self, service: impl crate::KubeService) -> Self {
        self.connection = None;
        self.connector = KubeConnector::Service(Arc::new(service));
        self
    }

    /// Replaces the default [`IdentityResolver`], for example with a test double.
    ///
    /// It reads no settings of a cluster, so that the [`warnings`](crate::Attachment::warnings) of an attach are about the registry only.
    #[must_use]
    pub fn identity_resolver(mut self, part: Arc<dyn IdentityResolver>) -> Self {
        self.identity_resolver = Some(part);
        self
    }

    /// Replaces the default [`IdentityManager`], for example with a test double.
    #[must_use]
    pub fn identity_manager(mut self, part: Arc<dyn IdentityManager>) -> Self {
        self.identity_manager = Some(part);
        self
    }

    /// Replaces the default [`RoleAssigner`], for example with a test double.
    #[must_use]
    pub fn role_assigner(mut self, part: Arc<dyn RoleAssigner>) -> Self {
        self.role_assigner = Some(part);
        self
    }

    /// Replaces the default [`RegistryImporter`], for example with a test double.
    #[must_use]
    pub fn registry_importer(mut self, part: Arc<dyn RegistryImporter>) -> Self {
        self.registry_importer = Some(part);
        self
    }

    /// Replaces the default [`ClusterDeployer`], for example with a test double.
    #[must_use]
    pub fn cluster_deployer(mut self, part: Arc<dyn ClusterDeployer>) -> Self {
        self.cluster_deployer = Some(part);
        self
    }

    /// Replaces the default [`Inventory`], for example with a test double.
    #[must_use]
    pub fn inventory(mut self, part: Arc<dyn Inventory>) -> Self {
        self.inventory = Some(part);
        self
    }

    /// Makes the client read-only: no request that would change something is sent.
    ///
    /// A call that would write ends with [`Forbidden`](crate::ErrorKind::Forbidden) and
    /// [`ReadOnlyClient`](crate::RefusalKind::ReadOnlyClient). A call that only reads still works: plans, lists, a kubeconfig, a dry-run
    /// apply, and attach if the grant exists. This is enforced for Azure and Kubernetes in the request pipeline; your own
    /// implementations of the traits are not restricted.
    ///
    /// It restricts remote changes only, not reads or local files: an administrator's kubeconfig can be read
    /// ([`Access::Admin`](crate::Access::Admin)) if the caller has the permission, and [`merge_kubeconfig`](Client::merge_kubeconfig)
    /// writes its file. No SSH key is generated.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, Client, ClusterRef, RefusalKind};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).read_only().build()?;
    /// let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
    /// client.plan_attach(&cluster, &registry, AttachOptions::default()).await?;
    /// let err = client.attach(&cluster, &registry, AttachOptions::default()).await.unwrap_err();
    /// assert_eq!(err.refusal(), Some(RefusalKind::ReadOnlyClient));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.connection = None;
        self.guard.read_only = true;
        self
    }

    /// Calls a hook before each write is sent; the hook can reject the write.
    ///
    /// A write that is retried because no valid response arrived is shown once. A write that Azure rejected for a transient cause, such as
    /// a principal that it does not know yet, is shown again. If the hook rejects a write, it is not sent, and the call ends with
    /// [`Forbidden`](crate::ErrorKind::Forbidden) and [`WriteHook`](crate::RefusalKind::WriteHook).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, Client, ClusterRef, RefusalKind, Write};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// let only_grants = |write: &Write| {
    ///     println!("{write}");
    ///     if write.action.as_deref() == Some("Microsoft.Authorization/roleAssignments/write") { Ok(()) } else { Err("not today".to_owned()) }
    /// };
    /// let builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    /// let client = builder.on_write(only_grants).build()?;
    /// client.attach(&ClusterRef::new("group", "dev")?, &"myregistry".parse()?, AttachOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_write(mut self, hook: impl WriteHook) -> Self {
        self.connection = None;
        self.guard.hook = Some(Arc::new(hook));
        self
    }

    /// The connection that the client will use; create Azure-backed parts from it, for example to wrap them in your own. No request is
    /// sent.
    ///
    /// If you later change any setting of the builder other than its parts, the client gets a new connection.
    ///
    /// # Errors
    /// Those of [`build`](Self::build).
    pub fn connection(&mut self) -> Result<Connection> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let connection = self.connect()?;
        Ok(self.connection.insert(connection).clone())
    }

    fn connect(&self) -> Result<Connection> {
        let subscription = self.subscription.parse()?;
        #[cfg(any(feature = "kubernetes", feature = "reqwest"))]
        let network = Network::new(self.proxy.as_ref().map(Secret::secret), &self.trusted, &self.environment)?;
        #[cfg(not(any(feature = "kubernetes", feature = "reqwest")))]
        if self.proxy.is_some() || !self.trusted.is_empty() {
            return Err(missing("support for proxies and root certificates"));
        }
        #[cfg(feature = "reqwest")]
        let own = || crate::network::transport(&network);
        #[cfg(not(feature = "reqwest"))]
        let own = || Err(missing("an HTTP transport"));
        let transport = self.transport.clone().map_or_else(own, Ok)?;
        let door = PipelineFactory::new(transport.clone(), self.guard.clone());
        #[cfg(feature = "identity")]
        let chain = || {
            let mut around = CredentialContext::new(&self.cloud, self.environment.clone(), transport)?;
            around.executor.clone_from(&self.executor);
            Ok(Arc::new(DefaultCredential::new(around)?) as Arc<dyn Caller>)
        };
        #[cfg(not(feature = "identity"))]
        let chain = || {
            let text = "built without the default credential chain: give a credential, or enable the feature `identity` of \
                    aks-acr";
            Err(crate::Error::new(crate::ErrorKind::Unsupported, text))
        };
        let given = self.credential.clone().map(|given| Arc::new(GivenCredential(given)) as Arc<dyn Caller>);
        let credential = given.map_or_else(chain, Ok)?;
        let tokens = Tokens::new(credential);
        let arm = Arm::new(&door, self.cloud.clone(), tokens.clone());
        let registries = Registries::new(&door);
        Ok(Connection {
            subscription,
            cloud: self.cloud.clone(),
            arm,
            registries,
            tokens,
            #[cfg(feature = "kubernetes")]
            clusters: Clusters { connector: self.connector.clone(), network, guard: self.guard.clone() },
        })
    }

    /// Builds the client. No request is sent.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the subscription is not a valid ID, the proxy or a certificate is invalid,
    /// or `AZURE_TOKEN_CREDENTIALS` names no credential of the default chain; [`Unsupported`](crate::ErrorKind::Unsupported) if
    /// no transport is set and the feature `reqwest` is off, if the default credential chain is used and the feature `identity`
    /// is off, or if a proxy or a certificate is set that nothing in this build uses.
    pub fn build(mut self) -> Result<Client> {
        let connection = self.connection()?;
        let identities = || Arc::new(AzureIdentityResolver::new(&connection));
        let managed = || Arc::new(AzureIdentityManager::new(&connection));
        let roles = || Arc::new(AzureRoleAssigner::new(&connection));
        let registries = || Arc::new(AzureRegistryImporter::new(&connection));
        let inventory = || Arc::new(AzureInventory::new(&connection));
        let clusters = || Arc::new(AzureClusterDeployer::new(&connection));
        let parts = Parts {
            cloud: self.cloud,
            subscription: connection.subscription,
            environment: self.environment,
            time: connection.arm.time().clone(),
            has_own_resolver: self.identity_resolver.is_some(),
            identity_resolver: self.identity_resolver.unwrap_or_else(|| identities()),
            identity_manager: self.identity_manager.unwrap_or_else(|| managed()),
            role_assigner: self.role_assigner.unwrap_or_else(|| roles()),
            registry_importer: self.registry_importer.unwrap_or_else(|| registries()),
            cluster_deployer: self.cluster_deployer.unwrap_or_else(|| clusters()),
            inventory: self.inventory.unwrap_or_else(|| inventory()),
            recent_grants: crate::operation::RecentGrants::default(),
            recent_mode_changes: crate::operation::RecentModeChanges::default(),
        };
        Ok(Client { parts: Arc::new(parts) })
    }
}

#[cfg(not(feature = "reqwest"))]
fn missing(what: &str) -> Error {
    let text = format!("built without {what}: enable the feature `reqwest` of aks-acr, or give a transport");
    Error::new(ErrorKind::Unsupported, text)
}
