//! The data plane of registries: a look at a manifest, wherever the registry keeps it.

use super::{
    address,
    manifest::{self, Seen},
    sign_in::SignIn,
};
use crate::{
    call::Call,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{Answer, BodyKind, Registries, RegistryRequest, Tokens, from_the_way, service_error},
    image::{Image, ImageReference},
};
use azure_core::{credentials::Secret, http::Method};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use url::Url;

/// All forms that a manifest can have: without the two for indexes a registry may answer with one platform's manifest, whose
/// digest is another.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest lies behind one redirect where it lies behind any; who sends in circles has none.
const MOST_MOVES: usize = 5;

/// Looks at images in any registry.
#[derive(Clone, Debug)]
pub(crate) struct DataPlane {
    registries: Registries,
    sign_in: SignIn,
}

/// One look: for what, and how long the registry may still take for it.
pub(super) struct Look<'a> {
    pub image: &'a ImageReference,
    pub call: &'a Call,
    registries: &'a Registries,
    left: Option<Mutex<Duration>>,
}

impl Look<'_> {
    /// Sends a request. What a call leaves to registries is for all requests of a look together; the caller's own sign-in, which may
    /// be a program or a person, is not part of it.
    pub async fn send(&self, request: RegistryRequest) -> Result<Answer> {
        let Some(left) = &self.left else { return self.registries.send(request, self.call).await };
        let allowed = *left.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let answer = self.registries.send(request, &self.call.at_most(allowed)).await;
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(begun.elapsed());
        answer
    }

    async fn manifest(&self, method: Method, url: &Url, token: Option<&Secret>) -> Result<Answer> {
        let mut headers = vec![("accept", MANIFESTS.to_owned())];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {}", token.secret()))));
        let step = format!("looking at {}", self.image);
        let body_kind = BodyKind::Manifest;
        self.send(RegistryRequest { method, url: url.clone(), headers, body: None, step, body_kind }).await
    }
}

impl DataPlane {
    pub fn new(registries: Registries, cloud: Cloud, entra: Tokens) -> Self {
        Self { registries, sign_in: SignIn::new(cloud, entra) }
    }

    /// The image with its digest, `None` if the registry does not have it. An image that is named by its digest has that one, or it is
    /// an error. Where the registry does not say the digest, it is counted from the manifest's bytes.
    pub async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        let look = Look { image, call, registries: &self.registries, left: call.patience().map(Mutex::new) };
        match manifest::read_head(image, &self.follow(Method::Head, &look).await?)? {
            Seen::Image(found) => Ok(Some(found)),
            Seen::Absent => Ok(None),
            Seen::Unnamed => manifest::read_body(image, &self.follow(Method::Get, &look).await?),
        }
    }

    /// Asks the registry, and goes to where it sends. A token goes to the host that it is for and to no other.
    async fn follow(&self, method: Method, look: &Look<'_>) -> Result<Answer> {
        let mut url = first_url(look.image)?;
        let mut answer = self.ask_registry(method, &url, look).await?;
        for _ in 0..MOST_MOVES {
            let Some(moved) = moved(&answer, &url)? else { return Ok(answer) };
            url = moved;
            answer = self.ask_elsewhere(method, &url, look).await?;
        }
        if moved(&answer, &url)?.is_none() {
            return Ok(answer);
        }
        let text = "the registry redirects from one address to another without end";
        Err(Error::new(ErrorKind::Unexpected, text).with_context("image", look.image.to_string()))
    }

    /// A registry's tokens carry the permissions of the moment when they were given. So a refusal with one that was held is
    /// no answer yet: it is let go of, and the second try signs in anew.
    async fn ask_registry(&self, method: Method, url: &Url, look: &Look<'_>) -> Result<Answer> {
        let held = self.sign_in.held(look.image);
        let first = look.manifest(method, url, held.as_ref()).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = SignIn::challenge(&first, look.image)?;
        let had_refresh_token = self.sign_in.has_refresh_token(look.image);
        let asked = self.ask_signed_in(method, url, look, &challenge).await;
        let is_refused = match &asked {
            Ok(answer) => answer.status == 401,
            Err(err) => err.status() == Some(401),
        };
        if !(is_refused && had_refresh_token) {
            return asked;
        }
        self.sign_in.forget_refresh_token(look.image);
        self.ask_signed_in(method, url, look, &challenge).await
    }

    async fn ask_signed_in(
        &self,
        method: Method,
        url: &Url,
        look: &Look<'_>,
        challenge: &super::sign_in::Challenge,
    ) -> Result<Answer> {
        self.sign_in.forget(look.image);
        let token = self.sign_in.token(challenge, look).await?;
        let answer = look.manifest(method, url, Some(&token)).await?;
        if !matches!(answer.status, 401 | 403) {
            self.sign_in.keep(look.image, token);
        }
        Ok(answer)
    }

    /// The same where the registry has sent to: without a name, by that host's own rules, and nothing of it is held.
    async fn ask_elsewhere(&self, method: Method, url: &Url, look: &Look<'_>) -> Result<Answer> {
        let first = look.manifest(method, url, None).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = SignIn::challenge(&first, look.image)?;
        let token = SignIn::anonymous(&challenge, &address::authority(url), look).await?;
        look.manifest(method, url, Some(&token)).await
    }
}

/// Docker Hub answers at another host than the one in its images' names.
pub(super) fn api_host(image: &ImageReference) -> &str {
    if image.registry() == "docker.io" { "registry-1.docker.io" } else { image.registry() }
}

fn first_url(image: &ImageReference) -> Result<Url> {
    super::sign_in::url(&format!(
        "https://{}/v2/{}/manifests/{}",
        api_host(image),
        image.repository(),
        image.manifest()
    ))
}

/// Where an answer sends to, if it does.
fn moved(answer: &Answer, from: &Url) -> Result<Option<Url>> {
    match (answer.status, answer.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(to)) => address::moved(to, from).map(Some),
        _ => Ok(None),
    }
}

pub(super) fn failed(image: &ImageReference, answer: &Answer, message: &str) -> Error {
    if let Some(err) = from_the_way(answer, false, "looking at an image") {
        return err.with_context("image", image.to_string());
    }
    let kind = match ErrorKind::of_status(answer.status) {
        // Who has no name, or one that the registry does not know, lacks the permission: another sign-in is no help.
        ErrorKind::Unauthenticated => ErrorKind::Forbidden,
        // That an image is missing is read before; of a sign-in it says nothing about the caller's input.
        ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict => ErrorKind::Unexpected,
        kind => kind,
    };
    let service = service_error(answer.status, &answer.headers, &answer.body);
    Error::new(kind, message).with_context("image", image.to_string()).with_service(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;

    /// A registry's own words go before: whom it does not let in lacks a permission, and what it does not find in a sign-in is no image.
    #[test]
    fn a_status_has_the_same_meaning_as_elsewhere() {
        let image = "quay.example/team/app:v1".parse().unwrap();
        for (status, kind) in crate::error::STATUSES {
            let body = r#"{"errors":[{"code":"C","message":"m"}]}"#.into();
            let answer = Answer { status, headers: Headers::new(), body, is_repeated: false };
            let wanted = match kind {
                ErrorKind::Unauthenticated => ErrorKind::Forbidden,
                ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict => ErrorKind::Unexpected,
                kind => kind,
            };
            assert_eq!(failed(&image, &answer, "testing").kind(), wanted, "{status}");
        }
    }
}
