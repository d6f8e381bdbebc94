//! The state of a workload's rollout. An operation decides what it means.

use crate::{
    diagnosis::{catalogue::PullRetry, text::PullFailure},
    error::words,
    quoted::Quoted,
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::ControlFlow};

/// Receives the states of a rollout; returns whether to continue.
pub type RolloutListener<'a> = dyn FnMut(WorkloadState) -> ControlFlow<()> + Send + 'a;

/// The state of a workload's rollout, as Kubernetes reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkloadState {
    /// Ready pods of the newest pod template; for a Job, the completed ones.
    pub ready: u32,
    /// Pods that the rollout needs.
    pub wanted: u32,
    /// How far the rollout is.
    pub phase: RolloutPhase,
    /// What an unfinished rollout waits for, such as `1 of 2 updated pods is available`.
    pub waiting_for: Option<String>,
    /// What blocks the rollout, the worst first. At most one for each kind and, for pulls, for each [`PullRetry`].
    pub blockers: Vec<RolloutBlocker>,
}

impl WorkloadState {
    /// A state in which nothing blocks the rollout.
    #[must_use]
    pub fn new(phase: RolloutPhase, ready: u32, wanted: u32) -> Self {
        Self { ready, wanted, phase, waiting_for: None, blockers: Vec::new() }
    }

    /// Adds one of [`blockers`](Self::blockers) at the position of its rank.
    #[must_use]
    pub fn with_blocker(mut self, blocker: RolloutBlocker) -> Self {
        let at = self.blockers.partition_point(|other| other.rank() <= blocker.rank());
        self.blockers.insert(at, blocker);
        self
    }

    /// The worst of [`blockers`](Self::blockers).
    #[must_use]
    pub fn blocker(&self) -> Option<&RolloutBlocker> {
        self.blockers.first()
    }

    /// The first failed pull with this [`PullRetry`], if there is one.
    #[must_use]
    pub fn pull_failure(&self, retry: PullRetry) -> Option<&PullFailure> {
        let failures = self.blockers.iter().filter_map(|blocker| blocker.pull.as_ref());
        failures.into_iter().find(|failure| failure.finding.retry == retry)
    }
}

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RolloutPhase {
    /// The controller has not seen the newest specification yet; everything else is about an older one.
    NotObserved,
    /// Pods are being created, or are not ready yet.
    Progressing,
    /// The workload is paused or suspended: its controller does not create pods.
    Paused,
    /// Kubernetes has reported no progress for longer than `progressDeadlineSeconds`. Its controllers continue.
    Stalled {
        /// Kubernetes' message.
        message: String,
    },
    /// Kubernetes has given up, for example because a Job reached its `backoffLimit`.
    Failed {
        /// Kubernetes' reason, such as `BackoffLimitExceeded`.
        reason: String,
        /// Kubernetes' message.
        message: String,
    },
    /// Every pod that the rollout needs is ready or, for a Job, completed.
    Complete,
}

/// Something that keeps pods of a rollout from being created or from becoming ready.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RolloutBlocker {
    /// What it is.
    pub kind: RolloutBlockerKind,
    /// What is blocked, such as `Pod/web-6d4cf56db6-x7k2p`.
    pub object: String,
    /// Kubernetes' reason, such as `FailedCreate` or `CrashLoopBackOff`.
    pub reason: String,
    /// Kubernetes' message.
    pub message: String,
    /// The failed pull, if that is what blocks.
    pub pull: Option<PullFailure>,
}

impl RolloutBlocker {
    /// A blocker that is not a failed pull.
    #[must_use]
    pub fn new(
        kind: RolloutBlockerKind,
        object: impl Into<String>,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, object: object.into(), reason: reason.into(), message: message.into(), pull: None }
    }

    /// A failed pull.
    #[must_use]
    pub fn of_pull(failure: PullFailure) -> Self {
        Self {
            kind: RolloutBlockerKind::Pull,
            object: format!("Pod/{}", failure.pod),
            reason: failure.reason.clone(),
            message: failure.message.clone(),
            pull: Some(failure),
        }
    }

    /// What to do about it, if known. A program for another architecture cannot be started, which only the log says: its container exits with
    /// code 255.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        if self.kind == RolloutBlockerKind::CrashLoop && self.message.contains("exited with code 255") {
            return Some(
                "see the container's log: kubectl logs --previous; exec format error means that the image is for another architecture \
                 than the node's, and check with this image names the image's platforms",
            );
        }
        self.kind.hint()
    }

    /// The lower, the worse: first what cannot end without a change, then what others can end, last what may end without help.
    pub(crate) fn rank(&self) -> u8 {
        match (self.kind, self.pull.as_ref().map(|failure| failure.finding.retry)) {
            (RolloutBlockerKind::Pull, Some(PullRetry::Never)) => 0,
            (RolloutBlockerKind::Rejected, _) => 1,
            (RolloutBlockerKind::Pull, Some(PullRetry::AfterGrant)) => 2,
            (RolloutBlockerKind::MissingConfig, _) => 3,
            (RolloutBlockerKind::Quota, _) => 4,
            (RolloutBlockerKind::NotCreated, _) => 5,
            (RolloutBlockerKind::CrashLoop, _) => 6,
            (RolloutBlockerKind::ContainerError, _) => 7,
            (RolloutBlockerKind::Unschedulable, _) => 8,
            (RolloutBlockerKind::Pull, _) => 9,
        }
    }
}

impl fmt::Display for RolloutBlocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pull {
            Some(failure) => write!(f, "{}", failure.finding),
            None => write!(f, "{}: {}", self.kind.sentence(), Quoted(&self.message)),
        }
    }
}

/// What keeps pods of a rollout from being created or from becoming ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RolloutBlockerKind {
    /// An image is not pulled.
    Pull,
    /// Admission rejects the pods: a policy, a webhook, Pod Security, a LimitRange, or an invalid pod.
    Rejected,
    /// A ResourceQuota has no room for the pods.
    Quota,
    /// The pods are not created for another reason.
    NotCreated,
    /// The pods need a ConfigMap, Secret, key, service account or priority class that does not exist.
    MissingConfig,
    /// No node fits.
    Unschedulable,
    /// A container exits again and again.
    CrashLoop,
    /// A container cannot be created or started.
    ContainerError,
}

words!(RolloutBlockerKind, "kind": Pull => "pull", Rejected => "rejected", Quota => "quota", NotCreated => "not_created",
    MissingConfig => "missing_config", Unschedulable => "unschedulable", CrashLoop => "crash_loop",
    ContainerError => "container_error");

impl RolloutBlockerKind {
    /// What is wrong.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::Pull => "an image is not pulled",
            Self::Rejected => "the cluster rejects the pods",
            Self::Quota => "a ResourceQuota has no room for the pods",
            Self::NotCreated => "the pods are not created",
            Self::MissingConfig => "something that the pods need does not exist",
            Self::Unschedulable => "no node fits the pods",
            Self::CrashLoop => "a container keeps exiting",
            Self::ContainerError => "a container cannot start",
        }
    }

    /// What to do about it.
    pub(crate) const fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::Pull | Self::NotCreated | Self::ContainerError => return None,
            Self::Rejected => "change the pod template as the message says, or ask the owner of the policy",
            Self::Quota => "free resources in the namespace, or ask for a larger quota",
            Self::MissingConfig => "create what is missing, or correct its name",
            Self::Unschedulable => "add nodes, or change the pods' requests, nodeSelector, affinity or tolerations",
            Self::CrashLoop => "see the container's log: kubectl logs --previous",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_architecture_is_thought_of() {
        let of = |message: &str| {
            let kind = RolloutBlockerKind::CrashLoop;
            RolloutBlocker::new(kind, "Pod/web-1", "CrashLoopBackOff", message).hint().unwrap_or_default()
        };
        assert!(of("container app exited with code 255 (Error)").contains("exec format error"));
        assert!(!of("container app exited with code 1 (Error)").contains("exec format error"));
    }

    #[test]
    fn the_worst_blocker_comes_first() {
        let failure = |text: &str| PullFailure::new("p", "c", "r.azurecr.io/a:1", "ErrImagePull", text);
        let pull = |text: &str| RolloutBlocker::of_pull(failure(text));
        let other = |kind| RolloutBlocker::new(kind, "ReplicaSet/web", "FailedCreate", "forbidden");
        let state = WorkloadState::new(RolloutPhase::Progressing, 0, 2)
            .with_blocker(pull("429 Too Many Requests"))
            .with_blocker(other(RolloutBlockerKind::Quota))
            .with_blocker(pull("failed to fetch oauth token: 401 Unauthorized"))
            .with_blocker(other(RolloutBlockerKind::Rejected))
            .with_blocker(pull("a:1: not found"));
        let ranks: Vec<u8> = state.blockers.iter().map(RolloutBlocker::rank).collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
        assert_eq!(state.blocker(), Some(&pull("a:1: not found")));
        assert!(state.pull_failure(PullRetry::AfterGrant).is_some());
    }

    #[test]
    fn a_blocker_reads_as_a_sentence() {
        let blocker = RolloutBlocker::new(RolloutBlockerKind::Quota, "ReplicaSet/web", "FailedCreate", "a\nb");
        assert_eq!(blocker.to_string(), "a ResourceQuota has no room for the pods: a b");
    }
}
