//! A credential of the emulator's Entra, for Azure's own client library.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::{Error, Result};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::fault::arrive;
use crate::reply::Broken;

/// Asks the emulator's Entra for each token anew, with a secret.
pub(crate) struct Credential {
    pub(crate) router: Router,
    pub(crate) tenant: String,
    pub(crate) client: String,
    pub(crate) secret: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("client", &self.client).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        let answer = match self.router.clone().oneshot(self.request(scopes)?).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        if let Some(broken) = answer.extensions().get::<Broken>() {
            return Err(Error::with_message(ErrorKind::Credential, broken.to_string()));
        }
        let answer = arrive(answer);
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|fault| Error::new(ErrorKind::Io, fault))?.to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let (true, Some(token)) = (status.is_success(), body["access_token"].as_str()) {
            let life = Duration::from_secs(body["expires_in"].as_u64().unwrap_or_default());
            return Ok(AccessToken::new(token.to_owned(), (SystemTime::now() + life).into()));
        }
        let text = body["error_description"].as_str().unwrap_or("Entra refused without a reason");
        // As Azure's own credentials do it: Entra's codes are in the error behind, apart from the text.
        let codes: Vec<String> = body["error_codes"].as_array().into_iter().flatten().map(Value::to_string).collect();
        let kind = ErrorKind::HttpResponse {
            status: status.as_u16().into(),
            error_code: (!codes.is_empty()).then(|| codes.join(",")),
            raw_response: None,
        };
        Err(Error::with_error(
            ErrorKind::Credential,
            Error::with_message(kind, text.to_owned()),
            format!("{status}: {text}"),
        ))
    }
}

impl Credential {
    fn request(&self, scopes: &[&str]) -> Result<http::Request<Body>> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client)
            .append_pair("client_secret", &self.secret)
            .append_pair("scope", &scopes.join(" "))
            .finish();
        http::Request::post(format!("https://{}/{}/oauth2/v2.0/token", crate::entra::HOST, self.tenant))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .map_err(|fault| Error::new(ErrorKind::Credential, fault))
    }
}
