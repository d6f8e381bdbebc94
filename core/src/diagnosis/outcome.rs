//! What is found at one stage.

use super::{
    finding::{Finding, FindingStatus, Need},
    report::{Stage, StageState},
    stage::PullStage,
};

/// What is known of a stage, and what was found.
#[derive(Debug)]
pub(super) struct Outcome {
    stage: PullStage,
    by: Option<String>,
    /// Whether a pull that succeeded answers it.
    is_by_pull: bool,
    findings: Vec<Finding>,
}

impl Outcome {
    /// A stage that was not checked.
    pub fn of(stage: PullStage) -> Self {
        Self { stage, by: None, is_by_pull: false, findings: Vec::new() }
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

    /// The same where no credential is needed: what fails is a warning, and what is unknown does not matter.
    pub fn without_credentials(mut self) -> Self {
        self.findings.retain(|finding| finding.status != FindingStatus::Unknown);
        for finding in &mut self.findings {
            finding.status = FindingStatus::Warning;
        }
        self.by.get_or_insert_with(|| "anonymous pull".to_owned());
        self
    }

    fn state(&self) -> StageState {
        if self.has(FindingStatus::Failing) {
            StageState::Failed
        } else if self.has(FindingStatus::Unknown) {
            StageState::Unknown
        } else if self.by.is_some() {
            StageState::Passed
        } else if self.has(FindingStatus::Warning) {
            StageState::Unknown
        } else {
            StageState::NotChecked
        }
    }

    /// Whether it has a finding of this status.
    pub fn has(&self, status: FindingStatus) -> bool {
        self.findings.iter().any(|finding| finding.status == status)
    }

    /// The same, passed: a pull that succeeded answers what was not known.
    pub fn answered(mut self, by: String) -> Self {
        self.findings.retain(|finding| finding.status != FindingStatus::Unknown);
        Self { is_by_pull: true, ..self.passed_by(by) }
    }

    /// The same, unknown: a pull that succeeded speaks against what fails.
    pub fn doubted(mut self, by: &str) -> Self {
        for finding in self.findings.iter_mut().filter(|one| one.status == FindingStatus::Failing) {
            finding.status = FindingStatus::Unknown;
            finding.message =
                format!("{}; but {by}, so that a zone that you cannot read may be, or was until then", finding.message);
        }
        self
    }

    pub fn is_by_pull(&self) -> bool {
        self.is_by_pull
    }

    /// Adds what would answer its open questions.
    pub fn needing(mut self, need: &Need) -> Self {
        for finding in self.findings.iter_mut().filter(|one| one.status == FindingStatus::Unknown) {
            finding.needs.push(need.clone());
        }
        self
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
