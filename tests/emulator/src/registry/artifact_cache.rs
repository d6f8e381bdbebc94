//! Cache rules: images that a registry fetches from another one when they are pulled.
//!
//! What a pull meets if the other registry refuses: without credentials, or with credentials that Azure could not use,
//! `authentication required with source registry for cache rule` ([Azure/acr#599](https://github.com/Azure/acr/issues/599)); of Docker Hub,
//! which does not say whether it has an image, `requested access to pull from source … has been denied`
//! ([Azure/acr#772](https://github.com/Azure/acr/issues/772)); and `too many requests to source registry`
//! ([Azure/acr#754](https://github.com/Azure/acr/issues/754)). The issues show the codes `UNAUTHORIZED`, `DENIED` and `TOOMANYREQUESTS`; the
//! statuses are those that go with them in the protocol. Whether the 401 has a challenge is not known: here it has none.

use http::StatusCode;
use serde_json::Value;

use super::Registry;
use super::children::{Child, Kind};
use super::distribution::error;
use super::upstream;
use crate::image::{self, Repository};
use crate::reply::Reply;
use crate::world::World;

/// An image from upstream.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) content: Repository,
    pub(super) digest: String,
}

impl Registry {
    /// The rule for a repository, and the repository upstream: one for it alone before one for many, and the longer of two.
    fn rule(&self, repository: &str) -> Option<(&Child, String)> {
        let rules = self.children.iter().filter(|child| child.kind == Kind::CacheRule);
        let applies = rules.filter_map(|rule| {
            let target = rule.properties["targetRepository"].as_str()?;
            let source = rule.properties["sourceRepository"].as_str()?;
            let from = match (target.strip_suffix('*'), source.strip_suffix('*')) {
                (Some(target), Some(source)) => {
                    let rest = repository.strip_prefix(target.trim_start_matches('/'))?;
                    format!("{source}{rest}")
                }
                _ => (target == repository).then(|| source.to_owned())?,
            };
            Some(((!target.ends_with('*'), target.len()), rule, from))
        });
        applies.max_by_key(|(rank, ..)| *rank).map(|(_, rule, from)| (rule, from))
    }

    fn credentials_of(&self, rule: &Child) -> Option<&Child> {
        let name = rule.properties["credentialSetResourceId"].as_str()?.rsplit('/').next()?;
        self.child(Kind::CredentialSet, name)
    }
}

/// Fetches an image that the registry does not have. `None`: no rule is for it, or the other registry says that it does not have it.
pub(super) fn fetch(
    world: &World,
    registry: &Registry,
    repository: &str,
    reference: &str,
) -> Option<Result<Fetched, Reply>> {
    let (rule, source) = registry.rule(repository)?;
    let (host, from, _) = image::split(&source);
    let found = upstream::named(world, host)?;
    let name = &rule.name;
    let refused = |status: StatusCode, code: &str, message: &str| Some(Err(error(status, code, message, &Value::Null)));
    let credentials = registry.credentials_of(rule);
    let may = match credentials {
        Some(set) => set.fault.is_none(),
        None => !found.is_private(),
    };
    if !may {
        let message = format!("authentication required with source registry for cache rule '{name}'");
        return refused(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", &message);
    }
    if credentials.is_none() && found.manner.throttles_anonymous {
        let message = format!("too many requests to source registry for cache rule '{name}'");
        return refused(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", &message);
    }
    let store = upstream::store(world, host)?;
    let there = store.repositories.get(from);
    let Some((there, digest)) = there.and_then(|there| Some((there, there.resolve(reference)?.to_owned()))) else {
        if host != "docker.io" {
            return None;
        }
        let message =
            format!("requested access to pull from source '{source}' for cache rule '{name}' has been denied.");
        return refused(StatusCode::FORBIDDEN, "DENIED", &message);
    };
    let mut content = Repository::default();
    content.take_from(there, &digest);
    Some(Ok(Fetched { content, digest }))
}
