//! What operations work with: the parts that do the work, and shared settings.

use crate::{
    call::Call,
    cloud::Cloud,
    cluster::{ClusterDeployer, ClusterRef},
    environment::Environment,
    error::{Error, ErrorKind, Result},
    http::ServiceTime,
    id::SubscriptionId,
    identity::{ClusterIdentities, IdentityManager, IdentityResolver},
    inventory::{ClusterSettings, Inventory},
    missing,
    registry::{Registry, RegistryImporter, RegistryRef, RegistrySettings},
    role::RoleAssigner,
};
use std::{sync::Arc, time::SystemTime};

/// The parts of a client.
#[derive(Debug)]
pub(crate) struct Parts {
    pub cloud: Cloud,
    /// The subscription in which names are looked up.
    pub subscription: SubscriptionId,
    pub environment: Environment,
    pub time: ServiceTime,
    pub identity_resolver: Arc<dyn IdentityResolver>,
    /// Whether the caller's own part reads the identities of clusters.
    pub has_own_resolver: bool,
    pub identity_manager: Arc<dyn IdentityManager>,
    pub role_assigner: Arc<dyn RoleAssigner>,
    pub registry_importer: Arc<dyn RegistryImporter>,
    pub cluster_deployer: Arc<dyn ClusterDeployer>,
    pub inventory: Arc<dyn Inventory>,
    pub recent_grants: super::recent::RecentGrants,
    pub recent_mode_changes: super::recent::RecentModeChanges,
}

impl Parts {
    /// Finds a registry that must exist.
    pub async fn find_registry(&self, registry: &RegistryRef, call: &Call) -> Result<Registry> {
        let found = self.registry_importer.find(registry, call).await?;
        found.ok_or_else(|| self.no_such_registry(registry))
    }

    /// The same with its settings, from the same read.
    pub async fn find_settings(&self, registry: &RegistryRef, call: &Call) -> Result<RegistrySettings> {
        let found = self.registry_importer.settings(registry, call).await?;
        found.ok_or_else(|| self.no_such_registry(registry))
    }

    /// A cluster's identities, with its settings from the same read. `None`: the caller's own part reads identities only.
    pub async fn find_cluster(
        &self,
        cluster: &ClusterRef,
        call: &Call,
    ) -> Result<(ClusterIdentities, Option<ClusterSettings>)> {
        if self.has_own_resolver {
            return Ok((self.identity_resolver.identities(cluster, call).await?, None));
        }
        let read = self.inventory.cluster_settings(&cluster.id(self.subscription), call).await;
        let settings = read.map_err(|err| cluster.explain_not_found(err))?;
        Ok((settings.identities.clone(), Some(settings)))
    }

    /// The error for a registry that was not found, and where it was searched.
    pub fn no_such_registry(&self, registry: &RegistryRef) -> Error {
        let err = Error::new(ErrorKind::NotFound, "no such registry");
        if let Some(id) = registry.id() {
            return missing::explain(err, "registry", id);
        }
        let searched = registry.subscription(self.subscription).to_string();
        err.with_context("registry", registry.as_str()).with_context("searched in subscription", searched).with_context(
            "hint",
            "names are searched in this subscription only; give the resource ID of a registry in another",
        )
    }

    /// The time by Azure's clock. `None` before the first response.
    pub fn time_of_azure(&self) -> Option<SystemTime> {
        self.time.now()
    }

    /// The same, or this machine's clock if the caller's own parts responded instead of Azure.
    pub fn time(&self) -> SystemTime {
        self.time_of_azure().unwrap_or_else(SystemTime::now)
    }

    pub fn subscription_id(&self) -> SubscriptionId {
        self.subscription
    }

    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    pub fn identity_resolver(&self) -> &dyn IdentityResolver {
        self.identity_resolver.as_ref()
    }

    pub fn identity_manager(&self) -> &dyn IdentityManager {
        self.identity_manager.as_ref()
    }

    pub fn role_assigner(&self) -> &dyn RoleAssigner {
        self.role_assigner.as_ref()
    }

    pub fn registry_importer(&self) -> &dyn RegistryImporter {
        self.registry_importer.as_ref()
    }

    pub fn cluster_deployer(&self) -> &dyn ClusterDeployer {
        self.cluster_deployer.as_ref()
    }

    pub fn inventory(&self) -> &dyn Inventory {
        self.inventory.as_ref()
    }
}
