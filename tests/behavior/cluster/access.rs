//! Kubeconfigs.

use crate::{
    backend::{Backend, absent_cluster},
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, Scene, client},
};
use aks_acr::{Access, ClusterRef, ErrorKind, Kubeconfig, KubeconfigOptions};
use aks_acr_emulator::{ClusterSeed, Emulator};
use std::{env, fs, path::PathBuf};

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [
            kubeconfig_writes_no_file_and_starts_no_program,
            kubeconfig_leads_to_the_cluster_and_hides_its_keys,
            kubeconfig_of_an_absent_cluster_is_not_found,
        ];
        on_emulator: [
            kubeconfig_of_an_administrator_goes_past_entra,
            kubeconfig_of_an_administrator_is_refused_where_local_accounts_are_switched_off,
            kubeconfig_of_who_may_not_tells_the_missing_right,
            the_smallest_role_for_a_kubeconfig_is_enough,
            kubeconfig_is_given_for_names_with_odd_letters,
        ];
    }
}

async fn kubeconfig(backend: &dyn Backend, access: Access) -> aks_acr::Result<Kubeconfig> {
    backend.client().kubeconfig(backend.cluster(), KubeconfigOptions::default().with_access(access)).await
}

/// What is in the places where other tools leave kubeconfigs.
fn usual_places() -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
    let named = env::var_os("KUBECONFIG").map(PathBuf::from);
    let here = env::current_dir().map(|here| here.join("kubeconfig")).ok();
    let places = home.into_iter().chain(named).chain(here);
    places.map(|place| (place.clone(), fs::read(place).ok())).collect()
}

/// A program would be `kubelogin`, and its absence an error: on the emulator this one has a cluster that names it.
async fn kubeconfig_writes_no_file_and_starts_no_program(backend: &dyn Backend) -> Checked {
    let before = usual_places();
    assert!(!before.is_empty());
    kubeconfig(backend, Access::User).await?;
    assert_eq!(usual_places(), before);
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).entra())?;
    assert!(kubeconfig(&scene, Access::User).await?.text().contains("command: kubelogin"));
    assert_eq!(usual_places(), before);
    Ok(())
}

async fn kubeconfig_leads_to_the_cluster_and_hides_its_keys(backend: &dyn Backend) -> Checked {
    let kubeconfig = kubeconfig(backend, Access::User).await?;
    assert_eq!(kubeconfig.context(), backend.cluster().name());
    assert!(kubeconfig.server().starts_with("https://") && kubeconfig.text().contains(kubeconfig.server()));
    assert!(kubeconfig.text().contains("certificate-authority-data"));
    assert!(!format!("{kubeconfig:?}").contains("-data"));
    assert_eq!(Kubeconfig::parse(kubeconfig.text())?, kubeconfig);
    Ok(())
}

async fn kubeconfig_of_an_absent_cluster_is_not_found(backend: &dyn Backend) -> Checked {
    let absent = absent_cluster(backend)?;
    for access in [Access::User, Access::Admin] {
        let result = backend.client().kubeconfig(&absent, KubeconfigOptions::default().with_access(access)).await;
        refused(result, ErrorKind::NotFound)?;
    }
    Ok(())
}

async fn kubeconfig_of_an_administrator_goes_past_entra() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).entra())?;
    let admin = kubeconfig(&scene, Access::Admin).await?;
    assert!(admin.text().contains("client-certificate-data") && !admin.text().contains("kubelogin"));
    Ok(())
}

async fn kubeconfig_of_an_administrator_is_refused_where_local_accounts_are_switched_off() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).entra().local_accounts_disabled())?;
    refused(kubeconfig(&scene, Access::Admin).await, ErrorKind::InvalidInput)?;
    assert!(kubeconfig(&scene, Access::User).await?.text().contains("kubelogin"));
    Ok(())
}

async fn kubeconfig_of_who_may_not_tells_the_missing_right() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    for (access, verb, role) in [
        (Access::User, "listClusterUserCredential/action", "Azure Kubernetes Service Cluster User Role"),
        (Access::Admin, "listClusterAdminCredential/action", "Azure Kubernetes Service Cluster Admin Role"),
    ] {
        let err = refused(
            client.kubeconfig(&scene.cluster, KubeconfigOptions::default().with_access(access)).await,
            ErrorKind::Forbidden,
        )?;
        assert_eq!(err.missing_action(), Some(format!("Microsoft.ContainerService/managedClusters/{verb}").as_str()));
        assert_eq!(err.smallest_role(), Some(role));
    }
    Ok(())
}

async fn the_smallest_role_for_a_kubeconfig_is_enough() -> Checked {
    let scene = Scene::new()?;
    let id = scene.azure.cluster_id(GROUP, CLUSTER);
    let client = scene.caller(&[("Azure Kubernetes Service Cluster User Role", &id)])?;
    client.kubeconfig(&scene.cluster, KubeconfigOptions::default()).await?;
    refused(
        client.kubeconfig(&scene.cluster, KubeconfigOptions::default().with_access(Access::Admin)).await,
        ErrorKind::Forbidden,
    )?;
    Ok(())
}

async fn kubeconfig_is_given_for_names_with_odd_letters() -> Checked {
    let azure = Emulator::new().with_cluster("Gr_(1).a-b", "D-e_v1");
    let client = client(&azure, azure.credential())?;
    let cluster = ClusterRef::new("Gr_(1).a-b", "D-e_v1")?;
    assert_eq!(client.kubeconfig(&cluster, KubeconfigOptions::default()).await?.context(), "D-e_v1");
    Ok(())
}
