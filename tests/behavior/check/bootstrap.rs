//! Network isolated clusters, whose nodes get their programs from a registry before they join.

use super::{IMAGE, attach_options, first, registry, replayed, runs, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{FindingId, FindingStatus, KubernetesReads, Verdict};
use aks_acr_emulator::{ClusterSeed, Emulator};
use libtest_mimic::Failed;
use std::time::Duration;

fn scene(is_abac: bool) -> Result<Scene, Failed> {
    let id = format!(
        "/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}",
        Emulator::new().subscription()
    );
    scene_of(ClusterSeed::new(GROUP, CLUSTER).bootstrap_refused(&id), registry(is_abac), &["linux/amd64"])
}

pub async fn nodes_that_a_bootstrap_registry_refuses_join_after_the_next_steps() -> Checked {
    for is_abac in [false, true] {
        let scene = scene(is_abac)?;
        for image in [None, Some(IMAGE)] {
            let report = replayed(&scene, image, KubernetesReads::IfNeeded).await?;
            let found = first(&report)?;
            assert_eq!(
                (report.verdict, &found.id, found.status),
                (Verdict::CannotPull, &FindingId::BOOTSTRAP_FAILED, FindingStatus::Failing),
                "{report}"
            );
            assert!(found.message.contains("exit code 212"), "{found:?}");
            // Without the nodes, it is not known whether earlier ones pull.
            let report = replayed(&scene, image, KubernetesReads::Never).await?;
            let found = some(report.findings.iter().find(|one| one.id == FindingId::BOOTSTRAP_FAILED), "the finding")?;
            assert_eq!((found.status, found.needs[0].option.as_deref()), (FindingStatus::Unknown, Some("kubernetes")));
        }
        let step = first(&replayed(&scene, None, KubernetesReads::IfNeeded).await?)?.next_step.clone();
        assert_eq!(step.arguments.get("registry").map(String::as_str), Some(scene.by_id().as_str()), "{step:?}");
        scene.client.attach(&scene.cluster, &scene.by_id(), attach_options(&step)?).await?;
        tokio::time::sleep(Duration::from_secs(11 * 60)).await;
        let report = replayed(&scene, Some(IMAGE), KubernetesReads::IfNeeded).await?;
        let step = &first(&report)?.next_step;
        assert_eq!(step.command.as_deref(), Some("az aks update --resource-group group --name dev --yes"), "{report}");
        scene.azure.reconcile(GROUP, CLUSTER);
        let report = replayed(&scene, Some(IMAGE), KubernetesReads::IfNeeded).await?;
        assert_eq!((report.verdict, report.findings.len()), (Verdict::CanPull, 0), "{report}");
        assert!(runs(&scene, IMAGE).await?, "the next steps work");
    }
    Ok(())
}

pub async fn without_the_grant_a_reconciled_cluster_fails_again() -> Checked {
    let scene = scene(false)?;
    scene.azure.reconcile(GROUP, CLUSTER);
    let report = replayed(&scene, None, KubernetesReads::IfNeeded).await?;
    assert_eq!(report.root_cause, Some(FindingId::BOOTSTRAP_FAILED), "{report}");
    // Nodes that joined earlier, as before an upgrade that fails, still pull.
    scene.grant_pull("AcrPull");
    scene.azure.reconcile(GROUP, CLUSTER);
    scene.azure.refuse_bootstrap(GROUP, CLUSTER);
    tokio::time::sleep(Duration::from_secs(11 * 60)).await;
    let report = replayed(&scene, None, KubernetesReads::IfNeeded).await?;
    let found = some(report.findings.iter().find(|one| one.id == FindingId::BOOTSTRAP_FAILED), "the finding")?;
    assert_eq!((report.verdict, found.status), (Verdict::CanPull, FindingStatus::Warning), "{report}");
    assert!(runs(&scene, IMAGE).await?, "those nodes pull");
    Ok(())
}
