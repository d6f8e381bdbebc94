//! Rollouts that end at a pull: the cause, and whether it passes.

use super::{pods, wait_for_rollout::wait_for_rollout};
use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, NGINX, REGISTRY, Scene, deployment},
};
use aks_acr::{AttachOptions, Client, Error, ErrorKind, FindingId, PullRetry, Rollout};
use aks_acr_emulator::{ClusterSeed, Fault, RegistrySeed, Service, Timing};
use libtest_mimic::Failed;
use std::time::Duration;
use tokio::time::Instant;

const IMAGE: &str = "myregistry.azurecr.io/team/app:v1";
const OTHER: &str = "otherregistry.azurecr.io/team/app:v1";

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [];
        on_emulator: [
            a_cluster_with_the_grant_pulls,
            a_cluster_without_the_grant_is_told_which_one_is_missing,
            a_missing_grant_on_repositories_is_named,
            a_grant_of_another_client_that_lists_do_not_show_yet_is_not_missing,
            any_role_that_allows_the_pull_is_enough,
            acr_pull_is_not_honoured_in_a_registry_with_permissions_on_repositories,
            a_condition_lets_its_repository_be_pulled_and_no_other,
            a_condition_on_the_resource_is_never_called_enough,
            a_grant_that_is_not_effective_yet_is_waited_for,
            a_grant_that_does_not_become_effective_is_waited_for_as_long_as_was_said,
            an_image_of_another_registry_needs_a_grant_there,
            each_registry_of_a_pod_is_judged_by_its_own_grants,
            a_grants_delay_does_not_explain_another_failure,
            a_missing_tag_is_final,
            an_image_for_other_nodes_is_final,
            an_image_for_some_nodes_runs_on_those,
            a_firewall_is_final_and_names_the_clusters_address,
            a_closed_registry_is_final,
            a_host_that_does_not_exist_is_final,
            a_certificate_that_is_not_trusted_is_final,
            an_init_containers_image_is_told_as_its_own,
            the_first_error_is_kept_when_kubelet_backs_off,
            a_registry_that_throttles_for_a_moment_is_waited_for,
            a_cluster_without_kubelet_identity_has_no_credentials,
        ];
    }
}

fn with_image(scene: Scene) -> Scene {
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    scene
}

async fn deploy(scene: &Scene, image: &str) -> Result<aks_acr::Result<Rollout>, Failed> {
    scene.apply(&deployment("web", image, 2)).await?;
    Ok(wait_for_rollout(scene).await)
}

/// The error of a rollout that must have ended for this cause, soon.
async fn fails(scene: &Scene, image: &str, finding: &FindingId) -> Result<Error, Failed> {
    let begun = Instant::now();
    let err = refused(deploy(scene, image).await?, ErrorKind::PullFailed)?;
    let failure = some(err.pull_failure(), "pull failure")?;
    assert_eq!((&failure.finding.id, failure.image.as_str()), (finding, image), "{}", failure.message);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    Ok(err)
}

async fn a_cluster_with_the_grant_pulls() -> Checked {
    let scene = with_image(Scene::new()?);
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!(deploy(&scene, IMAGE).await??.ready, 2);
    let digest = some(scene.azure.digest(IMAGE), "digest")?;
    assert!(pods(&scene).await?.iter().all(|pod| pod.image_id.as_ref().is_some_and(|id| id.contains(&digest))));
    Ok(())
}

async fn a_cluster_without_the_grant_is_told_which_one_is_missing() -> Checked {
    let scene = with_image(Scene::new()?);
    says_what_is_missing(&scene, "AcrPull").await?;
    let grants = scene.sent(|request| request.path.contains("/roleAssignments/") && request.is_write());
    assert_eq!(grants.len(), 1, "that of the attach");
    Ok(())
}

/// Lists one after another may reach a replica that does not know of the grant. Seven that agree are believed, and the one of
/// the explanation.
async fn a_grant_of_another_client_that_lists_do_not_show_yet_is_not_missing() -> Checked {
    for lagging in [1, 3, 6, 7, 8] {
        let scene = with_image(Scene::new()?);
        scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
        let other = Client::builder(scene.azure.credential(), scene.azure.subscription())
            .transport(scene.azure.transport())
            .build()?;
        other.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
        let empty = Fault::on("GET", "/roleAssignments?").status(200).body(serde_json::json!({ "value": [] }));
        scene.azure.fault(empty.times(lagging));
        let rolled = deploy(&scene, IMAGE).await?;
        if lagging < 8 {
            assert_eq!(rolled.map_err(|err| format!("{lagging}: {err:#}"))?.ready, 2);
        } else {
            let err = refused(rolled, ErrorKind::PullFailed)?;
            assert_eq!(some(err.pull_failure(), "pull failure")?.finding.id, FindingId::GRANT_MISSING, "{err}");
        }
    }
    Ok(())
}

async fn a_missing_grant_on_repositories_is_named() -> Checked {
    let scene = with_image(Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?);
    says_what_is_missing(&scene, "Container Registry Repository Reader").await
}

/// Within five seconds the error names cluster, registry, identity, role, and attach as the next step. After that step the pods run.
async fn says_what_is_missing(scene: &Scene, role: &str) -> Checked {
    scene.apply(&deployment("web", IMAGE, 2)).await?;
    let begun = Instant::now();
    let err = refused(wait_for_rollout(scene).await, ErrorKind::PullFailed)?;
    assert!(begun.elapsed() <= Duration::from_secs(5), "{:?}", begun.elapsed());
    let failure = some(err.pull_failure(), "pull failure")?;
    let (finding, step) = (&failure.finding, &failure.finding.next_step);
    assert_eq!((&finding.id, finding.retry), (&FindingId::GRANT_MISSING, PullRetry::Never), "{}", failure.message);
    let kubelet = scene.kubelet()?.to_string();
    for part in [CLUSTER, REGISTRY, role, kubelet.as_str()] {
        assert!(finding.message.contains(part) && err.to_string().contains(part), "{err}");
    }
    assert!(err.to_string().contains("[grant.missing]"), "{err}");
    let argument = |name: &str| some(step.arguments.get(name), "argument").cloned();
    let (cluster, registry) = (argument("cluster")?.parse()?, argument("registry")?.parse()?);
    assert_eq!(step.operation.as_deref(), Some("attach"));
    scene.client.attach(&cluster, &registry, AttachOptions::default()).await?;
    assert_eq!(wait_for_rollout(scene).await?.ready, 2);
    Ok(())
}

async fn any_role_that_allows_the_pull_is_enough() -> Checked {
    for role in ["AcrPush", "Contributor", "Reader"] {
        let scene = with_image(Scene::new()?);
        scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
        scene.grant_pull(role);
        assert_eq!(deploy(&scene, IMAGE).await??.ready, 2, "{role}");
    }
    Ok(())
}

async fn acr_pull_is_not_honoured_in_a_registry_with_permissions_on_repositories() -> Checked {
    let scene = with_image(Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?);
    scene.grant_pull("AcrPull");
    let err = fails(&scene, IMAGE, &FindingId::GRANT_ROLE_NOT_HONOURED).await?.to_string();
    assert!(err.contains("Container Registry Repository Reader"), "{err}");
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!(wait_for_rollout(&scene).await?.ready, 2);
    Ok(())
}

async fn a_condition_lets_its_repository_be_pulled_and_no_other() -> Checked {
    let scene = with_image(Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?);
    let other = "myregistry.azurecr.io/other:v1";
    scene.azure.push_image(other, &["linux/amd64"]);
    let condition = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/app'";
    let options = AttachOptions::default().with_condition(condition);
    scene.client.attach(&scene.cluster, &scene.by_id(), options).await?;
    assert_eq!(deploy(&scene, IMAGE).await??.ready, 2);
    let refusal = refused(deploy(&scene, other).await?, ErrorKind::PullFailed)?;
    assert_eq!(some(refusal.pull_failure(), "pull failure")?.finding.id, FindingId::GRANT_MISSING);
    let asked = scene.sent(|request| request.service == Service::Kubernetes).len();
    assert!(asked < 100, "ten minutes of watching took {asked} requests");
    Ok(())
}

/// Whether a registry knows `@Resource` attributes is not established: the answer depends on the node alone.
async fn a_condition_on_the_resource_is_never_called_enough() -> Checked {
    for is_known in [false, true] {
        let scene = with_image(Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?);
        scene.azure.set_resource_attributes_known(is_known);
        let condition = "@Resource[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/app'";
        let options = AttachOptions::default().with_condition(condition);
        scene.client.attach(&scene.cluster, &scene.by_id(), options).await?;
        let ended = deploy(&scene, IMAGE).await?;
        if is_known {
            assert_eq!(ended?.ready, 2);
            continue;
        }
        let err = refused(ended, ErrorKind::PullFailed)?.to_string();
        assert!(err.contains("condition: ") && !err.contains("grant: exists"), "{err}");
    }
    Ok(())
}

async fn a_grant_that_is_not_effective_yet_is_waited_for() -> Checked {
    let scene = with_image(Scene::new()?);
    scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(240)));
    let begun = Instant::now();
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!(deploy(&scene, IMAGE).await??.ready, 2);
    assert!(begun.elapsed() >= Duration::from_secs(240));
    Ok(())
}

async fn a_grant_that_does_not_become_effective_is_waited_for_as_long_as_was_said() -> Checked {
    let scene = with_image(Scene::new()?);
    scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(9000)));
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    let begun = Instant::now();
    let options = aks_acr::RolloutOptions::default().with_propagation_timeout(Duration::from_secs(90));
    let result = scene.client.wait_for_rollout(&scene.cluster, &aks_acr::WorkloadRef::new("web"), options).await;
    refused(result, ErrorKind::PullFailed)?;
    assert!(begun.elapsed() >= Duration::from_secs(90) && begun.elapsed() < Duration::from_secs(120));
    Ok(())
}

async fn an_image_of_another_registry_needs_a_grant_there() -> Checked {
    let scene = with_image(Scene::new()?);
    let _ = scene.azure.clone().with_registry("other", "otherregistry").with_image(OTHER, &["linux/amd64"]);
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let err = fails(&scene, OTHER, &FindingId::GRANT_MISSING).await?.to_string();
    assert!(err.contains("on otherregistry"), "{err}");
    Ok(())
}

/// A pod that pulls from a registry with a grant that is not effective yet, and then another image.
async fn waits_and_then_fails(then: &str) -> Result<(Error, Duration), Failed> {
    let scene = with_image(Scene::new()?);
    let _ = scene.azure.clone().with_registry("other", "otherregistry").with_image(OTHER, &["linux/amd64"]);
    scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(240)));
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let init = format!("initContainers: [{{name: prepare, image: '{IMAGE}'}}], containers");
    scene.apply(&deployment("web", then, 1).replace("containers", &init)).await?;
    let begun = Instant::now();
    let err = refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    Ok((err, begun.elapsed()))
}

async fn each_registry_of_a_pod_is_judged_by_its_own_grants() -> Checked {
    let (err, took) = waits_and_then_fails(OTHER).await?;
    let failure = some(err.pull_failure(), "pull failure")?;
    assert_eq!((failure.image.as_str(), &failure.finding.id), (OTHER, &FindingId::GRANT_MISSING));
    assert!(err.to_string().contains("on otherregistry") && !err.to_string().contains("grant: exists"), "{err}");
    assert!(took < Duration::from_secs(240 + 400), "{took:?}");
    Ok(())
}

async fn a_grants_delay_does_not_explain_another_failure() -> Checked {
    let (err, _) = waits_and_then_fails("myregistry.azurecr.io/team/app:v2").await?;
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.id, FindingId::IMAGE_NOT_FOUND);
    assert!(!err.to_string().contains("grant: exists") && err.to_string().matches("hint:").count() == 1, "{err}");
    Ok(())
}

async fn a_missing_tag_is_final() -> Checked {
    let scene = with_image(Scene::new()?);
    scene.grant_pull("AcrPull");
    fails(&scene, "myregistry.azurecr.io/team/app:v2", &FindingId::IMAGE_NOT_FOUND).await?;
    Ok(())
}

async fn an_image_for_other_nodes_is_final() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    scene.azure.push_image(IMAGE, &["linux/arm64", "linux/arm/v7"]);
    fails(&scene, IMAGE, &FindingId::PLATFORM_MISSING).await?;
    Ok(())
}

async fn an_image_for_some_nodes_runs_on_those() -> Checked {
    let cluster =
        ClusterSeed::new(GROUP, CLUSTER).node("aks-intel-0", "linux", "amd64").node("aks-arm-0", "linux", "arm64");
    let scene = Scene::with_cluster(cluster)?;
    scene.azure.push_image("quay.example/app:v1", &["linux/arm64", "linux/riscv64"]);
    let anywhere = deployment("web", "quay.example/app:v1", 2);
    scene
        .apply(&anywhere.replace("spec: {containers", "spec: {nodeSelector: {kubernetes.io/arch: arm64}, containers"))
        .await?;
    wait_for_rollout(&scene).await?;
    assert!(pods(&scene).await?.iter().all(|pod| pod.node.as_deref() == Some("aks-arm-0")));
    Ok(())
}

async fn a_firewall_is_final_and_names_the_clusters_address() -> Checked {
    let closed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium").only_from(&["203.0.113.0/24"]);
    let scene = with_image(Scene::with_registry(closed)?);
    scene.grant_pull("AcrPull");
    let address = Some(scene.azure.egress_address());
    let err = fails(&scene, IMAGE, &FindingId::OUTBOUND_IP_NOT_ALLOWED).await?;
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.address, address);
    let address = scene.azure.egress_address();
    scene.azure.set_registry(GROUP, REGISTRY, |seed| seed.only_from(&[&address]));
    assert_eq!(wait_for_recovery(&scene).await?.ready, 2);
    Ok(())
}

/// Kubelet tries again by itself, with longer and longer waits; until it does, its last failure still stands.
async fn wait_for_recovery(scene: &Scene) -> aks_acr::Result<Rollout> {
    for _ in 0..20 {
        if pods(scene).await?.iter().all(|pod| pod.status == "Running") {
            break;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    wait_for_rollout(scene).await
}

async fn a_closed_registry_is_final() -> Checked {
    let scene = with_image(Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).public_network_disabled())?);
    scene.grant_pull("AcrPull");
    let err = fails(&scene, IMAGE, &FindingId::PUBLIC_ACCESS_DISABLED).await?;
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.address, Some(scene.azure.egress_address()));
    Ok(())
}

async fn a_host_that_does_not_exist_is_final() -> Checked {
    let scene = Scene::new()?;
    // Whether a registry of that name exists, Azure says.
    fails(&scene, "nosuchregistry.azurecr.io/app:v1", &FindingId::REGISTRY_NOT_FOUND).await?;
    fails(&scene, "registry.nowhere.example/app:v1", &FindingId::DNS_LOOKUP_FAILED).await?;
    Ok(())
}

async fn a_certificate_that_is_not_trusted_is_final() -> Checked {
    let scene = Scene::new()?;
    let why = "certificate signed by unknown authority";
    scene.azure.fault(Fault::on("*", "mcr.microsoft.com").untrusted(why).times(99));
    fails(&scene, crate::emulator::HELLO, &FindingId::UNTRUSTED_CERTIFICATE).await?;
    Ok(())
}

async fn an_init_containers_image_is_told_as_its_own() -> Checked {
    let scene = Scene::new()?;
    let init = "initContainers: [{name: prepare, image: 'docker.io/library/nginx:absent'}], containers";
    scene.apply(&deployment("web", NGINX, 1).replace("containers", init)).await?;
    let err = refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    let failure = some(err.pull_failure(), "pull failure")?;
    assert_eq!((failure.container.as_str(), failure.finding.id.clone()), ("prepare", FindingId::IMAGE_NOT_FOUND));
    assert!(pods(&scene).await?[0].status.starts_with("Init:"));
    Ok(())
}

async fn the_first_error_is_kept_when_kubelet_backs_off() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", "docker.io/library/nginx:absent", 1)).await?;
    let mut seen = Vec::new();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(7)).await;
        let failure = some(pods(&scene).await?.remove(0).pull_failure, "pull failure")?;
        assert_eq!(failure.finding.id, FindingId::IMAGE_NOT_FOUND, "{}: {}", failure.reason, failure.message);
        seen.push(failure.reason);
    }
    assert!(seen.iter().any(|reason| reason == "ImagePullBackOff"), "{seen:?}");
    let err = refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.id, FindingId::IMAGE_NOT_FOUND);
    Ok(())
}

async fn a_registry_that_throttles_for_a_moment_is_waited_for() -> Checked {
    let scene = with_image(Scene::new()?);
    scene.grant_pull("AcrPull");
    scene.azure.fault(Fault::on("*", "myregistry.azurecr.io/v2/").status(429).times(3));
    assert_eq!(deploy(&scene, IMAGE).await??.ready, 2);
    Ok(())
}

async fn a_cluster_without_kubelet_identity_has_no_credentials() -> Checked {
    let scene = with_image(Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).without_kubelet_identity())?);
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let failure = some(pods(&scene).await?.remove(0).pull_failure, "pull failure")?;
    assert_eq!(failure.finding.id, FindingId::NO_CREDENTIAL, "{}", failure.message);
    let err = refused(wait_for_rollout(&scene).await, ErrorKind::PullFailed)?;
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.id, FindingId::IDENTITY_MISSING, "{err}");
    Ok(())
}
