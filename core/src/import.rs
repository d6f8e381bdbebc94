//! Import: copy an image into a registry, and prove that what arrived is what was meant.

use crate::{
    call::{Call, CallOptions, Event},
    client::Client,
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    image::{Digest, ImageReference},
    registry::{ImportHandle, ImportRequest, ImportStatus, Registry, RegistryRef},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// The source is asked for its digest no longer than this: Azure may reach a registry that we do not.
const SOURCE_LOOK: Duration = Duration::from_secs(30);
/// The wait between looks where Azure names none.
const WAIT: Duration = Duration::from_secs(5);

/// How an image is imported.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// `repository:tag` in the target registry. By default the source's.
    pub target: Option<String>,
    /// What happens to a tag that exists. Kept by default: an equal image is success, another is
    /// [`Conflict`](ErrorKind::Conflict).
    pub existing: ExistingTag,
    /// Deadline (30 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ImportOptions {
    /// Sets [`target`](Self::target).
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Sets [`existing`](Self::existing).
    #[must_use]
    pub fn with_existing(mut self, existing: ExistingTag) -> Self {
        self.existing = existing;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// What happens to a target tag that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExistingTag {
    /// It stays: an equal image is success, another is [`Conflict`](ErrorKind::Conflict).
    #[default]
    Keep,
    /// It is moved to the imported image.
    Replace,
}

/// An image that is in the registry now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Import {
    /// The source, completed as Docker completes it.
    pub source: ImageReference,
    /// The image in the registry.
    pub target: ImageReference,
    /// `false`: an equal image was there, and nothing was copied.
    pub is_new: bool,
    /// How sure it is that the two are the same.
    pub proof: ImportProof,
}

/// How sure it is that an imported image is its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum ImportProof {
    /// The target's digest equals the one that the source had before the import.
    SourceMatched {
        /// That digest.
        digest: Digest,
    },
    /// The target's digest is known, the source's is not.
    TargetOnly {
        /// The target's digest.
        digest: Digest,
        /// Why the source could not be looked at.
        reason: String,
    },
    /// Azure says that the import succeeded; the target could not be looked at.
    Unproven {
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for ImportProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceMatched { digest } => write!(f, "{digest}, equal to the source"),
            Self::TargetOnly { digest, reason } => write!(f, "{digest}, not compared with the source: {reason}"),
            Self::Unproven { reason } => write!(f, "not looked at: {reason}"),
        }
    }
}

/// A look that may fail without ending the import: the image, that there is none, or why it could not be looked at.
enum Look {
    There(Digest),
    Absent,
    Hidden(String),
}

pub(crate) async fn import(
    client: &Client,
    registry: &RegistryRef,
    source: &ImageReference,
    options: &ImportOptions,
) -> Result<Import> {
    let named = named_target(source, options.target.as_deref())?;
    registry.check_cloud(client.cloud())?;
    client.cloud().check_registry_host(source.registry(), "image")?;
    let call = options.call.start(DEADLINE);
    let (registry, seen, source_registry) = futures::try_join!(
        client.find_registry(registry, &call),
        look(client, source, Some(SOURCE_LOOK), &call),
        source_registry(client, source, &call)
    )?;
    if matches!(seen, Look::Absent) {
        return Err(
            Error::new(ErrorKind::NotFound, "the source has no such image").with_context("image", source.to_string())
        );
    }
    let target = named.in_registry(&registry.login_server);
    let job = Job { client, source, target, seen, call: &call };
    if options.existing == ExistingTag::Keep
        && let Some(done) = job.already_there().await?
    {
        return Ok(done);
    }
    job.copy(&registry, source_registry, options.existing == ExistingTag::Replace).await
}

struct Job<'a> {
    client: &'a Client,
    source: &'a ImageReference,
    target: ImageReference,
    seen: Look,
    call: &'a Call,
}

impl Job<'_> {
    /// An equal image under the target's tag is success; another one is not overwritten.
    async fn already_there(&self) -> Result<Option<Import>> {
        let (Look::There(wanted), Look::There(there)) =
            (&self.seen, look(self.client, &self.target, None, self.call).await?)
        else {
            return Ok(None);
        };
        if *wanted == there {
            return Ok(Some(self.done(false, ImportProof::SourceMatched { digest: there })));
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "the tag exists with another image; replace it on purpose, or choose another tag",
        )
        .with_context("image", self.target.to_string())
        .with_context("there", there.to_string())
        .with_context("source", wanted.to_string()))
    }

    /// The digest that was seen is what is imported: the source's tag may move meanwhile.
    async fn copy(&self, registry: &Registry, source_registry: Option<ResourceId>, replace: bool) -> Result<Import> {
        let source = match &self.seen {
            Look::There(digest) => self.source.at(digest.clone()),
            Look::Absent | Look::Hidden(_) => self.source.clone(),
        };
        let targets = vec![format!("{}:{}", self.target.repository(), self.target.manifest())];
        let request = ImportRequest { source, source_registry, targets, replace };
        self.call.report(Event::Started { step: format!("importing {} as {}", self.source, self.target) });
        let started = self.client.registry_importer().start_import(registry, &request, self.call).await;
        match started {
            Ok(handle) => follow(self.client, handle, self.call).await?,
            // Whether Azure got the request is not known: the target says.
            Err(err) if err.kind() == ErrorKind::Unavailable && self.has_arrived().await => {}
            Err(err) => return Err(err),
        }
        let proof = self.prove().await?;
        self.call.report(Event::Finished { step: format!("importing {} as {}", self.source, self.target) });
        Ok(self.done(true, proof))
    }

    async fn has_arrived(&self) -> bool {
        let there = look(self.client, &self.target, None, self.call).await;
        matches!((&self.seen, there), (Look::There(wanted), Ok(Look::There(there))) if *wanted == there)
    }

    async fn prove(&self) -> Result<ImportProof> {
        let arrived = look(self.client, &self.target, None, self.call).await?;
        match (&self.seen, arrived) {
            (Look::There(wanted), Look::There(digest)) if *wanted == digest => {
                Ok(ImportProof::SourceMatched { digest })
            }
            (Look::There(wanted), Look::There(digest)) => {
                Err(Error::new(ErrorKind::Conflict, "the target has another image than the one imported")
                    .with_context("image", self.target.to_string())
                    .with_context("there", digest.to_string())
                    .with_context("source", wanted.to_string()))
            }
            (Look::Hidden(reason), Look::There(digest)) => {
                Ok(ImportProof::TargetOnly { digest, reason: reason.clone() })
            }
            (_, Look::Hidden(reason)) => Ok(ImportProof::Unproven { reason }),
            (_, Look::Absent) | (Look::Absent, _) => Err(Error::new(
                ErrorKind::Unexpected,
                "Azure says that the import succeeded, and the target does not have the image",
            )
            .with_context("image", self.target.to_string())),
        }
    }

    fn done(&self, is_new: bool, proof: ImportProof) -> Import {
        Import { source: self.source.clone(), target: self.target.clone(), is_new, proof }
    }
}

/// Looks until Azure says that all is copied, and tells the state of each tag when it changes.
async fn follow(client: &Client, mut handle: ImportHandle, call: &Call) -> Result<()> {
    let mut told = BTreeMap::new();
    loop {
        call.sleep("importing the image", handle.asked_wait().unwrap_or(WAIT)).await?;
        let ImportStatus::Running(tags) = client.registry_importer().poll_import(&mut handle, call).await? else {
            return Ok(());
        };
        for (tag, status) in &tags {
            if told.get(tag) != Some(status) {
                call.report(Event::ImportingTag { tag: tag.clone(), status: status.clone() });
            }
        }
        told = tags;
    }
}

/// What stands in the way of a look is a reason, but for what ends the whole call.
async fn look(client: &Client, image: &ImageReference, limit: Option<Duration>, call: &Call) -> Result<Look> {
    let limited = limit.map_or_else(|| call.clone(), |limit| call.at_most(limit));
    match client.registry_importer().image(image, &limited).await {
        Ok(Some(image)) => Ok(Look::There(image.digest)),
        Ok(None) => Ok(Look::Absent),
        Err(err) if err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO => Err(err),
        Err(err) => Ok(Look::Hidden(err.to_string())),
    }
}

/// One of Azure's registries is named by its id where the caller can see it: then Azure pulls with rights of its own.
async fn source_registry(client: &Client, source: &ImageReference, call: &Call) -> Result<Option<ResourceId>> {
    if !client.cloud().has_registry(source.registry()) {
        return Ok(None);
    }
    let found = client.registry_importer().find(&source.registry().parse()?, call).await?;
    Ok(found.map(|registry| registry.id))
}

/// The target's repository and tag, checked before anything is sent; its registry is not known yet.
fn named_target(source: &ImageReference, target: Option<&str>) -> Result<ImageReference> {
    let Some(text) = target else {
        let message = "an image named by its digest alone needs a target with a tag";
        return source.tagged().ok_or_else(|| Error::invalid(message, "image", source.to_string()));
    };
    let wanted = || Error::invalid("wanted repository:tag", "target", text);
    let named = ImageReference::parse(&format!("target.invalid/{text}")).map_err(|err| wanted().with_source(err))?;
    if named.digest().is_some() || !text.contains(':') {
        return Err(wanted());
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_needs_a_repository_and_a_tag() {
        let source: ImageReference = "nginx".parse().unwrap();
        for wrong in ["", "nginx", "Nginx:v1", "nginx:", "a b:1", "host/../x:1", "nginx@sha256:00"] {
            assert_eq!(named_target(&source, Some(wrong)).unwrap_err().kind(), ErrorKind::InvalidInput, "{wrong}");
        }
        assert_eq!(named_target(&source, Some("team/app:v1")).unwrap().repository(), "team/app");
        assert_eq!(named_target(&source, None).unwrap().repository(), "library/nginx");
    }

    #[test]
    fn a_source_with_a_digest_alone_needs_a_target() {
        let source: ImageReference = format!("ghcr.io/a/b@sha256:{}", "0".repeat(64)).parse().unwrap();
        assert_eq!(named_target(&source, None).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
