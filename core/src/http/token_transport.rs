//! The transport of credentials.

use super::read_body::{BodyKind, read_response};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind as Azure,
    http::{AsyncRawResponse, HttpClient, Request},
};
use std::{sync::Arc, time::Duration};

/// A transport for credentials, whose own pipelines read bodies without a limit and without a timeout.
#[derive(Debug)]
pub(crate) struct TokenTransport {
    inner: Arc<dyn HttpClient>,
}

/// Token endpoints respond within a second or two.
const LONGEST_TOKEN_TRY: Duration = Duration::from_secs(20);

impl TokenTransport {
    pub fn new(inner: Arc<dyn HttpClient>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl HttpClient for TokenTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let exchange = async {
            let response = self.inner.execute_request(request).await?;
            Ok(read_response(response, BodyKind::Token).await?.0)
        };
        let late = |_| azure_core::Error::with_message(Azure::Io, format!("no response within {LONGEST_TOKEN_TRY:?}"));
        tokio::time::timeout(LONGEST_TOKEN_TRY, exchange).await.map_err(late)?
    }
}
