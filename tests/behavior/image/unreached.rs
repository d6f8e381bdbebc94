//! Imports where the caller does not reach what Azure reaches, and where what was copied does not show at once.

use super::{TARGET, as_v1, import};
use crate::{
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, NGINX, REGISTRY, Scene},
};
use aks_acr::{ErrorKind, ImportItem, ImportManyOptions, ImportOptions, ImportProof, OnExistingTag, StartedImport};
use aks_acr_emulator::{ClusterSeed, Fault, RegistrySeed, Timing};
use libtest_mimic::Failed;
use std::time::Duration;
use tokio::time::Instant;

const HUB: &str = "registry-1.docker.io";
const OWN: &str = "myregistry.azurecr.io";

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [];
        on_emulator: [
            a_source_and_a_registry_that_are_not_reached_cost_an_import_at_most_five_seconds,
            many_images_of_hosts_that_are_not_reached_pay_for_them_once,
            what_was_not_reached_is_in_the_proof,
            a_registry_that_is_reached_again_is_looked_at_again,
            the_callers_own_sign_in_is_not_taken_for_a_registry_that_is_not_reached,
            an_image_that_replicas_do_not_show_yet_is_waited_for,
            an_image_that_replicas_never_show_is_not_proven_and_no_error,
            an_image_that_a_registry_without_replicas_does_not_show_is_an_error,
        ];
    }
}

/// How a host is not reached: nothing is heard of it, or its connections break.
fn silent(host: &str) -> Fault {
    Fault::on("*", host).delay(Duration::from_secs(24 * 3600)).times(9999)
}

fn broken(host: &str) -> Fault {
    Fault::on("*", host).reset().times(9999)
}

fn scene(faults: &[Fault]) -> Result<Scene, Failed> {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    for fault in faults {
        scene.azure.fault(fault.clone());
    }
    Ok(scene)
}

async fn a_source_and_a_registry_that_are_not_reached_cost_an_import_at_most_five_seconds() -> Checked {
    let begun = Instant::now();
    import(&scene(&[])?, as_v1()).await?;
    let usual = begun.elapsed();
    for faults in [
        vec![silent(HUB)],
        vec![silent("auth.docker.io")],
        vec![silent(OWN)],
        vec![silent(HUB), silent(OWN)],
        vec![broken(HUB), broken(OWN)],
        vec![broken("auth.docker.io"), silent(OWN)],
    ] {
        let scene = scene(&faults)?;
        let digest = scene.azure.digest(NGINX).unwrap_or_default();
        for source in [NGINX.to_owned(), format!("{NGINX}@{digest}")] {
            let options = as_v1().with_on_existing_tag(OnExistingTag::Replace);
            let begun = Instant::now();
            scene.client.import_image(&scene.by_id(), &source.parse()?, options).await?;
            let cost = begun.elapsed().saturating_sub(usual);
            assert!(cost <= Duration::from_secs(5), "{cost:?} more for {source} with {faults:?}");
        }
    }
    Ok(())
}

async fn many_images_of_hosts_that_are_not_reached_pay_for_them_once() -> Checked {
    for concurrency in [1, 4] {
        let mut took = Vec::new();
        for faults in [vec![], vec![silent(HUB), silent(OWN)]] {
            let scene = scene(&faults)?;
            let items = (0..12).map(|number| {
                let options = ImportOptions::default().with_target(format!("app{number}:v1"));
                Ok(ImportItem::new(NGINX.parse()?, options))
            });
            let items = items.collect::<aks_acr::Result<Vec<_>>>()?;
            let options = ImportManyOptions::default().with_concurrency(concurrency);
            let begun = Instant::now();
            let done = scene.client.import_images(&scene.by_id(), items, options).await?;
            took.push(begun.elapsed());
            assert!(done.iter().all(Result::is_ok), "{done:?}");
        }
        assert!(took[1] <= took[0] + Duration::from_secs(5), "{took:?}");
    }
    Ok(())
}

async fn what_was_not_reached_is_in_the_proof() -> Checked {
    let reason = |proof: ImportProof| match proof {
        ImportProof::TargetOnly { reason, .. } => ("target", reason),
        ImportProof::Unproven { reason } => ("none", reason),
        _ => ("both", String::new()),
    };
    for (faults, wanted, hosts) in [
        (vec![silent(HUB)], "target", vec!["docker.io"]),
        (vec![silent(OWN)], "none", vec![OWN]),
        (vec![broken(HUB), silent(OWN)], "none", vec!["docker.io", OWN]),
    ] {
        let (kind, said) = reason(import(&scene(&faults)?, as_v1()).await?.proof);
        assert_eq!(kind, wanted, "{said}");
        assert!(hosts.iter().all(|host| said.contains(host)) && said.contains("could not reach"), "{said}");
        assert!(!said.contains("requires the role"), "no role would help: {said}");
    }
    let scene = scene(&[silent(HUB), silent(OWN)])?;
    let begun = Instant::now();
    let started = scene.client.start_import(&scene.by_id(), &NGINX.parse()?, as_v1()).await?;
    assert!(matches!(started, StartedImport::Started { .. }) && begun.elapsed() <= Duration::from_secs(5));
    Ok(())
}

/// What is refused at once costs nothing, and the next look may see more.
async fn a_registry_that_is_reached_again_is_looked_at_again() -> Checked {
    let scene = scene(&[Fault::on("*", OWN).status(429).header("retry-after", "30")])?;
    let done = import(&scene, as_v1()).await?;
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
    Ok(())
}

/// A credential may be a program that takes its time, or a person.
async fn the_callers_own_sign_in_is_not_taken_for_a_registry_that_is_not_reached() -> Checked {
    let scene = scene(&[])?;
    let slow = Slow(scene.azure.credential());
    let client = crate::emulator::client(&scene.azure, std::sync::Arc::new(slow))?;
    let done = client.import_image(&scene.by_id(), &NGINX.parse()?, as_v1()).await?;
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
    Ok(())
}

/// A credential that takes ten seconds for a token.
#[derive(Debug)]
struct Slow(std::sync::Arc<dyn azure_core::credentials::TokenCredential>);

#[async_trait::async_trait]
impl azure_core::credentials::TokenCredential for Slow {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<azure_core::credentials::AccessToken> {
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.0.get_token(scopes, options).await
    }
}

fn replicated(lag: Duration, sku: &str) -> Result<Scene, Failed> {
    Scene::of(ClusterSeed::new(GROUP, CLUSTER), RegistrySeed::new(GROUP, REGISTRY).sku(sku).replicas_lag(lag))
}

async fn an_image_that_replicas_do_not_show_yet_is_waited_for() -> Checked {
    let scene = replicated(Duration::from_secs(90), "Premium")?;
    let begun = Instant::now();
    let done = import(&scene, as_v1()).await?;
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
    assert!(begun.elapsed() < Duration::from_secs(90 + 10 + 12), "{:?}", begun.elapsed());
    // A tag that is moved shows its old image for a while.
    scene.azure.push_image(NGINX, &["linux/riscv64"]);
    let moved = import(&scene, as_v1().with_on_existing_tag(OnExistingTag::Replace)).await?;
    assert!(matches!(moved.proof, ImportProof::SourceMatched { .. }), "{:?}", moved.proof);
    assert_eq!(scene.azure.digest(TARGET), scene.azure.digest(NGINX));
    let untagged = import(&scene, ImportOptions::default().with_untagged_repository("team/nginx")).await?;
    assert!(matches!(untagged.proof, ImportProof::SourceMatched { .. }), "{:?}", untagged.proof);
    Ok(())
}

async fn an_image_that_replicas_never_show_is_not_proven_and_no_error() -> Checked {
    let scene = replicated(Duration::from_secs(24 * 3600), "Premium")?;
    let done = import(&scene, as_v1()).await?;
    let ImportProof::Unproven { reason } = &done.proof else { return Err(format!("{:?}", done.proof).into()) };
    assert!(done.is_new && reason.contains("replicas") && reason.contains(TARGET), "{reason}");
    let call = aks_acr::CallOptions::default().with_deadline(Duration::from_secs(60));
    let soon = import(&scene, ImportOptions::default().with_target("nginx:v2").with_call(call)).await?;
    assert!(matches!(soon.proof, ImportProof::Unproven { .. }), "{:?}", soon.proof);
    Ok(())
}

async fn an_image_that_a_registry_without_replicas_does_not_show_is_an_error() -> Checked {
    let scene = replicated(Duration::from_secs(24 * 3600), "Basic")?;
    refused(import(&scene, as_v1()).await, ErrorKind::Unexpected)?;
    Ok(())
}
