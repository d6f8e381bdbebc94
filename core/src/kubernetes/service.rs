//! How requests to a cluster are sent: over TLS, or to a given service.

use super::trace::TraceLayer;
use kube::{
    Client, Config,
    client::{ClientBuilder, ConfigExt},
};
use std::{fmt, sync::Arc};
use tower::{BoxError, Service, ServiceBuilder};

/// The body of a request that `kube` sends.
pub type KubeBody = kube::client::Body;

/// A service that answers Kubernetes requests of any cluster, such as an in-process emulator.
///
/// It gets the requests of all clusters and distinguishes them by host. It is implemented for every matching `tower` service; you do
/// not implement it by hand.
pub trait KubeService: Send + Sync + 'static {
    /// Creates a client that sends to it.
    #[doc(hidden)]
    fn client(&self, config: &Config) -> Result<Client, kube::Error>;
}

impl<S, B> KubeService for S
where
    S: Service<http::Request<KubeBody>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn client(&self, config: &Config) -> Result<Client, kube::Error> {
        let service = ServiceBuilder::new()
            .layer(TraceLayer::new(config))
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .map_err(Into::<BoxError>::into)
            .service(self.clone());
        Ok(Client::new(service, config.default_namespace.clone()))
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

pub(crate) fn over_tls(config: Config) -> Result<Client, kube::Error> {
    let trace = TraceLayer::new(&config);
    Ok(ClientBuilder::try_from(config)?.with_layer(&trace).build())
}
