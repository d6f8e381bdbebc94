//! What was read for a diagnosis.

use super::{finding::Need, text::PullFailure};
use crate::{
    cluster::ObservedSecret,
    error::{Error, ErrorKind},
    id::{PrincipalId, ResourceId},
    identity::{ApplicationCredential, ServicePrincipal},
    image::{ImageDetails, ImageReference, Platform},
    inventory::ClusterSettings,
    registry::RegistrySettings,
    role::{DenyAssignment, GroupAccess, RoleAssignment, Roles},
};
use std::{net::IpAddr, time::SystemTime};

/// A value, or why it could not be read.
pub(crate) type Read<T> = Result<T, Unread>;

/// Why something could not be read.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    pub need: Need,
    /// The status with which the service refused, if it responded.
    pub status: Option<u16>,
    /// Whether it is in a subscription of another tenant.
    pub is_of_another_tenant: bool,
}

/// Everything that a check reads.
#[derive(Debug)]
pub(crate) struct Facts {
    pub cluster_id: ResourceId,
    pub cluster: Read<ClusterSettings>,
    /// The cluster's service principal, if it has one and Microsoft Graph was queried.
    pub service_principal: Option<ServicePrincipalFacts>,
    /// The registry as the caller names it.
    pub registry_ref: String,
    /// `None`: it was not found.
    pub registry: Read<Option<RegistrySettings>>,
    /// Whether the registry was given by its ID, so that one that is not found does not exist.
    pub is_by_id: bool,
    /// The identity that pulls, if it is known.
    pub principal: Option<PrincipalId>,
    pub grants: Read<Grants>,
    pub denials: Read<Vec<DenyAssignment>>,
    /// Whether this client has changed the registry's role assignment mode within the last hour.
    pub is_mode_new: bool,
    /// The addresses from which the nodes reach the registry, read only if its firewall depends on them.
    pub addresses: Read<Vec<IpAddr>>,
    pub image: Option<ImageFacts>,
}

/// What Microsoft Graph says of a cluster's service principal.
#[derive(Clone, Debug)]
pub(crate) struct ServicePrincipalFacts {
    /// `None`: there is none.
    pub principal: Read<Option<ServicePrincipal>>,
    /// Of its application. `None`: that is in another tenant.
    pub credentials: Read<Option<Vec<ApplicationCredential>>>,
    /// By Azure's clock.
    pub read_at: SystemTime,
}

impl ServicePrincipalFacts {
    /// Its object ID, if it is known.
    pub fn found(&self) -> Option<&ServicePrincipal> {
        self.principal.as_ref().ok()?.as_ref()
    }
}

/// The role assignments at a registry and above it.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub assignments: Vec<RoleAssignment>,
    /// The custom roles of the identity's own assignments.
    pub roles: Roles,
    pub groups: GroupAccess,
    /// Whether this client has granted the role within the last minutes.
    pub is_recent: bool,
}

/// An image, and what its registry says of it.
#[derive(Debug)]
pub(crate) struct ImageFacts {
    /// As the nodes name it.
    pub reference: ImageReference,
    /// `None`: the registry was not asked. Within it, `None`: the registry does not have the image.
    pub details: Option<Read<Option<ImageDetails>>>,
}

/// A pull that has failed on a node.
pub(crate) struct FailedPull<'a> {
    pub failure: &'a PullFailure,
    /// `None`: the reference is invalid.
    pub image: Option<&'a ImageReference>,
    pub platform: Option<&'a Platform>,
    /// Client ID of the identity that the node pulls with, and the node's pool, by the node's labels.
    pub node: Option<(&'a str, &'a str)>,
    /// The pod's pull secrets.
    pub secrets: &'a [&'a ObservedSecret],
}

impl Unread {
    /// The reason and the missing action of an error.
    pub fn of(err: &Error) -> Self {
        let need = Need {
            action: err.missing_action().map(str::to_owned),
            scope: err.scope().map(str::to_owned),
            smallest_role: err.smallest_role().map(str::to_owned),
            option: None,
            reason: err.to_string(),
        };
        Self { need, status: err.status(), is_of_another_tenant: err.is_of_another_tenant() }
    }

    /// Something at a registry that was not found.
    pub fn of_no_registry() -> Self {
        Self { need: Need::reason("the registry was not found"), status: None, is_of_another_tenant: false }
    }
}

/// Sorts out the errors that end a check: nothing can be said without the cluster, and a cancelled call ends.
pub(crate) fn read<T>(result: Result<T, Error>) -> Result<Read<T>, Error> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(Err(Unread::of(&err))),
        Err(err) => Err(err),
    }
}
