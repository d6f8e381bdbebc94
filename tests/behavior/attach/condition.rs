//! Conditions: granted, kept, replaced.

use crate::{
    backend::Backend,
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{AttachOptions, AttachOutcome, Attachment, ErrorKind, OnConditionMismatch, PullRole};
use aks_acr_emulator::{Fault, RegistrySeed, RoleAssignment};
use libtest_mimic::Failed;
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    cases! { "attach";
        everywhere: [];
        on_emulator: [
            a_condition_is_granted_with_the_role,
            a_condition_without_effect_is_refused,
            another_condition_is_kept_unless_told_otherwise,
            another_condition_is_replaced_where_that_is_asked_for,
            a_condition_under_another_name_is_kept,
            a_condition_under_another_name_is_replaced_in_that_assignment,
            the_same_condition_in_other_white_space_is_the_same,
            a_grant_without_condition_is_not_narrowed_unless_that_is_asked_for,
            a_broader_grant_with_a_condition_is_not_enough,
            a_condition_that_comes_meanwhile_is_not_overwritten,
        ];
    }
}

fn only(repository: &str) -> String {
    format!("@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals '{repository}'")
}

fn scene() -> Result<Scene, Failed> {
    Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())
}

fn with(condition: &str) -> AttachOptions {
    AttachOptions::default().with_condition(condition)
}

async fn attach(scene: &Scene, options: AttachOptions) -> aks_acr::Result<Attachment> {
    scene.client.attach(&scene.cluster, &scene.by_id(), options).await
}

/// The grants of the kubelet identity.
fn grants(scene: &Scene) -> Vec<RoleAssignment> {
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    scene.azure.role_assignments().into_iter().filter(|one| one.principal_id == kubelet).collect()
}

fn conditions(scene: &Scene) -> Vec<Option<String>> {
    grants(scene).into_iter().map(|one| one.condition).collect()
}

/// As another tool grants it: under its own name.
fn grant_if(scene: &Scene, condition: &str) -> String {
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    scene.azure.grant_if(PullRole::RepositoryReader.as_str(), &kubelet, scene.registry().as_str(), condition)
}

async fn a_condition_is_granted_with_the_role() -> Checked {
    let scene = scene()?;
    let attachment = attach(&scene, with(&only("team/app"))).await?;
    assert_eq!((attachment.outcome, attachment.condition), (AttachOutcome::Granted, Some(only("team/app"))));
    assert_eq!(conditions(&scene), [Some(only("team/app"))]);
    let again = attach(&scene, with(&only("team/app"))).await?;
    assert_eq!(again.outcome, AttachOutcome::AlreadyGranted);
    Ok(())
}

async fn a_condition_without_effect_is_refused() -> Checked {
    let scene = Scene::new()?;
    let err = refused(attach(&scene, with(&only("team/app"))).await, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("`roleAssignmentMode: LegacyRegistryPermissions`"), "{err}");
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn another_condition_is_kept_unless_told_otherwise() -> Checked {
    let scene = scene()?;
    attach(&scene, with(&only("team/app"))).await?;
    let before = grants(&scene);
    for options in [with(&only("team/other")), AttachOptions::default()] {
        let kept = attach(&scene, options).await?;
        assert_eq!(kept.outcome, AttachOutcome::ConditionDiffers { existing: Some(only("team/app")) });
        assert_eq!(kept.condition, Some(only("team/app")));
    }
    assert_eq!((grants(&scene), scene.writes().len()), (before, 1));
    Ok(())
}

async fn another_condition_is_replaced_where_that_is_asked_for() -> Checked {
    let scene = scene()?;
    let first = attach(&scene, with(&only("team/app"))).await?;
    let options = with(&only("team/other")).with_on_condition_mismatch(OnConditionMismatch::Replace);
    let second = attach(&scene, options).await?;
    assert_eq!((&second.outcome, &second.condition), (&AttachOutcome::Granted, &Some(only("team/other"))));
    assert_eq!(second.assignment_id, first.assignment_id);
    assert_eq!(conditions(&scene), [Some(only("team/other"))]);
    Ok(())
}

async fn a_condition_under_another_name_is_kept() -> Checked {
    let scene = scene()?;
    let name = grant_if(&scene, &only("team/app"));
    let kept = attach(&scene, AttachOptions::default()).await?;
    assert_eq!(kept.outcome, AttachOutcome::ConditionDiffers { existing: Some(only("team/app")) });
    assert!(some(kept.assignment_id, "assignment")?.ends_with(&name));
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_condition_under_another_name_is_replaced_in_that_assignment() -> Checked {
    let scene = scene()?;
    let name = grant_if(&scene, &only("team/app"));
    let options = AttachOptions::default().with_on_condition_mismatch(OnConditionMismatch::Replace);
    let replaced = attach(&scene, options).await?;
    assert_eq!((replaced.outcome, replaced.condition), (AttachOutcome::Granted, None));
    let there = grants(&scene);
    assert_eq!((there.len(), &there[0].name, &there[0].condition), (1, &name, &None));
    Ok(())
}

async fn the_same_condition_in_other_white_space_is_the_same() -> Checked {
    let scene = scene()?;
    let both = format!("{} OR {}", only("team/app"), only("team/other"));
    attach(&scene, with(&both)).await?;
    let again = attach(&scene, with(&both.replace(" OR ", "\n  OR\n\t"))).await?;
    assert_eq!(again.outcome, AttachOutcome::AlreadyGranted);
    assert_eq!(scene.writes().len(), 1);
    Ok(())
}

async fn a_grant_without_condition_is_not_narrowed_unless_that_is_asked_for() -> Checked {
    let scene = scene()?;
    scene.grant_pull(PullRole::RepositoryReader.as_str());
    let kept = attach(&scene, with(&only("team/app"))).await?;
    assert_eq!(kept.outcome, AttachOutcome::ConditionDiffers { existing: None });
    assert_eq!(conditions(&scene), [None]);
    attach(&scene, with(&only("team/app")).with_on_condition_mismatch(OnConditionMismatch::Replace)).await?;
    assert_eq!(conditions(&scene), [Some(only("team/app"))]);
    Ok(())
}

async fn a_broader_grant_with_a_condition_is_not_enough() -> Checked {
    let scene = scene()?;
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    let role = PullRole::RepositoryReader.as_str();
    scene.azure.grant_if(role, &kubelet, &scene.everything(), &only("team/app"));
    assert_eq!(attach(&scene, AttachOptions::default()).await?.outcome, AttachOutcome::Granted);
    assert_eq!(grants(&scene).len(), 2);
    Ok(())
}

/// After the read and before the write, another tool makes a narrower grant: its condition stays, and is reported.
async fn a_condition_that_comes_meanwhile_is_not_overwritten() -> Checked {
    let scene = scene()?;
    scene.azure.fault(Fault::on("PUT", "/roleAssignments/").delay(Duration::from_secs(10)));
    let (attachment, _) = tokio::join!(attach(&scene, AttachOptions::default()), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        grant_if(&scene, &only("team/app"))
    });
    assert_eq!(attachment?.outcome, AttachOutcome::ConditionDiffers { existing: Some(only("team/app")) });
    assert_eq!(conditions(&scene), [Some(only("team/app"))]);
    Ok(())
}
