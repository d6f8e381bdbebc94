//! Watches each try of a request: reports retries, remembers their causes, and ends at once if the service's wait would exceed the
//! deadline.

use super::{
    Try,
    failure::{from_transport, innermost, is_final},
    read_body::BodyKind,
    retry_after::retry_after,
    service_error::service_error,
    throttle::{Buckets, Pauses},
};
use crate::{
    call::{Call, Event, millis},
    error::{Error, ErrorKind, ServiceError},
    write::Intent,
};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind as Azure,
    http::{
        AsyncRawResponse, Context, RawResponse, Request, StatusCode,
        headers::HeaderName,
        policies::{Policy, PolicyResult},
    },
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

/// The call of a request, and what was observed of its tries.
#[derive(Debug)]
pub(crate) struct Watch {
    call: Call,
    step: String,
    is_repeated: bool,
    intent: Intent,
    body: BodyKind,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The guard's own error, which ends the request.
    verdict: Option<Error>,
    /// The last response that asked for a retry.
    last: Option<ServiceError>,
    /// How often the request was sent.
    tries: u32,
    /// The number of tries in a row without a response, and the cause.
    lost: u32,
    reason: String,
    /// Whether a try ended without saying if it had an effect.
    is_open: bool,
}

/// The maximum number of tries in a row without a response: with the policy's waits, about half a minute. A caller without a network
/// should learn of it before the deadline.
const MOST_LOST: u32 = 7;

impl Watch {
    pub fn new(call: Call, step: &str, is_repeated: bool, intent: Intent) -> Self {
        Self { call, step: step.to_owned(), is_repeated, intent, body: BodyKind::Object, seen: Mutex::default() }
    }

    /// Sets what the response holds.
    pub fn reading(mut self, body: BodyKind) -> Self {
        self.body = body;
        self
    }

    pub fn body(&self) -> BodyKind {
        self.body
    }

    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Sets the error that ends the request.
    pub fn end_with(&self, err: Error) {
        self.seen().verdict = Some(err);
    }

    pub fn call(&self) -> &Call {
        &self.call
    }

    pub fn step(&self) -> &str {
        &self.step
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a try.
    fn count(&self) -> u32 {
        let mut seen = self.seen();
        seen.tries += 1;
        seen.tries
    }

    /// Whether an earlier try may have had an effect: no response came, or the server failed while handling it.
    pub fn may_have_had_effect(&self) -> bool {
        self.seen().is_open
    }

    /// The guard's own error, if it ended the request.
    pub fn verdict(&self) -> Option<Error> {
        self.seen().verdict.take()
    }

    /// Adds to a deadline error what caused the retries.
    pub fn explain(&self, err: Error) -> Error {
        if err.kind() != ErrorKind::DeadlineExceeded {
            return err;
        }
        let mut seen = self.seen();
        match seen.last.take() {
            _ if seen.lost > 0 => err.with_context("last try", std::mem::take(&mut seen.reason)),
            Some(last) => err.with_service(last),
            None => err,
        }
    }

    fn report(&self, reason: String, wait: Option<Duration>) {
        if self.is_repeated {
            self.call.report(Event::Retrying { step: self.step.clone(), reason, wait_ms: wait.map(millis) });
        }
    }

    /// Counts a try without a response. Returns the error that ends the request after too many.
    fn lose(&self, err: azure_core::Error, host: &str) -> azure_core::Error {
        self.report("no response".to_owned(), None);
        let mut seen = self.seen();
        seen.lost += 1;
        seen.is_open = true;
        seen.reason = innermost(&err);
        if seen.lost < MOST_LOST && !is_final(&err) {
            return err;
        }
        seen.verdict = Some(from_transport(err, &self.step).with_context("host", host));
        azure_core::Error::with_message(Azure::Other, "no response after several tries")
    }

    /// Whether a wait that the service asks for ends the request.
    fn judge(&self, service: &ServiceError, wait: Duration) -> bool {
        if wait <= self.call.remaining() {
            return false;
        }
        self.end_with(self.too_long(wait).with_service(service.clone()));
        true
    }

    /// Reports the remaining pause that another request caused. Returns an error if it ends this request, too.
    fn hear(&self, wait: Duration) -> Result<(), azure_core::Error> {
        if wait > self.call.remaining() {
            self.end_with(self.too_long(wait));
            return Err(azure_core::Error::with_message(Azure::Other, "a wait beyond the deadline"));
        }
        self.report("throttled".to_owned(), Some(wait));
        Ok(())
    }

    fn too_long(&self, wait: Duration) -> Error {
        let message = format!("the service asks to wait {wait:.0?}, longer than the deadline allows");
        Error::new(ErrorKind::RateLimited, message).with_context("while", self.step.clone()).with_retry_after(wait)
    }
}

/// Runs between `azure_core`'s retry policy and the transport.
#[derive(Debug)]
pub(super) struct DeadlineGuard(pub Arc<Pauses>);

#[async_trait]
impl Policy for DeadlineGuard {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let Some(watch) = ctx.value::<Arc<Watch>>() else {
            let begun = Instant::now();
            let result = next[0].send(ctx, request, &next[1..]).await;
            log_try("", request, None, begun, &result);
            return result;
        };
        let buckets = Buckets::of(request);
        self.0.wait(&buckets, |wait| watch.hear(wait)).await?;
        let (attempt, begun) = (watch.count(), Instant::now());
        let result = next[0].send(ctx, request, &next[1..]).await;
        log_try(watch.step(), request, Some(attempt), begun, &result);
        match result {
            Ok(answer) => {
                watch.seen().lost = 0;
                if !is_repeated(answer.status()) {
                    return Ok(answer);
                }
                let (answer, rest) = self.look_at(watch, &buckets, answer).await?;
                if let Some(rest) = rest {
                    tokio::time::sleep(rest).await;
                }
                Ok(answer)
            }
            Err(err) if matches!(err.kind(), Azure::Connection | Azure::Io) => {
                Err(watch.lose(err, request.url().host_str().unwrap_or_default()))
            }
            Err(err) => Err(err),
        }
    }
}

/// Logs the end of a try.
pub(crate) fn log_try(
    step: &str,
    request: &Request,
    attempt: Option<u32>,
    begun: Instant,
    result: &azure_core::Result<AsyncRawResponse>,
) {
    let (method, url) = (request.method(), request.url());
    let (method, host, path) = (method.as_ref(), url.host_str().unwrap_or_default(), url.path());
    let one = Try { step, method, host, path, attempt, begun };
    match result {
        Ok(answer) => one.answered(answer.status().into(), answer.headers().get_optional_str(&REQUEST_ID)),
        // Without a token nothing was sent.
        Err(err) if matches!(err.kind(), Azure::Credential) => {}
        Err(err) => one.lost(&innermost(err)),
    }
}

/// The statuses that `azure_core`'s policy retries.
fn is_repeated(status: StatusCode) -> bool {
    matches!(u16::from(status), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The statuses that do not say whether the request had an effect. A throttled request had no effect.
fn leaves_open(status: StatusCode) -> bool {
    is_repeated(status) && status != StatusCode::TooManyRequests
}

/// The policy honours a server's wait on these two statuses only. On the others this guard waits, and ends the wait when the call ends.
fn is_throttled(status: StatusCode) -> bool {
    matches!(status, StatusCode::TooManyRequests | StatusCode::ServiceUnavailable)
}

impl DeadlineGuard {
    /// Returns the response, and how long to wait before another try if the policy would not.
    async fn look_at(
        &self,
        watch: &Watch,
        buckets: &Buckets,
        answer: AsyncRawResponse,
    ) -> azure_core::Result<(AsyncRawResponse, Option<Duration>)> {
        let (status, by_policy) = (answer.status(), is_throttled(answer.status()));
        // A request that is sent once is not retried here: its sender decides by the response.
        let wait = retry_after(answer.headers()).filter(|_| by_policy || watch.is_repeated);
        let raw: RawResponse = answer.try_into_raw_response().await?;
        let service = service_error(u16::from(status), raw.headers(), raw.body());
        if let Some(wait) = wait.filter(|_| status == StatusCode::TooManyRequests) {
            self.0.begin(buckets, service.code.as_deref(), wait);
        }
        if wait.is_some_and(|wait| watch.judge(&service, wait)) {
            return Err(azure_core::Error::with_message(Azure::Other, "wait beyond the deadline"));
        }
        watch.report(service.code.clone().unwrap_or_else(|| status.to_string()), wait);
        let mut seen = watch.seen();
        seen.is_open |= leaves_open(status);
        seen.last = Some(service);
        drop(seen);
        let (status, headers, body) = raw.deconstruct();
        Ok((AsyncRawResponse::from_bytes(status, headers, body), wait.filter(|_| !by_policy)))
    }
}
