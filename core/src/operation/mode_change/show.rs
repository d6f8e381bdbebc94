//! The text of plans and results: a line for each part, and below it what a reviewer needs.

use super::{
    AccessChange, ChangeReason, EquivalentRole, KeptRole, ModeChange, ModeChangeOutcome, ModeChangePlan,
    ReplacedAssignment, StoppedRole,
};
use crate::{
    id::ResourceId,
    quoted::Complete,
    role::{RegistryAccess, our_description},
    stored_time,
};
use std::fmt;

fn words(access: &[RegistryAccess]) -> String {
    let words: Vec<String> = access.iter().map(|one| one.as_str().replace('_', " ")).collect();
    words.join(", ")
}

fn principal(kind: Option<&str>, id: impl fmt::Display) -> String {
    match kind {
        Some(kind) => format!("{} {id}", Complete(kind)),
        None => id.to_string(),
    }
}

fn names(clusters: &[ResourceId]) -> String {
    clusters.iter().map(ResourceId::name).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for EquivalentRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = principal(self.principal_type.as_deref(), self.principal_id);
        write!(f, "{} for {who}", Complete(&self.role_name))?;
        if !self.clusters.is_empty() {
            write!(f, ", the nodes of {}", names(&self.clusters))?;
        }
        write!(f, ": keeps {}", words(&self.keeps))?;
        if !self.adds.is_empty() {
            write!(f, "; also allows {}, which it does not have today", words(&self.adds))?;
        }
        Ok(())
    }
}

impl fmt::Display for AccessChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = principal(self.principal_type.as_deref(), self.principal_id);
        let because = match self.reason {
            ChangeReason::Condition => "a condition limits it, and the new mode cannot express that",
            ChangeReason::Wider => "the role that keeps it allows more; allow_wider is off",
            ChangeReason::RoleNotRead => "the definition of its role could not be read",
            ChangeReason::Denied => "a deny assignment takes it away",
            ChangeReason::Inherited => "it comes from above the registry; keep_inherited is off",
            ChangeReason::OtherMode => "its role has an effect in one of the modes only",
        };
        write!(f, "{who}: {} ({because})", words(&self.access))
    }
}

impl fmt::Display for ReplacedAssignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with the condition {}", Complete(&self.assignment_id), Complete(&self.condition))
    }
}

impl fmt::Display for StoppedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let custom = if self.is_custom { "custom role " } else { "" };
        write!(f, "{custom}{} for {} at {}", Complete(&self.role_name), self.principal_id, Complete(&self.scope))
    }
}

impl fmt::Display for ModeChangePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, from, to, .. } = self;
        if from == to {
            write!(f, "= registry {} has the mode {to}\n    id: {registry}", registry.name())?;
        } else {
            write!(f, "~ registry {} from {from} to {to}\n    id: {registry}", registry.name())?;
            f.write_str("\n    every credential that the registry has issued becomes invalid; nodes keep theirs for up to an hour")?;
        }
        if !self.clusters.is_empty() {
            write!(f, "\n    pulled from by the nodes of {}", names(&self.clusters))?;
        }
        for one in &self.grants {
            write!(f, "\n+ {one}")?;
            match &one.replaces {
                None => write!(f, "\n    description: {}", our_description())?,
                Some(old) => write!(f, "\n    removes the condition: {}", Complete(&old.condition))?,
            }
        }
        self.lost.iter().try_for_each(|one| write!(f, "\n! loses: {one}"))?;
        self.gained.iter().try_for_each(|one| write!(f, "\n! gains: {one}"))?;
        self.stopped.iter().try_for_each(|one| write!(f, "\n  gives no access to images anymore: {one}"))?;
        for one in &self.remove {
            write!(f, "\n- removes: {} for {}", Complete(&one.role_name), one.principal_id)?;
            if let Some(old) = &one.replaces {
                write!(f, "\n    instead, restores the condition: {}", Complete(&old.condition))?;
            }
        }
        self.unread.iter().try_for_each(|one| write!(f, "\n? {one}"))
    }
}

impl fmt::Display for KeptRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_new { '+' } else { '=' };
        write!(f, "{sign} {} for {}", Complete(&self.role_name), self.principal_id)
    }
}

impl fmt::Display for ModeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (registry, mode) = (self.registry.name(), self.mode);
        match self.outcome {
            ModeChangeOutcome::Changed => write!(f, "changed {registry} to {mode}")?,
            ModeChangeOutcome::AlreadyChanged => write!(f, "{registry} has the mode {mode} already")?,
        }
        if let Some(until) = self.credentials_until {
            write!(
                f,
                "\n! until {}, nodes may be refused with 401 while they hold an older credential",
                stored_time::text(until)
            )?;
            if !self.clusters.is_empty() {
                write!(f, ": those of {}", names(&self.clusters))?;
            }
        }
        self.granted.iter().try_for_each(|one| write!(f, "\n{one}"))?;
        self.removed.iter().try_for_each(|one| write!(f, "\n- role assignment {}", Complete(one)))?;
        self.gone.iter().try_for_each(|one| write!(f, "\n? principal {one} does not exist anymore"))
    }
}
