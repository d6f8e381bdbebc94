//! The data plane of Azure's registries: sign-in, images, and ACR's own calls.

#![expect(clippy::result_large_err, reason = "a refusal is a whole answer, made at most once for a request")]

mod attributes;
mod record;
mod sign_in;

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Registry;
use super::artifact_cache::{self, Fetched};
use super::distribution;
use super::gate::{self, Right};
use super::layers;
use super::push;
use super::wish::{Wish, wish};
use crate::entra::form_field;
use crate::entra::token::Claims;
use crate::network::Way;
use crate::principal::Principal;
use crate::reply::{self, Caller, Reply};
use crate::throttle::{self, Class};
use crate::world::World;
use sign_in::Visitor;

const VISIT: &str = "authentication required, visit https://aka.ms/acr/authorization for more information.";

/// One request to one registry.
struct Visit<'a> {
    world: &'a World,
    registry: &'a Registry,
    request: &'a Request<Bytes>,
    /// Whether a node asks.
    is_node: bool,
    now: Instant,
}

/// What comes of a visit: an answer, or leave to change something.
enum Outcome {
    Whole(Reply),
    Change { permit: Permit, change: Change },
}

/// A change that the visitor may make.
enum Change {
    /// By the distribution protocol; `source` is the repository that a blob may be taken from.
    Images { wish: Wish, source: Option<String> },
    /// By a call that only Azure's registries have.
    Own(attributes::Item),
    /// By a cache rule: the image is kept, and given out.
    Fetched { wish: Wish, fetched: Box<Fetched> },
}

/// Leave to do what was asked for, with the name of who has it.
struct Permit {
    name: Option<String>,
}

impl Permit {
    fn named(self, mut answer: Reply) -> Reply {
        if let Some(name) = self.name {
            answer.extensions_mut().insert(Caller(name));
        }
        answer
    }
}

pub(super) fn serve(world: &mut World, at: usize, request: &Request<Bytes>, way: &Way, now: Instant) -> Reply {
    if let Err(wait) = draw(world, at, request, now) {
        return throttle::registry_refusal(wait);
    }
    let registry = &world.registries[at];
    let is_node = !matches!(way, Way::Public(address) if *address == world.addresses.client);
    let visit = Visit { world, registry, request, is_node, now };
    let outcome = gate::firewall(registry, way).map_or_else(|| visit.outcome(), Outcome::Whole);
    let mut answer = match outcome {
        Outcome::Whole(answer) => layers::apart(world, at, request, way, answer, now),
        Outcome::Change { permit, change } => permit.named(change.carry_out(world, at, request, now)),
    };
    record::note(world, at, request, way, &answer, now);
    // Recorded: what gives out tokens is another service, and does not name the distribution API.
    if request.uri().path().starts_with("/oauth2/") {
        return answer;
    }
    reply::set(&mut answer, "docker-distribution-api-version", "registry/2.0");
    reply::set(&mut answer, "server", "openresty");
    let exposed = "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id";
    reply::set(&mut answer, "access-control-expose-headers", exposed);
    answer
}

/// Draws on the buckets of the registry and of the caller.
fn draw(world: &mut World, at: usize, request: &Request<Bytes>, now: Instant) -> Result<(), Duration> {
    let registry = &world.registries[at];
    let shown = Visit { world, registry, request, is_node: false, now }.shown();
    let identity = shown.map(|claims| claims.text("sub").to_owned()).unwrap_or_default();
    let (host, is_premium) = (registry.login_server().to_owned(), registry.sku == "Premium");
    let class = Class::of(request.method(), request.uri().path());
    world.throttle.take_of_registry(&host, &identity, (class, is_premium), now)
}

impl Change {
    /// Makes the change. Clients expect to be shown what they switched, as it is now.
    fn carry_out(self, world: &mut World, at: usize, request: &Request<Bytes>, now: Instant) -> Reply {
        let switched = match &self {
            Self::Own(item) if *request.method() == Method::PATCH => Some(item.clone()),
            _ => None,
        };
        let fresh = world.ids.id();
        let answer = self.make(&mut world.registries[at], request, fresh, now);
        let Some(item) = switched.filter(|_| answer.status().is_success()) else {
            return answer;
        };
        let visit = Visit { world, registry: &world.registries[at], request, is_node: false, now };
        visit.show(&item).unwrap_or_else(|refusal| refusal)
    }

    fn make(self, registry: &mut Registry, request: &Request<Bytes>, fresh: Uuid, now: Instant) -> Reply {
        match self {
            Self::Images { wish, source } => push::change(registry, &wish, request, source.as_deref(), fresh, now),
            Self::Own(item) => item.change(registry, request, now),
            Self::Fetched { wish, fetched } => {
                if let Wish::Manifest { repository, reference } = &wish {
                    let into = registry.images.repositories.entry(repository.clone()).or_default();
                    into.take_from(&fetched.content, &fetched.digest);
                    if *reference != fetched.digest {
                        into.tags.insert(reference.clone(), (fetched.digest.clone(), Some(now)));
                    }
                }
                distribution::give(&registry.images, &wish, request)
            }
        }
    }
}

impl Visit<'_> {
    fn outcome(&self) -> Outcome {
        let path = self.request.uri().path();
        match (self.request.method(), path) {
            (&Method::POST, "/oauth2/exchange") => Outcome::Whole(self.exchange()),
            (&Method::POST | &Method::GET, "/oauth2/token") => Outcome::Whole(self.token()),
            (_, path) if path.starts_with("/acr/v1/") => self.own(path).unwrap_or_else(Outcome::Whole),
            (_, path) => match wish(path) {
                Some(wish) => self.distribution(wish).unwrap_or_else(Outcome::Whole),
                None => Outcome::Whole(self.unknown()),
            },
        }
    }

    fn unknown(&self) -> Reply {
        crate::world::unknown_request(self.request.method(), self.request.uri())
    }

    fn host(&self) -> &str {
        self.registry.login_server()
    }

    /// 401 with the way to a token, for what was wished.
    fn challenge(&self, wanted: Option<(&str, &str, &str)>) -> Reply {
        // A regional endpoint gives out tokens itself.
        let host = self.request.uri().host().filter(|host| host.contains(".geo.")).unwrap_or_else(|| self.host());
        let mut value = format!("Bearer realm=\"https://{host}/oauth2/token\",service=\"{host}\"");
        let mut detail = Value::Null;
        if let Some((kind, name, action)) = wanted {
            let _ = write!(value, ",scope=\"{kind}:{name}:{action}\"");
            if arm_bearer(self.request).is_some() {
                value += ",error=\"insufficient_scope\"";
            }
            detail = json!([{"Type": kind, "Name": name, "Action": action}]);
        }
        let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": VISIT, "detail": detail}]});
        reply::with(reply::json(StatusCode::UNAUTHORIZED, &body), "www-authenticate", &value)
    }

    /// The claims of the access token that came along, if it is one of this registry's.
    fn shown(&self) -> Option<Claims> {
        let token = arm_bearer(self.request)?;
        let claims = self.world.signer.check(token, self.world.clock.unix(self.now)).ok()?;
        let is_good = claims.is_for(self.host())
            && claims.text("grant_type") == "access_token"
            && !gate::is_outdated(self.world, self.registry, &claims);
        is_good.then_some(claims)
    }

    /// Continues only with an access token that covers this, or with a name and a password.
    fn demand(&self, kind: &str, name: &str, right: Right) -> Result<Permit, Reply> {
        if let Some(visitor) = self.basic_visitor() {
            let Visitor::Known { principal, .. } = &visitor else {
                return Err(self.challenge(None));
            };
            let name_of = Some(principal.name.clone());
            return if self.may(&visitor, right, name) {
                Ok(Permit { name: name_of })
            } else {
                Err(denied(kind, name, right))
            };
        }
        // A push has to check what exists, so both permissions are asked for at once.
        let action = if right == Right::Push { "pull,push" } else { right.name() };
        let wanted = (kind, name, action);
        let Some(claims) = self.shown() else {
            return Err(self.challenge(Some(wanted)));
        };
        let entries = claims.get("access").and_then(Value::as_array).cloned().unwrap_or_default();
        let covers = |entry: &Value| {
            let actions = entry["actions"].as_array().cloned().unwrap_or_default();
            entry["type"] == kind && entry["name"] == name && actions.iter().any(|action| action == right.name())
        };
        if entries.iter().any(covers) { Ok(self.permit(&claims)) } else { Err(self.challenge(Some(wanted))) }
    }

    fn permit(&self, claims: &Claims) -> Permit {
        Permit { name: self.world.principal(claims.text("sub")).map(|one| one.name.clone()) }
    }

    /// Manifests, blobs and tags.
    fn distribution(&self, wish: Wish) -> Result<Outcome, Reply> {
        let method = self.request.method();
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let of = wish.repository().unwrap_or_default();
        let permit = match &wish {
            Wish::Base => self.known()?,
            Wish::Catalog => self.demand("registry", "catalog", Right::Catalog)?,
            Wish::Upload { .. } => self.demand("repository", of, Right::Push)?,
            // A token for metadata lists tags as well.
            Wish::Tags { .. } => self
                .demand("repository", of, Right::MetadataRead)
                .or_else(|_| self.demand("repository", of, Right::Pull))?,
            _ if reads => self.demand("repository", of, Right::Pull)?,
            _ if *method == Method::DELETE => self.demand("repository", of, Right::Delete)?,
            _ => self.demand("repository", of, Right::Push)?,
        };
        if let Some(refusal) = self.registry.locked().filter(|_| !matches!(wish, Wish::Base | Wish::Catalog)) {
            return Ok(Outcome::Whole(permit.named(refusal)));
        }
        if reads && !matches!(wish, Wish::Upload { .. }) {
            if let Some(refusal) = self.registry.quarantined(&wish) {
                return Ok(Outcome::Whole(permit.named(refusal)));
            }
            let images = self.registry.visible(self.is_node, self.now);
            if let Wish::Manifest { repository, reference } = &wish
                && images.repositories.get(repository).and_then(|found| found.resolve(reference)).is_none()
            {
                match artifact_cache::fetch(self.world, self.registry, repository, reference) {
                    None => {}
                    Some(Err(refusal)) => return Ok(Outcome::Whole(permit.named(refusal))),
                    Some(Ok(fetched)) => {
                        return Ok(Outcome::Change {
                            permit,
                            change: Change::Fetched { wish, fetched: Box::new(fetched) },
                        });
                    }
                }
            }
            return Ok(Outcome::Whole(permit.named(distribution::give(&images, &wish, self.request))));
        }
        let query = self.request.uri().query().unwrap_or_default();
        let source = form_field(query.as_bytes(), "from");
        let source = source.filter(|from| self.demand("repository", from, Right::Pull).is_ok());
        Ok(Outcome::Change { permit, change: Change::Images { wish, source } })
    }

    /// Any authenticated caller.
    fn known(&self) -> Result<Permit, Reply> {
        if let Some(Visitor::Known { principal, .. }) = self.basic_visitor() {
            return Ok(Permit { name: Some(principal.name) });
        }
        self.shown().map(|claims| self.permit(&claims)).ok_or_else(|| self.challenge(None))
    }
}

/// The refusal of a known caller without the permission.
fn denied(kind: &str, name: &str, right: Right) -> Reply {
    let detail = json!([{"Type": kind, "Name": name, "Action": right.name()}]);
    distribution::error(StatusCode::FORBIDDEN, "DENIED", "requested access to the resource is denied", &detail)
}

fn named(mut answer: Reply, principal: &Principal) -> Reply {
    answer.extensions_mut().insert(Caller(principal.name.clone()));
    answer
}

fn arm_bearer(request: &Request<Bytes>) -> Option<&str> {
    crate::arm::bearer(request)
}
