//! Images: their references, and the data that a registry returns.

mod attributes;
mod details;
mod digest;
mod error;
mod reference;
mod referrer;

pub use attributes::{ManifestAttributes, ReadSwitches};
pub use details::{ImageDetails, Platform};
pub use digest::Digest;
pub use error::ReferenceError;
pub use reference::ImageReference;
pub use referrer::Referrer;

use serde::Serialize;

/// An image as reported by a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Image {
    /// Digest of the manifest, or of the index if the image has several platforms.
    pub digest: Digest,
    /// The manifest's media type, if the registry reports it.
    pub media_type: Option<String>,
}

impl Image {
    /// Creates an image with this digest; all other fields are empty.
    #[must_use]
    pub fn new(digest: Digest) -> Self {
        Self { digest, media_type: None }
    }
}
