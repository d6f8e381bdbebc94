//! The connection that all Azure-backed parts share.

use crate::{
    cloud::Cloud,
    http::{Arm, Registries, Tokens},
    id::SubscriptionId,
};
#[cfg(feature = "kubernetes")]
use crate::{kubernetes::KubeConnector, network::Network, write::Guard};
use std::fmt;

/// The connection of a client to Azure and its clusters: transport, credential and write guard.
///
/// The Azure-backed parts are created from it. [`ClientBuilder::connection`](crate::ClientBuilder::connection) returns the one that a
/// client will use. Cheap to clone: clones share tokens and the pauses that a throttling service asks for.
///
/// ```
/// # fn main() -> aks_acr::Result<()> {
/// use aks_acr::{AzureRoleAssigner, Client};
///
/// # let azure = aks_acr_emulator::Emulator::new();
/// let mut builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
/// let assigner = AzureRoleAssigner::new(&builder.connection()?);
/// // Wrap it in your own type, and pass that to the builder.
/// let client = builder.role_assigner(std::sync::Arc::new(assigner)).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Connection {
    pub(crate) subscription: SubscriptionId,
    pub(crate) cloud: Cloud,
    pub(crate) arm: Arm,
    pub(crate) registries: Registries,
    pub(crate) tokens: Tokens,
    #[cfg(feature = "kubernetes")]
    pub(crate) clusters: Clusters,
}

/// How requests reach clusters.
#[cfg(feature = "kubernetes")]
#[derive(Clone)]
pub(crate) struct Clusters {
    pub connector: KubeConnector,
    pub network: Network,
    pub guard: Guard,
}

impl Connection {
    /// The subscription in which names are looked up.
    #[must_use]
    pub fn subscription_id(&self) -> SubscriptionId {
        self.subscription
    }

    /// The cloud.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }
}

/// It contains a credential and tokens, so only the public fields are shown.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("subscription", &self.subscription)
            .field("cloud", &self.cloud)
            .finish_non_exhaustive()
    }
}
