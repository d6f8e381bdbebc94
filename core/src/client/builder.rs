//! Wiring a client together.

use super::{Client, Parts};
#[cfg(not(feature = "reqwest"))]
use crate::error::{Error, ErrorKind};
#[cfg(feature = "kubernetes")]
use crate::kube::KubeConnector;
use crate::{
    cloud::Cloud,
    cluster::{AzureClusterDeployer, ClusterDeployer},
    error::Result,
    http::{Arm, Door, Registries, Tokens},
    identity::{AzureIdentityResolver, IdentityResolver},
    inventory::{AzureInventory, Directory, Inventory},
    kube::Kubernetes,
    registry::{AzureRegistryImporter, DataPlane, RegistryImporter},
    role::{AzureRoleAssigner, RoleAssigner},
    write::{Guard, WriteHook},
};
#[cfg(feature = "network")]
use crate::{environment::Environment, network::Network};
use azure_core::{
    credentials::{Secret, TokenCredential},
    http::HttpClient,
};
use std::{fmt, sync::Arc};

/// Wires a [`Client`] together.
#[derive(Clone)]
pub struct ClientBuilder {
    credential: Arc<dyn TokenCredential>,
    subscription: String,
    cloud: Cloud,
    transport: Option<Arc<dyn HttpClient>>,
    proxy: Option<Secret>,
    trusted: Vec<String>,
    #[cfg(feature = "network")]
    environment: Environment,
    #[cfg(feature = "kubernetes")]
    connector: KubeConnector,
    identity_resolver: Option<Arc<dyn IdentityResolver>>,
    role_assigner: Option<Arc<dyn RoleAssigner>>,
    registry_importer: Option<Arc<dyn RegistryImporter>>,
    cluster_deployer: Option<Arc<dyn ClusterDeployer>>,
    inventory: Option<Arc<dyn Inventory>>,
    guard: Guard,
}

/// The credential's own `Debug` may show what it likes, so it is left out.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("subscription", &self.subscription)
            .field("cloud", &self.cloud)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(super) fn new(credential: Arc<dyn TokenCredential>, subscription: String) -> Self {
        Self {
            credential,
            subscription,
            cloud: Cloud::default(),
            transport: None,
            proxy: None,
            trusted: Vec::new(),
            #[cfg(feature = "network")]
            environment: Environment::default(),
            #[cfg(feature = "kubernetes")]
            connector: KubeConnector::default(),
            identity_resolver: None,
            role_assigner: None,
            registry_importer: None,
            cluster_deployer: None,
            inventory: None,
            guard: Guard::default(),
        }
    }

    /// The cloud; the public one by default.
    #[must_use]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// What carries requests to Azure and to registries; reqwest by default. An emulator in the same process is one.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn HttpClient>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The proxy through which Azure, registries and clusters are reached: `http://proxy.example:3128`, or `https://…`, with a user
    /// and a password (`http://user:password@…`, percent-encoded) where it asks for them.
    ///
    /// Without it, `HTTPS_PROXY` and `ALL_PROXY` are read, in either case. With either, the hosts in `NO_PROXY` and this machine
    /// itself (`localhost`, `127.0.0.0/8`, `::1`) are reached directly; and a kubeconfig that names a proxy is followed. To a
    /// transport that was given, it does not apply.
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
        self.proxy = Some(Secret::new(address.into()));
        self
    }

    /// One or more certificates, in PEM, of authorities that are trusted in addition to the system's: a proxy's that looks
    /// into TLS, or an emulator's. Given twice, both count.
    ///
    /// They hold for Azure and registries, and for a cluster in addition to the authority that its kubeconfig names. An
    /// `https` proxy shows clusters' requests a certificate of one of these. To a transport that was given, they do not apply.
    #[must_use]
    pub fn trust(mut self, pem: impl Into<String>) -> Self {
        self.trusted.push(pem.into());
        self
    }

    /// Where variables such as `HTTPS_PROXY` are looked up; in the process's own environment by default. For tests, and for
    /// programs that work for many.
    #[cfg(feature = "network")]
    #[must_use]
    pub fn environment(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.environment = Environment::new(lookup);
        self
    }

    /// What answers requests to clusters; by default each cluster itself, over TLS. An emulator in the same process is one.
    #[cfg(feature = "kubernetes")]
    #[must_use]
    pub fn kubernetes(mut self, service: impl crate::KubeService) -> Self {
        self.connector = KubeConnector::Service(Arc::new(service));
        self
    }

    /// Takes the place of the part that finds identities.
    #[must_use]
    pub fn identity_resolver(mut self, part: Arc<dyn IdentityResolver>) -> Self {
        self.identity_resolver = Some(part);
        self
    }

    /// Takes the place of the part that grants roles.
    #[must_use]
    pub fn role_assigner(mut self, part: Arc<dyn RoleAssigner>) -> Self {
        self.role_assigner = Some(part);
        self
    }

    /// Takes the place of the part that works with registries.
    #[must_use]
    pub fn registry_importer(mut self, part: Arc<dyn RegistryImporter>) -> Self {
        self.registry_importer = Some(part);
        self
    }

    /// Takes the place of the part that works with clusters.
    #[must_use]
    pub fn cluster_deployer(mut self, part: Arc<dyn ClusterDeployer>) -> Self {
        self.cluster_deployer = Some(part);
        self
    }

    /// Takes the place of the part that lists what there is.
    #[must_use]
    pub fn inventory(mut self, part: Arc<dyn Inventory>) -> Self {
        self.inventory = Some(part);
        self
    }

    /// Makes a client that changes nothing: a request that would is not sent, and its call ends with
    /// [`Forbidden`](crate::ErrorKind::Forbidden) and [`ReadOnlyClient`](crate::RefusalKind::ReadOnlyClient).
    ///
    /// What only reads works: plans, looks, a kubeconfig, an apply as a dry run, and attach where the grant is there. It holds for
    /// Azure and for Kubernetes, in the way that all requests take; parts of your own making are not bound by it.
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
        self.guard.read_only = true;
        self
    }

    /// Shows each write to a hook before it is sent. What is tried again since no good answer came is shown once; what Azure refuses
    /// for a passing cause, such as a principal that it does not know yet, is shown anew. The hook may say no: then it is not sent, and
    /// the call ends with [`Forbidden`](crate::ErrorKind::Forbidden) and [`WriteHook`](crate::RefusalKind::WriteHook).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, Client, ClusterRef, RefusalKind, Write};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// let only_grants = |write: &Write| {
    ///     println!("{write}");
    ///     if write.action == "Microsoft.Authorization/roleAssignments/write" { Ok(()) } else { Err("not today".to_owned()) }
    /// };
    /// let builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    /// let client = builder.on_write(only_grants).build()?;
    /// client.attach(&ClusterRef::new("group", "dev")?, &"myregistry".parse()?, AttachOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_write(mut self, hook: impl WriteHook) -> Self {
        self.guard.hook = Some(Arc::new(hook));
        self
    }

    /// Makes the client. No request is made.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the subscription is not an id, or the proxy or a certificate cannot be read;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if there is no transport and the feature `reqwest` is off, or a proxy or a
    /// certificate was given and there is nothing in this build that would use it.
    pub fn build(self) -> Result<Client> {
        let subscription = self.subscription.parse()?;
        #[cfg(feature = "network")]
        let network = Network::new(self.proxy.as_ref().map(Secret::secret), &self.trusted, &self.environment)?;
        #[cfg(not(feature = "network"))]
        if self.proxy.is_some() || !self.trusted.is_empty() {
            return Err(missing("proxies and certificates of authorities"));
        }
        #[cfg(feature = "reqwest")]
        let own = || crate::network::transport(&network);
        #[cfg(not(feature = "reqwest"))]
        let own = || Err(missing("a transport of its own"));
        let door = Door::new(self.transport.map_or_else(own, Ok)?, self.guard.clone());
        let arm = Arm::new(&door, self.cloud.clone(), self.credential.clone());
        let tokens = Tokens::new(self.credential);
        let registries = Registries::new(&door);
        let data_plane = DataPlane::new(registries.clone(), self.cloud.clone(), tokens.clone());
        let directory = Directory::new(self.cloud.clone(), registries, tokens.clone());
        #[cfg(feature = "kubernetes")]
        let kubernetes = Kubernetes::new(self.connector, network, arm.clone(), tokens, self.guard);
        #[cfg(not(feature = "kubernetes"))]
        let kubernetes = Kubernetes;
        let identities = || Arc::new(AzureIdentityResolver::new(arm.clone(), subscription));
        let roles = || Arc::new(AzureRoleAssigner::new(arm.clone()));
        let registries = || Arc::new(AzureRegistryImporter::new(arm.clone(), data_plane, subscription));
        let inventory = || Arc::new(AzureInventory::new(arm.clone(), directory));
        let clusters = || Arc::new(AzureClusterDeployer::new(arm.clone(), kubernetes, subscription));
        let parts = Parts {
            cloud: self.cloud,
            subscription,
            identity_resolver: self.identity_resolver.unwrap_or_else(|| identities()),
            role_assigner: self.role_assigner.unwrap_or_else(|| roles()),
            registry_importer: self.registry_importer.unwrap_or_else(|| registries()),
            cluster_deployer: self.cluster_deployer.unwrap_or_else(|| clusters()),
            inventory: self.inventory.unwrap_or_else(|| inventory()),
        };
        Ok(Client { parts: Arc::new(parts) })
    }
}

#[cfg(not(feature = "reqwest"))]
fn missing(what: &str) -> Error {
    let text = format!("this build has not {what}: enable the feature `reqwest` of aks-acr, or give a transport");
    Error::new(ErrorKind::Unsupported, text)
}
