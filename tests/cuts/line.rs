//! The line between a client and the emulator: it counts what passes, and cuts one request.

use aks_acr::{Client, KubeBody};
use aks_acr_emulator::{Emulator, KubernetesDoor};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request},
};
use futures::future::{BoxFuture, FutureExt, pending};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::sync::Notify;
use tower::{BoxError, Service};

/// How a request is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The caller ends: the request is never answered, and the operation is dropped.
    CallerEnds,
    /// The connection is lost: the operation is told so, and goes on or ends.
    ConnectionLost,
}

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
    sent: AtomicUsize,
    met: Mutex<Option<String>>,
    is_cut: Notify,
}

impl Line {
    pub fn new(cut: Option<Cut>) -> Arc<Self> {
        Arc::new(Self { cut, sent: AtomicUsize::new(0), met: Mutex::default(), is_cut: Notify::new() })
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
        self.sent.load(Ordering::Relaxed)
    }

    /// The request that was cut.
    pub fn met(&self) -> Option<String> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends when the caller is to end.
    pub async fn is_cut(&self) {
        self.is_cut.notified().await;
    }

    async fn pass<T, E>(
        &self,
        what: impl FnOnce() -> String + Send,
        send: impl Future<Output = Result<T, E>> + Send,
        lost: impl FnOnce(io::Error) -> E + Send,
    ) -> Result<T, E> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let Some(cut) = self.cut.filter(|cut| cut.at == number) else {
            return send.await;
        };
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(what());
        if cut.after_effect {
            drop(send.await);
        }
        match cut.way {
            Way::CallerEnds => {
                self.is_cut.notify_one();
                pending().await
            }
            Way::ConnectionLost => {
                Err(lost(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer")))
            }
        }
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
        self.line.pass(what, self.to.execute_request(request), lost).await
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
        self.line.pass(what, self.to.get_token(scopes, options), lost).await
    }
}

type KubeAnswer = <KubernetesDoor as Service<http::Request<KubeBody>>>::Response;

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
        let send = self.to.call(request);
        async move { line.pass(|| what, send, Into::into).await }.boxed()
    }
}
