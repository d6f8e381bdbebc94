//! The deadline, cancellation and progress of a call.

mod event;
mod poll;
mod trace;

pub use event::{Event, Progress};
pub(crate) use poll::{Poll, Polling};
pub use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use futures::future::BoxFuture;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long after its deadline or cancellation an operation is ended regardless of what it waits for. Normally each wait ends at the
/// deadline itself and says what was waited for; this is for waits that do not.
const GRACE: Duration = Duration::from_millis(5);

/// Options of every call: deadline, cancellation, progress.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long the whole call may take, counted from its start.
    /// Each operation states its default in its options; operations that take only call options have 2 minutes. Each call has its own
    /// deadline: planning and applying a plan are two calls. With `Duration::ZERO` no request is sent; `Duration::MAX` means no
    /// deadline.
    pub deadline: Option<Duration>,
    /// Cancels the call. Operations that Azure has already started keep running.
    pub cancel: Option<CancellationToken>,
    /// Receives the progress events.
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

    /// Starts the clock of the deadline, or of `default` if no deadline is set.
    #[must_use]
    pub fn start(&self, default: Duration) -> Call {
        let allowed = self.deadline.unwrap_or(default);
        Call {
            // A deadline beyond the clock's range counts as none.
            deadline: Instant::now().checked_add(allowed),
            registry_timeout: None,
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

/// A running call: [`CallOptions`] with the clock started. The methods of the traits take it.
#[derive(Clone)]
pub struct Call {
    deadline: Option<Instant>,
    /// How long third-party servers may take for optional work.
    registry_timeout: Option<Duration>,
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

    /// The same call with a deadline at most `limit` from now.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        if limit >= self.remaining() {
            return self.clone();
        }
        Self { deadline: Instant::now().checked_add(limit), allowed: limit, ..self.clone() }
    }

    /// The same without progress, for work that may be dropped before it ends.
    pub(crate) fn quiet(&self) -> Self {
        Self { progress: None, ..self.clone() }
    }

    /// The same call for optional work: a registry may take this long for all requests together, not counting the caller's own sign-in.
    pub(crate) fn with_registry_timeout(&self, limit: Duration) -> Self {
        Self { registry_timeout: Some(limit), ..self.clone() }
    }

    /// How long a registry may take, if limited.
    pub(crate) fn registry_timeout(&self) -> Option<Duration> {
        self.registry_timeout
    }

    /// Reports an event to the progress listener, if any, and to [`tracing`](crate::telemetry).
    pub fn report(&self, event: Event) {
        let event = event.quoted();
        trace::progress(&event);
        if let Some(progress) = &self.progress {
            progress.event(event);
        }
    }

    /// Runs `work` until it ends, the deadline passes or the caller cancels.
    /// `step` is for the error's text.
    ///
    /// # Errors
    /// Those of `work`; [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) and [`Cancelled`](ErrorKind::Cancelled).
    pub async fn run<T>(&self, step: &str, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let work = async {
            // Nothing is started after the deadline.
            if self.remaining() == Duration::ZERO { Err(self.out_of_time(step)) } else { work.await }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(cancelled_while(step)),
            result = work => result,
            () = self.until_deadline() => Err(self.out_of_time(step)),
        }
    }

    /// Runs a whole operation, and ends it shortly after its deadline or cancellation if a wait in it does not end by itself.
    pub(crate) async fn operation<T>(&self, name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let cancelled = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let late = async {
            self.until_deadline().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            result = work => result,
            () = cancelled => Err(cancelled_while(name)),
            () = late => Err(self.out_of_time(name)),
        }
    }

    /// Runs a step and reports it: `Started` at once, and `Finished` when `work` has succeeded. A step that fails or is ended early is
    /// not finished: an error says so.
    pub(crate) fn step<'a, T>(
        &'a self,
        step: &'a str,
        work: impl Future<Output = Result<T>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        // On the heap: the futures are big, and steps are nested.
        Box::pin(async move {
            self.report(Event::Started { step: step.to_owned() });
            let done = work.await?;
            self.report(Event::Finished { step: step.to_owned() });
            Ok(done)
        })
    }

    /// Retries transient failures, as long as there are waits left and the deadline allows them. Otherwise the cause itself is the
    /// error, not the deadline. A wait that the service asks for is kept.
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

    /// Waits, or fails at once if the wait would exceed the deadline; the error says how long the wait would have been.
    ///
    /// # Errors
    /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) and [`Cancelled`](ErrorKind::Cancelled).
    pub async fn sleep(&self, step: &str, wait: Duration) -> Result<()> {
        if wait > self.remaining() {
            return Err(self.too_late(step, wait));
        }
        let pause = async {
            tokio::time::sleep(wait).await;
            Ok(())
        };
        self.run(step, pause).await
    }

    /// The deadline's error if the next try would come after it.
    fn too_late(&self, step: &str, wait: Duration) -> Error {
        let err = match self.allowed {
            Duration::ZERO => self.out_of_time(step),
            allowed => {
                let text = format!(
                    "the next retry would come after the deadline of {allowed:.1?}; allow a longer one, or call again"
                );
                Error::new(ErrorKind::DeadlineExceeded, text).with_context("while", step)
            }
        };
        err.with_context("next retry in", format!("{wait:.1?}")).with_retry_after(wait)
    }

    async fn until_deadline(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    fn out_of_time(&self, step: &str) -> Error {
        let text = match self.allowed {
            Duration::ZERO => "the deadline has already passed".to_owned(),
            allowed => format!("timed out after {allowed:.1?}; allow a longer deadline, or call again"),
        };
        Error::new(ErrorKind::DeadlineExceeded, text).with_context("while", step)
    }
}

fn cancelled_while(step: &str) -> Error {
    Error::new(ErrorKind::Cancelled, "cancelled by the caller").with_context("while", step)
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
