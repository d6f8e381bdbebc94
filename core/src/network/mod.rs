//! Outgoing connections: which proxy a connection uses, and which root certificates are trusted in addition to the system's. The same
//! for Azure, registries and clusters.

#[cfg(feature = "reqwest")]
mod every_header;
mod no_proxy;
mod permanent_error;
mod proxy;
#[cfg(feature = "reqwest")]
mod transport;
mod trust;

pub(crate) use permanent_error::PermanentConnectError;
#[cfg(feature = "reqwest")]
pub(crate) use transport::transport;

use crate::{environment::Environment, error::Result};
use proxy::Proxies;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;

#[cfg(feature = "kubernetes")]
pub(crate) use proxy::Proxy;

/// What a client's connections have in common. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    proxies: Arc<Proxies>,
    trusted: Arc<[CertificateDer<'static>]>,
}

impl Network {
    /// Parses the builder's settings.
    pub fn new(proxy: Option<&str>, trusted: &[String], environment: &Environment) -> Result<Self> {
        let proxies = Proxies::new(proxy, environment)?;
        let mut certificates = Vec::new();
        for pem in trusted {
            certificates.extend(trust::read(pem)?);
        }
        Ok(Self { proxies: Arc::new(proxies), trusted: certificates.into() })
    }

    /// The proxy for a host, `None` if it is reached directly.
    #[cfg(feature = "kubernetes")]
    pub fn proxy_for(&self, host: &str, port: u16) -> Result<Option<&Proxy>> {
        self.proxies.usable()?;
        Ok(self.proxies.find(host, port))
    }

    /// Root certificates trusted in addition to the system's.
    #[cfg(feature = "kubernetes")]
    pub fn trusted(&self) -> &[CertificateDer<'static>] {
        &self.trusted
    }
}
