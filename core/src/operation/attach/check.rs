//! Whether a cluster may pull from a registry, for a wait that would be pointless without a grant.

use super::{PrincipalAdvice, decide::principal, run::list};
use crate::{
    action::READ_GRANTS,
    call::{Call, Poll, Polling},
    cluster::ClusterRef,
    diagnosis::grant::MissingGrant,
    error::{ErrorKind, Result},
    http::MissingReads,
    id::PrincipalId,
    identity::ClusterIdentities,
    operation::Parts,
    registry::Registry,
    role::{Effect, GroupAccess, RoleAssignment, Roles, Wanted, group_access, is_above},
};

/// The state of the grants of a cluster's identity at a registry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GrantCheck {
    /// It has a grant that may not be effective yet.
    Exists,
    /// All of its grants have conditions, which may exclude the repository. With the first condition.
    Conditional(String),
    /// It has no direct grant; a group has one, and whether that counts is uncertain. With a description.
    PerhapsThroughGroup(String),
    /// It is a member of a group with a grant, described in the text.
    ThroughGroup(String),
    /// It has no grant of any kind, and consecutive reads agree.
    Missing(Box<MissingGrant>),
    /// No grant is listed, and the deadline is too short for further reads.
    NotListedYet(Box<MissingGrant>),
    /// The cluster has neither a kubelet identity nor a service principal.
    NoIdentity,
    /// The caller lacks the permission to list them, named in the text.
    NotChecked(String),
}

/// How many consecutive lists must agree that there is no grant. A grant that is missing is by far the commonest reason for a refused
/// pull, so they are read within three seconds. A grant that another client has just made, and that no replica shows for so long,
/// costs the caller a second call; the grants of this client are remembered for that.
const READS: u32 = 7;

/// Reads the grants of a cluster's kubelet identity at a registry.
pub(crate) async fn check_grant(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &Registry,
    call: &Call,
) -> Result<GrantCheck> {
    let identities = parts.identity_resolver().identities(cluster, call);
    let (identities, assignments) = futures::try_join!(identities, list(parts, &registry.id, call))?;
    if has_no_identity(&identities) {
        return Ok(GrantCheck::NoIdentity);
    }
    let principal = principal(&identities, None, PrincipalAdvice::ListByRegistry)?;
    let found = |assignments| (&identities, registry, assignments);
    let first = check_listed(parts, found(assignments), principal, call).await?;
    let GrantCheck::Missing(missing) = first else { return Ok(first) };
    if parts.recent_grants.has(&registry.id, principal, parts.time()) {
        return Ok(GrantCheck::Exists);
    }
    // A replica that lags lists none right after an attach.
    let missing_reads = MissingReads::brief(READS);
    missing_reads.not_found::<GrantCheck>();
    let poll = || async {
        let assignments = list(parts, &registry.id, call).await?;
        Ok(match check_listed(parts, found(assignments), principal, call).await? {
            GrantCheck::Missing(missing) => {
                missing_reads.not_found().unwrap_or(Poll::Ready(GrantCheck::Missing(missing)))
            }
            check => Poll::Ready(check),
        })
    };
    match call.poll_until(Polling::new("reading the role assignment").quick(), poll).await {
        Err(err) if err.kind() == ErrorKind::DeadlineExceeded => Ok(GrantCheck::NotListedYet(missing)),
        checked => checked,
    }
}

/// A cluster that is being created may get one.
fn has_no_identity(identities: &ClusterIdentities) -> bool {
    let is_settled = !identities.state.is_empty() && !identities.state.eq_ignore_ascii_case("creating");
    is_settled && identities.kubelet.is_none() && identities.service_principal.is_none()
}

/// The result of one list.
async fn check_listed(
    parts: &Parts,
    (identities, registry, assignments): (&ClusterIdentities, &Registry, Option<Vec<RoleAssignment>>),
    principal: PrincipalId,
    call: &Call,
) -> Result<GrantCheck> {
    let Some(assignments) = assignments else {
        return Ok(GrantCheck::NotChecked(format!("the caller lacks {READ_GRANTS} on {}", registry.id)));
    };
    let own: Vec<RoleAssignment> = assignments.iter().filter(|one| one.is_of(principal)).cloned().collect();
    let (id, mode) = (&registry.id, Some(registry.mode));
    let roles = Roles::read(parts.role_assigner(), Some(id), &own, call).await?;
    let reaches = |one: &RoleAssignment| id.is(&one.scope) || is_above(&one.scope, id.as_str());
    let effective =
        || own.iter().filter(|one| reaches(one) && roles.effect(one.role_definition_id, mode) != Effect::None);
    if effective().any(|one| one.condition.is_none()) {
        return Ok(GrantCheck::Exists);
    }
    if let Some(condition) = effective().find_map(|one| one.condition.clone()) {
        return Ok(GrantCheck::Conditional(condition));
    }
    let groups = group_access(parts.role_assigner(), (id, mode, Wanted::PULL), principal, &assignments, call).await?;
    Ok(judge((identities, registry), &assignments, (&groups, &roles), principal))
}

/// Changes made in Entra ID in the last few minutes may not be visible yet, so a group with a grant on the registry itself, which
/// exists only for pulls, leaves the result open. A group with rights on a whole subscription does not.
fn judge(
    (identities, at): (&ClusterIdentities, &Registry),
    assignments: &[RoleAssignment],
    (groups, roles): (&GroupAccess, &Roles),
    principal: PrincipalId,
) -> GrantCheck {
    let registry = &at.id;
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
    GrantCheck::Missing(Box::new(MissingGrant::new((identities, principal), at, assignments, roles)))
}
