//! Sets the user agent of each request to a cluster, and logs the request.

use super::failure::reason;
use crate::http::{Try, USER_AGENT_VALUE};
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header::USER_AGENT};
use kube::client::Body;
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

/// Wraps a service in the logging service.
pub(crate) struct TraceLayer {
    host: Arc<str>,
}

impl TraceLayer {
    pub fn new(server: &Uri) -> Self {
        Self { host: server.host().unwrap_or_default().into() }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Tell<S>;

    fn layer(&self, inner: S) -> Tell<S> {
        Tell { host: self.host.clone(), inner }
    }
}

/// A service that logs its requests and responses.
#[derive(Clone)]
pub(crate) struct Tell<S> {
    /// The requests here have paths only.
    host: Arc<str>,
    inner: S,
}

impl<S, B> Service<Request<Body>> for Tell<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT_VALUE));
        let (host, method, path) = (self.host.clone(), request.method().clone(), request.uri().path().to_owned());
        let begun = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await.map_err(Into::into);
            let (method, path) = (method.as_str(), path.as_str());
            let one = Try { step: "sending a request to the cluster", method, host: &host, path, attempt: None, begun };
            match &answer {
                Ok(answer) => one.answered(answer.status().as_u16(), audit_id(answer)),
                Err(err) => one.lost(&reason(err.as_ref())),
            }
            answer
        })
    }
}

/// The ID of the request in the cluster's audit log.
fn audit_id<B>(answer: &Response<B>) -> Option<&str> {
    answer.headers().get("audit-id").and_then(|id| id.to_str().ok())
}
