//! Grants: made, taken back, listed.

use crate::{
    backend::{Backend, call, other_subscription},
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, REGISTRY, Scene},
};
use aks_acr::{CallOptions, ErrorKind, Grant, PrincipalId, PullRole, ResourceId, RoleAssignment, assignment_name};
use aks_acr_emulator::{Fault, RegistrySeed};
use libtest_mimic::Failed;
use std::time::Duration;
use tokio::time::Instant;

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
/// In the words of Azure: pull and read in the repository `team/app`.
const NARROW: &str = "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'})) OR \
    (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/app'))";

pub fn cases() -> Vec<Case> {
    cases! { "role";
        everywhere: [
            grant_makes_at_most_one_assignment,
            a_second_grant_is_left_as_it_is_and_is_the_answer,
            revoke_of_what_is_not_there_succeeds_and_says_so,
            revoke_takes_back_what_was_granted,
            definition_of_an_unknown_role_is_not_found,
            definition_tells_what_a_pull_role_allows,
        ];
        on_emulator: [
            a_grant_under_another_name_is_left_as_it_is_with_its_condition,
            a_grant_that_the_caller_may_not_read_is_no_new_one,
            the_assignments_name_is_the_one_that_other_tools_derive,
            grant_waits_for_a_principal_that_the_directory_does_not_know_yet,
            grant_waits_for_an_unknown_principal_for_a_limited_time,
            grant_needs_no_wait_for_an_identity_that_was_just_made,
            grant_reports_a_refusal_after_one_refusal,
            a_condition_is_granted_as_it_was_given,
            grant_follows_the_servers_wish_to_wait,
            grant_whose_answer_was_lost_makes_no_second_one,
            list_gives_every_assignment_at_the_scope_and_above_it,
            list_reads_all_pages_the_empty_first_one_too,
            list_of_who_may_not_is_forbidden,
            revoke_of_what_is_no_assignment_is_refused_before_a_request,
            revoke_reports_a_refusal,
        ];
    }
}

fn pull(scope: &ResourceId, principal_id: PrincipalId) -> Grant {
    Grant::new(scope.clone(), principal_id, PullRole::AcrPull.id())
}

fn pull_on(backend: &dyn Backend) -> Grant {
    pull(backend.registry(), backend.principal())
}

/// The assignments on the registry itself that are for the backend's principal.
async fn held(backend: &dyn Backend) -> Result<Vec<RoleAssignment>, Failed> {
    let listed = backend.client().role_assigner().list(backend.registry(), &call()).await?;
    let principal = backend.principal().to_string();
    let is_meant =
        |one: &RoleAssignment| backend.registry().is(&one.scope) && one.principal_id.eq_ignore_ascii_case(&principal);
    Ok(listed.into_iter().filter(is_meant).map(timeless).collect())
}

/// Without the time of the last write: a PUT of what exists is one.
fn timeless(mut assignment: RoleAssignment) -> RoleAssignment {
    assignment.updated = None;
    assignment
}

async fn grant_makes_at_most_one_assignment(backend: &dyn Backend) -> Checked {
    let grant = pull_on(backend);
    let granted = backend.client().role_assigner().grant(&grant, &call()).await?;
    let assignment = some(granted.assignment, "assignment")?;
    assert!(granted.is_new && grant.scope.is(&assignment.scope));
    assert_eq!((assignment.role_definition_id, assignment.condition.as_deref()), (grant.role_definition_id, None));
    backend.client().role_assigner().grant(&grant, &call()).await?;
    assert_eq!(held(backend).await?, [timeless(assignment)]);
    Ok(())
}

async fn a_second_grant_is_left_as_it_is_and_is_the_answer(backend: &dyn Backend) -> Checked {
    let assigner = backend.client().role_assigner();
    let first = assigner.grant(&pull_on(backend), &call()).await?;
    let second = assigner.grant(&pull_on(backend), &call()).await?;
    let first = timeless(some(first.assignment, "assignment")?);
    assert_eq!(timeless(some(second.assignment, "assignment")?), first);
    assert_eq!(held(backend).await?, [first]);
    Ok(())
}

async fn revoke_of_what_is_not_there_succeeds_and_says_so(backend: &dyn Backend) -> Checked {
    let name = assignment_name(backend.registry().as_str(), backend.principal(), PullRole::AcrPull.id());
    let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", backend.registry());
    assert!(!backend.client().role_assigner().revoke(&id, &call()).await?.was_there);
    Ok(())
}

async fn revoke_takes_back_what_was_granted(backend: &dyn Backend) -> Checked {
    let assigner = backend.client().role_assigner();
    let granted = assigner.grant(&pull_on(backend), &call()).await?;
    let id = some(granted.assignment, "assignment")?.id;
    assert!(assigner.revoke(&id, &call()).await?.was_there);
    assert_eq!(held(backend).await?, []);
    assert!(!assigner.revoke(&id, &call()).await?.was_there);
    Ok(())
}

async fn definition_of_an_unknown_role_is_not_found(backend: &dyn Backend) -> Checked {
    let role = uuid::Uuid::from_u128(0x5b5b_5b5b_0000_4000_8000_0000_0000_0001);
    refused(
        backend.client().role_assigner().definition(backend.registry().as_str(), role, &call()).await,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn definition_tells_what_a_pull_role_allows(backend: &dyn Backend) -> Checked {
    let assigner = backend.client().role_assigner();
    let pull = assigner.definition(backend.registry().as_str(), PullRole::AcrPull.id(), &call()).await?;
    assert_eq!(pull.name, PullRole::AcrPull.as_str());
    let [block] = &pull.permissions[..] else { return Err(format!("{pull:?}").into()) };
    assert_eq!(
        (block.actions.as_slice(), block.data_actions.len()),
        (&["Microsoft.ContainerRegistry/registries/pull/read".to_owned()][..], 0)
    );
    let reader = assigner.definition(backend.registry().as_str(), PullRole::RepositoryReader.id(), &call()).await?;
    assert_eq!(reader.name, PullRole::RepositoryReader.as_str());
    assert!(
        reader
            .permissions
            .iter()
            .flat_map(|block| &block.data_actions)
            .any(|action| action.ends_with("/repositories/content/read"))
    );
    Ok(())
}

async fn a_grant_under_another_name_is_left_as_it_is_with_its_condition() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    let role = PullRole::RepositoryReader;
    let principal = scene.principal().to_string();
    let name = scene.azure.grant_if(role.as_str(), &principal, scene.registry().as_str(), NARROW);
    let before = scene.azure.role_assignments();
    let mut grant = pull_on(&scene);
    grant.role_definition_id = role.id();
    let granted = scene.client.role_assigner().grant(&grant, &call()).await?;
    let there = some(granted.assignment, "assignment")?;
    assert!(!granted.is_new && there.id.ends_with(&name));
    assert_eq!(there.condition.as_deref(), Some(NARROW));
    assert_eq!(scene.azure.role_assignments(), before);
    Ok(())
}

async fn a_grant_that_the_caller_may_not_read_is_no_new_one() -> Checked {
    let scene = Scene::new()?;
    scene.azure.grant("AcrPull", &scene.principal().to_string(), scene.registry().as_str());
    let _ = scene.azure.clone().with_custom_role("Blind Granter", &[WRITE], &[]);
    let client = scene.caller(&[("Blind Granter", &scene.everything())])?;
    let granted = client.role_assigner().grant(&pull_on(&scene), &call()).await?;
    assert_eq!((granted.assignment, granted.is_new), (None, false));
    Ok(())
}

async fn the_assignments_name_is_the_one_that_other_tools_derive() -> Checked {
    let scene = Scene::new()?;
    let grant = pull_on(&scene);
    scene.client.role_assigner().grant(&grant, &call()).await?;
    let name = assignment_name(grant.scope.as_str(), grant.principal_id, grant.role_definition_id).to_string();
    assert_eq!(scene.azure.role_assignments().iter().filter(|one| one.name == name).count(), 1);
    Ok(())
}

async fn grant_waits_for_a_principal_that_the_directory_does_not_know_yet() -> Checked {
    let scene = Scene::new()?;
    scene.azure.forget_principal(&scene.principal().to_string(), Duration::from_secs(30));
    let begun = Instant::now();
    assert!(scene.client.role_assigner().grant(&pull_on(&scene), &call()).await?.is_new);
    assert!(begun.elapsed() >= Duration::from_secs(30) && begun.elapsed() < Duration::from_secs(60));
    // At once, and then with waits of a second and a tenth of the time so far: 0, 1, 2.1, 3.31 s and so on, to the first after 30 s.
    let (mut tries, mut at) = (1, 0.0);
    while at < 30.0 {
        (tries, at) = (tries + 1, at + 1.0 + at / 10.0);
    }
    assert_eq!((tries, scene.writes().len()), (16, tries));
    Ok(())
}

async fn grant_waits_for_an_unknown_principal_for_a_limited_time() -> Checked {
    let scene = Scene::new()?;
    scene.azure.forget_principal(&scene.principal().to_string(), Duration::from_secs(3600));
    let begun = Instant::now();
    let err = refused(scene.client.role_assigner().grant(&pull_on(&scene), &call()).await, ErrorKind::InvalidInput)?;
    assert_eq!(err.code(), Some("PrincipalNotFound"));
    assert!(begun.elapsed() > Duration::from_secs(60) && begun.elapsed() < Duration::from_secs(180));
    Ok(())
}

async fn grant_needs_no_wait_for_an_identity_that_was_just_made() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(aks_acr_emulator::Timing::typical());
    tokio::time::advance(Duration::from_secs(1)).await;
    let young = scene.azure.make_identity("young").parse()?;
    let begun = Instant::now();
    scene.client.role_assigner().grant(&pull(scene.registry(), young), &call()).await?;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(scene.writes().len(), 1);
    Ok(())
}

async fn grant_reports_a_refusal_after_one_refusal() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Contributor", &scene.everything())])?;
    let begun = Instant::now();
    let err = refused(client.role_assigner().grant(&pull_on(&scene), &call()).await, ErrorKind::Forbidden)?;
    assert_eq!((err.code(), err.missing_action()), (Some("AuthorizationFailed"), Some(WRITE)));
    assert_eq!(err.smallest_role(), Some("Role Based Access Control Administrator"));
    assert_eq!(err.scope(), Some(scene.registry().as_str()));
    assert_eq!(scene.writes().len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(1));
    Ok(())
}

async fn a_condition_is_granted_as_it_was_given() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    let mut grant = pull_on(&scene);
    grant.role_definition_id = PullRole::RepositoryReader.id();
    grant.condition = Some(NARROW.to_owned());
    let granted = scene.client.role_assigner().grant(&grant, &call()).await?;
    assert_eq!(some(granted.assignment, "assignment")?.condition.as_deref(), Some(NARROW));
    assert_eq!(held(&scene).await?[0].condition.as_deref(), Some(NARROW));
    Ok(())
}

async fn grant_follows_the_servers_wish_to_wait() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").status(429).header("retry-after", "17"));
    let begun = Instant::now();
    scene.client.role_assigner().grant(&pull_on(&scene), &call()).await?;
    assert!(begun.elapsed() >= Duration::from_secs(17) && begun.elapsed() < Duration::from_secs(20));
    Ok(())
}

async fn grant_whose_answer_was_lost_makes_no_second_one() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").reset().after_effect());
    scene.client.role_assigner().grant(&pull_on(&scene), &call()).await?;
    assert_eq!(held(&scene).await?.len(), 1);
    Ok(())
}

/// Grants pull at, above, below and beside the registry; gives the scopes at and above it.
fn spread_grants(scene: &Scene) -> Result<Vec<String>, Failed> {
    let principal = scene.principal().to_string();
    let everything = scene.everything();
    let group = format!("{everything}/resourceGroups/{GROUP}");
    let on_path = vec![everything.clone(), group.clone(), scene.registry().to_string()];
    let other = format!("/subscriptions/{}", other_subscription()?);
    let below = format!("{}/webhooks/hook", scene.registry());
    let elsewhere = [below, format!("{group}2"), format!("{}2", scene.registry()), other];
    for scope in on_path.iter().chain(&elsewhere) {
        scene.azure.grant("AcrPull", &principal, scope);
    }
    Ok(on_path)
}

async fn scopes_of_listed(scene: &Scene) -> Result<Vec<String>, Failed> {
    let principal = scene.principal().to_string();
    let listed = scene.client.role_assigner().list(scene.registry(), &call()).await?;
    let mut scopes: Vec<String> =
        listed.into_iter().filter(|one| one.principal_id == principal).map(|one| one.scope).collect();
    scopes.sort_by_key(String::len);
    Ok(scopes)
}

async fn list_gives_every_assignment_at_the_scope_and_above_it() -> Checked {
    let scene = Scene::new()?;
    let wanted = spread_grants(&scene)?;
    assert_eq!(scopes_of_listed(&scene).await?, wanted);
    Ok(())
}

async fn list_reads_all_pages_the_empty_first_one_too() -> Checked {
    let scene = Scene::new()?;
    let wanted = spread_grants(&scene)?;
    scene.azure.set_page_size(1);
    scene.azure.set_empty_first_page(true);
    assert_eq!(scopes_of_listed(&scene).await?, wanted);
    Ok(())
}

async fn list_of_who_may_not_is_forbidden() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("AcrPull", scene.registry().as_str())])?;
    let err = refused(client.role_assigner().list(scene.registry(), &call()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/read"));
    Ok(())
}

async fn revoke_of_what_is_no_assignment_is_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    let odd = [
        "",
        scene.registry().as_str(),
        "/x/providers/Microsoft.Authorization/roleAssignments/../../../subscriptions/s",
        "/x/providers/Microsoft.Authorization/roleAssignments/a?b=c",
        "https://evil.example/providers/Microsoft.Authorization/roleAssignments/a",
    ];
    for id in odd {
        refused(scene.client.role_assigner().revoke(id, &call()).await, ErrorKind::InvalidInput)?;
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn revoke_reports_a_refusal() -> Checked {
    let scene = Scene::new()?;
    let granted = scene.client.role_assigner().grant(&pull_on(&scene), &call()).await?;
    let id = some(granted.assignment, "assignment")?.id;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    let call = CallOptions::default().start(Duration::from_secs(60));
    let err = refused(client.role_assigner().revoke(&id, &call).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/delete"));
    assert_eq!(held(&scene).await?.len(), 1);
    Ok(())
}
