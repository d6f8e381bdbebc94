//! Whether a cluster may pull from a registry, for a wait that a missing grant would make pointless.

use super::{
    Otherwise,
    decide::{Found, principal},
    run::list,
};
use crate::{
    action::READ_GRANTS,
    call::{Call, Poll, Polling},
    cluster::ClusterRef,
    error::{ErrorKind, Result},
    http::{PACE, Unseen},
    id::PrincipalId,
    operation::Parts,
    registry::Registry,
    role::{Effect, GroupAccess, RoleAssignment, Roles, group_access, is_above},
};

/// What is known of the grants of a cluster's identity at a registry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GrantCheck {
    /// It has one, which may not be effective yet.
    Exists,
    /// It has none of its own; a group has one, and whether that counts cannot be said for certain. In words.
    PerhapsThroughGroup(String),
    /// It is a member of a group that has one: the group, in words.
    ThroughGroup(String),
    /// It has none, by whatever way, and reads in a row agree: which one, in words.
    Missing(String),
    /// None is listed, and the deadline leaves no time for reads that agree: which one, in words.
    NotListedYet(String),
    /// The caller may not list them: what is missing for that, in words.
    NotChecked(String),
}

/// Looks at the grants of a cluster's kubelet identity at a registry.
pub(crate) async fn check_grant(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &Registry,
    call: &Call,
) -> Result<GrantCheck> {
    let identities = parts.identity_resolver().identities(cluster, call);
    let (identities, assignments) = futures::try_join!(identities, list(parts, &registry.id, call))?;
    let principal = principal(&identities, None, Otherwise::AskRegistry)?;
    let found = |assignments| Found {
        identities: identities.clone(),
        registry: registry.clone(),
        assignments,
        groups: GroupAccess::default(),
    };
    let first = check_listed(parts, &found(assignments), principal, call).await?;
    let GrantCheck::Missing(missing) = first else { return Ok(first) };
    // A replica that lags lists none right after an attach.
    let unseen = Unseen::default();
    unseen.not_shown::<GrantCheck>();
    let poll = || async {
        let assignments = list(parts, &registry.id, call).await?;
        Ok(match check_listed(parts, &found(assignments), principal, call).await? {
            GrantCheck::Missing(missing) => unseen.not_shown().unwrap_or(Poll::Ready(GrantCheck::Missing(missing))),
            check => Poll::Ready(check),
        })
    };
    match call.poll_until(Polling::new("reading the role assignment").after(Some(PACE)), poll).await {
        Err(err) if err.kind() == ErrorKind::DeadlineExceeded => Ok(GrantCheck::NotListedYet(missing)),
        checked => checked,
    }
}

/// What one list says.
async fn check_listed(parts: &Parts, found: &Found, principal: PrincipalId, call: &Call) -> Result<GrantCheck> {
    let Some(assignments) = &found.assignments else {
        return Ok(GrantCheck::NotChecked(format!("the caller lacks {READ_GRANTS} on {}", found.registry.id)));
    };
    let own: Vec<RoleAssignment> = assignments.iter().filter(|one| one.is_of(principal)).cloned().collect();
    let (id, mode) = (&found.registry.id, Some(found.registry.mode));
    let roles = Roles::read(parts.role_assigner(), Some(id), &own, call).await?;
    let reaches = |one: &RoleAssignment| id.is(&one.scope) || is_above(&one.scope, id.as_str());
    if own.iter().any(|one| reaches(one) && roles.effect(one.role_definition_id, mode) != Effect::None) {
        return Ok(GrantCheck::Exists);
    }
    let groups = group_access(parts.role_assigner(), (id, mode), principal, assignments, call).await?;
    Ok(judge(found, &groups, principal))
}

/// What was changed in the directory minutes ago may not be seen yet: so a group with a grant on the registry itself, which is there for
/// nothing but pulls, leaves it open. One that has rights on all of a subscription does not.
fn judge(found: &Found, groups: &GroupAccess, principal: PrincipalId) -> GrantCheck {
    let (role, registry) = (found.registry.mode.pull_role(), &found.registry.id);
    let named = |one: &RoleAssignment| {
        let role = groups.roles.name(one.role_definition_id).unwrap_or_else(|| one.role_definition_id.to_string());
        let from = if registry.is(&one.scope) { String::new() } else { format!(", from {}", one.scope) };
        format!("group {}, which has {role} on {}{from}", one.principal_id, registry.name())
    };
    if let Some(one) = groups.held.first() {
        return GrantCheck::ThroughGroup(named(one));
    }
    if let Some(one) = groups.unchecked.first() {
        let text = "Azure did not say whether the kubelet identity";
        return GrantCheck::PerhapsThroughGroup(format!("{text} {principal} is a member of {}", named(one)));
    }
    if let Some(one) = groups.of_others.iter().find(|one| registry.is(&one.scope)) {
        let text =
            format!("kubelet identity {principal} has no role assignment of its own, and Azure does not list it (yet)");
        return GrantCheck::PerhapsThroughGroup(format!("{text} as a member of {}", named(one)));
    }
    GrantCheck::Missing(format!("{role} for kubelet identity {principal} on {}", registry.name()))
}
