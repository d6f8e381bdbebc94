//! Clusters whose users sign in with Entra: no program is needed for it.

use crate::{
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, Scene, client},
};
use aks_acr::{ApplyOptions, CallOptions, Client, ErrorKind, Manifest, PodSelection};
use aks_acr_emulator::{ClusterSeed, Emulator, Service, Timing};
use std::time::Duration;

const SETTINGS: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}";

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [];
        on_emulator: [
            a_member_of_an_admin_group_needs_no_kubelogin,
            who_is_in_no_admin_group_is_forbidden,
            azures_roles_decide_where_the_cluster_lets_them,
            a_cluster_without_local_accounts_is_entered_with_entra,
            a_token_that_has_run_out_is_had_anew,
        ];
    }
}

fn admin_cluster() -> ClusterSeed {
    ClusterSeed::new(GROUP, CLUSTER).admin_group(&Emulator::new().group_id("admins"))
}

/// A caller who may have the kubeconfig, and what roles say besides.
fn user(scene: &Scene, roles: &[(&str, &str)]) -> aks_acr::Result<Client> {
    let id = scene.azure.cluster_id(GROUP, CLUSTER);
    let mut all = vec![("Azure Kubernetes Service Cluster User Role", id.as_str())];
    all.extend(roles);
    scene.caller(&all)
}

async fn apply(scene: &Scene, client: &Client) -> aks_acr::Result<()> {
    client.apply(&scene.cluster, Manifest::parse_all(SETTINGS)?, ApplyOptions::default()).await.map(|_| ())
}

async fn look(scene: &Scene, client: &Client) -> aks_acr::Result<usize> {
    let pods = client.pods(&scene.cluster, &PodSelection::default(), CallOptions::default()).await?;
    Ok(pods.pods.len())
}

async fn a_member_of_an_admin_group_needs_no_kubelogin() -> Checked {
    let scene = Scene::with_cluster(admin_cluster())?;
    let member = user(&scene, &[])?;
    let _ = scene.azure.clone().with_member("admins", "caller");
    apply(&scene, &member).await?;
    assert_eq!(look(&scene, &member).await?, 0);
    let callers: Vec<_> = scene.sent(|request| request.service == Service::Kubernetes);
    assert!(callers.iter().all(|request| request.caller.as_deref() == Some("caller")), "{callers:?}");
    Ok(())
}

async fn who_is_in_no_admin_group_is_forbidden() -> Checked {
    let scene = Scene::with_cluster(admin_cluster())?;
    let stranger = user(&scene, &[])?;
    refused(apply(&scene, &stranger).await, ErrorKind::Forbidden)?;
    refused(look(&scene, &stranger).await, ErrorKind::Forbidden)?;
    Ok(())
}

async fn azures_roles_decide_where_the_cluster_lets_them() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).azure_rbac())?;
    let id = scene.azure.cluster_id(GROUP, CLUSTER);
    let client = user(&scene, &[])?;
    refused(look(&scene, &client).await, ErrorKind::Forbidden)?;
    let caller = scene.azure.object_id_of("caller");
    scene.azure.grant("Azure Kubernetes Service RBAC Reader", &caller, &format!("{id}/namespaces/default"));
    assert_eq!(look(&scene, &client).await?, 0);
    refused(apply(&scene, &client).await, ErrorKind::Forbidden)?;
    scene.azure.grant("Azure Kubernetes Service RBAC Writer", &caller, &id);
    apply(&scene, &client).await?;
    Ok(())
}

async fn a_cluster_without_local_accounts_is_entered_with_entra() -> Checked {
    let scene = Scene::with_cluster(admin_cluster().local_accounts_disabled())?;
    let _ = scene.azure.clone().with_member("admins", "owner");
    apply(&scene, &scene.client).await?;
    Ok(())
}

/// The lifetime of a token is read from the wall clock, which does not jump with the emulator's: so these tokens are old from the start.
async fn a_token_that_has_run_out_is_had_anew() -> Checked {
    let scene = Scene::with_cluster(admin_cluster())?;
    scene.azure.set_timing(Timing::none().with_token(Duration::from_secs(200)));
    let _ = scene.azure.clone().with_member("admins", "owner");
    let client = client(&scene.azure, scene.azure.credential())?;
    look(&scene, &client).await?;
    tokio::time::advance(Duration::from_secs(3600)).await;
    look(&scene, &client).await?;
    Ok(())
}
