//! A plan of deleting a registry, as a value that can be shown, stored and applied later.

use crate::{
    call::CallOptions,
    error::words,
    id::{ResourceId, SubscriptionId},
    operation::{attachments::PullGrant, span::Outcome},
    quoted::Complete,
    role::RoleAssignment,
    stored_time,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan for deleting a registry: what would be lost, and who can pull from the registry. It is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it reads the current state again. If the registry is gone, the call succeeds. If it has since been deleted and created
/// again, or if a role assignment that the plan does not list would be lost, nothing is deleted; if the plan could not list the role
/// assignments, they are not compared. Images are not compared either: those that have been pushed since then are deleted too.
///
/// `Display` starts with a line for the registry, marked with `-` and followed by its details. A line with `!` names a grant that allows
/// pulling from it, and a line with `?` names what could not be read.
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteRegistryPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The registry.
    pub registry: ResourceId,
    /// Its host for pushes and pulls.
    pub login_server: String,
    /// Its service tier, such as `Basic`.
    pub sku: String,
    /// When it was created. A registry with the same ID that was created at another time is not deleted.
    #[serde(with = "crate::stored_time")]
    pub created: SystemTime,
    /// How many repositories it has. `None` if they could not be counted: see `unread`.
    pub repositories: Option<u32>,
    /// The role assignments with the registry itself as their scope, regardless of their role. They are lost with it.
    pub role_assignments: Vec<RoleAssignment>,
    /// The grants that allow pulling from it, direct ones first, with the clusters that use them.
    pub grants: Vec<PullGrant>,
    /// The subscriptions that were searched for clusters.
    pub subscriptions: Vec<SubscriptionId>,
    /// What could not be read. The plan says nothing about these parts.
    pub unread: Vec<UnreadPart>,
}

/// What a plan could not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnreadPart {
    /// What is not known.
    pub part: RegistryPart,
    /// The action that the caller's roles lack, if that is the reason.
    pub missing_action: Option<String>,
    /// The error's text.
    pub reason: String,
}

/// A part of what a plan says about a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegistryPart {
    /// The number of its repositories.
    Repositories,
    /// The role assignments at the registry and above it.
    RoleAssignments,
    /// The deny assignments at the registry and above it.
    DenyAssignments,
    /// The clusters that use a grant.
    Clusters,
}

words!(
    RegistryPart, "part":
    Repositories => "repositories",
    RoleAssignments => "role_assignments",
    DenyAssignments => "deny_assignments",
    Clusters => "clusters",
);

/// Options for applying a plan to delete a registry. The plan itself says what is deleted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyDeleteRegistryOptions {
    /// Deadline (10 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyDeleteRegistryOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl DeleteRegistryPlan {
    /// Whether the role assignments could be listed.
    pub(super) fn has_role_assignments(&self) -> bool {
        self.unread.iter().all(|one| one.part != RegistryPart::RoleAssignments)
    }

    /// Whether the plan lists an assignment.
    pub(super) fn lists(&self, assignment: &RoleAssignment) -> bool {
        self.role_assignments.iter().any(|planned| planned.id.eq_ignore_ascii_case(&assignment.id))
    }
}

impl fmt::Display for UnreadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unread(f, self.part.as_str(), &self.reason, self.missing_action.as_deref())
    }
}

/// What a plan could not read, and the missing action unless the reason names it.
pub(crate) fn write_unread(
    f: &mut fmt::Formatter<'_>,
    part: &str,
    reason: &str,
    missing_action: Option<&str>,
) -> fmt::Result {
    write!(f, "{} not read: {}", part.replace('_', " "), Complete(reason))?;
    match missing_action {
        Some(action) if !reason.contains(action) => write!(f, " (missing action: {})", Complete(action)),
        _ => Ok(()),
    }
}

impl fmt::Display for DeleteRegistryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, login_server, sku, .. } = self;
        write!(f, "- registry {} with all its images\n    does: deletes {registry}", registry.name())?;
        write!(f, "\n    login server: {}\n    tier: {}", Complete(login_server), Complete(sku))?;
        write!(f, "\n    created: {}", stored_time::text(self.created))?;
        write!(f, "\n    repositories: {}", known(self.repositories))?;
        let assignments = self.has_role_assignments().then_some(self.role_assignments.len());
        write!(f, "\n    role assignments on it: {}", known(assignments))?;
        for one in &self.grants {
            write!(f, "\n! {} allows pulling from it", Complete(&one.to_string()))?;
            let clusters: Vec<&str> = one.clusters.iter().map(ResourceId::name).collect();
            if !clusters.is_empty() {
                write!(f, "; used by {}", clusters.join(", "))?;
            }
        }
        for one in &self.unread {
            write!(f, "\n? {one}")?;
        }
        Ok(())
    }
}

fn known(count: Option<impl ToString>) -> String {
    count.map_or_else(|| "not known".to_owned(), |count| count.to_string())
}

impl Outcome for DeleteRegistryPlan {}
