//! Registries outside of Azure, each with its own behavior: how it asks for a sign-in, what it names, where it redirects to.

use super::{as_v1, posts};
use crate::{
    backend::call,
    case::{Case, Checked, cases, refused, some},
    emulator::Scene,
};
use aks_acr::{
    ErrorKind, ImageReference, ImportCredentials, ImportItem, ImportManyOptions, ImportOptions, ImportProof, ImportSide,
};
use aks_acr_emulator::{Fault, Service, UpstreamSeed};
use azure_core::credentials::Secret;
use libtest_mimic::Failed;

const APP: &str = "nexus.example.com/team/app:v1";

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [];
        on_emulator: [
            a_registry_that_offers_two_ways_to_sign_in_is_signed_in_to,
            a_registry_for_users_alone_says_so,
            a_realm_of_somebody_else_or_inside_the_network_is_not_gone_to,
            a_registry_of_azure_that_names_another_host_is_shown_no_token,
            a_manifest_behind_a_redirect_is_found_and_a_second_import_copies_nothing,
            a_token_does_not_follow_a_redirect_to_another_host,
            a_redirect_into_the_network_or_without_end_is_not_followed,
            a_pinned_digest_is_enforced,
            a_pinned_digest_is_enforced_in_a_list,
            a_pinned_digest_is_enforced_where_the_image_arrives,
            a_digest_that_is_not_named_is_counted_from_the_manifest,
            a_private_source_needs_its_own_user_and_password,
            a_pull_secret_opens_a_private_registry_outside_of_azure,
        ];
    }
}

/// A scene with a registry of this make, which has an image.
fn with(seed: UpstreamSeed, image: &str) -> Result<Scene, Failed> {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_upstream(seed).with_image(image, &["linux/amd64"]);
    Ok(scene)
}

fn pinned(image: &str, digest: &str) -> Result<ImageReference, Failed> {
    Ok(format!("{image}@{digest}").parse()?)
}

fn other_digest() -> String {
    format!("sha256:{}", "b".repeat(64))
}

async fn a_registry_that_offers_two_ways_to_sign_in_is_signed_in_to() -> Checked {
    let seed = || UpstreamSeed::new("nexus.example.com").realm("https://nexus.example.com/v2/token");
    for seed in [seed().both(), seed().both_apart(), seed().token()] {
        let scene = with(seed, APP)?;
        let found = scene.client.registry_importer().image(&APP.parse()?, &call()).await?;
        assert_eq!(found.map(|image| image.digest.to_string()), scene.azure.digest(APP));
        assert_eq!(scene.sent(|one| one.path == "/v2/token").len(), 1);
    }
    Ok(())
}

async fn a_registry_for_users_alone_says_so() -> Checked {
    let scene = with(UpstreamSeed::new("nexus.example.com").user("a", "b").password(), APP)?;
    let looked = scene.client.registry_importer().image(&APP.parse()?, &call()).await;
    let err = refused(looked, ErrorKind::Forbidden)?;
    assert!(err.to_string().contains("requires a user and a password"), "{err}");
    Ok(())
}

async fn a_realm_of_somebody_else_or_inside_the_network_is_not_gone_to() -> Checked {
    for realm in [
        "https://tokens.victim.example.org/token",
        "https://10.0.0.1/token",
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "https://localhost/token",
        "https://vault.corp.internal/token",
        "https://user:word@nexus.example.com/token",
        "https://nexus.example.com:22/token",
        "http://nexus.example.com/token",
    ] {
        let scene = with(UpstreamSeed::new("nexus.example.com").token().realm(realm), APP)?;
        let looked = scene.client.registry_importer().image(&APP.parse()?, &call()).await;
        let err = refused(looked, ErrorKind::Unexpected)?;
        assert!(err.to_string().contains("not followed"), "{err}");
        // The look is optional: Azure copies the image, and the proof says what was not seen.
        let done = scene.client.import_image(&scene.by_id(), &APP.parse()?, as_v1()).await?;
        let ImportProof::TargetOnly { reason, .. } = &done.proof else { return Err(format!("{done:?}").into()) };
        assert!(reason.contains("not followed") && !reason.contains("word"), "{reason}");
        let elsewhere = scene.sent(|one| {
            let known = ["nexus.example.com", "myregistry.azurecr.io"].contains(&one.host.as_str());
            !matches!(one.service, Service::Arm | Service::Entra) && !known
        });
        assert_eq!(elsewhere, [], "{realm}");
        assert_eq!(scene.sent(|one| one.path.contains("token") && one.host == "nexus.example.com"), [], "{realm}");
    }
    Ok(())
}

async fn a_registry_of_azure_that_names_another_host_is_shown_no_token() -> Checked {
    for realm in ["https://tokens.victim.example.org/token", "https://other.azurecr.io/oauth2/token"] {
        let scene = Scene::new()?;
        let challenge = format!("Bearer realm=\"{realm}\",service=\"myregistry.azurecr.io\"");
        let fault = Fault::on("HEAD", "myregistry.azurecr.io").status(401).header("www-authenticate", &challenge);
        scene.azure.fault(fault.times(9));
        let image = "myregistry.azurecr.io/app:v1".parse()?;
        refused(scene.client.registry_importer().image(&image, &call()).await, ErrorKind::Unexpected)?;
        assert_eq!(scene.sent(|one| one.path.contains("/oauth2/") && one.service == Service::Registry), []);
        assert_eq!(scene.sent(|one| one.service == Service::Entra), [], "no token was made for it");
    }
    Ok(())
}

const PAUSE: &str = "registry.k8s.io/pause:3.9";
const BEHIND: &str = "us-west1-docker.pkg.dev";

fn redirected(behind: UpstreamSeed) -> Result<Scene, Failed> {
    let scene = with(UpstreamSeed::new("registry.k8s.io").moved_to(BEHIND), PAUSE)?;
    let _ = scene.azure.clone().with_upstream(behind).with_image(&format!("{BEHIND}/pause:3.9"), &["linux/amd64"]);
    Ok(scene)
}

async fn a_manifest_behind_a_redirect_is_found_and_a_second_import_copies_nothing() -> Checked {
    for behind in [UpstreamSeed::new(BEHIND), UpstreamSeed::new(BEHIND).token()] {
        let scene = redirected(behind)?;
        for is_new in [true, false] {
            let options = ImportOptions::default().with_target("pause:3.9");
            let done = scene.client.import_image(&scene.by_id(), &PAUSE.parse()?, options).await?;
            assert_eq!(done.is_new, is_new);
            assert!(matches!(done.proof, ImportProof::SourceMatched { .. }), "{:?}", done.proof);
        }
        assert_eq!(posts(&scene), 1);
    }
    Ok(())
}

async fn a_token_does_not_follow_a_redirect_to_another_host() -> Checked {
    let scene = with(UpstreamSeed::new(BEHIND), &format!("{BEHIND}/app:v1"))?;
    let image: ImageReference = "myregistry.azurecr.io/app:v1".parse()?;
    scene.azure.push_image("myregistry.azurecr.io/app:v1", &["linux/amd64"]);
    // The registry of Azure takes the token, and then sends elsewhere.
    let moved = format!("https://{BEHIND}/v2/app/manifests/v1");
    scene.client.registry_importer().image(&image, &call()).await?;
    scene.azure.fault(Fault::on("HEAD", "myregistry.azurecr.io/v2/app").status(307).header("location", &moved));
    let found = some(scene.client.registry_importer().image(&image, &call()).await?, "image")?;
    assert_eq!(Some(found.digest.to_string()), scene.azure.digest(&format!("{BEHIND}/app:v1")));
    let there = scene.sent(|one| one.host == BEHIND);
    assert!(there.len() == 1 && there.iter().all(|one| one.caller.is_none()), "{there:?}");
    Ok(())
}

async fn a_redirect_into_the_network_or_without_end_is_not_followed() -> Checked {
    for to in [
        "https://10.0.0.1/v2/pause/manifests/3.9",
        "https://[::1]/m",
        "https://intranet/m",
        "https://wiki.corp.internal/m",
        "http://us-west1-docker.pkg.dev/m",
        "https://user:word@us-west1-docker.pkg.dev/m",
        "/v2/pause/manifests/3.9",
    ] {
        let scene = redirected(UpstreamSeed::new(BEHIND))?;
        scene.azure.fault(Fault::on("HEAD", "registry.k8s.io").status(307).header("location", to).times(99));
        let err =
            refused(scene.client.registry_importer().image(&PAUSE.parse()?, &call()).await, ErrorKind::Unexpected)?;
        assert!(!format!("{err:#} {err:?}").contains("word"), "{err:?}");
        let sent = scene.sent(|one| one.service != Service::Entra);
        assert!(sent.len() <= 6 && sent.iter().all(|one| one.host == "registry.k8s.io"), "{to}: {sent:?}");
    }
    Ok(())
}

/// The registry has one image under the tag and the digest's name, and names another digest.
async fn a_pinned_digest_is_enforced() -> Checked {
    for seed in [
        UpstreamSeed::new("nexus.example.com").digest(&other_digest()),
        UpstreamSeed::new("nexus.example.com").token().digest(&other_digest()),
        UpstreamSeed::new("nexus.example.com").without_head().digest(&other_digest()),
    ] {
        let scene = with(seed, APP)?;
        let digest = some(scene.azure.digest(APP), APP)?;
        for named in [APP, "nexus.example.com/team/app"] {
            let source = pinned(named, &digest)?;
            let looked = scene.client.registry_importer().image(&source, &call()).await;
            refused(looked, ErrorKind::Unexpected)?;
            let imported = scene.client.import_image(&scene.by_id(), &source, as_v1()).await;
            let err = refused(imported, ErrorKind::Unexpected)?;
            assert_eq!((err.failed_side(), err.is_transient(), posts(&scene)), (Some(ImportSide::Source), false, 0));
            refused(scene.client.start_import(&scene.by_id(), &source, as_v1()).await, ErrorKind::Unexpected)?;
        }
    }
    Ok(())
}

async fn a_pinned_digest_is_enforced_in_a_list() -> Checked {
    let scene = with(UpstreamSeed::new("nexus.example.com").digest(&other_digest()), APP)?;
    let digest = some(scene.azure.digest(APP), APP)?;
    let items = vec![
        ImportItem::new(pinned(APP, &digest)?, as_v1()),
        ImportItem::new("nginx".parse()?, ImportOptions::default().with_target("nginx:v2")),
    ];
    let done = scene.client.import_images(&scene.by_id(), items, ImportManyOptions::default()).await?;
    assert_eq!(done[0].as_ref().err().and_then(aks_acr::Error::failed_side), Some(ImportSide::Source));
    assert!(done[1].is_ok() && posts(&scene) == 1);
    Ok(())
}

/// What the caller named goes before what was seen, and what arrived is held against it.
async fn a_pinned_digest_is_enforced_where_the_image_arrives() -> Checked {
    let scene = with(UpstreamSeed::new("nexus.example.com"), APP)?;
    let source = pinned(APP, &some(scene.azure.digest(APP), APP)?)?;
    let lie = || {
        Fault::on("HEAD", "myregistry.azurecr.io/v2/")
            .status(200)
            .header("docker-content-digest", &other_digest())
            .times(9)
    };
    scene.azure.fault(lie());
    let untagged = ImportOptions::default().with_untagged_repository("team/app");
    let err = refused(scene.client.import_image(&scene.by_id(), &source, untagged).await, ErrorKind::Unexpected)?;
    assert_eq!(err.failed_side(), Some(ImportSide::Target));
    let scene = with(UpstreamSeed::new("nexus.example.com"), APP)?;
    scene.azure.fault(Fault::on("POST", "/importImage").delay(std::time::Duration::from_secs(5)));
    let lying = async {
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        scene.azure.fault(lie());
    };
    let to = scene.by_id();
    let (done, ()) = tokio::join!(scene.client.import_image(&to, &source, as_v1()), lying);
    assert_eq!(refused(done, ErrorKind::Conflict)?.failed_side(), Some(ImportSide::Target));
    Ok(())
}

async fn a_digest_that_is_not_named_is_counted_from_the_manifest() -> Checked {
    let upper = |digest: &str| digest.to_ascii_uppercase();
    let digest = some(with(UpstreamSeed::new("nexus.example.com"), APP)?.azure.digest(APP), APP)?;
    for seed in [
        UpstreamSeed::new("nexus.example.com").without_digest(),
        UpstreamSeed::new("nexus.example.com").without_digest().token(),
        UpstreamSeed::new("nexus.example.com").without_head(),
        UpstreamSeed::new("nexus.example.com").digest(&upper(&digest)),
        UpstreamSeed::new("nexus.example.com").digest("latest"),
    ] {
        let scene = with(seed, APP)?;
        for image in [APP.parse()?, pinned(APP, &digest)?, pinned("nexus.example.com/team/app", &digest)?] {
            let found = some(scene.client.registry_importer().image(&image, &call()).await?, APP)?;
            assert_eq!(found.digest.to_string(), digest, "{image}");
        }
        let absent = "nexus.example.com/team/app:none".parse()?;
        assert_eq!(scene.client.registry_importer().image(&absent, &call()).await?, None);
    }
    // The bytes of the manifest contradict what its header says.
    let scene = with(UpstreamSeed::new("nexus.example.com").without_head().digest(&other_digest()), APP)?;
    let err = refused(scene.client.registry_importer().image(&APP.parse()?, &call()).await, ErrorKind::Unexpected)?;
    assert!(err.to_string().contains(&digest) && err.to_string().contains(&other_digest()), "{err}");
    Ok(())
}

async fn a_private_source_needs_its_own_user_and_password() -> Checked {
    for host in ["ghcr.io", "docker.io", "nexus.example.com"] {
        let image = format!("{host}/team/app:v1");
        let scene = with(UpstreamSeed::new(host).user("robot", "hunter2"), &image)?;
        let source = image.parse()?;
        let to = scene.by_id();
        let import = |options: ImportOptions| scene.client.import_image(&to, &source, options);
        let err = refused(import(as_v1()).await, ErrorKind::Forbidden)?;
        assert_eq!(err.failed_side(), Some(ImportSide::Source), "{host}");
        let with = |password: &str| {
            as_v1().with_credentials(ImportCredentials::user("robot", Secret::from(password.to_owned())))
        };
        refused(import(with("hunter3-wrong")).await, ErrorKind::Forbidden)?;
        let done = import(with("hunter2")).await?;
        assert!(matches!(done.proof, ImportProof::TargetOnly { .. }), "{host}: {:?}", done.proof);
    }
    Ok(())
}

async fn a_pull_secret_opens_a_private_registry_outside_of_azure() -> Checked {
    for seed in [
        UpstreamSeed::new("ghcr.io").user("robot", "word"),
        UpstreamSeed::new("nexus.example.com").user("robot", "word").both(),
        UpstreamSeed::new("nexus.example.com").user("robot", "word").password(),
    ] {
        let host = if format!("{seed:?}").contains("ghcr.io") { "ghcr.io" } else { "nexus.example.com" };
        let image = format!("{host}/team/app:v1");
        let scene = with(seed, &image)?;
        let pod = |name: &str, more: &str| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: main, image: '{image}'}}]{more}}}}}"
            )
        };
        let config = format!("{{\"auths\": {{\"{host}\": {{\"username\": \"robot\", \"password\": \"word\"}}}}}}");
        let secret = format!(
            "{{apiVersion: v1, kind: Secret, type: kubernetes.io/dockerconfigjson, metadata: {{name: pull}}, \
             stringData: {{.dockerconfigjson: '{config}'}}}}"
        );
        scene.apply(&pod("without", "")).await?;
        scene.apply(&secret).await?;
        scene.apply(&pod("with", ", imagePullSecrets: [{name: pull}]")).await?;
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        let call = aks_acr::CallOptions::default();
        let pods = scene.client.pods(&scene.cluster, &aks_acr::PodSelection::default(), call).await?.pods;
        let status = |name: &str| pods.iter().find(|pod| pod.name == name).map(|pod| pod.status.clone());
        assert_eq!(status("with").as_deref(), Some("Running"), "{host}");
        assert!(status("without").is_some_and(|status| status.contains("Pull")), "{host}: {:?}", status("without"));
    }
    Ok(())
}
