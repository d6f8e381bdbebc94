//! Which role assignments let their holders pull. Decided by what a role allows, not by its name.

use super::{GrantReach, PrincipalState, PullGrant};
use crate::{
    attach::is_above,
    call::Call,
    client::Client,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    registry::RoleAssignmentMode,
    role::{BuiltIn, RoleAssignment, RoleDefinition},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// So many definitions are read at a time.
const AT_A_TIME: usize = 8;

/// What the roles of some assignments allow, as far as the caller may know.
#[derive(Debug, Default)]
pub(crate) struct Roles(HashMap<Uuid, RoleDefinition>);

/// Whether a role gives pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Pulls,
    Perhaps,
    None,
}

impl Roles {
    /// Reads the definitions that are not known by themselves, at a scope where the caller may read them if anywhere.
    pub async fn read(
        client: &Client,
        scope: &ResourceId,
        assignments: impl IntoIterator<Item = &RoleAssignment>,
        call: &Call,
    ) -> Result<Self> {
        let unknown: HashSet<Uuid> = assignments
            .into_iter()
            .map(|one| one.role_definition_id)
            .filter(|role| BuiltIn::of(*role).is_none())
            .collect();
        let read = stream::iter(unknown).map(|role| async move {
            match client.role_assigner().definition(scope, role, call).await {
                Ok(definition) => Ok(Some((role, definition))),
                // A role that is there no more allows nothing.
                Err(err) if err.kind() == ErrorKind::NotFound => Ok(Some((role, RoleDefinition::default()))),
                Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
                Err(err) => Err(err),
            }
        });
        let read: Vec<Option<(Uuid, RoleDefinition)>> = read.buffer_unordered(AT_A_TIME).try_collect().await?;
        Ok(Self(read.into_iter().flatten().collect()))
    }

    fn name(&self, role: Uuid) -> Option<String> {
        let built_in = BuiltIn::of(role).map(|known| known.name.to_owned());
        built_in.or_else(|| Some(self.0.get(&role)?.name.clone()))
    }

    /// In a registry of this mode; `None` is a mode that is not known.
    fn effect(&self, role: Uuid, mode: Option<RoleAssignmentMode>) -> Effect {
        let gives = |mode: RoleAssignmentMode| match (BuiltIn::of(role), self.0.get(&role)) {
            (Some(known), _) => Some(known.gives_pull(mode)),
            (None, Some(definition)) => Some(definition.gives_pull(mode)),
            (None, None) => None,
        };
        let is = |gives: Option<bool>| match gives {
            Some(true) => Effect::Pulls,
            Some(false) => Effect::None,
            None => Effect::Perhaps,
        };
        match mode {
            Some(mode) => is(gives(mode)),
            None if RoleAssignmentMode::ALL.iter().all(|mode| gives(*mode) == Some(false)) => Effect::None,
            None => Effect::Perhaps,
        }
    }
}

/// The grants of pull on a registry among some assignments, those on the registry itself first.
pub(crate) fn pull_grants<'a>(
    registry: &ResourceId,
    mode: Option<RoleAssignmentMode>,
    assignments: impl IntoIterator<Item = &'a RoleAssignment>,
    roles: &Roles,
) -> Result<Vec<PullGrant>> {
    let mut grants = Vec::new();
    for one in assignments {
        let effect = roles.effect(one.role_definition_id, mode);
        if effect == Effect::None || !(registry.is(&one.scope) || is_above(&one.scope, registry.as_str())) {
            continue;
        }
        grants.push(PullGrant {
            registry: registry.clone(),
            principal_id: one.principal_id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?,
            principal_type: one.principal_type.clone(),
            principal_state: PrincipalState::default(),
            clusters: Vec::new(),
            role_definition_id: one.role_definition_id,
            role_name: roles.name(one.role_definition_id),
            assignment_id: one.id.clone(),
            reach: if registry.is(&one.scope) {
                GrantReach::Direct
            } else {
                GrantReach::Inherited { from: one.scope.clone() }
            },
            condition: one.condition.clone(),
            is_certain: effect == Effect::Pulls,
        });
    }
    grants.sort_by_key(|grant| grant.reach != GrantReach::Direct);
    Ok(grants)
}

impl PullGrant {
    /// Says whose the grant is.
    pub(crate) fn held_by(mut self, principal: PrincipalId, cluster: &ResourceId) -> Self {
        if self.principal_id == principal {
            self.principal_state = PrincipalState::Exists;
            self.clusters.push(cluster.clone());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::PullRole;
    use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};

    const SUBSCRIPTION: &str = "/subscriptions/22222222-2222-2222-2222-222222222222";
    const OWNER: Uuid = Uuid::from_u128(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635);
    const CUSTOM: Uuid = Uuid::from_u128(7);

    fn registry() -> ResourceId {
        format!("{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myreg")
            .parse()
            .unwrap()
    }

    fn at(scope: &str, role: Uuid) -> RoleAssignment {
        RoleAssignment {
            id: format!("{scope}/providers/Microsoft.Authorization/roleAssignments/x"),
            scope: scope.to_owned(),
            principal_id: "aaaaaaaa-0000-0000-0000-000000000001".to_owned(),
            principal_type: None,
            role_definition_id: role,
            condition: None,
            description: None,
        }
    }

    fn count(mode: Option<RoleAssignmentMode>, assignments: &[RoleAssignment], roles: &Roles) -> usize {
        pull_grants(&registry(), mode, assignments, roles).unwrap().len()
    }

    #[test]
    fn a_role_without_effect_in_the_mode_is_no_grant() {
        let roles = Roles::default();
        let all = [at(registry().as_str(), PullRole::AcrPull.id()), at(SUBSCRIPTION, OWNER)];
        assert_eq!((count(Some(Legacy), &all, &roles), count(Some(Abac), &all, &roles)), (2, 0));
        let all = [at(registry().as_str(), PullRole::RepositoryReader.id())];
        assert_eq!((count(Some(Legacy), &all, &roles), count(Some(Abac), &all, &roles)), (0, 1));
    }

    #[test]
    fn a_scope_above_reaches_and_one_beside_does_not() {
        let other = format!("{SUBSCRIPTION}/resourceGroups/g2");
        let group = "/providers/Microsoft.Management/managementGroups/all";
        let all = ["/", group, SUBSCRIPTION, &other].map(|scope| at(scope, PullRole::AcrPull.id()));
        assert_eq!(count(Some(Legacy), &all, &Roles::default()), 3);
    }

    #[test]
    fn what_may_not_be_read_is_uncertain() {
        let all = [at(registry().as_str(), CUSTOM)];
        let grants = pull_grants(&registry(), Some(Legacy), &all, &Roles::default()).unwrap();
        assert!(!grants[0].is_certain && grants[0].role_name.is_none());
        let unknown_mode = [at(registry().as_str(), PullRole::AcrPull.id())];
        assert!(!pull_grants(&registry(), None, &unknown_mode, &Roles::default()).unwrap()[0].is_certain);
    }

    #[test]
    fn a_grant_on_the_registry_itself_comes_first() {
        let all = [at(SUBSCRIPTION, OWNER), at(registry().as_str(), PullRole::AcrPull.id())];
        let grants = pull_grants(&registry(), Some(Legacy), &all, &Roles::default()).unwrap();
        assert_eq!(grants[0].reach, GrantReach::Direct);
        assert_eq!(
            grants[1].to_string(),
            format!("Owner for {} on myreg, from {SUBSCRIPTION}", grants[1].principal_id)
        );
    }
}
