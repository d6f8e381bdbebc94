//! Options for importing an image.

use super::result::OnExistingTag;
use crate::{
    call::CallOptions,
    error::{Error, Result},
    registry::{ImportCredentials, RegistryRef},
};

/// Options for importing an image.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The target, `repository:tag`.
    /// By default the source's own repository and tag, as Docker completes them, unless [`additional_tags`](Self::additional_tags) or
    /// [`untagged_repositories`](Self::untagged_repositories) name others: `nginx` becomes `library/nginx:latest`; `ghcr.io/a/b:v1` and
    /// `a/b:v1@sha256:…` become `a/b:v1`. A source with a digest and no tag has no default: without any target, the call fails with
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
    pub target: Option<String>,
    /// Further names of the image in the target registry, each `repository:tag`.
    pub additional_tags: Vec<String>,
    /// Repositories in the target registry that get the image without a tag, by its digest only.
    pub untagged_repositories: Vec<String>,
    /// What to do with an existing tag.
    /// By default it is kept: if it has the same image, the call succeeds; otherwise it fails with
    /// [`Conflict`](crate::ErrorKind::Conflict).
    pub on_existing_tag: OnExistingTag,
    /// The Azure registry that contains the source, if the source's host does not identify it.
    /// Give its resource ID if it is in another subscription. A source without a host is then a repository of that registry: `app:v1`
    /// means `app:v1` there, not Docker Hub's `library/app:v1`. If the source names a host outside this cloud's registries, the call
    /// fails with [`InvalidInput`](crate::ErrorKind::InvalidInput).
    pub source_registry: Option<RegistryRef>,
    /// Whether to import what refers to the image as well: its signatures, SBOMs and attestations, and theirs. Not by default.
    /// Azure's import copies the image alone. They are listed by the source's referrers API, or by the tags that clients and cosign use
    /// instead, so the source must be readable from here: without [`credentials`](Self::credentials). The result's `referrers` report
    /// what was imported and what could not be listed or imported, which does not fail the import of the image. A tag of cosign is
    /// treated like the image's, by [`on_existing_tag`](Self::on_existing_tag). `start_import` rejects this option.
    pub referrers: bool,
    /// Credentials for a source that does not allow anonymous pulls.
    /// Only Azure uses them: the source is not read before the import. So nothing is compared, unless the source is named by its
    /// digest. An existing tag then always makes the call fail with [`Conflict`](crate::ErrorKind::Conflict), even in a second run, and
    /// [`untagged_repositories`](Self::untagged_repositories) requires a source with a digest.
    pub credentials: Option<ImportCredentials>,
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

    /// Adds a name to [`additional_tags`](Self::additional_tags).
    #[must_use]
    pub fn with_additional_tag(mut self, target: impl Into<String>) -> Self {
        self.additional_tags.push(target.into());
        self
    }

    /// Adds a repository to [`untagged_repositories`](Self::untagged_repositories).
    #[must_use]
    pub fn with_untagged_repository(mut self, repository: impl Into<String>) -> Self {
        self.untagged_repositories.push(repository.into());
        self
    }

    /// Sets [`on_existing_tag`](Self::on_existing_tag).
    #[must_use]
    pub fn with_on_existing_tag(mut self, on_existing_tag: OnExistingTag) -> Self {
        self.on_existing_tag = on_existing_tag;
        self
    }

    /// Sets [`source_registry`](Self::source_registry).
    #[must_use]
    pub fn with_source_registry(mut self, registry: RegistryRef) -> Self {
        self.source_registry = Some(registry);
        self
    }

    /// Sets [`referrers`](Self::referrers).
    #[must_use]
    pub fn with_referrers(mut self, referrers: bool) -> Self {
        self.referrers = referrers;
        self
    }

    /// Sets [`credentials`](Self::credentials).
    #[must_use]
    pub fn with_credentials(mut self, credentials: ImportCredentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }

    /// Rejects contradictory options.
    pub(super) fn check(&self) -> Result<()> {
        match (&self.source_registry, &self.credentials) {
            (Some(registry), Some(_)) => {
                let text = "give a source registry or credentials, not both";
                Err(Error::invalid(text, "source registry", registry.to_string()))
            }
            _ => Ok(()),
        }
    }
}
