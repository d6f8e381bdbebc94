//! Which role assignments allow their principals to pull.

use super::{GrantReach, GroupMembership, PrincipalState, PullGrant};
use crate::{
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    role::{Effect, RoleAssignment, RoleAssignmentMode, Roles, is_above},
};

/// The pull grants on a registry among some assignments, direct ones first.
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
            is_certain: effect == Effect::Allows,
            membership: if one.is_of_group() { GroupMembership::Unchecked } else { GroupMembership::None },
        });
    }
    grants.sort_by_key(|grant| grant.reach != GrantReach::Direct);
    Ok(grants)
}

impl PullGrant {
    /// Sets the cluster of a grant.
    pub(crate) fn held_by(mut self, principal: PrincipalId, cluster: &ResourceId) -> Self {
        if self.principal_id == principal {
            self.principal_state = PrincipalState::Exists;
            self.clusters.push(cluster.clone());
        }
        self
    }

    /// Marks a group's grant as checked, with the clusters among its members.
    pub(crate) fn held_through_group(mut self, clusters: impl IntoIterator<Item = ResourceId>) -> Self {
        if self.membership == GroupMembership::Unchecked {
            self.principal_state = PrincipalState::Exists;
            self.membership = GroupMembership::Checked;
            self.clusters.extend(clusters);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::PullRole;
    use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};
    use uuid::Uuid;

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
            updated: None,
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
