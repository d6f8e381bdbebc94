//! Role assignments: which principal has which role at which scope.

mod access;
mod azure;
mod built_in;
mod definition;
mod deny;
mod effect;
mod eligible;
mod group_access;
mod mode;
mod name;
mod principal;
mod registry_role;

pub use access::RegistryAccess;
pub use azure::AzureRoleAssigner;
pub use definition::{RoleDefinition, RolePermissions};
pub use deny::{DeniedPrincipal, DenyAssignment};
pub use mode::{PullRole, RoleAssignmentMode};
pub use name::assignment_name;
pub use principal::PrincipalType;
pub use registry_role::{AccessRole, RegistryRole};

pub(crate) use azure::{is_our_description, list_of_principal, our_description, scope_of_assignment};
pub(crate) use built_in::{ACR_DELETE, ACR_PUSH, BuiltIn, CATALOG_LISTER, REPOSITORY_CONTRIBUTOR, REPOSITORY_WRITER};
pub(crate) use definition::action_matches;
pub(crate) use deny::list_denials;
pub(crate) use effect::{Effect, Roles, Wanted, is_above};
pub(crate) use eligible::list_eligible;
pub(crate) use group_access::{GroupAccess, group_access};

use crate::{
    call::Call,
    error::Result,
    id::{PrincipalId, ResourceId},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{Duration, SystemTime},
};
use uuid::Uuid;

/// How long a role assignment may take to become effective. See [Troubleshoot Azure
/// RBAC](https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected).
/// Users report minutes, and up to an hour with the old tokens of nodes.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(10 * 60);

/// Creates, removes and lists role assignments.
///
/// - `grant` creates at most one assignment for a scope, a principal and a role. An existing one is kept and returned. Azure has no
///   way to write only if nothing exists, so list first, as attach does. Without the permission to list, set
///   [`is_unlisted`](Grant::is_unlisted): then an existing assignment is kept too.
/// - `grant` waits for a principal that Entra ID does not know yet, for a limited time.
/// - `grant` reports the first refusal without a retry.
/// - `revoke` of a missing assignment succeeds and says so.
/// - `list` returns every assignment at the scope and above it, from all pages.
/// - `list_assigned_to` returns those that a principal has directly or through groups, nested to any depth.
/// - `definition` of an unknown role is [`NotFound`](crate::ErrorKind::NotFound).
#[async_trait]
pub trait RoleAssigner: fmt::Debug + Send + Sync + 'static {
    /// Creates a role assignment.
    async fn grant(&self, grant: &Grant, call: &Call) -> Result<Granted>;
    /// Removes the assignment with this ID. Returns whether it existed.
    async fn revoke(&self, assignment_id: &str, call: &Call) -> Result<Revoked>;
    /// The assignments at `scope` and at the scopes above it.
    async fn list(&self, scope: &ResourceId, call: &Call) -> Result<Vec<RoleAssignment>>;
    /// The assignments at `scope` and at the scopes above it that `principal` has, directly or through groups.
    async fn list_assigned_to(
        &self,
        scope: &ResourceId,
        principal: PrincipalId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>>;
    /// Reads a role definition at `scope`: a custom role exists only at its assignable scopes.
    async fn definition(&self, scope: &str, role: Uuid, call: &Call) -> Result<RoleDefinition>;
}

/// A role assignment to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grant {
    /// Its scope.
    pub scope: ResourceId,
    /// The principal that gets the role.
    pub principal_id: PrincipalId,
    /// The part of the role definition's ID that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// A condition that restricts it, in the language of Azure's attribute-based access control (ABAC), version 2.0.
    pub condition: Option<String>,
    /// ID of the assignment whose condition is replaced, if any.
    pub replaces: Option<String>,
    /// The description of the replaced assignment, which is kept.
    /// A new assignment's description names the version of this library.
    pub description: Option<String>,
    /// Whether the caller lacks the permission to list assignments, so that one may exist.
    /// A new assignment then gets a random name instead of the derived one. With the derived name, Azure would overwrite an existing
    /// assignment; with a random name, it reports that one exists.
    pub is_unlisted: bool,
    /// The principal's type. Azure rejects the wrong type; `None`: Azure looks it up, which fails for a new identity.
    pub principal_type: Option<PrincipalType>,
}

impl Grant {
    /// A grant without a condition, to a managed identity or service principal.
    #[must_use]
    pub fn new(scope: ResourceId, principal_id: PrincipalId, role_definition_id: Uuid) -> Self {
        Self {
            scope,
            principal_id,
            role_definition_id,
            condition: None,
            replaces: None,
            description: None,
            is_unlisted: false,
            principal_type: Some(PrincipalType::ServicePrincipal),
        }
    }
}

/// The result of [`RoleAssigner::grant`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Granted {
    /// The assignment. `None` if it existed but the caller lacks the permission to read it.
    pub assignment: Option<RoleAssignment>,
    /// Whether this call created it, or set its condition.
    /// This includes the case where the response to the write was lost and the retry found the assignment.
    pub is_new: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl Granted {
    /// An assignment that was created, or existed.
    #[must_use]
    pub fn new(assignment: RoleAssignment, is_new: bool) -> Self {
        Self { assignment: Some(assignment), is_new, correlation_id: None }
    }
}

/// The result of [`RoleAssigner::revoke`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// Whether this call removed one.
    /// This includes the case where the response was lost and the retry did not find the assignment.
    pub was_there: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl Revoked {
    /// An assignment that was removed, or did not exist.
    #[must_use]
    pub fn new(was_there: bool) -> Self {
        Self { was_there, correlation_id: None }
    }
}

/// A role assignment as reported by Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoleAssignment {
    /// Its resource ID.
    pub id: String,
    /// Its scope.
    pub scope: String,
    /// The principal that has the role.
    pub principal_id: String,
    /// The principal's type in Azure: `ServicePrincipal` (including managed identities), `Group`, `User`.
    pub principal_type: Option<String>,
    /// The part of the role definition's ID that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// The condition that restricts it, if any.
    pub condition: Option<String>,
    /// Its description; on assignments that this library created, the library's name and version.
    pub description: Option<String>,
    /// When it was created or last changed. A change may take minutes to become effective.
    #[serde(default, with = "crate::stored_time::option")]
    pub updated: Option<SystemTime>,
}

impl RoleAssignment {
    /// The assignment that results from a grant.
    #[must_use]
    pub fn new(id: impl Into<String>, grant: &Grant) -> Self {
        Self {
            id: id.into(),
            scope: grant.scope.to_string(),
            principal_id: grant.principal_id.to_string(),
            principal_type: None,
            role_definition_id: grant.role_definition_id,
            condition: grant.condition.clone(),
            description: None,
            updated: None,
        }
    }
}
