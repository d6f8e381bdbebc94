//! What a manifest says of an image: its kind and its platforms.

use super::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An image with its platforms, as reported by a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageDetails {
    /// Digest of the manifest, or of the index if the image has several platforms.
    pub digest: Digest,
    /// The media type of the manifest or index.
    pub media_type: String,
    /// The media type of the configuration, which says whether this is a container image. `None` for an index.
    pub config_media_type: Option<String>,
    /// The platforms it was built for. `None` if the registry does not report them.
    pub platforms: Option<Vec<Platform>>,
    /// The bytes of its layers as they are stored in the registry, compressed. `None` for an index.
    #[serde(default)]
    pub layers_size: Option<u64>,
}

/// A platform of an image, in the words of the OCI image specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The processor architecture, such as `amd64`.
    pub architecture: String,
    /// The version of the operating system, which decides on Windows.
    pub os_version: Option<String>,
}

/// The media types of the configurations of container images.
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

impl ImageDetails {
    /// An image with this digest and media type; all other fields are empty.
    #[must_use]
    pub fn new(digest: Digest, media_type: impl Into<String>) -> Self {
        Self { digest, media_type: media_type.into(), config_media_type: None, platforms: None, layers_size: None }
    }

    /// Whether it is a container image, and not a chart or another artifact.
    pub(crate) fn is_image(&self) -> bool {
        self.config_media_type.as_deref().is_none_or(|kind| CONFIGS.contains(&kind))
    }

    /// Whether a node chooses a manifest from an index. It takes an image's only manifest as it is.
    pub(crate) fn is_index(&self) -> bool {
        self.media_type.contains(".index.") || self.media_type.contains(".manifest.list.")
    }

    /// Whether it has a manifest of Docker's first schema.
    pub(crate) fn is_schema1(&self) -> bool {
        self.media_type.starts_with("application/vnd.docker.distribution.manifest.v1+")
    }
}

impl Platform {
    /// A platform.
    #[must_use]
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self { os: os.into(), architecture: architecture.into(), os_version: None }
    }

    /// Whether both are for the same operating system and architecture, whatever the version.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.os == other.os && self.architecture == other.architecture
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.os_version.iter().try_for_each(|version| write!(f, " {version}"))
    }
}
