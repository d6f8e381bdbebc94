//! A registry in another tenant: what is not possible is known before anything is written, with the ways that are left.

use crate::{Scene, client};
use aks_acr::{
    AttachOptions, CheckOptions, ClusterRef, DetachOptions, ErrorKind, FindingStatus, GrantAccessOptions, RegistryRef,
    Verdict,
};
use aks_acr_emulator::{ClusterSeed, Emulator, From, RegistrySeed};

const FOREIGN: &str = "99999999-9999-9999-9999-999999999999";
const TENANT: &str = "88888888-8888-8888-8888-888888888888";

/// A cluster of the caller's tenant, and a registry of another one.
fn scene(cluster: ClusterSeed) -> (Scene, RegistryRef) {
    let azure = Emulator::new().with_cluster_of(cluster).with_registry("group", "myregistry");
    let azure = azure.with_foreign_subscription(FOREIGN, TENANT);
    let azure = azure.with_registry_of(RegistrySeed::new("group", "theirs").in_subscription(FOREIGN));
    let id = format!(
        "/subscriptions/{FOREIGN}/resourceGroups/group/providers/Microsoft.ContainerRegistry/registries/theirs"
    );
    (Scene::of(azure), id.parse().unwrap())
}

fn writes(azure: &Emulator) -> usize {
    let is_write =
        |one: &&aks_acr_emulator::Request| one.from == From::Client && matches!(&*one.method, "PUT" | "DELETE");
    azure.requests().iter().filter(is_write).count()
}

#[tokio::test(start_paused = true)]
async fn attach_across_tenants_is_refused_before_any_write_with_the_ways_that_are_left() {
    for (cluster, way) in [
        (ClusterSeed::new("group", "dev"), "pull secret"),
        (ClusterSeed::new("group", "dev").service_principal(), "multi-tenant"),
    ] {
        let (scene, theirs) = scene(cluster);
        let attached = scene.client.attach(&scene.cluster, &theirs, AttachOptions::default()).await.map(drop);
        let planned = scene.client.plan_attach(&scene.cluster, &theirs, AttachOptions::default()).await.map(drop);
        for err in [attached.unwrap_err(), planned.unwrap_err()] {
            assert_eq!(err.kind(), ErrorKind::Unsupported, "{err:#}");
            assert_eq!(err.code(), Some("InvalidAuthenticationTokenTenant"));
            let text = format!("{err:#}");
            assert!(text.contains("another tenant") && text.contains(TENANT) && text.contains(way), "{text}");
            assert!(!err.is_transient());
        }
        assert_eq!(writes(&scene.azure), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn other_operations_say_which_tenant_they_need() {
    let (scene, theirs) = scene(ClusterSeed::new("group", "dev"));
    let principal = scene.azure.kubelet_object_id("group", "dev").parse().unwrap();
    let granted = scene.client.grant_access(&theirs, &principal, GrantAccessOptions::default()).await.map(drop);
    let detached = scene.client.detach(&scene.cluster, &theirs, DetachOptions::default()).await.map(drop);
    // With a cluster that cannot be read either, nothing is known of its identity.
    let far = format!(
        "/subscriptions/{FOREIGN}/resourceGroups/group/providers/Microsoft.ContainerService/managedClusters/far"
    );
    let far: ClusterRef = far.parse().unwrap();
    let attached = scene.client.attach(&far, &theirs, AttachOptions::default()).await.map(drop);
    for err in [granted.unwrap_err(), detached.unwrap_err(), attached.unwrap_err()] {
        assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{err:#}");
        assert!(format!("{err:#}").contains(TENANT), "{err:#}");
    }
    assert_eq!(writes(&scene.azure), 0);
}

#[tokio::test(start_paused = true)]
async fn a_check_says_that_the_registry_is_in_another_tenant() {
    for (cluster, verdict, status) in [
        (ClusterSeed::new("group", "dev"), Verdict::CannotPull, FindingStatus::Failing),
        (ClusterSeed::new("group", "dev").service_principal(), Verdict::Unknown, FindingStatus::Unknown),
    ] {
        let (scene, theirs) = scene(cluster);
        let report = scene.client.check(&scene.cluster, &theirs, CheckOptions::default()).await.unwrap();
        let found = report.findings.iter().find(|one| one.id.as_str() == "registry.other_tenant").unwrap();
        assert_eq!((report.verdict, found.status), (verdict, status), "{report}");
        if verdict == Verdict::CannotPull {
            assert_eq!(
                report.root_cause.as_ref().map(aks_acr::FindingId::as_str),
                Some("registry.other_tenant"),
                "{report}"
            );
        }
    }
    let (scene, _) = scene(ClusterSeed::new("group", "dev"));
    let reader = client(&scene.azure, scene.azure.credential());
    let report = reader.check(&scene.cluster, &scene.registry, CheckOptions::default()).await.unwrap();
    assert!(report.findings.iter().all(|one| one.id.as_str() != "registry.other_tenant"), "{report}");
}
