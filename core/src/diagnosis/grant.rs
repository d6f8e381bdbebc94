//! A pull that was refused although it should not be: which grant is missing.

use super::{
    catalogue::{FindingId, PullRetry},
    text::{NextStep, PullFinding},
};
use crate::{
    id::{PrincipalId, ResourceId},
    identity::ClusterIdentities,
    registry::Registry,
    role::{Effect, PullRole, RoleAssignment, RoleAssignmentMode, Roles, is_above},
};

/// A grant that is missing. Nothing in the list of role assignments allows the pull, direct, inherited or through a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingGrant {
    /// `grant.missing`, or what was granted instead.
    id: FindingId,
    /// What has no effect.
    instead: Option<String>,
    pub role: PullRole,
    pub principal: PrincipalId,
    cluster: ResourceId,
    registry: ResourceId,
}

impl MissingGrant {
    /// Finds out what was granted instead. `roles` has the custom roles of the principal.
    pub fn new(
        (identities, principal): (&ClusterIdentities, PrincipalId),
        registry: &Registry,
        assignments: &[RoleAssignment],
        roles: &Roles,
    ) -> Self {
        let useless = useless_role(registry, principal, assignments, roles);
        let wrong = || wrong_identity(identities, registry, assignments);
        let (id, instead) = match useless
            .map(|text| (FindingId::GRANT_ROLE_NOT_HONOURED, text))
            .or_else(|| wrong().map(|text| (FindingId::GRANT_TO_WRONG_IDENTITY, text)))
        {
            Some((id, text)) => (id, Some(text)),
            None => (FindingId::GRANT_MISSING, None),
        };
        let role = registry.mode.pull_role();
        Self { id, instead, role, principal, cluster: identities.cluster.clone(), registry: registry.id.clone() }
    }

    /// What is missing, in short.
    pub fn text(&self) -> String {
        format!("{} for kubelet identity {} on {}", self.role, self.principal, self.registry.name())
    }

    /// The finding, where the role assignments could be read completely.
    pub fn finding(&self) -> PullFinding {
        let (role, registry, cluster) = (self.role, self.registry.name(), self.cluster.name());
        let who = format!("kubelet identity {} of cluster {cluster}", self.principal);
        let message = match &self.instead {
            Some(instead) => format!("{instead}; {who} lacks {role} on registry {registry}"),
            None => {
                format!("{who} has no role assignment that allows pulling from registry {registry}: it lacks {role}")
            }
        };
        PullFinding {
            retry: PullRetry::Never,
            message,
            next_step: self.next_step(),
            ..PullFinding::of(self.id.clone())
        }
    }

    fn next_step(&self) -> NextStep {
        let arguments = [("cluster", self.cluster.to_string()), ("registry", self.registry.to_string())];
        NextStep {
            operation: Some("attach".to_owned()),
            arguments: arguments.map(|(name, value)| (name.to_owned(), value)).into(),
            command: Some(format!(
                "az role assignment create --assignee-object-id {} --assignee-principal-type ServicePrincipal --role \"{}\" \
                 --scope {}",
                self.principal, self.role, self.registry
            )),
            ..NextStep::new(format!("attach registry {} to cluster {}", self.registry.name(), self.cluster.name()))
        }
    }
}

/// A role of the principal that would allow pulling in the registry's other mode.
fn useless_role(
    registry: &Registry,
    principal: PrincipalId,
    assignments: &[RoleAssignment],
    roles: &Roles,
) -> Option<String> {
    let other = match registry.mode {
        RoleAssignmentMode::LegacyRegistryPermissions => RoleAssignmentMode::AbacRepositoryPermissions,
        RoleAssignmentMode::AbacRepositoryPermissions => RoleAssignmentMode::LegacyRegistryPermissions,
    };
    let reaches = |one: &&RoleAssignment| registry.id.is(&one.scope) || is_above(&one.scope, registry.id.as_str());
    let own = assignments.iter().filter(|one| one.is_of(principal)).filter(reaches);
    let useless = own.into_iter().find(|one| roles.effect(one.role_definition_id, Some(other)) == Effect::Allows)?;
    let name = roles.name(useless.role_definition_id).unwrap_or_else(|| useless.role_definition_id.to_string());
    Some(format!("{name} has no effect on a registry in mode {}", registry.mode))
}

/// The pull role on the registry itself, for an identity of the cluster that does not pull.
fn wrong_identity(
    identities: &ClusterIdentities,
    registry: &Registry,
    assignments: &[RoleAssignment],
) -> Option<String> {
    let role = registry.mode.pull_role();
    let at_registry =
        assignments.iter().filter(|one| one.role_definition_id == role.id() && registry.id.is(&one.scope));
    at_registry.into_iter().find_map(|one| {
        if let Some(id) = identities.control_plane.iter().find(|id| one.is_of(**id)) {
            return Some(format!("{role} was granted to the control plane's identity {id}, which does not pull"));
        }
        let add_on = identities.add_ons.iter().find(|add_on| one.is_of(add_on.object_id))?;
        Some(format!(
            "{role} was granted to identity {} of the add-on {}, which does not pull",
            add_on.object_id, add_on.add_on
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KubeletIdentity;
    use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};

    const KUBELET: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const CONTROL_PLANE: &str = "aaaaaaaa-0000-0000-0000-000000000002";
    const GROUP: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g";

    fn registry(mode: RoleAssignmentMode) -> Registry {
        let id = format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/myreg").parse().unwrap();
        Registry { mode, ..Registry::new(id, "myreg.azurecr.io") }
    }

    fn identities() -> ClusterIdentities {
        let cluster = format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/dev").parse().unwrap();
        ClusterIdentities {
            kubelet: Some(KubeletIdentity::new(KUBELET.parse().unwrap())),
            control_plane: vec![CONTROL_PLANE.parse().unwrap()],
            ..ClusterIdentities::new(cluster)
        }
    }

    fn assigned(principal: &str, role: PullRole, mode: RoleAssignmentMode) -> RoleAssignment {
        RoleAssignment {
            id: "x".to_owned(),
            scope: registry(mode).id.to_string(),
            principal_id: principal.to_owned(),
            principal_type: None,
            role_definition_id: role.id(),
            condition: None,
            description: None,
            updated: None,
        }
    }

    fn finding(mode: RoleAssignmentMode, assignments: &[RoleAssignment]) -> PullFinding {
        let principal = KUBELET.parse().unwrap();
        MissingGrant::new((&identities(), principal), &registry(mode), assignments, &Roles::default()).finding()
    }

    #[test]
    fn a_missing_grant_names_cluster_registry_and_role_and_how_to_attach() {
        for (mode, role) in [(Legacy, "AcrPull"), (Abac, "Container Registry Repository Reader")] {
            let found = finding(mode, &[]);
            assert_eq!((found.id.as_str(), found.retry), ("grant.missing", PullRetry::Never));
            for part in ["dev", "myreg", role, KUBELET] {
                assert!(found.message.contains(part), "{found}");
            }
            let step = found.next_step;
            assert_eq!(
                (step.operation.as_deref(), step.summary.as_str()),
                (Some("attach"), "attach registry myreg to cluster dev")
            );
            assert!(step.arguments["cluster"].ends_with("/dev") && step.arguments["registry"].ends_with("/myreg"));
            assert!(step.command.is_some_and(|command| command.contains(role)));
        }
    }

    #[test]
    fn a_role_of_the_other_mode_and_a_grant_to_another_identity_are_named() {
        let found = finding(Abac, &[assigned(KUBELET, PullRole::AcrPull, Abac)]);
        assert_eq!(found.id, FindingId::GRANT_ROLE_NOT_HONOURED);
        assert!(
            found.message.starts_with("AcrPull has no effect on a registry in mode AbacRepositoryPermissions"),
            "{found}"
        );
        let found = finding(Legacy, &[assigned(KUBELET, PullRole::RepositoryReader, Legacy)]);
        assert_eq!(found.id, FindingId::GRANT_ROLE_NOT_HONOURED);
        let found = finding(Legacy, &[assigned(CONTROL_PLANE, PullRole::AcrPull, Legacy)]);
        assert_eq!(found.id, FindingId::GRANT_TO_WRONG_IDENTITY);
    }
}
