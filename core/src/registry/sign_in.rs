//! Sign-in at registries, with the scheme of each: with the caller's identity at Azure registries, and anonymously elsewhere.

use super::{
    access::Access,
    address,
    probe::{Probe, failed},
};
use crate::{
    challenge,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{Answer, BodyKind, RegistryRequest, Tokens},
    write::Intent,
};
use azure_core::{credentials::Secret, http::Method};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use url::{Url, form_urlencoded};

/// A registry's refresh token is valid for 3 h 15 min, its access token for 75 min; both are dropped earlier.
const REFRESH_FOR: Duration = Duration::from_secs(3 * 3600);
const ACCESS_FOR: Duration = Duration::from_secs(3600);

/// Why a registry rejects a caller that Microsoft Entra ID has authenticated.
const NO_ROLE: &str = "a registry in the mode LegacyRegistryPermissions rejects the sign-in of a caller without a role on it; AcrPull \
    is the smallest one";

/// Tokens for registries: acquires and caches them.
#[derive(Clone, Debug)]
pub(super) struct SignIn {
    cloud: Cloud,
    entra: Tokens,
    cached: Arc<RegistryTokenCache>,
}

/// Registry tokens by purpose.
#[derive(Default)]
struct RegistryTokenCache(Mutex<HashMap<String, (Secret, Instant)>>);

impl RegistryTokenCache {
    fn get(&self, key: &str) -> Option<Secret> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.get(key).filter(|(_, until)| *until > Instant::now()).map(|(token, _)| token.clone())
    }

    fn keep(&self, key: String, token: Secret, lifetime: Duration) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        cached.retain(|_, (_, until)| *until > now);
        cached.insert(key, (token, now + lifetime));
    }

    fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl std::fmt::Debug for RegistryTokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryTokenCache").finish_non_exhaustive()
    }
}

/// A registry's challenge in `www-authenticate`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl SignIn {
    pub fn new(cloud: Cloud, entra: Tokens) -> Self {
        Self { cloud, entra, cached: Arc::default() }
    }

    /// Parses the sign-in challenge of a response.
    pub fn challenge(answer: &Answer, access: Access<'_>) -> Result<Challenge> {
        let header = answer.header("www-authenticate").unwrap_or_default();
        bearer(header).ok_or_else(|| {
            let wants_password = challenge::challenges(header).iter().any(|one| one.is("basic"));
            let text = if wants_password {
                "the registry requires a user and a password"
            } else {
                "the registry does not say how to sign in"
            };
            failed(access, answer, text)
        })
    }

    /// The cached access token.
    pub fn cached(&self, access: Access<'_>) -> Option<Secret> {
        self.cached.get(&access.key())
    }

    pub fn keep(&self, access: Access<'_>, token: Secret) {
        self.cached.keep(access.key(), token, ACCESS_FOR);
    }

    pub fn forget(&self, access: Access<'_>) {
        self.cached.forget(&access.key());
    }

    pub fn has_refresh_token(&self, access: Access<'_>) -> bool {
        self.cached.get(access.registry()).is_some()
    }

    pub fn forget_refresh_token(&self, access: Access<'_>) {
        self.cached.forget(access.registry());
    }

    /// The challenge of an Azure registry, known without a request: it issues its tokens itself. `None` for any other registry.
    pub fn own_challenge(&self, access: Access<'_>) -> Option<Challenge> {
        let host = access.registry();
        self.cloud.has_registry(host).then(|| Challenge {
            realm: format!("https://{host}/oauth2/token"),
            service: Some(host.to_owned()),
            scope: None,
        })
    }

    /// Acquires a token from the registry for what the probe accesses.
    pub async fn token(&self, challenge: &Challenge, probe: &Probe<'_>) -> Result<Secret> {
        if self.cloud.has_registry(probe.access.registry()) {
            check_own_realm(challenge, probe.access.registry())?;
            let refresh = self.refresh_token(challenge, probe).await?;
            return access_token(challenge, &refresh, probe).await;
        }
        Self::anonymous(challenge, probe.access.api_host(), probe).await
    }

    /// The cached refresh token, or a new one.
    async fn refresh_token(&self, challenge: &Challenge, probe: &Probe<'_>) -> Result<Secret> {
        if let Some(token) = self.cached.get(probe.access.registry()) {
            return Ok(token);
        }
        let token = self.new_refresh_token(challenge, probe).await?;
        self.cached.keep(probe.access.registry().to_owned(), token.clone(), REFRESH_FOR);
        Ok(token)
    }

    /// Exchanges the caller's Entra ID token. It is sent to the registry itself and to no host from a response.
    pub async fn new_refresh_token(&self, challenge: &Challenge, probe: &Probe<'_>) -> Result<Secret> {
        check_own_realm(challenge, probe.access.registry())?;
        let mut answer = self.exchange(challenge, probe).await?;
        if answer.status == 401 {
            // It may have expired before it was thought to: another one is tried, once.
            self.entra.forget(Cloud::registry_scope());
            answer = self.exchange(challenge, probe).await?;
        }
        read_token(&answer, probe.access, |body| body.refresh_token).map_err(|err| {
            // https://github.com/Azure/acr/issues/695
            if answer.status == 401 { err.with_context("hint", NO_ROLE) } else { err }
        })
    }

    async fn exchange(&self, challenge: &Challenge, probe: &Probe<'_>) -> Result<Answer> {
        let entra = self.entra.get(Cloud::registry_scope(), probe.call).await?;
        let form = [("grant_type", "access_token"), ("service", challenge.service()), ("access_token", entra.secret())];
        post_form(&format!("https://{}/oauth2/exchange", probe.access.registry()), &form, probe).await
    }

    /// Acquires an anonymous token from the registry at `authority`.
    pub async fn anonymous(challenge: &Challenge, authority: &str, probe: &Probe<'_>) -> Result<Secret> {
        let mut url = address::realm(&challenge.realm, authority).map_err(|err| probe.access.name_in(err))?;
        let own_scope = probe.access.scope();
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = &challenge.service {
                query.append_pair("service", service);
            }
            query.append_pair("scope", challenge.scope.as_deref().unwrap_or(&own_scope));
        }
        let step = format!("signing in anonymously for {}", probe.access);
        let request = RegistryRequest {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: None,
            step,
            body_kind: BodyKind::Token,
            intent: Intent::Read,
        };
        // A refresh token is only for signed-in callers, and is ignored here.
        read_token(&probe.send(request).await?, probe.access, |body| body.access_token.or(body.token))
    }
}

impl Challenge {
    fn service(&self) -> &str {
        self.service.as_deref().unwrap_or_default()
    }
}

/// An Azure registry issues its tokens itself. One that names another host is not trusted, and receives no token.
fn check_own_realm(challenge: &Challenge, registry: &str) -> Result<()> {
    let host = url(&challenge.realm)?;
    if host.scheme() == "https" && address::authority(&host).eq_ignore_ascii_case(registry) {
        return Ok(());
    }
    let text = "the registry names a foreign host for the sign-in; it is not followed";
    Err(Error::new(ErrorKind::Unexpected, text)
        .with_context("host", host.host_str().unwrap_or_default())
        .with_context("registry", registry))
}

async fn access_token(challenge: &Challenge, refresh: &Secret, probe: &Probe<'_>) -> Result<Secret> {
    let scope = probe.access.scope();
    let form = [
        ("grant_type", "refresh_token"),
        ("service", challenge.service()),
        ("scope", &scope),
        ("refresh_token", refresh.secret()),
    ];
    let answer = post_form(&format!("https://{}/oauth2/token", probe.access.registry()), &form, probe).await?;
    read_token(&answer, probe.access, |body| body.access_token)
}

async fn post_form(address: &str, form: &[(&str, &str)], probe: &Probe<'_>) -> Result<Answer> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let step = format!("signing in at {}", probe.access.registry());
    let request = RegistryRequest {
        method: Method::Post,
        url: url(address)?,
        headers: Vec::new(),
        body: Some(body),
        step,
        body_kind: BodyKind::Token,
        intent: Intent::Read,
    };
    probe.send(request).await
}

pub(super) fn url(text: &str) -> Result<Url> {
    Url::parse(text)
        .map_err(|err| Error::new(ErrorKind::Unexpected, "a registry named an invalid address").with_source(err))
}

/// The first bearer challenge with a token address.
fn bearer(header: &str) -> Option<Challenge> {
    challenge::challenges(header).iter().filter(|one| one.is("bearer")).find_map(|one| {
        let given = |name: &str| one.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Some(Challenge { realm: given("realm")?, service: given("service"), scope: given("scope") })
    })
}

#[derive(Deserialize)]
struct TokenBody {
    refresh_token: Option<String>,
    access_token: Option<String>,
    token: Option<String>,
}

fn read_token(answer: &Answer, access: Access<'_>, pick: impl FnOnce(TokenBody) -> Option<String>) -> Result<Secret> {
    if !answer.is_success() {
        return Err(failed(access, answer, "the registry rejected the caller's sign-in"));
    }
    let token = pick(answer.read("a registry token")?).filter(|token| !token.is_empty());
    token.map(Secret::from).ok_or_else(|| failed(access, answer, "the registry's sign-in returned no token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_token_is_found_among_others() {
        let wanted = |scope: Option<&str>| Challenge {
            realm: "https://r/t".to_owned(),
            service: Some("s".to_owned()),
            scope: scope.map(str::to_owned),
        };
        for (text, scope) in [
            (r#"Bearer realm="https://r/t",service="s""#, None),
            (r#"bearer service="s",scope="a:b,c",realm="https://r/t""#, Some("a:b,c")),
            (r#"Basic realm="Bearer realm=x", Bearer realm="https://r/t",service=s,scope="""#, None),
            (r#"Bearer error="invalid_token", Bearer realm="https://r/t",service="s", Basic realm="x""#, None),
        ] {
            assert_eq!(bearer(text), Some(wanted(scope)), "{text}");
        }
        assert_eq!(bearer(r#"Basic realm="x""#), None);
    }

    #[test]
    fn a_registry_of_azure_signs_in_at_itself_alone() {
        let check = |realm: &str| {
            check_own_realm(&Challenge { realm: realm.to_owned(), ..Challenge::default() }, "myregistry.azurecr.io")
        };
        assert!(check("https://myregistry.azurecr.io/oauth2/token").is_ok());
        for other in [
            "https://evil.example/oauth2/token",
            "https://other.azurecr.io/oauth2/token",
            "http://myregistry.azurecr.io/oauth2/token",
            "https://myregistry.azurecr.io:8443/oauth2/token",
            "https://myregistry.azurecr.io@evil.example/",
            "/oauth2/token",
        ] {
            assert!(check(other).is_err(), "{other}");
        }
    }
}
