//! Looks at images that an import can do without: Azure copies the image, and may reach what the caller does not.

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

/// A host that is not reached costs a call so much, once, however many of its images are looked at.
const PATIENCE: Duration = Duration::from_secs(3);
/// One that was reached before, and then is not, may cost so much in all.
const PATIENCE_ONCE_REACHED: Duration = Duration::from_secs(12);
/// With the caller's own sign-in, which may be a program or a person, a look takes no longer than this.
const LOOK: Duration = Duration::from_secs(30);

/// A look that may fail without ending the import: the image, that there is none, or why it was not seen.
pub(super) enum Look {
    There(Digest),
    Absent,
    Hidden {
        reason: String,
        /// Whether another look may see more.
        passes: bool,
        /// Whether the registry was reached, and refuses the caller.
        is_refused: bool,
    },
}

impl Look {
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

/// What is known of the hosts that a call has looked at.
#[derive(Default)]
pub(super) struct Reach(Mutex<HashMap<String, Host>>);

struct Host {
    /// What looks at it may still cost in vain.
    left: Duration,
    /// Why the last one was in vain, if it was.
    reason: String,
}

impl Reach {
    /// Reads an image.
    /// An obstacle is returned as a reason, except what ends the whole call, and a registry that has another image than the digest's:
    /// `side` is the side at fault then.
    pub async fn look(&self, parts: &Parts, image: &ImageReference, side: ImportSide, call: &Call) -> Result<Look> {
        let host = image.registry();
        let left = match self.left(host) {
            Ok(left) => left,
            Err(reason) => return Ok(Look::Hidden { reason, passes: false, is_refused: false }),
        };
        let begun = Instant::now();
        let looked = parts.registry_importer().image(image, &call.at_most(LOOK).patient_for(left)).await;
        let looked = looked.and_then(|found| {
            found.map(|found| DigestMismatch::check(image, &found.digest).map(|()| found.digest)).transpose()
        });
        match looked {
            Ok(found) => {
                self.hosts().insert(host.to_owned(), Host { left: PATIENCE_ONCE_REACHED, reason: String::new() });
                Ok(found.map_or(Look::Absent, Look::There))
            }
            Err(err) if DigestMismatch::is_in(&err) => Err(err.with_failed_side(side)),
            Err(err) if err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO => Err(err),
            Err(err) => Ok(self.hidden(host, begun.elapsed(), &err)),
        }
    }

    /// The same for several images of a target.
    pub async fn look_at<T: Borrow<ImageReference>>(
        &self,
        parts: &Parts,
        targets: &[T],
        call: &Call,
    ) -> Result<Vec<Look>> {
        let looks: Vec<_> =
            targets.iter().map(|target| self.look(parts, target.borrow(), ImportSide::Target, call)).collect();
        try_join_all(looks).await
    }

    /// How long the host may be waited for, or why it is not looked at any more.
    fn left(&self, host: &str) -> Result<Duration, String> {
        match self.hosts().get(host) {
            Some(known) if known.left.is_zero() => Err(known.reason.clone()),
            Some(known) => Ok(known.left.min(PATIENCE)),
            None => Ok(PATIENCE),
        }
    }

    fn hidden(&self, host: &str, cost: Duration, err: &Error) -> Look {
        let is_refused = err.kind() == ErrorKind::Forbidden;
        let is_passing =
            matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::DeadlineExceeded);
        let is_unreached = matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::DeadlineExceeded);
        let reason = if is_unreached { format!("could not reach {host} from here: {err}") } else { err.to_string() };
        let mut hosts = self.hosts();
        let known = hosts.entry(host.to_owned()).or_insert(Host { left: PATIENCE, reason: String::new() });
        known.left = known.left.saturating_sub(cost);
        known.reason.clone_from(&reason);
        Look::Hidden { reason, passes: is_passing && !known.left.is_zero(), is_refused }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
