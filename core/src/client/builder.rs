//! Wiring a client together.

use super::{Client, Parts};
#[cfg(feature = "kubernetes")]
use crate::kube::KubeConnector;
use crate::{
    cloud::Cloud,
    cluster::{AzureClusterDeployer, ClusterDeployer},
    error::{Error, ErrorKind, Result},
    http::{Arm, Door, Registries, Tokens},
    identity::{AzureIdentityResolver, IdentityResolver},
    inventory::{AzureInventory, Inventory},
    kube::Kubernetes,
    registry::{AzureRegistryImporter, DataPlane, RegistryImporter},
    role::{AzureRoleAssigner, RoleAssigner},
    write::{Guard, WriteHook},
};
use azure_core::{credentials::TokenCredential, http::HttpClient};
use std::{fmt, sync::Arc};

/// Wires a [`Client`] together.
#[derive(Clone)]
pub struct ClientBuilder {
    credential: Arc<dyn TokenCredential>,
    subscription: String,
    cloud: Cloud,
    transport: Option<Arc<dyn HttpClient>>,
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
    /// [`Forbidden`](ErrorKind::Forbidden) and [`ReadOnlyClient`](crate::RefusalKind::ReadOnlyClient).
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
    /// the call ends with [`Forbidden`](ErrorKind::Forbidden) and [`WriteHook`](crate::RefusalKind::WriteHook).
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
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the subscription is not an id;
    /// [`Unsupported`](ErrorKind::Unsupported) if there is no transport and the feature `reqwest` is off.
    pub fn build(self) -> Result<Client> {
        let subscription = self.subscription.parse()?;
        if cfg!(not(feature = "reqwest")) && self.transport.is_none() {
            let text = "this build has no transport: give one, or enable the feature `reqwest` of aks-acr";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let door = Door::new(self.transport, self.guard.clone());
        let arm = Arm::new(&door, self.cloud.clone(), self.credential.clone());
        let tokens = Tokens::new(self.credential);
        let data_plane = DataPlane::new(Registries::new(&door), self.cloud.clone(), tokens.clone());
        #[cfg(feature = "kubernetes")]
        let kubernetes = Kubernetes::new(self.connector, arm.clone(), tokens, self.guard);
        #[cfg(not(feature = "kubernetes"))]
        let kubernetes = Kubernetes;
        let identities = || Arc::new(AzureIdentityResolver::new(arm.clone(), subscription));
        let roles = || Arc::new(AzureRoleAssigner::new(arm.clone()));
        let registries = || Arc::new(AzureRegistryImporter::new(arm.clone(), data_plane, subscription));
        let inventory = || Arc::new(AzureInventory::new(arm.clone()));
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
