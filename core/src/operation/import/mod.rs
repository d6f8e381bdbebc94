//! Import: copies an image into a registry, and verifies the result.

mod many;
mod options;
mod proof;
mod reach;
mod referrers;
mod result;
mod run;
mod source;
mod target;

pub use many::{ImportItem, ImportManyOptions};
pub use options::ImportOptions;
pub use result::{
    Import, ImportProof, ImportedReferrer, ImportedReferrers, OnExistingTag, ReferrerOutcome, StartedImport,
};

pub(crate) use many::{DEADLINE as LIST_DEADLINE, import_many};

use super::{
    Parts,
    right::{READ_THE_REGISTRY, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{IMPORT, PULL, READ_CONTENT},
    call::Call,
    error::{Error, ErrorKind, ImportSide, Result},
    image::ImageReference,
    registry::{ImportHandle, ImportStatus, Registry, RegistryRef},
};
use run::{Checked, Job};
use source::Sources;
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// The deadline of one poll of an import.
pub(crate) const POLL_DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_REGISTRY,
    needed(IMPORT, RightScope::Registry, "to import"),
    RequiredRight {
        smallest_role: Some("AcrPull"),
        ..useful(PULL, RightScope::Registry, "to compare digests; without it the import is not verified")
    },
    READ_ON_REPOSITORIES,
];
/// The link is signed: anyone with the handle can follow it.
pub(crate) const POLL_RIGHTS: &[RequiredRight] = &[
    RequiredRight {
        smallest_role: Some("AcrPull"),
        ..useful(PULL, RightScope::Registry, "to tell whether a tag that already exists has this image")
    },
    READ_ON_REPOSITORIES,
];
const READ_ON_REPOSITORIES: RequiredRight = RequiredRight {
    is_data_action: true,
    smallest_role: Some("Container Registry Repository Reader"),
    ..useful(READ_CONTENT, RightScope::Registry, "to compare digests on registries with repository permissions")
};

pub(crate) async fn import(
    parts: &Parts,
    registry: &RegistryRef,
    source: &ImageReference,
    options: &ImportOptions,
    call: &Call,
) -> Result<Import> {
    registry.check_cloud(parts.cloud())?;
    let checked = Checked::new(parts, source, options)?;
    import_into(parts, find_target(parts, registry, call), checked, &Sources::default(), call).await
}

async fn import_into(
    parts: &Parts,
    registry: impl Future<Output = Result<Registry>>,
    checked: Checked<'_>,
    sources: &Sources,
    call: &Call,
) -> Result<Import> {
    let job = Job::prepare(parts, registry, checked, sources, call).await?;
    let missing = job.missing().await?;
    let mut import = match job.existing().filter(|_| missing.is_empty()) {
        Some(existing) => existing,
        None => job.copy(&missing).await?,
    };
    if job.options.referrers {
        import.referrers = Some(referrers::import(&job).await?);
    }
    Ok(import)
}

pub(crate) async fn start(
    parts: &Parts,
    registry: &RegistryRef,
    source: &ImageReference,
    options: &ImportOptions,
    call: &Call,
) -> Result<StartedImport> {
    registry.check_cloud(parts.cloud())?;
    if options.referrers {
        let text = "referrers are imported once the image is: import_image does so, start_import ends before";
        return Err(Error::invalid(text, "referrers", "true"));
    }
    let checked = Checked::new(parts, source, options)?;
    let sources = Sources::default();
    let job = Job::prepare(parts, find_target(parts, registry, call), checked, &sources, call).await?;
    let missing = job.missing().await?;
    match job.existing().filter(|_| missing.is_empty()) {
        Some(import) => Ok(StartedImport::AlreadyExists { import }),
        None => Ok(StartedImport::Started { handle: job.start(&missing).await? }),
    }
}

pub(crate) async fn poll(parts: &Parts, handle: &mut ImportHandle, call: &Call) -> Result<ImportStatus> {
    match parts.registry_importer().poll_import(handle, call).await {
        // An earlier import whose response was lost, or one of another caller, has imported the same image in the meantime.
        Err(err) if err.kind() == ErrorKind::Conflict && run::has_arrived(parts, handle, call).await? => {
            Ok(ImportStatus::Succeeded)
        }
        Err(err) if run::is_unseen(&err) => run::progress_of_unseen(parts, handle, err, call).await,
        polled => polled,
    }
}

async fn find_target(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Registry> {
    parts.find_registry(registry, call).await.map_err(|err| err.with_failed_side(ImportSide::Target))
}

impl Outcome for Import {
    fn outcome(&self) -> &'static str {
        if self.is_new { "imported" } else { "already_exists" }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

impl Outcome for StartedImport {
    fn outcome(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "already_exists",
            Self::Started { .. } => "started",
        }
    }

    fn correlation_id(&self) -> Option<&str> {
        match self {
            Self::AlreadyExists { .. } => None,
            Self::Started { handle } => handle.correlation_id.as_deref(),
        }
    }
}

impl Outcome for ImportStatus {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Succeeded => "succeeded",
        }
    }
}
