//! Registries of others: Docker Hub with its token service, Microsoft's without, and any host that was seeded.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::distribution;
use super::wish::{Wish, wish};
use crate::image::Store;
use crate::reply::{self, Reply};
use crate::world::World;

/// The name of Docker Hub in image names; no registry answers there.
const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";
const HUB_TOKENS: &str = "auth.docker.io";

/// The host that answers for a registry's name.
pub(crate) fn api_host(name: &str) -> &str {
    match name {
        HUB | "index.docker.io" | "registry.hub.docker.com" => HUB_API,
        other => other,
    }
}

/// What a registry has, by the name that images carry.
pub(crate) fn store<'w>(world: &'w World, name: &str) -> Option<&'w Store> {
    world.upstreams.get(api_host(name))
}

pub(crate) fn is_host(world: &World, host: &str) -> bool {
    let plain = host.split(':').next().unwrap_or_default();
    world.upstreams.keys().any(|known| known.split(':').next() == Some(plain))
        || (host == HUB_TOKENS && world.upstreams.contains_key(HUB_API))
}

pub(super) fn serve(world: &World, host: &str, request: &Request<Bytes>, now: Instant) -> Reply {
    if host == HUB_TOKENS {
        return token(world, request, now);
    }
    let full = request.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let store = world.upstreams.get(full).or_else(|| world.upstreams.get(host));
    let (Some(store), Some(wish)) = (store, wish(request.uri().path())) else {
        return crate::world::unknown_request(request.method(), request.uri());
    };
    if host == HUB_API
        && let Some(refusal) = hub_refuses(world, &wish, request, now)
    {
        return refusal;
    }
    reply::with(distribution::give(store, &wish, request), "docker-distribution-api-version", "registry/2.0")
}

/// Docker Hub wants a token even from those without a name.
fn hub_refuses(world: &World, wish: &Wish, request: &Request<Bytes>, now: Instant) -> Option<Reply> {
    let repository = wish.repository();
    let claims = crate::arm::bearer(request).and_then(|token| world.signer.check(token, world.clock.unix(now)).ok());
    let fits = |scope: &str| repository.is_none_or(|name| scope == format!("repository:{name}:pull"));
    if claims.is_some_and(|claims| claims.is_for(HUB_API) && fits(claims.text("scope"))) {
        return None;
    }
    let scope = repository.map(|name| format!(",scope=\"repository:{name}:pull\"")).unwrap_or_default();
    let value = format!("Bearer realm=\"https://{HUB_TOKENS}/token\",service=\"registry.docker.io\"{scope}");
    let refusal = distribution::error(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
        &repository.map_or(
            serde_json::Value::Null,
            |name| json!([{"Type": "repository", "Class": "", "Name": name, "Action": "pull"}]),
        ),
    );
    Some(reply::with(refusal, "www-authenticate", &value))
}

fn token(world: &World, request: &Request<Bytes>, now: Instant) -> Reply {
    if request.method() != Method::GET || request.uri().path() != "/token" {
        return crate::world::unknown_request(request.method(), request.uri());
    }
    let query = request.uri().query().unwrap_or_default();
    let scope = crate::entra::form_field(query.as_bytes(), "scope").unwrap_or_default();
    let issued = world.clock.unix(now);
    let claims =
        json!({"aud": HUB_API, "scope": scope, "exp": issued + 300, "iat": issued, "jti": uuid::Uuid::new_v4()});
    let token = world.signer.sign(&claims);
    reply::json(StatusCode::OK, &json!({"token": token, "access_token": token, "expires_in": 300}))
}
