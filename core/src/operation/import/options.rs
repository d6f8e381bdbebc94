//! How an image is imported.

use super::result::OnExistingTag;
use crate::{
    call::CallOptions,
    error::{Error, Result},
    registry::{ImportCredentials, RegistryRef},
};

/// How an image is imported.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// `repository:tag` in the target registry. By default the source's own, as Docker completes them, unless `additional_tags` or `untagged_repositories`
    /// name others: `nginx` arrives as `library/nginx:latest`, `ghcr.io/a/b:v1` as `a/b:v1`, and `a/b:v1@sha256:…` as `a/b:v1`. A
    /// source with a digest and no tag has none, and is [`InvalidInput`](crate::ErrorKind::InvalidInput) without a target.
    pub target: Option<String>,
    /// Further names of the same image there, each `repository:tag`.
    pub additional_tags: Vec<String>,
    /// Repositories there that get the image without a tag: it is known by its digest alone.
    pub untagged_repositories: Vec<String>,
    /// What happens to a tag that exists. Kept by default: an equal image is success, another is
    /// [`Conflict`](crate::ErrorKind::Conflict).
    pub on_existing_tag: OnExistingTag,
    /// The registry of Azure that has the source, where it cannot be found by the host in the source's name: one of another
    /// subscription, by its resource id. With it, a source without a host is a repository there, as it is typed: `app:v1` is `app:v1`, and
    /// not Docker Hub's `library/app:v1`. A host that is none of this cloud's registries contradicts it.
    pub source_registry: Option<RegistryRef>,
    /// How Azure signs in to a source that lets nobody pull anonymously. Azure alone uses it: the source is not looked at before the
    /// import. So nothing is compared, unless the source is named by its digest; a tag that exists is then a
    /// [`Conflict`](crate::ErrorKind::Conflict) also the second time, and `untagged_repositories` needs such a source.
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

    /// Adds a further name, to [`additional_tags`](Self::additional_tags).
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

    /// Refuses what contradicts itself.
    pub(super) fn check(&self) -> Result<()> {
        match (&self.source_registry, &self.credentials) {
            (Some(registry), Some(_)) => {
                let text = "a source is named by its registry or asked with credentials, not both";
                Err(Error::invalid(text, "source registry", registry.to_string()))
            }
            _ => Ok(()),
        }
    }
}
