//! Bodies of registries, and the making of one. The body of a PATCH is that of a GET, and is given to the GET.

use super::{assert_requests, client};
use crate::exchange::{Case, Exchange};
use aks_acr::{
    CallOptions, CreateRegistryOptions, CreatedRegistry, ErrorKind, Registry, RegistryRef, RoleAssignmentMode,
};
use aks_acr_tests::{
    data::paused,
    replay::{Answer, Replay},
};
use libtest_mimic::Failed;
use serde_json::json;

pub(super) fn legacy(case: &Case) -> Result<(), Failed> {
    read(case, RoleAssignmentMode::LegacyRegistryPermissions)
}

/// File 14 is the answer to a PUT, with capitals in the login server; a login server is reported in lower case.
pub(super) fn abac(case: &Case) -> Result<(), Failed> {
    read(case, RoleAssignmentMode::AbacRepositoryPermissions)
}

fn read(case: &Case, mode: RoleAssignmentMode) -> Result<(), Failed> {
    let id = case.exchange.resource()?;
    let found = find(&Replay::of([case.exchange.answer()]), &id)?.ok_or("no registry was read")?;
    assert_eq!(found.mode, mode);
    assert_is(&found, &case.exchange, "")
}

/// Finds a registry by its id, which is one request.
fn find(replay: &Replay, id: &str) -> Result<Option<Registry>, Failed> {
    let registry: RegistryRef = id.parse()?;
    let found = paused(async { client(replay)?.registry(&registry, CallOptions::default()).await })?;
    assert_requests(replay, &[format!("GET {id}")])?;
    Ok(found)
}

fn assert_is(found: &Registry, exchange: &Exchange, at: &str) -> Result<(), Failed> {
    assert_eq!(found.id.as_str(), exchange.text(&format!("{at}/id"))?);
    assert_eq!(found.login_server, exchange.text(&format!("{at}/properties/loginServer"))?.to_ascii_lowercase());
    assert_eq!(found.location, exchange.text(&format!("{at}/location"))?);
    assert_eq!(found.sku, exchange.text(&format!("{at}/sku/name"))?);
    assert_eq!(found.state, exchange.text(&format!("{at}/properties/provisioningState"))?);
    Ok(())
}

pub(super) fn absent(case: &Case) -> Result<(), Failed> {
    assert_eq!(find(&Replay::of([case.exchange.answer()]), &case.exchange.resource()?)?, None);
    Ok(())
}

/// The list was asked for in a group that does not exist. A registry is not reported as missing if its group is.
pub(super) fn group_absent(case: &Case) -> Result<(), Failed> {
    let registry: RegistryRef = format!("{}/myregistry", case.exchange.path()?).parse()?;
    let replay = Replay::of([case.exchange.answer()]);
    let found = paused::<_, Failed>(async { Ok(client(&replay)?.registry(&registry, CallOptions::default()).await) })?;
    let err = found.err().ok_or("it was taken for an absent registry")?;
    assert_eq!(err.kind(), ErrorKind::NotFound);
    super::failure::assert_said(case, &err)
}

/// The library lists a whole subscription, whose items are those of a group.
pub(super) fn listed(case: &Case) -> Result<(), Failed> {
    let (name, host) = (case.exchange.text("/value/0/name")?, case.exchange.text("/value/0/properties/loginServer")?);
    for given in [name.to_ascii_uppercase(), host.to_owned()] {
        let registry: RegistryRef = given.parse()?;
        let replay = Replay::of([case.exchange.answer()]);
        let found = paused(async { client(&replay)?.registry(&registry, CallOptions::default()).await })?;
        let providers = "/subscriptions/00000000-0000-0000-0000-000000000000/providers";
        assert_requests(&replay, &[format!("GET {providers}/Microsoft.ContainerRegistry/registries")])?;
        assert_is(&found.ok_or("it was not found")?, &case.exchange, "/value/0")?;
    }
    Ok(())
}

/// Makes the registry that was recorded; before it, a look that finds none.
pub(super) fn create(
    replay: &Replay,
    put: &Exchange,
    call: CallOptions,
) -> Result<aks_acr::Result<CreatedRegistry>, Failed> {
    let id: aks_acr::ResourceId = put.resource()?.parse()?;
    let options = CreateRegistryOptions::default().with_location("westus").with_call(call);
    paused::<_, Failed>(async { Ok(client(replay)?.create_registry(id.group(), id.name(), options).await) })
}

pub(super) fn none_yet(case: &Case) -> Result<Answer, Failed> {
    Ok(case.other("acr/16-registry-get-404")?.answer())
}

/// 201 and an operation: the link is followed as it is, then the registry is read, here as the PUT reported it except for its state.
pub(super) fn create_and_poll(case: &Case) -> Result<(), Failed> {
    let put = &case.exchange;
    let mut made = put.clone();
    made.body["properties"]["provisioningState"] = json!("Succeeded");
    let done = case.other("acr/06-registry-create-poll-succeeded")?;
    let replay = Replay::of([none_yet(case)?, put.answer(), done.answer(), made.answer()]);
    let created = create(&replay, put, CallOptions::default())??;
    let id = put.resource()?;
    let link = put.header("azure-asyncoperation").ok_or("no operation was recorded")?;
    let followed = replay.sent().get(2).map(|sent| sent.url.to_string());
    assert_eq!(followed.as_deref(), Some(azure_core::http::Url::parse(link)?.as_str()), "the link is not changed");
    assert_eq!(replay.lines()[1], format!("PUT {id}"));
    assert_eq!(replay.lines().last(), Some(&format!("GET {id}")));
    assert!(created.is_new && replay.is_used_up());
    assert_eq!(created.registry.mode.as_str(), mode_of(put));
    assert_is(&created.registry, &made, "")
}

fn mode_of(exchange: &Exchange) -> &str {
    let mode = exchange.body["properties"]["roleAssignmentMode"].as_str();
    mode.unwrap_or(RoleAssignmentMode::LegacyRegistryPermissions.as_str())
}

/// 200 and no operation: nothing is waited for, and nothing asked for again. With a domain label the login server is not the name and an ending.
pub(super) fn create_at_once(case: &Case) -> Result<(), Failed> {
    let put = &case.exchange;
    let replay = Replay::of([none_yet(case)?, put.answer()]);
    let created = create(&replay, put, CallOptions::default())??;
    let id = put.resource()?;
    assert_requests(&replay, &[format!("GET {id}"), format!("PUT {id}")])?;
    assert!(created.is_new);
    assert_is(&created.registry, put, "")
}

/// After it the registries of the subscription are looked through: is it one's own in another group?
pub(super) fn name_in_use(case: &Case) -> Result<(), Failed> {
    let list = case.other("acr/24-registry-list-by-rg")?;
    let replay = Replay::of([none_yet(case)?, case.exchange.answer(), list.answer()]);
    let made = create(&replay, &case.exchange, CallOptions::default())?;
    let err = made.err().ok_or("it was taken for success")?;
    assert!(replay.is_used_up() && replay.sent().len() == 3);
    assert_eq!(err.kind(), ErrorKind::Conflict);
    super::failure::assert_said(case, &err)
}

/// Where no region is named, the registry is made in its group's.
pub(super) fn location_of_group(case: &Case) -> Result<(), Failed> {
    let put = case.other("acr/08-registry-create-200-succeeded")?;
    let replay = Replay::of([none_yet(case)?, case.exchange.answer(), put.answer()]);
    let (group, name) = (case.exchange.text("/name")?, put.text("/name")?);
    let options = CreateRegistryOptions::default();
    paused(async { client(&replay)?.create_registry(group, name, options).await })?;
    let sent = replay.sent();
    assert!(sent[1].line.eq_ignore_ascii_case(&format!("GET {}", case.exchange.path()?)), "{}", sent[1].line);
    assert_eq!(sent[2].json()["location"], case.exchange.body["location"]);
    Ok(())
}
