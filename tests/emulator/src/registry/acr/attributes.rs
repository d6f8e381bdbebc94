//! The calls that only Azure's registries have: attributes of repositories, tags and manifests, read, changed, deleted.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Change, Outcome, Visit};
use crate::entra::form_field;
use crate::image::{Manifest, Repository};
use crate::registry::distribution::{self, error, known};
use crate::registry::gate::Right;
use crate::registry::page::Page;
use crate::registry::{Registry, push};
use crate::reply::{self, Reply};

/// What can be switched off, by the names that clients use.
const SWITCHES: [&str; 4] = ["deleteEnabled", "writeEnabled", "readEnabled", "listEnabled"];

/// What a path below `/acr/v1/` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    repository: String,
    kind: Kind,
    /// The tag or digest; empty for all of them.
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Repository,
    Tags,
    Manifests,
    /// Manifests that were deleted.
    DeletedManifests,
    DeletedTags,
}

impl Item {
    fn read(path: &str) -> Option<Self> {
        let path = crate::arm::decoded(path);
        let rest = path.strip_prefix("/acr/v1/")?;
        let deleted = rest.strip_prefix("_deleted/");
        let (rest, kinds) = match deleted {
            Some(rest) => (rest, [Kind::DeletedTags, Kind::DeletedManifests]),
            None => (rest, [Kind::Tags, Kind::Manifests]),
        };
        for (mark, kind) in ["/_tags", "/_manifests"].into_iter().zip(kinds) {
            if let Some((repository, name)) = rest.rsplit_once(mark) {
                let name = name.trim_start_matches('/').to_owned();
                return Some(Self { repository: repository.to_owned(), kind, name });
            }
        }
        let repository = rest.trim_end_matches('/').to_owned();
        (!repository.is_empty() && deleted.is_none()).then_some(Self {
            repository,
            kind: Kind::Repository,
            name: String::new(),
        })
    }

    /// Makes a change that the caller may make.
    pub(super) fn change(&self, registry: &mut Registry, request: &Request<Bytes>, now: Instant) -> Reply {
        let answer = match *request.method() {
            Method::DELETE => self.delete(registry, now),
            Method::POST => {
                let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                Ok(registry.restore(&self.repository, &self.name, sent["tag"].as_str(), now))
            }
            _ => self.switch(registry, request),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn delete(&self, registry: &mut Registry, now: Instant) -> Result<Reply, Reply> {
        let found = known(&registry.images, &self.repository)?;
        if self.kind != Kind::Repository {
            return push::delete(registry, &self.repository, &self.name, now);
        }
        let items = found.manifests.keys().chain(found.tags.keys());
        if !found.may("", "deleteEnabled") || items.into_iter().any(|item| !found.may(item, "deleteEnabled")) {
            return Err(distribution::disallowed());
        }
        let deleted = json!({"manifestsDeleted": found.manifests.keys().collect::<Vec<_>>(),
                             "tagsDeleted": found.tags.keys().collect::<Vec<_>>()});
        let digests: Vec<String> = found.manifests.keys().cloned().collect();
        for digest in digests {
            registry.remove(&self.repository, &digest, now);
        }
        Ok(reply::json(StatusCode::ACCEPTED, &deleted))
    }

    /// Switches on or off what the body names.
    fn switch(&self, registry: &mut Registry, request: &Request<Bytes>) -> Result<Reply, Reply> {
        let sent: Value = serde_json::from_slice(request.body())
            .map_err(|_| error(StatusCode::BAD_REQUEST, "INVALID", "the body is no JSON", &Value::Null))?;
        let found = known(&registry.images, &self.repository)?;
        let there = match self.kind {
            Kind::Repository => true,
            Kind::Tags => found.tags.contains_key(&self.name),
            Kind::Manifests => found.manifests.contains_key(&self.name),
            Kind::DeletedTags | Kind::DeletedManifests => false,
        };
        if !there {
            return Err(self.missing());
        }
        if let Some(found) = registry.images.repositories.get_mut(&self.repository) {
            let switches = found.switches.entry(self.name.clone()).or_default();
            for name in SWITCHES {
                if let Some(on) = sent[name].as_bool() {
                    switches.insert(name.to_owned(), on);
                }
            }
            if let (Some(manifest), Some(word)) =
                (found.manifests.get_mut(&self.name), sent["quarantineState"].as_str())
            {
                manifest.quarantine = Some(word.to_owned());
            }
        }
        Ok(reply::empty(StatusCode::OK))
    }

    fn missing(&self) -> Reply {
        if self.kind == Kind::Tags {
            let message = "the specified tag does not exist";
            return error(StatusCode::NOT_FOUND, "TAG_UNKNOWN", message, &Value::Null);
        }
        error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown", &Value::Null)
    }
}

impl Visit<'_> {
    /// The calls below `/acr/v1/`.
    pub(super) fn own(&self, path: &str) -> Result<Outcome, Reply> {
        let method = self.request.method();
        if path == "/acr/v1/_catalog" && *method == Method::GET {
            let permit = self.demand("registry", "catalog", Right::Catalog)?;
            return Ok(Outcome::Whole(permit.named(distribution::catalog(&self.registry.images, self.request))));
        }
        let item = Item::read(path).ok_or_else(|| self.unknown())?;
        let is_deleted = matches!(item.kind, Kind::DeletedTags | Kind::DeletedManifests);
        let right = match *method {
            Method::GET if is_deleted => Right::DeletedRead,
            Method::POST if item.kind == Kind::DeletedManifests && !item.name.is_empty() => Right::DeletedRestore,
            Method::GET => Right::MetadataRead,
            Method::PATCH if !is_deleted => Right::MetadataWrite,
            Method::DELETE if !is_deleted => Right::Delete,
            _ => return Err(self.unknown()),
        };
        // Of manifests, and of all of something, nothing but the whole repository is deleted here.
        let deletes = *method == Method::DELETE;
        if deletes && (item.kind == Kind::Manifests || (item.kind == Kind::Tags && item.name.is_empty())) {
            return Err(self.unknown());
        }
        let permit = self.demand("repository", &item.repository, right)?;
        if *method != Method::GET {
            return Ok(Outcome::Change { permit, change: Change::Own(item) });
        }
        Ok(Outcome::Whole(permit.named(self.show(&item)?)))
    }

    /// What a GET answers, and a PATCH once it is done.
    pub(super) fn show(&self, item: &Item) -> Result<Reply, Reply> {
        if matches!(item.kind, Kind::DeletedTags | Kind::DeletedManifests) {
            let is_tags = item.kind == Kind::DeletedTags;
            return Ok(self.registry.deleted_list(&item.repository, is_tags, &self.world.clock));
        }
        let images = known(&self.registry.images, &item.repository)?;
        Ok(match item.kind {
            Kind::Repository => self.whole(images, item),
            Kind::Tags => self.tags(images, item),
            Kind::Manifests | Kind::DeletedTags | Kind::DeletedManifests => self.manifests(images, item),
        })
    }

    fn whole(&self, images: &Repository, item: &Item) -> Reply {
        let made = images.manifests.values().map(|manifest| manifest.created);
        let times = (made.clone().min(), made.max());
        let time = |at: Option<Instant>| self.world.clock.rfc3339(at.unwrap_or(self.registry.created));
        let mut switches = changeable(images, "");
        switches["teleportEnabled"] = false.into();
        let body = json!({
            "registry": self.host(), "imageName": item.repository, "createdTime": time(times.0),
            "lastUpdateTime": time(times.1), "manifestCount": images.manifests.len(), "tagCount": images.tags.len(),
            "changeableAttributes": switches,
        });
        reply::json(StatusCode::OK, &body)
    }

    fn tags(&self, images: &Repository, item: &Item) -> Reply {
        let body = |tag: &str, (digest, set): &(String, Option<Instant>)| {
            let time = self.world.clock.rfc3339(set.unwrap_or(self.registry.created));
            json!({"name": tag, "digest": digest, "createdTime": time, "lastUpdateTime": time, "signed": false,
                   "changeableAttributes": changeable(images, tag)})
        };
        if !item.name.is_empty() {
            return match images.tags.get_key_value(&item.name) {
                Some((tag, set)) => self.listed(&item.repository, "tag", &body(tag, set)),
                None => item.missing(),
            };
        }
        let digest = form_field(self.request.uri().query().unwrap_or_default().as_bytes(), "digest");
        let meant = |of: &str| digest.as_deref().is_none_or(|digest| digest == of);
        let mut tags: Vec<(Option<Instant>, &str, Value)> = images
            .tags
            .iter()
            .filter(|(tag, (of, _))| images.may(tag, "listEnabled") && meant(of))
            .map(|(tag, set)| (set.1, tag.as_str(), body(tag, set)))
            .collect();
        self.order(&mut tags, |(time, ..)| *time);
        let page = Page::of(self.request, 100);
        let (tags, last) = page.cut(&tags, |(_, tag, _)| tag);
        let tags: Value = tags.into_iter().map(|(_, _, body)| body).collect();
        page.linked(self.listed(&item.repository, "tags", &tags), self.request, last.as_deref())
    }

    fn manifests(&self, images: &Repository, item: &Item) -> Reply {
        if !item.name.is_empty() {
            return match images.manifests.get_key_value(&item.name) {
                Some((digest, one)) => self.listed(&item.repository, "manifest", &self.manifest(images, digest, one)),
                None => item.missing(),
            };
        }
        let listed = images.manifests.iter().filter(|(digest, _)| images.may(digest, "listEnabled"));
        let mut manifests: Vec<(Instant, &str, &Manifest)> =
            listed.map(|(digest, one)| (one.created, digest.as_str(), one)).collect();
        self.order(&mut manifests, |(time, ..)| Some(*time));
        let page = Page::of(self.request, 100);
        let (manifests, last) = page.cut(&manifests, |(_, digest, _)| digest);
        let manifests: Value =
            manifests.into_iter().map(|(_, digest, one)| self.manifest(images, digest, one)).collect();
        page.linked(self.listed(&item.repository, "manifests", &manifests), self.request, last.as_deref())
    }

    fn manifest(&self, images: &Repository, digest: &str, manifest: &Manifest) -> Value {
        let time = self.world.clock.rfc3339(manifest.created);
        let tags = images.tags.iter().filter(|(_, (of, _))| of == digest).map(|(tag, _)| tag);
        let references = manifest.children();
        let references = references.iter().map(|child| {
            json!({"digest": child["digest"], "architecture": child["platform"]["architecture"],
                   "os": child["platform"]["os"]})
        });
        let mut body = json!({"digest": digest, "imageSize": manifest.size(), "createdTime": time, "lastUpdateTime": time,
               "mediaType": manifest.media_type, "tags": tags.collect::<Vec<_>>(),
               "changeableAttributes": changeable(images, digest), "references": references.collect::<Vec<_>>()});
        if let Some(word) = &manifest.quarantine {
            body["changeableAttributes"]["quarantineState"] = word.clone().into();
        }
        if let Some((kind, config)) = manifest.config(&images.blobs) {
            body["configMediaType"] = kind.into();
            for name in ["architecture", "os"] {
                if config[name].is_string() {
                    body[name] = config[name].clone();
                }
            }
        }
        body
    }

    /// Puts a list into the order that the request asks for; names are in their own without one.
    fn order<T>(&self, items: &mut [T], time: impl Fn(&T) -> Option<Instant>) {
        let query = self.request.uri().query().unwrap_or_default();
        match form_field(query.as_bytes(), "orderby").unwrap_or_default().to_ascii_lowercase().as_str() {
            "timeasc" => items.sort_by_key(time),
            "timedesc" => items.sort_by_key(|item| std::cmp::Reverse(time(item))),
            _ => {}
        }
    }

    fn listed(&self, name: &str, what: &str, value: &Value) -> Reply {
        let mut body = json!({"registry": self.host(), "imageName": name});
        body[what] = value.clone();
        reply::json(StatusCode::OK, &body)
    }
}

fn changeable(images: &Repository, item: &str) -> Value {
    let own = |name: &str| images.switches.get(item).and_then(|known| known.get(name)).copied().unwrap_or(true);
    SWITCHES.iter().map(|name| ((*name).to_owned(), Value::Bool(own(name)))).collect()
}
