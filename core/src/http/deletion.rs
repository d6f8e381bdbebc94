//! Deletes a resource: one write, then polls until Azure no longer returns the resource.

use super::{Arm, ArmRequest, CORRELATION_ID, Operation, Progressed, Provisioned};
use crate::{
    call::{Call, Poll, Polling},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
};
use futures::future::BoxFuture;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a replica may return a resource after its deletion.
const LONGEST_LAG: Duration = Duration::from_secs(60);

/// A resource to delete.
pub(crate) struct Deletion<'a> {
    pub arm: &'a Arm,
    pub step: &'static str,
    /// Its kind in errors, such as `registry`.
    pub kind: &'static str,
    pub id: &'a ResourceId,
    /// Its state when it was read.
    pub state: &'a str,
    /// Whether `look` can distinguish it from another resource that was created later with its ID.
    pub is_known: bool,
    /// Makes the write.
    pub request: &'a (dyn Fn() -> ArmRequest + Sync),
    pub look: &'a (dyn Fn() -> BoxFuture<'a, Result<Seen>> + Sync),
}

/// What a read shows of a resource.
pub(crate) enum Seen {
    /// It is missing, or another one has its ID.
    Gone,
    Deleting,
    /// It exists, in this state.
    There(String),
}

/// The end of a deletion.
#[derive(Default)]
pub(crate) struct Deleted {
    /// Whether this call deleted the resource: also if the response was lost and the resource is gone.
    pub deleted: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

/// What Azure has reported of the deletion.
enum Progress {
    /// Nothing that can be relied on: only the resource itself shows.
    Unknown,
    Running(Operation),
    Ended,
}

impl Deletion<'_> {
    pub async fn run(&self, call: &Call) -> Result<Deleted> {
        let work = async {
            let (deleted, progress) = match Provisioned::of(self.state) {
                Provisioned::Deleting => (Deleted::default(), Progress::Unknown),
                _ => self.send(call).await?,
            };
            let gone = self.until_gone(progress, call).await;
            gone.map_err(|err| err.correlated_with(deleted.correlation_id.as_deref()))?;
            Ok(deleted)
        };
        call.step(self.step, work).await
    }

    /// Sends the write. After a transient error, it is sent again only if the same resource still exists.
    async fn send(&self, call: &Call) -> Result<(Deleted, Progress)> {
        let failed_before = Mutex::new(false);
        let has_failed = || std::mem::replace(&mut *failed_before.lock().unwrap_or_else(PoisonError::into_inner), true);
        let attempt = || async {
            if has_failed() && !matches!((self.look)().await.map_err(|err| self.perhaps_done(err))?, Seen::There(_)) {
                let deleted = Deleted { deleted: true, correlation_id: None };
                return Ok(Poll::Ready((deleted, Progress::Unknown)));
            }
            match self.arm.send_opt((self.request)(), call).await {
                Ok(None) => Ok(Poll::Ready((Deleted::default(), Progress::Unknown))),
                Ok(Some(answer)) => {
                    let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
                    let deleted = Deleted { deleted: answer.status != 204, correlation_id };
                    let progress = match Operation::begun_by(self.arm, &answer, self.step)? {
                        Some(operation) => Progress::Running(operation),
                        None if answer.status == 202 => Progress::Unknown,
                        None => Progress::Ended,
                    };
                    Ok(Poll::Ready((deleted, progress)))
                }
                Err(err) if is_passing(&err) && self.is_known => Ok(Poll::Failed(err)),
                Err(err) => Err(err),
            }
        };
        let sent = call.poll_until(Polling::new(self.step), attempt).await;
        sent.map_err(|err| err.with_context(self.kind, self.id.name()))
    }

    /// Polls the operation, if Azure started one, and then the resource, until it is gone. The operation's address may vanish with the
    /// resource, and may need a permission that the caller lacks: then the resource alone counts. A caller with a role on the resource
    /// only can read nothing there once it is gone.
    async fn until_gone(&self, progress: Progress, call: &Call) -> Result<()> {
        let first_wait = if let Progress::Running(begun) = &progress { begun.asked_wait() } else { None };
        let state = tokio::sync::Mutex::new((progress, None));
        let poll = || async {
            let (progress, there_since) = &mut *state.lock().await;
            if let Progress::Running(begun) = progress {
                match begun.poll(self.arm, call).await {
                    Ok((Progressed::Running(status), _)) => {
                        return Ok(Poll::Pending { status: Some(status), wait: begun.asked_wait() });
                    }
                    Ok((Progressed::Done, _)) => *progress = Progress::Ended,
                    Err(err) if matches!(err.status(), Some(403 | 404)) => *progress = Progress::Unknown,
                    Err(err) => return Err(err),
                }
            }
            let seen = match (self.look)().await {
                Err(err) if err.kind() == ErrorKind::Forbidden && matches!(progress, Progress::Ended) => Seen::Gone,
                seen => seen.map_err(|err| self.perhaps_done(err))?,
            };
            match seen {
                Seen::Gone => Ok(Poll::Ready(())),
                Seen::Deleting => {
                    *there_since = None;
                    Ok(Poll::Pending { status: Some("Deleting".to_owned()), wait: None })
                }
                Seen::There(state) => {
                    if there_since.get_or_insert_with(Instant::now).elapsed() >= LONGEST_LAG {
                        return Err(self.still_there(&state));
                    }
                    Ok(Poll::Pending { status: Some(state), wait: None })
                }
            }
        };
        call.poll_until(Polling::new(self.step).after(first_wait), poll).await
    }

    /// A role that was assigned on the resource goes with it.
    fn perhaps_done(&self, err: Error) -> Error {
        if err.kind() != ErrorKind::Forbidden {
            return err;
        }
        let text = format!(
            "the deletion was requested, and may have taken the caller's role with it: check whether the {} is gone",
            self.kind
        );
        err.with_context("hint", text)
    }

    fn still_there(&self, state: &str) -> Error {
        let text = format!("Azure reported the end of the deletion, but still returns the {}; retry", self.kind);
        let err = Error::new(ErrorKind::OperationFailed, text);
        err.with_context(self.kind, self.id.name()).with_context("state", state)
    }
}

fn is_passing(err: &Error) -> bool {
    err.is_transient() && matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited)
}
