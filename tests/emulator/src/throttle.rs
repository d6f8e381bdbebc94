//! Throttling: ARM's buckets of tokens for each subscription, principal and kind of request, and those of registries.

use std::collections::HashMap;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use crate::reply::{self, Reply};

/// How much a bucket holds and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) capacity: f64,
    pub(crate) per_second: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// Lets time pass, and takes a token. If there is none: how long to wait for one.
    fn take(&mut self, rate: Rate, now: Instant) -> Result<u64, Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * rate.per_second).min(rate.capacity);
        self.at = now;
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / rate.per_second.max(0.001)));
        }
        self.tokens -= 1.0;
        Ok(whole(self.tokens))
    }
}

/// One bucket, full at first.
#[derive(Debug)]
pub(crate) struct Limit {
    rate: Rate,
    bucket: Option<Bucket>,
}

impl Limit {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, bucket: None }
    }

    /// Whether there is a token, which is taken then.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        let full = || Bucket { tokens: self.rate.capacity, at: now };
        self.bucket.get_or_insert_with(full).take(self.rate, now).is_ok()
    }
}

/// What is left of the buckets that a request to Resource Manager draws on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// The caller's own.
    pub(crate) own: u64,
    /// That of all callers of the subscription.
    pub(crate) global: u64,
}

/// All buckets. Nothing is refused until it was limited; the counters are sent all the same.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    limits: HashMap<&'static str, Rate>,
    /// Whether Azure's published numbers are limits.
    as_azure: bool,
    buckets: HashMap<(String, String, &'static str), Bucket>,
    /// What others use of an identity's buckets at a registry.
    loads: HashMap<(String, String), Load>,
}

/// Requests of others that have the same identity, for some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How many reads they send in a minute.
    pub(crate) a_minute: f64,
    pub(crate) until: Instant,
}

impl Throttle {
    pub(crate) fn limit(&mut self, kind: &'static str, rate: Rate) {
        self.limits.insert(kind, rate);
        self.buckets.retain(|(_, _, of), _| *of != kind);
    }

    /// Lets Azure's published numbers be limits, where no others were set, or not.
    pub(crate) fn limit_as_azure(&mut self, as_azure: bool) {
        self.as_azure = as_azure;
        self.buckets.clear();
    }

    /// Takes a token of each bucket of a request to Resource Manager. The answer is what is left, or how long to wait.
    pub(crate) fn take(
        &mut self,
        subscription: &str,
        principal: &str,
        kind: &'static str,
        now: Instant,
    ) -> Result<Left, Duration> {
        let set = self.limits.get(kind).copied();
        let azures = azures_rate(kind);
        let global = Rate { capacity: azures.capacity * ALL_CALLERS, per_second: azures.per_second * ALL_CALLERS };
        // One's own first, so that who is refused takes nothing from the others.
        let rate = set.unwrap_or(azures);
        let own = self.draw(subscription, principal, kind, rate, self.as_azure || set.is_some(), now)?;
        let global = self.draw(subscription, "", kind, global, self.as_azure, now)?;
        Ok(Left { own, global })
    }

    /// Lets others with an identity send so many reads to a registry: what they leave is what the identity has.
    pub(crate) fn load(&mut self, registry: &str, identity: &str, load: Load) {
        self.loads.insert((registry.to_ascii_lowercase(), identity.to_owned()), load);
        let bucket = (registry.to_ascii_lowercase(), identity.to_owned(), Class::Read.name());
        self.buckets.insert(bucket, Bucket { tokens: 0.0, at: Instant::now() });
    }

    /// What others leave of a number of requests a minute. The bucket fills again once they are done.
    fn left(&mut self, registry: &str, identity: &str, class: Class, a_minute: f64, now: Instant) -> f64 {
        let key = (registry.to_ascii_lowercase(), identity.to_owned());
        let Some(load) = self.loads.get(&key).copied().filter(|_| class == Class::Read) else { return a_minute };
        if now < load.until {
            return (a_minute - load.a_minute).max(0.0);
        }
        self.loads.remove(&key);
        if let Some(bucket) = self.buckets.get_mut(&(key.0, key.1, class.name())) {
            bucket.at = bucket.at.max(load.until);
        }
        a_minute
    }

    /// Takes a token of each bucket of a request to a registry, which counts by the minute. All who show no name are one
    /// identity, whose name is empty.
    pub(crate) fn take_of_registry(
        &mut self,
        registry: &str,
        identity: &str,
        (class, is_premium): (Class, bool),
        now: Instant,
    ) -> Result<(), Duration> {
        let (of_all, of_one) = class.a_minute(is_premium);
        if let Some(of_one) = of_one {
            let identity = if identity.is_empty() { "anonymous" } else { identity };
            let rate = by_the_minute(self.left(registry, identity, class, of_one, now));
            self.draw(registry, identity, class.name(), rate, self.as_azure, now)?;
        }
        self.draw(registry, "", class.name(), by_the_minute(of_all), self.as_azure, now).map(drop)
    }

    fn draw(
        &mut self,
        place: &str,
        who: &str,
        kind: &'static str,
        rate: Rate,
        is_limit: bool,
        now: Instant,
    ) -> Result<u64, Duration> {
        let key = (place.to_ascii_lowercase(), who.to_owned(), kind);
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: rate.capacity, at: now });
        match bucket.take(rate, now) {
            Err(_) if !is_limit => Ok(0),
            taken => taken,
        }
    }
}

/// All callers of a subscription together have so many times what one has.
const ALL_CALLERS: f64 = 15.0;

/// What a registry counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Read,
    Write,
    Delete,
    SignIn,
}

impl Class {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        match *method {
            _ if path.starts_with("/oauth2/") => Self::SignIn,
            Method::GET | Method::HEAD => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Read => "registry reads",
            Self::Write => "registry writes",
            Self::Delete => "registry deletes",
            Self::SignIn => "registry sign-ins",
        }
    }

    /// Azure's published numbers: calls a minute of a registry, and of one identity there.
    fn a_minute(self, is_premium: bool) -> (f64, Option<f64>) {
        match (self, is_premium) {
            (Self::Read, false) => (10_000.0, Some(5_000.0)),
            (Self::Read, true) => (20_000.0, Some(10_000.0)),
            (Self::Write, false) => (2_000.0, Some(1_000.0)),
            (Self::Delete, false) => (1_000.0, Some(500.0)),
            (Self::Write | Self::Delete, true) => (4_000.0, Some(2_000.0)),
            (Self::SignIn, false) => (10_000.0, None),
            (Self::SignIn, true) => (20_000.0, None),
        }
    }
}

fn by_the_minute(calls: f64) -> Rate {
    Rate { capacity: calls, per_second: calls / 60.0 }
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

/// A registry's refusal.
pub(crate) fn registry_refusal(wait: Duration) -> Reply {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let body = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "too many requests", "detail": null}]});
    reply::with(reply::json(StatusCode::TOO_MANY_REQUESTS, &body), "retry-after", &seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_says_how_long_to_wait_and_then_gives() {
        let mut throttle = Throttle::default();
        throttle.limit("writes", scaled("writes", 2));
        let take = |throttle: &mut Throttle| throttle.take("s", "p", "writes", Instant::now());
        assert_eq!(take(&mut throttle).map(|left| left.own), Ok(1));
        assert_eq!(take(&mut throttle).map(|left| left.own), Ok(0));
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

    #[tokio::test(start_paused = true)]
    async fn azures_numbers_are_those_of_a_caller_and_fifteen_times_those_of_all() {
        let mut throttle = Throttle::default();
        throttle.limit_as_azure(true);
        let now = Instant::now();
        assert_eq!(throttle.take("s", "p", "reads", now), Ok(Left { own: 249, global: 3749 }));
        let granted = |throttle: &mut Throttle, who: &str| {
            (0..1000).filter(|_| throttle.take("s", who, "reads", now).is_ok()).count()
        };
        assert_eq!(granted(&mut throttle, "p"), 249);
        let all: usize = (0..30).map(|who| granted(&mut throttle, &who.to_string())).sum();
        assert!(all <= 3500, "{all}");
        tokio::time::advance(Duration::from_secs(1)).await;
        let later = Instant::now();
        assert_eq!((0..100).filter(|_| throttle.take("s", "p", "reads", later).is_ok()).count(), 25);
    }

    #[tokio::test(start_paused = true)]
    async fn an_identity_has_what_others_with_it_leave() {
        let mut throttle = Throttle::default();
        throttle.limit_as_azure(true);
        let until = Instant::now() + Duration::from_secs(60);
        throttle.load("r", "p", Load { a_minute: 20_000.0, until });
        let take = |throttle: &mut Throttle, who: &str, class: Class| {
            throttle.take_of_registry("r", who, (class, true), Instant::now()).is_ok()
        };
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(!take(&mut throttle, "p", Class::Read), "nothing is left");
        assert!(take(&mut throttle, "p", Class::SignIn) && take(&mut throttle, "q", Class::Read));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(!take(&mut throttle, "p", Class::Read), "the bucket begins to fill");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(take(&mut throttle, "p", Class::Read));
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_counts_by_the_minute_and_by_identity() {
        let mut throttle = Throttle::default();
        throttle.limit_as_azure(true);
        let now = Instant::now();
        let mut granted = |who: &str, is_premium| {
            let class = (Class::Delete, is_premium);
            (0..3000).filter(|_| throttle.take_of_registry("r", who, class, now).is_ok()).count()
        };
        assert_eq!((granted("p", false), granted("q", false), granted("r", false)), (500, 500, 0));
    }
}
