//! Which identities a cluster has, and which of them pulls images.

mod azure;

pub use azure::AzureIdentityResolver;
pub(crate) use azure::list;

use crate::{
    call::Call,
    cluster::ClusterRef,
    error::Result,
    id::{PrincipalId, ResourceId},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Finds the identities of a cluster.
///
/// - Resolving changes nothing in Azure.
/// - A cluster that does not exist is [`NotFound`](crate::ErrorKind::NotFound).
/// - An identity that the cluster does not have, or does not have yet, is `None`.
#[async_trait]
pub trait IdentityResolver: fmt::Debug + Send + Sync + 'static {
    /// All that is known of the cluster's identities, from one look at the cluster.
    async fn identities(&self, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities>;
}

/// The identities of a cluster, and what decides who may talk to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterIdentities {
    /// The cluster's resource id.
    pub cluster: ResourceId,
    /// The service's word for the cluster's state, such as `Succeeded` or `Updating`.
    pub state: String,
    /// What its nodes pull images with. Absent while a cluster is being made, and on clusters with a service principal.
    pub kubelet: Option<KubeletIdentity>,
    /// What the control plane acts with. A grant to it has no effect on pulls.
    pub control_plane: Vec<PrincipalId>,
    /// What add-ons act with. A grant to one has no effect on pulls.
    pub add_ons: Vec<AddOnIdentity>,
    /// Application (client) id of the service principal, on a cluster that has one instead of managed identities.
    pub service_principal: Option<String>,
    /// How the cluster uses Entra for its users, if it does.
    pub entra: Option<EntraSettings>,
    /// Whether credentials that do not go through Entra are switched off.
    pub local_accounts_disabled: bool,
}

impl ClusterIdentities {
    /// A cluster of which nothing is known but its id.
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
    /// Its object id: what a grant names.
    pub object_id: PrincipalId,
    /// Its client id, which no grant should name.
    pub client_id: Option<String>,
    /// Resource id of the managed identity.
    pub resource_id: Option<String>,
}

impl KubeletIdentity {
    /// An identity of which the object id is known.
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
    /// The identity's object id.
    pub object_id: PrincipalId,
}

impl AddOnIdentity {
    /// The identity of the add-on with this name.
    #[must_use]
    pub fn new(add_on: impl Into<String>, object_id: PrincipalId) -> Self {
        Self { add_on: add_on.into(), object_id }
    }
}

/// How a cluster uses Entra for its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntraSettings {
    /// Whether Azure's role assignments decide inside Kubernetes too.
    pub azure_rbac: bool,
}

impl EntraSettings {
    /// Entra with or without Azure's role assignments inside Kubernetes.
    #[must_use]
    pub fn new(azure_rbac: bool) -> Self {
        Self { azure_rbac }
    }
}
