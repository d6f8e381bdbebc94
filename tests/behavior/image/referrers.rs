//! What refers to an image, such as signatures and SBOMs: imported with it, or reported as left behind.

use super::{TARGET, as_v1, import, posts};
use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{NGINX, Scene},
};
use aks_acr::{
    ErrorKind, ImportCredentials, ImportItem, ImportManyOptions, ImportOptions, ImportedReferrers, OnExistingTag,
    ReferrerOutcome,
};
use aks_acr_emulator::{Fault, UpstreamSeed};
use azure_core::{
    credentials::Secret,
    http::{AsyncRawResponse, Method, Request},
};
use libtest_mimic::Failed;
use serde_json::{Value, json};

const SIGNATURE: &str = "application/vnd.cncf.notary.signature";
const SBOM: &str = "application/spdx+json";
const OLD: &str = "old.example.com/team/app:v1";

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [];
        on_emulator: [
            an_image_is_imported_alone_unless_its_referrers_are_asked_for,
            referrers_are_imported_by_digest_into_every_repository_of_the_image,
            what_refers_to_an_image_of_an_index_is_imported,
            a_second_run_imports_what_is_new_only,
            a_registry_without_a_referrers_api_lists_them_in_a_tag,
            tags_of_cosign_are_imported_as_tags,
            a_tag_of_cosign_with_other_signatures_is_kept_or_replaced_as_the_image_is,
            a_tag_that_refers_to_itself_is_imported_once,
            no_more_than_a_hundred_are_imported_and_the_rest_is_reported,
            referrers_deeper_than_three_are_reported,
            a_source_that_only_azure_reads_is_imported_and_its_referrers_are_reported,
            a_list_that_is_refused_is_reported,
            a_list_that_continues_elsewhere_is_not_followed,
            a_referrer_that_cannot_be_imported_is_reported,
            a_target_that_cannot_be_read_leaves_referrers_unverified,
            an_item_of_a_list_asks_for_its_own_referrers,
            a_started_import_has_no_referrers,
        ];
    }
}

fn pushed(scene: &Scene, subject: &str, kind: &str) -> Result<String, Failed> {
    some(scene.azure.push_referrer(subject, kind), subject)
}

fn at(image: &str, digest: &str) -> String {
    let (name, _) = image.rsplit_once(':').expect("a tag");
    format!("{name}@{digest}")
}

async fn referrers(scene: &Scene, options: ImportOptions) -> Result<ImportedReferrers, Failed> {
    some(import(scene, options.with_referrers(true)).await?.referrers, "referrers")
}

async fn referrers_of(scene: &Scene, image: &str) -> Result<ImportedReferrers, Failed> {
    let options = ImportOptions::default().with_target("app:v1").with_referrers(true);
    some(scene.client.import_image(&scene.by_id(), &image.parse()?, options).await?.referrers, "referrers")
}

fn outcomes(done: &ImportedReferrers) -> Vec<ReferrerOutcome> {
    done.items.iter().map(|one| one.outcome).collect()
}

fn is_in_target(scene: &Scene, repository: &str, digest: &str) -> bool {
    scene.azure.digest(&format!("myregistry.azurecr.io/{repository}@{digest}")).is_some()
}

/// A scene with a registry outside of Azure that has one image.
fn with(seed: UpstreamSeed, platforms: &[&str]) -> Result<Scene, Failed> {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_upstream(seed).with_image(OLD, platforms);
    Ok(scene)
}

fn old() -> UpstreamSeed {
    UpstreamSeed::new("old.example.com")
}

async fn an_image_is_imported_alone_unless_its_referrers_are_asked_for() -> Checked {
    let scene = Scene::new()?;
    let signature = pushed(&scene, NGINX, SIGNATURE)?;
    assert_eq!(import(&scene, as_v1()).await?.referrers, None);
    assert!(!is_in_target(&scene, "nginx", &signature));
    assert_eq!(scene.sent(|one| one.path.contains("/referrers/")).len(), 0);
    Ok(())
}

async fn referrers_are_imported_by_digest_into_every_repository_of_the_image() -> Checked {
    let scene = Scene::new()?;
    let (signature, sbom) = (pushed(&scene, NGINX, SIGNATURE)?, pushed(&scene, NGINX, SBOM)?);
    let of_sbom = pushed(&scene, &at(NGINX, &sbom), SIGNATURE)?;
    let done = referrers(&scene, as_v1().with_untagged_repository("archive/nginx")).await?;
    assert_eq!(done.incomplete, Vec::<String>::new());
    assert_eq!(outcomes(&done), [ReferrerOutcome::Imported; 3]);
    let image = some(scene.azure.digest(NGINX), NGINX)?;
    let found = |digest: &str| {
        let one = done.items.iter().find(|one| one.digest.as_str() == digest).expect("reported");
        (one.subject.to_string(), one.artifact_type.clone().unwrap_or_default(), one.tag.clone(), one.reason.clone())
    };
    assert_eq!(found(&signature), (image.clone(), SIGNATURE.to_owned(), None, None));
    assert_eq!(found(&sbom), (image, SBOM.to_owned(), None, None));
    assert_eq!(found(&of_sbom), (sbom.clone(), SIGNATURE.to_owned(), None, None));
    for digest in [&signature, &sbom, &of_sbom] {
        assert!(is_in_target(&scene, "nginx", digest) && is_in_target(&scene, "archive/nginx", digest));
    }
    // The target lists them in turn.
    let importer = scene.client.registry_importer();
    let image = format!("{TARGET}@{}", some(scene.azure.digest(TARGET), TARGET)?).parse()?;
    let listed = importer.referrers(&image, &crate::backend::call()).await?;
    assert_eq!(listed.len(), 2);
    Ok(())
}

async fn what_refers_to_an_image_of_an_index_is_imported() -> Checked {
    let scene = with(old(), &["linux/amd64", "linux/arm64"])?;
    let url = "https://old.example.com/v2/team/app/manifests/v1".parse()?;
    let answer: AsyncRawResponse = scene.azure.transport().execute_request(&Request::new(url, Method::Get)).await?;
    let index: Value = serde_json::from_slice(&answer.into_body().collect().await?)?;
    let arm = some(index["manifests"][1]["digest"].as_str(), "a child")?;
    let sbom = pushed(&scene, &at(OLD, arm), SBOM)?;
    let done = referrers_of(&scene, OLD).await?;
    assert_eq!((outcomes(&done), done.items[0].subject.as_str()), (vec![ReferrerOutcome::Imported], arm));
    assert!(is_in_target(&scene, "app", &sbom));
    Ok(())
}

async fn a_second_run_imports_what_is_new_only() -> Checked {
    let scene = Scene::new()?;
    pushed(&scene, NGINX, SIGNATURE)?;
    referrers(&scene, as_v1()).await?;
    assert_eq!(posts(&scene), 2);
    assert_eq!(outcomes(&referrers(&scene, as_v1()).await?), [ReferrerOutcome::AlreadyExists]);
    assert_eq!(posts(&scene), 2);
    let sbom = pushed(&scene, NGINX, SBOM)?;
    let done = referrers(&scene, as_v1()).await?;
    let new: Vec<_> = done.items.iter().filter(|one| one.outcome == ReferrerOutcome::Imported).collect();
    assert_eq!((new.len(), new[0].digest.as_str(), posts(&scene)), (1, sbom.as_str(), 3));
    Ok(())
}

async fn a_registry_without_a_referrers_api_lists_them_in_a_tag() -> Checked {
    let scene = with(old().without_referrers(), &["linux/amd64"])?;
    assert_eq!(referrers_of(&scene, OLD).await?.items, []);
    let digests = [pushed(&scene, OLD, SIGNATURE)?, pushed(&scene, OLD, SBOM)?];
    let done = referrers_of(&scene, OLD).await?;
    assert_eq!((done.items.len(), done.incomplete.len()), (2, 0));
    assert!(digests.iter().all(|digest| is_in_target(&scene, "app", digest)));
    // A manifest that is not an index is not a list of referrers.
    let tag = some(scene.azure.digest(OLD), OLD)?.replace(':', "-");
    assert!(scene.azure.tag_image(OLD, &tag));
    let done = referrers_of(&scene, OLD).await?;
    assert!(done.items.is_empty() && done.incomplete[0].contains("is not an index"), "{done:?}");
    Ok(())
}

async fn tags_of_cosign_are_imported_as_tags() -> Checked {
    let scene = Scene::new()?;
    let tag = some(scene.azure.digest(NGINX), NGINX)?.replace(':', "-");
    for suffix in ["sig", "att", "sbom"] {
        scene.azure.push_image(&format!("docker.io/library/nginx:{tag}.{suffix}"), &["linux/amd64"]);
    }
    let done = referrers(&scene, as_v1().with_additional_tag("web/nginx:v1")).await?;
    assert_eq!(outcomes(&done), [ReferrerOutcome::Imported; 3]);
    for one in &done.items {
        let tag = some(one.tag.as_deref(), "tag")?;
        for repository in ["nginx", "web/nginx"] {
            let there = scene.azure.digest(&format!("myregistry.azurecr.io/{repository}:{tag}"));
            assert_eq!(there.as_deref(), Some(one.digest.as_str()));
        }
    }
    Ok(())
}

async fn a_tag_of_cosign_with_other_signatures_is_kept_or_replaced_as_the_image_is() -> Checked {
    let scene = Scene::new()?;
    let tag = format!("{}.sig", some(scene.azure.digest(NGINX), NGINX)?.replace(':', "-"));
    scene.azure.push_image(&format!("docker.io/library/nginx:{tag}"), &["linux/amd64"]);
    scene.azure.push_image(&format!("myregistry.azurecr.io/nginx:{tag}"), &["linux/arm64"]);
    let done = referrers(&scene, as_v1()).await?;
    assert_eq!(outcomes(&done), [ReferrerOutcome::Failed]);
    assert!(done.items[0].reason.as_deref().is_some_and(|one| one.contains("the tag exists with another image")));
    let done = referrers(&scene, as_v1().with_on_existing_tag(OnExistingTag::Replace)).await?;
    assert_eq!(outcomes(&done), [ReferrerOutcome::Imported]);
    let there = scene.azure.digest(&format!("myregistry.azurecr.io/nginx:{tag}"));
    assert_eq!(there.as_deref(), Some(done.items[0].digest.as_str()));
    Ok(())
}

async fn a_tag_that_refers_to_itself_is_imported_once() -> Checked {
    let scene = Scene::new()?;
    let tag = format!("{}.sig", some(scene.azure.digest(NGINX), NGINX)?.replace(':', "-"));
    assert!(scene.azure.tag_image(NGINX, &tag));
    let done = referrers(&scene, as_v1()).await?;
    assert_eq!((outcomes(&done), done.incomplete.len()), (vec![ReferrerOutcome::Imported], 0));
    Ok(())
}

/// The list of the registry has two pages.
async fn no_more_than_a_hundred_are_imported_and_the_rest_is_reported() -> Checked {
    let scene = Scene::new()?;
    for number in 0..100 {
        pushed(&scene, NGINX, &format!("application/x-{number}"))?;
    }
    let done = referrers(&scene, as_v1()).await?;
    assert_eq!((done.items.len(), done.incomplete.len()), (100, 0));
    for number in 100..103 {
        pushed(&scene, NGINX, &format!("application/x-{number}"))?;
    }
    let done = referrers(&scene, as_v1()).await?;
    assert_eq!(done.items.len(), 100);
    assert!(done.incomplete.len() == 1 && done.incomplete[0].contains("more than 100"), "{:?}", done.incomplete);
    Ok(())
}

async fn referrers_deeper_than_three_are_reported() -> Checked {
    let scene = Scene::new()?;
    let mut last = pushed(&scene, NGINX, SBOM)?;
    for _ in 0..3 {
        last = pushed(&scene, &at(NGINX, &last), SIGNATURE)?;
    }
    let done = referrers(&scene, as_v1()).await?;
    assert_eq!(outcomes(&done), [ReferrerOutcome::Imported; 3]);
    assert!(!is_in_target(&scene, "nginx", &last));
    assert!(done.incomplete.len() == 1 && done.incomplete[0].contains("at a depth of 3"), "{:?}", done.incomplete);
    Ok(())
}

async fn a_source_that_only_azure_reads_is_imported_and_its_referrers_are_reported() -> Checked {
    let scene = with(old().user("robot", "word"), &["linux/amd64"])?;
    pushed(&scene, OLD, SIGNATURE)?;
    let credentials = ImportCredentials::user("robot", Secret::new("word"));
    let options = ImportOptions::default().with_target("app:v1").with_credentials(credentials).with_referrers(true);
    let done = scene.client.import_image(&scene.by_id(), &OLD.parse()?, options).await?;
    assert!(done.is_new && scene.azure.digest("myregistry.azurecr.io/app:v1").is_some());
    let referrers = some(done.referrers, "referrers")?;
    assert!(referrers.items.is_empty());
    assert_eq!(referrers.incomplete, ["the source was not read: only Azure uses the source's credentials"]);
    Ok(())
}

async fn a_list_that_is_refused_is_reported() -> Checked {
    let scene = Scene::new()?;
    pushed(&scene, NGINX, SIGNATURE)?;
    scene
        .azure
        .fault(Fault::on("GET", "/referrers/").status(403).body(json!({"errors": [{"code": "DENIED"}]})).times(10));
    let done = referrers(&scene, as_v1()).await?;
    assert!(done.items.is_empty() && scene.azure.digest(TARGET).is_some());
    assert!(done.incomplete.len() == 1 && done.incomplete[0].contains("DENIED"), "{:?}", done.incomplete);
    Ok(())
}

async fn a_list_that_continues_elsewhere_is_not_followed() -> Checked {
    let scene = Scene::new()?;
    pushed(&scene, NGINX, SIGNATURE)?;
    let link = "<https://evil.example.com/v2/library/nginx/referrers/x>; rel=\"next\"";
    scene.azure.fault(
        Fault::on("GET", "/referrers/")
            .status(200)
            .body(json!({"schemaVersion": 2, "manifests": []}))
            .content_type("application/vnd.oci.image.index.v1+json")
            .header("link", link),
    );
    let done = referrers(&scene, as_v1()).await?;
    assert!(done.incomplete.len() == 1 && done.incomplete[0].contains("at another address"), "{:?}", done.incomplete);
    assert_eq!(scene.sent(|one| one.host == "evil.example.com").len(), 0);
    Ok(())
}

async fn a_referrer_that_cannot_be_imported_is_reported() -> Checked {
    let scene = Scene::new()?;
    let signature = pushed(&scene, NGINX, SIGNATURE)?;
    import(&scene, as_v1()).await?;
    scene.azure.fault(
        Fault::on("POST", "/importImage").status(400).body(json!({"error": {"code": "BadRequest", "message": "no"}})),
    );
    let done = referrers(&scene, as_v1()).await?;
    assert_eq!(outcomes(&done), [ReferrerOutcome::Failed]);
    assert!(done.items[0].reason.is_some() && !is_in_target(&scene, "nginx", &signature));
    Ok(())
}

async fn a_target_that_cannot_be_read_leaves_referrers_unverified() -> Checked {
    let scene = Scene::new()?;
    let signature = pushed(&scene, NGINX, SIGNATURE)?;
    let client = scene.caller_who_may(&[
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.ContainerRegistry/registries/importImage/action",
    ])?;
    let done = client.import_image(&scene.by_id(), &"nginx".parse()?, as_v1().with_referrers(true)).await?;
    let done = some(done.referrers, "referrers")?;
    assert_eq!(outcomes(&done), [ReferrerOutcome::Unverified]);
    assert!(done.items[0].reason.is_some() && is_in_target(&scene, "nginx", &signature));
    Ok(())
}

async fn an_item_of_a_list_asks_for_its_own_referrers() -> Checked {
    let scene = Scene::new()?;
    pushed(&scene, NGINX, SIGNATURE)?;
    let items = vec![
        ImportItem::new(NGINX.parse()?, ImportOptions::default().with_target("a:1").with_referrers(true)),
        ImportItem::new(NGINX.parse()?, ImportOptions::default().with_target("b:1")),
    ];
    let done = scene.client.import_images(&scene.by_id(), items, ImportManyOptions::default()).await?;
    let counts: Vec<_> =
        done.into_iter().map(|one| Ok(one?.referrers.map(|all| all.items.len()))).collect::<Result<_, Failed>>()?;
    assert_eq!(counts, [Some(1), None]);
    Ok(())
}

async fn a_started_import_has_no_referrers() -> Checked {
    let scene = Scene::new()?;
    let started = scene.client.start_import(&scene.by_id(), &"nginx".parse()?, as_v1().with_referrers(true)).await;
    let err = refused(started, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("referrers"), "{err}");
    assert_eq!(scene.sent(|_| true).len(), 0);
    Ok(())
}
