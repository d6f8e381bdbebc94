//! Failed pulls that are final, except for a while after a change of the registry, and a missing grant that someone else makes.

use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene, deployment},
};
use aks_acr::{
    ApplyOptions, CallOptions, ErrorKind, ExplainOptions, ExplainTarget, FindingId, Manifest, OnMissingGrant,
    PodSelection, ProvePullOptions, PullRetry, RolloutOptions, WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Fault, RegistrySeed, Timing};
use libtest_mimic::Failed;
use std::time::Duration;
use tokio::time::Instant;

const IMAGE: &str = "myregistry.azurecr.io/team/app:v1";

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [];
        on_emulator: [
            replicas_get_time_for_a_new_image,
            replicas_do_not_get_time_for_ever,
            a_registry_without_replicas_gets_no_time,
            a_registry_that_cannot_be_read_gets_no_time,
            a_new_registrys_host_name_gets_time,
            an_older_registrys_host_name_gets_no_time,
            a_wait_that_is_to_fail_fast_gives_no_time,
            the_cause_is_that_of_an_explanation_and_may_be_gone,
            an_image_that_was_pushed_meanwhile_is_waited_for,
            a_grant_that_is_missing_where_explain_does_not_look_is_final,
            a_stopped_cluster_is_named_by_all_that_need_its_api_server,
            a_missing_grant_that_someone_else_makes_is_waited_for,
            a_missing_grant_that_no_one_makes_ends_the_wait_in_time,
        ];
    }
}

fn replicated(sku: &str, lag: Duration) -> Result<Scene, Failed> {
    let registry = RegistrySeed::new(GROUP, REGISTRY).sku(sku).replicas_lag(lag);
    let scene = Scene::of(ClusterSeed::new(GROUP, CLUSTER), registry)?;
    scene.grant_pull("AcrPull");
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    Ok(scene)
}

/// A scene whose nodes resolve the registry's host name only so long after its creation, and `age` of that is over.
async fn young(unknown_for: Duration, age: Duration) -> Result<Scene, Failed> {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    scene.azure.set_timing(Timing::none().with_registry_name(unknown_for));
    tokio::time::sleep(age).await;
    Ok(scene)
}

async fn rollout(
    scene: &Scene,
    options: RolloutOptions,
) -> Result<(aks_acr::Result<aks_acr::Rollout>, Duration), Failed> {
    scene.apply(&deployment("web", IMAGE, 2)).await?;
    let begun = Instant::now();
    let ended = scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), options).await;
    Ok((ended, begun.elapsed()))
}

async fn fails(scene: &Scene, options: RolloutOptions, id: &FindingId) -> Result<(aks_acr::Error, Duration), Failed> {
    let (ended, took) = rollout(scene, options).await?;
    let err = refused(ended, ErrorKind::PullFailed)?;
    let failure = some(err.pull_failure(), "pull failure")?;
    assert_eq!(&failure.finding.id, id, "{err}");
    Ok((err, took))
}

async fn replicas_get_time_for_a_new_image() -> Checked {
    let scene = replicated("Premium", Duration::from_secs(170))?;
    let (ended, took) = rollout(&scene, RolloutOptions::default()).await?;
    assert_eq!(ended?.ready, 2);
    assert!(took >= Duration::from_secs(170), "{took:?}");
    Ok(())
}

async fn replicas_do_not_get_time_for_ever() -> Checked {
    let scene = replicated("Premium", Duration::from_secs(24 * 3600))?;
    let (err, took) = fails(&scene, RolloutOptions::default(), &FindingId::IMAGE_NOT_REPLICATED_YET).await?;
    assert!((360..380).contains(&took.as_secs()), "{took:?}");
    assert!(err.to_string().contains("waited: 360 s, since registry myregistry may have replicas"), "{err}");
    assert_eq!(some(err.pull_failure(), "pull failure")?.finding.retry, PullRetry::Transient);
    // It says what was waited, not what could have been.
    scene.apply(&deployment("web", IMAGE, 3)).await?;
    let options = RolloutOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(30)));
    let ended = scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), options).await;
    let err = refused(ended, ErrorKind::DeadlineExceeded)?;
    let waited = err.context().find(|(name, _)| *name == "waited").map(|(_, text)| text.to_owned());
    assert!(waited.is_some_and(|text| !text.contains("360")), "{err}");
    Ok(())
}

async fn a_registry_without_replicas_gets_no_time() -> Checked {
    let scene = replicated("Standard", Duration::from_secs(90))?;
    let (err, took) = fails(&scene, RolloutOptions::default(), &FindingId::IMAGE_NOT_FOUND).await?;
    assert!(took < Duration::from_secs(10) && !err.to_string().contains("waited"), "{took:?} {err}");
    Ok(())
}

async fn a_registry_that_cannot_be_read_gets_no_time() -> Checked {
    let scene = replicated("Premium", Duration::from_secs(90))?;
    scene.azure.fault(Fault::on("GET", "/registries").status(403).times(100));
    let (_, took) = fails(&scene, RolloutOptions::default(), &FindingId::IMAGE_NOT_FOUND).await?;
    assert!(took < Duration::from_secs(10), "{took:?}");
    Ok(())
}

async fn a_new_registrys_host_name_gets_time() -> Checked {
    let scene = young(Duration::from_secs(240), Duration::from_secs(60)).await?;
    let (ended, took) = rollout(&scene, RolloutOptions::default()).await?;
    assert_eq!(ended?.ready, 2);
    assert!(took >= Duration::from_secs(170), "{took:?}");
    Ok(())
}

async fn an_older_registrys_host_name_gets_no_time() -> Checked {
    let scene = young(Duration::from_secs(24 * 3600), Duration::from_secs(11 * 60)).await?;
    let (_, took) = fails(&scene, RolloutOptions::default(), &FindingId::DNS_LOOKUP_FAILED).await?;
    assert!(took < Duration::from_secs(10), "{took:?}");
    // With some of its first ten minutes left it gets those.
    let scene = young(Duration::from_secs(24 * 3600), Duration::from_secs(8 * 60)).await?;
    let (err, took) = fails(&scene, RolloutOptions::default(), &FindingId::DNS_LOOKUP_FAILED).await?;
    assert!((110..130).contains(&took.as_secs()) && err.to_string().contains("is new"), "{took:?} {err}");
    Ok(())
}

async fn a_wait_that_is_to_fail_fast_gives_no_time() -> Checked {
    let options = || RolloutOptions::default().with_fail_fast(true);
    let scene = replicated("Premium", Duration::from_secs(90))?;
    assert!(fails(&scene, options(), &FindingId::IMAGE_NOT_REPLICATED_YET).await?.1 < Duration::from_secs(10));
    let scene = young(Duration::from_secs(90), Duration::ZERO).await?;
    assert!(fails(&scene, options(), &FindingId::DNS_LOOKUP_FAILED).await?.1 < Duration::from_secs(10));
    Ok(())
}

fn ungranted() -> Result<Scene, Failed> {
    let scene = Scene::new()?;
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    Ok(scene)
}

fn waiting() -> RolloutOptions {
    RolloutOptions::default()
        .with_missing_grant(OnMissingGrant::Wait)
        .with_propagation_timeout(Duration::from_secs(300))
}

/// The kubelet's message says only that an address is not allowed. Once the cause is gone, pods still wait with the message of before.
async fn the_cause_is_that_of_an_explanation_and_may_be_gone() -> Checked {
    let registry = RegistrySeed::new(GROUP, REGISTRY).sku("Premium").public_network_disabled();
    let scene = Scene::of(ClusterSeed::new(GROUP, CLUSTER), registry)?;
    scene.grant_pull("AcrPull");
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    let network = scene.azure.network_id(GROUP, CLUSTER);
    let endpoint =
        scene.azure.add_private_endpoint(scene.by_id().as_str(), &format!("{network}/subnets/aks-subnet"), true);
    let zone = scene.azure.add_private_zone(GROUP, &endpoint);
    let (err, took) = fails(&scene, RolloutOptions::default(), &FindingId::PRIVATE_ZONE_NOT_LINKED).await?;
    assert!(took < Duration::from_secs(20), "{took:?}");
    let failure = some(err.pull_failure(), "pull failure")?;
    assert!(failure.message.contains("is not allowed access"), "{failure:?}");
    let command = some(failure.finding.next_step.command.as_deref(), "a command")?;
    assert!(command.starts_with("az network private-dns link vnet create"), "{command}");
    assert_eq!(err.to_string().matches("hint: ").count(), 1, "{err}");
    let report = some(err.report(), "a report")?;
    assert_eq!(report.root_cause, Some(FindingId::PRIVATE_ZONE_NOT_LINKED));
    assert_eq!(some(err.finding(), "a finding")?, some(report.root_finding(), "a finding")?);
    scene.azure.link_zone(&zone, &network);
    let ended =
        scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await;
    assert_eq!(ended?.ready, 2);
    Ok(())
}

/// A registry without replicas: the kubelet's message is of its last try.
async fn an_image_that_was_pushed_meanwhile_is_waited_for() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let (err, _) = fails(&scene, RolloutOptions::default(), &FindingId::IMAGE_NOT_FOUND).await?;
    assert!(!err.is_transient(), "{err}");
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    let ended =
        scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await;
    assert_eq!(ended?.ready, 2);
    Ok(())
}

/// The caller names a registry that an explanation does not find: it cannot list those of the subscription.
async fn a_grant_that_is_missing_where_explain_does_not_look_is_final() -> Checked {
    let scene = Scene::new()?;
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    scene.azure.fault(Fault::on("GET", "Microsoft.ContainerRegistry/registries?").status(403).times(100));
    let options = RolloutOptions::default().with_registry(scene.by_id());
    let (err, took) = fails(&scene, options, &FindingId::GRANT_MISSING).await?;
    assert!(took < Duration::from_secs(20), "{took:?}");
    let step = &some(err.pull_failure(), "pull failure")?.finding.next_step;
    assert_eq!(step.operation.as_deref(), Some("attach"), "{err}");
    Ok(())
}

async fn a_stopped_cluster_is_named_by_all_that_need_its_api_server() -> Checked {
    let scene = Scene::new()?;
    // Once before any connection was made, and once with one.
    for is_connected in [false, true] {
        if is_connected {
            scene.azure.set_stopped(GROUP, CLUSTER, false);
            scene.client.pods(&scene.cluster, &PodSelection::default(), CallOptions::default()).await?;
        }
        scene.azure.set_stopped(GROUP, CLUSTER, true);
        let (client, cluster, begun) = (&scene.client, &scene.cluster, Instant::now());
        let manifests = Manifest::parse_all(&deployment("web", IMAGE, 1))?;
        let errors = [
            client.pods(cluster, &PodSelection::default(), CallOptions::default()).await.map(drop),
            client.apply(cluster, manifests, ApplyOptions::default()).await.map(drop),
            client.wait_for_rollout(cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await.map(drop),
            client.explain(cluster, &ExplainTarget::Pods, ExplainOptions::default()).await.map(drop),
            client.prove_pull(cluster, &IMAGE.parse()?, ProvePullOptions::default()).await.map(drop),
            client.node_identities(cluster, CallOptions::default()).await.map(drop),
        ];
        for (at, ended) in errors.into_iter().enumerate() {
            let err = refused(ended, ErrorKind::Unavailable)?;
            let found = some(err.finding(), "a finding")?;
            assert_eq!(found.id, FindingId::CLUSTER_STOPPED, "{at} {err}");
            let text = err.to_string();
            assert!(text.contains("az aks start --resource-group group --name dev"), "{at} {text}");
            assert!(!err.is_transient(), "{at} {text}");
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    Ok(())
}

async fn a_missing_grant_that_someone_else_makes_is_waited_for() -> Checked {
    let scene = ungranted()?;
    let granted = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        scene.grant_pull("AcrPull");
    };
    let (ended, ()) = tokio::join!(rollout(&scene, waiting()), granted);
    let (ended, took) = ended?;
    assert_eq!(ended?.ready, 2);
    assert!(took >= Duration::from_secs(100), "{took:?}");
    Ok(())
}

async fn a_missing_grant_that_no_one_makes_ends_the_wait_in_time() -> Checked {
    let (err, took) = fails(&ungranted()?, waiting(), &FindingId::GRANT_MISSING).await?;
    assert!((300..320).contains(&took.as_secs()), "{took:?}");
    let failure = some(err.pull_failure(), "pull failure")?;
    assert_eq!(failure.finding.retry, PullRetry::AfterGrant);
    assert_eq!(failure.finding.next_step.operation.as_deref(), Some("attach"));
    assert!(err.to_string().contains("missing grant: AcrPull"), "{err}");
    Ok(())
}
