//! The container runtime: resolves a name to a manifest for the node's platform.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::challenge::Challenge;
use super::failure::{Cause, PullFailure};
use super::{Credential, Image, Network, token};

const ACCEPTED: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*";

/// Pulls an image with one credential, or none. Gives the digest that the name stands for.
pub(super) fn pull(
    image: &Image,
    platform: (&str, &str),
    credential: Option<&Credential>,
    network: &mut dyn Network,
) -> Result<String, PullFailure> {
    let mut attempt = Attempt { image, credential, network, authorization: None };
    let digest = attempt.resolve().map_err(|cause| PullFailure::resolving(image, &cause))?;
    attempt.fetch(&digest, platform).map_err(|cause| PullFailure::unpacking(image, &cause))?;
    Ok(digest)
}

/// The requests of one try; the token is kept between them.
struct Attempt<'a> {
    image: &'a Image,
    credential: Option<&'a Credential>,
    network: &'a mut dyn Network,
    authorization: Option<String>,
}

impl Attempt<'_> {
    fn resolve(&mut self) -> Result<String, Cause> {
        let url = self.url("manifests", self.image.reference());
        let answer = self.ask(&Method::HEAD, &url)?;
        match answer.status() {
            status if status.is_success() => self.digest(&url, &answer),
            StatusCode::NOT_FOUND => Err(Cause::not_found(self.image)),
            status => {
                // HEAD has no body. A second request gets the registry's own words, such as the address that its
                // firewall refused; which versions of the runtime print them is not established.
                let words = self.ask(&Method::GET, &url).map(Response::into_body).unwrap_or_default();
                Err(Cause::status(&Method::HEAD, &url, status, &words))
            }
        }
    }

    /// The digest of the header, or of the body when the registry sends no header.
    fn digest(&mut self, url: &str, answer: &Response<Bytes>) -> Result<String, Cause> {
        let header = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        if let Some(digest) = header {
            return Ok(digest.to_owned());
        }
        let answer = self.ask(&Method::GET, url)?;
        if !answer.status().is_success() {
            return Err(Cause::status(&Method::GET, url, answer.status(), answer.body()));
        }
        Ok(format!("sha256:{:x}", Sha256::digest(answer.body())))
    }

    fn fetch(&mut self, digest: &str, platform: (&str, &str)) -> Result<(), Cause> {
        let manifest = self.manifest(digest)?;
        match manifest.get("manifests").and_then(Value::as_array) {
            Some(entries) => {
                let entry = entries.iter().find(|entry| is_for(entry.get("platform"), platform));
                let entry = entry.ok_or_else(Cause::no_platform)?;
                let digest = entry.get("digest").and_then(Value::as_str);
                self.manifest(digest.ok_or_else(|| Cause::unreadable("an entry has no digest"))?)?;
                Ok(())
            }
            None => self.check_config(&manifest, platform),
        }
    }

    /// A single manifest has its platform in the configuration it names. A registry that keeps no blobs has none to
    /// show, and then the manifest is all there is.
    fn check_config(&mut self, manifest: &Value, platform: (&str, &str)) -> Result<(), Cause> {
        let Some(digest) = manifest.pointer("/config/digest").and_then(Value::as_str) else {
            return Ok(());
        };
        let url = self.url("blobs", digest);
        let answer = self.ask(&Method::GET, &url)?;
        if !answer.status().is_success() {
            return Ok(());
        }
        let config: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let named = config.get("os").is_some() && config.get("architecture").is_some();
        if named && !is_for(Some(&config), platform) { Err(Cause::no_platform()) } else { Ok(()) }
    }

    fn manifest(&mut self, digest: &str) -> Result<Value, Cause> {
        let url = self.url("manifests", digest);
        let answer = self.ask(&Method::GET, &url)?;
        if !answer.status().is_success() {
            return Err(Cause::copying(&url, answer.status(), answer.body()));
        }
        serde_json::from_slice(answer.body()).map_err(|error| {
            let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("no type");
            Cause::unreadable(&format!("{kind}: {error}"))
        })
    }

    /// One request; a challenge is answered once with a token for this repository.
    fn ask(&mut self, method: &Method, url: &str) -> Result<Response<Bytes>, Cause> {
        let answer = self.send(method, url)?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let Some(challenge) = Challenge::of(answer.headers()) else {
            return match self.credential {
                Some(Credential { username, password }) if Challenge::wants_password(answer.headers()) => {
                    self.authorization = Some(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))));
                    self.send(method, url)
                }
                _ => Ok(answer),
            };
        };
        let scope = format!("repository:{}:pull", self.image.repository());
        let token = token::fetch(&challenge, &scope, self.credential, self.network)?;
        self.authorization = Some(format!("Bearer {token}"));
        let answer = self.send(method, url)?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(error) = Challenge::of(answer.headers()).and_then(|challenge| challenge.error)
        {
            return Err(Cause::access_denied(&error));
        }
        Ok(answer)
    }

    fn send(&mut self, method: &Method, url: &str) -> Result<Response<Bytes>, Cause> {
        let mut request = Request::builder().method(method).uri(url).header(ACCEPT, ACCEPTED);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Bytes::new()).map_err(|error| Cause::unreadable(&error.to_string()))?;
        self.network.send(request).map_err(|failure| Cause::no_answer(method, url, &failure))
    }

    fn url(&self, kind: &str, reference: &str) -> String {
        format!("https://{}/v2/{}/{kind}/{reference}", self.image.api_host(), self.image.repository())
    }
}

fn is_for(platform: Option<&Value>, (os, architecture): (&str, &str)) -> bool {
    let field = |name: &str| platform.and_then(|platform| platform.get(name)).and_then(Value::as_str);
    field("os") == Some(os) && field("architecture") == Some(architecture)
}
