//! Errors in each shape that Azure has, given to the reading of a cluster: how a body is read does not depend on what was asked.

use super::client;
use crate::exchange::Case;
use aks_acr::{CallOptions, ClusterRef, CreateRegistryOptions, Error, ErrorKind};
use aks_acr_tests::{data::paused, replay::Replay};
use libtest_mimic::Failed;
use serde_json::Value;
use std::time::Duration;

/// A deadline that no number of tries outlives.
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn not_found(case: &Case) -> Result<(), Failed> {
    assert_eq!(read_once(case)?.kind(), ErrorKind::NotFound);
    Ok(())
}

pub(super) fn invalid(case: &Case) -> Result<(), Failed> {
    assert_eq!(read_once(case)?.kind(), ErrorKind::InvalidInput);
    Ok(())
}

/// Without a wait in a header it is tried again until the deadline; a wait in the text is not read. Azure's words are kept also
/// where the deadline ends it.
pub(super) fn throttled(case: &Case) -> Result<(), Failed> {
    let (err, tries) = read(case, CallOptions::default().with_deadline(DAY))?;
    assert_eq!((err.kind(), err.retry_after()), (ErrorKind::RateLimited, None));
    let (err, fewer) = read(case, CallOptions::default())?;
    assert_eq!(err.kind(), ErrorKind::DeadlineExceeded);
    assert!(1 < fewer && fewer < tries, "{fewer}, then {tries} tries");
    Ok(())
}

/// As an answer to the making of a registry, the one write that it would meet.
pub(super) fn not_registered(case: &Case) -> Result<(), Failed> {
    let absent = case.other("acr/16-registry-get-404")?;
    let replay = Replay::of([absent.answer(), case.exchange.answer()]);
    let options = CreateRegistryOptions::default().with_location("eastus");
    let made =
        paused::<_, Failed>(async { Ok(client(&replay)?.create_registry("group", "myregistry", options).await) })?;
    let err = made.err().ok_or("it was taken for success")?;
    assert_eq!(err.kind(), ErrorKind::NotRegistered);
    // The one detail repeats the message; it must not be shown twice.
    assert_said(case, &err)
}

fn read_once(case: &Case) -> Result<Error, Failed> {
    let (err, tries) = read(case, CallOptions::default())?;
    assert_eq!(tries, 1);
    Ok(err)
}

/// Reads a cluster, and finds the error as it was recorded; also how often it was tried.
fn read(case: &Case, call: CallOptions) -> Result<(Error, usize), Failed> {
    let replay = Replay::of([]).then_always(case.exchange.answer());
    let cluster = ClusterRef::new("group", "dev")?;
    let read = paused::<_, Failed>(async { Ok(client(&replay)?.identities(&cluster, call).await) })?;
    let err = read.err().ok_or("it was taken for success")?;
    assert_said(case, &err)?;
    Ok((err, replay.sent().len()))
}

/// Status, code and words are Azure's own, whether it wraps them or not; what a detail adds is added.
pub(super) fn assert_said(case: &Case, err: &Error) -> Result<(), Failed> {
    let body = &case.exchange.body;
    let inner = if body["error"].is_object() { &body["error"] } else { body };
    assert_eq!(err.status(), Some(case.exchange.status));
    assert_eq!(err.code(), Some(inner["code"].as_str().ok_or("the recording has no code")?));
    let mut said = inner["message"].as_str().ok_or("the recording has no message")?.to_owned();
    for detail in inner["details"].as_array().into_iter().flatten() {
        let more = detail["message"].as_str().filter(|more| !said.contains(more));
        said += &more.map(|more| format!("; {more}")).unwrap_or_default();
    }
    let service = err.service().ok_or("the service's answer is not kept")?;
    assert_eq!(service.message.as_deref().map(Value::from), Some(Value::from(said)));
    Ok(())
}
