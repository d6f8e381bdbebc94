//! What can go wrong before a server runs, and what it does not obey.

use std::fmt;
use std::io;

use http::StatusCode;

use super::control::Refusal;

/// Why an order was not obeyed: nothing has changed. Its text says it all.
#[derive(Debug)]
pub struct OrderError {
    is_missing: bool,
    text: String,
}

impl OrderError {
    /// Whether the order was understood, but names what is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for OrderError {}

impl From<Refusal> for OrderError {
    fn from((status, text): Refusal) -> Self {
        Self { is_missing: status == StatusCode::NOT_FOUND, text }
    }
}

/// Why a server did not come up. Its text says it all.
#[derive(Debug)]
pub struct ServeError {
    is_system: bool,
    text: String,
}

impl ServeError {
    /// What was asked for cannot be.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { is_system: false, text: text.into() }
    }

    pub(crate) fn certificate(fault: impl fmt::Display) -> Self {
        Self { is_system: true, text: format!("cannot create certificates: {fault}") }
    }

    pub(crate) fn io(what: &str, fault: &io::Error) -> Self {
        Self { is_system: true, text: format!("{what}: {fault}") }
    }

    /// Whether this machine is in the way, and not what was asked for.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.is_system
    }
}

impl From<Refusal> for ServeError {
    fn from((_, text): Refusal) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
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
