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
    /// What refers to the image, such as signatures and SBOMs, and whether it was imported.
    /// `None` unless the options ask for it.
    pub referrers: Option<ImportedReferrers>,
}

/// What refers to an imported image, and whether it was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportedReferrers {
    /// Every manifest that refers to the image, to an image of its index, or to another item of this list.
    pub items: Vec<ImportedReferrer>,
    /// Why the list may be incomplete: what could not be listed, and why.
    /// Empty if everything was listed.
    pub incomplete: Vec<String>,
}

/// A manifest that refers to an imported image, such as a signature or an SBOM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportedReferrer {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The digest of what it refers to.
    pub subject: Digest,
    /// What it is, as a media type, such as `application/vnd.cncf.notary.signature`.
    /// `None` if the source does not report it.
    pub artifact_type: Option<String>,
    /// Its tag, if that is the only link to the image, as cosign writes it: `sha256-….sig`, `.att` or `.sbom`.
    pub tag: Option<String>,
    /// Whether it was imported.
    pub outcome: ReferrerOutcome,
    /// Why it could not be imported or verified.
    /// `None` if it was.
    pub reason: Option<String>,
}

/// Whether a referrer of an imported image was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReferrerOutcome {
    /// It was copied, and the target has its digest.
    Imported,
    /// The target already had it.
    AlreadyExists,
    /// Azure reports that it was copied, but the target could not be read.
    Unverified,
    /// It could not be copied.
    Failed,
}

words!(
    ReferrerOutcome,
    "outcome": Imported => "imported", AlreadyExists => "already_exists", Unverified => "unverified", Failed => "failed"
);

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
