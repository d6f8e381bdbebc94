//! A transport between the library and the emulator that answers in the place of a service.

use async_trait::async_trait;
use azure_core::{
    Result,
    http::{
        AsyncRawResponse, HttpClient, Request,
        headers::{AUTHORIZATION, HeaderName, HeaderValue, Headers},
    },
};
use bytes::Bytes;
use futures::stream;
use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The hosts that the library has business with in these tests; others are the attacker's.
const KNOWN: [&str; 4] = ["management.azure.com", "login.microsoftonline.com", "myregistry.azurecr.io", "quay.example"];
/// What a body without end has in each part.
const PART: usize = 64 * 1024;

/// An answer of the attacker.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

pub enum Body {
    Text(String),
    Endless,
}

impl Answer {
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: Body::Text(body.into()) }
    }

    pub fn endless() -> Self {
        Self { body: Body::Endless, ..Self::text(200, "") }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Attack = dyn Fn(&Request) -> Option<Answer> + Send + Sync;

pub struct Wire {
    inner: Arc<dyn HttpClient>,
    attack: Box<Attack>,
    /// Addresses, and whether a credential went along.
    seen: Mutex<Vec<(String, bool)>>,
    /// How many bytes of bodies without end were taken.
    taken: Arc<AtomicUsize>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub fn new(
        inner: Arc<dyn HttpClient>,
        attack: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { inner, attack: Box::new(attack), seen: Mutex::default(), taken: Arc::default() })
    }

    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub fn count(&self, part: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|(url, _)| url.contains(part)).count()
    }

    /// Requests to hosts that the attacker has named.
    pub fn strangers(&self, only_with_credential: bool) -> Vec<String> {
        let is_known = |url: &str| {
            let host = url.split("://").nth(1).unwrap_or(url).split(['/', '?']).next().unwrap_or_default();
            url.starts_with("https://") && KNOWN.contains(&host.trim_end_matches(":443"))
        };
        let seen = self.seen.lock().unwrap();
        let strange = seen.iter().filter(|(url, signed)| !is_known(url) && (*signed || !only_with_credential));
        strange.map(|(url, _)| url.clone()).collect()
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let signed = request.headers().get_optional_str(&AUTHORIZATION).is_some();
        self.seen.lock().unwrap().push((request.url().to_string(), signed));
        let Some(answer) = (self.attack)(request) else {
            return self.inner.execute_request(request).await;
        };
        let mut headers = Headers::new();
        for (name, value) in answer.headers {
            headers.insert(HeaderName::from(name), HeaderValue::from(value));
        }
        let status = answer.status.into();
        Ok(match answer.body {
            Body::Text(text) => AsyncRawResponse::from_bytes(status, headers, text),
            Body::Endless => {
                let taken = Arc::clone(&self.taken);
                let parts = stream::repeat_with(move || {
                    taken.fetch_add(PART, Ordering::Relaxed);
                    Ok(Bytes::from(vec![b' '; PART]))
                });
                AsyncRawResponse::new(status, headers, Box::pin(parts))
            }
        })
    }
}
