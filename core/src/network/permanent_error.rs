//! Permanent connection errors, for which a retry cannot help.

use std::{error::Error, io};

/// Why no connection is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PermanentConnectError {
    /// The server's certificate is not trusted, or belongs to another host.
    Certificate,
    /// The proxy requires a user and a password, or rejects them.
    ProxyUser,
}

/// The text of hyper's connector if a proxy responds with 407. Its type is private, so only the text is available; if it changes, a
/// wrong password is tried a few times more, which locks some accounts, and a test fails.
const PROXY_USER: &str = "tunnel error: proxy authorization required";

impl PermanentConnectError {
    /// Looks for one in an error and its sources.
    pub fn find(err: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(err);
        while let Some(err) = next {
            if let Some(found) = Self::of(err) {
                return Some(found);
            }
            // The inner error of an I/O error is not its source.
            let held = err.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| err.source());
        }
        None
    }

    fn of(err: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(rustls::Error::InvalidCertificate(_)) = err.downcast_ref() {
            return Some(Self::Certificate);
        }
        (err.source().is_none() && err.to_string() == PROXY_USER).then_some(Self::ProxyUser)
    }

    pub fn sentence(self) -> &'static str {
        match self {
            Self::Certificate => {
                "the server's certificate is not trusted: if a proxy inspects TLS, add its root certificate to the \
                    client"
            }
            Self::ProxyUser => {
                "the proxy rejected the user and password, or requires them: set them in the proxy's address"
            }
        }
    }
}
