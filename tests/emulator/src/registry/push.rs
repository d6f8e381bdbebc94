//! Putting images into a registry and taking them out: uploads of blobs, manifests, deletions.

#![expect(clippy::result_large_err, reason = "a refusal is a whole answer, made at most once for a request")]

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Registry;
use super::distribution::{disallowed, error, known};
use super::wish::Wish;
use crate::entra::form_field;
use crate::image::{Manifest, digest_of};
use crate::reply::{self, Reply};

/// The most bytes that a manifest may have.
const MOST_BYTES: usize = 4 << 20;

/// A blob that is being uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    repository: String,
    bytes: Vec<u8>,
}

/// Makes a change that the caller may make. `source` is the repository that a blob may be taken from, if the caller
/// may read that; `fresh` is the id of an upload that begins.
pub(super) fn change(
    registry: &mut Registry,
    wish: &Wish,
    request: &Request<Bytes>,
    source: Option<&str>,
    fresh: Uuid,
    now: Instant,
) -> Reply {
    let answer = match (request.method(), wish) {
        (&Method::POST, Wish::Upload { repository, id }) if id.is_empty() => {
            begin(registry, repository, request, source, fresh)
        }
        (&Method::PATCH, Wish::Upload { repository, id }) => go_on(registry, repository, id, request),
        (&Method::PUT, Wish::Upload { repository, id }) => finish(registry, repository, id, request),
        (&Method::GET, Wish::Upload { repository, id }) => status(registry, repository, id),
        (&Method::DELETE, Wish::Upload { repository, id }) => cancel(registry, repository, id),
        (&Method::PUT, Wish::Manifest { repository, reference }) => put(registry, repository, reference, request, now),
        (&Method::DELETE, Wish::Manifest { repository, reference }) => delete(registry, repository, reference, now),
        (&Method::DELETE, Wish::Blob { repository, digest }) => delete_blob(registry, repository, digest),
        _ => Err(crate::world::unknown_request(request.method(), request.uri())),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

fn bad(code: &str, message: &str, detail: &Value) -> Reply {
    error(StatusCode::BAD_REQUEST, code, message, detail)
}

/// Whether a repository may be named so.
fn check_name(repository: &str) -> Result<(), Reply> {
    let word = |word: &str| {
        let edge = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        word.starts_with(edge) && word.ends_with(edge) && word.chars().all(|one| edge(one) || "._-".contains(one))
    };
    if repository.len() <= 256 && repository.split('/').all(word) {
        return Ok(());
    }
    Err(bad("NAME_INVALID", "invalid repository name", &json!({"name": repository})))
}

fn query(request: &Request<Bytes>, name: &str) -> Option<String> {
    form_field(request.uri().query().unwrap_or_default().as_bytes(), name)
}

/// Begins an upload, or has the blob at once: from another repository, or in one request.
fn begin(
    registry: &mut Registry,
    repository: &str,
    request: &Request<Bytes>,
    source: Option<&str>,
    fresh: Uuid,
) -> Result<Reply, Reply> {
    check_name(repository)?;
    demand_writable(registry, repository, "")?;
    if let (Some(digest), Some(source)) = (query(request, "mount"), source) {
        let found = registry.images.repositories.get(source).and_then(|from| from.blobs.get(&digest)).cloned();
        if let Some(bytes) = found {
            return Ok(keep(registry, repository, &digest, bytes));
        }
    }
    if let Some(digest) = query(request, "digest") {
        check_digest(&digest, request.body())?;
        return Ok(keep(registry, repository, &digest, request.body().clone()));
    }
    let id = fresh.to_string();
    let upload = Upload { repository: repository.to_owned(), bytes: Vec::new() };
    registry.uploads.insert(id.clone(), upload);
    Ok(going_on(repository, &id, 0, StatusCode::ACCEPTED))
}

fn keep(registry: &mut Registry, repository: &str, digest: &str, bytes: Bytes) -> Reply {
    registry.images.repositories.entry(repository.to_owned()).or_default().blobs.insert(digest.to_owned(), bytes);
    let answer = reply::with(reply::empty(StatusCode::CREATED), "docker-content-digest", digest);
    reply::with(answer, "location", &format!("/v2/{repository}/blobs/{digest}"))
}

/// The digest that a client names must be that of the bytes.
fn check_digest(digest: &str, bytes: &[u8]) -> Result<(), Reply> {
    if digest == digest_of(bytes) {
        return Ok(());
    }
    Err(bad("DIGEST_INVALID", "provided digest did not match uploaded content", &json!({"digest": digest})))
}

/// Where an upload continues, and how far it is.
fn going_on(repository: &str, id: &str, length: usize, status: StatusCode) -> Reply {
    let mut answer = reply::empty(status);
    reply::set(&mut answer, "location", &format!("/v2/{repository}/blobs/uploads/{id}?_nouploadcache=false"));
    reply::set(&mut answer, "range", &format!("0-{}", length.saturating_sub(1)));
    reply::set(&mut answer, "docker-upload-uuid", id);
    answer
}

fn upload<'r>(registry: &'r mut Registry, repository: &str, id: &str) -> Result<&'r mut Upload, Reply> {
    let found = registry.uploads.get_mut(id).filter(|upload| upload.repository == repository);
    found.ok_or_else(|| {
        error(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", &Value::Null)
    })
}

/// Adds a part, which must begin where the last one ended. The last part may come with the end of the upload.
fn add<'r>(
    registry: &'r mut Registry,
    repository: &str,
    id: &str,
    request: &Request<Bytes>,
) -> Result<&'r mut Upload, Reply> {
    let upload = upload(registry, repository, id)?;
    let range = request.headers().get("content-range").and_then(|value| value.to_str().ok());
    let start = range.and_then(|range| range.trim_start_matches("bytes ").split('-').next()?.parse::<usize>().ok());
    if start.is_some_and(|start| start != upload.bytes.len()) {
        return Err(going_on(repository, id, upload.bytes.len(), StatusCode::RANGE_NOT_SATISFIABLE));
    }
    upload.bytes.extend_from_slice(request.body());
    Ok(upload)
}

fn go_on(registry: &mut Registry, repository: &str, id: &str, request: &Request<Bytes>) -> Result<Reply, Reply> {
    let length = add(registry, repository, id, request)?.bytes.len();
    Ok(going_on(repository, id, length, StatusCode::ACCEPTED))
}

fn finish(registry: &mut Registry, repository: &str, id: &str, request: &Request<Bytes>) -> Result<Reply, Reply> {
    upload(registry, repository, id)?;
    let digest = query(request, "digest").ok_or_else(|| bad("DIGEST_INVALID", "digest missing", &Value::Null))?;
    let bytes = std::mem::take(&mut add(registry, repository, id, request)?.bytes);
    registry.uploads.remove(id);
    check_digest(&digest, &bytes)?;
    Ok(keep(registry, repository, &digest, Bytes::from(bytes)))
}

fn status(registry: &mut Registry, repository: &str, id: &str) -> Result<Reply, Reply> {
    let length = upload(registry, repository, id)?.bytes.len();
    Ok(going_on(repository, id, length, StatusCode::NO_CONTENT))
}

fn cancel(registry: &mut Registry, repository: &str, id: &str) -> Result<Reply, Reply> {
    upload(registry, repository, id)?;
    registry.uploads.remove(id);
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn demand_writable(registry: &Registry, repository: &str, item: &str) -> Result<(), Reply> {
    let there = registry.images.repositories.get(repository);
    if there.is_none_or(|there| there.may(item, "writeEnabled")) { Ok(()) } else { Err(disallowed()) }
}

fn is_tag(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.starts_with(plain) && text.len() <= 128 && text.chars().all(|one| plain(one) || one == '.' || one == '-')
}

/// Puts a manifest, once all that it refers to is there.
fn put(
    registry: &mut Registry,
    repository: &str,
    reference: &str,
    request: &Request<Bytes>,
    now: Instant,
) -> Result<Reply, Reply> {
    check_name(repository)?;
    demand_writable(registry, repository, reference)?;
    let bytes = request.body();
    let digest = digest_of(bytes);
    if reference.contains(':') {
        check_digest(reference, bytes)?;
    } else if !is_tag(reference) {
        return Err(bad("TAG_INVALID", "manifest tag did not match URI", &json!({"tag": reference})));
    }
    let manifest = read(request, now)?;
    let into = registry.images.repositories.entry(repository.to_owned()).or_default();
    let blobs = manifest.blobs().into_iter().filter(|blob| !into.blobs.contains_key(blob));
    let children = manifest.children().into_iter().filter_map(|child| child["digest"].as_str().map(str::to_owned));
    let children = children.filter(|child| !into.manifests.contains_key(child));
    if let Some(missing) = blobs.chain(children).next() {
        if into.manifests.is_empty() && into.blobs.is_empty() {
            registry.images.repositories.remove(repository);
        }
        let detail = json!({"digest": missing});
        return Err(bad("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", &detail));
    }
    let subject = manifest.subject();
    let created = into.manifests.get(&digest).map_or(now, |known| known.created);
    registry.note(repository, &digest, now);
    registry.note(repository, reference, now);
    let into = registry.images.repositories.entry(repository.to_owned()).or_default();
    into.manifests.insert(digest.clone(), Manifest { created, ..manifest });
    if !reference.contains(':') {
        into.tags.insert(reference.to_owned(), (digest.clone(), Some(now)));
    }
    let answer = reply::with(reply::empty(StatusCode::CREATED), "docker-content-digest", &digest);
    let answer = reply::with(answer, "location", &format!("/v2/{repository}/manifests/{digest}"));
    Ok(match subject {
        Some(subject) => reply::with(answer, "oci-subject", &subject),
        None => answer,
    })
}

/// A manifest as it was sent. Its type is what the header says; a type inside must be the same.
fn read(request: &Request<Bytes>, now: Instant) -> Result<Manifest, Reply> {
    let bytes = request.body();
    let invalid = |message: &str| Err(bad("MANIFEST_INVALID", message, &Value::Null));
    if bytes.len() > MOST_BYTES {
        return Err(error(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", "manifest too large", &Value::Null));
    }
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else {
        return invalid("manifest invalid");
    };
    if !body.is_object() || body["schemaVersion"] != 2 {
        return invalid("manifest invalid");
    }
    let sent = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent = sent.split(';').next().unwrap_or_default().trim();
    let inside = body["mediaType"].as_str().unwrap_or_default();
    let media_type = if sent.is_empty() { inside } else { sent };
    if media_type.is_empty() || (!inside.is_empty() && inside != media_type) {
        return invalid("the media type of the manifest is not that of the request");
    }
    Ok(Manifest { media_type: media_type.to_owned(), bytes: bytes.clone(), created: now, quarantine: None })
}

/// Deletes a manifest with its tags, or one tag.
pub(super) fn delete(registry: &mut Registry, repository: &str, reference: &str, now: Instant) -> Result<Reply, Reply> {
    let found = known(&registry.images, repository)?;
    if !found.may(reference, "deleteEnabled") {
        return Err(disallowed());
    }
    let tags: Vec<String> =
        found.tags.iter().filter(|(_, (digest, _))| digest == reference).map(|(tag, _)| tag.clone()).collect();
    if tags.iter().any(|tag| !found.may(tag, "deleteEnabled")) {
        return Err(disallowed());
    }
    if !registry.remove(repository, reference, now) {
        return Err(error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown", &json!({"Tag": reference})));
    }
    Ok(reply::empty(StatusCode::ACCEPTED))
}

/// Deletes a blob of a repository; other repositories keep theirs. That Azure answers 202 is in the operation
/// `ContainerRegistryBlob_DeleteBlob` of its SDKs (azure-containerregistry 1.2.0).
fn delete_blob(registry: &mut Registry, repository: &str, digest: &str) -> Result<Reply, Reply> {
    if !known(&registry.images, repository)?.may("", "deleteEnabled") {
        return Err(disallowed());
    }
    let found = registry.images.repositories.get_mut(repository);
    if found.and_then(|found| found.blobs.remove(digest)).is_none() {
        return Err(error(
            StatusCode::NOT_FOUND,
            "BLOB_UNKNOWN",
            "blob unknown to registry",
            &json!({"digest": digest}),
        ));
    }
    Ok(reply::with(reply::empty(StatusCode::ACCEPTED), "docker-content-digest", digest))
}
