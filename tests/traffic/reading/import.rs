//! Imports: what is sent, the links that are followed, and what a poll reports.

use super::{call, client};
use crate::exchange::{Case, Exchange};
use aks_acr::{
    CallOptions, ErrorKind, ImageReference, ImportCredentials, ImportHandle, ImportRequest, ImportStatus, Registry,
    RegistryRef,
};
use aks_acr_tests::{
    data::paused,
    replay::{Answer, Replay},
};
use azure_core::{credentials::Secret, http::Url};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::time::Duration;

/// Where a source is named by its resource id, its host is not recorded, and does not matter.
const SOURCE: &str = "source.azurecr.io";

/// The import that was recorded, as a request to the library. Its grammar wants lower case, which one example has not.
pub(super) fn recorded(exchange: &Exchange) -> Result<(Registry, ImportRequest), Failed> {
    let (source, sent) = (&exchange.sent["source"], &exchange.sent);
    let host = source["registryUri"].as_str().unwrap_or(SOURCE);
    let image = source["sourceImage"].as_str().ok_or("no image was sent")?.to_ascii_lowercase();
    let texts = sent["targetTags"].as_array().into_iter().flatten();
    let source_image = format!("{host}/{image}").parse::<ImageReference>()?;
    let mut request = ImportRequest::new(source_image, "");
    request.source_registry = source["resourceId"].as_str().map(str::parse).transpose()?;
    request.targets = texts.filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
    let texts = sent["untaggedTargetRepositories"].as_array().into_iter().flatten();
    request.untagged = texts.filter_map(|one| one.as_str().map(str::to_owned)).collect();
    request.credentials = credentials(&source["credentials"]);
    request.replace = sent["mode"] == "Force";
    Ok((registry(&exchange.resource()?)?, request))
}

fn credentials(sent: &Value) -> Option<ImportCredentials> {
    let password = Secret::from(sent["password"].as_str()?.to_owned());
    Some(match sent["username"].as_str() {
        Some(user) => ImportCredentials::user(user, password),
        None => ImportCredentials::token(password),
    })
}

/// A registry with this id, read from an answer, since no other way leads to one.
fn registry(id: &str) -> Result<Registry, Failed> {
    let body = json!({"id": id, "name": "target", "properties": {"loginServer": "target.azurecr.io"}});
    let replay = Replay::of([Answer { status: 200, headers: Vec::new(), body: body.to_string().into() }]);
    let by_id: RegistryRef = id.parse()?;
    let found = paused(async { client(&replay)?.registry(&by_id, CallOptions::default()).await })?;
    Ok(found.ok_or("no registry was read")?)
}

/// What the library sends for it. It differs from what was recorded in three ways: a tag that was left out is named, so is the mode,
/// and a list without members is left out.
fn sent_for(exchange: &Exchange) -> Result<Value, Failed> {
    let mut wanted = exchange.sent.clone();
    let source = wanted["source"].as_object_mut().ok_or("no source was sent")?;
    let image = source["sourceImage"].as_str().unwrap_or_default().to_ascii_lowercase();
    let tag = if image.contains([':', '@']) { "" } else { ":latest" };
    source["sourceImage"] = format!("{image}{tag}").into();
    let members = wanted.as_object_mut().ok_or("no object was sent")?;
    members.retain(|_, value| *value != json!([]));
    members.entry("mode").or_insert_with(|| "NoForce".into());
    Ok(wanted)
}

fn begin(replay: &Replay, exchange: &Exchange) -> Result<ImportHandle, Failed> {
    let (registry, request) = recorded(exchange)?;
    paused(async { client(replay)?.registry_importer().start_import(&registry, &request, &call()).await })
}

fn look(replay: &Replay, handle: &mut ImportHandle) -> Result<aks_acr::Result<ImportStatus>, Failed> {
    paused::<_, Failed>(async { Ok(client(replay)?.registry_importer().poll_import(handle, &call()).await) })
}

fn link(exchange: &Exchange) -> Result<Url, Failed> {
    Ok(Url::parse(exchange.header("location").ok_or("the recording has no link")?)?)
}

/// 202 with a body of four letters or none; the wait is the service's, where a recorder kept it.
pub(super) fn start(case: &Case) -> Result<(), Failed> {
    let done = case.other("acr/27-import-poll-200-succeeded")?;
    let replay = Replay::of([case.exchange.answer(), done.answer()]);
    let mut handle = begin(&replay, &case.exchange)?;
    let wait = case.exchange.header("retry-after").map(str::parse).transpose()?.map(Duration::from_secs);
    assert_eq!(handle.asked_wait(), wait);
    assert_eq!(look(&replay, &mut handle)??, ImportStatus::Succeeded);
    let sent = replay.sent();
    assert_eq!(sent[0].line, format!("POST {}", case.exchange.path()?));
    assert_eq!(sent[0].json(), sent_for(&case.exchange)?);
    assert_eq!(sent[1].url, link(&case.exchange)?, "the link is followed as it is");
    assert_eq!(sent.len(), 2);
    Ok(())
}

/// 202 with the state of each target and a new link, which the next look follows.
pub(super) fn pending(case: &Case) -> Result<(), Failed> {
    let started = case.other("acr/25-import-by-resource-id-202")?;
    let done = case.other("acr/27-import-poll-200-succeeded")?;
    let replay = Replay::of([started.answer(), case.exchange.answer(), done.answer()]);
    let mut handle = begin(&replay, &started)?;
    let mut wanted = case.exchange.body.as_object().ok_or("the recording has no object")?.clone();
    wanted.remove("status");
    handle.targets = wanted.keys().cloned().collect();
    let status = look(&replay, &mut handle)??;
    let ImportStatus::Running { tags } = status else { return Err("it was taken for the end".into()) };
    assert!(!tags.is_empty());
    assert_eq!(json!(tags), Value::Object(wanted));
    assert_eq!(look(&replay, &mut handle)??, ImportStatus::Succeeded);
    assert_eq!(replay.sent()[2].url, link(&case.exchange)?, "the newer link is followed");
    Ok(())
}

pub(super) fn succeeded(case: &Case) -> Result<(), Failed> {
    let started = case.other("acr/25-import-by-resource-id-202")?;
    let replay = Replay::of([started.answer(), case.exchange.answer()]);
    let mut handle = begin(&replay, &started)?;
    assert_eq!(look(&replay, &mut handle)??, ImportStatus::Succeeded);
    assert!(replay.is_used_up());
    Ok(())
}

/// What each text means. The file has texts only: status and JSON round them are the likely ones, not recorded ones.
pub(super) fn failures(case: &Case) -> Result<(), Failed> {
    let texts = case.exchange.file["reportedMessages"].as_array().ok_or("the file has no texts")?;
    let kinds: Vec<ErrorKind> = texts.iter().map(|text| kind_of(case, text)).collect::<Result<_, Failed>>()?;
    let wanted = [
        ErrorKind::Conflict,
        ErrorKind::NotFound,
        ErrorKind::Forbidden,
        ErrorKind::Forbidden,
        // Not known to mean anything that a caller could act on.
        ErrorKind::OperationFailed,
        ErrorKind::RateLimited,
        ErrorKind::OperationFailed,
    ];
    assert_eq!(kinds, wanted);
    Ok(())
}

/// Fails a poll with the text, and finds it whole in the error. The reports left hosts out; one stands in for them.
fn kind_of(case: &Case, reported: &Value) -> Result<ErrorKind, Failed> {
    let text = reported["text"].as_str().ok_or("there is no text")?.replace("<host>", SOURCE);
    let body = json!({"error": {"code": "BadRequest", "message": text}});
    let failure = Answer { status: 400, headers: Vec::new(), body: body.to_string().into() };
    let started = case.other("acr/25-import-by-resource-id-202")?;
    let replay = Replay::of([started.answer(), failure]);
    let mut handle = begin(&replay, &started)?;
    let err = look(&replay, &mut handle)?.err().ok_or("it was taken for success")?;
    assert_eq!(err.service().and_then(|service| service.message.clone()), Some(text));
    Ok(err.kind())
}
