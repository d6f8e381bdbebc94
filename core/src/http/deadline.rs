//! Sees each try of a request: reports retries, and ends at once where the service's wait would outlive the deadline.

use super::{failure::service_error, wait::retry_after};
use crate::{
    call::{Call, Event},
    error::{Error, ErrorKind},
};
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, Context, Request, StatusCode,
    policies::{Policy, PolicyResult},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What the guard needs to know of the call, and what it has decided.
#[derive(Debug)]
pub(crate) struct Watch {
    call: Call,
    step: String,
    verdict: Mutex<Option<Error>>,
}

impl Watch {
    pub fn new(call: Call, step: &str) -> Self {
        Self { call, step: step.to_owned(), verdict: Mutex::new(None) }
    }

    /// The guard's own error, if it ended the request.
    pub fn verdict(&self) -> Option<Error> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn report(&self, reason: String, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.call.report(Event::Retrying { step: self.step.clone(), reason, wait_ms });
    }
}

/// Stands between `azure_core`'s retry policy and the transport.
#[derive(Debug)]
pub(crate) struct DeadlineGuard;

#[async_trait]
impl Policy for DeadlineGuard {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let answer = next[0].send(ctx, request, &next[1..]).await?;
        match ctx.value::<Arc<Watch>>() {
            Some(watch) if is_throttled(answer.status()) => judge(watch, answer).await,
            _ => Ok(answer),
        }
    }
}

/// The statuses on which a server's wait is honoured.
fn is_throttled(status: StatusCode) -> bool {
    matches!(status, StatusCode::TooManyRequests | StatusCode::ServiceUnavailable)
}

async fn judge(watch: &Watch, answer: AsyncRawResponse) -> PolicyResult {
    let status = answer.status();
    let Some(wait) = retry_after(answer.headers()) else {
        watch.report(status.to_string(), Duration::ZERO);
        return Ok(answer);
    };
    if wait <= watch.call.remaining() {
        watch.report(status.to_string(), wait);
        return Ok(answer);
    }
    let raw = answer.try_into_raw_response().await?;
    let service = service_error(u16::from(status), raw.headers(), raw.body());
    let message = format!("the service asks to wait {wait:.0?}, longer than the deadline allows");
    let err = Error::new(ErrorKind::RateLimited, message).with_context("while", watch.step.clone());
    *watch.verdict.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(err.with_service(service).with_retry_after(wait));
    Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Other, "wait beyond the deadline"))
}
