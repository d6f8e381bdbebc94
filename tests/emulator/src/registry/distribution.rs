//! The part of the OCI distribution protocol that all registries share: giving out manifests, blobs, tags.

#![expect(clippy::result_large_err, reason = "a refusal is a whole answer, made at most once for a request")]

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::page::Page;
use super::wish::Wish;
use crate::image::{INDEX, Manifest, Repository, Store};
use crate::reply::{self, Reply};

/// An error in the protocol's shape.
pub(super) fn error(status: StatusCode, code: &str, message: &str, detail: &Value) -> Reply {
    let mut fault = json!({"code": code, "message": message});
    if !detail.is_null() {
        fault["detail"] = detail.clone();
    }
    reply::json(status, &json!({"errors": [fault]}))
}

/// Gives out what is wished for; who may have it was asked before.
pub(super) fn give(store: &Store, wish: &Wish, request: &Request<Bytes>) -> Reply {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return crate::world::unknown_request(request.method(), request.uri());
    }
    let answer = match wish {
        Wish::Base => reply::json(StatusCode::OK, &json!({})),
        Wish::Catalog => catalog(store, request),
        Wish::Tags { repository } => tags(store, repository, request),
        Wish::Manifest { repository, reference } => manifest(store, repository, reference, request),
        Wish::Blob { repository, digest } => blob(store, repository, digest, request),
        Wish::Referrers { repository, digest } => referrers(store, repository, digest, request),
        Wish::Upload { .. } => return crate::world::unknown_request(request.method(), request.uri()),
    };
    if request.method() == Method::HEAD { headless(answer) } else { answer }
}

/// The same answer without its body, but with its length.
fn headless(mut answer: Reply) -> Reply {
    let length = answer.body().len().to_string();
    reply::set(&mut answer, "content-length", &length);
    *answer.body_mut() = Bytes::new();
    answer
}

pub(super) fn name_unknown(repository: &str) -> Reply {
    error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry", &json!({"name": repository}))
}

/// The names of repositories, a page of them.
pub(super) fn catalog(store: &Store, request: &Request<Bytes>) -> Reply {
    let listed = store.repositories.iter().filter(|(_, one)| one.may("", "listEnabled") && !one.manifests.is_empty());
    let names: Vec<&str> = listed.map(|(name, _)| name.as_str()).collect();
    let page = Page::of(request, 100);
    let (names, last) = page.cut(&names, |name| name);
    let answer = reply::json(StatusCode::OK, &json!({"repositories": names}));
    page.linked(answer, request, last.as_deref())
}

fn tags(store: &Store, repository: &str, request: &Request<Bytes>) -> Reply {
    let Some(found) = store.repositories.get(repository) else {
        return name_unknown(repository);
    };
    let tags: Vec<&str> = found.tags.keys().map(String::as_str).collect();
    let page = Page::of(request, usize::MAX);
    let (tags, last) = page.cut(&tags, |tag| tag);
    let answer = reply::json(StatusCode::OK, &json!({"name": repository, "tags": tags}));
    page.linked(answer, request, last.as_deref())
}

/// The manifests whose subject is this one, as an index, in pages: az follows the link of an Azure registry (azure-cli 2.91,
/// `command_modules/acr/manifest.py`), whose page size is not documented; all else is as the OCI specification has it
/// (Azure/azure-rest-api-specs#42612).
fn referrers(store: &Store, repository: &str, digest: &str, request: &Request<Bytes>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let kind = crate::entra::form_field(query.as_bytes(), "artifactType");
    let known = store.repositories.get(repository);
    let all = known.into_iter().flat_map(|found| &found.manifests);
    let refer = all.filter(|(_, manifest)| manifest.subject().as_deref() == Some(digest));
    let items: Vec<Value> = refer
        .map(|(digest, manifest)| manifest.descriptor(digest))
        .filter(|item| kind.as_deref().is_none_or(|kind| item["artifactType"] == kind))
        .collect();
    let page = Page::of(request, 100);
    let (items, last) = page.cut(&items, |item| item["digest"].as_str().unwrap_or_default());
    let body = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": items});
    let answer = reply::bytes(StatusCode::OK, INDEX, Bytes::from(body.to_string()));
    let answer = page.linked(answer, request, last.as_deref());
    if kind.is_some() { reply::with(answer, "oci-filters-applied", "artifactType") } else { answer }
}

fn manifest(store: &Store, repository: &str, reference: &str, request: &Request<Bytes>) -> Reply {
    let unknown = |found: bool| manifest_unknown(reference, found);
    let Some(found) = store.repositories.get(repository) else {
        return unknown(false);
    };
    let Some(digest) = found.resolve(reference) else {
        return unknown(true);
    };
    let Some(manifest) = found.manifests.get(digest) else {
        return unknown(true);
    };
    if !found.may(reference, "readEnabled") || !found.may(digest, "readEnabled") {
        return disallowed();
    }
    if accepts(request, &manifest.media_type) {
        return shown(digest, manifest);
    }
    // A client that does not support an index gets the manifest of the platform that such clients mean.
    let plain = manifest.children().into_iter().find(|child| child["platform"]["architecture"] == "amd64");
    let plain = plain.and_then(|child| child["digest"].as_str().map(str::to_owned));
    match plain.and_then(|digest| found.manifests.get_key_value(&digest)) {
        Some((digest, manifest)) if accepts(request, &manifest.media_type) => shown(digest, manifest),
        _ => {
            let message = format!("{} is not among the accepted media types", manifest.media_type);
            error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message, &Value::Null)
        }
    }
}

/// The answer to a tag or a digest that is not in the registry, or not in a repository that is.
pub(super) fn manifest_unknown(reference: &str, found: bool) -> Reply {
    let message =
        if found { format!("manifest tagged by \"{reference}\" is not found") } else { "manifest unknown".into() };
    error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message, &json!({"Tag": reference}))
}

fn shown(digest: &str, manifest: &Manifest) -> Reply {
    let mut answer = reply::bytes(StatusCode::OK, &manifest.media_type, manifest.bytes.clone());
    reply::set(&mut answer, "docker-content-digest", digest);
    reply::set(&mut answer, "etag", &format!("\"{digest}\""));
    answer
}

fn accepts(request: &Request<Bytes>, media_type: &str) -> bool {
    let mut sent = request.headers().get_all("accept").iter().filter_map(|value| value.to_str().ok()).peekable();
    sent.peek().is_none()
        || sent.flat_map(|list| list.split(',')).any(|one| {
            let one = one.split(';').next().unwrap_or_default().trim();
            one == "*/*" || one == "application/*" || one.eq_ignore_ascii_case(media_type)
        })
}

fn blob(store: &Store, repository: &str, digest: &str, request: &Request<Bytes>) -> Reply {
    let Some(found) = store.repositories.get(repository) else {
        return name_unknown(repository);
    };
    let Some(bytes) = found.blobs.get(digest) else {
        return error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry", &json!({"digest": digest}));
    };
    let answer = match range(request, bytes.len()) {
        None => reply::bytes(StatusCode::OK, "application/octet-stream", bytes.clone()),
        Some(Ok((from, to))) => {
            let part = reply::bytes(StatusCode::PARTIAL_CONTENT, "application/octet-stream", bytes.slice(from..=to));
            reply::with(part, "content-range", &format!("bytes {from}-{to}/{}", bytes.len()))
        }
        Some(Err(())) => {
            let refused = error(StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "invalid range", &Value::Null);
            return reply::with(refused, "content-range", &format!("bytes */{}", bytes.len()));
        }
    };
    reply::with(reply::with(answer, "docker-content-digest", digest), "accept-ranges", "bytes")
}

/// The first and the last byte that a request wants; `None` when it wants all, or speaks of ranges in a form that a
/// server may pass over.
fn range(request: &Request<Bytes>, length: usize) -> Option<Result<(usize, usize), ()>> {
    let value = request.headers().get("range")?.to_str().ok()?;
    let (from, to) = value.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.saturating_sub(1);
    let (from, to) = match (from.parse::<usize>().ok(), to.parse::<usize>().ok()) {
        (Some(from), Some(to)) => (from, to.min(end)),
        (Some(from), None) if to.is_empty() => (from, end),
        (None, Some(last)) if from.is_empty() && last > 0 => (length.saturating_sub(last), end),
        _ => return None,
    };
    Some(if from <= to && from < length { Ok((from, to)) } else { Err(()) })
}

/// The refusal of what was locked.
pub(super) fn disallowed() -> Reply {
    let message = "The operation is disallowed on this registry, repository or image. View troubleshooting steps at \
                   https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation";
    error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message, &Value::Null)
}

/// A repository, or the refusal that names it.
pub(super) fn known<'s>(store: &'s Store, repository: &str) -> Result<&'s Repository, Reply> {
    store.repositories.get(repository).ok_or_else(|| name_unknown(repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range_of: &str) -> Option<Result<(usize, usize), ()>> {
        range(&Request::get("/").header("range", range_of).body(Bytes::new()).unwrap(), 10)
    }

    #[test]
    fn a_range_is_a_part_of_the_bytes_or_none() {
        assert_eq!(asked("bytes=2-5"), Some(Ok((2, 5))));
        assert_eq!(asked("bytes=8-"), Some(Ok((8, 9))));
        assert_eq!(asked("bytes=-3"), Some(Ok((7, 9))));
        assert_eq!(asked("bytes=10-"), Some(Err(())));
        assert_eq!(asked("lines=1-2"), None);
    }
}
