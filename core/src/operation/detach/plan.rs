//! A plan of detach, as a value that can be shown, stored and applied later.

use super::{DetachOptions, pull_role};
use crate::{
    call::CallOptions,
    cluster::ClusterRef,
    id::{PrincipalId, ResourceId},
    operation::{
        attach::{PrincipalText, or_none},
        attachments::PullGrant,
        span::Outcome,
    },
    quoted::Complete,
    role::RoleAssignment,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan of what detach would remove. It is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it reads the current state again. Grants that were removed in the meantime are skipped; if more would be removed than
/// planned, nothing is removed.
///
/// `Display` starts with a line for each role assignment that would be deleted, marked with `-` and followed by its details, or
/// with a line marked with `=` if nothing would be written. A line with `!` names a grant that still gives access.
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DetachPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The cluster.
    pub cluster: ClusterRef,
    /// The registry.
    pub registry: ResourceId,
    /// The principal whose grants would be removed.
    pub principal_id: PrincipalId,
    /// The role assignments that would be removed. If empty, nothing would be written.
    pub remove: Vec<RoleAssignment>,
    /// The grants that would still allow this principal to pull, including those of its Entra groups.
    pub remaining: Vec<PullGrant>,
    /// Whether the options named the principal; otherwise it is the cluster's kubelet identity.
    pub is_principal_named: bool,
    /// Whether it is the cluster's service principal, found through Microsoft Graph.
    pub is_service_principal: bool,
    /// Whether only grants that this library created are removed.
    pub only_created_by_aks_acr: bool,
}

impl DetachPlan {
    /// The options that the plan was made with.
    pub(super) fn options(&self, how: &ApplyDetachOptions) -> DetachOptions {
        DetachOptions {
            principal_id: self.is_principal_named.then_some(self.principal_id),
            query_graph: self.is_service_principal,
            only_created_by_aks_acr: self.only_created_by_aks_acr,
            call: how.call.clone(),
        }
    }

    /// Whether the plan removes an assignment.
    pub(super) fn removes(&self, assignment: &RoleAssignment) -> bool {
        self.remove.iter().any(|planned| planned.id.eq_ignore_ascii_case(&assignment.id))
    }
}

/// Options for applying a plan of detach. The plan itself says what is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyDetachOptions {
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyDetachOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl fmt::Display for DetachPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = PrincipalText {
            cluster: &self.cluster,
            principal_id: self.principal_id,
            is_named: self.is_principal_named,
            is_service_principal: self.is_service_principal,
        };
        let registry = self.registry.name();
        if self.remove.is_empty() {
            let ours = if self.only_created_by_aks_acr { " that this library made" } else { "" };
            write!(f, "= no grant{ours} on {registry} for {whose}\n    does: nothing")?;
            whose.details(&self.registry, f)?;
        }
        for (index, one) in self.remove.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let role = pull_role(one).map_or_else(|| one.role_definition_id.to_string(), |role| role.to_string());
            write!(f, "{gap}- {role} on {registry} for {whose}\n    does: deletes {}", Complete(&one.id))?;
            whose.details(&self.registry, f)?;
            let (condition, description) = (or_none(one.condition.as_deref()), or_none(one.description.as_deref()));
            write!(f, "\n    condition: {condition}\n    description: {description}")?;
        }
        for one in &self.remaining {
            write!(f, "\n! {} still gives access", Complete(&one.to_string()))?;
        }
        Ok(())
    }
}

/// The assignments of a principal at a registry and above it, split by what to do.
#[derive(Debug, PartialEq)]
pub(super) struct SplitAssignments {
    /// On the registry itself, of a role that attach assigns, and created by this library if only those are requested.
    pub remove: Vec<RoleAssignment>,
    /// All others: they may allow pulling too.
    pub keep: Vec<RoleAssignment>,
}

pub(super) fn decide(
    assignments: Vec<RoleAssignment>,
    registry: &ResourceId,
    principal: PrincipalId,
    options: &DetachOptions,
) -> SplitAssignments {
    let is_meant = |one: &RoleAssignment| {
        registry.is(&one.scope) && pull_role(one).is_some() && (!options.only_created_by_aks_acr || one.is_ours())
    };
    let (remove, keep) = assignments.into_iter().filter(|one| one.is_of(principal)).partition(|one| is_meant(one));
    SplitAssignments { remove, keep }
}

impl Outcome for DetachPlan {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::PullRole;

    const KUBELET: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const SUBSCRIPTION: &str = "/subscriptions/22222222-2222-2222-2222-222222222222";

    fn registry() -> ResourceId {
        format!("{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myreg")
            .parse()
            .unwrap()
    }

    fn assigned(scope: &str, principal: &str, role: u128, description: Option<&str>) -> RoleAssignment {
        RoleAssignment {
            id: format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{role}"),
            scope: scope.to_owned(),
            principal_id: principal.to_uppercase(),
            principal_type: None,
            role_definition_id: uuid::Uuid::from_u128(role),
            condition: None,
            description: description.map(str::to_owned),
            updated: None,
        }
    }

    fn decided(options: &DetachOptions) -> (usize, usize) {
        let registry = registry();
        let (pull, reader) = (PullRole::AcrPull.id().as_u128(), PullRole::RepositoryReader.id().as_u128());
        let all = vec![
            assigned(&registry.as_str().to_uppercase(), KUBELET, pull, None),
            assigned(registry.as_str(), KUBELET, reader, Some("aks-acr 0.1.0")),
            assigned(registry.as_str(), KUBELET, 7, Some("aks-acr 0.1.0")),
            assigned(SUBSCRIPTION, KUBELET, pull, None),
            assigned(registry.as_str(), "bbbbbbbb-0000-0000-0000-000000000002", pull, None),
        ];
        let held = decide(all, &registry, KUBELET.parse().unwrap(), options);
        (held.remove.len(), held.keep.len())
    }

    #[test]
    fn direct_grants_of_the_two_pull_roles_are_removed_and_others_kept() {
        assert_eq!(decided(&DetachOptions::default()), (2, 2));
    }

    #[test]
    fn what_others_made_stays_where_only_ours_are_meant() {
        assert_eq!(decided(&DetachOptions::default().with_only_created_by_aks_acr(true)), (1, 3));
    }
}
