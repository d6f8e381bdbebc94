//! A transport that gives the answers it was given, in their order, and remembers what was asked.

use async_trait::async_trait;
use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, Request, Url,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body as it goes over the wire.
    pub body: Vec<u8>,
}

/// One request as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Method and path, as in `GET /subscriptions`.
    pub line: String,
    /// The whole address.
    pub url: Url,
    /// The `authorization` header.
    pub authorization: Option<String>,
    /// The body.
    pub body: String,
}

impl Sent {
    /// The body as JSON; null if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// The transport. Cheap to clone; clones share the answers.
#[derive(Clone, Debug, Default)]
pub struct Replay(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Answer>,
    /// Given again and again when the others are used up.
    last: Option<Answer>,
    sent: Vec<Sent>,
}

impl Replay {
    /// Gives these answers, then none: one request more is an error.
    #[must_use]
    pub fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        let state = State { answers: answers.into_iter().collect(), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Gives this answer to everything that comes after the others.
    #[must_use]
    pub fn then_always(self, answer: Answer) -> Self {
        self.state().last = Some(answer);
        self
    }

    /// What was asked so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// Methods and paths of what was asked so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.state().sent.iter().map(|sent| sent.line.clone()).collect()
    }

    /// Whether every answer was asked for.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.state().answers.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpClient for Replay {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let sent = read(request);
        let line = sent.line.clone();
        let answer = {
            let mut state = self.state();
            state.sent.push(sent);
            state.answers.pop_front().or_else(|| state.last.clone())
        };
        // Of no kind that is tried again.
        let none = || Error::with_message(ErrorKind::DataConversion, format!("there is no answer left for {line}"));
        let answer = answer.ok_or_else(none)?;
        let mut headers = Headers::new();
        for (name, value) in answer.headers {
            headers.insert(HeaderName::from(name), HeaderValue::from(value));
        }
        Ok(AsyncRawResponse::from_bytes(answer.status.into(), headers, Bytes::from(answer.body)))
    }
}

fn read(request: &Request) -> Sent {
    let body = match request.body() {
        Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        // No request of the library streams its body.
        Body::SeekableStream(_) => String::new(),
    };
    Sent {
        line: format!("{} {}", request.method().as_ref(), request.url().path()),
        url: request.url().clone(),
        authorization: request.headers().get_optional_str(&HeaderName::from_static("authorization")).map(str::to_owned),
        body,
    }
}

/// A credential whose token for a scope is the scope's name.
#[derive(Debug)]
pub struct Named;

#[async_trait]
impl TokenCredential for Named {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        let end = SystemTime::now() + Duration::from_secs(3600);
        Ok(AccessToken::new(scopes.join(" "), end.into()))
    }
}
