//! The identities of a cluster, and which of them pulls images.

mod azure;
mod directory;
mod managed;
mod manager;
mod service_principal;

pub use azure::AzureIdentityResolver;
pub use managed::AzureIdentityManager;
pub use manager::{CreatedIdentity, IdentityManager, ManagedIdentity, NewIdentity};
pub use service_principal::{ApplicationCredential, ServicePrincipal};

pub(crate) use azure::read_identities;
pub(crate) use directory::Directory;
pub(crate) use manager::{IDENTITIES, MARK, check_identity_name};
pub(crate) use service_principal::READ_APPLICATIONS;

use crate::{
    call::Call,
    cluster::ClusterRef,
    error::Result,
    id::{PrincipalId, ResourceId},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Reads the identities of a cluster.
///
/// - Reading changes nothing in Azure.
/// - A cluster that does not exist is [`NotFound`](crate::ErrorKind::NotFound).
/// - An identity that the cluster does not have, or does not have yet, is `None`.
#[async_trait]
pub trait IdentityResolver: fmt::Debug + Send + Sync + 'static {
    /// The cluster's identities, from one read of the cluster.
    async fn identities(&self, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities>;
}

/// The identities of a cluster, and how its users sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterIdentities {
    /// The cluster's resource ID.
    pub cluster: ResourceId,
    /// The provisioning state reported by Azure, such as `Succeeded` or `Updating`.
    pub state: String,
    /// The identity that its nodes pull images with.
    /// Missing while a cluster is being created, and on clusters with a service principal.
    pub kubelet: Option<KubeletIdentity>,
    /// The identities of the control plane. A grant to one has no effect on pulls.
    pub control_plane: Vec<PrincipalId>,
    /// The identities of add-ons. A grant to one has no effect on pulls.
    pub add_ons: Vec<AddOnIdentity>,
    /// Application (client) ID of the service principal, on a cluster that uses one instead of managed identities.
    pub service_principal: Option<String>,
    /// How users sign in with Entra ID, if the cluster uses it.
    pub entra: Option<EntraSettings>,
    /// Whether local accounts, which bypass Entra ID, are disabled.
    pub local_accounts_disabled: bool,
}

impl ClusterIdentities {
    /// Creates the identities of the cluster with this ID; all other fields are empty.
    #[must_use]
    pub fn new(cluster: ResourceId) -> Self {
        Self {
            cluster,
            state: String::new(),
            kubelet: None,
            control_plane: Vec::new(),
            add_ons: Vec::new(),
            service_principal: None,
            entra: None,
            local_accounts_disabled: false,
        }
    }
}

/// The identity that a cluster's nodes pull images with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KubeletIdentity {
    /// Its object ID, which role assignments use.
    pub object_id: PrincipalId,
    /// Its client ID, which must not be used in role assignments.
    pub client_id: Option<String>,
    /// Resource ID of the managed identity.
    pub resource_id: Option<String>,
}

impl KubeletIdentity {
    /// Creates an identity with this object ID; all other fields are empty.
    #[must_use]
    pub fn new(object_id: PrincipalId) -> Self {
        Self { object_id, client_id: None, resource_id: None }
    }
}

/// The identity of an add-on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AddOnIdentity {
    /// The add-on's name, such as `azureKeyvaultSecretsProvider`.
    pub add_on: String,
    /// The identity's object ID.
    pub object_id: PrincipalId,
}

impl AddOnIdentity {
    /// The identity of the add-on with this name.
    #[must_use]
    pub fn new(add_on: impl Into<String>, object_id: PrincipalId) -> Self {
        Self { add_on: add_on.into(), object_id }
    }
}

/// How a cluster's users sign in with Entra ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntraSettings {
    /// Whether Azure role assignments also apply inside Kubernetes.
    pub azure_rbac: bool,
}

impl EntraSettings {
    /// Entra ID with or without Azure RBAC for Kubernetes authorization.
    #[must_use]
    pub fn new(azure_rbac: bool) -> Self {
        Self { azure_rbac }
    }
}
