//! The requests of one try to pull: challenges, redirects, and what is sent again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, LOCATION};
use http::{Method, Request, Response, StatusCode};

use super::challenge::{Asked, Challenge};
use super::containerd::Containerd;
use super::failure::Cause;
use super::{Credential, Image, Network, token};

const ACCEPTED: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*";

/// Go's client follows so many redirects.
const MOST_REDIRECTS: usize = 10;

/// What stays the same between the requests of one try, and the authorization that was obtained.
pub(super) struct Attempt<'a> {
    image: &'a Image,
    containerd: Containerd,
    credential: Option<&'a Credential>,
    network: &'a mut dyn Network,
    authorization: Option<String>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        image: &'a Image,
        containerd: Containerd,
        credential: Option<&'a Credential>,
        network: &'a mut dyn Network,
    ) -> Self {
        Self { image, containerd, credential, network, authorization: None }
    }

    /// Sends a request until it is answered for good; the method is the one of that answer.
    pub(super) fn ask(&mut self, method: &Method, url: &str) -> Result<(Method, Response<Bytes>), Cause> {
        let mut method = method.clone();
        let mut before: Option<StatusCode> = None;
        for _ in 1..self.containerd.tries() {
            let answer = self.send(&method, url)?;
            let status = answer.status();
            match status {
                StatusCode::UNAUTHORIZED => {
                    if !self.authorize(&answer, before == Some(status))? {
                        return Ok((method, answer));
                    }
                }
                // Some registries do not know HEAD.
                StatusCode::METHOD_NOT_ALLOWED if method == Method::HEAD && url.contains("/manifests/") => {
                    method = Method::GET;
                }
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {}
                _ if self.containerd.asks_again(status) && before != Some(status) => {}
                _ => return Ok((method, answer)),
            }
            before = Some(status);
        }
        let answer = self.send(&method, url)?;
        Ok((method, answer))
    }

    /// Answers a challenge; `false` if there is none that containerd knows.
    fn authorize(&mut self, answer: &Response<Bytes>, is_repeated: bool) -> Result<bool, Cause> {
        match Challenge::asked(answer.headers()) {
            Some(Asked::Token(challenge)) => {
                if let (true, Some(error)) = (is_repeated, &challenge.error) {
                    return Err(Cause::access_denied(&format!("server message: {error}: authorization failed")));
                }
                if self.authorization.is_none() || challenge.error.is_some() {
                    let scope = format!("repository:{}:pull", self.image.repository());
                    let token = token::fetch(&challenge, &scope, self.credential, self.network)?;
                    self.authorization = Some(format!("Bearer {token}"));
                }
                Ok(true)
            }
            Some(Asked::Password) => {
                let Some(Credential { username, password }) = self.credential else {
                    return Err(Cause::access_denied("authorization failed: no basic auth credentials"));
                };
                self.authorization = Some(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// One request, and those that it is redirected to. Another host gets no authorization.
    fn send(&mut self, method: &Method, url: &str) -> Result<Response<Bytes>, Cause> {
        let (mut url, mut authorization) = (url.to_owned(), self.authorization.clone());
        for _ in 0..MOST_REDIRECTS {
            let mut request = Request::builder().method(method).uri(&url).header(ACCEPT, ACCEPTED);
            if let Some(authorization) = &authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let request = request.body(Bytes::new()).map_err(|error| Cause::unreadable(&error.to_string()))?;
            let answer = self.network.send(request).map_err(|failure| Cause::no_answer(method, &url, &failure))?;
            let Some(next) = moved(&answer) else {
                return Ok(answer);
            };
            if host(&next) != host(&url) {
                authorization = None;
            }
            url = next;
        }
        Err(Cause::redirected(method, &url, MOST_REDIRECTS))
    }
}

fn moved(answer: &Response<Bytes>) -> Option<String> {
    let is_moved = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = answer.headers().get(LOCATION).filter(|_| is_moved)?;
    location.to_str().ok().map(str::to_owned)
}

fn host(url: &str) -> Option<&str> {
    url.split('/').nth(2)
}
