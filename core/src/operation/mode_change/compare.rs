//! Who can do what in either mode, and which roles keep it. No request is made here.

use super::plan::{AccessChange, ChangeReason, EquivalentRole, ReplacedAssignment, StoppedRole};
use crate::{
    diagnosis::condition::{Pull, Truth, evaluate},
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    registry::Registry,
    role::{
        ACR_DELETE, ACR_PUSH, BuiltIn, CATALOG_LISTER, DenyAssignment, PullRole, REPOSITORY_CONTRIBUTOR,
        REPOSITORY_WRITER, RegistryAccess, RoleAssignment, RoleAssignmentMode, Roles, is_above,
    },
};
use std::collections::HashMap;
use uuid::Uuid;

/// What was read.
pub(super) struct Observed {
    pub registry: Registry,
    pub assignments: Vec<RoleAssignment>,
    pub denials: Vec<DenyAssignment>,
    pub roles: Roles,
    /// The kubelet identities of the clusters that the caller can see.
    pub kubelets: Vec<(PrincipalId, ResourceId)>,
}

/// The two modes.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub from: RoleAssignmentMode,
    pub to: RoleAssignmentMode,
}

/// What may be granted, and to whom.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub allow_wider: bool,
    pub keep_inherited: bool,
    pub keep_listing: bool,
}

/// The difference between the modes.
#[derive(Default)]
pub(super) struct Difference {
    pub grants: Vec<EquivalentRole>,
    pub lost: Vec<AccessChange>,
    pub gained: Vec<AccessChange>,
    pub stopped: Vec<StoppedRole>,
    pub clusters: Vec<ResourceId>,
}

/// Whether a principal can do something, the strongest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Has {
    No,
    /// A role or its condition is not understood.
    Unknown,
    /// In some repositories.
    Limited,
    Yes,
}

/// A principal with its assignments at the registry and above it.
pub(super) struct Holder<'a> {
    pub(super) id: PrincipalId,
    kind: Option<&'a str>,
    assignments: Vec<&'a RoleAssignment>,
    clusters: Vec<ResourceId>,
}

/// The roles of each mode. Of each row, a principal gets the first role that has all that is wanted of the row.
fn rows(mode: RoleAssignmentMode) -> &'static [&'static [Uuid]] {
    match mode {
        RoleAssignmentMode::LegacyRegistryPermissions => {
            const { &[&[PullRole::AcrPull.id(), ACR_PUSH], &[ACR_DELETE]] }
        }
        RoleAssignmentMode::AbacRepositoryPermissions => {
            const { &[&[PullRole::RepositoryReader.id(), REPOSITORY_WRITER, REPOSITORY_CONTRIBUTOR], &[CATALOG_LISTER]] }
        }
    }
}

fn allows(role: Uuid, access: RegistryAccess, mode: RoleAssignmentMode) -> bool {
    BuiltIn::of(role).is_some_and(|known| known.allows(access, mode))
}

/// Compares what each principal can do in the two modes. The roles `without` do not count: a change that is undone removes them.
pub(super) fn compare(
    found: &Observed,
    change: Change,
    settings: Settings,
    without: &[EquivalentRole],
) -> Result<Difference> {
    let mut all = Difference::default();
    for holder in holders(found, without)? {
        holder.compare(found, change, settings, &mut all);
    }
    Ok(all)
}

/// Each principal with an assignment at the registry or above it, in the order of its first one.
pub(super) fn holders<'a>(found: &'a Observed, without: &[EquivalentRole]) -> Result<Vec<Holder<'a>>> {
    let registry = &found.registry.id;
    let (mut holders, mut places): (Vec<Holder<'a>>, HashMap<PrincipalId, usize>) = (Vec::new(), HashMap::new());
    for one in &found.assignments {
        let id: PrincipalId = one.principal_id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?;
        let is_direct = registry.is(&one.scope);
        let is_removed = is_direct && without.iter().any(|role| role.is(id, one.role_definition_id));
        if is_removed || !(is_direct || is_above(&one.scope, registry.as_str())) {
            continue;
        }
        if let Some(at) = places.get(&id) {
            holders[*at].assignments.push(one);
            continue;
        }
        places.insert(id, holders.len());
        let clusters = found.kubelets.iter().filter(|(kubelet, _)| *kubelet == id).map(|(_, cluster)| cluster.clone());
        let kind = one.principal_type.as_deref();
        holders.push(Holder { id, kind, assignments: vec![one], clusters: clusters.collect() });
    }
    Ok(holders)
}

impl Holder<'_> {
    pub(super) fn has(&self, found: &Observed, access: RegistryAccess, mode: RoleAssignmentMode) -> Has {
        if self.is_denied(found, access, mode) {
            return Has::No;
        }
        self.assignments.iter().map(|one| has_by(one, found, access, mode)).max().unwrap_or(Has::No)
    }

    fn is_denied(&self, found: &Observed, access: RegistryAccess, mode: RoleAssignmentMode) -> bool {
        let scope = (&found.registry.id, mode);
        found.denials.iter().any(|one| one.denies(scope, access, self.id) == Some(true))
    }

    fn compare(&self, found: &Observed, change: Change, settings: Settings, all: &mut Difference) {
        let (mut missing, mut lost, mut gained) = (Vec::new(), Vec::new(), Vec::new());
        for access in RegistryAccess::ALL.iter().copied() {
            let (before, after) = (self.has(found, access, change.from), self.has(found, access, change.to));
            let is_unneeded =
                access == RegistryAccess::ListRepositories && !(settings.keep_listing && self.clusters.is_empty());
            match before {
                // It may gain what is not understood.
                _ if before < after && before != Has::Unknown => gained.push(access),
                _ if before <= after && before != Has::Unknown || is_unneeded || after == Has::Yes => {}
                Has::Unknown => lost.push((self.reason(found, access, change.from), access)),
                _ if self.is_denied(found, access, change.to) => lost.push((ChangeReason::Denied, access)),
                _ if !settings.keep_inherited && self.is_inherited(found, access, change.from) => {
                    lost.push((ChangeReason::Inherited, access));
                }
                Has::Limited if !settings.allow_wider => lost.push((ChangeReason::Condition, access)),
                _ => missing.push(access),
            }
        }
        for row in rows(change.to) {
            self.choose(found, (change, row), settings, &missing, (&mut all.grants, &mut lost));
        }
        all.lost.extend(self.grouped(found, change, lost));
        all.gained.extend(self.grouped(
            found,
            change,
            gained.into_iter().map(|access| (ChangeReason::OtherMode, access)).collect(),
        ));
        all.stopped.extend(self.assignments.iter().filter_map(|one| stopped(one, self.id, found, change)));
        if self.has(found, RegistryAccess::Pull, change.from) > Has::No {
            all.clusters.extend(self.clusters.iter().cloned());
        }
    }

    /// Chooses a role of a row for what is missing, or adds what no role of it keeps to what is lost.
    fn choose(
        &self,
        found: &Observed,
        (change, row): (Change, &[Uuid]),
        settings: Settings,
        missing: &[RegistryAccess],
        (grants, lost): (&mut Vec<EquivalentRole>, &mut Vec<(ChangeReason, RegistryAccess)>),
    ) {
        let gives = |role: Uuid, access| allows(role, access, change.to);
        let wanted: Vec<RegistryAccess> =
            missing.iter().copied().filter(|access| row.iter().any(|role| gives(*role, *access))).collect();
        // A pull with registry-wide permissions always includes listing; that does not count as more.
        let adds = |role: Uuid| -> Vec<RegistryAccess> {
            let is_new = |access: &RegistryAccess| {
                *access != RegistryAccess::ListRepositories
                    && gives(role, *access)
                    && self.has(found, *access, change.from).max(self.has(found, *access, change.to)) != Has::Yes
            };
            RegistryAccess::ALL.iter().copied().filter(is_new).collect()
        };
        let keeps = |role: Uuid| -> Vec<RegistryAccess> {
            wanted.iter().copied().filter(|access| gives(role, *access)).collect()
        };
        let candidates = row.iter().copied().filter(|role| settings.allow_wider || adds(*role).is_empty());
        // The first one with the most.
        let best = candidates.fold(None, |best: Option<Uuid>, role| match best {
            Some(best) if keeps(best).len() >= keeps(role).len() => Some(best),
            _ if keeps(role).is_empty() => best,
            _ => Some(role),
        });
        let kept = best.map(&keeps).unwrap_or_default();
        let unkept = wanted.iter().filter(|access| !kept.contains(access));
        lost.extend(unkept.map(|access| (ChangeReason::Wider, *access)));
        if let Some(role) = best {
            grants.push(EquivalentRole {
                principal_id: self.id,
                principal_type: self.kind.map(str::to_owned),
                role_definition_id: role,
                role_name: found.roles.name(role).unwrap_or_else(|| role.to_string()),
                keeps: kept,
                adds: adds(role),
                clusters: self.clusters.clone(),
                replaces: self.replaced(&found.registry.id, role),
            });
        }
    }

    /// The assignment of the role on the registry itself, whose condition is in the way.
    fn replaced(&self, registry: &ResourceId, role: Uuid) -> Option<ReplacedAssignment> {
        let direct = self.assignments.iter().find(|one| one.role_definition_id == role && registry.is(&one.scope))?;
        Some(ReplacedAssignment {
            assignment_id: direct.id.clone(),
            condition: direct.condition.clone()?,
            description: direct.description.clone(),
        })
    }

    /// Whether only roles above the registry allow it.
    fn is_inherited(&self, found: &Observed, access: RegistryAccess, mode: RoleAssignmentMode) -> bool {
        let mut giving = self.assignments.iter().filter(|one| has_by(one, found, access, mode) > Has::No);
        giving.all(|one| !found.registry.id.is(&one.scope))
    }

    /// Why it is not known whether the principal can do something.
    fn reason(&self, found: &Observed, access: RegistryAccess, mode: RoleAssignmentMode) -> ChangeReason {
        let is_unread = |one: &&RoleAssignment| found.roles.allows(one.role_definition_id, access, mode).is_none();
        if self.assignments.iter().any(is_unread) { ChangeReason::RoleNotRead } else { ChangeReason::Condition }
    }

    /// One entry for each reason.
    fn grouped(
        &self,
        found: &Observed,
        change: Change,
        changes: Vec<(ChangeReason, RegistryAccess)>,
    ) -> Vec<AccessChange> {
        let mut grouped: Vec<AccessChange> = Vec::new();
        for (reason, access) in changes {
            let ids = self.assignments.iter().filter(|one| {
                let has = |mode| has_by(one, found, access, mode) > Has::No;
                has(change.from) || has(change.to)
            });
            let ids = ids.map(|one| one.id.clone());
            if let Some(same) = grouped.iter_mut().find(|one| one.reason == reason) {
                same.access.push(access);
                let new: Vec<String> = ids.filter(|id| !same.assignment_ids.contains(id)).collect();
                same.assignment_ids.extend(new);
                continue;
            }
            grouped.push(AccessChange {
                principal_id: self.id,
                principal_type: self.kind.map(str::to_owned),
                access: vec![access],
                reason,
                assignment_ids: ids.collect(),
            });
        }
        grouped
    }
}

/// What one assignment allows, deny assignments aside.
fn has_by(one: &RoleAssignment, found: &Observed, access: RegistryAccess, mode: RoleAssignmentMode) -> Has {
    match found.roles.allows(one.role_definition_id, access, mode) {
        Some(false) => return Has::No,
        None => return Has::Unknown,
        Some(true) => {}
    }
    let Some(condition) = &one.condition else { return Has::Yes };
    match evaluate(condition, Pull { action: access.action(mode), repository: None }) {
        Truth::True => Has::Yes,
        Truth::False => Has::No,
        // Registry-wide permissions know no repositories.
        Truth::DependsOnRepository if mode == RoleAssignmentMode::AbacRepositoryPermissions => Has::Limited,
        Truth::DependsOnRepository | Truth::Unknown => Has::Unknown,
    }
}

/// An assignment that has an effect in the first mode only.
fn stopped(one: &RoleAssignment, principal: PrincipalId, found: &Observed, change: Change) -> Option<StoppedRole> {
    let any = |mode, wanted: Option<bool>| {
        let says = |access: &RegistryAccess| found.roles.allows(one.role_definition_id, *access, mode) == wanted;
        RegistryAccess::ALL.iter().any(says)
    };
    let stops = any(change.from, Some(true)) && !any(change.to, Some(true)) && !any(change.to, None);
    stops.then(|| StoppedRole {
        assignment_id: one.id.clone(),
        principal_id: principal,
        scope: one.scope.clone(),
        role_name: found.roles.name(one.role_definition_id).unwrap_or_else(|| one.role_definition_id.to_string()),
        is_custom: found.roles.is_custom(one.role_definition_id),
    })
}

impl EquivalentRole {
    /// Whether it is this role of this principal.
    pub(super) fn is(&self, principal: PrincipalId, role: Uuid) -> bool {
        self.principal_id == principal && self.role_definition_id == role
    }
}
