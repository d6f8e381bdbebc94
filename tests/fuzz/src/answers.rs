//! Both ways out of the library, Azure's and Kubernetes', led to one source of answers.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aks_acr::KubeBody;
use aks_acr_emulator::{Emulator, KubernetesDoor};
use async_trait::async_trait;
use axum::body::Body;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tower::{BoxError, Service, ServiceExt as _};

use crate::Script;

/// What one request takes. Without it, a caller that asks for ever would never reach a deadline.
const LATENCY: Duration = Duration::from_millis(100);

/// An answer of HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// Good answers by what was asked, in the order in which they came.
#[derive(Default)]
pub struct Recorded(HashMap<String, Vec<Answer>>);

impl Recorded {
    /// The answer to this question when it is asked for the n-th time; the last one to all that come later.
    pub fn find(&self, question: &str, n: usize) -> Option<&Answer> {
        let all = self.0.get(question)?;
        all.get(n).or(all.last())
    }
}

/// Where answers come from.
#[derive(Clone)]
pub enum Source {
    /// From the emulator, and they are kept.
    Emulator(Arc<Emulator>, Arc<Mutex<(Recorded, Vec<Answer>)>>),
    /// From the input.
    Script(Arc<Mutex<Script>>),
}

impl Source {
    /// The emulator, with nothing recorded as yet.
    pub fn emulator(azure: Emulator) -> Self {
        Self::Emulator(Arc::new(azure), Arc::default())
    }

    /// What was recorded: by question, and one after another.
    pub fn recorded(&self) -> (Recorded, Vec<Answer>) {
        match self {
            Self::Emulator(_, recorded) => std::mem::take(&mut *recorded.lock().expect("no panic before")),
            Self::Script(_) => Default::default(),
        }
    }

    fn keep(&self, question: String, answer: Answer) {
        if let Self::Emulator(_, recorded) = self {
            let mut recorded = recorded.lock().expect("no panic before");
            recorded.0.0.entry(question).or_default().push(answer.clone());
            recorded.1.push(answer);
        }
    }
}

/// A way out of the library, for Azure and for Kubernetes.
#[derive(Clone)]
pub struct Door(pub Source);

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

/// The same thing asked is the same question, at whichever host.
fn question(method: &str, path: &str) -> String {
    format!("{method} {path}")
}

#[async_trait]
impl HttpClient for Door {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let asked = question(request.method().as_ref(), request.url().path());
        match &self.0 {
            Source::Emulator(azure, _) => {
                let answer = azure.transport().execute_request(request).await?.try_into_raw_response().await?;
                let headers = answer.headers().iter();
                let headers = headers.map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
                let (status, headers) = (u16::from(answer.status()), headers.collect());
                let body = Bytes::from(answer.body().to_vec());
                self.0.keep(asked, Answer { status, headers, body: body.clone() });
                Ok(AsyncRawResponse::from_bytes(answer.status(), answer.headers().clone(), body))
            }
            Source::Script(script) => {
                tokio::time::sleep(LATENCY).await;
                let answer = script.lock().expect("no panic before").next(&asked);
                let mut headers = Headers::new();
                for (name, value) in answer.headers {
                    headers.insert(HeaderName::from(name.to_lowercase()), HeaderValue::from(value));
                }
                let body = stream::once(async move { Ok(answer.body) });
                Ok(AsyncRawResponse::new(answer.status.into(), headers, Box::pin(body)))
            }
        }
    }
}

impl Service<http::Request<KubeBody>> for Door {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<KubeBody>) -> Self::Future {
        let watches = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let kind = if watches { "WATCH" } else { request.method().as_str() };
        let asked = question(kind, request.uri().path());
        let source = self.0.clone();
        Box::pin(async move {
            match &source {
                Source::Emulator(azure, _) => {
                    let door: KubernetesDoor = azure.kubernetes();
                    let (parts, body) = door.oneshot(request).await?.into_parts();
                    let body = whole(body, watches).await?;
                    let headers = parts
                        .headers
                        .iter()
                        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
                    let (status, headers) = (parts.status.as_u16(), headers.collect());
                    source.keep(asked, Answer { status, headers, body: body.clone() });
                    Ok(http::Response::from_parts(parts, Body::from(body)))
                }
                Source::Script(script) => {
                    tokio::time::sleep(LATENCY).await;
                    let answer = script.lock().expect("no panic before").next(&asked);
                    let mut response = http::Response::builder().status(answer.status);
                    for (name, value) in answer.headers {
                        response = response.header(name, value);
                    }
                    // What HTTP cannot carry never comes to the library.
                    Ok(response.body(Body::from(answer.body))?)
                }
            }
        })
    }
}

/// A body to its end. A watch has no end: it is read for a minute.
async fn whole(body: Body, watches: bool) -> Result<Bytes, BoxError> {
    let mut parts = body.into_data_stream();
    let mut all = Vec::new();
    loop {
        let next = parts.next();
        let part = if watches {
            tokio::time::timeout(Duration::from_secs(60), next).await.unwrap_or(None)
        } else {
            next.await
        };
        match part {
            Some(part) => all.extend_from_slice(&part?),
            None => return Ok(all.into()),
        }
    }
}
