//! How requests to a cluster are sent: over TLS, or to a given service.

use super::trace::TraceLayer;
use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use kube::{Client, client::middleware::BaseUriLayer};
use std::{fmt, sync::Arc};
use tower::{BoxError, Service, ServiceBuilder, service_fn};

/// The body of a request that `kube` sends.
pub type KubeBody = kube::client::Body;

/// A service that answers Kubernetes requests of any cluster, such as an in-process emulator.
///
/// It gets the requests of all clusters and distinguishes them by host. It is implemented for every matching `tower` service; you do
/// not implement it by hand.
pub trait KubeService: Send + Sync + 'static {
    /// Creates a client for one API server, which sends to this service.
    #[doc(hidden)]
    fn client(&self, server: Uri, credential: Option<HeaderValue>) -> Client;
}

impl<S, B> KubeService for S
where
    S: Service<Request<KubeBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    /// It sends the credential with each request that has none.
    fn client(&self, server: Uri, credential: Option<HeaderValue>) -> Client {
        let sign = move |mut request: Request<KubeBody>| {
            if let Some(credential) = &credential {
                request.headers_mut().entry(AUTHORIZATION).or_insert_with(|| credential.clone());
            }
            request
        };
        let service = ServiceBuilder::new()
            .layer(TraceLayer::new(&server))
            .layer(BaseUriLayer::new(server))
            .map_request(sign)
            .service(self.clone());
        Client::new(service, "default")
    }
}

/// How a cluster's API is reached.
#[derive(Clone, Default)]
pub(crate) enum KubeConnector {
    /// Over TLS, as in its kubeconfig.
    #[default]
    Tls,
    /// To a given service.
    Service(Arc<dyn KubeService>),
}

impl fmt::Debug for KubeConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "Tls",
            Self::Service(_) => "Service",
        })
    }
}

/// A service that sends over the connections of a client for HTTP.
pub(crate) fn over_http(client: reqwest::Client) -> impl KubeService {
    service_fn(move |request: Request<KubeBody>| {
        let client = client.clone();
        async move {
            let (head, body) = request.into_parts();
            let request = Request::from_parts(head, body.collect_bytes().await?);
            let request = reqwest::Request::try_from(request)?;
            // The address would be in each text; the error's context says what was requested.
            let response = client.execute(request).await.map_err(reqwest::Error::without_url)?;
            Ok::<_, BoxError>(Response::<reqwest::Body>::from(response))
        }
    })
}
