//! Between a credential and its sign-in service: a time limit for all tries together, and the distinction between a refusal and a
//! network problem. Only a refusal by the service itself concerns the caller's identity.

use crate::{
    error::ErrorKind,
    http::{Head, SignInTrouble, foreign, is_final, is_foreign, log_try, redirected, retry_after, service_error},
};
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind as Azure,
    http::{
        AsyncRawResponse, Context, RawResponse, Request,
        headers::{HeaderName, USER_AGENT},
        policies::{Policy, PolicyResult},
    },
};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a sign-in is tried; the credentials' own retries would take a minute and more. A caller without a network should learn of
/// it before the deadline.
const LONGEST: Duration = Duration::from_secs(30);

/// The cause of the last try's failure, and the time until which another may follow.
#[derive(Debug)]
struct Tries {
    last: Mutex<Option<SignInTrouble>>,
    until: Instant,
}

/// Runs before the retry policy.
#[derive(Debug)]
pub(super) struct SignIn;

#[async_trait]
impl Policy for SignIn {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let until = Instant::now() + LONGEST;
        let tries = Arc::new(Tries { last: Mutex::default(), until });
        let ctx = ctx.clone().with_value(tries.clone());
        let host = host(request);
        let sent = tokio::time::timeout_at(until, next[0].send(&ctx, request, &next[1..])).await;
        let last = tries.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let response = match (sent, last) {
            (Ok(Ok(response)), None) => response,
            (Ok(Err(err)), None) => return Err(err),
            // The retry policy has given up, or the time is over.
            (_, Some(last)) => return Err(in_pipeline(last)),
            (Err(_), None) => {
                let reason = format!("no response within {LONGEST:?}");
                return Err(in_pipeline(SignInTrouble::new(ErrorKind::Unavailable, &host, reason)));
            }
        };
        Ok(response)
    }
}

/// Runs after the retry policy: logs each try, and classifies its response.
#[derive(Debug)]
pub(super) struct SignInTry;

#[async_trait]
impl Policy for SignInTry {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        mark(request);
        let begun = Instant::now();
        let result = next[0].send(ctx, request, &next[1..]).await;
        log_try("signing in", request, None, begun, &result);
        let tries = ctx.value::<Arc<Tries>>();
        match result {
            Ok(response) => {
                let response = response.try_into_raw_response().await?;
                let trouble = trouble(request, &response);
                let ends = trouble.as_ref().is_some_and(|trouble| ends_the_tries(trouble, tries));
                remember(tries, trouble.clone());
                match trouble {
                    Some(trouble) if ends => Err(in_pipeline(trouble)),
                    // An invalid success is retried like a lost connection.
                    Some(trouble) if response.status().is_success() => Err(Error::new(Azure::Io, trouble)),
                    _ => {
                        let (status, headers, body) = response.deconstruct();
                        Ok(AsyncRawResponse::from_bytes(status, headers, body))
                    }
                }
            }
            // A proxy that is shown the same wrong password again locks accounts.
            Err(err) if is_final(&err) => Err(Error::new(Azure::Other, err)),
            Err(err) => {
                if matches!(err.kind(), Azure::Connection | Azure::Io) {
                    let reason = crate::http::innermost(&err);
                    remember(tries, Some(SignInTrouble::new(ErrorKind::Unavailable, &host(request), reason)));
                }
                Err(err)
            }
        }
    }
}

/// Adds this library to the credential's user agent.
fn mark(request: &mut Request) {
    let own = crate::http::USER_AGENT_VALUE;
    let value = match request.headers().get_optional_str(&USER_AGENT) {
        Some(theirs) if theirs.starts_with(own) => return,
        Some(theirs) => format!("{own} {theirs}"),
        None => own.to_owned(),
    };
    request.insert_header(USER_AGENT, value);
}

fn remember(tries: Option<&Arc<Tries>>, trouble: Option<SignInTrouble>) {
    if let Some(tries) = tries {
        *tries.last.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Whether no other try can help: a permanent cause, or a wait that exceeds the time limit.
fn ends_the_tries(trouble: &SignInTrouble, tries: Option<&Arc<Tries>>) -> bool {
    let wait = trouble.retry_after.unwrap_or_default();
    !trouble.is_transient || tries.is_some_and(|tries| Instant::now() + wait > tries.until)
}

fn in_pipeline(trouble: SignInTrouble) -> Error {
    Error::new(Azure::Other, trouble)
}

fn host(request: &Request) -> String {
    request.url().host_str().unwrap_or_default().to_owned()
}

/// Classifies a response that is neither a token nor a refusal.
fn trouble(request: &Request, response: &RawResponse) -> Option<SignInTrouble> {
    let (status, body) = (u16::from(response.status()), response.body().as_ref());
    let header = |name: &'static str| response.headers().get_optional_str(&HeaderName::from_static(name));
    let head = Head { status, header: &header, without_body: false };
    let of = |err: crate::Error| {
        let mut trouble = SignInTrouble::new(err.kind(), &host(request), err.to_string());
        trouble.is_transient = err.is_transient();
        trouble.retry_after = retry_after(response.headers());
        trouble
    };
    if let Some(err) = redirected(&head, "signing in") {
        return Some(of(err));
    }
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let is_entra = request.url().path().ends_with("/oauth2/v2.0/token");
    let field = |name: &str| json.as_ref()?.get(name)?.as_str().filter(|text| !text.is_empty());
    if response.status().is_success() {
        let has_token = field("access_token").is_some() || (!is_entra && json.as_ref().is_some_and(Value::is_object));
        return (!has_token).then(|| match json {
            Some(_) => SignInTrouble::new(ErrorKind::Unavailable, &host(request), "the response contains no token"),
            None => of(foreign(&head, body, "signing in")),
        });
    }
    // These two are never the service's.
    if matches!(status, 407 | 511) {
        return Some(of(foreign(&head, body, "signing in")));
    }
    let is_down = crate::http::is_trouble(response.status())
        || matches!(field("error"), Some("temporarily_unavailable" | "server_error"));
    if is_down {
        let kind = if status == 429 { ErrorKind::RateLimited } else { ErrorKind::Unavailable };
        let mut trouble = SignInTrouble::new(kind, &host(request), format!("HTTP {status}"));
        trouble.retry_after = retry_after(response.headers());
        trouble.service = json.is_some().then(|| service_error(status, response.headers(), body));
        return Some(trouble);
    }
    // Entra refuses in the words of OAuth, the others in JSON of their own.
    let is_refusal = if is_entra { field("error").is_some() } else { !is_foreign(&head, body) };
    (!is_refusal).then(|| of(foreign(&head, body, "signing in")))
}
