//! Tokens for one repository, as the container runtime gets them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::challenge::Challenge;
use super::failure::{Cause, request_failure, unexpected_status};
use super::{Credential, Network};

/// A token for `scope` from the challenge's realm.
pub(super) fn fetch(
    challenge: &Challenge,
    scope: &str,
    credential: Option<&Credential>,
    network: &mut dyn Network,
) -> Result<String, Cause> {
    let Some(credential) = credential else {
        return by_get(challenge, scope, None, network)
            .map_err(|failure| Cause::authorising("anonymous", &failure.text));
    };
    let result = match by_post(challenge, scope, credential, network) {
        // Some registries know the POST only for other kinds of credential: then the older form is tried.
        Err(failure) if failure.allows_get() => by_get(challenge, scope, Some(credential), network),
        other => other,
    };
    result.map_err(|failure| Cause::authorising("oauth", &failure.text))
}

struct Failure {
    status: Option<StatusCode>,
    text: String,
}

impl Failure {
    fn allows_get(&self) -> bool {
        self.status.is_some_and(|status| matches!(status.as_u16(), 400 | 401 | 404 | 405))
    }
}

fn by_post(
    challenge: &Challenge,
    scope: &str,
    credential: &Credential,
    network: &mut dyn Network,
) -> Result<String, Failure> {
    let form = Serializer::new(String::new())
        .append_pair("client_id", "containerd-client")
        .append_pair("grant_type", "password")
        .append_pair("password", &credential.password)
        .append_pair("scope", scope)
        .append_pair("service", challenge.service.as_deref().unwrap_or_default())
        .append_pair("username", &credential.username)
        .finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(&challenge.realm)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Bytes::from(form));
    send(request, &Method::POST, &challenge.realm, network)
}

fn by_get(
    challenge: &Challenge,
    scope: &str,
    credential: Option<&Credential>,
    network: &mut dyn Network,
) -> Result<String, Failure> {
    let mut query = Serializer::new(String::new());
    query.append_pair("scope", scope);
    if let Some(service) = &challenge.service {
        query.append_pair("service", service);
    }
    let url = format!("{}?{}", challenge.realm, query.finish());
    let mut request = Request::builder().uri(&url);
    if let Some(Credential { username, password }) = credential {
        let pair = STANDARD.encode(format!("{username}:{password}"));
        request = request.header("authorization", format!("Basic {pair}"));
    }
    send(request.body(Bytes::new()), &Method::GET, &url, network)
}

fn send(
    request: http::Result<Request<Bytes>>,
    method: &Method,
    url: &str,
    network: &mut dyn Network,
) -> Result<String, Failure> {
    let request = request.map_err(|error| Failure { status: None, text: error.to_string() })?;
    let answer = network
        .send(request)
        .map_err(|failure| Failure { status: None, text: request_failure(method, url, &failure) })?;
    let status = answer.status();
    if !status.is_success() {
        return Err(Failure { status: Some(status), text: unexpected_status(method, url, status) });
    }
    token_in(answer.body()).ok_or_else(|| Failure {
        status: None,
        text: "authorization server did not include a token in the response".to_owned(),
    })
}

fn token_in(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let token = body.get("access_token").or_else(|| body.get("token"))?.as_str()?;
    Some(token.to_owned())
}
