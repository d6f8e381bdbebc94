//! Stored plans: a changed field is rejected, or shown.

use crate::Scene;
use aks_acr::{
    ApplyAttachOptions, ApplyDetachOptions, AttachOptions, AttachPlan, Client, ClusterRef, DetachOptions, DetachPlan,
    ErrorKind, RegistryRef,
};
use aks_acr_emulator::{Emulator, RegistrySeed};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const OTHER: &str = "5b5b5b5b-0000-4000-8000-000000000005";

async fn stored(scene: &Scene) -> Value {
    let plan = scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    serde_json::to_value(plan).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_expires_later_than_any_plan_does_is_refused() {
    let scene = Scene::new();
    for left in [2 * 3600, 24 * 3600, 100 * 365 * 24 * 3600] {
        let expires = SystemTime::now() + Duration::from_secs(left);
        let mut plan: AttachPlan = serde_json::from_value(stored(&scene).await).unwrap();
        plan.expires = expires;
        let mark = scene.azure.mark();
        let err = scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap_err();
        assert_eq!((err.kind(), scene.azure.requests_since(mark).len()), (ErrorKind::InvalidInput, 0), "{err}");
        let mut plan: DetachPlan =
            scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
        plan.expires = expires;
        let err = scene.client.apply_detach(&plan, ApplyDetachOptions::default()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidInput, "{err}");
    }
}

/// The clock of the machine does not count: the emulator's is put forward, and the machine's stays.
#[tokio::test(start_paused = true)]
async fn a_plan_expires_by_azures_clock() {
    let scene = Scene::new();
    let attach = || scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default());
    let plan = attach().await.unwrap();
    tokio::time::advance(Duration::from_secs(3590)).await;
    scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap();
    let detach = scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    tokio::time::advance(Duration::from_secs(3601)).await;
    let mark = scene.azure.mark();
    // The client knows the time without another request.
    for err in [
        scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap_err(),
        scene.client.apply_detach(&detach, ApplyDetachOptions::default()).await.unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::Conflict, "{err}");
        assert!(err.to_string().contains("expired"), "{err}");
    }
    assert_eq!(scene.azure.requests_since(mark), []);
    // A client that has just begun learns it by what it reads before it writes.
    let fresh = || crate::client(&scene.azure, scene.azure.credential());
    let err = fresh().apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Conflict && err.to_string().contains("expired"), "{err}");
    let err = fresh().apply_detach(&detach, ApplyDetachOptions::default()).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Conflict && err.to_string().contains("expired"), "{err}");
    assert!(!scene.azure.requests_since(mark).iter().any(aks_acr_emulator::Request::is_write));
    // A plan that is made now is good now, though the machine's clock is two hours behind.
    let plan = attach().await.unwrap();
    fresh().apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap();
}

/// Each field that may be changed: the plan is not read, applying it is refused, or the new value is shown.
#[tokio::test(start_paused = true)]
async fn what_is_changed_in_a_plan_is_refused_or_shown() {
    let fresh = || Scene::of(Scene::new().azure.with_registry("group", "another"));
    let scene = fresh();
    let stranger = "99999999-0000-4000-8000-000000000009";
    let another = scene.azure.registry_id("group", "another");
    let changes: [(&str, Value, &str); 9] = [
        ("principal_id", json!(stranger), stranger),
        ("registry", json!(another), &another),
        ("role", json!("Container Registry Repository Reader"), "Container Registry Repository Reader"),
        ("condition", json!("true"), "condition: true"),
        ("is_principal_named", json!(true), "given in the options"),
        ("action", json!({ "kind": "replace", "assignment_id": "/x/roleAssignments/y" }), "/x/roleAssignments/y"),
        ("action", json!({ "kind": "nothing", "outcome": { "kind": "already_granted" } }), "does: nothing"),
        ("cluster", json!({ "subscription": OTHER, "group": "group", "name": "dev" }), OTHER),
        ("version", json!(99), ""),
    ];
    for (field, value, shown) in changes {
        let scene = fresh();
        let mut plan = stored(&scene).await;
        assert!(plan.get(field).is_some(), "{field}");
        plan[field] = value;
        let plan: AttachPlan = serde_json::from_value(plan).unwrap();
        assert!(plan.to_string().contains(shown), "{field}: {plan}");
        let mark = scene.azure.mark();
        let applied = scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await;
        let writes: Vec<_> =
            scene.azure.requests_since(mark).into_iter().filter(aks_acr_emulator::Request::is_write).collect();
        // A registry or a principal given by hand is what a plan may name; all else no longer fits.
        let may = ["registry", "is_principal_named"].contains(&field);
        assert_eq!((applied.is_ok(), writes.len()), (may, usize::from(may)), "{field}: {applied:?}");
    }
}

/// A field that is missing is not taken for its usual value: without its condition the plan would grant more than was planned.
#[tokio::test(start_paused = true)]
async fn a_plan_that_lost_a_field_is_refused() {
    let scene = Scene::new();
    let whole = stored(&scene).await;
    for field in whole.as_object().unwrap().keys() {
        let mut plan = whole.clone();
        plan.as_object_mut().unwrap().remove(field);
        let read = serde_json::from_value::<AttachPlan>(plan);
        assert!(read.is_err(), "{field}: {read:?}");
    }
    let detach = scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    let whole = serde_json::to_value(detach).unwrap();
    for field in whole.as_object().unwrap().keys() {
        let mut plan = whole.clone();
        plan.as_object_mut().unwrap().remove(field);
        assert!(serde_json::from_value::<DetachPlan>(plan).is_err(), "{field}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_named_principal_is_shown_with_all_that_is_written() {
    let scene = Scene::new();
    let mut plan = stored(&scene).await;
    plan["is_principal_named"] = json!(true);
    plan["principal_id"] = json!("99999999-0000-4000-8000-000000000009");
    plan["condition"] = json!("a\u{1b}[2K\n\u{202e}b");
    let plan: AttachPlan = serde_json::from_value(plan).unwrap();
    let text = plan.to_string();
    let subscription = scene.azure.subscription();
    for part in [
        "+ AcrPull on myregistry for group/dev (principal 99999999…, given in the options)",
        "does: creates a role assignment",
        "principal: 99999999-0000-4000-8000-000000000009 (given in the options, not compared with the cluster)",
        &format!("scope: {}", scene.azure.registry_id("group", "myregistry")),
        &format!("cluster: {}", scene.azure.cluster_id("group", "dev")),
        &format!("/subscriptions/{subscription}/"),
        "condition: a\\u{1b}[2K \\u{202e}b",
        "description: aks-acr ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_cluster_and_registry_in_its_first_line() {
    let scene = Scene::new();
    let kubelet = scene.azure.kubelet_object_id("group", "dev");
    let short = kubelet.split('-').next().unwrap();
    let first = |text: String| text.lines().next().unwrap().to_owned();
    let plan = scene.client.plan_attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    assert_eq!(first(plan.to_string()), format!("+ AcrPull on myregistry for group/dev (kubelet {short}…)"));
    let plan = scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    assert_eq!(first(plan.to_string()), format!("= no grant on myregistry for group/dev (kubelet {short}…)"));
    scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
    let plan = scene.client.plan_detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
    let text = plan.to_string();
    assert_eq!(first(text.clone()), format!("- AcrPull on myregistry for group/dev (kubelet {short}…)"));
    for part in [plan.remove[0].id.as_str(), "does: deletes", "description: aks-acr ", "condition: none"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// The plan is made by a client of one subscription and applied by one of another, where a cluster of the same name is.
#[tokio::test(start_paused = true)]
async fn a_plan_means_the_cluster_of_the_subscription_that_it_was_made_in() {
    let azure =
        Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry").with_subscription(OTHER);
    let namesake = aks_acr_emulator::ClusterSeed::new("group", "dev").in_subscription(OTHER);
    let scene = Scene::of(azure.with_cluster_of(namesake));
    let registry: RegistryRef = scene.azure.registry_id("group", "myregistry").parse().unwrap();
    let plan = scene.client.plan_attach(&scene.cluster, &registry, AttachOptions::default()).await.unwrap();
    let elsewhere =
        Client::builder(scene.azure.credential(), OTHER).transport(scene.azure.transport()).build().unwrap();
    let attached = elsewhere.apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap();
    assert_eq!(attached.principal_id, plan.principal_id);
    // The cluster of a plan, as text, is that cluster for every client.
    let again: ClusterRef = plan.cluster.to_string().parse().unwrap();
    assert_eq!(again, plan.cluster);
    let detached = elsewhere.detach(&again, &registry, DetachOptions::default()).await.unwrap();
    assert_eq!((detached.principal_id, detached.removed.len()), (plan.principal_id, 1));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_named_with_where_it_was_searched() {
    let scene = Scene::new();
    let azure = scene.azure.clone().with_subscription(OTHER);
    let _ = azure.with_registry_of(RegistrySeed::new("far", "farregistry").in_subscription(OTHER));
    let subscription = scene.azure.subscription().to_owned();
    let attach = |cluster: &str, registry: &str| {
        let (cluster, registry) = (cluster.parse::<ClusterRef>().unwrap(), registry.parse::<RegistryRef>().unwrap());
        let client = scene.client.clone();
        async move { client.attach(&cluster, &registry, AttachOptions::default()).await.unwrap_err().to_string() }
    };
    let said = attach("group/dev", "farregistry.azurecr.io").await;
    for part in ["no such registry", "farregistry.azurecr.io", &subscription, "resource ID"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = attach("group/absent", "myregistry").await;
    for part in ["no such cluster", "absent", "resource group: group", &subscription, "resource ID"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = attach("team/dev", "myregistry").await;
    assert!(said.starts_with("resource group 'team' does not exist") && said.contains("cluster: dev"), "{said}");
    let in_team = scene.azure.registry_id("group", "myregistry").replace("/group/", "/team/");
    let said = attach("group/dev", &in_team).await;
    assert!(
        said.starts_with("resource group 'team' does not exist") && said.contains("registry: myregistry"),
        "{said}"
    );
    let in_far =
        scene.azure.registry_id("group", "myregistry").replace(&subscription, "99999999-0000-4000-8000-000000000009");
    let said = attach("group/dev", &in_far).await;
    assert!(said.starts_with("subscription 99999999-0000-4000-8000-000000000009 does not exist"), "{said}");
    let registry: RegistryRef = in_team.parse().unwrap();
    let said = scene.client.detach(&scene.cluster, &registry, DetachOptions::default()).await.unwrap_err().to_string();
    assert!(said.starts_with("resource group 'team' does not exist"), "{said}");
}
