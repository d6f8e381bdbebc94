//! Grants to any principal, and their removal.

use crate::{
    case::{Case, case},
    scene::{Scene, registry},
};
use aks_acr::{
    AccessRole, ApplyGrantAccessOptions, ApplyRevokeAccessOptions, GrantAccessOptions, GrantAccessPlan, PrincipalId,
    RevokeAccessOptions, RevokeAccessPlan,
};
use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use std::time::Duration;

const ROLES: [&str; 2] = ["AcrPush", "Container Registry Repository Writer"];

pub fn cases() -> Vec<Case> {
    vec![
        case!("grant_access", "push, the registry by its name", plain(), |client, scene| {
            let principal = pipeline(scene);
            client.grant_access(&registry(), &principal, push().with_call(scene.call())).await
        }),
        case!("grant_access", "a narrower condition is replaced", narrow().await, |client, scene| {
            let options = push().with_condition(condition("team/app")).with_on_condition_mismatch("replace".parse()?);
            let principal = pipeline(scene);
            client.grant_access(&scene.by_id(), &principal, options.with_call(scene.call())).await
        }),
        case!("plan_grant_access", "a group has the access", through_group(), |client, scene| {
            let principal = pipeline(scene);
            client.plan_grant_access(&registry(), &principal, push().with_call(scene.call())).await
        }),
        case!("apply_grant_access", "a stored plan", planned().await, |client, scene| {
            let plan: GrantAccessPlan = scene.stored();
            client.apply_grant_access(&plan, ApplyGrantAccessOptions::default().with_call(scene.call())).await
        }),
        case!("revoke_access", "two roles, which take a minute to fade", both(), |client, scene| {
            client.revoke_access(&scene.by_id(), all(scene).with_call(scene.call())).await
        }),
        case!("revoke_access", "one role assignment by its ID", one_of_two(), |client, scene| {
            let id: String = scene.stored();
            let options = RevokeAccessOptions::default().with_assignment_id(id);
            client.revoke_access(&registry(), options.with_call(scene.call())).await
        }),
        case!("plan_revoke_access", "two roles", both(), |client, scene| {
            client.plan_revoke_access(&scene.by_id(), all(scene).with_call(scene.call())).await
        }),
        case!("apply_revoke_access", "a stored plan for two roles", planned_removal().await, |client, scene| {
            let plan: RevokeAccessPlan = scene.stored();
            client.apply_revoke_access(&plan, ApplyRevokeAccessOptions::default().with_call(scene.call())).await
        }),
    ]
}

fn condition(repository: &str) -> String {
    format!(
        "((!(ActionMatches{{'Microsoft.ContainerRegistry/registries/repositories/content/write'}})) OR \
         (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase '{repository}'))"
    )
}

fn push() -> GrantAccessOptions {
    GrantAccessOptions::default().with_role(AccessRole::Push)
}

fn all(scene: &Scene) -> RevokeAccessOptions {
    RevokeAccessOptions::default().with_principal_id(pipeline(scene))
}

fn pipeline(scene: &Scene) -> PrincipalId {
    scene.azure.object_id_of("pipeline").parse().expect("an object ID")
}

fn plain() -> Scene {
    Scene::of(Emulator::new().with_registry("group", "myregistry").with_caller("pipeline", &[]))
}

fn abac() -> Scene {
    let azure = Emulator::new().with_caller("pipeline", &[]);
    Scene::of(azure.with_registry_of(RegistrySeed::new("group", "myregistry").abac()))
}

async fn narrow() -> Scene {
    let scene = abac();
    let principal = pipeline(&scene);
    scene
        .client()
        .grant_access(&registry(), &principal, push().with_condition(condition("other/app")))
        .await
        .expect("granted");
    scene.begin()
}

fn through_group() -> Scene {
    let azure = Emulator::new().with_registry("group", "myregistry").with_caller("pipeline", &[]);
    let azure = azure.with_entra_group("builders").with_member("builders", "pipeline");
    azure.grant("AcrPush", &azure.group_id("builders"), &azure.registry_id("group", "myregistry"));
    Scene::of(azure)
}

/// The role of either mode.
fn both() -> Scene {
    let scene = abac();
    scene.azure.set_timing(Timing::none().with_deletion(Duration::from_secs(60)));
    for role in ROLES {
        scene.azure.grant(role, &scene.azure.object_id_of("pipeline"), &scene.registry_id());
    }
    scene
}

/// The ID of one of them is known.
fn one_of_two() -> Scene {
    let scene = both();
    let at = scene.registry_id();
    let name = scene.azure.role_assignments().into_iter().find(|one| one.scope == at).expect("a grant").name;
    scene.store(&format!("{at}/providers/Microsoft.Authorization/roleAssignments/{name}"));
    scene
}

async fn planned() -> Scene {
    let scene = plain();
    let principal = pipeline(&scene);
    let plan = scene.client().plan_grant_access(&registry(), &principal, push()).await;
    scene.store(&plan.expect("a plan"));
    scene.begin()
}

async fn planned_removal() -> Scene {
    let scene = both();
    let plan = scene.client().plan_revoke_access(&registry(), all(&scene)).await;
    scene.store(&plan.expect("a plan"));
    scene.begin()
}
