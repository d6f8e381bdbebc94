//! Decides what attach does, from what was read. No request is made here.

use super::{AttachOptions, AttachOutcome, OnConditionMismatch, OnInheritedGrant, PlannedAction};
use crate::{
    action::READ_GRANTS,
    error::{Error, ErrorKind, Result},
    id::PrincipalId,
    identity::ClusterIdentities,
    registry::{Registry, RegistrySettings},
    role::{Effect, Grant, GroupAccess, PrincipalType, RoleAssignment, RoleAssignmentMode, Wanted, is_above},
};
use uuid::Uuid;

/// What was read at the registry.
pub(crate) struct Observed {
    pub settings: RegistrySettings,
    /// `None`: the caller lacks the permission to list role assignments.
    pub assignments: Option<Vec<RoleAssignment>>,
    /// The grants of the principal's groups, once they have been read.
    pub groups: GroupAccess,
}

/// The role assignment that has to exist: which, and what may take its place.
pub(crate) struct GrantRequest {
    pub principal_id: PrincipalId,
    pub principal_type: PrincipalType,
    pub role_definition_id: Uuid,
    /// What a role of a group has to allow, to make it unnecessary.
    pub wanted: Wanted,
    pub condition: Option<String>,
    pub on_inherited_grant: OnInheritedGrant,
    pub on_condition_mismatch: OnConditionMismatch,
}

impl AttachOptions {
    /// The pull role of the registry's mode, for the cluster's kubelet identity or the given principal.
    pub(super) fn request(&self, identities: &ClusterIdentities, registry: &Registry) -> Result<GrantRequest> {
        Ok(GrantRequest {
            principal_id: principal(identities, self.principal_id, PrincipalAdvice::PassPrincipal)?,
            principal_type: PrincipalType::ServicePrincipal,
            role_definition_id: registry.mode.pull_role().id(),
            wanted: Wanted::PULL,
            condition: self.condition.clone(),
            on_inherited_grant: self.on_inherited_grant,
            on_condition_mismatch: self.on_condition_mismatch,
        })
    }
}

/// What has to be done.
pub(crate) struct Decision {
    pub grant: Grant,
    pub action: PlannedAction,
    /// The assignment that the action refers to, if one exists.
    pub existing: Option<RoleAssignment>,
}

pub(super) fn decide(found: &Observed, request: &GrantRequest) -> Result<Decision> {
    check_condition(found.registry(), request.condition.as_deref())?;
    let grant = Grant {
        scope: found.registry().id.clone(),
        principal_id: request.principal_id,
        role_definition_id: request.role_definition_id,
        condition: request.condition.clone(),
        replaces: None,
        description: None,
        is_unlisted: found.assignments.is_none(),
        principal_type: Some(request.principal_type),
    };
    let Some(assignments) = &found.assignments else { return unseen(found, grant) };
    let held: Vec<&RoleAssignment> = assignments.iter().filter(|one| one.gives(&grant)).collect();
    let direct = held.iter().find(|one| one.is_for(&grant));
    let broader = held.iter().find(|one| is_above(&one.scope, grant.scope.as_str()) && one.condition.is_none());
    let is_same = direct.is_some_and(|one| same_condition(one.condition.as_deref(), grant.condition.as_deref()));
    if let (Some(one), false, OnInheritedGrant::Suffices) = (broader, is_same, request.on_inherited_grant) {
        let outcome = AttachOutcome::Inherited { from: one.scope.clone() };
        return Ok(Decision { grant, action: PlannedAction::Nothing { outcome }, existing: Some((*one).clone()) });
    }
    let through_group = found.groups.held.iter().find(|one| is_enough(one, found, request));
    if let (Some(one), false, OnInheritedGrant::Suffices) = (through_group, is_same, request.on_inherited_grant) {
        return Ok(from_group(one, grant));
    }
    match direct {
        Some(direct) => Ok(from_direct(direct, grant, request.on_condition_mismatch)),
        None => Ok(Decision { grant, action: PlannedAction::Grant, existing: None }),
    }
}

/// Whether a group's grant gives all that was requested: with any role that allows it, and without another condition.
fn is_enough(held: &RoleAssignment, found: &Observed, request: &GrantRequest) -> bool {
    let effect = found.groups.roles.effect_of(held.role_definition_id, Some(found.registry().mode), request.wanted);
    let (has, wants) = (held.condition.as_deref(), request.condition.as_deref());
    effect == Effect::Allows && (has.is_none() || same_condition(has, wants))
}

fn from_group(held: &RoleAssignment, grant: Grant) -> Decision {
    let group = held.principal_id.clone();
    let outcome = AttachOutcome::ThroughGroup { group, from: held.scope.clone() };
    Decision { grant, action: PlannedAction::Nothing { outcome }, existing: Some(held.clone()) }
}

/// Whether group memberships matter: with a direct or inherited grant, they do not.
pub(super) fn wants_groups(decision: &Decision, request: &GrantRequest) -> bool {
    use AttachOutcome::{AlreadyGranted, Inherited};
    let is_settled = matches!(decision.action, PlannedAction::Nothing { outcome: AlreadyGranted | Inherited { .. } });
    !is_settled && request.on_inherited_grant == OnInheritedGrant::Suffices
}

/// Without a list of existing assignments: on a registry in legacy mode the role has no condition that could be lost, so a write is
/// safe; otherwise a condition could be overwritten.
fn unseen(found: &Observed, grant: Grant) -> Result<Decision> {
    if found.registry().mode == RoleAssignmentMode::LegacyRegistryPermissions {
        return Ok(Decision { grant, action: PlannedAction::Grant, existing: None });
    }
    let text = "the caller lacks the permission to list role assignments, and writing one without listing could \
        overwrite a condition";
    Err(Error::new(ErrorKind::Forbidden, text).with_missing_action(READ_GRANTS, grant.scope.as_str()))
}

fn from_direct(direct: &RoleAssignment, grant: Grant, on_mismatch: OnConditionMismatch) -> Decision {
    let mut grant = grant;
    let action = if same_condition(direct.condition.as_deref(), grant.condition.as_deref()) {
        PlannedAction::Nothing { outcome: AttachOutcome::AlreadyGranted }
    } else if on_mismatch == OnConditionMismatch::Replace {
        grant.replaces = Some(direct.id.clone());
        grant.description.clone_from(&direct.description);
        PlannedAction::Replace { assignment_id: direct.id.clone() }
    } else {
        PlannedAction::Nothing { outcome: AttachOutcome::ConditionDiffers { existing: direct.condition.clone() } }
    };
    Decision { grant, action, existing: Some(direct.clone()) }
}

/// White space outside of names does not change a condition's meaning, and Azure's portal changes it freely.
pub(super) fn same_condition(one: Option<&str>, other: Option<&str>) -> bool {
    let words = |text: Option<&str>| text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    words(one) == words(other)
}

/// Rejects an empty condition: Azure treats it as none, which would be wider than requested.
pub(crate) fn check_condition_text(condition: Option<&str>) -> Result<()> {
    match condition {
        Some(condition) if condition.trim().is_empty() => {
            Err(Error::invalid("expected a condition, not an empty string", "condition", ""))
        }
        _ => Ok(()),
    }
}

fn check_condition(registry: &Registry, condition: Option<&str>) -> Result<()> {
    let is_legacy = registry.mode == RoleAssignmentMode::LegacyRegistryPermissions;
    match condition {
        Some(condition) if is_legacy => {
            let text = "a condition has no effect on a registry with Azure's `roleAssignmentMode: LegacyRegistryPermissions`, where \
                        permissions are on the whole registry; leave it out, or set the mode to AbacRepositoryPermissions";
            Err(Error::invalid(text, "condition", condition).with_context("registry", registry.id.name()))
        }
        _ => Ok(()),
    }
}

/// The advice if a cluster has no identity that pulls.
#[derive(Clone, Copy)]
pub(crate) enum PrincipalAdvice {
    /// For an operation that accepts a principal.
    PassPrincipal,
    /// For an operation that has no such option, but can be followed by attach, which has.
    AttachWithPrincipal,
    /// For an operation that cannot use a principal: a registry lists the principals that can pull from it.
    ListByRegistry,
}

impl PrincipalAdvice {
    fn text(self) -> &'static str {
        match self {
            Self::PassPrincipal => "pass the object ID of the principal that pulls for it as principal_id",
            Self::AttachWithPrincipal => {
                "attach the registries with the object ID of the principal that pulls for it as principal_id"
            }
            Self::ListByRegistry => "use attachments_of_registry to list the principals that can pull from a registry",
        }
    }
}

/// The principal that pulls for the cluster, or the given one.
pub(crate) fn principal(
    identities: &ClusterIdentities,
    named: Option<PrincipalId>,
    advice: PrincipalAdvice,
) -> Result<PrincipalId> {
    if let Some(principal) = named {
        return Ok(principal);
    }
    if let Some(kubelet) = &identities.kubelet {
        return Ok(kubelet.object_id);
    }
    let accepts_principal = matches!(advice, PrincipalAdvice::PassPrincipal);
    let (name, advice) = (identities.cluster.name(), advice.text());
    if let Some(client_id) = &identities.service_principal {
        let or_graph = if accepts_principal { ", or set query_graph to find it through Microsoft Graph" } else { "" };
        let text = format!(
            "the cluster uses a service principal, and Azure reports only its application ID; {advice}{or_graph}"
        );
        let err = Error::new(ErrorKind::Unsupported, text)
            .with_context("cluster", name)
            .with_context("application id", client_id.clone());
        // Only a GUID becomes part of a command.
        return Err(match client_id.parse::<PrincipalId>() {
            Ok(id) => err.with_context("object id", format!("az ad sp show --id {id} --query id prints it")),
            Err(_) => err,
        });
    }
    if identities.state.is_empty() {
        // Each cluster has a state: an answer without one says nothing of identities either.
        let text = "Azure's response has neither a state nor an identity of the cluster";
        return Err(Error::new(ErrorKind::Unexpected, text).with_context("cluster", name));
    }
    let is_creating = identities.state.eq_ignore_ascii_case("creating");
    let wait = if is_creating { "wait until the cluster is created, or " } else { "" };
    Err(Error::new(ErrorKind::NotFound, format!("the cluster has no kubelet identity; {wait}{advice}"))
        .with_context("cluster", name)
        .with_context("state", identities.state.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::KubeletIdentity, role::PullRole};

    const KUBELET: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const SUBSCRIPTION: &str = "/subscriptions/22222222-2222-2222-2222-222222222222";

    fn registry_id() -> String {
        format!("{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myreg")
    }

    fn identities() -> ClusterIdentities {
        let cluster =
            format!("{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/dev");
        ClusterIdentities {
            state: "Succeeded".to_owned(),
            kubelet: Some(KubeletIdentity::new(KUBELET.parse().unwrap())),
            ..ClusterIdentities::new(cluster.parse().unwrap())
        }
    }

    fn decide(found: &Observed, options: &AttachOptions) -> Result<Decision> {
        super::decide(found, &options.request(&identities(), found.registry())?)
    }

    fn found(mode: RoleAssignmentMode, assignments: Option<Vec<RoleAssignment>>) -> Observed {
        let registry = Registry {
            id: registry_id().parse().unwrap(),
            login_server: "myreg.azurecr.io".to_owned(),
            location: "westeurope".to_owned(),
            sku: "Basic".to_owned(),
            mode,
            state: "Succeeded".to_owned(),
            created: None,
            tags: std::collections::BTreeMap::new(),
        };
        Observed { settings: RegistrySettings::new(registry), assignments, groups: GroupAccess::default() }
    }

    fn assigned(scope: &str, role: PullRole, condition: Option<&str>) -> RoleAssignment {
        RoleAssignment {
            id: format!("{scope}/providers/Microsoft.Authorization/roleAssignments/x"),
            scope: scope.to_owned(),
            principal_id: KUBELET.to_uppercase(),
            principal_type: None,
            role_definition_id: role.id(),
            condition: condition.map(str::to_owned),
            description: None,
            updated: None,
        }
    }

    fn action(mode: RoleAssignmentMode, there: Vec<RoleAssignment>, options: &AttachOptions) -> PlannedAction {
        decide(&found(mode, Some(there)), options).unwrap().action
    }

    use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};

    #[test]
    fn without_a_grant_the_role_of_the_mode_is_granted() {
        let options = AttachOptions::default();
        for (mode, role, useless) in [
            (Legacy, PullRole::AcrPull, PullRole::RepositoryReader),
            (Abac, PullRole::RepositoryReader, PullRole::AcrPull),
        ] {
            let there = vec![assigned(&registry_id(), useless, None)];
            let decision = decide(&found(mode, Some(there)), &options).unwrap();
            assert_eq!((decision.action, decision.grant.role_definition_id), (PlannedAction::Grant, role.id()));
        }
    }

    #[test]
    fn the_case_of_ids_does_not_matter_for_an_existing_grant() {
        let there = vec![assigned(&registry_id().to_uppercase(), PullRole::AcrPull, None)];
        assert_eq!(
            action(Legacy, there, &AttachOptions::default()),
            PlannedAction::Nothing { outcome: AttachOutcome::AlreadyGranted }
        );
    }

    #[test]
    fn a_broader_grant_is_enough_unless_a_direct_one_is_asked_for() {
        let group = "/providers/Microsoft.Management/managementGroups/all";
        for scope in ["/", group, SUBSCRIPTION, &format!("{SUBSCRIPTION}/resourceGroups/G")] {
            let there = vec![assigned(scope, PullRole::AcrPull, None)];
            let inherited = PlannedAction::Nothing { outcome: AttachOutcome::Inherited { from: scope.to_owned() } };
            assert_eq!(action(Legacy, there.clone(), &AttachOptions::default()), inherited);
            let direct = AttachOptions::default().with_on_inherited_grant(OnInheritedGrant::GrantDirectly);
            assert_eq!(action(Legacy, there, &direct), PlannedAction::Grant);
        }
    }

    #[test]
    fn a_narrow_direct_grant_does_not_hide_a_broader_one() {
        let there = vec![
            assigned(&registry_id(), PullRole::RepositoryReader, Some("narrow")),
            assigned(SUBSCRIPTION, PullRole::RepositoryReader, None),
        ];
        let inherited = PlannedAction::Nothing { outcome: AttachOutcome::Inherited { from: SUBSCRIPTION.to_owned() } };
        assert_eq!(action(Abac, there, &AttachOptions::default()), inherited);
    }

    #[test]
    fn a_grant_beside_the_path_or_with_a_condition_above_is_not_enough() {
        let beside = format!("{SUBSCRIPTION}/resourceGroups/g2");
        let there = vec![
            assigned(&beside, PullRole::RepositoryReader, None),
            assigned("/", PullRole::RepositoryReader, Some("c")),
        ];
        assert_eq!(action(Abac, there, &AttachOptions::default()), PlannedAction::Grant);
    }

    #[test]
    fn another_condition_is_kept_unless_its_replacement_is_asked_for() {
        let there = vec![assigned(&registry_id(), PullRole::RepositoryReader, Some("narrow"))];
        let kept = AttachOutcome::ConditionDiffers { existing: Some("narrow".to_owned()) };
        assert_eq!(action(Abac, there.clone(), &AttachOptions::default()), PlannedAction::Nothing { outcome: kept });
        let replace = AttachOptions::default().with_on_condition_mismatch(OnConditionMismatch::Replace);
        let assignment_id = there[0].id.clone();
        assert_eq!(action(Abac, there, &replace), PlannedAction::Replace { assignment_id });
    }

    #[test]
    fn white_space_does_not_make_another_condition() {
        let there = vec![assigned(&registry_id(), PullRole::RepositoryReader, Some("a\n  AND b"))];
        let options = AttachOptions::default().with_condition("a AND b");
        assert_eq!(action(Abac, there, &options), PlannedAction::Nothing { outcome: AttachOutcome::AlreadyGranted });
    }

    #[test]
    fn unseen_assignments_allow_a_grant_only_where_no_condition_can_be_lost() {
        let options = AttachOptions::default();
        assert_eq!(decide(&found(Legacy, None), &options).unwrap().action, PlannedAction::Grant);
        assert_eq!(decide(&found(Abac, None), &options).err().unwrap().kind(), ErrorKind::Forbidden);
    }

    const GROUP: &str = "cccccccc-0000-0000-0000-000000000003";

    fn held_by_group(scope: &str, role: PullRole, condition: Option<&str>) -> RoleAssignment {
        let kind = Some("group".to_owned());
        RoleAssignment { principal_id: GROUP.to_owned(), principal_type: kind, ..assigned(scope, role, condition) }
    }

    fn with_group(mode: RoleAssignmentMode, there: Vec<RoleAssignment>, held: RoleAssignment) -> Observed {
        let mut found = found(mode, Some(there));
        found.groups.held.push(held);
        found
    }

    #[test]
    fn access_through_a_group_is_enough_unless_a_direct_grant_is_asked_for() {
        for scope in [registry_id(), SUBSCRIPTION.to_owned()] {
            let found = with_group(Legacy, Vec::new(), held_by_group(&scope, PullRole::AcrPull, None));
            let outcome = AttachOutcome::ThroughGroup { group: GROUP.to_owned(), from: scope };
            assert_eq!(decide(&found, &AttachOptions::default()).unwrap().action, PlannedAction::Nothing { outcome });
            let direct = AttachOptions::default().with_on_inherited_grant(OnInheritedGrant::GrantDirectly);
            assert_eq!(decide(&found, &direct).unwrap().action, PlannedAction::Grant);
        }
    }

    #[test]
    fn a_group_with_a_narrower_condition_or_a_useless_role_is_not_enough() {
        let narrow = held_by_group(&registry_id(), PullRole::RepositoryReader, Some("narrow"));
        let useless = held_by_group(&registry_id(), PullRole::AcrPull, None);
        for held in [narrow, useless] {
            let found = with_group(Abac, Vec::new(), held);
            assert_eq!(decide(&found, &AttachOptions::default()).unwrap().action, PlannedAction::Grant);
        }
    }

    #[test]
    fn an_own_grant_goes_before_that_of_a_group() {
        let own = vec![assigned(&registry_id(), PullRole::AcrPull, None)];
        let found = with_group(Legacy, own, held_by_group(&registry_id(), PullRole::AcrPull, None));
        let outcome = AttachOutcome::AlreadyGranted;
        assert_eq!(decide(&found, &AttachOptions::default()).unwrap().action, PlannedAction::Nothing { outcome });
    }

    #[test]
    fn a_condition_that_is_replaced_leaves_the_description() {
        let mut narrow = assigned(&registry_id(), PullRole::RepositoryReader, Some("narrow"));
        narrow.description = Some("made by Terraform".to_owned());
        let options = AttachOptions::default().with_on_condition_mismatch(OnConditionMismatch::Replace);
        let decision = decide(&found(Abac, Some(vec![narrow])), &options).unwrap();
        assert_eq!(decision.grant.description.as_deref(), Some("made by Terraform"));
    }

    #[test]
    fn a_cluster_without_kubelet_identity_needs_a_principal() {
        let mut identities = identities();
        let kind = |identities: &ClusterIdentities| {
            principal(identities, None, PrincipalAdvice::PassPrincipal).err().unwrap().kind()
        };
        identities.kubelet = None;
        assert_eq!(kind(&identities), ErrorKind::NotFound);
        identities.state = String::new();
        assert_eq!(kind(&identities), ErrorKind::Unexpected);
        identities.service_principal = Some("app".to_owned());
        assert_eq!(kind(&identities), ErrorKind::Unsupported);
        let named = KUBELET.parse().unwrap();
        assert_eq!(principal(&identities, Some(named), PrincipalAdvice::PassPrincipal).unwrap(), named);
    }
}
