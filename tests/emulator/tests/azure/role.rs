//! Role assignments and definitions, and who may do what by them.

use std::time::Duration;

use aks_acr_emulator::{Emulator, RoleSeed, Timing};
use azure_core::http::Method;
use serde_json::json;

use crate::client::{ACR_PULL, Answer, REPOSITORY_READER, arm, get, grant};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

fn scene() -> (Emulator, String, String) {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let (registry, kubelet) = (azure.registry_id("group", "myregistry"), azure.kubelet_object_id("group", "dev"));
    (azure, registry, kubelet)
}

/// The id of a role as a resource.
fn whole(role: &str) -> String {
    format!("/providers/Microsoft.Authorization/roleDefinitions/{role}")
}

fn assignments(scope: &str, filter: &str) -> String {
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments?$filter={filter}")
}

async fn put(azure: &Emulator, scope: &str, name: &str, properties: serde_json::Value) -> Answer {
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}");
    arm(azure, "owner", Method::Put, &path, Some(json!({"properties": properties}))).await
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.body["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_created_with_its_own_subscription_in_the_role() {
    let (azure, registry, kubelet) = scene();
    let answer = grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    assert_eq!(answer.status, 201);
    let properties = &answer.body["properties"];
    let role =
        format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}", azure.subscription());
    assert_eq!(properties["roleDefinitionId"], role);
    assert_eq!(properties["scope"], registry);
    assert!(properties["createdBy"].is_null());
    assert!(azure.role_assignments().iter().any(|one| one.name == ONE && one.principal_id == kubelet));
}

#[tokio::test(start_paused = true)]
async fn the_same_grant_under_another_name_exists_already() {
    let (azure, registry, kubelet) = scene();
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let again =
        grant(&azure, &registry.to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/"), TWO, &kubelet, ACR_PULL)
            .await;
    assert_eq!((again.status, again.code()), (409, "RoleAssignmentExists"));
}

#[tokio::test(start_paused = true)]
async fn the_same_grant_under_its_own_name_is_answered_as_set() {
    let (azure, registry, kubelet) = scene();
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    assert_eq!(grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await.status, 200);
    azure.set_repeated_assignment_status(true);
    assert_eq!(grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_name_cannot_come_to_mean_another_role() {
    let (azure, registry, kubelet) = scene();
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let other = grant(&azure, &registry, ONE, &kubelet, REPOSITORY_READER).await;
    assert_eq!((other.status, other.code()), (400, "RoleAssignmentUpdateNotPermitted"));
}

#[tokio::test(start_paused = true)]
async fn a_condition_is_kept_and_one_that_is_not_understood_is_no_rule_of_the_emulator() {
    let (azure, registry, kubelet) = scene();
    let condition = "(@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'a')";
    let ask = |condition: &str| {
        json!({"roleDefinitionId": whole(REPOSITORY_READER), "principalId": kubelet, "principalType": "ServicePrincipal",
               "condition": condition, "conditionVersion": "2.0", "description": "for a"})
    };
    let kept = put(&azure, &registry, ONE, ask(condition)).await;
    assert_eq!((kept.status, kept.body["properties"]["condition"].as_str()), (201, Some(condition)));
    assert_eq!(kept.body["properties"]["description"], "for a");
    assert_eq!(put(&azure, &registry, TWO, ask("so to speak")).await.status, 501);
}

#[tokio::test(start_paused = true)]
async fn a_principal_just_made_is_not_found_unless_its_type_is_sent() {
    let (azure, registry, _) = scene();
    azure.set_timing(Timing::none().with_principal(Duration::from_secs(15)));
    tokio::time::advance(Duration::from_secs(1)).await;
    let young = azure.make_identity("young");
    let untyped = json!({"roleDefinitionId": whole(ACR_PULL), "principalId": young});
    let refused = put(&azure, &registry, ONE, untyped.clone()).await;
    assert_eq!((refused.status, refused.code()), (400, "PrincipalNotFound"));
    let short = young.replace('-', "");
    assert_eq!(refused.message(), format!("Principal {short} does not exist in the directory {}.", azure.tenant()));
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(put(&azure, &registry, ONE, untyped).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_principal_is_not_found_for_a_time_even_with_its_type() {
    let (azure, registry, kubelet) = scene();
    azure.forget_principal(&kubelet, Duration::from_secs(5));
    assert_eq!(grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await.code(), "PrincipalNotFound");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_principal_of_another_type_is_refused() {
    let (azure, registry, kubelet) = scene();
    let asked = json!({"roleDefinitionId": whole(ACR_PULL), "principalId": kubelet, "principalType": "User"});
    let refused = put(&azure, &registry, ONE, asked).await;
    assert_eq!((refused.status, refused.code()), (400, "UnmatchedPrincipalType"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_the_right_is_told_which_it_is() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_caller("pusher", &[("AcrPush", &registry)]);
    let path = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{ONE}");
    let body = json!({"properties": {"roleDefinitionId": whole(ACR_PULL), "principalId": kubelet}});
    let refused = arm(&azure, "pusher", Method::Put, &path, Some(body)).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert!(refused.message().contains("'Microsoft.Authorization/roleAssignments/write'"), "{}", refused.message());
    assert!(refused.message().contains(&path));
    assert_eq!(refused.header("x-ms-failure-cause"), Some("gateway"));
}

#[tokio::test(start_paused = true)]
async fn a_callers_scope_may_name_the_subscription_by_a_placeholder() {
    let (azure, registry, _) = scene();
    let azure = azure.with_caller("reader", &[("Reader", "/subscriptions/{subscription}")]);
    assert_eq!(arm(&azure, "reader", Method::Get, &registry, None).await.status, 200);
}

#[test]
#[should_panic(expected = "a scope begins with a slash")]
fn a_callers_scope_begins_with_a_slash() {
    let _ = Emulator::new().with_caller("reader", &[("Reader", "subscriptions/x")]);
}

#[tokio::test(start_paused = true)]
async fn the_smallest_role_that_grants_may_grant() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_caller("granter", &[("Role Based Access Control Administrator", &registry)]);
    let path = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{ONE}");
    let body = json!({"properties": {"roleDefinitionId": whole(ACR_PULL), "principalId": kubelet}});
    assert_eq!(arm(&azure, "granter", Method::Put, &path, Some(body)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_delegated_granter_may_grant_the_delegated_roles_only() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_caller("granter", &[]);
    let condition = format!(
        "(!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR \
         (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{ACR_PULL}}})"
    );
    let granter = azure.object_id_of("granter");
    azure.grant_if("Role Based Access Control Administrator", &granter, &registry, &condition);
    let path = |name: &str| format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let body = |role: &str| Some(json!({"properties": {"roleDefinitionId": whole(role), "principalId": kubelet}}));
    assert_eq!(arm(&azure, "granter", Method::Put, &path(ONE), body(REPOSITORY_READER)).await.status, 403);
    assert_eq!(arm(&azure, "granter", Method::Put, &path(TWO), body(ACR_PULL)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn rights_come_down_from_the_group_and_the_subscription() {
    let (azure, registry, _) = scene();
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    let azure = azure.with_caller("of-group", &[("Reader", &group)]).with_caller("of-none", &[]);
    assert_eq!(arm(&azure, "of-group", Method::Get, &registry, None).await.status, 200);
    assert_eq!(arm(&azure, "of-none", Method::Get, &registry, None).await.status, 403);
    azure.lose_rights("of-group");
    assert_eq!(arm(&azure, "of-group", Method::Get, &registry, None).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_list_at_a_scope_shows_it_and_what_is_above() {
    let (azure, registry, kubelet) = scene();
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    let inherited = azure.grant("AcrPull", &kubelet, &group);
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let at_scope = get(&azure, &assignments(&registry, "atScope()")).await;
    assert!(names(&at_scope).contains(&ONE) && names(&at_scope).contains(&inherited.as_str()));
    let above = get(&azure, &assignments(&group, "atScope()")).await;
    assert!(!names(&above).contains(&ONE));
    let of_kubelet = get(&azure, &assignments(&registry, &format!("principalId eq '{kubelet}'"))).await;
    assert_eq!(names(&of_kubelet).len(), 2);
}

/// Known from use, not from a recording: what is at the root or at the tenant's root management group is listed at a registry.
#[tokio::test(start_paused = true)]
async fn the_root_and_the_tenants_management_group_are_above_each_subscription() {
    let (azure, registry, kubelet) = scene();
    let groups = "/providers/Microsoft.Management/managementGroups";
    let root_group = format!("{groups}/{}", azure.tenant());
    let (subscription, at) = (format!("/subscriptions/{}", azure.subscription()), assignments(&registry, "atScope()"));
    let from_root = azure.grant("Reader", &kubelet, "/");
    let azure = azure.with_caller("of-all", &[("Owner", "/")]);
    let path = format!("{root_group}/providers/Microsoft.Authorization/roleAssignments/{ONE}");
    let body = json!({"properties": {"roleDefinitionId": whole(ACR_PULL), "principalId": kubelet}});
    assert_eq!(arm(&azure, "of-all", Method::Put, &path, Some(body.clone())).await.status, 201);
    for scope in [&registry, &subscription] {
        let listed = get(&azure, &assignments(scope, "atScope()")).await;
        assert!(names(&listed).contains(&ONE) && names(&listed).contains(&from_root.as_str()), "{scope}");
        let of_kubelet = get(&azure, &assignments(scope, &format!("principalId eq '{kubelet}'"))).await;
        assert_eq!(names(&of_kubelet).len(), 2, "{scope}");
    }
    let listed = get(&azure, &at).await;
    let shown = listed.body["value"].as_array().unwrap().iter().find(|one| one["name"] == ONE).unwrap();
    assert_eq!(shown["properties"]["scope"], root_group);
    let at_group = arm(&azure, "of-all", Method::Get, &assignments(&root_group, "atScope()"), None).await;
    assert!(names(&at_group).contains(&ONE));
    // What is granted there holds below, and no other management group is here.
    let azure = azure.with_caller("of-group", &[("Reader", &root_group)]);
    assert_eq!(arm(&azure, "of-group", Method::Get, &registry, None).await.status, 200);
    let elsewhere = format!("{groups}/another/providers/Microsoft.Authorization/roleAssignments/{TWO}");
    assert_eq!(arm(&azure, "of-all", Method::Put, &elsewhere, Some(body)).await.status, 501);
}

#[tokio::test(start_paused = true)]
async fn assigned_to_counts_the_groups_somebody_is_in() {
    let (azure, registry, _) = scene();
    let azure = azure.with_caller("member", &[]).with_member("team", "member");
    let member = azure.object_id_of("member");
    let name = azure.grant("Reader", &azure.group_id("team"), &registry);
    let filter = format!("atScope() and assignedTo('{member}')");
    assert_eq!(names(&get(&azure, &assignments(&registry, &filter)).await), [name]);
    let filter = format!("principalId eq '{member}'");
    assert!(names(&get(&azure, &assignments(&registry, &filter)).await).is_empty());
    assert_eq!(arm(&azure, "member", Method::Get, &registry, None).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_grant_is_shown_once_more_and_then_is_no_content() {
    let (azure, registry, kubelet) = scene();
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let path = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{ONE}");
    let deleted = arm(&azure, "owner", Method::Delete, &path, None).await;
    assert_eq!((deleted.status, deleted.body["name"].as_str()), (200, Some(ONE)));
    assert_eq!(arm(&azure, "owner", Method::Delete, &path, None).await.status, 204);
    assert_eq!(get(&azure, &path).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_found_by_its_name_in_whatever_case() {
    let (azure, registry, _) = scene();
    let path =
        format!("{registry}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'acrpull'");
    let found = get(&azure, &path).await;
    assert_eq!(found.body["value"][0]["name"], ACR_PULL);
    assert_eq!(found.body["value"].as_array().unwrap().len(), 1);
    let actions = &found.body["value"][0]["properties"]["permissions"][0]["actions"];
    assert_eq!(actions, &json!(["Microsoft.ContainerRegistry/registries/pull/read"]));
}

#[tokio::test(start_paused = true)]
async fn a_custom_role_allows_what_it_lists() {
    let (azure, registry, _) = scene();
    let azure = azure
        .with_custom_role("looker", &["Microsoft.ContainerRegistry/registries/read"], &[])
        .with_caller("looker", &[("looker", &registry)]);
    assert_eq!(arm(&azure, "looker", Method::Get, &registry, None).await.status, 200);
    let body = Some(json!({"properties": {"adminUserEnabled": true}}));
    assert_eq!(arm(&azure, "looker", Method::Patch, &registry, body).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_grant_on_what_is_not_there_is_refused() {
    let (azure, _, kubelet) = scene();
    let absent = azure.registry_id("group", "absent");
    let refused = grant(&azure, &absent, ONE, &kubelet, ACR_PULL).await;
    assert_eq!((refused.status, refused.code()), (404, "ResourceNotFound"));
}

#[tokio::test(start_paused = true)]
async fn a_name_with_the_word_and_in_it_is_one_name() {
    let (azure, registry, _) = scene();
    let filter = "roleName eq 'Container Registry Data Importer and Data Reader'";
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let path = format!("{registry}/providers/Microsoft.Authorization/roleDefinitions?$filter={filter}");
    assert_eq!(names(&get(&azure, &path).await), ["577a9874-89fd-4f24-9dbd-b5034d0ad23a"]);
}

#[tokio::test(start_paused = true)]
async fn a_principal_id_that_is_none_and_a_bare_role_are_refused() {
    let (azure, registry, kubelet) = scene();
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}");
    let refused = put(&azure, &registry, ONE, json!({"principalId": "me", "roleDefinitionId": role})).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidPrincipalId"));
    let refused = put(&azure, &registry, ONE, json!({"principalId": kubelet, "roleDefinitionId": ACR_PULL})).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_listed_definition_has_the_very_id_that_a_grant_has() {
    let (azure, registry, kubelet) = scene();
    let made = grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let path =
        format!("{registry}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'acrpull'");
    let listed = get(&azure, &path).await;
    assert_eq!(listed.body["value"][0]["id"], made.body["properties"]["roleDefinitionId"]);
}

#[tokio::test(start_paused = true)]
async fn a_custom_role_exists_at_and_below_its_assignable_scopes_only() {
    let (azure, registry, kubelet) = scene();
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    let seed = RoleSeed::new("narrow").block(&["*/read"], &["*/pull/read"]).block(&["*/pull/read"], &[]);
    let azure = azure.with_registry("elsewhere", "another").with_role(seed.assignable_at(&group));
    let another = azure.registry_id("elsewhere", "another");
    let listed =
        get(&azure, &format!("{group}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'narrow'"))
            .await;
    let role = &listed.body["value"][0];
    assert_eq!(role["properties"]["assignableScopes"], json!([group]));
    assert_eq!(role["properties"]["permissions"].as_array().unwrap().len(), 2);
    let role = role["name"].as_str().unwrap().to_owned();
    let properties = json!({"roleDefinitionId": whole(&role), "principalId": kubelet});
    assert_eq!(put(&azure, &registry, ONE, properties.clone()).await.status, 201);
    let refused = put(&azure, &another, TWO, properties).await;
    assert_eq!((refused.status, refused.code()), (400, "RoleAssignmentScopeNotAssignableToRoleDefinition"));
    let definition = |scope: &str| format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    assert_eq!(get(&azure, &definition(&registry)).await.status, 200);
    let missing = get(&azure, &definition(&another)).await;
    assert_eq!((missing.status, missing.code()), (404, "RoleDefinitionDoesNotExist"));
}

#[tokio::test(start_paused = true)]
async fn lists_lag_behind_what_is_written_and_a_name_does_not() {
    let (azure, registry, kubelet) = scene();
    azure.set_timing(Timing::none().with_listing(Duration::from_secs(5)));
    let mine = format!("principalId eq '{kubelet}'");
    grant(&azure, &registry, ONE, &kubelet, ACR_PULL).await;
    let by_name = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{ONE}");
    assert_eq!(get(&azure, &by_name).await.status, 200);
    assert_eq!(names(&get(&azure, &assignments(&registry, &mine)).await), [] as [&str; 0]);
    azure.advance(Duration::from_secs(6));
    assert_eq!(names(&get(&azure, &assignments(&registry, &mine)).await), [ONE]);
    arm(&azure, "owner", Method::Delete, &by_name, None).await;
    assert_eq!(get(&azure, &by_name).await.status, 404);
    assert_eq!(names(&get(&azure, &assignments(&registry, &mine)).await), [ONE]);
    azure.advance(Duration::from_secs(6));
    assert_eq!(names(&get(&azure, &assignments(&registry, &mine)).await), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_groups_hold_is_assigned_to_their_members_in_whatever_depth() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_entra_group("outer").with_member("inner", "group/dev").with_member("outer", "inner");
    azure.grant("AcrPull", &azure.group_id("outer"), &registry);
    let to = |id: &str| assignments(&registry, &format!("atScope() and assignedTo('{id}')"));
    assert_eq!(names(&get(&azure, &to(&kubelet)).await).len(), 1);
    let own = format!("atScope() and principalId eq '{kubelet}'");
    assert_eq!(names(&get(&azure, &assignments(&registry, &own)).await).len(), 0);
    assert_eq!(get(&azure, &to(&azure.group_id("inner"))).await.status, 400, "a group is not accepted");
    assert!(azure.remove_member("inner", "group/dev") && !azure.remove_member("inner", "group/dev"));
    assert_eq!(names(&get(&azure, &to(&kubelet)).await).len(), 0);
}
