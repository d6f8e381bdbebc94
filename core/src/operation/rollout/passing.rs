//! Failures that are final, except for a while after a change: replicas that do not have the image yet, the host name of a new registry,
//! and causes that are gone since the kubelet's last try.

use super::{cause::Cause, grant, options::RolloutOptions};
use crate::{
    call::Call,
    cluster::{ClusterRef, WorkloadState},
    diagnosis::{
        catalogue::{FindingId, PullRetry},
        stage::PullStage,
        text::PullFailure,
    },
    error::{ErrorKind, Result},
    image::ImageReference,
    operation::Parts,
    registry::Registry,
};
use std::time::Duration;
use tokio::time::Instant;

/// How long replicas get. They have an image within three minutes; of the kubelet's tries, which are 10 s, 20 s, 40 s and so on apart, one
/// may be right before that, and the next one has to be waited for.
const REPLICAS: Duration = Duration::from_secs(6 * 60);
/// How long a new registry's host name may be unknown to a DNS server. Azure documents no time; a server may also keep the answer of a query
/// that was too early.
const NEW: Duration = Duration::from_secs(10 * 60);

/// How long a failure gets whose cause is gone by now. The kubelet waits at most five minutes before it tries again.
const NEXT_TRY: Duration = Duration::from_secs(6 * 60);

/// How long a final failure may still pass.
#[derive(Clone)]
pub(super) struct Grace {
    since: Instant,
    pub until: Instant,
    /// The step that is reported while waiting.
    pub step: String,
    /// Why it may pass.
    why: String,
}

impl Grace {
    /// What the error says in addition.
    pub fn fact(&self) -> (&'static str, String) {
        let waited = self.since.elapsed().min(self.until - self.since).as_secs();
        ("waited", format!("{waited} s, since {}", self.why))
    }

    fn lasting(time: Duration, step: String, why: String) -> Self {
        let since = Instant::now();
        Self { since, until: since + time, step, why }
    }

    /// For a cause that was there at the last try and is gone.
    fn of_cause(failure: &PullFailure) -> Self {
        let step = format!("waiting for the kubelet's next try to pull {}", failure.image);
        Self::lasting(NEXT_TRY, step, "the cause is gone by now".to_owned())
    }

    fn of(failure: &PullFailure, registry: &Registry, parts: &Parts) -> Option<Self> {
        let name = registry.id.name();
        if failure.finding.id == FindingId::IMAGE_NOT_FOUND {
            return registry.is_premium().then(|| {
                let step = format!("waiting until all replicas of registry {name} have {}", failure.image);
                Self::lasting(REPLICAS, step, format!("registry {name} may have replicas that lack the image"))
            });
        }
        // A creation time in the future is one of a clock that differs by seconds: the registry is new.
        let age = parts.time().duration_since(registry.created?).unwrap_or_default();
        let rest = NEW.checked_sub(age).filter(|rest| !rest.is_zero())?;
        let step = format!("waiting until the host name of the new registry {name} resolves");
        Some(Self::lasting(
            rest,
            step,
            format!("registry {name} is new, and its host name may not be known everywhere"),
        ))
    }
}

/// Whether Azure decides if a failure is final: what the manifest itself says does not pass.
pub(super) fn may_pass(failure: &PullFailure) -> bool {
    let finding = &failure.finding;
    finding.retry == PullRetry::Never && finding.id.stage().is_some_and(|stage| stage > PullStage::Reference)
}

/// Whether a failure is one of those that pass for new registries and images. A data endpoint may be blocked, which does not pass; or its
/// name, which is new with the registry, does not exist.
fn may_be_new(failure: &PullFailure) -> bool {
    if failure.finding.id == FindingId::DATA_ENDPOINT_BLOCKED {
        return failure.message.contains("no such host");
    }
    [FindingId::IMAGE_NOT_FOUND, FindingId::DNS_LOOKUP_FAILED].contains(&failure.finding.id)
}

/// The state as it is for a failure that may pass: a wait for it goes on.
pub(super) fn with_transient(mut state: WorkloadState, is_transient: impl Fn(&PullFailure) -> bool) -> WorkloadState {
    for failure in state.blockers.iter_mut().filter_map(|blocker| blocker.pull.as_mut()) {
        if may_pass(failure) && is_transient(failure) {
            failure.finding.retry = PullRetry::Transient;
        }
    }
    state
}

/// Reads the registry. A registry that cannot be read gives no time: then the failure is what the kubelet says.
pub(super) async fn grace(
    parts: &Parts,
    cluster: &ClusterRef,
    (failure, cause): (&PullFailure, Option<&Cause>),
    options: &RolloutOptions,
    call: &Call,
) -> Result<Option<Grace>> {
    let of_cause = || cause.filter(|cause| cause.may_pass()).map(|_| Grace::of_cause(failure));
    if !may_be_new(failure) {
        return Ok(of_cause());
    }
    let Ok(image) = ImageReference::parse(&failure.image) else { return Ok(None) };
    match grant::find_registry(parts, cluster, image.registry(), options, call).await {
        Err(err) if matches!(err.kind(), ErrorKind::Cancelled | ErrorKind::DeadlineExceeded) => Err(err),
        Err(_) => Ok(of_cause()),
        Ok(search) => Ok(search.found.and_then(|registry| Grace::of(failure, &registry, parts)).or_else(of_cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_new_may_pass() {
        let layers = "failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://r.westeurope.data.azurecr.io/x\": dial tcp";
        for (text, may) in [
            ("r.azurecr.io/app:1: not found".to_owned(), true),
            (
                "failed to do request: Head \"https://r.azurecr.io/v2/\": dial tcp: lookup r.azurecr.io: no such host"
                    .to_owned(),
                true,
            ),
            (format!("{layers}: lookup r.westeurope.data.azurecr.io: no such host"), true),
            (format!("{layers} 20.1.2.3:443: i/o timeout"), false),
            // It passes anyway, in its own time.
            (format!("{layers}: lookup r.westeurope.data.azurecr.io on 10.1.0.4:53: read udp: i/o timeout"), false),
            ("no match for platform in manifest: not found".to_owned(), false),
        ] {
            let failure = PullFailure::new("pod", "c", "r.azurecr.io/app:1", "ErrImagePull", &text);
            assert_eq!(may_be_new(&failure), may, "{:?} {text}", failure.finding);
        }
    }
}
