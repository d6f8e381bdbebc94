//! The text of plans: a line for a review, and below it everything that would be written.

use super::{AttachOutcome, AttachPlan, PlannedAction};
use crate::{
    cluster::ClusterRef,
    id::{PrincipalId, ResourceId},
    role::our_description,
};
use std::fmt::{self, Write as _};

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

/// A text in a plan, from an untrusted source: complete, on one line, and without characters that a terminal or a reader would
/// misinterpret. Unprintable characters, and those that change the direction of writing, are shown by their number.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\n' | '\r' | '\t' => f.write_char(' ')?,
                _ if letter.is_control() || is_unseen(letter) => write!(f, "{}", letter.escape_unicode())?,
                _ => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Direction marks, line ends, and zero-width characters.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{00ad}' | '\u{061c}')
}

/// A text that may be missing.
pub(crate) fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| Quoted(text).to_string())
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
                ('~', format!("replaces the condition of {}", Quoted(assignment_id)), Some("as it is".to_owned()))
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
                Quoted(group)
            )?;
        }
        Ok(())
    }
}

fn reason(outcome: &AttachOutcome) -> String {
    match outcome {
        AttachOutcome::Granted | AttachOutcome::AlreadyGranted => "the same role assignment exists".to_owned(),
        AttachOutcome::Inherited { from } => format!("{} gives the role", Quoted(from)),
        AttachOutcome::ThroughGroup { group, from } => {
            format!(
                "access through group {} on {}, which takes hours to follow a change of members",
                Quoted(group),
                Quoted(from)
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
        assert_eq!(Quoted("a\nb\u{1b}[2Kc\u{202e}d\u{200b}").to_string(), "a b\\u{1b}[2Kc\\u{202e}d\\u{200b}");
        assert_eq!(Quoted(&"x".repeat(9000)).to_string().len(), 9000);
    }
}
