//! Imports what refers to an imported image: signatures, SBOMs, attestations.
//!
//! Azure's import copies the image alone: microsoft/Docker-Provider#1246 moved from `az acr import` to `oras copy` for that reason. So each
//! referrer is imported by its digest, without a tag, into the repositories that have the image; cosign's, which only a tag connects with
//! the image, by that tag.

use super::{
    reach::ProbeResult,
    result::{Import, ImportProof, ImportedReferrer, ImportedReferrers, ReferrerOutcome},
    run::Job,
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, ImageReference, Referrer},
};
use futures::{StreamExt, stream};
use std::{collections::HashSet, sync::OnceLock, time::Duration};

/// Referrers of referrers are followed this far: the signature of an SBOM of an image is the second.
const DEPTH: usize = 3;
/// The maximum number of referrers of one image.
const MOST: usize = 100;
const CONCURRENCY: usize = 4;
/// The maximum duration of reading the lists of one image.
const LONGEST_LISTING: Duration = Duration::from_secs(2 * 60);
const STEP: &str = "listing what refers to the image";

/// What refers to an image, as far as it could be listed.
#[derive(Default)]
struct Listing {
    found: Vec<Referrer>,
    incomplete: Vec<String>,
}

/// Imports what refers to the image of a job that is done.
pub(super) async fn import(job: &Job<'_>) -> Result<ImportedReferrers> {
    let Listing { found, incomplete } = job.call.step(STEP, list(job)).await?;
    let repositories = repositories(job);
    // A loop, because the compiler cannot prove that the futures of a closure over borrowed items are Send.
    let mut imports = Vec::with_capacity(found.len());
    for referrer in found {
        imports.push(import_one(job, referrer, &repositories));
    }
    let ended: Vec<Result<ImportedReferrer>> = stream::iter(imports).buffered(CONCURRENCY).collect().await;
    Ok(ImportedReferrers { items: ended.into_iter().collect::<Result<_>>()?, incomplete })
}

/// The repositories that have the image, which its referrers must be in.
fn repositories(job: &Job<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for target in &job.targets {
        if !all.iter().any(|one| one == target.repository()) {
            all.push(target.repository().to_owned());
        }
    }
    all
}

/// Lists them level by level. A digest is listed once, however many refer to it, so a cycle ends.
async fn list(job: &Job<'_>) -> Result<Listing> {
    let mut listing = Listing::default();
    let root = match &job.seen {
        ProbeResult::There(digest) => job.source.digest().map_or_else(|| digest.clone(), Clone::clone),
        ProbeResult::Hidden { reason, .. } => {
            listing.incomplete.push(format!("the source was not read: {reason}"));
            return Ok(listing);
        }
        // Such an import has failed before.
        ProbeResult::Absent => return Ok(listing),
    };
    let (mut listed, mut known) = (HashSet::from([root.clone()]), HashSet::new());
    let mut level = vec![root];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for subject in level {
            for referrer in list_one(job, &subject, &mut listing).await? {
                if !known.insert((referrer.digest.clone(), referrer.tag.clone())) {
                    continue;
                }
                if listing.found.len() == MOST {
                    listing
                        .incomplete
                        .push(format!("more than {MOST} manifests refer to the image: the rest was left out"));
                    return Ok(listing);
                }
                if listed.insert(referrer.digest.clone()) {
                    next.push(referrer.digest.clone());
                }
                listing.found.push(referrer);
            }
        }
        level = next;
    }
    let deeper =
        level.iter().map(|digest| format!("{digest}: what refers to it was not listed, at a depth of {DEPTH}"));
    listing.incomplete.extend(deeper);
    Ok(listing)
}

/// What refers to one manifest. A failure is noted, unless it ends the whole call.
async fn list_one(job: &Job<'_>, subject: &Digest, listing: &mut Listing) -> Result<Vec<Referrer>> {
    let image = job.source.at(subject.clone());
    match job.parts.registry_importer().referrers(&image, &job.call.at_most(LONGEST_LISTING)).await {
        Ok(found) => Ok(found),
        Err(err) if ends_call(job, &err) => Err(err),
        Err(err) => {
            listing.incomplete.push(format!("{subject}: {err:#}"));
            Ok(Vec::new())
        }
    }
}

fn ends_call(job: &Job<'_>, err: &Error) -> bool {
    err.kind() == ErrorKind::Cancelled || job.call.remaining() == Duration::ZERO
}

async fn import_one(job: &Job<'_>, referrer: Referrer, repositories: &[String]) -> Result<ImportedReferrer> {
    // One that fails does not fail the call: its step ends either way.
    let step = format!("importing {}, which refers to {}", referrer.digest, referrer.subject);
    let ended = job.call.step(&step, async { Ok(copy(job, &referrer, repositories).await) }).await?;
    let (outcome, reason) = match ended {
        Ok(Import { is_new: false, .. }) => (ReferrerOutcome::AlreadyExists, None),
        Ok(Import { proof: ImportProof::SourceMatched { .. }, .. }) => (ReferrerOutcome::Imported, None),
        Ok(Import { proof, .. }) => (ReferrerOutcome::Unverified, Some(proof.to_string())),
        Err(err) if ends_call(job, &err) => return Err(err),
        Err(err) => (ReferrerOutcome::Failed, Some(format!("{err:#}"))),
    };
    let Referrer { digest, subject, artifact_type, tag } = referrer;
    Ok(ImportedReferrer { digest, subject, artifact_type, tag, outcome, reason })
}

async fn copy(job: &Job<'_>, referrer: &Referrer, repositories: &[String]) -> Result<Import> {
    let one = job_of(job, referrer, repositories)?;
    let missing = one.missing().await?;
    match one.existing().filter(|_| missing.is_empty()) {
        Some(existing) => Ok(existing),
        None => one.copy_unreported(&missing).await,
    }
}

/// The import of a referrer: its digest is known from the source, which is not read again.
fn job_of<'j>(job: &Job<'j>, referrer: &Referrer, repositories: &[String]) -> Result<Job<'j>> {
    let name = |repository: &String| {
        let base = format!("{}/{repository}", job.registry.login_server);
        ImageReference::parse(&match &referrer.tag {
            Some(tag) => format!("{base}:{tag}"),
            None => format!("{base}@{}", referrer.digest),
        })
    };
    Ok(Job {
        parts: job.parts,
        registry: job.registry.clone(),
        source: job.source.at(referrer.digest.clone()),
        options: job.options,
        source_registry: job.source_registry.clone(),
        targets: repositories.iter().map(name).collect::<Result<_>>()?,
        seen: ProbeResult::There(referrer.digest.clone()),
        before: OnceLock::new(),
        reach: job.reach,
        call: job.call,
    })
}
