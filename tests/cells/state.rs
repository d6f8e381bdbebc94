//! The set state: clusters and registries that are not, or not yet, what a pull needs.

use crate::{
    cell::{Cell, Pods, Wanted},
    scene::{CLUSTER, ELSEWHERE, FOREIGN, GROUP, REGISTRY},
};
use aks_acr::FindingId;
use aks_acr_emulator::{ClusterSeed, Emulator, RegistrySeed, Timing};
use std::time::Duration;

const SET: &str = "state";
const NO_HOST: &str = "no such host";
const ANONYMOUS: &str = "failed to fetch anonymous token";
const ISOLATED: &str = "isolated without grant";
const LOST: &str = "identity associated with the registry is inactive";
/// For so long others use what a registry grants to the nodes' identity.
const BUSY: Duration = Duration::from_secs(10 * 60);
/// For so long a replica is behind.
const LAG: Duration = Duration::from_secs(30 * 60);

fn cluster(state: &str) -> ClusterSeed {
    ClusterSeed::new(GROUP, CLUSTER).state(state)
}

/// Without an API server, there are no pods.
fn closed(id: FindingId) -> Wanted {
    Wanted { is_closed: true, ..Wanted::fails(id, "") }
}

fn of_cluster() -> Vec<Cell> {
    let cell = |name: &str, wanted: Wanted| Cell::new(SET, name, wanted);
    vec![
        cell("stopped", closed(FindingId::CLUSTER_STOPPED)).then(|scene| scene.azure.set_stopped(GROUP, CLUSTER, true)),
        cell("creating", closed(FindingId::CLUSTER_NOT_READY))
            .cluster(cluster("Creating"))
            .mend_of(&FindingId::CLUSTER_NOT_READY, |scene| scene.azure.set_cluster_state(GROUP, CLUSTER, "Succeeded")),
        cell("deleting", closed(FindingId::CLUSTER_NOT_READY)).cluster(cluster("Deleting")),
        cell("failed", Wanted::warns(FindingId::CLUSTER_NOT_READY)).cluster(cluster("Failed")),
    ]
}

fn of_registry() -> Vec<Cell> {
    let seed = || RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
    let created = Wanted::fails(FindingId::REGISTRY_NOT_READY, NO_HOST);
    let elsewhere = Wanted::unknown(FindingId::REGISTRY_NOT_VISIBLE, Pods::All);
    let absent = Wanted::fails(FindingId::REGISTRY_NOT_FOUND, NO_HOST);
    let creating =
        Cell::new(SET, "registry creating", created).registry(seed().property("provisioningState", "Creating"));
    let creating = creating
        .then(|scene| scene.azure.set_timing(Timing::none().with_registry_name(Duration::from_secs(60 * 60))))
        .mend_of(&FindingId::REGISTRY_NOT_READY, |scene| {
            scene.azure.set_registry(GROUP, REGISTRY, |seed| seed.property("provisioningState", "Succeeded"));
            scene.azure.set_timing(Timing::none().with_node_credentials(Duration::from_secs(60)));
        });
    let mut elsewhere = Cell::new(SET, "registry elsewhere", elsewhere).registry(seed().in_subscription(ELSEWHERE));
    elsewhere.asked.by_name = true;
    let absent = |name, by_name| {
        let mut cell = Cell::new(SET, name, absent.clone());
        cell.asked.by_name = by_name;
        Cell { registry: None, platforms: Vec::new(), ..cell }
    };
    vec![creating, elsewhere, absent("registry absent", false), absent("registry absent, asked by its name", true)]
}

/// A network isolated cluster whose nodes its registry refused: the grant is made later, so that the nodes join.
fn isolated() -> Cell {
    let registry = format!(
        "/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}",
        Emulator::new().subscription()
    );
    let cell = Cell::new(SET, ISOLATED, closed(FindingId::BOOTSTRAP_FAILED));
    cell.cluster(ClusterSeed::new(GROUP, CLUSTER).bootstrap_refused(&registry))
}

/// Clusters whose nodes pull as service accounts: the grant of the kubelet identity does not count.
fn of_service_accounts() -> Vec<Cell> {
    let seed = |default| ClusterSeed::new(GROUP, CLUSTER).version("1.34.1").service_account_pulls(default);
    let cell = |name: &str, id: FindingId| Cell::new(SET, name, Wanted::fails(id, ANONYMOUS)).asking_nodes();
    let without = cell("service-account pulls without a default", FindingId::SERVICE_ACCOUNT_PULLS).cluster(seed(None));
    let without = without.mend_of(&FindingId::SERVICE_ACCOUNT_PULLS, |scene| {
        let principal = scene.azure.set_default_pull_identity(GROUP, CLUSTER, "pulls");
        scene.azure.grant("AcrPull", &principal, &scene.registry_id());
    });
    let with = cell("service-account pulls with a default", FindingId::GRANT_TO_WRONG_IDENTITY);
    vec![with.cluster(seed(Some("pulls"))), without]
}

/// Registries whose settings do not show what keeps nodes from pulling: another tenant's, or one whose content is not, or not yet, served.
fn of_content(with_image: bool) -> Vec<Cell> {
    let seed = || RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
    let foreign = |name: &str, wanted: Wanted| {
        let mut foreign = Cell::new(SET, name, wanted).registry(seed().in_subscription(FOREIGN));
        foreign.asked.subscription = Some(FOREIGN);
        foreign
    };
    let is_foreign = || Wanted::fails(FindingId::REGISTRY_OTHER_TENANT, ANONYMOUS);
    let named = foreign("registry of another tenant", is_foreign());
    // No subscription that the caller reads has the registry, so that its tenant is not known inside.
    let wanted = is_foreign().inside(FindingId::NO_CREDENTIAL, ANONYMOUS);
    let mut unnamed = foreign("registry of another tenant, not named inside", wanted);
    unnamed.asked.is_named_inside = false;

    let locked = if with_image {
        Wanted::fails(FindingId::ENCRYPTION_KEY_UNAVAILABLE, LOST)
    } else {
        // What Azure says of a registry does not depend on its key.
        let inside = Wanted { pods: Pods::None, ..Wanted::healthy() };
        let inside = inside.inside(FindingId::ENCRYPTION_KEY_UNAVAILABLE, LOST);
        Wanted { assumed: vec!["can use its customer-managed key"], ..inside }
    };
    let locked = Cell::new(SET, "registry without its key", locked).registry(seed().customer_managed_key());
    let locked = locked.then(|scene| assert!(scene.azure.set_key_access(GROUP, REGISTRY, false))).mend_of(
        &FindingId::ENCRYPTION_KEY_UNAVAILABLE,
        |scene| {
            assert!(scene.azure.set_key_access(GROUP, REGISTRY, true));
        },
    );

    let busy = Wanted::healthy().later(BUSY, FindingId::REGISTRY_THROTTLED, "429 Too Many Requests");
    let busy = Wanted { assumed: vec!["does not throttle the nodes"], ..busy };
    let busy = Cell::new(SET, "registry that throttles", busy).registry(seed());
    // More than the tier grants to one identity.
    let busy = busy.then(|scene| {
        assert!(scene.azure.set_registry_load(GROUP, REGISTRY, &scene.puller(), 20_000, BUSY));
    });

    let late = Wanted::healthy().later(LAG, FindingId::IMAGE_NOT_REPLICATED_YET, "not found");
    // Without an image, nothing is said of one.
    let assumed = if with_image { vec!["every replica of the registry has the image"] } else { Vec::new() };
    let late = Cell::new(SET, "replica that lags", Wanted { assumed, ..late });
    let late = late.registry(seed().replica("northeurope").replicas_lag(LAG));
    vec![named, unnamed, locked, busy, late]
}

pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for with_image in [true, false] {
        let all = of_cluster().into_iter().chain(of_registry()).chain([isolated()]).chain(of_service_accounts());
        for mut cell in all.chain(of_content(with_image)) {
            let is_granted = cell.name != ISOLATED && cell.is_of_tenant();
            cell.asked.with_image = with_image;
            cell.name = format!("{}, {}", cell.name, if with_image { "an image" } else { "no image" });
            cells.push(cell.then(move |scene| {
                if is_granted {
                    scene.grant("AcrPull");
                }
            }));
        }
    }
    cells
}
