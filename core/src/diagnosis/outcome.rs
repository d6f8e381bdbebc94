//! What is found at one stage.

use super::{
    finding::{Finding, FindingStatus},
    report::{Stage, StageState},
    stage::PullStage,
};

/// What is known of a stage, and what was found.
#[derive(Debug)]
pub(super) struct Outcome {
    stage: PullStage,
    by: Option<String>,
    findings: Vec<Finding>,
}

impl Outcome {
    /// A stage that was not checked.
    pub fn of(stage: PullStage) -> Self {
        Self { stage, by: None, findings: Vec::new() }
    }

    /// Says why the stage passes, unless a finding says otherwise.
    pub fn passed_by(mut self, by: String) -> Self {
        self.by = Some(by);
        self
    }

    /// Adds a finding.
    pub fn with(mut self, finding: Finding) -> Self {
        self.findings.push(finding);
        self
    }

    fn state(&self) -> StageState {
        let has = |status: FindingStatus| self.findings.iter().any(|finding| finding.status == status);
        if has(FindingStatus::Failing) {
            StageState::Failed
        } else if has(FindingStatus::Unknown) {
            StageState::Unknown
        } else if self.by.is_some() {
            StageState::Passed
        } else if has(FindingStatus::Warning) {
            StageState::Unknown
        } else {
            StageState::NotChecked
        }
    }

    pub fn stage(&self) -> PullStage {
        self.stage
    }

    pub fn passes(&self) -> bool {
        self.state() == StageState::Passed
    }

    /// Why it passes, if it does.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref().filter(|_| self.passes())
    }

    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The stage as the report has it.
    pub fn into_stage(self) -> Stage {
        let state = self.state();
        Stage { name: self.stage, state, by: self.by.filter(|_| state == StageState::Passed) }
    }
}
