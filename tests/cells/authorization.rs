//! The set authorization: every kind of grant on every kind of cluster, in both modes of a registry, and what counts beside grants.

use crate::{
    cell::{Cell, HEALTHY, MOST, Pods, Wanted},
    scene::{CLUSTER, GROUP, READER, REGISTRY, Scene},
};
use aks_acr::{FindingId, FindingStatus};
use aks_acr_emulator::{ClusterSeed, RegistrySeed, RoleSeed};
use std::time::Duration;

const SET: &str = "authorization";
const PULL: &str = "Microsoft.ContainerRegistry/registries/pull/read";
const CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";
/// How a node without a credential of the registry is refused, and one with a credential that does not suffice.
const ANONYMOUS: &str = "failed to fetch anonymous token";
const OAUTH: &str = "failed to fetch oauth token";
const MINUTE: Duration = Duration::from_secs(60);

/// What the nodes of a cluster pull with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cluster {
    System,
    Own,
    ServicePrincipal,
    Outdated,
    NotOnNodes,
}

use Cluster::{NotOnNodes, Outdated, Own, ServicePrincipal, System};

const CLUSTERS: [Cluster; 5] = [System, Own, ServicePrincipal, Outdated, NotOnNodes];

impl Cluster {
    fn name(self) -> &'static str {
        match self {
            System => "system identity",
            Own => "own identity",
            ServicePrincipal => "service principal",
            Outdated => "nodes outdated",
            NotOnNodes => "identity not on nodes",
        }
    }

    fn seed(self) -> ClusterSeed {
        let seed = ClusterSeed::new(GROUP, CLUSTER);
        match self {
            System => seed,
            Own => seed.user_assigned(),
            ServicePrincipal => seed.service_principal(),
            Outdated => seed.outdated_nodes(),
            NotOnNodes => seed.detached_identity(),
        }
    }

    /// Asks what this kind of cluster needs for a definite answer.
    fn ask(self, cell: Cell) -> Cell {
        match self {
            System | Own => cell,
            ServicePrincipal => cell.asking_graph(),
            Outdated => cell.asking_nodes().asking_graph(),
            NotOnNodes => cell.asking_nodes(),
        }
    }

    /// What the nodes lack, whatever was granted: the identity's stage comes before that of grants.
    fn cause(self, mode: Mode) -> Option<Wanted> {
        match self {
            System | Own | ServicePrincipal => None,
            // The former identity has no grant here: a registry with registry-wide permissions refuses its sign-in.
            // The nodes, the directory, the grants of the former identity and then the pods are read: one wave more than otherwise.
            Outdated => {
                let wanted = Wanted::fails(FindingId::NODES_OUTDATED, mode.text());
                Some(Wanted { cost: (MOST.0, MOST.1 + 1), ..wanted })
            }
            NotOnNodes => Some(Wanted::fails(FindingId::NOT_ON_NODES, ANONYMOUS)),
        }
    }

    /// How a node without a grant is refused.
    fn text(self, mode: Mode) -> &'static str {
        // Its name and its secret are given to the registry as they are.
        if self == ServicePrincipal { OAUTH } else { mode.text() }
    }
}

/// What decides about grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Legacy,
    Abac,
}

impl Mode {
    /// The role that allows pulling, and the one of the other mode, which has no effect here.
    fn roles(self) -> (&'static str, &'static str) {
        match self {
            Self::Legacy => ("AcrPull", READER),
            Self::Abac => (READER, "AcrPull"),
        }
    }

    fn seed(self) -> RegistrySeed {
        let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
        if self == Self::Abac { seed.abac() } else { seed }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Abac => "ABAC",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Legacy => ANONYMOUS,
            Self::Abac => OAUTH,
        }
    }
}

/// What was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    Nothing,
    Right,
    OtherMode,
    Push,
    AtGroup,
    AtSubscription,
    AtManagementGroup,
    Wildcard,
    NotActions,
    OtherBlock,
    EntraGroup,
    NestedGroup,
    ControlPlane,
    ClientId,
    Denied,
    DeniedButExcluded,
    Propagating,
    ConditionExact,
    ConditionPrefix,
    ConditionOther,
    ConditionOnResource,
    ConditionNotUnderstood,
    Below,
}

use Grant::{
    AtGroup, AtManagementGroup, AtSubscription, Below, ClientId, ConditionExact, ConditionNotUnderstood,
    ConditionOnResource, ConditionOther, ConditionPrefix, ControlPlane, Denied, DeniedButExcluded, EntraGroup,
    NestedGroup, NotActions, Nothing, OtherBlock, OtherMode, Propagating, Push, Right, Wildcard,
};

const GRANTS: [Grant; 17] = [
    Nothing,
    Right,
    OtherMode,
    Push,
    AtGroup,
    AtSubscription,
    AtManagementGroup,
    Wildcard,
    NotActions,
    OtherBlock,
    EntraGroup,
    NestedGroup,
    ControlPlane,
    ClientId,
    Denied,
    DeniedButExcluded,
    Propagating,
];

/// Conditions count with data actions only, and so do scopes below a registry.
const OF_ABAC: [Grant; 6] =
    [ConditionExact, ConditionPrefix, ConditionOther, ConditionOnResource, ConditionNotUnderstood, Below];

impl Grant {
    fn name(self) -> &'static str {
        match self {
            Nothing => "no grant",
            Right => "the right role",
            OtherMode => "the other mode's role",
            Push => "the role to push",
            AtGroup => "on the resource group",
            AtSubscription => "on the subscription",
            AtManagementGroup => "on the management group",
            Wildcard => "custom role with wildcards",
            NotActions => "custom role with notActions",
            OtherBlock => "custom role that allows it in another block",
            EntraGroup => "through an Entra group",
            NestedGroup => "through a nested Entra group",
            ControlPlane => "to the control plane",
            ClientId => "to the client ID",
            Denied => "denied",
            DeniedButExcluded => "denied to others",
            Propagating => "propagating",
            ConditionExact => "condition for this repository",
            ConditionPrefix => "condition for a prefix",
            ConditionOther => "condition for another repository",
            ConditionOnResource => "condition on @Resource",
            ConditionNotUnderstood => "condition that is not understood",
            Below => "on the repository",
        }
    }

    /// Grants it.
    fn give(self, scene: &Scene, mode: Mode) {
        let (right, other) = mode.roles();
        let at = |scope: &str| drop(scene.azure.grant(right, &scene.puller(), scope));
        match self {
            Nothing => {}
            Right => scene.grant(right),
            OtherMode => scene.grant(other),
            Push if mode == Mode::Legacy => scene.grant("AcrPush"),
            Push => scene.grant("Container Registry Repository Writer"),
            AtGroup => at(&format!("{}/resourceGroups/{GROUP}", scene.subscription())),
            AtSubscription => at(&scene.subscription().to_uppercase()),
            AtManagementGroup => {
                at(&format!("/providers/Microsoft.Management/managementGroups/{}", scene.azure.tenant()));
            }
            Below => at(&format!("{}/repositories/team/app", scene.registry_id())),
            EntraGroup => through_group(scene, right, &scene.puller()),
            NestedGroup => {
                drop(scene.azure.clone().with_member("inner", &scene.puller()));
                through_group(scene, right, "inner");
            }
            ControlPlane => to(scene, right, &scene.azure.control_plane_object_id(GROUP, CLUSTER)),
            ClientId => to(scene, right, &scene.azure.client_id_of(&scene.puller())),
            Propagating => {
                scene.azure.grant_later(right, &scene.puller(), &scene.registry_id(), MINUTE * 5);
            }
            Wildcard | NotActions | OtherBlock => custom(scene, self.role()),
            Denied => deny(scene, right, mode, "owner"),
            DeniedButExcluded => deny(scene, right, mode, &scene.puller()),
            ConditionExact => conditional(scene, "Request", "StringEqualsIgnoreCase 'team/app'"),
            ConditionPrefix => conditional(scene, "Request", "StringStartsWithIgnoreCase 'team/'"),
            ConditionOther => conditional(scene, "Request", "ForAnyOfAnyValues:StringEquals {'web', 'api'}"),
            ConditionOnResource => conditional(scene, "Resource", "StringEqualsIgnoreCase 'team/app'"),
            ConditionNotUnderstood => {
                let condition =
                    "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_Name] StringEquals 'app'";
                scene.azure.grant_if_unread(READER, &scene.puller(), &scene.registry_id(), condition);
            }
        }
    }

    fn role(self) -> RoleSeed {
        let role = RoleSeed::new("custom");
        match self {
            Wildcard => {
                let role = role.block(&["Microsoft.ContainerRegistry/*/read"], &[]);
                role.data_block(&["Microsoft.ContainerRegistry/registries/repositories/*"], &[])
            }
            NotActions => role.block(&["*"], &[PULL]).data_block(&["*"], &["*/content/read"]),
            _ => {
                let role = role.block(&["*"], &[PULL]).block(&[PULL], &[]);
                role.data_block(&["*"], &["*/content/read"]).data_block(&[CONTENT], &[])
            }
        }
    }

    /// The rules of grants: what a check finds, and what nodes do, on a cluster whose nodes have its identity.
    fn wanted(self, cluster: Cluster, mode: Mode) -> Wanted {
        let text = cluster.text(mode);
        match self {
            // It is the same identity there.
            ControlPlane if cluster == ServicePrincipal => Wanted { cost: HEALTHY_SERVICE, ..Wanted::healthy() },
            Nothing | NotActions | Below => Wanted::fails(FindingId::GRANT_MISSING, text),
            OtherMode => Wanted::fails(FindingId::GRANT_ROLE_NOT_HONOURED, text),
            ControlPlane | ClientId => Wanted::fails(FindingId::GRANT_TO_WRONG_IDENTITY, text),
            EntraGroup | NestedGroup => Wanted::warns(FindingId::GRANT_THROUGH_GROUP),
            Right | Push | AtGroup | AtSubscription | AtManagementGroup | DeniedButExcluded => {
                let cost = if cluster == ServicePrincipal { HEALTHY_SERVICE } else { HEALTHY };
                Wanted { cost, ..Wanted::healthy() }
            }
            Wildcard | OtherBlock | ConditionExact | ConditionPrefix => Wanted::healthy(),
            Denied => Wanted::fails(FindingId::GRANT_DENIED, text),
            Propagating => {
                let id = FindingId::GRANT_NOT_EFFECTIVE_YET;
                Wanted::warns(id.clone()).later(MINUTE * 6, id, text)
            }
            ConditionOther => Wanted::fails(FindingId::CONDITION_EXCLUDES_REPOSITORY, text),
            ConditionOnResource | ConditionNotUnderstood => {
                let wanted = Wanted::unknown(FindingId::CONDITION_NOT_EVALUATED, Pods::None);
                wanted.inside(FindingId::CONDITION_NOT_EVALUATED, text)
            }
        }
    }
}

/// Microsoft Graph costs two requests more.
const HEALTHY_SERVICE: (usize, usize) = (HEALTHY.0 + 2, HEALTHY.1 + 1);

fn to(scene: &Scene, role: &str, principal: &str) {
    scene.azure.grant(role, principal, &scene.registry_id());
}

fn custom(scene: &Scene, role: RoleSeed) {
    drop(scene.azure.clone().with_role(role));
    scene.grant("custom");
}

fn through_group(scene: &Scene, role: &str, member: &str) {
    let azure = scene.azure.clone().with_member("pullers", member);
    azure.grant(role, &azure.group_id("pullers"), &scene.registry_id());
}

/// Grants a role, and denies pulls to all but one.
fn deny(scene: &Scene, role: &str, mode: Mode, but_for: &str) {
    scene.grant(role);
    let (azure, scope) = (&scene.azure, scene.registry_id());
    match mode {
        Mode::Legacy => azure.add_deny_assignment("stack", &["*/pull/read"], &scope, &["owner", but_for]),
        Mode::Abac => azure.add_data_deny_assignment("stack", &["*/content/read"], &scope, &["owner", but_for]),
    }
}

fn conditional(scene: &Scene, source: &str, comparison: &str) {
    let name = format!("@{source}[Microsoft.ContainerRegistry/registries/repositories:name]");
    let condition = format!("((!(ActionMatches{{'{CONTENT}'}})) OR ({name} {comparison}))");
    scene.azure.grant_if(READER, &scene.puller(), &scene.registry_id(), &condition);
}

fn of_grant(cluster: Cluster, mode: Mode, grant: Grant) -> Cell {
    let name = format!("{}, {}, {}", cluster.name(), mode.name(), grant.name());
    let wanted = of_both(cluster, mode, grant.wanted(cluster, mode));
    let cell = Cell::new(SET, name, wanted).registry(mode.seed()).cluster(cluster.seed());
    let cell = cluster.ask(cell).then(move |scene| grant.give(scene, mode));
    match grant {
        Denied => cell.mend_of(&FindingId::GRANT_DENIED, |scene| scene.azure.remove_deny_assignment("stack")),
        ConditionOnResource | ConditionNotUnderstood => cell.mend_of(&FindingId::CONDITION_NOT_EVALUATED, |scene| {
            let own = scene.azure.role_assignments().into_iter().filter(|one| one.principal_id == scene.puller());
            own.for_each(|one| assert!(scene.azure.revoke(&one.name)));
            scene.grant(READER);
        }),
        _ => cell,
    }
}

/// The rule of a cluster whose nodes lack the identity, beside that of a grant: the identity comes first from outside.
fn of_both(cluster: Cluster, mode: Mode, of_grant: Wanted) -> Wanted {
    let Some(wanted) = cluster.cause(mode) else { return of_grant };
    let wanted = Wanted { later: of_grant.later, ..wanted };
    // A registry with registry-wide permissions refuses the sign-in without a grant. That explains the message, and no more is read.
    match &of_grant.found {
        Some((FindingStatus::Failing, id)) if (cluster, mode) == (NotOnNodes, Mode::Legacy) => {
            wanted.inside(id.clone(), ANONYMOUS)
        }
        _ => wanted,
    }
}

/// Everyone may pull: neither grants nor identities matter.
fn anonymous(cluster: Cluster) -> Vec<Cell> {
    let grants = [(Mode::Legacy, Nothing), (Mode::Legacy, Right), (Mode::Abac, Nothing), (Mode::Abac, OtherMode)];
    let cell = |(mode, grant): (Mode, Grant)| {
        let name = format!("{}, {}, anonymous pull, {}", cluster.name(), mode.name(), grant.name());
        let wanted = match cluster {
            System | Own | ServicePrincipal => Wanted::healthy(),
            Outdated => Wanted::warns(FindingId::NODES_OUTDATED),
            NotOnNodes => Wanted::warns(FindingId::NOT_ON_NODES),
        };
        let cell = Cell::new(SET, name, wanted).registry(mode.seed().anonymous_pull()).cluster(cluster.seed());
        cluster.ask(cell).then(move |scene| grant.give(scene, mode))
    };
    grants.into_iter().map(cell).collect()
}

/// The registry refuses tokens for Azure Resource Manager. The provider of April 2025 and later asks for another one.
fn arm_tokens_off(cluster: Cluster) -> Vec<Cell> {
    let images = [
        ("a current node image", "AKSUbuntu-2204gen2containerd-202511.07.0"),
        ("an old node image", "AKSUbuntu-2204gen2containerd-202501.12.0"),
        ("a node image of 2025", "AKSUbuntu-2204gen2containerd-202506.03.0"),
    ];
    let cell = |(of, image): (&'static str, &'static str)| {
        let name = format!("{}, legacy, ARM tokens off, {of}", cluster.name());
        let id = FindingId::ARM_TOKENS_REFUSED;
        let by_image = match of {
            // It gives its name and its secret, not a token.
            _ if cluster == ServicePrincipal => Wanted::healthy(),
            "an old node image" => Wanted::fails(id, ANONYMOUS),
            "a node image of 2025" => Wanted::unknown(id, Pods::All),
            _ => Wanted::healthy(),
        };
        let wanted = cluster.cause(Mode::Legacy).unwrap_or(by_image);
        let seed = cluster.seed().node_image(image);
        let cell = Cell::new(SET, name, wanted).registry(Mode::Legacy.seed().refuse_arm_tokens()).cluster(seed);
        cluster.ask(cell).then(move |scene| Right.give(scene, Mode::Legacy))
    };
    images.into_iter().map(cell).collect()
}

/// The registry was switched to repository permissions while nodes had credentials of before.
fn just_switched(cluster: Cluster) -> Vec<Cell> {
    let grants = [Nothing, Right, OtherMode, ConditionExact, ConditionOther, Denied];
    let cell = |grant: Grant| {
        let name = format!("{}, just switched to ABAC, {}", cluster.name(), grant.name());
        let mode = Mode::Abac;
        let by_grant = match grant {
            // A service principal gives no credential of the registry, and nothing that a switch invalidates.
            Right | ConditionExact if cluster != ServicePrincipal => {
                Wanted::healthy().later(MINUTE * 61, FindingId::CREDENTIALS_INVALIDATED, OAUTH)
            }
            _ => grant.wanted(cluster, mode),
        };
        let wanted = of_both(cluster, mode, by_grant);
        // Whatever is mended, nodes have their credentials for an hour.
        let later = if cluster == ServicePrincipal { Duration::ZERO } else { MINUTE * 61 };
        // One node, which has pulled before.
        let seed = cluster.seed().node("aks-nodepool1-0", "linux", "amd64");
        let wanted = Wanted { later, ..wanted };
        Cell { name, wanted, is_switched: true, cluster: seed, ..of_grant(cluster, mode, grant) }
    };
    grants.into_iter().map(cell).collect()
}

pub fn cells() -> Vec<Cell> {
    let of_cluster = |cluster: Cluster| {
        let legacy = GRANTS.into_iter().map(move |grant| of_grant(cluster, Mode::Legacy, grant));
        let abac = GRANTS.into_iter().chain(OF_ABAC).map(move |grant| of_grant(cluster, Mode::Abac, grant));
        let more = [just_switched(cluster), anonymous(cluster), arm_tokens_off(cluster)];
        legacy.chain(abac).chain(more.into_iter().flatten())
    };
    CLUSTERS.into_iter().flat_map(of_cluster).collect()
}
