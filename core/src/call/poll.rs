//! The only loop that waits for a service: it polls at once, then at growing intervals.

use super::{Call, Event, millis};
use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;
use tokio::time::Instant;

/// The wait grows with the elapsed time: at most a tenth of it, and a second, are lost.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const SHARE: u32 = 10;
/// No wait of our own is longer, however long the operation takes.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// A service that asks to be polled again at once is not polled more often than this.
const SHORTEST_ASKED: Duration = Duration::from_secs(1);
/// The first wait for operations that take less than a second; each further wait doubles, up to the usual ones.
const QUICK_WAIT: Duration = Duration::from_millis(100);
/// The last poll is made this long before the deadline, or before the limit of the polling.
const LAST_POLL: Duration = Duration::from_secs(1);

/// The result of a poll.
pub(crate) enum Poll<T> {
    Ready(T),
    /// Not yet.
    Pending {
        /// The service's own name for the state, if there is something to report.
        status: Option<String>,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// Not yet, with an error; the wait ends with this error if time runs out.
    Failed(Error),
}

/// What is polled, and its limits.
pub(crate) struct Polling {
    step: String,
    first_wait: Option<Duration>,
    limit: Option<Duration>,
    is_quick: bool,
}

impl Polling {
    pub fn new(step: impl Into<String>) -> Self {
        Self { step: step.into(), first_wait: None, limit: None, is_quick: false }
    }

    /// Waits before the first poll for as long as the service asked, if it did.
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.first_wait = wait;
        self
    }

    /// Stops polling after this time, with the error of the last poll.
    pub fn at_most(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Starts with shorter waits.
    pub fn quick(mut self) -> Self {
        self.is_quick = true;
        self
    }

    /// Our own wait after `attempt` polls and the time that they took.
    fn own_wait(&self, attempt: u32, elapsed: Duration) -> Duration {
        let usual = (FIRST_WAIT + elapsed / SHARE).min(LONGEST_WAIT);
        let quick = QUICK_WAIT.saturating_mul(2_u32.saturating_pow(attempt - 1));
        if self.is_quick { usual.min(quick) } else { usual }
    }
}

impl Call {
    /// Polls until `poll` is ready, fails, the deadline passes or the caller cancels. It polls at once and then at its own pace, which
    /// slows down, or at the pace that the service asks for. The last status is in the error of the deadline.
    pub(crate) async fn poll_until<T, F: Future<Output = Result<Poll<T>>> + Send>(
        &self,
        polling: Polling,
        mut poll: impl FnMut() -> F + Send,
    ) -> Result<T> {
        let step = &polling.step;
        if let Some(wait) = polling.first_wait {
            self.sleep(step, wait.max(SHORTEST_ASKED)).await?;
        }
        let (begun, mut seen) = (Instant::now(), None);
        for attempt in 1.. {
            let polled = self.run(step, Box::pin(poll())).await;
            let polled = polled.map_err(|err| add_state(err, seen.as_deref()))?;
            let (asked, failed) = match polled {
                Poll::Ready(done) => return Ok(done),
                Poll::Pending { status, wait } => {
                    if let Some(status) = status {
                        self.report(Event::Polling { step: step.clone(), attempt, status: status.clone() });
                        seen = Some(status);
                    }
                    (wait.map(|wait| wait.max(SHORTEST_ASKED)), None)
                }
                Poll::Failed(err) => (err.retry_after().map(|wait| wait.max(SHORTEST_ASKED)), Some(err)),
            };
            let patience = polling.limit.map(|limit| limit.saturating_sub(begun.elapsed()));
            let left = patience.map_or(self.remaining(), |patience| patience.min(self.remaining()));
            let own = polling.own_wait(attempt, begun.elapsed());
            let wait = match asked {
                Some(asked) => Some(asked).filter(|asked| *asked < left),
                // One more poll comes shortly before the end.
                None if own >= left => left.checked_sub(LAST_POLL).filter(|wait| !wait.is_zero()),
                None => Some(own),
            };
            let Some(wait) = wait else {
                let would_be = asked.unwrap_or(own);
                return Err(failed.unwrap_or_else(|| add_state(self.too_late(step, would_be), seen.as_deref())));
            };
            if let Some(err) = failed {
                let reason = err.code().map_or_else(|| err.kind().to_string(), str::to_owned);
                self.report(Event::Retrying { step: step.clone(), reason, wait_ms: Some(millis(wait)) });
            }
            self.sleep(step, wait).await.map_err(|err| add_state(err, seen.as_deref()))?;
        }
        Err(self.out_of_time(step))
    }
}

fn add_state(err: Error, seen: Option<&str>) -> Error {
    match seen {
        Some(seen) if err.kind() == ErrorKind::DeadlineExceeded => err.with_context("last status", seen),
        _ => err,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallOptions, CancellationToken};
    use std::future::{pending as never, ready};

    fn pending(wait: Option<Duration>) -> Poll<()> {
        Poll::Pending { status: Some("Odd".to_owned()), wait }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Polls something that is ready after `takes`; returns how long it took and the number of polls.
    async fn polled(polling: Polling, takes: Duration) -> (Duration, u32) {
        let call = CallOptions::default().start(Duration::MAX);
        let (begun, mut polls) = (Instant::now(), 0);
        let poll = || {
            polls += 1;
            ready(Ok(if begun.elapsed() >= takes { Poll::Ready(()) } else { pending(None) }))
        };
        call.poll_until(polling, poll).await.unwrap();
        (begun.elapsed(), polls)
    }

    #[tokio::test(start_paused = true)]
    async fn polls_begin_at_once_and_lose_at_most_a_tenth_and_a_second() {
        for millis in [0, 1, 999, 1001, 2500, 10_001, 61_000, 150_000, 600_001, 3_599_000] {
            let takes = Duration::from_millis(millis);
            for polling in [Polling::new("testing"), Polling::new("testing").quick()] {
                let (took, polls) = polled(polling, takes).await;
                assert!(took <= takes + takes / 10 + secs(1), "{takes:?} took {took:?}");
                assert!(u64::from(polls) <= 30 + millis / 10_000, "{polls} polls in {takes:?}");
            }
        }
        assert_eq!(polled(Polling::new("testing"), Duration::ZERO).await, (Duration::ZERO, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_the_service_asks_for_is_kept_but_for_one_of_nothing() {
        let call = CallOptions::default().start(Duration::MAX);
        for (asked, wanted) in [(secs(7), secs(14)), (Duration::ZERO, secs(2)), (secs(300), secs(600))] {
            let (begun, mut polls) = (Instant::now(), 0);
            let poll = || {
                polls += 1;
                ready(Ok(if polls == 3 { Poll::Ready(()) } else { pending(Some(asked)) }))
            };
            call.poll_until(Polling::new("testing"), poll).await.unwrap();
            assert_eq!(begun.elapsed(), wanted);
        }
        let begun = Instant::now();
        call.poll_until(Polling::new("testing").after(Some(secs(9))), || ready(Ok(Poll::Ready(())))).await.unwrap();
        assert_eq!(begun.elapsed(), secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_ends_shortly_before_the_deadline_with_what_was_seen() {
        let call = CallOptions::default().start(secs(30));
        let (begun, mut last) = (Instant::now(), Duration::ZERO);
        let poll = || {
            last = begun.elapsed();
            ready(Ok(pending(None)))
        };
        let err = call.poll_until(Polling::new("testing"), poll).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::DeadlineExceeded);
        assert!(err.context().any(|fact| fact == ("last status", "Odd")), "{err}");
        assert_eq!(last, secs(29), "the last poll is as late as it can be");
        assert!(begun.elapsed() <= secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_ends_with_the_error_of_the_last_poll() {
        let call = CallOptions::default().start(Duration::MAX);
        let (begun, mut polls) = (Instant::now(), 0);
        let poll = || {
            polls += 1;
            let err = Error::new(ErrorKind::NotFound, format!("poll {polls}"));
            ready(Ok::<Poll<()>, _>(Poll::Failed(err)))
        };
        let err = call.poll_until(Polling::new("testing").at_most(secs(20)), poll).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        assert!(polls > 5 && err.to_string().contains(&format!("poll {polls}")), "{err}");
        assert_eq!(begun.elapsed(), secs(19));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_without_an_answer_ends_at_the_deadline_and_when_it_is_cancelled() {
        let (call, begun) = (CallOptions::default().start(secs(5)), Instant::now());
        let err = call.poll_until(Polling::new("testing"), never::<Result<Poll<()>>>).await.unwrap_err();
        assert_eq!((err.kind(), begun.elapsed()), (ErrorKind::DeadlineExceeded, secs(5)));
        let cancel = CancellationToken::new();
        let call = CallOptions::default().with_cancel(cancel.clone()).start(Duration::MAX);
        let polls = call.poll_until(Polling::new("testing"), || ready(Ok(pending(Some(secs(60))))));
        let (ended, ()) = tokio::join!(polls, async {
            tokio::time::sleep(secs(90)).await;
            cancel.cancel();
        });
        assert_eq!((ended.unwrap_err().kind(), begun.elapsed()), (ErrorKind::Cancelled, secs(95)));
    }
}
