//! A report as text.

use super::{
    finding::{Evidence, Finding, FindingStatus, Need},
    report::{Report, Stage, StageState, Verdict},
};
use crate::{
    inventory::{Change, ChangedProperty, RegistryLogEvent},
    quoted::Quoted,
    stored_time,
};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n{finding}"))?;
        let passed = self.stages.iter().filter(|stage| stage.state == StageState::Passed);
        let passed: Vec<&str> = passed.map(|stage| stage.name.as_str()).collect();
        if !passed.is_empty() {
            write!(f, "\n  passed: {}", passed.join(", "))?;
        }
        self.assumptions.iter().try_for_each(|text| write!(f, "\n  assumed: {text}"))?;
        self.changes.iter().try_for_each(|change| write!(f, "\n  changed: {change}"))?;
        self.registry_logs.iter().try_for_each(|event| write!(f, "\n  logged: {event}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", stored_time::text(self.time), Quoted(&self.action), Quoted(&self.resource))?;
        self.caller.iter().try_for_each(|caller| write!(f, " by {}", Quoted(caller)))?;
        self.details().iter().try_for_each(|detail| write!(f, "\n    {}", Quoted(detail)))
    }
}

impl Change {
    /// The changed properties, each as a line.
    pub(super) fn details(&self) -> Vec<String> {
        let more = self.is_truncated.then(|| "and more properties, which Azure leaves out".to_owned());
        self.properties.iter().map(ToString::to_string).chain(more).collect()
    }
}

impl fmt::Display for ChangedProperty {
    /// `networkRuleSet.defaultAction: Allow → Deny`, or the name alone if no value is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Quoted(&self.property))?;
        self.values().iter().try_for_each(|values| write!(f, ": {}", Quoted(values)))
    }
}

impl ChangedProperty {
    /// The value before, and the value after, unless neither is known.
    pub(super) fn values(&self) -> Option<String> {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        (self.before.is_some() || self.after.is_some())
            .then(|| format!("{} → {}", shown(&self.before), shown(&self.after)))
    }
}

impl fmt::Display for RegistryLogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", stored_time::text(self.time), Quoted(&self.operation))?;
        self.image().iter().try_for_each(|image| write!(f, " {}", Quoted(image)))?;
        self.identity.iter().try_for_each(|identity| write!(f, " by {}", Quoted(identity)))?;
        self.caller_address.iter().try_for_each(|address| write!(f, " from {}", Quoted(address)))?;
        self.result.iter().try_for_each(|result| write!(f, ": {}", Quoted(result)))
    }
}

impl Report {
    /// The verdict, and what it is about.
    pub(super) fn headline(&self) -> String {
        let verdict = match self.verdict {
            Verdict::CanPull => "CAN PULL",
            Verdict::CannotPull => "CANNOT PULL",
            Verdict::Unknown => "UNKNOWN",
        };
        let registry = self.registry.as_ref();
        let registry = registry.map_or("(registry not read)".to_owned(), |id| format!("from {}", id.name()));
        let what = Quoted(self.image.as_deref().unwrap_or("images"));
        format!("{verdict}  {what} {registry} by {}/{}", self.cluster.group(), self.cluster.name())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            FindingStatus::Failing => "fails",
            FindingStatus::Unknown => "unknown",
            FindingStatus::Warning => "warning",
        };
        write!(f, "  {status}: {} [{}]", Quoted(&self.message), Quoted(self.id.as_str()))?;
        self.evidence.iter().try_for_each(|one| write!(f, "\n    {one}"))?;
        self.needs.iter().try_for_each(|need| write!(f, "\n    needs {need}"))?;
        write!(f, "\n    next step: {}", self.next_step)?;
        self.next_step.command.iter().try_for_each(|command| write!(f, "\n      {}", Quoted(command)))?;
        write!(f, "\n    see {}", Quoted(&self.docs))
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", Quoted(&self.source), Quoted(&self.field), Quoted(&self.value))
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.action, &self.option) {
            (Some(action), _) => Quoted(action).fmt(f)?,
            (None, Some(option)) => write!(f, "the option {}", Quoted(option))?,
            (None, None) => write!(f, "data that could not be read: {}", Quoted(&self.reason))?,
        }
        self.scope.iter().try_for_each(|scope| write!(f, " on {}", Quoted(scope)))?;
        self.smallest_role.iter().try_for_each(|role| write!(f, ", in the role {}", Quoted(role)))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.state)?;
        self.by.iter().try_for_each(|by| write!(f, " ({})", Quoted(by)))
    }
}
