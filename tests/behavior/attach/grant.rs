//! Which grant is made, and when none is.

use crate::{
    backend::{Backend, absent_cluster, other_subscription, random_name},
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene, client},
};
use aks_acr::{
    AttachOptions, AttachOutcome, Attachment, AttachmentsOptions, ClusterRef, ErrorKind, GrantReach, OnInheritedGrant,
    PullRole, RegistryRef,
};
use aks_acr_emulator::{ClusterSeed, Emulator, Fault, From, RegistrySeed, summary};
use std::time::Duration;
use tokio::time::Instant;

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const LABELLED: &str = "myregistry-e5f2d9a8b7c6h3j1.azurecr.io";

pub fn cases() -> Vec<Case> {
    cases! { "attach";
        everywhere: [
            an_absent_cluster_is_not_found,
            an_absent_registry_is_not_found,
            a_second_attach_writes_nothing,
        ];
        on_emulator: [
            a_first_attach_by_id_is_four_requests_and_one_write,
            a_second_attach_by_id_is_three_requests_side_by_side,
            the_cluster_is_never_written,
            the_mode_of_the_registry_decides_the_role,
            acr_pull_on_a_registry_with_permissions_on_repositories_does_not_count,
            a_grant_above_the_registry_is_enough,
            a_grant_above_the_registry_is_made_again_where_a_direct_one_is_asked_for,
            a_grant_beside_the_registry_or_to_another_identity_does_not_count,
            a_grant_under_another_name_counts,
            a_registry_is_found_by_name_by_login_server_and_by_id,
            a_registry_in_another_subscription_is_attached_by_its_id,
            a_registry_on_a_later_page_is_attached,
            a_registry_of_another_cloud_is_refused_before_a_request,
            a_cluster_without_kubelet_identity_is_not_found,
            a_cluster_that_is_being_made_has_no_kubelet_identity_yet,
            a_cluster_with_a_service_principal_needs_its_object_id,
            a_service_principal_is_found_through_microsoft_graph,
            who_may_not_grant_is_told_so_after_one_refusal,
            a_refusal_is_tried_again_for_as_long_as_was_asked,
            who_may_not_list_grants_may_still_grant_in_legacy_mode,
            the_smallest_roles_are_enough,
            an_identity_that_was_just_made_is_granted,
            a_grant_that_somebody_else_makes_meanwhile_is_no_second_one,
            an_attach_that_was_cut_off_ends_the_same_when_it_is_run_again,
            many_attaches_at_once_make_one_grant,
        ];
    }
}

async fn attach(scene: &Scene, options: AttachOptions) -> aks_acr::Result<Attachment> {
    scene.client.attach(&scene.cluster, &scene.by_id(), options).await
}

/// Grants to the kubelet identity, by scope and role.
fn grants(scene: &Scene) -> Vec<(String, String)> {
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    let held = scene.azure.role_assignments().into_iter().filter(|one| one.principal_id == kubelet);
    held.map(|one| (one.scope, one.role_definition_guid)).collect()
}

async fn an_absent_cluster_is_not_found(backend: &dyn Backend) -> Checked {
    let (absent, registry) = (absent_cluster(backend)?, backend.registry().clone().try_into()?);
    let result = backend.client().attach(&absent, &registry, AttachOptions::default()).await;
    refused(result, ErrorKind::NotFound)?;
    Ok(())
}

async fn an_absent_registry_is_not_found(backend: &dyn Backend) -> Checked {
    let own = backend.registry().as_str();
    let absent = random_name("absent");
    let by_id = format!("{}/{absent}", own.rsplit_once('/').map_or(own, |(beside, _)| beside));
    for text in [absent, by_id] {
        let result = backend.client().attach(backend.cluster(), &text.parse()?, AttachOptions::default()).await;
        refused(result, ErrorKind::NotFound)?;
    }
    Ok(())
}

/// For a principal that is named, so that the cluster of a live run keeps what it has.
async fn a_second_attach_writes_nothing(backend: &dyn Backend) -> Checked {
    let registry = backend.registry().clone().try_into()?;
    let attach = || {
        let options = AttachOptions::default().with_principal_id(backend.principal());
        backend.client().attach(backend.cluster(), &registry, options)
    };
    let first = attach().await?;
    assert_eq!((&first.outcome, first.principal_id), (&AttachOutcome::Granted, backend.principal()));
    assert!(first.correlation_id.is_some());
    let second = attach().await?;
    assert_eq!((second.outcome, second.correlation_id), (AttachOutcome::AlreadyGranted, None));
    assert_eq!(some(second.assignment_id, "assignment")?, some(first.assignment_id, "assignment")?);
    Ok(())
}

async fn a_first_attach_by_id_is_four_requests_and_one_write() -> Checked {
    let scene = Scene::new()?;
    attach(&scene, AttachOptions::default()).await?;
    let seen = summary(&scene.azure.requests());
    assert_eq!((seen.count, seen.depth, seen.writes), (4, 2, 1));
    Ok(())
}

async fn a_second_attach_by_id_is_three_requests_side_by_side() -> Checked {
    let scene = Scene::new()?;
    attach(&scene, AttachOptions::default()).await?;
    let mark = scene.azure.mark();
    attach(&scene, AttachOptions::default()).await?;
    let seen = summary(&scene.azure.requests_since(mark));
    assert_eq!((seen.count, seen.depth, seen.writes), (3, 1, 0));
    Ok(())
}

async fn the_cluster_is_never_written() -> Checked {
    let scene = Scene::new()?;
    let before = scene.azure.cluster_etag(GROUP, CLUSTER);
    attach(&scene, AttachOptions::default()).await?;
    attach(&scene, AttachOptions::default().with_on_inherited_grant(OnInheritedGrant::GrantDirectly)).await?;
    assert_eq!(scene.azure.cluster_etag(GROUP, CLUSTER), before);
    let writes = scene.writes();
    assert!(writes.iter().all(|one| one.path.contains("/roleAssignments/") && one.from == From::Client), "{writes:?}");
    Ok(())
}

async fn the_mode_of_the_registry_decides_the_role() -> Checked {
    let seed = RegistrySeed::new(GROUP, REGISTRY);
    for (seed, role) in [
        (seed.clone(), PullRole::AcrPull),
        (seed.clone().legacy(), PullRole::AcrPull),
        (seed.abac(), PullRole::RepositoryReader),
    ] {
        let scene = Scene::with_registry(seed)?;
        let attachment = attach(&scene, AttachOptions::default()).await?;
        assert_eq!((attachment.outcome, attachment.role), (AttachOutcome::Granted, role));
        assert_eq!(attachment.principal_id, scene.kubelet()?);
        assert_eq!(grants(&scene), [(scene.registry().to_string(), role.id().to_string())]);
    }
    Ok(())
}

async fn acr_pull_on_a_registry_with_permissions_on_repositories_does_not_count() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    scene.grant_pull("AcrPull");
    let attachment = attach(&scene, AttachOptions::default()).await?;
    assert_eq!((attachment.outcome, attachment.role), (AttachOutcome::Granted, PullRole::RepositoryReader));
    scene.azure.set_registry(GROUP, REGISTRY, RegistrySeed::legacy);
    let attachment = attach(&scene, AttachOptions::default()).await?;
    assert_eq!((attachment.outcome, attachment.role), (AttachOutcome::AlreadyGranted, PullRole::AcrPull));
    Ok(())
}

async fn a_grant_above_the_registry_is_enough() -> Checked {
    let Scene { azure, .. } = Scene::new()?;
    let everything = format!("/subscriptions/{}", azure.subscription());
    let managed = format!("/providers/Microsoft.Management/managementGroups/{}", azure.tenant());
    for scope in [format!("{everything}/resourceGroups/{GROUP}"), everything, managed, "/".to_owned()] {
        let scene = Scene::new()?;
        scene.azure.grant("AcrPull", &scene.azure.kubelet_object_id(GROUP, CLUSTER), &scope);
        let attachment = attach(&scene, AttachOptions::default()).await?;
        assert_eq!(attachment.outcome, AttachOutcome::Inherited { from: scope.clone() });
        assert_eq!(scene.writes(), []);
        let seen = scene.client.attachments_of_cluster(&scene.cluster, AttachmentsOptions::default()).await?;
        assert_eq!(seen.grants[0].reach, GrantReach::Inherited { from: scope });
    }
    Ok(())
}

async fn a_grant_above_the_registry_is_made_again_where_a_direct_one_is_asked_for() -> Checked {
    let scene = Scene::new()?;
    scene.azure.grant("AcrPull", &scene.azure.kubelet_object_id(GROUP, CLUSTER), &scene.everything());
    let options = AttachOptions::default().with_on_inherited_grant(OnInheritedGrant::GrantDirectly);
    assert_eq!(attach(&scene, options.clone()).await?.outcome, AttachOutcome::Granted);
    assert_eq!(grants(&scene).len(), 2);
    assert_eq!(attach(&scene, options).await?.outcome, AttachOutcome::AlreadyGranted);
    Ok(())
}

async fn a_grant_beside_the_registry_or_to_another_identity_does_not_count() -> Checked {
    let scene = Scene::new()?;
    let (kubelet, control) =
        (scene.azure.kubelet_object_id(GROUP, CLUSTER), scene.azure.control_plane_object_id(GROUP, CLUSTER));
    scene.azure.grant("AcrPull", &kubelet, &format!("{}/resourceGroups/{GROUP}2", scene.everything()));
    scene.azure.grant("AcrPull", &kubelet, &format!("{}2", scene.registry()));
    scene.azure.grant("AcrPull", &control, scene.registry().as_str());
    scene.azure.grant("AcrPush", &kubelet, scene.registry().as_str());
    assert_eq!(attach(&scene, AttachOptions::default()).await?.outcome, AttachOutcome::Granted);
    Ok(())
}

async fn a_grant_under_another_name_counts() -> Checked {
    let scene = Scene::new()?;
    let name = scene.azure.grant("AcrPull", &scene.azure.kubelet_object_id(GROUP, CLUSTER), scene.registry().as_str());
    let attachment = attach(&scene, AttachOptions::default()).await?;
    assert_eq!(attachment.outcome, AttachOutcome::AlreadyGranted);
    assert!(some(attachment.assignment_id, "assignment")?.ends_with(&name));
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_registry_is_found_by_name_by_login_server_and_by_id() -> Checked {
    let id = Scene::new()?.registry().to_string();
    for text in [REGISTRY, "MyRegistry", LABELLED, &id, &id.to_uppercase()] {
        let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).login_server(LABELLED))?;
        let registry: RegistryRef = text.parse()?;
        let attachment = scene.client.attach(&scene.cluster, &registry, AttachOptions::default()).await?;
        assert_eq!((attachment.outcome, attachment.registry.is(&id)), (AttachOutcome::Granted, true), "{text}");
        let again = scene.client.attach(&scene.cluster, &registry, AttachOptions::default()).await?;
        assert_eq!(again.outcome, AttachOutcome::AlreadyGranted, "{text}");
    }
    Ok(())
}

async fn a_registry_in_another_subscription_is_attached_by_its_id() -> Checked {
    let other = other_subscription()?.to_string();
    let azure = Emulator::new()
        .with_cluster(GROUP, CLUSTER)
        .with_subscription(&other)
        .with_registry_of(RegistrySeed::new("far", "farregistry").in_subscription(&other));
    let client = client(&azure, azure.credential())?;
    let id = azure.registry_id("far", "farregistry").replace(azure.subscription(), &other);
    let cluster = ClusterRef::new(GROUP, CLUSTER)?;
    let attachment = client.attach(&cluster, &id.parse()?, AttachOptions::default()).await?;
    assert!(attachment.outcome == AttachOutcome::Granted && attachment.registry.is(&id));
    let by_name: RegistryRef = "farregistry".parse()?;
    refused(client.attach(&cluster, &by_name, AttachOptions::default()).await, ErrorKind::NotFound)?;
    let there = by_name.in_subscription(other_subscription()?);
    let again = client.attach(&cluster, &there, AttachOptions::default()).await?;
    assert_eq!(again.outcome, AttachOutcome::AlreadyGranted);
    Ok(())
}

async fn a_registry_on_a_later_page_is_attached() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_page_size(1);
    scene.azure.set_empty_first_page(true);
    let crowd =
        (1..5).fold(scene.azure.clone(), |azure, number| azure.with_registry(GROUP, &format!("registry{number}")));
    for name in ["registry4", "registry4"] {
        scene.client.attach(&scene.cluster, &name.parse()?, AttachOptions::default()).await?;
    }
    assert_eq!(grants(&scene).len(), 1, "the grant on a later page is seen too");
    assert_eq!(summary(&crowd.requests()).writes, 1);
    Ok(())
}

async fn a_registry_of_another_cloud_is_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    let other = "myregistry.azurecr.us".parse()?;
    let result = scene.client.attach(&scene.cluster, &other, AttachOptions::default()).await;
    refused(result, ErrorKind::InvalidInput)?;
    assert_eq!(scene.sent(|request| request.path.contains("Microsoft.ContainerRegistry")), []);
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_cluster_without_kubelet_identity_is_not_found() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).without_kubelet_identity())?;
    let err = refused(attach(&scene, AttachOptions::default()).await, ErrorKind::NotFound)?;
    assert!(err.to_string().contains("kubelet identity"), "{err}");
    assert!(err.to_string().contains("principal_id") && !err.to_string().contains("wait"), "{err}");
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_cluster_that_is_being_made_has_no_kubelet_identity_yet() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).state("Creating"))?;
    let err = refused(attach(&scene, AttachOptions::default()).await, ErrorKind::NotFound)?;
    assert!(err.to_string().contains("Creating"), "{err}");
    assert!(err.to_string().contains("wait until the cluster is created, or pass"), "{err}");
    Ok(())
}

async fn a_cluster_with_a_service_principal_needs_its_object_id() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).service_principal())?;
    let err = refused(attach(&scene, AttachOptions::default()).await, ErrorKind::Unsupported)?;
    assert!(err.to_string().contains("pass the object ID of the principal that pulls for it as principal_id"), "{err}");
    assert!(err.to_string().contains("query_graph"), "{err}");
    assert_eq!(scene.writes(), []);
    let principal = scene.azure.control_plane_object_id(GROUP, CLUSTER).parse()?;
    let attachment = attach(&scene, AttachOptions::default().with_principal_id(principal)).await?;
    assert_eq!((attachment.outcome, attachment.principal_id), (AttachOutcome::Granted, principal));
    Ok(())
}

async fn a_service_principal_is_found_through_microsoft_graph() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).service_principal())?;
    let options = || AttachOptions::default().with_query_graph(true);
    let err = refused(attach(&scene, options()).await, ErrorKind::Forbidden)?;
    assert!(err.to_string().contains("Application.Read.All") && err.to_string().contains("principal_id"), "{err}");
    assert_eq!(scene.writes(), []);
    drop(scene.azure.clone().with_graph_permission("owner", "Application.Read.All"));
    let principal: aks_acr::PrincipalId = scene.azure.control_plane_object_id(GROUP, CLUSTER).parse()?;
    let plan = scene.client.plan_attach(&scene.cluster, &scene.by_id(), options()).await?;
    assert_eq!((plan.principal_id, plan.is_service_principal), (principal, true), "{plan}");
    assert!(plan.to_string().contains("the cluster's service principal"), "{plan}");
    let stored = serde_json::from_str(&serde_json::to_string(&plan)?)?;
    let attachment = scene.client.apply_attach(&stored, aks_acr::ApplyAttachOptions::default()).await?;
    assert_eq!((attachment.outcome, attachment.principal_id), (AttachOutcome::Granted, principal));
    assert_eq!(attach(&scene, options()).await?.outcome, AttachOutcome::AlreadyGranted);
    Ok(())
}

async fn who_may_not_grant_is_told_so_after_one_refusal() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Contributor", &scene.everything())])?;
    let begun = Instant::now();
    let result = client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    assert_eq!((err.missing_action(), err.scope()), (Some(WRITE), Some(scene.registry().as_str())));
    assert_eq!(err.smallest_role(), Some("Role Based Access Control Administrator"));
    assert!(scene.writes().len() == 1 && begun.elapsed() < Duration::from_secs(1));
    Ok(())
}

async fn a_refusal_is_tried_again_for_as_long_as_was_asked() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    let (azure, caller) = (scene.azure.clone(), scene.azure.object_id_of("caller"));
    let options = AttachOptions::default().with_retry_forbidden_for(Duration::from_secs(120));
    let by_id = scene.by_id();
    let (attachment, ()) = tokio::join!(client.attach(&scene.cluster, &by_id, options.clone()), async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        azure.grant("Role Based Access Control Administrator", &caller, scene.registry().as_str());
    });
    assert_eq!(attachment?.outcome, AttachOutcome::Granted);

    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    let begun = Instant::now();
    refused(client.attach(&scene.cluster, &scene.by_id(), options).await, ErrorKind::Forbidden)?;
    assert!(begun.elapsed() > Duration::from_secs(60) && begun.elapsed() <= Duration::from_secs(150));
    Ok(())
}

/// In legacy mode no condition can be lost by a grant that is written unseen; elsewhere one could.
async fn who_may_not_list_grants_may_still_grant_in_legacy_mode() -> Checked {
    let read =
        ["Microsoft.ContainerRegistry/registries/read", "Microsoft.ContainerService/managedClusters/read", WRITE];
    for (seed, may) in [(RegistrySeed::new(GROUP, REGISTRY), true), (RegistrySeed::new(GROUP, REGISTRY).abac(), false)]
    {
        let scene = Scene::with_registry(seed)?;
        let _ = scene.azure.clone().with_custom_role("Blind Granter", &read, &[]);
        let client = scene.caller(&[("Blind Granter", &scene.everything())])?;
        let result = client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await;
        if may {
            assert_eq!(result?.outcome, AttachOutcome::Granted);
        } else {
            let err = refused(result, ErrorKind::Forbidden)?;
            assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/read"));
            assert_eq!(scene.writes(), []);
        }
    }
    Ok(())
}

async fn the_smallest_roles_are_enough() -> Checked {
    let scene = Scene::new()?;
    let cluster = scene.azure.cluster_id(GROUP, CLUSTER);
    let roles = [("Reader", cluster.as_str()), ("Role Based Access Control Administrator", scene.registry().as_str())];
    let client = scene.caller(&roles)?;
    for registry in [scene.by_id(), REGISTRY.parse()?] {
        client.attach(&scene.cluster, &registry, AttachOptions::default()).await?;
    }
    assert_eq!(grants(&scene).len(), 1);
    Ok(())
}

async fn an_identity_that_was_just_made_is_granted() -> Checked {
    let scene = Scene::new()?;
    scene.azure.forget_principal(&scene.azure.kubelet_object_id(GROUP, CLUSTER), Duration::from_secs(40));
    assert_eq!(attach(&scene, AttachOptions::default()).await?.outcome, AttachOutcome::Granted);
    Ok(())
}

/// After the read and before the write, another tool creates a grant with its own name.
async fn a_grant_that_somebody_else_makes_meanwhile_is_no_second_one() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").delay(Duration::from_secs(10)));
    let (attachment, ()) = tokio::join!(attach(&scene, AttachOptions::default()), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        scene.grant_pull("AcrPull");
    });
    assert_eq!(attachment?.outcome, AttachOutcome::AlreadyGranted);
    assert_eq!(grants(&scene).len(), 1);
    Ok(())
}

/// The first run is cut at one of its requests, as often as it tries, before or after the request has done its work.
async fn an_attach_that_was_cut_off_ends_the_same_when_it_is_run_again() -> Checked {
    let all = ["/managedClusters/", "/registries/myregistry?", "/roleAssignments?", "/roleAssignments/"];
    for (part, is_late) in all.into_iter().flat_map(|part| [(part, false), (part, true)]) {
        let scene = Scene::new()?;
        let cut = Fault::on("*", part).reset().times(20);
        scene.azure.fault(if is_late { cut.after_effect() } else { cut });
        let mut runs = 0;
        while attach(&scene, AttachOptions::default()).await.is_err() {
            runs += 1;
        }
        assert!(runs > 0, "{part} was not asked for");
        assert_eq!(grants(&scene), [(scene.registry().to_string(), PullRole::AcrPull.id().to_string())], "{part}");
    }
    Ok(())
}

async fn many_attaches_at_once_make_one_grant() -> Checked {
    let scene = Scene::new()?;
    let all = (0..8).map(|_| attach(&scene, AttachOptions::default()));
    for attachment in futures::future::join_all(all).await {
        assert!(matches!(attachment?.outcome, AttachOutcome::Granted | AttachOutcome::AlreadyGranted));
    }
    assert_eq!(grants(&scene).len(), 1);
    Ok(())
}
