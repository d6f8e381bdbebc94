//! What attach would do, as a value that can be shown, stored and applied later.

use super::AttachOutcome;
use crate::{
    cluster::ClusterRef,
    error::{Error, ErrorKind, Result},
    id::{PrincipalId, ResourceId},
    role::PullRole,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// The form of a stored plan. One of another form is refused.
pub(super) const VERSION: u32 = 1;
/// A plan is good for an hour: after that, look again.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(3600);

/// Refuses a plan of another form, or one that has expired.
pub(crate) fn check_is_current(version: u32, known: u32, expires: SystemTime) -> Result<()> {
    if version != known {
        let text = "the plan has a form that this version does not know";
        return Err(Error::invalid(text, "version", version.to_string()));
    }
    if expires < SystemTime::now() {
        return Err(Error::new(ErrorKind::Conflict, "the plan has expired; make a new one"));
    }
    Ok(())
}

/// What attach would do. Making one needs read rights only.
///
/// Applying it looks again: what is done by then is no hindrance, but if something else would be done, nothing is and the error
/// says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttachPlan {
    /// The form of this plan.
    pub version: u32,
    /// After this it is refused.
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
    pub condition: Option<String>,
    /// What would be done.
    pub action: PlannedAction,
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

impl fmt::Display for AttachPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, principal, registry) = (self.role, self.principal_id, self.registry.name());
        match &self.action {
            PlannedAction::Grant => write!(f, "+ {role} for {principal} on {registry}"),
            PlannedAction::Replace { .. } => write!(f, "~ condition of {role} for {principal} on {registry}"),
            PlannedAction::Nothing { .. } => write!(f, "= {role} for {principal} on {registry}"),
        }
    }
}
