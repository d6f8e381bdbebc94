//! What attach and detach report, and the grants that exist.

use super::table;
use crate::{
    id::ResourceId,
    operation::{
        attach::{AttachOutcome, Attachment, PlannedAction, warned},
        attachments::{ClusterAttachments, GrantReach, GroupMembership, PullGrant, RegistryAttachments},
        detach::{DetachOutcome, Detachment, RemovedGrant},
        right::RequiredRight,
    },
    quoted::quoted,
    refusal::{DenyingPolicy, EligibleRole},
    role::RoleAssignment,
};
use std::fmt;

impl fmt::Display for AttachOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted => f.write_str("granted"),
            Self::AlreadyGranted => f.write_str("already granted, nothing written"),
            Self::Inherited { from } => write!(f, "inherited from {from}, nothing written"),
            Self::ThroughGroup { group, from } => write!(f, "through group {group} on {from}, nothing written"),
            Self::ConditionDiffers { existing: Some(existing) } => {
                write!(f, "granted under another condition, nothing written: {existing}")
            }
            Self::ConditionDiffers { existing: None } => f.write_str("granted without a condition, nothing written"),
        }
    }
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, principal_id, registry, outcome, .. } = self;
        write!(f, "{role} for {principal_id} on {}: {outcome}", registry.name())?;
        if !self.unchecked_groups.is_empty() {
            write!(f, "; membership not checked in groups {}", list(&self.unchecked_groups))?;
        }
        warned(&self.warnings, f)
    }
}

impl fmt::Display for PlannedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant => f.write_str("create the role assignment"),
            Self::Replace { assignment_id } => write!(f, "replace the condition of {assignment_id}"),
            Self::Nothing { outcome } => write!(f, "write nothing: {outcome}"),
        }
    }
}

impl fmt::Display for Detachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = self.registry.name();
        match self.outcome {
            DetachOutcome::Removed => {
                let roles = list(self.removed.iter().map(|grant| grant.role));
                write!(f, "removed {roles} of {} on {registry}", self.principal_id)?;
            }
            DetachOutcome::NothingToRemove => {
                write!(f, "nothing to remove for {} on {registry}", self.principal_id)?;
            }
        }
        if !self.remaining.is_empty() {
            write!(f, "; still gives access: {}", list(&self.remaining))?;
        }
        Ok(())
    }
}

impl fmt::Display for RemovedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = if self.condition.is_some() { ", under a condition" } else { "" };
        write!(f, "{}{condition} ({})", self.role, self.assignment_id)
    }
}

impl fmt::Display for RoleAssignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role_definition_id, principal_id, scope, id, .. } = self;
        let condition = if self.condition.is_some() { ", under a condition" } else { "" };
        write!(f, "role {role_definition_id} for {principal_id} on {scope}{condition} ({id})")
    }
}

impl fmt::Display for GrantReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Inherited { from } => write!(f, "from {from}"),
        }
    }
}

/// A table of the grants, or a sentence if there are none.
impl fmt::Display for ClusterAttachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["REGISTRY", "ROLE", "PRINCIPAL", "ASSIGNED", "CONDITION", "CERTAIN"].map(str::to_owned);
        let row = |grant: &PullGrant| {
            [
                grant.registry.name().to_owned(),
                role(grant),
                principal(grant),
                grant.reach.to_string(),
                condition(grant),
                certain(grant),
            ]
        };
        if self.grants.is_empty() {
            let (name, count) = (self.cluster.name(), self.subscriptions.len());
            let many = if count == 1 { "subscription" } else { "subscriptions" };
            return write!(f, "no grant found for {name} ({}) in the {count} {many} searched", self.principal_id);
        }
        table::write(f, &std::iter::once(header).chain(self.grants.iter().map(row)).collect::<Vec<_>>())
    }
}

/// A table of the grants, or a sentence if there are none.
impl fmt::Display for RegistryAttachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["PRINCIPAL", "CLUSTER", "ROLE", "ASSIGNED", "CONDITION", "CERTAIN"].map(str::to_owned);
        let row = |grant: &PullGrant| {
            let clusters = list(grant.clusters.iter().map(|id| format!("{}/{}", id.group(), id.name())));
            let clusters = match (clusters.is_empty(), grant.membership) {
                (_, GroupMembership::Unchecked) => "not checked".to_owned(),
                (true, _) => "-".to_owned(),
                (false, _) => clusters,
            };
            let principal = principal(grant);
            [principal, clusters, role(grant), grant.reach.to_string(), condition(grant), certain(grant)]
        };
        if self.grants.is_empty() {
            return write!(f, "no grant found on {}", self.registry.id.name());
        }
        table::write(f, &std::iter::once(header).chain(self.grants.iter().map(row)).collect::<Vec<_>>())
    }
}

fn role(grant: &PullGrant) -> String {
    grant.role_name.clone().unwrap_or_else(|| grant.role_definition_id.to_string())
}

fn principal(grant: &PullGrant) -> String {
    let group = if grant.membership == GroupMembership::None { "" } else { "group " };
    format!("{group}{}", grant.principal_id)
}

fn condition(grant: &PullGrant) -> String {
    if grant.condition.is_some() { "yes" } else { "-" }.to_owned()
}

fn certain(grant: &PullGrant) -> String {
    if grant.is_certain { "yes" } else { "no" }.to_owned()
}

impl fmt::Display for EligibleRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", quoted(self.role.clone()), quoted(self.scope.clone()))
    }
}

impl fmt::Display for DenyingPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.assignment_id.as_ref().map_or(Ok(()), |id| write!(f, " ({id})"))
    }
}

impl fmt::Display for RequiredRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (optional, scope) = (if self.is_required { "" } else { ", optional" }, self.at.as_str().replace('_', " "));
        write!(f, "{} on the {scope}{optional}: {}", self.action, self.why)
    }
}

/// Items of a list, with commas.
pub(super) fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// A resource by its group and name.
pub(super) fn place(id: &ResourceId) -> String {
    format!("{}/{}", id.group(), id.name())
}
