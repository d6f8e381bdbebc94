//! Step by step: read in parallel, choose, delete in parallel, report what remains.

use super::{
    AccessGrant, AccessRevocation, ApplyRevokeAccessOptions, RevokeAccessOptions, RevokeAccessPlan,
    plan::{VERSION, check_options, check_scope, is_meant},
};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    operation::{
        Parts,
        attach::{GOOD_FOR, check_before, check_is_current},
        detach::{DetachOutcome, about, remove_all, whole},
    },
    registry::{Registry, RegistryRef},
    role::{Effect, RoleAssignment, RoleAssignmentMode, Roles, Wanted, group_access, is_above},
};

/// What was read.
struct Observed {
    registry: ResourceId,
    /// `None`: the caller lacks the permission to read the registry, and what remains is uncertain.
    mode: Option<RoleAssignmentMode>,
    principal: Option<PrincipalId>,
    remove: Vec<RoleAssignment>,
    /// All others at the registry and above it.
    others: Vec<RoleAssignment>,
}

pub(crate) async fn revoke_access(
    parts: &Parts,
    registry: &RegistryRef,
    options: &RevokeAccessOptions,
    call: &Call,
) -> Result<AccessRevocation> {
    let found = gather(parts, registry, options, call).await?;
    carry_out(parts, &found, call).await
}

pub(crate) async fn plan(
    parts: &Parts,
    registry: &RegistryRef,
    options: &RevokeAccessOptions,
    call: &Call,
) -> Result<RevokeAccessPlan> {
    let found = gather(parts, registry, options, call).await?;
    let (remaining, roles) = remaining(parts, &found, call).await?;
    let remove = found.remove.iter().map(|one| AccessGrant::of(one, &roles)).collect::<Result<_>>()?;
    Ok(RevokeAccessPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        registry: found.registry,
        principal_id: options.principal_id,
        assignment_id: options.assignment_id.clone(),
        role: options.role,
        only_created_by_aks_acr: options.only_created_by_aks_acr,
        remove,
        remaining,
    })
}

pub(crate) async fn apply_plan(
    parts: &Parts,
    plan: &RevokeAccessPlan,
    how: &ApplyRevokeAccessOptions,
    call: &Call,
) -> Result<AccessRevocation> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let registry = RegistryRef::of_id(plan.registry.clone())?;
    let found = gather(parts, &registry, &plan.options(how), call).await?;
    check_is_current(plan.expires, parts.time())?;
    if !found.remove.iter().all(|one| plan.removes(one)) {
        let text = "more would be removed than planned; nothing was removed";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    carry_out(parts, &found, call).await
}

/// Two reads, in parallel if the registry is given by ID.
async fn gather(parts: &Parts, registry: &RegistryRef, options: &RevokeAccessOptions, call: &Call) -> Result<Observed> {
    check_options(options)?;
    registry.check_cloud(parts.cloud())?;
    if let Some(id) = registry.id() {
        check_scope(options, id)?;
    }
    let read = async {
        if let Some(id) = registry.id() {
            let listed = async { parts.role_assigner().list(id, call).await.map_err(|err| about(err, id)) };
            let (mode, listed) = futures::try_join!(mode(parts, registry, call), listed)?;
            return Ok((id.clone(), mode, listed));
        }
        let Registry { id, mode, .. } = parts.find_registry(registry, call).await?;
        check_scope(options, &id)?;
        let listed = parts.role_assigner().list(&id, call).await.map_err(|err| about(err, &id))?;
        Ok((id, Some(mode), listed))
    };
    let (registry, mode, listed) = call.step("reading registry and role assignments", read).await?;
    let (remove, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|one| is_meant(one, &registry, options));
    let of_removed = || remove.first().and_then(|one: &RoleAssignment| one.principal_id.parse().ok());
    let principal = options.principal_id.or_else(of_removed);
    Ok(Observed { registry, mode, principal, remove, others })
}

async fn mode(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Option<RoleAssignmentMode>> {
    match parts.find_registry(registry, call).await {
        Ok(registry) => Ok(Some(registry.mode)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
        Err(err) => Err(err),
    }
}

/// Reads what remains in parallel with the removal.
async fn carry_out(parts: &Parts, found: &Observed, call: &Call) -> Result<AccessRevocation> {
    let removals = remove_all(parts, &found.remove, call);
    let (removed, remaining) = futures::join!(removals, remaining(parts, found, call));
    let (removed, (remaining, roles)) = whole(removed, remaining)?;
    let removed: Vec<AccessGrant> = removed
        .into_iter()
        .map(|(one, correlation_id)| Ok(AccessGrant { correlation_id, ..AccessGrant::of(&one, &roles)? }))
        .collect::<Result<_>>()?;
    Ok(AccessRevocation {
        outcome: if removed.is_empty() { DetachOutcome::NothingToRemove } else { DetachOutcome::Removed },
        registry: found.registry.clone(),
        principal_id: found.principal,
        removed,
        remaining,
    })
}

/// What still gives the principal access to the content: its own role assignments, and those of groups with it as a member, or where that
/// is unknown. With the definitions of all roles involved.
async fn remaining(parts: &Parts, found: &Observed, call: &Call) -> Result<(Vec<AccessGrant>, Roles)> {
    let Some(principal) = found.principal else { return Ok((Vec::new(), Roles::default())) };
    let (registry, assigner) = (&found.registry, parts.role_assigner());
    let reaches = |one: &RoleAssignment| registry.is(&one.scope) || is_above(&one.scope, registry.as_str());
    let own: Vec<&RoleAssignment> = found.others.iter().filter(|one| one.is_of(principal) && reaches(one)).collect();
    let of_groups = group_access(assigner, (registry, found.mode, Wanted::CONTENT), principal, &found.others, call);
    let roles = Roles::read(assigner, Some(registry), own.iter().copied().chain(&found.remove), call);
    let (of_groups, roles) = futures::try_join!(of_groups, roles)?;
    let gives =
        |one: &&RoleAssignment| roles.effect_of(one.role_definition_id, found.mode, Wanted::CONTENT) != Effect::None;
    let own = own.into_iter().filter(gives).map(|one| AccessGrant::of(one, &roles));
    let of_groups_too = of_groups.held.iter().chain(&of_groups.unchecked);
    let all = own.chain(of_groups_too.map(|one| AccessGrant::of(one, &of_groups.roles))).collect::<Result<_>>()?;
    Ok((all, roles))
}

impl AccessGrant {
    fn of(one: &RoleAssignment, roles: &Roles) -> Result<Self> {
        Ok(Self {
            assignment_id: one.id.clone(),
            principal_id: one.principal_id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?,
            principal_type: one.principal_type.clone(),
            role_definition_id: one.role_definition_id,
            role_name: roles.name(one.role_definition_id),
            scope: one.scope.clone(),
            condition: one.condition.clone(),
            description: one.description.clone(),
            correlation_id: None,
        })
    }
}
