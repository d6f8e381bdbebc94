//! Plans: what attach would do, shown, stored, and done later.

use crate::{
    backend::{Backend, random_name},
    case::{Case, Checked, cases, refused},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{
    ApplyAttachOptions, AttachOptions, AttachOutcome, AttachPlan, ErrorKind, OnConditionMismatch, PlannedAction,
    PullRole,
};
use aks_acr_emulator::RegistrySeed;
use std::time::{Duration, SystemTime};

const NARROW: &str = "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'team/app'";

pub fn cases() -> Vec<Case> {
    cases! { "attach";
        everywhere: [
            a_plan_writes_nothing_and_is_done_as_it_was_told,
            a_plan_for_an_absent_registry_is_not_found,
        ];
        on_emulator: [
            a_plan_needs_read_rights_only,
            a_plan_tells_what_is_there_already,
            a_plan_that_replaces_a_condition_is_done,
            a_plan_that_somebody_has_done_meanwhile_is_done,
            a_plan_no_longer_fits_when_a_scope_above_gives_the_role_meanwhile,
            a_plan_no_longer_fits_when_the_mode_has_changed,
            a_plan_that_has_expired_or_is_of_another_form_is_refused_before_a_request,
        ];
    }
}

async fn a_plan_writes_nothing_and_is_done_as_it_was_told(backend: &dyn Backend) -> Checked {
    let client = backend.client();
    let options = || AttachOptions::default().with_principal_id(backend.principal());
    let registry = backend.registry().clone().try_into()?;
    let plan = client.plan_attach(backend.cluster(), &registry, options()).await?;
    let again = client.plan_attach(backend.cluster(), &registry, options()).await?;
    assert_eq!((&plan.action, &again.action), (&PlannedAction::Grant, &PlannedAction::Grant));
    assert_eq!((plan.principal_id, plan.role), (backend.principal(), PullRole::AcrPull));
    let stored: AttachPlan = serde_json::from_str(&serde_json::to_string(&plan)?)?;
    assert_eq!(stored, plan);
    let attachment = client.apply_attach(&stored, ApplyAttachOptions::default()).await?;
    assert_eq!(attachment.outcome, AttachOutcome::Granted);
    let done = client.plan_attach(backend.cluster(), &registry, options()).await?;
    assert_eq!(done.action, PlannedAction::Nothing { outcome: AttachOutcome::AlreadyGranted });
    Ok(())
}

async fn a_plan_for_an_absent_registry_is_not_found(backend: &dyn Backend) -> Checked {
    let absent = random_name("absent").parse()?;
    let result = backend.client().plan_attach(backend.cluster(), &absent, AttachOptions::default()).await;
    refused(result, ErrorKind::NotFound)?;
    Ok(())
}

async fn plan(scene: &Scene, options: AttachOptions) -> aks_acr::Result<AttachPlan> {
    scene.client.plan_attach(&scene.cluster, &scene.by_id(), options).await
}

async fn a_plan_needs_read_rights_only() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let plan = reader.plan_attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!((&plan.action, plan.principal_id), (&PlannedAction::Grant, scene.kubelet()?));
    assert_eq!(scene.writes(), []);
    refused(reader.apply_attach(&plan, ApplyAttachOptions::default()).await, ErrorKind::Forbidden)?;
    scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
    Ok(())
}

async fn a_plan_tells_what_is_there_already() -> Checked {
    let scene = Scene::new()?;
    assert!(plan(&scene, AttachOptions::default()).await?.to_string().starts_with("+ AcrPull"));
    scene.azure.grant("AcrPull", &scene.azure.kubelet_object_id(GROUP, CLUSTER), &scene.everything());
    let inherited = plan(&scene, AttachOptions::default()).await?;
    let from = scene.everything();
    assert_eq!(inherited.action, PlannedAction::Nothing { outcome: AttachOutcome::Inherited { from: from.clone() } });
    assert!(inherited.to_string().starts_with("= AcrPull"));
    let attachment = scene.client.apply_attach(&inherited, ApplyAttachOptions::default()).await?;
    assert_eq!((attachment.outcome, scene.writes().len()), (AttachOutcome::Inherited { from }, 0));
    Ok(())
}

async fn a_plan_that_replaces_a_condition_is_done() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).abac())?;
    let kubelet = scene.azure.kubelet_object_id(GROUP, CLUSTER);
    let name = scene.azure.grant(PullRole::RepositoryReader.as_str(), &kubelet, scene.registry().as_str());
    let options =
        || AttachOptions::default().with_condition(NARROW).with_on_condition_mismatch(OnConditionMismatch::Replace);
    let plan = plan(&scene, options()).await?;
    assert!(matches!(&plan.action, PlannedAction::Replace { assignment_id } if assignment_id.ends_with(&name)));
    let attachment = scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
    assert_eq!(attachment.condition.as_deref(), Some(NARROW));
    Ok(())
}

async fn a_plan_that_somebody_has_done_meanwhile_is_done() -> Checked {
    let scene = Scene::new()?;
    let plan = plan(&scene, AttachOptions::default()).await?;
    scene.grant_pull("AcrPull");
    let attachment = scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
    assert_eq!((attachment.outcome, scene.writes().len()), (AttachOutcome::AlreadyGranted, 0));
    Ok(())
}

async fn a_plan_no_longer_fits_when_a_scope_above_gives_the_role_meanwhile() -> Checked {
    let scene = Scene::new()?;
    let plan = plan(&scene, AttachOptions::default()).await?;
    scene.azure.grant("AcrPull", &scene.azure.kubelet_object_id(GROUP, CLUSTER), &scene.everything());
    refused(scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await, ErrorKind::Conflict)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_plan_no_longer_fits_when_the_mode_has_changed() -> Checked {
    let scene = Scene::new()?;
    let plan = plan(&scene, AttachOptions::default()).await?;
    scene.azure.set_registry(GROUP, REGISTRY, RegistrySeed::abac);
    refused(scene.client.apply_attach(&plan, ApplyAttachOptions::default()).await, ErrorKind::Conflict)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn a_plan_that_has_expired_or_is_of_another_form_is_refused_before_a_request() -> Checked {
    let scene = Scene::new()?;
    let plan = plan(&scene, AttachOptions::default()).await?;
    let mark = scene.azure.mark();
    let mut old = plan.clone();
    // Azure states its time in whole seconds, so it may be a second behind.
    old.expires = SystemTime::now() - Duration::from_secs(60);
    refused(scene.client.apply_attach(&old, ApplyAttachOptions::default()).await, ErrorKind::Conflict)?;
    let mut odd = plan;
    odd.version += 1;
    refused(scene.client.apply_attach(&odd, ApplyAttachOptions::default()).await, ErrorKind::InvalidInput)?;
    assert_eq!(scene.azure.requests_since(mark), []);
    Ok(())
}
