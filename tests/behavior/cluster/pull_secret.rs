//! Pull secrets: what is written, what stays, and what nodes make of it.

use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{Scene, deployment},
    kubectl,
};
use aks_acr::{
    ApplyPullSecretOptions, CallOptions, Client, ErrorKind, PullSecret, PullSecretAction, PullSecretOptions,
    PullSecretOutcome, PullSecretPlan, PullSecretWarningKind, RegistryCredential, azure_core::credentials::Secret,
};
use aks_acr_emulator::{ClusterSeed, UpstreamSeed};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::time::Duration;

use PullSecretWarningKind::{Expired, ShadowsIdentity, ShortLived};

const IMAGE: &str = "ghcr.io/team/app:1";
const ACCOUNT: &str = "/api/v1/namespaces/default/serviceaccounts/default";
const SECRET: &str = "/api/v1/namespaces/default/secrets/ghcr";

pub fn cases() -> Vec<Case> {
    cases! { "pull_secret";
        everywhere: [];
        on_emulator: [
            an_image_of_a_private_registry_fails_then_runs,
            a_second_apply_changes_nothing,
            a_newer_password_is_an_update,
            the_pull_secrets_of_others_stay,
            two_at_once_both_end_in_the_service_account,
            a_secret_of_another_field_manager_is_replaced_only_on_request,
            a_secret_of_another_type_is_refused,
            an_immutable_secret_is_refused,
            a_missing_namespace_is_named,
            a_missing_service_account_is_named_before_a_write,
            a_missing_permission_in_kubernetes_is_named,
            an_expired_token_for_the_attached_registry_is_named,
            an_image_that_no_registry_serves_is_named,
            other_credentials_than_planned_are_refused,
            a_secret_that_changed_after_the_plan_is_not_written,
            a_plan_contains_no_password,
            invalid_input_is_refused_before_a_request,
        ];
    }
}

fn scene() -> Result<Scene, Failed> {
    let scene = Scene::new()?;
    let upstream = UpstreamSeed::new("ghcr.io").user("robot", "hidden-word");
    drop(scene.azure.clone().with_upstream(upstream).with_image(IMAGE, &["linux/amd64"]));
    Ok(scene)
}

fn robot(password: &str) -> Vec<RegistryCredential> {
    vec![RegistryCredential::new("ghcr.io", "robot", Secret::from(password.to_owned()))]
}

async fn plan_as(
    client: &Client,
    scene: &Scene,
    credentials: Vec<RegistryCredential>,
    options: PullSecretOptions,
) -> aks_acr::Result<PullSecretPlan> {
    client.plan_pull_secret(&scene.cluster, "ghcr", credentials, options).await
}

async fn plan(scene: &Scene, options: PullSecretOptions) -> aks_acr::Result<PullSecretPlan> {
    plan_as(&scene.client, scene, robot("hidden-word"), options).await
}

async fn apply_plan(scene: &Scene, plan: &PullSecretPlan) -> aks_acr::Result<PullSecret> {
    scene.client.apply_pull_secret(plan, robot("hidden-word"), ApplyPullSecretOptions::default()).await
}

async fn make(scene: &Scene, options: PullSecretOptions) -> aks_acr::Result<PullSecret> {
    apply_plan(scene, &plan(scene, options).await?).await
}

/// The pull secrets of the service account `default`.
async fn linked(scene: &Scene) -> Result<Vec<String>, Failed> {
    let (_, account) = kubectl::get(scene, ACCOUNT).await?;
    let all = account["imagePullSecrets"].as_array().cloned().unwrap_or_default();
    Ok(all.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect())
}

async fn an_image_of_a_private_registry_fails_then_runs() -> Checked {
    let scene = scene()?;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    let err = refused(super::wait_for_rollout::wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.id.to_string(), "image.private_or_missing");
    let made = make(&scene, PullSecretOptions::default()).await?;
    assert_eq!((made.outcome, made.linked), (PullSecretOutcome::Created, vec!["default".to_owned()]));
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    // Pods keep what their service account had when they were created.
    kubectl::delete(&scene, "/apis/apps/v1/namespaces/default/deployments/web").await?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    assert_eq!(super::wait_for_rollout::wait_for_rollout(&scene).await?.ready, 1);
    Ok(())
}

async fn a_second_apply_changes_nothing() -> Checked {
    let scene = scene()?;
    let first = plan(&scene, PullSecretOptions::default()).await?;
    assert_eq!(first.action, PullSecretAction::Create);
    assert_eq!(first.to_string().lines().next(), Some("+ pull secret ghcr in namespace default of dev"));
    apply_plan(&scene, &first).await?;
    let before = (kubectl::get(&scene, SECRET).await?, kubectl::get(&scene, ACCOUNT).await?);
    let again = apply_plan(&scene, &first).await?;
    assert_eq!((again.outcome, again.linked.len()), (PullSecretOutcome::Unchanged, 0));
    assert_eq!(plan(&scene, PullSecretOptions::default()).await?.action, PullSecretAction::Nothing);
    assert_eq!((kubectl::get(&scene, SECRET).await?, kubectl::get(&scene, ACCOUNT).await?), before);
    Ok(())
}

async fn a_newer_password_is_an_update() -> Checked {
    let scene = scene()?;
    make(&scene, PullSecretOptions::default()).await?;
    let mut credentials = robot("newer");
    credentials.push(RegistryCredential::new("docker.io", "me", Secret::new("word")));
    let plan = plan_as(&scene.client, &scene, credentials.clone(), PullSecretOptions::default()).await?;
    assert_eq!((plan.action, plan.registries.len(), plan.removed.len()), (PullSecretAction::Update, 2, 0));
    let done = scene.client.apply_pull_secret(&plan, credentials, ApplyPullSecretOptions::default()).await?;
    assert_eq!(done.outcome, PullSecretOutcome::Updated);
    let fewer = self::plan(&scene, PullSecretOptions::default()).await?;
    assert_eq!(fewer.removed[0].registry, "https://index.docker.io/v1/");
    Ok(())
}

async fn the_pull_secrets_of_others_stay() -> Checked {
    let scene = scene()?;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"},
        "imagePullSecrets": [{"name": "theirs"}]});
    kubectl::apply(&scene, ACCOUNT, &account).await?;
    make(&scene, PullSecretOptions::default()).await?;
    assert_eq!(linked(&scene).await?, ["theirs", "ghcr"]);
    Ok(())
}

async fn two_at_once_both_end_in_the_service_account() -> Checked {
    let scene = scene()?;
    let names: Vec<String> = (0..5).map(|number| format!("one{number}")).collect();
    let work = names.iter().map(|name| async {
        let options = PullSecretOptions::default();
        let plan = scene.client.plan_pull_secret(&scene.cluster, name, robot("word"), options).await?;
        scene.client.apply_pull_secret(&plan, robot("word"), ApplyPullSecretOptions::default()).await
    });
    for done in futures::future::join_all(work).await {
        assert_eq!(done?.linked, ["default"]);
    }
    let mut all = linked(&scene).await?;
    all.sort();
    assert_eq!(all, names);
    Ok(())
}

fn secret(of_type: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ghcr"}, "type": of_type, "data": data})
}

async fn a_secret_of_another_field_manager_is_replaced_only_on_request() -> Checked {
    let scene = scene()?;
    let theirs = secret("kubernetes.io/dockerconfigjson", &json!({".dockerconfigjson": "eyJhdXRocyI6e319"}));
    kubectl::apply(&scene, SECRET, &theirs).await?;
    let err = refused(plan(&scene, PullSecretOptions::default()).await, ErrorKind::Conflict)?;
    assert!(err.context().any(|(name, value)| name == "field manager" && value == "other"), "{err:#}");
    let plan = plan(&scene, PullSecretOptions::default().with_force(true)).await?;
    assert_eq!((plan.action, plan.other_managers.as_slice()), (PullSecretAction::TakeOver, &["other".to_owned()][..]));
    assert_eq!(apply_plan(&scene, &plan).await?.outcome, PullSecretOutcome::Updated);
    Ok(())
}

async fn a_secret_of_another_type_is_refused() -> Checked {
    let scene = scene()?;
    kubectl::apply(&scene, SECRET, &secret("Opaque", &json!({"a": "Yg=="}))).await?;
    let err = refused(plan(&scene, PullSecretOptions::default().with_force(true)).await, ErrorKind::Conflict)?;
    assert!(err.to_string().contains("another type"), "{err:#}");
    Ok(())
}

async fn an_immutable_secret_is_refused() -> Checked {
    let scene = scene()?;
    make(&scene, PullSecretOptions::default()).await?;
    let (_, mut theirs) = kubectl::get(&scene, SECRET).await?;
    theirs["immutable"] = json!(true);
    theirs["metadata"] = json!({"name": "ghcr"});
    kubectl::apply(&scene, SECRET, &theirs).await?;
    assert_eq!(make(&scene, PullSecretOptions::default()).await?.outcome, PullSecretOutcome::Unchanged);
    let newer = plan_as(&scene.client, &scene, robot("newer"), PullSecretOptions::default().with_force(true)).await;
    assert!(refused(newer, ErrorKind::Conflict)?.to_string().contains("immutable"));
    Ok(())
}

async fn a_missing_namespace_is_named() -> Checked {
    let scene = scene()?;
    for accounts in [vec!["default"], vec![]] {
        let options = PullSecretOptions::default().with_namespace("team").with_service_accounts(accounts);
        let err = refused(plan(&scene, options).await, ErrorKind::NotFound)?;
        assert!(err.to_string().starts_with("no namespace 'team' in the cluster; create it first"), "{err:#}");
    }
    scene.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}").await?;
    let made = make(&scene, PullSecretOptions::default().with_namespace("team")).await?;
    assert_eq!(made.linked, ["default"]);
    Ok(())
}

async fn a_missing_service_account_is_named_before_a_write() -> Checked {
    let scene = scene()?;
    let options = PullSecretOptions::default().with_service_accounts(["default", "absent"]);
    let err = refused(make(&scene, options).await, ErrorKind::NotFound)?;
    assert!(err.to_string().starts_with("no service account 'absent' in namespace 'default'"), "{err:#}");
    assert_eq!(kubectl::get(&scene, SECRET).await?.0, 404);
    Ok(())
}

async fn a_missing_permission_in_kubernetes_is_named() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new("group", "dev").azure_rbac())?;
    let caller = scene.caller(&[("Azure Kubernetes Service Cluster User Role", "/"), ("Reader", "/")])?;
    let err =
        refused(plan_as(&caller, &scene, robot("word"), PullSecretOptions::default()).await, ErrorKind::Forbidden)?;
    assert!(format!("{err:#}").contains("secrets") || format!("{err:#}").contains("serviceaccounts"), "{err:#}");
    Ok(())
}

async fn an_expired_token_for_the_attached_registry_is_named() -> Checked {
    let scene = scene()?;
    let registry = "myregistry.azurecr.io".parse()?;
    let token = scene.client.registry_token(&registry, CallOptions::default()).await?;
    let credentials =
        || vec![RegistryCredential::new("myregistry.azurecr.io", &token.username, token.password.clone())];
    let fresh = plan_as(&scene.client, &scene, credentials(), PullSecretOptions::default()).await?;
    let kinds = |plan: &PullSecretPlan| plan.warnings.iter().map(|one| one.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&fresh), [ShortLived, ShadowsIdentity]);
    tokio::time::sleep(Duration::from_secs(4 * 3600)).await;
    let late = plan_as(&scene.client, &scene, credentials(), PullSecretOptions::default()).await?;
    assert_eq!(kinds(&late), [Expired, ShadowsIdentity]);
    assert!(late.to_string().contains("nodes try this expired secret before the kubelet identity"), "{late}");
    Ok(())
}

async fn an_image_that_no_registry_serves_is_named() -> Checked {
    let scene = scene()?;
    let options = || PullSecretOptions::default().with_image("quay.io/team/app:1".parse().expect("an image"));
    let plan = plan(&scene, options().with_image(IMAGE.parse()?)).await?;
    let found: Vec<_> = plan.warnings.iter().map(|one| (one.kind, one.subject.as_str())).collect();
    assert_eq!(found, [(PullSecretWarningKind::WrongHost, "quay.io/team/app:1")]);
    assert_eq!(apply_plan(&scene, &plan).await?.warnings, plan.warnings);
    Ok(())
}

async fn other_credentials_than_planned_are_refused() -> Checked {
    let scene = scene()?;
    let plan = plan(&scene, PullSecretOptions::default()).await?;
    let other = vec![RegistryCredential::new("ghcr.io", "somebody", Secret::new("hidden-word"))];
    let done = scene.client.apply_pull_secret(&plan, other, ApplyPullSecretOptions::default()).await;
    refused(done, ErrorKind::InvalidInput)?;
    // A password may be newer than the plan.
    scene.client.apply_pull_secret(&plan, robot("newer"), ApplyPullSecretOptions::default()).await?;
    Ok(())
}

async fn a_secret_that_changed_after_the_plan_is_not_written() -> Checked {
    let scene = scene()?;
    let plan = plan(&scene, PullSecretOptions::default()).await?;
    let other = plan_as(&scene.client, &scene, robot("other"), PullSecretOptions::default()).await?;
    scene.client.apply_pull_secret(&other, robot("other"), ApplyPullSecretOptions::default()).await?;
    let before = kubectl::get(&scene, SECRET).await?;
    refused(apply_plan(&scene, &plan).await, ErrorKind::Conflict)?;
    assert_eq!(kubectl::get(&scene, SECRET).await?, before);
    Ok(())
}

async fn a_plan_contains_no_password() -> Checked {
    let scene = scene()?;
    let plan = plan(&scene, PullSecretOptions::default()).await?;
    let done = apply_plan(&scene, &plan).await?;
    let shown = format!("{plan} {plan:?} {} {done} {done:?} {}", json!(plan), json!(done));
    assert!(!shown.contains("hidden-word") && shown.contains("robot"), "{shown}");
    Ok(())
}

async fn invalid_input_is_refused_before_a_request() -> Checked {
    let scene = scene()?;
    let mark = scene.azure.mark();
    let options = PullSecretOptions::default;
    for (options, credentials) in [
        (options().with_namespace("Team"), robot("word")),
        (options().with_namespace("a/b"), robot("word")),
        (options().with_service_accounts(["a/b"]), robot("word")),
        (options(), robot("word\n")),
        (options(), Vec::new()),
    ] {
        refused(plan_as(&scene.client, &scene, credentials, options).await, ErrorKind::InvalidInput)?;
    }
    assert!(scene.azure.requests_since(mark).is_empty());
    Ok(())
}
