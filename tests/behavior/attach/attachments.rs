//! Attachments: which registries a cluster can pull from, and who can pull from a registry.

use crate::{
    backend::Backend,
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{AttachOptions, AttachmentsOptions, ErrorKind, GrantReach, PrincipalState, PullGrant};
use aks_acr_emulator::{ClusterSeed, Fault, RegistrySeed};
use serde_json::json;

const OTHER: &str = "5b5b5b5b-0000-4000-8000-000000000005";

pub fn cases() -> Vec<Case> {
    cases! { "attachments";
        everywhere: [
            a_registry_names_who_was_attached,
        ];
        on_emulator: [
            a_cluster_names_its_registries_direct_ones_and_inherited,
            a_registry_in_another_subscription_is_found_where_that_is_named,
            a_registry_that_the_caller_may_not_see_is_told_if_a_grant_names_it,
            all_pages_are_read,
            a_registry_tells_whose_a_grant_is_as_far_as_that_is_known,
            a_principal_that_the_directory_does_not_know_is_gone,
            a_token_that_the_directory_rejects_is_replaced_once,
            who_may_not_ask_the_directory_is_told_so,
            a_registry_tells_of_no_grant_without_effect_in_its_mode,
            a_registry_is_told_of_to_a_caller_who_may_not_list_clusters,
            a_subscription_whose_clusters_cannot_be_listed_hides_no_others,
            who_may_not_list_grants_is_told_so,
            a_registry_that_cannot_be_read_hides_no_other,
            an_absent_cluster_or_registry_is_not_found,
            a_cluster_that_shows_nobody_who_pulls_is_to_be_looked_for_at_its_registries,
        ];
    }
}

async fn a_registry_names_who_was_attached(backend: &dyn Backend) -> Checked {
    let registry = backend.registry().clone().try_into()?;
    let options = AttachOptions::default().with_principal_id(backend.principal());
    let attachment = backend.client().attach(backend.cluster(), &registry, options).await?;
    let seen = backend.client().attachments_of_registry(&registry, AttachmentsOptions::default()).await?;
    assert_eq!(seen.registry.id, *backend.registry());
    let grant = seen.grants.iter().find(|one| one.principal_id == backend.principal()).ok_or("no grant")?;
    assert_eq!((Some(&grant.assignment_id), &grant.reach), (attachment.assignment_id.as_ref(), &GrantReach::Direct));
    assert_eq!(grant.principal_type.as_deref(), Some("ServicePrincipal"));
    Ok(())
}

/// Of each grant: the registry, and whether it is direct.
fn told(grants: &[PullGrant]) -> Vec<(&str, bool)> {
    grants.iter().map(|grant| (grant.registry.name(), grant.reach == GrantReach::Direct)).collect()
}

async fn of_cluster(scene: &Scene, options: AttachmentsOptions) -> aks_acr::Result<aks_acr::ClusterAttachments> {
    scene.client.attachments_of_cluster(&scene.cluster, options).await
}

async fn a_cluster_names_its_registries_direct_ones_and_inherited() -> Checked {
    let scene = Scene::new()?;
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    let azure = scene.azure.clone().with_registry(GROUP, "second").with_registry("elsewhere", "third");
    assert_eq!(of_cluster(&scene, AttachmentsOptions::default()).await?.grants, []);
    scene.grant_pull("AcrPull");
    azure.grant("Reader", &kubelet, &format!("{}/resourceGroups/{GROUP}", scene.everything()));
    azure.grant("Container Registry Repository Reader", &kubelet, &azure.registry_id("elsewhere", "third"));
    let seen = of_cluster(&scene, AttachmentsOptions::default()).await?;
    assert_eq!(told(&seen.grants), [(REGISTRY, true), (REGISTRY, false), ("second", false)]);
    assert!(seen.grants.iter().all(|one| one.principal_state == PrincipalState::Exists && one.is_certain));
    azure.set_registry("elsewhere", "third", RegistrySeed::abac);
    let seen = of_cluster(&scene, AttachmentsOptions::default()).await?;
    assert!(told(&seen.grants).contains(&("third", true)));
    Ok(())
}

async fn a_registry_in_another_subscription_is_found_where_that_is_named() -> Checked {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_subscription(OTHER);
    let azure = azure.with_registry_of(RegistrySeed::new("hub", "shared").in_subscription(OTHER));
    azure.grant("AcrPull", &azure.kubelet_object_id(GROUP, CLUSTER), &azure.registry_id("hub", "shared"));
    let seen = of_cluster(&scene, AttachmentsOptions::default()).await?;
    assert_eq!((seen.grants.len(), seen.subscriptions.len()), (0, 1));
    let seen = of_cluster(&scene, AttachmentsOptions::default().with_subscription(OTHER.parse()?)).await?;
    assert_eq!((told(&seen.grants), seen.subscriptions.len()), (vec![("shared", true)], 2));
    Ok(())
}

async fn a_registry_that_the_caller_may_not_see_is_told_if_a_grant_names_it() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let actions = ["Microsoft.ContainerService/managedClusters/read", "Microsoft.Authorization/*/read"];
    let caller = scene.caller_who_may(&actions)?;
    let seen = caller.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await?;
    assert_eq!(told(&seen.grants), [(REGISTRY, true)]);
    assert!(!seen.grants[0].is_certain);
    Ok(())
}

async fn all_pages_are_read() -> Checked {
    let scene = Scene::new()?;
    let mut azure = scene.azure.clone();
    for number in 0..5 {
        azure = azure.with_registry(GROUP, &format!("registry{number}")).with_cluster(GROUP, &format!("c{number}"));
        azure.grant("AcrPull", &azure.kubelet_object_id(GROUP, &format!("c{number}")), scene.registry().as_str());
    }
    azure.grant("AcrPull", &azure.kubelet_object_id(GROUP, CLUSTER), &scene.everything());
    azure.set_page_size(2);
    azure.set_empty_first_page(true);
    assert_eq!(of_cluster(&scene, AttachmentsOptions::default()).await?.grants.len(), 6);
    let seen = scene.client.attachments_of_registry(&scene.by_id(), AttachmentsOptions::default()).await?;
    assert_eq!(seen.grants.iter().filter(|one| !one.clusters.is_empty()).count(), 6);
    Ok(())
}

async fn a_registry_that_cannot_be_read_hides_no_other() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let good = scene.registry().clone();
    let of = |id: String, mode: &str| {
        let name = id.rsplit('/').next().unwrap_or_default().to_owned();
        json!({"id": id, "name": name, "location": "westeurope", "sku": {"name": "Basic"},
               "properties": {"loginServer": format!("{name}.azurecr.io"), "roleAssignmentMode": mode}})
    };
    let odd = good.to_string().replace(REGISTRY, "oddregistry");
    let list = json!({"value": [of(odd, "Morrow"), of(good.to_string(), "LegacyRegistryPermissions")]});
    scene.azure.fault(Fault::on("GET", "/Microsoft.ContainerRegistry/registries?").status(200).body(list));
    let attachments = scene.client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await?;
    assert_eq!(attachments.grants.iter().map(|one| &one.registry).collect::<Vec<_>>(), [&good]);
    Ok(())
}

async fn a_registry_tells_whose_a_grant_is_as_far_as_that_is_known() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    scene.azure.grant("AcrPull", OTHER, scene.registry().as_str());
    let seen = scene.client.attachments_of_registry(&scene.by_id(), AttachmentsOptions::default()).await?;
    let of = |principal: &str| seen.grants.iter().find(|one| one.principal_id.to_string() == principal);
    let known = of(&scene.azure.kubelet_object_id(GROUP, CLUSTER)).ok_or("no grant")?;
    assert_eq!((known.principal_state, known.clusters[0].name()), (PrincipalState::Exists, CLUSTER));
    let other = of(OTHER).ok_or("no grant")?;
    assert_eq!((other.principal_state, other.clusters.len()), (PrincipalState::Unknown, 0));
    let owner = seen.grants.iter().find(|one| one.role_name.as_deref() == Some("Owner")).ok_or("no owner")?;
    assert_eq!(owner.reach, GrantReach::Inherited { from: scene.everything() });
    Ok(())
}

async fn a_principal_that_the_directory_does_not_know_is_gone() -> Checked {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_graph_rights("owner");
    scene.grant_pull("AcrPull");
    azure.grant("AcrPull", OTHER, scene.registry().as_str());
    azure.grant("AcrPull", &azure.object_id_of("nobody"), scene.registry().as_str());
    let options = AttachmentsOptions::default().with_query_graph(true);
    let seen = scene.client.attachments_of_registry(&scene.by_id(), options).await?;
    for grant in &seen.grants {
        let is_gone = grant.principal_id.to_string() == OTHER;
        let wanted = if is_gone { PrincipalState::Gone } else { PrincipalState::Exists };
        assert_eq!(grant.principal_state, wanted, "{grant}");
    }
    assert_eq!(scene.writes(), []);
    Ok(())
}

/// As with Resource Manager: a token that is rejected before its expiry is replaced once.
async fn a_token_that_the_directory_rejects_is_replaced_once() -> Checked {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_graph_rights("owner");
    scene.grant_pull("AcrPull");
    let read = async || {
        let options = AttachmentsOptions::default().with_query_graph(true);
        scene.client.attachments_of_registry(&scene.by_id(), options).await
    };
    azure.fault(Fault::on("POST", "/directoryObjects/getByIds").expired_token());
    read().await?;
    azure.fault(Fault::on("POST", "/directoryObjects/getByIds").expired_token().times(2));
    refused(read().await, ErrorKind::Unauthenticated)?;
    // What was rejected is not sent again.
    read().await?;
    Ok(())
}

async fn who_may_not_ask_the_directory_is_told_so() -> Checked {
    let scene = Scene::new()?;
    let options = AttachmentsOptions::default().with_query_graph(true);
    let err = refused(scene.client.attachments_of_registry(&scene.by_id(), options).await, ErrorKind::Forbidden)?;
    assert_eq!((err.code(), err.missing_action()), (Some("Authorization_RequestDenied"), None));
    Ok(())
}

async fn a_registry_tells_of_no_grant_without_effect_in_its_mode() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    scene.grant_pull("AcrPull");
    let seen = scene.client.attachments_of_registry(&scene.by_id(), AttachmentsOptions::default()).await?;
    assert_eq!(seen.grants, []);
    Ok(())
}

async fn a_registry_is_told_of_to_a_caller_who_may_not_list_clusters() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let caller = scene.caller(&[("Reader", scene.registry().as_str())])?;
    let seen = caller.attachments_of_registry(&scene.by_id(), AttachmentsOptions::default()).await?;
    assert!(seen.grants.iter().any(|one| one.role_name.as_deref() == Some("AcrPull")));
    assert!(seen.grants.iter().all(|one| one.clusters.is_empty()));
    Ok(())
}

async fn a_subscription_whose_clusters_cannot_be_listed_hides_no_others() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let refused = format!("/subscriptions/{OTHER}/providers/Microsoft.ContainerService/managedClusters");
    scene.azure.fault(Fault::on("GET", &refused).status(403));
    let options = AttachmentsOptions::default().with_subscription(OTHER.parse()?);
    let seen = scene.client.attachments_of_registry(&scene.by_id(), options).await?;
    assert_eq!(seen.grants[0].clusters.len(), 1);
    assert_eq!(seen.subscriptions, [scene.client.subscription_id()]);
    Ok(())
}

async fn who_may_not_list_grants_is_told_so() -> Checked {
    let scene = Scene::new()?;
    let actions = ["Microsoft.ContainerService/*/read", "Microsoft.ContainerRegistry/*/read"];
    let caller = scene.caller_who_may(&actions)?;
    let of_cluster = caller.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await;
    let of_registry = caller.attachments_of_registry(&scene.by_id(), AttachmentsOptions::default()).await;
    for err in [refused(of_cluster, ErrorKind::Forbidden)?, refused(of_registry, ErrorKind::Forbidden)?] {
        assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/read"));
    }
    Ok(())
}

async fn an_absent_cluster_or_registry_is_not_found() -> Checked {
    let scene = Scene::new()?;
    let absent = aks_acr::ClusterRef::new(GROUP, "absent")?;
    let options = AttachmentsOptions::default;
    refused(scene.client.attachments_of_cluster(&absent, options()).await, ErrorKind::NotFound)?;
    refused(scene.client.attachments_of_registry(&"absent".parse()?, options()).await, ErrorKind::NotFound)?;
    let by_id = scene.azure.registry_id(GROUP, "absent").parse()?;
    refused(scene.client.attachments_of_registry(&by_id, options()).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn a_cluster_that_shows_nobody_who_pulls_is_to_be_looked_for_at_its_registries() -> Checked {
    let seed = || ClusterSeed::new(GROUP, CLUSTER);
    for (seed, kind) in
        [(seed().service_principal(), ErrorKind::Unsupported), (seed().without_kubelet_identity(), ErrorKind::NotFound)]
    {
        let scene = Scene::with_cluster(seed)?;
        let err = refused(of_cluster(&scene, AttachmentsOptions::default()).await, kind)?;
        // There is no option that names a principal.
        assert!(
            err.to_string().contains("attachments_of_registry") && !err.to_string().contains("principal_id"),
            "{err}"
        );
    }
    Ok(())
}
