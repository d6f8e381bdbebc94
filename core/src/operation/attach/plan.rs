//! A plan of attach, as a value that can be shown, stored and applied later.

use super::{AttachOptions, AttachOutcome, OnConditionMismatch, OnInheritedGrant};
use crate::{
    call::CallOptions,
    cluster::ClusterRef,
    diagnosis::finding::Finding,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    operation::{Parts, span::Outcome},
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;
/// A plan is valid for an hour by Azure's clock.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(3600);

/// The tolerated difference between the clocks of two machines.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Rejects a plan of another format version; and, if Azure's clock is already known, what [`check_is_current`] rejects.
pub(crate) fn check_before(parts: &Parts, version: u32, known: u32, expires: SystemTime) -> Result<()> {
    check_version(version, known)?;
    parts.time_of_azure().map_or(Ok(()), |now| check_is_current(expires, now))
}

/// Rejects a plan in a format of another version.
pub(crate) fn check_version(version: u32, known: u32) -> Result<()> {
    if version == known {
        return Ok(());
    }
    Err(Error::invalid("the plan has an unknown format version", "version", version.to_string()))
}

/// Rejects a plan that has expired, or whose expiry is later than any plan's.
pub(crate) fn check_is_current(expires: SystemTime, now: SystemTime) -> Result<()> {
    if expires < now {
        return Err(Error::new(ErrorKind::Conflict, "the plan has expired; make a new one"));
    }
    if expires.duration_since(now).is_ok_and(|left| left > GOOD_FOR + CLOCK_SKEW) {
        let text = "the plan expires later than any plan can, so it was modified; make a new one";
        return Err(Error::invalid(text, "expires", crate::stored_time::text(expires)));
    }
    Ok(())
}

/// A plan of what attach would do. It is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it reads the current state again. If the planned change was made in the meantime, the call succeeds; if something else
/// would have to be done, nothing is written and the error says so.
///
/// `Display` starts with a line that is marked with `+` (creates a role assignment), `~` (replaces a condition), or `=` (writes
/// nothing). The lines below it show everything that would be written; a line with `!` is a warning.
///
/// A stored plan is only as trustworthy as its storage: anyone who can change it can put in a different principal, cluster or
/// registry, limited only by the permissions of the caller who applies it. So print the plan, and review it, right before you apply
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttachPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The cluster.
    pub cluster: ClusterRef,
    /// The registry.
    pub registry: ResourceId,
    /// The role that allows pulling.
    pub role: PullRole,
    /// The principal that would get the role.
    pub principal_id: PrincipalId,
    /// The condition that would restrict it.
    // Absent is not null here: a plan that lost its condition would grant more than was shown.
    #[serde(deserialize_with = "Option::deserialize")]
    pub condition: Option<String>,
    /// The planned action.
    pub action: PlannedAction,
    /// Whether the options named the principal; otherwise it is the cluster's kubelet identity.
    pub is_principal_named: bool,
    /// Whether it is the cluster's service principal, found through Microsoft Graph.
    pub is_service_principal: bool,
    /// The [`on_inherited_grant`](crate::AttachOptions::on_inherited_grant) that the plan was made with.
    pub on_inherited_grant: OnInheritedGrant,
    /// The [`on_condition_mismatch`](crate::AttachOptions::on_condition_mismatch) that the plan was made with.
    pub on_condition_mismatch: OnConditionMismatch,
    /// Object IDs of Entra groups that have access. Azure did not say whether the identity is a member of them.
    /// Usually empty.
    pub unchecked_groups: Vec<String>,
    /// What keeps pods from pulling although the role is assigned, if the settings of the cluster or of the registry show it. Usually empty.
    /// [`check`](crate::Client::check) reads more.
    pub warnings: Vec<Finding>,
}

impl AttachPlan {
    /// The options that the plan was made with and that matter for applying it.
    pub(super) fn options(&self, how: &ApplyAttachOptions) -> AttachOptions {
        AttachOptions {
            principal_id: self.is_principal_named.then_some(self.principal_id),
            query_graph: self.is_service_principal,
            condition: self.condition.clone(),
            on_inherited_grant: self.on_inherited_grant,
            on_condition_mismatch: self.on_condition_mismatch,
            retry_forbidden_for: how.retry_forbidden_for,
            call: how.call.clone(),
        }
    }
}

/// Options for applying a plan of attach. The plan itself says what is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyAttachOptions {
    /// How long to retry after a 403. Off by default; useful right after activating a PIM role.
    pub retry_forbidden_for: Option<Duration>,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyAttachOptions {
    /// Sets [`retry_forbidden_for`](Self::retry_forbidden_for).
    #[must_use]
    pub fn with_retry_forbidden_for(mut self, time: Duration) -> Self {
        self.retry_forbidden_for = Some(time);
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// The action of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedAction {
    /// Creates the role assignment.
    Grant,
    /// Replaces the condition of the existing role assignment.
    Replace {
        /// The role assignment's ID.
        assignment_id: String,
    },
    /// Writes nothing, because access already exists.
    Nothing {
        /// The outcome that attach would report.
        outcome: AttachOutcome,
    },
}

impl Outcome for AttachPlan {}
