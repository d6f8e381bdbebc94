//! A look at an image.

use super::{TARGET, made_registry};
use crate::{
    backend::{Backend, call, random_name},
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, HELLO, NGINX, REGISTRY, Scene},
};
use aks_acr::ErrorKind;
use aks_acr_emulator::RegistrySeed;

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [
            image_of_what_does_not_exist_is_none,
        ];
        on_emulator: [
            image_looks_at_any_registry_with_a_name_at_azures_and_without_one_elsewhere,
            image_of_who_may_not_pull_is_forbidden,
            image_behind_a_firewall_is_forbidden,
        ];
    }
}

async fn image_of_what_does_not_exist_is_none(backend: &dyn Backend) -> Checked {
    let registry = made_registry(backend).await?;
    let importer = backend.client().registry_importer();
    let absent = format!("{}/{}:v1", registry.login_server, random_name("absent"));
    assert_eq!(importer.image(&absent.parse()?, &call()).await?, None);
    assert!(importer.image(&backend.public_image(), &call()).await?.is_some());
    Ok(())
}

async fn image_looks_at_any_registry_with_a_name_at_azures_and_without_one_elsewhere() -> Checked {
    let scene = Scene::new()?;
    scene.azure.push_image(TARGET, &["linux/amd64"]);
    for name in [TARGET, NGINX, HELLO] {
        let image = scene.client.registry_importer().image(&name.parse()?, &call()).await?;
        assert_eq!(Some(some(image, name)?.digest.to_string()), scene.azure.digest(name), "{name}");
    }
    let tokens = |host: &str| scene.sent(|request| request.host == host && request.path.contains("/oauth2/")).len();
    assert_eq!(tokens("myregistry.azurecr.io"), 2, "an exchange and a token");
    assert_eq!(scene.sent(|request| request.host.ends_with("docker.io") && request.caller.is_some()), []);
    assert_eq!(scene.sent(|request| request.host == "mcr.microsoft.com").len(), 1);
    Ok(())
}

async fn image_of_who_may_not_pull_is_forbidden() -> Checked {
    let scene = Scene::new()?;
    scene.azure.push_image(TARGET, &["linux/amd64"]);
    let client = scene.caller(&[])?;
    refused(client.registry_importer().image(&TARGET.parse()?, &call()).await, ErrorKind::Forbidden)?;
    Ok(())
}

async fn image_behind_a_firewall_is_forbidden() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).public_network_disabled())?;
    let err = refused(scene.client.registry_importer().image(&TARGET.parse()?, &call()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.status(), Some(403));
    Ok(())
}
