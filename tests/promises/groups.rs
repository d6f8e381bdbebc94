//! Access through Entra groups: seen, named, and never called missing.

use crate::{Scene, client, client_of};
use aks_acr::{
    ApplyOptions, AttachOptions, AttachOutcome, AttachmentsOptions, DetachOptions, DetachOutcome, ErrorKind,
    GrantReach, GroupMembership, Manifest, OnInheritedGrant, PlannedAction, PrincipalState, RolloutOptions,
    SubscriptionId, WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Emulator, Fault, RegistrySeed, RoleSeed, Timing, summary};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

const PULLERS: &str = "acr-pullers";
const OTHER: &str = "5b5b5b5b-0000-4000-8000-000000000005";
const IMAGE: &str = "myregistry.azurecr.io/app:v1";

/// A cluster whose kubelet identity is in a group, and what the group holds.
fn scene_of(role: &str, nested: bool) -> Scene {
    let scene = Scene::new();
    let azure = scene.azure.clone().with_image(IMAGE, &["linux/amd64"]);
    let azure = if nested {
        azure.with_entra_group(PULLERS).with_member("inner", "group/dev").with_member(PULLERS, "inner")
    } else {
        azure.with_member(PULLERS, "group/dev")
    };
    azure.grant(role, &azure.group_id(PULLERS), &azure.registry_id("group", "myregistry"));
    Scene::of(azure)
}

fn through(azure: &Emulator) -> AttachOutcome {
    AttachOutcome::ThroughGroup { group: azure.group_id(PULLERS), from: azure.registry_id("group", "myregistry") }
}

async fn apply(scene: &Scene) {
    let text = format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{replicas: 1, selector: {{matchLabels: \
         {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: main, image: '{IMAGE}'}}]}}}}}}}}"
    );
    let manifests = Manifest::parse_all(&text).unwrap();
    scene.client.apply(&scene.cluster, manifests, ApplyOptions::default()).await.unwrap();
}

async fn wait_for_rollout(scene: &Scene, options: RolloutOptions) -> (aks_acr::Result<aks_acr::Rollout>, Vec<String>) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = heard.clone();
    let call = aks_acr::CallOptions::default()
        .with_progress(move |event: aks_acr::Event| sink.lock().unwrap().push(event.to_string()));
    let ended = scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), options.with_call(call)).await;
    let heard = heard.lock().unwrap().clone();
    (ended, heard)
}

fn fact(err: &aks_acr::Error, name: &str) -> String {
    err.context().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn attach_says_that_access_is_through_a_group_and_writes_nothing() {
    for (role, nested) in [("AcrPull", false), ("AcrPull", true), ("AcrPush", false), ("Contributor", true)] {
        let scene = scene_of(role, nested);
        let mark = scene.azure.mark();
        let attached = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!(attached.outcome, through(&scene.azure), "{role}");
        assert_eq!(attached.unchecked_groups, [] as [String; 0]);
        let seen = summary(&scene.azure.requests_since(mark));
        assert_eq!((seen.count, seen.depth, seen.writes), (4, 2, 0), "one request more than without a group");
        let plan = scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!(plan.action, PlannedAction::Nothing { outcome: through(&scene.azure) });
        assert!(plan.to_string().contains(&scene.azure.group_id(PULLERS)), "{plan}");
        let direct = AttachOptions::default().with_on_inherited_grant(OnInheritedGrant::GrantDirectly);
        let attached = scene.client.attach(&scene.cluster, &scene.registry, direct).await.unwrap();
        assert_eq!(attached.outcome, AttachOutcome::Granted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_the_identity_is_not_in_or_that_cannot_pull_changes_nothing() {
    let scene = Scene::new();
    let registry = scene.azure.registry_id("group", "myregistry");
    let azure = scene.azure.clone().with_entra_group("others").with_member("lookers", "group/dev");
    azure.grant("AcrPull", &azure.group_id("others"), &registry);
    azure.grant("AcrDelete", &azure.group_id("lookers"), &registry);
    let attached = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(attached.outcome, AttachOutcome::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_membership_that_azure_does_not_tell_is_said_to_be_unchecked() {
    for status in [403, 400] {
        let scene = scene_of("AcrPull", false);
        scene.azure.fault(Fault::on("GET", "assignedTo").status(status).times(100));
        let group = scene.azure.group_id(PULLERS);
        let plan = scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!((&plan.action, &plan.unchecked_groups), (&PlannedAction::Grant, &vec![group.clone()]));
        assert!(plan.to_string().contains("was not checked"), "{plan}");
        let detached = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
        let [one] = &detached.remaining[..] else { panic!("{detached:?}") };
        assert_eq!((one.membership, one.clusters.len()), (GroupMembership::Unchecked, 0));
        assert!(one.to_string().contains("members not checked"), "{one}");
        let attached = scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
        assert_eq!((attached.outcome, attached.unchecked_groups), (AttachOutcome::Granted, vec![group]));
    }
}

#[tokio::test(start_paused = true)]
async fn attachments_of_a_cluster_name_what_it_has_through_groups() {
    for nested in [false, true] {
        let scene = scene_of("AcrPull", nested);
        let mark = scene.azure.mark();
        let seen = scene.client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await.unwrap();
        let [one] = &seen.grants[..] else { panic!("{seen:?}") };
        assert_eq!(one.principal_id.to_string(), scene.azure.group_id(PULLERS));
        assert_eq!((one.membership, one.principal_state), (GroupMembership::Checked, PrincipalState::Exists));
        assert_eq!((&one.reach, &one.clusters[..]), (&GrantReach::Direct, &[seen.cluster.clone()][..]));
        assert_eq!(summary(&scene.azure.requests_since(mark)).count, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn attachments_of_a_registry_say_that_members_were_not_read_or_name_them() {
    for nested in [false, true] {
        let scene = scene_of("AcrPull", nested);
        let azure = scene.azure.clone().with_graph_rights("owner").with_cluster("group", "stranger");
        let seen = scene.client.attachments_of_registry(&scene.registry, AttachmentsOptions::default()).await.unwrap();
        assert_eq!((seen.grants[0].membership, seen.grants[0].clusters.len()), (GroupMembership::Unchecked, 0));
        // Page by page.
        azure.set_page_size(1);
        let options = AttachmentsOptions::default().with_query_graph(true);
        let seen = scene.client.attachments_of_registry(&scene.registry, options).await.unwrap();
        assert_eq!(seen.grants[0].membership, GroupMembership::Checked);
        let names: Vec<_> = seen.grants[0].clusters.iter().map(aks_acr::ResourceId::name).collect();
        assert_eq!(names, ["dev"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_the_directory_does_not_have_any_more_is_gone() {
    let scene = Scene::new();
    let azure = scene.azure.clone().with_graph_rights("owner");
    let gone = "99999999-0000-4000-8000-000000000009";
    azure.grant("AcrPull", gone, &azure.registry_id("group", "myregistry"));
    let azure = azure.with_entra_group("kept");
    azure.grant("AcrPull", &azure.group_id("kept"), &azure.registry_id("group", "myregistry"));
    let options = AttachmentsOptions::default().with_query_graph(true);
    let seen = scene.client.attachments_of_registry(&scene.registry, options).await.unwrap();
    let state = |id: &str| seen.grants.iter().find(|one| one.principal_id.to_string() == id).unwrap().principal_state;
    assert_eq!((state(gone), state(&azure.group_id("kept"))), (PrincipalState::Gone, PrincipalState::Exists));
}

#[tokio::test(start_paused = true)]
async fn a_custom_cloud_with_a_graph_address_can_be_asked() {
    let scene = scene_of("AcrPull", false);
    let azure = scene.azure.clone().with_graph_rights("owner");
    let cloud = || aks_acr::Cloud::custom("https://management.azure.com", ".azurecr.io").unwrap();
    let ask = || AttachmentsOptions::default().with_query_graph(true);
    let without = client_of(&azure, |builder| builder.cloud(cloud()));
    let err = without.attachments_of_registry(&scene.registry, ask()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unsupported);
    let with = client_of(&azure, |builder| builder.cloud(cloud().with_graph("https://graph.microsoft.com").unwrap()));
    let seen = with.attachments_of_registry(&scene.registry, ask()).await.unwrap();
    assert_eq!(seen.grants[0].clusters.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn detach_says_that_access_through_a_group_remains() {
    for nested in [false, true] {
        let scene = scene_of("AcrPull", nested);
        let detached = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
        assert_eq!(detached.outcome, DetachOutcome::NothingToRemove);
        let [one] = &detached.remaining[..] else { panic!("{detached:?}") };
        assert_eq!((one.membership, one.is_certain, one.clusters.len()), (GroupMembership::Checked, true, 1));
        let plan = scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
        assert_eq!(plan.remaining.len(), 1);
        assert!(plan.to_string().contains("still gives access"), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_through_a_group_waits_for_the_membership_and_succeeds() {
    let scene = Scene::new();
    let azure = scene.azure.clone().with_image(IMAGE, &["linux/amd64"]).with_entra_group(PULLERS);
    azure.grant("AcrPull", &azure.group_id(PULLERS), &azure.registry_id("group", "myregistry"));
    // The nodes have no token yet that they could keep.
    let timing = Timing::none().with_membership(Duration::from_secs(180)).with_node_tokens(Duration::ZERO);
    azure.set_timing(timing);
    azure.add_member(PULLERS, "group/dev");
    apply(&scene).await;
    let begun = Instant::now();
    let (ended, heard) = wait_for_rollout(&scene, RolloutOptions::default()).await;
    assert_eq!(ended.unwrap().ready, 1);
    assert!(begun.elapsed() >= Duration::from_secs(170), "{:?}", begun.elapsed());
    assert!(
        heard.iter().any(|step| step.contains("through group") && step.contains(&azure.group_id(PULLERS))),
        "{heard:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollout_never_calls_the_grant_missing_while_a_group_has_one_on_the_registry() {
    // Azure says no member, and does not say.
    for (cut, text) in [(None, "does not list it (yet)"), (Some(403), "did not say")] {
        let scene = Scene::new();
        let azure = scene.azure.clone().with_image(IMAGE, &["linux/amd64"]).with_entra_group(PULLERS);
        azure.grant("AcrPull", &azure.group_id(PULLERS), &azure.registry_id("group", "myregistry"));
        if let Some(status) = cut {
            azure.fault(Fault::on("GET", "assignedTo").status(status).times(100));
        }
        apply(&scene).await;
        let begun = Instant::now();
        let options = RolloutOptions::default().with_propagation_timeout(Duration::from_secs(60));
        let (ended, heard) = wait_for_rollout(&scene, options).await;
        let err = ended.unwrap_err();
        assert!(begun.elapsed() >= Duration::from_secs(60), "{:?}", begun.elapsed());
        assert_eq!((err.kind(), fact(&err, "missing grant")), (ErrorKind::PullFailed, String::new()), "{err}");
        assert!(
            fact(&err, "access").contains(text) && fact(&err, "access").contains(&azure.group_id(PULLERS)),
            "{err}"
        );
        assert!(heard.iter().any(|step| step.contains(text)), "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_ends_at_once_where_groups_of_the_subscription_do_not_have_the_identity() {
    let scene = Scene::new();
    let azure = scene.azure.clone().with_image(IMAGE, &["linux/amd64"]).with_entra_group("developers");
    azure.grant("Contributor", &azure.group_id("developers"), &format!("/subscriptions/{}", azure.subscription()));
    apply(&scene).await;
    let begun = Instant::now();
    let err = wait_for_rollout(&scene, RolloutOptions::default()).await.0.unwrap_err();
    assert!(fact(&err, "missing grant").starts_with("AcrPull for kubelet identity"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_counts_any_role_that_pulls() {
    let everything = format!("/subscriptions/{}", Emulator::new().subscription());
    for (role, scope) in [("AcrPush", None), ("Reader", Some(everything.as_str())), ("puller", None)] {
        let scene = Scene::new();
        let seed = RoleSeed::new("puller").block(&["*/read"], &[]);
        let azure = scene.azure.clone().with_image(IMAGE, &["linux/amd64"]).with_role(seed);
        apply(&scene).await;
        azure.set_timing(Timing::none().with_propagation(Duration::from_secs(90)));
        let registry = azure.registry_id("group", "myregistry");
        let kubelet = azure.kubelet_object_id("group", "dev");
        // The node was refused before, and keeps using what the registry gave it then.
        azure.set_timing(Timing::none());
        let begun = Instant::now();
        let grant = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            azure.grant(role, &kubelet, scope.unwrap_or(&registry));
        };
        let (ended, ()) = tokio::join!(wait_for_rollout(&scene, RolloutOptions::default()), grant);
        let (ended, _) = ended;
        match ended {
            Ok(done) => assert_eq!(done.ready, 1),
            Err(err) => assert_eq!(fact(&err, "missing grant"), "", "{role}: {err} after {:?}", begun.elapsed()),
        }
    }
}

/// A cluster in the client's subscription, its registry in another: hub and spoke.
fn hub() -> Scene {
    let azure =
        Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry").with_subscription(OTHER);
    let azure = azure.with_registry_of(RegistrySeed::new("hub", "hubregistry").in_subscription(OTHER));
    Scene::of(azure.with_image("hubregistry.azurecr.io/app:v1", &["linux/amd64"]))
}

async fn apply_from_hub(scene: &Scene) {
    let text = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1, selector: {matchLabels: {app: web}}, \
                template: {metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: 'hubregistry.azurecr.io/app:v1'}]}}}}";
    scene.client.apply(&scene.cluster, Manifest::parse_all(text).unwrap(), ApplyOptions::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rollout_from_a_hub_without_a_grant_ends_at_once_with_what_is_missing() {
    let by_id = |scene: &Scene| scene.azure.registry_id("hub", "hubregistry").parse().unwrap();
    let other: SubscriptionId = OTHER.parse().unwrap();
    for how in 0..3 {
        let scene = hub();
        apply_from_hub(&scene).await;
        let options = match how {
            0 => RolloutOptions::default(),
            1 => RolloutOptions::default().with_registry(by_id(&scene)),
            _ => RolloutOptions::default().with_subscription(other),
        };
        let begun = Instant::now();
        let err = wait_for_rollout(&scene, options).await.0.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(fact(&err, "missing grant").ends_with("on hubregistry"), "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_from_a_registry_that_cannot_be_found_says_where_it_was_searched() {
    let scene = hub();
    let everything = format!("/subscriptions/{}", scene.azure.subscription());
    let azure = scene.azure.clone().with_caller("spoke", &[("Owner", &everything)]);
    let spoke = Scene { client: client(&azure, azure.credential_of("spoke")), ..Scene::of(azure.clone()) };
    apply_from_hub(&spoke).await;
    let options = RolloutOptions::default().with_propagation_timeout(Duration::from_secs(60));
    let (ended, heard) = wait_for_rollout(&spoke, options).await;
    let err = ended.unwrap_err();
    let why = format!("hubregistry.azurecr.io was not found in subscription {}", azure.subscription());
    assert_eq!((fact(&err, "grants not checked"), fact(&err, "missing grant")), (why.clone(), String::new()), "{err}");
    assert!(fact(&err, "hint").contains("resource ID"), "{err}");
    assert!(heard.iter().any(|step| step.contains(&why)), "{heard:?}");
    assert!(!heard.iter().any(|step| step.contains("which exists")), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_by_a_caller_who_may_not_list_grants_says_what_is_missing_for_that() {
    let scene = Scene::new();
    let everything = format!("/subscriptions/{}", scene.azure.subscription());
    let azure = scene.azure.clone().with_image(IMAGE, &["linux/amd64"]);
    let actions = ["Microsoft.ContainerRegistry/*", "Microsoft.ContainerService/*", "Microsoft.Resources/*"];
    let azure = azure.with_custom_role("deployer", &actions, &[]).with_caller("deployer", &[("deployer", &everything)]);
    let deployer = Scene { client: client(&azure, azure.credential_of("deployer")), ..Scene::of(azure) };
    apply(&deployer).await;
    let options = RolloutOptions::default().with_propagation_timeout(Duration::from_secs(30));
    let err = wait_for_rollout(&deployer, options).await.0.unwrap_err();
    assert!(fact(&err, "grants not checked").contains("Microsoft.Authorization/roleAssignments/read"), "{err}");
}

#[tokio::test(start_paused = true)]
async fn custom_roles_are_read_where_they_are_assigned() {
    let azure = Emulator::new()
        .with_cluster_of(ClusterSeed::new("group", "dev"))
        .with_registry("aaa", "firstregistry")
        .with_registry("group", "myregistry");
    let scope = azure.registry_id("group", "myregistry");
    let narrow = RoleSeed::new("narrow").block(&["*/PULL/*"], &["*/write"]).assignable_at(&scope);
    let useless = RoleSeed::new("useless").block(&["*"], &["Microsoft.ContainerRegistry/*/read"]).assignable_at(&scope);
    let two = RoleSeed::new("two blocks").block(&["*"], &["*/pull/read"]).block(&["*/registries/*/read"], &[]);
    let scene = Scene::of(azure.with_role(narrow).with_role(useless).with_role(two.assignable_at(&scope)));
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    for role in ["narrow", "useless", "two blocks"] {
        scene.azure.grant(role, &kubelet, &scope);
    }
    let is_custom = |(name, _): &(String, bool)| name != "Owner";
    let names = |grants: &[aks_acr::PullGrant]| {
        let mut names: Vec<_> = grants
            .iter()
            .map(|one| (one.role_name.clone().unwrap_or_default(), one.is_certain))
            .filter(is_custom)
            .collect();
        names.sort();
        names
    };
    let wanted = [("narrow".to_owned(), true), ("two blocks".to_owned(), true)];
    let seen = scene.client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await.unwrap();
    assert_eq!(names(&seen.grants), wanted);
    let seen = scene.client.attachments_of_registry(&scene.registry, AttachmentsOptions::default()).await.unwrap();
    assert_eq!(names(&seen.grants), wanted);
    let detached = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    assert_eq!(names(&detached.remaining), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_is_not_found_or_not_readable_is_unknown_and_not_without_effect() {
    for status in [404, 403] {
        let scene = Scene::new();
        let azure = scene.azure.clone().with_role(RoleSeed::new("puller").block(&["*"], &[]));
        azure.grant("puller", &azure.kubelet_object_id("group", "dev"), &azure.registry_id("group", "myregistry"));
        azure.fault(Fault::on("GET", "/roleDefinitions/").status(status).times(100));
        let seen = scene.client.attachments_of_registry(&scene.registry, AttachmentsOptions::default()).await.unwrap();
        let one = seen.grants.iter().find(|one| !one.clusters.is_empty()).unwrap();
        assert!(!one.is_certain && one.to_string().ends_with("perhaps"), "{one}");
        let seen = scene.client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await.unwrap();
        assert_eq!(seen.grants.len(), 1);
    }
}
