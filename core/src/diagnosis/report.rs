//! The report of a check: a verdict, what leads to it, and the next step.

use super::{
    catalogue::{FindingId, PullRetry},
    finding::{Finding, FindingStatus},
    redact,
    stage::PullStage,
};
use crate::{
    error::{Error, ErrorKind, Result, words},
    id::ResourceId,
    inventory::{Change, RegistryLogEvent},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::SystemTime;

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
    /// The version of this form. A stored form of another version is rejected.
    #[serde(deserialize_with = "crate::diagnosis::stored::version")]
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
    /// What has changed at the cluster and the registry since the last pull that is known to have succeeded, or within 14 days, newest first. If
    /// there are more than 20 changes, those that pulls may depend on stay. Empty if it was not read: see the option `changes`.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The sign-ins to the registry and the pulls from it within 14 days, by the registry's resource logs: those of the nodes' identity, and those
    /// that failed. The newest 20, newest first. Empty if they were not read: see the option `registry_logs`.
    #[serde(default)]
    pub registry_logs: Vec<RegistryLogEvent>,
    /// When it was checked, by Azure's clock.
    #[serde(with = "crate::stored_time")]
    pub checked_at: SystemTime,
    /// What was read, without secrets, so that [`replayed`](Self::replayed) can diagnose it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Value>,
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

impl Report {
    /// The finding to fix first.
    #[must_use]
    pub fn root_finding(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.status == FindingStatus::Failing)
    }

    /// The same report with pseudonyms instead of names, IDs, hosts and addresses, to be shown to others, for example in an issue.
    ///
    /// Equal values have equal pseudonyms. The verdict, the IDs of findings, the stages and the times stay. Words that neither this
    /// library nor a node's own messages have are replaced too, wherever they stand.
    ///
    /// # Errors
    /// [`Unexpected`](ErrorKind::Unexpected) if the report has no JSON form.
    pub fn redacted(&self) -> Result<Self> {
        redact::same(self)
    }

    /// Fails unless the cluster can pull, for a pipeline that must not go on otherwise.
    ///
    /// The error has the first finding as [`Error::finding`], and this report as [`Error::report`].
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
        let err = Error::new(kind, message).with_context("cluster", self.cluster.name()).with_details(self.clone());
        let Some(finding) = finding else { return Err(err) };
        let need = finding.needs.iter().find_map(|need| Some((need.action.clone()?, need.scope.clone()?)));
        let err = match need {
            Some((action, scope)) => err.with_missing_action(action, scope),
            None => err,
        };
        // What is unknown stays so unless waiting helps: a loop over transient errors would not end.
        let err = if self.verdict == Verdict::Unknown {
            err.with_transient(finding.retry == PullRetry::Transient)
        } else {
            err
        };
        Err(err
            .with_context("finding", finding.id.to_string())
            .with_context("next step", finding.next_step.summary.clone())
            .with_finding(finding.clone()))
    }
}

impl Error {
    /// The report that was required to be `can_pull`, if that is why the call failed.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.details()
    }
}
