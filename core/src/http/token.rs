//! Who calls, and tokens for audiences other than Resource Manager's, whose pipeline has a cache of its own.

use crate::call::Call;
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use time::OffsetDateTime;

/// A token is renewed this long before it ends, as `azure_core` does.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// A credential that may hold tokens of its own.
pub(crate) trait Caller: TokenCredential {
    /// Lets go of a token that a service did not accept, so that the next one is another. A credential that the caller gave keeps what
    /// it likes: it is asked again, and that is all.
    fn forget(&self, _scope: &str, _token: &str) {}
}

/// A token, once it is there; locked while somebody asks for it.
type Cell = Arc<tokio::sync::Mutex<Option<AccessToken>>>;

/// Tokens by what they are for: callers that want the same one at the same time share one request, and those that want another one do not
/// wait for it.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<HashMap<String, Cell>>);

impl TokenCache {
    /// The token that is held, if it is good for a while, or a new one.
    pub async fn get<E>(
        &self,
        audience: &str,
        fetch: impl Future<Output = Result<AccessToken, E>> + Send,
    ) -> Result<AccessToken, E> {
        let cell = self.cells().entry(audience.to_owned()).or_default().clone();
        let mut held = cell.lock().await;
        match held.as_ref().filter(|token| is_fresh(token)) {
            Some(token) => Ok(token.clone()),
            None => Ok(held.insert(fetch.await?).clone()),
        }
    }

    /// Lets go of a token that was not accepted, and gives it. One that is being asked for just now is new, and stays.
    pub fn forget(&self, audience: &str) -> Option<AccessToken> {
        let cell = self.cells().get(audience)?.clone();
        cell.try_lock().ok()?.take()
    }

    /// The same, if it is this one: another may have taken its place meanwhile. Whether it was.
    #[cfg(feature = "identity")]
    pub fn forget_this(&self, audience: &str, token: &str) -> bool {
        let Some(cell) = self.cells().get(audience).cloned() else { return false };
        let Ok(mut held) = cell.try_lock() else { return false };
        held.take_if(|held| held.token.secret() == token).is_some()
    }

    fn cells(&self) -> MutexGuard<'_, HashMap<String, Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(token: &AccessToken) -> bool {
    token.expires_on - RENEW_BEFORE > OffsetDateTime::now_utc()
}

/// Tokens of the caller's credential.
#[derive(Clone)]
pub(crate) struct Tokens {
    credential: Arc<dyn Caller>,
    held: Arc<TokenCache>,
}

impl Tokens {
    pub fn new(credential: Arc<dyn Caller>) -> Self {
        Self { credential, held: Arc::default() }
    }

    /// A token for `scope`, such as `https://containerregistry.azure.net/.default`.
    pub async fn get(&self, scope: &str, call: &Call) -> crate::error::Result<Secret> {
        let fetch = async {
            let token = self.credential.get_token(&[scope], None).await;
            token
                .map_err(|err| super::from_transport(err, "getting a token").with_context("audience", scope.to_owned()))
        };
        let token = call.run("getting a token", self.held.get(scope, fetch)).await?;
        Ok(token.token)
    }

    /// Lets go of a token that was not accepted, here and where it came from.
    pub fn forget(&self, scope: &str) {
        if let Some(refused) = self.held.forget(scope) {
            self.credential.forget(scope, refused.token.secret());
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        convert::Infallible,
        future::{Ready, pending, ready},
        time::Duration,
    };

    fn token(text: &'static str, lives: Duration) -> Ready<Result<AccessToken, Infallible>> {
        ready(Ok(AccessToken { token: Secret::new(text), expires_on: OffsetDateTime::now_utc() + lives }))
    }

    #[tokio::test(start_paused = true)]
    async fn who_wants_another_token_does_not_wait_for_a_slow_one() {
        let cache = TokenCache::default();
        let slow = cache.get("slow", pending::<Result<AccessToken, Infallible>>());
        let quick = async {
            tokio::task::yield_now().await;
            cache.get("quick", token("quick", Duration::from_secs(3600))).await
        };
        tokio::select! {
            biased;
            _ = slow => panic!("it has no end"),
            Ok(quick) = quick => assert_eq!(quick.token.secret(), "quick"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_asked_for_again_when_it_ends_soon_or_was_not_accepted() {
        let cache = TokenCache::default();
        let get = async |text, lives| {
            let given = cache.get("a", token(text, Duration::from_secs(lives))).await;
            given.map(|given| given.token.secret().to_owned())
        };
        assert_eq!(get("first", 299).await.as_deref(), Ok("first"));
        assert_eq!(get("second", 3600).await.as_deref(), Ok("second"));
        assert_eq!(get("third", 3600).await.as_deref(), Ok("second"));
        assert!(cache.forget("a").is_some_and(|refused| refused.token.secret() == "second"));
        assert_eq!(get("fourth", 3600).await.as_deref(), Ok("fourth"));
    }
}
