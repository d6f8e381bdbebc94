//! What has changed since a pull has last succeeded: who has removed a grant, and when.

use super::{IMAGE, registry, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, Scene, client, deployment},
};
use aks_acr::{
    AttachOptions, Change, CheckOptions, Client, DetachOptions, ExplainOptions, FindingId, KubernetesReads,
    NetworkAction, Report, UpdateRegistryOptions, Verdict,
};
use aks_acr_emulator::{ClusterSeed, Fault, RoleSeed, summary};
use libtest_mimic::Failed;
use std::time::Duration;

const WRITE: &str = "Microsoft.ContainerRegistry/registries/write";
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
    assert_eq!(actions, [WRITE, DELETION], "{report}");
    Ok(())
}

/// The lines that a change has in a printed report.
fn lines(change: &Change) -> Vec<String> {
    change.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

fn closed() -> UpdateRegistryOptions {
    UpdateRegistryOptions::default().with_default_action(NetworkAction::Deny).with_tag("team", Some("secret"))
}

/// The activity log has `registries/write` for a tag and for a firewall; which it was is in the properties.
pub async fn a_firewall_rule_is_told_from_a_tag() -> Checked {
    let (scene, _) = broken().await?;
    let tag = UpdateRegistryOptions::default().with_tag("team", Some("a"));
    scene.client.update_registry(&scene.by_id(), tag).await?;
    scene.client.update_registry(&scene.by_id(), closed()).await?;
    let mark = scene.azure.mark();
    check(&scene, &scene.client, false).await?;
    let without = summary(&scene.azure.requests_since(mark));
    let mark = scene.azure.mark();
    let report = check(&scene, &scene.client, true).await?;
    let sent = scene.azure.requests_since(mark);
    let with = summary(&sent);
    assert_eq!((with.count - without.count, with.depth - without.depth, with.writes), (2, 1, 0), "{sent:#?}");
    let graph = sent.iter().filter(|one| one.path.to_ascii_lowercase().contains("microsoft.resourcegraph"));
    assert_eq!(graph.count(), 1, "cluster and registry are in one query: {sent:#?}");
    let changes: Vec<_> = report.changes.iter().map(|one| (one.action.as_str(), lines(one))).collect();
    let own = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
    let firewall = own(&["networkRuleSet.defaultAction: Allow → Deny", "tags.team"]);
    assert_eq!(changes, [(WRITE, firewall), (WRITE, own(&["tags.team"])), (DELETION, own(&[]))], "{report}");
    // The caller is that of the activity log, in both.
    assert_eq!(report.changes[0].caller.as_deref(), Some(scene.azure.object_id_of("owner").as_str()), "{report}");
    assert!(report.to_html().contains("<br>networkRuleSet.defaultAction: Allow → Deny<br>tags.team</td>"), "{report}");
    let json = serde_json::to_string(&report.changes)?;
    assert!(!json.contains("secret"), "a value of a tag is not kept: {json}");
    let redacted = report.redacted()?;
    let shown: Vec<_> = redacted.changes[0].properties.iter().map(ToString::to_string).collect();
    assert_eq!(shown[0], "networkRuleSet.defaultAction: Allow → Deny", "{redacted}");
    assert!(!shown[1].contains("team"), "the name of a tag is the user's: {redacted}");
    Ok(())
}

/// What Azure Resource Graph has is shown without the activity log, and the reverse.
pub async fn either_source_of_changes_may_fail() -> Checked {
    let (scene, _) = broken().await?;
    scene.client.update_registry(&scene.by_id(), closed()).await?;
    for (part, method, missing) in [
        ("/eventtypes/", "GET", "the activity log could not be read"),
        ("/Microsoft.ResourceGraph/", "POST", "Azure Resource Graph could not be read"),
    ] {
        scene.azure.fault(Fault::on(method, part).status(403));
        let report = check(&scene, &scene.client, true).await?;
        assert!(report.assumptions.iter().any(|one| one.contains(missing)), "{report}");
        let is_log = method == "GET";
        let actions: Vec<&str> = report.changes.iter().map(|one| one.action.as_str()).collect();
        assert_eq!(actions, if is_log { vec![WRITE] } else { vec![WRITE, DELETION] }, "{report}");
        assert_eq!(lines(&report.changes[0]).len(), if is_log { 2 } else { 0 }, "{report}");
    }
    // The index lags: the event is there, and its properties are not yet.
    scene.azure.freeze_resource_graph();
    tokio::time::sleep(WHILE).await;
    scene.client.update_registry(&scene.by_id(), UpdateRegistryOptions::default().with_admin_user(true)).await?;
    let report = check(&scene, &scene.client, true).await?;
    let lines: Vec<_> = report.changes.iter().map(|one| lines(one).len()).collect();
    assert_eq!(lines, [0, 2, 0], "{report}");
    Ok(())
}

/// Nodes are added and removed all the time. A change that pulls depend on is not pushed out of the report.
pub async fn changes_that_matter_stay() -> Checked {
    let (scene, _) = broken().await?;
    for number in 0..25 {
        let tag = UpdateRegistryOptions::default().with_tag("number", Some(&number.to_string()));
        scene.client.update_registry(&scene.by_id(), tag).await?;
    }
    let report = check(&scene, &scene.client, true).await?;
    assert_eq!((report.changes.len(), report.changes[19].action.as_str()), (20, DELETION), "{report}");
    assert!(report.changes.is_sorted_by_key(|one| std::cmp::Reverse(one.time)), "{report}");
    // After 14 days, neither has anything.
    tokio::time::sleep(Duration::from_secs(15 * 24 * 60 * 60)).await;
    let report = check(&scene, &scene.client, true).await?;
    assert!(report.changes.is_empty(), "{report}");
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
