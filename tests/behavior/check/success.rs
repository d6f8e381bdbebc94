//! A pull that has succeeded answers what is not known from outside.

use super::{IMAGE, READER, first, registry, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, Scene, deployment},
};
use aks_acr::{
    CallOptions, CheckOptions, Client, FindingId, FindingStatus, KubernetesReads, PullStage, Report, Stage, StageState,
    UpdateRegistryOptions, Verdict,
};
use aks_acr_emulator::{ClusterSeed, From, RegistrySeed, Request, RoleSeed, Service, Timing, summary};
use libtest_mimic::Failed;
use serde_json::json;
use std::time::Duration;

const NODES: &str = "198.51.100.20";
/// Without nodes/read: that role does not list nodes.
const ROLES: [&str; 3] =
    ["Azure Kubernetes Service Cluster User Role", "Reader", "Azure Kubernetes Service RBAC Reader"];

/// A registry that the nodes reach, and the caller does not; what the nodes' path is, Azure does not say.
fn private(is_abac: bool) -> RegistrySeed {
    let approved =
        json!([{"name": "one", "properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}]);
    registry(is_abac).only_from(&[NODES]).property("privateEndpointConnections", approved)
}

fn rbac_scene(is_abac: bool) -> Result<Scene, Failed> {
    let one_node = ClusterSeed::new(GROUP, CLUSTER).azure_rbac().node("aks-one-1", "linux", "amd64");
    let scene = scene_of(one_node, private(is_abac), &["linux/amd64"])?;
    let owner = scene.azure.object_id_of("owner");
    scene.azure.grant("Azure Kubernetes Service RBAC Cluster Admin", &owner, &scene.everything());
    scene.grant_pull(if is_abac { READER } else { "AcrPull" });
    Ok(scene)
}

/// A closed registry with a private endpoint in a hub, to which the cluster's network is peered; its own DNS server resolves the hub's zone.
pub fn behind_own_dns(is_abac: bool) -> Result<Scene, Failed> {
    let one_node = ClusterSeed::new(GROUP, CLUSTER).azure_rbac().node("aks-one-1", "linux", "amd64");
    let scene = scene_of(one_node, registry(is_abac).public_network_disabled(), &["linux/amd64"])?;
    let (azure, network) = (&scene.azure, scene.azure.network_id(GROUP, CLUSTER));
    let subnet = azure.add_subnet("hub", "hub", "endpoints", "10.8.1.0/24");
    let hub = some(subnet.split("/subnets/").next(), "the hub")?;
    let endpoint = azure.add_private_endpoint(scene.by_id().as_str(), &subnet, true);
    let zone = azure.add_private_zone("hub", &endpoint);
    azure.link_zone(&zone, hub);
    let (group, (_, path)) =
        (some(network.split('/').nth(4), "its group")?, some(network.split_once("/Microsoft.Network/"), "its path")?);
    let peered = json!({"properties": {"remoteVirtualNetwork": {"id": hub}, "peeringState": "Connected"}});
    azure.put_network(group, &format!("{path}/virtualNetworkPeerings/hub"), peered);
    azure.put_network(group, path, json!({"properties": {"dhcpOptions": {"dnsServers": ["10.8.0.4"]}}}));
    azure.set_name_server("10.8.0.4", Some(hub));
    let owner = azure.object_id_of("owner");
    azure.grant("Azure Kubernetes Service RBAC Cluster Admin", &owner, &scene.everything());
    scene.grant_pull(if is_abac { READER } else { "AcrPull" });
    Ok(scene)
}

fn with_roles(scene: &Scene, roles: &[&str]) -> Result<Client, Failed> {
    let everything = scene.everything();
    let roles: Vec<(&str, &str)> = roles.iter().map(|role| (*role, everything.as_str())).collect();
    Ok(scene.caller(&roles)?)
}

/// Starts a pod that pulls.
async fn pull(scene: &Scene, name: &str, image: &str) -> Checked {
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.apply(&deployment(name, image, 1)).await?;
    tokio::time::sleep(Duration::from_secs(30)).await;
    Ok(())
}

async fn checked(scene: &Scene, client: &Client, options: CheckOptions) -> Result<(Report, Vec<Request>), Failed> {
    let mark = scene.azure.mark();
    let report = client.check(&scene.cluster, &scene.by_id(), options).await?;
    let sent = scene.azure.requests_since(mark).into_iter();
    let sent = sent.filter(|one| one.from == From::Client && one.service != Service::Entra);
    Ok((report, sent.collect()))
}

fn stage(report: &Report, name: PullStage) -> Result<&Stage, Failed> {
    some(report.stages.iter().find(|one| one.name == name), "the stage")
}

fn of(image: Option<&str>) -> Result<CheckOptions, Failed> {
    Ok(match image {
        Some(image) => CheckOptions::default().with_image(image.parse()?),
        None => CheckOptions::default(),
    })
}

pub async fn a_private_registry_that_a_node_pulled_from_today_can_be_pulled_from() -> Checked {
    for (is_abac, image, made) in [false, true].into_iter().flat_map(|is_abac| {
        [None, Some(IMAGE)]
            .into_iter()
            .flat_map(move |image| [behind_own_dns(is_abac)].map(|scene| (is_abac, image, scene)))
    }) {
        {
            let scene = made?;
            let caller = with_roles(&scene, &ROLES)?;
            let (before, _) = checked(&scene, &caller, of(image)?).await?;
            assert_eq!((before.verdict, &first(&before)?.id), (Verdict::Unknown, &FindingId::PRIVATE_PATH_UNKNOWN));
            pull(&scene, "web", IMAGE).await?;
            let fresh = with_roles(&scene, &ROLES)?;
            let begun = tokio::time::Instant::now();
            let (report, sent) = checked(&scene, &fresh, of(image)?).await?;
            assert_eq!(report.verdict, Verdict::CanPull, "{report}");
            let by = some(stage(&report, PullStage::Network)?.by.as_deref(), "by")?;
            assert!(by.contains(IMAGE) && by.contains("default/web-"), "{by}");
            assert!(report.assumptions.iter().any(|one| one.contains("the network between")), "{report}");
            // The kubeconfig, pods, events and nodes.
            let cost = summary(&sent);
            println!("abac {is_abac}, image {}: {} requests, {} deep", image.is_some(), cost.count, cost.depth);
            assert!(cost.count <= 4 + usize::from(image.is_some()) * 4 + 4 + 6, "{sent:#?}");
            assert!(begun.elapsed() <= Duration::from_secs(1), "{:?}", begun.elapsed());
            let never = of(image)?.with_kubernetes(KubernetesReads::Never);
            let (never, sent) = checked(&scene, &caller, never).await?;
            assert_eq!(never.verdict, Verdict::Unknown, "{never}");
            assert!(!sent.iter().any(|one| one.service == Service::Kubernetes), "{sent:#?}");
        }
    }
    Ok(())
}

/// A running container whose image was on the node proves nothing after a change, and an event of a pull before it does not either.
pub async fn a_pull_from_before_a_change_is_a_warning() -> Checked {
    let scene = behind_own_dns(false)?;
    pull(&scene, "web", IMAGE).await?;
    let (report, _) = checked(&scene, &scene.client, CheckOptions::default()).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let change = UpdateRegistryOptions::default().with_admin_user(true);
    scene.client.update_registry(&scene.by_id(), change).await?;
    // The image is on the node: the pod starts without a pull.
    for name in ["web", "again"] {
        pull(&scene, name, IMAGE).await?;
        let (report, _) = checked(&scene, &scene.client, CheckOptions::default()).await?;
        assert_eq!(report.verdict, Verdict::Unknown, "{name}: {report}");
        assert_eq!(first(&report)?.id, FindingId::PRIVATE_PATH_UNKNOWN, "{report}");
        let warned = report.findings.iter().find(|one| one.id == FindingId::SUCCEEDED_BEFORE_CHANGE);
        let warned = some(warned, "a warning")?;
        assert_eq!((warned.status, warned.stage), (FindingStatus::Warning, PullStage::Network), "{report}");
        // What was changed is not known without `changes`, and named with it.
        assert!(warned.message.contains("Azure shows only the time"), "{report}");
        let (report, _) = checked(&scene, &scene.client, CheckOptions::default().with_changes(true)).await?;
        let warned = report.findings.iter().find(|one| one.id == FindingId::SUCCEEDED_BEFORE_CHANGE);
        let warned = some(warned, "a warning")?;
        assert!(warned.message.ends_with("what Azure has recorded: adminUserEnabled"), "{report}");
        let seen = some(warned.evidence.last(), "evidence")?;
        assert_eq!((seen.field.as_str(), seen.value.as_str()), ("adminUserEnabled", "False → True"), "{report}");
        assert_eq!(stage(&report, PullStage::Network)?.state, StageState::Unknown);
    }
    scene.azure.push_image("myregistry.azurecr.io/team/new:v1", &["linux/amd64"]);
    pull(&scene, "new", "myregistry.azurecr.io/team/new:v1").await?;
    let (report, _) = checked(&scene, &scene.client, CheckOptions::default()).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    // Hours later, when the events are gone, the node's age counts.
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    let (report, _) = checked(&scene, &scene.client, CheckOptions::default()).await?;
    assert_eq!(report.verdict, Verdict::Unknown, "{report}");
    Ok(())
}

/// What was read as failing is not overruled: it may have changed since.
pub async fn a_pull_does_not_overrule_what_fails() -> Checked {
    let scene = rbac_scene(false)?;
    pull(&scene, "web", IMAGE).await?;
    let options = aks_acr::DetachOptions::default();
    scene.client.detach(&scene.cluster, &scene.by_id(), options).await?;
    let always = CheckOptions::default().with_kubernetes(KubernetesReads::Always);
    let (report, sent) = checked(&scene, &scene.client, always).await?;
    assert_eq!(report.root_cause, Some(FindingId::GRANT_MISSING), "{report}");
    let lists = |path: &str| sent.iter().filter(|one| one.path == path).count();
    assert_eq!((lists("/api/v1/nodes"), lists("/api/v1/pods"), lists("/api/v1/events")), (1, 1, 1), "{sent:#?}");
    // If needed: a pull could not decide.
    let (report, sent) = checked(&scene, &scene.client, CheckOptions::default()).await?;
    assert_eq!(report.root_cause, Some(FindingId::GRANT_MISSING), "{report}");
    assert!(!sent.iter().any(|one| one.service == Service::Kubernetes), "{sent:#?}");
    Ok(())
}

/// A pod's own pull secret proves nothing of the nodes' identity.
pub async fn a_pull_with_a_secret_is_no_grant() -> Checked {
    for has_secret in [true, false] {
        let open = || registry(false);
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), open(), &["linux/amd64"])?;
        // Whether this role allows pulling is not known to a caller that cannot read it.
        super::custom(&scene, RoleSeed::new("custom").block(&[super::PULL], &[]));
        let pod = deployment("web", IMAGE, 1);
        let secret = "imagePullSecrets: [{name: hub}], ";
        tokio::time::sleep(Duration::from_secs(60)).await;
        scene
            .apply(&if has_secret { pod.replace("containers:", &format!("{secret}containers:")) } else { pod })
            .await?;
        tokio::time::sleep(Duration::from_secs(30)).await;
        let rights = [
            "Microsoft.ContainerService/managedClusters/read",
            "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
            "Microsoft.ContainerRegistry/registries/read",
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Authorization/denyAssignments/read",
        ];
        let caller = scene.caller_who_may(&rights)?;
        let (report, _) = checked(&scene, &caller, CheckOptions::default()).await?;
        let wanted = if has_secret { Verdict::Unknown } else { Verdict::CanPull };
        assert_eq!(report.verdict, wanted, "{has_secret}: {report}");
    }
    Ok(())
}

/// What is missing for the answer is named, and an API that does not respond costs little.
pub async fn pods_that_cannot_be_read_are_named() -> Checked {
    for (roles, action) in [
        (&ROLES[1..], "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"),
        (&ROLES[..2], "Microsoft.ContainerService/managedClusters/pods/read"),
    ] {
        let scene = behind_own_dns(false)?;
        pull(&scene, "web", IMAGE).await?;
        let caller = with_roles(&scene, roles)?;
        let (report, _) = checked(&scene, &caller, CheckOptions::default()).await?;
        assert_eq!(report.verdict, Verdict::Unknown, "{report}");
        let need = first(&report)?.needs.iter().find(|need| need.action.is_some());
        let need = some(need, "a right")?;
        assert_eq!(need.action.as_deref(), Some(action), "{report}");
        assert!(need.smallest_role.is_some() && need.scope.is_some(), "{need:?}");
    }
    let scene = behind_own_dns(false)?;
    pull(&scene, "web", IMAGE).await?;
    let caller = with_roles(&scene, &ROLES)?;
    scene.azure.fault(aks_acr_emulator::Fault::on("GET", "/api/v1/pods").silent().times(100));
    let begun = tokio::time::Instant::now();
    let options = CheckOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(60)));
    let (report, sent) = checked(&scene, &caller, options).await?;
    assert_eq!(report.verdict, Verdict::Unknown, "{report}\n{sent:#?}");
    assert!(begun.elapsed() <= Duration::from_secs(12), "{:?}", begun.elapsed());
    Ok(())
}

/// On a clock on which each request takes 50 ms, tokens included.
pub async fn a_healthy_cluster_takes_a_third_of_a_second() -> Checked {
    for image in [None, Some(IMAGE)] {
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64", "linux/arm64"])?;
        scene.grant_pull("AcrPull");
        scene.azure.set_timing(Timing::none().with_latency(Duration::from_millis(50)));
        let begun = tokio::time::Instant::now();
        let (report, sent) = checked(&scene, &scene.client, of(image)?).await?;
        println!("image {}: {} requests, {:?}", image.is_some(), sent.len(), begun.elapsed());
        assert_eq!(report.verdict, Verdict::CanPull, "{report}");
        assert!(begun.elapsed() <= Duration::from_millis(300), "{:?}", begun.elapsed());
    }
    Ok(())
}
