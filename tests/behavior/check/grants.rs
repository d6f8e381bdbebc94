//! Kinds of grants, each with what a check finds.

use super::{CONTENT, Found, PULL, READER, failing, unknown, warning};
use crate::emulator::{CLUSTER, GROUP, REGISTRY, Scene};
use aks_acr::FindingId;
use aks_acr_emulator::RoleSeed;

/// A name, what is granted, and the result in the mode with registry-wide permissions and in the one with repository permissions.
pub type Grant = (&'static str, fn(&Scene), Found, Found);

pub fn grants() -> Vec<Grant> {
    [plain(), above(), custom_roles(), groups(), denials(), conditions()].concat()
}

fn on_repository(source: &str, comparison: &str) -> String {
    format!(
        "((!(ActionMatches{{'{CONTENT}'}})) OR (@{source}[Microsoft.ContainerRegistry/registries/repositories:name] {comparison}))"
    )
}

pub fn kubelet(scene: &Scene) -> String {
    scene.azure.kubelet_object_id(GROUP, CLUSTER)
}

fn at_registry(scene: &Scene) -> String {
    scene.azure.registry_id(GROUP, REGISTRY)
}

pub fn custom(scene: &Scene, role: RoleSeed) {
    let _ = scene.azure.clone().with_role(role);
    scene.azure.grant("custom", &kubelet(scene), &at_registry(scene));
}

pub fn conditional(scene: &Scene, source: &str, comparison: &str) {
    scene.azure.grant_if(READER, &kubelet(scene), &at_registry(scene), &on_repository(source, comparison));
}

pub fn through_group(scene: &Scene, member: &str) {
    let azure = scene.azure.clone().with_member("pullers", member);
    for role in ["AcrPull", READER] {
        azure.grant(role, &azure.group_id("pullers"), &at_registry(scene));
    }
}

fn plain() -> Vec<Grant> {
    let useless = || failing(FindingId::GRANT_ROLE_NOT_HONOURED);
    let missing = || failing(FindingId::GRANT_MISSING);
    vec![
        ("none", |_| {}, missing(), missing()),
        ("AcrPull", |scene| scene.grant_pull("AcrPull"), None, useless()),
        ("Repository Reader", |scene| scene.grant_pull(READER), useless(), None),
        ("AcrPush", |scene| scene.grant_pull("AcrPush"), None, useless()),
        ("Repository Writer", |scene| scene.grant_pull("Container Registry Repository Writer"), useless(), None),
        ("Reader", |scene| scene.grant_pull("Reader"), None, useless()),
        ("AcrDelete", |scene| scene.grant_pull("AcrDelete"), missing(), missing()),
        (
            "the control plane",
            |scene| {
                let id = scene.azure.control_plane_object_id(GROUP, CLUSTER);
                scene.azure.grant("AcrPull", &id, &at_registry(scene));
                scene.azure.grant(READER, &id, &at_registry(scene));
            },
            failing(FindingId::GRANT_TO_WRONG_IDENTITY),
            failing(FindingId::GRANT_TO_WRONG_IDENTITY),
        ),
    ]
}

fn above() -> Vec<Grant> {
    vec![
        (
            "on the group",
            |scene| {
                let scope = format!("{}/resourceGroups/{GROUP}", scene.everything());
                scene.azure.grant("AcrPull", &kubelet(scene), &scope);
                scene.azure.grant(READER, &kubelet(scene), &scope);
            },
            None,
            None,
        ),
        (
            "on the subscription, in other letters",
            |scene| {
                scene.azure.grant("AcrPull", &kubelet(scene), &scene.everything().to_uppercase());
                scene.azure.grant(READER, &kubelet(scene), &scene.everything().to_uppercase());
            },
            None,
            None,
        ),
        (
            "on the management group",
            |scene| {
                let scope = format!("/providers/Microsoft.Management/managementGroups/{}", scene.azure.tenant());
                scene.azure.grant("AcrPull", &kubelet(scene), &scope);
                scene.azure.grant(READER, &kubelet(scene), &scope);
            },
            None,
            None,
        ),
    ]
}

fn custom_roles() -> Vec<Grant> {
    let missing = || failing(FindingId::GRANT_MISSING);
    vec![
        (
            "a custom role with wildcards",
            |scene| {
                let role = RoleSeed::new("custom").block(&["Microsoft.ContainerRegistry/*/read"], &[]);
                custom(scene, role.data_block(&["Microsoft.ContainerRegistry/registries/repositories/*"], &[]));
            },
            None,
            None,
        ),
        (
            "a custom role that excludes it",
            |scene| {
                custom(scene, RoleSeed::new("custom").block(&["*"], &[PULL]).data_block(&["*"], &["*/content/read"]));
            },
            missing(),
            missing(),
        ),
        (
            "a custom role that allows it in another block",
            |scene| {
                let role = RoleSeed::new("custom").block(&["*"], &[PULL]).block(&[PULL], &[]);
                custom(scene, role.data_block(&["*"], &["*/content/read"]).data_block(&[CONTENT], &[]));
            },
            None,
            None,
        ),
    ]
}

fn groups() -> Vec<Grant> {
    let missing = || failing(FindingId::GRANT_MISSING);
    vec![
        (
            "a group",
            |scene| through_group(scene, "group/dev"),
            warning(FindingId::GRANT_THROUGH_GROUP),
            warning(FindingId::GRANT_THROUGH_GROUP),
        ),
        (
            "a nested group",
            |scene| {
                let _ = scene.azure.clone().with_member("inner", "group/dev");
                through_group(scene, "inner");
            },
            warning(FindingId::GRANT_THROUGH_GROUP),
            warning(FindingId::GRANT_THROUGH_GROUP),
        ),
        ("a group of others", |scene| through_group(scene, "nobody"), missing(), missing()),
    ]
}

fn denials() -> Vec<Grant> {
    let useless = || failing(FindingId::GRANT_ROLE_NOT_HONOURED);
    let denied = || failing(FindingId::GRANT_DENIED);
    vec![
        (
            "denied",
            |scene| {
                scene.grant_pull("AcrPull");
                scene.azure.add_deny_assignment(
                    "stack",
                    &["Microsoft.ContainerRegistry/*"],
                    &at_registry(scene),
                    &["owner"],
                );
            },
            denied(),
            useless(),
        ),
        (
            "denied on the subscription",
            |scene| {
                scene.grant_pull("AcrPull");
                scene.azure.add_deny_assignment("stack", &["*/pull/read"], &scene.everything(), &["owner"]);
            },
            denied(),
            useless(),
        ),
        (
            "denied, another action",
            |scene| {
                scene.grant_pull("AcrPull");
                scene.azure.add_deny_assignment("stack", &["*/delete"], &scene.everything(), &[]);
            },
            None,
            useless(),
        ),
    ]
}

fn conditions() -> Vec<Grant> {
    let useless = || failing(FindingId::GRANT_ROLE_NOT_HONOURED);
    let excluded = || failing(FindingId::CONDITION_EXCLUDES_REPOSITORY);
    vec![
        (
            "a condition for this repository",
            |scene| conditional(scene, "Request", "StringEqualsIgnoreCase 'team/app'"),
            useless(),
            None,
        ),
        (
            "a condition for a prefix",
            |scene| conditional(scene, "Request", "StringStartsWithIgnoreCase 'team/'"),
            useless(),
            None,
        ),
        (
            "a condition for others",
            |scene| conditional(scene, "Request", "ForAnyOfAnyValues:StringEquals {'web', 'api'}"),
            useless(),
            excluded(),
        ),
        (
            "two conditions, one of them for this repository",
            |scene| {
                conditional(scene, "Request", "StringEquals 'web'");
                let scope = format!("{}/resourceGroups/{GROUP}", scene.everything());
                let condition = on_repository("Request", "StringLike 'te*/app'");
                scene.azure.grant_if(READER, &kubelet(scene), &scope, &condition);
            },
            useless(),
            None,
        ),
        (
            "a condition on the resource",
            |scene| conditional(scene, "Resource", "StringEqualsIgnoreCase 'team/app'"),
            useless(),
            unknown(FindingId::CONDITION_NOT_EVALUATED),
        ),
    ]
}
