//! Watches a rollout once, and judges it: a refused pull is judged by the role assignments, which are read meanwhile.

use super::{
    grant::{self, Verdict},
    judge::{Judge, add_state, pull_failed},
    options::RolloutOptions,
};
use crate::{
    call::{Call, Event},
    cloud::Cloud,
    cluster::{ClusterRef, Rollout, WorkloadRef, WorkloadState},
    error::{Error, ErrorKind, Result},
    image::ImageReference,
    operation::Parts,
    pull::{PullFailure, PullRetry},
};
use futures::future::{Either, select};
use std::{ops::ControlFlow, pin::pin};
use tokio::sync::watch;

const STEP: &str = "waiting for the rollout";

pub(crate) async fn wait_for_rollout(
    parts: &Parts,
    cluster: &ClusterRef,
    workload: &WorkloadRef,
    options: &RolloutOptions,
    call: &Call,
) -> Result<Rollout> {
    workload.known_kind()?;
    if let Some(registry) = &options.registry {
        registry.check_cloud(parts.cloud())?;
    }
    let (sender, states) = watch::channel(None);
    let mut listener = |state| {
        sender.send_replace(Some(state));
        ControlFlow::Continue(())
    };
    let mut wait = Wait {
        parts,
        cluster,
        options,
        call,
        judge: Judge::new(options.propagation_timeout, options.fail_fast),
        states,
        reported: None,
        verdict: None,
    };
    let watching = parts.cluster_deployer().watch_rollout(cluster, workload, &mut listener, call);
    // The judge first: at the deadline both end.
    let ended = match select(pin!(wait.run()), pin!(watching)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((Err(err), _)) => Err(err),
        Either::Right((Ok(()), _)) => Err(Error::new(ErrorKind::Unexpected, "the watch ended before the rollout")),
    };
    ended.map_err(|err| wait.explain(err, workload))
}

struct Wait<'a> {
    parts: &'a Parts,
    cluster: &'a ClusterRef,
    options: &'a RolloutOptions,
    call: &'a Call,
    judge: Judge,
    states: watch::Receiver<Option<WorkloadState>>,
    reported: Option<(u32, Option<String>)>,
    /// What the role assignments say of a refused pull.
    verdict: Option<Verdict>,
}

/// What a state means, if it ends a wait.
enum Stop {
    Ended(Result<Rollout>),
    /// A registry refused a pull, and its role assignments decide what that means.
    Refused(PullFailure),
}

impl Wait<'_> {
    async fn run(&mut self) -> Result<Rollout> {
        let failure = match self.end_or_refusal().await? {
            Stop::Ended(ended) => return ended,
            Stop::Refused(failure) => failure,
        };
        let verdict = match self.judge_grants(&failure).await? {
            Either::Left(ended) => return ended,
            Either::Right(verdict) => verdict,
        };
        self.judge.learn(verdict.is_final);
        let (is_final, step) = (verdict.is_final, verdict.step.clone());
        self.verdict = Some(verdict);
        if is_final {
            // To find that out took a while, and the pods may run by now.
            return self.end().await;
        }
        let call = self.call;
        call.step(&step, self.end()).await
    }

    /// Adds the workload, what is known of the grants, and at the deadline how far the rollout was.
    fn explain(&self, err: Error, workload: &WorkloadRef) -> Error {
        let err = match self.states.borrow().as_ref() {
            Some(state) if err.kind() == ErrorKind::DeadlineExceeded => add_state(err, state),
            _ => err,
        };
        let err = match &self.verdict {
            Some(verdict) if err.pull_failure().is_some() => verdict.explain(err),
            _ => err,
        };
        err.with_context("workload", workload.to_string()).with_context("namespace", workload.namespace.clone())
    }

    /// Reads the role assignments, unless the rollout ends first.
    async fn judge_grants(&mut self, failure: &PullFailure) -> Result<Either<Result<Rollout>, Verdict>> {
        let (parts, cluster, options, call) = (self.parts, self.cluster, self.options, self.call);
        let reading = pin!(grant::judge(parts, cluster, failure, options, call));
        let ending = pin!(self.end());
        match select(reading, ending).await {
            Either::Left((verdict, _)) => verdict.map(Either::Right),
            Either::Right((ended, _)) => Ok(Either::Left(ended)),
        }
    }

    async fn end_or_refusal(&mut self) -> Result<Stop> {
        loop {
            if let Some(stop) = self.stop() {
                return Ok(stop);
            }
            self.next_state().await?;
        }
    }

    async fn end(&mut self) -> Result<Rollout> {
        loop {
            if let Some(Stop::Ended(ended)) = self.stop() {
                return ended;
            }
            self.next_state().await?;
        }
    }

    /// Judges the newest state.
    fn stop(&mut self) -> Option<Stop> {
        let state = self.states.borrow_and_update().clone()?;
        self.judge.observe(&state);
        self.report(&state);
        if let Some(ended) = self.judge.verdict(&state) {
            return Some(Stop::Ended(ended));
        }
        let failure = state.pull_failure(PullRetry::AfterGrant)?;
        if is_of(self.parts.cloud(), failure) {
            return Some(Stop::Refused(failure.clone()));
        }
        Some(Stop::Ended(Err(pull_failed(&state, failure))))
    }

    /// Waits for the next state, or for the end of the time for a refused pull.
    async fn next_state(&mut self) -> Result<()> {
        let until = self.judge.wait_until();
        let states = &mut self.states;
        self.call
            .run(STEP, async {
                // The sender lives as long as the whole wait, so this is never an error.
                let changed = states.changed();
                match until {
                    Some(until) => drop(tokio::time::timeout_at(until, changed).await),
                    None => drop(changed.await),
                }
                Ok(())
            })
            .await
    }

    /// Reports the progress if it has changed.
    fn report(&mut self, state: &WorkloadState) {
        let cause = state.blocker().map(ToString::to_string);
        let now = Some((state.ready, cause.clone()));
        if self.reported != now {
            self.call.report(Event::Rollout { ready: state.ready, wanted: state.wanted, cause });
            self.reported = now;
        }
    }
}

/// At a registry outside this cloud, no grant can help. If the image reference is invalid, the registry may be one of this cloud.
fn is_of(cloud: &Cloud, failure: &PullFailure) -> bool {
    ImageReference::parse(&failure.image).map_or(true, |image| cloud.has_registry(image.registry()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_may_help_unless_the_image_is_of_another_cloud() {
        let may_help = |image: &str| {
            let text = "failed to fetch oauth token: 401 Unauthorized";
            is_of(&Cloud::public(), &PullFailure::new("pod", "container", image, "ErrImagePull", text))
        };
        assert!(may_help("myregistry.azurecr.io/app:v1"));
        assert!(!may_help("quay.example/app:v1") && !may_help("nginx"));
        // The pod came without its specification.
        assert!(may_help(""));
    }
}
