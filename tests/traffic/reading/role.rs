//! Role assignments and definitions.

use super::{SUBSCRIPTION, assert_requests, call, client, failure::assert_said};
use crate::exchange::{Case, Exchange};
use aks_acr::{ErrorKind, Grant, Granted, PullRole, Result, assignment_name};
use aks_acr_tests::{data::paused, replay::Replay};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use uuid::Uuid;

const PROVIDER: &str = "providers/Microsoft.Authorization";

/// A grant of the role and to the principal that were recorded, at the resource that was recorded. Where that was no resource
/// but a group or a subscription, which the library grants nothing at, it is a registry.
fn grant(exchange: &Exchange) -> std::result::Result<Grant, Failed> {
    let properties = &exchange.sent["properties"];
    let principal = properties["principalId"].as_str().ok_or("no principal was sent")?;
    let scope = exchange.resource().ok().and_then(|id| id.parse().ok()).map_or_else(|| registry().parse(), Ok)?;
    let role = last(&properties["roleDefinitionId"])?;
    Ok(Grant::new(scope, principal.parse()?, role))
}

fn registry() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/group/providers/Microsoft.ContainerRegistry/registries/registry"
    )
}

fn last(id: &Value) -> std::result::Result<Uuid, Failed> {
    Ok(Uuid::try_parse(id.as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default())?)
}

/// The request that a grant is. Its name is the one that follows from the grant, not the recorded one.
fn put(grant: &Grant) -> String {
    let name = assignment_name(grant.scope.as_str(), grant.principal_id, grant.role_definition_id);
    format!("PUT {}/{PROVIDER}/roleAssignments/{name}", grant.scope)
}

fn try_grant(replay: &Replay, grant: &Grant) -> std::result::Result<Result<Granted>, Failed> {
    paused::<_, Failed>(async { Ok(client(replay)?.role_assigner().grant(grant, &call()).await) })
}

pub(super) fn granted(case: &Case) -> std::result::Result<(), Failed> {
    let grant = grant(&case.exchange)?;
    let replay = Replay::of([case.exchange.answer()]);
    let granted = try_grant(&replay, &grant)??;
    assert_requests(&replay, &[put(&grant)])?;
    let sent = &replay.sent()[0].json()["properties"];
    for member in ["roleDefinitionId", "principalId"] {
        assert_eq!(sent[member], case.exchange.sent["properties"][member], "{member} is sent as it was recorded");
    }
    assert_eq!(sent["principalType"], "ServicePrincipal");
    assert!(granted.is_new);
    let assignment = granted.assignment.ok_or("no assignment was read")?;
    assert_eq!(assignment.id, case.exchange.text("/id")?);
    assert_eq!(assignment.scope, case.exchange.text("/properties/scope")?);
    assert_eq!(assignment.principal_id, grant.principal_id.to_string());
    assert_eq!((assignment.role_definition_id, assignment.condition), (grant.role_definition_id, None));
    Ok(())
}

/// An existing assignment is searched for in a list, here with the assignment that was recorded just before; a caller that may not
/// list gets the answer that one exists.
pub(super) fn exists(case: &Case) -> std::result::Result<(), Failed> {
    let grant = grant(&case.exchange)?;
    let mut list = case.other("aks/02-role-assignment-put-201")?;
    list.body = json!({"value": [list.body]});
    list.status = 200;
    let get = format!("GET {}/{PROVIDER}/roleAssignments", grant.scope);
    let replay = Replay::of([case.exchange.answer(), list.answer()]);
    let granted = try_grant(&replay, &grant)??;
    assert_requests(&replay, &[put(&grant), get.clone()])?;
    assert!(!granted.is_new);
    assert_eq!(granted.assignment.map(|one| one.id).as_deref(), Some(list.text("/value/0/id")?));
    let refusal = case.other("aks/06-role-assignment-put-403")?;
    let replay = Replay::of([case.exchange.answer(), refusal.answer()]);
    let granted = try_grant(&replay, &grant)??;
    assert_requests(&replay, &[put(&grant), get])?;
    assert_eq!((granted.is_new, granted.assignment), (false, None));
    Ok(())
}

/// The two recordings follow one another: an identity that was just made is refused, then accepted.
pub(super) fn known_later(case: &Case) -> std::result::Result<(), Failed> {
    let grant = grant(&case.exchange)?;
    let accepted = case.other("aks/50-role-assignment-put-201-managed-identity-operator")?;
    let refused = case.exchange.answer();
    let replay = Replay::of([refused.clone(), refused, accepted.answer()]);
    let granted = try_grant(&replay, &grant)??;
    assert_requests(&replay, &[put(&grant), put(&grant), put(&grant)])?;
    assert!(granted.is_new);
    Ok(())
}

pub(super) fn never_known(case: &Case) -> std::result::Result<(), Failed> {
    let grant = grant(&case.exchange)?;
    let replay = Replay::of([]).then_always(case.exchange.answer());
    let err = try_grant(&replay, &grant)?.err().ok_or("it was taken for success")?;
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert!(replay.sent().len() > 5, "a new identity is given time: {} tries", replay.sent().len());
    assert!(replay.lines().iter().all(|line| *line == put(&grant)), "every try has the same name");
    assert_said(case, &err)
}

pub(super) fn unmatched(case: &Case) -> std::result::Result<(), Failed> {
    let grant = grant(&case.exchange)?;
    let replay = Replay::of([case.exchange.answer()]);
    let err = try_grant(&replay, &grant)?.err().ok_or("it was taken for success")?;
    assert_requests(&replay, &[put(&grant)])?;
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert_said(case, &err)
}

pub(super) fn refused(case: &Case) -> std::result::Result<(), Failed> {
    let grant = grant(&case.exchange)?;
    let replay = Replay::of([case.exchange.answer()]);
    let err = try_grant(&replay, &grant)?.err().ok_or("it was taken for success")?;
    assert_requests(&replay, &[put(&grant)])?;
    assert_eq!(err.kind(), ErrorKind::Forbidden);
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/write"));
    assert_eq!(err.smallest_role(), Some("Role Based Access Control Administrator"));
    assert_said(case, &err)
}

/// The list is asked for at a registry, whatever scope was recorded.
pub(super) fn listed(case: &Case) -> std::result::Result<(), Failed> {
    let replay = Replay::of([case.exchange.answer()]);
    let scope = registry().parse()?;
    let listed = paused(async { client(&replay)?.role_assigner().list(&scope, &call()).await })?;
    assert_requests(&replay, &[format!("GET {scope}/{PROVIDER}/roleAssignments")])?;
    let recorded = case.exchange.body["value"].as_array().ok_or("the recording has no list")?;
    assert_eq!(listed.len(), recorded.len());
    for (one, wanted) in listed.iter().zip(recorded) {
        let properties = &wanted["properties"];
        assert_eq!(wanted["id"], one.id);
        assert_eq!(properties["scope"], one.scope);
        assert_eq!(properties["principalId"], one.principal_id);
        assert_eq!(last(&properties["roleDefinitionId"])?, one.role_definition_id);
        assert_eq!(properties["condition"].as_str(), one.condition.as_deref());
    }
    Ok(())
}

pub(super) fn revoked(case: &Case) -> std::result::Result<(), Failed> {
    let replay = Replay::of([case.exchange.answer()]);
    let path = case.exchange.path()?;
    let revoked = paused(async { client(&replay)?.role_assigner().revoke(&path, &call()).await })?;
    assert_requests(&replay, &[format!("DELETE {path}")])?;
    assert!(revoked.was_there);
    assert_eq!(revoked.correlation_id.as_deref(), case.exchange.header("x-ms-correlation-request-id"));
    Ok(())
}

/// The library asks for a role by its id; the answer to that is the one item of the list that was recorded.
pub(super) fn definition(case: &Case) -> std::result::Result<(), Failed> {
    let mut one = case.exchange.clone();
    one.body = case.exchange.body["value"][0].clone();
    let role = last(&one.body["id"])?;
    let scope = registry();
    let replay = Replay::of([one.answer()]);
    let definition = paused(async { client(&replay)?.role_assigner().definition(&scope, role, &call()).await })?;
    assert_requests(&replay, &[format!("GET {scope}/{PROVIDER}/roleDefinitions/{role}")])?;
    assert_eq!(definition.name, one.text("/properties/roleName")?);
    let permissions = &one.body["properties"]["permissions"][0];
    assert_eq!(permissions["actions"], json!(definition.permissions[0].actions));
    assert!(!definition.permissions[0].actions.is_empty());
    assert_eq!(permissions["notActions"], json!(definition.permissions[0].not_actions));
    assert_eq!(permissions["dataActions"], json!(definition.permissions[0].data_actions));
    assert_eq!(permissions["notDataActions"], json!(definition.permissions[0].not_data_actions));
    if definition.name == PullRole::AcrPull.as_str() {
        assert_eq!(role, PullRole::AcrPull.id());
    }
    Ok(())
}
