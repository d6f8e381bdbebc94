//! The network, part by part: which requests a private endpoint costs, what a missing right hides, and several endpoints.

use super::{check, registry, scene_of};
use crate::{
    case::{Checked, some},
    emulator::{CLUSTER, GROUP, Scene, deployment},
};
use aks_acr::{CheckOptions, ExplainOptions, FindingId, FindingStatus, RegistryRef, Report, Verdict};
use aks_acr_emulator::{ClusterSeed, From, RegistrySeed, Request, RoleSeed, Service, summary};
use libtest_mimic::Failed;
use serde_json::json;
use std::time::Duration;

/// A private registry with one endpoint in the network that AKS made, and its zone, which is linked.
fn private() -> Result<(Scene, String), Failed> {
    let scene =
        scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false).public_network_disabled(), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    let network = scene.azure.network_id(GROUP, CLUSTER);
    let subnet = format!("{network}/subnets/aks-subnet");
    let endpoint = scene.azure.add_private_endpoint(&scene.azure.registry_id(GROUP, "myregistry"), &subnet, true);
    let zone = scene.azure.add_private_zone("dns", &endpoint);
    scene.azure.link_zone(&zone, &network);
    Ok((scene, zone))
}

async fn without_image(scene: &Scene) -> aks_acr::Result<Report> {
    scene.client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await
}

fn network(report: &Report) -> Option<(FindingStatus, FindingId)> {
    let found = report.findings.iter().find(|one| one.stage == aks_acr::PullStage::Network)?;
    Some((found.status, found.id.clone()))
}

pub async fn a_private_path_costs_five_requests_more() -> Checked {
    let (scene, _) = private()?;
    let mark = scene.azure.mark();
    let report = without_image(&scene).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    let sent = scene.azure.requests_since(mark).into_iter();
    let sent: Vec<_> = sent.filter(|one| one.from == From::Client && one.service != Service::Entra).collect();
    assert_eq!((summary(&sent).count, summary(&sent).depth), (9, 3), "{sent:#?}");
    Ok(())
}

/// What is not readable is unknown, and names the action. Where the public address is open, it does not matter.
pub async fn a_missing_right_hides_a_part_of_the_private_path() -> Checked {
    for (lacking, id) in [
        ("Microsoft.Network/virtualNetworks/read", FindingId::PRIVATE_PATH_UNKNOWN),
        ("Microsoft.Network/privateEndpoints/read", FindingId::PRIVATE_PATH_UNKNOWN),
        ("Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read", FindingId::PRIVATE_PATH_UNKNOWN),
        ("Microsoft.Network/privateDnsZones/virtualNetworkLinks/read", FindingId::PRIVATE_ZONE_NOT_LINKED),
        ("Microsoft.Network/privateDnsZones/A/read", FindingId::PRIVATE_ZONE_NOT_LINKED),
    ] {
        for is_open in [false, true] {
            let (scene, _) = private()?;
            if is_open {
                scene.azure.set_registry(GROUP, "myregistry", |seed| seed.property("publicNetworkAccess", "Enabled"));
            }
            let role = RoleSeed::new("all but one").block(&["*"], &[lacking]);
            let azure = scene.azure.clone().with_role(role);
            let azure = azure.with_caller("reader", &[("all but one", &scene.everything())]);
            let client = crate::emulator::client(&azure, azure.credential_of("reader"))?;
            let report = client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
            if is_open && lacking != "Microsoft.Network/privateEndpoints/read" {
                assert_eq!(report.verdict, Verdict::CanPull, "{lacking}: {report}");
                continue;
            }
            assert_eq!(network(&report), Some((FindingStatus::Unknown, id.clone())), "{lacking}: {report}");
            let found = some(report.findings.first(), "a finding")?;
            assert!(found.needs.iter().any(|need| need.action.as_deref() == Some(lacking)), "{lacking}: {found:?}");
        }
    }
    Ok(())
}

/// The zone decides also about a registry that is open: its public name is an alias of a name in the zone.
pub async fn a_linked_zone_without_a_record_fails_although_the_registry_is_open() -> Checked {
    let (scene, zone) = private()?;
    scene.azure.set_registry(GROUP, "myregistry", |seed| seed.property("publicNetworkAccess", "Enabled"));
    assert_eq!(network(&without_image(&scene).await?), None);
    assert!(scene.azure.delete_network(&format!("{zone}/A/myregistry")));
    let report = check(&scene).await?;
    assert_eq!(network(&report), Some((FindingStatus::Failing, FindingId::RECORD_MISSING)), "{report}");
    // A link may resolve publicly what the zone lacks.
    let link = json!({"properties": {
        "virtualNetwork": {"id": scene.azure.network_id(GROUP, CLUSTER)}, "resolutionPolicy": "NxDomainRedirect",
    }});
    scene.azure.put_network("dns", "privateDnsZones/privatelink.azurecr.io/virtualNetworkLinks/again", link);
    let links = scene.azure.links_of(&zone);
    for link in links.iter().filter(|link| !link.ends_with("/again")) {
        assert!(scene.azure.delete_network(link));
    }
    assert_eq!(network(&check(&scene).await?), None);
    Ok(())
}

/// Without a link, an open registry is reached at its public address.
pub async fn a_zone_that_is_not_linked_matters_only_to_a_private_registry() -> Checked {
    for (access, wanted) in [("Enabled", None), ("Disabled", Some(FindingId::PRIVATE_ZONE_NOT_LINKED))] {
        let (scene, zone) = private()?;
        scene.azure.set_registry(GROUP, "myregistry", |seed| seed.property("publicNetworkAccess", access));
        unlink(&scene, &zone);
        assert_eq!(network(&without_image(&scene).await?), wanted.map(|id| (FindingStatus::Failing, id)), "{access}");
    }
    Ok(())
}

/// Of several endpoints, the one in the nodes' network counts, wherever it is in the list.
pub async fn the_nearest_of_several_endpoints_counts() -> Checked {
    let (scene, _) = private()?;
    let registry = scene.azure.registry_id(GROUP, "myregistry");
    for number in 1..=4 {
        let subnet = scene.azure.add_subnet("other", &format!("other{number}"), "endpoints", "10.9.0.0/24");
        scene.azure.add_private_endpoint(&registry, &subnet, true);
    }
    scene.azure.set_registry(GROUP, "myregistry", |seed| seed);
    let mark = scene.azure.mark();
    let report = without_image(&scene).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    let sent = scene.azure.requests_since(mark).into_iter();
    let count = sent.filter(|one| one.from == From::Client && one.service != Service::Entra).count();
    assert!(count <= 10, "{count} requests");
    Ok(())
}

/// An endpoint without a zone group: its records may be kept by hand, in a zone that nobody names.
pub async fn an_endpoint_without_a_zone_group_is_unknown_with_a_command() -> Checked {
    let (scene, zone) = private()?;
    let endpoints = scene.azure.endpoint_ids();
    let endpoint = some(endpoints.first(), "an endpoint")?;
    assert!(scene.azure.delete_network(&format!("{endpoint}/privateDnsZoneGroups/default")));
    // Its records went with the group, and the zone is linked: names end there.
    let report = without_image(&scene).await?;
    assert_eq!(network(&report), Some((FindingStatus::Failing, FindingId::RECORD_MISSING)), "{report}");
    let command = report.findings[0].next_step.command.clone().unwrap_or_default();
    let wanted = "az network private-endpoint dns-zone-group create";
    assert!(command.starts_with(wanted) && command.ends_with(&format!(" --private-dns-zone {zone}")), "{command}");
    unlink(&scene, &zone);
    let report = without_image(&scene).await?;
    assert_eq!(network(&report), Some((FindingStatus::Unknown, FindingId::PRIVATE_PATH_UNKNOWN)), "{report}");
    let command = report.findings[0].next_step.command.clone().unwrap_or_default();
    assert!(command.starts_with("az network private-endpoint dns-zone-group create"), "{command}");
    Ok(())
}

/// An endpoint that waits for approval, beside a public address: names of a linked zone lead to it. It is a warning, since Azure says nowhere
/// whether they do before the approval.
pub async fn an_endpoint_that_waits_for_approval_is_a_warning() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    assert_eq!(network(&without_image(&scene).await?), None);
    let subnet = format!("{}/subnets/aks-subnet", scene.azure.network_id(GROUP, CLUSTER));
    scene.azure.add_private_endpoint(&scene.azure.registry_id(GROUP, "myregistry"), &subnet, false);
    let report = without_image(&scene).await?;
    let wanted = Some((FindingStatus::Warning, FindingId::PRIVATE_ENDPOINT_NOT_APPROVED));
    assert_eq!((report.verdict, network(&report)), (Verdict::CanPull, wanted), "{report}");
    let command = report.findings.iter().find_map(|one| one.next_step.command.clone()).unwrap_or_default();
    assert!(command.starts_with("az acr private-endpoint-connection approve --registry-name myregistry"), "{command}");
    Ok(())
}

/// Removes the links of the endpoint's own zone.
fn unlink(scene: &Scene, zone: &str) {
    for link in scene.azure.links_of(zone) {
        assert!(scene.azure.delete_network(&link), "{link}");
    }
}

/// Links the nodes' network to a copy of the zone, in a group of the hub. Returns its ID.
fn hub_zone(scene: &Scene, zone: &str) -> String {
    unlink(scene, zone);
    let hub = scene.azure.copy_zone(zone, "hub");
    scene.azure.link_zone(&hub, &scene.azure.network_id(GROUP, CLUSTER));
    hub
}

/// The nodes' network is linked to another zone of that name, which nothing of the endpoint names: that one decides.
pub async fn a_zone_of_the_hub_decides_where_the_endpoints_own_is_not_linked() -> Checked {
    let (failing, unknown) = (FindingStatus::Failing, FindingStatus::Unknown);
    for has_group in [true, false] {
        for (record, address, wanted) in [
            (None, None, None),
            (Some("myregistry"), None, Some((failing, FindingId::RECORD_MISSING))),
            (Some("myregistry.westeurope.data"), None, Some((failing, FindingId::RECORD_MISSING))),
            (Some("myregistry"), Some("10.224.0.200"), Some((unknown, FindingId::PRIVATE_PATH_UNKNOWN))),
        ] {
            let (scene, zone) = private()?;
            let hub = hub_zone(&scene, &zone);
            if !has_group {
                let endpoints = scene.azure.endpoint_ids();
                let group = format!("{}/privateDnsZoneGroups/default", some(endpoints.first(), "an endpoint")?);
                assert!(scene.azure.delete_network(&group));
            }
            if let Some(record) = record {
                assert!(scene.azure.delete_network(&format!("{hub}/A/{record}")));
            }
            if let Some((record, address)) = record.zip(address) {
                let body = json!({"properties": {"ttl": 10, "aRecords": [{"ipv4Address": address}]}});
                scene.azure.put_network("hub", &format!("privateDnsZones/privatelink.azurecr.io/A/{record}"), body);
            }
            let mark = scene.azure.mark();
            let report = without_image(&scene).await?;
            let sent = scene.azure.requests_since(mark).into_iter();
            let is_read =
                |one: &Request| one.service == Service::Arm && !one.path.ends_with("/listClusterUserCredential");
            let sent: Vec<_> = sent.filter(|one| one.from == From::Client && is_read(one)).collect();
            let about = format!("{has_group} {record:?} {address:?}: {report}");
            let is_of_network =
                |id: &FindingId| ["network.", "dns."].iter().any(|start| id.as_str().starts_with(start));
            let found = report.findings.iter().find(|one| is_of_network(&one.id));
            assert_eq!(found.map(|one| (one.status, one.id.clone())), wanted, "{about}");
            assert_eq!(report.verdict == Verdict::CanPull, wanted.is_none(), "{about}");
            assert_eq!(summary(&sent).count, if has_group { 12 } else { 10 }, "{sent:#?}");
            assert!(summary(&sent).depth <= 5, "{sent:#?}");
        }
    }
    Ok(())
}

/// A zone of a hub that the caller cannot read: nodes pull through it, so that the missing link of the endpoint's own zone is no answer.
pub async fn a_pull_speaks_against_a_link_that_is_missing() -> Checked {
    for is_linked in [true, false] {
        let (scene, zone) = private()?;
        let hub = hub_zone(&scene, &zone);
        tokio::time::sleep(Duration::from_secs(60)).await;
        scene.apply(&deployment("web", "myregistry.azurecr.io/team/app:v1", 1)).await?;
        tokio::time::sleep(Duration::from_secs(60)).await;
        if !is_linked {
            unlink(&scene, &hub);
        }
        let role = RoleSeed::new("all but hubs")
            .block(&["*"], &["Microsoft.Network/privateDnsZones/virtualNetworkLinks/read"]);
        let own = RoleSeed::new("own zone").block(&["Microsoft.Network/privateDnsZones/*"], &[]);
        let azure = scene.azure.clone().with_role(role).with_role(own);
        let azure = azure.with_caller("reader", &[("all but hubs", &scene.everything()), ("own zone", &zone)]);
        let client = crate::emulator::client(&azure, azure.credential_of("reader"))?;
        let report = client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
        // Whether the link was removed since is not known outside.
        let found = some(report.findings.iter().find(|one| one.id == FindingId::PRIVATE_ZONE_NOT_LINKED), "a finding")?;
        assert_eq!((found.status, report.verdict), (FindingStatus::Unknown, Verdict::Unknown), "{report}");
        assert!(found.message.contains("node aks-nodepool1-0 pulled"), "{report}");
        // A pod that fails says it: its node came to the public address.
        if !is_linked {
            scene.apply(&deployment("late", "myregistry.azurecr.io/team/app:v1", 1)).await?;
            tokio::time::sleep(Duration::from_secs(45)).await;
            let options = ExplainOptions::default();
            let explanation = client.explain(&scene.cluster, &"late".parse()?, options).await?;
            assert_eq!(explanation.root_cause, Some(FindingId::PRIVATE_ZONE_NOT_LINKED), "{explanation}");
        }
        // What a finding is about is not taken for granted.
        assert!(!report.assumptions.iter().any(|one| one.contains("resolve the registry's name")), "{report}");
        assert_eq!(report.replayed()?, report);
    }
    Ok(())
}

/// What the index says is read again: a link that has gone decides nothing, and a zone that the caller cannot read is unknown.
pub async fn a_zone_of_the_index_is_read_before_it_decides() -> Checked {
    let (scene, zone) = private()?;
    let hub = hub_zone(&scene, &zone);
    scene.azure.freeze_resource_graph();
    unlink(&scene, &hub);
    let report = without_image(&scene).await?;
    assert_eq!(network(&report), Some((FindingStatus::Failing, FindingId::PRIVATE_ZONE_NOT_LINKED)), "{report}");
    // The caller sees the links of the hub's zone, and not its records.
    let (scene, zone) = private()?;
    hub_zone(&scene, &zone);
    let role = RoleSeed::new("all but one").block(&["*"], &["Microsoft.Network/privateDnsZones/A/read"]);
    let azure = scene.azure.clone().with_role(role);
    let azure = azure.with_caller("reader", &[("all but one", &scene.everything())]);
    let client = crate::emulator::client(&azure, azure.credential_of("reader"))?;
    let report = client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
    assert_eq!(network(&report), Some((FindingStatus::Unknown, FindingId::PRIVATE_ZONE_NOT_LINKED)), "{report}");
    Ok(())
}

/// A command for a registry in another subscription than the cluster's names that subscription: az looks in the one that is selected.
pub async fn a_command_for_another_subscription_names_it() -> Checked {
    let other = "00000000-0000-0000-0000-00000000d0d0";
    let cases = [
        (
            RegistrySeed::public_network_disabled as fn(_) -> _,
            "az acr update --name farregistry --public-network-enabled true",
        ),
        (
            |seed: RegistrySeed| seed.only_from(&["192.0.2.9"]),
            "az acr network-rule add --name farregistry --ip-address ",
        ),
    ];
    for (closed, command) in cases {
        for subscription in [None, Some(other)] {
            let scene = Scene::new()?;
            let seed = RegistrySeed::new("hub", "farregistry").sku("Premium");
            let seed = subscription.iter().fold(closed(seed), |seed, id| seed.in_subscription(id));
            let azure = scene.azure.clone().with_subscription(other).with_group("hub", "westeurope");
            let azure = azure.with_registry_of(seed);
            let registry: RegistryRef = azure.registry_id("hub", "farregistry").parse()?;
            let report = scene.client.check(&scene.cluster, &registry, CheckOptions::default()).await?;
            let printed = report.findings.iter().find_map(|one| one.next_step.command.as_deref());
            let printed = some(printed.filter(|printed| printed.starts_with(command)), command)?;
            assert_eq!(printed.ends_with(&format!(" --subscription {other}")), subscription.is_some(), "{printed}");
        }
    }
    Ok(())
}
