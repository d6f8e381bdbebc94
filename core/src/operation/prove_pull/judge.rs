//! Watches the pod of one pool until it has pulled, or it is clear that it will not.

use super::{ProvePullOptions, job::Canary};
use crate::{
    call::Call,
    cluster::{ClusterRef, RolloutBlocker, RolloutBlockerKind, RolloutPhase, WorkloadState},
    diagnosis::catalogue::PullRetry,
    error::{Error, ErrorKind, Result},
    operation::Parts,
};
use futures::future::{Either, select};
use std::{ops::ControlFlow, pin::pin, time::Duration};
use tokio::{sync::watch, time::Instant};

const STEP: &str = "waiting for a node to pull the image";
/// The longest time to wait, so that adding it to the current time cannot overflow.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why a Job has no pod.
const NOT_CREATED: &str = "FailedCreate";

/// How a watch of one pod ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The pod has ended. Whether it pulled, the pod itself says.
    Finished,
    /// This keeps it from pulling.
    Blocked(Box<RolloutBlocker>),
    /// A pull failed, and whether waiting can help is to be found out. Once only.
    Unclear,
    /// The time is over.
    TooLate,
}

/// Waits. `is_judged`: what a refused pull means has been found out, and waiting can help.
pub(super) async fn wait(
    parts: &Parts,
    cluster: &ClusterRef,
    canary: &Canary,
    options: &ProvePullOptions,
    (is_judged, begun): (bool, Instant),
    call: &Call,
) -> Result<Ended> {
    let workload = canary.workload();
    let (sender, mut states) = watch::channel(None);
    let last = states.clone();
    let mut listener = |state| {
        sender.send_replace(Some(state));
        ControlFlow::Continue(())
    };
    let until = begun + options.propagation_timeout.min(LONGEST_TIMEOUT);
    let judging = judge(&mut states, is_judged, until, call);
    let watching = parts.cluster_deployer().watch_rollout(cluster, &workload, &mut listener, call);
    // The judge first: at the deadline both end.
    let ended = match select(pin!(judging), pin!(watching)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((Err(err), _)) => Err(err),
        Either::Right((Ok(()), _)) => Err(Error::new(ErrorKind::Unexpected, "the watch ended before the pod")),
    };
    match ended {
        Err(err) if err.kind() == ErrorKind::DeadlineExceeded => {
            let state = last.borrow();
            let blocker = state.as_ref().and_then(WorkloadState::blocker).cloned();
            Ok(blocker.map_or(Ended::TooLate, |blocker| Ended::Blocked(Box::new(blocker))))
        }
        ended => ended,
    }
}

async fn judge(
    states: &mut watch::Receiver<Option<WorkloadState>>,
    is_judged: bool,
    until: Instant,
    call: &Call,
) -> Result<Ended> {
    loop {
        let state = states.borrow_and_update().clone();
        if let Some(ended) = state.as_ref().and_then(|state| ended(state, is_judged)) {
            return Ok(ended);
        }
        let waits = state.as_ref().and_then(WorkloadState::blocker);
        if waits.is_some() && Instant::now() >= until {
            return Ok(waits.cloned().map_or(Ended::TooLate, |blocker| Ended::Blocked(Box::new(blocker))));
        }
        // Without something that blocks, only the deadline ends the wait: the pod is being scheduled, or the image is large.
        let changed = states.changed();
        let next = async {
            match waits {
                Some(_) => drop(tokio::time::timeout_at(until, changed).await),
                None => drop(changed.await),
            }
            Ok(())
        };
        call.run(STEP, next).await?;
    }
}

fn ended(state: &WorkloadState, is_judged: bool) -> Option<Ended> {
    if matches!(state.phase, RolloutPhase::Failed { .. } | RolloutPhase::Complete) {
        return Some(Ended::Finished);
    }
    let blocker = state.blocker()?;
    match (blocker.kind, blocker.pull.as_ref().map(|pull| pull.finding.retry)) {
        (RolloutBlockerKind::Rejected, _) | (RolloutBlockerKind::Pull, Some(PullRetry::Never)) => {
            Some(Ended::Blocked(Box::new(blocker.clone())))
        }
        // The service account or the priority class that the caller named does not exist.
        (RolloutBlockerKind::MissingConfig, _) if blocker.reason == NOT_CREATED => {
            Some(Ended::Blocked(Box::new(blocker.clone())))
        }
        (RolloutBlockerKind::Pull, Some(PullRetry::AfterGrant)) if !is_judged => Some(Ended::Unclear),
        _ => None,
    }
}
