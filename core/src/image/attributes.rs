//! What an Azure registry keeps about manifests, besides their bytes.

use super::Digest;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// A manifest in an Azure registry, with its tags and what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestAttributes {
    /// Its digest.
    pub digest: Digest,
    /// The tags that name it.
    pub tags: Vec<String>,
    /// Whether it can be read. `None` if the registry does not report it.
    pub read_enabled: Option<bool>,
    /// What a scanner says of it, such as `Passed`, if the registry reports it.
    pub quarantine_state: Option<String>,
    /// When it was pushed, or last changed, if the registry reports it.
    #[serde(default, with = "crate::stored_time::option")]
    pub updated: Option<SystemTime>,
}

/// Whether a repository and a tag can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadSwitches {
    /// Whether the whole repository can be read. `None` if the registry does not report it.
    pub repository: Option<bool>,
    /// Whether the tag can be read. `None` if the image has none, or the registry does not report it.
    pub tag: Option<bool>,
}

impl ManifestAttributes {
    /// A manifest with this digest; all other fields are empty.
    #[must_use]
    pub fn new(digest: Digest) -> Self {
        Self { digest, tags: Vec::new(), read_enabled: None, quarantine_state: None, updated: None }
    }
}

impl ReadSwitches {
    /// Switches that the registry does not report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
