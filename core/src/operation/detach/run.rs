//! Detach, step by step: read in parallel, decide, delete in parallel, report what remains.

use super::{
    ApplyDetachOptions, DetachOptions, DetachOutcome, DetachPlan, Detachment, RemovedGrant,
    plan::{SplitAssignments, VERSION, decide},
    pull_role,
};
use crate::{
    call::Call,
    cluster::ClusterRef,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    missing,
    operation::{
        Parts,
        attach::{GOOD_FOR, PrincipalAdvice, check_before, check_is_current, principal},
        attachments::{PullGrant, pull_grants},
    },
    registry::RegistryRef,
    role::{RoleAssignment, RoleAssignmentMode, Roles, group_access},
};
use futures::future::join_all;
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);

/// What was read.
struct Observed {
    registry: ResourceId,
    /// `None`: the registry was given by its ID, and was not read.
    mode: Option<RoleAssignmentMode>,
    principal_id: PrincipalId,
    /// The cluster, if it was read.
    cluster: Option<ResourceId>,
    held: SplitAssignments,
    /// The assignments of groups at the registry and above it.
    of_groups: Vec<RoleAssignment>,
}

pub(crate) async fn detach(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &DetachOptions,
    call: &Call,
) -> Result<Detachment> {
    let found = gather(parts, cluster, registry, options, call).await?;
    carry_out(parts, &found, call).await
}

pub(crate) async fn plan(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &DetachOptions,
    call: &Call,
) -> Result<DetachPlan> {
    let found = gather(parts, cluster, registry, options, call).await?;
    let remaining = remaining(parts, &found, call).await?;
    Ok(DetachPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        // The client that applies the plan may have another subscription.
        cluster: cluster.clone().in_subscription(cluster.subscription().unwrap_or(parts.subscription_id())),
        registry: found.registry,
        principal_id: found.principal_id,
        remove: found.held.remove,
        remaining,
        is_principal_named: options.principal_id.is_some(),
        only_created_by_aks_acr: options.only_created_by_aks_acr,
    })
}

pub(crate) async fn apply_plan(
    parts: &Parts,
    plan: &DetachPlan,
    how: &ApplyDetachOptions,
    call: &Call,
) -> Result<Detachment> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let options = &plan.options(how);
    let registry = RegistryRef::of_id(plan.registry.clone())?;
    let found = gather(parts, &plan.cluster, &registry, options, call).await?;
    check_is_current(plan.expires, parts.time())?;
    let is_as_planned =
        found.principal_id == plan.principal_id && found.held.remove.iter().all(|one| plan.removes(one));
    if !is_as_planned {
        let text = "more would be removed than planned; nothing was removed";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    carry_out(parts, &found, call).await
}

/// Two reads in parallel; a registry by name is found first.
async fn gather(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &DetachOptions,
    call: &Call,
) -> Result<Observed> {
    registry.check_cloud(parts.cloud())?;
    let whose = async {
        if let Some(named) = options.principal_id {
            return Ok((named, None));
        }
        let identities = parts.identity_resolver().identities(cluster, call).await.map_err(explain_absent)?;
        Ok((principal(&identities, None, PrincipalAdvice::PassPrincipal)?, Some(identities.cluster)))
    };
    let at_registry = async {
        let (id, mode) = match registry.id() {
            Some(id) => (id.clone(), None),
            None => parts.find_registry(registry, call).await.map(|found| (found.id, Some(found.mode)))?,
        };
        let assignments = parts.role_assigner().list(&id, call).await.map_err(|err| about(err, &id))?;
        Ok((id, mode, assignments))
    };
    let all = async { futures::try_join!(whose, at_registry) };
    let ((principal_id, cluster), (registry, mode, assignments)) =
        call.step("reading cluster and role assignments", all).await?;
    let of_groups = assignments.iter().filter(|one| one.is_of_group() && !one.is_of(principal_id)).cloned().collect();
    let held = decide(assignments, &registry, principal_id, options);
    Ok(Observed { registry, mode, principal_id, cluster, held, of_groups })
}

fn explain_absent(err: Error) -> Error {
    if err.kind() != ErrorKind::NotFound {
        return err;
    }
    err.with_context(
        "hint",
        "to remove the grants of a deleted cluster, pass the object ID of its identity as principal_id",
    )
}

fn about(err: Error, registry: &ResourceId) -> Error {
    if err.kind() != ErrorKind::NotFound {
        return err;
    }
    missing::explain(err, "registry", registry)
}

/// Reads what remains in parallel with the removal. The removal of each grant is attempted even if another removal failed.
async fn carry_out(parts: &Parts, found: &Observed, call: &Call) -> Result<Detachment> {
    let removals = join_all(found.held.remove.iter().map(|one| remove_one(parts, one, call)));
    let (ended, remaining) = futures::join!(removals, remaining(parts, found, call));
    let (mut removed, mut failed) = (Vec::new(), None);
    for one in ended {
        match one {
            Ok(gone) => removed.extend(gone),
            Err(err) => failed = failed.or(Some(err)),
        }
    }
    let remaining = match failed.map_or(remaining, Err) {
        Ok(remaining) => remaining,
        Err(err) => return Err(half_done(err, found, &removed)),
    };
    let outcome = if removed.is_empty() { DetachOutcome::NothingToRemove } else { DetachOutcome::Removed };
    Ok(Detachment { outcome, principal_id: found.principal_id, registry: found.registry.clone(), removed, remaining })
}

/// Adds what was removed to the error, because there is no result.
fn half_done(err: Error, found: &Observed, removed: &[RemovedGrant]) -> Error {
    let err = err.with_context("principal", found.principal_id.to_string());
    if removed.is_empty() {
        return err;
    }
    let gone: Vec<&str> = removed.iter().map(|grant| grant.assignment_id.as_str()).collect();
    err.with_context("removed before it", gone.join(", "))
}

/// `None`: it was removed by another client since it was listed.
async fn remove_one(parts: &Parts, assignment: &RoleAssignment, call: &Call) -> Result<Option<RemovedGrant>> {
    let Some(role) = pull_role(assignment) else { return Ok(None) };
    let step = format!("removing {role} from {}", assignment.principal_id);
    let revoked = call.step(&step, parts.role_assigner().revoke(&assignment.id, call)).await?;
    if let (Ok(scope), Ok(principal)) = (assignment.scope.parse(), assignment.principal_id.parse()) {
        parts.recent_grants.remove(&scope, principal);
    }
    Ok(revoked.was_there.then(|| RemovedGrant {
        assignment_id: assignment.id.clone(),
        role,
        condition: assignment.condition.clone(),
        correlation_id: revoked.correlation_id,
    }))
}

/// Nothing more is read if the principal has nothing else, and no group has a role that allows pulling.
async fn remaining(parts: &Parts, found: &Observed, call: &Call) -> Result<Vec<PullGrant>> {
    let (own, of_groups) = futures::try_join!(remaining_own(parts, found, call), through_groups(parts, found, call))?;
    Ok(own.into_iter().chain(of_groups).collect())
}

async fn remaining_own(parts: &Parts, found: &Observed, call: &Call) -> Result<Vec<PullGrant>> {
    let keep = &found.held.keep;
    if keep.is_empty() {
        return Ok(Vec::new());
    }
    let roles = Roles::read(parts.role_assigner(), Some(&found.registry), keep, call);
    let (mode, roles) = futures::try_join!(mode(parts, found, call), roles)?;
    let remaining = pull_grants(&found.registry, mode, keep, &roles)?;
    let known = |grant: PullGrant| match &found.cluster {
        Some(cluster) => grant.held_by(found.principal_id, cluster),
        None => grant,
    };
    Ok(remaining.into_iter().map(known).collect())
}

/// The grants of groups with the principal as a member, and of groups where that is unknown.
async fn through_groups(parts: &Parts, found: &Observed, call: &Call) -> Result<Vec<PullGrant>> {
    let at = (&found.registry, found.mode);
    let access = group_access(parts.role_assigner(), at, found.principal_id, &found.of_groups, call).await?;
    if access.held.is_empty() && access.unchecked.is_empty() {
        return Ok(Vec::new());
    }
    let mode = mode(parts, found, call).await?;
    let held = pull_grants(&found.registry, mode, &access.held, &access.roles)?;
    let unchecked = pull_grants(&found.registry, mode, &access.unchecked, &access.roles)?;
    let known = |grant: PullGrant| grant.held_through_group(found.cluster.clone());
    Ok(held.into_iter().map(known).chain(unchecked).collect())
}

/// `None`: the caller lacks the permission to read the registry, and what remains is uncertain.
async fn mode(parts: &Parts, found: &Observed, call: &Call) -> Result<Option<RoleAssignmentMode>> {
    if found.mode.is_some() {
        return Ok(found.mode);
    }
    match parts.find_registry(&RegistryRef::of_id(found.registry.clone())?, call).await {
        Ok(registry) => Ok(Some(registry.mode)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
        Err(err) => Err(err),
    }
}
