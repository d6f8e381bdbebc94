//! Answers to polls of long-running operations. There is one reader for all of them, so they are given to the operations
//! that the library has: the making of a registry, and an import.

use super::{
    assert_requests, call, client,
    failure::assert_said,
    import,
    registry::{create, none_yet},
};
use crate::exchange::Case;
use aks_acr::{CallOptions, CreatedRegistry, ErrorKind, Event, ImportStatus};
use aks_acr_tests::{
    data::paused,
    replay::{Answer, Replay},
};
use libtest_mimic::Failed;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

const PUT: &str = "acr/05-registry-create-201-creating";

/// Makes a registry whose polls are answered by these, and collects the words that the polls reported.
fn make(case: &Case, polls: Vec<Answer>) -> Result<(aks_acr::Result<CreatedRegistry>, Vec<String>, Replay), Failed> {
    let put = case.other(PUT)?;
    let mut answers = vec![none_yet(case)?, put.answer()];
    answers.extend(polls);
    answers.push(case.other("acr/09-registry-get-premium")?.answer());
    let replay = Replay::of(answers);
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = told.clone();
    let listener = move |event| {
        if let Event::Polling { status, .. } = event {
            hears.lock().unwrap_or_else(PoisonError::into_inner).push(status);
        }
    };
    let made = create(&replay, &put, CallOptions::default().with_progress(listener))?;
    let told = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((made, told, replay))
}

fn done_after(case: &Case) -> Result<Answer, Failed> {
    Ok(case.other("acr/06-registry-create-poll-succeeded")?.answer())
}

/// Any word except the final ones means that it is running, and is reported as it is.
pub(super) fn running(case: &Case) -> Result<(), Failed> {
    let (made, told, replay) = make(case, vec![case.exchange.answer(), done_after(case)?])?;
    assert!(made?.is_new && replay.is_used_up());
    assert_eq!(told, [case.exchange.text("/status")?]);
    Ok(())
}

pub(super) fn done(case: &Case) -> Result<(), Failed> {
    let (made, told, replay) = make(case, vec![case.exchange.answer()])?;
    assert!(made?.is_new && replay.is_used_up());
    assert!(told.is_empty(), "{told:?}");
    Ok(())
}

pub(super) fn failed(case: &Case) -> Result<(), Failed> {
    let (made, _, replay) = make(case, vec![case.exchange.answer()])?;
    let err = made.err().ok_or("it was taken for success")?;
    assert_eq!(replay.sent().len(), 3, "nothing is asked after the end");
    assert_eq!(err.kind(), ErrorKind::OperationFailed);
    assert!(err.to_string().contains(case.exchange.text("/status")?), "{err}");
    assert_said(case, &err)
}

/// An answer of the gateway in the middle of a good operation: the poll is repeated. One that lasts until the deadline is reported.
pub(super) fn out_of_order(case: &Case) -> Result<(), Failed> {
    let (made, _, replay) = make(case, vec![case.exchange.answer(), done_after(case)?])?;
    assert!(made?.is_new && replay.is_used_up());
    let replay = Replay::of([none_yet(case)?, case.other(PUT)?.answer()]).then_always(case.exchange.answer());
    let made = create(&replay, &case.other(PUT)?, CallOptions::default())?;
    let err = made.err().ok_or("it was taken for success")?;
    assert_eq!(err.kind(), ErrorKind::DeadlineExceeded);
    assert_said(case, &err)
}

/// A 202 with both links: the first is the operation's state, and is the one that is followed. Given to an import.
pub(super) fn two_links(case: &Case) -> Result<(), Failed> {
    let link = case.exchange.header("azure-asyncoperation").ok_or("no operation was recorded")?;
    follows(case, case.exchange.answer(), case.other("aks/21-operation-poll-succeeded")?.answer(), link)
}

/// A 202 with the other link alone. Given to an import.
pub(super) fn one_link(case: &Case) -> Result<(), Failed> {
    let link = case.exchange.header("location").ok_or("no link was recorded")?;
    follows(case, case.exchange.answer(), case.other("aks/55-command-result-200-succeeded")?.answer(), link)
}

fn follows(case: &Case, started: Answer, done: Answer, link: &str) -> Result<(), Failed> {
    let replay = Replay::of([started, done]);
    assert_eq!(import_and_look(case, &replay)?, ImportStatus::Succeeded);
    assert_eq!(replay.sent()[1].url, azure_core::http::Url::parse(link)?);
    Ok(())
}

/// The state lies inside `properties`, and the status is 202. Given to the poll of an import, which has no tags to tell.
pub(super) fn state_inside_running(case: &Case) -> Result<(), Failed> {
    let replay = Replay::of([case.other("aks/53-run-command-202")?.answer(), case.exchange.answer()]);
    assert_eq!(import_and_look(case, &replay)?, ImportStatus::Running { tags: BTreeMap::new() });
    Ok(())
}

/// The same at the end. The word decides, not the status: any other word in its place is not the end.
pub(super) fn state_inside_done(case: &Case) -> Result<(), Failed> {
    let started = case.other("aks/53-run-command-202")?.answer();
    let replay = Replay::of([started.clone(), case.exchange.answer()]);
    assert_eq!(import_and_look(case, &replay)?, ImportStatus::Succeeded);
    let mut other = case.exchange.clone();
    other.body["properties"]["provisioningState"] = "Running".into();
    let replay = Replay::of([started, other.answer()]);
    assert_eq!(import_and_look(case, &replay)?, ImportStatus::Running { tags: BTreeMap::new() });
    Ok(())
}

fn import_and_look(case: &Case, replay: &Replay) -> Result<ImportStatus, Failed> {
    let (registry, request) = import::recorded(&case.other("acr/33-import-202-empty-body-2026")?)?;
    let status = paused(async {
        let client = client(replay)?;
        let mut handle = client.registry_importer().start_import(&registry, &request, &call()).await?;
        client.registry_importer().poll_import(&mut handle, &call()).await
    })?;
    let lines = replay.lines();
    assert_requests(replay, &lines)?;
    assert_eq!(lines.len(), 2);
    Ok(status)
}
