//! The data plane of registries: sign-in as the registry itself asks for it, and a look at a manifest.

use crate::{
    call::Call,
    challenge,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{Answer, BodyKind, Registries, RegistryRequest, Tokens, service_error},
    image::{Digest, Image, ImageReference},
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

/// All forms that a manifest can have: without the two for indexes a registry may answer with one platform's manifest, whose
/// digest is another.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A registry's refresh token lives 3 h 15 min, its access token 75 min; both are let go of earlier.
const REFRESH_FOR: Duration = Duration::from_secs(3 * 3600);
const ACCESS_FOR: Duration = Duration::from_secs(3600);

/// Looks at images in any registry.
#[derive(Clone, Debug)]
pub(crate) struct DataPlane {
    registries: Registries,
    cloud: Cloud,
    entra: Tokens,
    held: Arc<Held>,
}

/// Registry tokens by what they are for.
#[derive(Default)]
struct Held(Mutex<HashMap<String, (Secret, Instant)>>);

impl Held {
    fn get(&self, key: &str) -> Option<Secret> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(key).filter(|(_, until)| *until > Instant::now()).map(|(token, _)| token.clone())
    }

    fn keep(&self, key: String, token: Secret, lifetime: Duration) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        held.retain(|_, (_, until)| *until > now);
        held.insert(key, (token, now + lifetime));
    }

    fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

/// What a registry asks for in `www-authenticate`.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: String,
}

impl DataPlane {
    pub fn new(registries: Registries, cloud: Cloud, entra: Tokens) -> Self {
        Self { registries, cloud, entra, held: Arc::default() }
    }

    /// The image's digest, `None` if the registry does not have it.
    ///
    /// A registry's tokens carry the permissions of the moment when they were given. So a refusal with one that was held is
    /// no answer yet: it is let go of, and the second try signs in anew.
    pub async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        let held = self.held.get(&access_key(image));
        let first = self.head(image, held, call).await?;
        if first.status != 401 {
            return read_image(image, &first);
        }
        let challenge = challenge(&first, image)?;
        let had_refresh_token = self.held.get(image.registry()).is_some();
        match self.look_signed_in(image, &challenge, call).await {
            Err(err) if had_refresh_token && err.status() == Some(401) => {
                self.held.forget(image.registry());
                self.look_signed_in(image, &challenge, call).await
            }
            looked => looked,
        }
    }

    async fn look_signed_in(
        &self,
        image: &ImageReference,
        challenge: &Challenge,
        call: &Call,
    ) -> Result<Option<Image>> {
        let key = access_key(image);
        self.held.forget(&key);
        let token = self.sign_in(image, challenge, call).await?;
        let looked = read_image(image, &self.head(image, Some(token.clone()), call).await?)?;
        self.held.keep(key, token, ACCESS_FOR);
        Ok(looked)
    }

    async fn head(&self, image: &ImageReference, token: Option<Secret>, call: &Call) -> Result<Answer> {
        let url =
            url(&format!("https://{}/v2/{}/manifests/{}", api_host(image), image.repository(), image.manifest()))?;
        let mut headers = vec![("accept", MANIFESTS.to_owned())];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {}", token.secret()))));
        let step = format!("looking at {image}");
        self.registries
            .send(
                RegistryRequest { method: Method::Head, url, headers, body: None, step, body_kind: BodyKind::Manifest },
                call,
            )
            .await
    }

    async fn sign_in(&self, image: &ImageReference, challenge: &Challenge, call: &Call) -> Result<Secret> {
        if self.cloud.has_registry(image.registry()) {
            let refresh = self.refresh_token(image, challenge, call).await?;
            return self.access_token(image, challenge, &refresh, call).await;
        }
        self.anonymous_token(image, challenge, call).await
    }

    /// Exchanges the caller's Entra token. It goes to the registry itself and to no host that an answer named.
    async fn refresh_token(&self, image: &ImageReference, challenge: &Challenge, call: &Call) -> Result<Secret> {
        let host = image.registry();
        if let Some(token) = self.held.get(host) {
            return Ok(token);
        }
        let mut answer = self.exchange(image, challenge, call).await?;
        if answer.status == 401 {
            // It may have expired before it was thought to: another one is tried, once.
            self.entra.forget(Cloud::registry_scope());
            answer = self.exchange(image, challenge, call).await?;
        }
        let token = read_token(image, &answer)?;
        self.held.keep(host.to_owned(), token.clone(), REFRESH_FOR);
        Ok(token)
    }

    async fn exchange(&self, image: &ImageReference, challenge: &Challenge, call: &Call) -> Result<Answer> {
        let entra = self.entra.get(Cloud::registry_scope(), call).await?;
        let form = [("grant_type", "access_token"), ("service", &challenge.service), ("access_token", entra.secret())];
        self.post_form(&format!("https://{}/oauth2/exchange", image.registry()), &form, image, call).await
    }

    async fn access_token(
        &self,
        image: &ImageReference,
        challenge: &Challenge,
        refresh: &Secret,
        call: &Call,
    ) -> Result<Secret> {
        let scope = pull_scope(image);
        let form = [
            ("grant_type", "refresh_token"),
            ("service", &challenge.service),
            ("scope", &scope),
            ("refresh_token", refresh.secret()),
        ];
        let answer = self.post_form(&format!("https://{}/oauth2/token", image.registry()), &form, image, call).await?;
        read_token(image, &answer)
    }

    async fn anonymous_token(&self, image: &ImageReference, challenge: &Challenge, call: &Call) -> Result<Secret> {
        let mut url = url(&challenge.realm)?;
        url.query_pairs_mut().append_pair("service", &challenge.service).append_pair("scope", &pull_scope(image));
        let step = format!("signing in without a name for {image}");
        let request = RegistryRequest {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: None,
            step,
            body_kind: BodyKind::Token,
        };
        read_token(image, &self.registries.send(request, call).await?)
    }

    async fn post_form(
        &self,
        address: &str,
        form: &[(&str, &str)],
        image: &ImageReference,
        call: &Call,
    ) -> Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let step = format!("signing in at {}", image.registry());
        let request = RegistryRequest {
            method: Method::Post,
            url: url(address)?,
            headers: Vec::new(),
            body: Some(body),
            step,
            body_kind: BodyKind::Token,
        };
        self.registries.send(request, call).await
    }
}

fn access_key(image: &ImageReference) -> String {
    format!("{}/{}", image.registry(), image.repository())
}

fn pull_scope(image: &ImageReference) -> String {
    format!("repository:{}:pull", image.repository())
}

/// Docker Hub answers at another host than the one in its images' names.
fn api_host(image: &ImageReference) -> &str {
    if image.registry() == "docker.io" { "registry-1.docker.io" } else { image.registry() }
}

fn url(text: &str) -> Result<Url> {
    Url::parse(text)
        .map_err(|err| Error::new(ErrorKind::Unexpected, "a registry named an address that is none").with_source(err))
}

fn challenge(answer: &Answer, image: &ImageReference) -> Result<Challenge> {
    let parsed = answer.header("www-authenticate").and_then(bearer);
    parsed.ok_or_else(|| failed(image, answer, "the registry does not say how to sign in"))
}

/// The first way to sign in with a token that names where tokens come from.
fn bearer(header: &str) -> Option<Challenge> {
    challenge::challenges(header).iter().filter(|one| one.is("bearer")).find_map(|one| {
        let service = one.get("service").unwrap_or_default().to_owned();
        Some(Challenge { realm: one.get("realm")?.to_owned(), service })
    })
}

fn read_token(image: &ImageReference, answer: &Answer) -> Result<Secret> {
    #[derive(Deserialize)]
    #[expect(clippy::struct_field_names, reason = "the names of the wire")]
    struct Token {
        refresh_token: Option<String>,
        access_token: Option<String>,
        token: Option<String>,
    }
    if !answer.is_success() {
        return Err(failed(image, answer, "the registry does not let the caller sign in"));
    }
    let body: Token = answer.read("a registry token")?;
    let token = body.access_token.or(body.refresh_token).or(body.token);
    token.map(Secret::from).ok_or_else(|| failed(image, answer, "the registry's sign-in answered without a token"))
}

fn read_image(image: &ImageReference, answer: &Answer) -> Result<Option<Image>> {
    if answer.status == 404 {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(failed(image, answer, "the registry does not show the image to the caller"));
    }
    let digest =
        answer.header("docker-content-digest").ok_or_else(|| failed(image, answer, "the registry names no digest"))?;
    let digest: Digest =
        digest.parse().map_err(|err| failed(image, answer, "the registry names an odd digest").with_source(err))?;
    Ok(Some(Image { digest, media_type: answer.header("content-type").map(str::to_owned) }))
}

fn failed(image: &ImageReference, answer: &Answer, message: &str) -> Error {
    let kind = match answer.status {
        401 | 403 => ErrorKind::Forbidden,
        429 => ErrorKind::RateLimited,
        408 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    };
    let service = service_error(answer.status, &answer.headers, &answer.body);
    Error::new(kind, message).with_context("image", image.to_string()).with_service(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_token_is_found_among_others() {
        let wanted = Challenge { realm: "https://r/t".to_owned(), service: "s".to_owned() };
        for text in [
            r#"Bearer realm="https://r/t",service="s""#,
            r#"bearer service="s",scope="a:b,c",realm="https://r/t""#,
            r#"Basic realm="Bearer realm=x", Bearer realm="https://r/t",service=s"#,
            r#"Bearer error="invalid_token", Bearer realm="https://r/t",service="s", Basic realm="x""#,
        ] {
            assert_eq!(bearer(text).as_ref(), Some(&wanted), "{text}");
        }
        assert_eq!(bearer(r#"Basic realm="x""#), None);
    }
}
