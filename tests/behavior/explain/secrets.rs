//! Pull secrets: missing, of another type or host, rejected, and not readable.

use super::{attach, explain, only, some_time};
use crate::{
    case::{Checked, some},
    check::{IMAGE, registry, scene_of},
    emulator::{CLUSTER, GROUP, Scene},
    kubectl,
};
use aks_acr::{Explanation, FindingId, FindingStatus, PullRetry};
use aks_acr_emulator::{ClusterSeed, UpstreamSeed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::time::Duration;

const GHCR: &str = "ghcr.io/team/app:1";
const SECRET: &str = "/api/v1/namespaces/default/secrets/hub";
const CONFIG: &str = "kubernetes.io/dockerconfigjson";

/// A pod `web` with the pull secret `hub`.
fn pod(image: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: web}}, spec: {{imagePullSecrets: [{{name: hub}}], \
         containers: [{{name: main, image: '{image}'}}]}}}}"
    )
}

fn secret(host: &str, user: &str, password: &str) -> Value {
    let auth = STANDARD.encode(format!("{user}:{password}"));
    let config = json!({"auths": {host: {"auth": auth}}}).to_string();
    of_type(CONFIG, &json!({".dockerconfigjson": STANDARD.encode(config)}))
}

fn of_type(kind: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, "type": kind, "data": data})
}

/// An Azure registry with an image, and GitHub's with a private one.
fn scene(is_abac: bool) -> Result<Scene, Failed> {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(is_abac), &["linux/amd64"])?;
    let upstream = UpstreamSeed::new("ghcr.io").user("robot", "hidden-word");
    drop(scene.azure.clone().with_upstream(upstream).with_image(GHCR, &["linux/amd64"]));
    Ok(scene)
}

async fn explained(scene: &Scene, image: &str, secret: Option<&Value>) -> Result<Explanation, Failed> {
    if let Some(secret) = secret {
        kubectl::apply(scene, SECRET, secret).await?;
    }
    scene.apply(&pod(image)).await?;
    some_time().await;
    let explanation = explain(scene, "pod/web").await?;
    let shown = format!("{explanation:?} {explanation} {}", serde_json::to_string(&explanation)?);
    assert!(!shown.contains("hidden-word") && !shown.contains("wrong-word"), "{explanation}");
    Ok(explanation)
}

/// Each: the secret, the root cause without a grant, and the ID of the warning beside a grant.
/// A service principal with a valid password whose role has no effect: the registry refuses it as it refuses a wrong password.
pub async fn a_pull_secret_whose_user_may_not_pull_is_not_called_wrong() -> Checked {
    for is_abac in [false, true] {
        let scene = scene(is_abac)?;
        let (user, password) = scene.azure.client_secret_of("robot");
        let role = if is_abac { "AcrPull" } else { "Container Registry Repository Reader" };
        drop(scene.azure.clone().with_caller("robot", &[(role, &scene.azure.registry_id(GROUP, "myregistry"))]));
        let explanation = explained(&scene, IMAGE, Some(&secret("myregistry.azurecr.io", &user, &password))).await?;
        let group = only(&explanation)?;
        let found = group.report.findings.iter().find(|one| one.id == FindingId::PULL_SECRET_EXPIRED);
        let found = some(found, "a finding about the secret")?;
        assert!(found.message.contains("or its user may not pull"), "{group}");
        assert!(found.next_step.summary.contains("grant its user a role"), "{group}");
    }
    Ok(())
}

pub async fn every_kind_of_pull_secret_is_explained() -> Checked {
    let opaque = of_type("Opaque", &json!({"a": "Yg=="}));
    let other = secret("ghcr.io", "robot", "hidden-word");
    let wrong = secret("myregistry.azurecr.io", "robot", "wrong-word");
    let cells: [(&str, Option<&Value>, FindingId, &str); 4] = [
        ("missing", None, FindingId::PULL_SECRET_UNUSABLE, "does not exist in namespace default"),
        ("of another type", Some(&opaque), FindingId::PULL_SECRET_UNUSABLE, "its type is Opaque"),
        ("for another host", Some(&other), FindingId::PULL_SECRET_UNUSABLE, "no credentials for myregistry.azurecr.io"),
        ("with a wrong password", Some(&wrong), FindingId::PULL_SECRET_EXPIRED, "refuses pull secret"),
    ];
    for is_abac in [false, true] {
        for (name, secret, id, text) in &cells {
            let name = format!("{name}, {is_abac}");
            let scene = scene(is_abac)?;
            let explanation = explained(&scene, IMAGE, *secret).await?;
            let group = only(&explanation)?;
            assert_eq!(explanation.root_cause.as_ref(), Some(id), "{name}: {group}");
            let findings = &group.report.findings;
            assert!(findings[0].message.contains(text), "{name}: {group}");
            // The other way to make it run comes second.
            let missing = some(findings.iter().find(|one| one.id == FindingId::GRANT_MISSING), "the missing grant")?;
            assert_eq!(missing.status, FindingStatus::Failing, "{name}");
            assert_eq!(missing.next_step.operation.as_deref(), Some("attach"), "{name}");
            let arguments = &missing.next_step.arguments;
            let (cluster, registry) = (arguments["cluster"].parse()?, arguments["registry"].parse()?);
            scene.client.attach(&cluster, &registry, aks_acr::AttachOptions::default()).await?;
            tokio::time::sleep(std::time::Duration::from_secs(3960)).await;
            let after = explain(&scene, "pod/web").await?;
            // The kubelet tries the nodes' identity after the secret.
            assert_eq!((after.healthy_pods, after.root_cause.clone()), (1, None), "{name}: {after}");
        }
    }
    Ok(())
}

/// A grant that does not work yet: the secret beside it is a warning.
pub async fn beside_a_grant_a_pull_secret_is_a_warning() -> Checked {
    let scene = scene(true)?;
    let explanation = explained(&scene, IMAGE, None).await?;
    assert_eq!(explanation.root_cause, Some(FindingId::PULL_SECRET_UNUSABLE));
    scene.client.attach(&scene.cluster, &scene.by_id(), aks_acr::AttachOptions::default()).await?;
    let explanation = explain(&scene, "pod/web").await?;
    let group = only(&explanation)?;
    assert_eq!(explanation.root_cause, Some(FindingId::GRANT_NOT_EFFECTIVE_YET), "{group}");
    assert_eq!(group.report.findings[0].retry, PullRetry::AfterGrant);
    let secret = some(group.report.findings.iter().find(|one| one.id == FindingId::PULL_SECRET_UNUSABLE), "it")?;
    assert_eq!(secret.status, FindingStatus::Warning, "{group}");
    Ok(())
}

pub async fn the_next_step_for_a_pull_secret_makes_the_pod_run() -> Checked {
    for image in [GHCR, IMAGE] {
        let scene = scene(false)?;
        let explanation = explained(&scene, image, None).await?;
        let group = only(&explanation)?;
        assert_eq!(explanation.root_cause, Some(FindingId::PULL_SECRET_UNUSABLE), "{group}");
        let step = &group.report.findings[0].next_step.summary;
        let host = image.split('/').next().unwrap_or_default();
        assert!(step.contains(&format!("create pull secret hub with credentials for {host}")), "{step}");
        if image == GHCR {
            kubectl::apply(&scene, SECRET, &secret(host, "robot", "hidden-word")).await?;
        } else {
            assert!(step.starts_with("attach registry myregistry to cluster dev, or create pull secret hub"), "{step}");
            attach(&scene, group).await?;
        }
        tokio::time::sleep(std::time::Duration::from_secs(3960)).await;
        assert_eq!(explain(&scene, "pod/web").await?.healthy_pods, 1, "{image}");
    }
    Ok(())
}

/// Registries that are not Azure's: the kubelet's message and the pull secrets decide, and Azure is not asked.
pub async fn a_foreign_registry_is_explained_without_azure() -> Checked {
    let good = secret("ghcr.io", "robot", "hidden-word");
    let wrong = secret("ghcr.io", "robot", "wrong-word");
    let other = secret("docker.io", "robot", "hidden-word");
    for (name, secret, image, wanted) in [
        ("a good secret", Some(&good), GHCR, None),
        ("a wrong password", Some(&wrong), GHCR, Some(FindingId::PULL_SECRET_EXPIRED)),
        ("another host", Some(&other), GHCR, Some(FindingId::PULL_SECRET_UNUSABLE)),
        ("no such image", Some(&good), "ghcr.io/team/app:2", Some(FindingId::IMAGE_NOT_FOUND)),
        ("no such registry", Some(&good), "registry.invalid/app:2", Some(FindingId::DNS_LOOKUP_FAILED)),
    ] {
        let scene = scene(false)?;
        let mark = scene.azure.mark();
        let explanation = explained(&scene, image, secret).await?;
        assert_eq!(explanation.root_cause, wanted, "{name}: {explanation}");
        let sent = scene.azure.requests_since(mark);
        let of_client = sent.iter().filter(|one| one.from == aks_acr_emulator::From::Client);
        let arm: Vec<_> = of_client
            .filter(|one| one.service == aks_acr_emulator::Service::Arm && !one.path.contains("/managedClusters/"))
            .collect();
        assert!(arm.is_empty(), "{name}: {arm:?}");
        let Some(group) = explanation.groups.first() else { continue };
        assert_eq!((&group.report.registry, group.image.as_str()), (&None, image), "{name}");
    }
    Ok(())
}

/// A service account gets a secret after its pod was created: the pod does not use it, and a new one does.
pub async fn a_pull_secret_that_came_after_the_pod_is_named() -> Checked {
    const ACCOUNT: &str = "/api/v1/namespaces/default/serviceaccounts/default";
    const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, image: 'ghcr.io/team/app:1'}]}}";
    let links = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}, "imagePullSecrets": [{"name": "hub"}]});
    let cells = [("ghcr.io", Some("before their service account had it")), ("quay.io", None)];
    for (host, wanted) in cells {
        let scene = scene(false)?;
        scene.apply(POD).await?;
        some_time().await;
        let before = explain(&scene, "pod/web").await?;
        assert_eq!(before.root_cause, Some(FindingId::IMAGE_PRIVATE_OR_MISSING), "{before}");
        kubectl::apply(&scene, SECRET, &secret(host, "robot", "hidden-word")).await?;
        kubectl::apply(&scene, ACCOUNT, &links).await?;
        some_time().await;
        let after = explain(&scene, "pod/web").await?;
        let report = &only(&after)?.report;
        let first = some(report.findings.first(), "a finding")?;
        let Some(wanted) = wanted else {
            assert_eq!(after.root_cause, Some(FindingId::IMAGE_PRIVATE_OR_MISSING), "{host}: {after}");
            continue;
        };
        assert_eq!(after.root_cause, Some(FindingId::PULL_SECRET_UNUSABLE), "{after}");
        assert_eq!((first.retry, first.message.contains(wanted)), (PullRetry::Never, true), "{after}");
        assert!(first.next_step.summary.starts_with("delete the pods"), "{after}");
        assert_eq!(report.replayed()?, *report, "its facts lead to the same report");
        kubectl::delete(&scene, "/api/v1/namespaces/default/pods/web").await?;
        some_time().await;
        scene.apply(POD).await?;
        some_time().await;
        assert_eq!(explain(&scene, "pod/web").await?.healthy_pods, 1);
    }
    Ok(())
}

/// A node of 1.34 uses the image; one of 1.35 asks for the credential that pulled it, and a pull that is wanted anyway has no such warning.
pub async fn an_image_on_the_node_is_pulled_again_for_other_credentials() -> Checked {
    for (version, policy, is_again) in
        [("1.34.2", "IfNotPresent", None), ("1.35.0", "IfNotPresent", Some(true)), ("1.35.0", "Always", Some(false))]
    {
        let seed = ClusterSeed::new(GROUP, CLUSTER).version(version).node("aks-one-0", "linux", "amd64");
        let scene = scene_of(seed, registry(false), &["linux/amd64"])?;
        let upstream = UpstreamSeed::new("ghcr.io").user("robot", "hidden-word");
        drop(scene.azure.clone().with_upstream(upstream).with_image(GHCR, &["linux/amd64"]));
        kubectl::apply(&scene, SECRET, &secret("ghcr.io", "robot", "hidden-word")).await?;
        scene.apply(&pod(GHCR)).await?;
        // A node lists a new image within a minute.
        tokio::time::sleep(Duration::from_secs(70)).await;
        let other = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: other}}, spec: {{containers: [{{name: main, image: '{GHCR}', imagePullPolicy: {policy}}}]}}}}"
        );
        scene.apply(&other).await?;
        some_time().await;
        let explanation = explain(&scene, "pod/other").await?;
        let Some(is_again) = is_again else {
            assert_eq!((explanation.root_cause.as_ref(), explanation.healthy_pods), (None, 1), "{explanation}");
            continue;
        };
        let report = &only(&explanation)?.report;
        assert_eq!(report.root_cause, Some(FindingId::IMAGE_PRIVATE_OR_MISSING), "{explanation}");
        let again = report.findings.iter().find(|one| one.id == FindingId::CREDENTIALS_RECHECKED);
        assert_eq!(again.map(|one| one.status), is_again.then_some(FindingStatus::Warning), "{explanation}");
        let is_named = |one: &aks_acr::Finding| {
            one.message.starts_with("node aks-one-0 has the image") && one.evidence[0].value == "v1.35.0"
        };
        assert!(again.is_none_or(is_named), "{again:?}");
        assert_eq!(report.replayed()?, *report, "its facts lead to the same report");
    }
    Ok(())
}
