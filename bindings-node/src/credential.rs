//! A credential of `@azure/identity`, or any object with `getToken`, as `azure_core`'s.

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
};
use napi::{
    Status,
    bindgen_prelude::{Function, Promise},
    threadsafe_function::ThreadsafeFunction,
};
use napi_derive::napi;
use std::fmt;
use time::OffsetDateTime;

/// What the JavaScript half makes of the credential's answer.
#[napi(object, object_to_js = false)]
pub struct Token {
    /// The token.
    pub token: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_on_timestamp: f64,
}

/// `getToken`, made `async` by the JavaScript half, so that it never throws.
pub type GetToken<'a> = Function<'a, Vec<String>, Promise<Token>>;

/// Weak: a client that is alive does not keep the process from exiting.
type Getter = ThreadsafeFunction<Vec<String>, Promise<Token>, Vec<String>, Status, false, true>;

/// The caller's credential.
pub struct Credential(Getter);

impl Credential {
    /// Keeps the function for the life of a client.
    pub fn new(get_token: &GetToken<'_>) -> napi::Result<Self> {
        Ok(Self(get_token.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?))
    }
}

/// It may hold anything, so nothing of it is shown.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let refused = |err| azure_core::Error::with_error(ErrorKind::Credential, Rejection(err), "getToken failed");
        let token = self.0.call_async_catch(scopes).await.map_err(refused)?.await.map_err(refused)?;
        #[expect(clippy::cast_possible_truncation, reason = "a time in milliseconds is far from the ends of an i128")]
        let nanoseconds = (token.expires_on_timestamp * 1e6) as i128;
        let expires_on = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
            .map_err(|err| azure_core::Error::new(ErrorKind::Credential, err))?;
        Ok(AccessToken::new(token.token, expires_on))
    }
}

/// What the credential threw.
#[derive(Debug)]
pub struct Rejection(napi::Error);

impl Rejection {
    /// The thrown value itself.
    pub fn thrown(&self) -> Option<napi::Error> {
        self.0.try_clone().ok()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for Rejection {}
