//! A transport that takes note of every secret that passes, and plays what is outside of Azure.

use crate::detector::Secrets;
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, Body, HttpClient, Request, StatusCode,
    headers::{AUTHORIZATION, Headers},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use serde_json::Value;
use std::{
    fmt,
    sync::{Arc, Mutex},
};

/// The answer to a request that is not Azure's to answer.
pub type Outside = Box<dyn Fn(&Request) -> Option<BoxFuture<'static, (StatusCode, Value)>> + Send + Sync>;

pub struct Watching {
    inner: Arc<dyn HttpClient>,
    secrets: Arc<Secrets>,
    /// Answers for addresses that are not Azure's.
    outside: Option<Outside>,
    /// What every cluster's kubeconfig is, if not its own.
    pub kubeconfig: Mutex<Option<String>>,
    /// Whether the transport has a bug, and shows the request.
    pub panics: bool,
}

impl Watching {
    pub fn new(inner: Arc<dyn HttpClient>, secrets: Arc<Secrets>, outside: Option<Outside>) -> Self {
        Self { inner, secrets, outside, kubeconfig: Mutex::default(), panics: false }
    }

    fn note_request(&self, request: &Request) {
        if let Some(shown) = request.headers().get_optional_str(&AUTHORIZATION) {
            let (scheme, secret) = shown.split_once(' ').unwrap_or_default();
            self.secrets.add_token(&format!("{scheme} credential"), secret);
        }
        let Body::Bytes(bytes) = request.body() else { return };
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if matches!(&*name, "client_secret" | "client_assertion" | "access_token" | "refresh_token" | "password") {
                self.secrets.add_token(&name, &value);
            }
        }
        let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        for part in ["password"] {
            if let Some(secret) = body["source"]["credentials"][part].as_str() {
                self.secrets.add("password of an import", secret);
            }
        }
    }

    fn note_answer(&self, headers: &Headers, body: &mut Vec<u8>) {
        for name in ["azure-asyncoperation", "location"] {
            let link = headers.get_optional_str(&name.into()).and_then(|link| url::Url::parse(link).ok());
            for (name, value) in link.iter().flat_map(url::Url::query_pairs) {
                if matches!(&*name, "s" | "c" | "h") {
                    self.secrets.add("signature of a link", &value);
                }
            }
        }
        let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return };
        for field in ["access_token", "refresh_token", "id_token", "accessToken", "value", "oidcToken"] {
            if let Some(token) = json[field].as_str() {
                self.secrets.add_token(field, token);
            }
        }
        let Some(value) = json["kubeconfigs"][0]["value"].as_str() else { return };
        let text = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
        let own = self.kubeconfig.lock().unwrap();
        if let Some(other) = own.as_ref() {
            json["kubeconfigs"][0]["value"] = STANDARD.encode(other).into();
            *body = json.to_string().into_bytes();
        }
        self.secrets.add_kubeconfig(own.as_ref().unwrap_or(&text));
    }
}

#[async_trait]
impl HttpClient for Watching {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.note_request(request);
        assert!(!self.panics || is_sign_in(request), "a bug of the transport at {request:?}");
        if let Some(answer) = self.outside.as_ref().and_then(|outside| outside(request)) {
            let (status, body) = answer.await;
            let mut body = body.to_string().into_bytes();
            self.note_answer(&Headers::new(), &mut body);
            return Ok(AsyncRawResponse::from_bytes(status, Headers::new(), body));
        }
        let answer = self.inner.execute_request(request).await?.try_into_raw_response().await?;
        let (status, headers, body) = answer.deconstruct();
        let mut body = body.to_vec();
        self.note_answer(&headers, &mut body);
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

fn is_sign_in(request: &Request) -> bool {
    !request.url().path().starts_with("/subscriptions/")
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}
