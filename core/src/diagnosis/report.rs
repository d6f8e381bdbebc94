//! The report of a check: a verdict, what leads to it, and the next step.

use super::{
    catalogue::{FindingId, PullRetry, Row},
    stage::PullStage,
    text::NextStep,
};
use crate::{
    error::{Error, ErrorKind, Result, words},
    id::ResourceId,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};

/// The version of the stored form.
pub(crate) const VERSION: u32 = 1;

/// Whether a cluster can pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Every stage that was checked passes.
    CanPull,
    /// At least one stage fails.
    CannotPull,
    /// No stage is known to fail, and at least one could not be checked.
    Unknown,
}

words!(Verdict, "verdict": CanPull => "can_pull", CannotPull => "cannot_pull", Unknown => "unknown");

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

words!(FindingStatus, "status": Failing => "failing", Unknown => "unknown", Warning => "warning");

/// What is known of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StageState {
    /// It passes.
    Passed,
    /// It fails.
    Failed,
    /// What was read does not decide it.
    Unknown,
    /// It was not checked: nothing was asked about it, or an earlier stage leaves it open.
    NotChecked,
}

words!(
    StageState, "stage state":
    Passed => "passed",
    Failed => "failed",
    Unknown => "unknown",
    NotChecked => "not_checked",
);

/// Whether a cluster can pull from a registry, and if not, why, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// The first finding that fails: what to fix first. `None` if nothing fails.
    pub root_cause: Option<FindingId>,
    /// The cluster.
    pub cluster: ResourceId,
    /// The registry, if it was found.
    pub registry: Option<ResourceId>,
    /// The image as nodes name it, if the check was about one.
    pub image: Option<String>,
    /// What was found: first what fails, then what is unknown, then warnings; each in the order of a pull's stages.
    pub findings: Vec<Finding>,
    /// The stages of a pull that a check covers, in order.
    pub stages: Vec<Stage>,
    /// What the verdict takes for granted, because it was not read.
    pub assumptions: Vec<String>,
    /// When it was checked, by Azure's clock.
    #[serde(with = "crate::stored_time")]
    pub checked_at: SystemTime,
}

/// A stage, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// The stage.
    pub name: PullStage,
    /// What is known of it.
    pub state: StageState,
    /// Why it passes, if it does.
    pub by: Option<String>,
}

/// One reason why a pull fails, may fail, or cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The finding's ID, such as `grant.missing`. The page of findings lists them.
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

/// What is missing for an answer: a permission, or an option.
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

impl Report {
    /// The finding to fix first.
    #[must_use]
    pub fn root_finding(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.status == FindingStatus::Failing)
    }

    /// Succeeds only if the cluster can pull, for a pipeline that must not go on otherwise.
    ///
    /// # Errors
    /// [`PullFailed`](ErrorKind::PullFailed) if it cannot. If that is not known: [`Forbidden`](ErrorKind::Forbidden) if the caller lacks a
    /// permission, else [`Unavailable`](ErrorKind::Unavailable).
    pub fn require(&self) -> Result<()> {
        let (kind, finding) = match (self.verdict, self.findings.first()) {
            (Verdict::CanPull, _) => return Ok(()),
            (Verdict::CannotPull, finding) => (ErrorKind::PullFailed, finding),
            (Verdict::Unknown, finding) => {
                let lacks_right = finding.is_some_and(|one| one.needs.iter().any(|need| need.action.is_some()));
                (if lacks_right { ErrorKind::Forbidden } else { ErrorKind::Unavailable }, finding)
            }
        };
        let message = finding.map_or("nothing was found", |finding| finding.message.as_str());
        let err = Error::new(kind, message).with_context("cluster", self.cluster.name());
        let Some(finding) = finding else { return Err(err) };
        let need = finding.needs.iter().find_map(|need| Some((need.action.clone()?, need.scope.clone()?)));
        let err = match need {
            Some((action, scope)) => err.with_missing_action(action, scope),
            None => err,
        };
        Err(err
            .with_context("finding", finding.id.to_string())
            .with_context("next step", finding.next_step.summary.clone()))
    }
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
            id,
        }
    }

    pub(crate) fn warning(id: FindingId) -> Self {
        Self { status: FindingStatus::Warning, ..Self::failing(id) }
    }

    pub(crate) fn unknown(id: FindingId) -> Self {
        Self { status: FindingStatus::Unknown, ..Self::failing(id) }
    }

    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn seen(mut self, source: &str, field: &str, value: impl fmt::Display) -> Self {
        self.evidence.push(Evidence { source: source.to_owned(), field: field.to_owned(), value: value.to_string() });
        self
    }

    pub(crate) fn needing(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    pub(crate) fn run(mut self, command: impl Into<String>) -> Self {
        self.next_step.command = Some(command.into());
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
