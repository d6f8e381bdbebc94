//! What was deleted from a registry, and can be restored while its policy keeps it.
//!
//! The paths, the names of the fields and the two rights are those of azure-cli 2.91 (`acr/manifest.py`) and of the page [Soft
//! delete](https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy). What a deleted image is to a pull:
//! not found. How long it is kept is not looked at.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Registry;
use super::distribution::error;
use crate::clock::Clock;
use crate::image::Repository;
use crate::reply::{self, Reply};

/// A deleted manifest with all that it refers to, or a deleted tag.
#[derive(Clone, Debug)]
pub(crate) struct Deleted {
    repository: String,
    digest: String,
    /// The tag that was deleted; `None` of a manifest.
    tag: Option<String>,
    kept: Repository,
    at: Instant,
}

impl Registry {
    fn keeps_deleted(&self) -> bool {
        self.properties["policies"]["softDeletePolicy"]["status"] == "enabled"
    }

    /// Removes a tag, or a manifest with its tags. Says whether it was there.
    pub(crate) fn remove(&mut self, repository: &str, reference: &str, now: Instant) -> bool {
        let keeps = self.keeps_deleted();
        let Some(found) = self.images.repositories.get_mut(repository) else { return false };
        let Some(digest) = found.resolve(reference).map(str::to_owned) else { return false };
        let mut kept = Repository::default();
        kept.take_from(found, &digest);
        let is_manifest = found.manifests.contains_key(reference);
        let tags: Vec<String> = if is_manifest {
            found.tags.iter().filter(|(_, (of, _))| *of == digest).map(|(tag, _)| tag.clone()).collect()
        } else {
            vec![reference.to_owned()]
        };
        found.tags.retain(|tag, _| !tags.contains(tag));
        if is_manifest {
            found.manifests.remove(&digest);
        }
        found.switches.remove(reference);
        if found.manifests.is_empty() {
            // A repository is there while something is in it.
            self.images.repositories.remove(repository);
        }
        if keeps {
            let buried = |tag: Option<String>| Deleted {
                repository: repository.to_owned(),
                digest: digest.clone(),
                tag,
                kept: kept.clone(),
                at: now,
            };
            self.deleted.extend(tags.into_iter().map(|tag| buried(Some(tag))));
            self.deleted.extend(is_manifest.then(|| buried(None)));
        }
        true
    }

    /// The deleted manifests or tags of a repository.
    pub(super) fn deleted_list(&self, repository: &str, is_tags: bool, clock: &Clock) -> Reply {
        let ours = self.deleted.iter().filter(|one| one.repository == repository && one.tag.is_some() == is_tags);
        let items: Vec<Value> = ours
            .map(|one| {
                let mut item = json!({"digest": one.digest, "deletedAt": clock.rfc3339(one.at)});
                if let Some(tag) = &one.tag {
                    item["tag"] = tag.clone().into();
                }
                item
            })
            .collect();
        let mut body = json!({"registry": self.login_server(), "imageName": repository});
        body[if is_tags { "tags" } else { "manifests" }] = items.into();
        reply::json(StatusCode::OK, &body)
    }

    /// Restores a manifest, and a tag of it if one is named.
    pub(crate) fn restore(&mut self, repository: &str, digest: &str, tag: Option<&str>, now: Instant) -> Reply {
        let is_it = |one: &Deleted| one.repository == repository && one.digest == digest;
        let Some(kept) = self.deleted.iter().find(|one| is_it(one)).map(|one| one.kept.clone()) else {
            return error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown", &json!({"digest": digest}));
        };
        let into = self.images.repositories.entry(repository.to_owned()).or_default();
        into.take_from(&kept, digest);
        if let Some(tag) = tag {
            into.tags.insert(tag.to_owned(), (digest.to_owned(), Some(now)));
        }
        self.deleted.retain(|one| !is_it(one) || one.tag.as_deref().is_some_and(|one| Some(one) != tag));
        reply::json(StatusCode::OK, &json!({"imageName": repository, "digest": digest, "tag": tag}))
    }
}
