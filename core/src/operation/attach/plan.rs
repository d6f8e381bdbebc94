//! What attach would do, as a value that can be shown, stored and applied later.

use super::{AttachOptions, AttachOutcome, OnConditionMismatch, OnInheritedGrant};
use crate::{
    call::CallOptions,
    cluster::ClusterRef,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    operation::{Parts, span::Outcome},
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// The form of a stored plan. One of another form is refused.
pub(super) const VERSION: u32 = 1;
/// A plan is good for an hour by Azure's clock: after that, look again.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(3600);

/// Clocks of two machines differ by so much.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Refuses a plan of another form; and by Azure's clock, where that is known already, what [`check_is_current`] refuses.
pub(crate) fn check_before(parts: &Parts, version: u32, known: u32, expires: SystemTime) -> Result<()> {
    if version != known {
        let text = "the plan has a form that this version does not know";
        return Err(Error::invalid(text, "version", version.to_string()));
    }
    parts.time_of_azure().map_or(Ok(()), |now| check_is_current(expires, now))
}

/// Refuses a plan that has expired, and one that says that it is good for longer than any.
pub(crate) fn check_is_current(expires: SystemTime, now: SystemTime) -> Result<()> {
    if expires < now {
        return Err(Error::new(ErrorKind::Conflict, "the plan has expired; make a new one"));
    }
    if expires.duration_since(now).is_ok_and(|left| left > GOOD_FOR + CLOCK_SKEW) {
        let text =
            "the plan expires later than any plan does, so that it was changed after it was made; make a new one";
        return Err(Error::invalid(text, "expires", crate::stored_time::text(expires)));
    }
    Ok(())
}

/// What attach would do. Making one needs read rights only. It can be stored, as JSON that is the same in every language, and is good for
/// an hour.
///
/// Applying it looks again: what is done by then is no hindrance, but if something else would be done, nothing is and the error
/// says so.
///
/// `Display` shows all that would be written, below a line that begins with `+` (creates a role assignment), `~` (replaces a condition),
/// or `=` (writes nothing); a line with `!` is a warning. A stored plan is trusted as its storage is: whoever can change it can name another
/// principal, cluster or registry, within what the caller who applies it may write. So review what `Display` shows at the place
/// where it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttachPlan {
    /// The version of the form in which the plan is written.
    pub version: u32,
    /// After this, by the clock of Azure, it is refused.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The cluster.
    pub cluster: ClusterRef,
    /// The registry.
    pub registry: ResourceId,
    /// The role that gives pull there.
    pub role: PullRole,
    /// Who would have it.
    pub principal_id: PrincipalId,
    /// What would narrow it.
    // Absent is not null here: a plan that lost its condition would grant more than was shown.
    #[serde(deserialize_with = "Option::deserialize")]
    pub condition: Option<String>,
    /// What would be done.
    pub action: PlannedAction,
    /// Whether the options named who gets the grant; else it is the cluster's kubelet identity.
    pub is_principal_named: bool,
    /// What the options said of a scope above the registry, or a group, that gives pull already.
    pub on_inherited_grant: OnInheritedGrant,
    /// What the options said of the role with another condition.
    pub on_condition_mismatch: OnConditionMismatch,
    /// Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a member.
    /// Usually empty.
    pub unchecked_groups: Vec<String>,
}

impl AttachPlan {
    /// The options that the plan was made with, as far as they decide what is done.
    pub(super) fn options(&self, how: &ApplyAttachOptions) -> AttachOptions {
        AttachOptions {
            principal_id: self.is_principal_named.then_some(self.principal_id),
            condition: self.condition.clone(),
            on_inherited_grant: self.on_inherited_grant,
            on_condition_mismatch: self.on_condition_mismatch,
            retry_forbidden_for: how.retry_forbidden_for,
            call: how.call.clone(),
        }
    }
}

/// How a plan of attach is applied. What is done, the plan says.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyAttachOptions {
    /// For how long a refusal is tried again. Not at all by default; rights that were just activated need it.
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

/// What a plan does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedAction {
    /// Makes the grant.
    Grant,
    /// Gives the grant that is there another condition.
    Replace {
        /// Its id.
        assignment_id: String,
    },
    /// Writes nothing, since this is so already.
    Nothing {
        /// What attach would answer.
        outcome: AttachOutcome,
    },
}

impl Outcome for AttachPlan {}
