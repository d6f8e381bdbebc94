//! The rights run: cells checked again by a caller who lacks one right. The verdict may become unknown, never another one.

use crate::{
    cell::Cell,
    run::ensure,
    scene::{Scene, client_of},
};
use aks_acr::{CheckOptions, Client, FindingId, KubernetesReads, Verdict};
use aks_acr_emulator::RoleSeed;
use libtest_mimic::Failed;

/// Those that a check reads with.
const RIGHTS: [&str; 6] = [
    "Microsoft.ContainerService/managedClusters/read",
    "Microsoft.ContainerRegistry/registries/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/denyAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.ContainerRegistry/registries/pull/read",
];
const CELLS: usize = 10;

/// Ten cells of the set authorization, with each right missing once.
pub async fn run(cells: &[Cell]) -> Result<(), Failed> {
    let of = |cell: &&Cell| cell.name.starts_with("system identity, legacy, ") && !cell.name.contains("ARM tokens");
    let cells: Vec<&Cell> = cells.iter().filter(|cell| cell.set == "authorization").filter(of).take(CELLS).collect();
    ensure!(cells.len() == CELLS, "{} cells", cells.len());
    for cell in &cells {
        for right in RIGHTS {
            without(cell, right).await.map_err(|err| {
                Failed::from(format!("{}, without {right}\n{}", cell.name, err.message().unwrap_or_default()))
            })?;
        }
    }
    of_nodes(cells.first().copied()).await
}

/// What the nodes pull with was asked for, and cannot be read.
async fn of_nodes(cell: Option<&Cell>) -> Result<(), Failed> {
    let Some(cell) = cell else { return Err("no cell".into()) };
    let right = "Microsoft.Compute/virtualMachineScaleSets/read";
    let scene = Scene::of(cell)?;
    scene.grant("AcrPull");
    let client = limited(&scene, right)?;
    let options = CheckOptions::default().with_kubernetes(KubernetesReads::Always);
    let report = client.check(&scene.cluster, &scene.by_id()?, options).await?;
    let found = report.findings.first().map(|one| &one.id);
    ensure!(
        found == Some(&FindingId::UNKNOWN_NODES) && report.verdict == Verdict::Unknown,
        "found {found:?}\n{report}"
    );
    let need = report.findings[0].needs.first().and_then(|need| need.action.as_deref());
    ensure!(need == Some(right), "{need:?}\n{report}");
    Ok(())
}

/// A client whose caller may do all but this.
fn limited(scene: &Scene, right: &str) -> Result<Client, Failed> {
    let azure = scene.azure.clone().with_role(RoleSeed::new("all but one").block(&["*"], &[right]));
    let azure = azure.with_caller("limited", &[("all but one", &scene.subscription())]);
    client_of(&azure, azure.credential_of("limited"))
}

async fn without(cell: &Cell, right: &str) -> Result<(), Failed> {
    let scene = Scene::of(cell)?;
    (cell.prepare)(&scene);
    let client = limited(&scene, right)?;
    let options = CheckOptions::default().with_image(cell.pod.image.parse()?);
    let report = client.check(&scene.cluster, &scene.by_id()?, options).await?;
    let wanted = cell.wanted.verdict();
    ensure!(
        report.verdict == wanted || report.verdict == Verdict::Unknown,
        "the verdict is {} instead of {wanted}\n{report}",
        report.verdict
    );
    if report.verdict != wanted {
        let names = report.findings.iter().flat_map(|one| &one.needs).any(|need| need.action.as_deref() == Some(right));
        ensure!(names, "nothing names the right\n{report}");
    }
    Ok(())
}
