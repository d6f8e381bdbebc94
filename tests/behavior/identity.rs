//! Whose identities a cluster has.

use crate::{
    backend::{Backend, absent_cluster, call},
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, Scene, client},
};
use aks_acr::{CallOptions, Client, Cloud, ClusterRef, EntraSettings, ErrorKind};
use aks_acr_emulator::{ClusterSeed, Emulator, Fault, Service};
use serde_json::json;
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    cases! { "identity";
        everywhere: [
            a_cluster_that_does_not_exist_is_not_found,
            the_identity_that_pulls_is_told_apart_from_the_one_that_controls,
            looking_twice_tells_the_same,
        ];
        on_emulator: [
            resolving_changes_nothing_in_azure,
            an_identity_that_the_cluster_does_not_have_is_none,
            an_identity_that_the_cluster_does_not_have_yet_is_none,
            a_cluster_with_a_service_principal_tells_its_application_id,
            the_identities_of_add_ons_and_of_the_user_are_told_apart,
            the_use_of_entra_is_told,
            a_group_in_which_nothing_is_there_is_not_found_either,
            a_name_with_odd_letters_is_found_whatever_their_case,
            a_cluster_of_another_subscription_is_found_by_its_id,
            who_may_not_read_the_cluster_is_told_the_missing_right,
            a_service_that_is_out_of_order_for_a_moment_is_asked_again,
            a_wait_beyond_the_deadline_ends_at_once,
            another_clouds_resource_manager_is_asked_in_another_cloud,
        ];
    }
}

async fn a_cluster_that_does_not_exist_is_not_found(backend: &dyn Backend) -> Checked {
    let absent = absent_cluster(backend)?;
    refused(backend.client().identity_resolver().identities(&absent, &call()).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn the_identity_that_pulls_is_told_apart_from_the_one_that_controls(backend: &dyn Backend) -> Checked {
    let identities = backend.client().identities(backend.cluster(), CallOptions::default()).await?;
    let kubelet = some(identities.kubelet, "kubelet identity")?;
    assert!(!identities.control_plane.contains(&kubelet.object_id));
    assert_ne!(kubelet.client_id, Some(kubelet.object_id.to_string()));
    assert_eq!(identities.service_principal, None);
    Ok(())
}

async fn looking_twice_tells_the_same(backend: &dyn Backend) -> Checked {
    let look = || backend.client().identities(backend.cluster(), CallOptions::default());
    assert_eq!(look().await?, look().await?);
    Ok(())
}

async fn resolving_changes_nothing_in_azure() -> Checked {
    let scene = Scene::new()?;
    let before = (scene.azure.cluster_etag(GROUP, CLUSTER), scene.azure.role_assignments());
    scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!(scene.writes(), []);
    assert_eq!((scene.azure.cluster_etag(GROUP, CLUSTER), scene.azure.role_assignments()), before);
    assert_eq!(scene.sent(|request| request.service == Service::Arm).len(), 1);
    Ok(())
}

async fn an_identity_that_the_cluster_does_not_have_is_none() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).without_kubelet_identity())?;
    let identities = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!((identities.kubelet, identities.service_principal), (None, None));
    assert_eq!(identities.control_plane, [scene.azure.control_plane_object_id(GROUP, CLUSTER).parse()?]);
    Ok(())
}

async fn an_identity_that_the_cluster_does_not_have_yet_is_none() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).state("Creating"))?;
    let early = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!((early.kubelet, early.state.as_str()), (None, "Creating"));
    scene.azure.set_cluster_state(GROUP, CLUSTER, "Succeeded");
    let late = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!(some(late.kubelet, "kubelet identity")?.object_id, scene.kubelet()?);
    Ok(())
}

async fn a_cluster_with_a_service_principal_tells_its_application_id() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).service_principal())?;
    let identities = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!((identities.kubelet, identities.control_plane), (None, Vec::new()));
    let application = some(identities.service_principal, "service principal")?;
    assert_ne!(application, scene.azure.control_plane_object_id(GROUP, CLUSTER));
    Ok(())
}

/// A body as Azure gives it of a cluster with more identities than the emulator's have, and an application id that is left over.
async fn the_identities_of_add_ons_and_of_the_user_are_told_apart() -> Checked {
    let scene = Scene::new()?;
    let id = |last: u8| format!("aaaaaaaa-0000-0000-0000-00000000000{last}");
    let body = json!({
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/x": {"principalId": id(1), "clientId": id(9)}}},
        "properties": {
            "provisioningState": "Succeeded",
            "servicePrincipalProfile": {"clientId": id(8)},
            "identityProfile": {"kubeletIdentity": {"objectId": id(2), "clientId": id(7)}},
            "addonProfiles": {
                "azureKeyvaultSecretsProvider": {"enabled": true, "identity": {"objectId": id(3), "clientId": id(6)}},
                "azurepolicy": {"enabled": false},
            },
        },
    });
    scene.azure.fault(Fault::on("GET", "/managedClusters/").status(200).body(body));
    let identities = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!(identities.control_plane, [id(1).parse()?]);
    assert_eq!(some(identities.kubelet, "kubelet identity")?.object_id, id(2).parse()?);
    assert_eq!(identities.service_principal, None);
    let add_ons: Vec<_> = identities.add_ons.into_iter().map(|one| (one.add_on, one.object_id)).collect();
    assert_eq!(add_ons, [("azureKeyvaultSecretsProvider".to_owned(), id(3).parse()?)]);
    Ok(())
}

async fn the_use_of_entra_is_told() -> Checked {
    let plain = ClusterSeed::new(GROUP, CLUSTER);
    for (seed, is_used, azure_rbac, is_closed) in [
        (plain.clone(), false, false, false),
        (plain.clone().entra(), true, false, false),
        (plain.clone().azure_rbac(), true, true, false),
        (plain.azure_rbac().local_accounts_disabled(), true, true, true),
    ] {
        let scene = Scene::with_cluster(seed)?;
        let identities = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
        let told = identities.entra.map(|EntraSettings { azure_rbac, .. }| azure_rbac);
        assert_eq!((told, identities.local_accounts_disabled), (is_used.then_some(azure_rbac), is_closed));
    }
    Ok(())
}

async fn a_group_in_which_nothing_is_there_is_not_found_either() -> Checked {
    let scene = Scene::new()?;
    let absent = ClusterRef::new("no-such-group", CLUSTER)?;
    let err = refused(scene.client.identities(&absent, CallOptions::default()).await, ErrorKind::NotFound)?;
    assert_eq!((err.status(), err.code()), (Some(404), Some("ResourceGroupNotFound")));
    Ok(())
}

async fn a_name_with_odd_letters_is_found_whatever_their_case() -> Checked {
    let (group, name) = ("Gr_(1).a-b", "D-e_v1");
    let azure = Emulator::new().with_cluster(group, name);
    let client = client(&azure, azure.credential())?;
    let other_case = ClusterRef::new("gR_(1).A-B", "d-E_V1")?;
    for cluster in [ClusterRef::new(group, name)?, other_case] {
        let identities = client.identities(&cluster, CallOptions::default()).await?;
        let kubelet = some(identities.kubelet, "kubelet identity")?;
        assert_eq!(kubelet.object_id.to_string(), azure.kubelet_object_id(group, name));
    }
    Ok(())
}

async fn a_cluster_of_another_subscription_is_found_by_its_id() -> Checked {
    let other = crate::backend::other_subscription()?;
    let azure = Emulator::new()
        .with_subscription(&other.to_string())
        .with_cluster_of(ClusterSeed::new(GROUP, "far").in_subscription(&other.to_string()));
    let client = client(&azure, azure.credential())?;
    let id = format!(
        "/subscriptions/{other}/resourceGroups/{GROUP}/providers/Microsoft.ContainerService/managedClusters/far"
    );
    let far = client.identities(&id.parse()?, CallOptions::default()).await?;
    assert!(far.kubelet.is_some() && far.cluster.is(&id));
    refused(client.identities(&ClusterRef::new(GROUP, "far")?, CallOptions::default()).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn who_may_not_read_the_cluster_is_told_the_missing_right() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("AcrPull", &scene.everything())])?;
    let err = refused(client.identities(&scene.cluster, CallOptions::default()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerService/managedClusters/read"));
    assert_eq!(err.smallest_role(), Some("Reader"));
    assert_eq!(err.scope(), Some(scene.azure.cluster_id(GROUP, CLUSTER).as_str()));
    Ok(())
}

async fn a_service_that_is_out_of_order_for_a_moment_is_asked_again() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("GET", "/managedClusters/").status(503));
    scene.azure.fault(Fault::on("GET", "/managedClusters/").reset());
    let identities = scene.client.identities(&scene.cluster, CallOptions::default()).await?;
    assert!(identities.kubelet.is_some());
    Ok(())
}

async fn a_wait_beyond_the_deadline_ends_at_once() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("GET", "/managedClusters/").status(429).header("retry-after", "300").times(9));
    let begun = tokio::time::Instant::now();
    let call = CallOptions::default().with_deadline(Duration::from_secs(60));
    let err = refused(scene.client.identities(&scene.cluster, call).await, ErrorKind::RateLimited)?;
    assert_eq!(err.retry_after(), Some(Duration::from_secs(300)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    Ok(())
}

/// The emulator is the public cloud: what is asked of another one shows in its log as a host that it does not have.
async fn another_clouds_resource_manager_is_asked_in_another_cloud() -> Checked {
    let scene = Scene::new()?;
    let client = Client::builder(scene.azure.credential(), scene.azure.subscription())
        .cloud(Cloud::us_government())
        .transport(scene.azure.transport())
        .build()?;
    assert!(client.identities(&scene.cluster, CallOptions::default()).await.is_err());
    assert_eq!(scene.sent(|request| request.host == "management.azure.com"), []);
    Ok(())
}
