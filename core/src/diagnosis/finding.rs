//! One reason why a pull fails, may fail, or cannot be judged.

use super::{
    catalogue::{FindingId, PullRetry, Row},
    command::Command,
    stage::PullStage,
    text::{NextStep, PullFailure, PullFinding},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a finding says about the pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingStatus {
    /// The pull fails because of it.
    Failing,
    /// Whether the pull fails is not known because of it.
    Unknown,
    /// The pull may fail because of it, now or on some nodes.
    Warning,
}

/// One reason why a pull fails, may fail, or cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The finding's ID, such as `grant.missing`. Each ID has a page; see `docs`.
    pub id: FindingId,
    /// What it says about the pull.
    pub status: FindingStatus,
    /// The stage that it belongs to.
    pub stage: PullStage,
    /// What it means here, in one sentence.
    pub message: String,
    /// What it was concluded from.
    pub evidence: Vec<Evidence>,
    /// What to do about it.
    pub next_step: NextStep,
    /// What is missing for an answer, if it is unknown.
    pub needs: Vec<Need>,
    /// Whether waiting can help.
    pub retry: PullRetry,
    /// The address of the page about it, in the documentation of this version.
    pub docs: String,
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// What it was read from, such as `registry` or `role assignment`.
    pub source: String,
    /// The field, in the service's words.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// What is missing for a verdict: a permission, or an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Need {
    /// The action that the caller lacks.
    pub action: Option<String>,
    /// The scope at which it is needed.
    pub scope: Option<String>,
    /// The smallest built-in role that contains it.
    pub smallest_role: Option<String>,
    /// The option that would answer it.
    pub option: Option<String>,
    /// Why there is no answer.
    pub reason: String,
}

impl Finding {
    /// A finding of the catalogue that fails; all else is added.
    pub(crate) fn failing(id: FindingId) -> Self {
        let row = id.row();
        let text = |of: fn(&Row) -> &'static str| row.map_or_else(String::new, |row| of(row).to_owned());
        Self {
            status: FindingStatus::Failing,
            stage: row.map_or(PullStage::Node, |row| row.stage),
            message: text(|row| row.message),
            evidence: Vec::new(),
            next_step: NextStep::new(text(|row| row.next_step)),
            needs: Vec::new(),
            retry: row.map_or(PullRetry::Transient, |row| row.retry),
            docs: row.map_or_else(String::new, Row::docs),
            id,
        }
    }

    pub(crate) fn warning(id: FindingId) -> Self {
        Self { status: FindingStatus::Warning, ..Self::failing(id) }
    }

    pub(crate) fn unknown(id: FindingId) -> Self {
        Self { status: FindingStatus::Unknown, ..Self::failing(id) }
    }

    /// Its place in the order of a pull: that of its ID, unless the same is missing for a later stage.
    pub(crate) fn rank(&self) -> usize {
        let is_late = self.id == FindingId::RECORD_MISSING && self.stage == PullStage::Layers;
        if is_late { FindingId::DATA_ENDPOINT_BLOCKED.rank() } else { self.id.rank() }
    }

    /// The finding that a failed pull's own text leads to.
    pub(crate) fn of_failure(failure: &PullFailure) -> Self {
        let PullFinding { id, message, retry, next_step, docs, .. } = failure.finding.clone();
        let found = if failure.finding.is_known() { Self::failing(id) } else { Self::unknown(id) };
        Self { message, next_step, retry, docs, ..found }.seen("kubelet", &failure.reason, &failure.message)
    }

    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn seen(mut self, source: &str, field: &str, value: impl fmt::Display) -> Self {
        let value = Some(value.to_string()).filter(|value| !value.is_empty()).unwrap_or_else(|| "none".to_owned());
        self.evidence.push(Evidence { source: source.to_owned(), field: field.to_owned(), value });
        self
    }

    pub(crate) fn needing(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    pub(crate) fn run(mut self, command: Command) -> Self {
        self.next_step.command = command.into_line();
        self
    }
}

impl Need {
    pub(crate) fn option(name: &str, reason: impl Into<String>) -> Self {
        Self { option: Some(name.to_owned()), ..Self::reason(reason) }
    }

    /// No permission and no option would answer it.
    pub(crate) fn reason(reason: impl Into<String>) -> Self {
        Self { action: None, scope: None, smallest_role: None, option: None, reason: reason.into() }
    }
}
