//! Step by step: read everything in parallel, compare, create what is missing, report.

use super::{
    KubeletIdentityOptions, KubeletIdentityPlan, KubeletIdentitySetup, OPERATOR, PartState, PlannedIdentity,
    PlannedMembership, PlannedPull, SetUpIdentity, SetUpMembership, SetUpPull, SetUpRole, plan::VERSION,
};
use crate::{
    action::READ_GRANTS,
    call::Call,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId, check_not_empty, group_name},
    identity::{IDENTITIES, ManagedIdentity, NewIdentity, check_identity_name},
    operation::{
        Parts,
        attach::{GOOD_FOR, check_before, check_is_current},
    },
    registry::{Registry, RegistryRef},
    role::{Grant, PrincipalType, RoleAssignment, RoleAssignmentMode, is_above},
};
use futures::future::{try_join, try_join_all};
use std::{collections::HashSet, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const APPLY_DEADLINE: Duration = Duration::from_secs(10 * 60);
const STEP: &str = "reading the identities and their roles";

/// What is wanted.
struct Wanted {
    kubelet: ResourceId,
    control_plane: ResourceId,
    /// By object ID or name.
    entra_group: Option<String>,
    registries: Vec<RegistryRef>,
}

/// What was read.
struct Observed {
    kubelet: Option<ManagedIdentity>,
    control_plane: Option<ManagedIdentity>,
    /// The assignments at the kubelet identity and above. `None`: the caller lacks the permission to list them.
    at_kubelet: Option<Vec<RoleAssignment>>,
    group: Option<PrincipalId>,
    membership: PartState,
    registries: Vec<(Registry, Option<Vec<RoleAssignment>>)>,
}

pub(crate) async fn plan(
    parts: &Parts,
    group: &str,
    name: &str,
    options: &KubeletIdentityOptions,
    call: &Call,
) -> Result<KubeletIdentityPlan> {
    let wanted = check(parts, group, name, options)?;
    let found = call.step(STEP, gather(parts, &wanted, call)).await?;
    planned(parts, &wanted, &found, options.location.clone())
}

pub(crate) async fn apply_plan(parts: &Parts, plan: &KubeletIdentityPlan, call: &Call) -> Result<KubeletIdentitySetup> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let wanted = Wanted::of(plan)?;
    let found = call.step(STEP, gather(parts, &wanted, call)).await?;
    check_is_current(plan.expires, parts.time())?;
    let now = planned(parts, &wanted, &found, plan.location.clone())?;
    if !allows(plan, &now) {
        let text = "the current state has changed since the plan was made; nothing was written";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    carry_out(parts, plan, &found, call).await
}

/// Rejects invalid names before the first request.
fn check(parts: &Parts, group: &str, name: &str, options: &KubeletIdentityOptions) -> Result<Wanted> {
    group_name(group)?;
    check_identity_name("name", name)?;
    let own = || format!("{name}-control-plane");
    let control_plane = options.control_plane.clone().unwrap_or_else(own);
    check_identity_name("control_plane", &control_plane)?;
    if control_plane.eq_ignore_ascii_case(name) {
        let text = "the control plane and the nodes need an identity each";
        return Err(Error::invalid(text, "control_plane", control_plane));
    }
    check_not_empty("location", options.location.as_deref())?;
    check_not_empty("entra_group", options.entra_group.as_deref())?;
    for registry in &options.registries {
        registry.check_cloud(parts.cloud())?;
    }
    let id = |name: &str| ResourceId::new(parts.subscription_id(), group, IDENTITIES, name);
    Ok(Wanted {
        kubelet: id(name),
        control_plane: id(&control_plane),
        entra_group: options.entra_group.clone(),
        registries: options.registries.clone(),
    })
}

impl Wanted {
    fn of(plan: &KubeletIdentityPlan) -> Result<Self> {
        let id = |one: &PlannedIdentity| one.id.clone().of_type(IDENTITIES, "managed identity");
        let registries = plan.pulls.iter().map(|one| RegistryRef::of_id(one.registry.clone()));
        Ok(Self {
            kubelet: id(&plan.kubelet)?,
            control_plane: id(&plan.control_plane)?,
            entra_group: plan.membership.as_ref().map(|one| one.group.to_string()),
            registries: registries.collect::<Result<_>>()?,
        })
    }
}

async fn gather(parts: &Parts, wanted: &Wanted, call: &Call) -> Result<Observed> {
    let manager = parts.identity_manager();
    let kubelet = async {
        let kubelet = manager.find(&wanted.kubelet, call).await?;
        let listed = match &kubelet {
            Some(_) => list(parts, &wanted.kubelet, call).await?,
            None => Some(Vec::new()),
        };
        Ok((kubelet, listed))
    };
    let group = async {
        match &wanted.entra_group {
            Some(group) => manager.find_group(group, call).await.map(Some),
            None => Ok(None),
        }
    };
    let registries = try_join_all(wanted.registries.iter().map(|one| async {
        let registry = parts.find_registry(one, call).await?;
        let listed = list(parts, &registry.id, call).await?;
        Ok((registry, listed))
    }));
    let ((kubelet, at_kubelet), control_plane, group, registries) =
        futures::try_join!(kubelet, manager.find(&wanted.control_plane, call), group, registries)?;
    let membership = match (group, &kubelet) {
        (Some(group), Some(kubelet)) => match manager.is_member(group, kubelet.principal_id, call).await {
            Ok(true) => PartState::Exists,
            Ok(false) => PartState::Missing,
            Err(err) if err.kind() == ErrorKind::Forbidden => PartState::Unknown,
            Err(err) => return Err(err),
        },
        _ => PartState::Missing,
    };
    Ok(Observed { kubelet, control_plane, at_kubelet, group, membership, registries: each_once(registries) })
}

/// A registry given by name, login server and ID is one registry, and needs one grant.
fn each_once<T>(registries: Vec<(Registry, T)>) -> Vec<(Registry, T)> {
    let mut seen = HashSet::new();
    registries.into_iter().filter(|(one, _)| seen.insert(one.id.clone())).collect()
}

/// `None`: the caller lacks the permission to list them.
pub(super) async fn list(parts: &Parts, scope: &ResourceId, call: &Call) -> Result<Option<Vec<RoleAssignment>>> {
    match parts.role_assigner().list(scope, call).await {
        Ok(listed) => Ok(Some(listed)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
        Err(err) => Err(err),
    }
}

fn planned(parts: &Parts, wanted: &Wanted, found: &Observed, location: Option<String>) -> Result<KubeletIdentityPlan> {
    let principal = |one: &Option<ManagedIdentity>| one.as_ref().map(|one| one.principal_id);
    let (kubelet, control_plane) = (principal(&found.kubelet), principal(&found.control_plane));
    let operator_role = match (control_plane, &found.at_kubelet) {
        (Some(control_plane), listed) => state(&operator(&wanted.kubelet, control_plane), listed.as_deref()),
        (None, _) => PartState::Missing,
    };
    let pulls = found.registries.iter().map(|(registry, listed)| {
        check_listed(registry, listed.as_deref())?;
        let state = match found.group.or(kubelet) {
            Some(principal) => state(&pull(registry, principal, found.group.is_some()), listed.as_deref()),
            None => PartState::Missing,
        };
        Ok(PlannedPull { registry: registry.id.clone(), role: registry.mode.pull_role(), state })
    });
    Ok(KubeletIdentityPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        kubelet: PlannedIdentity { id: wanted.kubelet.clone(), principal_id: kubelet },
        control_plane: PlannedIdentity { id: wanted.control_plane.clone(), principal_id: control_plane },
        location,
        operator_role,
        membership: found.group.map(|group| PlannedMembership { group, state: found.membership }),
        pulls: pulls.collect::<Result<_>>()?,
    })
}

/// As attach: on a registry with repository permissions, a write without a list could overwrite a condition.
fn check_listed(registry: &Registry, listed: Option<&[RoleAssignment]>) -> Result<()> {
    if listed.is_some() || registry.mode == RoleAssignmentMode::LegacyRegistryPermissions {
        return Ok(());
    }
    let text = "the caller lacks the permission to list role assignments, and writing one without listing could \
                overwrite a condition";
    Err(Error::new(ErrorKind::Forbidden, text).with_missing_action(READ_GRANTS, registry.id.as_str()))
}

pub(super) fn operator(kubelet: &ResourceId, control_plane: PrincipalId) -> Grant {
    Grant::new(kubelet.clone(), control_plane, OPERATOR)
}

/// Whether the control plane's identity has its role on the kubelet identity.
pub(crate) fn has_operator(kubelet: &ResourceId, control_plane: PrincipalId, listed: &[RoleAssignment]) -> bool {
    existing(&operator(kubelet, control_plane), Some(listed)).is_some()
}

pub(super) fn pull(registry: &Registry, principal: PrincipalId, is_group: bool) -> Grant {
    let kind = if is_group { PrincipalType::Group } else { PrincipalType::ServicePrincipal };
    Grant { principal_type: Some(kind), ..Grant::new(registry.id.clone(), principal, registry.mode.pull_role().id()) }
}

/// The assignment that gives what is wanted: the same one, whatever its condition, or one above without a condition.
fn existing<'a>(grant: &Grant, listed: Option<&'a [RoleAssignment]>) -> Option<&'a RoleAssignment> {
    let gives = |one: &&RoleAssignment| {
        one.is_for(grant) || one.gives(grant) && one.condition.is_none() && is_above(&one.scope, grant.scope.as_str())
    };
    listed?.iter().find(gives)
}

fn state(grant: &Grant, listed: Option<&[RoleAssignment]>) -> PartState {
    match (listed, existing(grant, listed)) {
        (None, _) => PartState::Unknown,
        (Some(_), Some(_)) => PartState::Exists,
        (Some(_), None) => PartState::Missing,
    }
}

/// Whether nothing is needed now that was not planned: the same principals, and nothing gone that existed.
fn allows(plan: &KubeletIdentityPlan, now: &KubeletIdentityPlan) -> bool {
    let is_same = |planned: &PlannedIdentity, now: &PlannedIdentity| {
        planned.principal_id.is_none() || planned.principal_id == now.principal_id
    };
    let membership = |plan: &KubeletIdentityPlan| plan.membership.as_ref().map_or(PartState::Exists, |one| one.state);
    let pulls = plan.pulls.iter().zip(&now.pulls);
    is_same(&plan.kubelet, &now.kubelet)
        && is_same(&plan.control_plane, &now.control_plane)
        && plan.operator_role.allows(now.operator_role)
        && membership(plan).allows(membership(now))
        && plan.pulls.len() == now.pulls.len()
        && pulls.clone().all(|(planned, now)| planned.role == now.role && planned.state.allows(now.state))
}

async fn carry_out(
    parts: &Parts,
    plan: &KubeletIdentityPlan,
    found: &Observed,
    call: &Call,
) -> Result<KubeletIdentitySetup> {
    let create = |id: &ResourceId, existing: &Option<ManagedIdentity>| {
        let (new, existing) =
            (NewIdentity { location: plan.location.clone(), ..NewIdentity::new(id.clone()) }, existing.clone());
        async move { identity(parts, &new, existing, call).await }
    };
    let (kubelet, control_plane) =
        try_join(create(&plan.kubelet.id, &found.kubelet), create(&plan.control_plane.id, &found.control_plane))
            .await?;
    let principal = kubelet.principal_id;
    // What was listed before the identity existed says nothing of it, and there was nothing to list.
    let operator = operator(&kubelet.id, control_plane.principal_id);
    let operator_role = grant(parts, operator, found.at_kubelet.as_deref(), call);
    let membership = join(parts, found, principal, call);
    let pulls = try_join_all(found.registries.iter().map(|(registry, listed)| async move {
        let wanted = pull(registry, found.group.unwrap_or(principal), found.group.is_some());
        let principal_id = wanted.principal_id;
        let (role, condition) = grant(parts, wanted, listed.as_deref(), call).await?;
        Ok(SetUpPull {
            registry: registry.id.clone(),
            role: registry.mode.pull_role(),
            principal_id,
            assignment_id: role.assignment_id,
            condition,
            is_new: role.is_new,
        })
    }));
    let ((operator_role, _), membership, pulls) = futures::try_join!(operator_role, membership, pulls)?;
    Ok(KubeletIdentitySetup { kubelet, control_plane, operator_role, membership, pulls })
}

async fn identity(
    parts: &Parts,
    new: &NewIdentity,
    existing: Option<ManagedIdentity>,
    call: &Call,
) -> Result<SetUpIdentity> {
    let (identity, is_new) = if let Some(existing) = existing {
        (existing, false)
    } else {
        let step = format!("creating the identity {}", new.id.name());
        let created = call.step(&step, parts.identity_manager().create(new, call)).await?;
        (created.identity, created.is_new)
    };
    let ManagedIdentity { id, principal_id, client_id, .. } = identity;
    Ok(SetUpIdentity { id, principal_id, client_id, is_new })
}

/// The grant, and the condition of an existing one.
async fn grant(
    parts: &Parts,
    wanted: Grant,
    listed: Option<&[RoleAssignment]>,
    call: &Call,
) -> Result<(SetUpRole, Option<String>)> {
    if let Some(existing) = existing(&wanted, listed) {
        let role = SetUpRole { assignment_id: Some(existing.id.clone()), is_new: false };
        return Ok((role, existing.condition.clone()));
    }
    let wanted = Grant { is_unlisted: listed.is_none(), ..wanted };
    let step = format!("granting a role on {} to {}", wanted.scope.name(), wanted.principal_id);
    let granted = call.step(&step, parts.role_assigner().grant(&wanted, call)).await?;
    parts.recent_grants.add(&wanted.scope, wanted.principal_id, parts.time());
    let condition = granted.assignment.as_ref().and_then(|one| one.condition.clone());
    let assignment_id = granted.assignment.map(|one| one.id);
    Ok((SetUpRole { assignment_id, is_new: granted.is_new }, condition))
}

async fn join(parts: &Parts, found: &Observed, principal: PrincipalId, call: &Call) -> Result<Option<SetUpMembership>> {
    let Some(group) = found.group else { return Ok(None) };
    if found.membership == PartState::Exists {
        return Ok(Some(SetUpMembership { group, is_new: false }));
    }
    let step = format!("adding {principal} to the Entra group {group}");
    let is_new = call.step(&step, parts.identity_manager().add_member(group, principal, call)).await?;
    Ok(Some(SetUpMembership { group, is_new }))
}
