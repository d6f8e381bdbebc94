//! Connections to an API server, as a kubeconfig describes it.

use crate::{
    cluster::kubeconfig::Endpoint,
    error::{Error, ErrorKind, Result},
    network::{Network, Proxy},
};
use azure_core::credentials::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::InvalidHeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Identity, redirect::Policy};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A client for one API server. It has no limit on the time of a response: a watch is open for minutes.
pub(super) fn transport(endpoint: &Endpoint, network: &Network) -> Result<Client> {
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .http1_only()
        .gzip(true)
        // Its own reading of the variables is switched off.
        .no_proxy();
    let builder = with_certificates(builder, endpoint, network).map_err(invalid)?;
    let builder = with_proxy(builder, endpoint, network)?;
    builder.build().map_err(|err| invalid(err.into()))
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The kubeconfig's certificate authority, client certificate or key: the source says which.
fn invalid(source: Cause) -> Error {
    Error::new(ErrorKind::InvalidInput, "the kubeconfig has an invalid certificate or key")
        .with_context("while", "connecting to the cluster")
        .with_context("hint", "with an emulator inside this program, set ClientBuilder::kubernetes")
        .with_source(source)
}

fn with_certificates(
    mut builder: ClientBuilder,
    endpoint: &Endpoint,
    network: &Network,
) -> Result<ClientBuilder, Cause> {
    let mut own = network.trusted().iter().map(|one| Certificate::from_der(one)).collect::<Result<Vec<_>, _>>()?;
    // AKS includes a cluster's root certificate in every kubeconfig, and then no other of the system is trusted.
    builder = match &endpoint.authority {
        Some(authority) => {
            let authority = STANDARD.decode(authority).map_err(|_| "certificate-authority-data is not base64")?;
            let authorities = Certificate::from_pem_bundle(&authority)?;
            if authorities.is_empty() {
                return Err("certificate-authority-data contains no certificate".into());
            }
            own.extend(authorities);
            builder.tls_certs_only(own)
        }
        None => builder.tls_certs_merge(own),
    };
    if endpoint.certificate.is_some() != endpoint.key.is_some() {
        return Err("client-certificate-data and client-key-data need each other".into());
    }
    if let (Some(certificate), Some(key)) = (&endpoint.certificate, &endpoint.key) {
        let mut pem = STANDARD.decode(key.secret()).map_err(|_| "client-key-data is not base64")?;
        pem.push(b'\n');
        pem.extend(STANDARD.decode(certificate).map_err(|_| "client-certificate-data is not base64")?);
        builder = builder.identity(Identity::from_pem(&pem)?);
    }
    Ok(builder)
}

/// The file has precedence over the caller's proxy, as in kubectl.
fn with_proxy(builder: ClientBuilder, endpoint: &Endpoint, network: &Network) -> Result<ClientBuilder> {
    let named = endpoint.proxy.as_deref().map(|named| Proxy::parse(named, "proxy-url")).transpose()?;
    let proxy = match named {
        Some(named) => Some(named),
        None => own_proxy(&endpoint.server, network)?,
    };
    let Some(proxy) = proxy else { return Ok(builder) };
    let proxy = reqwest::Proxy::all(proxy.url().clone())
        .map_err(|err| Error::new(ErrorKind::Unexpected, "cannot use the proxy").with_source(err.without_url()))?;
    Ok(builder.proxy(proxy))
}

fn own_proxy(server: &str, network: &Network) -> Result<Option<Proxy>> {
    let server = url::Url::parse(server).ok();
    let place = server.as_ref().and_then(|server| Some((server.host_str()?, server.port_or_known_default()?)));
    let (host, port) = place.ok_or_else(|| Error::new(ErrorKind::Unexpected, "Azure's kubeconfig is unusable"))?;
    Ok(network.proxy_for(host, port)?.cloned())
}

/// A token as a header, which `Debug` does not show.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, environment::Environment};

    fn endpoint() -> Endpoint {
        Endpoint {
            server: "https://dev.example".to_owned(),
            proxy: None,
            authority: None,
            certificate: None,
            key: None,
            token: None,
            is_entra: false,
        }
    }

    #[test]
    fn what_a_kubeconfig_has_of_certificates_is_used_or_refused() {
        let network = Network::new(None, &[], &Environment::new(|_| None)).unwrap();
        assert!(transport(&endpoint(), &network).is_ok());
        let text = |text: &str| Some(STANDARD.encode(text));
        let broken = "-----BEGIN CERTIFICATE-----\ndG9wLXNlY3JldA==\n-----END CERTIFICATE-----\n";
        let key = |text: &str| Some(Secret::new(STANDARD.encode(text)));
        for wrong in [
            Endpoint { authority: Some("%".to_owned()), ..endpoint() },
            Endpoint { authority: text("no certificate"), ..endpoint() },
            Endpoint { authority: text(broken), ..endpoint() },
            Endpoint { certificate: text(broken), ..endpoint() },
            Endpoint { key: key("top-secret"), ..endpoint() },
            Endpoint { certificate: text(broken), key: key("top-secret"), ..endpoint() },
            Endpoint { certificate: Some("%".to_owned()), key: key("top-secret"), ..endpoint() },
        ] {
            let err = transport(&wrong, &network).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput, "{err:#}");
            assert!(err.to_string().contains("invalid certificate or key"), "{err}");
            let shown = format!("{err:#} {err:?}");
            assert!(!shown.contains("top-secret") && !shown.contains("dG9w"), "{shown}");
        }
    }
}
