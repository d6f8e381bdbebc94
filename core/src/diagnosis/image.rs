//! The stages reference, image and platform.

use super::{
    catalogue::{FindingId, PullRetry},
    cluster::says_key_is_lost,
    facts::{Facts, ImageFacts, Unread},
    finding::Finding,
    host::{Host, login_server_of},
    network::is_private_only,
    outcome::Outcome,
    stage::PullStage,
    text::{NextStep, denied, written_as},
    unserved,
};
use crate::{
    image::{ImageDetails, Platform},
    inventory::NodePool,
};

/// The builds of Windows Server, by the end of a pool's OS SKU. See [Windows container version
/// compatibility](https://learn.microsoft.com/virtualization/windowscontainers/deploy-containers/version-compatibility).
const WINDOWS_BUILDS: [(&str, &str); 3] = [("2019", "17763"), ("2022", "20348"), ("2025", "26100")];

const GIB: u64 = 1 << 30;

pub(super) fn reference(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Reference);
    let (Some(image), Ok(Some(settings))) = (&facts.image, &facts.registry) else { return outcome };
    let (host, login_server) = (image.reference.registry(), &settings.registry.login_server);
    let name = settings.registry.id.name();
    let found = match Host::of(host, login_server) {
        Host::LoginServer | Host::Regional => return outcome.passed_by(image.reference.to_string()),
        Host::Misspelled => {
            let text = format!(
                "the image's host {host} is not a login server, and resembles {login_server} of registry {name}"
            );
            let found = Finding::failing(FindingId::HOST_MISSPELLED).saying(text);
            Finding { next_step: written_as(login_server), ..found }
        }
        Host::Other => {
            let text = format!("the image's host {host} is not the login server of registry {name}");
            let mut found = Finding::failing(FindingId::OTHER_REGISTRY).saying(text);
            let named = format!("name the image {}", image.reference.in_registry(login_server));
            let is_alias = login_server_of(host).is_some_and(|own| own.eq_ignore_ascii_case(login_server));
            let copied = "after import_image has copied it, if the registry does not have it yet";
            found.next_step.summary = if is_alias { named } else { format!("{named}, {copied}") };
            found
        }
    };
    outcome.with(found.seen("registry", "loginServer", login_server).seen("image", "host", host))
}

pub(super) fn image(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Image);
    let Some(image) = &facts.image else { return outcome };
    let Some(details) = &image.details else { return outcome };
    let details = match details {
        Err(unread) if unread.status == Some(405) => return outcome.with(unserved::disallowed(facts, image)),
        // The registry's finding says it.
        Err(_) if says_key_is_lost(image).is_some() => return outcome,
        Err(unread) => {
            let found = unserved::upstream(facts, image, unread);
            return outcome.with(found.unwrap_or_else(|| unread_image(facts, unread)));
        }
        Ok(None) => return outcome.with(unserved::not_found(facts, image)),
        Ok(Some(details)) => details,
    };
    let seen = |found: Finding, field: &str, value: &str| found.seen("manifest", field, value);
    if details.is_schema1() {
        return outcome.with(seen(Finding::failing(FindingId::IMAGE_SCHEMA1), "mediaType", &details.media_type));
    }
    if let (false, Some(kind)) = (details.is_image(), &details.config_media_type) {
        return outcome.with(seen(Finding::failing(FindingId::NOT_AN_IMAGE), "config.mediaType", kind));
    }
    outcome.passed_by(details.digest.to_string())
}

/// A registry that is throttled or out of service is reached, and no role is missing.
fn unread_image(facts: &Facts, unread: &Unread) -> Finding {
    let found = Finding::unknown(FindingId::UNKNOWN_IMAGE).needing(unread.need.clone());
    if let Some((words, address)) = unread.service.as_deref().and_then(|words| Some((words, denied(words)?))) {
        let text = format!(
            "the image could not be read: the registry's firewall does not admit this machine's address {address}"
        );
        let settings = facts.registry.as_ref().ok().and_then(Option::as_ref);
        let next_step = NextStep::new(if settings.is_some_and(is_private_only) {
            "check from a network that has the registry's private endpoint, or call prove_pull: a node then pulls the image"
        } else {
            "check from a network that the registry admits, or add this machine's address to its network rules"
        });
        return Finding { next_step, ..found.saying(text).seen("registry", "message", words) };
    }
    let Some(status @ (429 | 500..=599)) = unread.status else { return found };
    let text = format!("the image could not be read: the registry's last response was {status}");
    let next_step = NextStep::new("check again later");
    Finding { retry: PullRetry::Transient, next_step, ..found.saying(text).seen("registry", "status", status) }
}

pub(super) fn platform(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Platform);
    let Some(ImageFacts { details: Some(Ok(Some(details))), .. }) = &facts.image else { return outcome };
    if !details.is_image() || details.is_schema1() {
        return outcome;
    }
    let (Some(platforms), Ok(cluster)) = (&details.platforms, &facts.cluster) else {
        return outcome.with(Finding::unknown(FindingId::UNKNOWN_PLATFORM));
    };
    let pools: Vec<(&NodePool, Option<Platform>)> =
        cluster.node_pools.iter().map(|pool| (pool, platform_of(pool))).collect();
    if cluster.has_node_auto_provisioning && lacks_all(details, platforms, &pools) {
        let text = "no node pool has a platform of the image; node auto-provisioning may add nodes that have one";
        let found = Finding::unknown(FindingId::UNKNOWN_PLATFORM).saying(text);
        return outcome.with(found.seen("cluster", "nodeProvisioningProfile.mode", "Auto"));
    }
    if pools.is_empty() || pools.iter().all(|(_, platform)| platform.is_none()) {
        return outcome.with(Finding::unknown(FindingId::UNKNOWN_PLATFORM));
    }
    judge(outcome, details, platforms, &pools)
}

/// An image whose compressed layers alone are larger than the nodes' disks. The disk of an index's images is not known: it has no layers.
pub(super) fn disk(facts: &Facts) -> Option<Outcome> {
    let Some(ImageFacts { details: Some(Ok(Some(details))), .. }) = &facts.image else { return None };
    let (size, cluster) = (details.layers_size?, facts.cluster.as_ref().ok()?);
    let pools: Vec<(&NodePool, u64)> =
        cluster.node_pools.iter().filter_map(|pool| Some((pool, pool.os_disk_gib?))).collect();
    let small: Vec<&(&NodePool, u64)> = pools.iter().filter(|(_, gib)| size > gib.saturating_mul(GIB)).collect();
    let (first, gib) = small.first()?;
    let text = format!(
        "the image's layers have {} GiB, and the disks of node pool {} have {gib} GiB",
        size.div_ceil(GIB),
        first.name
    );
    let is_all = small.len() == cluster.node_pools.len();
    let found = if is_all { Finding::failing } else { Finding::warning }(FindingId::NODE_DISK_FULL);
    let found = Finding { retry: PullRetry::Never, ..found.saying(text).seen("manifest", "layers.size", size) };
    let found = small.iter().fold(found, |found, (pool, gib)| {
        found.seen("cluster", &format!("agentPoolProfiles[{}].osDiskSizeGB", pool.name), gib)
    });
    Some(Outcome::of(PullStage::Node).with(found))
}

/// Whether no pool can pull the image for its platform.
fn lacks_all(details: &ImageDetails, platforms: &[Platform], pools: &[(&NodePool, Option<Platform>)]) -> bool {
    let has = |wanted: &Platform| platforms.iter().any(|one| fits(one, wanted));
    details.is_index() && pools.iter().all(|(_, platform)| platform.as_ref().is_some_and(|wanted| !has(wanted)))
}

/// A pool without a variant does not matter if another one has it: selectors are usual. The variant of the operating system is
/// compared first: on Windows, an image of another build does not run.
fn judge(
    outcome: Outcome,
    details: &ImageDetails,
    platforms: &[Platform],
    pools: &[(&NodePool, Option<Platform>)],
) -> Outcome {
    let has = |wanted: &Platform| platforms.iter().any(|one| fits(one, wanted));
    let lacking: Vec<&(&NodePool, Option<Platform>)> =
        pools.iter().filter(|(_, platform)| platform.as_ref().is_some_and(|wanted| !has(wanted))).collect();
    let shown = platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let is_of_other_build = |platform: &Option<Platform>| {
        let is_alike = |one: &Platform| platform.as_ref().is_some_and(|wanted| one.is_like(wanted));
        platforms.iter().any(is_alike)
    };
    let other_build = lacking.iter().find(|(_, platform)| is_of_other_build(platform));
    let Some((first, Some(wanted))) = other_build.or_else(|| lacking.first()) else {
        return outcome.passed_by(shown);
    };
    let is_other_build = other_build.is_some();
    let id = if is_other_build { FindingId::WINDOWS_VERSION_MISMATCH } else { FindingId::PLATFORM_MISSING };
    // containerd compares platforms only to choose from an index. It pulls an image's only manifest on every platform, and the
    // container then fails to start, with "exec format error".
    let is_all = lacking.len() == pools.len() && details.is_index();
    let found = if is_all { Finding::failing(id) } else { Finding::warning(id) };
    let pulled = if details.is_index() { "" } else { "; it is pulled there, and does not run" };
    let text = format!("the image has no variant for {wanted}, which node pool {} runs{pulled}", first.name);
    let found = found.saying(text).seen("manifest", "platforms", shown).seen("manifest", "digest", &details.digest);
    let outcome = outcome.with(lacking.iter().fold(found, |found, (pool, platform)| {
        let platform = platform.as_ref().map(ToString::to_string).unwrap_or_default();
        found.seen("cluster", &format!("agentPoolProfiles[{}]", pool.name), platform)
    }));
    if is_all {
        outcome
    } else {
        outcome.passed_by(format!("{} of {} node pools", pools.len() - lacking.len(), pools.len()))
    }
}

/// An image for Windows has to be of the node's build; on Linux the version does not matter.
fn fits(image: &Platform, node: &Platform) -> bool {
    let build =
        |version: &Option<String>| version.as_deref().and_then(|text| text.split('.').nth(2).map(str::to_owned));
    let is_same_build = match (build(&image.os_version), &node.os_version) {
        (Some(image), Some(node)) => build(&Some(node.clone())) == Some(image),
        _ => true,
    };
    image.os == node.os && image.architecture == node.architecture && is_same_build
}

/// The platform that a pool's nodes run. `None` if Azure does not report the operating system or the size.
pub(super) fn platform_of(pool: &NodePool) -> Option<Platform> {
    let os = pool.os_type.as_deref()?.to_ascii_lowercase();
    let size = pool.vm_size.as_deref()?;
    let sku = pool.os_sku.as_deref().unwrap_or_default();
    let build = WINDOWS_BUILDS.iter().find(|(year, _)| os == "windows" && sku.ends_with(year));
    let os_version = build.map(|(_, build)| format!("10.0.{build}"));
    Some(Platform { os, architecture: architecture(size).to_owned(), os_version })
}

/// A size has `p` among the letters after its number of cores if its processors are of ARM's architecture. See [VM size naming
/// conventions](https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions).
fn architecture(size: &str) -> &'static str {
    let name = size.strip_prefix("Standard_").unwrap_or(size).split('_').next().unwrap_or_default();
    let features = name.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
    let features = features.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
    if features.contains('p') { "arm64" } else { "amd64" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_tells_the_architecture() {
        for (size, wanted) in [
            ("Standard_D2s_v5", "amd64"),
            ("Standard_D2ps_v5", "arm64"),
            ("Standard_D4pds_v6", "arm64"),
            ("Standard_B2pts_v2", "arm64"),
            ("Standard_NC24ads_A100_v4", "amd64"),
            ("Standard_M8-2ms", "amd64"),
            ("Standard_DS2_v2", "amd64"),
        ] {
            assert_eq!(architecture(size), wanted, "{size}");
        }
    }

    #[test]
    fn windows_needs_its_own_build() {
        let pool = |sku: &str| NodePool {
            os_type: Some("Windows".to_owned()),
            os_sku: Some(sku.to_owned()),
            vm_size: Some("Standard_D2s_v5".to_owned()),
            ..NodePool::new("win")
        };
        let image =
            |version: &str| Platform { os_version: Some(version.to_owned()), ..Platform::new("windows", "amd64") };
        let node = |sku: &str| platform_of(&pool(sku)).unwrap();
        assert!(fits(&image("10.0.20348.2700"), &node("Windows2022")));
        assert!(!fits(&image("10.0.17763.6414"), &node("Windows2022")));
        assert!(
            fits(&image("10.0.17763.6414"), &node("Windows2019"))
                && !fits(&image("10.0.17763.1"), &node("Windows2025"))
        );
        assert!(fits(&Platform::new("windows", "amd64"), &node("Windows2022")));
        assert!(fits(&image("10.0.20348.1"), &node("WindowsAnnual")), "its build is not known");
        assert!(!fits(&Platform::new("linux", "amd64"), &node("Windows2022")));
    }
}
