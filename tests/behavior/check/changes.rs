//! What has changed since a pull has last succeeded: who has removed a grant, and when.

use super::{IMAGE, registry, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, Scene, client, deployment},
};
use aks_acr::{
    AttachOptions, CheckOptions, Client, DetachOptions, ExplainOptions, FindingId, KubernetesReads, Report,
    UpdateRegistryOptions, Verdict,
};
use aks_acr_emulator::{ClusterSeed, RoleSeed};
use libtest_mimic::Failed;
use std::time::Duration;

const DELETION: &str = "Microsoft.Authorization/roleAssignments/delete";
/// Short enough for the event of a pull to be there: Kubernetes forgets events after an hour.
const WHILE: Duration = Duration::from_secs(10 * 60);

/// A cluster whose pods have pulled, and another principal that removes the grant later.
async fn broken() -> Result<(Scene, String), Failed> {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    tokio::time::sleep(WHILE).await;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    tokio::time::sleep(WHILE).await;
    let azure = scene.azure.clone().with_caller("robot", &[("Owner", &scene.everything())]);
    let robot = client(&azure, azure.credential_of("robot"))?;
    robot.detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await?;
    tokio::time::sleep(WHILE).await;
    let id = azure.object_id_of("robot");
    Ok((scene, id))
}

async fn check(scene: &Scene, client: &Client, changes: bool) -> aks_acr::Result<Report> {
    let options = CheckOptions::default().with_changes(changes).with_kubernetes(KubernetesReads::Always);
    client.check(&scene.cluster, &scene.by_id(), options).await
}

pub async fn who_has_removed_a_grant_is_shown() -> Checked {
    let (scene, robot) = broken().await?;
    let mark = scene.azure.mark();
    let report = check(&scene, &scene.client, true).await?;
    let sent = scene.azure.requests_since(mark).into_iter();
    let logs: Vec<_> = sent.filter(|one| one.path.to_ascii_lowercase().contains("microsoft.insights")).collect();
    assert_eq!(logs.len(), 1, "cluster and registry are in one group: {logs:#?}");
    assert_eq!(report.root_cause, Some(FindingId::GRANT_MISSING), "{report}");
    let change = some(report.changes.first(), "a change")?;
    assert_eq!((change.action.as_str(), change.caller.as_deref()), (DELETION, Some(robot.as_str())), "{report}");
    assert!(change.resource.contains("/registries/myregistry/"), "{change}");
    // The grant itself is older than the last pull, and explains nothing.
    assert_eq!(report.changes.len(), 1, "{report}");
    assert!(report.to_string().contains(&format!("changed: {change}")), "{report}");
    let row = format!("<td>changed</td><td>{DELETION}</td><td>{}</td><td>", change.resource);
    assert!(report.to_html().contains(&row), "{}", report.to_html());
    assert!(report.to_html().contains(&format!("<br>by {robot}</td><td></td>")), "{}", report.to_html());
    let redacted = serde_json::to_string(&report.redacted()?)?;
    assert!(redacted.contains(DELETION) && !redacted.contains(&robot), "{redacted}");
    let read: Report = serde_json::from_str(&serde_json::to_string(&report)?)?;
    assert_eq!(read, report);
    // An explanation shows the same.
    scene.apply(&deployment("late", IMAGE, 1)).await?;
    tokio::time::sleep(Duration::from_secs(45)).await;
    let options = ExplainOptions::default().with_changes(true);
    let explanation = scene.client.explain(&scene.cluster, &"late".parse()?, options).await?;
    let group = some(explanation.groups.first(), "a group")?;
    assert_eq!(group.report.changes.first(), report.changes.first(), "{explanation}");
    Ok(())
}

/// Other resources of the group, writes that failed and lists of credentials are no change of this cluster and this registry.
pub async fn only_what_matters_is_a_change() -> Checked {
    let (scene, _) = broken().await?;
    let other = aks_acr_emulator::RegistrySeed::new(GROUP, "otherregistry");
    let _ = scene.azure.clone().with_registry_of(other);
    let update = UpdateRegistryOptions::default().with_tag("team", Some("a"));
    scene.client.update_registry(&"otherregistry".parse()?, update).await?;
    scene.client.kubeconfig(&scene.cluster, aks_acr::KubeconfigOptions::default()).await?;
    let report = check(&scene, &scene.client, true).await?;
    assert_eq!(report.changes.len(), 1, "{report}");
    let own = UpdateRegistryOptions::default().with_tag("team", Some("b"));
    scene.client.update_registry(&"myregistry".parse()?, own).await?;
    let report = check(&scene, &scene.client, true).await?;
    let actions: Vec<&str> = report.changes.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(actions, ["Microsoft.ContainerRegistry/registries/write", DELETION], "{report}");
    Ok(())
}

pub async fn without_the_right_or_the_option_nothing_is_known_of_changes() -> Checked {
    let (scene, _) = broken().await?;
    let mark = scene.azure.mark();
    let report = check(&scene, &scene.client, false).await?;
    assert!(report.changes.is_empty() && !report.assumptions.iter().any(|one| one.contains("changed:")), "{report}");
    let sent = scene.azure.requests_since(mark);
    assert!(sent.iter().all(|one| !one.path.to_ascii_lowercase().contains("microsoft.insights")), "{sent:#?}");
    let right = "Microsoft.Insights/eventtypes/values/read";
    let azure = scene.azure.clone().with_role(RoleSeed::new("all but one").block(&["*"], &[right]));
    let azure = azure.with_caller("reader", &[("all but one", &scene.everything())]);
    let report = check(&scene, &client(&azure, azure.credential_of("reader"))?, true).await?;
    assert_eq!((report.verdict, report.changes.len()), (Verdict::CannotPull, 0), "{report}");
    let assumed = report.assumptions.iter().find(|one| one.contains("the activity log could not be read"));
    assert!(some(assumed, "an assumption")?.contains(right), "{report}");
    Ok(())
}
