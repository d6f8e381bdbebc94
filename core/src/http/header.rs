//! Headers of Azure's responses.

/// The correlation ID of Azure's activity log.
pub(crate) const CORRELATION_ID: &str = "x-ms-correlation-request-id";
