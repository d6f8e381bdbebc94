//! What a request to a registry's data plane accesses: an image, or the list of repositories.

use crate::{error::Error, image::ImageReference};
use std::fmt;

/// What is accessed in a registry.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access<'a> {
    Image(&'a ImageReference),
    /// The manifest of an image in an Azure registry, to learn its platforms.
    Details(&'a ImageReference),
    /// The attributes of an image's manifest, its tag and its repository.
    Attributes(&'a ImageReference),
    /// The images of an image's repository that were deleted and can be restored.
    Deleted(&'a ImageReference),
    /// The list of repositories of the Azure registry at this host.
    Catalog(&'a str),
    /// Nothing: the sign-in itself at the Azure registry at this host.
    SignIn(&'a str),
}

impl<'a> Access<'a> {
    /// The registry's host, as references name it.
    pub fn registry(self) -> &'a str {
        match self {
            Self::Image(image) | Self::Details(image) | Self::Attributes(image) | Self::Deleted(image) => {
                image.registry()
            }
            Self::Catalog(host) | Self::SignIn(host) => host,
        }
    }

    /// The host of its API: Docker Hub's API has another host than its images' names.
    pub fn api_host(self) -> &'a str {
        if self.registry() == "docker.io" { "registry-1.docker.io" } else { self.registry() }
    }

    /// The scope of a token for it.
    pub fn scope(self) -> String {
        match self {
            Self::Image(image) => format!("repository:{}:pull", image.repository()),
            Self::Details(image) | Self::Attributes(image) => {
                format!("repository:{}:pull,metadata_read", image.repository())
            }
            Self::Deleted(image) => format!("repository:{}:deleted_read", image.repository()),
            Self::Catalog(_) => "registry:catalog:*".to_owned(),
            Self::SignIn(_) => String::new(),
        }
    }

    /// The key of its access token in the cache.
    pub fn key(self) -> String {
        match self {
            Self::Image(image) => format!("{}/{}", image.registry(), image.repository()),
            // No repository has such a name.
            Self::Details(image) | Self::Attributes(image) => {
                format!("{}/{}?metadata", image.registry(), image.repository())
            }
            Self::Deleted(image) => format!("{}/{}?deleted", image.registry(), image.repository()),
            Self::Catalog(host) => format!("{host}/*"),
            Self::SignIn(host) => host.to_owned(),
        }
    }

    /// Names it in an error.
    pub fn name_in(self, err: Error) -> Error {
        match self {
            Self::Image(image) | Self::Details(image) | Self::Attributes(image) | Self::Deleted(image) => {
                err.with_context("image", image.to_string())
            }
            Self::Catalog(host) | Self::SignIn(host) => err.with_context("registry", host),
        }
    }
}

impl<'a> From<&'a ImageReference> for Access<'a> {
    fn from(image: &'a ImageReference) -> Self {
        Self::Image(image)
    }
}

impl fmt::Display for Access<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(image) | Self::Details(image) => image.fmt(f),
            Self::Attributes(image) => write!(f, "the attributes of {image}"),
            Self::Deleted(image) => write!(f, "deleted images of the repository of {image}"),
            Self::Catalog(host) => write!(f, "the repositories of {host}"),
            Self::SignIn(host) => f.write_str(host),
        }
    }
}
