//! Step by step: read the registry and its role assignments, decide as attach does, write at most once, report.

use super::{ApplyGrantAccessOptions, GrantAccessOptions, GrantAccessPlan, GrantedAccess, plan::VERSION};
use crate::{
    call::Call,
    error::{Error, Result},
    id::PrincipalId,
    operation::{
        Parts,
        attach::{
            Decision, GOOD_FOR, GrantRequest, Observed, check_before, check_condition_text, check_is_current,
            decide_with_groups, gather_at, outdated, write,
        },
    },
    registry::RegistryRef,
    role::{PrincipalType, RoleAssignment},
};
use std::time::Duration;

pub(crate) async fn grant_access(
    parts: &Parts,
    registry: &RegistryRef,
    principal: PrincipalId,
    options: &GrantAccessOptions,
    call: &Call,
) -> Result<GrantedAccess> {
    let (found, decision) = decided(parts, registry, principal, options, call).await?;
    carry_out(parts, (&found, options), decision, call).await
}

pub(crate) async fn plan(
    parts: &Parts,
    registry: &RegistryRef,
    principal: PrincipalId,
    options: &GrantAccessOptions,
    call: &Call,
) -> Result<GrantAccessPlan> {
    let (found, decision) = decided(parts, registry, principal, options, call).await?;
    Ok(GrantAccessPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        access: options.role,
        role: options.role.in_mode(found.registry().mode),
        principal_id: principal,
        principal_type: principal_type(&found, principal, options),
        condition: decision.grant.condition,
        action: decision.action,
        on_inherited_grant: options.on_inherited_grant,
        on_condition_mismatch: options.on_condition_mismatch,
        unchecked_groups: found.unchecked_groups(),
        registry: found.settings.registry.id,
    })
}

pub(crate) async fn apply_plan(
    parts: &Parts,
    plan: &GrantAccessPlan,
    how: &ApplyGrantAccessOptions,
    call: &Call,
) -> Result<GrantedAccess> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let options = plan.options(how);
    let registry = RegistryRef::of_id(plan.registry.clone())?;
    let (found, decision) = decided(parts, &registry, plan.principal_id, &options, call).await?;
    check_is_current(plan.expires, parts.time())?;
    let is_same_role = plan.access.in_mode(found.registry().mode) == plan.role;
    if !(is_same_role && decision.is_planned(&plan.action)) {
        return Err(outdated(plan));
    }
    carry_out(parts, (&found, &options), decision, call).await
}

async fn decided(
    parts: &Parts,
    registry: &RegistryRef,
    principal: PrincipalId,
    options: &GrantAccessOptions,
    call: &Call,
) -> Result<(Observed, Decision)> {
    check_condition_text(options.condition.as_deref())?;
    registry.check_cloud(parts.cloud())?;
    let mut found = call.step("reading registry and role assignments", gather_at(parts, registry, call)).await?;
    let request = GrantRequest {
        principal_id: principal,
        principal_type: principal_type(&found, principal, options),
        role_definition_id: options.role.in_mode(found.registry().mode).id(),
        wanted: options.role.wanted(),
        condition: options.condition.clone(),
        on_inherited_grant: options.on_inherited_grant,
        on_condition_mismatch: options.on_condition_mismatch,
    };
    let decision = decide_with_groups(parts, &mut found, &request, call).await?;
    Ok((found, decision))
}

/// That of the options, or of an assignment that the principal has. Azure has checked the type of that one.
fn principal_type(found: &Observed, principal: PrincipalId, options: &GrantAccessOptions) -> PrincipalType {
    let listed = || {
        let assignments: &[RoleAssignment] = found.assignments.as_deref()?;
        let mut own = assignments.iter().filter(|one| one.is_of(principal));
        own.find_map(|one| PrincipalType::named(one.principal_type.as_deref()?))
    };
    options.principal_type.or_else(listed).unwrap_or(PrincipalType::ServicePrincipal)
}

async fn carry_out(
    parts: &Parts,
    (found, options): (&Observed, &GrantAccessOptions),
    decision: Decision,
    call: &Call,
) -> Result<GrantedAccess> {
    let role = options.role.in_mode(found.registry().mode);
    let limit: Option<Duration> = options.retry_forbidden_for;
    let done = write(parts, decision, role.as_str(), limit, call).await.map_err(explain_type)?;
    Ok(GrantedAccess {
        outcome: done.outcome,
        role,
        principal_id: done.grant.principal_id,
        registry: done.grant.scope,
        assignment_id: done.assignment_id,
        condition: done.condition,
        correlation_id: done.correlation_id,
        unchecked_groups: found.unchecked_groups(),
    })
}

/// Azure's code if the principal exists with another type. Its message names that type.
fn explain_type(err: Error) -> Error {
    if err.code() != Some("UnmatchedPrincipalType") {
        return err;
    }
    err.with_context("hint", "pass the principal's type as principal_type: ServicePrincipal, Group or User")
}
