//! What can go wrong before a server runs.

use std::fmt;
use std::io;

/// Why a server did not come up. Its text says it all.
#[derive(Debug)]
pub struct ServeError(String);

impl ServeError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn certificate(fault: impl fmt::Display) -> Self {
        Self(format!("the certificates could not be made: {fault}"))
    }

    pub(super) fn io(what: &str, fault: &io::Error) -> Self {
        Self(format!("{what}: {fault}"))
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServeError {}

impl From<rcgen::Error> for ServeError {
    fn from(fault: rcgen::Error) -> Self {
        Self::certificate(fault)
    }
}

impl From<tokio_rustls::rustls::Error> for ServeError {
    fn from(fault: tokio_rustls::rustls::Error) -> Self {
        Self::certificate(fault)
    }
}
