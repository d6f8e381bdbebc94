//! Image references, made whole as Docker and kubelet do.

use std::fmt;

const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";

/// A whole image reference: host, repository, and a tag or a digest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    host: String,
    repository: String,
    reference: Reference,
}

#[derive(Clone, Debug, PartialEq)]
enum Reference {
    Tag(String),
    Digest(String),
}

impl Image {
    /// Reads a reference as a pod names it. The error is the text after `couldn't parse image name "…": `.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let invalid = || "invalid reference format".to_owned();
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) || tag.is_some_and(|tag| !is_tag(tag)) || is_id(name) {
            return Err(invalid());
        }
        let (host, repository) = split_host(name);
        if repository != repository.to_lowercase() {
            return Err(format!("invalid reference format: repository name ({repository}) must be lowercase"));
        }
        if !is_host(&host) || !repository.split('/').all(is_component) || repository.len() > 255 {
            return Err(invalid());
        }
        let reference = match (digest, tag) {
            // With both, the digest decides what is pulled and the tag is dropped.
            (Some(digest), _) => Reference::Digest(digest.to_owned()),
            (None, tag) => Reference::Tag(tag.unwrap_or("latest").to_owned()),
        };
        Ok(Self { host, repository, reference })
    }

    /// The host as it is part of the image's name.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The host that is asked; Docker Hub's differs from its name.
    pub(crate) fn api_host(&self) -> &str {
        if self.host == HUB { HUB_API } else { &self.host }
    }

    /// The repository within the registry.
    pub(crate) fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag or digest, as a manifest is asked by.
    pub(crate) fn reference(&self) -> &str {
        let (Reference::Tag(text) | Reference::Digest(text)) = &self.reference;
        text
    }

    /// Host, repository and the digest that was found: what a pod's status calls `imageID`.
    pub(crate) fn with_digest(&self, digest: &str) -> String {
        format!("{}/{}@{digest}", self.host, self.repository)
    }

    /// Whether `latest` is meant, so that the pull policy is `Always` by default.
    pub(crate) fn is_latest(&self) -> bool {
        matches!(&self.reference, Reference::Tag(tag) if tag == "latest")
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.reference {
            Reference::Tag(_) => ':',
            Reference::Digest(_) => '@',
        };
        write!(f, "{}/{}{separator}{}", self.host, self.repository, self.reference())
    }
}

/// The first part is a host only if it looks like one; else the image is on Docker Hub.
fn split_host(name: &str) -> (String, String) {
    let (host, path) = match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" || first != first.to_lowercase() => {
            (first, path)
        }
        _ => (HUB, name),
    };
    let host = if host == "index.docker.io" { HUB } else { host };
    let library = host == HUB && !path.contains('/');
    (host.to_owned(), if library { format!("library/{path}") } else { path.to_owned() })
}

fn is_host(host: &str) -> bool {
    if let Some((address, port)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return port && address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let (name, port) = host.split_once(':').unwrap_or((host, "1"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.split('.').all(label) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Lower-case letters and digits, with `.`, `_`, `__` or a run of `-` between them.
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = component.split(|character: char| character.is_ascii() && is_word(character as u8));
    component.bytes().next().is_some_and(is_word)
        && component.bytes().last().is_some_and(is_word)
        && separators
            .into_iter()
            .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// 64 hex digits would be an image id, which no registry knows.
fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> String {
        Image::parse(text).map_or_else(|error| error, |image| image.to_string())
    }

    #[test]
    fn short_names_are_on_docker_hub() {
        assert_eq!(whole("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(whole("index.docker.io/nginx:1"), "docker.io/library/nginx:1");
        assert_eq!(whole("grafana/grafana:10"), "docker.io/grafana/grafana:10");
        assert_eq!(Image::parse("nginx").unwrap().api_host(), "registry-1.docker.io");
    }

    #[test]
    fn a_first_part_with_a_dot_or_a_port_is_a_host() {
        assert_eq!(whole("my.azurecr.io/nginx:v1"), "my.azurecr.io/nginx:v1");
        assert_eq!(whole("localhost:5000/a/b"), "localhost:5000/a/b:latest");
        assert_eq!(whole("[fc00::1]:5000/a:1"), "[fc00::1]:5000/a:1");
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(whole(&format!("r.io/a:v1@{digest}")), format!("r.io/a@{digest}"));
    }

    #[test]
    fn what_the_grammar_forbids_is_refused() {
        for text in ["", "nginx:", "r.io/", "r.io/a b", "r.io/a..b", "r.io/-a", "a@sha256:12", "r.io//a", "-r.io/a"] {
            assert_eq!(whole(text), "invalid reference format", "{text}");
        }
        assert_eq!(whole("r.io/Nginx"), "invalid reference format: repository name (Nginx) must be lowercase");
    }
}
