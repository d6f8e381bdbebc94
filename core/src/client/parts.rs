//! Access to the parts of a client, to use them directly.

use super::Client;
use crate::{
    cluster::ClusterDeployer,
    id::SubscriptionId,
    identity::{IdentityManager, IdentityResolver},
    inventory::Inventory,
    registry::RegistryImporter,
    role::RoleAssigner,
};

impl Client {
    /// The subscription in which names are looked up.
    #[must_use]
    pub fn subscription_id(&self) -> SubscriptionId {
        self.parts.subscription
    }

    /// The part that reads identities.
    #[must_use]
    pub fn identity_resolver(&self) -> &dyn IdentityResolver {
        self.parts.identity_resolver.as_ref()
    }

    /// The part that creates identities, and adds them to Entra groups.
    #[must_use]
    pub fn identity_manager(&self) -> &dyn IdentityManager {
        self.parts.identity_manager.as_ref()
    }

    /// The part that grants roles.
    #[must_use]
    pub fn role_assigner(&self) -> &dyn RoleAssigner {
        self.parts.role_assigner.as_ref()
    }

    /// The part that works with registries.
    #[must_use]
    pub fn registry_importer(&self) -> &dyn RegistryImporter {
        self.parts.registry_importer.as_ref()
    }

    /// The part that lists the resources of whole subscriptions.
    #[must_use]
    pub fn inventory(&self) -> &dyn Inventory {
        self.parts.inventory.as_ref()
    }

    /// The part that works with clusters.
    #[must_use]
    pub fn cluster_deployer(&self) -> &dyn ClusterDeployer {
        self.parts.cluster_deployer.as_ref()
    }
}
