//! A pull that was refused although it should not be: which grant is missing.

use super::{
    catalogue::{FindingId, PullRetry},
    command::Command,
    text::{NextStep, PullFinding},
};
use crate::{
    action::{READ_CONTENT, READ_METADATA},
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
    /// Whether it is the cluster's kubelet identity, which attach takes by itself.
    is_kubelet: bool,
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
        let wrong = || wrong_identity((identities, principal), registry, assignments);
        let (id, instead) = match useless
            .map(|text| (FindingId::GRANT_ROLE_NOT_HONOURED, text))
            .or_else(|| wrong().map(|text| (FindingId::GRANT_TO_WRONG_IDENTITY, text)))
        {
            Some((id, text)) => (id, Some(text)),
            None => (FindingId::GRANT_MISSING, None),
        };
        let role = registry.mode.pull_role();
        let is_kubelet = identities.kubelet.as_ref().is_some_and(|kubelet| kubelet.object_id == principal);
        let (cluster, registry) = (identities.cluster.clone(), registry.id.clone());
        Self { id, instead, role, principal, is_kubelet, cluster, registry }
    }

    /// What is missing, in short.
    pub fn text(&self) -> String {
        format!("{} for {} {} on {}", self.role, self.kind(), self.principal, self.registry.name())
    }

    fn kind(&self) -> &'static str {
        if self.is_kubelet { "kubelet identity" } else { "identity" }
    }

    /// The finding, where the role assignments could be read completely.
    pub fn finding(&self) -> PullFinding {
        let (role, registry, cluster) = (self.role, self.registry.name(), self.cluster.name());
        let who = format!("{} {} of cluster {cluster}", self.kind(), self.principal);
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

    /// The next step where conditions exclude the repository: attach with one that includes it, beside what the assignment on the registry
    /// itself allows already.
    pub fn next_step_for(&self, repository: &str, assignments: &[RoleAssignment]) -> NextStep {
        let is_direct = |one: &&RoleAssignment| {
            one.is_of(self.principal) && one.role_definition_id == self.role.id() && self.registry.is(&one.scope)
        };
        let existing = assignments.iter().find(is_direct).and_then(|one| one.condition.as_deref());
        let mut step = self.next_step();
        step.summary = format!(
            "attach registry {} to cluster {} with a condition that includes repository {repository}",
            self.registry.name(),
            self.cluster.name()
        );
        step.arguments.insert("condition".to_owned(), including(repository, existing));
        step.command = None;
        if existing.is_some() {
            step.arguments.insert("on_condition_mismatch".to_owned(), "replace".to_owned());
        }
        step
    }

    fn next_step(&self) -> NextStep {
        let arguments = [("cluster", self.cluster.to_string()), ("registry", self.registry.to_string())];
        let principal = (!self.is_kubelet).then(|| ("principal_id", self.principal.to_string()));
        let arguments = arguments.into_iter().chain(principal);
        NextStep {
            operation: Some("attach".to_owned()),
            arguments: arguments.map(|(name, value)| (name.to_owned(), value)).collect(),
            command: Command::new("az role assignment create")
                .with("--assignee-object-id", self.principal)
                .with("--assignee-principal-type", "ServicePrincipal")
                .with("--role", self.role)
                .with("--scope", &self.registry)
                .into_line(),
            ..NextStep::new(format!("attach registry {} to cluster {}", self.registry.name(), self.cluster.name()))
        }
    }
}

/// A condition that allows pulls from the repository, and what an existing condition allows. See [conditions for
/// repositories](https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions).
fn including(repository: &str, existing: Option<&str>) -> String {
    let is_it = format!(
        "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase '{repository}'"
    );
    match existing {
        Some(existing) => format!("({existing}) OR ({is_it})"),
        None => {
            format!("((!(ActionMatches{{'{READ_CONTENT}'}}) AND !(ActionMatches{{'{READ_METADATA}'}})) OR ({is_it}))")
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
    (identities, principal): (&ClusterIdentities, PrincipalId),
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
        let kubelet = identities.kubelet.as_ref();
        if let Some(id) = kubelet.map(|kubelet| kubelet.object_id).filter(|id| *id != principal && one.is_of(*id)) {
            return Some(format!("{role} was granted to the kubelet identity {id}, which does not pull"));
        }
        let client_id = kubelet.map_or(identities.service_principal.as_deref(), |kubelet| kubelet.client_id.as_deref());
        if client_id.is_some_and(|client_id| client_id.eq_ignore_ascii_case(&one.principal_id)) {
            return Some(format!(
                "{role} was granted to {}, which is the client ID of the identity instead of its object ID",
                one.principal_id
            ));
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
