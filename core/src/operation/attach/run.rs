//! Attach, step by step: read everything in parallel, decide, write at most once, report.

use super::{
    ApplyAttachOptions, AttachOptions, AttachOutcome, AttachPlan, Attachment, PlannedAction,
    decide::{Decision, GrantRequest, Observed, check_condition_text, decide, same_condition, wants_groups},
    plan::{GOOD_FOR, VERSION, check_before, check_is_current},
    principal::{find_principal, is_found},
};
use crate::{
    call::{Call, Poll, Polling},
    cluster::ClusterRef,
    diagnosis::{finding::Finding, obstacles},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    identity::ClusterIdentities,
    inventory::ClusterSettings,
    operation::Parts,
    registry::{Registry, RegistryRef, RegistrySettings},
    role::{Grant, Granted, GroupAccess, RoleAssignment, group_access},
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
    check_condition_text(options.condition.as_deref())?;
    let ((identities, settings), mut found) = gather(parts, cluster, registry, call).await?;
    let request = request(parts, options, &identities, found.registry(), call).await?;
    let decision = decide_with_groups(parts, &mut found, &request, call).await?;
    let at = (&identities.cluster, settings.as_ref());
    carry_out(parts, (at, &found), decision, options.retry_forbidden_for, call).await
}

pub(crate) async fn plan(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &AttachOptions,
    call: &Call,
) -> Result<AttachPlan> {
    check_condition_text(options.condition.as_deref())?;
    let ((identities, settings), mut found) = gather(parts, cluster, registry, call).await?;
    let request = request(parts, options, &identities, found.registry(), call).await?;
    let decision = decide_with_groups(parts, &mut found, &request, call).await?;
    Ok(AttachPlan {
        warnings: warnings(parts, (&identities.cluster, settings.as_ref()), &found, &decision.grant),
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        // The client that applies the plan may have another subscription.
        cluster: cluster.clone().in_subscription(identities.cluster.subscription()),
        unchecked_groups: found.unchecked_groups(),
        registry: found.registry().id.clone(),
        role: found.registry().mode.pull_role(),
        principal_id: decision.grant.principal_id,
        condition: decision.grant.condition,
        action: decision.action,
        is_principal_named: options.principal_id.is_some(),
        is_service_principal: is_found(&identities, (options.principal_id, options.query_graph)),
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
    check_condition_text(options.condition.as_deref())?;
    let registry = RegistryRef::of_id(plan.registry.clone())?;
    let ((identities, settings), mut found) = gather(parts, &plan.cluster, &registry, call).await?;
    check_is_current(plan.expires, parts.time())?;
    let request = request(parts, &options, &identities, found.registry(), call).await?;
    let decision = decide_with_groups(parts, &mut found, &request, call).await?;
    let is_same_grant =
        decision.grant.principal_id == plan.principal_id && found.registry().mode.pull_role() == plan.role;
    if !(is_same_grant && decision.is_planned(&plan.action)) {
        return Err(outdated(plan));
    }
    let at = (&identities.cluster, settings.as_ref());
    carry_out(parts, (at, &found), decision, options.retry_forbidden_for, call).await
}

pub(crate) fn outdated(plan: &impl ToString) -> Error {
    let text = "the current state has changed since the plan was made; nothing was written";
    Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string())
}

impl Decision {
    /// Whether this is what a plan says. The planned change may already be made: by an earlier try whose response was lost, or by
    /// another client. Then there is nothing to do.
    pub(crate) fn is_planned(&self, action: &PlannedAction) -> bool {
        let is_done = matches!(action, PlannedAction::Grant | PlannedAction::Replace { .. })
            && self.action == PlannedAction::Nothing { outcome: AttachOutcome::AlreadyGranted };
        self.action == *action || is_done
    }
}

/// A cluster with its settings. `None`: the caller's own part reads identities only.
type Cluster<'a> = (&'a ResourceId, Option<&'a ClusterSettings>);

/// What keeps the nodes from pulling whatever their grants are, by what was read anyway.
fn warnings(parts: &Parts, (cluster, settings): Cluster<'_>, found: &Observed, grant: &Grant) -> Vec<Finding> {
    obstacles(cluster, (settings, &found.settings), grant.principal_id, parts.time())
}

/// What has to exist, for the principal that pulls.
async fn request(
    parts: &Parts,
    options: &AttachOptions,
    identities: &ClusterIdentities,
    registry: &Registry,
    call: &Call,
) -> Result<GrantRequest> {
    let principal = find_principal(parts, identities, (options.principal_id, options.query_graph), call).await?;
    AttachOptions { principal_id: principal, ..options.clone() }.request(identities, registry)
}

/// Three reads in parallel; if the registry is given by name, the third waits for the second, which finds its ID.
async fn gather(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    call: &Call,
) -> Result<((ClusterIdentities, Option<ClusterSettings>), Observed)> {
    registry.check_cloud(parts.cloud())?;
    let at_cluster = parts.find_cluster(cluster, call);
    let at_registry = async {
        match gather_at(parts, registry, call).await {
            // Who pulls decides what is possible.
            Err(err) if err.is_of_another_tenant() => Ok(Err(err)),
            read => read.map(Ok),
        }
    };
    let all = async { futures::try_join!(at_cluster, at_registry) };
    let (cluster, found) = call.step("reading cluster, registry and role assignments", all).await?;
    match found {
        Ok(found) => Ok((cluster, found)),
        Err(err) => Err(explain_tenant(err, &cluster.0).with_context("registry", registry.as_str())),
    }
}

/// The cluster could be read with the same token, so it is in the token's tenant. See [Authenticate across
/// tenants](https://learn.microsoft.com/azure/container-registry/authenticate-aks-cross-tenant).
fn explain_tenant(err: Error, identities: &ClusterIdentities) -> Error {
    let err = err.of_kind(ErrorKind::Unsupported);
    if identities.service_principal.is_some() {
        return err
            .saying("the registry is in another tenant than the cluster with its service principal; nothing was written")
            .with_context(
                "hint",
                "make its application multi-tenant, and grant access in the registry's tenant with grant_access, to the service \
                 principal that the application has there; or import the images",
            );
    }
    err.saying(
        "the registry is in another tenant than the cluster, whose managed identity cannot have a role there; nothing was written",
    )
    .with_context(
        "hint",
        "import the images into a registry of the cluster's tenant, or use a pull secret; only a cluster with the service principal \
         of a multi-tenant application can be granted access",
    )
}

/// The registry and its role assignments, in parallel if it is given by ID.
pub(crate) async fn gather_at(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Observed> {
    let (settings, assignments) = if let Some(id) = registry.id() {
        futures::try_join!(parts.find_settings(registry, call), list(parts, id, call))?
    } else {
        let found = parts.find_settings(registry, call).await?;
        let assignments = list(parts, &found.registry.id, call).await?;
        (found, assignments)
    };
    Ok(Observed { settings, assignments, groups: GroupAccess::default() })
}

/// Decides, and reads memberships only if they matter and a group has a role that allows what is requested.
pub(crate) async fn decide_with_groups(
    parts: &Parts,
    found: &mut Observed,
    request: &GrantRequest,
    call: &Call,
) -> Result<Decision> {
    let decision = decide(found, request)?;
    if !wants_groups(&decision, request) {
        return Ok(decision);
    }
    let Some(assignments) = &found.assignments else { return Ok(decision) };
    let registry = found.registry();
    let at = (&registry.id, Some(registry.mode), request.wanted);
    found.groups = group_access(parts.role_assigner(), at, request.principal_id, assignments, call).await?;
    decide(found, request)
}

impl Observed {
    pub(crate) fn registry(&self) -> &Registry {
        &self.settings.registry
    }

    pub(crate) fn unchecked_groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = self.groups.unchecked.iter().map(|one| one.principal_id.clone()).collect();
        groups.sort();
        groups.dedup();
        groups
    }
}

/// Attaches if cluster and registry were read already: the grants are listed, and at most one is written.
pub(crate) async fn attach_found(
    parts: &Parts,
    identities: &ClusterIdentities,
    settings: &RegistrySettings,
    call: &Call,
) -> Result<Attachment> {
    let assignments = list(parts, &settings.registry.id, call).await?;
    let mut found = Observed { settings: settings.clone(), assignments, groups: GroupAccess::default() };
    let request = AttachOptions::default().request(identities, found.registry())?;
    let decision = decide_with_groups(parts, &mut found, &request, call).await?;
    carry_out(parts, ((&identities.cluster, None), &found), decision, None, call).await
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
    (cluster, found): (Cluster<'_>, &Observed),
    decision: Decision,
    retry_forbidden_for: Option<Duration>,
    call: &Call,
) -> Result<Attachment> {
    let warnings = warnings(parts, cluster, found, &decision.grant);
    let role = found.registry().mode.pull_role();
    let done = write(parts, decision, role.as_str(), retry_forbidden_for, call).await?;
    Ok(Attachment {
        outcome: done.outcome,
        role,
        principal_id: done.grant.principal_id,
        registry: done.grant.scope,
        assignment_id: done.assignment_id,
        condition: done.condition,
        correlation_id: done.correlation_id,
        unchecked_groups: found.unchecked_groups(),
        warnings,
    })
}

/// What has become of a decision.
pub(crate) struct Done {
    pub outcome: AttachOutcome,
    pub grant: Grant,
    pub assignment_id: Option<String>,
    pub condition: Option<String>,
    pub correlation_id: Option<String>,
}

/// Writes at most once, and nothing if the decision is that nothing has to be done.
pub(crate) async fn write(
    parts: &Parts,
    decision: Decision,
    role: &str,
    retry_forbidden_for: Option<Duration>,
    call: &Call,
) -> Result<Done> {
    let Decision { grant, action, existing } = decision;
    if let PlannedAction::Nothing { outcome } = action {
        let condition = existing.as_ref().and_then(|one| one.condition.clone());
        let assignment_id = existing.map(|one| one.id);
        return Ok(Done { outcome, grant, assignment_id, condition, correlation_id: None });
    }
    let step = format!("granting {role} to {}", grant.principal_id);
    let granted = call.step(&step, send(parts, &grant, retry_forbidden_for, call)).await?;
    parts.recent_grants.add(&grant.scope, grant.principal_id, parts.time());
    let condition = granted.assignment.as_ref().map_or_else(|| grant.condition.clone(), |one| one.condition.clone());
    // Else another client created the assignment after our read.
    let outcome = if granted.is_new {
        AttachOutcome::Granted
    } else if same_condition(condition.as_deref(), grant.condition.as_deref()) {
        AttachOutcome::AlreadyGranted
    } else {
        AttachOutcome::ConditionDiffers { existing: condition.clone() }
    };
    let assignment_id = granted.assignment.map(|one| one.id);
    Ok(Done { outcome, grant, assignment_id, condition, correlation_id: granted.correlation_id })
}

/// The first refusal ends it, unless the caller asked to retry for a time.
async fn send(parts: &Parts, grant: &Grant, limit: Option<Duration>, call: &Call) -> Result<Granted> {
    let poll = || async {
        match parts.role_assigner().grant(grant, call).await {
            Err(err) if limit.is_some() && err.missing_action().is_some() => Ok(Poll::Failed(err)),
            granted => granted.map(Poll::Ready),
        }
    };
    call.poll_until(Polling::new("granting the role").at_most(limit.unwrap_or_default()), poll).await
}
