//! What refers to an image in its registry: signatures, SBOMs, attestations.

use super::Digest;
use serde::{Deserialize, Serialize};

/// A manifest that refers to an image, such as a signature or an SBOM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Referrer {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The digest of what it refers to.
    pub subject: Digest,
    /// What it is, as a media type, such as `application/vnd.cncf.notary.signature`. `None` if the registry does not report it.
    pub artifact_type: Option<String>,
    /// Its tag, if that is the only link to the image: `sha256-….sig`, `.att` or `.sbom`, as cosign writes them.
    pub tag: Option<String>,
}

impl Referrer {
    /// A referrer with this digest, to this image; all other fields are empty.
    #[must_use]
    pub fn new(digest: Digest, subject: Digest) -> Self {
        Self { digest, subject, artifact_type: None, tag: None }
    }
}
