//! A credential of `@azure/identity`, or any object with `getToken`, as `azure_core`'s.

use aks_acr::CredentialFailure;
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
};
use napi::{
    Status,
    bindgen_prelude::{FnArgs, Function, Promise},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};
use time::OffsetDateTime;

/// What the JavaScript half makes of the credential's answer.
#[napi(object, object_to_js = false)]
pub struct Token {
    /// The token.
    pub token: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_on_timestamp: f64,
}

/// A request's number and what the token is for, or with the same number nothing: it is no longer needed. One function for both,
/// so that they come in their order.
type Asked = FnArgs<(u32, Option<Vec<String>>)>;

/// `getToken`, made `async` by the JavaScript half, so that it never throws.
pub type GetToken<'a> = Function<'a, Asked, Promise<Token>>;

/// Weak: a client that is alive does not keep the process from exiting.
type Getter = ThreadsafeFunction<Asked, Promise<Token>, Asked, Status, false, true>;

/// The caller's credential.
pub struct Credential {
    getter: Getter,
    next: AtomicU32,
}

impl Credential {
    /// Keeps the function for the life of a client.
    pub fn new(get_token: &GetToken<'_>) -> napi::Result<Self> {
        let getter = get_token.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
        Ok(Self { getter, next: AtomicU32::new(0) })
    }
}

/// A request for a token. It is dropped with the call that made it, be that at a cancellation or at a deadline.
struct Request<'a> {
    getter: &'a Getter,
    number: u32,
    is_answered: bool,
}

impl Request<'_> {
    async fn token(&mut self, scopes: Vec<String>) -> napi::Result<Token> {
        let answer = match self.getter.call_async_catch((self.number, Some(scopes)).into()).await {
            Ok(token) => token.await,
            Err(err) => Err(err),
        };
        self.is_answered = true;
        answer
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.getter.call((self.number, None).into(), ThreadsafeFunctionCallMode::NonBlocking);
        }
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
        let refused = |err: napi::Error| {
            // An error of napi itself describes nothing.
            let raised: Option<CredentialFailure> = serde_json::from_str(&err.reason).ok();
            let text = raised.as_ref().map_or_else(|| err.reason.clone(), |raised| raised.message.clone());
            raised.unwrap_or_default().into_error(Rejection { err, text })
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut request = Request { getter: &self.getter, number, is_answered: false };
        let token = request.token(scopes).await.map_err(refused)?;
        #[expect(clippy::cast_possible_truncation, reason = "a time in milliseconds is far from the ends of an i128")]
        let nanoseconds = (token.expires_on_timestamp * 1e6) as i128;
        let expires_on = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
            .map_err(|err| azure_core::Error::new(ErrorKind::Credential, err))?;
        Ok(AccessToken::new(token.token, expires_on))
    }
}

/// What the credential threw: an error of `lib/credential.cjs`, which holds the thrown value, and describes it in its text.
#[derive(Debug)]
pub struct Rejection {
    err: napi::Error,
    text: String,
}

impl Rejection {
    /// That error.
    pub fn thrown(&self) -> Option<napi::Error> {
        self.err.try_clone().ok()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Rejection {}
