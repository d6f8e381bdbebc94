//! The data plane of registries: reads a manifest, wherever the registry keeps it.

use super::{
    address,
    manifest::{self, Seen},
    probe::{Probe, api_host},
    sign_in::SignIn,
};
use crate::{
    call::Call,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{Answer, Registries, Tokens},
    image::{Image, ImageReference},
};
use azure_core::http::Method;
use std::sync::Mutex;
use url::Url;

/// The maximum number of redirects. Real registries use at most one.
const MOST_MOVES: usize = 5;

/// Reads images in any registry.
#[derive(Clone, Debug)]
pub(crate) struct DataPlane {
    registries: Registries,
    sign_in: SignIn,
}

impl DataPlane {
    pub fn new(registries: Registries, cloud: Cloud, entra: Tokens) -> Self {
        Self { registries, sign_in: SignIn::new(cloud, entra) }
    }

    /// The image with its digest, `None` if the registry does not have it.
    /// If the image is named by its digest, any other digest in the response is an error. If the registry does not report the digest, it is
    /// computed from the manifest's bytes.
    pub async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        let probe = Probe { image, call, registries: &self.registries, left: call.registry_timeout().map(Mutex::new) };
        match manifest::read_head(image, &self.follow(Method::Head, &probe).await?)? {
            Seen::Image(found) => Ok(Some(found)),
            Seen::Absent => Ok(None),
            Seen::Unnamed => manifest::read_body(image, &self.follow(Method::Get, &probe).await?),
        }
    }

    /// Requests the manifest from the registry, and follows its redirects. A token goes only to the host that it is for.
    async fn follow(&self, method: Method, probe: &Probe<'_>) -> Result<Answer> {
        let mut url = first_url(probe.image)?;
        let mut answer = self.ask_registry(method, &url, probe).await?;
        for _ in 0..MOST_MOVES {
            let Some(moved) = moved(&answer, &url)? else { return Ok(answer) };
            url = moved;
            answer = self.ask_elsewhere(method, &url, probe).await?;
        }
        if moved(&answer, &url)?.is_none() {
            return Ok(answer);
        }
        let text = "the registry redirects endlessly";
        Err(Error::new(ErrorKind::Unexpected, text).with_context("image", probe.image.to_string()))
    }

    /// A registry's tokens carry the permissions at the time of issue. So a refusal with a cached one is not final: it is dropped, and
    /// the second try signs in again.
    async fn ask_registry(&self, method: Method, url: &Url, probe: &Probe<'_>) -> Result<Answer> {
        let cached = self.sign_in.cached(probe.image);
        let first = probe.manifest(method, url, cached.as_ref()).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = SignIn::challenge(&first, probe.image)?;
        let had_refresh_token = self.sign_in.has_refresh_token(probe.image);
        let asked = self.ask_signed_in(method, url, probe, &challenge).await;
        let is_refused = match &asked {
            Ok(answer) => answer.status == 401,
            Err(err) => err.status() == Some(401),
        };
        if !(is_refused && had_refresh_token) {
            return asked;
        }
        self.sign_in.forget_refresh_token(probe.image);
        self.ask_signed_in(method, url, probe, &challenge).await
    }

    async fn ask_signed_in(
        &self,
        method: Method,
        url: &Url,
        probe: &Probe<'_>,
        challenge: &super::sign_in::Challenge,
    ) -> Result<Answer> {
        self.sign_in.forget(probe.image);
        let token = self.sign_in.token(challenge, probe).await?;
        let answer = probe.manifest(method, url, Some(&token)).await?;
        if !matches!(answer.status, 401 | 403) {
            self.sign_in.keep(probe.image, token);
        }
        Ok(answer)
    }

    /// The same at a redirect's host: anonymously, by that host's own rules, and without caching.
    async fn ask_elsewhere(&self, method: Method, url: &Url, probe: &Probe<'_>) -> Result<Answer> {
        let first = probe.manifest(method, url, None).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = SignIn::challenge(&first, probe.image)?;
        let token = SignIn::anonymous(&challenge, &address::authority(url), probe).await?;
        probe.manifest(method, url, Some(&token)).await
    }
}

fn first_url(image: &ImageReference) -> Result<Url> {
    super::sign_in::url(&format!(
        "https://{}/v2/{}/manifests/{}",
        api_host(image),
        image.repository(),
        image.manifest()
    ))
}

/// The target of a redirect, if the response is one.
fn moved(answer: &Answer, from: &Url) -> Result<Option<Url>> {
    match (answer.status, answer.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(to)) => address::moved(to, from).map(Some),
        _ => Ok(None),
    }
}
