//! Role assignments: who may do what, and where.

mod azure;
mod built_in;
mod definition;
mod effect;
mod group_access;
mod mode;
mod name;

pub use azure::AzureRoleAssigner;
pub use definition::{RoleDefinition, RolePermissions};
pub use mode::{PullRole, RoleAssignmentMode};
pub use name::assignment_name;

pub(crate) use azure::{list_of_principal, our_description};
pub(crate) use built_in::BuiltIn;
pub(crate) use effect::{Effect, Roles, is_above};
pub(crate) use group_access::{GroupAccess, group_access};

use crate::{
    call::Call,
    error::Result,
    id::{PrincipalId, ResourceId},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Grants roles, takes them back, and lists them.
///
/// - `grant` makes at most one assignment for a scope, a principal and a role. One that exists is left as it is, and is the answer.
///   Azure has no way to write only where nothing exists, so a caller lists first, as attach does; one who may not list says so
///   ([`is_unlisted`](Grant::is_unlisted)), and an assignment that exists is left alone all the same.
/// - `grant` waits for a principal that the directory does not know yet, for a limited time.
/// - `grant` reports a refusal after one refusal.
/// - `revoke` of what is not there succeeds and says so.
/// - `list` gives every assignment at the scope and above it, on all pages.
/// - `list_assigned_to` gives those that a principal holds, itself or through groups, in whatever depth.
/// - `definition` of an unknown role is [`NotFound`](crate::ErrorKind::NotFound).
#[async_trait]
pub trait RoleAssigner: fmt::Debug + Send + Sync + 'static {
    /// Makes a role assignment.
    async fn grant(&self, grant: &Grant, call: &Call) -> Result<Granted>;
    /// Removes the assignment with this id. Says whether there was one.
    async fn revoke(&self, assignment_id: &str, call: &Call) -> Result<Revoked>;
    /// The assignments at `scope` and at the scopes above it.
    async fn list(&self, scope: &ResourceId, call: &Call) -> Result<Vec<RoleAssignment>>;
    /// The assignments at `scope` and at the scopes above it that `principal` holds, itself or through groups.
    async fn list_assigned_to(
        &self,
        scope: &ResourceId,
        principal: PrincipalId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>>;
    /// What a role allows, read at `scope`: a custom role exists only at the scopes where it can be assigned.
    async fn definition(&self, scope: &str, role: Uuid, call: &Call) -> Result<RoleDefinition>;
}

/// A role assignment to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grant {
    /// Where it holds.
    pub scope: ResourceId,
    /// To whom.
    pub principal_id: PrincipalId,
    /// The role definition's id, the part that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// Narrows it, in the language of Azure's attribute-based access control, version 2.0.
    pub condition: Option<String>,
    /// Id of the assignment that this one takes the place of, where only its condition is to be another.
    pub replaces: Option<String>,
    /// The description of the assignment that this one takes the place of, which it keeps. A new one says which version of this
    /// library made it.
    pub description: Option<String>,
    /// Whether the caller may not list assignments, so that one may exist. A new one then gets a name of its own instead of the derived
    /// one, under which Azure would overwrite what exists; under another name it answers that one exists.
    pub is_unlisted: bool,
}

impl Grant {
    /// A grant without a condition.
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
        }
    }
}

/// How [`RoleAssigner::grant`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Granted {
    /// The assignment that now stands. `None` where one stood already that the caller may not read.
    pub assignment: Option<RoleAssignment>,
    /// Whether it was made, or given its condition, by this call: also where the response to the write was lost and the repeated one
    /// found it made.
    pub is_new: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl Granted {
    /// An assignment that was made, or was there.
    #[must_use]
    pub fn new(assignment: RoleAssignment, is_new: bool) -> Self {
        Self { assignment: Some(assignment), is_new, correlation_id: None }
    }
}

/// How [`RoleAssigner::revoke`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// Whether this call removed one: also where the response was lost and the repeated request found it gone.
    pub was_there: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl Revoked {
    /// An assignment that was removed, or was not there.
    #[must_use]
    pub fn new(was_there: bool) -> Self {
        Self { was_there, correlation_id: None }
    }
}

/// A role assignment as Azure has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoleAssignment {
    /// Its resource id.
    pub id: String,
    /// Where it holds.
    pub scope: String,
    /// To whom.
    pub principal_id: String,
    /// Azure's word for what the principal is: `ServicePrincipal` (a managed identity too), `Group`, `User`.
    pub principal_type: Option<String>,
    /// The role definition's id, the part that is the same in every subscription.
    pub role_definition_id: Uuid,
    /// What narrows it, if anything does.
    pub condition: Option<String>,
    /// What its maker wrote about it. This library writes its name and version.
    pub description: Option<String>,
}

impl RoleAssignment {
    /// The assignment that a grant becomes.
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
        }
    }
}
