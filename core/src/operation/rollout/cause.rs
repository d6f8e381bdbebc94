//! What an explanation of the same pods says: a rollout that ends with a failed pull names the cause that `explain` names.

use super::{
    RolloutOptions,
    grant::{HINT, Verdict, WAIT},
};
use crate::{
    call::Call,
    cluster::{ClusterRef, WorkloadRef},
    diagnosis::{
        catalogue::{FindingId, PullRetry},
        finding::{Finding, FindingStatus},
        report::Report,
        text::{PullFailure, PullFinding},
    },
    error::{Error, ErrorKind, Result},
    operation::{
        Parts,
        explain::{ExplainOptions, ExplainTarget, explain},
    },
};
use std::time::Duration;

/// An explanation that takes longer than this is not waited for: the kubelet's message remains.
const LONGEST: Duration = Duration::from_secs(20);

/// The root cause of a failed pull, and the report that it is from.
#[derive(Clone)]
pub(super) struct Cause {
    finding: Finding,
    report: Report,
}

impl Cause {
    /// Whether waiting can help, although the kubelet's message is of a failure that is final elsewhere.
    pub fn may_pass(&self) -> bool {
        self.finding.retry != PullRetry::Never
    }

    /// What a refused pull means that is not final.
    pub fn as_verdict(&self) -> Verdict {
        let hint = self.finding.next_step.to_string();
        Verdict::wait(format!("{WAIT}: {}", self.finding.message), Some(self.finding.id.clone()), vec![(HINT, hint)])
    }

    /// Says the cause instead of the kubelet's message.
    pub fn explain(self, err: Error) -> Error {
        let Some(failure) = err.pull_failure().cloned() else { return err };
        let Finding { id, message, retry, next_step, docs, .. } = self.finding.clone();
        let (summary, known) = (next_step.to_string(), failure.finding.clone());
        let finding = PullFinding { id, message, retry, next_step, docs, ..known };
        let err = if err.kind() == ErrorKind::PullFailed { err.saying(finding.to_string()) } else { err };
        let err = err.with_pull_failure(PullFailure { finding, ..failure }).with_only_context(HINT, summary);
        err.with_finding(self.finding).with_details(self.report)
    }
}

/// Explains the workload's pods once. `None`: Azure does not say why it fails.
pub(super) async fn find(
    parts: &Parts,
    cluster: &ClusterRef,
    workload: &WorkloadRef,
    failure: &PullFailure,
    options: &RolloutOptions,
    call: &Call,
) -> Result<Option<Cause>> {
    let target = ExplainTarget::Workload(workload.clone());
    let options = options.registry.clone().into_iter().fold(ExplainOptions::default(), ExplainOptions::with_registry);
    let quiet = call.quiet();
    let explaining = explain(parts, cluster, &target, &options, &quiet);
    let explanation = match tokio::time::timeout(LONGEST, explaining).await {
        Ok(Err(err)) if matches!(err.kind(), ErrorKind::Cancelled | ErrorKind::DeadlineExceeded) => return Err(err),
        // The wait itself needs none of what failed here.
        Err(_) | Ok(Err(_)) => return Ok(None),
        Ok(Ok(explanation)) => explanation,
    };
    let is_same = |image: &str, id: &FindingId| image == failure.image && *id == failure.finding.id;
    let group = explanation.groups.into_iter().find(|group| is_same(&group.image, &group.failure.finding.id));
    Ok(group.and_then(|group| {
        let finding = group.report.root_finding()?.clone();
        // Where the registry was not found, an explanation knows less than the wait: only the kubelet's message.
        if group.report.registry.is_none() && finding.id == group.failure.finding.id {
            return None;
        }
        (finding.status == FindingStatus::Failing).then_some(Cause { finding, report: group.report })
    }))
}
