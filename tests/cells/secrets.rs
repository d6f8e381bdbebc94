//! The set secrets: every kind of pull secret, with and without a grant of the nodes' identity, under each pull policy, before and since
//! Kubernetes 1.35, where a node that has an image asks anew for a pod whose credentials have not pulled it.

use crate::{
    cell::{Cell, Pod, Pods, Wanted},
    scene::{CLUSTER, GROUP, IMAGE, REGISTRY, Scene},
};
use aks_acr::FindingId;
use aks_acr_emulator::{ClusterSeed, RegistrySeed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const SET: &str = "secrets";
const HOST: &str = "myregistry.azurecr.io";
/// A node without a grant is refused its sign-in, and a user name with a wrong password a token.
const ANONYMOUS: &str = "failed to fetch anonymous token";
const OAUTH: &str = "failed to fetch oauth token";
const NEVER: &str = "is not present with pull policy of Never";
/// The secret that has pulled an image before.
const BEFORE: &str = "before";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    None,
    Good,
    Expired,
    AdminOff,
    WrongHost,
    Missing,
    WrongType,
}

const SECRETS: [Secret; 7] = [
    Secret::None,
    Secret::Good,
    Secret::Expired,
    Secret::AdminOff,
    Secret::WrongHost,
    Secret::Missing,
    Secret::WrongType,
];

/// The pull policy, and whether the image is on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Always,
    Absent,
    Present,
    Never,
}

impl Secret {
    fn name(self) -> &'static str {
        match self {
            Self::None => "no secret",
            Self::Good => "a good secret",
            Self::Expired => "an expired secret",
            Self::AdminOff => "the admin user, disabled",
            Self::WrongHost => "a secret for another host",
            Self::Missing => "a missing secret",
            Self::WrongType => "a secret of another type",
        }
    }

    /// The object, if there is one.
    fn object(self, scene: &Scene) -> Option<Value> {
        let (user, password) = robot(scene);
        match self {
            Self::None | Self::Missing => None,
            Self::Good => Some(config("hub", HOST, &user, &password)),
            Self::Expired => Some(config("hub", HOST, &user, "of-before")),
            Self::AdminOff => Some(config("hub", HOST, REGISTRY, "of-the-admin")),
            Self::WrongHost => Some(config("hub", "ghcr.io", &user, &password)),
            Self::WrongType => Some(json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, "type": "Opaque", "data": {"a": "Yg=="},
            })),
        }
    }

    /// What an explanation names if the nodes' identity has no grant, and a part of the kubelet's message.
    fn cause(self) -> Option<(FindingId, &'static str)> {
        match self {
            Self::None => Some((FindingId::GRANT_MISSING, ANONYMOUS)),
            Self::Good => None,
            Self::Expired | Self::AdminOff => Some((FindingId::PULL_SECRET_EXPIRED, OAUTH)),
            Self::WrongHost | Self::Missing | Self::WrongType => Some((FindingId::PULL_SECRET_UNUSABLE, ANONYMOUS)),
        }
    }
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Absent => "IfNotPresent, absent",
            Self::Present => "IfNotPresent, present",
            Self::Never => "Never, absent",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Absent | Self::Present => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// A service principal that may pull.
fn robot(scene: &Scene) -> (String, String) {
    scene.azure.client_secret_of("robot")
}

fn config(name: &str, host: &str, user: &str, password: &str) -> Value {
    let auth = STANDARD.encode(format!("{user}:{password}"));
    let config = json!({"auths": {host: {"auth": auth}}}).to_string();
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": STANDARD.encode(config)},
    })
}

/// The rules: the check is about the nodes' identity, whatever secrets a pod has. The kubelet tries the secret first, and the identity then.
fn wanted(secret: Secret, is_granted: bool, policy: Policy, version: &str) -> Wanted {
    let outside = if is_granted { Wanted::healthy() } else { Wanted::fails(FindingId::GRANT_MISSING, ANONYMOUS) };
    let pulls = is_granted || secret == Secret::Good;
    let cause = secret.cause().filter(|_| !pulls);
    // A node that has the image does not ask, or since 1.35 only for a pod whose secret has not pulled it.
    let is_used = policy == Policy::Present && (version < "1.35" || secret == Secret::Good);
    let (pods, inside) = match policy {
        Policy::Never => (Pods::None, Some((FindingId::PULL_POLICY_NEVER, NEVER))),
        _ if pulls || is_used => (Pods::All, None),
        _ => (Pods::None, cause.clone()),
    };
    let (inside, text) = inside.unzip();
    // A proof pulls in any case.
    Wanted { pods, inside, text, is_of_pod: true, proof: Some((pulls, cause.map(|(id, _)| id))), ..outside }
}

fn cell(secret: Secret, is_granted: bool, policy: Policy, version: &'static str) -> Cell {
    let grant = if is_granted { "granted" } else { "not granted" };
    let name = format!("{}, {grant}, {}, Kubernetes {version}", secret.name(), policy.name());
    let secrets = if secret == Secret::None { Vec::new() } else { vec!["hub".to_owned()] };
    let seed = ClusterSeed::new(GROUP, CLUSTER).version(version).node("aks-nodepool1-0", "linux", "amd64");
    let cell = Cell::new(SET, name, wanted(secret, is_granted, policy, version)).cluster(seed);
    let registry = RegistrySeed::new(GROUP, REGISTRY).sku("Premium").property("adminUserEnabled", false);
    let cell = cell.registry(registry).then(move |scene| {
        let scope = scene.registry_id();
        drop(scene.azure.clone().with_caller("robot", &[("AcrPull", &scope)]));
        if is_granted {
            scene.grant("AcrPull");
        }
    });
    let is_present = policy == Policy::Present;
    let objects = move |scene: &Scene| {
        let (user, password) = robot(scene);
        let before = is_present.then(|| config(BEFORE, HOST, &user, &password));
        secret.object(scene).into_iter().chain(before).map(|object| object.to_string()).collect()
    };
    let pod = Pod { image: IMAGE.to_owned(), secrets, policy: Some(policy.word()) };
    let before = Pod { secrets: vec![BEFORE.to_owned()], ..pod.clone() };
    Cell { pod, objects: Some(Box::new(objects)), warm_up: is_present.then_some(before), ..cell }
}

/// Without effect are secrets where no pull is tried: there, one of them stands for all.
fn is_meant(secret: Secret, policy: Policy, version: &str) -> bool {
    match policy {
        Policy::Always | Policy::Absent => true,
        Policy::Present => version >= "1.35" || matches!(secret, Secret::None | Secret::Good),
        Policy::Never => secret == Secret::None || (secret == Secret::Good && version >= "1.35"),
    }
}

pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for version in ["1.34.2", "1.35.0"] {
        for policy in [Policy::Always, Policy::Absent, Policy::Present, Policy::Never] {
            for secret in SECRETS.into_iter().filter(|secret| is_meant(*secret, policy, version)) {
                cells.extend([true, false].map(|is_granted| cell(secret, is_granted, policy, version)));
            }
        }
    }
    cells
}
