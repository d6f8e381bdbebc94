//! The caller's credential, and its cached tokens.

use super::failure::from_transport;
use crate::call::Call;
use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential},
    error::ErrorKind as Azure,
};
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::time::Instant;

/// A token is renewed this long before its expiry, as in `azure_core`.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);
/// If no new one can be acquired, a token is used until shortly before its expiry.
const USABLE_BEFORE: Duration = Duration::from_secs(30);

/// A credential that may cache tokens itself.
pub(crate) trait Caller: TokenCredential {
    /// Drops a token that a service rejected, so that a different one is acquired next. A credential given by the caller may
    /// cache what it likes: it is only asked again.
    fn forget(&self) {}
}

type Acquiring<E> = BoxFuture<'static, Result<AccessToken, Arc<E>>>;

/// Tokens by audience, each acquired by one request at a time.
///
/// Requests that need a token while it is being acquired wait for the same result, an error included: a service that is unavailable is
/// not asked by each of them, one after another. The acquisition continues as long as one of them waits, whichever started it.
pub(crate) struct TokenCache<E = azure_core::Error>(Mutex<HashMap<String, Slot<E>>>);

struct Slot<E> {
    cached: Option<Cached>,
    /// Weak: an acquisition that no caller waits for is not continued later.
    acquiring: Option<WeakShared<Acquiring<E>>>,
}

/// A token, with its expiry by both clocks: the wall clock may be set, and the other stands still while a machine sleeps.
#[derive(Clone)]
struct Cached {
    token: AccessToken,
    until: Instant,
}

impl Cached {
    fn new(token: AccessToken) -> Self {
        let lifetime = Duration::try_from(token.expires_on - OffsetDateTime::now_utc()).unwrap_or(Duration::ZERO);
        let now = Instant::now();
        Self { token, until: now.checked_add(lifetime).unwrap_or(now) }
    }

    fn lasts(&self, time: Duration) -> bool {
        self.until > Instant::now() + time && self.token.expires_on > OffsetDateTime::now_utc() + time
    }
}

impl<E> Default for TokenCache<E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E> Default for Slot<E> {
    fn default() -> Self {
        Self { cached: None, acquiring: None }
    }
}

impl<E: Send + Sync + 'static> TokenCache<E> {
    /// The cached token if it is valid long enough, or a new one.
    pub async fn get(
        &self,
        audience: &str,
        acquire: impl FnOnce() -> BoxFuture<'static, Result<AccessToken, E>> + Send,
    ) -> Result<AccessToken, Arc<E>> {
        let (acquiring, cached) = {
            let mut slots = self.slots();
            let slot = slots.entry(audience.to_owned()).or_default();
            if let Some(cached) = slot.cached.as_ref().filter(|cached| cached.lasts(RENEW_BEFORE)) {
                return Ok(cached.token.clone());
            }
            let under_way = slot.acquiring.as_ref().and_then(WeakShared::upgrade);
            let acquiring = under_way.unwrap_or_else(|| {
                let begun = acquire().map(|result| result.map_err(Arc::new)).boxed().shared();
                slot.acquiring = begun.downgrade();
                begun
            });
            (acquiring, slot.cached.clone())
        };
        let result = acquiring.clone().await;
        self.keep(audience, &acquiring, &result);
        match (result, cached.filter(|cached| cached.lasts(USABLE_BEFORE))) {
            (Err(_), Some(cached)) => Ok(cached.token),
            (result, _) => result,
        }
    }

    /// Caches an acquired token, once for all that waited.
    fn keep(&self, audience: &str, acquired: &Shared<Acquiring<E>>, result: &Result<AccessToken, Arc<E>>) {
        let mut slots = self.slots();
        let slot = slots.entry(audience.to_owned()).or_default();
        let under_way = slot.acquiring.as_ref().and_then(WeakShared::upgrade);
        if under_way.is_some_and(|under_way| under_way.ptr_eq(acquired)) {
            slot.acquiring = None;
            if let Ok(token) = result {
                slot.cached = Some(Cached::new(token.clone()));
            }
        }
    }

    /// Removes and returns the cached token. A token that is being acquired now is new, and stays.
    pub fn forget(&self, audience: &str) -> Option<AccessToken> {
        self.slots().get_mut(audience)?.cached.take().map(|cached| cached.token)
    }

    /// The same, but only if it is this token: another may have replaced it. Returns whether it was.
    pub fn forget_this(&self, audience: &str, token: &str) -> bool {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(audience) else { return false };
        slot.cached.take_if(|cached| cached.token.token.secret() == token).is_some()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot<E>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tokens of the caller's credential, cached for all services of a client.
#[derive(Clone)]
pub(crate) struct Tokens {
    credential: Arc<dyn Caller>,
    cache: Arc<TokenCache>,
}

impl Tokens {
    pub fn new(credential: Arc<dyn Caller>) -> Self {
        Self { credential, cache: Arc::default() }
    }

    /// Acquires a token for `scope`, such as `https://containerregistry.azure.net/.default`.
    pub async fn get(&self, scope: &str, call: &Call) -> crate::error::Result<Secret> {
        const STEP: &str = "acquiring a token";
        let acquire = async {
            let token = self.acquire(scope).await;
            token.map_err(|err| from_transport(err, STEP).with_context("audience", scope.to_owned()))
        };
        Ok(call.run(STEP, acquire).await?.token)
    }

    /// The same within a pipeline.
    pub(super) async fn acquire(&self, scope: &str) -> azure_core::Result<AccessToken> {
        let (credential, wanted) = (self.credential.clone(), scope.to_owned());
        let acquire = || async move { credential.get_token(&[&wanted], None).await }.boxed();
        self.cache.get(scope, acquire).await.map_err(shared)
    }

    /// Removes a rejected token, here and from the cache that it came from.
    pub fn forget(&self, scope: &str) {
        if self.cache.forget(scope).is_some() {
            self.credential.forget();
        }
    }

    /// The same, if it is still the cached one. The credential drops it only if the token itself was `bad`.
    pub fn forget_this(&self, scope: &str, token: &str, bad: bool) {
        if self.cache.forget_this(scope, token) && bad {
            self.credential.forget();
        }
    }
}

/// A shared error, for one of the requests that waited.
fn shared(err: Arc<azure_core::Error>) -> azure_core::Error {
    // Its kind says that there was no token: the retry policy of a request repeats lost connections, and a sign-in has its own retries.
    azure_core::Error::new(Azure::Credential, SharedError(err))
}

#[derive(Debug)]
struct SharedError(Arc<azure_core::Error>);

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for SharedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
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
    use futures::future::{join_all, pending};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn token(text: &'static str, lives: u64) -> AccessToken {
        let expires_on = OffsetDateTime::now_utc() + Duration::from_secs(lives);
        AccessToken { token: Secret::new(text), expires_on }
    }

    type Result<T> = std::result::Result<T, &'static str>;

    fn at_once(text: &'static str, lives: u64) -> BoxFuture<'static, Result<AccessToken>> {
        async move { Ok(token(text, lives)) }.boxed()
    }

    /// An acquisition that takes a second, and is counted.
    fn slow(count: &Arc<AtomicUsize>, result: Result<AccessToken>) -> BoxFuture<'static, Result<AccessToken>> {
        let count = count.clone();
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            result
        }
        .boxed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_token_does_not_delay_another() {
        let cache = TokenCache::<&'static str>::default();
        let slow = cache.get("slow", || pending().boxed());
        let quick = async {
            tokio::task::yield_now().await;
            cache.get("quick", || at_once("quick", 3600)).await
        };
        tokio::select! {
            biased;
            _ = slow => panic!("it has no end"),
            Ok(quick) = quick => assert_eq!(quick.token.secret(), "quick"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_acquired_again_when_it_ends_soon_or_was_not_accepted() {
        let cache = TokenCache::default();
        let get = async |text, lives| {
            let given = cache.get("a", || at_once(text, lives)).await;
            given.map(|given| given.token.secret().to_owned()).unwrap()
        };
        assert_eq!(get("first", 299).await, "first");
        assert_eq!(get("second", 3600).await, "second");
        assert_eq!(get("third", 3600).await, "second");
        assert!(cache.forget("a").is_some_and(|refused| refused.token.secret() == "second"));
        assert_eq!(get("fourth", 3600).await, "fourth");
        assert!(!cache.forget_this("a", "second") && cache.forget_this("a", "fourth"));
        assert_eq!(get("fifth", 3600).await, "fifth");
        tokio::time::sleep(Duration::from_secs(3500)).await;
        assert_eq!(get("sixth", 3600).await, "sixth");
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_want_it_at_once_share_one_request_and_its_failure() {
        for result in [Ok(token("one", 3600)), Err("down")] {
            let (cache, count) = (TokenCache::default(), Arc::default());
            let begun = Instant::now();
            let all = join_all((0..100).map(|_| cache.get("a", || slow(&count, result.clone())))).await;
            assert!(all.iter().all(|one| one.is_ok() == result.is_ok()));
            assert_eq!((count.load(Ordering::Relaxed), begun.elapsed()), (1, Duration::from_secs(1)));
            // A failure is not kept for those who come later.
            assert!(cache.get("a", || at_once("later", 3600)).await.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_others_get_their_token_when_the_first_caller_is_cancelled() {
        let (cache, count) = (TokenCache::default(), Arc::default());
        let get = || cache.get("a", || slow(&count, Ok(token("one", 3600))));
        let leader = async { tokio::time::timeout(Duration::from_millis(500), get()).await.is_err() };
        let begun = Instant::now();
        let (is_cancelled, followers) = tokio::join!(leader, join_all((0..10).map(|_| get())));
        assert!(is_cancelled && followers.iter().all(std::result::Result::is_ok));
        assert_eq!((count.load(Ordering::Relaxed), begun.elapsed()), (1, Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_everybody_has_left_begins_anew() {
        let (cache, count) = (TokenCache::default(), Arc::default());
        let get = || cache.get("a", || slow(&count, Ok(token("one", 3600))));
        assert!(tokio::time::timeout(Duration::from_millis(500), get()).await.is_err());
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let begun = Instant::now();
        assert!(get().await.is_ok());
        assert_eq!((count.load(Ordering::Relaxed), begun.elapsed()), (2, Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_ends_soon_is_used_where_no_other_can_be_acquired() {
        let cache = TokenCache::default();
        let failing = || async { Err("down") }.boxed();
        assert!(cache.get("a", || at_once("old", 200)).await.is_ok());
        assert!(cache.get("a", failing).await.is_ok_and(|old| old.token.secret() == "old"));
        tokio::time::sleep(Duration::from_secs(180)).await;
        assert!(cache.get("a", failing).await.is_err());
    }
}
