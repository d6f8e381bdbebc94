//! The clock run: cells at 0, 5 and 61 minutes after their next step, with the times that Azure takes: grants are effective after minutes, and
//! nodes keep credentials for an hour. At each time, a verdict without a warning is what the nodes do.

use crate::{
    cell::Cell,
    run::{check, ensure},
    scene::{Scene, TWO_TRIES},
    step::{Carried, carry_out},
};
use aks_acr::{PullRetry, Verdict};
use aks_acr_emulator::Timing;
use libtest_mimic::Failed;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const PROPAGATION: Duration = Duration::from_secs(4 * 60);
const CELLS: usize = 20;

pub async fn run(cells: &[Cell]) -> Result<(), Failed> {
    let is_attached = |cell: &&Cell| {
        let is_meant = ["system identity, ", "own identity, "].iter().any(|one| cell.name.starts_with(one));
        let is_grant = cell.wanted.cause().is_some_and(|id| id.as_str().starts_with("grant."));
        cell.set == "authorization" && is_meant && is_grant && cell.mends.is_empty() && cell.wanted.later.is_zero()
    };
    let cells: Vec<&Cell> = cells.iter().filter(is_attached).take(CELLS).collect();
    ensure!(cells.len() == CELLS, "{} cells", cells.len());
    for cell in cells {
        let ended = over_time(cell).await;
        ended.map_err(|err| Failed::from(format!("{}\n{}", cell.name, err.message().unwrap_or_default())))?;
    }
    Ok(())
}

async fn over_time(cell: &Cell) -> Result<(), Failed> {
    let scene = Scene::of(cell)?;
    (cell.prepare)(&scene);
    scene.azure.set_timing(Timing::none().with_propagation(PROPAGATION));
    let report = check(&scene, cell).await?;
    let Some(found) = report.root_finding() else { return Err(format!("no cause\n{report}").into()) };
    ensure!(carry_out(&scene, cell, found).await? == Carried::Out, "{} is done by hand", found.id);
    for (round, wait) in [Duration::ZERO, MINUTE * 5, MINUTE * 56].into_iter().enumerate() {
        tokio::time::sleep(wait).await;
        let report = check(&scene, cell).await?;
        ensure!(report.verdict == Verdict::CanPull, "round {round}: the verdict is {}\n{report}", report.verdict);
        scene.start(round + 1, &cell.pod).await?;
        tokio::time::sleep(TWO_TRIES).await;
        let runs = scene.pods(round + 1).await?.iter().all(|pod| pod.is_running);
        let is_warned = report.findings.iter().any(|one| one.retry != PullRetry::Never);
        ensure!(runs || is_warned, "round {round}: no warning, and the pods do not run\n{report}");
        ensure!(runs || round < 2, "the pods do not run after an hour\n{report}");
        ensure!(!is_warned || round < 2, "a warning after an hour\n{report}");
    }
    Ok(())
}
