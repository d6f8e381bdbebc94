//! Access of a principal to a registry through Entra groups.

use super::{Effect, RoleAssigner, RoleAssignment, RoleAssignmentMode, Roles, Wanted, is_above};
use crate::{
    call::Call,
    error::{ErrorKind, Result},
    id::{PrincipalId, ResourceId},
};
use serde::{Deserialize, Serialize};

/// The role assignments of groups that allow what is wanted in a registry, by whether a principal is a member.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct GroupAccess {
    /// The identity is a direct or nested member.
    pub held: Vec<RoleAssignment>,
    /// The identity is not a member according to Azure.
    /// Changes made in Entra ID in the last few minutes may not be visible yet.
    pub of_others: Vec<RoleAssignment>,
    /// Azure does not say.
    pub unchecked: Vec<RoleAssignment>,
    /// The permissions of the groups' roles.
    pub roles: Roles,
}

/// Reads from Azure which of the groups with a role that allows what is wanted at a registry the principal is in. Without such a group, nothing is sent.
///
/// `listed` are the assignments at the registry. Azure resolves memberships itself, nested ones too, so no permission in Microsoft
/// Graph is needed. See [List role
/// assignments](https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest).
pub(crate) async fn group_access(
    assigner: &dyn RoleAssigner,
    (registry, mode, wanted): (&ResourceId, Option<RoleAssignmentMode>, Wanted),
    principal: PrincipalId,
    listed: &[RoleAssignment],
    call: &Call,
) -> Result<GroupAccess> {
    let at_registry = |one: &RoleAssignment| registry.is(&one.scope) || is_above(&one.scope, registry.as_str());
    let may =
        |roles: &Roles, one: &RoleAssignment| roles.effect_of(one.role_definition_id, mode, wanted) != Effect::None;
    let is_of_another = |one: &RoleAssignment| one.is_of_group() && !one.is_of(principal);
    let unread = Roles::default();
    let of_groups: Vec<RoleAssignment> =
        listed.iter().filter(|one| is_of_another(one) && at_registry(one) && may(&unread, one)).cloned().collect();
    if of_groups.is_empty() {
        return Ok(GroupAccess::default());
    }
    let (held, roles) = futures::try_join!(
        known(assigner.list_assigned_to(registry, principal, call)),
        Roles::read(assigner, Some(registry), &of_groups, call)
    )?;
    let mut access = GroupAccess::default();
    for one in of_groups.into_iter().filter(|one| may(&roles, one)) {
        let same = |listed: &RoleAssignment| listed.id.eq_ignore_ascii_case(&one.id);
        match &held {
            None => access.unchecked.push(one),
            Some(held) if held.iter().any(same) => access.held.push(one),
            Some(_) => access.of_others.push(one),
        }
    }
    Ok(GroupAccess { roles, ..access })
}

/// If the caller lacks the permission, or the service does not respond for this principal, the result stays unknown.
async fn known<T>(asked: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    match asked.await {
        Ok(answer) => Ok(Some(answer)),
        Err(err) if matches!(err.kind(), ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::InvalidInput) => {
            Ok(None)
        }
        Err(err) => Err(err),
    }
}
