//! Why a registry does not serve an image: it is missing, deleted, in quarantine, switched off, or fetched from another registry that
//! rejects the request.

use super::{
    catalogue::{FindingId, PullRetry},
    command::Command,
    distance::distance,
    facts::{Facts, ImageFacts, Inspection, Read, Unread},
    finding::Finding,
};
use crate::{
    id::ResourceId,
    image::{ImageReference, ManifestAttributes},
    registry::{CacheRule, RegistrySettings},
};

/// How many tags are named.
const NAMED_TAGS: usize = 3;
/// A scanner's word for an image that may be pulled. See [Quarantine
/// pattern](https://github.com/Azure/acr/tree/main/docs/preview/quarantine).
const PASSED: &str = "passed";

/// What a registry says of a cache rule whose upstream rejects it, in this order: without or with wrong credentials, and if the upstream
/// shows no such image to them ([Azure/acr#599](https://github.com/Azure/acr/issues/599),
/// [Azure/acr#772](https://github.com/Azure/acr/issues/772)).
const UPSTREAM_DENIED: [&str; 2] =
    ["authentication required with source registry for cache rule", "requested access to pull from source"];
/// See [Azure/acr#754](https://github.com/Azure/acr/issues/754).
const UPSTREAM_THROTTLED: &str = "too many requests to source registry for cache rule";

/// Whether the registry's own words are about the upstream registry of a cache rule, and not about the caller.
pub(crate) fn is_upstreams(unread: &Unread) -> bool {
    upstream_finding(unread).is_some()
}

fn upstream_finding(unread: &Unread) -> Option<FindingId> {
    let words = unread.service.as_deref()?.to_lowercase();
    if UPSTREAM_DENIED.iter().any(|sign| words.contains(sign)) && words.contains("for cache rule") {
        return Some(FindingId::CACHE_RULE_UPSTREAM_DENIED);
    }
    words.contains(UPSTREAM_THROTTLED).then_some(FindingId::CACHE_RULE_UPSTREAM_THROTTLED)
}

/// The image, and what is known of its registry.
struct Place<'a> {
    image: &'a ImageReference,
    registry: &'a str,
    settings: Option<&'a RegistrySettings>,
    cluster: &'a ResourceId,
    inspection: &'a Inspection,
}

impl<'a> Place<'a> {
    fn of(facts: &'a Facts, image: &'a ImageFacts) -> Self {
        let settings = facts.registry.as_ref().ok().and_then(Option::as_ref);
        let registry = settings.map_or(facts.registry_ref.as_str(), |one| one.registry.id.name());
        let (image, inspection) = (&image.reference, &image.inspection);
        Self { image, registry, settings, cluster: &facts.cluster_id, inspection }
    }

    /// A command about the registry.
    fn locate(&self, command: Command) -> Command {
        match self.settings {
            Some(settings) => command.at(settings.registry.id.subscription(), self.cluster.subscription()),
            None => command,
        }
    }

    /// The image's manifest, among the newest ones.
    fn manifest(&self) -> Option<&'a ManifestAttributes> {
        let manifests = self.inspection.manifests.as_ref()?.as_ref().ok()?.as_ref()?;
        manifests.iter().find(|one| match self.image.digest() {
            Some(digest) => one.digest == *digest,
            None => one.tags.iter().any(|tag| tag == self.image.manifest()),
        })
    }

    fn rule(&self) -> Option<&'a CacheRule> {
        let rules = self.inspection.cache_rules.as_ref()?.as_ref().ok()?;
        CacheRule::of_repository(rules, self.image.repository())
    }

    /// The image as az takes it: `team/app:v1`, or `team/app@sha256:…`.
    fn name(&self) -> String {
        let mark = if self.image.digest().is_some() { '@' } else { ':' };
        format!("{}{mark}{}", self.image.repository(), self.image.manifest())
    }
}

/// The image's manifest, if it is among the newest ones of its repository.
pub(super) fn manifest<'a>(facts: &'a Facts, image: &'a ImageFacts) -> Option<&'a ManifestAttributes> {
    Place::of(facts, image).manifest()
}

/// A registry that answered 404.
pub(super) fn not_found(facts: &Facts, image: &ImageFacts) -> Finding {
    let place = Place::of(facts, image);
    let found = deleted(&place).or_else(|| quarantined(&place)).or_else(|| unhealthy(&place));
    let found = found.unwrap_or_else(|| missing(&place));
    unread(found, &image.inspection)
}

/// A registry that answered 405.
pub(super) fn disallowed(facts: &Facts, image: &ImageFacts) -> Finding {
    let place = Place::of(facts, image);
    let found = quarantined(&place).unwrap_or_else(|| read_disabled(&place));
    unread(found, &image.inspection)
}

/// A registry that got a refusal from another one, by a cache rule.
pub(super) fn upstream(facts: &Facts, image: &ImageFacts, answer: &Unread) -> Option<Finding> {
    let place = Place::of(facts, image);
    let id = upstream_finding(answer)?;
    let found = Finding::failing(id.clone());
    let found = match &answer.service {
        Some(words) => found.seen("registry", "error.message", words),
        None => found,
    };
    Some(unread(with_rule(found, &place, id == FindingId::CACHE_RULE_UPSTREAM_THROTTLED), &image.inspection))
}

fn deleted(place: &Place<'_>) -> Option<Finding> {
    let digest = place.inspection.deleted.as_ref()?.as_ref().ok()?.as_ref()?;
    let (image, registry) = (place.image, place.registry);
    let text = format!("{} was deleted from registry {registry}, and can be restored", place.name());
    // Of a digest, az wants the repository's name alone.
    let name = if image.digest().is_some() { image.repository().to_owned() } else { place.name() };
    let command = Command::new("az acr manifest restore").with("--registry", registry).with("--name", name);
    let command = place.locate(command.with("--digest", digest));
    let found = Finding::failing(FindingId::IMAGE_SOFT_DELETED).saying(text).run(command);
    Some(found.seen("deleted images", "digest", digest).seen("registry", "policies.softDeletePolicy.status", "enabled"))
}

fn quarantined(place: &Place<'_>) -> Option<Finding> {
    place.settings.filter(|one| one.quarantine == Some(true))?;
    let manifest = place.manifest()?;
    let state = manifest.quarantine_state.as_deref();
    if state.is_some_and(|state| state.eq_ignore_ascii_case(PASSED)) {
        return None;
    }
    let text = format!("{} is in quarantine in registry {}: no scanner has passed it", place.name(), place.registry);
    let found = Finding::failing(FindingId::IMAGE_QUARANTINED).saying(text);
    let found = found.seen("registry", "policies.quarantinePolicy.status", "enabled");
    Some(found.seen("manifest", "changeableAttributes.quarantineState", state.unwrap_or("not set")).seen(
        "manifest",
        "digest",
        &manifest.digest,
    ))
}

/// An image that is fetched from upstream, with credentials that Azure could not use.
fn unhealthy(place: &Place<'_>) -> Option<Finding> {
    place.rule().filter(|rule| rule.is_unhealthy())?;
    Some(with_rule(Finding::failing(FindingId::CACHE_RULE_UPSTREAM_DENIED), place, false))
}

fn with_rule(found: Finding, place: &Place<'_>, is_throttled: bool) -> Finding {
    let Some(rule) = place.rule() else { return found };
    let (name, registry) = (&rule.name, place.registry);
    let source = rule.source_of(place.image.repository()).unwrap_or_else(|| rule.source.clone());
    let verb = if is_throttled { "throttles" } else { "rejects" };
    let text = format!("the upstream registry {verb} registry {registry}, which fetches {source} by cache rule {name}");
    let found = found.saying(text).seen("cache rule", "name", name).seen("cache rule", "sourceRepository", &source);
    let Some(set) = &rule.credential_set else {
        let mut found = found.seen("cache rule", "credentialSetResourceId", "not set");
        found.next_step.summary = format!("give cache rule {name} a credential set for the upstream registry");
        let command = Command::new("az acr cache update").with("--registry", registry).with("--name", name);
        return found.run(place.locate(command.words("--cred-set CREDENTIAL_SET")));
    };
    let health = rule.credential_health.as_deref().unwrap_or("not reported");
    let found = found.seen("credential set", "name", set);
    let found = found.seen("credential set", "authCredentials.credentialHealth.status", health);
    let mut found = match &rule.credential_error {
        Some(error) => found.seen("credential set", "authCredentials.credentialHealth.errorMessage", error),
        None => found,
    };
    if !is_throttled {
        found.next_step.summary = format!(
            "renew the secret of credential set {set} in Key Vault, and check that the set's identity has the role Key Vault Secrets User"
        );
    }
    let command = Command::new("az acr credential-set show").with("--registry", registry).with("--name", set);
    found.run(place.locate(command))
}

fn missing(place: &Place<'_>) -> Finding {
    let has_replicas = place.settings.is_none_or(|one| one.registry.is_premium());
    let is_listed = matches!(&place.inspection.manifests, Some(Ok(Some(manifests))) if lists(place.image, manifests));
    if is_listed && has_replicas {
        let text = format!(
            "registry {} lists {}, and the replica that was asked does not have it yet",
            place.registry, place.image
        );
        return Finding::failing(FindingId::IMAGE_NOT_REPLICATED_YET).saying(text).seen("registry", "image", "listed");
    }
    let found = Finding::failing(FindingId::IMAGE_NOT_FOUND);
    let (registry, repository) = (place.registry, place.image.repository());
    let (found, mut text) = match &place.inspection.manifests {
        Some(Ok(None)) => {
            let text = format!("registry {registry} does not have repository {repository}");
            (found.seen("registry", "repository", format_args!("{repository}: not found")), text)
        }
        Some(Ok(Some(manifests))) => (found, missing_here(place, manifests)),
        Some(Err(_)) | None => (found, format!("the registry does not have {}", place.image)),
    };
    let mut found = found;
    if let Some(rule) = place.rule() {
        let source = rule.source_of(repository).unwrap_or_else(|| rule.source.clone());
        text = format!("{text}; cache rule {} fetches it from {source}, which does not have it either", rule.name);
        found = found.seen("cache rule", "name", &rule.name).seen("cache rule", "sourceRepository", source);
    }
    if let Some(Ok(replicas)) = place.inspection.replicas.as_ref().filter(|read| is_replicated(read)) {
        text += "; if it was pushed a short time ago, the replica that was asked may not have it yet";
        found.retry = PullRetry::Transient;
        found = found.seen("registry", "replications.location", replicas.join(", "));
    }
    if place.settings.is_some_and(|one| one.quarantine == Some(true)) && place.image.digest().is_none() {
        text += "; quarantine is enabled, and an image in quarantine looks missing";
    }
    found.saying(text)
}

/// Whether a registry has more replicas than its own.
pub(super) fn is_replicated(replicas: &Read<Vec<String>>) -> bool {
    replicas.as_ref().is_ok_and(|replicas| replicas.len() > 1)
}

/// Whether the list of a repository has the tag or the manifest, which was not found.
fn lists(image: &ImageReference, manifests: &[ManifestAttributes]) -> bool {
    let wanted = image.manifest();
    manifests.iter().any(|one| one.digest.as_str() == wanted || one.tags.iter().any(|tag| tag == wanted))
}

/// A repository that has no such tag or manifest.
fn missing_here(place: &Place<'_>, manifests: &[ManifestAttributes]) -> String {
    let (registry, repository, wanted) = (place.registry, place.image.repository(), place.image.manifest());
    let is_digest = place.image.digest().is_some();
    let what = if is_digest { "manifest" } else { "tag" };
    let text = format!("repository {repository} of registry {registry} does not have {what} {wanted}");
    let mut tags: Vec<&str> = manifests.iter().flat_map(|one| &one.tags).map(String::as_str).collect();
    if !is_digest {
        // Of equal ones the newest first, as they are listed.
        tags.sort_by_key(|tag| distance(tag, wanted));
    }
    tags.truncate(NAMED_TAGS);
    let kind = if is_digest { "newest" } else { "nearest" };
    match tags[..] {
        [] => format!("{text}; it has no tags"),
        [only] => format!("{text}; its {kind} tag is {only}"),
        _ => format!("{text}; its {kind} tags are {}", tags.join(", ")),
    }
}

fn read_disabled(place: &Place<'_>) -> Finding {
    let found = Finding::failing(FindingId::IMAGE_READ_DISABLED);
    let (registry, repository) = (place.registry, place.image.repository());
    let switches = place.inspection.switches.as_ref().and_then(|read| read.as_ref().ok());
    let manifest = place.manifest().filter(|one| one.read_enabled == Some(false));
    let (part, selected) = if switches.is_some_and(|one| one.repository == Some(false)) {
        (format!("repository {repository}"), ("--repository", repository.to_owned()))
    } else if switches.is_some_and(|one| one.tag == Some(false)) {
        (format!("tag {}", place.name()), ("--image", place.name()))
    } else if let Some(manifest) = manifest {
        let name = format!("{repository}@{}", manifest.digest);
        (format!("manifest {name}"), ("--image", name))
    } else {
        return found.run(read_enabled(place, ("--image", place.name())));
    };
    let text = format!("reading is disabled for {part} in registry {registry}");
    let mut found = found.saying(text).seen(part.split(' ').next().unwrap_or_default(), "readEnabled", false);
    found.next_step.summary = format!("enable reading for {part}");
    found.run(read_enabled(place, selected))
}

fn read_enabled(place: &Place<'_>, (option, selected): (&'static str, String)) -> Command {
    let command = Command::new("az acr repository update").with("--name", place.registry).with(option, selected);
    place.locate(command.words("--read-enabled true"))
}

/// Names what could not be read: it might say more.
fn unread(found: Finding, inspection: &Inspection) -> Finding {
    fn need<T>(found: Finding, read: Option<&Read<T>>) -> Finding {
        match read {
            Some(Err(unread)) => found.needing(unread.need.clone()),
            _ => found,
        }
    }
    let found = need(found, inspection.manifests.as_ref());
    let found = need(found, inspection.switches.as_ref());
    let found = need(found, inspection.deleted.as_ref());
    let found = need(found, inspection.cache_rules.as_ref());
    need(found, inspection.replicas.as_ref())
}
