//! The options and the result of an import.

use crate::{
    error::words,
    image::{Digest, ImageReference},
    registry::ImportHandle,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an import does with an existing target tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnExistingTag {
    /// Keeps it: if it has the same image, the call succeeds; otherwise it fails with [`Conflict`](crate::ErrorKind::Conflict).
    /// If the source is not named by its digest and cannot be read, for example because it requires credentials, any existing image
    /// with that tag counts as a different one.
    #[default]
    Keep,
    /// Moves it to the imported image.
    Replace,
}

words!(OnExistingTag, "on_existing_tag": Keep => "keep", Replace => "replace");

/// The result of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// The source's full name, with the parts that Docker adds.
    pub source: ImageReference,
    /// The image in the registry: by its tag, or by its digest if it has no tag.
    pub target: ImageReference,
    /// Its additional tags in the registry.
    pub additional_tags: Vec<ImageReference>,
    /// Whether it was copied. `false`: the registry already had the same image.
    pub is_new: bool,
    /// Whether the imported image was verified to equal the source.
    pub proof: ImportProof,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    /// `None` if nothing was copied, or if the response to the write was lost.
    pub correlation_id: Option<String>,
}

/// Whether an imported image was verified to equal its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImportProof {
    /// The target's digest equals the source's (the digest in the source's name, or the one that was read before the import).
    SourceMatched {
        /// The digest of both.
        digest: Digest,
    },
    /// The target's digest is known, but was not compared with the source's.
    TargetOnly {
        /// The target's digest.
        digest: Digest,
        /// Why the source was not compared: it is not reachable from here, it refuses the caller, or only Azure has its credentials.
        reason: String,
    },
    /// Azure reports that the import succeeded, but the target could not be read: it is not reachable from here, refuses the caller, or
    /// has replicas that do not have the image yet.
    Unproven {
        /// Why it could not be read.
        reason: String,
    },
}

impl fmt::Display for ImportProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceMatched { digest } => write!(f, "{digest}, equal to the source"),
            Self::TargetOnly { digest, reason } => write!(f, "{digest}, not compared with the source: {reason}"),
            Self::Unproven { reason } => write!(f, "not read: {reason}"),
        }
    }
}

/// The result of [`Client::start_import`](crate::Client::start_import).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StartedImport {
    /// Every target already has the image: no import was started.
    AlreadyExists {
        /// The existing image.
        import: Import,
    },
    /// The import was started.
    Started {
        /// The handle to poll the import with.
        handle: ImportHandle,
    },
}
