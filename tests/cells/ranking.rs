//! The set ranking: two causes of different stages at once. The one of the earlier stage is named first, and each next step removes its own.

use crate::{
    cell::{Cell, Pods, Wanted},
    scene::{CALLER, CLUSTER, GROUP, IMAGE, READER, REGISTRY, Scene},
};
use aks_acr::FindingId;
use aks_acr_emulator::{ClusterSeed, RegistrySeed, Timing};
use std::time::Duration;

const SET: &str = "ranking";
/// Where a registry without a data endpoint of its own has its layers.
const LAYERS: &str = "*.blob.core.windows.net";
const POOL: &str = "nodepool1";
const MISSPELLED: &str = "myregistry.azureacr.io/team/app:v1";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Whether permissions apply to the whole registry or to its repositories.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Legacy,
    Abac,
}

impl Mode {
    fn role(self) -> &'static str {
        if self == Self::Abac { READER } else { "AcrPull" }
    }

    fn suffix(self) -> &'static str {
        if self == Self::Abac { ", ABAC" } else { "" }
    }
}

/// The stages of a pull, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Reference,
    Cluster,
    Registry,
    Network,
    Identity,
    SignIn,
    Authorization,
    Image,
    Platform,
    Layers,
    Node,
}

const STAGES: [Stage; 11] = [
    Stage::Reference,
    Stage::Cluster,
    Stage::Registry,
    Stage::Network,
    Stage::Identity,
    Stage::SignIn,
    Stage::Authorization,
    Stage::Image,
    Stage::Platform,
    Stage::Layers,
    Stage::Node,
];

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Reference => "misspelled host",
            Self::Cluster => "stopped",
            Self::Registry => "registry in creation",
            Self::Network => "address not allowed",
            Self::Identity => "identity not on nodes",
            Self::SignIn => "ARM tokens off",
            Self::Authorization => "no grant",
            Self::Image => "no such tag",
            Self::Platform => "no such platform",
            Self::Layers => "layers blocked",
            Self::Node => "disk full",
        }
    }

    fn id(self) -> FindingId {
        match self {
            Self::Reference => FindingId::HOST_MISSPELLED,
            Self::Cluster => FindingId::CLUSTER_STOPPED,
            Self::Registry => FindingId::REGISTRY_NOT_READY,
            Self::Network => FindingId::OUTBOUND_IP_NOT_ALLOWED,
            Self::Identity => FindingId::NOT_ON_NODES,
            Self::SignIn => FindingId::ARM_TOKENS_REFUSED,
            Self::Authorization => FindingId::GRANT_MISSING,
            Self::Image => FindingId::IMAGE_NOT_FOUND,
            Self::Platform => FindingId::PLATFORM_MISSING,
            Self::Layers => FindingId::DATA_ENDPOINT_BLOCKED,
            Self::Node => FindingId::NODE_DISK_FULL,
        }
    }

    /// A part of the kubelet's message.
    fn text(self, mode: Mode) -> &'static str {
        match self {
            Self::Authorization if mode == Mode::Abac => "failed to fetch oauth token",
            // Nothing pulls.
            Self::Cluster => "",
            Self::Reference | Self::Registry => "no such host",
            Self::Network => "403 Forbidden",
            Self::Identity | Self::SignIn | Self::Authorization => "failed to fetch anonymous token",
            Self::Image => "not found",
            Self::Platform => "no match for platform in manifest",
            Self::Layers => "failed to copy: httpReadSeeker: failed open",
            Self::Node => "no space left on device",
        }
    }

    /// What a check takes for granted, if only a node shows it: neither Azure nor the registry knows of firewalls on the way and of what fills
    /// a disk.
    fn assumed(self) -> Option<&'static str> {
        match self {
            Self::Layers => Some("no firewall between them and the registry"),
            Self::Node => Some("has room on its disk for the image"),
            _ => None,
        }
    }

    /// Plants it where a seed does not.
    fn plant(self, scene: &Scene) {
        match self {
            Self::Cluster => scene.azure.set_stopped(GROUP, CLUSTER, true),
            Self::Registry => scene.azure.set_timing(Timing::none().with_registry_name(HOUR)),
            Self::Layers => assert!(scene.azure.set_egress(GROUP, CLUSTER, LAYERS, false)),
            Self::Node => assert!(scene.azure.set_disk_room(GROUP, CLUSTER, POOL, 0)),
            _ => {}
        }
    }
}

/// The image for the nodes' platform, under its tag.
fn push(scene: &Scene) {
    scene.azure.push_image(IMAGE, &["linux/amd64", "linux/arm64"]);
}

/// The image for other platforms.
fn push_other(scene: &Scene) {
    scene.azure.push_image(IMAGE, &["linux/arm64", "linux/arm"]);
}

fn cell(causes: &[Stage], mode: Mode) -> Cell {
    let all = causes.to_vec();
    let one = causes[0];
    let has = move |stage: Stage| all.contains(&stage);
    let cluster = ClusterSeed::new(GROUP, CLUSTER);
    let cluster = if has(Stage::Identity) { cluster.detached_identity() } else { cluster };
    let cluster =
        if has(Stage::SignIn) { cluster.node_image("AKSUbuntu-2204gen2containerd-202501.12.0") } else { cluster };
    let registry = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
    let registry = if mode == Mode::Abac { registry.abac() } else { registry };
    let registry = if has(Stage::SignIn) { registry.refuse_arm_tokens() } else { registry };
    let registry = if has(Stage::Network) { registry.only_from(&[CALLER]) } else { registry };
    let registry = if has(Stage::Registry) { registry.property("provisioningState", "Creating") } else { registry };
    let is_closed = has(Stage::Cluster);
    let wanted = match one.assumed() {
        Some(_) => Wanted { pods: Pods::None, ..Wanted::healthy() }.inside(one.id(), one.text(mode)),
        None => Wanted { is_closed, ..Wanted::fails(one.id(), one.text(mode)) },
    };
    let wanted = Wanted { assumed: causes.iter().copied().filter_map(Stage::assumed).collect(), ..wanted };
    // A registry with registry-wide permissions refuses the sign-in without a grant: that explains the message, and no more is read.
    let wanted = if mode == Mode::Legacy && one == Stage::Identity && has(Stage::Authorization) {
        wanted.inside(FindingId::GRANT_MISSING, one.text(mode))
    } else {
        wanted
    };
    let names: Vec<&str> = causes.iter().map(|one| one.name()).collect();
    let name = format!("{}{}", names.join(", "), mode.suffix());
    let planted = causes.to_vec();
    let (lacks_platform, is_of_nodes, is_written) = (has(Stage::Platform), has(Stage::Identity), has(Stage::Reference));
    let cell = Cell::new(SET, name, wanted).cluster(cluster).registry(registry).then(move |scene| {
        if !has(Stage::Authorization) {
            scene.grant(mode.role());
        }
        match (has(Stage::Image), has(Stage::Platform)) {
            (true, _) => {}
            (false, true) => push_other(scene),
            (false, false) => push(scene),
        }
        for one in &planted {
            one.plant(scene);
        }
    });
    let cell = if is_of_nodes { cell.asking_nodes() } else { cell };
    let cell = cell
        .mend_of(&FindingId::REGISTRY_NOT_READY, |scene| {
            scene.azure.set_registry(GROUP, REGISTRY, |seed| seed.property("provisioningState", "Succeeded"));
            scene.azure.set_timing(Timing::none().with_node_credentials(Duration::from_secs(60)));
        })
        .mend_of(&FindingId::IMAGE_NOT_FOUND, move |scene| if lacks_platform { push_other(scene) } else { push(scene) })
        .mend_of(&FindingId::PLATFORM_MISSING, push)
        .mend_of(&FindingId::DATA_ENDPOINT_BLOCKED, |scene| {
            assert!(scene.azure.set_egress(GROUP, CLUSTER, LAYERS, true));
        })
        .mend_of(&FindingId::NODE_DISK_FULL, |scene| {
            assert!(scene.azure.set_disk_room(GROUP, CLUSTER, POOL, 1 << 30));
        });
    let cell = if is_written { cell.written_as(MISSPELLED, &FindingId::HOST_MISSPELLED, IMAGE) } else { cell };
    Cell { platforms: Vec::new(), ..cell }
}

pub fn cells() -> Vec<Cell> {
    let pairs = |one: Stage, mode| {
        STAGES.into_iter().filter(move |other| one < *other).map(move |other| cell(&[one, other], mode))
    };
    let of_mode = |mode| STAGES.into_iter().flat_map(move |one| pairs(one, mode));
    [Mode::Legacy, Mode::Abac].into_iter().flat_map(of_mode).collect()
}
