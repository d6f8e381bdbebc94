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
        attach::{GOOD_FOR, PrincipalAdvice, check_before, check_is_current, find_principal, is_found, principal},
        attachments::{PullGrant, pull_grants},
    },
    registry::RegistryRef,
    role::{BuiltIn, RoleAssignment, RoleAssignmentMode, Roles, Wanted, group_access},
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
    /// Whether it was found through Microsoft Graph.
    is_service_principal: bool,
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
        is_service_principal: found.is_service_principal,
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
            return Ok((named, false, None));
        }
        let identities = parts.identity_resolver().identities(cluster, call).await.map_err(explain_absent)?;
        let asked = (None, options.query_graph);
        let found = find_principal(parts, &identities, asked, call).await?;
        let principal = principal(&identities, found, PrincipalAdvice::PassPrincipal)?;
        Ok((principal, is_found(&identities, asked), Some(identities.cluster)))
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
    let ((principal_id, is_service_principal, cluster), (registry, mode, assignments)) =
        call.step("reading cluster and role assignments", all).await?;
    let of_groups = assignments.iter().filter(|one| one.is_of_group() && !one.is_of(principal_id)).cloned().collect();
    let held = decide(assignments, &registry, principal_id, options);
    Ok(Observed { registry, mode, principal_id, is_service_principal, cluster, held, of_groups })
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

pub(crate) fn about(err: Error, registry: &ResourceId) -> Error {
    if err.kind() != ErrorKind::NotFound {
        return err;
    }
    missing::explain(err, "registry", registry)
}

/// Reads what remains in parallel with the removal. The removal of each grant is attempted even if another removal failed.
async fn carry_out(parts: &Parts, found: &Observed, call: &Call) -> Result<Detachment> {
    let removals = remove_all(parts, &found.held.remove, call);
    let (removed, remaining) = futures::join!(removals, remaining(parts, found, call));
    let (removed, remaining) =
        whole(removed, remaining).map_err(|err| err.with_context("principal", found.principal_id.to_string()))?;
    let outcome = if removed.is_empty() { DetachOutcome::NothingToRemove } else { DetachOutcome::Removed };
    let removed = removed.into_iter().filter_map(|(one, correlation_id)| {
        let role = pull_role(&one)?;
        Some(RemovedGrant { assignment_id: one.id, role, condition: one.condition, correlation_id })
    });
    Ok(Detachment {
        outcome,
        principal_id: found.principal_id,
        registry: found.registry.clone(),
        removed: removed.collect(),
        remaining,
    })
}

/// A removed role assignment, and the correlation ID of its removal.
pub(crate) type Removed = (RoleAssignment, Option<String>);

/// Removes role assignments in parallel. Each is attempted even if another failed: then the first error, with what was removed.
pub(crate) async fn remove_all(
    parts: &Parts,
    assignments: &[RoleAssignment],
    call: &Call,
) -> (Vec<Removed>, Option<Error>) {
    let ended = join_all(assignments.iter().map(|one| remove_one(parts, one, call))).await;
    let (mut removed, mut failed) = (Vec::new(), None);
    for one in ended {
        match one {
            Ok(gone) => removed.extend(gone),
            Err(err) => failed = failed.or(Some(err)),
        }
    }
    (removed, failed)
}

/// Both parts of a removal, or an error that says what was removed, because there is no result.
pub(crate) fn whole<T>(
    (removed, failed): (Vec<Removed>, Option<Error>),
    remaining: Result<T>,
) -> Result<(Vec<Removed>, T)> {
    match failed.map_or(remaining, Err) {
        Ok(remaining) => Ok((removed, remaining)),
        Err(err) if removed.is_empty() => Err(err),
        Err(err) => {
            let gone: Vec<&str> = removed.iter().map(|(one, _)| one.id.as_str()).collect();
            Err(err.with_context("removed before it", gone.join(", ")))
        }
    }
}

/// `None`: it was removed by another client since it was listed.
async fn remove_one(parts: &Parts, assignment: &RoleAssignment, call: &Call) -> Result<Option<Removed>> {
    let step = format!("removing {} from {}", role_text(assignment), assignment.principal_id);
    let revoked = call.step(&step, parts.role_assigner().revoke(&assignment.id, call)).await?;
    if let (Ok(scope), Ok(principal)) = (assignment.scope.parse(), assignment.principal_id.parse()) {
        parts.recent_grants.remove(&scope, principal);
    }
    Ok(revoked.was_there.then(|| (assignment.clone(), revoked.correlation_id)))
}

/// The name of a built-in role, or the ID.
fn role_text(assignment: &RoleAssignment) -> String {
    let role = assignment.role_definition_id;
    BuiltIn::of(role).map_or_else(|| format!("role {role}"), |known| known.name.to_owned())
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
    let at = (&found.registry, found.mode, Wanted::PULL);
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
