//! Import: copy an image into a registry, and prove that what arrived is what was meant.

use crate::{
    call::{Call, CallOptions, Event},
    client::Client,
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    image::{Digest, ImageReference},
    registry::{ImportHandle, ImportRequest, ImportStatus, Registry, RegistryRef},
    words::words,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// A registry is looked at no longer than this: Azure may reach one that we do not.
const LOOK: Duration = Duration::from_secs(30);
/// How often the target is looked at after an answer was lost: a large image takes minutes to copy.
const LOOKS_AFTER_LOST_ANSWER: u32 = 60;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExistingTag {
    /// It stays: an equal image is success, another is [`Conflict`](ErrorKind::Conflict).
    #[default]
    Keep,
    /// It is moved to the imported image.
    Replace,
}

words!(ExistingTag, "existing": Keep => "keep", Replace => "replace");

/// An image that is in the registry now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `None` where nothing was copied, or where
    /// its answer was lost.
    pub correlation_id: Option<String>,
}

/// How sure it is that an imported image is its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
    registry.check_cloud(client.cloud())?;
    let source_registry = source_registry(client, source)?;
    let named = named_target(source, options.target.as_deref())?;
    let call = options.call.start(DEADLINE);
    let (registry, seen, source_registry) = futures::try_join!(
        client.find_registry(registry, &call),
        look(client, source, &call),
        find_id(client, source_registry.as_ref(), &call)
    )?;
    if matches!(seen, Look::Absent) {
        return Err(
            Error::new(ErrorKind::NotFound, "the source has no such image").with_context("image", source.to_string())
        );
    }
    let job =
        Job { client, source, source_registry, target: named.in_registry(&registry.login_server), seen, call: &call };
    match job.already_there(options.existing).await? {
        Some(done) => Ok(done),
        None => job.copy(&registry, options.existing == ExistingTag::Replace).await,
    }
}

struct Job<'a> {
    client: &'a Client,
    source: &'a ImageReference,
    source_registry: Option<ResourceId>,
    target: ImageReference,
    seen: Look,
    call: &'a Call,
}

impl Job<'_> {
    /// The digest that is meant: the one that the source was seen to have, or the one that the caller named.
    fn wanted(&self) -> Option<&Digest> {
        match &self.seen {
            Look::There(digest) => Some(digest),
            Look::Absent | Look::Hidden(_) => self.source.digest(),
        }
    }

    /// An equal image under the target's tag is success; another one is not overwritten unless it was asked for.
    async fn already_there(&self, existing: ExistingTag) -> Result<Option<Import>> {
        let Some(wanted) = self.wanted() else { return Ok(None) };
        let Look::There(there) = look(self.client, &self.target, self.call).await? else { return Ok(None) };
        if *wanted == there {
            return Ok(Some(self.done(false, ImportProof::SourceMatched { digest: there }, None)));
        }
        if existing == ExistingTag::Replace {
            return Ok(None);
        }
        let text = "the tag exists with another image; replace it on purpose, or choose another tag";
        Err(self.differs(text, &there, wanted))
    }

    /// The digest that was seen is what is imported: the source's tag may move meanwhile.
    async fn copy(&self, registry: &Registry, replace: bool) -> Result<Import> {
        let source = self.wanted().map_or_else(|| self.source.clone(), |digest| self.source.at(digest.clone()));
        let targets = vec![format!("{}:{}", self.target.repository(), self.target.manifest())];
        let request = ImportRequest { source, source_registry: self.source_registry.clone(), targets, replace };
        let step = format!("importing {} as {}", self.source, self.target);
        self.call.report(Event::Started { step: step.clone() });
        let correlation_id = match self.run(registry, &request).await {
            Ok(correlation_id) => correlation_id,
            Err(err) if self.has_arrived_after(&err).await? => None,
            Err(err) => return Err(err),
        };
        let proof = self.prove(registry).await?;
        self.call.report(Event::Finished { step });
        Ok(self.done(true, proof, correlation_id))
    }

    async fn run(&self, registry: &Registry, request: &ImportRequest) -> Result<Option<String>> {
        let handle = self.client.registry_importer().start_import(registry, request, self.call).await?;
        let correlation_id = handle.correlation_id.clone();
        follow(self.client, handle, self.call).await?;
        Ok(correlation_id)
    }

    /// Whether the image is there all the same: where no answer came, Azure may have got the request and be at work; where the
    /// tag exists, another import may have brought the same image meanwhile.
    async fn has_arrived_after(&self, err: &Error) -> Result<bool> {
        let looks = match err.kind() {
            ErrorKind::Unavailable => LOOKS_AFTER_LOST_ANSWER,
            ErrorKind::Conflict => 1,
            _ => 0,
        };
        let Some(wanted) = self.wanted() else { return Ok(false) };
        for attempt in 0..looks {
            if attempt > 0 {
                self.call.sleep("looking whether the image has arrived", WAIT).await?;
            }
            match look(self.client, &self.target, self.call).await? {
                Look::There(there) if *wanted == there => return Ok(true),
                Look::Hidden(_) => return Ok(false),
                Look::There(_) | Look::Absent => {}
            }
        }
        Ok(false)
    }

    async fn prove(&self, registry: &Registry) -> Result<ImportProof> {
        match (self.wanted(), look(self.client, &self.target, self.call).await?) {
            (Some(wanted), Look::There(digest)) if *wanted == digest => Ok(ImportProof::SourceMatched { digest }),
            (Some(wanted), Look::There(digest)) => {
                Err(self.differs("the target has another image than the one imported", &digest, wanted))
            }
            (None, Look::There(digest)) => Ok(ImportProof::TargetOnly { digest, reason: self.why_unseen() }),
            (_, Look::Hidden(reason)) => {
                let role = registry.mode.pull_role();
                Ok(ImportProof::Unproven { reason: format!("{reason}; looking needs the role {role} here") })
            }
            (_, Look::Absent) => {
                let text = "Azure says that the import succeeded, and the target does not have the image";
                Err(Error::new(ErrorKind::Unexpected, text).with_context("image", self.target.to_string()))
            }
        }
    }

    fn why_unseen(&self) -> String {
        match &self.seen {
            Look::Hidden(reason) => reason.clone(),
            Look::There(_) | Look::Absent => String::new(),
        }
    }

    fn differs(&self, text: &str, there: &Digest, wanted: &Digest) -> Error {
        Error::new(ErrorKind::Conflict, text)
            .with_context("image", self.target.to_string())
            .with_context("there", there.to_string())
            .with_context("source", wanted.to_string())
    }

    fn done(&self, is_new: bool, proof: ImportProof, correlation_id: Option<String>) -> Import {
        Import { source: self.source.clone(), target: self.target.clone(), is_new, proof, correlation_id }
    }
}

/// Looks until Azure says that all is copied, and tells the state of each tag when it changes.
async fn follow(client: &Client, mut handle: ImportHandle, call: &Call) -> Result<()> {
    let mut told = BTreeMap::new();
    loop {
        call.sleep("importing the image", handle.asked_wait().unwrap_or(WAIT)).await?;
        let ImportStatus::Running { tags } = client.registry_importer().poll_import(&mut handle, call).await? else {
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
async fn look(client: &Client, image: &ImageReference, call: &Call) -> Result<Look> {
    match client.registry_importer().image(image, &call.at_most(LOOK)).await {
        Ok(Some(image)) => Ok(Look::There(image.digest)),
        Ok(None) => Ok(Look::Absent),
        Err(err) if err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO => Err(err),
        Err(err) => Ok(Look::Hidden(err.to_string())),
    }
}

/// The source's registry, where it is one of this cloud's. One of another cloud is refused.
fn source_registry(client: &Client, source: &ImageReference) -> Result<Option<RegistryRef>> {
    client.cloud().check_registry_host(source.registry(), "image")?;
    client.cloud().has_registry(source.registry()).then(|| source.registry().parse()).transpose()
}

/// One of Azure's registries is named by its id where the caller can see it: then Azure pulls with rights of its own. Where not,
/// Azure asks it without a name.
async fn find_id(client: &Client, registry: Option<&RegistryRef>, call: &Call) -> Result<Option<ResourceId>> {
    let Some(registry) = registry else { return Ok(None) };
    match client.registry_importer().find(registry, call).await {
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
        found => Ok(found?.map(|registry| registry.id)),
    }
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
