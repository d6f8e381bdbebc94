//! What stands in the way of those who have the right: conditions, deny assignments, policies, conditional access.

use aks_acr_emulator::Emulator;
use azure_core::http::Method;
use serde_json::json;

use crate::client::{ACR_PULL, Answer, arm, get, grant};

const NAME: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const REPOSITORY_READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";
const ROLE: &str = "Microsoft.Authorization/roleAssignments:RoleDefinitionId";

fn scene() -> (Emulator, String, String) {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let (registry, kubelet) = (azure.registry_id("group", "myregistry"), azure.kubelet_object_id("group", "dev"));
    (azure, registry, kubelet)
}

async fn put(azure: &Emulator, caller: &str, registry: &str, name: &str, body: (&str, &str)) -> Answer {
    let path = format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{}", body.0);
    let properties = json!({"roleDefinitionId": role, "principalId": body.1, "principalType": "ServicePrincipal"});
    arm(azure, caller, Method::Put, &path, Some(json!({"properties": properties}))).await
}

#[tokio::test(start_paused = true)]
async fn a_constrained_delegate_grants_and_removes_what_the_condition_lists_and_nothing_else() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_caller("delegate", &[]);
    // In the form that Azure's portal writes: once for writes, once for deletes.
    let condition = format!(
        "((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR \
         (@Request[{ROLE}] ForAnyOfAnyValues:GuidEquals {{{ACR_PULL}}} AND \
         @Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'ServicePrincipal')) AND \
         ((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/delete'}})) OR \
         (@Resource[{ROLE}] ForAnyOfAnyValues:GuidEquals {{{ACR_PULL}}}))"
    );
    let id = azure.object_id_of("delegate");
    azure.grant_if("Role Based Access Control Administrator", &id, &registry, &condition);
    assert_eq!(put(&azure, "delegate", &registry, NAME, (ACR_PULL, &kubelet)).await.status, 201);
    let refused = put(&azure, "delegate", &registry, OTHER, (REPOSITORY_READER, &kubelet)).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("ABAC condition that is not fulfilled"));
    grant(&azure, &registry, OTHER, &kubelet, REPOSITORY_READER).await;
    let path = |name: &str| format!("{registry}/providers/Microsoft.Authorization/roleAssignments/{name}");
    assert_eq!(arm(&azure, "delegate", Method::Delete, &path(OTHER), None).await.status, 403);
    assert_eq!(arm(&azure, "delegate", Method::Delete, &path(NAME), None).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_right_at_all_is_told_other_words_than_who_has_a_conditional_one() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_caller("reader", &[("Reader", &registry)]);
    let refused = put(&azure, "reader", &registry, NAME, (ACR_PULL, &kubelet)).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("does not have authorization"));
}

#[tokio::test(start_paused = true)]
async fn a_deny_assignment_stops_an_owner_and_leaves_those_alone_whom_it_excludes() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_caller("stack", &[("Owner", &registry)]);
    azure.add_deny_assignment("managed", &["Microsoft.Authorization/*/write"], &registry, &["stack"]);
    let refused = grant(&azure, &registry, NAME, &kubelet, ACR_PULL).await;
    assert_eq!((refused.status, refused.code()), (403, "DenyAssignmentAuthorizationFailed"));
    assert_eq!(get(&azure, &registry).await.status, 200);
    assert_eq!(put(&azure, "stack", &registry, NAME, (ACR_PULL, &kubelet)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_policy_stops_what_is_of_its_type_where_it_is_assigned_and_names_itself() {
    let (azure, registry, kubelet) = scene();
    let azure = azure.with_group("free", "westeurope");
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    azure.add_policy("no-registries", "Microsoft.ContainerRegistry/registries", &group);
    let body = json!({"location": "westeurope", "sku": {"name": "Basic"}});
    let path = |group: &str| {
        format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/another",
            azure.subscription()
        )
    };
    let refused = arm(&azure, "owner", Method::Put, &path("group"), Some(body.clone())).await;
    assert_eq!((refused.status, refused.code()), (403, "RequestDisallowedByPolicy"));
    let info = &refused.body["error"]["additionalInfo"][0]["info"];
    assert_eq!(info["policyAssignmentName"], "no-registries");
    assert_eq!(arm(&azure, "owner", Method::Put, &path("free"), Some(body.clone())).await.status, 200);
    assert_eq!(grant(&azure, &registry, NAME, &kubelet, ACR_PULL).await.status, 201, "another type");
    assert!(azure.remove_policy("no-registries"));
    assert_ne!(arm(&azure, "owner", Method::Put, &path("group"), Some(body)).await.code(), "RequestDisallowedByPolicy");
}

#[tokio::test(start_paused = true)]
async fn who_is_blocked_by_conditional_access_gets_no_token() {
    let (azure, ..) = scene();
    azure.block_sign_in("owner", true);
    let scopes = ["https://management.azure.com/.default"];
    let refused = azure.credential().get_token(&scopes, None).await.unwrap_err();
    assert!(refused.to_string().contains("AADSTS53003"), "{refused}");
    azure.block_sign_in("owner", false);
    assert!(azure.credential().get_token(&scopes, None).await.is_ok());
}
