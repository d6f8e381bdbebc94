//! Registries as resources of ARM.

use std::time::Duration;

use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{ARM, arm, get, send, token};

fn basic() -> Value {
    json!({"location": "westeurope", "sku": {"name": "Basic"}})
}

#[tokio::test(start_paused = true)]
async fn what_was_not_made_is_not_there() {
    let azure = Emulator::new().with_group("group", "westeurope");
    let absent = get(&azure, &azure.registry_id("group", "absent")).await;
    assert_eq!((absent.status, absent.code()), (404, "ResourceNotFound"));
    assert_eq!(
        absent.message(),
        "The Resource 'Microsoft.ContainerRegistry/registries/absent' under resource group 'group' was not found. \
         For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    let no_group = get(&azure, &azure.registry_id("nogroup", "absent")).await;
    assert_eq!((no_group.status, no_group.code()), (404, "ResourceGroupNotFound"));
}

#[tokio::test(start_paused = true)]
async fn a_path_is_read_without_regard_to_case_or_doubled_slashes() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let path = azure.registry_id("group", "myregistry").replace("resourceGroups", "RESOURCEGROUPS");
    assert_eq!(get(&azure, &format!("/{path}")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_group_may_have_a_name_that_addresses_must_escape() {
    let azure = Emulator::new().with_registry("my (group) 1+1=ü", "myregistry");
    let path = azure.registry_id("my%20(group)%201+1=%C3%BC", "myregistry");
    let found = get(&azure, &path).await;
    assert_eq!((found.status, found.body["name"].as_str()), (200, Some("myregistry")));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_version_is_refused() {
    let azure = Emulator::new();
    let bearer = format!("Bearer {}", token(&azure, "owner", ARM).await);
    let url = format!("{ARM}/subscriptions");
    let answer = send(&azure, Method::Get, &url, &[("authorization", bearer)], None).await.unwrap();
    assert_eq!((answer.status, answer.code()), (400, "MissingApiVersionParameter"));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_request_is_named() {
    let azure = Emulator::new();
    let path = format!("/subscriptions/{}/providers/Microsoft.Moon/rockets", azure.subscription());
    let answer = get(&azure, &path).await;
    assert_eq!((answer.status, answer.code()), (501, "EmulatorUnknownRequest"));
    assert!(answer.message().contains("GET https://management.azure.com/subscriptions"), "{}", answer.message());
}

#[tokio::test(start_paused = true)]
async fn answers_carry_azures_ids_and_echo_the_clients() {
    let azure = Emulator::new();
    let bearer = format!("Bearer {}", token(&azure, "owner", ARM).await);
    let headers = [("authorization", bearer), ("x-ms-client-request-id", String::from("mine"))];
    let url = format!("{ARM}/subscriptions?api-version=2022-12-01");
    let answer = send(&azure, Method::Get, &url, &headers, None).await.unwrap();
    assert_eq!(answer.header("x-ms-client-request-id"), Some("mine"));
    assert!(answer.header("x-ms-request-id").is_some() && answer.header("x-ms-correlation-request-id").is_some());
    assert!(answer.header("x-ms-ratelimit-remaining-subscription-reads").is_some());
    assert_eq!(answer.body["value"][0]["state"], "Enabled");
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_created_at_once_or_in_time() {
    let azure = Emulator::new().with_group("group", "westeurope");
    let (quick, slow) = (azure.registry_id("group", "quick0"), azure.registry_id("group", "slow00"));
    let answer = arm(&azure, "owner", Method::Put, &quick, Some(basic())).await;
    assert_eq!((answer.status, answer.body["properties"]["provisioningState"].as_str()), (200, Some("Succeeded")));

    azure.set_timing(Timing::none().with_registry(Duration::from_secs(10)));
    let answer = arm(&azure, "owner", Method::Put, &slow, Some(basic())).await;
    assert_eq!((answer.status, answer.body["properties"]["provisioningState"].as_str()), (201, Some("Creating")));
    assert!(answer.header("location").is_none());
    let poll = answer.header("azure-asyncoperation").unwrap().to_owned();
    assert_eq!(get(&azure, &poll).await.body["status"], "Creating");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(get(&azure, &poll).await.body["status"], "Succeeded");
    assert_eq!(get(&azure, &slow).await.body["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_deleted_at_once_with_what_was_granted_on_it() {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    let id = azure.registry_id("group", "myregistry");
    azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &id);
    let assignments = format!("{id}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()");
    let before = get(&azure, &assignments).await.body["value"].as_array().unwrap().len();
    let deleted = arm(&azure, "owner", Method::Delete, &id, None).await;
    assert_eq!((deleted.status, deleted.body), (200, Value::Null));
    assert_eq!(get(&azure, &id).await.code(), "ResourceNotFound");
    assert_eq!(arm(&azure, "owner", Method::Delete, &id, None).await.status, 204);
    let nowhere = arm(&azure, "owner", Method::Delete, &azure.registry_id("nogroup", "myregistry"), None).await;
    assert_eq!((nowhere.status, nowhere.code()), (404, "ResourceGroupNotFound"));
    assert_eq!(arm(&azure, "owner", Method::Put, &id, Some(basic())).await.status, 200);
    let after = get(&azure, &assignments).await.body["value"].as_array().unwrap().len();
    assert_eq!(after, before - 1, "a registry of the same name starts without the old one's grants");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_being_deleted_is_shown_and_serves_nothing() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    azure.set_timing(Timing::none().with_registry_deletion(Duration::from_secs(8)));
    let id = azure.registry_id("group", "myregistry");
    let deleted = arm(&azure, "owner", Method::Delete, &id, None).await;
    assert_eq!(deleted.status, 202);
    let location = deleted.header("location").unwrap();
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(get(&azure, location).await.status, 202);
    assert_eq!(get(&azure, &id).await.body["properties"]["provisioningState"], "Deleting");
    let host = send(&azure, Method::Get, "https://myregistry.azurecr.io/v2/", &[], None).await.unwrap();
    assert_eq!(host.code(), "EmulatorUnknownRequest");
    assert_eq!(arm(&azure, "owner", Method::Put, &id, Some(basic())).await.status, 409);
    let other = azure.registry_id("other", "myregistry");
    arm(&azure, "owner", Method::Put, other.split("/providers").next().unwrap(), Some(json!({"location": "x"}))).await;
    let taken = arm(&azure, "owner", Method::Put, &other, Some(basic())).await;
    assert_eq!(taken.body["error"]["code"], "RegistryNameAlreadyInUse");
    // A second DELETE starts nothing: the first one's time counts.
    let again = arm(&azure, "owner", Method::Delete, &id, None).await;
    assert_eq!(again.status, 202);
    tokio::time::advance(Duration::from_secs(4)).await;
    for address in [location, again.header("location").unwrap()] {
        assert_eq!(get(&azure, address).await.status, 200);
    }
    assert_eq!(get(&azure, &id).await.status, 404);
    assert_eq!(arm(&azure, "owner", Method::Put, &other, Some(basic())).await.status, 200, "the name is free again");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_in_all_groups_at_once() {
    let azure = Emulator::new().with_registry("group", "myregistry").with_group("other", "westeurope");
    let elsewhere = azure.registry_id("other", "MyRegistry");
    let refused = arm(&azure, "owner", Method::Put, &elsewhere, Some(basic())).await;
    assert_eq!((refused.status, refused.code()), (409, "RegistryNameAlreadyInUse"));
    assert_eq!(refused.body["status"], "Failed");
}

#[tokio::test(start_paused = true)]
async fn a_name_check_says_free_taken_or_invalid() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let path =
        format!("/subscriptions/{}/providers/Microsoft.ContainerRegistry/checkNameAvailability", azure.subscription());
    for (name, reason) in [
        ("fresh0", None),
        ("MYREGISTRY", Some("AlreadyExists")),
        ("no", Some("Invalid")),
        ("Microsoft", Some("Invalid")),
    ] {
        let body = json!({"name": name, "type": "Microsoft.ContainerRegistry/registries"});
        let answer = arm(&azure, "owner", Method::Post, &path, Some(body)).await;
        assert_eq!((answer.status, answer.body["reason"].as_str()), (200, reason), "{name}");
        assert_eq!(answer.body["nameAvailable"], reason.is_none(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_changes_what_it_names() {
    let azure = Emulator::new().with_registry_of(RegistrySeed::new("group", "myregistry").sku("Premium"));
    let path = azure.registry_id("group", "myregistry");
    let body = json!({"properties": {"publicNetworkAccess": "Disabled", "networkRuleSet": {"defaultAction": "Deny"}}});
    let answer = arm(&azure, "owner", Method::Patch, &path, Some(body)).await;
    assert_eq!(answer.status, 200);
    arm(&azure, "owner", Method::Patch, &path, Some(json!({"properties": {"publicNetworkAccess": "Enabled"}}))).await;
    let after = get(&azure, &path).await;
    assert_eq!(after.body["properties"]["publicNetworkAccess"], "Enabled");
    assert_eq!(after.body["properties"]["networkRuleSet"]["defaultAction"], "Deny", "stays behind");
}

#[tokio::test(start_paused = true)]
async fn an_old_version_does_not_show_the_mode() {
    let azure = Emulator::new().with_registry_of(RegistrySeed::new("group", "myregistry").abac());
    let path = azure.registry_id("group", "myregistry");
    assert_eq!(get(&azure, &path).await.body["properties"]["roleAssignmentMode"], "AbacRepositoryPermissions");
    let old = get(&azure, &format!("{path}?api-version=2023-07-01")).await;
    assert!(old.body["properties"].get("roleAssignmentMode").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_a_subnet_is_hidden_from_the_stable_version() {
    let rules = json!({"defaultAction": "Deny", "virtualNetworkRules": [{"id": "subnet", "action": "Allow"}]});
    let seed = RegistrySeed::new("group", "myregistry").sku("Premium").property("networkRuleSet", rules);
    let azure = Emulator::new().with_registry_of(seed);
    let path = azure.registry_id("group", "myregistry");
    let hidden = get(&azure, &path).await;
    assert_eq!(hidden.body["properties"]["networkRuleSet"]["defaultAction"], "Deny");
    assert!(hidden.body["properties"]["networkRuleSet"].get("virtualNetworkRules").is_none());
    let shown = get(&azure, &format!("{path}?api-version=2026-09-01-preview")).await;
    assert_eq!(shown.body["properties"]["networkRuleSet"]["virtualNetworkRules"][0]["id"], "subnet");
}

#[tokio::test(start_paused = true)]
async fn a_list_comes_in_pages_of_which_the_first_may_be_empty() {
    let azure = Emulator::new()
        .with_registry("group", "first")
        .with_registry("group", "second")
        .with_registry("group", "third");
    azure.set_page_size(2);
    azure.set_empty_first_page(true);
    let mut next =
        Some(format!("/subscriptions/{}/providers/Microsoft.ContainerRegistry/registries", azure.subscription()));
    let (mut pages, mut names) = (0, Vec::new());
    while let Some(address) = next {
        let page = get(&azure, &address).await;
        names.extend(page.body["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        next = page.body["nextLink"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!((pages, names), (3, vec!["first".into(), "second".into(), "third".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_what_the_caller_may_read() {
    let azure = Emulator::new().with_registry("group", "first").with_registry("group", "second");
    let second = azure.registry_id("group", "second");
    let azure = azure.with_caller("reader", &[("Reader", &second)]).with_caller("nobody", &[]);
    let resources = format!(
        "/subscriptions/{}/resources?$filter=resourceType%20eq%20'Microsoft.ContainerRegistry/registries'",
        azure.subscription()
    );
    let shown = arm(&azure, "reader", Method::Get, &resources, None).await;
    assert_eq!(shown.body["value"].as_array().unwrap().len(), 1);
    assert!(shown.body["value"][0].get("properties").is_none());
    assert_eq!(arm(&azure, "nobody", Method::Get, &resources, None).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_created_once() {
    let azure = Emulator::new();
    let path = format!("/subscriptions/{}/resourcegroups/new", azure.subscription());
    assert_eq!(get(&azure, &path).await.code(), "ResourceGroupNotFound");
    let body = || Some(json!({"location": "westus"}));
    assert_eq!(arm(&azure, "owner", Method::Put, &path, body()).await.status, 201);
    assert_eq!(arm(&azure, "owner", Method::Put, &path, body()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_change_without_properties_changes_none_and_none_of_the_services_own() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let id = azure.registry_id("group", "myregistry");
    let before = get(&azure, &id).await.body["properties"].clone();
    arm(&azure, "owner", Method::Patch, &id, Some(json!({"tags": {"a": "b"}}))).await;
    let theirs =
        json!({"loginServer": "mine.example.com", "provisioningState": "Failed", "anonymousPullEnabled": null});
    arm(&azure, "owner", Method::Patch, &id, Some(json!({"properties": theirs}))).await;
    let after = get(&azure, &id).await;
    assert_eq!((&after.body["properties"], &after.body["tags"]["a"]), (&before, &json!("b")));
}

#[tokio::test(start_paused = true)]
async fn a_registry_does_not_move_and_its_sku_is_written_one_way() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let id = azure.registry_id("group", "myregistry");
    let moved = json!({"location": "uksouth", "sku": {"name": "Basic"}});
    let refused = arm(&azure, "owner", Method::Put, &id, Some(moved)).await;
    assert_eq!((refused.status, refused.code()), (409, "InvalidResourceLocation"));
    let same = json!({"location": "West Europe", "sku": {"name": "premium"}});
    assert_eq!(arm(&azure, "owner", Method::Put, &id, Some(same)).await.body["sku"]["name"], "Premium");
}

#[tokio::test(start_paused = true)]
async fn a_label_scope_gives_the_host_sixteen_characters() {
    let azure = Emulator::new().with_group("group", "westeurope");
    let id = format!("{}?api-version=2026-09-01-preview", azure.registry_id("group", "myregistry"));
    let body = json!({"location": "westeurope", "sku": {"name": "Premium"},
                      "properties": {"autoGeneratedDomainNameLabelScope": "ResourceGroupReuse"}});
    let made = arm(&azure, "owner", Method::Put, &id, Some(body)).await;
    let host = made.body["properties"]["loginServer"].as_str().unwrap();
    let label = host.strip_prefix("myregistry-").and_then(|rest| rest.strip_suffix(".azurecr.io")).unwrap();
    assert_eq!(label.len(), 16);
    assert_eq!(made.body["properties"]["autoGeneratedDomainNameLabelScope"], "ResourceGroupReuse");
}

#[tokio::test(start_paused = true)]
async fn the_admin_users_passwords_are_told_while_it_is_enabled() {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let id = azure.registry_id("group", "myregistry");
    let ask = format!("{id}/listCredentials");
    let refused = arm(&azure, "owner", Method::Post, &ask, None).await;
    assert_eq!((refused.status, refused.code()), (400, "UnAuthorizedForCredentialOperations"));
    arm(&azure, "owner", Method::Patch, &id, Some(json!({"properties": {"adminUserEnabled": true}}))).await;
    let before = arm(&azure, "owner", Method::Post, &ask, None).await.body;
    let which = Some(json!({"name": "password2"}));
    let after = arm(&azure, "owner", Method::Post, &format!("{id}/regenerateCredential"), which).await.body;
    assert_eq!((&before["username"], &before["passwords"][0]), (&json!("myregistry"), &after["passwords"][0]));
    assert_ne!(before["passwords"][1]["value"], after["passwords"][1]["value"]);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_below_a_registry_is_listed() {
    let azure =
        Emulator::new().with_registry("group", "myregistry").with_image("myregistry.azurecr.io/a:1", &["linux/amd64"]);
    let id = azure.registry_id("group", "myregistry");
    let usage = get(&azure, &format!("{id}/listUsages")).await;
    assert!(usage.body["value"][0]["currentValue"].as_u64().unwrap() > 0);
    for empty in ["privateEndpointConnections", "replications", "webhooks"] {
        assert_eq!(get(&azure, &format!("{id}/{empty}")).await.body["value"], json!([]), "{empty}");
    }
}
