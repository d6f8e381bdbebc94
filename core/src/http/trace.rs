//! Requests and tokens, as events of `tracing`.

use super::Caller;
use crate::{
    call::millis,
    telemetry::{CREDENTIAL, HTTP},
};
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// One try of a request. The query is left out, because it is sometimes signed.
pub(crate) struct Try<'a> {
    pub step: &'a str,
    pub method: &'a str,
    pub host: &'a str,
    pub path: &'a str,
    /// From 1, if tries are counted.
    pub attempt: Option<u32>,
    pub begun: Instant,
}

impl Try<'_> {
    pub fn answered(&self, status: u16, request_id: Option<&str>) {
        let Self { step, method, host, path, attempt, begun } = *self;
        let duration_ms = millis(begun.elapsed());
        tracing::debug!(target: HTTP, step, method, host, path, attempt, status, request_id, duration_ms, "answered");
    }

    pub fn lost(&self, reason: &str) {
        let Self { step, method, host, path, attempt, begun } = *self;
        let duration_ms = millis(begun.elapsed());
        tracing::debug!(target: HTTP, step, method, host, path, attempt, duration_ms, reason, "no response");
    }
}

/// Logs the result of a credential.
pub(crate) fn token(credential: &str, scopes: &[&str], begun: Instant, given: &Result<AccessToken>) {
    let (audience, duration_ms) = (scopes.join(" "), millis(begun.elapsed()));
    match given {
        Ok(token) => {
            let end = Duration::try_from(token.expires_on - time::OffsetDateTime::now_utc());
            let expires_in_s = end.map_or(0, |end| end.as_secs());
            tracing::debug!(target: CREDENTIAL, credential, audience, expires_in_s, duration_ms, "token");
        }
        Err(err) => {
            // The text of an external error may contain anything; the caller gets it with the error of the operation.
            let reason = err.kind().to_string();
            tracing::debug!(target: CREDENTIAL, credential, audience, duration_ms, reason, "no token");
        }
    }
}

/// The caller's own credential, with logging.
pub(crate) struct GivenCredential(pub Arc<dyn TokenCredential>);

#[async_trait::async_trait]
impl TokenCredential for GivenCredential {
    async fn get_token(&self, scopes: &[&str], options: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        let begun = Instant::now();
        let given = self.0.get_token(scopes, options).await;
        token("given", scopes, begun, &given);
        given
    }
}

impl Caller for GivenCredential {}

/// Its own `Debug` might show secrets.
impl fmt::Debug for GivenCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenCredential")
    }
}
