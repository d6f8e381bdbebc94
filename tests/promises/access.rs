//! Grants to any principal, and their removal by principal or by role assignment: what attach and detach promise, without a cluster.

use crate::{Scene, client};
use aks_acr::{
    AccessRole, ApplyGrantAccessOptions, ApplyRevokeAccessOptions, AttachOutcome, DeleteClusterOptions, DetachOutcome,
    ErrorKind, GrantAccessOptions, PrincipalId, PrincipalType, RegistryRef, RevokeAccessOptions,
};
use aks_acr_emulator::{Emulator, Fault, From, RegistrySeed, RoleAssignment};

const CONDITION: &str = "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/write'})) OR \
    (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWithIgnoreCase 'team/'))";

fn azure() -> Emulator {
    Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry").with_caller("pipeline", &[])
}

fn scene() -> (Scene, PrincipalId) {
    let scene = Scene::of(azure());
    let pipeline = principal(&scene.azure);
    (scene, pipeline)
}

fn principal(azure: &Emulator) -> PrincipalId {
    azure.object_id_of("pipeline").parse().unwrap()
}

fn push() -> GrantAccessOptions {
    GrantAccessOptions::default().with_role(AccessRole::Push)
}

fn of(principal: PrincipalId) -> RevokeAccessOptions {
    RevokeAccessOptions::default().with_principal_id(principal)
}

/// The assignments on the registry itself.
fn assigned(azure: &Emulator) -> Vec<RoleAssignment> {
    azure.role_assignments().into_iter().filter(|one| one.scope.contains("registries")).collect()
}

fn access(scene: &Scene, principal: PrincipalId, repository: &str) -> Vec<&'static str> {
    scene.azure.registry_access(&principal.to_string(), &scene.azure.registry_id("group", "myregistry"), repository)
}

fn writes(azure: &Emulator) -> usize {
    let is_write = |one: &&aks_acr_emulator::Request| {
        one.from == From::Client && matches!(one.method.as_str(), "PUT" | "DELETE" | "PATCH")
    };
    azure.requests().iter().filter(is_write).count()
}

#[tokio::test(start_paused = true)]
async fn the_role_of_the_mode_gives_what_was_asked_for_and_no_more() {
    for is_abac in [false, true] {
        for role in AccessRole::ALL {
            let (scene, pipeline) = scene();
            if is_abac {
                scene.azure.set_registry("group", "myregistry", RegistrySeed::abac);
            }
            let options = GrantAccessOptions::default().with_role(*role);
            for outcome in [AttachOutcome::Granted, AttachOutcome::AlreadyGranted] {
                let granted = scene.client.grant_access(&scene.registry, &pipeline, options.clone()).await.unwrap();
                assert_eq!(granted.outcome, outcome);
            }
            let access = access(&scene, pipeline, "team/app");
            assert_eq!((access.contains(&"pull"), access.contains(&"push")), (true, *role == AccessRole::Push));
            assert!(!access.contains(&"delete"), "{access:?}");
            assert_eq!(writes(&scene.azure), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_restricts_what_is_granted() {
    let (scene, pipeline) = scene();
    let err = scene.client.grant_access(&scene.registry, &pipeline, push().with_condition(CONDITION)).await;
    assert_eq!(err.unwrap_err().kind(), ErrorKind::InvalidInput, "it would have no effect in the legacy mode");
    let err = scene.client.grant_access(&scene.registry, &pipeline, push().with_condition(" ")).await;
    assert_eq!(err.unwrap_err().kind(), ErrorKind::InvalidInput);
    scene.azure.set_registry("group", "myregistry", RegistrySeed::abac);
    scene.client.grant_access(&scene.registry, &pipeline, push().with_condition(CONDITION)).await.unwrap();
    assert!(access(&scene, pipeline, "team/app").contains(&"push"));
    assert!(!access(&scene, pipeline, "other/app").contains(&"push"));
    let wider = scene.client.grant_access(&scene.registry, &pipeline, push()).await.unwrap();
    assert_eq!(wider.outcome, AttachOutcome::ConditionDiffers { existing: Some(CONDITION.to_owned()) });
    assert!(!access(&scene, pipeline, "other/app").contains(&"push"), "never widened unless asked");
    assert_eq!(writes(&scene.azure), 1);
}

#[tokio::test(start_paused = true)]
async fn access_from_above_or_through_a_group_is_enough() {
    let (scene, pipeline) = scene();
    let above = format!("/subscriptions/{}", scene.azure.subscription());
    let name = scene.azure.grant("AcrPush", &pipeline.to_string(), &above);
    let inherited = scene.client.grant_access(&scene.registry, &pipeline, push()).await.unwrap();
    assert_eq!(inherited.outcome, AttachOutcome::Inherited { from: above });
    assert!(scene.azure.revoke(&name));
    let azure = scene.azure.clone().with_entra_group("builders").with_member("builders", "pipeline");
    azure.grant("AcrPull", &azure.group_id("builders"), scene.registry.as_str());
    let pull = GrantAccessOptions::default();
    let through = scene.client.grant_access(&scene.registry, &pipeline, pull).await.unwrap();
    assert!(matches!(through.outcome, AttachOutcome::ThroughGroup { .. }), "{through}");
    assert_eq!(writes(&azure), 0);
    // A group that may only pull is not enough to push.
    let pushes = scene.client.grant_access(&scene.registry, &pipeline, push()).await.unwrap();
    assert_eq!(pushes.outcome, AttachOutcome::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_principal_gets_the_role_with_its_type() {
    let azure = azure().with_entra_group("builders").with_user("jane@example.com");
    let scene = Scene::of(azure);
    let group: PrincipalId = scene.azure.group_id("builders").parse().unwrap();
    let wrong = scene.client.grant_access(&scene.registry, &group, push()).await.unwrap_err();
    assert_eq!((wrong.kind(), wrong.code()), (ErrorKind::InvalidInput, Some("UnmatchedPrincipalType")));
    assert!(wrong.to_string().contains("principal_type"), "{wrong}");
    assert_eq!((writes(&scene.azure), assigned(&scene.azure).len()), (1, 0), "reported after one refused write");
    let right = push().with_principal_type(PrincipalType::Group);
    let granted = scene.client.grant_access(&scene.registry, &group, right).await.unwrap();
    assert_eq!(granted.outcome, AttachOutcome::Granted);
    // The type is known from what the group has.
    let pull = scene.client.grant_access(&scene.registry, &group, GrantAccessOptions::default()).await.unwrap();
    assert_eq!(pull.outcome, AttachOutcome::Granted);
    let user: PrincipalId = scene.azure.object_id_of("jane@example.com").parse().unwrap();
    let right = push().with_principal_type(PrincipalType::User);
    assert_eq!(scene.client.grant_access(&scene.registry, &user, right).await.unwrap().outcome, AttachOutcome::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_role_assignment_that_azure_reports_as_existing_is_read_before_success_is_claimed() {
    let (scene, pipeline) = scene();
    scene.azure.set_registry("group", "myregistry", RegistrySeed::abac);
    let pipeline_id = pipeline.to_string();
    // Another client makes it with another name and a condition, after the list was read.
    scene.azure.fault(Fault::on("GET", "/roleAssignments").body(serde_json::json!({ "value": [] })).status(200));
    scene.azure.grant_if("Container Registry Repository Writer", &pipeline_id, scene.registry.as_str(), CONDITION);
    let granted = scene.client.grant_access(&scene.registry, &pipeline, push()).await.unwrap();
    assert_eq!(granted.outcome, AttachOutcome::ConditionDiffers { existing: Some(CONDITION.to_owned()) });
    assert_eq!(assigned(&scene.azure).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn all_grants_of_a_principal_go_and_nobody_elses() {
    let (scene, pipeline) = scene();
    let (id, registry) = (pipeline.to_string(), scene.registry.as_str().to_owned());
    let above = format!("/subscriptions/{}", scene.azure.subscription());
    for role in ["AcrPush", "AcrPull", "Container Registry Repository Contributor", "Reader"] {
        scene.azure.grant(role, &id, &registry);
    }
    scene.azure.grant("AcrPull", &id, &above);
    scene.azure.grant("AcrPush", &scene.azure.kubelet_object_id("group", "dev"), &registry);
    let plan = scene.client.plan_revoke_access(&scene.registry, of(pipeline)).await.unwrap();
    let (only_pull, before) = (of(pipeline).with_role(AccessRole::Pull), assigned(&scene.azure).len());
    let pull = scene.client.revoke_access(&scene.registry, only_pull).await.unwrap();
    assert_eq!((pull.removed.len(), pull.removed[0].role_name.as_deref()), (1, Some("AcrPull")));
    let left: Vec<_> = pull.remaining.iter().map(|one| one.role_name.clone().unwrap()).collect();
    assert_eq!(left.len(), 3, "AcrPush, Reader and the grant above; Contributor has no effect in this mode: {left:?}");
    let rest = scene.client.apply_revoke_access(&plan, ApplyRevokeAccessOptions::default()).await.unwrap();
    assert_eq!((rest.outcome, rest.removed.len()), (DetachOutcome::Removed, 2));
    assert!(rest.removed.iter().all(|one| one.correlation_id.is_some()));
    assert_eq!(assigned(&scene.azure).len(), before - 3, "Reader and the cluster's stay");
    let again = scene.client.revoke_access(&scene.registry, of(pipeline)).await.unwrap();
    assert_eq!((again.outcome, again.remaining.len()), (DetachOutcome::NothingToRemove, 2));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_would_remove_more_than_it_said_removes_nothing() {
    let (scene, pipeline) = scene();
    let plan = scene.client.plan_revoke_access(&scene.registry, of(pipeline)).await.unwrap();
    scene.client.grant_access(&scene.registry, &pipeline, push()).await.unwrap();
    let err = scene.client.apply_revoke_access(&plan, ApplyRevokeAccessOptions::default()).await.unwrap_err();
    assert_eq!((err.kind(), assigned(&scene.azure).len()), (ErrorKind::Conflict, 1));
    let plan = scene.client.plan_grant_access(&scene.registry, &pipeline, GrantAccessOptions::default()).await.unwrap();
    scene.azure.set_registry("group", "myregistry", RegistrySeed::abac);
    let err = scene.client.apply_grant_access(&plan, ApplyGrantAccessOptions::default()).await.unwrap_err();
    assert_eq!((err.kind(), assigned(&scene.azure).len()), (ErrorKind::Conflict, 1), "another role would be needed");
}

#[tokio::test(start_paused = true)]
async fn the_grants_of_a_deleted_principal_are_removed() {
    let (scene, _) = scene();
    let kubelet: PrincipalId = scene.azure.kubelet_object_id("group", "dev").parse().unwrap();
    scene.client.grant_access(&scene.registry, &kubelet, push()).await.unwrap();
    scene.client.delete_cluster(&scene.cluster, DeleteClusterOptions::default()).await.unwrap();
    assert_eq!(assigned(&scene.azure).len(), 1, "Azure keeps it");
    let revoked = scene.client.revoke_access(&scene.registry, of(kubelet)).await.unwrap();
    assert_eq!((revoked.outcome, assigned(&scene.azure).len()), (DetachOutcome::Removed, 0));
}

#[tokio::test(start_paused = true)]
async fn one_role_assignment_is_removed_by_its_id_whatever_its_role() {
    let (scene, pipeline) = scene();
    let registry = scene.registry.as_str().to_owned();
    scene.azure.grant("Owner", &pipeline.to_string(), &registry);
    let granted = scene.client.grant_access(&scene.registry, &pipeline, push()).await.unwrap();
    let owner =
        assigned(&scene.azure).into_iter().find(|one| !granted.assignment_id.as_ref().unwrap().ends_with(&one.name));
    let id = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{}", owner.unwrap().name);
    let by_id = RevokeAccessOptions::default().with_assignment_id(id.to_uppercase());
    let by_name: RegistryRef = "myregistry".parse().unwrap();
    let revoked = scene.client.revoke_access(&by_name, by_id.clone()).await.unwrap();
    assert_eq!((revoked.removed.len(), revoked.removed[0].role_name.as_deref()), (1, Some("Owner")));
    assert_eq!((revoked.principal_id, revoked.remaining.len()), (Some(pipeline), 1));
    let again = scene.client.revoke_access(&by_name, by_id).await.unwrap();
    assert_eq!((again.outcome, again.principal_id), (DetachOutcome::NothingToRemove, None));
}

#[tokio::test(start_paused = true)]
async fn a_role_assignment_at_another_scope_is_not_touched() {
    let (scene, pipeline) = scene();
    let above = format!("/subscriptions/{}", scene.azure.subscription());
    let name = scene.azure.grant("AcrPull", &pipeline.to_string(), &above);
    let id = format!("{above}/providers/Microsoft.Authorization/roleAssignments/{name}");
    for registry in [scene.registry.clone(), "myregistry".parse().unwrap()] {
        let options = RevokeAccessOptions::default().with_assignment_id(id.clone());
        let err = scene.client.revoke_access(&registry, options).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidInput, "{err}");
        assert_eq!(writes(&scene.azure), 0);
    }
}

/// With a role of the directory that may neither list nor grant.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_reported_after_one_refused_write() {
    let (scene, pipeline) = scene();
    let azure = scene
        .azure
        .clone()
        .with_caller("reader", &[("Reader", &format!("/subscriptions/{}", scene.azure.subscription()))]);
    let reader = client(&azure, azure.credential_of("reader"));
    let err = reader.grant_access(&scene.registry, &pipeline, push()).await.unwrap_err();
    assert_eq!(
        (err.kind(), err.missing_action()),
        (ErrorKind::Forbidden, Some("Microsoft.Authorization/roleAssignments/write"))
    );
    assert_eq!(writes(&azure), 1);
    azure.grant("AcrPush", &pipeline.to_string(), scene.registry.as_str());
    let err = reader.revoke_access(&scene.registry, of(pipeline)).await.unwrap_err();
    assert_eq!(
        (err.kind(), err.missing_action()),
        (ErrorKind::Forbidden, Some("Microsoft.Authorization/roleAssignments/delete"))
    );
    reader.plan_revoke_access(&scene.registry, of(pipeline)).await.unwrap();
}
