//! Changes of a registry's settings: only what differs is written, and what the service tier does not have is refused before.

use crate::{
    case::{Case, Checked, cases, refused},
    emulator::{GROUP, REGISTRY, Scene},
};
use aks_acr::{Client, ErrorKind, NetworkAction, RegistryUpdate, Sku, UpdateRegistryOptions, UpdatedSettings, Write};
use aks_acr_emulator::{Fault, Timing};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

pub fn cases() -> Vec<Case> {
    cases! { "registry_update";
        everywhere: [];
        on_emulator: [
            only_what_differs_is_written_and_a_second_run_writes_nothing,
            the_firewall_is_sent_as_a_whole,
            the_service_refuses_what_the_library_refuses,
            nothing_is_written_for_a_setting_that_the_tier_lacks,
            tags_of_others_stay,
            a_slow_change_is_waited_for,
            a_caller_without_the_permission_is_told_which,
            an_absent_registry_is_not_found,
        ];
    }
}

async fn update(scene: &Scene, options: UpdateRegistryOptions) -> aks_acr::Result<UpdatedSettings> {
    with(&scene.client, options).await
}

async fn with(client: &Client, options: UpdateRegistryOptions) -> aks_acr::Result<UpdatedSettings> {
    client.update_registry(&REGISTRY.parse()?, options).await
}

type Kept = Arc<Mutex<Vec<Value>>>;

/// A client that keeps the bodies that it sends by PATCH.
fn keeping(scene: &Scene) -> Result<(Client, Kept), Failed> {
    let seen = Kept::default();
    let kept = seen.clone();
    let hook = move |write: &Write| {
        if write.method == "PATCH" {
            kept.lock().expect("no panic").push(write.body.clone().unwrap_or(Value::Null));
        }
        Ok(())
    };
    let azure = &scene.azure;
    let builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    Ok((builder.on_write(hook).build()?, seen))
}

fn settings(updated: &UpdatedSettings) -> Vec<&str> {
    updated.changes.iter().map(|change| change.setting.as_str()).collect()
}

async fn only_what_differs_is_written_and_a_second_run_writes_nothing() -> Checked {
    let scene = Scene::new()?;
    let options = || {
        let options = UpdateRegistryOptions::default().with_sku(Sku::Premium).with_data_endpoint(true);
        options.with_admin_user(false).with_public_network_access(true).with_tag("team", Some("web"))
    };
    let (client, patches) = keeping(&scene)?;
    let updated = with(&client, options()).await?;
    assert_eq!(settings(&updated), ["sku", "data_endpoint", "tags.team"]);
    assert_eq!((updated.registry.sku.as_str(), updated.registry.tags["team"].as_str()), ("Premium", "web"));
    assert!(updated.correlation_id.is_some());
    let body =
        json!({"sku": {"name": "Premium"}, "tags": {"team": "web"}, "properties": {"dataEndpointEnabled": true}});
    let again = with(&client, options()).await?;
    assert_eq!((settings(&again), &again.correlation_id), (Vec::new(), &None));
    assert_eq!(*patches.lock().expect("no panic"), [body]);
    assert_eq!(again.registry, updated.registry);
    Ok(())
}

async fn the_firewall_is_sent_as_a_whole() -> Checked {
    let scene = Scene::new()?;
    let (client, patches) = keeping(&scene)?;
    let premium = UpdateRegistryOptions::default().with_sku(Sku::Premium).with_default_action(NetworkAction::Deny);
    with(&client, premium.with_allowed_addresses(["203.0.113.7"])).await?;
    let updated = with(&client, UpdateRegistryOptions::default().with_allowed_addresses(["203.0.113.0/24"])).await?;
    assert_eq!(updated.changes[0].to_string(), "allowed_addresses: 203.0.113.0/24, before 203.0.113.7");
    let rules = json!({"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "203.0.113.0/24"}]});
    assert_eq!(patches.lock().expect("no panic")[1], json!({"properties": {"networkRuleSet": rules}}));
    let closed = UpdateRegistryOptions::default().with_public_network_access(false);
    let warned = with(&client, closed).await?.warnings;
    assert!(warned.len() == 1 && warned[0].contains("no public access and no approved private endpoint"), "{warned:?}");
    assert!(
        with(&client, UpdateRegistryOptions::default().with_public_network_access(true)).await?.warnings.is_empty()
    );
    // The registry keeps the rules of its firewall from a lower tier.
    let down = update(&scene, UpdateRegistryOptions::default().with_sku(Sku::Standard)).await;
    let err = refused(down, ErrorKind::Unsupported)?;
    assert!(err.to_string().contains("default_action as it is set on the registry needs the SKU Premium"), "{err}");
    let open = UpdateRegistryOptions::default().with_sku(Sku::Standard).with_default_action(NetworkAction::Allow);
    update(&scene, open.with_allowed_addresses(Vec::<String>::new())).await?;
    Ok(())
}

/// By the trait, which checks nothing: the emulated service has the same rules as the library.
async fn the_service_refuses_what_the_library_refuses() -> Checked {
    let scene = Scene::new()?;
    let id = scene.azure.registry_id(GROUP, REGISTRY).parse()?;
    let make = |set: fn(&mut RegistryUpdate)| {
        let mut update = RegistryUpdate::default();
        set(&mut update);
        update
    };
    let all = [
        (make(|update| update.anonymous_pull = Some(true)), "Anonymous pull is not supported for SKU Managed_Basic"),
        (make(|update| update.public_network_access = Some(false)), "Disabling public network access is not supported"),
        (make(|update| update.data_endpoint = Some(true)), "Data endpoints are not supported"),
    ];
    for (update, text) in all {
        let sent = scene.client.registry_importer().update(&id, &update, &crate::backend::call()).await;
        let err = refused(sent, ErrorKind::InvalidInput)?;
        assert!(format!("{err:#}").contains(text), "{err:#}");
    }
    Ok(())
}

async fn nothing_is_written_for_a_setting_that_the_tier_lacks() -> Checked {
    let scene = Scene::new()?;
    let denied = update(&scene, UpdateRegistryOptions::default().with_public_network_access(false)).await;
    let err = refused(denied, ErrorKind::Unsupported)?;
    assert!(err.to_string().contains("public_network_access as requested needs the SKU Premium"), "{err}");
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn tags_of_others_stay() -> Checked {
    let scene = Scene::new()?;
    update(&scene, UpdateRegistryOptions::default().with_tag("owner", Some("platform"))).await?;
    let merged = update(&scene, UpdateRegistryOptions::default().with_tag("team", Some("web"))).await?;
    assert_eq!(merged.registry.tags.len(), 2);
    let replaced = UpdateRegistryOptions::default().with_tag("team", Some("web")).with_replace_tags(true);
    let replaced = update(&scene, replaced).await?;
    assert_eq!((settings(&replaced), replaced.registry.tags.len()), (vec!["tags.owner"], 1));
    Ok(())
}

async fn a_slow_change_is_waited_for() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_registry(Duration::from_secs(20)));
    let fault = Fault::on("PATCH", "/registries/").status(201).after_effect();
    scene.azure.fault(fault.body(json!({"id": scene.azure.registry_id(GROUP, REGISTRY), "sku": {"name": "Basic"},
        "properties": {"loginServer": "myregistry.azurecr.io", "provisioningState": "Updating"}})));
    let updated = update(&scene, UpdateRegistryOptions::default().with_sku(Sku::Premium)).await?;
    assert_eq!((updated.registry.sku.as_str(), updated.registry.state.as_str()), ("Premium", "Succeeded"));
    Ok(())
}

async fn a_caller_without_the_permission_is_told_which() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let refusal = with(&reader, UpdateRegistryOptions::default().with_admin_user(true)).await;
    let err = refused(refusal, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerRegistry/registries/write"));
    Ok(())
}

async fn an_absent_registry_is_not_found() -> Checked {
    let scene = Scene::new()?;
    let absent = scene.client.update_registry(&"absent".parse()?, UpdateRegistryOptions::default()).await;
    refused(absent, ErrorKind::NotFound)?;
    Ok(())
}
