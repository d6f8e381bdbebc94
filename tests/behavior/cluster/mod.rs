//! Clusters: made, access to one, what is applied to it, how its deployments roll out, and its pods.

mod access;
mod apply;
mod create;
mod create_again;
mod deletion;
mod entra;
mod passing;
mod pods;
mod pull;
mod pull_secret;
mod refusals;
mod wait_for_rollout;
mod watch;
mod workloads;

use crate::{case::Case, emulator::Scene};
use aks_acr::{Pod, PodSelection};

pub fn cases() -> Vec<Case> {
    [
        create::cases(),
        create_again::cases(),
        deletion::cases(),
        access::cases(),
        entra::cases(),
        apply::cases(),
        refusals::cases(),
        wait_for_rollout::cases(),
        workloads::cases(),
        pull::cases(),
        pull_secret::cases(),
        passing::cases(),
        pods::cases(),
        watch::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The pods of the namespace `default`.
async fn pods(scene: &Scene) -> aks_acr::Result<Vec<Pod>> {
    let listed = scene.client.pods(&scene.cluster, &PodSelection::default(), aks_acr::CallOptions::default()).await?;
    Ok(listed.pods)
}
