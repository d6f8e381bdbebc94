//! The repositories of a registry, counted.

use crate::{
    backend::{Backend as _, call},
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, REGISTRY, Scene},
};
use aks_acr::{Client, ErrorKind};
use aks_acr_emulator::{Fault, RegistrySeed};
use serde_json::json;

const CATALOG: &str = "Container Registry Repository Catalog Lister";

pub fn cases() -> Vec<Case> {
    cases! { "catalog";
        everywhere: [];
        on_emulator: [
            an_empty_registry_has_no_repositories,
            every_page_is_counted_with_one_sign_in,
            a_registry_with_repository_permissions_asks_for_a_role_of_its_own,
            a_caller_who_may_not_list_is_forbidden,
            a_firewall_is_no_missing_right,
            what_is_no_list_is_an_error_and_not_an_empty_one,
            a_list_that_does_not_end_is_an_error,
        ];
    }
}

async fn count(scene: &Scene, client: &Client) -> Result<aks_acr::Result<u32>, libtest_mimic::Failed> {
    let registry = some(scene.client.registry_importer().find(&scene.by_id(), &call()).await?, "the registry")?;
    Ok(client.registry_importer().repository_count(&registry, &call()).await)
}

fn push(scene: &Scene, repositories: usize) {
    for number in 0..repositories {
        scene.azure.push_image(&format!("{REGISTRY}.azurecr.io/team/app{number}:v1"), &["linux/amd64"]);
    }
}

fn pages(scene: &Scene) -> usize {
    scene.sent(|request| request.path.ends_with("/_catalog")).len()
}

async fn an_empty_registry_has_no_repositories() -> Checked {
    let scene = Scene::new()?;
    assert_eq!(count(&scene, &scene.client).await??, 0);
    scene.azure.fault(Fault::on("GET", "/_catalog").status(200).body(json!({ "repositories": null })));
    assert_eq!(count(&scene, &scene.client).await??, 0);
    Ok(())
}

async fn every_page_is_counted_with_one_sign_in() -> Checked {
    let scene = Scene::new()?;
    push(&scene, 1203);
    assert_eq!(count(&scene, &scene.client).await??, 1203);
    // The first one is answered with the way to a token.
    assert_eq!(pages(&scene), 3);
    assert_eq!(scene.sent(|request| request.path.starts_with("/oauth2/")).len(), 2);
    Ok(())
}

async fn a_registry_with_repository_permissions_asks_for_a_role_of_its_own() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    push(&scene, 2);
    let owner = refused(count(&scene, &scene.client).await?, ErrorKind::Forbidden)?;
    assert_eq!(owner.missing_action(), Some("Microsoft.ContainerRegistry/registries/catalog/read"), "{owner}");
    assert_eq!(owner.smallest_role(), Some(CATALOG));
    let lister = scene.caller(&[(CATALOG, scene.registry().as_str())])?;
    assert_eq!(count(&scene, &lister).await??, 2);
    Ok(())
}

async fn a_caller_who_may_not_list_is_forbidden() -> Checked {
    let scene = Scene::new()?;
    let sees = scene.caller_who_may(&["Microsoft.ContainerRegistry/registries/read"])?;
    let err = refused(count(&scene, &sees).await?, ErrorKind::Forbidden)?;
    assert!(err.to_string().contains("(registry: myregistry.azurecr.io"), "{err}");
    assert!(err.to_string().contains("rejects the sign-in of a caller without a role"), "{err}");
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerRegistry/registries/pull/read"));
    assert_eq!(err.scope(), Some(scene.registry().as_str()));
    let puller = scene.caller(&[("AcrPull", scene.registry().as_str())])?;
    assert_eq!(count(&scene, &puller).await??, 0);
    Ok(())
}

async fn a_firewall_is_no_missing_right() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).property("publicNetworkAccess", "Disabled"))?;
    let err = refused(count(&scene, &scene.client).await?, ErrorKind::Forbidden)?;
    assert_eq!((err.status(), err.missing_action()), (Some(403), None), "{err}");
    Ok(())
}

async fn what_is_no_list_is_an_error_and_not_an_empty_one() -> Checked {
    let scene = Scene::new()?;
    for body in [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({ "repositories": "app" }),
        json!({ "repositories": [1] }),
    ] {
        scene.azure.fault(Fault::on("GET", "/_catalog").status(200).body(body));
        refused(count(&scene, &scene.client).await?, ErrorKind::Unexpected)?;
    }
    scene.azure.fault(Fault::on("GET", "/_catalog").status(404));
    refused(count(&scene, &scene.client).await?, ErrorKind::Unexpected)?;
    Ok(())
}

/// A page whose last name is that of the page before.
async fn a_list_that_does_not_end_is_an_error() -> Checked {
    let scene = Scene::new()?;
    let body = json!({ "repositories": ["app"] });
    let link = "</acr/v1/_catalog?last=app&n=1000>; rel=\"next\"";
    scene.azure.fault(Fault::on("GET", "/_catalog").status(200).header("link", link).body(body).times(9));
    refused(count(&scene, &scene.client).await?, ErrorKind::Unexpected)?;
    assert!(pages(&scene) < 4);
    Ok(())
}
