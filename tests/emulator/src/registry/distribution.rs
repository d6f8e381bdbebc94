//! The part of the OCI distribution protocol that all registries share: manifests, blobs, tags.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::image::{Manifest, Store};
use crate::reply::{self, Reply};

/// What a path of the protocol asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Base,
    Catalog,
    Manifest { repository: String, reference: String },
    Blob { repository: String, digest: String },
    Tags { repository: String },
}

/// Reads a path below `/v2/`.
pub(super) fn wish(path: &str) -> Option<Wish> {
    let rest = path.strip_prefix("/v2")?.trim_start_matches('/');
    match rest {
        "" => return Some(Wish::Base),
        "_catalog" => return Some(Wish::Catalog),
        _ => {}
    }
    if let Some(repository) = rest.strip_suffix("/tags/list") {
        return Some(Wish::Tags { repository: repository.to_owned() });
    }
    if let Some((repository, reference)) = rest.rsplit_once("/manifests/") {
        return Some(Wish::Manifest { repository: repository.to_owned(), reference: decoded(reference) });
    }
    let (repository, digest) = rest.rsplit_once("/blobs/")?;
    Some(Wish::Blob { repository: repository.to_owned(), digest: decoded(digest) })
}

/// A segment of a path, where a digest's colon may come as `%3A`.
pub(super) fn decoded(segment: &str) -> String {
    segment.replace("%3A", ":").replace("%3a", ":")
}

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
        Wish::Catalog => {
            let names: Vec<&String> = store.repositories.keys().collect();
            reply::json(StatusCode::OK, &json!({"repositories": names}))
        }
        Wish::Tags { repository } => tags(store, repository),
        Wish::Manifest { repository, reference } => manifest(store, repository, reference, request),
        Wish::Blob { repository, digest } => blob(store, repository, digest),
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

fn tags(store: &Store, repository: &str) -> Reply {
    let Some(found) = store.repositories.get(repository) else {
        return name_unknown(repository);
    };
    let tags: Vec<&String> = found.tags.keys().collect();
    reply::json(StatusCode::OK, &json!({"name": repository, "tags": tags}))
}

fn manifest(store: &Store, repository: &str, reference: &str, request: &Request<Bytes>) -> Reply {
    let unknown = |found: bool| {
        let message =
            if found { format!("manifest tagged by \"{reference}\" is not found") } else { "manifest unknown".into() };
        error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message, &json!({"Tag": reference}))
    };
    let Some(found) = store.repositories.get(repository) else {
        return unknown(false);
    };
    let Some(digest) = found.resolve(reference) else {
        return unknown(true);
    };
    let Some(manifest) = found.manifests.get(digest) else {
        return unknown(true);
    };
    if accepts(request, &manifest.media_type) {
        return shown(digest, manifest);
    }
    // A client that knows no index gets the manifest of the platform that such clients mean.
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

fn blob(store: &Store, repository: &str, digest: &str) -> Reply {
    let Some(found) = store.repositories.get(repository) else {
        return name_unknown(repository);
    };
    let Some(bytes) = found.blobs.get(digest) else {
        return error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry", &json!({"digest": digest}));
    };
    let answer = reply::bytes(StatusCode::OK, "application/octet-stream", bytes.clone());
    reply::with(answer, "docker-content-digest", digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_may_have_folders() {
        let manifest = Wish::Manifest { repository: "library/nginx".into(), reference: "latest".into() };
        assert_eq!(wish("/v2/library/nginx/manifests/latest"), Some(manifest));
        assert_eq!(wish("/v2/"), Some(Wish::Base));
        assert_eq!(wish("/v2/a/b/tags/list"), Some(Wish::Tags { repository: "a/b".into() }));
        assert_eq!(wish("/v2/a"), None);
    }
}
