//! ARM's throttling: a bucket of tokens for each subscription, principal and kind of request.

use std::collections::HashMap;
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

use crate::reply::{self, Reply};

/// How much a bucket holds and how fast it fills.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) capacity: f64,
    pub(crate) per_second: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// All buckets. Nothing is refused until a kind was limited; the counters are sent all the same.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    limits: HashMap<&'static str, Rate>,
    buckets: HashMap<(String, String, &'static str), Bucket>,
}

impl Throttle {
    pub(crate) fn limit(&mut self, kind: &'static str, rate: Rate) {
        self.limits.insert(kind, rate);
        self.buckets.retain(|(_, _, of), _| *of != kind);
    }

    /// Takes a token. The answer is what is left, or how long to wait for one.
    pub(crate) fn take(
        &mut self,
        subscription: &str,
        principal: &str,
        kind: &'static str,
        now: Instant,
    ) -> Result<u64, Duration> {
        let limit = self.limits.get(kind);
        let rate = limit.copied().unwrap_or_else(|| azures_rate(kind));
        let key = (subscription.to_ascii_lowercase(), principal.to_owned(), kind);
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: rate.capacity, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate.per_second).min(rate.capacity);
        bucket.at = now;
        if bucket.tokens < 1.0 && limit.is_some() {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / rate.per_second.max(0.001)));
        }
        bucket.tokens = (bucket.tokens - 1.0).max(0.0);
        Ok(whole(bucket.tokens))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bucket holds between 0 and some thousands"
)]
fn whole(tokens: f64) -> u64 {
    tokens.floor() as u64
}

/// Which bucket a request draws on.
pub(crate) fn kind_of(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "reads",
        Method::DELETE => "deletes",
        _ => "writes",
    }
}

/// The name of a kind as a caller wrote it.
pub(crate) fn kind_named(name: &str) -> &'static str {
    match name {
        "reads" => "reads",
        "deletes" => "deletes",
        _ => "writes",
    }
}

/// Azure's published numbers, for one principal.
fn azures_rate(kind: &str) -> Rate {
    match kind {
        "reads" => Rate { capacity: 250.0, per_second: 25.0 },
        _ => Rate { capacity: 200.0, per_second: 10.0 },
    }
}

/// A rate for a smaller or larger bucket, filling in the same proportion as Azure's.
pub(crate) fn scaled(kind: &str, capacity: u32) -> Rate {
    let azure = azures_rate(kind);
    let capacity = f64::from(capacity);
    Rate { capacity, per_second: capacity * azure.per_second / azure.capacity }
}

/// ARM's refusal. The text with its number of seconds is from reports; the header decides.
pub(crate) fn refusal(subscription: &str, wait: Duration) -> Reply {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let message = format!(
        "Number of requests for subscription '{subscription}' and operation exceeded the backend storage limit. \
         Please try again after '{seconds}' seconds."
    );
    let refused = reply::gateway_error(StatusCode::TOO_MANY_REQUESTS, "SubscriptionRequestsThrottled", &message);
    reply::with(refused, "retry-after", &seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_says_how_long_to_wait_and_then_gives() {
        let mut throttle = Throttle::default();
        throttle.limit("writes", scaled("writes", 2));
        let take = |throttle: &mut Throttle| throttle.take("s", "p", "writes", Instant::now());
        assert_eq!(take(&mut throttle), Ok(1));
        assert_eq!(take(&mut throttle), Ok(0));
        let wait = take(&mut throttle).unwrap_err();
        assert_eq!(wait.as_secs(), 10, "a twentieth of the bucket a second");
        tokio::time::advance(wait).await;
        assert!(take(&mut throttle).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_refused_before_a_kind_was_limited() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        assert!((0..1000).all(|_| throttle.take("s", "p", "reads", now).is_ok()));
    }
}
