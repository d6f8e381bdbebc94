//! The requests of one call to a cluster: each uses the current connection, a valid token, and a limit on the response.

use super::{
    connection::{Connection, is_connecting},
    pool::Pool,
    transport::bearer,
};
use crate::{call::Call, error::Error, http::BodyKind, id::ResourceId, kubernetes::Bounded};
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode, header::AUTHORIZATION, request::Parts};
use kube::client::Body;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tower::{BoxError, Service};

/// A service below a `kube` client. A request that the cluster answers with 401 is sent once more, with a new kubeconfig and a new
/// token; a broken connection is dropped, so that the next try creates another.
#[derive(Clone)]
pub(super) struct Session {
    pool: Pool,
    cluster: ResourceId,
    call: Call,
    /// Whether Azure was asked if the cluster is stopped.
    was_asked: Arc<AtomicBool>,
}

impl Session {
    pub fn new(pool: Pool, cluster: ResourceId, call: Call) -> Self {
        Self { pool, cluster, call, was_asked: Arc::default() }
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Bounded>, BoxError> {
        let sent = self.send_once_or_twice(request).await;
        match sent {
            Err(err) if !err.is::<Error>() => Err(self.or_stopped(err).await),
            sent => sent,
        }
    }

    /// Why a request got no response. Azure is asked once in a session.
    async fn or_stopped(&self, err: BoxError) -> BoxError {
        if self.was_asked.swap(true, Ordering::Relaxed) {
            return err;
        }
        self.pool.stopped(&self.cluster, &self.call).await.map_or(err, Into::into)
    }

    async fn send_once_or_twice(&self, request: Request<Body>) -> Result<Response<Bounded>, BoxError> {
        let (head, body) = request.into_parts();
        // It is kept for a second time. No object is big.
        let body = body.collect_bytes().await?;
        let kind = kind_of(&head);
        let connection = self.pool.connection(&self.cluster, &self.call).await?;
        let first = self.send_on(&connection, &head, &body).await;
        let response = match first {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                self.drop_refused(&connection);
                self.send_anew(&head, &body).await?
            }
            // Nothing was sent, and the address or the certificate may be another by now.
            Err(err) if self.leads_nowhere(&connection, &err) => match self.send_anew(&head, &body).await {
                Err(other) if other.downcast_ref::<Error>().is_some_and(Error::is_transient) => return Err(err),
                ended => ended?,
            },
            ended => ended?,
        };
        Ok(response.map(|body| Bounded::new(body, kind)))
    }

    /// Sends on the current connection.
    async fn send_anew(&self, head: &Parts, body: &bytes::Bytes) -> Result<Response<Body>, BoxError> {
        let renewed = self.pool.connection(&self.cluster, &self.call).await?;
        self.send_on(&renewed, head, body).await
    }

    fn leads_nowhere(&self, connection: &Arc<Connection>, err: &BoxError) -> bool {
        is_connecting(err.as_ref()) && !self.pool.holds(&self.cluster, connection)
    }

    /// Drops a connection whose credentials were rejected, and its token. Another request may have done so already.
    fn drop_refused(&self, refused: &Arc<Connection>) {
        if self.pool.drop_connection(&self.cluster, refused)
            && let Some(scope) = refused.scope
        {
            self.pool.tokens.forget(scope);
        }
    }

    async fn send_on(
        &self,
        connection: &Arc<Connection>,
        head: &Parts,
        body: &bytes::Bytes,
    ) -> Result<Response<Body>, BoxError> {
        let mut head = head.clone();
        if let Some(scope) = connection.scope {
            let token = self.pool.tokens.get(scope, &self.call).await?;
            head.headers.insert(AUTHORIZATION, bearer(&token)?);
        }
        let attempt = Attempt { session: self, connection, is_open: true };
        let result = connection.client.send(Request::from_parts(head, Body::from(body.clone()))).await;
        attempt.end(result).map_err(Into::into)
    }
}

/// What a response contains. Kinds are requested by a path without a resource, and `kube` parses the response.
fn kind_of(head: &Parts) -> BodyKind {
    let is_watch = head.uri.query().is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
    let mut parts = head.uri.path().split('/').filter(|part| !part.is_empty());
    let longest = if parts.next() == Some("api") { 1 } else { 2 };
    match (is_watch, parts.count() <= longest) {
        (true, _) => BodyKind::KubernetesObject,
        (false, true) => BodyKind::KubernetesKinds,
        (false, false) => BodyKind::KubernetesList,
    }
}

/// A request in progress. One that is dropped because its time is over counts as lost.
struct Attempt<'a> {
    session: &'a Session,
    connection: &'a Arc<Connection>,
    is_open: bool,
}

impl Attempt<'_> {
    fn end(mut self, result: Result<Response<Body>, kube::Error>) -> Result<Response<Body>, kube::Error> {
        self.is_open = false;
        match &result {
            Ok(_) => self.connection.answered(),
            Err(err) => self.lose(is_connecting(err)),
        }
        result
    }

    fn lose(&self, is_connecting: bool) {
        if self.connection.lose(is_connecting) {
            self.session.pool.drop_connection(&self.session.cluster, self.connection);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.lose(false);
        }
    }
}

impl Service<Request<Body>> for Session {
    type Response = Response<Bounded>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Bounded>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
