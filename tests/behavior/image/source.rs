//! Imports from every form of source, under several names and under none; and whose fault a failure is.

use super::{as_v1, import, posts};
use crate::{
    backend::Backend,
    case::{Case, Checked, cases, refused, some},
    emulator::{NGINX, Scene},
};
use aks_acr::{
    CallOptions, ErrorKind, ImageReference, ImportCredentials, ImportOptions, ImportProof, ImportSide, ImportStatus,
    OnExistingTag, RegistryRef, StartedImport,
};
use aks_acr_emulator::{Fault, RegistrySeed, Timing};
use azure_core::credentials::Secret;
use serde_json::json;
use std::time::Duration;

/// A registry that the caller of the scene is nothing at: it is in another subscription.
const PRIVATE: &str = "farregistry.azurecr.io/team/app:v7";
const OTHER: &str = "5b5b5b5b-0000-4000-8000-000000000005";

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [];
        on_emulator: [
            an_image_gets_every_name_that_was_given,
            only_the_names_that_lack_the_image_are_imported,
            one_name_with_another_image_keeps_all_as_they_are,
            an_image_without_a_tag_is_known_by_its_digest,
            an_untagged_import_needs_a_digest,
            a_private_source_is_imported_with_a_users_password,
            a_private_source_is_imported_with_a_token_alone,
            wrong_credentials_are_the_sources_refusal_and_in_no_error,
            a_source_of_another_subscription_is_named_by_its_resource_id,
            a_source_registry_that_was_named_and_is_absent_is_the_sources_fault,
            credentials_and_a_source_registry_contradict_each_other,
            a_failure_says_on_which_side_the_fault_lies,
            an_import_is_begun_and_looked_at_later,
            a_begun_import_of_what_is_there_begins_nothing,
        ];
    }
}

fn digest(scene: &Scene, image: &str) -> Result<String, libtest_mimic::Failed> {
    some(scene.azure.digest(image), image)
}

async fn an_image_gets_every_name_that_was_given() -> Checked {
    let scene = Scene::new()?;
    let options = as_v1()
        .with_additional_tag("web/nginx:stable")
        .with_additional_tag("nginx:v1")
        .with_untagged_repository("archive/nginx");
    let done = import(&scene, options.clone()).await?;
    let wanted = digest(&scene, NGINX)?;
    let also: Vec<String> = done.additional_tags.iter().map(ToString::to_string).collect();
    assert_eq!(
        also,
        ["myregistry.azurecr.io/web/nginx:stable", &format!("myregistry.azurecr.io/archive/nginx@{wanted}")]
    );
    assert_eq!(digest(&scene, "myregistry.azurecr.io/nginx:v1")?, wanted);
    assert_eq!(digest(&scene, "myregistry.azurecr.io/web/nginx:stable")?, wanted);
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }));
    assert_eq!((posts(&scene), import(&scene, options).await?.is_new, posts(&scene)), (1, false, 1));
    Ok(())
}

/// Azure fails a whole import for one tag that exists, also where it has the very image.
async fn only_the_names_that_lack_the_image_are_imported() -> Checked {
    let scene = Scene::new()?;
    import(&scene, as_v1()).await?;
    let done = import(&scene, as_v1().with_additional_tag("nginx:v2")).await?;
    assert!(done.is_new);
    assert_eq!(digest(&scene, "myregistry.azurecr.io/nginx:v2")?, digest(&scene, NGINX)?);
    Ok(())
}

async fn one_name_with_another_image_keeps_all_as_they_are() -> Checked {
    let scene = Scene::new()?;
    scene.azure.push_image("myregistry.azurecr.io/nginx:v2", &["windows/amd64"]);
    let options = || as_v1().with_additional_tag("nginx:v2");
    let err = refused(import(&scene, options()).await, ErrorKind::Conflict)?;
    assert_eq!((err.failed_side(), posts(&scene)), (Some(ImportSide::Target), 0));
    import(&scene, options().with_on_existing_tag(OnExistingTag::Replace)).await?;
    assert_eq!(digest(&scene, "myregistry.azurecr.io/nginx:v2")?, digest(&scene, NGINX)?);
    Ok(())
}

async fn an_image_without_a_tag_is_known_by_its_digest() -> Checked {
    let scene = Scene::new()?;
    let options = ImportOptions::default().with_untagged_repository("team/nginx");
    let done = import(&scene, options.clone()).await?;
    assert_eq!(done.target.to_string(), format!("myregistry.azurecr.io/team/nginx@{}", digest(&scene, NGINX)?));
    assert_eq!(scene.azure.digest("myregistry.azurecr.io/team/nginx:latest"), None, "no tag was made");
    assert!(!import(&scene, options).await?.is_new);
    Ok(())
}

async fn an_untagged_import_needs_a_digest() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("*", "registry-1.docker.io").status(403).times(99));
    let options = ImportOptions::default().with_untagged_repository("team/nginx");
    refused(import(&scene, options.clone()).await, ErrorKind::InvalidInput)?;
    let named: ImageReference = format!("nginx@{}", digest(&scene, NGINX)?).parse()?;
    assert!(scene.client.import_image(&scene.by_id(), &named, options).await?.is_new);
    Ok(())
}

/// A registry in another subscription, with an image, and a user who may pull it.
fn private_source() -> Result<(Scene, String, String), libtest_mimic::Failed> {
    let scene = Scene::new()?;
    let seed = RegistrySeed::new("far", "farregistry").in_subscription(OTHER);
    let azure =
        scene.azure.clone().with_subscription(OTHER).with_registry_of(seed).with_image(PRIVATE, &["linux/amd64"]);
    let id = azure.registry_id("far", "farregistry").replace(azure.subscription(), OTHER);
    let azure = azure.with_caller("puller", &[("AcrPull", &id)]);
    let (user, password) = azure.client_secret_of("puller");
    Ok((scene, user, password))
}

async fn a_private_source_is_imported_with_a_users_password() -> Checked {
    let (scene, user, password) = private_source()?;
    let importer = scene.caller(&[("Container Registry Data Importer and Data Reader", scene.registry().as_str())])?;
    let source = PRIVATE.parse()?;
    let without = importer.import_image(&scene.by_id(), &source, ImportOptions::default()).await;
    assert_eq!(refused(without, ErrorKind::Forbidden)?.failed_side(), Some(ImportSide::Source));
    let credentials = ImportCredentials::user(user, Secret::from(password));
    let options = ImportOptions::default().with_credentials(credentials);
    let done = importer.import_image(&scene.by_id(), &source, options).await?;
    assert!(matches!(done.proof, ImportProof::TargetOnly { .. }), "{:?}", done.proof);
    assert_eq!(digest(&scene, "myregistry.azurecr.io/team/app:v7")?, digest(&scene, PRIVATE)?);
    Ok(())
}

async fn a_private_source_is_imported_with_a_token_alone() -> Checked {
    let (scene, ..) = private_source()?;
    let puller = scene.azure.credential_of("puller");
    let token = puller.get_token(&["https://containerregistry.azure.net/.default"], None).await?;
    let credentials = ImportCredentials::token(token.token);
    let options = ImportOptions::default().with_credentials(credentials);
    assert!(scene.client.import_image(&scene.by_id(), &PRIVATE.parse()?, options).await?.is_new);
    Ok(())
}

async fn wrong_credentials_are_the_sources_refusal_and_in_no_error() -> Checked {
    let (scene, user, _) = private_source()?;
    let credentials = ImportCredentials::user(user, Secret::from("hunter2-is-wrong"));
    let options = ImportOptions::default().with_credentials(credentials);
    assert!(!format!("{options:?}").contains("hunter2"));
    let err =
        refused(scene.client.import_image(&scene.by_id(), &PRIVATE.parse()?, options).await, ErrorKind::Forbidden)?;
    assert_eq!(err.failed_side(), Some(ImportSide::Source));
    assert!(!format!("{err:#} {err:?}").contains("hunter2"));
    Ok(())
}

async fn a_source_of_another_subscription_is_named_by_its_resource_id() -> Checked {
    let (scene, ..) = private_source()?;
    let id = scene.azure.registry_id("far", "farregistry").replace(scene.azure.subscription(), OTHER);
    let by_id: RegistryRef = id.parse()?;
    let options = ImportOptions::default().with_source_registry(by_id);
    let done = scene.client.import_image(&scene.by_id(), &PRIVATE.parse()?, options).await?;
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
    let by_name: RegistryRef = "farregistry".parse::<RegistryRef>()?.in_subscription(OTHER.parse()?);
    let options = ImportOptions::default().with_target("again:v1").with_source_registry(by_name);
    assert!(scene.client.import_image(&scene.by_id(), &PRIVATE.parse()?, options).await?.is_new);
    Ok(())
}

async fn a_source_registry_that_was_named_and_is_absent_is_the_sources_fault() -> Checked {
    let scene = Scene::new()?;
    let options = as_v1().with_source_registry("absent1".parse()?);
    let err = refused(import(&scene, options).await, ErrorKind::NotFound)?;
    assert_eq!((err.failed_side(), posts(&scene)), (Some(ImportSide::Source), 0));
    let err = scene.client.import_image(&"absent1".parse()?, &"nginx".parse()?, as_v1()).await;
    assert_eq!(refused(err, ErrorKind::NotFound)?.failed_side(), Some(ImportSide::Target));
    Ok(())
}

async fn credentials_and_a_source_registry_contradict_each_other() -> Checked {
    let scene = Scene::new()?;
    let credentials = ImportCredentials::token(Secret::from("t"));
    let options = as_v1().with_credentials(credentials).with_source_registry("myregistry".parse()?);
    refused(import(&scene, options).await, ErrorKind::InvalidInput)?;
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn a_failure_says_on_which_side_the_fault_lies() -> Checked {
    for (text, kind, failed_side) in [
        ("Tag nginx:v1 already exists in target registry.", ErrorKind::Conflict, Some(ImportSide::Target)),
        ("Unable to find manifest digest  Repo: r Tag: t Manifest:", ErrorKind::NotFound, Some(ImportSide::Source)),
        (
            "StatusCode: 429 TOOMANYREQUESTS unauthenticated pull rate limit",
            ErrorKind::RateLimited,
            Some(ImportSide::Source),
        ),
        ("Access to quay.io denied.", ErrorKind::Forbidden, Some(ImportSide::Source)),
        ("No value specified for Docker-Content-Digest", ErrorKind::OperationFailed, Some(ImportSide::Source)),
        ("Error copying blobs", ErrorKind::OperationFailed, None),
        ("something that nobody has seen", ErrorKind::OperationFailed, None),
    ] {
        let scene = Scene::new()?;
        let body = json!({ "error": { "code": "BadRequest", "message": text } });
        scene.azure.fault(Fault::on("GET", "/operationResults/").status(400).body(body));
        let source = "quay.example/a/b:1";
        scene.azure.push_image(source, &["linux/amd64"]);
        scene.azure.fault(Fault::on("HEAD", "quay.example").status(403).times(99));
        let failed = scene.client.import_image(&scene.by_id(), &source.parse()?, as_v1()).await;
        assert_eq!(refused(failed, kind)?.failed_side(), failed_side, "{text}");
    }
    Ok(())
}

async fn an_import_is_begun_and_looked_at_later() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let (to, source) = (scene.by_id(), "nginx".parse()?);
    let options = as_v1().with_untagged_repository("team/nginx");
    let StartedImport::Started { handle } = scene.client.start_import(&to, &source, options).await? else {
        return Err("nothing was begun".into());
    };
    assert_eq!(handle.targets, ["nginx:v1", "team/nginx"]);
    let stored = serde_json::to_string(&handle)?;
    let mut later = serde_json::from_str(&stored)?;
    let look = || CallOptions::default();
    let ImportStatus::Running { tags } = scene.client.poll_import(&mut later, look()).await? else {
        return Err("it was done at once".into());
    };
    assert_eq!(tags.get("nginx:v1").map(String::as_str), Some("Pending"));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(scene.client.poll_import(&mut later, look()).await?, ImportStatus::Succeeded);
    assert_eq!(digest(&scene, "myregistry.azurecr.io/nginx:v1")?, digest(&scene, NGINX)?);
    Ok(())
}

async fn a_begun_import_of_what_is_there_begins_nothing() -> Checked {
    let scene = Scene::new()?;
    import(&scene, as_v1()).await?;
    let started = scene.client.start_import(&scene.by_id(), &"nginx".parse()?, as_v1()).await?;
    let StartedImport::AlreadyExists { import } = started else { return Err("it was begun again".into()) };
    assert_eq!((import.is_new, posts(&scene)), (false, 1));
    Ok(())
}
