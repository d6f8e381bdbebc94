//! What the state of a rollout means: whether it has ended, and how long a refused pull is waited for. No request is made here.

use crate::{
    cluster::{Rollout, RolloutBlocker, RolloutBlockerKind, RolloutPhase, WorkloadState},
    diagnosis::{catalogue::PullRetry, text::PullFailure},
    error::{Error, ErrorKind},
};
use std::time::Duration;
use tokio::time::Instant;

/// Limits the timeout so that adding it to the current time cannot overflow.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// Judges the states of one rollout, in their order.
pub(super) struct Judge {
    propagation_timeout: Duration,
    fail_fast: bool,
    /// Whether a refused pull is judged by its age. Until the role assignments at its registry are known, it is not judged at all.
    knows_grants: bool,
    /// Whether no grant there can become effective.
    is_missing: bool,
    /// Since when a pull that depends on a grant blocks the rollout.
    refused_since: Option<Instant>,
    /// Since when no such pull blocks it any longer. Kubernetes may have reported the rollout as stalled meanwhile; its
    /// controllers continue, and withdraw the report once a pod is ready.
    hoped_since: Option<Instant>,
}

impl Judge {
    pub fn new(propagation_timeout: Duration, fail_fast: bool) -> Self {
        let propagation_timeout = propagation_timeout.min(LONGEST_TIMEOUT);
        Self {
            propagation_timeout,
            fail_fast,
            knows_grants: false,
            is_missing: false,
            refused_since: None,
            hoped_since: None,
        }
    }

    /// Takes the next state. The wait for refused pulls begins with the first one and ends with the last.
    pub fn observe(&mut self, state: &WorkloadState) {
        let is_refused = state.pull_failure(PullRetry::AfterGrant).is_some();
        if !is_refused && self.refused_since.is_some() {
            self.hoped_since = Some(Instant::now());
        }
        self.refused_since = is_refused.then(|| self.refused_since.unwrap_or_else(Instant::now));
    }

    /// Takes what the role assignments say about the pull that is refused now: whether no grant can become effective, which leaves it no
    /// time. `None`: they have not been read.
    pub fn learn(&mut self, is_final: Option<bool>) {
        self.knows_grants = is_final.is_some();
        self.is_missing = is_final == Some(true);
    }

    /// Begins the time of a refused pull again: another registry refuses it now.
    pub fn restart(&mut self) {
        self.refused_since = None;
    }

    /// The time until which to wait for a refused pull, if there is one; earlier refused pulls count too. `None` once that time
    /// is over: waiting for a time that has passed would not wait at all.
    pub fn wait_until(&self) -> Option<Instant> {
        self.time_limit().filter(|until| *until > Instant::now())
    }

    fn time_limit(&self) -> Option<Instant> {
        let since = self.refused_since.filter(|_| self.knows_grants).or(self.hoped_since)?;
        Some(since + if self.is_missing { Duration::ZERO } else { self.propagation_timeout })
    }

    /// The result, if the rollout has ended.
    pub fn verdict(&self, state: &WorkloadState) -> Option<Result<Rollout, Error>> {
        match &state.phase {
            RolloutPhase::Complete => return Some(Ok(Rollout { ready: state.ready, wanted: state.wanted })),
            // Until the controller has seen the newest specification, the pods are those of an older one.
            RolloutPhase::NotObserved => return None,
            RolloutPhase::Paused => return Some(Err(paused(state))),
            RolloutPhase::Failed { reason, message } => return Some(Err(failed(state, reason, message))),
            RolloutPhase::Progressing | RolloutPhase::Stalled { .. } => {}
        }
        if let Some(blocker) = state.blockers.iter().find(|blocker| self.is_final(blocker)) {
            return Some(Err(blocked(state, blocker)));
        }
        if let Some(failure) = state.pull_failure(PullRetry::AfterGrant) {
            // Kubernetes' own progress deadline may have ended before the grant was made; its controllers continue anyway.
            let is_over = self.knows_grants && self.wait_until().is_none();
            return is_over.then(|| Err(pull_failed(state, failure)));
        }
        let RolloutPhase::Stalled { message } = &state.phase else { return None };
        self.wait_until().is_none().then(|| Err(stalled(state, message)))
    }

    /// Whether waiting cannot help.
    fn is_final(&self, blocker: &RolloutBlocker) -> bool {
        match blocker.kind {
            RolloutBlockerKind::Pull => {
                blocker.pull.as_ref().is_some_and(|failure| failure.finding.retry == PullRetry::Never)
            }
            RolloutBlockerKind::Rejected => true,
            RolloutBlockerKind::Quota
            | RolloutBlockerKind::Unschedulable
            | RolloutBlockerKind::MissingConfig
            | RolloutBlockerKind::CrashLoop => self.fail_fast,
            RolloutBlockerKind::NotCreated | RolloutBlockerKind::ContainerError => false,
        }
    }
}

fn paused(state: &WorkloadState) -> Error {
    let message = "the workload is paused, so its controller does not update its pods";
    let err = Error::new(ErrorKind::OperationFailed, message);
    add_state(err, state)
        .with_context("hint", "resume it: kubectl rollout resume, or for a Job set spec.suspend to false")
}

fn failed(state: &WorkloadState, reason: &str, message: &str) -> Error {
    let err = Error::new(ErrorKind::OperationFailed, "the workload has failed")
        .with_context("Kubernetes says", format!("{reason}: {message}"));
    add_state(err, state)
}

fn stalled(state: &WorkloadState, message: &str) -> Error {
    let err = match state.blocker() {
        Some(blocker) => blocked(state, blocker),
        None => add_state(Error::new(ErrorKind::OperationFailed, "the rollout makes no progress"), state),
    };
    err.with_context("Kubernetes says", message)
}

fn blocked(state: &WorkloadState, blocker: &RolloutBlocker) -> Error {
    if let Some(failure) = &blocker.pull {
        return pull_failed(state, failure);
    }
    let err = Error::new(ErrorKind::OperationFailed, blocker.kind.sentence());
    let err = add_blocker(add_progress(err, state), blocker);
    blocker.hint().into_iter().fold(err, |err, hint| err.with_context("hint", hint))
}

pub(super) fn pull_failed(state: &WorkloadState, failure: &PullFailure) -> Error {
    let err = add_progress(Error::new(ErrorKind::PullFailed, failure.finding.to_string()), state);
    let err = add_pull(err, failure);
    // If grants decide, the code that reads them knows what to do.
    if failure.finding.depends_on_grants() || !failure.finding.is_known() {
        return err;
    }
    err.with_context("hint", failure.finding.next_step.to_string())
}

/// Adds the progress, and what blocks the rollout.
pub(super) fn add_state(err: Error, state: &WorkloadState) -> Error {
    let err = add_progress(err, state);
    match state.blocker() {
        Some(blocker) => add_blocker(err, blocker),
        None => err,
    }
}

fn add_progress(err: Error, state: &WorkloadState) -> Error {
    let err = err.with_context("ready", format!("{}/{}", state.ready, state.wanted));
    state.waiting_for.iter().fold(err, |err, text| err.with_context("waiting for", text.clone()))
}

fn add_blocker(err: Error, blocker: &RolloutBlocker) -> Error {
    match &blocker.pull {
        Some(failure) => add_pull(err, failure),
        None => err
            .with_context("blocked by", blocker.kind.as_str())
            .with_context("object", blocker.object.clone())
            .with_context("reason", blocker.reason.clone())
            .with_context("message", blocker.message.clone()),
    }
}

fn add_pull(err: Error, failure: &PullFailure) -> Error {
    err.with_context("image", failure.image.clone())
        .with_context("reason", failure.reason.clone())
        .with_pull_failure(failure.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "failed to fetch oauth token: 401 Unauthorized";
    const STALLED: &str = "ReplicaSet \"web\" has timed out progressing.";

    fn state(blockers: &[RolloutBlocker]) -> WorkloadState {
        let state = WorkloadState::new(RolloutPhase::Progressing, 1, 2);
        blockers.iter().cloned().fold(state, WorkloadState::with_blocker)
    }

    fn stuck(blockers: &[RolloutBlocker]) -> WorkloadState {
        WorkloadState { phase: RolloutPhase::Stalled { message: STALLED.to_owned() }, ..state(blockers) }
    }

    fn pull(text: &str) -> RolloutBlocker {
        RolloutBlocker::of_pull(PullFailure::new("pod", "c", "r.azurecr.io/a:1", "ErrImagePull", text))
    }

    fn other(kind: RolloutBlockerKind) -> RolloutBlocker {
        RolloutBlocker::new(kind, "Pod/web-x", "Because", "of this")
    }

    fn judge(seconds: u64) -> Judge {
        Judge { knows_grants: true, ..Judge::new(Duration::from_secs(seconds), false) }
    }

    fn ended(judge: &mut Judge, state: &WorkloadState) -> Option<Result<Rollout, Error>> {
        judge.observe(state);
        judge.verdict(state)
    }

    fn kind(ended: Option<Result<Rollout, Error>>) -> Option<ErrorKind> {
        ended.and_then(Result::err).map(|err| err.kind())
    }

    #[tokio::test(start_paused = true)]
    async fn the_pods_of_an_older_specification_do_not_end_it() {
        let old = WorkloadState { phase: RolloutPhase::NotObserved, ..state(&[pull("a:1: not found")]) };
        assert!(ended(&mut judge(0), &old).is_none());
        assert_eq!(kind(ended(&mut judge(0), &state(&[pull("a:1: not found")]))), Some(ErrorKind::PullFailed));
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_of_a_refused_pull_counts_from_the_first_one() {
        let (mut judge, refused) = (judge(60), state(&[pull(REFUSED)]));
        assert!(ended(&mut judge, &refused).is_none());
        let until = judge.wait_until();
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(ended(&mut judge, &refused).is_none());
        assert_eq!(judge.wait_until(), until);
        tokio::time::advance(Duration::from_secs(31)).await;
        let err = ended(&mut judge, &refused).unwrap().unwrap_err();
        assert_eq!(err.pull_failure().map(|failure| failure.finding.id.as_str()), Some("grant.missing"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_pull_is_not_judged_before_the_grants_are_known() {
        let mut judge = Judge { knows_grants: false, ..judge(0) };
        assert!(ended(&mut judge, &state(&[pull(REFUSED)])).is_none());
        assert_eq!(judge.wait_until(), None);
        judge.learn(Some(false));
        assert_eq!(kind(ended(&mut judge, &state(&[pull(REFUSED)]))), Some(ErrorKind::PullFailed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_grant_leaves_a_refused_pull_no_time_now_or_later() {
        let mut judge = Judge::new(Duration::from_secs(600), false);
        judge.observe(&state(&[pull(REFUSED)]));
        judge.learn(Some(true));
        assert_eq!(kind(judge.verdict(&state(&[pull(REFUSED)]))), Some(ErrorKind::PullFailed));
        assert!(ended(&mut judge, &state(&[])).is_none());
        assert_eq!(kind(ended(&mut judge, &state(&[pull(REFUSED)]))), Some(ErrorKind::PullFailed));
    }

    /// Nothing is decided while the controller lags, but the wait for the next state has to be one.
    #[tokio::test(start_paused = true)]
    async fn a_time_that_is_over_is_not_waited_for() {
        let mut judge = judge(60);
        let lagging = WorkloadState { phase: RolloutPhase::NotObserved, ..state(&[pull(REFUSED)]) };
        assert!(ended(&mut judge, &lagging).is_none() && judge.wait_until().is_some());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(ended(&mut judge, &lagging).is_none());
        assert_eq!(judge.wait_until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unlimited_timeout_does_not_overflow() {
        let mut judge = Judge { knows_grants: true, ..Judge::new(Duration::MAX, false) };
        assert!(ended(&mut judge, &state(&[pull(REFUSED)])).is_none());
        tokio::time::advance(Duration::from_secs(365 * 24 * 3600)).await;
        assert!(ended(&mut judge, &state(&[pull(REFUSED)])).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_grants_ends_with_the_last_refused_pod() {
        let mut judge = judge(0);
        judge.observe(&state(&[pull(REFUSED)]));
        judge.observe(&state(&[]));
        assert_eq!(judge.wait_until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn kubernetes_progress_deadline_does_not_end_the_wait_for_a_grant() {
        assert!(ended(&mut judge(60), &stuck(&[pull(REFUSED)])).is_none());
        let err = ended(&mut judge(60), &stuck(&[])).unwrap().unwrap_err();
        assert_eq!(err.kind(), ErrorKind::OperationFailed);
        assert!(err.to_string().contains("has timed out progressing"), "{err}");
    }

    #[tokio::test(start_paused = true)]
    async fn kubernetes_progress_deadline_does_not_end_the_wait_for_newly_admitted_pods() {
        let mut judge = judge(60);
        judge.observe(&stuck(&[pull(REFUSED)]));
        tokio::time::advance(Duration::from_secs(50)).await;
        assert!(ended(&mut judge, &stuck(&[])).is_none());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(kind(ended(&mut judge, &stuck(&[]))), Some(ErrorKind::OperationFailed));
        assert_eq!(judge.wait_until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_end_without_a_change_ends_the_wait_at_once() {
        let phase = |phase| WorkloadState { phase, ..state(&[]) };
        let gave_up = RolloutPhase::Failed { reason: "BackoffLimitExceeded".to_owned(), message: "m".to_owned() };
        for state in [phase(RolloutPhase::Paused), phase(gave_up), state(&[other(RolloutBlockerKind::Rejected)])] {
            assert_eq!(kind(ended(&mut judge(60), &state)), Some(ErrorKind::OperationFailed), "{state:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_can_end_is_final_only_if_the_caller_says_so() {
        for blocker in RolloutBlockerKind::ALL.iter().copied().filter(|kind| *kind != RolloutBlockerKind::Pull) {
            let is_final =
                |fail_fast| ended(&mut Judge::new(Duration::ZERO, fail_fast), &state(&[other(blocker)])).is_some();
            let never = matches!(blocker, RolloutBlockerKind::NotCreated | RolloutBlockerKind::ContainerError);
            assert_eq!(
                (is_final(false), is_final(true)),
                (blocker == RolloutBlockerKind::Rejected, !never),
                "{blocker}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_names_the_object_the_reason_and_what_to_do() {
        let err = ended(&mut Judge::new(Duration::ZERO, true), &state(&[other(RolloutBlockerKind::Quota)]));
        let text = err.unwrap().unwrap_err().to_string();
        for part in ["ResourceQuota", "ready: 1/2", "blocked by: quota", "Pod/web-x", "Because", "of this", "hint: "] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
