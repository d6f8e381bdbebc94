//! One import: read source and targets, copy, read the result.

use super::{
    ImportOptions,
    reach::{ProbeResult, Reach},
    result::{Import, ImportProof, OnExistingTag},
    source::{NamedSource, ResolvedSource, Sources},
    target::Targets,
};
use crate::{
    call::{Call, Event, Poll, Polling},
    error::{Error, ErrorKind, ImportSide, Result},
    id::ResourceId,
    image::{Digest, ImageReference},
    operation::Parts,
    registry::{ExpectedImage, ImportHandle, ImportRequest, ImportStatus, Registry},
};
use std::{
    borrow::Borrow,
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

/// How long only the source is read: the targets are read once it is known to exist.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long the targets are read after a response was lost: a large image takes minutes to copy.
const ARRIVES_AFTER_LOST_RESPONSE: Duration = Duration::from_secs(5 * 60);
/// How often an import without a response and without a result is sent.
const MOST_SENT: u32 = 3;
/// How many reads in a row may fail with a transient error.
const MOST_FAILED_PROBES: u32 = 4;
/// How long to read after a conflict with an existing tag: a read may fail with a transient error.
const SHOWS_AFTER_CONFLICT: Duration = Duration::from_secs(15);
/// The same for a registry with replicas, which may lag.
const SHOWS_ON_REPLICAS: Duration = Duration::from_secs(3 * 60);
/// The minimum number of reads, however long they take.
const LEAST_PROBES: u32 = 4;
pub(super) const LOOKING: &str = "checking whether the image has arrived";
const ACCEPTED: &str =
    "Azure accepted the import, but the caller lacks the permission to follow it; it may still continue";

/// The targets without the image after an import that failed.
struct Remaining<'a> {
    rest: Vec<&'a ImageReference>,
    /// Whether further reads cannot show more.
    is_settled: bool,
}

/// An import that is ready to be sent: the image, and its names.
pub(super) struct Job<'a> {
    pub parts: &'a Parts,
    pub registry: Registry,
    pub source: ImageReference,
    pub options: &'a ImportOptions,
    pub source_registry: Option<ResourceId>,
    pub targets: Vec<ImageReference>,
    pub seen: ProbeResult,
    /// The first targets before the import, once they have been read.
    pub before: OnceLock<Vec<ProbeResult>>,
    pub reach: &'a Reach,
    pub call: &'a Call,
}

/// The input of an import, parsed and checked before the first request.
pub(super) struct Checked<'a> {
    source: NamedSource,
    pub targets: Targets,
    options: &'a ImportOptions,
}

impl<'a> Checked<'a> {
    /// Checks everything that can be checked without a request, and determines the image and its names.
    pub fn new(parts: &Parts, source: &ImageReference, options: &'a ImportOptions) -> Result<Self> {
        options.check()?;
        let source = NamedSource::new(parts, source, options)?;
        let targets = Targets::read(&source.image, options)?;
        targets.check_without_registry(parts.cloud())?;
        Ok(Self { source, targets, options })
    }
}

impl<'a> Job<'a> {
    /// Reads the source, and at the same time looks up its registry and the target registry.
    /// If the source does not respond, the targets are read in the meantime: a caller who reaches neither should not wait for one after
    /// the other.
    pub async fn prepare(
        parts: &'a Parts,
        registry: impl Future<Output = Result<Registry>>,
        Checked { source, targets, options }: Checked<'a>,
        sources: &'a Sources,
        call: &'a Call,
    ) -> Result<Self> {
        let is_compared = options.credentials.is_none() || source.image.digest().is_some();
        let found = Notify::new();
        let origin = async {
            let origin = ResolvedSource::find(parts, source, options, sources, call).await;
            found.notify_one();
            origin
        };
        let target = async {
            let registry = registry.await?;
            let before = tokio::select! {
                biased;
                () = found.notified() => None,
                Ok(()) = call.sleep(LOOKING, HEAD_START), if is_compared => {
                    let tagged = targets.tagged_in(&registry.login_server);
                    Some(sources.reach.probe_all(parts, &tagged, call).await?)
                }
            };
            Ok((registry, before))
        };
        let ((registry, before), ResolvedSource { image: source, registry: source_registry, seen }) =
            futures::try_join!(target, origin)?;
        if matches!(seen, ProbeResult::Absent) {
            let err = Error::new(ErrorKind::NotFound, "the image does not exist in the source registry");
            return Err(err.with_context("image", source.to_string()).with_failed_side(ImportSide::Source));
        }
        let digest = meant(&seen, &source);
        let targets = targets.in_registry(&registry.login_server, digest)?;
        let (reach, before) = (&sources.reach, before.map_or_else(OnceLock::new, OnceLock::from));
        Ok(Self { parts, registry, source, options, source_registry, targets, seen, before, reach, call })
    }

    /// The expected digest: the one in the source's name, or the one that was read from the source.
    pub fn wanted(&self) -> Option<&Digest> {
        meant(&self.seen, &self.source)
    }

    /// The targets that do not have the image yet.
    /// A tag of another image is an error unless it may be replaced.
    pub async fn missing(&self) -> Result<Vec<&ImageReference>> {
        let Some(wanted) = self.wanted() else { return Ok(self.targets.iter().collect()) };
        let ahead = self.before.get();
        let rest = self.probe_all(&self.targets[ahead.map_or(0, Vec::len)..]).await?;
        let (before, rest) = match ahead {
            Some(ahead) => (ahead, rest),
            None => (self.before.get_or_init(|| rest), Vec::new()),
        };
        let mut missing = Vec::new();
        for (target, probe) in self.targets.iter().zip(before.iter().chain(&rest)) {
            match probe {
                probe if probe.is(wanted) => {}
                ProbeResult::There(there) if self.options.on_existing_tag == OnExistingTag::Keep => {
                    let text = "the tag exists with another image; allow replacing it, or choose another tag";
                    return Err(differs(target, text, there, wanted));
                }
                ProbeResult::There(_) | ProbeResult::Absent | ProbeResult::Hidden { .. } => missing.push(target),
            }
        }
        Ok(missing)
    }

    /// Reads the targets.
    pub async fn probe_all<T: Borrow<ImageReference> + Sync>(&self, targets: &[T]) -> Result<Vec<ProbeResult>> {
        self.reach.probe_all(self.parts, targets, self.call).await
    }

    /// Whether a tag had this image before the import.
    pub fn had(&self, target: &ImageReference, digest: &Digest) -> bool {
        let before = self.before.get().into_iter().flatten();
        self.targets.iter().zip(before).any(|(one, before)| one == target && before.is(digest))
    }

    /// The result, if every target already has the image.
    pub fn existing(&self) -> Option<Import> {
        let digest = self.wanted()?.clone();
        Some(self.done(false, ImportProof::SourceMatched { digest }, None))
    }

    /// The digest that was read is imported: the source's tag may move in the meantime.
    fn request(&self, missing: &[&ImageReference]) -> ImportRequest {
        let source = self.wanted().map_or_else(|| self.source.clone(), |digest| self.source.at(digest.clone()));
        let (untagged, tagged): (Vec<&ImageReference>, Vec<&ImageReference>) =
            missing.iter().copied().partition(|target| target.digest().is_some());
        ImportRequest {
            source,
            source_registry: self.source_registry.clone(),
            credentials: self.options.credentials.clone(),
            targets: tagged.iter().map(|target| format!("{}:{}", target.repository(), target.manifest())).collect(),
            untagged: untagged.iter().map(|target| target.repository().to_owned()).collect(),
            replace: self.options.on_existing_tag == OnExistingTag::Replace,
        }
    }

    pub async fn start(&self, missing: &[&ImageReference]) -> Result<ImportHandle> {
        let request = self.request(missing);
        let mut handle = self.parts.registry_importer().start_import(&self.registry, &request, self.call).await?;
        handle.arriving = self
            .wanted()
            .map(|digest| ExpectedImage { images: missing.iter().copied().cloned().collect(), digest: digest.clone() });
        Ok(handle)
    }

    /// Copies to the targets that do not have the image, and verifies the result.
    pub async fn copy(&self, missing: &[&ImageReference]) -> Result<Import> {
        let step = format!("importing {} as {}", self.source, self.targets[0]);
        self.call.step(&step, self.copy_unreported(missing)).await
    }

    /// The same without progress, for what is a part of another step.
    pub async fn copy_unreported(&self, missing: &[&ImageReference]) -> Result<Import> {
        let correlation_id = self.run_until_arrived(missing).await?;
        let proof = self.prove().await?;
        Ok(self.done(true, proof, correlation_id))
    }

    /// Sends the import again only if its result was not found, or for the targets that were not copied because of one existing
    /// tag.
    async fn run_until_arrived(&self, missing: &[&ImageReference]) -> Result<Option<String>> {
        let (mut missing, mut lost) = (missing.to_vec(), None);
        for sent in 1.. {
            let err = match self.run(&missing).await {
                Ok(correlation_id) => return Ok(correlation_id),
                Err(err) => err,
            };
            let Remaining { rest, is_settled } = self.left_after(&err, &missing).await?;
            match err.kind() {
                _ if rest.is_empty() => return Ok(None),
                ErrorKind::Conflict if rest.len() < missing.len() => {}
                // The tag that stands in the way is our own, of which no more was seen.
                ErrorKind::Conflict if !is_settled => return Err(lost.unwrap_or(err)),
                ErrorKind::Unavailable if !is_settled && sent < MOST_SENT && self.wanted().is_some() => {
                    let reason = err.code().map_or_else(|| err.kind().to_string(), str::to_owned);
                    self.call.report(Event::Retrying { step: "importing the image".to_owned(), reason, wait_ms: None });
                    lost = Some(err);
                }
                _ => return Err(err),
            }
            missing = rest;
        }
        Ok(None)
    }

    async fn run(&self, missing: &[&ImageReference]) -> Result<Option<String>> {
        let handle = self.start(missing).await?;
        let correlation_id = handle.correlation_id.clone();
        match follow(self.parts, handle, self.call).await {
            Err(err) if is_unseen(&err) => {
                self.probe_until_arrived(missing, accepted(err, correlation_id.as_deref())).await?;
            }
            followed => followed?,
        }
        Ok(correlation_id)
    }

    /// Continues by reading the targets if Azure does not let the caller follow the import, which runs anyway. `unseen` is the
    /// error to return if the reads cannot show whether the import has finished.
    async fn probe_until_arrived(&self, missing: &[&ImageReference], unseen: Error) -> Result<()> {
        let Some(wanted) = self.wanted() else { return Err(unseen) };
        let keeps = self.options.on_existing_tag == OnExistingTag::Keep;
        let failed_probes = AtomicU32::new(0);
        let poll = || async {
            let probed = self.probe_all(missing).await?;
            if probed.iter().all(|probe| probe.is(wanted)) {
                return Ok(Poll::Ready(true));
            }
            let has_other = probed.iter().any(|probe| probe.is_other(wanted));
            let is_hidden = probed.iter().any(ProbeResult::is_hidden_for_good);
            let is_settled =
                is_hidden || (has_other && keeps) || count_hidden(&failed_probes, &probed) == MOST_FAILED_PROBES;
            Ok(if is_settled { Poll::Ready(false) } else { Poll::Pending { status: None, wait: None } })
        };
        match self.call.step(LOOKING, self.call.poll_until(Polling::new(LOOKING), poll)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(unseen),
            Err(err) if err.kind() == ErrorKind::DeadlineExceeded => {
                let err = err.with_context("import", ACCEPTED);
                Err(unseen.service().cloned().into_iter().fold(err, Error::with_service))
            }
            Err(err) => Err(err),
        }
    }

    /// The targets without the image: if there was no response, Azure may have received the request and be working on it; if a tag
    /// exists, an earlier import or another caller's may have created the same image.
    async fn left_after<'t>(&self, err: &Error, missing: &[&'t ImageReference]) -> Result<Remaining<'t>> {
        let is_conflict = err.kind() == ErrorKind::Conflict;
        let left = Mutex::new(Remaining { rest: missing.to_vec(), is_settled: false });
        let limit = match err.kind() {
            ErrorKind::Unavailable => ARRIVES_AFTER_LOST_RESPONSE,
            ErrorKind::Conflict if self.registry.is_premium() => SHOWS_ON_REPLICAS,
            ErrorKind::Conflict => SHOWS_AFTER_CONFLICT,
            _ => return Ok(left.into_inner()),
        };
        let Some(wanted) = self.wanted() else { return Ok(left.into_inner()) };
        let (failed_probes, looks, begun) = (AtomicU32::new(0), AtomicU32::new(0), Instant::now());
        let poll = || async {
            let probed = self.probe_all(missing).await?;
            let is_there = |probe: &ProbeResult| probe.is(wanted);
            let mut left = left.lock().await;
            left.rest =
                missing.iter().zip(&probed).filter(|(_, probe)| !is_there(probe)).map(|(target, _)| *target).collect();
            let has_other = probed.iter().any(|probe| probe.is_other(wanted));
            let is_hidden = probed.iter().any(ProbeResult::is_hidden_for_good);
            // A registry that Azure alone reaches shows nothing however often it is read.
            let failed_probes = count_hidden(&failed_probes, &probed);
            left.is_settled =
                is_hidden || (is_conflict && has_other) || (!is_conflict && failed_probes == MOST_FAILED_PROBES);
            // A conflict is about tags that are there: some of them seen is all there is to see.
            let is_all = left.rest.is_empty() || left.is_settled || (is_conflict && left.rest.len() < missing.len());
            let is_enough = looks.fetch_add(1, Ordering::Relaxed) + 1 >= LEAST_PROBES && begun.elapsed() >= limit;
            let is_over = is_all || is_enough;
            Ok(if is_over { Poll::Ready(()) } else { Poll::Pending { status: None, wait: None } })
        };
        self.call.poll_until(Polling::new(LOOKING), poll).await?;
        Ok(left.into_inner())
    }

    fn done(&self, is_new: bool, proof: ImportProof, correlation_id: Option<String>) -> Import {
        let (target, additional_tags) = (self.targets[0].clone(), self.targets[1..].to_vec());
        let source = self.source.clone();
        Import { source, target, additional_tags, is_new, proof, correlation_id, referrers: None }
    }
}

fn meant<'a>(seen: &'a ProbeResult, source: &'a ImageReference) -> Option<&'a Digest> {
    source.digest().or(match seen {
        ProbeResult::There(digest) => Some(digest),
        ProbeResult::Absent | ProbeResult::Hidden { .. } => None,
    })
}

pub(super) fn differs(target: &ImageReference, text: &str, there: &Digest, wanted: &Digest) -> Error {
    Error::new(ErrorKind::Conflict, text)
        .with_context("image", target.to_string())
        .with_context("existing", there.to_string())
        .with_context("source", wanted.to_string())
        .with_failed_side(ImportSide::Target)
}

/// Counts the reads in a row that did not show all targets.
fn count_hidden(failed_probes: &AtomicU32, probed: &[ProbeResult]) -> u32 {
    if probed.iter().any(ProbeResult::is_hidden) {
        return failed_probes.fetch_add(1, Ordering::Relaxed) + 1;
    }
    failed_probes.store(0, Ordering::Relaxed);
    0
}

/// Polls until Azure reports that everything is copied, and reports the state of each tag when it changes.
async fn follow(parts: &Parts, handle: ImportHandle, call: &Call) -> Result<()> {
    let polling = Polling::new("importing the image").after(handle.asked_wait());
    let state = Mutex::new((handle, BTreeMap::new()));
    let poll = || async {
        let (handle, told) = &mut *state.lock().await;
        let ImportStatus::Running { tags } = parts.registry_importer().poll_import(handle, call).await? else {
            return Ok(Poll::Ready(()));
        };
        for (tag, status) in &tags {
            if told.get(tag) != Some(status) {
                call.report(Event::ImportingTag { tag: tag.clone(), status: status.clone() });
            }
        }
        *told = tags;
        Ok(Poll::Pending { status: None, wait: handle.asked_wait() })
    };
    call.poll_until(polling, poll).await.map_err(|err| match err.kind() {
        ErrorKind::DeadlineExceeded | ErrorKind::Cancelled => {
            err.with_context("hint", "Azure continues the import; call again to wait for it")
        }
        _ => err,
    })
}

/// Whether the caller lacks the permission to follow an accepted import. The link belongs to the subscription, so permissions on the
/// resource group may be insufficient; this is not documented, and both cases are handled. If the source refuses Azure, that is the
/// import's own end.
pub(super) fn is_unseen(err: &Error) -> bool {
    err.kind() == ErrorKind::Forbidden && err.failed_side() != Some(ImportSide::Source)
}

/// Such a refusal, with the request that started the import.
fn accepted(err: Error, correlation_id: Option<&str>) -> Error {
    err.saying(ACCEPTED).correlated_with(correlation_id)
}

/// The progress of an import that the caller cannot poll, as its targets show it.
pub(super) async fn progress_of_unseen(
    parts: &Parts,
    handle: &ImportHandle,
    err: Error,
    call: &Call,
) -> Result<ImportStatus> {
    let err = accepted(err, handle.correlation_id.as_deref());
    let Some(ExpectedImage { images, digest }) = &handle.arriving else { return Err(err) };
    let probed = Reach::default().probe_all(parts, images, call).await?;
    if probed.iter().any(ProbeResult::is_hidden) {
        return Err(err);
    }
    let is_there = |probe: &ProbeResult| probe.is(digest);
    // Where another image is, it may be the one that is being replaced.
    Ok(if probed.iter().all(is_there) {
        ImportStatus::Succeeded
    } else {
        ImportStatus::Running { tags: BTreeMap::new() }
    })
}

/// Whether all targets have the image, from this or another import.
pub(super) async fn has_arrived(parts: &Parts, handle: &ImportHandle, call: &Call) -> Result<bool> {
    let Some(ExpectedImage { images, digest }) = &handle.arriving else { return Ok(false) };
    let probed = Reach::default().probe_all(parts, images, call).await?;
    Ok(probed.iter().all(|probe| probe.is(digest)))
}
