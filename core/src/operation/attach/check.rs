//! Whether a cluster may pull from a registry, for a wait that would be pointless without a grant.

use super::{
    PrincipalAdvice,
    decide::{Observed, principal},
    run::list,
};
use crate::{
    action::READ_GRANTS,
    call::{Call, Poll, Polling},
    cluster::ClusterRef,
    error::{ErrorKind, Result},
    http::{MissingReads, PACE},
    id::PrincipalId,
    operation::Parts,
    registry::Registry,
    role::{Effect, GroupAccess, RoleAssignment, Roles, group_access, is_above},
};

/// The state of the grants of a cluster's identity at a registry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GrantCheck {
    /// It has a grant, which may not be effective yet.
    Exists,
    /// It has no direct grant; a group has one, and whether that counts is uncertain. With a description.
    PerhapsThroughGroup(String),
    /// It is a member of a group with a grant, described in the text.
    ThroughGroup(String),
    /// It has no grant of any kind, and consecutive reads agree. With a description of the missing grant.
    Missing(String),
    /// No grant is listed, and the deadline is too short for further reads. With a description of the missing grant.
    NotListedYet(String),
    /// The caller lacks the permission to list them, named in the text.
    NotChecked(String),
}

/// Reads the grants of a cluster's kubelet identity at a registry.
pub(crate) async fn check_grant(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &Registry,
    call: &Call,
) -> Result<GrantCheck> {
    let identities = parts.identity_resolver().identities(cluster, call);
    let (identities, assignments) = futures::try_join!(identities, list(parts, &registry.id, call))?;
    let principal = principal(&identities, None, PrincipalAdvice::ListByRegistry)?;
    let found = |assignments| Observed {
        identities: identities.clone(),
        registry: registry.clone(),
        assignments,
        groups: GroupAccess::default(),
    };
    let first = check_listed(parts, &found(assignments), principal, call).await?;
    let GrantCheck::Missing(missing) = first else { return Ok(first) };
    // A replica that lags lists none right after an attach.
    let missing_reads = MissingReads::default();
    missing_reads.not_found::<GrantCheck>();
    let poll = || async {
        let assignments = list(parts, &registry.id, call).await?;
        Ok(match check_listed(parts, &found(assignments), principal, call).await? {
            GrantCheck::Missing(missing) => {
                missing_reads.not_found().unwrap_or(Poll::Ready(GrantCheck::Missing(missing)))
            }
            check => Poll::Ready(check),
        })
    };
    match call.poll_until(Polling::new("reading the role assignment").after(Some(PACE)), poll).await {
        Err(err) if err.kind() == ErrorKind::DeadlineExceeded => Ok(GrantCheck::NotListedYet(missing)),
        checked => checked,
    }
}

/// The result of one list.
async fn check_listed(parts: &Parts, found: &Observed, principal: PrincipalId, call: &Call) -> Result<GrantCheck> {
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

/// Changes in Entra ID of the last minutes may not be visible yet: so a group with a grant on the registry itself, which exists only
/// for pulls, leaves the result open. A group with rights on a whole subscription does not.
fn judge(found: &Observed, groups: &GroupAccess, principal: PrincipalId) -> GrantCheck {
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
        let text = format!("kubelet identity {principal} has no role assignment, and Azure does not list it (yet)");
        return GrantCheck::PerhapsThroughGroup(format!("{text} as a member of {}", named(one)));
    }
    GrantCheck::Missing(format!("{role} for kubelet identity {principal} on {}", registry.name()))
}
