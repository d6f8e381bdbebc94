//! The container runtime: what its versions do differently, and a pull.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::attempt::Attempt;
use super::failure::{Cause, PullFailure, SCHEMA1};
use super::{Credential, Image, Network};

/// A version of containerd. What depends on it was read in its sources at 2.0.13, 2.1.0, 2.1.9, 2.2.0 and 2.3.0, and is
/// compared with the real 1.7, 2.0 and 2.4 in `tests/peers/containerd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Containerd(u32, u32, Option<u32>);

/// The version that nodes have unless a seed names another.
pub(crate) const USUAL: Containerd = Containerd(2, 0, Some(14));

impl FromStr for Containerd {
    type Err = String;

    /// Reads a version such as `2.0.14`; `2.0` is a late patch of it.
    fn from_str(version: &str) -> Result<Self, String> {
        // Rust reads `+2` as a number too.
        let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
        let numbers: Option<Vec<u32>> = version.split('.').map(number).collect();
        match numbers.as_deref() {
            Some([major, minor]) => Ok(Self(*major, *minor, None)),
            Some([major, minor, patch]) => Ok(Self(*major, *minor, Some(*patch))),
            _ => Err(format!("invalid version of containerd {version:?}: write it as 2.0 or 2.0.14")),
        }
    }
}

impl fmt::Display for Containerd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)?;
        self.2.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

impl Containerd {
    fn has_patch(self, least: u32) -> bool {
        self.2.is_none_or(|patch| patch >= least)
    }

    /// Whether the transfer service pulls, and not containerd's client.
    pub(super) fn transfers(self) -> bool {
        (self.0, self.1) >= (2, 1)
    }

    /// Whether a 403 to the request that resolves a name is followed by one that has the registry's words.
    pub(super) fn asks_for_words(self) -> bool {
        (self.0, self.1) >= (2, 4) || (self.0, self.1) == (2, 0) && self.has_patch(13)
    }

    /// Whether the registry's words stand in a line of their own after any response.
    pub(super) fn joins_words(self) -> bool {
        (self.0, self.1) >= (2, 2) || (self.0, self.1) == (2, 1) && self.has_patch(9)
    }

    /// How often a request is sent that the registry throttles, or asks a token for.
    pub(super) fn tries(self) -> usize {
        if self.transfers() { 5 } else { 6 }
    }

    /// Whether a request to a server that fails is repeated.
    pub(super) fn asks_again(self, status: StatusCode) -> bool {
        self.transfers() && matches!(status.as_u16(), 500 | 503 | 504)
    }

    /// Pulls an image with one credential, or none.
    pub(super) fn pull(
        self,
        image: &Image,
        platform: Platform<'_>,
        credential: Option<&Credential>,
        network: &mut dyn Network,
    ) -> Result<Pulled, PullFailure> {
        let attempt = Attempt::new(image, self, credential, network);
        let mut pull = Pull { image, containerd: self, attempt, manifests: 0, is_schema1: false };
        let digest = pull.resolve().map_err(|cause| PullFailure::resolving(image, self, &cause))?;
        if pull.is_schema1 && self.0 >= 2 {
            return Err(PullFailure::schema1(image, self));
        }
        let content = pull.fetch(&digest, platform)?;
        Ok(Pulled { digest, content })
    }
}

/// An image on a node.
#[derive(Debug)]
pub(super) struct Pulled {
    /// What its name stands for.
    pub(super) digest: String,
    pub(super) content: Content,
}

/// What a node has of an image.
#[derive(Debug)]
pub(super) struct Content {
    /// The digest of its configuration, by which the container runtime knows it.
    pub(super) id: String,
    /// Whether its configuration names the node's platform, or none.
    pub(super) runs: bool,
    /// Of its manifests, an index among them, its configuration and its layers, in bytes.
    pub(super) size: u64,
}

/// One try to pull.
struct Pull<'a> {
    image: &'a Image,
    containerd: Containerd,
    attempt: Attempt<'a>,
    /// The bytes of the manifests that were fetched.
    manifests: u64,
    /// Whether the name stands for a manifest of Docker's first schema.
    is_schema1: bool,
}

impl Pull<'_> {
    fn resolve(&mut self) -> Result<String, Cause> {
        let url = self.url("manifests", self.image.reference());
        let (method, answer) = self.attempt.ask(&Method::HEAD, &url)?;
        match answer.status() {
            status if status.is_success() => {
                let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
                self.is_schema1 = kind == Some(SCHEMA1);
                self.digest(&url, &answer)
            }
            StatusCode::NOT_FOUND => Err(Cause::not_found(self.image)),
            StatusCode::FORBIDDEN if self.containerd.asks_for_words() => {
                let again = self.attempt.ask(&Method::GET, &url).ok();
                let same = again.filter(|(_, answer)| answer.status() == StatusCode::FORBIDDEN);
                let words = same.map(|(_, answer)| answer.into_body()).unwrap_or_default();
                Err(Cause::status(&method, &url, StatusCode::FORBIDDEN, &words))
            }
            // HEAD has no body, and that of a GET instead of it was closed.
            status => Err(Cause::status(&method, &url, status, &[])),
        }
    }

    /// The digest of the header, or of the body when the registry sends no header.
    fn digest(&mut self, url: &str, answer: &Response<Bytes>) -> Result<String, Cause> {
        let header = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        if let Some(digest) = header {
            return Ok(digest.to_owned());
        }
        let (method, answer) = self.attempt.ask(&Method::GET, url)?;
        if !answer.status().is_success() {
            let words: &[u8] = if self.containerd.joins_words() { answer.body() } else { &[] };
            return Err(Cause::status(&method, url, answer.status(), words));
        }
        Ok(format!("sha256:{:x}", Sha256::digest(answer.body())))
    }

    /// Fetches what the digest stands for.
    fn fetch(&mut self, digest: &str, platform: Platform<'_>) -> Result<Content, PullFailure> {
        let (mut manifest, mut is_of_any) = (self.manifest(digest)?, false);
        // An index may be in an index.
        for _ in 0..MOST_INDEXES {
            let Some(entries) = manifest.get("manifests").and_then(Value::as_array) else { break };
            let no_platform = || PullFailure::no_platform(self.image, self.containerd, digest);
            let entry = entry_for(entries, platform).ok_or_else(no_platform)?;
            is_of_any = entry.get("platform").is_none();
            let child = entry.get("digest").and_then(Value::as_str).ok_or_else(no_platform)?.to_owned();
            manifest = self.manifest(&child)?;
        }
        let config = self.content(&manifest).map_err(|cause| PullFailure::unpacking(self.image, &cause))?;
        let named = config.get("os").is_some() && config.get("architecture").is_some();
        let runs = !named || is_for(Some(&config), platform);
        // What an index says nothing of is chosen by its configuration.
        if is_of_any && !runs {
            return Err(PullFailure::no_platform(self.image, self.containerd, digest));
        }
        let descriptor = manifest.get("config").unwrap_or(&Value::Null);
        Ok(Content {
            id: text(descriptor, "digest").to_owned(),
            runs,
            size: self.manifests.saturating_add(size(&manifest)),
        })
    }

    /// Fetches the configuration and the layers, each once; gives the configuration. A manifest that is not one of an index
    /// is taken whatever its platform.
    fn content(&mut self, manifest: &Value) -> Result<Value, Cause> {
        let layers = manifest.get("layers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // containerd takes an absent descriptor for an empty one.
        let descriptor = manifest.get("config").unwrap_or(&Value::Null);
        let bytes = self.blob(descriptor)?;
        let config: Value = match serde_json::from_slice(&bytes) {
            Ok(config @ Value::Object(_)) => config,
            Ok(_) => return Err(Cause::bad_config("json: cannot unmarshal it into Go value of type v1.Image")),
            Err(error) => return Err(Cause::bad_config(&error.to_string())),
        };
        check_layers(descriptor, &config, layers)?;
        let mut held = BTreeSet::from([text(descriptor, "digest")]);
        for layer in layers {
            if held.insert(text(layer, "digest")) {
                self.blob(layer)?;
            }
        }
        Ok(config)
    }

    fn blob(&mut self, descriptor: &Value) -> Result<Bytes, Cause> {
        let (digest, media_type) = (text(descriptor, "digest"), text(descriptor, "mediaType"));
        if descriptor.get("size").and_then(Value::as_u64).unwrap_or(0) == 0 {
            return Err(Cause::no_size(digest));
        }
        let url = self.url("blobs", digest);
        let (_, answer) = self.attempt.ask(&Method::GET, &url).map_err(Cause::while_copying)?;
        match answer.status() {
            status if status.is_success() => Ok(answer.into_body()),
            StatusCode::NOT_FOUND => Err(Cause::no_content(digest, media_type)),
            status => Err(Cause::copying(self.containerd, &url, status, answer.body())),
        }
    }

    fn manifest(&mut self, digest: &str) -> Result<Value, PullFailure> {
        self.manifest_at(&self.url("manifests", digest)).map_err(|cause| PullFailure::unpacking(self.image, &cause))
    }

    fn manifest_at(&mut self, url: &str) -> Result<Value, Cause> {
        let (_, answer) = self.attempt.ask(&Method::GET, url).map_err(Cause::while_copying)?;
        if !answer.status().is_success() {
            return Err(Cause::copying(self.containerd, url, answer.status(), answer.body()));
        }
        self.manifests += answer.body().len() as u64;
        serde_json::from_slice(answer.body()).map_err(|error| Cause::unreadable(&error.to_string()))
    }

    fn url(&self, kind: &str, reference: &str) -> String {
        format!("https://{}/v2/{}/{kind}/{reference}", self.image.api_host(), self.image.repository())
    }
}

/// As many indexes are followed, each in the one before.
const MOST_INDEXES: usize = 20;

fn size(manifest: &Value) -> u64 {
    let layers = manifest.get("layers").and_then(Value::as_array).into_iter().flatten();
    let parts = layers.chain(manifest.get("config")).filter_map(|part| part.get("size")?.as_u64());
    parts.fold(0, u64::saturating_add)
}

fn text<'a>(descriptor: &'a Value, field: &str) -> &'a str {
    descriptor.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The entry of an index for a platform; one that names none is the last choice, as in containerd's `images.Manifest`.
fn entry_for<'a>(entries: &'a [Value], platform: Platform<'_>) -> Option<&'a Value> {
    let named = entries.iter().find(|entry| is_for(entry.get("platform"), platform));
    named.or_else(|| entries.iter().find(|entry| entry.get("platform").is_none()))
}

/// Each layer has an identifier in the configuration: see `unpack` in containerd's `core/unpack/unpacker.go`.
fn check_layers(descriptor: &Value, config: &Value, layers: &[Value]) -> Result<(), Cause> {
    let identifiers = config.pointer("/rootfs/diff_ids").and_then(Value::as_array).map_or(0, Vec::len);
    let is_image = CONFIGS.contains(&text(descriptor, "mediaType"));
    if identifiers == layers.len() {
        return Ok(());
    }
    Err(if is_image { Cause::layer_count(layers.len(), identifiers) } else { Cause::no_image() })
}

/// The media types of an image's configuration.
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// The platform of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Platform<'a> {
    pub(super) os: &'a str,
    pub(super) architecture: &'a str,
    /// The build of Windows. An image of another build does not match, and one that names none does: see `windowsmatcher` in containerd's
    /// `platforms`.
    pub(super) build: Option<&'a str>,
}

fn is_for(platform: Option<&Value>, node: Platform<'_>) -> bool {
    let field = |name: &str| platform.and_then(|platform| platform.get(name)).and_then(Value::as_str);
    let is_of_build = match (field("os.version").and_then(|version| version.split('.').nth(2)), node.build) {
        (Some(image), Some(node)) => image == node,
        _ => true,
    };
    field("os") == Some(node.os) && field("architecture") == Some(node.architecture) && is_of_build
}

#[cfg(test)]
mod tests {
    use super::Containerd;

    #[test]
    fn versions_differ() {
        let facts = |version: &str| {
            let containerd: Containerd = version.parse().unwrap();
            (containerd.transfers(), containerd.asks_for_words(), containerd.joins_words())
        };
        assert_eq!(facts("1.7.35"), (false, false, false));
        assert_eq!(facts("2.0.0"), (false, false, false));
        assert_eq!(facts("2.0.14"), (false, true, false));
        assert_eq!(facts("2.0"), facts("2.0.14"));
        assert_eq!(facts("2.1.0"), (true, false, false));
        assert_eq!(facts("2.4.2"), (true, true, true));
    }

    #[test]
    fn an_invalid_version_is_rejected() {
        for version in
            ["latest", "", "2", "2.", "2.0.", "v2.0.14", "2.0.14-1", "2.0.14.1", "+2.0", "4294967296.0", "2. 0"]
        {
            assert!(version.parse::<Containerd>().is_err_and(|why| why.contains(version)), "{version}");
        }
        for version in ["2.0", "1.7.35"] {
            assert_eq!(version.parse::<Containerd>().unwrap().to_string(), version);
        }
    }
}
