//! Microsoft Graph: who may ask, and what it knows.

use aks_acr_emulator::{ClusterSeed, Emulator};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, get, send, token};

const GRAPH: &str = "https://graph.microsoft.com";

async fn graph(azure: &Emulator, method: Method, path: &str, body: Option<Value>) -> Answer {
    let bearer = format!("Bearer {}", token(azure, "owner", GRAPH).await);
    let url = format!("{GRAPH}/v1.0/{path}");
    send(azure, method, &url, &[("authorization", bearer)], body.map(|body| body.to_string())).await.unwrap()
}

fn scene() -> Emulator {
    Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").service_principal())
}

async fn by_application(azure: &Emulator) -> Answer {
    let cluster = get(azure, &azure.cluster_id("group", "dev")).await;
    let client = cluster.body["properties"]["servicePrincipalProfile"]["clientId"].as_str().unwrap();
    let filter = format!("servicePrincipalNames/any(c:c eq '{client}')");
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    graph(azure, Method::Get, &format!("servicePrincipals?$filter={filter}"), None).await
}

#[tokio::test(start_paused = true)]
async fn an_owner_of_the_subscription_has_no_rights_on_the_directory() {
    let refused = by_application(&scene()).await;
    assert_eq!((refused.status, refused.code()), (403, "Authorization_RequestDenied"));
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_is_found_by_its_application() {
    let azure = scene().with_graph_rights("owner");
    let found = by_application(&azure).await;
    assert_eq!(found.body["value"][0]["id"], azure.control_plane_object_id("group", "dev"));
    let none = graph(&azure, Method::Get, "servicePrincipals?$filter=appId%20eq%20'none'", None).await;
    assert_eq!((none.status, none.body["value"].as_array().unwrap().len()), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_is_added_once_and_then_has_the_groups_rights() {
    let azure = scene().with_graph_rights("owner").with_registry("group", "myregistry");
    let azure = azure.with_caller("first", &[]).with_caller("second", &[]).with_member("team", "first");
    let (group, registry) = (azure.group_id("team"), azure.registry_id("group", "myregistry"));
    azure.grant("Reader", &group, &registry);
    let path = format!("groups/{group}/members/$ref");
    let second = azure.object_id_of("second");
    let body = || Some(json!({"@odata.id": format!("{GRAPH}/v1.0/directoryObjects/{second}")}));
    assert_eq!(crate::client::arm(&azure, "second", Method::Get, &registry, None).await.status, 403);
    assert_eq!(graph(&azure, Method::Post, &path, body()).await.status, 204);
    assert_eq!(crate::client::arm(&azure, "second", Method::Get, &registry, None).await.status, 200);
    let again = graph(&azure, Method::Post, &path, body()).await;
    assert_eq!((again.status, again.code()), (400, "Request_BadRequest"));
    let member = format!("groups/{group}/members/{second}/$ref");
    assert_eq!(graph(&azure, Method::Delete, &member, None).await.status, 204);
    assert_eq!(graph(&azure, Method::Delete, &member, None).await.status, 404);
}

fn encoded(filter: &str) -> String {
    url::form_urlencoded::byte_serialize(filter.as_bytes()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_found_by_its_name_filled_and_emptied() {
    let azure = scene().with_graph_rights("owner").with_caller("someone", &[]).with_user("ann@example.com");
    let made =
        graph(&azure, Method::Post, "groups", Some(json!({"displayName": "Pullers", "mailEnabled": false}))).await;
    let group = made.body["id"].as_str().unwrap();
    assert_eq!(made.status, 201);
    let filter = encoded("startswith(displayName,'pull')");
    let found = graph(&azure, Method::Get, &format!("groups?$filter={filter}"), None).await;
    assert_eq!(found.body["value"][0]["id"], group);
    let filter = encoded("userPrincipalName eq 'ann@example.com'");
    let user = graph(&azure, Method::Get, &format!("users?$filter={filter}"), None).await;
    let member = user.body["value"][0]["id"].as_str().unwrap();
    let body = json!({"@odata.id": format!("{GRAPH}/v1.0/directoryObjects/{member}")});
    graph(&azure, Method::Post, &format!("groups/{group}/members/$ref"), Some(body)).await;
    let members = graph(&azure, Method::Get, &format!("groups/{group}/members"), None).await;
    assert_eq!(members.body["value"][0]["@odata.type"], "#microsoft.graph.user");
    let ids = json!({"ids": [member, group], "types": ["group"]});
    let known = graph(&azure, Method::Post, "directoryObjects/getByIds", Some(ids)).await;
    assert_eq!((known.body["value"].as_array().unwrap().len(), &known.body["value"][0]["id"]), (1, &json!(group)));
    assert_eq!(graph(&azure, Method::Delete, &format!("groups/{group}"), None).await.status, 204);
    assert_eq!(graph(&azure, Method::Get, &format!("groups/{group}"), None).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_token_keeps_the_groups_it_was_made_with() {
    let azure = scene().with_registry("group", "myregistry").with_caller("late", &[]).with_caller("first", &[]);
    let azure = azure.with_member("team", "first");
    azure.grant("Reader", &azure.group_id("team"), &azure.registry_id("group", "myregistry"));
    let url = format!("{}{}?api-version=2025-11-01", crate::client::ARM, azure.registry_id("group", "myregistry"));
    let old = [("authorization", format!("Bearer {}", token(&azure, "late", crate::client::ARM).await))];
    let azure = azure.with_member("team", "late");
    let new = [("authorization", format!("Bearer {}", token(&azure, "late", crate::client::ARM).await))];
    assert_eq!(send(&azure, Method::Get, &url, &old, None).await.unwrap().status, 403);
    assert_eq!(send(&azure, Method::Get, &url, &new, None).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn members_of_groups_in_groups_are_listed_page_by_page() {
    let azure = Emulator::new().with_cluster("group", "dev").with_graph_rights("owner");
    let azure = azure.with_entra_group("outer").with_member("inner", "group/dev").with_member("outer", "inner");
    let (outer, inner, kubelet) =
        (azure.group_id("outer"), azure.group_id("inner"), azure.kubelet_object_id("group", "dev"));
    azure.set_page_size(1);
    let first = graph(&azure, Method::Get, &format!("groups/{outer}/transitiveMembers?$top=999"), None).await;
    let next = first.body["@odata.nextLink"].as_str().unwrap().split_once("/v1.0/").unwrap().1.to_owned();
    let second = graph(&azure, Method::Get, &next, None).await;
    let mut ids = [&first, &second].map(|page| page.body["value"][0]["id"].as_str().unwrap().to_owned());
    ids.sort();
    let mut wanted = [inner.clone(), kubelet.clone()];
    wanted.sort();
    assert_eq!((ids, second.body["@odata.nextLink"].is_null()), (wanted, true));
    let direct = graph(&azure, Method::Get, &format!("groups/{outer}/members"), None).await;
    assert_eq!(direct.body["value"].as_array().unwrap().len(), 1);
    let asked = json!({"groupIds": [outer, inner]});
    let check =
        graph(&azure, Method::Post, &format!("directoryObjects/{kubelet}/checkMemberGroups"), Some(asked)).await;
    assert_eq!(check.body["value"].as_array().unwrap().len(), 2);
    let none = graph(&azure, Method::Get, "groups/99999999-0000-4000-8000-000000000009/transitiveMembers", None).await;
    assert_eq!(none.status, 404);
}

async fn graph_of(azure: &Emulator, caller: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let bearer = format!("Bearer {}", token(azure, caller, GRAPH).await);
    let url = format!("{GRAPH}/v1.0/{path}");
    send(azure, method, &url, &[("authorization", bearer)], body.map(|body| body.to_string())).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_permission_or_owning_the_group_is_enough_to_change_its_members() {
    let azure = Emulator::new().with_caller("permitted", &[]).with_caller("reader", &[]).with_caller("holder", &[]);
    let azure = azure.with_caller("member", &[]).with_entra_group("team").with_group_owner("team", "holder");
    let azure = azure.with_graph_permission("permitted", "GroupMember.ReadWrite.All");
    let azure = azure.with_graph_permission("reader", "GroupMember.Read.All");
    let (group, member) = (azure.group_id("team"), azure.object_id_of("member"));
    let add = format!("groups/{group}/members/$ref");
    let body = || Some(json!({"@odata.id": format!("{GRAPH}/v1.0/directoryObjects/{member}")}));
    let remove = format!("groups/{group}/members/{member}/$ref");
    for (caller, changes, reads) in [("permitted", 204, 200), ("holder", 204, 403), ("reader", 403, 200)] {
        assert_eq!(graph_of(&azure, caller, Method::Post, &add, body()).await.status, changes, "{caller} adds");
        assert_eq!(graph_of(&azure, caller, Method::Delete, &remove, None).await.status, changes, "{caller} removes");
        let list = format!("groups/{group}/members");
        assert_eq!(graph_of(&azure, caller, Method::Get, &list, None).await.status, reads, "{caller} lists");
        assert_eq!(graph_of(&azure, caller, Method::Get, &format!("groups/{group}"), None).await.status, 200);
        assert_eq!(graph_of(&azure, caller, Method::Delete, &format!("groups/{group}"), None).await.status, 403);
    }
}

/// The recorded delay of role assignments is one of the directory.
#[tokio::test(start_paused = true)]
async fn a_new_identity_is_at_first_unknown_in_graph() {
    let azure = Emulator::new().with_group("group", "westus2").with_graph_rights("owner").with_entra_group("team");
    azure.set_timing(aks_acr_emulator::Timing::none().with_principal(std::time::Duration::from_secs(15)));
    let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
    let id = format!("/subscriptions/{}/resourceGroups/group/providers/{kind}/one", azure.subscription());
    let made = crate::client::arm(&azure, "owner", Method::Put, &id, Some(json!({"location": "westus2"}))).await;
    let principal = made.body["properties"]["principalId"].as_str().unwrap().to_owned();
    let path = format!("groups/{}/members/$ref", azure.group_id("team"));
    let body = || Some(json!({"@odata.id": format!("{GRAPH}/v1.0/directoryObjects/{principal}")}));
    let early = graph(&azure, Method::Post, &path, body()).await;
    assert_eq!((early.status, early.code()), (404, "Request_ResourceNotFound"));
    let shown = format!("servicePrincipals/{principal}");
    assert_eq!(graph(&azure, Method::Get, &shown, None).await.status, 404);
    tokio::time::advance(std::time::Duration::from_secs(15)).await;
    assert_eq!(graph(&azure, Method::Get, &shown, None).await.status, 200);
    assert_eq!(graph(&azure, Method::Post, &path, body()).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn all_passwords_of_an_application_are_kept_and_each_ends_on_its_own() {
    let azure = scene().with_graph_rights("owner");
    let made = graph(&azure, Method::Post, "applications", Some(json!({"displayName": "robot"}))).await.body;
    let (id, client) = (made["id"].as_str().unwrap().to_owned(), made["appId"].as_str().unwrap().to_owned());
    graph(&azure, Method::Post, "servicePrincipals", Some(json!({"appId": client}))).await;
    let add = |end: Value| {
        let path = format!("applications/{id}/addPassword");
        let azure = &azure;
        async move {
            let sent = json!({"passwordCredential": {"displayName": "ci", "endDateTime": end}});
            graph(azure, Method::Post, &path, Some(sent)).await.body
        }
    };
    let ended = add(json!("2020-01-01T00:00:00Z")).await;
    let usual = add(Value::Null).await;
    let last = add(json!("2099-01-01T00:00:00Z")).await;
    let sign_in = |secret: Value| {
        let url = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", azure.tenant());
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={}&scope={GRAPH}/.default",
            secret.as_str().unwrap()
        );
        let (azure, kind) = (&azure, [("content-type", String::from("application/x-www-form-urlencoded"))]);
        async move { send(azure, Method::Post, &url, &kind, Some(form)).await.unwrap() }
    };
    for (password, status, code) in [(&ended, 401, "7000222"), (&usual, 200, ""), (&last, 200, "")] {
        let answer = sign_in(password["secretText"].clone()).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.to_string().contains(code), "{}", answer.body);
    }
    let path = format!("applications(appId='{client}')?$select=passwordCredentials,keyCredentials");
    let shown = graph(&azure, Method::Get, &path, None).await.body;
    let ends: Vec<&str> = shown["passwordCredentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["endDateTime"].as_str().unwrap())
        .collect();
    assert_eq!((ends.len(), ends[0], ends[2]), (3, "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"));
    assert!(shown["appId"].is_null() && !shown.to_string().contains(last["secretText"].as_str().unwrap()), "{shown}");
    let gone = json!({"keyId": last["keyId"]});
    assert_eq!(graph(&azure, Method::Post, &format!("applications/{id}/removePassword"), Some(gone)).await.status, 204);
    assert_eq!(sign_in(last["secretText"].clone()).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_is_read_by_its_client_id_with_a_permission_for_it() {
    let azure = scene().with_graph_permission("owner", "Application.Read.All");
    let cluster = get(&azure, &azure.cluster_id("group", "dev")).await;
    let client = cluster.body["properties"]["servicePrincipalProfile"]["clientId"].as_str().unwrap();
    let path = format!("servicePrincipals(appId='{client}')");
    let found = graph(&azure, Method::Get, &path, None).await;
    let id = azure.control_plane_object_id("group", "dev");
    assert_eq!((found.body["id"].as_str(), found.body["accountEnabled"].as_bool()), (Some(id.as_str()), Some(true)));
    azure.set_service_principal_enabled(&id, false);
    assert_eq!(graph(&azure, Method::Get, &path, None).await.body["accountEnabled"], false);
    let gone = graph(&azure, Method::Get, "applications(appId='00000000-0000-0000-0000-00000000000a')", None).await;
    assert_eq!((gone.status, gone.code()), (404, "Request_ResourceNotFound"));
    let refused = graph(&scene(), Method::Get, &path, None).await;
    assert_eq!((refused.status, refused.code()), (403, "Authorization_RequestDenied"));
}
