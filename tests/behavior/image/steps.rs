//! An import step by step: begun, and looked at.

use super::{as_v1, import, made_registry, posts};
use crate::{
    backend::{Backend, call},
    case::{Case, Checked, cases, refused, some},
    emulator::{NGINX, Scene},
};
use aks_acr::{
    CallOptions, Error, ErrorKind, ImportHandle, ImportOptions, ImportProof, ImportRequest, ImportStatus, Registry,
    StartedImport,
};
use aks_acr_emulator::{Fault, Timing};
use libtest_mimic::Failed;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [
            an_import_is_followed_to_its_end,
        ];
        on_emulator: [
            start_import_returns_when_azure_has_accepted_the_import,
            an_import_is_not_sent_twice,
            poll_import_looks_once,
            a_failed_import_is_an_error_with_azures_own_text,
            a_failed_import_of_unknown_text_is_a_failed_operation,
            an_import_that_the_caller_may_not_follow_is_followed_by_its_targets,
            a_caller_with_roles_on_the_registry_alone_ends_its_import,
            an_import_that_nobody_can_follow_is_said_to_be_accepted,
            an_import_begun_twice_has_succeeded_by_either_handle,
            a_tag_that_another_image_takes_meanwhile_is_a_conflict_at_the_next_look,
            a_handle_can_be_stored_and_keeps_its_link_from_the_log,
        ];
    }
}

async fn an_import_is_followed_to_its_end(backend: &dyn Backend) -> Checked {
    let registry = made_registry(backend).await?;
    let importer = backend.client().registry_importer();
    let targets = vec!["team/hello:v1".to_owned(), "other:v2".to_owned()];
    let source = backend.public_image();
    let mut request = ImportRequest::new(source.clone(), "");
    request.targets = targets;
    let mut handle = importer.start_import(&registry, &request, &call()).await?;
    while importer.poll_import(&mut handle, &call()).await? != ImportStatus::Succeeded {
        tokio::time::sleep(handle.asked_wait().unwrap_or(Duration::from_secs(5))).await;
    }
    let digest = some(importer.image(&source, &call()).await?, "source")?.digest;
    for target in &request.targets {
        let image = format!("{}/{target}", registry.login_server).parse()?;
        assert_eq!(some(importer.image(&image, &call()).await?, target)?.digest, digest);
    }
    Ok(())
}

async fn registry(scene: &Scene) -> Result<Registry, Failed> {
    some(scene.client.registry(&scene.by_id(), CallOptions::default()).await?, "registry")
}

fn request(source: &str) -> aks_acr::Result<ImportRequest> {
    let targets = vec!["nginx:v1".to_owned()];
    let mut request = ImportRequest::new(source.parse()?, "");
    request.targets = targets;
    Ok(request)
}

async fn start_import_returns_when_azure_has_accepted_the_import() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let registry = registry(&scene).await?;
    let importer = scene.client.registry_importer();
    let begun = Instant::now();
    let mut handle = importer.start_import(&registry, &request(NGINX)?, &call()).await?;
    assert!(begun.elapsed() < Duration::from_secs(1));
    let ImportStatus::Running { tags } = importer.poll_import(&mut handle, &call()).await? else {
        return Err("it is over too early".into());
    };
    assert_eq!(tags.get("nginx:v1").map(String::as_str), Some("Pending"));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(importer.poll_import(&mut handle, &call()).await?, ImportStatus::Succeeded);
    Ok(())
}

async fn an_import_is_not_sent_twice() -> Checked {
    for fault in [Fault::on("POST", "/importImage").reset(), Fault::on("POST", "/importImage").status(503)] {
        for fault in [fault.clone(), fault.after_effect()] {
            let scene = Scene::new()?;
            let registry = registry(&scene).await?;
            scene.azure.fault(fault);
            let started = scene.client.registry_importer().start_import(&registry, &request(NGINX)?, &call()).await;
            refused(started, ErrorKind::Unavailable)?;
            assert_eq!(posts(&scene), 1);
        }
    }
    Ok(())
}

async fn poll_import_looks_once() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let registry = registry(&scene).await?;
    let importer = scene.client.registry_importer();
    let mut handle = importer.start_import(&registry, &request(NGINX)?, &call()).await?;
    for _ in 0..3 {
        let mark = scene.azure.mark();
        importer.poll_import(&mut handle, &call()).await?;
        assert_eq!(scene.azure.requests_since(mark).len(), 1);
    }
    Ok(())
}

async fn a_failed_import_is_an_error_with_azures_own_text() -> Checked {
    let scene = Scene::new()?;
    let registry = registry(&scene).await?;
    let importer = scene.client.registry_importer();
    let mut handle = importer.start_import(&registry, &request("docker.io/library/nginx:none")?, &call()).await?;
    let err = refused(importer.poll_import(&mut handle, &call()).await, ErrorKind::NotFound)?;
    let text = err.service().and_then(|service| service.message.clone()).unwrap_or_default();
    assert!(text.contains("Unable to find manifest digest"), "{err:#}");
    Ok(())
}

async fn a_failed_import_of_unknown_text_is_a_failed_operation() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(15)));
    let body = json!({"error": {"code": "BadRequest", "message": "something new"}});
    scene.azure.fault(Fault::on("GET", "/operationResults/").status(400).body(body));
    let err = refused(import(&scene, as_v1()).await, ErrorKind::OperationFailed)?;
    assert_eq!((err.status(), err.code()), (Some(400), Some("BadRequest")));
    assert!(format!("{err:#}").contains("something new"));
    Ok(())
}

/// The link to an import is at the subscription, where a caller may have no rights.
async fn an_import_that_the_caller_may_not_follow_is_followed_by_its_targets() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    scene.azure.fault(Fault::on("GET", "/operationResults/").status(403).times(1000));
    let began = Instant::now();
    let done = import(&scene, as_v1().with_additional_tag("nginx:v2")).await?;
    assert!(matches!(done.proof, ImportProof::SourceMatched { .. }) && done.is_new, "{done:?}");
    assert!(done.correlation_id.is_some() && began.elapsed() < Duration::from_secs(70), "{done:?}");
    assert_eq!((posts(&scene), scene.sent(|one| one.path.contains("/operationResults/")).len()), (1, 1));
    let mut handle = begun_as(&scene, as_v1().with_target("nginx:v3")).await?;
    let look = || CallOptions::default();
    let running = ImportStatus::Running { tags: BTreeMap::new() };
    assert_eq!(scene.client.poll_import(&mut handle, look()).await?, running);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(scene.client.poll_import(&mut handle, look()).await?, ImportStatus::Succeeded);
    Ok(())
}

async fn a_caller_with_roles_on_the_registry_alone_ends_its_import() -> Checked {
    for needed in [false, true] {
        let scene = Scene::new()?;
        scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
        scene.azure.set_links_need_action(needed);
        let registry = scene.by_id().as_str().to_owned();
        let client = scene.caller(&[("Contributor", &registry)])?;
        let done = client.import_image(&scene.by_id(), &"nginx".parse()?, as_v1()).await?;
        assert!(matches!(done.proof, ImportProof::SourceMatched { .. }) && done.is_new, "{needed}: {done:?}");
        let polls = scene.sent(|one| one.path.contains("/operationResults/"));
        assert_eq!(polls.iter().any(|one| one.status == Some(403)), needed, "{polls:?}");
    }
    Ok(())
}

async fn an_import_that_nobody_can_follow_is_said_to_be_accepted() -> Checked {
    let unfollowed = |scene: &Scene| {
        scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
        let poll = Fault::on("GET", "/operationResults/").status(403);
        scene.azure.fault(poll.header("x-ms-correlation-request-id", "of the poll").times(1000));
    };
    let names_the_import = |err: &Error| {
        err.to_string().contains("accepted the import") && err.correlation_id().is_some_and(|id| id != "of the poll")
    };
    let scene = Scene::new()?;
    unfollowed(&scene);
    scene.azure.fault(Fault::on("HEAD", "registry-1.docker.io").status(403).times(99));
    let err = refused(import(&scene, as_v1()).await, ErrorKind::Forbidden)?;
    assert!(names_the_import(&err), "{err:?}");
    let scene = Scene::new()?;
    unfollowed(&scene);
    let options = as_v1().with_call(CallOptions::default().with_deadline(Duration::from_secs(30)));
    let err = refused(import(&scene, options).await, ErrorKind::DeadlineExceeded)?;
    assert!(names_the_import(&err), "{err:?}");
    Ok(())
}

/// By the client, which knows what is to arrive; and stored, as it is when the answer to the first try was lost.
async fn begun(scene: &Scene) -> Result<ImportHandle, Failed> {
    begun_as(scene, as_v1()).await
}

async fn begun_as(scene: &Scene, options: ImportOptions) -> Result<ImportHandle, Failed> {
    let started = scene.client.start_import(&scene.by_id(), &"nginx".parse()?, options).await?;
    let StartedImport::Started { handle } = started else { return Err(format!("{started:?}").into()) };
    Ok(serde_json::from_str(&serde_json::to_string(&handle)?)?)
}

async fn an_import_begun_twice_has_succeeded_by_either_handle() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let mut handles = [begun(&scene).await?, begun(&scene).await?];
    tokio::time::advance(Duration::from_secs(61)).await;
    for handle in &mut handles {
        let status = scene.client.poll_import(handle, CallOptions::default()).await?;
        assert_eq!(status, ImportStatus::Succeeded);
    }
    assert_eq!(posts(&scene), 2);
    Ok(())
}

async fn a_tag_that_another_image_takes_meanwhile_is_a_conflict_at_the_next_look() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let mut handle = begun(&scene).await?;
    scene.azure.push_image("myregistry.azurecr.io/nginx:v1", &["linux/arm64"]);
    tokio::time::advance(Duration::from_secs(61)).await;
    refused(scene.client.poll_import(&mut handle, CallOptions::default()).await, ErrorKind::Conflict)?;
    Ok(())
}

async fn a_handle_can_be_stored_and_keeps_its_link_from_the_log() -> Checked {
    let scene = Scene::new()?;
    let registry = registry(&scene).await?;
    let importer = scene.client.registry_importer();
    let handle = importer.start_import(&registry, &request(NGINX)?, &call()).await?;
    assert!(!format!("{handle:?}").contains("operationResults"), "{handle:?}");
    let mut stored: ImportHandle = serde_json::from_str(&serde_json::to_string(&handle)?)?;
    assert_eq!(importer.poll_import(&mut stored, &call()).await?, ImportStatus::Succeeded);
    Ok(())
}
