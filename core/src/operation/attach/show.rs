//! The text of plans: a line for a review, and below it everything that would be written.

use super::{AttachOutcome, AttachPlan, PlannedAction};
use crate::{
    cluster::ClusterRef,
    diagnosis::finding::Finding,
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
    pub is_service_principal: bool,
}

impl fmt::Display for PrincipalText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.principal_id.to_string();
        let short = id.split('-').next().unwrap_or_default();
        let what = match (self.is_named, self.is_service_principal) {
            (true, _) => "principal",
            (_, true) => "service principal",
            _ => "kubelet",
        };
        write!(f, "{}/{} ({what} {short}…", self.cluster.group(), self.cluster.name())?;
        f.write_str(if self.is_named { ", given in the options)" } else { ")" })
    }
}

impl PrincipalText<'_> {
    /// The lines below, in full.
    pub(crate) fn details(&self, scope: &ResourceId, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.is_named {
            "given in the options, not compared with the cluster"
        } else if self.is_service_principal {
            "the cluster's service principal"
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
            is_service_principal: self.is_service_principal,
        };
        let action = ActionText::of(&self.action);
        let sign = action.sign;
        write!(f, "{sign} {} on {} for {whose}\n    does: {}", self.role, self.registry.name(), action.does)?;
        whose.details(&self.registry, f)?;
        action.details(self.condition.as_deref(), f)?;
        unchecked(&self.unchecked_groups, "allows pulling", f)?;
        warned(&self.warnings, f)
    }
}

/// What an action does, as text.
pub(crate) struct ActionText {
    pub sign: char,
    pub does: String,
    description: Option<String>,
}

impl ActionText {
    pub fn of(action: &PlannedAction) -> Self {
        let (sign, does, description) = match action {
            PlannedAction::Grant => ('+', "creates a role assignment".to_owned(), Some(our_description())),
            PlannedAction::Replace { assignment_id } => {
                ('~', format!("replaces the condition of {}", Complete(assignment_id)), Some("as it is".to_owned()))
            }
            PlannedAction::Nothing { outcome } => ('=', format!("nothing: {}", reason(outcome)), None),
        };
        Self { sign, does, description }
    }

    /// The lines on what would be written.
    pub fn details(&self, condition: Option<&str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n    condition: {}", or_none(condition))?;
        match &self.description {
            Some(description) => write!(f, "\n    description: {description}"),
            None => Ok(()),
        }
    }
}

/// A line for each group of which it is not known whether the principal is a member.
pub(crate) fn unchecked(groups: &[String], allows: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for group in groups {
        let text = format!("has a role that {allows}; whether the principal is a member was not checked");
        write!(f, "\n! group {} {text}", Complete(group))?;
    }
    Ok(())
}

/// A line for each finding, with what to do about it.
pub(crate) fn warned(warnings: &[Finding], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for finding in warnings {
        let summary = &finding.next_step.summary;
        write!(f, "\n! {}; next step: {} [{}]", Complete(&finding.message), Complete(summary), finding.id)?;
    }
    Ok(())
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
