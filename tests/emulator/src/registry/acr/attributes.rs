//! The calls that only Azure's registries have: attributes of tags and manifests.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Visit;
use crate::image::{Manifest, Repository};
use crate::registry::distribution::{self, Wish, decoded};
use crate::registry::gate::Right;
use crate::reply::{self, Reply};

impl Visit<'_> {
    /// The calls below `/acr/v1/`.
    pub(super) fn own(&self, path: &str) -> Reply {
        let rest = path.trim_start_matches("/acr/v1/");
        if self.request.method() != Method::GET {
            return self.unknown();
        }
        if rest == "_catalog" {
            return match self.demand("registry", "catalog", Right::Catalog) {
                Ok(claims) => {
                    self.named(distribution::give(&self.registry.images, &Wish::Catalog, self.request), &claims)
                }
                Err(refusal) => refusal,
            };
        }
        let found = ["/_tags", "/_manifests"].into_iter().find_map(|kind| {
            let (repository, item) = rest.split_once(kind)?;
            Some((kind, repository, decoded(item.trim_start_matches('/'))))
        });
        let Some((kind, repository, item)) = found else {
            return self.unknown();
        };
        let claims = match self.demand("repository", repository, Right::MetadataRead) {
            Ok(claims) => claims,
            Err(refusal) => return refusal,
        };
        let answer = match self.registry.images.repositories.get(repository) {
            None => distribution::name_unknown(repository),
            Some(images) if kind == "/_tags" => self.tags(images, repository, &item),
            Some(images) => self.manifests(images, repository, &item),
        };
        self.named(answer, &claims)
    }

    fn tags(&self, images: &Repository, name: &str, wanted: &str) -> Reply {
        let body = |(tag, (digest, set)): (&String, &(String, Option<Instant>))| {
            let time = self.world.clock.rfc3339(set.unwrap_or(self.registry.created));
            json!({"name": tag, "digest": digest, "createdTime": time, "lastUpdateTime": time, "signed": false,
                   "changeableAttributes": changeable()})
        };
        if wanted.is_empty() {
            let tags: Vec<Value> = images.tags.iter().map(body).collect();
            return self.listed(name, "tags", &tags.into());
        }
        if let Some(tag) = images.tags.get_key_value(wanted) {
            return self.listed(name, "tag", &body(tag));
        }
        let message = "the specified tag does not exist";
        distribution::error(StatusCode::NOT_FOUND, "TAG_UNKNOWN", message, &Value::Null)
    }

    fn manifests(&self, images: &Repository, name: &str, wanted: &str) -> Reply {
        let body = |(digest, manifest): (&String, &Manifest)| {
            let time = self.world.clock.rfc3339(manifest.created);
            let tags: Vec<&String> =
                images.tags.iter().filter(|(_, (of, _))| of == digest).map(|(tag, _)| tag).collect();
            let references: Vec<Value> = manifest
                .children()
                .iter()
                .map(|child| {
                    json!({"digest": child["digest"], "architecture": child["platform"]["architecture"],
                           "os": child["platform"]["os"]})
                })
                .collect();
            json!({"digest": digest, "imageSize": manifest.size(), "createdTime": time, "lastUpdateTime": time,
                   "mediaType": manifest.media_type, "tags": tags, "changeableAttributes": changeable(),
                   "references": references})
        };
        if wanted.is_empty() {
            let manifests: Vec<Value> = images.manifests.iter().map(body).collect();
            return self.listed(name, "manifests", &manifests.into());
        }
        match images.manifests.get_key_value(wanted) {
            Some(manifest) => self.listed(name, "manifest", &body(manifest)),
            None => distribution::error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown", &Value::Null),
        }
    }

    fn listed(&self, name: &str, what: &str, value: &Value) -> Reply {
        let mut body = json!({"registry": self.host(), "imageName": name});
        body[what] = value.clone();
        reply::json(StatusCode::OK, &body)
    }
}

fn changeable() -> Value {
    json!({"deleteEnabled": true, "writeEnabled": true, "readEnabled": true, "listEnabled": true})
}
