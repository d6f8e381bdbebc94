//! The text of plans: a line for a review, and below it everything that would be written.

use super::{AttachOutcome, AttachPlan, PlannedAction};
use crate::{
    cluster::ClusterRef,
    id::{PrincipalId, ResourceId},
    quoted::Complete,
    role::our_description,
};
use std::fmt;

/// The principal of a plan: on its line the cluster and the first part of the ID, and the full details below.
pub(crate) struct PrincipalText<'a> {
    pub cluster: &'a ClusterRef,
    pub principal_id: PrincipalId,
    /// Whether it was given in the options, and not read from the cluster.
    pub is_named: bool,
}

impl fmt::Display for PrincipalText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.principal_id.to_string();
        let short = id.split('-').next().unwrap_or_default();
        let what = if self.is_named { "principal" } else { "kubelet" };
        write!(f, "{}/{} ({what} {short}…", self.cluster.group(), self.cluster.name())?;
        f.write_str(if self.is_named { ", given in the options)" } else { ")" })
    }
}

impl PrincipalText<'_> {
    /// The lines below, in full.
    pub(crate) fn details(&self, scope: &ResourceId, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.is_named {
            "given in the options, not compared with the cluster"
        } else {
            "the cluster's kubelet identity"
        };
        write!(
            f,
            "\n    principal: {} ({origin})\n    scope: {scope}\n    cluster: {}",
            self.principal_id, self.cluster
        )?;
        if self.cluster.subscription().is_none() {
            f.write_str(", in the client's subscription")?;
        }
        Ok(())
    }
}

/// Text that may be missing.
pub(crate) fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| Complete(text).to_string())
}

impl fmt::Display for AttachPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = PrincipalText {
            cluster: &self.cluster,
            principal_id: self.principal_id,
            is_named: self.is_principal_named,
        };
        let (sign, does, description) = match &self.action {
            PlannedAction::Grant => ('+', "creates a role assignment".to_owned(), Some(our_description())),
            PlannedAction::Replace { assignment_id } => {
                ('~', format!("replaces the condition of {}", Complete(assignment_id)), Some("as it is".to_owned()))
            }
            PlannedAction::Nothing { outcome } => ('=', format!("nothing: {}", reason(outcome)), None),
        };
        write!(f, "{sign} {} on {} for {whose}\n    does: {does}", self.role, self.registry.name())?;
        whose.details(&self.registry, f)?;
        write!(f, "\n    condition: {}", or_none(self.condition.as_deref()))?;
        if let Some(description) = description {
            write!(f, "\n    description: {description}")?;
        }
        for group in &self.unchecked_groups {
            write!(
                f,
                "\n! group {} has a role that allows pulling; whether the principal is a member was not checked",
                Complete(group)
            )?;
        }
        Ok(())
    }
}

fn reason(outcome: &AttachOutcome) -> String {
    match outcome {
        AttachOutcome::Granted | AttachOutcome::AlreadyGranted => "the same role assignment exists".to_owned(),
        AttachOutcome::Inherited { from } => format!("{} gives the role", Complete(from)),
        AttachOutcome::ThroughGroup { group, from } => {
            format!(
                "access through group {} on {}, which takes hours to follow a change of members",
                Complete(group),
                Complete(from)
            )
        }
        AttachOutcome::ConditionDiffers { existing } => {
            format!("the role exists with another condition, which is kept: {}", or_none(existing.as_deref()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_pass_for_another() {
        assert_eq!(Complete("a\nb\u{1b}[2Kc\u{202e}d\u{200b}").to_string(), "a b\\u{1b}[2Kc\\u{202e}d\\u{200b}");
        assert_eq!(Complete(&"x".repeat(9000)).to_string().len(), 9000);
    }
}
