//! What a case that runs everywhere needs.

use crate::case::Checked;
use aks_acr::{
    Call, CallOptions, Client, ClusterRef, ImageReference, PrincipalId, ResourceId, SubscriptionId, WorkloadRef,
};
use async_trait::async_trait;
use libtest_mimic::Failed;
use std::time::Duration;
use uuid::Uuid;

/// An Azure with a cluster and a registry that stay as they are.
#[async_trait]
pub trait Backend: Send + Sync {
    /// A client whose caller may do what the cases do.
    fn client(&self) -> &Client;
    /// A cluster with managed identities and a system pool.
    fn cluster(&self) -> &ClusterRef;
    /// A registry on whose repositories no permissions are: its mode is the legacy one.
    fn registry(&self) -> &ResourceId;
    /// A service principal without any role at the registry.
    fn principal(&self) -> PrincipalId;
    /// An image in a registry that is not one of Azure's customers' and asks for no name.
    fn public_image(&self) -> ImageReference;
    /// A name that no registry has. If one gets it, it is removed when the case is over.
    fn free_registry(&self) -> String;
    /// A deployment all of whose replicas run.
    async fn running_deployment(&self) -> Result<WorkloadRef, Failed>;
    /// Removes what a case has left.
    async fn clean_up(&self) -> Checked;
}

/// Letters and digits that nothing is called yet.
pub fn random_name(prefix: &str) -> String {
    format!("{prefix}{}", &Uuid::new_v4().simple().to_string()[..16])
}

/// A cluster that is not there, beside one that is.
pub fn absent_cluster(backend: &dyn Backend) -> aks_acr::Result<ClusterRef> {
    ClusterRef::new(backend.cluster().group(), &random_name("absent"))
}

/// A subscription that does not exist.
pub fn other_subscription() -> aks_acr::Result<SubscriptionId> {
    "5b5b5b5b-0000-4000-8000-000000000005".parse()
}

/// A call that ends in good time.
pub fn call() -> Call {
    CallOptions::default().start(Duration::from_secs(10 * 60))
}
