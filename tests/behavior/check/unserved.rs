//! Images that a registry does not serve: the check says which part is missing, who refuses, and the next step makes the pod run.

use super::{IMAGE, READER, check_image, first, registry, runs, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{
    CheckOptions, ExplainOptions, ExplainTarget, Finding, FindingId, PullRetry, RegistryRef, Report, Verdict,
};
use aks_acr_emulator::{ClusterSeed, From, RegistrySeed, Service, UpstreamSeed, summary};
use libtest_mimic::Failed;
use std::time::Duration;

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const HUB: &str = "docker.io/library/nginx:latest";
const CACHED: &str = "myregistry.azurecr.io/hub/nginx:latest";

fn scene(seed: RegistrySeed, is_abac: bool) -> Result<Scene, Failed> {
    let seed = if is_abac { seed.abac() } else { seed };
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), seed, &["linux/amd64", "linux/arm64"])?;
    scene.grant_pull(if is_abac { READER } else { "AcrPull" });
    Ok(scene)
}

/// What `explain` says of the pods of the cluster.
async fn explained(scene: &Scene) -> Result<Finding, Failed> {
    let options = ExplainOptions::default();
    let explanation = scene.client.explain(&scene.cluster, &ExplainTarget::default(), options).await?;
    let group = some(explanation.groups.first(), "a group")?;
    Ok(some(group.report.root_finding(), "a root cause")?.clone())
}

/// The root cause before, which the pod meets and `explain` names too; after the fix, the pod runs.
async fn fixed(
    name: &str,
    scene: &Scene,
    image: &str,
    wanted: FindingId,
    fix: impl FnOnce(&Scene, &Finding),
) -> Result<Finding, Failed> {
    let report = check_image(scene, image).await?;
    let found = first(&report)?.clone();
    assert_eq!((report.verdict, &found.id), (Verdict::CannotPull, &wanted), "{name}: {report}");
    assert!(!runs(scene, image).await?, "{name}: {report}");
    assert_eq!(explained(scene).await?.id, wanted, "{name}");
    fix(scene, &found);
    let report = check_image(scene, image).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{name}: {report}");
    // A pod that failed is tried again after some minutes.
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(runs(scene, image).await?, "{name}: the next step works");
    Ok(found)
}

pub async fn what_is_missing_is_named_with_its_nearest_tags() -> Checked {
    let scene = scene(registry(false), false)?;
    for tag in ["v1.2", "v1.3", "v2.0", "latest"] {
        assert!(scene.azure.tag_image(IMAGE, tag));
    }
    for (image, wanted) in [
        ("team/web:v1", "registry myregistry does not have repository team/web".to_owned()),
        (
            "team/app:v1.4",
            "repository team/app of registry myregistry does not have tag v1.4; its nearest tags are v1.2, v1.3, v1"
                .to_owned(),
        ),
        (
            &format!("team/app@{DIGEST}"),
            format!(
                "repository team/app of registry myregistry does not have manifest {DIGEST}; its newest tags are latest, v1, v1.2"
            ),
        ),
    ] {
        let report = check_image(&scene, image).await?;
        let found = first(&report)?;
        assert_eq!((&found.id, &found.message), (&FindingId::IMAGE_NOT_FOUND, &wanted), "{report}");
    }
    Ok(())
}

pub async fn a_deleted_image_is_restored() -> Checked {
    for is_abac in [false, true] {
        for by_digest in [false, true] {
            let scene = scene(registry(is_abac).soft_delete(), is_abac)?;
            let digest = some(scene.azure.digest(IMAGE), "the digest")?;
            let (repository, _) = some(IMAGE.rsplit_once(':'), "a tag")?;
            let image = if by_digest { format!("{repository}@{digest}") } else { IMAGE.to_owned() };
            assert!(scene.azure.delete_image(&image));
            let restore = |scene: &Scene, found: &Finding| {
                let command = found.next_step.command.clone().unwrap_or_default();
                let tag = if by_digest { "" } else { ":v1" };
                let wanted =
                    format!("az acr manifest restore --registry {REGISTRY} --name team/app{tag} --digest {digest}");
                assert_eq!(command, wanted);
                assert!(scene.azure.restore_image(&format!("{repository}{tag}"), &digest));
            };
            fixed("deleted", &scene, &image, FindingId::IMAGE_SOFT_DELETED, restore).await?;
        }
        // Without the policy, nothing can be restored.
        let scene = scene(registry(is_abac), is_abac)?;
        assert!(scene.azure.delete_image(IMAGE));
        assert_eq!(first(&check_image(&scene, IMAGE).await?)?.id, FindingId::IMAGE_NOT_FOUND);
    }
    Ok(())
}

pub async fn a_caller_who_cannot_list_deleted_images_is_told_the_role() -> Checked {
    let scene = scene(registry(false).soft_delete(), false)?;
    assert!(scene.azure.delete_image(IMAGE));
    let client = scene.caller(&[("AcrPull", &scene.everything())])?;
    let options = CheckOptions::default().with_image(IMAGE.parse()?);
    let report = client.check(&scene.cluster, &scene.by_id(), options).await;
    // Without Reader, the registry's policy is not known either.
    assert!(report.is_ok_and(|report| report.verdict == Verdict::Unknown));
    let reader = scene.azure.clone().with_custom_role(
        "reads some",
        &[
            "Microsoft.ContainerService/managedClusters/read",
            "Microsoft.ContainerRegistry/registries/read",
            "Microsoft.ContainerRegistry/registries/pull/read",
            "Microsoft.ContainerRegistry/registries/cacheRules/read",
            "Microsoft.ContainerRegistry/registries/credentialSets/read",
            "Microsoft.ContainerRegistry/registries/replications/read",
            "Microsoft.Authorization/*/read",
        ],
        &[],
    );
    let azure = reader.with_caller("some", &[("reads some", &scene.everything())]);
    let client = crate::emulator::client(&azure, azure.credential_of("some"))?;
    let options = CheckOptions::default().with_image(IMAGE.parse()?);
    let report = client.check(&scene.cluster, &scene.by_id(), options).await?;
    let found = first(&report)?;
    let need = some(found.needs.first(), "a need")?;
    assert_eq!(found.id, FindingId::IMAGE_NOT_FOUND, "{report}");
    assert_eq!(need.action.as_deref(), Some("Microsoft.ContainerRegistry/registries/deleted/read"), "{report}");
    assert_eq!(need.smallest_role.as_deref(), Some("Reader"));
    Ok(())
}

pub async fn an_image_in_quarantine_is_passed_by_a_scanner() -> Checked {
    for is_abac in [false, true] {
        for by_digest in [false, true] {
            let scene = scene(registry(is_abac).quarantine(), is_abac)?;
            let digest = some(scene.azure.digest(IMAGE), "the digest")?;
            let image = if by_digest { format!("myregistry.azurecr.io/team/app@{digest}") } else { IMAGE.to_owned() };
            let pass = |scene: &Scene, _: &Finding| assert!(scene.azure.pass_quarantine(IMAGE));
            let found = fixed("quarantine", &scene, &image, FindingId::IMAGE_QUARANTINED, pass).await?;
            assert_eq!(found.retry, PullRetry::Never);
        }
    }
    Ok(())
}

pub async fn reading_is_enabled_where_it_was_disabled() -> Checked {
    for is_abac in [false, true] {
        let digest = some(scene(registry(is_abac), is_abac)?.azure.digest(IMAGE), "the digest")?;
        for (name, selected) in [
            ("myregistry.azurecr.io/team/app".to_owned(), "--repository team/app".to_owned()),
            (IMAGE.to_owned(), "--image team/app:v1".to_owned()),
            (format!("myregistry.azurecr.io/team/app@{digest}"), format!("--image team/app@{digest}")),
        ] {
            let scene = scene(registry(is_abac), is_abac)?;
            scene.azure.set_read_enabled(&name, false);
            let enable = |scene: &Scene, found: &Finding| {
                let wanted = format!("az acr repository update --name {REGISTRY} {selected} --read-enabled true");
                assert_eq!(found.next_step.command.as_deref(), Some(wanted.as_str()));
                scene.azure.set_read_enabled(&name, true);
            };
            fixed(&name, &scene, IMAGE, FindingId::IMAGE_READ_DISABLED, enable).await?;
        }
    }
    Ok(())
}

/// A scene with a cache rule for Docker Hub, which is private or throttles.
fn cached(is_abac: bool, set: Option<&str>, hub: UpstreamSeed) -> Result<Scene, Failed> {
    let seed = registry(is_abac).cache_rule("hub", "docker.io/library/*", "hub/*", set);
    let scene = scene(seed, is_abac)?;
    let azure = scene.azure.clone().with_upstream(hub).with_image(HUB, &["linux/amd64"]);
    drop(azure);
    Ok(scene)
}

pub async fn an_upstream_that_refuses_a_cache_rule_is_named() -> Checked {
    let (denied, throttled) = (FindingId::CACHE_RULE_UPSTREAM_DENIED, FindingId::CACHE_RULE_UPSTREAM_THROTTLED);
    let hub = || UpstreamSeed::new("docker.io");
    for is_abac in [false, true] {
        let good = cached(is_abac, Some("set"), hub().user("robot", "word"))?;
        assert_eq!(check_image(&good, CACHED).await?.verdict, Verdict::CanPull);
        assert!(runs(&good, CACHED).await?);

        let bad = cached(is_abac, Some("set"), hub().user("robot", "word"))?;
        bad.azure.set_credentials(GROUP, REGISTRY, "set", Some(("INVALID", "the secret is not readable")));
        let renew = |scene: &Scene, found: &Finding| {
            let shown = "az acr credential-set show --registry myregistry --name set";
            assert_eq!(found.next_step.command.as_deref(), Some(shown));
            assert!(found.evidence.iter().any(|one| one.value == "Unhealthy"), "{found:?}");
            assert!(found.message.contains("docker.io/library/nginx by cache rule hub"), "{}", found.message);
            scene.azure.set_credentials(GROUP, REGISTRY, "set", None);
        };
        fixed("unhealthy", &bad, CACHED, denied.clone(), renew).await?;

        let slow = cached(is_abac, None, hub().throttles_anonymous())?;
        let wait = |scene: &Scene, found: &Finding| {
            assert_eq!(found.retry, PullRetry::Transient);
            drop(scene.azure.clone().with_upstream(hub()).with_image(HUB, &["linux/amd64"]));
        };
        fixed("throttled", &slow, CACHED, throttled.clone(), wait).await?;

        // Docker Hub does not say whether it has an image.
        let absent = cached(is_abac, Some("set"), hub())?;
        let report = check_image(&absent, "hub/redis:7").await?;
        assert_eq!(first(&report)?.id, denied, "{report}");
    }
    Ok(())
}

pub async fn a_rule_whose_source_lacks_the_image_is_in_the_message() -> Checked {
    let scene = scene(registry(false).cache_rule("ms", "mcr.microsoft.com/*", "ms/*", None), false)?;
    let report = check_image(&scene, "ms/hello-world:v9").await?;
    let found = first(&report)?;
    assert_eq!(found.id, FindingId::IMAGE_NOT_FOUND, "{report}");
    let wanted = "registry myregistry does not have repository ms/hello-world; cache rule ms fetches it from \
                  mcr.microsoft.com/hello-world, which does not have it either";
    assert_eq!(found.message, wanted);
    Ok(())
}

pub async fn a_replica_that_lags_is_named_for_the_pods_of_its_region() -> Checked {
    let lag = Duration::from_secs(30 * 60);
    for by_digest in [false, true] {
        let scene = scene(registry(false).replica("northeurope").replicas_lag(lag), false)?;
        let pushed = "myregistry.azurecr.io/team/app:v2";
        tokio::time::sleep(Duration::from_secs(3600)).await;
        scene.azure.push_image(pushed, &["linux/amd64"]);
        let digest = some(scene.azure.digest(pushed), "a digest")?;
        let image = if by_digest { format!("myregistry.azurecr.io/team/app@{digest}") } else { pushed.to_owned() };
        assert_eq!(check_image(&scene, &image).await?.verdict, Verdict::CanPull, "the caller's replica has it");
        assert!(!runs(&scene, &image).await?);
        let found = explained(&scene).await?;
        let wanted = (&FindingId::IMAGE_NOT_REPLICATED_YET, PullRetry::Transient);
        assert_eq!((&found.id, found.retry), wanted, "{image}: {found:?}");
        assert!(found.evidence.iter().any(|one| one.value == "westeurope, northeurope"), "{found:?}");
        tokio::time::sleep(lag).await;
        assert!(runs(&scene, &image).await?, "waiting helps");
    }
    Ok(())
}

/// Requests and depth of a check, without sign-in.
async fn cost(scene: &Scene, image: &str) -> Result<(Report, usize, usize), Failed> {
    let mark = scene.azure.mark();
    let options = CheckOptions::default().with_image(image.parse()?);
    let by_id: RegistryRef = scene.by_id();
    let report = scene.client.check(&scene.cluster, &by_id, options).await?;
    let sent = scene.azure.requests_since(mark);
    let is_token = |path: &str| path.starts_with("/oauth2/");
    let sent: Vec<_> = sent
        .into_iter()
        .filter(|one| one.from == From::Client && one.service != Service::Entra && !is_token(&one.path))
        .collect();
    let summary = summary(&sent);
    Ok((report, summary.count, summary.depth))
}

pub async fn an_image_that_is_not_served_costs_at_most_five_requests_more() -> Checked {
    let healthy = scene(registry(false).soft_delete(), false)?;
    let (_, base, depth) = cost(&healthy, IMAGE).await?;
    let missing = scene(registry(false).soft_delete().replica("northeurope"), false)?;
    let (report, count, deep) = cost(&missing, "myregistry.azurecr.io/team/app:v9").await?;
    assert_eq!(report.verdict, Verdict::CannotPull);
    // A list of deleted images has a token of its own before it.
    assert!(count <= base + 5 && deep <= depth + 2, "{count} and {deep}, of a healthy image {base} and {depth}");
    let disabled = scene(registry(false), false)?;
    disabled.azure.set_read_enabled(IMAGE, false);
    let (_, count, deep) = cost(&disabled, IMAGE).await?;
    assert!(count <= base + 3 && deep <= depth + 1, "{count} and {deep}");
    Ok(())
}
