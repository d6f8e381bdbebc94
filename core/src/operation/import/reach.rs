//! Optional reads of images: Azure copies the image, and may reach hosts that the caller does not.

use crate::{
    call::Call,
    error::{Error, ErrorKind, ImportSide, Result},
    image::{Digest, ImageReference},
    operation::Parts,
    registry::DigestMismatch,
};
use futures::future::try_join_all;
use std::{
    borrow::Borrow,
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a call waits for an unreachable host, once, however many of its images are read.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The total wait for a host that was reached before.
const TIMEOUT_ONCE_REACHED: Duration = Duration::from_secs(12);
/// The maximum duration of a read, including the caller's own sign-in, which may be a program or a person.
const LONGEST_PROBE: Duration = Duration::from_secs(30);

/// A read that may fail without ending the import: the image, that it is missing, or why it was not read.
pub(super) enum ProbeResult {
    There(Digest),
    Absent,
    Hidden {
        reason: String,
        /// Whether reading again may show more.
        passes: bool,
        /// Whether the registry was reached, but refuses the caller.
        is_refused: bool,
    },
}

impl ProbeResult {
    /// Whether the image with this digest was found.
    pub fn is(&self, wanted: &Digest) -> bool {
        matches!(self, Self::There(there) if there.is_same(wanted) == Some(true))
    }

    /// Whether another image was found.
    pub fn is_other(&self, wanted: &Digest) -> bool {
        matches!(self, Self::There(there) if there.is_same(wanted) == Some(false))
    }

    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden { .. })
    }

    /// Whether it was not found, and reading again cannot change that.
    pub fn is_hidden_for_good(&self) -> bool {
        matches!(self, Self::Hidden { passes: false, .. })
    }
}

/// The state of the hosts of a call.
#[derive(Default)]
pub(super) struct Reach(Mutex<HashMap<String, Host>>);

struct Host {
    /// How long reads may still wait for it without success.
    left: Duration,
    /// Why the last read failed, if it did.
    reason: String,
}

impl Reach {
    /// Reads an image.
    /// An obstacle is returned as a reason, with two exceptions that are errors: a failure that ends the whole call, and a
    /// registry whose image does not match the digest; `side` is then the side at fault.
    pub async fn probe(
        &self,
        parts: &Parts,
        image: &ImageReference,
        side: ImportSide,
        call: &Call,
    ) -> Result<ProbeResult> {
        let host = image.registry();
        let left = match self.left(host) {
            Ok(left) => left,
            Err(reason) => return Ok(ProbeResult::Hidden { reason, passes: false, is_refused: false }),
        };
        let begun = Instant::now();
        let probed =
            parts.registry_importer().image(image, &call.at_most(LONGEST_PROBE).with_registry_timeout(left)).await;
        let probed = probed.and_then(|found| {
            found.map(|found| DigestMismatch::check(image, &found.digest).map(|()| found.digest)).transpose()
        });
        match probed {
            Ok(found) => {
                self.hosts().insert(host.to_owned(), Host { left: TIMEOUT_ONCE_REACHED, reason: String::new() });
                Ok(found.map_or(ProbeResult::Absent, ProbeResult::There))
            }
            Err(err) if DigestMismatch::is_in(&err) => Err(err.with_failed_side(side)),
            Err(err) if err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO => Err(err),
            Err(err) => Ok(self.hidden(host, begun.elapsed(), &err)),
        }
    }

    /// The same for several images of a target.
    pub async fn probe_all<T: Borrow<ImageReference>>(
        &self,
        parts: &Parts,
        targets: &[T],
        call: &Call,
    ) -> Result<Vec<ProbeResult>> {
        let looks: Vec<_> =
            targets.iter().map(|target| self.probe(parts, target.borrow(), ImportSide::Target, call)).collect();
        try_join_all(looks).await
    }

    /// How long to wait for the host, or why it is no longer read.
    fn left(&self, host: &str) -> Result<Duration, String> {
        match self.hosts().get(host) {
            Some(known) if known.left.is_zero() => Err(known.reason.clone()),
            Some(known) => Ok(known.left.min(TIMEOUT)),
            None => Ok(TIMEOUT),
        }
    }

    fn hidden(&self, host: &str, cost: Duration, err: &Error) -> ProbeResult {
        let is_refused = err.kind() == ErrorKind::Forbidden;
        let is_passing =
            matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::DeadlineExceeded);
        let is_unreached = matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::DeadlineExceeded);
        let reason = if is_unreached { format!("could not reach {host} from here: {err}") } else { err.to_string() };
        let mut hosts = self.hosts();
        let known = hosts.entry(host.to_owned()).or_insert(Host { left: TIMEOUT, reason: String::new() });
        known.left = known.left.saturating_sub(cost);
        known.reason.clone_from(&reason);
        ProbeResult::Hidden { reason, passes: is_passing && !known.left.is_zero(), is_refused }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
