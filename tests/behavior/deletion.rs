//! Deleting a registry: one write, and the wait until it is gone.

use crate::{
    backend::{Backend as _, call},
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, REGISTRY, Scene},
};
use aks_acr::{CallOptions, Client, CreateRegistryOptions, DeletedRegistry, ErrorKind, RefusalKind, Registry};
use aks_acr_emulator::{Fault, RegistrySeed, Request, Timing};
use libtest_mimic::Failed;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "deletion";
        everywhere: [];
        on_emulator: [
            a_registry_is_deleted_with_one_write_and_read_once_more,
            a_deletion_that_takes_time_is_waited_for,
            a_missing_registry_is_a_success_that_says_so,
            a_registry_that_is_being_deleted_is_waited_for_and_not_written,
            a_write_whose_response_is_lost_is_not_repeated_if_it_had_an_effect,
            a_write_that_failed_is_repeated_after_a_read,
            a_registry_that_was_created_again_meanwhile_is_left_alone,
            a_registry_of_unknown_age_is_not_written_twice,
            an_address_of_the_operation_that_cannot_be_read_does_not_matter,
            a_caller_with_a_role_on_the_registry_alone_sees_its_end,
            a_replica_that_lags_is_waited_for,
            a_registry_that_does_not_go_is_an_error,
            a_failed_operation_is_an_error_with_the_writes_id,
            a_lock_refuses_it_once,
            the_missing_right_is_named,
            a_client_that_may_not_write_sends_nothing,
            it_ends_when_its_deadline_does,
        ];
    }
}

async fn found(scene: &Scene) -> Result<Registry, Failed> {
    some(scene.client.registry_importer().find(&scene.by_id(), &call()).await?, "the registry")
}

async fn delete_as(client: &Client, registry: &Registry) -> aks_acr::Result<DeletedRegistry> {
    client.registry_importer().delete(registry, &call()).await
}

async fn delete(scene: &Scene) -> Result<aks_acr::Result<DeletedRegistry>, Failed> {
    Ok(delete_as(&scene.client, &found(scene).await?).await)
}

fn writes(scene: &Scene) -> usize {
    scene.sent(Request::is_write).len()
}

async fn is_gone(scene: &Scene) -> Result<bool, Failed> {
    Ok(scene.client.registry_importer().find(&scene.by_id(), &call()).await?.is_none())
}

fn slow() -> Timing {
    Timing::none().with_registry_deletion(Duration::from_secs(8))
}

async fn a_registry_is_deleted_with_one_write_and_read_once_more() -> Checked {
    let scene = Scene::new()?;
    let registry = found(&scene).await?;
    let mark = scene.azure.mark();
    let deleted = delete_as(&scene.client, &registry).await?;
    assert!(deleted.deleted && deleted.correlation_id.is_some());
    let sent: Vec<(String, u16)> =
        scene.azure.requests_since(mark).into_iter().map(|one| (one.method, one.status.unwrap_or_default())).collect();
    assert_eq!(sent, [("DELETE".to_owned(), 200), ("GET".to_owned(), 404)]);
    Ok(())
}

async fn a_deletion_that_takes_time_is_waited_for() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let begun = Instant::now();
    assert!(delete(&scene).await??.deleted);
    assert!(begun.elapsed() >= Duration::from_secs(8) && begun.elapsed() < Duration::from_secs(12));
    assert_eq!(writes(&scene), 1);
    assert!(is_gone(&scene).await?);
    Ok(())
}

async fn a_missing_registry_is_a_success_that_says_so() -> Checked {
    let scene = Scene::new()?;
    let registry = found(&scene).await?;
    delete_as(&scene.client, &registry).await?;
    let again = delete_as(&scene.client, &registry).await?;
    assert!(!again.deleted);
    scene.azure.fault(
        Fault::on("DELETE", "/registries/")
            .status(404)
            .body(json!({ "error": { "code": "ResourceNotFound", "message": "not found" } })),
    );
    assert!(!delete_as(&scene.client, &registry).await?.deleted);
    Ok(())
}

async fn a_registry_that_is_being_deleted_is_waited_for_and_not_written() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let registry = found(&scene).await?;
    let (first, second) = tokio::join!(delete_as(&scene.client, &registry), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        delete(&scene).await
    });
    assert!(first?.deleted && !second??.deleted);
    assert_eq!(writes(&scene), 1);
    Ok(())
}

async fn a_write_whose_response_is_lost_is_not_repeated_if_it_had_an_effect() -> Checked {
    for timing in [Timing::none(), slow()] {
        let scene = Scene::new()?;
        scene.azure.set_timing(timing);
        scene.azure.fault(Fault::on("DELETE", "/registries/").reset().after_effect());
        assert!(delete(&scene).await??.deleted);
        assert_eq!(writes(&scene), 1);
        assert!(is_gone(&scene).await?);
    }
    Ok(())
}

async fn a_write_that_failed_is_repeated_after_a_read() -> Checked {
    for status in [429, 503] {
        let scene = Scene::new()?;
        scene.azure.fault(Fault::on("DELETE", "/registries/").status(status).times(2));
        let registry = found(&scene).await?;
        let mark = scene.azure.mark();
        assert!(delete_as(&scene.client, &registry).await?.deleted);
        let methods: Vec<String> = scene.azure.requests_since(mark).into_iter().map(|one| one.method).collect();
        assert_eq!(methods, ["DELETE", "GET", "DELETE", "GET", "DELETE", "GET"]);
    }
    Ok(())
}

async fn a_registry_that_was_created_again_meanwhile_is_left_alone() -> Checked {
    let scene = Scene::new()?;
    let registry = found(&scene).await?;
    scene.azure.fault(Fault::on("DELETE", "/registries/").status(503));
    let (deleted, created) = tokio::join!(delete_as(&scene.client, &registry), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        scene.azure.delete_registry(GROUP, REGISTRY);
        scene.client.create_registry(GROUP, REGISTRY, CreateRegistryOptions::default()).await
    });
    assert!(deleted?.deleted);
    assert_ne!(created?.registry.created, registry.created);
    assert!(!is_gone(&scene).await?);
    assert_eq!(scene.sent(|request| request.method == "DELETE").len(), 1);
    Ok(())
}

async fn a_registry_of_unknown_age_is_not_written_twice() -> Checked {
    let scene = Scene::new()?;
    let mut registry = found(&scene).await?;
    registry.created = None;
    scene.azure.fault(Fault::on("DELETE", "/registries/").status(503));
    refused(delete_as(&scene.client, &registry).await, ErrorKind::Unavailable)?;
    assert_eq!(writes(&scene), 1);
    assert!(delete_as(&scene.client, &registry).await?.deleted);
    Ok(())
}

async fn an_address_of_the_operation_that_cannot_be_read_does_not_matter() -> Checked {
    for status in [403, 404] {
        let scene = Scene::new()?;
        scene.azure.set_timing(slow());
        scene.azure.fault(Fault::on("GET", "/operationResults/").status(status).times(9));
        assert!(delete(&scene).await??.deleted, "{status}");
        assert!(is_gone(&scene).await?);
    }
    Ok(())
}

/// The role goes with the registry: what Azure reported counts.
async fn a_caller_with_a_role_on_the_registry_alone_sees_its_end() -> Checked {
    for timing in [Timing::none(), slow()] {
        let scene = Scene::new()?;
        scene.azure.set_timing(timing);
        let caller = scene.caller(&[("Contributor", scene.registry().as_str())])?;
        assert!(delete_as(&caller, &found(&scene).await?).await?.deleted);
        assert!(is_gone(&scene).await?);
    }
    // Where the link needs an action in the subscription, its role ends with the registry: what happened is not known, and the error says so.
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    scene.azure.set_links_need_action(true);
    let caller = scene.caller(&[("Contributor", scene.registry().as_str())])?;
    let err = refused(delete_as(&caller, &found(&scene).await?).await, ErrorKind::Forbidden)?;
    assert!(err.to_string().contains("the deletion was requested"), "{err}");
    assert!(is_gone(&scene).await?);
    // Without a report, a missing permission is no end.
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let registry = found(&scene).await?;
    let blind = scene.caller_who_may(&["Microsoft.ContainerRegistry/registries/delete"])?;
    scene.azure.fault(Fault::on("GET", "/operationResults/").status(403));
    refused(delete_as(&blind, &registry).await, ErrorKind::Forbidden)?;
    Ok(())
}

/// A replica that has not seen the deletion returns the registry as it was.
async fn a_replica_that_lags_is_waited_for() -> Checked {
    let scene = Scene::new()?;
    let registry = found(&scene).await?;
    let body = json!({"id": registry.id, "name": REGISTRY, "properties": {"loginServer": registry.login_server,
        "provisioningState": "Succeeded", "creationDate": json!(registry)["created"]}});
    scene.azure.fault(Fault::on("GET", "/registries/myregistry?").status(200).body(body).times(5));
    assert!(delete_as(&scene.client, &registry).await?.deleted);
    assert_eq!(writes(&scene), 1);
    Ok(())
}

async fn a_registry_that_does_not_go_is_an_error() -> Checked {
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("DELETE", "/registries/").status(200).times(9));
    let err = refused(delete(&scene).await?, ErrorKind::OperationFailed)?;
    assert!(err.to_string().contains("still returns the registry"), "{err}");
    assert_eq!(writes(&scene), 1);
    Ok(())
}

async fn a_failed_operation_is_an_error_with_the_writes_id() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let body = json!({ "status": "Failed", "error": { "code": "Broken", "message": "it broke" } });
    scene.azure.fault(Fault::on("GET", "/operationResults/").status(200).body(body));
    let err = refused(delete(&scene).await?, ErrorKind::OperationFailed)?;
    assert_eq!(err.code(), Some("Broken"));
    assert!(err.correlation_id().is_some(), "{err}");
    Ok(())
}

async fn a_lock_refuses_it_once() -> Checked {
    let scene = Scene::new()?;
    scene.azure.lock("keep", scene.registry().as_str(), "CanNotDelete");
    let err = refused(delete(&scene).await?, ErrorKind::Forbidden)?;
    assert_eq!((err.refusal(), err.code()), (Some(RefusalKind::Lock), Some("ScopeLocked")));
    assert_eq!(writes(&scene), 1);
    Ok(())
}

async fn the_missing_right_is_named() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let err = refused(delete_as(&reader, &found(&scene).await?).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerRegistry/registries/delete"));
    assert_eq!((err.smallest_role(), err.scope()), (Some("Contributor"), Some(scene.registry().as_str())));
    assert_eq!(writes(&scene), 1);
    Ok(())
}

async fn a_client_that_may_not_write_sends_nothing() -> Checked {
    let scene = Scene::new()?;
    let registry = found(&scene).await?;
    let builder =
        || Client::builder(scene.azure.credential(), scene.azure.subscription()).transport(scene.azure.transport());
    let err = refused(delete_as(&builder().read_only().build()?, &registry).await, ErrorKind::Forbidden)?;
    assert_eq!(err.refusal(), Some(RefusalKind::ReadOnlyClient));
    let rejects = |write: &aks_acr::Write| Err(write.action.clone().unwrap_or_default());
    let err = refused(delete_as(&builder().on_write(rejects).build()?, &registry).await, ErrorKind::Forbidden)?;
    assert_eq!(err.refusal(), Some(RefusalKind::WriteHook));
    assert!(err.to_string().contains("registries/delete"), "{err}");
    assert_eq!(writes(&scene), 0);
    Ok(())
}

async fn it_ends_when_its_deadline_does() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).property("provisioningState", "Deleting"))?;
    let registry = found(&scene).await?;
    let limit = CallOptions::default().with_deadline(Duration::from_secs(30)).start(Duration::ZERO);
    let begun = Instant::now();
    let late = scene.client.registry_importer().delete(&registry, &limit).await;
    let err = refused(late, ErrorKind::DeadlineExceeded)?;
    assert!(err.to_string().contains("Deleting"), "{err}");
    assert!(begun.elapsed() <= Duration::from_secs(30));
    Ok(())
}
