//! From an Entra token to a token for one repository.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{VISIT, Visit, named};
use crate::entra::form_field;
use crate::entra::token;
use crate::principal::Principal;
use crate::registry::distribution;
use crate::registry::gate::{self, Right, TOKEN_USER};
use crate::reply::{self, Reply};

const REFRESH_LIFE: u64 = 3 * 3600 + 15 * 60;
const ACCESS_LIFE: u64 = 75 * 60;
const ANONYMOUS_LIFE: u64 = 20 * 60;
/// Who asks for a token.
pub(super) enum Visitor {
    Nobody,
    /// A known caller, with what a legacy registry let it do when it signed in.
    Known {
        principal: Box<Principal>,
        legacy: Vec<String>,
    },
}

impl Visit<'_> {
    /// An Entra token for a refresh token.
    ///
    /// A legacy registry refuses an identity without any permission on it, as nodes without a role meet it
    /// ([Azure/acr#695](https://github.com/Azure/acr/issues/695), [Azure/AKS#4459](https://github.com/Azure/AKS/issues/4459)).
    /// One with permissions on repositories does not refuse callers of the tenant here, but at the repository: AKS's own nodes take a token
    /// without permissions for one of such a registry (`AgentBaker`, `assert_refresh_token` in `cse_helpers.sh`).
    pub(super) fn exchange(&self) -> Reply {
        let field = |name: &str| form_field(self.request.body(), name);
        if !matches!(field("grant_type").as_deref(), Some("access_token" | "access_token_refresh_token")) {
            let message = "grant_type must be access_token or access_token_refresh_token";
            return distribution::error(StatusCode::BAD_REQUEST, "INVALID", message, &Value::Null);
        }
        if field("tenant").is_some_and(|tenant| !self.world.is_tenant(&tenant)) {
            return refused();
        }
        let audiences = [token::REGISTRY, token::ARM];
        let audiences = if self.registry.refuses_arm_tokens() { &audiences[..1] } else { &audiences[..] };
        match self.world.holder(&field("access_token").unwrap_or_default(), audiences, self.now) {
            Ok(principal) => self.refresh_token(&principal).unwrap_or_else(|| refused_with_id(self.world.ids.id())),
            Err(_) => refused_with_id(self.world.ids.id()),
        }
    }

    fn refresh_token(&self, principal: &Principal) -> Option<Reply> {
        let issued = self.world.clock.unix(self.now);
        let mut claims = json!({
            "aud": self.host(),
            "sub": principal.object_id,
            "grant_type": "refresh_token",
            "tenant": self.world.tenant,
            // Those of the Entra token, nested ones too: a registry knows its callers by what they show.
            "groups": principal.groups,
            "jti": uuid::Uuid::new_v4(),
            "iat": issued,
            "exp": issued + REFRESH_LIFE,
        });
        if !self.registry.is_abac() {
            let legacy = gate::legacy_actions(self.world, self.registry, principal, self.now);
            if legacy.is_empty() {
                return None;
            }
            claims["permissions"] = json!({"actions": legacy});
        }
        let token = self.world.signer.sign(&claims);
        let answer = reply::json(StatusCode::OK, &json!({"refresh_token": token}));
        Some(named(reply::with(answer, "x-ms-ratelimit-remaining-calls-per-second", "166.6"), principal))
    }

    /// A refresh token, a password or nothing for an access token.
    pub(super) fn token(&self) -> Reply {
        let form = match *self.request.method() {
            Method::GET => self.request.uri().query().unwrap_or_default().as_bytes(),
            _ => &self.request.body()[..],
        };
        let Some(visitor) = self.visitor(form) else {
            return refused();
        };
        let scopes: Vec<String> = url::form_urlencoded::parse(form)
            .filter(|(name, _)| name == "scope")
            .flat_map(|(_, value)| value.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .filter(|scope| !scope.is_empty())
            .collect();
        let access: Vec<Value> = scopes.iter().filter_map(|scope| self.granted(&visitor, scope)).collect();
        if access.is_empty() && !scopes.is_empty() {
            return refused();
        }
        let (subject, life) = match &visitor {
            Visitor::Nobody => ("acr_anon_pull", ANONYMOUS_LIFE),
            Visitor::Known { principal, .. } => (principal.object_id.as_str(), ACCESS_LIFE),
        };
        let issued = self.world.clock.unix(self.now);
        let claims = json!({
            "aud": self.host(), "sub": subject, "grant_type": "access_token", "access": access, "jti": uuid::Uuid::new_v4(),
            "iat": issued, "exp": issued + life,
        });
        let answer = reply::json(StatusCode::OK, &json!({"access_token": self.world.signer.sign(&claims)}));
        let answer = reply::with(answer, "x-ms-ratelimit-remaining-calls-per-second", "166.6");
        match &visitor {
            Visitor::Nobody => answer,
            Visitor::Known { principal, .. } => named(answer, principal),
        }
    }

    /// Who it is; `None` when what they show is not good.
    pub(super) fn visitor(&self, form: &[u8]) -> Option<Visitor> {
        let (user, secret) = match basic(self.request) {
            Some(pair) => pair,
            None => match form_field(form, "grant_type").as_deref() {
                Some("refresh_token") => (TOKEN_USER.to_owned(), form_field(form, "refresh_token")?),
                _ => match (form_field(form, "username"), form_field(form, "password")) {
                    (Some(user), Some(secret)) => (user, secret),
                    _ => return self.registry.allows_anonymous().then_some(Visitor::Nobody),
                },
            },
        };
        self.signed_in(&user, &secret)
    }

    /// Who shows a name and a password in the header, as clients do that know no tokens.
    pub(super) fn basic_visitor(&self) -> Option<Visitor> {
        let (user, secret) = basic(self.request)?;
        self.signed_in(&user, &secret)
    }

    fn signed_in(&self, user: &str, secret: &str) -> Option<Visitor> {
        if user == TOKEN_USER {
            let (principal, legacy) = gate::refresh(self.world, self.registry, secret, self.now)?;
            return Some(Visitor::Known { principal: Box::new(principal), legacy });
        }
        if let Some(token) = self.registry.token(user, secret, (&self.world.clock, self.now)) {
            return Some(Visitor::Known { principal: Box::new(token), legacy: Vec::new() });
        }
        let principal = gate::password(self.world, self.registry, user, secret, self.now)?;
        let legacy = gate::legacy_actions(self.world, self.registry, &principal, self.now);
        let legacy = legacy.into_iter().map(str::to_owned).collect();
        Some(Visitor::Known { principal: Box::new(principal), legacy })
    }

    /// What of one scope is granted, as an entry of the token.
    fn granted(&self, visitor: &Visitor, scope: &str) -> Option<Value> {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let may = |action: &&str| {
            let right = match (kind, *action) {
                ("registry", _) => Right::Catalog,
                (_, action) => match Right::named(action) {
                    // The star is a word for the catalogue alone.
                    Some(Right::Catalog) | None => return false,
                    Some(right) => right,
                },
            };
            self.may(visitor, right, name)
        };
        let granted: Vec<&str> = actions.split(',').filter(may).collect();
        (!granted.is_empty()).then(|| json!({"type": kind, "name": name, "actions": granted}))
    }

    pub(super) fn may(&self, visitor: &Visitor, right: Right, repository: &str) -> bool {
        if self.registry.allows_anonymous() && right.legacy() == "read" {
            return true;
        }
        match visitor {
            Visitor::Nobody => false,
            Visitor::Known { principal, legacy } => {
                if let Some(may) = self.registry.token_may(principal, right, repository) {
                    may
                } else if self.registry.is_abac() {
                    gate::permits_abac(self.world, self.registry, principal, right, repository, self.now)
                } else {
                    legacy.iter().any(|word| word == right.legacy())
                }
            }
        }
    }
}

/// The refusal of the token endpoints, which name no way to a token.
fn refused() -> Reply {
    let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": VISIT, "detail": null}]});
    reply::json(StatusCode::UNAUTHORIZED, &body)
}

/// The refusal of the exchange, whose text names the request.
fn refused_with_id(id: uuid::Uuid) -> Reply {
    let message = format!("{VISIT} CorrelationId: {id}");
    let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": message}]});
    reply::json(StatusCode::UNAUTHORIZED, &body)
}

/// User name and password of a request, where it has them.
fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let value = request.headers().get("authorization")?.to_str().ok()?;
    let (scheme, pair) = value.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(pair.trim()).ok())??;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(user, secret)| (user.to_owned(), secret.to_owned()))
}
