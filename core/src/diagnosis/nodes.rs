//! What the nodes themselves pull with: by their labels, their scale sets and their images.

use super::{
    authorization::may_pull,
    catalogue::FindingId,
    command::Command,
    facts::{Facts, OtherIdentity, Read, Unread},
    finding::{Finding, FindingStatus, Need},
    outcome::Outcome,
    stage::PullStage,
};
use crate::{
    cluster::ObservedNode,
    id::ResourceId,
    inventory::{ClusterSettings, NodeScaleSet},
};
use std::collections::BTreeMap;

/// Node images of earlier months have a credential provider that asks for a token for Azure Resource Manager. See
/// [cloud-provider-azure#8593](https://github.com/kubernetes-sigs/cloud-provider-azure/pull/8593), of March 2025.
const LAST_FORMER: &str = "202503";
/// Half a year later, every supported version of Kubernetes has had a newer provider. Which image had the first one is not established.
const FIRST_CURRENT: &str = "202510";

/// Adds what is known of the nodes to the stage identity.
pub(super) fn identity(facts: &Facts, outcome: Outcome) -> Outcome {
    let Ok(cluster) = &facts.cluster else { return outcome };
    let Some(kubelet) = &cluster.identities.kubelet else { return outcome };
    let outcome = match (&facts.nodes.scale_sets, &kubelet.resource_id) {
        (Some(Ok(sets)), Some(id)) => detached(facts, sets, id).into_iter().fold(outcome, Outcome::with),
        (Some(Err(unread)), _) => outcome.with(not_read("the scale sets of the node pools", unread)),
        _ => outcome,
    };
    match (&facts.nodes.nodes, &kubelet.client_id) {
        (Some(Ok(nodes)), Some(id)) => outdated(facts, nodes, id).into_iter().fold(outcome, Outcome::with),
        (Some(Err(unread)), _) => outcome.with(not_read("the nodes", unread)),
        _ => outcome,
    }
}

/// Whether every node was read and pulls with the cluster's identity.
pub(super) fn are_current(facts: &Facts) -> bool {
    let Ok(cluster) = &facts.cluster else { return false };
    let wanted = cluster.identities.kubelet.as_ref().and_then(|kubelet| kubelet.client_id.as_deref());
    let (Some(Ok(nodes)), Some(wanted)) = (&facts.nodes.nodes, wanted) else { return false };
    let is_current = |node: &ObservedNode| node.identity_client_id.as_deref().is_some_and(|id| is_same(id, wanted));
    !nodes.is_empty() && nodes.iter().all(is_current)
}

/// The client IDs of identities that nodes have and the cluster has not.
pub(crate) fn other_identities(cluster: &ClusterSettings, nodes: &[ObservedNode]) -> Vec<String> {
    let Some(wanted) = cluster.identities.kubelet.as_ref().and_then(|kubelet| kubelet.client_id.as_deref()) else {
        return Vec::new();
    };
    let ids = nodes.iter().filter_map(|node| node.identity_client_id.as_deref());
    let mut others: Vec<String> = ids.filter(|id| !is_same(id, wanted)).map(str::to_owned).collect();
    others.sort();
    others.dedup();
    others
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn not_read(what: &str, unread: &Unread) -> Finding {
    let text = format!("{what} could not be read, so what the nodes pull with is not known");
    Finding::unknown(FindingId::UNKNOWN_NODES).saying(text).needing(unread.need.clone())
}

/// The nodes ask for a token of an identity that their machines do not have.
fn detached(facts: &Facts, sets: &[NodeScaleSet], identity: &str) -> Option<Finding> {
    let lacks = |set: &&NodeScaleSet| set.pool.is_some() && !set.identities.iter().any(|id| is_same(id, identity));
    let lacking: Vec<&NodeScaleSet> = sets.iter().filter(lacks).collect();
    let first = lacking.first()?;
    let text =
        format!("scale set {} does not have the cluster's kubelet identity, so its nodes get no token", first.name);
    let found = Finding::failing(FindingId::NOT_ON_NODES).saying(text);
    let found = lacking.iter().fold(found, |found, set| {
        found.seen(&format!("scale set {}", set.name), "identity.userAssignedIdentities", set.identities.join(", "))
    });
    let found = found.seen("cluster", "identityProfile.kubeletidentity.resourceId", identity);
    Some(found.run(reconciliation(&facts.cluster_id)))
}

/// One finding for each pool.
fn outdated(facts: &Facts, nodes: &[ObservedNode], wanted: &str) -> Vec<Finding> {
    let mut pools: BTreeMap<&str, &str> = BTreeMap::new();
    for node in nodes {
        let other = node.identity_client_id.as_deref().filter(|id| !is_same(id, wanted));
        if let (Some(pool), Some(found)) = (node.pool.as_deref(), other) {
            pools.entry(pool).or_insert(found);
        }
    }
    pools.into_iter().map(|(pool, found)| of_pool(facts, pool, (found, wanted))).collect()
}

fn of_pool(facts: &Facts, pool: &str, (found, wanted): (&str, &str)) -> Finding {
    let other: Option<&Read<Option<OtherIdentity>>> = facts.nodes.others.get(found);
    let may = match other {
        Some(Ok(None)) => Some(false),
        Some(Ok(Some(OtherIdentity { principal, grants: Ok(grants) }))) => may_pull(facts, grants, *principal),
        Some(_) | None if !facts.nodes.may_others_pull => Some(false),
        Some(_) | None => None,
    };
    let text = format!("nodes of pool {pool} pull with identity {found}, which is not the cluster's");
    let (status, text) = match may {
        Some(false) => (FindingStatus::Failing, text),
        Some(true) => (FindingStatus::Warning, format!("{text}, and may pull still")),
        None => (FindingStatus::Unknown, format!("{text}; whether it may pull is not known")),
    };
    let finding = Finding { status, ..outdated_pool(facts, pool, (found, wanted)) }.saying(text);
    if status != FindingStatus::Unknown {
        return finding;
    }
    match other {
        Some(Err(unread) | Ok(Some(OtherIdentity { grants: Err(unread), .. }))) => finding.needing(unread.need.clone()),
        _ => finding.needing(Need::option("query_graph", "Microsoft Graph has the object ID of that identity")),
    }
}

/// Nodes of a pool that have another identity than the cluster's.
pub(super) fn outdated_pool(facts: &Facts, pool: &str, (found, wanted): (&str, &str)) -> Finding {
    Finding::failing(FindingId::NODES_OUTDATED)
        .seen("node", "kubernetes.azure.com/kubelet-identity-client-id", found)
        .seen("cluster", "identityProfile.kubeletidentity.clientId", wanted)
        .run(node_image_upgrade(&facts.cluster_id, pool))
}

/// The command that recreates the nodes of a pool, with the cluster's identity and the newest image.
pub(crate) fn node_image_upgrade(cluster: &ResourceId, pool: &str) -> Command {
    Command::new("az aks nodepool upgrade --node-image-only")
        .with("--resource-group", cluster.group())
        .with("--cluster-name", cluster.name())
        .with("--name", pool)
}

/// The command that reconciles a cluster with its settings. Without an option, az asks whether to.
pub(super) fn reconciliation(cluster: &ResourceId) -> Command {
    of_cluster("az aks update", cluster).words("--yes")
}

/// A command about a cluster.
pub(super) fn of_cluster(words: &'static str, cluster: &ResourceId) -> Command {
    Command::new(words).with("--resource-group", cluster.group()).with("--name", cluster.name())
}

/// Whether the answer depends on the images of the nodes.
pub(crate) fn depends_on_images(cluster: &ClusterSettings, arm_tokens: Option<bool>) -> bool {
    arm_tokens == Some(false) && cluster.identities.kubelet.is_some()
}

/// The stage sign-in of a registry that refuses tokens for Azure Resource Manager. `None`: it accepts them.
pub(super) fn sign_in(facts: &Facts) -> Option<Outcome> {
    let (Ok(cluster), Ok(Some(settings))) = (&facts.cluster, &facts.registry) else { return None };
    if !depends_on_images(cluster, settings.arm_tokens) {
        return None;
    }
    let images = images(facts, cluster);
    let outcome = Outcome::of(PullStage::SignIn);
    let findings: Vec<Finding> =
        images.iter().filter_map(|(pool, image)| of_image(facts, pool, image.as_deref())).collect();
    if findings.is_empty() && !images.is_empty() {
        return Some(outcome.passed_by("the nodes' images sign in with tokens for registries".to_owned()));
    }
    Some(findings.into_iter().fold(outcome, Outcome::with))
}

/// The image of each Linux pool: the oldest of its nodes', or else what Azure reports.
fn images(facts: &Facts, cluster: &ClusterSettings) -> BTreeMap<String, Option<String>> {
    let is_linux = |os: Option<&str>| !os.is_some_and(|os| os.eq_ignore_ascii_case("windows"));
    let pools = cluster.node_pools.iter().filter(|pool| is_linux(pool.os_type.as_deref()));
    let mut images: BTreeMap<String, Option<String>> =
        pools.map(|pool| (pool.name.clone(), pool.node_image.clone())).collect();
    let Some(Ok(nodes)) = &facts.nodes.nodes else { return images };
    for node in nodes.iter().filter(|node| is_linux(node.os.as_deref())) {
        let (Some(pool), Some(image)) = (&node.pool, &node.node_image) else { continue };
        let known = images.entry(pool.clone()).or_default();
        if known.as_deref().is_none_or(|known| month(image) < month(known)) {
            *known = Some(image.clone());
        }
    }
    images
}

/// The year and the month that the image of a Linux node has at its end, as in `AKSUbuntu-2204gen2containerd-202511.07.0`.
fn month(image: &str) -> Option<&str> {
    let date = image.rsplit_once('-')?.1.split('.').next()?;
    (date.len() == 6 && date.bytes().all(|byte| byte.is_ascii_digit())).then_some(date)
}

fn of_image(facts: &Facts, pool: &str, image: Option<&str>) -> Option<Finding> {
    let shown = image.unwrap_or("not reported");
    let text = |how: &str| {
        format!(
            "the registry refuses tokens for Azure Resource Manager, and nodes of pool {pool} {how} with such tokens: their image is {shown}"
        )
    };
    let found = match image.and_then(month) {
        Some(month) if month < LAST_FORMER => Finding::failing(FindingId::ARM_TOKENS_REFUSED).saying(text("sign in")),
        Some(month) if month >= FIRST_CURRENT => return None,
        _ => Finding::unknown(FindingId::ARM_TOKENS_REFUSED)
            .saying(text("may sign in"))
            .needing(Need::reason("which image was the first with another sign-in is not established")),
    };
    let found = found.seen("registry", "policies.azureADAuthenticationAsArmPolicy.status", "disabled");
    Some(found.seen("node pool", "nodeImageVersion", shown).run(node_image_upgrade(&facts.cluster_id, pool)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_of_an_image_is_at_its_end() {
        for (image, wanted) in [
            ("AKSUbuntu-2204gen2containerd-202511.07.0", Some("202511")),
            ("AKSAzureLinux-V3gen2-202501.12.0", Some("202501")),
            ("AKSWindows-2022-containerd-20348.4405.251112", None),
            ("custom", None),
        ] {
            assert_eq!(month(image), wanted, "{image}");
        }
    }
}
