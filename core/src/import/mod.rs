//! Import: copy an image into a registry, and prove that what arrived is what is meant.

mod many;
mod options;
mod proof;
mod reach;
mod run;
mod source;
mod target;

pub use many::{ImportItem, ImportManyOptions};
pub use options::ImportOptions;

pub(crate) use many::{DEADLINE as LIST_DEADLINE, import_many};

use crate::{
    call::{Call, CallOptions},
    client::Client,
    error::{Blame, ErrorKind, Result},
    image::{Digest, ImageReference},
    registry::{ImportHandle, ImportStatus, Registry, RegistryRef},
    words::words,
};
use run::Job;
use serde::{Deserialize, Serialize};
use source::Sources;
use std::{fmt, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// The deadline of one look at an import.
pub(crate) const POLL_DEADLINE: Duration = Duration::from_secs(2 * 60);

/// What happens to a target tag that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExistingTag {
    /// It stays: an equal image is success, another is [`Conflict`](crate::ErrorKind::Conflict). Where the source cannot be looked
    /// at, as with [`credentials`](ImportOptions::credentials), and is not named by its digest, any image under the tag is another.
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
    /// The image in the registry: by its tag, or by its digest where it has none there.
    pub target: ImageReference,
    /// Its further names there.
    pub also: Vec<ImageReference>,
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
    /// The target's digest equals the one that is meant: the one that the source is named by, or else had before the import.
    SourceMatched {
        /// That digest.
        digest: Digest,
    },
    /// The target's digest is known, the source's is not.
    TargetOnly {
        /// The target's digest.
        digest: Digest,
        /// Why the source was not compared: it was not reached from here, refuses the caller, or is asked by Azure alone.
        reason: String,
    },
    /// Azure says that the import succeeded; the target was not reached from here, refuses the caller, or has replicas that do not show
    /// the image yet.
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

/// How [`Client::start_import`] ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StartedImport {
    /// Every target has the image already: nothing was begun.
    AlreadyThere {
        /// What is there.
        import: Import,
    },
    /// Azure copies.
    Started {
        /// By which the import is followed.
        handle: ImportHandle,
    },
}

pub(crate) async fn import(
    client: &Client,
    registry: &RegistryRef,
    source: &ImageReference,
    options: &ImportOptions,
) -> Result<Import> {
    registry.check_cloud(client.cloud())?;
    run::check(client, source, options)?;
    let call = options.call.start(DEADLINE);
    import_into(client, find_target(client, registry, &call), (source, options), &Sources::default(), &call).await
}

async fn import_into(
    client: &Client,
    registry: impl Future<Output = Result<Registry>>,
    what: (&ImageReference, &ImportOptions),
    sources: &Sources,
    call: &Call,
) -> Result<Import> {
    let job = Job::prepare(client, registry, what, sources, call).await?;
    let missing = job.missing().await?;
    match job.already_there().filter(|_| missing.is_empty()) {
        Some(there) => Ok(there),
        None => job.copy(&missing).await,
    }
}

pub(crate) async fn start(
    client: &Client,
    registry: &RegistryRef,
    source: &ImageReference,
    options: &ImportOptions,
) -> Result<StartedImport> {
    registry.check_cloud(client.cloud())?;
    run::check(client, source, options)?;
    let call = options.call.start(DEADLINE);
    let sources = Sources::default();
    let job = Job::prepare(client, find_target(client, registry, &call), (source, options), &sources, &call).await?;
    let missing = job.missing().await?;
    match job.already_there().filter(|_| missing.is_empty()) {
        Some(import) => Ok(StartedImport::AlreadyThere { import }),
        None => Ok(StartedImport::Started { handle: job.start(&missing).await? }),
    }
}

pub(crate) async fn poll(client: &Client, handle: &mut ImportHandle, call: &CallOptions) -> Result<ImportStatus> {
    let call = call.start(POLL_DEADLINE);
    match client.registry_importer().poll_import(handle, &call).await {
        // An import of before, whose answer was lost, or one of somebody else has brought the same image meanwhile.
        Err(err) if err.kind() == ErrorKind::Conflict && run::has_arrived(client, handle, &call).await? => {
            Ok(ImportStatus::Succeeded)
        }
        Err(err) if run::is_unseen(&err) => run::progress_of_unseen(client, handle, err, &call).await,
        polled => polled,
    }
}

async fn find_target(client: &Client, registry: &RegistryRef, call: &Call) -> Result<Registry> {
    client.find_registry(registry, call).await.map_err(|err| err.with_blame(Blame::Target))
}
