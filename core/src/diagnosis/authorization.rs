//! The stage authorization: whether a role assignment allows the identity to pull.

use super::{
    catalogue::{FindingId, PullRetry},
    condition::{Pull, Truth, evaluate},
    facts::{Facts, Grants},
    finding::{Finding, FindingStatus, Need},
    grant::MissingGrant,
    outcome::Outcome,
    stage::PullStage,
};
use crate::{
    action::{PULL, READ_CONTENT, READ_ROLE, smallest_role},
    id::PrincipalId,
    inventory::ClusterSettings,
    registry::{Registry, RegistrySettings},
    role::{Effect, PROPAGATION, RoleAssignment, RoleAssignmentMode, is_above},
};
use std::time::SystemTime;

/// A role assignment whose role allows the pull, or may allow it.
struct Held<'a> {
    assignment: &'a RoleAssignment,
    role: String,
    is_certain: bool,
    condition: Truth,
    through_group: bool,
}

impl Held<'_> {
    fn describe(&self, registry: &Registry) -> String {
        let from = if registry.id.is(&self.assignment.scope) {
            String::new()
        } else {
            format!(" from {}", self.assignment.scope)
        };
        let group =
            if self.through_group { format!(" through group {}", self.assignment.principal_id) } else { String::new() };
        format!("{}{from}{group}, assignment {}", self.role, name_of(self.assignment))
    }

    fn allows(&self) -> bool {
        self.is_certain && self.condition == Truth::True
    }

    fn seen(&self, finding: Finding) -> Finding {
        let finding = finding.seen("role assignment", "id", &self.assignment.id);
        match &self.assignment.condition {
            Some(condition) => finding.seen("role assignment", "condition", condition),
            None => finding,
        }
    }
}

fn name_of(assignment: &RoleAssignment) -> &str {
    assignment.id.rsplit('/').next().unwrap_or(&assignment.id)
}

pub(super) fn authorization(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Authorization);
    let (Ok(cluster), Ok(Some(settings))) = (&facts.cluster, &facts.registry) else { return outcome };
    if settings.anonymous_pull {
        return outcome.passed_by("anonymous pull".to_owned());
    }
    let Some(principal) = facts.principal else { return outcome };
    let grants = match &facts.grants {
        Ok(grants) => grants,
        Err(unread) => {
            return outcome.with(Finding::unknown(FindingId::UNKNOWN_ROLE_ASSIGNMENTS).needing(unread.need.clone()));
        }
    };
    let repository = facts.image.as_ref().map(|image| image.reference.repository());
    let held = held(grants, &settings.registry, principal, repository);
    let outcome = denied(facts, &settings.registry, principal, outcome);
    judge(outcome, (&held, repository), (grants, facts), (cluster, settings, principal))
}

/// What deny assignments say: they have precedence over all role assignments.
fn denied(facts: &Facts, registry: &Registry, principal: PrincipalId, outcome: Outcome) -> Outcome {
    let denials = match &facts.denials {
        Ok(denials) => denials,
        Err(unread) => {
            let text = "the deny assignments at the registry could not be read";
            let found = Finding::unknown(FindingId::UNKNOWN_ROLE_ASSIGNMENTS).saying(text);
            return outcome.with(found.needing(unread.need.clone()));
        }
    };
    denials.iter().fold(outcome, |outcome, one| {
        let text = |how: &str| format!("deny assignment {} {how} the cluster's identity from pulling", one.name);
        let seen = |found: Finding| found.seen("deny assignment", "id", &one.id);
        match one.denies_pull(&registry.id, registry.mode, principal) {
            Some(false) => outcome,
            Some(true) => outcome.with(seen(Finding::failing(FindingId::GRANT_DENIED).saying(text("keeps")))),
            None => {
                let reason = "it names groups whose members are not known, or has a condition";
                let found = Finding::unknown(FindingId::GRANT_DENIED).saying(text("may keep"));
                outcome.with(seen(found.needing(Need::reason(reason))))
            }
        }
    })
}

/// The assignments of the identity, and of its groups, whose role allows the pull or may allow it.
fn held<'a>(
    grants: &'a Grants,
    registry: &Registry,
    principal: PrincipalId,
    repository: Option<&str>,
) -> Vec<Held<'a>> {
    let action = match registry.mode {
        RoleAssignmentMode::LegacyRegistryPermissions => PULL,
        RoleAssignmentMode::AbacRepositoryPermissions => READ_CONTENT,
    };
    let reaches = |one: &RoleAssignment| registry.id.is(&one.scope) || is_above(&one.scope, registry.id.as_str());
    let own = grants.assignments.iter().filter(|one| one.is_of(principal)).map(|one| (one, &grants.roles, false));
    let through = grants.groups.held.iter().map(|one| (one, &grants.groups.roles, true));
    let each = own.chain(through).filter(|(one, ..)| reaches(one));
    each.filter_map(|(assignment, roles, through_group)| {
        let effect = roles.effect(assignment.role_definition_id, Some(registry.mode));
        let condition = assignment.condition.as_deref();
        let pull = Pull { action, repository };
        (effect != Effect::None).then(|| Held {
            assignment,
            role: roles
                .name(assignment.role_definition_id)
                .unwrap_or_else(|| assignment.role_definition_id.to_string()),
            is_certain: effect == Effect::Allows,
            condition: condition.map_or(Truth::True, |condition| evaluate(condition, pull)),
            through_group,
        })
    })
    .collect()
}

/// Allowing assignments form a union, so the strongest of them decides.
fn judge(
    outcome: Outcome,
    (held, repository): (&[Held<'_>], Option<&str>),
    (grants, facts): (&Grants, &Facts),
    (cluster, settings, principal): (&ClusterSettings, &RegistrySettings, PrincipalId),
) -> Outcome {
    let registry = &settings.registry;
    let direct = held.iter().find(|one| one.allows() && !one.through_group);
    if let Some(one) = direct.or_else(|| held.iter().find(|one| one.allows())) {
        let outcome = outcome.passed_by(one.describe(registry));
        let outcome = if facts.is_mode_new { outcome.with(invalidated(registry)) } else { outcome };
        return match warning(one, grants, (registry, facts.read_at)) {
            Some(found) => outcome.with(one.seen(found)),
            None => outcome,
        };
    }
    let open = |one: &&Held<'_>| !one.is_certain && one.condition != Truth::False;
    if let Some(one) = held.iter().find(open) {
        return outcome.with(one.seen(unread_role(one)));
    }
    if let Some(one) = held.iter().find(|one| one.condition == Truth::Unknown) {
        let text = format!("role assignment {} has a condition that cannot be evaluated here", name_of(one.assignment));
        return outcome.with(one.seen(Finding::unknown(FindingId::CONDITION_NOT_EVALUATED).saying(text)));
    }
    if let Some(one) = held.iter().find(|one| one.condition == Truth::DependsOnRepository) {
        let found = Finding::warning(FindingId::LIMITED_TO_REPOSITORIES);
        return outcome.passed_by(one.describe(registry)).with(one.seen(found));
    }
    if let Some(one) = grants.groups.unchecked.first() {
        let text = format!("whether the cluster's identity is a member of group {} is not known", one.principal_id);
        let reason = "Azure did not list the role assignments of the identity's groups";
        let found = Finding::unknown(FindingId::UNKNOWN_PRINCIPAL).saying(text);
        return outcome.with(found.needing(Need::option("principal_id", reason)));
    }
    if grants.is_recent && held.is_empty() {
        let text = format!(
            "the role was granted in the last few minutes, and Azure does not list it yet on {}",
            registry.id.name()
        );
        return outcome.with(Finding::unknown(FindingId::GRANT_NOT_EFFECTIVE_YET).saying(text));
    }
    let missing = MissingGrant::new((&cluster.identities, principal), registry, &grants.assignments, &grants.roles);
    let finding = missing.finding();
    let found = Finding { message: finding.message, next_step: finding.next_step, ..Finding::failing(finding.id) };
    let found = found.seen("registry", "roleAssignmentMode", registry.mode);
    let excluded = held.iter().find(|one| one.condition == Truth::False);
    outcome.with(match (excluded, repository) {
        (Some(one), Some(repository)) => {
            let next_step = missing.next_step_for(repository, &grants.assignments);
            one.seen(Finding { next_step, ..excludes(one, found) })
        }
        (Some(one), None) => one.seen(excludes(one, found)),
        // Everything that decides was read.
        (None, _) => Finding { retry: PullRetry::Never, ..found },
    })
}

/// Nodes may hold a credential from before the mode was changed.
fn invalidated(registry: &Registry) -> Finding {
    let text = format!(
        "the mode of registry {} was changed within the last hour, and it rejects credentials that nodes have fetched before",
        registry.id.name()
    );
    let found = Finding::warning(FindingId::CREDENTIALS_INVALIDATED).saying(text);
    found.seen("registry", "roleAssignmentMode", registry.mode)
}

/// What delays a grant that exists.
fn warning(one: &Held<'_>, grants: &Grants, (registry, now): (&Registry, SystemTime)) -> Option<Finding> {
    if one.through_group {
        let text = format!(
            "the cluster's identity has access only as a member of group {}, and tokens keep earlier memberships for up to a day",
            one.assignment.principal_id
        );
        return Some(Finding::warning(FindingId::GRANT_THROUGH_GROUP).saying(text));
    }
    let is_recent = grants.is_recent || is_younger_than_propagation(one.assignment, now);
    is_recent.then(|| {
        let text = format!("the grant on registry {} was made in the last few minutes", registry.id.name());
        Finding::warning(FindingId::GRANT_NOT_EFFECTIVE_YET).saying(text)
    })
}

/// A time after `now`, of another clock, is young as well.
fn is_younger_than_propagation(assignment: &RoleAssignment, now: SystemTime) -> bool {
    assignment.updated.is_some_and(|updated| now < updated + PROPAGATION)
}

/// Whether the identity's own grant was effective when the pull failed: it was older than the time that a grant may take.
pub(super) fn is_effective(facts: &Facts, failed: Option<SystemTime>) -> bool {
    let (Ok(Some(settings)), Ok(grants), Some(principal), Some(failed)) =
        (&facts.registry, &facts.grants, facts.principal, failed)
    else {
        return false;
    };
    let repository = facts.image.as_ref().map(|image| image.reference.repository());
    let held = held(grants, &settings.registry, principal, repository);
    let is_old = |one: &Held<'_>| one.assignment.updated.is_some_and(|updated| updated + PROPAGATION <= failed);
    held.iter().any(|one| one.allows() && !one.through_group && is_old(one))
}

/// Whether another identity than the cluster's may pull, by its own grants. `None`: that is not known.
pub(super) fn may_pull(facts: &Facts, grants: &Grants, other: PrincipalId) -> Option<bool> {
    let Ok(Some(settings)) = &facts.registry else { return None };
    let repository = facts.image.as_ref().map(|image| image.reference.repository());
    let held = held(grants, &settings.registry, other, repository);
    if held.iter().any(Held::allows) {
        return Some(true);
    }
    let is_open = |one: &Held<'_>| one.condition != Truth::False;
    (grants.groups.unchecked.is_empty() && !held.iter().any(is_open)).then_some(false)
}

/// Whether no assignment gives a pull role to a principal that may be the former identity of the cluster.
pub(crate) fn no_other_may_pull(facts: &Facts) -> bool {
    let (Ok(Some(settings)), Ok(grants), Ok(cluster)) = (&facts.registry, &facts.grants, &facts.cluster) else {
        return false;
    };
    let (registry, identities) = (&settings.registry, &cluster.identities);
    let own = identities.kubelet.iter().map(|kubelet| kubelet.object_id);
    let add_ons = identities.add_ons.iter().map(|add_on| add_on.object_id);
    let known: Vec<PrincipalId> = own.chain(identities.control_plane.iter().copied()).chain(add_ons).collect();
    let is_candidate = |one: &&RoleAssignment| !one.is_of_user() && !known.iter().any(|id| one.is_of(*id));
    let reaches = |one: &RoleAssignment| registry.id.is(&one.scope) || is_above(&one.scope, registry.id.as_str());
    let effect = |one: &RoleAssignment| grants.roles.effect(one.role_definition_id, Some(registry.mode));
    let mut candidates = grants.assignments.iter().filter(is_candidate);
    !candidates.any(|one| reaches(one) && effect(one) != Effect::None)
}

fn unread_role(one: &Held<'_>) -> Finding {
    let text = format!("whether the role {} allows pulling is not known: its definition could not be read", one.role);
    Finding::unknown(FindingId::UNKNOWN_ROLE_DEFINITION).saying(text).needing(Need {
        action: Some(READ_ROLE.to_owned()),
        scope: Some(one.assignment.scope.clone()),
        smallest_role: smallest_role(READ_ROLE).map(str::to_owned),
        option: None,
        reason: "the role's definition could not be read".to_owned(),
    })
}

/// Its next step is another attach, with a condition that includes the repository.
fn excludes(one: &Held<'_>, found: Finding) -> Finding {
    let text = format!("the condition of role assignment {} excludes this repository", name_of(one.assignment));
    let row = Finding::failing(FindingId::CONDITION_EXCLUDES_REPOSITORY).saying(text);
    Finding { evidence: found.evidence, status: FindingStatus::Failing, ..row }
}
