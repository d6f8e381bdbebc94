//! What the name of a source means: where it is, and which server is asked for what.

use super::{as_v1, posts};
use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, Scene},
};
use aks_acr::{ErrorKind, ImportItem, ImportManyOptions, ImportOptions, ImportProof, RegistryRef};
use aks_acr_emulator::{Fault, RegistrySeed};

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [];
        on_emulator: [
            a_source_without_a_host_is_that_of_the_named_registry_as_it_was_typed,
            a_named_registry_that_the_caller_may_not_look_at_is_imported_from_all_the_same,
            a_regional_host_is_that_of_the_registry_itself,
            a_source_that_azure_cannot_mean_is_refused_before_a_request,
            a_list_from_one_registry_looks_for_it_once,
        ];
    }
}

/// The registry `other1` in the same group, with `app:v1` and another image as `library/app:v1`.
fn with_other() -> Result<(Scene, RegistryRef), libtest_mimic::Failed> {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_registry_of(RegistrySeed::new(GROUP, "other1"));
    azure.push_image("other1.azurecr.io/app:v1", &["linux/amd64"]);
    azure.push_image("other1.azurecr.io/library/app:v1", &["linux/arm64"]);
    let id = azure.registry_id(GROUP, "other1").parse()?;
    Ok((scene, id))
}

async fn a_source_without_a_host_is_that_of_the_named_registry_as_it_was_typed() -> Checked {
    let (scene, by_id) = with_other()?;
    for (from, number) in [by_id, "other1".parse()?, "other1.azurecr.io".parse()?].into_iter().zip(1..) {
        for source in ["app:v1", "library/app:v1"] {
            let target = format!("{source}-{number}");
            let options = ImportOptions::default().with_target(&target).with_source_registry(from.clone());
            let done = scene.client.import_image(&scene.by_id(), &source.parse()?, options).await?;
            assert_eq!(done.source.to_string(), format!("other1.azurecr.io/{source}"));
            assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
            let there = scene.azure.digest(&format!("myregistry.azurecr.io/{target}"));
            assert_eq!(some(there, &target)?, some(scene.azure.digest(&done.source.to_string()), source)?);
        }
    }
    let options = ImportOptions::default().with_source_registry("other1".parse()?);
    let done = scene.client.import_image(&scene.by_id(), &"app:v1".parse()?, options).await?;
    assert_eq!(done.target.to_string(), "myregistry.azurecr.io/app:v1", "the name that it has there");
    assert!(scene.sent(|one| one.host.ends_with("docker.io")).is_empty());
    Ok(())
}

async fn a_named_registry_that_the_caller_may_not_look_at_is_imported_from_all_the_same() -> Checked {
    let (scene, by_id) = with_other()?;
    scene.azure.fault(Fault::on("GET", "/registries/other1").status(403).times(9));
    let options = as_v1().with_source_registry(by_id);
    let done = scene.client.import_image(&scene.by_id(), &"app:v1".parse()?, options).await?;
    assert!(matches!(done.proof, ImportProof::TargetOnly { .. }), "{:?}", done.proof);
    assert_eq!(scene.azure.digest("myregistry.azurecr.io/nginx:v1"), scene.azure.digest("other1.azurecr.io/app:v1"));
    assert!(scene.sent(|one| one.host == "other1.azurecr.io").is_empty(), "whose host it is, is not known");
    Ok(())
}

async fn a_regional_host_is_that_of_the_registry_itself() -> Checked {
    let (scene, _) = with_other()?;
    let source = "other1.WestEurope.geo.azurecr.io/app:v1".parse()?;
    let done = scene.client.import_image(&scene.by_id(), &source, as_v1()).await?;
    assert_eq!(done.source.to_string(), "other1.azurecr.io/app:v1");
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
    let to = "myregistry.westeurope.geo.azurecr.io".parse()?;
    assert!(!scene.client.import_image(&to, &source, as_v1()).await?.is_new);
    Ok(())
}

async fn a_source_that_azure_cannot_mean_is_refused_before_a_request() -> Checked {
    let (scene, by_id) = with_other()?;
    let from_other = || as_v1().with_source_registry(by_id.clone());
    for (source, options, word) in [
        ("abc.azurecr.io/x", as_v1(), "5 to 50"),
        ("other1.azurecr.io:443/x", as_v1(), "other1.azurecr.io:443"),
        ("localhost:5000/x", as_v1(), "without a dot"),
        ("localhost/x", as_v1(), "without a dot"),
        ("[::1]:5000/x", as_v1(), "without a dot"),
        ("docker.io/library/app:v1", from_other(), "not an Azure registry"),
        ("ghcr.io/a/app:v1", from_other(), "not an Azure registry"),
        ("other1.azurecr.cn/app:v1", from_other(), "another cloud"),
        ("other2.azurecr.io/app:v1", from_other(), "different registries"),
        ("other12.azurecr.io/app:v1", from_other(), "different registries"),
    ] {
        let source = source.parse()?;
        let err = scene.client.import_image(&scene.by_id(), &source, options.clone()).await;
        let err = refused(err, ErrorKind::InvalidInput)?;
        assert!(err.to_string().contains(word), "{source}: {err}");
        let items = vec![ImportItem::new(source, options)];
        let list = scene.client.import_images(&scene.by_id(), items, ImportManyOptions::default()).await;
        refused(list, ErrorKind::InvalidInput)?;
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn a_list_from_one_registry_looks_for_it_once() -> Checked {
    let (scene, _) = with_other()?;
    let mut items = Vec::new();
    for number in 0..10 {
        let source = format!("other1.azurecr.io/team/app:v{number}");
        scene.azure.push_image(&source, &["linux/amd64"]);
        items.push(ImportItem::new(source.parse()?, ImportOptions::default()));
    }
    for done in scene.client.import_images(&"myregistry".parse()?, items, ImportManyOptions::default()).await? {
        assert!(done?.is_new);
    }
    let lists = scene.sent(|one| one.method == "GET" && one.path.ends_with("/registries")).len();
    assert_eq!((lists, posts(&scene)), (2, 10), "one for the target, one for the source");
    Ok(())
}
