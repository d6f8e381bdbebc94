//! A sign-in that fails for a reason unrelated to the caller.

use crate::error::{Error, ErrorKind, ServiceError};
use azure_core::http::StatusCode;
use std::time::Duration;

/// Why there is no token, if that is unrelated to the caller's identity: no network, a proxy, a sign-in service that is unavailable or
/// throttles.
#[derive(Clone, Debug)]
pub(crate) struct SignInTrouble {
    pub kind: ErrorKind,
    pub is_transient: bool,
    /// In a few words, without secrets.
    pub reason: String,
    pub host: String,
    pub retry_after: Option<Duration>,
    pub service: Option<ServiceError>,
}

impl std::fmt::Display for SignInTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "could not reach {}: {}", self.host, self.reason)
    }
}

impl std::error::Error for SignInTrouble {}

impl SignInTrouble {
    pub fn new(kind: ErrorKind, host: &str, reason: impl Into<String>) -> Self {
        let (host, reason) = (host.to_owned(), reason.into());
        Self { kind, is_transient: kind.is_transient(), reason, host, retry_after: None, service: None }
    }

    pub fn error(self, step: &str) -> Error {
        let sentence = match self.kind {
            ErrorKind::RateLimited => "could not acquire a token: the sign-in service throttles",
            _ => "could not acquire a token: the sign-in service is not available",
        };
        let mut err = Error::new(self.kind, sentence).with_transient(self.is_transient).with_context("while", step);
        if !self.host.is_empty() {
            err = err.with_context("host", self.host);
        }
        err = err.with_context("reason", self.reason);
        if let Some(wait) = self.retry_after {
            err = err.with_retry_after(wait);
        }
        match self.service {
            Some(service) => err.with_service(service),
            None => err,
        }
    }
}

/// The statuses of a sign-in service that is unavailable or throttles.
pub(crate) fn is_trouble(status: StatusCode) -> bool {
    matches!(u16::from(status), 408 | 429 | 500..=599)
}
