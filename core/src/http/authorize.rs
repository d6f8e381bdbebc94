//! Adds the caller's token to a request. Re-authenticates once when a token is rejected before its expiry.

use super::token::Tokens;
use crate::challenge;
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind as Azure,
    http::{
        AsyncRawResponse, Context, Request, StatusCode,
        headers::{AUTHORIZATION, WWW_AUTHENTICATE},
        policies::{Policy, PolicyResult},
    },
};
use std::sync::Arc;

/// Replaces `azure_core`'s token policy, with which all requests that wait for a failing token acquire it one after another.
#[derive(Debug)]
pub(super) struct Authorize {
    pub tokens: Tokens,
    pub scope: String,
}

#[async_trait]
impl Policy for Authorize {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if request.url().scheme() != "https" {
            return Err(Error::with_message(Azure::Other, "a token is sent over https only"));
        }
        let token = self.tokens.acquire(&self.scope).await?.token;
        request.insert_header(AUTHORIZATION, format!("Bearer {}", token.secret()));
        let response = next[0].send(ctx, request, &next[1..]).await?;
        if response.status() != StatusCode::Unauthorized {
            return Ok(response);
        }
        let is_bad = says_that_the_token_is_bad(&response);
        self.tokens.forget_this(&self.scope, token.secret(), is_bad);
        if !is_bad {
            return Ok(response);
        }
        // Once: a second rejection is final.
        let token = self.tokens.acquire(&self.scope).await?.token;
        request.insert_header(AUTHORIZATION, format!("Bearer {}", token.secret()));
        request.body_mut().reset().await?;
        next[0].send(ctx, request, &next[1..]).await
    }
}

/// See [The WWW-Authenticate header](https://www.rfc-editor.org/rfc/rfc6750#section-3.1). Conditional access uses another error code.
fn says_that_the_token_is_bad(response: &AsyncRawResponse) -> bool {
    let header = response.headers().get_optional_str(&WWW_AUTHENTICATE);
    header.is_some_and(|header| challenge::with_error(header, "invalid_token").is_some())
}
