//! The parts of a client: the traits, and what all operations know.

use super::Client;
use crate::{
    absent,
    call::Call,
    cloud::Cloud,
    cluster::ClusterDeployer,
    environment::Environment,
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
    identity::IdentityResolver,
    inventory::Inventory,
    registry::{Registry, RegistryImporter, RegistryRef},
    role::RoleAssigner,
};
use std::sync::Arc;

/// What a client is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) cloud: Cloud,
    pub(super) subscription: SubscriptionId,
    pub(super) environment: Environment,
    pub(super) identity_resolver: Arc<dyn IdentityResolver>,
    pub(super) role_assigner: Arc<dyn RoleAssigner>,
    pub(super) registry_importer: Arc<dyn RegistryImporter>,
    pub(super) cluster_deployer: Arc<dyn ClusterDeployer>,
    pub(super) inventory: Arc<dyn Inventory>,
}

impl Client {
    pub(crate) async fn find_registry(&self, registry: &RegistryRef, call: &Call) -> Result<Registry> {
        let found = self.registry_importer().find(registry, call).await?;
        found.ok_or_else(|| {
            let err = Error::new(ErrorKind::NotFound, "no such registry");
            if let Some(id) = registry.id() {
                return absent::explain(err, "registry", id);
            }
            let searched = registry.subscription(self.parts.subscription).to_string();
            err.with_context("registry", registry.as_str())
                .with_context("searched in subscription", searched)
                .with_context(
                    "hint",
                    "names are searched in this subscription only; name a registry in another by its resource id",
                )
        })
    }

    /// The subscription in which names are looked up.
    #[must_use]
    pub fn subscription_id(&self) -> SubscriptionId {
        self.parts.subscription
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.parts.environment
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.parts.cloud
    }

    /// The part that finds identities.
    #[must_use]
    pub fn identity_resolver(&self) -> &dyn IdentityResolver {
        self.parts.identity_resolver.as_ref()
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

    /// The part that works with clusters.
    #[must_use]
    pub fn cluster_deployer(&self) -> &dyn ClusterDeployer {
        self.parts.cluster_deployer.as_ref()
    }
}
