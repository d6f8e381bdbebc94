//! How long a call may take, who can stop it, and who hears how it goes on.

use crate::{
    error::{Error, ErrorKind, Result, quoted},
    telemetry,
};
use serde::{Deserialize, Serialize};
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tokio::time::Instant;
pub use tokio_util::sync::CancellationToken;

/// A step of a call that is under way.
///
/// Steps may run side by side, so that their events mix; a step is known by its text, which is for people and may change. A step that
/// fails is not [`Finished`](Self::Finished): the call's error says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A step begins.
    Started {
        /// What is done, for a human reader.
        step: String,
    },
    /// Azure is still at work; the service's own word says with what.
    Polling {
        /// What is waited for.
        step: String,
        /// How often it was asked, from 1.
        attempt: u32,
        /// The service's own word, such as `Accepted` or `CreatingAgentPools: 1/3 nodes completed`.
        status: String,
    },
    /// The state of one target tag of an import changed.
    ImportingTag {
        /// `repository:tag` in the target registry.
        tag: String,
        /// The service's own word, such as `Pending`.
        status: String,
    },
    /// Something temporary stood in the way; the request is sent again after the wait.
    Retrying {
        /// What is tried again.
        step: String,
        /// The service's code, or what went wrong.
        reason: String,
        /// How long is waited first, in milliseconds, where that is known.
        wait_ms: Option<u64>,
    },
    /// The number of ready pods of a roll-out changed, or what keeps them from it.
    RollingOut {
        /// Ready replicas.
        ready: u32,
        /// Wanted replicas.
        wanted: u32,
        /// What stands in the way at present, if anything.
        cause: Option<String>,
    },
    /// A step is done.
    Finished {
        /// What was done.
        step: String,
    },
    /// The import of one image of a list has ended, well or not.
    ItemEnded {
        /// The image's place in the list, from 0.
        index: u32,
        /// The image, completed as Docker completes it.
        source: String,
        /// Whether it was copied. `false`: an equal image was there, or it failed.
        is_new: bool,
        /// Why it failed, if it did: the sentence of its error.
        error: Option<String>,
    },
}

impl Event {
    /// The same with its texts as they are shown: some hold a service's own words.
    fn quoted(mut self) -> Self {
        let texts: [Option<&mut String>; 2] = match &mut self {
            Self::Started { step } | Self::Finished { step } => [Some(step), None],
            Self::Polling { step, status, .. } => [Some(step), Some(status)],
            Self::ImportingTag { tag, status } => [Some(tag), Some(status)],
            Self::Retrying { step, reason, .. } => [Some(step), Some(reason)],
            Self::RollingOut { cause, .. } => [cause.as_mut(), None],
            Self::ItemEnded { source, error, .. } => [Some(source), error.as_mut()],
        };
        for text in texts.into_iter().flatten() {
            *text = quoted(std::mem::take(text));
        }
        self
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { step } => write!(f, "{step} …"),
            Self::Polling { step, attempt, status } => write!(f, "{step}: {status} (look {attempt})"),
            Self::ImportingTag { tag, status } => write!(f, "{tag}: {status}"),
            Self::Retrying { step, reason, wait_ms: Some(wait) } => {
                write!(f, "{step}: again in {:.1?}, after {reason}", Duration::from_millis(*wait))
            }
            Self::Retrying { step, reason, wait_ms: None } => write!(f, "{step}: again, after {reason}"),
            Self::RollingOut { ready, wanted, cause: None } => write!(f, "{ready}/{wanted} ready"),
            Self::RollingOut { ready, wanted, cause: Some(cause) } => write!(f, "{ready}/{wanted} ready, {cause}"),
            Self::Finished { step } => write!(f, "{step}: done"),
            Self::ItemEnded { source, error: Some(error), .. } => write!(f, "{source}: {error}"),
            Self::ItemEnded { source, is_new: true, .. } => write!(f, "{source}: imported"),
            Self::ItemEnded { source, .. } => write!(f, "{source}: there already"),
        }
    }
}

/// Hears of the steps of a call. It must return at once: the work waits for it.
pub trait Progress: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Progress for F {
    fn event(&self, event: Event) {
        self(event);
    }
}

/// What every call can be told: a deadline, a way to stop it, a listener.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long the whole call may take, counted from its start. Each operation states its own default, in its options; those that take
    /// bare call options have 2 minutes. It is per call: a plan and its application have two. `Duration::ZERO` has passed at once, and
    /// no request is sent; `Duration::MAX` is none.
    pub deadline: Option<Duration>,
    /// Cancels the call. What Azure has begun goes on.
    pub cancel: Option<CancellationToken>,
    /// Hears of the steps.
    pub progress: Option<Arc<dyn Progress>>,
}

impl CallOptions {
    /// Sets [`deadline`](Self::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets [`cancel`](Self::cancel).
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancellationToken) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Sets [`progress`](Self::progress).
    #[must_use]
    pub fn with_progress(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Starts the clock: from here on the deadline, or `default` where none was set, runs.
    #[must_use]
    pub fn start(&self, default: Duration) -> Call {
        let allowed = self.deadline.unwrap_or(default);
        Call {
            // A deadline too far away for the clock is none.
            deadline: Instant::now().checked_add(allowed),
            patience: None,
            allowed,
            cancel: self.cancel.clone().unwrap_or_default(),
            progress: self.progress.clone(),
        }
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A call under way: [`CallOptions`] with the clock started. The methods of the traits take it.
#[derive(Clone)]
pub struct Call {
    deadline: Option<Instant>,
    /// How long servers of others may take for what is optional.
    patience: Option<Duration>,
    allowed: Duration,
    cancel: CancellationToken,
    progress: Option<Arc<dyn Progress>>,
}

impl Call {
    /// Time left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    /// The same call with a deadline that is at most `limit` from now.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        if limit >= self.remaining() {
            return self.clone();
        }
        Self { deadline: Instant::now().checked_add(limit), allowed: limit, ..self.clone() }
    }

    /// The same call for what it can do without: a registry may take so long for all that is asked of it, beside the caller's own sign-in.
    pub(crate) fn patient_for(&self, limit: Duration) -> Self {
        Self { patience: Some(limit), ..self.clone() }
    }

    /// How long a registry may take, where that is limited.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// Tells the listener, if there is one, and [`tracing`](crate::telemetry).
    pub fn report(&self, event: Event) {
        let event = event.quoted();
        telemetry::progress(&event);
        if let Some(progress) = &self.progress {
            progress.event(event);
        }
    }

    /// Runs `work` until it ends, the deadline passes or the caller cancels. `step` is for the error's text.
    ///
    /// # Errors
    /// Those of `work`; [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) and [`Cancelled`](ErrorKind::Cancelled).
    pub async fn run<T>(&self, step: &str, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let work = async {
            // Past the deadline nothing more is begun.
            if self.remaining() == Duration::ZERO { Err(self.out_of_time(step)) } else { work.await }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::new(ErrorKind::Cancelled, "cancelled by the caller").with_context("while", step)),
            result = work => result,
            () = self.until_deadline() => Err(self.out_of_time(step)),
        }
    }

    /// Tries again what fails for a passing cause, as long as there are waits and the deadline lets them be. Where it does not,
    /// the cause itself is the error, not the deadline. A wait that the service asks for is kept.
    pub(crate) async fn retry<T, F: Future<Output = Result<T>> + Send>(
        &self,
        step: &str,
        mut waits: impl Iterator<Item = Duration> + Send,
        is_passing: impl Fn(&Error) -> bool + Send + Sync,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T> {
        loop {
            let err = match attempt().await {
                Err(err) if is_passing(&err) => err,
                ended => return ended,
            };
            let wait = waits.next().map(|wait| wait.max(err.retry_after().unwrap_or_default()));
            let Some(wait) = wait.filter(|wait| *wait < self.remaining()) else { return Err(err) };
            let reason = err.code().map_or_else(|| err.kind().to_string(), str::to_owned);
            self.report(Event::Retrying { step: step.to_owned(), reason, wait_ms: Some(millis(wait)) });
            self.sleep(step, wait).await?;
        }
    }

    /// Waits, unless that would outlive the deadline: then it ends at once, and the error says how long it would have been.
    ///
    /// # Errors
    /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) and [`Cancelled`](ErrorKind::Cancelled).
    pub async fn sleep(&self, step: &str, wait: Duration) -> Result<()> {
        if wait > self.remaining() {
            return Err(self
                .out_of_time(step)
                .with_context("next try would be in", format!("{wait:.1?}"))
                .with_retry_after(wait));
        }
        let pause = async {
            tokio::time::sleep(wait).await;
            Ok(())
        };
        self.run(step, pause).await
    }

    async fn until_deadline(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    fn out_of_time(&self, step: &str) -> Error {
        let text = match self.allowed {
            Duration::ZERO => "the deadline leaves no time".to_owned(),
            allowed => format!("not done within {allowed:.1?}"),
        };
        Error::new(ErrorKind::DeadlineExceeded, text).with_context("while", step)
    }
}

pub(crate) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_as_a_line() {
        let event =
            Event::Retrying { step: "granting".into(), reason: "PrincipalNotFound".into(), wait_ms: Some(1500) };
        assert_eq!(event.to_string(), "granting: again in 1.5s, after PrincipalNotFound");
        let event = Event::RollingOut { ready: 0, wanted: 2, cause: Some("ErrImagePull".into()) };
        assert_eq!(event.to_string(), "0/2 ready, ErrImagePull");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_outlives_the_deadline_is_stopped() {
        let call = CallOptions::default().with_deadline(Duration::from_secs(2)).start(Duration::MAX);
        let before = Instant::now();
        let err = call.run("waiting", std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::DeadlineExceeded);
        assert!(before.elapsed() < Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_deadline_ends_at_once_and_says_how_long() {
        let call = CallOptions::default().start(Duration::from_secs(2));
        let before = Instant::now();
        let err = call.sleep("waiting", Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(err.retry_after(), Some(Duration::from_secs(60)));
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_of_nothing_has_passed_before_the_work_begins() {
        let call = CallOptions::default().with_deadline(Duration::ZERO).start(Duration::MAX);
        let err = call.run("waiting", async { Ok(()) }).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::DeadlineExceeded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_call_does_not_begin_its_work() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let call = CallOptions::default().with_cancel(cancel).start(Duration::MAX);
        let err = call.run("waiting", async { Ok(()) }).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Cancelled);
    }
}
