//! Nodes that pull as the service accounts of pods: what the kubelet identity may do does not count.

use super::{IMAGE, READER, attach_options, first, registry, runs, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, Scene, deployment},
};
use aks_acr::{
    CheckOptions, Evidence, ExplainOptions, Explanation, Finding, FindingId, FindingStatus, KubernetesReads, Report,
    Verdict,
};
use aks_acr_emulator::{ClusterSeed, Fault, From};
use libtest_mimic::Failed;
use std::time::Duration;

const PREVIEW: &str = "api-version=2026-08-02-preview";

fn scene(is_abac: bool, default: Option<&str>) -> Result<Scene, Failed> {
    let seed = ClusterSeed::new(GROUP, CLUSTER).version("1.34.1").service_account_pulls(default);
    let scene = scene_of(seed, registry(is_abac), &["linux/amd64"])?;
    scene.grant_pull(if is_abac { READER } else { "AcrPull" });
    Ok(scene)
}

async fn checked(scene: &Scene, image: Option<&str>) -> Result<Report, Failed> {
    super::replayed(scene, image, KubernetesReads::Always).await
}

async fn explained(scene: &Scene) -> Result<Explanation, Failed> {
    scene.apply(&deployment("web", IMAGE, 2)).await?;
    tokio::time::sleep(Duration::from_secs(45)).await;
    Ok(scene.client.explain(&scene.cluster, &"web".parse()?, ExplainOptions::default()).await?)
}

fn found<'a>(report: &'a Report, id: &FindingId) -> Result<&'a Finding, Failed> {
    some(report.findings.iter().find(|one| one.id == *id), "the finding")
}

fn values(found: &Finding, field: &str) -> Vec<String> {
    let of_field = |one: &&Evidence| one.field.ends_with(field);
    found.evidence.iter().filter(of_field).map(|one| one.value.clone()).collect()
}

pub async fn the_default_identity_of_service_accounts_needs_the_grant() -> Checked {
    for is_abac in [false, true] {
        let scene = scene(is_abac, Some("pulls"))?;
        for image in [None, Some(IMAGE)] {
            let report = checked(&scene, image).await?;
            // The kubelet identity has the role.
            assert_eq!(first(&report)?.id, FindingId::GRANT_TO_WRONG_IDENTITY, "{report}");
            let warned = found(&report, &FindingId::SERVICE_ACCOUNT_PULLS)?;
            assert_eq!((report.verdict, warned.status), (Verdict::CannotPull, FindingStatus::Warning), "{report}");
            let shown = values(warned, "defaultManagedIdentityId");
            assert!(shown.iter().any(|id| id.ends_with("/userAssignedIdentities/pulls")), "{shown:?}");
        }
        let explanation = explained(&scene).await?;
        assert_eq!(explanation.root_cause, Some(FindingId::GRANT_TO_WRONG_IDENTITY), "{explanation}");
        let step = first(&some(explanation.groups.first(), "a group")?.report)?.next_step.clone();
        let principal = scene.azure.default_pull_object_id(GROUP, CLUSTER);
        assert_eq!(step.arguments.get("principal_id"), Some(&principal), "{step:?}");
        scene
            .client
            .attach(&scene.cluster, &scene.by_id(), attach_options(&step)?.with_principal_id(principal.parse()?))
            .await?;
        tokio::time::sleep(Duration::from_secs(11 * 60)).await;
        let report = checked(&scene, Some(IMAGE)).await?;
        assert_eq!((report.verdict, report.findings.len()), (Verdict::CanPull, 0), "{report}");
        assert!(runs(&scene, IMAGE).await?, "the next step works");
    }
    Ok(())
}

pub async fn a_service_account_without_an_identity_pulls_without_a_credential() -> Checked {
    let scene = scene(false, None)?;
    let (client_id, principal) = scene.azure.bind_identity(GROUP, CLUSTER, "team");
    scene.azure.grant("AcrPull", &principal, scene.by_id().as_str());
    for image in [None, Some(IMAGE)] {
        let report = checked(&scene, image).await?;
        assert_eq!(
            (first(&report)?.status, &first(&report)?.id),
            (FindingStatus::Failing, &FindingId::SERVICE_ACCOUNT_PULLS),
            "{report}"
        );
    }
    let explanation = explained(&scene).await?;
    assert_eq!(explanation.root_cause, Some(FindingId::SERVICE_ACCOUNT_PULLS), "{explanation}");
    let found = first(&some(explanation.groups.first(), "a group")?.report)?;
    let annotation = format!("kubernetes.azure.com/acr-client-id={client_id}");
    let command = format!("kubectl annotate serviceaccount default --namespace default {annotation}");
    assert_eq!(found.next_step.command.as_deref(), Some(command.as_str()), "{found:?}");
    let account = format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: default, annotations: {{{}}}}}}}",
        annotation.replace('=', ": ")
    );
    scene.apply(&account).await?;
    assert!(runs(&scene, IMAGE).await?, "the next step works");
    // Now some do: which one the pods have, a check does not know.
    let report = checked(&scene, Some(IMAGE)).await?;
    let found = first(&report)?;
    assert_eq!(
        (report.verdict, &found.id, found.status),
        (Verdict::Unknown, &FindingId::SERVICE_ACCOUNT_PULLS, FindingStatus::Unknown),
        "{report}"
    );
    assert_eq!(values(found, "acr-client-id"), ["default/default"], "{report}");
    Ok(())
}

pub async fn an_identity_that_is_not_bound_gives_no_token() -> Checked {
    let scene = scene(false, Some("pulls"))?;
    let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, annotations: \
                   {kubernetes.azure.com/acr-client-id: 11111111-2222-3333-4444-555555555555}}}";
    scene.apply(account).await?;
    let explanation = explained(&scene).await?;
    assert_eq!(explanation.root_cause, Some(FindingId::SERVICE_ACCOUNT_PULLS), "{explanation}");
    let found = first(&some(explanation.groups.first(), "a group")?.report)?;
    assert_eq!(values(found, "acr-client-id"), ["11111111-2222-3333-4444-555555555555"], "{found:?}");
    Ok(())
}

pub async fn a_preview_that_is_refused_is_an_assumption() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    let says = |report: &Report| report.assumptions.iter().any(|one| one.contains("not as the pods' service accounts"));
    scene.grant_pull("AcrPull");
    tokio::time::sleep(Duration::from_secs(11 * 60)).await;
    let mark = scene.azure.mark();
    let report = checked(&scene, Some(IMAGE)).await?;
    assert!(report.verdict == Verdict::CanPull && !says(&report), "{report}");
    let of_preview =
        |mark| scene.azure.requests_since(mark).into_iter().filter(|one| one.query.contains(PREVIEW)).count();
    assert_eq!(of_preview(mark), 1);
    scene.azure.fault(Fault::on("GET", PREVIEW).status(400).times(9));
    let report = checked(&scene, Some(IMAGE)).await?;
    assert!(report.verdict == Verdict::CanPull && says(&report), "{report}");
    // It is not read unless Kubernetes is, too.
    let mark = scene.azure.mark();
    scene.client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
    assert_eq!(
        (of_preview(mark), scene.azure.requests_since(mark).iter().filter(|one| one.from == From::Client).count() > 3),
        (0, true)
    );
    Ok(())
}

pub async fn service_accounts_of_one_name_may_have_different_identities() -> Checked {
    let scene = scene(false, None)?;
    let (client_id, principal) = scene.azure.bind_identity(GROUP, CLUSTER, "team");
    let namespaces = "{apiVersion: v1, kind: Namespace, metadata: {name: one}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: two}}";
    scene.apply(namespaces).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let account = format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: default, namespace: one, annotations: \
         {{kubernetes.azure.com/acr-client-id: {client_id}}}}}}}"
    );
    scene.apply(&account).await?;
    for namespace in ["one", "two"] {
        let pod = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: web, namespace: {namespace}}}, spec: {{containers: [{{name: web, image: {IMAGE}}}]}}}}"
        );
        scene.apply(&pod).await?;
    }
    tokio::time::sleep(Duration::from_secs(45)).await;
    let options = ExplainOptions::default().with_all_namespaces(true);
    let explanation = scene.client.explain(&scene.cluster, &"".parse()?, options).await?;
    let mut causes: Vec<(String, Option<FindingId>)> =
        explanation.groups.iter().map(|group| (group.pods.join(" "), group.report.root_cause.clone())).collect();
    causes.sort();
    let one = ("one/web".to_owned(), Some(FindingId::GRANT_TO_WRONG_IDENTITY));
    let two = ("two/web".to_owned(), Some(FindingId::SERVICE_ACCOUNT_PULLS));
    assert_eq!(causes, [one, two], "{explanation}");
    let step = explanation.groups.iter().find(|group| group.pods == ["one/web"]);
    let step = &first(&some(step, "the group")?.report)?.next_step;
    assert_eq!(step.arguments.get("principal_id"), Some(&principal), "{step:?}");
    Ok(())
}
