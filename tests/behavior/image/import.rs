//! An import as a whole: looked at before and after.

use super::{TARGET, as_v1, import, made_registry, posts};
use crate::{
    backend::Backend,
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, NGINX, REGISTRY, Scene},
};
use aks_acr::{CallOptions, ErrorKind, Event, Import, ImportOptions, ImportProof, OnExistingTag};
use aks_acr_emulator::{Fault, RegistrySeed, Timing};
use libtest_mimic::Failed;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const IMPORT: &str = "Microsoft.ContainerRegistry/registries/importImage/action";

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [
            a_second_import_of_an_equal_image_copies_nothing,
        ];
        on_emulator: [
            an_import_whose_answer_was_lost_is_found_to_have_arrived,
            an_import_tells_its_tags_and_ends_when_all_is_copied,
            a_name_that_has_arrived_meanwhile_keeps_no_other_from_being_copied,
            a_tag_that_has_another_image_is_kept_unless_it_may_be_replaced,
            what_was_looked_at_is_what_is_imported,
            an_absent_source_is_not_found_and_nothing_is_begun,
            an_absent_registry_is_not_found,
            a_source_that_cannot_be_looked_at_is_imported_without_comparison,
            a_target_that_cannot_be_looked_at_is_not_proven,
            an_image_of_another_registry_is_imported_by_that_registrys_id,
            an_image_of_a_registry_that_does_not_let_the_caller_pull_is_forbidden,
            who_may_not_import_is_told_the_missing_right,
            the_smallest_role_for_an_import_is_enough,
            names_with_odd_letters_are_imported_as_they_are,
            an_import_without_a_target_keeps_the_sources_name,
            bad_names_are_refused_before_a_request,
        ];
    }
}

async fn a_second_import_of_an_equal_image_copies_nothing(backend: &dyn Backend) -> Checked {
    let registry = aks_acr::RegistryRef::from(&made_registry(backend).await?);
    let import = || {
        let options = ImportOptions::default().with_target("hello:v1");
        async { backend.client().import_image(&registry, &backend.public_image(), options).await }
    };
    let first = import().await?;
    let second = import().await?;
    assert_eq!((first.is_new, second.is_new), (true, false));
    assert_eq!(first.proof, second.proof);
    assert!(matches!(first.proof, ImportProof::SourceMatched { .. }), "{:?}", first.proof);
    Ok(())
}

async fn an_import_whose_answer_was_lost_is_found_to_have_arrived() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("POST", "/importImage").reset().after_effect());
    let done = import(&scene, as_v1()).await?;
    assert!(done.is_new && matches!(done.proof, ImportProof::SourceMatched { .. }));
    assert_eq!(posts(&scene), 1);
    Ok(())
}

async fn an_import_tells_its_tags_and_ends_when_all_is_copied() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::typical());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = heard.clone();
    let call = CallOptions::default().with_progress(move |event| {
        if let (Event::ImportingTag { tag, status }, Ok(mut sink)) = (event, sink.lock()) {
            sink.push(format!("{tag} {status}"));
        }
    });
    let done = import(&scene, as_v1().with_call(call)).await?;
    assert_eq!((done.source.to_string(), done.target.to_string()), (NGINX.to_owned(), TARGET.to_owned()));
    assert_eq!(heard.lock().map(|heard| heard.clone()).unwrap_or_default(), ["nginx:v1 Pending"], "each state once");
    assert_eq!(scene.azure.digest(TARGET), scene.azure.digest(NGINX));
    Ok(())
}

/// Azure copies nothing where one of the tags exists, whatever image it has.
async fn a_name_that_has_arrived_meanwhile_keeps_no_other_from_being_copied() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.azure.set_timing(Timing::none());
        import(&scene, as_v1()).await
    };
    let (both, one) = futures::join!(import(&scene, as_v1().with_additional_tag("web/nginx:stable")), meanwhile);
    assert!(one?.is_new && both?.is_new);
    assert_eq!(posts(&scene), 3);
    let digests = [TARGET, "myregistry.azurecr.io/web/nginx:stable"].map(|name| scene.azure.digest(name));
    assert!(digests[0].is_some() && digests[0] == digests[1], "{digests:?}");
    Ok(())
}

async fn a_tag_that_has_another_image_is_kept_unless_it_may_be_replaced() -> Checked {
    let scene = Scene::new()?;
    scene.azure.push_image(TARGET, &["windows/amd64"]);
    let before = scene.azure.digest(TARGET);
    refused(import(&scene, as_v1()).await, ErrorKind::Conflict)?;
    assert_eq!((scene.azure.digest(TARGET), posts(&scene)), (before, 0));
    let done = import(&scene, as_v1().with_on_existing_tag(OnExistingTag::Replace)).await?;
    assert!(done.is_new);
    assert_eq!(scene.azure.digest(TARGET), scene.azure.digest(NGINX));
    Ok(())
}

/// The source's tag moves between the look and the copy: what was seen is copied.
async fn what_was_looked_at_is_what_is_imported() -> Checked {
    let scene = Scene::new()?;
    let seen = scene.azure.digest(NGINX);
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(20)));
    let azure = scene.azure.clone();
    let (done, ()) = tokio::join!(import(&scene, as_v1()), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        azure.push_image(NGINX, &["linux/riscv64"]);
    });
    assert!(matches!(done?.proof, ImportProof::SourceMatched { .. }));
    assert_ne!(scene.azure.digest(NGINX), seen);
    assert_eq!(scene.azure.digest(TARGET), seen);
    Ok(())
}

async fn an_absent_source_is_not_found_and_nothing_is_begun() -> Checked {
    let scene = Scene::new()?;
    for source in ["nginx:none", "nosuch/image", "myregistry.azurecr.io/nosuch:v1"] {
        let options = ImportOptions::default().with_target("app:v1");
        refused(scene.client.import_image(&scene.by_id(), &source.parse()?, options).await, ErrorKind::NotFound)?;
    }
    assert_eq!(posts(&scene), 0);
    Ok(())
}

async fn an_absent_registry_is_not_found() -> Checked {
    let scene = Scene::new()?;
    let absent = "absentregistry".parse()?;
    refused(scene.client.import_image(&absent, &"nginx".parse()?, as_v1()).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn a_source_that_cannot_be_looked_at_is_imported_without_comparison() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("*", "registry-1.docker.io").status(429).header("retry-after", "900").times(99));
    let done = import(&scene, as_v1()).await?;
    let ImportProof::TargetOnly { digest, .. } = done.proof else { return Err(format!("{:?}", done.proof).into()) };
    assert_eq!(Some(digest.to_string()), scene.azure.digest(NGINX));
    Ok(())
}

async fn a_target_that_cannot_be_looked_at_is_not_proven() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).public_network_disabled())?;
    let done = import(&scene, as_v1()).await?;
    assert!(matches!(done.proof, ImportProof::Unproven { .. }), "{:?}", done.proof);
    Ok(())
}

/// A second registry with an image, and the roles of a caller there.
async fn import_from_other(scene: &Scene, roles: &[(&str, &str)]) -> Result<aks_acr::Result<Import>, Failed> {
    let source = "otherregistry.azurecr.io/team/app:v7";
    let _ = scene.azure.clone().with_registry("other", "otherregistry").with_image(source, &["linux/amd64"]);
    let client = scene.caller(roles)?;
    Ok(client.import_image(&scene.by_id(), &source.parse()?, ImportOptions::default()).await)
}

async fn an_image_of_another_registry_is_imported_by_that_registrys_id() -> Checked {
    let scene = Scene::new()?;
    let done = import_from_other(&scene, &[("Owner", &scene.everything())]).await??;
    assert_eq!(done.target.to_string(), "myregistry.azurecr.io/team/app:v7");
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }));
    Ok(())
}

async fn an_image_of_a_registry_that_does_not_let_the_caller_pull_is_forbidden() -> Checked {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_custom_role("Finder", &["Microsoft.ContainerRegistry/registries/read"], &[]);
    let importer = ("Container Registry Data Importer and Data Reader", scene.registry().as_str());
    let everything = scene.everything();
    let err = refused(import_from_other(&scene, &[("Finder", &everything), importer]).await?, ErrorKind::Forbidden)?;
    assert!(format!("{err:#}").contains("denied"), "{err:#}");
    Ok(())
}

async fn who_may_not_import_is_told_the_missing_right() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything()), ("AcrPush", &scene.everything())])?;
    let result = client.import_image(&scene.by_id(), &"nginx".parse()?, as_v1()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    assert_eq!((err.missing_action(), err.scope()), (Some(IMPORT), Some(scene.registry().as_str())));
    assert_eq!((err.smallest_role(), posts(&scene)), (Some("Container Registry Data Importer and Data Reader"), 1));
    Ok(())
}

async fn the_smallest_role_for_an_import_is_enough() -> Checked {
    let scene = Scene::new()?;
    let role = "Container Registry Data Importer and Data Reader";
    let client = scene.caller(&[(role, scene.registry().as_str())])?;
    let done = client.import_image(&scene.by_id(), &"nginx".parse()?, as_v1()).await?;
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
    Ok(())
}

async fn names_with_odd_letters_are_imported_as_they_are() -> Checked {
    let scene = Scene::new()?;
    let source = "quay.example/a/b-c/d__e.f:V1.0_RC-2";
    scene.azure.push_image(source, &["linux/amd64"]);
    let done = scene.client.import_image(&scene.by_id(), &source.parse()?, ImportOptions::default()).await?;
    assert_eq!(done.target.to_string(), "myregistry.azurecr.io/a/b-c/d__e.f:V1.0_RC-2");
    assert_eq!(scene.azure.digest(&done.target.to_string()), scene.azure.digest(source));
    Ok(())
}

async fn an_import_without_a_target_keeps_the_sources_name() -> Checked {
    let scene = Scene::new()?;
    let digest = some(scene.azure.digest(NGINX), "digest")?;
    let named = format!("nginx:stable@{digest}").parse()?;
    let done = scene.client.import_image(&scene.by_id(), &named, ImportOptions::default()).await?;
    assert_eq!(done.target.to_string(), "myregistry.azurecr.io/library/nginx:stable");
    let alone = format!("nginx@{digest}").parse()?;
    let result = scene.client.import_image(&scene.by_id(), &alone, ImportOptions::default()).await;
    refused(result, ErrorKind::InvalidInput)?;
    assert!(scene.client.import_image(&scene.by_id(), &alone, as_v1()).await?.is_new);
    Ok(())
}

async fn bad_names_are_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    for target in ["", "nginx", "nginx:", "Nginx:v1", "a b:1", "x/../y:1", ":v1", "nginx@sha256:00"] {
        let options = ImportOptions::default().with_target(target);
        refused(import(&scene, options).await, ErrorKind::InvalidInput)?;
    }
    let elsewhere = "myregistry.azurecr.cn/app:v1".parse()?;
    refused(scene.client.import_image(&scene.by_id(), &elsewhere, as_v1()).await, ErrorKind::InvalidInput)?;
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}
