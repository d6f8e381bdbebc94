//! Who owns a role assignment, and who made it: those of others are never changed or claimed, and a call reports what it did.

use crate::{Scene, client};
use aks_acr::{
    AttachOptions, AttachOutcome, Client, DetachOptions, DetachOutcome, OnConditionMismatch, PullRole, assignment_name,
};
use aks_acr_emulator::{Emulator, Fault, RegistrySeed, RoleAssignment};
use azure_core::http::{HttpClient, Method, Request};
use serde_json::json;
use std::time::Duration;

const OF_BICEP: &str = "made by Bicep, do not touch";

/// Makes an assignment as Bicep does: under the shared name, with a description and perhaps a condition.
async fn made_by_bicep(azure: &Emulator, role: PullRole, condition: Option<&str>) {
    let (scope, principal) = (azure.registry_id("group", "myregistry"), azure.kubelet_object_id("group", "dev"));
    let name = assignment_name(&scope, principal.parse().unwrap(), role.id());
    let definition = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{}",
        azure.subscription(),
        role.id()
    );
    let mut properties = json!({
        "roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal", "description": OF_BICEP,
    });
    if let Some(condition) = condition {
        properties["condition"] = json!(condition);
        properties["conditionVersion"] = json!("2.0");
    }
    let token = azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01");
    let mut request = Request::new(format!("https://management.azure.com{path}").parse().unwrap(), Method::Put);
    request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
    request.insert_header("content-type", "application/json");
    request.set_body(json!({ "properties": properties }).to_string());
    let transport: std::sync::Arc<dyn HttpClient> = azure.transport();
    assert_eq!(u16::from(transport.execute_request(&request).await.unwrap().status()), 201);
}

/// Who may grant and remove, and may not list.
fn blind(azure: &Emulator) -> Client {
    let actions = [
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.Authorization/roleAssignments/write",
    ];
    let azure = azure.clone().with_custom_role("Blind Granter", &actions, &[]);
    let everything = format!("/subscriptions/{}", azure.subscription());
    let azure = azure.with_caller("blind", &[("Blind Granter", &everything)]);
    client(&azure, azure.credential_of("blind"))
}

fn at_registry(azure: &Emulator) -> Vec<RoleAssignment> {
    azure.role_assignments().into_iter().filter(|one| one.scope.contains("registries")).collect()
}

#[tokio::test(start_paused = true)]
async fn attach_by_a_caller_who_may_not_list_leaves_an_assignment_of_others_as_it_is() {
    let scene = Scene::new();
    made_by_bicep(&scene.azure, PullRole::AcrPull, None).await;
    let before = at_registry(&scene.azure);
    let attachment =
        blind(&scene.azure).attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(attachment.outcome, AttachOutcome::AlreadyGranted);
    assert_eq!(at_registry(&scene.azure), before, "nothing of it was changed");
    let options = DetachOptions::default().with_only_created_by_aks_acr(true);
    let detached = scene.client.detach(&scene.cluster, &scene.registry, options).await.unwrap();
    assert_eq!((detached.outcome, detached.remaining.len()), (DetachOutcome::NothingToRemove, 1));
    assert_eq!(at_registry(&scene.azure), before);
}

#[tokio::test(start_paused = true)]
async fn attach_by_a_caller_who_may_not_list_makes_one_assignment_that_is_ours() {
    let scene = Scene::new();
    let blind = blind(&scene.azure);
    for outcome in [AttachOutcome::Granted, AttachOutcome::AlreadyGranted] {
        let attachment = blind.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!(attachment.outcome, outcome);
    }
    assert_eq!(at_registry(&scene.azure).len(), 1);
    let options = DetachOptions::default().with_only_created_by_aks_acr(true);
    let detached = scene.client.detach(&scene.cluster, &scene.registry, options).await.unwrap();
    assert_eq!((detached.outcome, at_registry(&scene.azure).len()), (DetachOutcome::Removed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_is_replaced_claims_nothing() {
    let condition = |repository: &str| {
        format!(
            "((!(ActionMatches{{'Microsoft.ContainerRegistry/registries/repositories/content/read'}})) OR \
             (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase '{repository}'))"
        )
    };
    let scene = Scene::new();
    scene.azure.set_registry("group", "myregistry", RegistrySeed::abac);
    made_by_bicep(&scene.azure, PullRole::RepositoryReader, Some(&condition("one"))).await;
    let options = AttachOptions::default()
        .with_condition(condition("two"))
        .with_on_condition_mismatch(OnConditionMismatch::Replace);
    let attachment = scene.client.attach(&scene.cluster, &scene.registry, options).await.unwrap();
    assert_eq!(attachment.outcome, AttachOutcome::Granted);
    let [one] = &at_registry(&scene.azure)[..] else { panic!() };
    assert_eq!(
        (one.description.as_deref(), one.condition.as_deref()),
        (Some(OF_BICEP), Some(condition("two").as_str()))
    );
    let options = DetachOptions::default().with_only_created_by_aks_acr(true);
    let detached = scene.client.detach(&scene.cluster, &scene.registry, options).await.unwrap();
    assert_eq!(detached.outcome, DetachOutcome::NothingToRemove);
    assert_eq!(at_registry(&scene.azure).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_grant_whose_response_was_lost_is_said_to_be_granted() {
    for cut in lost_responses("PUT") {
        let scene = Scene::new();
        scene.azure.fault(cut);
        let attachment = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!(attachment.outcome, AttachOutcome::Granted);
        assert!(attachment.correlation_id.is_some() && attachment.assignment_id.is_some());
        assert_eq!(at_registry(&scene.azure).len(), 1);
        // The next call did nothing, and says so.
        let again = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!(again.outcome, AttachOutcome::AlreadyGranted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_by_a_caller_who_may_not_list_whose_response_was_lost_is_said_to_be_granted() {
    for cut in lost_responses("PUT") {
        let scene = Scene::new();
        scene.azure.fault(cut);
        let blind = blind(&scene.azure);
        let attachment = blind.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!(attachment.outcome, AttachOutcome::Granted);
        assert_eq!(at_registry(&scene.azure).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_whose_response_was_lost_is_said_to_be_removed() {
    for cut in lost_responses("DELETE") {
        let scene = Scene::new();
        scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        scene.azure.fault(cut);
        let detached = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
        assert_eq!((detached.outcome, detached.removed.len()), (DetachOutcome::Removed, 1));
        let again = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
        assert_eq!(again.outcome, DetachOutcome::NothingToRemove);
    }
}

/// The ways in which a request has its effect, but its response is lost.
fn lost_responses(method: &str) -> Vec<Fault> {
    let on = || Fault::on(method, "/roleAssignments/").after_effect();
    vec![on().reset(), on().status(503), on().status(500).times(2), on().status(504)]
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_response_was_lost_is_said_to_be_new() {
    use aks_acr::{ApplyOptions, Manifest};
    let manifests =
        || Manifest::parse_all("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}").unwrap();
    let lost = || Fault::on("PATCH", "/configmaps/").after_effect();
    for cut in [lost().reset(), lost().status(503), lost().status(504).times(2)] {
        let scene = Scene::new();
        let apply = || scene.client.apply(&scene.cluster, manifests(), ApplyOptions::default());
        scene.azure.fault(cut.clone());
        assert!(apply().await.unwrap()[0].is_new);
        // One that existed before is not new, whatever is lost.
        tokio::time::sleep(Duration::from_secs(60)).await;
        scene.azure.fault(cut);
        assert!(!apply().await.unwrap()[0].is_new);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_a_throttle_refused_first_and_others_did_meanwhile_is_not_claimed() {
    let scene = Scene::new();
    let throttle = Fault::on("PUT", "/roleAssignments/").status(429).header("retry-after", "10");
    scene.azure.fault(throttle);
    let (azure, by_id) = (scene.azure.clone(), scene.registry.clone());
    let (attachment, ()) = tokio::join!(scene.client.attach(&scene.cluster, &by_id, AttachOptions::default()), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        made_by_bicep(&azure, PullRole::AcrPull, None).await;
    });
    assert_eq!(attachment.unwrap().outcome, AttachOutcome::AlreadyGranted);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lags_behind_makes_no_second_assignment() {
    use aks_acr_emulator::Timing;
    let scene = Scene::new();
    scene.azure.set_timing(Timing::none().with_listing(Duration::from_secs(8)));
    let first = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    let second = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!((first.outcome, second.outcome), (AttachOutcome::Granted, AttachOutcome::AlreadyGranted));
    assert_eq!(at_registry(&scene.azure).len(), 1);
    // One under another name, which the list does not show yet, is found by asking again.
    let scene = Scene::new();
    scene.azure.set_timing(Timing::none().with_listing(Duration::from_secs(8)));
    blind(&scene.azure).attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    let second = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(second.outcome, AttachOutcome::AlreadyGranted);
    assert!(second.assignment_id.is_some());
    assert_eq!(at_registry(&scene.azure).len(), 1);
}
