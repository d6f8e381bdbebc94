//! Step by step: read everything, compare the modes, grant what is missing, wait until it is effective, change the mode, clean up.

use super::{
    EquivalentRole, KeptRole, ModeChange, ModeChangeOptions, ModeChangeOutcome, ModeChangePlan,
    compare::{Change, Difference, Has, Observed, Settings, compare, holders},
    plan::{AccessChange, ApplyModeChangeOptions, ChangeReason, VERSION},
};
use crate::{
    action::READ_ROLE,
    call::{Call, Poll, Polling},
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    inventory::ListedCluster,
    operation::{
        Parts,
        attach::{GOOD_FOR, check_before, check_is_current, check_version},
        attachments::find_clusters,
        delete_registry::{RegistryPart, UnreadPart, unlisted},
        recent::CREDENTIAL_LIFE,
    },
    registry::{RegistryRef, RegistryUpdate},
    role::{DenyAssignment, Grant, Granted, PrincipalType, RoleAssignment, RoleAssignmentMode, Roles},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const APPLY_DEADLINE: Duration = Duration::from_secs(30 * 60);
const STEP: &str = "reading the registry, its role assignments and the clusters";
/// How many role assignments are written at the same time.
const AT_A_TIME: usize = 8;
/// How long a list may lag behind a write.
const LONGEST_LAG: Duration = Duration::from_secs(60);
/// How often the role assignments are read while they become effective: one that is removed meanwhile is noticed.
const PACE: Duration = Duration::from_secs(60);

pub(crate) async fn plan(
    parts: &Parts,
    registry: &RegistryRef,
    mode: RoleAssignmentMode,
    options: &ModeChangeOptions,
    call: &Call,
) -> Result<ModeChangePlan> {
    registry.check_cloud(parts.cloud())?;
    let (found, unread) = call.step(STEP, gather(parts, registry, call)).await?;
    let change = Change { from: found.registry.mode, to: mode };
    let settings = Settings {
        allow_wider: options.allow_wider,
        keep_inherited: options.keep_inherited,
        keep_listing: options.keep_listing,
    };
    let Difference { grants, lost, gained, stopped, clusters } = compare(&found, change, settings, &[])?;
    Ok(ModeChangePlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        registry: found.registry.id,
        from: change.from,
        to: change.to,
        grants,
        lost,
        gained,
        stopped,
        remove: Vec::new(),
        clusters,
        unread,
        allow_wider: settings.allow_wider,
        keep_inherited: settings.keep_inherited,
        keep_listing: settings.keep_listing,
    })
}

pub(crate) async fn apply_plan(
    parts: &Parts,
    plan: &ModeChangePlan,
    options: &ApplyModeChangeOptions,
    call: &Call,
) -> Result<ModeChange> {
    let reverse = options.reverse.then(|| plan.reverse());
    let plan = reverse.as_ref().unwrap_or(plan);
    check(parts, plan, options)?;
    let registry = RegistryRef::of_id(plan.registry.clone())?;
    let (found, _) = call.step(STEP, gather(parts, &registry, call)).await?;
    if !options.reverse {
        check_is_current(plan.expires, parts.time())?;
    }
    let missing = plan.missing(&found)?;
    plan.check_kept(&found)?;
    let made = grant(parts, plan, &missing, call).await?;
    let is_changed = found.registry.mode == plan.to;
    let mut done = ModeChange {
        outcome: if is_changed { ModeChangeOutcome::AlreadyChanged } else { ModeChangeOutcome::Changed },
        registry: plan.registry.clone(),
        mode: plan.to,
        granted: made.kept,
        removed: Vec::new(),
        gone: made.gone,
        clusters: plan.clusters.clone(),
        credentials_until: None,
        correlation_id: None,
    };
    // What was written is read again.
    let listed =
        if missing.is_empty() { found.assignments.clone() } else { read_again(parts, plan, &done.gone, call).await? };
    done.complete(plan, &listed);
    let listed = if is_changed {
        listed
    } else {
        let listed = wait(parts, plan, (listed, options.propagation_time), call).await?;
        plan.check_again(parts, found, &listed, &done.gone, call).await?;
        let update = RegistryUpdate::default().with_mode(plan.to);
        let changed = parts.registry_importer().update(&plan.registry, &update, call).await?;
        if changed.registry.mode != plan.to {
            let text = "Azure accepted the change, but the registry has the old mode; apply the plan again";
            let err = Error::new(ErrorKind::Unexpected, text).with_transient(true);
            return Err(err.with_context("registry", plan.registry.name()));
        }
        parts.recent_mode_changes.add(&plan.registry, parts.time());
        done.credentials_until = Some(parts.time() + CREDENTIAL_LIFE);
        done.correlation_id = changed.correlation_id;
        listed
    };
    done.removed = remove(parts, plan, &listed, call).await?;
    Ok(done)
}

/// Rejects before the first request what the caller has not accepted.
fn check(parts: &Parts, plan: &ModeChangePlan, options: &ApplyModeChangeOptions) -> Result<()> {
    if options.reverse {
        check_version(plan.version, VERSION)?;
    } else {
        check_before(parts, plan.version, VERSION, plan.expires)?;
    }
    let lost: Vec<String> = plan.lost.iter().filter(|one| one.is_a_loss()).map(ToString::to_string).collect();
    if options.accept_loss || lost.is_empty() {
        return Ok(());
    }
    let text = "principals would lose access by this plan; review its `lost`, and set accept_loss to apply it anyway";
    Err(Error::invalid(text, "accept_loss", "false").with_context("lost", lost.join("; ")))
}

async fn gather(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<(Observed, Vec<UnreadPart>)> {
    let own = registry.subscription(parts.subscription_id());
    let at_registry = async {
        let found = async { parts.find_registry(registry, call).await };
        let (found, assignments, denials) = if let Some(id) = registry.id() {
            let assignments = parts.role_assigner().list(id, call);
            futures::try_join!(found, assignments, denials(parts, id, call))?
        } else {
            let found = found.await?;
            let assignments = parts.role_assigner().list(&found.id, call);
            let (assignments, denials) = futures::try_join!(assignments, denials(parts, &found.id, call))?;
            (found, assignments, denials)
        };
        let roles = Roles::read(parts.role_assigner(), Some(&found.id), &assignments, call).await?;
        Ok((found, assignments, denials, roles))
    };
    let ((registry, assignments, denials, roles), (subscriptions, clusters)) =
        futures::try_join!(at_registry, find_clusters(parts, own, &[], call))?;
    let mut unread = Vec::new();
    let denials = denials.unwrap_or_else(|part| {
        unread.push(part);
        Vec::new()
    });
    unread.extend([own].iter().filter(|one| !subscriptions.contains(one)).map(unlisted));
    let kubelet = |one: ListedCluster| Some((one.identities.kubelet.as_ref()?.object_id, one.id));
    let kubelets = clusters.into_iter().filter_map(kubelet).collect();
    Ok((Observed { registry, assignments, denials, roles, kubelets }, unread))
}

/// Without the permission to list them, the plan says so.
async fn denials(parts: &Parts, registry: &ResourceId, call: &Call) -> Result<Result<Vec<DenyAssignment>, UnreadPart>> {
    match parts.inventory().deny_assignments(registry, call).await {
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(Err(UnreadPart::of(RegistryPart::DenyAssignments, &err))),
        listed => listed.map(Ok),
    }
}

impl AccessChange {
    /// Whether access ends that the principal had, and not only what came with the change that is undone.
    fn is_a_loss(&self) -> bool {
        self.reason != ChangeReason::OtherMode
    }

    fn covers(&self, other: &Self) -> bool {
        self.principal_id == other.principal_id && other.access.iter().all(|access| self.access.contains(access))
    }
}

impl ModeChangePlan {
    fn change(&self) -> Change {
        Change { from: self.from, to: self.to }
    }

    /// The roles that are still missing. An error if another principal would lose access: something has changed since the plan was made.
    fn missing(&self, found: &Observed) -> Result<Vec<EquivalentRole>> {
        let settings = Settings {
            allow_wider: self.allow_wider,
            keep_inherited: self.keep_inherited,
            keep_listing: self.keep_listing,
        };
        let now = compare(found, self.change(), settings, &self.remove)?;
        if let Some(lost) = now.lost.iter().find(|lost| !self.lost.iter().any(|planned| planned.covers(lost))) {
            if lost.reason == ChangeReason::RoleNotRead {
                let text = "the caller cannot read a role definition that the plan could read; nothing was written";
                return Err(
                    Error::new(ErrorKind::Forbidden, text).with_missing_action(READ_ROLE, self.registry.as_str())
                );
            }
            return Err(self.outdated().with_context("would lose access", lost.to_string()));
        }
        let (planned, new): (Vec<_>, Vec<_>) = now
            .grants
            .into_iter()
            .partition(|one| self.grants.iter().any(|planned| planned.is(one.principal_id, one.role_definition_id)));
        let is_accepted = |one: &EquivalentRole| {
            let lost = AccessChange { access: one.keeps.clone(), ..one.as_change() };
            self.lost.iter().any(|planned| planned.covers(&lost))
        };
        if let Some(one) = new.iter().find(|one| !is_accepted(one)) {
            return Err(self.outdated().with_context("not in the plan", one.to_string()));
        }
        Ok(planned)
    }

    /// What a plan that is undone has kept must be allowed by the roles from before the change.
    fn check_kept(&self, found: &Observed) -> Result<()> {
        let holders = holders(found, &[])?;
        for one in &self.remove {
            let holder = holders.iter().find(|holder| holder.id == one.principal_id);
            for access in &one.keeps {
                // What the role added to was limited by a condition before.
                let wanted = if one.adds.contains(access) { Has::Limited } else { Has::Yes };
                if holder.map_or(Has::No, |holder| holder.has(found, *access, self.to)) < wanted {
                    let err = self.outdated().with_context("would lose access", one.principal_id.to_string());
                    return Err(err.with_context("access", access.as_str()));
                }
            }
        }
        Ok(())
    }

    /// A principal may have got access while the call waited.
    async fn check_again(
        &self,
        parts: &Parts,
        found: Observed,
        listed: &[RoleAssignment],
        gone: &[PrincipalId],
        call: &Call,
    ) -> Result<()> {
        let roles = Roles::read(parts.role_assigner(), Some(&self.registry), listed, call).await?;
        let found = Observed { assignments: listed.to_vec(), roles, ..found };
        self.check_kept(&found)?;
        match self.missing(&found)?.iter().find(|one| !gone.contains(&one.principal_id)) {
            None => Ok(()),
            Some(one) => Err(self.outdated().with_context("would lose access", one.to_string())),
        }
    }

    fn outdated(&self) -> Error {
        let text = "the role assignments have changed since the plan was made; nothing was written";
        Error::new(ErrorKind::Conflict, text).with_context("registry", self.registry.name())
    }

    fn grant(&self, role: &EquivalentRole) -> Grant {
        let kind = role.principal_type.as_deref().and_then(PrincipalType::named);
        let replaces = role.replaces.as_ref();
        Grant {
            principal_type: kind,
            replaces: replaces.map(|one| one.assignment_id.clone()),
            description: replaces.and_then(|one| one.description.clone()),
            ..Grant::new(self.registry.clone(), role.principal_id, role.role_definition_id)
        }
    }
}

impl EquivalentRole {
    fn as_change(&self) -> AccessChange {
        AccessChange {
            principal_id: self.principal_id,
            principal_type: self.principal_type.clone(),
            access: Vec::new(),
            reason: ChangeReason::OtherMode,
            assignment_ids: Vec::new(),
        }
    }

    fn is_assigned_by(&self, one: &RoleAssignment, registry: &ResourceId) -> bool {
        registry.is(&one.scope)
            && one.is_of(self.principal_id)
            && one.role_definition_id == self.role_definition_id
            && one.condition.is_none()
    }
}

/// What was granted.
struct Made {
    kept: Vec<KeptRole>,
    gone: Vec<PrincipalId>,
}

/// Grants what is missing. What was granted before a failure stays: applying the plan again goes on from there.
async fn grant(parts: &Parts, plan: &ModeChangePlan, missing: &[EquivalentRole], call: &Call) -> Result<Made> {
    let grants: Vec<_> = missing.iter().map(|role| grant_one(parts, plan, role, call)).collect();
    let done: Vec<_> = stream::iter(grants).buffer_unordered(AT_A_TIME).try_collect().await?;
    let mut made = Made { kept: Vec::new(), gone: Vec::new() };
    for (role, granted) in done {
        let Some(granted) = granted else {
            made.gone.push(role.principal_id);
            continue;
        };
        parts.recent_grants.add(&plan.registry, role.principal_id, parts.time());
        made.kept.extend(granted.assignment.map(|one| role.kept(one.id, granted.is_new)));
    }
    Ok(made)
}

/// `None`: the principal does not exist anymore. Its role assignments are left over.
async fn grant_one<'a>(
    parts: &Parts,
    plan: &ModeChangePlan,
    role: &'a EquivalentRole,
    call: &Call,
) -> Result<(&'a EquivalentRole, Option<Granted>)> {
    let step = format!("granting {} to {}", role.role_name, role.principal_id);
    match call.step(&step, parts.role_assigner().grant(&plan.grant(role), call)).await {
        Ok(granted) => Ok((role, Some(granted))),
        Err(err) if err.code() == Some("PrincipalNotFound") => Ok((role, None)),
        Err(err) => Err(err),
    }
}

impl EquivalentRole {
    fn kept(&self, assignment_id: String, is_new: bool) -> KeptRole {
        KeptRole {
            principal_id: self.principal_id,
            role_definition_id: self.role_definition_id,
            role_name: self.role_name.clone(),
            assignment_id,
            is_new,
        }
    }
}

impl ModeChange {
    /// Adds the roles of the plan that existed already, and puts all in the plan's order.
    fn complete(&mut self, plan: &ModeChangePlan, listed: &[RoleAssignment]) {
        let made = std::mem::take(&mut self.granted);
        self.granted = plan
            .grants
            .iter()
            .filter_map(|role| {
                let one = listed.iter().find(|one| role.is_assigned_by(one, &plan.registry))?;
                let new = made.iter().find(|made| role.is(made.principal_id, made.role_definition_id));
                Some(role.kept(one.id.clone(), new.is_some_and(|made| made.is_new)))
            })
            .collect();
        self.gone.sort_unstable_by_key(ToString::to_string);
        self.gone.dedup();
    }
}

/// Reads the assignments until all roles of the plan are among them: the mode must not change before.
async fn read_again(
    parts: &Parts,
    plan: &ModeChangePlan,
    gone: &[PrincipalId],
    call: &Call,
) -> Result<Vec<RoleAssignment>> {
    let poll = || async {
        let listed = parts.role_assigner().list(&plan.registry, call).await?;
        let is_missing = |role: &&EquivalentRole| {
            !gone.contains(&role.principal_id) && !listed.iter().any(|one| role.is_assigned_by(one, &plan.registry))
        };
        match plan.grants.iter().find(is_missing) {
            None => Ok(Poll::Ready(listed)),
            Some(role) => {
                let text = "a role of the plan is not among the registry's role assignments; the mode was not changed";
                let err = Error::new(ErrorKind::Conflict, text).with_transient(true);
                Ok(Poll::Failed(err.with_context("role", role.to_string())))
            }
        }
    };
    call.poll_until(Polling::new("reading the granted roles").at_most(LONGEST_LAG), poll).await
}

/// Waits until the newest of the plan's roles is effective, by Azure's clock. An earlier call may have granted it.
async fn wait(
    parts: &Parts,
    plan: &ModeChangePlan,
    (listed, propagation): (Vec<RoleAssignment>, Duration),
    call: &Call,
) -> Result<Vec<RoleAssignment>> {
    let begun = parts.time();
    let left = |listed: &[RoleAssignment]| {
        let granted =
            listed.iter().filter(|one| plan.grants.iter().any(|role| role.is_assigned_by(one, &plan.registry)));
        let since = granted.map(|one| one.updated.map_or(begun, |updated| updated.min(begun))).max()?;
        (since + propagation).duration_since(parts.time()).ok().filter(|left| !left.is_zero())
    };
    if left(&listed).is_none() {
        return Ok(listed);
    }
    let step = "waiting until the granted roles are effective";
    let poll = || async {
        let listed = parts.role_assigner().list(&plan.registry, call).await?;
        Ok(match left(&listed) {
            None => Poll::Ready(listed),
            Some(left) => {
                let status = format!("{} min left", left.as_secs().div_ceil(60));
                Poll::Pending { status: Some(status), wait: Some(left.min(PACE)) }
            }
        })
    };
    call.step(step, call.poll_until(Polling::new(step), poll)).await
}

/// Removes the roles that the undone plan granted, and restores the conditions that it removed. A role that another tool has granted
/// meanwhile stays.
async fn remove(parts: &Parts, plan: &ModeChangePlan, listed: &[RoleAssignment], call: &Call) -> Result<Vec<String>> {
    let found = plan.remove.iter().filter_map(|role| {
        let one = listed.iter().find(|one| role.is_assigned_by(one, &plan.registry))?;
        (role.replaces.is_some() || one.is_ours()).then_some((role, one))
    });
    let removals: Vec<_> = found.map(|(role, one)| remove_one(parts, plan, (role, one), call)).collect();
    let removed: Vec<Option<String>> = stream::iter(removals).buffered(AT_A_TIME).try_collect().await?;
    Ok(removed.into_iter().flatten().collect())
}

async fn remove_one(
    parts: &Parts,
    plan: &ModeChangePlan,
    (role, one): (&EquivalentRole, &RoleAssignment),
    call: &Call,
) -> Result<Option<String>> {
    let step = format!("removing {} from {}", role.role_name, role.principal_id);
    if let Some(replaced) = &role.replaces {
        let grant = Grant { condition: Some(replaced.condition.clone()), ..plan.grant(role) };
        call.step(&step, parts.role_assigner().grant(&grant, call)).await?;
        return Ok(Some(one.id.clone()));
    }
    let revoked = call.step(&step, parts.role_assigner().revoke(&one.id, call)).await?;
    parts.recent_grants.remove(&plan.registry, role.principal_id);
    Ok(revoked.was_there.then(|| one.id.clone()))
}
