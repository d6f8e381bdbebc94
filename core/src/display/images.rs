//! Registries, and images that are imported into them.

use super::grants::{list, place};
use crate::{
    operation::import::{Import, ImportedReferrer, ImportedReferrers, StartedImport},
    registry::{CreatedRegistry, ImportHandle, ImportStatus, Registry},
};
use std::fmt;

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { login_server, sku, location, state, .. } = self;
        write!(f, "{}: {login_server}, {sku} in {location} ({state})", place(&self.id))
    }
}

impl fmt::Display for CreatedRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_new { "created" } else { "exists:" }, self.registry)?;
        if self.differences.is_empty() { Ok(()) } else { write!(f, "; differs in {}", list(&self.differences)) }
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.is_new { "imported" } else { "already imported" };
        write!(f, "{} {done} as {}", self.source, self.target)?;
        if !self.additional_tags.is_empty() {
            write!(f, ", {}", list(&self.additional_tags))?;
        }
        write!(f, " ({})", self.proof)?;
        self.referrers.iter().try_for_each(|referrers| write!(f, "; referrers: {referrers}"))
    }
}

impl fmt::Display for ImportedReferrers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.items.is_empty() && self.incomplete.is_empty() {
            return f.write_str("none");
        }
        let incomplete = self.incomplete.iter().map(|reason| format!("incomplete ({reason})"));
        f.write_str(&list(self.items.iter().map(ToString::to_string).chain(incomplete)))
    }
}

impl fmt::Display for ImportedReferrer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tag {
            Some(tag) => write!(f, "{tag} ")?,
            None => write!(f, "{} ", self.digest)?,
        }
        self.artifact_type.iter().try_for_each(|kind| write!(f, "[{kind}] "))?;
        write!(f, "{}", self.outcome)?;
        self.reason.iter().try_for_each(|reason| write!(f, " ({reason})"))
    }
}

impl fmt::Display for StartedImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists { import } => import.fmt(f),
            Self::Started { handle } => write!(f, "started: {handle}"),
        }
    }
}

/// Nothing of its link, which is a secret.
impl fmt::Display for ImportHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "import of {} into {}", list(&self.targets), self.registry.name())
    }
}

impl fmt::Display for ImportStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("succeeded"),
            Self::Running { tags } if tags.is_empty() => f.write_str("running"),
            Self::Running { tags } => {
                write!(f, "running: {}", list(tags.iter().map(|(tag, state)| format!("{tag} {state}"))))
            }
        }
    }
}
