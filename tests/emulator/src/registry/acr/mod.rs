//! The data plane of Azure's registries: sign-in, images, and the calls of its own.

#![expect(clippy::result_large_err, reason = "a refusal is a whole answer, made at most once for a request")]

mod attributes;
mod sign_in;

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Registry;
use super::distribution::{self, Wish, wish};
use super::gate::{self, Right};
use crate::entra::token::Claims;
use crate::principal::Principal;
use crate::reply::{self, Caller, Reply};
use crate::world::World;

const VISIT: &str = "authentication required, visit https://aka.ms/acr/authorization for more information.";

/// One request to one registry.
struct Visit<'a> {
    world: &'a World,
    registry: &'a Registry,
    request: &'a Request<Bytes>,
    now: Instant,
}

pub(super) fn serve(
    world: &World,
    registry: &Registry,
    request: &Request<Bytes>,
    address: &str,
    now: Instant,
) -> Reply {
    let visit = Visit { world, registry, request, now };
    let mut answer = gate::firewall(registry, address).unwrap_or_else(|| visit.answer());
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

impl Visit<'_> {
    fn answer(&self) -> Reply {
        match (self.request.method(), self.request.uri().path()) {
            (&Method::POST, "/oauth2/exchange") => self.exchange(),
            (&Method::POST | &Method::GET, "/oauth2/token") => self.token(),
            (_, path) if path.starts_with("/acr/v1/") => self.own(path),
            (_, path) => match wish(path) {
                Some(wish) => self.distribution(&wish),
                None => self.unknown(),
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
        let host = self.host();
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
        (claims.is_for(self.host()) && claims.text("grant_type") == "access_token").then_some(claims)
    }

    /// Goes on only with an access token that covers this; the answer is its claims.
    fn demand(&self, kind: &str, name: &str, right: Right) -> Result<Claims, Reply> {
        let wanted = (kind, name, right.name());
        let Some(claims) = self.shown() else {
            return Err(self.challenge(Some(wanted)));
        };
        let entries = claims.get("access").and_then(Value::as_array).cloned().unwrap_or_default();
        let covers = |entry: &Value| {
            let actions = entry["actions"].as_array().cloned().unwrap_or_default();
            entry["type"] == kind && entry["name"] == name && actions.iter().any(|action| action == right.name())
        };
        if entries.iter().any(covers) { Ok(claims) } else { Err(self.challenge(Some(wanted))) }
    }

    /// Manifests, blobs and tags.
    fn distribution(&self, wish: &Wish) -> Reply {
        let allowed = match wish {
            Wish::Base => {
                return match self.shown() {
                    Some(_) => distribution::give(&self.registry.images, wish, self.request),
                    None => self.challenge(None),
                };
            }
            Wish::Catalog => self.demand("registry", "catalog", Right::Catalog),
            Wish::Manifest { repository, .. } | Wish::Blob { repository, .. } => {
                self.demand("repository", repository, Right::Pull)
            }
            // A token for metadata lists tags as well.
            Wish::Tags { repository } => self
                .demand("repository", repository, Right::MetadataRead)
                .or_else(|_| self.demand("repository", repository, Right::Pull)),
        };
        match allowed {
            Ok(claims) => self.named(distribution::give(&self.registry.images, wish, self.request), &claims),
            Err(refusal) => refusal,
        }
    }

    fn named(&self, answer: Reply, claims: &Claims) -> Reply {
        match self.world.principal(claims.text("sub")) {
            Some(principal) => named(answer, principal),
            None => answer,
        }
    }
}

fn named(mut answer: Reply, principal: &Principal) -> Reply {
    answer.extensions_mut().insert(Caller(principal.name.clone()));
    answer
}

fn arm_bearer(request: &Request<Bytes>) -> Option<&str> {
    crate::arm::bearer(request)
}
