//! One throttled response makes all requests wait that use the same bucket: not each of them has to be throttled first.
//!
//! Azure keeps buckets for each subscription, caller and kind of request, and providers keep their own; a client is one caller. See
//! [Throttling](https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).

use azure_core::http::{Method, Request};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The code for throttling by Resource Manager itself, for all providers of a subscription.
const WHOLE_SUBSCRIPTION: &str = "SubscriptionRequestsThrottled";

/// The buckets that a request uses: its provider's, and the subscription's.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    of_provider: String,
    of_subscription: String,
}

impl Buckets {
    pub fn of(request: &Request) -> Self {
        let (url, kind) = (request.url(), kind(request.method()));
        let path = url.path().to_ascii_lowercase();
        let subscription =
            path.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let provider = path.rsplit_once("/providers/").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        let of_subscription = format!("{} {subscription} {kind}", url.host_str().unwrap_or_default());
        Self { of_provider: format!("{of_subscription} {provider}"), of_subscription }
    }
}

fn kind(method: Method) -> &'static str {
    match method {
        Method::Get | Method::Head => "reads",
        Method::Delete => "deletes",
        _ => "writes",
    }
}

/// All pauses of a client: until when each empty bucket is not used.
///
/// A pause ends for all waiting requests at the same time. Only the service knows how many of them the bucket then allows; the first
/// one that is throttled again starts the next pause for the others.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<HashMap<String, Instant>>);

impl Pauses {
    /// Starts a pause that a service asked for.
    pub fn begin(&self, buckets: &Buckets, code: Option<&str>, wait: Duration) {
        let is_whole = code == Some(WHOLE_SUBSCRIPTION);
        let bucket = if is_whole { &buckets.of_subscription } else { &buckets.of_provider };
        let Some(until) = Instant::now().checked_add(wait) else { return };
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        pauses.retain(|_, until| *until > now);
        let pause = pauses.entry(bucket.clone()).or_insert(until);
        *pause = until.max(*pause);
    }

    /// The remaining pause of these buckets; the longer one if there are two.
    fn left(&self, buckets: &Buckets) -> Option<Duration> {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = [&buckets.of_provider, &buckets.of_subscription]
            .into_iter()
            .filter_map(|bucket| pauses.get(bucket))
            .max()?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| *left > Duration::ZERO)
    }

    /// Waits for the end of a pause, if there is one, after calling `on_wait` with its length.
    /// An error of `on_wait` ends the wait.
    pub async fn wait<E>(
        &self,
        buckets: &Buckets,
        mut on_wait: impl FnMut(Duration) -> Result<(), E>,
    ) -> Result<(), E> {
        // A request that did not wait may have been throttled in the meantime.
        while let Some(left) = self.left(buckets) {
            on_wait(left)?;
            tokio::time::sleep(left).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn buckets(method: Method, path: &str) -> Buckets {
        Buckets::of(&Request::new(format!("https://management.azure.com{path}").parse().unwrap(), method))
    }

    async fn waited(pauses: &Pauses, buckets: &Buckets) -> Duration {
        let begun = Instant::now();
        pauses.wait(buckets, |_| Ok::<_, Infallible>(())).await.unwrap();
        begun.elapsed()
    }

    const REGISTRY: &str = "/subscriptions/S/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r";

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_that_of_the_provider_and_of_the_kind() {
        let pauses = Pauses::default();
        let (write, read) = (buckets(Method::Post, REGISTRY), buckets(Method::Get, REGISTRY));
        let grant = buckets(Method::Put, &format!("{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/a"));
        pauses.begin(&write, Some("TooManyRequests"), Duration::from_secs(20));
        assert_eq!(waited(&pauses, &read).await, Duration::ZERO);
        assert_eq!(waited(&pauses, &grant).await, Duration::ZERO);
        assert_eq!(waited(&pauses, &write).await, Duration::from_secs(20));
        assert_eq!(waited(&pauses, &write).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_the_subscription_is_that_of_all_its_providers() {
        let pauses = Pauses::default();
        let grant = buckets(Method::Put, &format!("{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/a"));
        let other = buckets(Method::Put, "/subscriptions/other/resourceGroups/g");
        pauses.begin(&buckets(Method::Post, REGISTRY), Some(WHOLE_SUBSCRIPTION), Duration::from_secs(20));
        assert_eq!(waited(&pauses, &other).await, Duration::ZERO);
        assert_eq!(waited(&pauses, &grant).await, Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_refused_meanwhile_makes_the_others_wait_on() {
        let (pauses, write) = (Pauses::default(), buckets(Method::Post, REGISTRY));
        pauses.begin(&write, None, Duration::from_secs(20));
        let refused = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            pauses.begin(&write, None, Duration::from_secs(30));
        };
        let ((), waited) = tokio::join!(refused, waited(&pauses, &write));
        assert_eq!(waited, Duration::from_secs(40));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_for_all_at_once() {
        let (pauses, write) = (Pauses::default(), buckets(Method::Post, REGISTRY));
        pauses.begin(&write, None, Duration::from_secs(20));
        let begun = Instant::now();
        let request = || async {
            pauses.wait(&write, |_| Ok::<_, Infallible>(())).await.unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
        };
        futures::future::join_all((0..100).map(|_| request())).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(25));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_not_kept() {
        let pauses = Pauses::default();
        for at in 0..1000 {
            let path = format!("/subscriptions/{at}/providers/Microsoft.Resources/tags");
            pauses.begin(&buckets(Method::Get, &path), None, Duration::from_secs(1));
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        assert_eq!(pauses.0.lock().unwrap().len(), 1);
    }
}
