//! Headers of Azure's answers.

/// The header by which Azure's activity log knows a request.
pub(crate) const CORRELATION_ID: &str = "x-ms-correlation-request-id";
