//! The set on images: what the registry has of the image, the node pools, and the registry's mode.

use crate::{
    cell::{Cell, Pods, Wanted},
    scene::{CLUSTER, GROUP, IMAGE, READER, REGISTRY, Scene},
};
use aks_acr::FindingId;
use aks_acr_emulator::{ClusterSeed, Emulator, OddImage, RegistrySeed, UpstreamSeed};
use serde_json::json;

const SET: &str = "image";
const HUB: &str = "docker.io/library/nginx:latest";
const CACHED: &str = "myregistry.azurecr.io/hub/nginx:latest";
const REGIONAL: &str = "myregistry.westeurope.geo.azurecr.io/team/app:v1";
const MISSPELLED: &str = "myregistry.azureacr.io/team/app:v1";
const NO_MATCH: &str = "no match for platform in manifest";

/// A name, and the platforms of an index.
type Index = (&'static str, &'static [&'static str]);

const EVERYWHERE: &[&str] = &["linux/amd64", "linux/arm64", "windows/amd64/10.0.20348.2700"];
const INDEXES: [Index; 4] = [
    ("index", EVERYWHERE),
    ("amd64", &["linux/amd64", "linux/386"]),
    ("arm64", &["linux/arm64", "linux/arm"]),
    ("Windows 20348", &["windows/amd64/10.0.20348.2700", "windows/arm64"]),
];

/// Node pools: the name of the cell, and each pool with the platform of its nodes.
#[derive(Clone, Copy)]
struct Pools {
    name: &'static str,
    /// Each with its platform.
    all: &'static [(&'static str, &'static str)],
    is_auto: bool,
}

const POOLS: [Pools; 5] = [
    Pools { name: "amd64", all: &[("intel", "linux/amd64")], is_auto: false },
    Pools { name: "arm64", all: &[("arm", "linux/arm64")], is_auto: false },
    Pools { name: "Windows", all: &[("intel", "linux/amd64"), ("win", "windows/amd64")], is_auto: false },
    Pools { name: "mixed", all: &[("intel", "linux/amd64"), ("arm", "linux/arm64")], is_auto: false },
    Pools { name: "auto-provisioned", all: &[("intel", "linux/amd64")], is_auto: true },
];

impl Pools {
    fn seed(self) -> ClusterSeed {
        let seed = ClusterSeed::new(GROUP, CLUSTER);
        let seed = self.all.iter().fold(seed, |seed, (pool, platform)| {
            let (os, architecture) = platform.split_once('/').unwrap_or_default();
            seed.node(&format!("aks-{pool}-1"), os, architecture)
        });
        if self.is_auto { seed.property("nodeProvisioningProfile", json!({"mode": "Auto"})) } else { seed }
    }

    /// The rules on platforms: a pull fails on nodes without a variant; one pool that has it suffices for the cluster, and nodes that AKS adds
    /// itself may have it.
    fn wanted(self, platforms: &[&str]) -> Wanted {
        let has = |platform: &str| platforms.iter().any(|one| one.starts_with(platform));
        let having: Vec<&'static str> =
            self.all.iter().filter(|(_, platform)| has(platform)).map(|(pool, _)| *pool).collect();
        if having.len() == self.all.len() {
            Wanted::healthy()
        } else if !having.is_empty() {
            let warned = Wanted::warns(FindingId::PLATFORM_MISSING).inside(FindingId::PLATFORM_MISSING, NO_MATCH);
            Wanted { pods: Pods::Of(having), ..warned }
        } else if self.is_auto {
            let unknown = Wanted::unknown(FindingId::UNKNOWN_PLATFORM, Pods::None);
            unknown.inside(FindingId::PLATFORM_MISSING, NO_MATCH)
        } else {
            Wanted::fails(FindingId::PLATFORM_MISSING, NO_MATCH)
        }
    }
}

pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for is_abac in [false, true] {
        for pools in POOLS {
            let place = Place { pools, is_abac };
            cells.extend(INDEXES.iter().map(|index| place.of_platforms(*index)));
            cells.extend(place.missing());
            cells.extend(place.not_served());
            cells.extend(place.of_no_image());
            cells.extend(place.cached());
        }
        for pools in [POOLS[0], POOLS[1], POOLS[4]] {
            cells.push(Place { pools, is_abac }.regional());
        }
        cells.push(Place { pools: POOLS[0], is_abac }.misspelled());
    }
    cells
}

#[derive(Clone, Copy)]
struct Place {
    pools: Pools,
    is_abac: bool,
}

impl Place {
    fn registry(self) -> RegistrySeed {
        let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
        if self.is_abac { seed.abac() } else { seed }
    }

    fn cell(self, kind: &str, wanted: Wanted) -> Cell {
        let mode = if self.is_abac { "ABAC" } else { "legacy" };
        let role = if self.is_abac { READER } else { "AcrPull" };
        let cell = Cell::new(SET, format!("{kind}, pools {}, {mode}", self.pools.name), wanted);
        let cell = cell.cluster(self.pools.seed()).registry(self.registry()).then(move |scene| scene.grant(role));
        let pools = self.pools.all.iter().map(|(pool, _)| (*pool).to_owned()).collect();
        Cell { pools, platforms: EVERYWHERE.to_vec(), ..cell }
    }

    fn of_platforms(self, (name, platforms): Index) -> Cell {
        let cell = self.cell(name, self.pools.wanted(platforms)).mend(push);
        Cell { platforms: platforms.to_vec(), ..cell }
    }

    /// The tag, the repository and the digest that are not there.
    fn missing(self) -> [Cell; 3] {
        let fails = || Wanted::fails(FindingId::IMAGE_NOT_FOUND, "not found");
        let tag = self.cell("tag missing", fails()).then(|scene| {
            scene.azure.push_image("myregistry.azurecr.io/team/app:v2", EVERYWHERE);
        });
        let repository = self.cell("repository missing", fails());
        let none = |cell: Cell| Cell { platforms: Vec::new(), ..cell }.mend(push);
        let digest = digest();
        let name = format!("myregistry.azurecr.io/team/app@{digest}");
        let mut missing = self.cell("digest missing", fails()).mend(push);
        missing.pod.image.clone_from(&name);
        [none(tag), none(repository), missing.then(move |scene| delete(scene, &name))]
    }

    fn not_served(self) -> [Cell; 3] {
        let deleted = self.cell("soft-deleted", Wanted::fails(FindingId::IMAGE_SOFT_DELETED, "not found"));
        let deleted = deleted.registry(self.registry().soft_delete()).then(|scene| delete(scene, IMAGE));
        let quarantined = self.cell("quarantined", Wanted::fails(FindingId::IMAGE_QUARANTINED, "not found"));
        let quarantined = quarantined.registry(self.registry().quarantine());
        let off = self.cell("read off", Wanted::fails(FindingId::IMAGE_READ_DISABLED, "405 Method Not Allowed"));
        [
            deleted,
            quarantined.mend(|scene| assert!(scene.azure.pass_quarantine(IMAGE))),
            off.then(|scene| scene.azure.set_read_enabled(IMAGE, false)),
        ]
    }

    fn of_no_image(self) -> [Cell; 3] {
        let of = |name: &str, odd: OddImage, wanted: Wanted| {
            let cell = self.cell(name, wanted).then(move |scene| scene.azure.push_odd_image(IMAGE, odd)).mend(push);
            Cell { platforms: Vec::new(), ..cell }
        };
        let layers = "mismatched image rootfs and manifest layers";
        [
            of("schema 1", OddImage::Schema1, Wanted::fails(FindingId::IMAGE_SCHEMA1, "Pulling Schema 1 images")),
            of("chart", OddImage::Chart, Wanted::fails(FindingId::NOT_AN_IMAGE, layers)),
            of("too large", OddImage::Large(200), Wanted::fails(FindingId::NODE_DISK_FULL, "no space left on device")),
        ]
    }

    fn cached(self) -> [Cell; 3] {
        let hub = || UpstreamSeed::new("docker.io");
        let of = |name: &str, set: Option<&'static str>, hub: UpstreamSeed, wanted: Wanted| {
            let seed = self.registry().cache_rule("hub", "docker.io/library/*", "hub/*", set);
            let mut cell = self.cell(name, wanted).registry(seed).then(move |scene| upstream(scene, hub.clone()));
            CACHED.clone_into(&mut cell.pod.image);
            cell
        };
        let private = || hub().user("robot", "word");
        let denied = Wanted::fails(FindingId::CACHE_RULE_UPSTREAM_DENIED, "401 Unauthorized");
        let throttled = Wanted::fails(FindingId::CACHE_RULE_UPSTREAM_THROTTLED, "429 Too Many Requests");
        let error = Some(("InvalidSecret", "the secret cannot be read"));
        [
            of("cache rule good", Some("set"), private(), Wanted::healthy()),
            of("cache rule denied", Some("set"), private(), denied)
                .then(move |scene| scene.azure.set_credentials(GROUP, REGISTRY, "set", error))
                .mend(|scene| scene.azure.set_credentials(GROUP, REGISTRY, "set", None)),
            of("cache rule throttled", None, hub().throttles_anonymous(), throttled)
                .mend(|scene| upstream(scene, UpstreamSeed::new("docker.io"))),
        ]
    }

    /// Nodes of an old image fetch no credential for a host with five labels.
    fn regional(self) -> Cell {
        let fails = Wanted::fails(FindingId::PROVIDER_SKIPS_HOST, "failed to fetch anonymous token");
        let mut cell = self.cell("regional host", fails).registry(self.registry().regional_endpoints());
        REGIONAL.clone_into(&mut cell.pod.image);
        cell
    }

    fn misspelled(self) -> Cell {
        let mut cell = self.cell("misspelled host", Wanted::fails(FindingId::HOST_MISSPELLED, "no such host"));
        MISSPELLED.clone_into(&mut cell.pod.image);
        cell
    }
}

fn push(scene: &Scene) {
    scene.azure.push_image(IMAGE, EVERYWHERE);
}

fn delete(scene: &Scene, name: &str) {
    assert!(scene.azure.delete_image(name), "{name} is not there");
}

fn upstream(scene: &Scene, hub: UpstreamSeed) {
    drop(scene.azure.clone().with_upstream(hub).with_image(HUB, EVERYWHERE));
}

/// The digest of the image: it depends on its name and its platforms only.
fn digest() -> String {
    let azure = Emulator::new().with_registry(GROUP, REGISTRY).with_image(IMAGE, EVERYWHERE);
    azure.digest(IMAGE).unwrap_or_default()
}
