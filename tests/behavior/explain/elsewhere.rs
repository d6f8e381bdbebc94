//! Registries that an explanation does not find by their login servers, such as those of another tenant.

use super::{deployed, only, some_time};
use crate::{
    case::{Checked, refused, some},
    emulator::{CLUSTER, GROUP, Scene, deployment},
};
use aks_acr::{ErrorKind, ExplainOptions, Explanation, FindingId, ProvePullOptions, RegistryRef};
use aks_acr_emulator::RegistrySeed;
use libtest_mimic::Failed;
use std::time::Duration;

const FOREIGN: &str = "77777777-7777-7777-7777-777777777777";
const TENANT: &str = "88888888-8888-8888-8888-888888888888";
const IMAGE: &str = "farregistry.azurecr.io/team/app:v1";

/// A registry of another tenant, and pods that cannot pull from it.
async fn scene() -> Result<(Scene, RegistryRef), Failed> {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_foreign_subscription(FOREIGN, TENANT);
    let seed = RegistrySeed::new("hub", "farregistry").sku("Premium").in_subscription(FOREIGN);
    let _ = azure.with_registry_of(seed).with_image(IMAGE, &["linux/amd64"]);
    let group = format!("/subscriptions/{FOREIGN}/resourceGroups/hub/providers");
    let registry = format!("{group}/Microsoft.ContainerRegistry/registries/farregistry").parse()?;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    some_time().await;
    Ok((scene, registry))
}

async fn explain(scene: &Scene, registry: Option<&RegistryRef>) -> aks_acr::Result<Explanation> {
    let options = registry.cloned().into_iter().fold(ExplainOptions::default(), ExplainOptions::with_registry);
    scene.client.explain(&scene.cluster, &"web".parse()?, options).await
}

/// The options that would answer what is unknown.
fn options(report: &aks_acr::Report) -> Vec<&str> {
    report.findings.iter().flat_map(|one| &one.needs).filter_map(|need| need.option.as_deref()).collect()
}

pub async fn a_registry_of_another_tenant_is_named_by_its_id() -> Checked {
    let (scene, registry) = scene().await?;
    let explanation = explain(&scene, None).await?;
    let report = &only(&explanation)?.report;
    assert_eq!(report.root_cause, Some(FindingId::NO_CREDENTIAL), "{explanation}");
    assert_eq!(options(report), ["registries"], "{explanation}");
    let explanation = explain(&scene, Some(&registry)).await?;
    assert_eq!(explanation.root_cause, Some(FindingId::REGISTRY_OTHER_TENANT), "{explanation}");
    // A proof explains a failed pull in the same way.
    for named in [None, Some(registry)] {
        let is_named = named.is_some();
        let proving = named.into_iter().fold(ProvePullOptions::default(), ProvePullOptions::with_registry);
        let proving = proving.with_propagation_timeout(Duration::from_secs(20));
        let proof = scene.client.prove_pull(&scene.cluster, &IMAGE.parse()?, proving).await?;
        let report = some(proof.pools.first().and_then(|pool| pool.report.as_ref()), "a report")?;
        let wanted = if is_named { FindingId::REGISTRY_OTHER_TENANT } else { FindingId::NO_CREDENTIAL };
        assert_eq!(report.root_cause, Some(wanted), "{proof}");
        assert_eq!(options(report).contains(&"registry"), !is_named, "{proof}");
    }
    Ok(())
}

/// A name is searched as any other registry: in another subscription that the caller can see, it is found.
pub async fn a_registry_that_is_given_by_its_name_is_searched() -> Checked {
    const OTHER: &str = "00000000-0000-0000-0000-00000000d0d0";
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_subscription(OTHER).with_group("hub", "westeurope");
    let _ = azure.with_registry_of(RegistrySeed::new("hub", "farregistry").in_subscription(OTHER));
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    some_time().await;
    for named in [None, Some("farregistry"), Some("farregistry.azurecr.io")] {
        let named: Option<RegistryRef> = named.map(str::parse).transpose()?;
        let explanation = explain(&scene, named.as_ref()).await?;
        assert_eq!(explanation.root_cause, Some(FindingId::GRANT_MISSING), "{named:?}: {explanation}");
    }
    Ok(())
}

/// A name that is the first label of another login server is an error, not another registry's answer.
pub async fn a_registry_with_another_login_server_is_refused() -> Checked {
    let scene = Scene::new()?;
    let azure = scene.azure.clone();
    let seed = RegistrySeed::new(GROUP, "twins12345").login_server("twins12345-e5f2d9a8b7c6h3j1.azurecr.io");
    let azure = azure.with_registry_of(seed);
    let explanation = deployed(&scene, "twins12345.azurecr.io/team/app:v1").await?;
    assert_eq!(explanation.groups.len(), 1, "{explanation}");
    let named: RegistryRef = azure.registry_id(GROUP, "twins12345").parse()?;
    let err = refused(explain(&scene, Some(&named)).await, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("twins12345-e5f2d9a8b7c6h3j1.azurecr.io"), "{err}");
    // One that no image is from is not read.
    let other: RegistryRef = azure.registry_id(GROUP, "nobody12345").parse()?;
    let explanation = explain(&scene, Some(&other)).await?;
    assert_eq!(explanation.groups.len(), 1, "{CLUSTER}: {explanation}");
    Ok(())
}
