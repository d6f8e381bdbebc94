//! Clusters with a service principal: what Microsoft Graph says of it is what a node meets.

use super::{Found, IMAGE, failing, registry, runs, scene_of, unknown};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, Scene},
};
use aks_acr::{CheckOptions, FindingId, FindingStatus, Report, Verdict};
use aks_acr_emulator::{ClusterSeed, Service};
use libtest_mimic::Failed;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const APPLICATIONS: &str = "Application.Read.All";

/// A cluster whose service principal has a secret that is valid for some days, and may pull.
pub fn scene(days: Option<u32>) -> Result<Scene, Failed> {
    let seed = ClusterSeed::new(GROUP, CLUSTER).service_principal();
    let seed = match days {
        Some(days) => seed.secret_lasts(DAY * days),
        None => seed,
    };
    let scene = scene_of(seed, registry(false), &["linux/amd64"])?;
    scene.azure.grant("AcrPull", &principal(&scene), scene.by_id().as_str());
    Ok(scene)
}

pub fn principal(scene: &Scene) -> String {
    scene.azure.control_plane_object_id(GROUP, CLUSTER)
}

fn options() -> CheckOptions {
    CheckOptions::default().with_image(IMAGE.parse().expect("an image"))
}

async fn check(scene: &Scene, options: CheckOptions) -> aks_acr::Result<Report> {
    scene.client.check(&scene.cluster, &scene.by_id(), options).await
}

fn found(report: &Report) -> Found {
    report.findings.first().map(|one| (one.status, one.id.clone()))
}

pub async fn a_service_principal_is_judged_as_a_node_meets_it() -> Checked {
    let warned = Some((FindingStatus::Warning, FindingId::SERVICE_PRINCIPAL_EXPIRED));
    let ended = failing(FindingId::SERVICE_PRINCIPAL_EXPIRED);
    for (name, days, is_enabled, wanted) in [
        ("a secret without an end", None, true, None),
        ("a secret of 31 days", Some(31), true, None),
        ("a secret of 29 days", Some(29), true, warned),
        ("an ended secret", Some(0), true, ended.clone()),
        ("disabled", None, false, ended),
    ] {
        let scene = scene(days)?;
        drop(scene.azure.clone().with_graph_permission("owner", APPLICATIONS));
        if !is_enabled {
            scene.azure.set_service_principal_enabled(&principal(&scene), false);
        }
        let report = check(&scene, options().with_query_graph(true)).await?;
        assert_eq!(found(&report), wanted, "{name}: {report}");
        assert_eq!(runs(&scene, IMAGE).await?, report.verdict == Verdict::CanPull, "{name}: {report}");
        let asked = scene.azure.requests().iter().filter(|one| one.service == Service::Graph).count();
        assert_eq!(asked, 2, "{name}");
    }
    Ok(())
}

/// The command is filled in but for the secret, which only a person can make.
pub async fn the_next_step_for_an_ended_secret_makes_the_pod_run() -> Checked {
    let scene = scene(Some(0))?;
    drop(scene.azure.clone().with_graph_rights("owner"));
    let report = check(&scene, options().with_query_graph(true)).await?;
    let finding = some(report.root_finding(), "the ended secret")?;
    let command = some(finding.next_step.command.as_deref(), "a command")?;
    let start =
        "az aks update-credentials --resource-group group --name dev --reset-service-principal --service-principal ";
    assert!(command.starts_with(start) && command.ends_with(" --client-secret SECRET"), "{command}");
    assert!(finding.message.contains("has ended, the last at 20"), "{report}");
    assert!(!runs(&scene, IMAGE).await?);
    scene.azure.renew_service_principal(GROUP, CLUSTER);
    let report = check(&scene, options().with_query_graph(true)).await?;
    assert_eq!((report.verdict, found(&report)), (Verdict::CanPull, None), "{report}");
    assert!(runs(&scene, IMAGE).await?);
    Ok(())
}

pub async fn without_a_query_the_options_are_named() -> Checked {
    let scene = scene(Some(0))?;
    let report = check(&scene, options()).await?;
    assert_eq!(found(&report), unknown(FindingId::UNKNOWN_PRINCIPAL), "{report}");
    let needs: Vec<_> = report.findings[0].needs.iter().filter_map(|one| one.option.as_deref()).collect();
    assert_eq!(needs, ["principal_id", "query_graph"]);
    let report = check(&scene, options().with_principal_id(principal(&scene).parse()?)).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    assert!(report.assumptions.iter().any(|one| one.contains("query_graph")), "{report}");
    assert!(!scene.azure.requests().iter().any(|one| one.service == Service::Graph));
    Ok(())
}

pub async fn what_microsoft_graph_refuses_is_named() -> Checked {
    let scene = scene(Some(0))?;
    for (options, id) in [
        (options(), FindingId::UNKNOWN_PRINCIPAL),
        (options().with_principal_id(principal(&scene).parse()?), FindingId::SERVICE_PRINCIPAL_EXPIRED),
    ] {
        let report = check(&scene, options.with_query_graph(true)).await?;
        assert_eq!((report.verdict, found(&report)), (Verdict::Unknown, unknown(id)), "{report}");
        let need = some(report.findings[0].needs.first(), "a need")?;
        assert_eq!((need.action.as_deref(), need.scope.as_deref()), (Some(APPLICATIONS), Some("Microsoft Graph")));
        assert!(report.to_string().contains(APPLICATIONS), "{report}");
    }
    Ok(())
}

/// Another principal's secrets are not those of the cluster's.
pub async fn an_id_that_the_options_name_is_not_judged() -> Checked {
    let scene = scene(Some(0))?;
    drop(scene.azure.clone().with_graph_rights("owner"));
    let named = options().with_query_graph(true).with_principal_id("aaaaaaaa-0000-0000-0000-000000000001".parse()?);
    let report = check(&scene, named).await?;
    assert_eq!(report.root_cause, Some(FindingId::GRANT_MISSING), "{report}");
    Ok(())
}
