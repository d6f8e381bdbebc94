//! Images: manifests, blobs and tags, with digests that are those of the bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::layer::Layer;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A manifest as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) created: Instant,
    /// A scanner's word.
    pub(crate) quarantine: Option<String>,
}

impl Manifest {
    /// What an index lists; empty for a manifest of one platform.
    pub(crate) fn children(&self) -> Vec<Value> {
        let body: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        body["manifests"].as_array().cloned().unwrap_or_default()
    }

    /// The digests of the configuration and the layers.
    pub(crate) fn blobs(&self) -> Vec<String> {
        let body: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let layers = body["layers"].as_array().cloned().unwrap_or_default();
        let parts = layers.iter().chain([&body["config"]]);
        // What has its own addresses is kept elsewhere.
        let own = parts.filter(|part| !part["urls"].is_array());
        own.filter_map(|part| part["digest"].as_str().map(str::to_owned)).collect()
    }

    /// The media type of the configuration, and what it holds if that is known here.
    pub(crate) fn config(&self, blobs: &BTreeMap<String, Bytes>) -> Option<(String, Value)> {
        let body: Value = serde_json::from_slice(&self.bytes).ok()?;
        let kind = body["config"]["mediaType"].as_str()?.to_owned();
        let blob = body["config"]["digest"].as_str().and_then(|digest| blobs.get(digest));
        Some((kind, blob.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()))
    }

    /// The digest of what it says something about, if it does.
    pub(crate) fn subject(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        body["subject"]["digest"].as_str().map(str::to_owned)
    }

    /// Its entry in a list of referrers.
    pub(crate) fn descriptor(&self, digest: &str) -> Value {
        let body: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let kind = [&body["artifactType"], &body["config"]["mediaType"]];
        let kind = kind.into_iter().find_map(|kind| kind.as_str().filter(|kind| !kind.is_empty()));
        let mut item = json!({"mediaType": self.media_type, "digest": digest, "size": self.bytes.len()});
        if let Some(kind) = kind {
            item["artifactType"] = kind.into();
        }
        if body["annotations"].is_object() {
            item["annotations"] = body["annotations"].clone();
        }
        item
    }

    /// The bytes that it and its blobs take.
    pub(crate) fn size(&self) -> u64 {
        let body: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let layers = body["layers"].as_array().cloned().unwrap_or_default();
        let parts = layers.iter().chain([&body["config"]]).filter_map(|part| part["size"].as_u64()).sum::<u64>();
        parts + self.bytes.len() as u64
    }
}

/// One repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repository {
    /// Digest by tag, and when the tag was set.
    pub(crate) tags: BTreeMap<String, (String, Option<Instant>)>,
    pub(crate) manifests: BTreeMap<String, Manifest>,
    pub(crate) blobs: BTreeMap<String, Bytes>,
    /// What was switched off: of a tag or a manifest by its name, of the whole under no name.
    pub(crate) switches: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Repository {
    /// The digest that a tag or a digest means here.
    pub(crate) fn resolve(&self, reference: &str) -> Option<&str> {
        if let Some((digest, _)) = self.manifests.get_key_value(reference) {
            return Some(digest);
        }
        self.tags.get(reference).map(|(digest, _)| digest.as_str())
    }

    /// Puts a manifest that refers to another one; the answer is its digest.
    pub(crate) fn refer(&mut self, reference: &str, artifact_type: &str, now: Instant) -> Option<String> {
        const EMPTY: &str = "application/vnd.oci.empty.v1+json";
        let subject = self.resolve(reference)?.to_owned();
        let to = self.manifests.get(&subject)?;
        let subject = json!({"mediaType": to.media_type, "digest": subject, "size": to.bytes.len()});
        let content = Bytes::from(format!("{artifact_type} of {}", subject["digest"]));
        let (config, layer) = (Bytes::from_static(b"{}"), digest_of(&content));
        let config_digest = digest_of(&config);
        let body = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": artifact_type,
            "config": {"mediaType": EMPTY, "digest": config_digest, "size": config.len()},
            "layers": [{"mediaType": artifact_type, "digest": layer, "size": content.len()}],
            "subject": subject,
        });
        self.blobs.insert(layer, content);
        self.blobs.insert(config_digest, config);
        Some(put(self, MANIFEST, &body, now))
    }

    /// Adds a manifest to the index that stands in for a list of referrers.
    pub(crate) fn list_in_tag(&mut self, subject: &str, digest: &str, now: Instant) {
        let tag = subject.replacen(':', "-", 1);
        let known = self.resolve(&tag).and_then(|digest| self.manifests.get(digest));
        let mut listed = known.map(Manifest::children).unwrap_or_default();
        listed.extend(self.manifests.get(digest).map(|manifest| manifest.descriptor(digest)));
        let index = put(self, INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}), now);
        self.tags.insert(tag, (index, Some(now)));
    }

    /// Whether something was not switched off, of an item or of the whole.
    pub(crate) fn may(&self, item: &str, what: &str) -> bool {
        let on = |item: &str| self.switches.get(item).and_then(|known| known.get(what)).copied().unwrap_or(true);
        on("") && on(item)
    }

    /// Takes over a manifest with all that it refers to, and nothing that refers to it: an import of Azure copies the image without its
    /// signatures (microsoft/Docker-Provider#1246). A copied manifest with a subject is listed by its new registry like a pushed one,
    /// which no page of Azure says of imports.
    pub(crate) fn take_from(&mut self, source: &Self, digest: &str) {
        let Some(manifest) = source.manifests.get(digest) else {
            return;
        };
        self.manifests.insert(digest.to_owned(), manifest.clone());
        for blob in manifest.blobs() {
            if let Some(bytes) = source.blobs.get(&blob) {
                self.blobs.insert(blob, bytes.clone());
            }
        }
        for child in manifest.children() {
            self.take_from(source, child["digest"].as_str().unwrap_or_default());
        }
    }
}

/// The repositories of one registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) repositories: BTreeMap<String, Repository>,
}

impl Store {
    /// Puts an image made up from its name: the same name and platforms give the same digests. `program` is what it runs on a real
    /// node; emulated ones run none.
    pub(crate) fn make(
        &mut self,
        repository: &str,
        reference: &str,
        platforms: &[&str],
        program: &[u8],
        now: Instant,
    ) -> String {
        let into = self.repositories.entry(repository.to_owned()).or_default();
        let made = |platform: &&str| {
            let text = format!("layer of {repository}:{reference} for {platform}");
            // What follows a program in its file does no harm.
            let content = if runs_here(platform) { [program, text.as_bytes()].concat() } else { text.into_bytes() };
            one_platform(into, platform, &content, now)
        };
        let children: Vec<Value> = platforms.iter().map(made).collect();
        let digest = match children.as_slice() {
            [only] => only["digest"].as_str().unwrap_or_default().to_owned(),
            many => put(into, INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": many}), now),
        };
        into.tags.insert(reference.to_owned(), (digest.clone(), Some(now)));
        digest
    }
}

/// An artifact that nodes cannot run as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OddImage {
    /// A manifest of Docker's first schema.
    Schema1,
    /// A Helm chart.
    Chart,
    /// An image of linux/amd64 whose only layer has so many GiB. Its bytes are not kept.
    Large(u64),
}

impl Store {
    /// Puts one under a tag.
    pub(crate) fn make_odd(&mut self, repository: &str, tag: &str, odd: OddImage, now: Instant) {
        const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        const CHART: &str = "application/vnd.cncf.helm.config.v1+json";
        let into = self.repositories.entry(repository.to_owned()).or_default();
        let content = Bytes::from(format!("content of {repository}:{tag}"));
        let layer = digest_of(&content);
        let digest = match odd {
            OddImage::Schema1 => {
                let body = json!({"schemaVersion": 1, "name": repository, "tag": tag, "architecture": "amd64",
                    "fsLayers": [{"blobSum": layer}], "history": [{"v1Compatibility": "{}"}]});
                into.blobs.insert(layer, content);
                put(into, SCHEMA1, &body, now)
            }
            OddImage::Chart => {
                let config = Bytes::from_static(b"{\"name\":\"chart\",\"version\":\"1.0.0\"}");
                let body = json!({"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": {"mediaType": CHART, "digest": digest_of(&config), "size": config.len()},
                    "layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": layer,
                                "size": content.len()}]});
                into.blobs.insert(layer, content);
                into.blobs.insert(digest_of(&config), config);
                put(into, MANIFEST, &body, now)
            }
            OddImage::Large(gib) => {
                let of =
                    one_platform(into, "linux/amd64", &content, now)["digest"].as_str().unwrap_or_default().to_owned();
                let bytes = into.manifests.remove(&of).map(|manifest| manifest.bytes).unwrap_or_default();
                let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                body["layers"][0]["size"] = (gib << 30).into();
                put(into, MANIFEST, &body, now)
            }
        };
        into.tags.insert(tag.to_owned(), (digest, Some(now)));
    }
}

/// Whether a program of this machine runs on a platform.
fn runs_here(platform: &str) -> bool {
    let mut parts = platform.split('/');
    parts.next() == Some("linux") && parts.next() == Some(own_architecture())
}

/// The architecture of this machine, as images name it.
pub(crate) fn own_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Puts the manifest of one platform; the answer is its entry in an index.
fn one_platform(into: &mut Repository, platform: &str, content: &[u8], now: Instant) -> Value {
    let mut parts = platform.split('/');
    let os = parts.next().unwrap_or("linux");
    let architecture = parts.next().unwrap_or("amd64");
    let layer = Layer::holding(content);
    let layer_digest = digest_of(&layer.compressed);
    let detail = parts.next();
    let mut config = json!({
        "architecture": architecture,
        "os": os,
        "config": {"Cmd": ["/run"]},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(&layer.archive)]},
    });
    // Of Windows the third part is a version, such as `10.0.20348.2700`.
    let detail = detail.map(|detail| (if os == "windows" { "os.version" } else { "variant" }, detail));
    if let Some(("os.version", version)) = detail {
        config["os.version"] = version.into();
    }
    let config = Bytes::from(config.to_string());
    let config_digest = digest_of(&config);
    let body = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config_digest, "size": config.len()},
        "layers": [{"mediaType": LAYER, "digest": layer_digest, "size": layer.compressed.len()}],
    });
    into.blobs.insert(layer_digest, layer.compressed);
    into.blobs.insert(config_digest, config);
    let size = body.to_string().len();
    let digest = put(into, MANIFEST, &body, now);
    let mut known = json!({"architecture": architecture, "os": os});
    if let Some((name, detail)) = detail {
        known[name] = detail.into();
    }
    json!({"mediaType": MANIFEST, "digest": digest, "size": size, "platform": known})
}

fn put(into: &mut Repository, media_type: &str, body: &Value, now: Instant) -> String {
    let bytes = Bytes::from(body.to_string());
    let digest = digest_of(&bytes);
    let manifest = Manifest { media_type: media_type.to_owned(), bytes, created: now, quarantine: None };
    into.manifests.insert(digest.clone(), manifest);
    digest
}

/// The digest of bytes, as registries write it.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect();
    format!("sha256:{hex}")
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0')
}

/// Host, repository and tag (or digest) of a name such as `docker.io/library/nginx:latest`.
pub(crate) fn split(name: &str) -> (&str, &str, &str) {
    let (host, rest) = name.split_once('/').unwrap_or(("docker.io", name));
    let (repository, reference) = split_reference(rest);
    (host, repository, reference)
}

/// Repository and tag (or digest) of a name without host; without either, `latest`.
pub(crate) fn split_reference(name: &str) -> (&str, &str) {
    name.split_once('@').or_else(|| name.rsplit_once(':')).unwrap_or((name, "latest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_digest_is_the_hash_of_the_manifest() {
        let mut store = Store::default();
        let digest = store.make("app", "1", &["linux/amd64", "linux/arm64"], b"", Instant::now());
        let repository = &store.repositories["app"];
        assert_eq!(digest_of(&repository.manifests[&digest].bytes), digest);
        assert_eq!(repository.manifests[&digest].children().len(), 2);
        assert_eq!(repository.manifests.len(), 3);
    }

    #[tokio::test]
    async fn an_image_of_one_platform_has_no_index() {
        let mut store = Store::default();
        let digest = store.make("app", "1", &["linux/amd64"], b"", Instant::now());
        assert_eq!(store.repositories["app"].manifests[&digest].media_type, MANIFEST);
    }

    #[tokio::test]
    async fn a_copied_index_brings_its_platforms_and_blobs() {
        let mut store = Store::default();
        let digest = store.make("app", "1", &["linux/amd64", "linux/arm64"], b"", Instant::now());
        let mut copy = Repository::default();
        copy.take_from(&store.repositories["app"], &digest);
        assert_eq!(copy.manifests.len(), 3);
        assert_eq!(copy.blobs.len(), 4);
    }

    #[test]
    fn a_name_is_host_repository_and_tag() {
        assert_eq!(split("docker.io/library/nginx:latest"), ("docker.io", "library/nginx", "latest"));
        assert_eq!(split("host:5000/app"), ("host:5000", "app", "latest"));
        assert_eq!(split("a.b/c@sha256:0"), ("a.b", "c", "sha256:0"));
    }
}
