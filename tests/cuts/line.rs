//! The line between a client and the emulator: it counts what passes, and cuts one request.

use aks_acr::{Client, KubeBody};
use aks_acr_emulator::{Emulator, KubernetesDoor};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, StatusCode, headers::Headers},
};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, pending};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use serde_json::json;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::{sync::Notify, time::Instant};
use tower::{BoxError, Service};

/// How a request is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The caller ends: the request is never answered, and the operation is dropped.
    CallerEnds,
    /// The connection is lost: the operation gets an error, and continues or ends.
    ConnectionLost,
    /// From there on every request stalls.
    Stalls(Stall),
}

/// How an endless request looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// No answer comes.
    Answer,
    /// The head of the answer comes, and no body. To a credential it is as if no answer came.
    Body,
    /// The service asks to wait some seconds, again and again. To a credential it is as if no answer came.
    Throttle,
}

/// What is asked for again and again.
const THROTTLE: &str = "4";

/// Which request is cut, and how.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub way: Way,
    /// The number of the request, from 0.
    pub at: usize,
    /// Whether the emulator did what it asks for, and only the answer is lost.
    pub after_effect: bool,
}

/// What all requests of one client pass: to Entra, Azure, registries and clusters, in the order in which they are sent.
#[derive(Debug)]
pub struct Line {
    cut: Option<Cut>,
    sent: Mutex<Vec<Instant>>,
    met: Mutex<Option<String>>,
    is_cut: Notify,
}

impl Line {
    pub fn new(cut: Option<Cut>) -> Arc<Self> {
        Arc::new(Self { cut, sent: Mutex::default(), met: Mutex::default(), is_cut: Notify::new() })
    }

    /// A client whose requests to the emulator pass here.
    pub fn client(self: &Arc<Self>, azure: &Emulator) -> Client {
        let credential = Arc::new(OverLine { line: self.clone(), to: azure.credential() });
        let transport = Arc::new(OverLine { line: self.clone(), to: azure.transport() });
        let kubernetes = OverLine { line: self.clone(), to: azure.kubernetes() };
        let builder = Client::builder(credential, azure.subscription()).transport(transport).kubernetes(kubernetes);
        builder.environment(|_| None).build().expect("a client")
    }

    /// How many requests were sent.
    pub fn sent(&self) -> usize {
        self.times().len()
    }

    /// When each of them was sent.
    pub fn times(&self) -> Vec<Instant> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The request that was cut.
    pub fn met(&self) -> Option<String> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends when the caller is to end.
    pub async fn is_cut(&self) {
        self.is_cut.notified().await;
    }

    fn count(&self) -> usize {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(Instant::now());
        sent.len() - 1
    }

    async fn pass<T, E>(
        &self,
        what: impl FnOnce() -> String + Send,
        send: impl Future<Output = Result<T, E>> + Send,
        lost: impl FnOnce(io::Error) -> E + Send,
        stalled: impl FnOnce(T, Stall) -> Option<T> + Send,
    ) -> Result<T, E> {
        let number = self.count();
        let is_met = |cut: &Cut| if let Way::Stalls(_) = cut.way { cut.at <= number } else { cut.at == number };
        let Some(cut) = self.cut.filter(is_met) else {
            return send.await;
        };
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(what());
        if let Way::Stalls(stall) = cut.way {
            let stalled = if stall == Stall::Answer { None } else { stalled(send.await?, stall) };
            return match stalled {
                Some(answer) => Ok(answer),
                None => pending().await,
            };
        }
        if cut.after_effect {
            drop(send.await);
        }
        if cut.way == Way::CallerEnds {
            self.is_cut.notify_one();
            return pending().await;
        }
        Err(lost(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer")))
    }
}

/// One of the ways to the emulator, over the line.
#[derive(Clone, Debug)]
struct OverLine<T> {
    line: Arc<Line>,
    to: T,
}

#[async_trait]
impl HttpClient for OverLine<Arc<dyn HttpClient>> {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let what = || format!("{} {}", request.method().as_ref(), request.url());
        let lost = |err| azure_core::Error::new(ErrorKind::Io, err);
        let stalled = |answer: AsyncRawResponse, stall| {
            if stall == Stall::Throttle {
                let mut headers = Headers::new();
                headers.insert("retry-after", THROTTLE);
                headers.insert("content-type", "application/json");
                let error = json!({ "code": "TooManyRequests", "message": "too many requests" });
                let body = json!({ "error": error, "errors": [error] }).to_string();
                return Some(AsyncRawResponse::from_bytes(StatusCode::TooManyRequests, headers, body));
            }
            let (status, headers, _) = answer.deconstruct();
            Some(AsyncRawResponse::new(status, headers, Box::pin(futures::stream::pending())))
        };
        self.line.pass(what, self.to.execute_request(request), lost, stalled).await
    }
}

#[async_trait]
impl TokenCredential for OverLine<Arc<dyn TokenCredential>> {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let what = || format!("token for {}", scopes.join(" "));
        // As Azure's own credentials do it: what went wrong is behind their own error.
        let lost = |err| azure_core::Error::new(ErrorKind::Credential, azure_core::Error::new(ErrorKind::Io, err));
        self.line.pass(what, self.to.get_token(scopes, options), lost, |_, _| None).await
    }
}

type KubeAnswer = http::Response<UnsyncBoxBody<Bytes, BoxError>>;

impl Service<http::Request<KubeBody>> for OverLine<KubernetesDoor> {
    type Response = KubeAnswer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<KubeAnswer, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<http::Request<KubeBody>>::poll_ready(&mut self.to, context)
    }

    fn call(&mut self, request: http::Request<KubeBody>) -> Self::Future {
        let (line, what) = (self.line.clone(), format!("{} {}", request.method(), request.uri()));
        // Nothing is sent before it is asked for.
        let send = self.to.call(request).map(|answer| Ok(answer?.map(|body| body.map_err(Into::into).boxed_unsync())));
        async move { line.pass(|| what, send, Into::into, |answer, stall| Some(stall_kubernetes(answer, stall))).await }
            .boxed()
    }
}

fn stall_kubernetes(answer: KubeAnswer, stall: Stall) -> KubeAnswer {
    let status =
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "TooManyRequests", "code": 429 });
    let (mut head, body): (_, UnsyncBoxBody<Bytes, BoxError>) = match stall {
        Stall::Throttle => {
            let throttled = http::Response::builder().status(429).header("retry-after", THROTTLE);
            let body = Full::new(Bytes::from(status.to_string())).map_err(Into::into).boxed_unsync();
            throttled.body(body).expect("an answer").into_parts()
        }
        _ => (answer.into_parts().0, StreamBody::new(futures::stream::pending()).boxed_unsync()),
    };
    head.headers.remove(http::header::CONTENT_LENGTH);
    http::Response::from_parts(head, body)
}
