//! What is done twice, at once or after a cut, ends as if it was done once.

use crate::Scene;
use aks_acr::{
    AttachOptions, CallOptions, CreateRegistryOptions, DetachOptions, ErrorKind, ImportOptions, ImportProof,
    OnExistingTag,
};
use aks_acr_emulator::{Emulator, Fault, Timing};
use std::time::Duration;

fn slow() -> Timing {
    let mut timing = Timing::none();
    timing.import = Duration::from_secs(40);
    timing.registry = Duration::from_secs(40);
    timing
}

fn scene() -> Scene {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    Scene::of(azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]))
}

fn posts(azure: &Emulator) -> usize {
    azure.requests().iter().filter(|one| one.path.ends_with("/importImage")).count()
}

async fn import(scene: &Scene, options: ImportOptions) -> aks_acr::Result<aks_acr::Import> {
    scene.client.import_image(&scene.registry, &"nginx".parse().unwrap(), options.with_target("nginx:v1")).await
}

#[tokio::test(start_paused = true)]
async fn a_second_import_copies_nothing_whatever_was_asked_of_the_tag() {
    let scene = scene();
    assert!(import(&scene, ImportOptions::default()).await.unwrap().is_new);
    for existing in [OnExistingTag::Keep, OnExistingTag::Replace] {
        let again = import(&scene, ImportOptions::default().with_on_existing_tag(existing)).await.unwrap();
        assert!(!again.is_new);
        assert!(matches!(again.proof, ImportProof::SourceMatched { .. }));
    }
    assert_eq!(posts(&scene.azure), 1);
}

#[tokio::test(start_paused = true)]
async fn an_import_is_waited_for_after_its_answer_was_lost() {
    let scene = scene();
    scene.azure.set_timing(slow());
    scene.azure.fault(Fault::on("POST", "/importImage").reset().after_effect());
    let import = import(&scene, ImportOptions::default()).await.unwrap();
    assert!(matches!(import.proof, ImportProof::SourceMatched { .. }));
    assert_eq!(posts(&scene.azure), 1);
}

#[tokio::test(start_paused = true)]
async fn an_import_that_never_began_is_sent_again_once_it_was_looked_for() {
    let scene = scene();
    scene.azure.fault(Fault::on("POST", "/importImage").status(503));
    let import = import(&scene, ImportOptions::default()).await.unwrap();
    assert!(matches!(import.proof, ImportProof::SourceMatched { .. }));
    assert_eq!(posts(&scene.azure), 2);
}

#[tokio::test(start_paused = true)]
async fn a_tag_of_ones_own_import_is_no_conflict_though_a_look_at_it_fails() {
    let scene = scene();
    scene.azure.fault(Fault::on("POST", "/importImage").reset().after_effect());
    // The registry hides what has arrived for as long as it is looked for, so that the import is sent again.
    scene.azure.fault(Fault::on("HEAD", "/v2/nginx/manifests/v1").status(404).times(39));
    scene.azure.fault(Fault::on("HEAD", "/v2/nginx/manifests/v1").delay(Duration::from_secs(60)));
    let import = import(&scene, ImportOptions::default()).await.unwrap();
    assert!(matches!(import.proof, ImportProof::SourceMatched { .. }));
    assert_eq!(posts(&scene.azure), 2);
}

#[tokio::test(start_paused = true)]
async fn two_imports_at_once_both_succeed() {
    let scene = scene();
    scene.azure.set_timing(slow());
    let (one, other) = tokio::join!(import(&scene, ImportOptions::default()), import(&scene, ImportOptions::default()));
    assert_eq!(one.unwrap().proof, other.unwrap().proof);
}

#[tokio::test(start_paused = true)]
async fn another_image_under_the_tag_is_kept_unless_its_replacement_is_asked_for() {
    let scene = scene();
    scene.azure.push_image("myregistry.azurecr.io/nginx:v1", &["linux/arm64"]);
    let before = scene.azure.digest("myregistry.azurecr.io/nginx:v1");
    assert_eq!(import(&scene, ImportOptions::default()).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!((scene.azure.digest("myregistry.azurecr.io/nginx:v1"), posts(&scene.azure)), (before, 0));
    let replaced = import(&scene, ImportOptions::default().with_on_existing_tag(OnExistingTag::Replace)).await.unwrap();
    assert!(replaced.is_new);
    assert_eq!(
        scene.azure.digest("myregistry.azurecr.io/nginx:v1"),
        scene.azure.digest("docker.io/library/nginx:latest")
    );
}

#[tokio::test(start_paused = true)]
async fn a_throttled_import_is_sent_again() {
    let scene = scene();
    scene.azure.fault(Fault::on("POST", "/importImage").status(429).header("retry-after", "7").times(3));
    import(&scene, ImportOptions::default()).await.unwrap();
    assert_eq!(posts(&scene.azure), 4);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_looked_at_is_imported_and_said_to_be_uncompared() {
    let scene = scene();
    scene.azure.fault(Fault::on("HEAD", "/v2/library/nginx").status(403).times(100));
    let import = import(&scene, ImportOptions::default()).await.unwrap();
    assert!(matches!(import.proof, ImportProof::TargetOnly { .. }), "{:?}", import.proof);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_be_looked_at_leaves_the_import_unproven() {
    let scene = scene();
    let registry = scene.azure.registry_id("group", "myregistry");
    let role = "Container Registry Data Importer and Data Reader";
    let azure = scene.azure.clone().with_caller("importer", &[(role, &registry)]);
    azure.fault(Fault::on("POST", "/oauth2/exchange").status(403).times(100));
    let client = crate::client(&azure, azure.credential_of("importer"));
    let options = ImportOptions::default().with_target("nginx:v1");
    let import = client.import_image(&scene.registry, &"nginx".parse().unwrap(), options).await.unwrap();
    assert!(matches!(import.proof, ImportProof::Unproven { .. }), "{:?}", import.proof);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_somebody_is_making_is_waited_for() {
    let scene = scene();
    scene.azure.set_timing(slow());
    let first = scene.client.create_registry("group", "another", CreateRegistryOptions::default());
    let second = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await
    };
    let (first, second) = tokio::join!(first, second);
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.is_new, second.is_new), (true, false));
    assert_eq!(second.registry.state, "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_cut_ends_well_when_it_is_run_again() {
    let scene = scene();
    scene.azure.set_timing(slow());
    let short = CallOptions::default().with_deadline(Duration::from_secs(10));
    let cut = scene.client.create_registry("group", "another", CreateRegistryOptions::default().with_call(short)).await;
    assert_eq!(cut.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    let again = scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await.unwrap();
    assert_eq!(again.registry.state, "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_a_registry_is_forgotten_once_the_grant_is_there() {
    let scene = scene();
    scene.azure.push_image("myregistry.azurecr.io/app:1", &["linux/amd64"]);
    let azure = scene.azure.clone().with_caller("late", &[]);
    let client = crate::client(&azure, azure.credential_of("late"));
    let image = "myregistry.azurecr.io/app:1".parse().unwrap();
    let call = CallOptions::default().start(Duration::from_secs(60));
    let refused = client.registry_importer().image(&image, &call).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    azure.grant("AcrPull", &azure.object_id_of("late"), &azure.registry_id("group", "myregistry"));
    let seen = client.registry_importer().image(&image, &call).await.unwrap();
    assert!(seen.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_only_azure_reaches_does_not_hold_an_import_up() {
    let scene = scene();
    scene.azure.fault(Fault::on("HEAD", "/v2/nginx").reset().times(10_000));
    let begun = tokio::time::Instant::now();
    let import = import(&scene, ImportOptions::default()).await.unwrap();
    assert!(matches!(import.proof, ImportProof::Unproven { .. }), "{:?}", import.proof);
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

/// So often a request is cut that the library gives up.
const FOR_GOOD: usize = 7;

#[tokio::test(start_paused = true)]
async fn a_detach_that_was_cut_at_any_request_ends_well_when_it_is_run_again() {
    let requests = [("GET", "/managedClusters/dev"), ("GET", "/roleAssignments"), ("DELETE", "/roleAssignments/")];
    for (method, part) in requests {
        for after_effect in [false, true] {
            let scene = scene();
            scene.client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap();
            let fault = Fault::on(method, part).reset().times(FOR_GOOD);
            scene.azure.fault(if after_effect { fault.after_effect() } else { fault });
            let cut = scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await;
            assert_eq!(cut.unwrap_err().kind(), ErrorKind::Unavailable, "{method} {part} {after_effect}");
            scene.client.detach(&scene.cluster, &scene.registry, DetachOptions::default()).await.unwrap();
            let left = scene.azure.role_assignments().iter().filter(|one| one.scope.contains("registries")).count();
            assert_eq!(left, 0, "{method} {part} {after_effect}");
        }
    }
}
