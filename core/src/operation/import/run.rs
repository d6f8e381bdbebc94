//! One import: a look at source and targets, the copy, a look at what has arrived.

use super::{
    ImportOptions,
    reach::{Look, Reach},
    result::{Import, ImportProof, OnExistingTag},
    source::{self, Origin, Sources},
    target::Targets,
};
use crate::{
    call::{Call, Event, Poll, Polling},
    error::{Error, ErrorKind, ImportSide, Result},
    id::ResourceId,
    image::{Digest, ImageReference},
    operation::Parts,
    registry::{Arriving, ImportHandle, ImportRequest, ImportStatus, Registry, Sku},
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

/// So long the source is looked at alone: the targets are looked at once it is known to be there.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long the targets are looked at after an answer was lost: a large image takes minutes to copy.
const ARRIVES_AFTER_LOST_ANSWER: Duration = Duration::from_secs(5 * 60);
/// How often an import is sent of which no answer came and that was not seen to arrive.
const MOST_SENT: u32 = 3;
/// How often in a row a look may fail for a cause that might pass.
const MOST_IN_VAIN: u32 = 4;
/// How long after a refusal since the tag exists: a look may be in vain for a passing cause.
const SHOWS_AFTER_CONFLICT: Duration = Duration::from_secs(15);
/// The same where the registry may have replicas, which may lag.
const SHOWS_ON_REPLICAS: Duration = Duration::from_secs(3 * 60);
/// However long they take, so many looks there are.
const LEAST_LOOKS: u32 = 4;
pub(super) const LOOKING: &str = "checking whether the image has arrived";
const ACCEPTED: &str =
    "Azure accepted the import, but the caller lacks the permission to follow it; it may still continue";

/// What was not seen to have the image after an import that failed.
struct Left<'a> {
    rest: Vec<&'a ImageReference>,
    /// Whether more looks would show no more.
    is_settled: bool,
}

/// An import that is ready to be sent: what is meant, and under which names.
pub(super) struct Job<'a> {
    parts: &'a Parts,
    pub registry: Registry,
    source: ImageReference,
    options: &'a ImportOptions,
    source_registry: Option<ResourceId>,
    pub targets: Vec<ImageReference>,
    pub seen: Look,
    /// What the first of the targets had before, once that was looked at.
    before: OnceLock<Vec<Look>>,
    reach: &'a Reach,
    pub call: &'a Call,
}

/// Checks what can be checked before the first request, and reads which image is meant and under which names.
pub(super) fn check(
    parts: &Parts,
    source: &ImageReference,
    options: &ImportOptions,
) -> Result<(ImageReference, Targets)> {
    options.check()?;
    let image = source::named(parts, source, options)?;
    let targets = Targets::read(&image, options)?;
    Ok((image, targets))
}

impl<'a> Job<'a> {
    /// Reads the source, and at the same time looks up its registry and the target registry.
    /// If the source does not respond, the targets are read in the meantime: a caller who reaches neither should not wait for one after
    /// the other.
    pub async fn prepare(
        parts: &'a Parts,
        registry: impl Future<Output = Result<Registry>>,
        (source, options): (&ImageReference, &'a ImportOptions),
        sources: &'a Sources,
        call: &'a Call,
    ) -> Result<Self> {
        let (image, targets) = check(parts, source, options)?;
        let is_compared = options.credentials.is_none() || image.digest().is_some();
        let found = Notify::new();
        let origin = async {
            let origin = Origin::find(parts, image, options, sources, call).await;
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
                    Some(sources.reach.look_at(parts, &tagged, call).await?)
                }
            };
            Ok((registry, before))
        };
        let ((registry, before), Origin { image: source, registry: source_registry, seen }) =
            futures::try_join!(target, origin)?;
        if matches!(seen, Look::Absent) {
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
        let rest = self.look_at(&self.targets[ahead.map_or(0, Vec::len)..]).await?;
        let (before, rest) = match ahead {
            Some(ahead) => (ahead, rest),
            None => (self.before.get_or_init(|| rest), Vec::new()),
        };
        let mut missing = Vec::new();
        for (target, look) in self.targets.iter().zip(before.iter().chain(&rest)) {
            match look {
                look if look.is(wanted) => {}
                Look::There(there) if self.options.on_existing_tag == OnExistingTag::Keep => {
                    let text = "the tag exists with another image; allow replacing it, or choose another tag";
                    return Err(differs(target, text, there, wanted));
                }
                Look::There(_) | Look::Absent | Look::Hidden { .. } => missing.push(target),
            }
        }
        Ok(missing)
    }

    /// Reads the targets.
    pub async fn look_at<T: Borrow<ImageReference> + Sync>(&self, targets: &[T]) -> Result<Vec<Look>> {
        self.reach.look_at(self.parts, targets, self.call).await
    }

    /// Whether a tag had this image before the import.
    pub fn had(&self, target: &ImageReference, digest: &Digest) -> bool {
        let before = self.before.get().into_iter().flatten();
        self.targets.iter().zip(before).any(|(one, before)| one == target && before.is(digest))
    }

    /// Whether the registry can have replicas, which only this tier has.
    pub fn may_lag(&self) -> bool {
        self.registry.sku.eq_ignore_ascii_case(Sku::Premium.as_str())
    }

    /// The result, if every target already has the image.
    pub fn already_there(&self) -> Option<Import> {
        let digest = self.wanted()?.clone();
        Some(self.done(false, ImportProof::SourceMatched { digest }, None))
    }

    /// The digest that was seen is what is imported: the source's tag may move meanwhile.
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
            .map(|digest| Arriving { images: missing.iter().copied().cloned().collect(), digest: digest.clone() });
        Ok(handle)
    }

    /// Copies to the targets that do not have the image, and verifies the result.
    pub async fn copy(&self, missing: &[&ImageReference]) -> Result<Import> {
        let step = format!("importing {} as {}", self.source, self.targets[0]);
        let work = async {
            let correlation_id = self.run_until_arrived(missing).await?;
            let proof = self.prove().await?;
            Ok(self.done(true, proof, correlation_id))
        };
        self.call.step(&step, work).await
    }

    /// Sends the import again only when it was looked for in vain, or for what one tag that was there has kept from being copied.
    async fn run_until_arrived(&self, missing: &[&ImageReference]) -> Result<Option<String>> {
        let (mut missing, mut lost) = (missing.to_vec(), None);
        for sent in 1.. {
            let err = match self.run(&missing).await {
                Ok(correlation_id) => return Ok(correlation_id),
                Err(err) => err,
            };
            let Left { rest, is_settled } = self.left_after(&err, &missing).await?;
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
                self.look_until_arrived(missing, accepted(err, correlation_id.as_deref())).await?;
            }
            followed => followed?,
        }
        Ok(correlation_id)
    }

    /// Goes on by looks at the targets where Azure does not let the caller follow the import: it is at work all the same. `unseen`
    /// says so where the looks cannot tell the end.
    async fn look_until_arrived(&self, missing: &[&ImageReference], unseen: Error) -> Result<()> {
        let Some(wanted) = self.wanted() else { return Err(unseen) };
        let keeps = self.options.on_existing_tag == OnExistingTag::Keep;
        let in_vain = AtomicU32::new(0);
        let poll = || async {
            let looked = self.look_at(missing).await?;
            if looked.iter().all(|look| look.is(wanted)) {
                return Ok(Poll::Ready(true));
            }
            let has_other = looked.iter().any(|look| look.is_other(wanted));
            let is_hidden = looked.iter().any(Look::is_hidden_for_good);
            let is_settled = is_hidden || (has_other && keeps) || count_hidden(&in_vain, &looked) == MOST_IN_VAIN;
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

    /// Those that do not have the image all the same: where no answer came, Azure may have got the request and be at work; where
    /// a tag exists, an import of before, or of somebody else, may have brought the same image.
    async fn left_after<'t>(&self, err: &Error, missing: &[&'t ImageReference]) -> Result<Left<'t>> {
        let is_conflict = err.kind() == ErrorKind::Conflict;
        let left = Mutex::new(Left { rest: missing.to_vec(), is_settled: false });
        let limit = match err.kind() {
            ErrorKind::Unavailable => ARRIVES_AFTER_LOST_ANSWER,
            ErrorKind::Conflict if self.may_lag() => SHOWS_ON_REPLICAS,
            ErrorKind::Conflict => SHOWS_AFTER_CONFLICT,
            _ => return Ok(left.into_inner()),
        };
        let Some(wanted) = self.wanted() else { return Ok(left.into_inner()) };
        let (in_vain, looks, begun) = (AtomicU32::new(0), AtomicU32::new(0), Instant::now());
        let poll = || async {
            let looked = self.look_at(missing).await?;
            let is_there = |look: &Look| look.is(wanted);
            let mut left = left.lock().await;
            left.rest =
                missing.iter().zip(&looked).filter(|(_, look)| !is_there(look)).map(|(target, _)| *target).collect();
            let has_other = looked.iter().any(|look| look.is_other(wanted));
            let is_hidden = looked.iter().any(Look::is_hidden_for_good);
            // A registry that Azure alone reaches shows nothing however often it is looked at.
            let in_vain = count_hidden(&in_vain, &looked);
            left.is_settled = is_hidden || (is_conflict && has_other) || (!is_conflict && in_vain == MOST_IN_VAIN);
            // A conflict is about tags that are there: some of them seen is all there is to see.
            let is_all = left.rest.is_empty() || left.is_settled || (is_conflict && left.rest.len() < missing.len());
            let is_enough = looks.fetch_add(1, Ordering::Relaxed) + 1 >= LEAST_LOOKS && begun.elapsed() >= limit;
            let is_over = is_all || is_enough;
            Ok(if is_over { Poll::Ready(()) } else { Poll::Pending { status: None, wait: None } })
        };
        self.call.poll_until(Polling::new(LOOKING), poll).await?;
        Ok(left.into_inner())
    }

    fn done(&self, is_new: bool, proof: ImportProof, correlation_id: Option<String>) -> Import {
        let (target, additional_tags) = (self.targets[0].clone(), self.targets[1..].to_vec());
        Import { source: self.source.clone(), target, additional_tags, is_new, proof, correlation_id }
    }
}

fn meant<'a>(seen: &'a Look, source: &'a ImageReference) -> Option<&'a Digest> {
    source.digest().or(match seen {
        Look::There(digest) => Some(digest),
        Look::Absent | Look::Hidden { .. } => None,
    })
}

pub(super) fn differs(target: &ImageReference, text: &str, there: &Digest, wanted: &Digest) -> Error {
    Error::new(ErrorKind::Conflict, text)
        .with_context("image", target.to_string())
        .with_context("there", there.to_string())
        .with_context("source", wanted.to_string())
        .with_failed_side(ImportSide::Target)
}

/// How many looks in a row have shown less than all.
fn count_hidden(in_vain: &AtomicU32, looked: &[Look]) -> u32 {
    if looked.iter().any(Look::is_hidden) {
        return in_vain.fetch_add(1, Ordering::Relaxed) + 1;
    }
    in_vain.store(0, Ordering::Relaxed);
    0
}

/// Polls until Azure says that all is copied, and tells the state of each tag when it changes.
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
    call.poll_until(polling, poll).await
}

/// Whether the caller may not look at an import that was accepted. The link to it is at the subscription, so that rights on the
/// resource group may be too little; whether they are is not established, and both are taken. That the source refuses Azure is how an
/// import ended.
pub(super) fn is_unseen(err: &Error) -> bool {
    err.kind() == ErrorKind::Forbidden && err.failed_side() != Some(ImportSide::Source)
}

/// Such a refusal, with the request that began the import.
fn accepted(err: Error, correlation_id: Option<&str>) -> Error {
    err.saying(ACCEPTED).correlated_with(correlation_id)
}

/// How far an import is that the caller may not look at: as far as its targets show it.
pub(super) async fn progress_of_unseen(
    parts: &Parts,
    handle: &ImportHandle,
    err: Error,
    call: &Call,
) -> Result<ImportStatus> {
    let err = accepted(err, handle.correlation_id.as_deref());
    let Some(Arriving { images, digest }) = &handle.arriving else { return Err(err) };
    let looked = Reach::default().look_at(parts, images, call).await?;
    if looked.iter().any(Look::is_hidden) {
        return Err(err);
    }
    let is_there = |look: &Look| look.is(digest);
    // Where another image is, it may be the one that is being replaced.
    Ok(if looked.iter().all(is_there) {
        ImportStatus::Succeeded
    } else {
        ImportStatus::Running { tags: BTreeMap::new() }
    })
}

/// Whether all that an import was to bring is there, by whichever import.
pub(super) async fn has_arrived(parts: &Parts, handle: &ImportHandle, call: &Call) -> Result<bool> {
    let Some(Arriving { images, digest }) = &handle.arriving else { return Ok(false) };
    let looked = Reach::default().look_at(parts, images, call).await?;
    Ok(looked.iter().all(|look| look.is(digest)))
}
