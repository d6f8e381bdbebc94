//! User-assigned managed identities, and the Entra groups that they are members of.

use super::{ApplicationCredential, ServicePrincipal};
use crate::{
    call::Call,
    error::{Error, Result},
    id::{PrincipalId, ResourceId},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The type of user-assigned identities.
pub(crate) const IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
/// The tag of the identities that this library creates; its value names the version.
pub(crate) const MARK: &str = "created-by";

/// Creates, reads and deletes user-assigned managed identities, and adds them to Entra groups.
///
/// - `find` of a missing identity is `None`; a missing resource group is [`NotFound`](crate::ErrorKind::NotFound).
/// - `create` of an existing identity changes nothing but its tags, and says so. Read first.
/// - `delete` of a missing identity succeeds and says so.
/// - Membership is read transitively: a member of a nested group is a member.
/// - `add_member` succeeds if the principal is already a member, although Microsoft Graph reports that as an error. It waits for a
///   principal that Entra ID does not know yet, for a limited time.
/// - `remove_member` of a principal that is not a member succeeds and says so.
#[async_trait]
pub trait IdentityManager: fmt::Debug + Send + Sync + 'static {
    /// The identity with this ID, if it exists.
    async fn find(&self, identity: &ResourceId, call: &Call) -> Result<Option<ManagedIdentity>>;
    /// Creates an identity.
    async fn create(&self, identity: &NewIdentity, call: &Call) -> Result<CreatedIdentity>;
    /// Deletes an identity. Returns whether it existed.
    async fn delete(&self, identity: &ResourceId, call: &Call) -> Result<bool>;
    /// The object ID of the group with this display name or object ID. A group that does not exist is
    /// [`NotFound`](crate::ErrorKind::NotFound).
    async fn find_group(&self, group: &str, call: &Call) -> Result<PrincipalId>;
    /// Whether a principal is a member of a group, directly or through other groups.
    async fn is_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool>;
    /// Adds a principal to a group. Returns whether this call did so.
    async fn add_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool>;
    /// Removes a principal from a group. Returns whether this call did so.
    async fn remove_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool>;
    /// The service principal of the application with this client ID, if the tenant has one.
    async fn service_principal(&self, client_id: &str, call: &Call) -> Result<Option<ServicePrincipal>>;
    /// The credentials of the application with this client ID. `None` if it is registered in another tenant, or in none.
    async fn application_credentials(&self, client_id: &str, call: &Call)
    -> Result<Option<Vec<ApplicationCredential>>>;
}

/// A user-assigned managed identity to create.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewIdentity {
    /// The resource ID that it will have.
    pub id: ResourceId,
    /// The region; by default the resource group's.
    pub location: Option<String>,
}

impl NewIdentity {
    /// An identity with this ID in the region of its resource group.
    #[must_use]
    pub fn new(id: ResourceId) -> Self {
        Self { id, location: None }
    }
}

/// A user-assigned managed identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManagedIdentity {
    /// Its resource ID.
    pub id: ResourceId,
    /// Its object ID, which role assignments and groups use.
    pub principal_id: PrincipalId,
    /// Its client ID, which must not be used in role assignments.
    pub client_id: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl ManagedIdentity {
    /// An identity with these IDs and without tags.
    #[must_use]
    pub fn new(id: ResourceId, principal_id: PrincipalId, client_id: impl Into<String>) -> Self {
        Self { id, principal_id, client_id: client_id.into(), tags: BTreeMap::new() }
    }
}

/// The result of [`IdentityManager::create`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedIdentity {
    /// The identity.
    pub identity: ManagedIdentity,
    /// Whether this call created it.
    /// This includes the case where the response to the write was lost and the retry found the identity.
    pub is_new: bool,
}

impl CreatedIdentity {
    /// An identity that was created, or existed.
    #[must_use]
    pub fn new(identity: ManagedIdentity, is_new: bool) -> Self {
        Self { identity, is_new }
    }
}

/// Checks the name of an identity. See [the naming
/// rules](https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagedidentity).
pub(crate) fn check_identity_name(part: &'static str, name: &str) -> Result<()> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let is_one = (3..=128).contains(&name.len())
        && name.chars().all(is_plain)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if is_one {
        return Ok(());
    }
    let wanted = "expected 3 to 128 letters, digits, '-' and '_', with a letter or digit first";
    Err(Error::invalid(wanted, part, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_identity_is_checked() {
        for name in ["abc", "kubelet-1_a", &"x".repeat(128)] {
            assert!(check_identity_name("name", name).is_ok(), "{name}");
        }
        for name in ["ab", "", "-abc", "_abc", "a.b", "a b", "größe", &"x".repeat(129)] {
            assert!(check_identity_name("name", name).is_err(), "{name}");
        }
    }
}
