//! One request to a cluster's API, with the whole response: its status and its time are needed.

use super::{
    created::{Created, is_created_since},
    failure::{from_kube, is_page, is_passing, unreadable},
    status,
    warnings::warnings,
};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{BodyKind, Head, ReadError, foreign, http_date, read_http_body, redirected, retry_after_in},
    write::{Guard, Write},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use kube::{Client, client::Body};
use serde::de::DeserializeOwned;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const TRIES: usize = 6;
/// An API server gives up after a minute. A silently dead connection would block a request until its deadline.
const LONGEST_TRY: Duration = Duration::from_secs(90);

pub(crate) struct Answer<T> {
    pub value: T,
    pub is_new: bool,
    /// The cluster's own time, from which ages are computed.
    pub at: SystemTime,
    /// What the cluster warns of, although the request succeeded.
    pub warnings: Vec<String>,
}

/// Sends a request that changes nothing and may be repeated.
pub(crate) async fn send<T: DeserializeOwned + Send>(
    client: &Client,
    request: Request,
    step: &str,
    call: &Call,
) -> Result<Answer<T>> {
    read_with(client, request, step, call, |body| serde_json::from_slice(body)).await
}

/// The same with another parser.
pub(crate) async fn read_with<T: Send>(
    client: &Client,
    request: Request,
    step: &str,
    call: &Call,
    read: impl Fn(&Bytes) -> serde_json::Result<T> + Sync,
) -> Result<Answer<T>> {
    let request = made(request)?;
    // Apart from a GET only a dry run changes nothing: what else comes here was not shown to the guard.
    if request.method() != http::Method::GET && !is_dry_run(&request) {
        return Err(Error::new(ErrorKind::Unexpected, "a write was sent as a read").with_context("while", step));
    }
    repeated(step, call, || send_once(client, &request, step, call, &read)).await
}

/// Sends a write that may be repeated, unless the guard rejects it.
pub(crate) async fn send_write(
    client: &Client,
    guard: &Guard,
    write: impl FnOnce(&http::Request<Vec<u8>>) -> Write,
    request: Request,
    step: &str,
    call: &Call,
) -> Result<Answer<Created>> {
    let request = made(request)?;
    guard.check(&write(&request))?;
    let (begun, is_open) = (Instant::now(), AtomicBool::new(false));
    let once = || async {
        let answer = send_once(client, &request, step, call, &|body: &Bytes| serde_json::from_slice(body)).await;
        // What was throttled had no effect; of any other failure that is not known.
        let may_have_effect = answer.as_ref().is_err_and(|err| err.kind() != ErrorKind::RateLimited);
        is_open.fetch_or(may_have_effect, Ordering::Relaxed);
        answer
    };
    let answer: Answer<Created> = repeated(step, call, once).await?;
    let is_ours = is_open.load(Ordering::Relaxed) && is_created_since(&answer.value, answer.at, begun.elapsed());
    Ok(Answer { is_new: answer.is_new || is_ours, ..answer })
}

/// Sends a deletion. It may be repeated: an object that is gone is the same as one that is deleted now. Returns whether it existed.
pub(crate) async fn send_delete(
    client: &Client,
    guard: &Guard,
    write: impl FnOnce(&http::Request<Vec<u8>>) -> Write,
    request: Request,
    step: &str,
    call: &Call,
) -> Result<bool> {
    let request = made(request)?;
    guard.check(&write(&request))?;
    let read = |_: &Bytes| Ok(());
    match repeated(step, call, || send_once(client, &request, step, call, &read)).await {
        Ok(_) => Ok(true),
        Err(err) if err.status() == Some(404) => Ok(false),
        Err(err) => Err(err),
    }
}

fn made(request: Request) -> Result<http::Request<Vec<u8>>> {
    request.map_err(|err| Error::new(ErrorKind::Unexpected, "cannot make a request").with_source(err))
}

fn is_dry_run(request: &http::Request<Vec<u8>>) -> bool {
    request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "dryRun=All"))
}

/// Retries transient failures, a few times and within the deadline.
pub(crate) async fn repeated<T, F: Future<Output = Result<T>> + Send>(
    step: &str,
    call: &Call,
    attempt: impl FnMut() -> F + Send,
) -> Result<T> {
    let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_times(TRIES).build();
    call.retry(step, waits, is_passing, attempt).await
}

async fn send_once<T>(
    client: &Client,
    request: &http::Request<Vec<u8>>,
    step: &str,
    call: &Call,
    read: &(impl Fn(&Bytes) -> serde_json::Result<T> + Sync),
) -> Result<Answer<T>> {
    let exchange = async {
        let answer = client.send(request.clone().map(Body::from)).await.map_err(|err| from_kube(err, step))?;
        let (head, body) = answer.into_parts();
        let kind = if head.status.is_success() { body_kind(request) } else { BodyKind::Error };
        let body = read_http_body(body, kind).await.map_err(|err| match err {
            ReadError::TooLarge(err) => err.error(step),
            ReadError::Broken(err) => from_kube(err, step),
        })?;
        Ok((head, body))
    };
    let (head, body) = call.run(step, within_a_try(step, exchange)).await?;
    if !head.status.is_success() {
        return Err(refused(&head, &body, step, request.uri().path()));
    }
    let odd = |err: serde_json::Error| unreadable(&err, step);
    let value = read(&body).map_err(odd)?;
    let (is_new, warnings) = (head.status == http::StatusCode::CREATED, warnings(&head.headers));
    Ok(Answer { value, is_new, at: time(&head), warnings })
}

/// Lists are requested by page, and writes return the object.
fn body_kind(request: &http::Request<Vec<u8>>) -> BodyKind {
    let asks_for_a_page = |query: &str| query.split('&').any(|part| part.starts_with("limit="));
    if request.method() != http::Method::GET {
        return BodyKind::KubernetesApplied;
    }
    let is_list = request.uri().query().is_some_and(asks_for_a_page);
    if is_list { BodyKind::KubernetesList } else { BodyKind::KubernetesObject }
}

/// Ends an exchange that takes too long: it may be repeated.
pub(crate) async fn within_a_try<T>(step: &str, exchange: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::new(ErrorKind::Unavailable, "the cluster does not respond").with_context("while", step);
    tokio::time::timeout(LONGEST_TRY, exchange).await.map_err(late)?
}

fn refused(head: &http::response::Parts, body: &[u8], step: &str, path: &str) -> Error {
    let code = head.status.as_u16();
    let header = |name: &'static str| head.headers.get(name)?.to_str().ok();
    let seen = Head { status: code, header: &header, without_body: false };
    if let Some(err) = redirected(&seen, step) {
        return err;
    }
    // The API server itself sends lines of text. It never sends a page of HTML, except for the limit on a request's size.
    if matches!(code, 407 | 511) || (code != 413 && is_page(head, body)) {
        return foreign(&seen, body, step);
    }
    let err = status::from_status_at(status::read(code, body), step, path);
    match retry_after_in(|name| head.headers.get(name)?.to_str().ok()) {
        Some(wait) => err.with_retry_after(wait),
        None => err,
    }
}

pub(super) type Request = std::result::Result<http::Request<Vec<u8>>, kube::core::request::Error>;

fn time(head: &http::response::Parts) -> SystemTime {
    let date = head.headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
    date.and_then(http_date).map_or_else(SystemTime::now, SystemTime::from)
}
