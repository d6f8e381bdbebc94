//! What a pool's node image cannot do yet: it is older than the credential provider's configuration for regional hosts.

use super::{
    catalogue::FindingId, facts::Facts, finding::Finding, host::is_regional, nodes::node_image_upgrade,
    outcome::Outcome,
};
use crate::inventory::NodePool;

/// Since this image, the kubelet calls the credential provider for hosts with five labels, as its `matchImages` has to have as many:
/// [AgentBaker#8862](https://github.com/Azure/AgentBaker/issues/8862).
const FIRST: (u32, u32) = (202_607, 29);

/// Adds what keeps the nodes from fetching a credential for the image's host. Anonymous pulls need none.
pub(super) fn with_skipped_host(outcome: Outcome, facts: &Facts) -> Outcome {
    let (Some(image), Ok(Some(settings)), Ok(cluster)) = (&facts.image, &facts.registry, &facts.cluster) else {
        return outcome;
    };
    let (host, login_server) = (image.reference.registry(), &settings.registry.login_server);
    if !is_regional(host, login_server) || settings.anonymous_pull {
        return outcome;
    }
    let old: Vec<(&NodePool, &str)> =
        cluster.node_pools.iter().filter_map(|pool| Some((pool, too_old(pool)?))).collect();
    let Some((first, _)) = old.first() else { return outcome };
    let text = format!(
        "the nodes of pool {} fetch no credential for the regional host {host}: their node image is older than 202607.29",
        first.name
    );
    let mut found = Finding::failing(FindingId::PROVIDER_SKIPS_HOST).saying(text).seen("image", "host", host);
    found.next_step.summary =
        format!("upgrade the node image of the pool, or name the image {}", image.reference.in_registry(login_server));
    let found = old.iter().fold(found, |found, (pool, version)| {
        found.seen("cluster", &format!("agentPoolProfiles[{}].nodeImageVersion", pool.name), version)
    });
    outcome.with(found.run(node_image_upgrade(&facts.cluster_id, &first.name)))
}

/// The image of a pool that is older. One of Windows has another kind of version, and is not judged.
fn too_old(pool: &NodePool) -> Option<&str> {
    let version = pool.node_image.as_deref()?;
    (number(version)? < FIRST).then_some(version)
}

/// Year with month, and day: `AKSUbuntu-2204gen2containerd-202607.29.0`.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.rsplit('-').next()?.split('.');
    let month = parts.next().filter(|month| month.len() == 6)?.parse().ok()?;
    Some((month, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_date() {
        for (version, is_old) in [
            ("AKSUbuntu-2204gen2containerd-202511.07.0", true),
            ("AKSUbuntu-2204gen2containerd-202607.28.3", true),
            ("AKSUbuntu-2404gen2containerd-202607.29.0", false),
            ("AKSAzureLinux-V3gen2arm64-202608.02.0", false),
            ("AKSWindows-2022-containerd-20348.4405.251112", false),
            ("custom", false),
            ("", false),
        ] {
            let pool = NodePool { node_image: Some(version.to_owned()), ..NodePool::new("one") };
            assert_eq!(too_old(&pool).is_some(), is_old, "{version}");
        }
        assert_eq!(too_old(&NodePool::new("one")), None);
    }
}
