//! A plan of revoking access, and which role assignments it removes.

use super::{AccessGrant, RevokeAccessOptions};
use crate::{
    call::CallOptions,
    error::{Error, Result},
    id::{PrincipalId, ResourceId},
    operation::{attach::or_none, span::Outcome},
    quoted::Complete,
    role::{
        ACR_DELETE, AccessRole, CATALOG_LISTER, REPOSITORY_CONTRIBUTOR, RoleAssignment, RoleAssignmentMode,
        scope_of_assignment,
    },
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};
use uuid::Uuid;

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan of what revoking access would remove. It is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it reads the current state again. Role assignments that were removed in the meantime are skipped; if more would be removed
/// than planned, nothing is removed.
///
/// `Display` starts with a line for each role assignment that would be deleted, marked with `-` and followed by its details, or
/// with a line marked with `=` if nothing would be written. A line with `!` names a role assignment that still gives access.
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevokeAccessPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The registry.
    pub registry: ResourceId,
    /// The principal whose grants would be removed, if the options named it.
    pub principal_id: Option<PrincipalId>,
    /// ID of the role assignment that would be removed, if the options named it.
    pub assignment_id: Option<String>,
    /// Whether only the roles of this access are removed.
    pub role: Option<AccessRole>,
    /// Whether only grants that this library created are removed.
    pub only_created_by_aks_acr: bool,
    /// The role assignments that would be removed. If empty, nothing would be written.
    pub remove: Vec<AccessGrant>,
    /// The role assignments that would still allow the principal to pull, push or delete, including those of its Entra groups.
    pub remaining: Vec<AccessGrant>,
}

impl RevokeAccessPlan {
    /// The options that the plan was made with.
    pub(super) fn options(&self, how: &ApplyRevokeAccessOptions) -> RevokeAccessOptions {
        RevokeAccessOptions {
            principal_id: self.principal_id,
            assignment_id: self.assignment_id.clone(),
            role: self.role,
            only_created_by_aks_acr: self.only_created_by_aks_acr,
            call: how.call.clone(),
        }
    }

    /// Whether the plan removes an assignment.
    pub(super) fn removes(&self, assignment: &RoleAssignment) -> bool {
        self.remove.iter().any(|planned| planned.assignment_id.eq_ignore_ascii_case(&assignment.id))
    }
}

/// Options for applying a plan of revoking access. The plan itself says what is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyRevokeAccessOptions {
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyRevokeAccessOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl fmt::Display for RevokeAccessPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = self.registry.name();
        if self.remove.is_empty() {
            let ours = if self.only_created_by_aks_acr { " that this library made" } else { "" };
            write!(
                f,
                "= no role assignment{ours} to remove on {registry}\n    does: nothing\n    scope: {}",
                self.registry
            )?;
            if let Some(principal) = self.principal_id {
                write!(f, "\n    principal: {principal}")?;
            }
        }
        for (index, one) in self.remove.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let role = one.role_name.clone().unwrap_or_else(|| one.role_definition_id.to_string());
            let (principal, id) = (one.principal_id, Complete(&one.assignment_id));
            write!(f, "{gap}- {} on {registry} for {principal}\n    does: deletes {id}", Complete(&role))?;
            let kind = or_none(one.principal_type.as_deref());
            write!(f, "\n    principal: {principal} (type {kind})\n    scope: {}", self.registry)?;
            let (condition, description) = (or_none(one.condition.as_deref()), or_none(one.description.as_deref()));
            write!(f, "\n    condition: {condition}\n    description: {description}")?;
        }
        for one in &self.remaining {
            write!(f, "\n! {} still gives access", Complete(&one.to_string()))?;
        }
        Ok(())
    }
}

impl Outcome for RevokeAccessPlan {}

/// Rejects options that do not say what to remove, before the first request.
pub(super) fn check_options(options: &RevokeAccessOptions) -> Result<()> {
    let Some(id) = &options.assignment_id else {
        if options.principal_id.is_some() {
            return Ok(());
        }
        let text = "what to remove is missing: give the object ID of a principal, or the ID of a role assignment";
        return Err(Error::invalid(text, "principal_id", ""));
    };
    if options.principal_id.is_some() || options.role.is_some() || options.only_created_by_aks_acr {
        let text = "a role assignment ID says exactly what is removed; leave out principal_id, role and only_created_by_aks_acr";
        return Err(Error::invalid(text, "assignment_id", id.clone()));
    }
    let is_named = id.rsplit('/').next().is_some_and(|name| Uuid::try_parse(name).is_ok());
    if is_named && !scope_of_assignment(id).is_empty() { Ok(()) } else { Err(not_an_assignment(id)) }
}

fn not_an_assignment(id: &str) -> Error {
    let text = "expected the ID of a role assignment on the registry: \
                {registry}/providers/Microsoft.Authorization/roleAssignments/{name}";
    Error::invalid(text, "assignment_id", id)
}

/// Rejects an assignment at another scope: to remove it would change more than this registry.
pub(super) fn check_scope(options: &RevokeAccessOptions, registry: &ResourceId) -> Result<()> {
    match &options.assignment_id {
        Some(id) if !registry.is(scope_of_assignment(id)) => {
            let text = "the role assignment is not on the registry itself: at its own scope it may give more than this registry";
            Err(Error::invalid(text, "assignment_id", id.clone()).with_context("registry", registry.as_str()))
        }
        _ => Ok(()),
    }
}

/// Whether an assignment at a registry or above it is to be removed.
pub(super) fn is_meant(one: &RoleAssignment, registry: &ResourceId, options: &RevokeAccessOptions) -> bool {
    let is_named = match (&options.assignment_id, options.principal_id) {
        (Some(id), _) => one.id.eq_ignore_ascii_case(id),
        (None, Some(principal)) => one.is_of(principal) && has_role(one, options.role),
        (None, None) => false,
    };
    is_named && registry.is(&one.scope) && (!options.only_created_by_aks_acr || one.is_ours())
}

/// Whether it is a role for the content of registries, and of this access.
fn has_role(one: &RoleAssignment, access: Option<AccessRole>) -> bool {
    let role = one.role_definition_id;
    let is_of = |access: &AccessRole| RoleAssignmentMode::ALL.iter().any(|mode| access.in_mode(*mode).id() == role);
    match access {
        Some(access) => is_of(&access),
        None => {
            AccessRole::ALL.iter().any(is_of) || [ACR_DELETE, REPOSITORY_CONTRIBUTOR, CATALOG_LISTER].contains(&role)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::ErrorKind,
        role::{BuiltIn, Grant, RegistryRole},
    };

    const SUBSCRIPTION: &str = "/subscriptions/22222222-2222-2222-2222-222222222222";
    const CI: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn registry() -> ResourceId {
        format!("{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myreg")
            .parse()
            .unwrap()
    }

    fn assigned(scope: &str, principal: &str, role: Uuid) -> RoleAssignment {
        let id = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", Uuid::from_u128(7));
        let grant = Grant::new(registry(), principal.parse().unwrap(), role);
        RoleAssignment { scope: scope.to_owned(), ..RoleAssignment::new(id, &grant) }
    }

    fn of_ci() -> RevokeAccessOptions {
        RevokeAccessOptions::default().with_principal_id(CI.parse().unwrap())
    }

    #[test]
    fn direct_grants_of_the_principal_are_meant_and_no_others() {
        let (registry, push) = (registry(), RegistryRole::AcrPush.id());
        let meant = |one: &RoleAssignment| is_meant(one, &registry, &of_ci());
        assert!(meant(&assigned(&registry.as_str().to_uppercase(), CI, push)));
        assert!(!meant(&assigned(SUBSCRIPTION, CI, push)), "inherited");
        assert!(!meant(&assigned(registry.as_str(), "bbbbbbbb-0000-0000-0000-000000000002", push)), "of another");
        let owner = Uuid::from_u128(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635);
        assert_eq!(BuiltIn::of(owner).map(|one| one.name), Some("Owner"));
        assert!(!meant(&assigned(registry.as_str(), CI, owner)), "not a role for content");
    }

    #[test]
    fn the_role_of_either_mode_is_meant() {
        let registry = registry();
        let pull = of_ci().with_role(AccessRole::Pull);
        let meant = |role: RegistryRole| is_meant(&assigned(registry.as_str(), CI, role.id()), &registry, &pull);
        let meant: Vec<_> = RegistryRole::ALL.iter().filter(|role| meant(**role)).collect();
        assert_eq!(meant, [&RegistryRole::AcrPull, &RegistryRole::RepositoryReader]);
    }

    #[test]
    fn what_to_remove_has_to_be_said_once_and_on_this_registry() {
        let at = |scope: &str| RevokeAccessOptions::default().with_assignment_id(assigned(scope, CI, Uuid::nil()).id);
        let registry = registry();
        assert!(
            check_options(&at(registry.as_str())).is_ok() && check_scope(&at(registry.as_str()), &registry).is_ok()
        );
        assert!(check_options(&at(SUBSCRIPTION)).is_ok() && check_scope(&at(SUBSCRIPTION), &registry).is_err());
        let id = || at(registry.as_str());
        for wrong in [
            RevokeAccessOptions::default(),
            id().with_principal_id(CI.parse().unwrap()),
            id().with_role(AccessRole::Push),
            RevokeAccessOptions::default().with_assignment_id(registry.as_str()),
            RevokeAccessOptions::default().with_assignment_id("53a3136e-bad7-5728-8a61-b32e091a9978"),
        ] {
            assert_eq!(check_options(&wrong).unwrap_err().kind(), ErrorKind::InvalidInput, "{wrong:?}");
        }
    }
}
