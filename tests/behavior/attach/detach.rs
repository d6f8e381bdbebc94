//! Detach removes what attach granted, and reports what still gives access.

use crate::{
    backend::{Backend, random_name},
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, NGINX, REGISTRY, Scene, deployment},
};
use aks_acr::{
    ApplyDetachOptions, AttachOptions, DetachOptions, DetachOutcome, DetachPlan, Detachment, ErrorKind, GrantReach,
    PrincipalState, PullRole, RolloutOptions,
};
use aks_acr_emulator::{ClusterSeed, Fault, RegistrySeed};
use std::time::{Duration, SystemTime};

const NARROW: &str = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/app'";

pub fn cases() -> Vec<Case> {
    cases! { "detach";
        everywhere: [
            what_was_attached_is_detached_and_a_second_time_changes_nothing,
            a_detach_of_an_absent_registry_is_not_found,
        ];
        on_emulator: [
            pods_fail_to_pull_again,
            both_pull_roles_go_whatever_narrows_them,
            a_grant_of_another_cluster_stays,
            what_remains_is_told_by_what_its_role_allows,
            a_role_that_has_no_effect_in_the_registrys_mode_does_not_remain,
            a_custom_role_remains_if_it_gives_pull,
            a_role_that_may_not_be_read_remains_perhaps,
            what_others_made_remains_where_only_ours_are_to_go,
            a_deleted_clusters_grant_goes_by_its_principal,
            a_detach_of_an_absent_cluster_says_how_its_grant_is_removed,
            a_grant_that_somebody_removes_meanwhile_is_not_ours,
            a_deletion_whose_answer_was_lost_ends_well,
            who_may_not_list_grants_is_told_so,
            who_may_not_remove_them_is_told_so_after_one_refusal,
            what_is_gone_is_told_where_the_rest_fails,
            a_plan_is_stored_and_done_and_may_be_done_again,
            a_plan_no_longer_fits_when_more_would_be_removed,
            a_plan_that_has_expired_or_is_of_another_form_is_refused_before_a_request,
            a_cluster_with_a_service_principal_needs_its_object_id,
        ];
    }
}

async fn what_was_attached_is_detached_and_a_second_time_changes_nothing(backend: &dyn Backend) -> Checked {
    let (client, registry) = (backend.client(), backend.registry().clone().try_into()?);
    let attaching = AttachOptions::default().with_principal_id(backend.principal());
    let attachment = client.attach(backend.cluster(), &registry, attaching).await?;
    let options = || DetachOptions::default().with_principal_id(backend.principal());
    let plan = client.plan_detach(backend.cluster(), &registry, options()).await?;
    assert_eq!(plan.remove.iter().map(|one| Some(&one.id)).collect::<Vec<_>>(), [attachment.assignment_id.as_ref()]);
    let detachment = client.detach(backend.cluster(), &registry, options()).await?;
    assert_eq!((detachment.outcome, detachment.principal_id), (DetachOutcome::Removed, backend.principal()));
    let [removed] = &detachment.removed[..] else { return Err(format!("{detachment:?}").into()) };
    assert_eq!((removed.role, Some(&removed.assignment_id)), (PullRole::AcrPull, attachment.assignment_id.as_ref()));
    assert!(removed.correlation_id.is_some());
    let again = client.detach(backend.cluster(), &registry, options()).await?;
    assert_eq!((again.outcome, again.removed.len()), (DetachOutcome::NothingToRemove, 0));
    Ok(())
}

async fn a_detach_of_an_absent_registry_is_not_found(backend: &dyn Backend) -> Checked {
    let name = random_name("absent");
    let by_id = backend.registry().to_string().replace(backend.registry().name(), &name);
    for absent in [name.parse()?, by_id.parse()?] {
        let result = backend.client().detach(backend.cluster(), &absent, DetachOptions::default()).await;
        let err = refused(result, ErrorKind::NotFound)?;
        assert!(err.to_string().contains(&name), "{err}");
    }
    Ok(())
}

async fn detach(scene: &Scene, options: DetachOptions) -> aks_acr::Result<Detachment> {
    scene.client.detach(&scene.cluster, &scene.by_id(), options).await
}

async fn pods_fail_to_pull_again() -> Checked {
    let scene = Scene::new()?;
    for tag in ["1", "2"] {
        scene.azure.push_image(&format!("myregistry.azurecr.io/app:{tag}"), &["linux/amd64"]);
    }
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let wait_for_rollout = async |name: &'static str, image: &'static str| {
        scene.apply(&deployment(name, image, 1)).await?;
        scene.client.wait_for_rollout(&scene.cluster, &aks_acr::WorkloadRef::new(name), RolloutOptions::default()).await
    };
    assert_eq!(wait_for_rollout("before", "myregistry.azurecr.io/app:1").await?.ready, 1);
    detach(&scene, DetachOptions::default()).await?;
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    refused(wait_for_rollout("after", "myregistry.azurecr.io/app:2").await, ErrorKind::PullFailed)?;
    assert_eq!(wait_for_rollout("elsewhere", NGINX).await?.ready, 1);
    Ok(())
}

async fn both_pull_roles_go_whatever_narrows_them() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    scene.grant_pull("AcrPull");
    let options = AttachOptions::default().with_condition(NARROW);
    scene.client.attach(&scene.cluster, &scene.by_id(), options).await?;
    let detachment = detach(&scene, DetachOptions::default()).await?;
    let mut roles: Vec<(PullRole, Option<&str>)> =
        detachment.removed.iter().map(|one| (one.role, one.condition.as_deref())).collect();
    roles.sort_by_key(|(role, _)| role.as_str());
    assert_eq!(roles, [(PullRole::AcrPull, None), (PullRole::RepositoryReader, Some(NARROW))]);
    Ok(())
}

async fn a_grant_of_another_cluster_stays() -> Checked {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_cluster(GROUP, "other");
    azure.grant("AcrPull", &azure.kubelet_object_id(GROUP, "other"), scene.registry().as_str());
    assert_eq!(detach(&scene, DetachOptions::default()).await?.outcome, DetachOutcome::NothingToRemove);
    assert_eq!(azure.role_assignments().iter().filter(|one| one.scope.contains(REGISTRY)).count(), 1);
    Ok(())
}

async fn what_remains_is_told_by_what_its_role_allows() -> Checked {
    let scene = Scene::new()?;
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    scene.grant_pull("AcrPull");
    scene.azure.grant("AcrPush", &kubelet, scene.registry().as_str());
    scene.azure.grant("Contributor", &kubelet, &scene.everything());
    scene.azure.grant("Network Contributor", &kubelet, &scene.everything());
    let detachment = detach(&scene, DetachOptions::default()).await?;
    assert_eq!(detachment.removed.len(), 1);
    let told: Vec<(Option<&str>, &GrantReach)> =
        detachment.remaining.iter().map(|one| (one.role_name.as_deref(), &one.reach)).collect();
    let from = scene.everything();
    assert_eq!(told, [(Some("AcrPush"), &GrantReach::Direct), (Some("Contributor"), &GrantReach::Inherited { from })]);
    let first = &detachment.remaining[0];
    assert_eq!((first.principal_state, first.clusters.len(), first.is_certain), (PrincipalState::Exists, 1, true));
    Ok(())
}

async fn a_role_that_has_no_effect_in_the_registrys_mode_does_not_remain() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    scene.azure.grant("Owner", &kubelet, &scene.everything());
    assert_eq!(detach(&scene, DetachOptions::default()).await?.remaining, []);
    scene.azure.set_registry(GROUP, REGISTRY, RegistrySeed::legacy);
    assert_eq!(detach(&scene, DetachOptions::default()).await?.remaining.len(), 1);
    Ok(())
}

async fn a_custom_role_remains_if_it_gives_pull() -> Checked {
    let scene = Scene::new()?;
    let pull = ["Microsoft.ContainerRegistry/registries/pull/*"];
    let azure =
        scene.azure.clone().with_custom_role("puller", &pull, &[]).with_custom_role("looker", &["*/x/read"], &[]);
    for role in ["puller", "looker"] {
        azure.grant(role, &azure.kubelet_object_id(GROUP, CLUSTER), scene.registry().as_str());
    }
    let detachment = detach(&scene, DetachOptions::default()).await?;
    assert_eq!(detachment.outcome, DetachOutcome::NothingToRemove);
    let names: Vec<_> = detachment.remaining.iter().map(|one| one.role_name.as_deref()).collect();
    assert_eq!(names, [Some("puller")]);
    Ok(())
}

async fn a_role_that_may_not_be_read_remains_perhaps() -> Checked {
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_custom_role("looker", &["*/x/read"], &[]);
    azure.grant("looker", &azure.kubelet_object_id(GROUP, CLUSTER), scene.registry().as_str());
    azure.fault(Fault::on("GET", "/roleDefinitions/").status(403).times(100));
    let detachment = detach(&scene, DetachOptions::default()).await?;
    let [one] = &detachment.remaining[..] else { return Err(format!("{detachment:?}").into()) };
    assert!(!one.is_certain && one.role_name.is_none());
    Ok(())
}

async fn what_others_made_remains_where_only_ours_are_to_go() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let only_created_by_aks_acr = || DetachOptions::default().with_only_created_by_aks_acr(true);
    let detachment = detach(&scene, only_created_by_aks_acr()).await?;
    assert_eq!((detachment.outcome, detachment.remaining.len()), (DetachOutcome::NothingToRemove, 1));
    detach(&scene, DetachOptions::default()).await?;
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!(detach(&scene, only_created_by_aks_acr()).await?.outcome, DetachOutcome::Removed);
    Ok(())
}

async fn a_deleted_clusters_grant_goes_by_its_principal() -> Checked {
    let scene = Scene::new()?;
    let kubelet = scene.kubelet()?;
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let gone = aks_acr::ClusterRef::new(GROUP, "deleted")?;
    refused(scene.client.detach(&gone, &scene.by_id(), DetachOptions::default()).await, ErrorKind::NotFound)?;
    let options = DetachOptions::default().with_principal_id(kubelet);
    let detachment = scene.client.detach(&gone, &scene.by_id(), options).await?;
    assert_eq!((detachment.outcome, detachment.principal_id), (DetachOutcome::Removed, kubelet));
    Ok(())
}

async fn a_detach_of_an_absent_cluster_says_how_its_grant_is_removed() -> Checked {
    let scene = Scene::new()?;
    let gone = aks_acr::ClusterRef::new(GROUP, "deleted")?;
    let err = refused(scene.client.detach(&gone, &scene.by_id(), DetachOptions::default()).await, ErrorKind::NotFound)?;
    assert!(err.context().any(|(name, value)| name == "hint" && value.contains("principal")), "{err}");
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_grant_that_somebody_removes_meanwhile_is_not_ours() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let (one, other) = tokio::join!(detach(&scene, DetachOptions::default()), detach(&scene, DetachOptions::default()));
    assert_eq!(one?.removed.len() + other?.removed.len(), 1);
    Ok(())
}

async fn a_deletion_whose_answer_was_lost_ends_well() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    scene.azure.fault(Fault::on("DELETE", "/roleAssignments/").reset().after_effect());
    detach(&scene, DetachOptions::default()).await?;
    assert_eq!(scene.azure.role_assignments().iter().filter(|one| one.scope.contains(REGISTRY)).count(), 0);
    assert_eq!(detach(&scene, DetachOptions::default()).await?.outcome, DetachOutcome::NothingToRemove);
    Ok(())
}

async fn who_may_not_list_grants_is_told_so() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let role = ["Microsoft.ContainerService/managedClusters/read"];
    let caller = scene.caller_who_may(&role)?;
    let result = caller.detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/read"));
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn who_may_not_remove_them_is_told_so_after_one_refusal() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let plan = reader.plan_detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await?;
    let err = refused(reader.apply_detach(&plan, ApplyDetachOptions::default()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/delete"));
    assert_eq!(err.scope(), Some(scene.registry().as_str()));
    assert_eq!(err.smallest_role(), Some("Role Based Access Control Administrator"));
    assert_eq!(scene.writes().len(), 1);
    Ok(())
}

async fn what_is_gone_is_told_where_the_rest_fails() -> Checked {
    for rest in
        [Fault::on("DELETE", "/roleAssignments/").status(400), Fault::on("GET", "/registries/myregistry?").status(400)]
    {
        let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
        let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
        scene.grant_pull("AcrPull");
        scene.azure.grant("Container Registry Repository Reader", &kubelet, scene.registry().as_str());
        scene.azure.grant("Owner", &kubelet, &scene.everything());
        let before = scene.azure.role_assignments();
        scene.azure.fault(rest);
        let err = refused(detach(&scene, DetachOptions::default()).await, ErrorKind::InvalidInput)?;
        let after = scene.azure.role_assignments();
        let mut gone = before.iter().filter(|one| after.iter().all(|left| left.name != one.name)).peekable();
        assert!(gone.peek().is_some() && gone.all(|one| err.to_string().contains(&one.name)), "{err}");
    }
    Ok(())
}

async fn a_plan_is_stored_and_done_and_may_be_done_again() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    scene.azure.grant("Reader", &scene.azure.kubelet_object_id(GROUP, CLUSTER), &scene.everything());
    let plan = scene.client.plan_detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await?;
    assert_eq!(scene.writes(), []);
    let text = plan.to_string();
    let signs: Vec<_> = text.lines().map(|line| &line[..1]).filter(|sign| *sign != " ").collect();
    assert_eq!(signs, ["-", "!"]);
    let stored: DetachPlan = serde_json::from_str(&serde_json::to_string(&plan)?)?;
    assert_eq!(stored, plan);
    let done = scene.client.apply_detach(&stored, ApplyDetachOptions::default()).await?;
    assert_eq!((done.outcome, &done.remaining), (DetachOutcome::Removed, &plan.remaining));
    let again = scene.client.apply_detach(&stored, ApplyDetachOptions::default()).await?;
    assert_eq!(again.outcome, DetachOutcome::NothingToRemove);
    Ok(())
}

async fn a_plan_no_longer_fits_when_more_would_be_removed() -> Checked {
    let scene = Scene::new()?;
    let plan = scene.client.plan_detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await?;
    assert!(plan.to_string().starts_with("= no grant"));
    scene.grant_pull("AcrPull");
    refused(scene.client.apply_detach(&plan, ApplyDetachOptions::default()).await, ErrorKind::Conflict)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_plan_that_has_expired_or_is_of_another_form_is_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    let plan = scene.client.plan_detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await?;
    let mark = scene.azure.mark();
    let mut old = plan.clone();
    // Azure states its time in whole seconds, so it may be a second behind.
    old.expires = SystemTime::now() - Duration::from_secs(60);
    refused(scene.client.apply_detach(&old, ApplyDetachOptions::default()).await, ErrorKind::Conflict)?;
    let mut odd = plan;
    odd.version += 1;
    refused(scene.client.apply_detach(&odd, ApplyDetachOptions::default()).await, ErrorKind::InvalidInput)?;
    assert_eq!(scene.azure.requests_since(mark), []);
    Ok(())
}

async fn a_cluster_with_a_service_principal_needs_its_object_id() -> Checked {
    let scene = Scene::with_cluster(ClusterSeed::new(GROUP, CLUSTER).service_principal())?;
    let err = refused(detach(&scene, DetachOptions::default()).await, ErrorKind::Unsupported)?;
    assert!(err.to_string().contains("principal_id"), "{err}");
    let principal = scene.azure.control_plane_object_id(GROUP, CLUSTER);
    scene.azure.grant("AcrPull", &principal, scene.registry().as_str());
    let options = DetachOptions::default().with_principal_id(principal.parse()?);
    assert_eq!(detach(&scene, options).await?.outcome, DetachOutcome::Removed);
    drop(scene.azure.clone().with_graph_rights("owner"));
    scene.azure.grant("AcrPull", &principal, scene.registry().as_str());
    let options = || DetachOptions::default().with_query_graph(true);
    let plan = scene.client.plan_detach(&scene.cluster, &scene.by_id(), options()).await?;
    assert!(plan.is_service_principal && plan.principal_id.to_string() == principal, "{plan}");
    let detachment = scene.client.apply_detach(&plan, aks_acr::ApplyDetachOptions::default()).await?;
    assert_eq!((detachment.outcome, detachment.principal_id.to_string()), (DetachOutcome::Removed, principal));
    assert_eq!(detach(&scene, options()).await?.outcome, DetachOutcome::NothingToRemove);
    Ok(())
}
