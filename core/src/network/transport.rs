//! The default transport.

use super::{Network, every_header::EveryHeader};
use crate::error::{Error, ErrorKind, Result};
use azure_core::http::HttpClient;
use reqwest::{Certificate, Client, Proxy, redirect::Policy};
use std::{sync::Arc, time::Duration};

/// The same as in `azure_core`'s own client.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Creates the transport with the network's proxy and certificates. In everything else it is `azure_core`'s own.
pub(crate) fn transport(network: &Network) -> Result<Arc<dyn HttpClient>> {
    network.proxies.usable()?;
    let broken = |err: reqwest::Error| {
        Error::new(ErrorKind::Unexpected, "cannot make a client for HTTP").with_source(err.without_url())
    };
    let authorities: Result<Vec<_>, _> = network.trusted.iter().map(|one| Certificate::from_der(one)).collect();
    let proxies = network.proxies.clone();
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(Policy::none())
        .gzip(true)
        .tls_certs_merge(authorities.map_err(broken)?)
        // Its own reading of the variables is switched off.
        .no_proxy()
        .proxy(Proxy::custom(move |to| {
            // The machine's own identity endpoint is the one address without TLS, and no proxy leads there.
            let host = to.host_str().filter(|_| to.scheme() == "https")?;
            Some(proxies.find(host, to.port_or_known_default()?)?.url().clone())
        }))
        .build()
        .map_err(broken)?;
    Ok(Arc::new(EveryHeader(client)))
}
