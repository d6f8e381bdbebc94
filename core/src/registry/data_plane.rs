//! The data plane of registries: a look at a manifest, wherever the registry keeps it.

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

/// A manifest lies behind one redirect where it lies behind any; who sends in circles has none.
const MOST_MOVES: usize = 5;

/// Looks at images in any registry.
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
    /// An image that is named by its digest has that digest, or it is an error. If the registry does not report the digest, it is
    /// computed from the manifest's bytes.
    pub async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        let look = Probe { image, call, registries: &self.registries, left: call.patience().map(Mutex::new) };
        match manifest::read_head(image, &self.follow(Method::Head, &look).await?)? {
            Seen::Image(found) => Ok(Some(found)),
            Seen::Absent => Ok(None),
            Seen::Unnamed => manifest::read_body(image, &self.follow(Method::Get, &look).await?),
        }
    }

    /// Asks the registry, and goes to where it sends. A token goes to the host that it is for and to no other.
    async fn follow(&self, method: Method, look: &Probe<'_>) -> Result<Answer> {
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
        let text = "the registry redirects endlessly";
        Err(Error::new(ErrorKind::Unexpected, text).with_context("image", look.image.to_string()))
    }

    /// A registry's tokens carry the permissions of the moment when they were given. So a refusal with one that was held is
    /// no answer yet: it is let go of, and the second try signs in anew.
    async fn ask_registry(&self, method: Method, url: &Url, look: &Probe<'_>) -> Result<Answer> {
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
        look: &Probe<'_>,
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
    async fn ask_elsewhere(&self, method: Method, url: &Url, look: &Probe<'_>) -> Result<Answer> {
        let first = look.manifest(method, url, None).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = SignIn::challenge(&first, look.image)?;
        let token = SignIn::anonymous(&challenge, &address::authority(url), look).await?;
        look.manifest(method, url, Some(&token)).await
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

/// Where an answer sends to, if it does.
fn moved(answer: &Answer, from: &Url) -> Result<Option<Url>> {
    match (answer.status, answer.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(to)) => address::moved(to, from).map(Some),
        _ => Ok(None),
    }
}
