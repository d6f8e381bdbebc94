//! Attach, step by step: read everything in parallel, decide, write at most once, report.

use super::{
    ApplyAttachOptions, AttachOptions, AttachOutcome, AttachPlan, Attachment, PlannedAction,
    decide::{Decision, Observed, check_options, decide, same_condition, wants_groups},
    plan::{GOOD_FOR, VERSION, check_before, check_is_current},
};
use crate::{
    call::{Call, Poll, Polling},
    cluster::ClusterRef,
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    identity::ClusterIdentities,
    operation::Parts,
    registry::{Registry, RegistryRef},
    role::{Granted, GroupAccess, PullRole, RoleAssignment, group_access},
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);

pub(crate) async fn attach(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &AttachOptions,
    call: &Call,
) -> Result<Attachment> {
    check_options(options)?;
    let mut found = gather(parts, cluster, registry, call).await?;
    let decision = decide_with_groups(parts, &mut found, options, call).await?;
    carry_out(parts, &found, decision, options, call).await
}

pub(crate) async fn plan(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &AttachOptions,
    call: &Call,
) -> Result<AttachPlan> {
    check_options(options)?;
    let mut found = gather(parts, cluster, registry, call).await?;
    let decision = decide_with_groups(parts, &mut found, options, call).await?;
    Ok(AttachPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        // The client that applies the plan may have another subscription.
        cluster: cluster.clone().in_subscription(found.identities.cluster.subscription()),
        unchecked_groups: unchecked_groups(&found),
        registry: found.registry.id.clone(),
        role: found.registry.mode.pull_role(),
        principal_id: decision.grant.principal_id,
        condition: decision.grant.condition,
        action: decision.action,
        is_principal_named: options.principal_id.is_some(),
        on_inherited_grant: options.on_inherited_grant,
        on_condition_mismatch: options.on_condition_mismatch,
    })
}

pub(crate) async fn apply_plan(
    parts: &Parts,
    plan: &AttachPlan,
    how: &ApplyAttachOptions,
    call: &Call,
) -> Result<Attachment> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let options = plan.options(how);
    check_options(&options)?;
    let mut found = gather(parts, &plan.cluster, &RegistryRef::of_id(plan.registry.clone())?, call).await?;
    check_is_current(plan.expires, parts.time())?;
    let decision = decide_with_groups(parts, &mut found, &options, call).await?;
    // The planned change may already be made: by an earlier try whose response was lost, or by another client. Then there is nothing
    // to do.
    let is_done = matches!(plan.action, PlannedAction::Grant | PlannedAction::Replace { .. })
        && decision.action == PlannedAction::Nothing { outcome: AttachOutcome::AlreadyGranted };
    let is_as_planned = decision.grant.principal_id == plan.principal_id
        && found.registry.mode.pull_role() == plan.role
        && (decision.action == plan.action || is_done);
    if !is_as_planned {
        let text = "the current state has changed since the plan was made; nothing was written";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    carry_out(parts, &found, decision, &options, call).await
}

/// Three reads in parallel; if the registry is given by name, the third waits for the second, which finds its ID.
async fn gather(parts: &Parts, cluster: &ClusterRef, registry: &RegistryRef, call: &Call) -> Result<Observed> {
    registry.check_cloud(parts.cloud())?;
    let identities = parts.identity_resolver().identities(cluster, call);
    let at_registry = async {
        if let Some(id) = registry.id() {
            return futures::try_join!(find(parts, registry, call), list(parts, id, call));
        }
        let found = find(parts, registry, call).await?;
        let assignments = list(parts, &found.id, call).await?;
        Ok((found, assignments))
    };
    let all = async { futures::try_join!(identities, at_registry) };
    let (identities, (registry, assignments)) =
        call.step("reading cluster, registry and role assignments", all).await?;
    Ok(Observed { identities, registry, assignments, groups: GroupAccess::default() })
}

/// Decides, and reads memberships only if they matter and a group has a role that allows pulling.
async fn decide_with_groups(
    parts: &Parts,
    found: &mut Observed,
    options: &AttachOptions,
    call: &Call,
) -> Result<Decision> {
    let decision = decide(found, options)?;
    if !wants_groups(&decision, options) {
        return Ok(decision);
    }
    let Some(assignments) = &found.assignments else { return Ok(decision) };
    let (registry, principal) = (&found.registry, decision.grant.principal_id);
    let at = (&registry.id, Some(registry.mode));
    found.groups = group_access(parts.role_assigner(), at, principal, assignments, call).await?;
    decide(found, options)
}

fn unchecked_groups(found: &Observed) -> Vec<String> {
    let mut groups: Vec<String> = found.groups.unchecked.iter().map(|one| one.principal_id.clone()).collect();
    groups.sort();
    groups.dedup();
    groups
}

/// Attaches if cluster and registry were read already: the grants are listed, and at most one is written.
pub(crate) async fn attach_found(
    parts: &Parts,
    identities: &ClusterIdentities,
    registry: &Registry,
    call: &Call,
) -> Result<Attachment> {
    let assignments = list(parts, &registry.id, call).await?;
    let (identities, registry) = (identities.clone(), registry.clone());
    let mut found = Observed { identities, registry, assignments, groups: GroupAccess::default() };
    let options = AttachOptions::default();
    let decision = decide_with_groups(parts, &mut found, &options, call).await?;
    carry_out(parts, &found, decision, &options, call).await
}

async fn find(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Registry> {
    parts.find_registry(registry, call).await
}

/// `None`: the caller lacks the permission to list them, which does not prevent the attach.
pub(super) async fn list(parts: &Parts, scope: &ResourceId, call: &Call) -> Result<Option<Vec<RoleAssignment>>> {
    match parts.role_assigner().list(scope, call).await {
        Ok(assignments) => Ok(Some(assignments)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
        // Azure lists nothing at a missing registry; reading the registry gives the better error.
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

async fn carry_out(
    parts: &Parts,
    found: &Observed,
    decision: Decision,
    options: &AttachOptions,
    call: &Call,
) -> Result<Attachment> {
    let role = found.registry.mode.pull_role();
    let attachment = match decision.action {
        PlannedAction::Nothing { ref outcome } => unwritten(outcome.clone(), role, &decision),
        PlannedAction::Grant | PlannedAction::Replace { .. } => write(parts, role, &decision, options, call).await?,
    };
    Ok(Attachment { unchecked_groups: unchecked_groups(found), ..attachment })
}

fn unwritten(outcome: AttachOutcome, role: PullRole, decision: &Decision) -> Attachment {
    let existing = decision.existing.as_ref();
    Attachment {
        outcome,
        role,
        principal_id: decision.grant.principal_id,
        registry: decision.grant.scope.clone(),
        assignment_id: existing.map(|one| one.id.clone()),
        condition: existing.and_then(|one| one.condition.clone()),
        correlation_id: None,
        unchecked_groups: Vec::new(),
    }
}

async fn write(
    parts: &Parts,
    role: PullRole,
    decision: &Decision,
    options: &AttachOptions,
    call: &Call,
) -> Result<Attachment> {
    let step = format!("granting {role} to {}", decision.grant.principal_id);
    let granted = call.step(&step, grant(parts, decision, options, call)).await?;
    parts.recent_grants.add(&decision.grant.scope, decision.grant.principal_id);
    let attachment = Attachment {
        outcome: AttachOutcome::Granted,
        role,
        principal_id: decision.grant.principal_id,
        registry: decision.grant.scope.clone(),
        condition: granted
            .assignment
            .as_ref()
            .map_or_else(|| decision.grant.condition.clone(), |one| one.condition.clone()),
        assignment_id: granted.assignment.map(|one| one.id),
        correlation_id: granted.correlation_id,
        unchecked_groups: Vec::new(),
    };
    if granted.is_new {
        return Ok(attachment);
    }
    // Another client created the assignment after our read.
    let outcome = if same_condition(attachment.condition.as_deref(), decision.grant.condition.as_deref()) {
        AttachOutcome::AlreadyGranted
    } else {
        AttachOutcome::ConditionDiffers { existing: attachment.condition.clone() }
    };
    Ok(Attachment { outcome, ..attachment })
}

/// The first refusal ends it, unless the caller asked to retry for a time.
async fn grant(parts: &Parts, decision: &Decision, options: &AttachOptions, call: &Call) -> Result<Granted> {
    let limit = options.retry_forbidden_for;
    let poll = || async {
        match parts.role_assigner().grant(&decision.grant, call).await {
            Err(err) if limit.is_some() && err.missing_action().is_some() => Ok(Poll::Failed(err)),
            granted => granted.map(Poll::Ready),
        }
    };
    call.poll_until(Polling::new("granting the role").at_most(limit.unwrap_or_default()), poll).await
}
