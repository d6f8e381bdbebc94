//! What is wished of an import, and what came of it.

use crate::{
    error::words,
    image::{Digest, ImageReference},
    registry::ImportHandle,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What happens to a target tag that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnExistingTag {
    /// It stays: an equal image is success, another is [`Conflict`](crate::ErrorKind::Conflict). Where the source cannot be looked
    /// at, as with [`credentials`](crate::ImportOptions::credentials), and is not named by its digest, any image under the tag is another.
    #[default]
    Keep,
    /// It is moved to the imported image.
    Replace,
}

words!(OnExistingTag, "on_existing_tag": Keep => "keep", Replace => "replace");

/// An image that is in the registry now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// The source, completed as Docker completes it.
    pub source: ImageReference,
    /// The image in the registry: by its tag, or by its digest where it has none there.
    pub target: ImageReference,
    /// Its further names there.
    pub additional_tags: Vec<ImageReference>,
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

/// How [`Client::start_import`](crate::Client::start_import) ended.
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
