//! Wiring a client together.

use super::{Client, Parts};
use crate::{
    cloud::Cloud,
    cluster::AzureClusterDeployer,
    error::{Error, ErrorKind, Result},
    http::{Arm, Door, Registries, Tokens},
    identity::AzureIdentityResolver,
    kube::{KubeConnector, Kubernetes},
    registry::{AzureRegistryImporter, DataPlane},
    role::AzureRoleAssigner,
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
    connector: KubeConnector,
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
        let (cloud, transport, connector) = (Cloud::default(), None, KubeConnector::default());
        Self { credential, subscription, cloud, transport, connector }
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
        let door = Door::new(self.transport);
        let arm = Arm::new(&door, self.cloud.clone(), self.credential.clone());
        let tokens = Tokens::new(self.credential);
        let data_plane = DataPlane::new(Registries::new(&door), self.cloud.clone(), tokens.clone());
        let kubernetes = Kubernetes::new(self.connector, arm.clone(), tokens);
        let parts = Parts {
            cloud: self.cloud,
            subscription,
            identity_resolver: Arc::new(AzureIdentityResolver::new(arm.clone(), subscription)),
            role_assigner: Arc::new(AzureRoleAssigner::new(arm.clone())),
            registry_importer: Arc::new(AzureRegistryImporter::new(arm.clone(), data_plane, subscription)),
            cluster_deployer: Arc::new(AzureClusterDeployer::new(arm, kubernetes, subscription)),
        };
        Ok(Client { parts: Arc::new(parts) })
    }
}
