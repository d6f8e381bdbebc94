//! The error response of a service.

use crate::quoted::{Quoted, quoted};
use std::{error::Error as StdError, fmt};

/// The error response of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The service's own code, such as `AuthorizationFailed`.
    pub code: Option<String>,
    /// The service's own message.
    pub message: Option<String>,
    /// `x-ms-request-id` of the response.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id` of the response.
    pub correlation_id: Option<String>,
}

impl ServiceError {
    /// Creates a response with this status and code; all other fields are empty.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>) -> Self {
        Self { status, code: Some(code.into()), ..Self::default() }
    }
}

impl ServiceError {
    /// The same with its texts quoted for display: a service may send any text.
    pub(crate) fn quoted(self) -> Self {
        let Self { status, code, message, request_id, correlation_id } = self;
        let [code, message, request_id, correlation_id] =
            [code, message, request_id, correlation_id].map(|text| text.map(quoted));
        Self { status, code, message, request_id, correlation_id }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {}", Quoted(code))?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {}", Quoted(message))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " [request id {}]", Quoted(id))?;
        }
        Ok(())
    }
}

impl StdError for ServiceError {}
