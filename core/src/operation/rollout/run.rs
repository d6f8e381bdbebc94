//! Watches a rollout once, and judges it: a refused pull is judged by the role assignments, which are read meanwhile.

use super::{
    cause::{self, Cause},
    grant::{self, Verdict},
    judge::{Judge, add_state, pull_failed},
    options::RolloutOptions,
    passing::{self, Grace, may_pass},
};
use crate::{
    call::{Call, Event},
    cloud::Cloud,
    cluster::{ClusterRef, Rollout, WorkloadRef, WorkloadState},
    diagnosis::{
        catalogue::{FindingId, PullRetry},
        text::PullFailure,
    },
    error::{Error, ErrorKind, Result},
    image::ImageReference,
    operation::Parts,
};
use futures::future::{Either, select};
use std::{collections::BTreeMap, ops::ControlFlow, pin::pin};
use tokio::{sync::watch, time::Instant};

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
        workload,
        verdicts: BTreeMap::new(),
        graces: BTreeMap::new(),
        causes: BTreeMap::new(),
    };
    let watching = parts.cluster_deployer().watch_rollout(cluster, workload, &mut listener, call);
    // The judge first: at the deadline both end.
    let ended = match select(pin!(wait.run()), pin!(watching)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((Err(err), _)) => Err(err),
        Either::Right((Ok(()), _)) => Err(Error::new(ErrorKind::Unexpected, "the watch ended before the rollout")),
    };
    if let Err(err) = &ended {
        wait.look_for_cause(err).await;
    }
    ended.map_err(|err| wait.explain(err))
}

struct Wait<'a> {
    parts: &'a Parts,
    cluster: &'a ClusterRef,
    workload: &'a WorkloadRef,
    options: &'a RolloutOptions,
    call: &'a Call,
    judge: Judge,
    states: watch::Receiver<Option<WorkloadState>>,
    reported: Option<(u32, Option<String>)>,
    /// What the role assignments say about refused pulls, by the registry's host.
    verdicts: BTreeMap<String, Verdict>,
    /// How long failures that are final elsewhere may pass, by the registry's host and the finding. `None`: they are final here, too.
    graces: BTreeMap<(String, FindingId), Option<Grace>>,
    /// What an explanation says of failed pulls, by the image and the finding.
    causes: BTreeMap<(String, FindingId), Option<Cause>>,
}

/// What a state means, if it ends a wait.
enum Stop {
    Ended(Result<Rollout>),
    /// What a failed pull means depends on the registry or its role assignments, which have not been read.
    Unclear(Box<PullFailure>),
}

/// How a wait goes on that has not failed.
enum Next {
    Done(Rollout),
    Judge(Box<PullFailure>),
}

impl Wait<'_> {
    async fn run(&mut self) -> Result<Rollout> {
        let mut next = self.next().await?;
        loop {
            let failure = match next {
                Next::Done(rollout) => return Ok(rollout),
                Next::Judge(failure) => failure,
            };
            let learned = match self.learn(&failure).await? {
                Either::Left(ended) => return ended,
                Either::Right(step) => step,
            };
            // To read took a while, and the pods may run by now, or wait for another registry.
            let call = self.call;
            next = match learned {
                Some(step) => call.step(&step, self.next()).await?,
                None => self.next().await?,
            };
        }
    }

    /// Reads what decides about a failed pull, unless the rollout ends first. Returns the step that begins now, if there is one to wait for.
    async fn learn(&mut self, failure: &PullFailure) -> Result<Either<Result<Rollout>, Option<String>>> {
        let (parts, cluster, options, call) = (self.parts, self.cluster, self.options, self.call);
        if may_pass(failure) {
            let workload = self.workload;
            let reading = async {
                let cause = cause::find(parts, cluster, workload, failure, options, call).await?;
                let grace = passing::grace(parts, cluster, (failure, cause.as_ref()), options, call).await?;
                Ok((cause, grace))
            };
            let (cause, grace) = match self.unless_ended(reading).await? {
                Either::Left(ended) => return Ok(Either::Left(ended)),
                Either::Right(read) => read,
            };
            self.causes.insert(image_of(failure), cause);
            let step = grace.as_ref().map(|grace| grace.step.clone());
            self.graces.insert(case_of(failure), grace);
            return Ok(Either::Right(step));
        }
        let workload = self.workload;
        let reading = async {
            let verdict = grant::judge(parts, cluster, failure, options, call).await?;
            if !verdict.is_final() {
                return Ok((verdict, None));
            }
            let cause = cause::find(parts, cluster, workload, failure, options, call).await?;
            // A grant that was listed only now, or a credential of before.
            let passing = cause.as_ref().filter(|cause| cause.may_pass()).map(Cause::as_verdict);
            Ok((passing.unwrap_or(verdict), cause))
        };
        let (verdict, cause) = match self.unless_ended(reading).await? {
            Either::Left(ended) => return Ok(Either::Left(ended)),
            Either::Right(read) => read,
        };
        if verdict.is_final() {
            self.causes.insert(image_of(failure), cause);
        }
        let step = (!verdict.is_final()).then(|| verdict.step.clone());
        self.verdicts.insert(registry_of(failure), verdict);
        if self.verdicts.len() > 1 {
            self.judge.restart();
        }
        Ok(Either::Right(step))
    }

    /// Adds the workload, the cause, what is known about the grants, and at the deadline how far the rollout was.
    fn explain(&self, err: Error) -> Error {
        let cause = err.pull_failure().and_then(|failure| self.causes.get(&image_of(failure))?.clone());
        let err = match self.states.borrow().as_ref() {
            Some(state) if err.kind() == ErrorKind::DeadlineExceeded => add_state(err, state),
            _ => err,
        };
        let err = match err.pull_failure().and_then(|failure| self.verdicts.get(&registry_of(failure))) {
            Some(verdict) => verdict.explain(err),
            None => err,
        };
        let grace = err.pull_failure().and_then(|failure| self.graces.get(&case_of(failure))?.as_ref());
        let fact = grace.map(Grace::fact);
        let err = fact.into_iter().fold(err, |err, (name, value)| err.with_context(name, value));
        let err = cause.into_iter().fold(err, |err, cause| cause.explain(err));
        let workload = self.workload;
        err.with_context("workload", workload.to_string()).with_context("namespace", workload.namespace.clone())
    }

    /// Explains a failed pull that ends the wait, if that was not done before. A refused pull that was waited for remains what it is.
    async fn look_for_cause(&mut self, err: &Error) {
        let Some(failure) = err.pull_failure().filter(|_| err.kind() == ErrorKind::PullFailed) else { return };
        let is_waited_for = self.verdicts.get(&registry_of(failure)).is_some_and(|verdict| !verdict.is_final());
        let key = image_of(failure);
        if is_waited_for || self.causes.contains_key(&key) || !is_of(self.parts.cloud(), failure) {
            return;
        }
        // Whatever goes wrong here, the error is about the failed pull.
        if let Ok(cause) = cause::find(self.parts, self.cluster, self.workload, failure, self.options, self.call).await
        {
            self.causes.insert(key, cause);
        }
    }

    async fn unless_ended<T>(
        &mut self,
        reading: impl Future<Output = Result<T>>,
    ) -> Result<Either<Result<Rollout>, T>> {
        match select(pin!(reading), pin!(self.end())).await {
            Either::Left((read, _)) => read.map(Either::Right),
            Either::Right((ended, _)) => Ok(Either::Left(ended)),
        }
    }

    async fn next(&mut self) -> Result<Next> {
        loop {
            match self.stop() {
                Some(Stop::Ended(ended)) => return ended.map(Next::Done),
                Some(Stop::Unclear(failure)) => return Ok(Next::Judge(failure)),
                None => self.next_state().await?,
            }
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
        let unclear = state.pull_failure(PullRetry::Never).filter(|failure| self.is_unclear(failure)).cloned();
        let state = passing::with_transient(state, |failure| self.is_unclear(failure) || self.passes(failure));
        self.judge.observe(&state);
        if let Some(failure) = state.pull_failure(PullRetry::AfterGrant) {
            self.judge.learn(self.verdicts.get(&registry_of(failure)).map(Verdict::is_final));
        }
        self.report(&state);
        if let Some(ended) = self.judge.verdict(&state) {
            return Some(Stop::Ended(ended));
        }
        if let Some(failure) = unclear {
            return Some(Stop::Unclear(Box::new(failure)));
        }
        let failure = state.pull_failure(PullRetry::AfterGrant)?;
        if !is_of(self.parts.cloud(), failure) {
            return Some(Stop::Ended(Err(pull_failed(&state, failure))));
        }
        let is_judged = self.verdicts.contains_key(&registry_of(failure));
        (!is_judged).then(|| Stop::Unclear(Box::new(failure.clone())))
    }

    /// Whether the registry decides if a failure may pass, and has not been read.
    fn is_unclear(&self, failure: &PullFailure) -> bool {
        may_pass(failure)
            && !self.options.fail_fast
            && is_of(self.parts.cloud(), failure)
            && !self.graces.contains_key(&case_of(failure))
    }

    /// Whether a failure may still pass.
    fn passes(&self, failure: &PullFailure) -> bool {
        self.graces.get(&case_of(failure)).and_then(Option::as_ref).is_some_and(|grace| grace.until > Instant::now())
    }

    /// Waits for the next state, or for the end of the time for a failed pull.
    async fn next_state(&mut self) -> Result<()> {
        let graces = self.graces.values().flatten().map(|grace| grace.until).filter(|until| *until > Instant::now());
        let until = graces.chain(self.judge.wait_until()).min();
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

/// The host of the registry that refused a pull. An invalid reference stands for itself.
fn registry_of(failure: &PullFailure) -> String {
    ImageReference::parse(&failure.image).map_or_else(|_| failure.image.clone(), |image| image.registry().to_owned())
}

/// What a cause was found for.
fn image_of(failure: &PullFailure) -> (String, FindingId) {
    (failure.image.clone(), failure.finding.id.clone())
}

/// What a time that is given to a failure is for.
fn case_of(failure: &PullFailure) -> (String, FindingId) {
    (registry_of(failure), failure.finding.id.clone())
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
