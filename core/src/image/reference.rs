//! Image references, parsed and completed as Docker does.

use super::{Digest, ReferenceError};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

const DOCKER_HUB: &str = "docker.io";
const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// An image reference: registry, repository, and a tag or a digest or both.
///
/// Missing parts are completed as Docker does, so a reference means the same as in other tools.
///
/// ```
/// use aks_acr::ImageReference;
///
/// let image: ImageReference = "nginx".parse()?;
/// assert_eq!(image.to_string(), "docker.io/library/nginx:latest");
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
    added: Added,
}

/// What Docker's rules added to the text. References with the same meaning are equal, whatever their text.
#[derive(Clone, Copy, Debug, Default)]
struct Added {
    registry: bool,
    library: bool,
}

impl PartialEq for Added {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Added {}

impl PartialOrd for Added {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Added {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Added {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl ImageReference {
    /// Parses a reference and completes it.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the [`ReferenceError`] as its source.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_normalized(text)
            .map_err(|err| Error::invalid(format!("invalid image reference: {err}"), "image", text).with_source(err))
    }

    fn parse_normalized(text: &str) -> Result<Self, ReferenceError> {
        if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ReferenceError::IdentifierAsName);
        }
        let (registry, rest) = split_registry(text);
        let remote = rest.split(':').next().unwrap_or_default();
        if remote.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReferenceError::Uppercase);
        }
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (rest, None),
        };
        let (repository, tag) = match named.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (named, None),
        };
        Self::checked(registry, repository, tag, digest)
    }

    fn checked(
        typed: Option<&str>,
        repository: &str,
        tag: Option<&str>,
        digest: Option<&str>,
    ) -> Result<Self, ReferenceError> {
        let registry = typed.unwrap_or(DOCKER_HUB);
        let hub = registry == DOCKER_HUB && !repository.contains('/');
        let repository = if hub { format!("library/{repository}") } else { repository.to_owned() };
        if !is_host(registry) || !repository.split('/').all(is_path_component) || !tag.is_none_or(is_tag) {
            return Err(ReferenceError::InvalidFormat);
        }
        let digest = digest.map(Digest::read).transpose()?;
        if repository.len() > LONGEST_REPOSITORY {
            return Err(ReferenceError::NameTooLong);
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        let added = Added { registry: typed.is_none(), library: hub };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest, added })
    }

    /// Host of the registry, with its port if given. Docker Hub is `docker.io`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository, such as `library/nginx`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag. A reference with neither a tag nor a digest has the tag `latest`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the reference has one.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The part of the manifest's path: the digest if there is one, else the tag.
    pub(crate) fn manifest(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        }
    }

    /// The same repository and tag in another registry.
    pub(crate) fn in_registry(&self, registry: &str) -> Self {
        Self { registry: registry.to_owned(), ..self.clone() }
    }

    /// The image in another registry, as typed: `None` if the text names a registry itself.
    pub(crate) fn as_typed_in(&self, registry: &str) -> Option<Self> {
        let Added { registry: true, library } = self.added else { return None };
        let repository = self.repository.strip_prefix("library/").filter(|_| library).unwrap_or(&self.repository);
        Some(Self { repository: repository.to_owned(), added: Added::default(), ..self.in_registry(registry) })
    }

    /// The same image, pinned to a digest.
    pub(crate) fn at(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// Another image of the same repository, by its tag.
    pub(crate) fn with_tag(&self, tag: &str) -> Result<Self> {
        Self::parse(&format!("{}/{}:{tag}", self.registry, self.repository))
    }

    /// The same reference without its digest, if it has a tag.
    pub(crate) fn tagged(&self) -> Option<Self> {
        self.tag.as_ref().map(|_| Self { digest: None, ..self.clone() })
    }
}

impl ImageReference {
    /// Whether the first part of a reference is a registry.
    pub(crate) fn is_registry(text: &str) -> bool {
        is_host(text) && has_registrys_form(text)
    }
}

/// The first part is a registry if it has a dot, a colon or an upper-case letter, or is `localhost`.
fn split_registry(text: &str) -> (Option<&str>, &str) {
    let Some((first, rest)) = text.split_once('/') else { return (None, text) };
    match (has_registrys_form(first), first) {
        (true, "index.docker.io") => (Some(DOCKER_HUB), rest),
        (true, registry) => (Some(registry), rest),
        (false, _) => (None, text),
    }
}

fn has_registrys_form(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    is_port
        && match inside {
            Some(address) => {
                !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
            }
            None => host.split('.').all(is_host_component),
        }
}

fn is_host_component(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Lower-case words, joined by one dot, one or two underscores, or any number of dashes.
fn is_path_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_in_words = text.bytes().next().is_some_and(is_word) && text.bytes().last().is_some_and(is_word);
    let joins = text.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    ends_in_words
        && joins.into_iter().all(|join| matches!(join, "" | "." | "_" | "__") || join.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= LONGEST_TAG
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

impl FromStr for ImageReference {
    type Err = Error;

    /// The same as [`parse`](Self::parse).
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ImageReference {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ImageReference> for String {
    fn from(image: ImageReference) -> Self {
        image.to_string()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in ["nginx", "localhost:5000/app", "test:5000/repo:tag", "a.b/c/d__e--f:T_1"] {
            let image = ImageReference::parse(text).unwrap();
            assert_eq!(ImageReference::parse(&image.to_string()).unwrap(), image, "{text}");
        }
    }

    #[test]
    fn what_was_typed_is_known_and_makes_no_difference() {
        let typed = |text| ImageReference::parse(text).unwrap().as_typed_in("a.io").map(|image| image.to_string());
        assert_eq!(typed("app:v1").as_deref(), Some("a.io/app:v1"));
        assert_eq!(typed("library/app:v1").as_deref(), Some("a.io/library/app:v1"));
        assert_eq!(typed("team/app").as_deref(), Some("a.io/team/app:latest"));
        assert_eq!((typed("docker.io/app:v1"), typed("b.io/app:v1")), (None, None));
        assert_eq!(ImageReference::parse("app").unwrap(), ImageReference::parse("docker.io/library/app").unwrap());
    }

    #[test]
    fn an_error_keeps_its_reason_as_source() {
        let err = ImageReference::parse("myorg/App").unwrap_err();
        let source = std::error::Error::source(&err).unwrap();
        assert_eq!(source.downcast_ref(), Some(&ReferenceError::Uppercase));
    }

    #[test]
    fn letters_beyond_ascii_are_refused() {
        assert!(ImageReference::parse("caf\u{e9}").is_err());
        assert!(ImageReference::parse("app:\u{fc}").is_err());
    }
}
