//! Registries of others: Docker Hub with its token service, Microsoft's without, and any host that was seeded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::distribution;
use super::wish::{Wish, wish};
use crate::entra::form_field;
use crate::image::Store;
use crate::reply::{self, Reply};
use crate::upstream_seed::{Asks, DigestHeader, Manner};
use crate::world::World;

/// The name of Docker Hub in image names; no registry answers there.
const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";
const HUB_TOKENS: &str = "auth.docker.io";

/// A registry outside of Azure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upstream {
    pub(crate) images: Store,
    pub(crate) manner: Manner,
}

impl Upstream {
    pub(crate) fn is_private(&self) -> bool {
        !self.manner.users.is_empty()
    }

    /// Whether a caller with this name and password may pull.
    pub(crate) fn lets_in(&self, name: &str, password: &str) -> bool {
        self.manner.users.iter().any(|(known, secret)| known == name && secret == password)
    }

    /// Docker Hub gives nothing without a token, not even to anonymous callers.
    fn asks(&self, host: &str) -> Asks {
        match self.manner.challenge {
            Asks::Nobody if self.is_private() || host == HUB_API => Asks::Token,
            asks => asks,
        }
    }

    fn realm(&self, host: &str) -> String {
        let usual = || {
            let host = if host == HUB_API { HUB_TOKENS } else { host };
            format!("https://{host}/token")
        };
        self.manner.realm.clone().unwrap_or_else(usual)
    }
}

/// The host that answers for a registry's name.
pub(crate) fn api_host(name: &str) -> &str {
    match name {
        HUB | "index.docker.io" | "registry.hub.docker.com" => HUB_API,
        other => other,
    }
}

/// A registry, by the name that images carry.
pub(crate) fn named<'w>(world: &'w World, name: &str) -> Option<&'w Upstream> {
    world.upstreams.get(api_host(name))
}

/// What a registry has, by the name that images carry, or what the host has that it sends to.
pub(crate) fn store<'w>(world: &'w World, name: &str) -> Option<&'w Store> {
    let found = named(world, name)?;
    match &found.manner.moved_to {
        Some(host) if host != name => Some(&world.upstreams.get(host)?.images),
        _ => Some(&found.images),
    }
}

pub(crate) fn is_host(world: &World, host: &str) -> bool {
    let plain = host.split(':').next().unwrap_or_default();
    let is_at = |address: &str| address.split(['/', ':']).next() == Some(plain);
    world.upstreams.iter().any(|(known, one)| {
        is_at(known)
            || one
                .realm(known)
                .strip_prefix("https://")
                .is_some_and(|realm| one.asks(known) != Asks::Nobody && is_at(realm))
    })
}

pub(super) fn serve(world: &World, host: &str, request: &Request<Bytes>, now: Instant) -> Reply {
    let full = request.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let path = request.uri().path();
    let is_realm_of = |known: &str, one: &Upstream| {
        let realm = one.realm(known);
        [full, host].iter().any(|host| realm.split('?').next() == Some(&format!("https://{host}{path}")))
    };
    if let Some((known, one)) = world.upstreams.iter().find(|(known, one)| is_realm_of(known, one)) {
        return token(world, (known, one), request, now);
    }
    let found = world.upstreams.get_key_value(full).or_else(|| world.upstreams.get_key_value(host));
    let (Some((known, one)), Some(wish)) = (found, wish(path)) else {
        return crate::world::unknown_request(request.method(), request.uri());
    };
    if let (Wish::Manifest { .. } | Wish::Referrers { .. }, Some(other)) = (&wish, &one.manner.moved_to) {
        let moved = reply::empty(StatusCode::TEMPORARY_REDIRECT);
        return reply::with(moved, "location", &format!("https://{other}{path}"));
    }
    if let Some(refusal) = refuses(world, (known, one), &wish, request, now) {
        return refusal;
    }
    if one.manner.knows_no_head && request.method() == Method::HEAD {
        return reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if one.manner.knows_no_referrers && matches!(wish, Wish::Referrers { .. }) {
        return reply::empty(StatusCode::NOT_FOUND);
    }
    let mut answer = distribution::give(&one.images, &wish, request);
    match &one.manner.digest {
        DigestHeader::Missing => drop(answer.headers_mut().remove("docker-content-digest")),
        DigestHeader::Text(text) if answer.headers().contains_key("docker-content-digest") => {
            reply::set(&mut answer, "docker-content-digest", text);
        }
        DigestHeader::Right | DigestHeader::Text(_) => {}
    }
    reply::with(answer, "docker-distribution-api-version", "registry/2.0")
}

/// The refusal of a caller without the credentials that the registry asks for.
fn refuses(
    world: &World,
    (host, one): (&str, &Upstream),
    wish: &Wish,
    request: &Request<Bytes>,
    now: Instant,
) -> Option<Reply> {
    let asks = one.asks(host);
    if asks == Asks::Nobody {
        return None;
    }
    let repository = wish.repository();
    if matches!(asks, Asks::Password | Asks::Both | Asks::BothApart)
        && basic(request).is_some_and(|(name, password)| !one.is_private() || one.lets_in(&name, &password))
    {
        return None;
    }
    let claims = crate::arm::bearer(request).and_then(|token| world.signer.check(token, world.clock.unix(now)).ok());
    let is_shown = claims.is_some();
    let fits = |scope: &str| repository.is_none_or(|name| scope == format!("repository:{name}:pull"));
    if asks != Asks::Password
        && claims
            .is_some_and(|claims| claims.is_for(host) && fits(claims.text("scope")) && claims.text("may") != "nothing")
    {
        return None;
    }
    let detail = repository.map_or(
        serde_json::Value::Null,
        |name| json!([{"Type": "repository", "Class": "", "Name": name, "Action": "pull"}]),
    );
    let mut refusal = distribution::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required", &detail);
    let service = if host == HUB_API { "registry.docker.io" } else { host };
    let scope = repository.map(|name| format!(",scope=\"repository:{name}:pull\"")).unwrap_or_default();
    let error = if is_shown { ",error=\"insufficient_scope\"" } else { "" };
    let token = format!("Bearer realm=\"{}\",service=\"{service}\"{scope}{error}", one.realm(host));
    let password = String::from("Basic realm=\"Registry, for users\"");
    let challenges = match asks {
        Asks::Nobody | Asks::Token => vec![token],
        Asks::Password => vec![password],
        Asks::Both => vec![format!("{password}, {token}")],
        Asks::BothApart => vec![token, password],
    };
    for challenge in challenges {
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            refusal.headers_mut().append("www-authenticate", value);
        }
    }
    Some(refusal)
}

/// Gives a token to any caller that may have one. To a caller without a name a private registry gives none, and Docker Hub one without rights:
/// so nodes say `403 Forbidden` of GitHub's and `insufficient_scope` of Docker's.
fn token(world: &World, (host, one): (&str, &Upstream), request: &Request<Bytes>, now: Instant) -> Reply {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let form = match *request.method() {
        Method::GET => query,
        Method::POST => request.body(),
        _ => return crate::world::unknown_request(request.method(), request.uri()),
    };
    let sent = (form_field(form, "username"), form_field(form, "password"));
    let user = match sent {
        (Some(name), Some(password)) => Some((name, password)),
        _ => basic(request),
    };
    let is_known = user.as_ref().is_some_and(|(name, password)| one.lets_in(name, password));
    let is_let_in = !one.is_private() || is_known;
    if !is_let_in && (user.is_some() || host != HUB_API) {
        let status = if host == "ghcr.io" && user.is_none() { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        let code = if status == StatusCode::FORBIDDEN { "DENIED" } else { "UNAUTHORIZED" };
        return distribution::error(
            status,
            code,
            "requested access to the resource is denied",
            &serde_json::Value::Null,
        );
    }
    let scope = form_field(form, "scope").unwrap_or_default();
    let issued = world.clock.unix(now);
    let may = if is_let_in { "pull" } else { "nothing" };
    let claims = json!({
        "aud": host, "scope": scope, "may": may, "exp": issued + 300, "iat": issued, "jti": uuid::Uuid::new_v4(),
    });
    let token = world.signer.sign(&claims);
    reply::json(StatusCode::OK, &json!({"token": token, "access_token": token, "expires_in": 300}))
}

/// The name and the password that a request shows.
fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let (scheme, encoded) = request.headers().get("authorization")?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}
