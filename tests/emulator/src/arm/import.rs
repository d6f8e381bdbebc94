//! Importing images: the service itself pulls them from their source.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::polling::{operation_missing, signature};
use super::registry::Place;
use super::{Call, HOST};
use crate::entra::token;
use crate::image::{Repository, split_reference};
use crate::operation::{Failure, Work};
use crate::principal::Principal;
use crate::registry::gate::{self, Right};
use crate::registry::{Registry, upstream};
use crate::reply::{self, Reply, arm_error};
use crate::upstream_seed::DigestHeader;
use crate::world::World;

const IMPORT: &str = "Microsoft.ContainerRegistry/registries/importImage/action";

/// How many manifests an image may have.
const MOST_MANIFESTS: usize = 50;

/// An import, with everything checked that can be checked before the source is asked.
#[derive(Clone)]
pub(crate) struct Import {
    target: String,
    source: Source,
    repository: String,
    reference: String,
    tags: Vec<String>,
    untagged: Vec<String>,
    force: bool,
}

/// Where the image comes from, and by whose rights.
#[derive(Clone)]
enum Source {
    /// A registry of Azure named by its resource id: the caller's rights count.
    Resource { id: String, caller: Box<Principal> },
    /// A host: what was sent along, or nothing, counts.
    Host { host: String, credentials: Credentials },
}

#[derive(Clone)]
enum Credentials {
    None,
    Password { username: String, password: String },
    Token(String),
}

/// Takes an import on, or refuses it at once.
pub(crate) fn start(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, IMPORT, &place.id())?;
    let target = place.find(world)?;
    let (id, region) = (target.id(), target.location.to_ascii_uppercase());
    let import = read(call, id, &call.json()?)?;
    let due = call.now + world.timing.import;
    let operation = world.start(Work::Import(Box::new(import)), call.now, due);
    let location = address(call, place.subscription, &region, &operation);
    let accepted = reply::with(reply::empty(StatusCode::ACCEPTED), "location", &location);
    Ok(asking_to_wait(world, accepted))
}

/// Asks for Azure's ten seconds, by the clock of who waits: a faster clock here makes them shorter there. Where imports take no time,
/// no wait is asked for.
fn asking_to_wait(world: &World, reply: Reply) -> Reply {
    const AS_AZURE: u32 = 10;
    if world.timing.import.is_zero() {
        return reply;
    }
    let seconds = AS_AZURE.div_ceil(world.clock.speed());
    reply::with(reply, "retry-after", &seconds.to_string())
}

/// Where an operation's result is, as `Location` names it.
pub(super) fn address(call: &Call<'_>, subscription: &str, region: &str, id: &str) -> String {
    format!(
        "https://{HOST}/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/locations/{region}\
         /operationResults/registries-{id}?api-version={}{}",
        call.api_version(),
        signature(id)
    )
}

fn bad(message: &str) -> Reply {
    arm_error(StatusCode::BAD_REQUEST, "InvalidParameters", message)
}

/// Reads the body. Codes for bodies that make no sense are not recorded.
fn read(call: &Call<'_>, target: String, sent: &Value) -> Result<Import, Reply> {
    let image = sent["source"]["sourceImage"].as_str().filter(|image| !image.is_empty());
    let Some(image) = image else {
        return Err(bad("The source image is required."));
    };
    let (repository, reference) = split_reference(image);
    let words = |name: &str| -> Vec<String> {
        let list = sent[name].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let untagged = words("untaggedTargetRepositories");
    let mut tags = words("targetTags");
    if tags.is_empty() && untagged.is_empty() {
        tags.push(image.split('@').next().unwrap_or_default().to_owned());
    }
    let default = if image.contains('@') { "latest" } else { reference };
    for tag in &mut tags {
        if !tag.contains(':') {
            *tag = format!("{tag}:{default}");
        }
    }
    Ok(Import {
        target,
        source: source(call, &sent["source"])?,
        repository: repository.to_owned(),
        reference: reference.to_owned(),
        tags,
        untagged,
        force: sent["mode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("Force")),
    })
}

fn source(call: &Call<'_>, sent: &Value) -> Result<Source, Reply> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match (text(&sent["resourceId"]), text(&sent["registryUri"])) {
        (Some(id), None) => {
            let id = id.trim_end_matches('/').to_owned();
            if id.split('/').count() != 9 || !id.to_ascii_lowercase().starts_with("/subscriptions/") {
                return Err(bad(
                    "The resource ID of the source registry must be of the form '/subscriptions/{subscriptionId}/\
                     resourceGroups/{resourceGroupName}/providers/Microsoft.ContainerRegistry/registries/{registryName}'.",
                ));
            }
            Ok(Source::Resource { id, caller: Box::new(call.caller.clone()) })
        }
        (None, Some(host)) => {
            let credentials = match (text(&sent["credentials"]["username"]), text(&sent["credentials"]["password"])) {
                (Some(username), Some(password)) => Credentials::Password { username, password },
                (None, Some(token)) => Credentials::Token(token),
                (Some(_), None) => return Err(bad("The credentials have no password.")),
                (None, None) => Credentials::None,
            };
            Ok(Source::Host { host, credentials })
        }
        _ => Err(bad("Either the resource ID or the URI of the source registry is required.")),
    }
}

/// Answers a poll. The address is signed, so any caller that has it and can sign in gets the answer; whether Azure asks for more
/// at this subscription-level path is not known.
pub(crate) fn poll(world: &World, call: &Call<'_>, id: &str) -> Reply {
    let id = id.trim_start_matches("registries-");
    let Some(operation) = world.operation(id) else {
        return operation_missing(id);
    };
    let Work::Import(import) = &operation.work else {
        return operation_missing(id);
    };
    let told = || reply::json(StatusCode::OK, &world.state_of(operation, "Accepted", call.now));
    match &operation.outcome {
        // The body of a failed one says so.
        Some(Err(failure)) if failure.code.is_empty() => told(),
        Some(Ok(())) => told(),
        Some(Err(failure)) => arm_error(failure.status, failure.code, &failure.message),
        None => {
            let mut body = json!({});
            for tag in &import.tags {
                body[tag] = "Pending".into();
            }
            body["status"] = "Accepted".into();
            let segments: Vec<&str> = call.path.split('/').collect();
            let location = address(call, segments[2], segments[6], id);
            let pending = reply::with(reply::json(StatusCode::ACCEPTED, &body), "location", &location);
            asking_to_wait(world, pending)
        }
    }
}

/// Copies the image, all of it or nothing.
pub(crate) fn copy(world: &mut World, import: &Import, now: Instant) -> Result<(), Failure> {
    let (repository, digest) = fetch(world, import, now)?;
    let children = repository.manifests.get(&digest).map(|manifest| manifest.children().len()).unwrap_or_default();
    if children > MOST_MANIFESTS {
        let message = format!("The image has more than {MOST_MANIFESTS} manifests.");
        return Err(failure(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    let target = world.registries.iter_mut().find(|registry| registry.id() == import.target);
    let Some(target) = target else {
        return Err(failure(StatusCode::NOT_FOUND, "ResourceNotFound", String::from("The target registry is gone.")));
    };
    refuse_taken_tags(target, import)?;
    for name in &import.untagged {
        target.note(name, &digest, now);
        target.images.repositories.entry(name.clone()).or_default().take_from(&repository, &digest);
    }
    for tag in &import.tags {
        let (name, tag) = split_reference(tag);
        target.note(name, &digest, now);
        target.note(name, tag, now);
        let into = target.images.repositories.entry(name.to_owned()).or_default();
        into.take_from(&repository, &digest);
        into.tags.insert(tag.to_owned(), (digest.clone(), Some(now)));
    }
    Ok(())
}

/// Under `NoForce` one tag that exists fails the whole import. The text is from reports, status and code are likely.
fn refuse_taken_tags(target: &Registry, import: &Import) -> Result<(), Failure> {
    let exists = |full: &&String| {
        let (name, tag) = split_reference(full);
        target.images.repositories.get(name).is_some_and(|repository| repository.tags.contains_key(tag))
    };
    match import.tags.iter().find(exists) {
        Some(tag) if !import.force => {
            let message = format!("Tag {tag} already exists in target registry.");
            Err(failure(StatusCode::CONFLICT, "Conflict", message))
        }
        _ => Ok(()),
    }
}

fn failure(status: StatusCode, code: &'static str, message: String) -> Failure {
    Failure { status, code, message }
}

fn denied(host: &str) -> Failure {
    failure(StatusCode::BAD_REQUEST, "BadRequest", format!("Access to {host} denied."))
}

/// The source's repository and the digest of the image, if the source gives it out.
fn fetch(world: &World, import: &Import, now: Instant) -> Result<(Repository, String), Failure> {
    let (host, found) = match &import.source {
        Source::Resource { id, caller } => {
            let source = world.registries.iter().find(|registry| registry.id().eq_ignore_ascii_case(id));
            let source = source.ok_or_else(|| denied(id))?;
            if !gate::permits(world, source, caller, Right::Pull, &import.repository, now) {
                return Err(denied(source.login_server()));
            }
            (source.login_server().to_owned(), source.images.repositories.get(&import.repository))
        }
        Source::Host { host, credentials } => (host.clone(), from_host(world, import, host, credentials, now)?),
    };
    let repository = found.cloned().unwrap_or_default();
    match repository.resolve(&import.reference).map(str::to_owned) {
        Some(digest) => Ok((repository, digest)),
        None => Err(failure(StatusCode::BAD_REQUEST, "BadRequest", unknown_image(&host, import))),
    }
}

fn unknown_image(host: &str, import: &Import) -> String {
    let (tag, digest) = if import.reference.starts_with("sha256:") {
        ("", import.reference.as_str())
    } else {
        (import.reference.as_str(), "")
    };
    format!("Unable to find manifest digest  Repo: {host}/{} Tag: {tag} Manifest: {digest}", import.repository)
}

/// A registry outside of Azure lets known callers in. The text about a missing digest is from reports.
fn from_outside<'w>(
    world: &'w World,
    import: &Import,
    host: &str,
    credentials: &Credentials,
) -> Result<Option<&'w Repository>, Failure> {
    let outside = upstream::named(world, host).ok_or_else(|| denied(host))?;
    let lets_in = match credentials {
        Credentials::Password { username, password } => outside.lets_in(username, password),
        Credentials::None | Credentials::Token(_) => false,
    };
    if outside.is_private() && !lets_in {
        return Err(denied(host));
    }
    if outside.manner.digest == DigestHeader::Missing {
        let message = String::from("No value specified for Docker-Content-Digest");
        return Err(failure(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    let store = upstream::store(world, host).ok_or_else(|| denied(host))?;
    Ok(store.repositories.get(&import.repository))
}

fn from_host<'w>(
    world: &'w World,
    import: &Import,
    host: &str,
    credentials: &Credentials,
    now: Instant,
) -> Result<Option<&'w Repository>, Failure> {
    let Some(source) = world.registry_of_host(host) else {
        return from_outside(world, import, host, credentials);
    };
    let allowed = match credentials {
        Credentials::None => source.allows_anonymous(),
        Credentials::Password { username, password } if username == gate::TOKEN_USER => {
            let known = gate::refresh(world, source, password, now);
            known.is_some_and(|(one, _)| gate::permits(world, source, &one, Right::Pull, &import.repository, now))
        }
        Credentials::Password { username, password } => {
            let principal = gate::password(world, source, username, password, now);
            principal.is_some_and(|one| gate::permits(world, source, &one, Right::Pull, &import.repository, now))
        }
        Credentials::Token(text) => {
            let audiences = [token::REGISTRY, token::ARM];
            let audiences = if source.refuses_arm_tokens() { &audiences[..1] } else { &audiences[..] };
            let principal = world.holder(text, audiences, now);
            principal.is_ok_and(|one| gate::permits(world, source, &one, Right::Pull, &import.repository, now))
        }
    };
    if !allowed || source.properties["publicNetworkAccess"] == "Disabled" {
        return Err(denied(host));
    }
    Ok(source.images.repositories.get(&import.repository))
}
