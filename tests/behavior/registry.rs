//! Registries: found, made, left as they are.

use crate::{
    backend::{Backend, call, other_subscription, random_name},
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, REGISTRY, Scene, client},
};
use aks_acr::{
    CallOptions, Client, Cloud, CreateRegistryOptions, DomainNameLabelScope, ErrorKind, NewRegistry, ReadOptions,
    RegistryFilter, RegistryRef, RoleAssignmentMode, Sku,
};
use aks_acr_emulator::{Emulator, Fault, RegistrySeed, Timing};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const LABELLED: &str = "myregistry-e5f2d9a8b7c6h3j1.azurecr.io";

pub fn cases() -> Vec<Case> {
    cases! { "registry";
        everywhere: [
            find_of_what_does_not_exist_is_none,
            a_registry_is_found_by_id_by_name_and_by_login_server,
            create_makes_a_registry_and_waits_until_it_is_there,
            create_never_changes_a_registry_that_exists,
        ];
        on_emulator: [
            find_follows_every_page_before_it_says_so,
            find_passes_over_an_empty_first_page,
            find_takes_a_name_in_any_case,
            find_takes_a_login_server_with_a_domain_label,
            find_takes_the_id_of_a_registry_in_another_subscription,
            find_looks_for_a_name_in_another_subscription_where_one_is_named,
            find_refuses_a_login_server_of_another_cloud_before_a_request,
            find_by_an_id_that_the_caller_may_not_read_is_forbidden,
            a_mode_that_is_not_known_is_no_guess,
            one_odd_registry_of_a_subscription_hides_no_other,
            an_odd_registry_that_is_meant_is_an_error,
            a_named_subscription_with_odd_registries_is_listed,
            a_page_without_a_list_is_not_an_empty_one,
            a_registry_that_cannot_be_read_is_not_a_missing_one,
            one_odd_cluster_of_a_subscription_hides_no_other,
            create_needs_no_look_first_to_leave_a_registry_as_it_is,
            create_takes_the_groups_region_unless_one_is_named,
            create_makes_what_was_asked,
            create_of_a_name_that_is_taken_elsewhere_is_a_conflict,
            create_knows_both_codes_of_a_taken_name,
            create_says_when_a_taken_name_is_ones_own_in_another_group,
            create_says_in_what_a_registry_that_exists_differs,
            create_finds_no_difference_in_what_it_made,
            create_takes_both_answers_of_azure,
            create_lets_nobody_in_without_an_identity,
            create_with_a_domain_label_takes_the_login_server_that_azure_gives,
            create_registers_no_provider_unless_it_was_asked_to,
            create_registers_the_provider_on_request_and_goes_on,
            create_names_the_state_of_a_registry_that_could_not_be_made,
            create_of_a_registry_that_a_replica_does_not_know_yet_goes_on,
            create_of_a_registry_that_is_being_deleted_is_a_conflict,
            create_in_an_absent_group_is_not_found,
            create_refuses_names_that_cannot_be_one_before_a_request,
            create_reports_the_missing_right,
            create_ends_when_its_deadline_does,
        ];
    }
}

/// A list of the subscription's registries with odd ones before the scene's own.
fn odd_list(scene: &Scene, own: &serde_json::Value) -> serde_json::Value {
    let id = |name: &str| scene.azure.registry_id(GROUP, name);
    json!({"value": [
        null,
        "text",
        5,
        [],
        {},
        {"id": 7, "name": {"a": 1}, "properties": "text"},
        {"id": id("oddsku"), "name": "oddsku", "sku": "Basic", "properties": {"loginServer": "oddsku.azurecr.io"}},
        {"id": id("oddmode"), "name": "oddmode", "sku": null,
         "properties": {"loginServer": "oddmode.azurecr.io", "roleAssignmentMode": 5}},
        {"id": id("nohost"), "name": "nohost", "sku": {"name": "Basic"}, "properties": null},
        own,
        {"id": id("tolerable"), "name": "tolerable", "location": null, "sku": null,
         "properties": {"loginServer": "tolerable.azurecr.io", "roleAssignmentMode": null}},
    ]})
}

fn with_odd_registries() -> Result<Scene, libtest_mimic::Failed> {
    let scene = Scene::new()?;
    let own = json!({"id": scene.azure.registry_id(GROUP, REGISTRY), "name": REGISTRY, "location": "westeurope",
                     "sku": {"name": "Basic"}, "properties": {"loginServer": "myregistry.azurecr.io"}});
    let fault = Fault::on("GET", "/providers/Microsoft.ContainerRegistry/registries?").status(200);
    scene.azure.fault(fault.body(odd_list(&scene, &own)).times(99));
    Ok(scene)
}

async fn one_odd_registry_of_a_subscription_hides_no_other() -> Checked {
    let scene = with_odd_registries()?;
    for name in ["myregistry", "MYREGISTRY", "myregistry.azurecr.io", "tolerable", "tolerable.azurecr.io"] {
        let found = scene.client.registry_importer().find(&name.parse()?, &call()).await?;
        assert!(found.is_some(), "{name}");
    }
    scene.client.attach(&scene.cluster, &"myregistry".parse()?, aks_acr::AttachOptions::default()).await?;
    let listed = scene.client.attachments_of_cluster(&scene.cluster, aks_acr::AttachmentsOptions::default()).await?;
    assert!(listed.grants.iter().any(|grant| grant.registry.name() == REGISTRY), "{listed:?}");
    // Some of the odd ones have no name.
    refused(scene.client.registry_importer().find(&"absentregistry".parse()?, &call()).await, ErrorKind::Unexpected)?;
    Ok(())
}

async fn an_odd_registry_that_is_meant_is_an_error() -> Checked {
    let scene = with_odd_registries()?;
    for name in ["oddsku", "oddsku.azurecr.io", "oddmode", "oddmode.azurecr.io", "nohost", "nohost.azurecr.io"] {
        let err = refused(scene.client.registry_importer().find(&name.parse()?, &call()).await, ErrorKind::Unexpected)?;
        assert!(!err.is_transient(), "{name}: {err}");
        let attached = scene.client.attach(&scene.cluster, &name.parse()?, aks_acr::AttachOptions::default()).await;
        refused(attached, ErrorKind::Unexpected)?;
    }
    assert_eq!(scene.writes(), []);
    Ok(())
}

/// An item without an ID is one that could not be read, and not the subscription.
async fn a_named_subscription_with_odd_registries_is_listed() -> Checked {
    let scene = with_odd_registries()?;
    let subscription = scene.registry().subscription();
    let filter = RegistryFilter::default().with_subscription(subscription);
    let listed = scene.client.registries(&filter, ReadOptions::default()).await?;
    assert_eq!(listed.subscriptions, [subscription]);
    let names: Vec<&str> = listed.registries.iter().map(|one| one.id.name()).collect();
    assert_eq!(names, [REGISTRY, "tolerable"]);
    assert!(!listed.is_complete);
    assert!(listed.unreadable.iter().all(|part| part.resource.is_some()), "{:#?}", listed.unreadable);
    Ok(())
}

/// What something else answers is not that there are no registries.
async fn a_page_without_a_list_is_not_an_empty_one() -> Checked {
    for body in
        [json!({}), json!({"value": "text"}), json!({"value": {}}), json!([]), json!({"value": [], "nextLink": 5})]
    {
        let scene = Scene::new()?;
        let fault = Fault::on("GET", "/providers/Microsoft.ContainerRegistry/registries?").status(200);
        scene.azure.fault(fault.body(body.clone()).times(99));
        let found = scene.client.registry_importer().find(&"myregistry".parse()?, &call()).await;
        refused(found, ErrorKind::Unexpected)?;
    }
    let scene = Scene::new()?;
    let fault = Fault::on("GET", "/providers/Microsoft.ContainerRegistry/registries?").status(200);
    scene.azure.fault(fault.body(json!({"value": null})));
    assert_eq!(scene.client.registry_importer().find(&"myregistry".parse()?, &call()).await?, None);
    Ok(())
}

/// An item without a name may be the registry that is looked for; one that is found is found all the same.
async fn a_registry_that_cannot_be_read_is_not_a_missing_one() -> Checked {
    for odd in [json!(null), json!("text"), json!({}), json!({"id": null, "name": 5})] {
        let scene = Scene::new()?;
        let own = json!({"id": scene.registry().to_string(), "name": REGISTRY, "location": "westeurope", "sku": {"name": "Basic"},
            "properties": {"loginServer": "myregistry.azurecr.io", "provisioningState": "Succeeded"}});
        let fault = || Fault::on("GET", "/providers/Microsoft.ContainerRegistry/registries?").status(200);
        scene.azure.fault(fault().body(json!({"value": [own, odd]})));
        assert!(scene.client.registry_importer().find(&REGISTRY.parse()?, &call()).await?.is_some());
        scene.azure.fault(fault().body(json!({"value": [odd]})));
        let found = scene.client.registry_importer().find(&REGISTRY.parse()?, &call()).await;
        let err = refused(found, ErrorKind::Unexpected)?;
        assert!(err.to_string().contains("may be the requested one"), "{err}");
    }
    Ok(())
}

async fn one_odd_cluster_of_a_subscription_hides_no_other() -> Checked {
    let scene = Scene::new()?;
    scene.grant_pull("AcrPull");
    let own = json!({"id": scene.azure.cluster_id(GROUP, crate::emulator::CLUSTER), "name": "dev",
        "identity": {"type": "SystemAssigned"}, "properties": {"provisioningState": "Succeeded", "identityProfile":
            {"kubeletidentity": {"objectId": scene.kubelet()?.to_string()}}}});
    let odd = json!({"value": [null, 5, "text", {"id": 7}, {"id": scene.azure.cluster_id(GROUP, "odd"), "identity": 5,
        "properties": {"identityProfile": "text"}}, own]});
    let fault = Fault::on("GET", "/providers/Microsoft.ContainerService/managedClusters?").status(200);
    scene.azure.fault(fault.body(odd).times(9));
    let seen = scene.client.attachments_of_registry(&scene.by_id(), aks_acr::AttachmentsOptions::default()).await?;
    let kubelet = scene.kubelet()?;
    let grant = seen.grants.iter().find(|grant| grant.principal_id == kubelet).ok_or("no grant")?;
    assert_eq!(grant.clusters.len(), 1, "{grant:?}");
    Ok(())
}

async fn find_of_what_does_not_exist_is_none(backend: &dyn Backend) -> Checked {
    let (own, absent) = (backend.registry().as_str(), random_name("absent"));
    let beside = own.rsplit_once('/').map_or(own, |(beside, _)| beside);
    for text in [absent.clone(), format!("{absent}.azurecr.io"), format!("{beside}/{absent}")] {
        let found = backend.client().registry_importer().find(&text.parse()?, &call()).await?;
        assert_eq!(found, None, "{text}");
    }
    Ok(())
}

async fn a_registry_is_found_by_id_by_name_and_by_login_server(backend: &dyn Backend) -> Checked {
    let by_id = RegistryRef::try_from(backend.registry().clone())?;
    let found = some(backend.client().registry(&by_id, CallOptions::default()).await?, "registry")?;
    assert_eq!(found.id.name(), backend.registry().name());
    for text in [found.id.name(), found.login_server.as_str()] {
        let again = backend.client().registry(&text.parse()?, CallOptions::default()).await?;
        assert_eq!(again.as_ref(), Some(&found), "{text}");
    }
    Ok(())
}

async fn create_makes_a_registry_and_waits_until_it_is_there(backend: &dyn Backend) -> Checked {
    let name = backend.free_registry();
    let options = CreateRegistryOptions::default();
    let created = backend.client().create_registry(backend.registry().group(), &name, options).await?;
    assert!(created.is_new);
    assert_eq!((created.registry.state.as_str(), created.registry.sku.as_str()), ("Succeeded", "Basic"));
    let found = backend.client().registry(&name.parse()?, CallOptions::default()).await?;
    assert_eq!(found, Some(created.registry));
    Ok(())
}

async fn create_never_changes_a_registry_that_exists(backend: &dyn Backend) -> Checked {
    let by_id = RegistryRef::try_from(backend.registry().clone())?;
    let before = some(backend.client().registry(&by_id, CallOptions::default()).await?, "registry")?;
    let options = CreateRegistryOptions::default().with_sku(Sku::Premium).with_mode(other_mode(before.mode));
    let (group, name) = (backend.registry().group(), backend.registry().name());
    let created = backend.client().create_registry(group, &name.to_lowercase(), options).await?;
    assert_eq!((created.is_new, &created.registry), (false, &before));
    assert!(created.differences.iter().any(|one| one.property == "role_assignment_mode"), "{:?}", created.differences);
    assert_eq!(backend.client().registry(&by_id, CallOptions::default()).await?, Some(before));
    Ok(())
}

fn other_mode(mode: RoleAssignmentMode) -> RoleAssignmentMode {
    match mode {
        RoleAssignmentMode::LegacyRegistryPermissions => RoleAssignmentMode::AbacRepositoryPermissions,
        _ => RoleAssignmentMode::LegacyRegistryPermissions,
    }
}

fn crowd() -> Emulator {
    let azure = Emulator::new();
    azure.set_page_size(2);
    (1..=7).fold(azure, |azure, number| azure.with_registry(GROUP, &format!("registry{number}")))
}

async fn find_follows_every_page_before_it_says_so() -> Checked {
    let azure = crowd();
    let client = client(&azure, azure.credential())?;
    let last = client.registry(&"registry7".parse()?, CallOptions::default()).await?;
    assert_eq!(some(last, "registry")?.id.name(), "registry7");
    let mark = azure.mark();
    assert_eq!(client.registry(&"registry8".parse()?, CallOptions::default()).await?, None);
    assert_eq!(azure.requests_since(mark).len(), 4, "seven in pages of two");
    Ok(())
}

async fn find_passes_over_an_empty_first_page() -> Checked {
    let azure = crowd();
    azure.set_empty_first_page(true);
    let client = client(&azure, azure.credential())?;
    assert!(client.registry(&"registry1".parse()?, CallOptions::default()).await?.is_some());
    Ok(())
}

async fn find_takes_a_name_in_any_case() -> Checked {
    let scene = Scene::new()?;
    for text in ["MyRegistry", "MYREGISTRY.azurecr.IO", &scene.registry().as_str().to_uppercase()] {
        let found = scene.client.registry(&text.parse()?, CallOptions::default()).await?;
        assert_eq!(some(found, text)?.login_server, "myregistry.azurecr.io");
    }
    Ok(())
}

async fn find_takes_a_login_server_with_a_domain_label() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).login_server(LABELLED))?;
    for text in [LABELLED, REGISTRY] {
        let found = scene.client.registry(&text.parse()?, CallOptions::default()).await?;
        assert_eq!(some(found, text)?.login_server, LABELLED);
    }
    let plain = scene.client.registry(&"myregistry.azurecr.io".parse()?, CallOptions::default()).await?;
    assert_eq!(plain, None, "the host without the label is another registry's, or nobody's");
    Ok(())
}

/// A registry `farregistry` in another subscription, and a client of the first.
fn far_away() -> Result<(Emulator, Client), libtest_mimic::Failed> {
    let other = other_subscription()?.to_string();
    let azure = Emulator::new()
        .with_subscription(&other)
        .with_registry_of(RegistrySeed::new("far", "farregistry").in_subscription(&other));
    let client = client(&azure, azure.credential())?;
    Ok((azure, client))
}

async fn find_takes_the_id_of_a_registry_in_another_subscription() -> Checked {
    let (azure, client) = far_away()?;
    let id = azure.registry_id("far", "farregistry").replace(azure.subscription(), &other_subscription()?.to_string());
    let found = client.registry(&id.parse()?, CallOptions::default()).await?;
    assert!(some(found, "registry")?.id.is(&id));
    Ok(())
}

async fn find_looks_for_a_name_in_another_subscription_where_one_is_named() -> Checked {
    let (_azure, client) = far_away()?;
    let by_name: RegistryRef = "farregistry".parse()?;
    assert_eq!(client.registry(&by_name, CallOptions::default()).await?, None);
    let there = by_name.in_subscription(other_subscription()?);
    assert!(client.registry(&there, CallOptions::default()).await?.is_some());
    Ok(())
}

async fn find_refuses_a_login_server_of_another_cloud_before_a_request() -> Checked {
    let scene = Scene::new()?;
    for host in ["myregistry.azurecr.cn", "myregistry.azurecr.us"] {
        let result = scene.client.registry(&host.parse()?, CallOptions::default()).await;
        assert!(refused(result, ErrorKind::InvalidInput)?.to_string().contains(host));
    }
    let china = Client::builder(scene.azure.credential(), scene.azure.subscription())
        .cloud(Cloud::china())
        .transport(scene.azure.transport())
        .build()?;
    let public = "myregistry.azurecr.io".parse()?;
    refused(china.registry(&public, CallOptions::default()).await, ErrorKind::InvalidInput)?;
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn find_by_an_id_that_the_caller_may_not_read_is_forbidden() -> Checked {
    let scene = Scene::new()?;
    let group = format!("{}/resourceGroups/elsewhere", scene.everything());
    let client = scene.caller(&[("Reader", &group)])?;
    let err = refused(client.registry(&scene.by_id(), CallOptions::default()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerRegistry/registries/read"));
    assert_eq!(err.smallest_role(), Some("Reader"));
    Ok(())
}

async fn a_mode_that_is_not_known_is_no_guess() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_registry(GROUP, REGISTRY, |seed| seed.property("roleAssignmentMode", "SomethingNew"));
    let result = scene.client.registry(&scene.by_id(), CallOptions::default()).await;
    assert!(refused(result, ErrorKind::Unsupported)?.to_string().contains("SomethingNew"));
    Ok(())
}

async fn create_needs_no_look_first_to_leave_a_registry_as_it_is() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).sku("Standard").anonymous_pull())?;
    let before = scene.client.registry(&scene.by_id(), CallOptions::default()).await?;
    let mut new = NewRegistry::new(scene.registry().clone());
    new.sku = Sku::Premium;
    new.mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let made = scene.client.registry_importer().create(&new, &call()).await?;
    assert_eq!((Some(&made.registry), made.is_new), (before.as_ref(), false));
    assert_eq!(scene.client.registry(&scene.by_id(), CallOptions::default()).await?, before);
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn create_takes_the_groups_region_unless_one_is_named() -> Checked {
    let scene = Scene::new()?;
    let group = "north";
    let _ = scene.azure.clone().with_group(group, "northeurope");
    let default = scene.client.create_registry(group, "firstone", CreateRegistryOptions::default()).await?;
    assert_eq!(default.registry.location, "northeurope");
    let options = CreateRegistryOptions::default().with_location("francecentral");
    let named = scene.client.create_registry(group, "secondone", options).await?;
    assert_eq!(named.registry.location, "francecentral");
    Ok(())
}

async fn create_makes_what_was_asked() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::typical());
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let options = CreateRegistryOptions::default().with_sku(Sku::Standard).with_mode(mode);
    let begun = Instant::now();
    let first = scene.client.create_registry(GROUP, "newregistry", options.clone()).await?;
    assert_eq!((first.registry.sku.as_str(), first.registry.mode, first.is_new), ("Standard", mode, true));
    assert!(begun.elapsed() >= Timing::typical().registry, "it was not there before");
    let again = scene.client.create_registry(GROUP, "newregistry", options).await?;
    assert_eq!((again.is_new, again.registry), (false, first.registry));
    assert_eq!(scene.writes().len(), 1);
    Ok(())
}

async fn create_of_a_name_that_is_taken_elsewhere_is_a_conflict() -> Checked {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_group("elsewhere", "westeurope");
    let result = scene.client.create_registry("elsewhere", REGISTRY, CreateRegistryOptions::default()).await;
    assert_eq!(refused(result, ErrorKind::Conflict)?.code(), Some("RegistryNameAlreadyInUse"));
    Ok(())
}

/// The older code and text: MicrosoftDocs/azure-dev-docs#1303.
async fn create_knows_both_codes_of_a_taken_name() -> Checked {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_group("elsewhere", "westeurope");
    let text = format!("The registry DNS name {REGISTRY}.azurecr.io is already in use.");
    let body = json!({"error": {"code": "AlreadyInUse", "message": text}});
    scene.azure.fault(Fault::on("PUT", "/registries/").status(409).body(body));
    let taken = scene.client.create_registry("elsewhere", REGISTRY, CreateRegistryOptions::default()).await;
    let taken = refused(taken, ErrorKind::Conflict)?;
    assert_eq!(taken.code(), Some("AlreadyInUse"));
    assert!(taken.context().any(|(_, value)| value == GROUP), "{taken}");
    Ok(())
}

async fn create_says_when_a_taken_name_is_ones_own_in_another_group() -> Checked {
    let other = other_subscription()?.to_string();
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_group("elsewhere", "westeurope").with_subscription(&other);
    let azure = azure.with_registry_of(RegistrySeed::new("far", "farregistry").in_subscription(&other));
    let told = |err: &aks_acr::Error, wanted: &str| err.context().any(|(_, value)| value == wanted);
    let create = |name: &'static str| scene.client.create_registry("elsewhere", name, CreateRegistryOptions::default());
    let mine = refused(create(REGISTRY).await, ErrorKind::Conflict)?;
    assert!(told(&mine, GROUP), "{mine}");
    let others = refused(create("farregistry").await, ErrorKind::Conflict)?;
    assert!(!told(&others, "far"), "{others}");
    assert_eq!(azure.requests().iter().filter(|one| one.status == Some(409)).count(), 2, "neither is tried again");
    Ok(())
}

async fn create_says_in_what_a_registry_that_exists_differs() -> Checked {
    let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium").anonymous_pull().property("adminUserEnabled", true);
    let scene = Scene::with_registry(seed)?;
    let options = CreateRegistryOptions::default().with_location("France Central").with_sku(Sku::Standard);
    let created = scene.client.create_registry(GROUP, REGISTRY, options).await?;
    let told: Vec<_> = created.differences.iter().map(ToString::to_string).collect();
    let wanted = [
        "location: asked for France Central, found westeurope",
        "sku: asked for Standard, found Premium",
        "admin_user: asked for false, found true",
        "anonymous_pull: asked for false, found true",
    ];
    assert_eq!(told, wanted);
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn create_finds_no_difference_in_what_it_made() -> Checked {
    let scene = Scene::new()?;
    let options = CreateRegistryOptions::default().with_location("West Europe").with_sku(Sku::Premium);
    for is_new in [true, false] {
        let created = scene.client.create_registry(GROUP, "newregistry", options.clone()).await?;
        assert_eq!((created.is_new, created.differences), (is_new, vec![]));
    }
    Ok(())
}

/// 201 and an operation to follow, or 200 and all done: both were recorded.
async fn create_takes_both_answers_of_azure() -> Checked {
    for (time, status) in [(Duration::ZERO, 200), (Duration::from_secs(30), 201)] {
        let scene = Scene::new()?;
        scene.azure.set_timing(Timing::none().with_registry(time));
        let created = scene.client.create_registry(GROUP, "newregistry", CreateRegistryOptions::default()).await?;
        assert_eq!((created.is_new, created.registry.state.as_str()), (true, "Succeeded"));
        let puts = scene.sent(|request| request.method == "PUT");
        assert_eq!(puts.iter().map(|one| one.status).collect::<Vec<_>>(), [Some(status)]);
    }
    Ok(())
}

async fn create_lets_nobody_in_without_an_identity() -> Checked {
    let scene = Scene::new()?;
    let options = CreateRegistryOptions::default().with_sku(Sku::Premium);
    scene.client.create_registry(GROUP, "newregistry", options).await?;
    let app = "newregistry.azurecr.io/app:1";
    scene.azure.push_image(app, &["linux/amd64"]);
    let stranger = scene.caller(&[])?;
    let looked = stranger.registry_importer().image(&app.parse()?, &call()).await;
    refused(looked, ErrorKind::Forbidden)?;
    Ok(())
}

async fn create_with_a_domain_label_takes_the_login_server_that_azure_gives() -> Checked {
    let scene = Scene::new()?;
    let options = CreateRegistryOptions::default().with_domain_name_label_scope(DomainNameLabelScope::TenantReuse);
    let created = scene.client.create_registry(GROUP, "newregistry", options.clone()).await?;
    let host = created.registry.login_server;
    assert!(host.starts_with("newregistry-") && host.ends_with(".azurecr.io") && host.len() == 39, "{host}");
    let again = scene.client.create_registry(GROUP, "newregistry", options.clone()).await?;
    assert_eq!((again.registry.login_server, again.differences), (host, vec![]));
    let plain = scene.client.create_registry(GROUP, REGISTRY, options).await?;
    assert_eq!(plain.registry.login_server, "myregistry.azurecr.io");
    assert_eq!(plain.differences[0].to_string(), "domain_name_label_scope: asked for TenantReuse, found none");
    Ok(())
}

async fn create_registers_no_provider_unless_it_was_asked_to() -> Checked {
    let scene = Scene::new()?;
    scene.azure.unregister_provider("Microsoft.ContainerRegistry");
    let result = scene.client.create_registry(GROUP, "newregistry", CreateRegistryOptions::default()).await;
    let err = refused(result, ErrorKind::NotRegistered)?;
    assert_eq!(err.code(), Some("MissingSubscriptionRegistration"));
    assert!(err.to_string().contains("Microsoft.ContainerRegistry"), "{err}");
    assert_eq!(scene.sent(|request| request.path.ends_with("/register")), []);
    Ok(())
}

async fn create_registers_the_provider_on_request_and_goes_on() -> Checked {
    let scene = Scene::new()?;
    scene.azure.unregister_provider("Microsoft.ContainerRegistry");
    scene.azure.set_timing(Timing::none().with_registration(Duration::from_secs(90)));
    let options = CreateRegistryOptions::default().with_register_providers(true);
    let begun = Instant::now();
    let created = scene.client.create_registry(GROUP, "newregistry", options.clone()).await?;
    assert!(created.is_new && begun.elapsed() >= Duration::from_secs(90));
    assert_eq!(scene.sent(|request| request.path.ends_with("/register")).len(), 1);
    scene.client.create_registry(GROUP, "anotherone", options).await?;
    assert_eq!(scene.sent(|request| request.path.ends_with("/register")).len(), 1, "what is registered is left alone");
    Ok(())
}

async fn create_names_the_state_of_a_registry_that_could_not_be_made() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).property("provisioningState", "Failed"))?;
    let result = scene.client.create_registry(GROUP, REGISTRY, CreateRegistryOptions::default()).await;
    let err = refused(result, ErrorKind::OperationFailed)?;
    assert!(err.context().any(|(name, value)| (name, value) == ("state", "Failed")), "{err}");
    assert_eq!(scene.writes(), []);
    Ok(())
}

/// The operation is through before every replica knows the registry: one that does not is read again, up to five reads in a row.
async fn create_of_a_registry_that_a_replica_does_not_know_yet_goes_on() -> Checked {
    for reads in [1, 4, 5] {
        let scene = Scene::new()?;
        scene.azure.set_timing(Timing::none().with_registry(Duration::from_secs(60)));
        let create = || scene.client.create_registry(GROUP, "newregistry", CreateRegistryOptions::default());
        let (created, ()) = tokio::join!(create(), async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            let absent = json!({ "error": { "code": "ResourceNotFound", "message": "not found" } });
            scene.azure.fault(Fault::on("GET", "/registries/newregistry?").status(404).body(absent).times(reads));
        });
        if reads < 5 {
            assert!(created?.is_new);
            continue;
        }
        let err = refused(created, ErrorKind::Unexpected)?;
        assert!(err.to_string().contains("does not find it; call again"), "{err}");
        assert!(err.is_transient() && err.created().is_some(), "{err}");
        assert!(!create().await?.is_new);
    }
    Ok(())
}

async fn create_of_a_registry_that_is_being_deleted_is_a_conflict() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).property("provisioningState", "Deleting"))?;
    let result = scene.client.create_registry(GROUP, REGISTRY, CreateRegistryOptions::default()).await;
    refused(result, ErrorKind::Conflict)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn create_in_an_absent_group_is_not_found() -> Checked {
    let scene = Scene::new()?;
    let options = CreateRegistryOptions::default;
    refused(scene.client.create_registry("no-group", "newregistry", options()).await, ErrorKind::NotFound)?;
    let located = options().with_location("westeurope");
    refused(scene.client.create_registry("no-group", "newregistry", located).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn create_refuses_names_that_cannot_be_one_before_a_request() -> Checked {
    let scene = Scene::new()?;
    let long = "a".repeat(51);
    for (group, name) in [
        (GROUP, "four"),
        (GROUP, &long),
        (GROUP, "my-registry"),
        (GROUP, "MyRegistry"),
        (GROUP, "a/../b"),
        ("g/x", "newone"),
    ] {
        let result = scene.client.create_registry(group, name, CreateRegistryOptions::default()).await;
        refused(result, ErrorKind::InvalidInput)?;
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn create_reports_the_missing_right() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    let result = client.create_registry(GROUP, "newregistry", CreateRegistryOptions::default()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerRegistry/registries/write"));
    assert_eq!(err.smallest_role(), Some("Contributor"));
    Ok(())
}

async fn create_ends_when_its_deadline_does() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(Timing::none().with_registry(Duration::from_secs(900)));
    scene.azure.fault(Fault::on("GET", "/operationStatuses/").status(503));
    let call = CallOptions::default().with_deadline(Duration::from_secs(60));
    let begun = Instant::now();
    let options = CreateRegistryOptions::default().with_call(call);
    refused(scene.client.create_registry(GROUP, "newregistry", options).await, ErrorKind::DeadlineExceeded)?;
    assert!(begun.elapsed() <= Duration::from_secs(61));
    Ok(())
}
