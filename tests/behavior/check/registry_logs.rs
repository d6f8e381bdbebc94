//! The registry's resource logs: who has pulled, from where, and with which result. A pull in them counts as one that Kubernetes shows.

use super::{IMAGE, first, registry, scene_of, success::behind_own_dns};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene, client, deployment},
};
use aks_acr::{
    CheckOptions, Client, ExplainOptions, FindingId, KubernetesReads, PullStage, Report, UpdateRegistryOptions, Verdict,
};
use aks_acr_emulator::{ClusterSeed, From, Request, RoleSeed, Service, Timing};
use libtest_mimic::Failed;
use serde_json::json;
use std::time::Duration;

const LAG: Duration = Duration::from_secs(5 * 60);
const WORKSPACE: &str = "logs";
const LOGINS: &str = "ContainerRegistryLoginEvents";
const REPOSITORIES: &str = "ContainerRegistryRepositoryEvents";

async fn pull(scene: &Scene) -> Checked {
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    tokio::time::sleep(Duration::from_secs(30)).await;
    Ok(())
}

/// A check without Kubernetes, and its requests but for tokens.
async fn checked(scene: &Scene, client: &Client, logs: bool) -> Result<(Report, Vec<Request>), Failed> {
    let options = CheckOptions::default().with_registry_logs(logs).with_kubernetes(KubernetesReads::Never);
    let mark = scene.azure.mark();
    let report = client.check(&scene.cluster, &scene.by_id(), options).await?;
    let sent = scene.azure.requests_since(mark).into_iter();
    Ok((report, sent.filter(|one| one.from == From::Client && one.service != Service::Entra).collect()))
}

fn assumed<'r>(report: &'r Report, text: &str) -> Result<&'r String, Failed> {
    some(report.assumptions.iter().find(|one| one.contains(text)), &format!("{text:?} in {report}"))
}

pub async fn a_pull_in_the_registrys_logs_proves_the_path_without_kubernetes() -> Checked {
    for is_abac in [false, true] {
        let scene = behind_own_dns(is_abac)?;
        scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
        scene.azure.set_timing(Timing::none().with_registry_logs(LAG));
        pull(&scene).await?;
        let (plain, before) = checked(&scene, &scene.client, false).await?;
        assert_eq!((plain.verdict, plain.registry_logs.len()), (Verdict::Unknown, 0), "{plain}");
        let (late, sent) = checked(&scene, &scene.client, true).await?;
        assert_eq!((late.verdict, late.registry_logs.len()), (Verdict::Unknown, 0), "{late}");
        assert_eq!(sent.len(), before.len() + 2, "the settings and one query: {sent:#?}");
        tokio::time::sleep(LAG).await;
        let (report, sent) = checked(&scene, &scene.client, true).await?;
        println!("abac {is_abac}: {} requests, {} without the logs", sent.len(), before.len());
        assert_eq!(sent.len(), before.len() + 2, "{sent:#?}");
        assert!(!sent.iter().any(|one| one.service == Service::Kubernetes), "{sent:#?}");
        assert_eq!(report.verdict, Verdict::CanPull, "{report}");
        let network = report.stages.iter().find(|one| one.name == PullStage::Network);
        let by = some(network.and_then(|one| one.by.as_deref()), "by")?;
        assert!(by.starts_with("the nodes' identity pulled myregistry.azurecr.io/team/app"), "{by}");
        assumed(&report, "the network between")?;
        assert_eq!(report.replayed()?, report, "its facts lead to the same report");
        // The same with Kubernetes: it is not asked for what is known.
        let options = CheckOptions::default().with_registry_logs(true);
        let mark = scene.azure.mark();
        let report = scene.client.check(&scene.cluster, &scene.by_id(), options).await?;
        assert_eq!(report.verdict, Verdict::CanPull, "{report}");
        let sent = scene.azure.requests_since(mark);
        let asks = |one: &Request| one.from == From::Client && one.service == Service::Kubernetes;
        assert!(!sent.iter().any(asks), "{sent:#?}");
    }
    Ok(())
}

pub async fn the_registrys_logs_are_shown_in_every_form() -> Checked {
    let scene = behind_own_dns(false)?;
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    pull(&scene).await?;
    let (report, _) = checked(&scene, &scene.client, true).await?;
    assert!((2..=20).contains(&report.registry_logs.len()), "{report}");
    assert!(report.registry_logs.is_sorted_by(|one, next| one.time >= next.time), "{report}");
    let event = some(report.registry_logs.iter().find(|one| one.tag.is_some()), "a pull by tag")?;
    assert_eq!((event.operation.as_str(), event.table.as_str()), ("Pull", REPOSITORIES));
    assert_eq!((event.repository.as_deref(), event.tag.as_deref()), (Some("team/app"), Some("v1")));
    assert_eq!((event.result_type.as_deref(), event.result.as_deref()), (Some("HttpStatusCode"), Some("200")));
    assert!(event.is_pull() && event.has_succeeded() && event.correlation_id.is_some(), "{event:?}");
    assert!(report.registry_logs.iter().any(|one| one.table == LOGINS && !one.is_pull()), "{report}");
    let identity = some(event.identity.as_deref(), "an identity")?;
    assert!(report.to_string().contains(&format!("logged: {event}")), "{report}");
    assert!(report.to_html().contains(&format!("<br>by {identity}<br>result 200</td>")), "{}", report.to_html());
    let redacted = serde_json::to_string(&report.redacted()?)?;
    assert!(!redacted.contains(identity) && !redacted.contains("team/app"), "{redacted}");
    assert!(redacted.contains(REPOSITORIES) && redacted.contains("HttpStatusCode"), "{redacted}");
    let read: Report = serde_json::from_str(&serde_json::to_string(&report)?)?;
    assert_eq!(read, report);
    Ok(())
}

/// A pull from before the newest change of the registry is a warning, as one that Kubernetes shows is.
pub async fn a_logged_pull_from_before_a_change_is_a_warning() -> Checked {
    let scene = behind_own_dns(false)?;
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    pull(&scene).await?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let change = UpdateRegistryOptions::default().with_admin_user(true);
    scene.client.update_registry(&scene.by_id(), change).await?;
    let (report, _) = checked(&scene, &scene.client, true).await?;
    assert_eq!((report.verdict, &first(&report)?.id), (Verdict::Unknown, &FindingId::PRIVATE_PATH_UNKNOWN), "{report}");
    let warned = report.findings.iter().find(|one| one.id == FindingId::SUCCEEDED_BEFORE_CHANGE);
    let is_logged = some(warned, "a warning")?.evidence.iter().any(|one| one.source == "registry log");
    assert!(is_logged, "{report}");
    Ok(())
}

pub async fn a_registry_without_a_diagnostic_setting_says_how_to_log() -> Checked {
    let scene = behind_own_dns(false)?;
    pull(&scene).await?;
    let (plain, before) = checked(&scene, &scene.client, false).await?;
    let (report, sent) = checked(&scene, &scene.client, true).await?;
    assert_eq!(sent.len(), before.len() + 1, "nothing is queried: {sent:#?}");
    assert_eq!((report.verdict, report.registry_logs.len()), (plain.verdict, 0), "{report}");
    let text = assumed(&report, "no diagnostic setting of registry myregistry")?;
    assert!(text.contains("az monitor diagnostic-settings create") && text.contains(LOGINS), "{text}");
    assert!(text.contains(scene.by_id().as_str()), "{text}");
    Ok(())
}

pub async fn what_hides_the_registrys_logs_is_an_assumption() -> Checked {
    let scene = behind_own_dns(false)?;
    let workspace = scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    pull(&scene).await?;
    let logs = |table: &str| format!("Microsoft.Insights/logs/{table}/read");
    let cases = [
        (vec!["Microsoft.Insights/diagnosticSettings/read".to_owned()], Verdict::Unknown),
        (vec![logs(REPOSITORIES)], Verdict::Unknown),
        (vec![logs(LOGINS)], Verdict::CanPull),
        (vec![logs(LOGINS), logs(REPOSITORIES)], Verdict::Unknown),
    ];
    for (at, (lacks, verdict)) in cases.into_iter().enumerate() {
        let role = format!("all but {at}");
        let not: Vec<&str> = lacks.iter().map(String::as_str).collect();
        let azure = scene.azure.clone().with_role(RoleSeed::new(&role).block(&["*"], &not));
        let name = format!("reader {at}");
        let azure = azure.with_caller(&name, &[(role.as_str(), &scene.everything())]);
        let (report, _) = checked(&scene, &client(&azure, azure.credential_of(&name))?, true).await?;
        assert_eq!(report.verdict, verdict, "{lacks:?}: {report}");
        assumed(&report, some(lacks.last(), "a right")?)?;
    }
    // A workspace that requires permissions of its own.
    scene.azure.require_workspace_permissions(&workspace);
    let everything = scene.everything();
    let query = "Microsoft.OperationalInsights/workspaces/query/read";
    for (lacks, shown) in [
        (query.to_owned(), query.to_owned()),
        (query.replace("query/", &format!("query/{REPOSITORIES}/")), format!("query/{REPOSITORIES}/read on")),
    ] {
        let role = format!("without {}", lacks.len());
        let azure = scene.azure.clone().with_role(RoleSeed::new(&role).block(&["*"], &[&lacks]));
        let azure = azure.with_caller(&role, &[(role.as_str(), &everything)]);
        let (report, _) = checked(&scene, &client(&azure, azure.credential_of(&role))?, true).await?;
        assert_eq!(report.verdict, Verdict::Unknown, "{report}");
        let text = assumed(&report, &shown)?;
        assert!(text.to_ascii_lowercase().contains(&workspace.to_ascii_lowercase()), "{text}");
    }
    Ok(())
}

/// An attempt that the firewall refuses is a sign-in without an identity, and has the address.
pub async fn an_address_that_the_firewall_refuses_is_in_the_logs() -> Checked {
    let closed = registry(false).only_from(&["203.0.113.7"]);
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), closed, &["linux/amd64"])?;
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    scene.grant_pull("AcrPull");
    pull(&scene).await?;
    let options = ExplainOptions::default().with_registry_logs(true);
    let explanation = scene.client.explain(&scene.cluster, &"web".parse()?, options).await?;
    let report = &some(explanation.groups.first(), "a group")?.report;
    assert_eq!(report.verdict, Verdict::CannotPull, "{explanation}");
    let refused = report.registry_logs.iter().find(|one| one.result.as_deref() == Some("403"));
    let refused = some(refused, "a refusal")?;
    assert_eq!((refused.table.as_str(), refused.identity.as_deref()), (LOGINS, None), "{explanation}");
    let address = some(refused.caller_address.as_deref(), "an address")?;
    let found = some(report.root_finding(), "a cause")?;
    assert!(found.evidence.iter().any(|one| one.value.contains(address)), "{explanation}");
    assert_eq!(report.replayed()?, *report);
    // Without the option, nothing is read.
    let mark = scene.azure.mark();
    let explanation = scene.client.explain(&scene.cluster, &"web".parse()?, ExplainOptions::default()).await?;
    assert!(some(explanation.groups.first(), "a group")?.report.registry_logs.is_empty());
    let sent = scene.azure.requests_since(mark);
    assert!(sent.iter().all(|one| !one.path.to_ascii_lowercase().contains("microsoft.insights")), "{sent:#?}");
    Ok(())
}

/// Nodes of another cluster can have an identity that a user has created: their pulls prove what it may do, and not the path.
pub async fn a_pull_of_a_shared_identity_proves_the_grant_and_not_the_path() -> Checked {
    let scene = behind_own_dns(false)?;
    let _ = scene.azure.change_kubelet_identity(GROUP, CLUSTER, "shared");
    scene.azure.renew_nodes(GROUP, CLUSTER, "one");
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    scene.grant_pull("AcrPull");
    pull(&scene).await?;
    let (report, _) = checked(&scene, &scene.client, true).await?;
    assert!(report.registry_logs.iter().any(|one| one.is_pull() && one.has_succeeded()), "{report}");
    assert_eq!((report.verdict, &first(&report)?.id), (Verdict::Unknown, &FindingId::PRIVATE_PATH_UNKNOWN), "{report}");
    // Whether a role allows pulling is not known to a caller that cannot read it.
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    let _ = scene.azure.change_kubelet_identity(GROUP, CLUSTER, "shared");
    scene.azure.renew_nodes(GROUP, CLUSTER, "nodepool1");
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    super::custom(&scene, RoleSeed::new("custom").block(&[super::PULL], &[]));
    pull(&scene).await?;
    let caller = scene.caller_who_may(&[
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Authorization/denyAssignments/read",
        "Microsoft.Insights/*/read",
    ])?;
    let (plain, _) = checked(&scene, &caller, false).await?;
    assert_eq!(plain.verdict, Verdict::Unknown, "{plain}");
    let (report, _) = checked(&scene, &caller, true).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    assumed(&report, "no role assignment was removed since a node pulled")?;
    Ok(())
}

/// Each workspace has a row of its own.
pub async fn an_event_in_two_workspaces_is_one_event() -> Checked {
    let scene = behind_own_dns(false)?;
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    scene.azure.send_registry_logs(GROUP, REGISTRY, "security");
    pull(&scene).await?;
    let (report, sent) = checked(&scene, &scene.client, true).await?;
    let ids: std::collections::BTreeSet<_> = report.registry_logs.iter().map(|one| &one.correlation_id).collect();
    assert!(!ids.is_empty() && ids.len() == report.registry_logs.len(), "{report}");
    let queries = sent.iter().filter(|one| one.path.ends_with("/logs")).count();
    assert_eq!(queries, 1, "{sent:#?}");
    Ok(())
}

/// A result that Azure calls partial is no whole one.
pub async fn a_partial_result_of_the_logs_is_an_assumption() -> Checked {
    let scene = behind_own_dns(false)?;
    scene.azure.send_registry_logs(GROUP, REGISTRY, WORKSPACE);
    let body = json!({"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}],
        "error": {"code": "PartialError", "message": "There were some errors when processing your query."}});
    let fault = aks_acr_emulator::Fault::on("POST", "/providers/Microsoft.Insights/logs");
    scene.azure.fault(fault.status(200).body(body));
    let (report, _) = checked(&scene, &scene.client, true).await?;
    assumed(&report, "There were some errors")?;
    Ok(())
}
