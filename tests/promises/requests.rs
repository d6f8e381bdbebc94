//! How many requests an operation makes, how deep they lie, what they write.

use crate::{Scene, client};
use aks_acr::{
    AttachOptions, AttachOutcome, AttachmentsOptions, ClusterRef, CreateClusterOptions, CreateRegistryOptions,
    DetachOptions, DetachOutcome, ErrorKind, RegistryRef, assignment_name,
};
use aks_acr_emulator::{RegistrySeed, RequestSummary, Service, summary};
use futures::future::join_all;

async fn attach(scene: &Scene, registry: &RegistryRef) -> (AttachOutcome, RequestSummary) {
    let mark = scene.azure.mark();
    let attachment = scene.client.attach(&scene.cluster, registry, AttachOptions::default()).await.unwrap();
    (attachment.outcome, summary(&scene.azure.requests_since(mark)))
}

fn counts(summary: &RequestSummary) -> (usize, usize, usize) {
    (summary.count, summary.depth, summary.writes)
}

#[tokio::test(start_paused = true)]
async fn attach_by_id_is_four_requests_two_deep_with_one_write_and_again_three_one_deep_without() {
    let scene = Scene::new();
    let (outcome, seen) = attach(&scene, &scene.registry).await;
    assert_eq!((outcome, counts(&seen)), (AttachOutcome::Granted, (4, 2, 1)));
    let (outcome, seen) = attach(&scene, &scene.registry).await;
    assert_eq!((outcome, counts(&seen)), (AttachOutcome::AlreadyGranted, (3, 1, 0)));
}

#[tokio::test(start_paused = true)]
async fn attach_by_name_is_four_requests_three_deep_with_one_write_and_again_three_two_deep_without() {
    let scene = Scene::new();
    let by_name = "myregistry".parse().unwrap();
    let (outcome, seen) = attach(&scene, &by_name).await;
    assert_eq!((outcome, counts(&seen)), (AttachOutcome::Granted, (4, 3, 1)));
    let (outcome, seen) = attach(&scene, &by_name).await;
    assert_eq!((outcome, counts(&seen)), (AttachOutcome::AlreadyGranted, (3, 2, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_plan_reads_and_writes_nothing_and_its_application_writes_once() {
    let scene = Scene::new();
    let mark = scene.azure.mark();
    let plan = scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (3, 1, 0));
    let mark = scene.azure.mark();
    scene.client.apply_attach(&plan, AttachOptions::default()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (4, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_done_or_no_longer_fits_writes_nothing() {
    let scene = Scene::new();
    let plan = scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    attach(&scene, &scene.registry).await;
    let mark = scene.azure.mark();
    let done = scene.client.apply_attach(&plan, AttachOptions::default()).await.unwrap();
    assert_eq!(done.outcome, AttachOutcome::AlreadyGranted);
    scene.azure.set_registry("group", "myregistry", RegistrySeed::abac);
    let err = scene.client.apply_attach(&plan, AttachOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(summary(&scene.azure.requests_since(mark)).writes, 0);
}

async fn detach(scene: &Scene, registry: &RegistryRef) -> (DetachOutcome, RequestSummary) {
    let mark = scene.azure.mark();
    let detachment = scene.client.detach(&scene.cluster, registry, DetachOptions::default()).await.unwrap();
    (detachment.outcome, summary(&scene.azure.requests_since(mark)))
}

#[tokio::test(start_paused = true)]
async fn detach_by_id_is_three_requests_two_deep_with_one_write_and_again_two_one_deep_without() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    let (outcome, seen) = detach(&scene, &scene.registry).await;
    assert_eq!((outcome, counts(&seen)), (DetachOutcome::Removed, (3, 2, 1)));
    let (outcome, seen) = detach(&scene, &scene.registry).await;
    assert_eq!((outcome, counts(&seen)), (DetachOutcome::NothingToRemove, (2, 1, 0)));
}

#[tokio::test(start_paused = true)]
async fn detach_by_name_is_four_requests_three_deep_and_again_three_two_deep() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    let by_name = "myregistry".parse().unwrap();
    let (outcome, seen) = detach(&scene, &by_name).await;
    assert_eq!((outcome, counts(&seen)), (DetachOutcome::Removed, (4, 3, 1)));
    let (outcome, seen) = detach(&scene, &by_name).await;
    assert_eq!((outcome, counts(&seen)), (DetachOutcome::NothingToRemove, (3, 2, 0)));
}

#[tokio::test(start_paused = true)]
async fn two_grants_are_removed_beside_each_other_and_beside_the_look_at_what_remains() {
    let scene = Scene::new();
    let (kubelet, registry) =
        (scene.azure.kubelet_object_id("group", "dev"), scene.azure.registry_id("group", "myregistry"));
    scene.azure.grant("AcrPull", &kubelet, &registry);
    scene.azure.grant("Container Registry Repository Reader", &kubelet, &registry);
    scene.azure.grant("Reader", &kubelet, &format!("/subscriptions/{}", scene.azure.subscription()));
    let (outcome, seen) = detach(&scene, &scene.registry).await;
    assert_eq!((outcome, counts(&seen)), (DetachOutcome::Removed, (5, 2, 2)));
}

#[tokio::test(start_paused = true)]
async fn a_detach_of_a_named_principal_does_not_look_at_the_cluster() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    let mark = scene.azure.mark();
    let kubelet = scene.azure.kubelet_object_id("group", "dev").parse().unwrap();
    let options = DetachOptions::default().with_principal(kubelet);
    scene.client.detach(&scene.cluster, &scene.registry, options).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_detach_is_two_requests_one_deep_and_writes_nothing() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    let mark = scene.azure.mark();
    let plan = scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (2, 1, 0));
    let mark = scene.azure.mark();
    scene.client.apply_detach(&plan, DetachOptions::default()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn attachments_of_a_cluster_are_three_requests_two_deep() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    let mark = scene.azure.mark();
    scene.client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (3, 2, 0));
    let other = "5b5b5b5b-0000-4000-8000-000000000005";
    let scene = Scene::of(scene.azure.with_subscription(other));
    scene.client.identities(&scene.cluster, aks_acr::CallOptions::default()).await.unwrap();
    let mark = scene.azure.mark();
    let options = AttachmentsOptions::default().with_subscription(other.parse().unwrap());
    scene.client.attachments_of_cluster(&scene.cluster, options).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (5, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn attachments_of_a_registry_are_three_requests_one_deep_by_id_and_two_deep_by_name() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    for (registry, depth) in [(scene.registry.clone(), 1), ("myregistry".parse().unwrap(), 2)] {
        let mark = scene.azure.mark();
        scene.client.attachments_of_registry(&registry, AttachmentsOptions::default()).await.unwrap();
        assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (3, depth, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_but_get_reaches_a_cluster_when_attaching_or_detaching() {
    let scene = Scene::new();
    let etag = scene.azure.cluster_etag("group", "dev");
    attach(&scene, &scene.registry).await;
    attach(&scene, &"myregistry".parse().unwrap()).await;
    detach(&scene, &scene.registry).await;
    detach(&scene, &scene.registry).await;
    let to_cluster: Vec<_> =
        scene.azure.requests().into_iter().filter(|one| one.path.contains("managedClusters")).collect();
    assert!(!to_cluster.is_empty());
    assert!(to_cluster.iter().all(|one| one.method == "GET"), "{to_cluster:?}");
    assert_eq!(scene.azure.cluster_etag("group", "dev"), etag);
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_three_requests_two_deep_and_one_for_a_registry_that_is_there() {
    let scene = Scene::new();
    let mark = scene.azure.mark();
    scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (3, 2, 1));
    let located = || CreateRegistryOptions::default().with_location("westeurope");
    let mark = scene.azure.mark();
    scene.client.create_registry("group", "third", located()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (2, 2, 1));
    let mark = scene.azure.mark();
    scene.client.create_registry("group", "third", located()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_made_and_attached_by_two_writes_and_looks() {
    let scene = Scene::new();
    let fresh = ClusterRef::new("group", "fresh").unwrap();
    let options = || CreateClusterOptions::default().with_registry(scene.registry.clone());
    let mark = scene.azure.mark();
    scene.client.create_cluster(&fresh, options()).await.unwrap();
    let seen = scene.azure.requests_since(mark);
    let lines: Vec<String> = seen
        .iter()
        .map(|one| format!("{} {}", one.method, one.path.to_lowercase().rsplit('/').nth(1).unwrap_or_default()))
        .filter(|line| line != "POST v2.0")
        .collect();
    let wanted = [
        "GET registries",              // the registry, before anything is made
        "GET managedclusters",         // the cluster is absent
        "GET resourcegroups",          // beside it: the group's region
        "PUT managedclusters",         // the one write of the cluster
        "GET operations",              // how far it is
        "GET managedclusters",         // beside it: the kubelet identity
        "GET managedclusters",         // the cluster at the end
        "GET microsoft.authorization", // beside it: the grants at the registry
        "PUT roleassignments",         // the grant
    ];
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&lines), sorted(&wanted.map(str::to_owned)), "{lines:#?}");
    assert_eq!(counts(&summary(&seen)), (9, 6, 2));
    let mark = scene.azure.mark();
    scene.client.create_cluster(&fresh, options()).await.unwrap();
    assert_eq!(counts(&summary(&scene.azure.requests_since(mark))), (5, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_time_share_one_token() {
    let scene = Scene::new();
    let all =
        join_all((0..16).map(|_| scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()))).await;
    assert!(all.iter().all(Result::is_ok));
    let tokens = scene.azure.requests().iter().filter(|one| one.service == Service::Entra).count();
    assert_eq!(tokens, 1);
    assert_eq!(scene.azure.role_assignments().iter().filter(|one| one.scope.contains("registries")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_reported_after_one_refusal_with_what_is_missing() {
    let scene = Scene::new();
    let everything = format!("/subscriptions/{}", scene.azure.subscription());
    let azure = scene.azure.clone().with_caller("reader", &[("Reader", &everything)]);
    let reader = client(&azure, azure.credential_of("reader"));
    let err = reader.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Forbidden);
    assert_eq!(err.code(), Some("AuthorizationFailed"));
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/write"));
    assert_eq!(err.scope(), Some(azure.registry_id("group", "myregistry").as_str()));
    assert_eq!(err.smallest_role(), Some("Role Based Access Control Administrator"));
    assert_eq!(azure.requests().iter().filter(|one| one.status == Some(403)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_smallest_role_that_is_named_does_suffice() {
    let scene = Scene::new();
    let registry = scene.azure.registry_id("group", "myregistry");
    let cluster = scene.azure.cluster_id("group", "dev");
    let roles = [
        ("Role Based Access Control Administrator", registry.as_str()),
        ("Reader", registry.as_str()),
        ("Reader", cluster.as_str()),
    ];
    let azure = scene.azure.clone().with_caller("granter", &roles);
    let granter = client(&azure, azure.credential_of("granter"));
    let attachment = granter.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(attachment.outcome, AttachOutcome::Granted);
}

#[tokio::test(start_paused = true)]
async fn the_assignment_has_the_name_that_azures_own_tools_give_it() {
    let scene = Scene::new();
    attach(&scene, &scene.registry).await;
    let made = scene.azure.role_assignments().into_iter().find(|one| one.scope.contains("registries")).unwrap();
    let principal = scene.azure.kubelet_object_id("group", "dev").parse().unwrap();
    let wanted =
        assignment_name(&scene.azure.registry_id("group", "myregistry"), principal, aks_acr::PullRole::AcrPull.id());
    assert_eq!(made.name, wanted.to_string());
    assert!(made.description.unwrap_or_default().starts_with("aks-acr "));
}
