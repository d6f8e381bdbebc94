//! The set nodes: causes that only nodes show, and those of clusters and references that no other set has.

use crate::{
    cell::{Cell, HEALTHY, Wanted},
    scene::{CLUSTER, GROUP, IMAGE, READER, REGISTRY, Scene},
};
use aks_acr::FindingId;
use aks_acr_emulator::{ClusterSeed, RegistrySeed};
use std::time::Duration;

const SET: &str = "nodes";
const ANONYMOUS: &str = "failed to fetch anonymous token";
/// An image of another build than the nodes', which is 20348.
const OTHER_BUILD: &str = "windows/amd64/10.0.17763.6532";
const PRIVATE_LINK: &str = "myregistry.privatelink.azurecr.io/team/app:v1";

pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for is_abac in [false, true] {
        let mode = Mode { is_abac };
        cells.extend(mode.inspected());
        cells.extend(mode.lost());
        cells.extend(mode.other_builds());
        cells.extend(mode.of_identities());
        cells.push(mode.named_by_private_link());
    }
    cells.push(limited());
    cells
}

/// What a check takes for granted: only nodes show it.
fn only_inside(id: FindingId, text: &'static str, assumed: &'static str) -> Wanted {
    let wanted = Wanted { pods: crate::cell::Pods::None, cost: HEALTHY, assumed: vec![assumed], ..Wanted::healthy() };
    wanted.inside(id, text)
}

#[derive(Clone, Copy)]
struct Mode {
    is_abac: bool,
}

impl Mode {
    fn cell(self, name: &str, wanted: Wanted) -> Cell {
        let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
        let (word, role, seed) = if self.is_abac { ("ABAC", READER, seed.abac()) } else { ("legacy", "AcrPull", seed) };
        Cell::new(SET, format!("{name}, {word}"), wanted).registry(seed).then(move |scene| scene.grant(role))
    }

    /// A firewall that decrypts: what it presents, nodes do not trust.
    fn inspected(self) -> [Cell; 2] {
        [("the login server", "*.azurecr.io"), ("the host of the layers", "*.blob.core.windows.net")].map(
            |(name, host)| {
                let text = "certificate signed by unknown authority";
                let wanted = only_inside(FindingId::UNTRUSTED_CERTIFICATE, text, "inspects TLS");
                let inspect = move |scene: &Scene, inspected| {
                    assert!(scene.azure.set_inspection(GROUP, CLUSTER, host, inspected));
                };
                self.cell(&format!("TLS to {name} is inspected"), wanted)
                    .then(move |scene| inspect(scene, true))
                    .mend(move |scene| inspect(scene, false))
            },
        )
    }

    /// Nodes whose stores know a manifest and have lost it.
    fn lost(self) -> [Cell; 2] {
        ["tag", "digest"].map(|by| {
            let wanted = only_inside(FindingId::NODE_STORE_DAMAGED, "blob not found", "its image store is intact");
            let cell = self.cell(&format!("a lost manifest, by {by}"), wanted).then(|scene| {
                for node in ["aks-nodepool1-0", "aks-nodepool1-1"] {
                    assert!(scene.azure.lose_content(GROUP, CLUSTER, node, IMAGE));
                }
            });
            let mut cell = cell.mend(|scene| scene.azure.renew_nodes(GROUP, CLUSTER, "nodepool1"));
            if by == "digest" {
                cell.pod.image = format!("myregistry.azurecr.io/team/app@{}", digest());
            }
            cell
        })
    }

    /// Images for another build of Windows, with and without a variant for Linux.
    fn other_builds(self) -> [Cell; 2] {
        let text = "no match for platform in manifest";
        let only = Wanted::fails(FindingId::WINDOWS_VERSION_MISMATCH, text);
        let only = self.of_build("Windows 17763 only", vec![OTHER_BUILD, "windows/arm64"], &["win"], only);
        let both = Wanted::warns(FindingId::WINDOWS_VERSION_MISMATCH).inside(FindingId::WINDOWS_VERSION_MISMATCH, text);
        let both = Wanted { pods: crate::cell::Pods::Of(vec!["intel"]), ..both };
        [only, self.of_build("Windows 17763 and Linux", vec!["linux/amd64", OTHER_BUILD], &["intel", "win"], both)]
    }

    fn of_build(self, name: &str, platforms: Vec<&'static str>, pools: &[&str], wanted: Wanted) -> Cell {
        let mut seed = ClusterSeed::new(GROUP, CLUSTER);
        for pool in pools {
            let os = if *pool == "win" { "windows" } else { "linux" };
            seed = seed.node(&format!("aks-{pool}-0"), os, "amd64");
        }
        let pools = pools.iter().map(|pool| (*pool).to_owned()).collect();
        let cell = self.cell(name, wanted).cluster(seed).mend(|scene| {
            scene.azure.push_image(IMAGE, &["linux/amd64", "windows/amd64/10.0.20348.2700"]);
        });
        Cell { pools, platforms, ..cell }
    }

    /// Nodes without an identity, and nodes whose service principal has no valid secret.
    fn of_identities(self) -> [Cell; 2] {
        let cell = |name: &str, id| self.cell(name, Wanted::fails(id, ANONYMOUS));
        let seed = || ClusterSeed::new(GROUP, CLUSTER);
        let without =
            cell("no kubelet identity", FindingId::IDENTITY_MISSING).cluster(seed().without_kubelet_identity());
        let expired = cell("an expired service principal", FindingId::SERVICE_PRINCIPAL_EXPIRED);
        let expired = expired.cluster(seed().service_principal().secret_lasts(Duration::ZERO)).asking_graph();
        [without, expired]
    }

    /// The name that a private DNS zone has is not one that registries answer to.
    fn named_by_private_link(self) -> Cell {
        let wanted = Wanted::fails(FindingId::OTHER_REGISTRY, "no such host");
        self.cell("the private link name", wanted).written_as(PRIVATE_LINK, &FindingId::OTHER_REGISTRY, IMAGE)
    }
}

/// No image was asked for, and the grant is for some of the repositories.
fn limited() -> Cell {
    let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium").abac();
    let mut cell =
        Cell::new(SET, "a grant for one repository, no image", Wanted::warns(FindingId::LIMITED_TO_REPOSITORIES));
    cell.asked.with_image = false;
    cell.registry(seed).then(|scene| {
        let condition = "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'})) OR \
                         (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'team/app'))";
        scene.azure.grant_if(READER, &scene.puller(), &scene.registry_id(), condition);
    })
}

fn digest() -> String {
    let azure = aks_acr_emulator::Emulator::new().with_registry(GROUP, REGISTRY);
    azure.push_image(IMAGE, &["linux/amd64"]);
    azure.digest(IMAGE).unwrap_or_default()
}
