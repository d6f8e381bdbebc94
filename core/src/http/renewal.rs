//! Another token for one that has expired before it was thought to.

use super::token::Caller;
use crate::challenge;
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, Context, Request, StatusCode,
    headers::{AUTHORIZATION, WWW_AUTHENTICATE},
    policies::{Policy, PolicyResult},
};
use std::sync::Arc;

/// Stands before `azure_core`'s policy for tokens, which lets go of a token that was not accepted: what is sent again brings
/// another, if the credential lets go of it as well. Once: who refuses that one, too, means it.
#[derive(Debug)]
pub(super) struct TokenRenewal {
    pub caller: Arc<dyn Caller>,
    pub scope: String,
}

#[async_trait]
impl Policy for TokenRenewal {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let answer = next[0].send(ctx, request, &next[1..]).await?;
        if !says_that_the_token_is_bad(&answer) {
            return Ok(answer);
        }
        let refused = request.headers().get_optional_str(&AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "));
        if let Some(refused) = refused {
            self.caller.forget(&self.scope, refused);
        }
        request.body_mut().reset().await?;
        next[0].send(ctx, request, &next[1..]).await
    }
}

/// See [The WWW-Authenticate header](https://www.rfc-editor.org/rfc/rfc6750#section-3.1). What conditional access wants besides a
/// token has another word.
fn says_that_the_token_is_bad(answer: &AsyncRawResponse) -> bool {
    answer.status() == StatusCode::Unauthorized
        && answer
            .headers()
            .get_optional_str(&WWW_AUTHENTICATE)
            .is_some_and(|header| challenge::with_error(header, "invalid_token").is_some())
}
