//! What an attach warns of: the nodes cannot pull whatever their grants are, as the settings that it reads anyway show.

use crate::{
    case::{Case, Checked, cases},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{
    ApplyAttachOptions, AttachOptions, AttachPlan, Attachment, AzureIdentityResolver, CheckOptions, Client, ClusterRef,
    CreateClusterOptions, FindingId, FindingStatus,
};
use aks_acr_emulator::{ClusterSeed, From, RegistrySeed, Service, summary};
use libtest_mimic::Failed;
use serde_json::json;
use std::sync::Arc;

pub fn cases() -> Vec<Case> {
    cases! { "attach";
        everywhere: [];
        on_emulator: [
            a_warning_is_what_a_check_finds_and_costs_no_request,
            what_other_reads_decide_is_no_warning,
            the_registries_of_a_new_cluster_are_warned_of,
            an_own_resolver_of_identities_leaves_the_warnings_of_the_registry,
        ];
    }
}

fn registry() -> RegistrySeed {
    RegistrySeed::new(GROUP, REGISTRY).sku("Premium")
}

fn cluster() -> ClusterSeed {
    ClusterSeed::new(GROUP, CLUSTER)
}

fn stopped() -> ClusterSeed {
    cluster().property("powerState", json!({"code": "Stopped"}))
}

async fn planned(scene: &Scene) -> aks_acr::Result<AttachPlan> {
    scene.client.plan_attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await
}

fn ids(warnings: &[aks_acr::Finding]) -> Vec<FindingId> {
    warnings.iter().map(|one| one.id.clone()).collect()
}

/// The number of requests to Azure Resource Manager and their depth.
async fn attached(scene: &Scene) -> Result<(Attachment, (usize, usize)), Failed> {
    let mark = scene.azure.mark();
    let done = scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let sent = scene.azure.requests_since(mark).into_iter();
    let sent: Vec<_> = sent.filter(|one| one.from == From::Client && one.service != Service::Entra).collect();
    let cost = summary(&sent);
    Ok((done, (cost.count, cost.depth)))
}

async fn a_warning_is_what_a_check_finds_and_costs_no_request() -> Checked {
    let (_, usual) = attached(&Scene::of(cluster(), registry())?).await?;
    assert_eq!(usual, (4, 2));
    for (cluster, registry, wanted) in [
        (cluster(), registry().public_network_disabled(), FindingId::PUBLIC_ACCESS_DISABLED),
        (cluster(), registry().only_from(&[]), FindingId::OUTBOUND_IP_NOT_ALLOWED),
        (stopped(), registry(), FindingId::CLUSTER_STOPPED),
    ] {
        let scene = Scene::of(cluster, registry)?;
        let plan = planned(&scene).await?;
        assert_eq!((plan.warnings.len(), &plan.warnings[0].id), (1, &wanted), "{plan}");
        let line = format!("\n! {}; next step: ", plan.warnings[0].message);
        assert!(plan.to_string().contains(&line) && plan.to_string().contains(wanted.as_str()), "{plan}");
        let stored: AttachPlan = serde_json::from_str(&serde_json::to_string(&plan)?)?;
        assert_eq!(stored, plan);
        let (done, cost) = attached(&scene).await?;
        assert_eq!((&done.warnings, cost), (&plan.warnings, usual));
        assert!(done.to_string().contains(&line), "{done}");
        let applied = scene.client.apply_attach(&stored, ApplyAttachOptions::default()).await?;
        assert_eq!(applied.warnings, plan.warnings);
        let report = scene.client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
        assert_eq!(report.root_cause, Some(wanted), "{report}");
        assert_eq!(plan.warnings[0].status, FindingStatus::Failing);
    }
    Ok(())
}

/// The addresses of the nodes, their network and private endpoints are not read by an attach.
async fn what_other_reads_decide_is_no_warning() -> Checked {
    let scene = Scene::of(cluster(), registry().only_from(&["192.0.2.9"]))?;
    assert_eq!(planned(&scene).await?.warnings, []);
    let scene = Scene::of(cluster(), registry().public_network_disabled())?;
    let subnet = format!("{}/subnets/aks-subnet", scene.azure.network_id(GROUP, CLUSTER));
    scene.azure.add_private_endpoint(&scene.azure.registry_id(GROUP, REGISTRY), &subnet, true);
    assert_eq!(planned(&scene).await?.warnings, []);
    Ok(())
}

async fn the_registries_of_a_new_cluster_are_warned_of() -> Checked {
    let scene = Scene::of(cluster(), registry().public_network_disabled())?;
    let options = CreateClusterOptions::default().with_registry(scene.by_id());
    let made = scene.client.create_cluster(&ClusterRef::new(GROUP, "new")?, options).await?;
    assert_eq!(ids(&made.attachments[0].warnings), [FindingId::PUBLIC_ACCESS_DISABLED]);
    Ok(())
}

async fn an_own_resolver_of_identities_leaves_the_warnings_of_the_registry() -> Checked {
    let scene = Scene::of(stopped(), registry().public_network_disabled())?;
    let mut builder = Client::builder(scene.azure.credential(), scene.azure.subscription())
        .transport(scene.azure.transport())
        .kubernetes(scene.azure.kubernetes());
    let own = AzureIdentityResolver::new(&builder.connection()?);
    let client = builder.identity_resolver(Arc::new(own)).build()?;
    let plan = client.plan_attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!(ids(&plan.warnings), [FindingId::PUBLIC_ACCESS_DISABLED]);
    assert_eq!(ids(&planned(&scene).await?.warnings), [FindingId::CLUSTER_STOPPED, FindingId::PUBLIC_ACCESS_DISABLED]);
    Ok(())
}
