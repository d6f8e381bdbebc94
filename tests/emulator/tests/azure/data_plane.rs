//! The hosts that serve images.

use std::time::Duration;

use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use azure_core::http::Method;

use crate::client::{ACR_PULL, Answer, grant, send, token};

const HOST: &str = "https://myregistry.azurecr.io";
const AUDIENCE: &str = "https://containerregistry.azure.net";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn scene() -> Emulator {
    scene_of(RegistrySeed::new("group", "myregistry"))
}

fn scene_of(seed: RegistrySeed) -> Emulator {
    Emulator::new()
        .with_registry_of(seed)
        .with_image("myregistry.azurecr.io/app:1", &["linux/amd64", "linux/arm64"])
        .with_image("myregistry.azurecr.io/team/tool:1", &["linux/amd64"])
        .with_caller("node", &[])
}

async fn form(azure: &Emulator, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    send(azure, Method::Post, &format!("{HOST}{path}"), &[], Some(form)).await.unwrap()
}

fn text(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_default().to_owned()
}

/// The exchange of a token of `node`.
async fn exchange(azure: &Emulator) -> Answer {
    let entra = token(azure, "node", AUDIENCE).await;
    let pairs = [
        ("grant_type", "access_token"),
        ("service", "myregistry.azurecr.io"),
        ("tenant", azure.tenant()),
        ("access_token", &entra),
    ];
    form(azure, "/oauth2/exchange", &pairs).await
}

/// A refresh token for `node`.
async fn refresh(azure: &Emulator) -> String {
    let answer = exchange(azure).await;
    assert_eq!(answer.status, 200);
    text(&answer, "refresh_token")
}

/// What a token says of permissions.
fn permissions(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice::<serde_json::Value>(&claims).unwrap()["permissions"].take()
}

async fn access(azure: &Emulator, refresh: &str, scope: &str) -> Answer {
    let pairs = [
        ("grant_type", "refresh_token"),
        ("service", "myregistry.azurecr.io"),
        ("scope", scope),
        ("refresh_token", refresh),
    ];
    form(azure, "/oauth2/token", &pairs).await
}

async fn get(azure: &Emulator, path: &str, token: &str, accept: &str) -> Answer {
    let mut headers = vec![("authorization", format!("Bearer {token}"))];
    if !accept.is_empty() {
        headers.push(("accept", accept.to_owned()));
    }
    send(azure, Method::Get, &format!("{HOST}{path}"), &headers, None).await.unwrap()
}

/// Whether `node` gets a token to pull from a repository.
async fn pulls(azure: &Emulator, repository: &str) -> bool {
    let exchanged = exchange(azure).await;
    let scope = format!("repository:{repository}:pull");
    exchanged.status == 200 && access(azure, &text(&exchanged, "refresh_token"), &scope).await.status == 200
}

fn node(azure: &Emulator) -> (String, String) {
    (azure.object_id_of("node"), azure.registry_id("group", "myregistry"))
}

#[tokio::test(start_paused = true)]
async fn a_challenge_leads_to_the_token_endpoint() {
    let answer = send(&scene(), Method::Get, &format!("{HOST}/v2/"), &[], None).await.unwrap();
    assert_eq!(answer.status, 401);
    let expected = "Bearer realm=\"https://myregistry.azurecr.io/oauth2/token\",service=\"myregistry.azurecr.io\"";
    assert_eq!(answer.header("www-authenticate"), Some(expected));
    assert_eq!(answer.body["errors"][0]["code"], "UNAUTHORIZED");
}

#[tokio::test(start_paused = true)]
async fn a_node_pulls_once_it_has_the_role() {
    let azure = scene();
    let (id, registry) = node(&azure);
    assert!(!pulls(&azure, "app").await);
    azure.grant("AcrPull", &id, &registry);
    assert!(pulls(&azure, "app").await);
}

#[tokio::test(start_paused = true)]
async fn an_image_may_be_seeded_before_its_registry() {
    let azure = Emulator::new()
        .with_image("myregistry.azurecr.io/app:1", &["linux/amd64"])
        .with_registry_of(RegistrySeed::new("group", "myregistry").anonymous_pull());
    assert!(azure.digest("myregistry.azurecr.io/app:1").is_some());
    let challenged = send(&azure, Method::Get, &format!("{HOST}/v2/"), &[], None).await.unwrap();
    assert_eq!(challenged.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_new_grant_has_no_effect_for_a_time() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
    grant(&azure, &registry, "11111111-1111-4111-8111-111111111111", &id, ACR_PULL).await;
    assert!(!pulls(&azure, "app").await);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(pulls(&azure, "app").await);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_keeps_the_rights_it_was_made_with() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    let old = refresh(&azure).await;
    azure.grant("AcrPush", &id, &registry);
    assert_eq!(access(&azure, &old, "repository:app:push").await.status, 401);
    let new = refresh(&azure).await;
    assert_eq!(access(&azure, &new, "repository:app:push").await.status, 200);
    assert_eq!(permissions(&new)["actions"], serde_json::json!(["read", "write"]));
}

#[tokio::test(start_paused = true)]
async fn a_legacy_registry_refuses_the_exchange_without_a_role() {
    let azure = scene();
    let refused = exchange(&azure).await;
    assert_eq!((refused.status, refused.body["errors"][0]["code"].as_str()), (401, Some("UNAUTHORIZED")));
    let message = refused.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("authentication required, visit https://aka.ms/acr/authorization"), "{message}");
    assert!(message.contains("CorrelationId: "), "{message}");
    let azure = scene_of(RegistrySeed::new("group", "myregistry").abac());
    let token = refresh(&azure).await;
    assert!(permissions(&token).is_null(), "{token}");
    assert_eq!(access(&azure, &token, "repository:app:pull").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_switch_of_the_mode_ends_all_tokens() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    azure.grant("Container Registry Repository Reader", &id, &registry);
    let scope = "repository:app:pull";
    let old = refresh(&azure).await;
    let opened = text(&access(&azure, &old, scope).await, "access_token");
    assert_eq!(get(&azure, "/v2/app/manifests/1", &opened, INDEX).await.status, 200);
    tokio::time::advance(Duration::from_secs(2)).await;
    for mode in ["AbacRepositoryPermissions", "LegacyRegistryPermissions"] {
        let body = serde_json::json!({"properties": {"roleAssignmentMode": mode}});
        let switched = crate::client::arm(&azure, "owner", Method::Patch, &registry, Some(body)).await;
        assert_eq!(switched.status, 200, "{}", switched.body);
        assert_eq!(access(&azure, &old, scope).await.status, 401, "{mode}");
        assert_eq!(get(&azure, "/v2/app/manifests/1", &opened, INDEX).await.status, 401, "{mode}");
        assert_eq!(access(&azure, &refresh(&azure).await, scope).await.status, 200, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn pull_rights_of_the_one_mode_are_none_in_the_other() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    azure.set_registry("group", "myregistry", RegistrySeed::abac);
    assert!(!pulls(&azure, "app").await);
    azure.grant("Container Registry Repository Reader", &id, &registry);
    assert!(pulls(&azure, "app").await);
    azure.lose_rights("node");
    azure.set_registry("group", "myregistry", RegistrySeed::legacy);
    azure.grant("Container Registry Repository Reader", &id, &registry);
    assert!(!pulls(&azure, "app").await);
}

#[tokio::test(start_paused = true)]
async fn a_condition_opens_the_repositories_it_names() {
    let azure = scene_of(RegistrySeed::new("group", "myregistry").abac());
    let (id, registry) = node(&azure);
    let condition = "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'}) AND \
                     !(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/metadata/read'})) OR \
                     (@Request[Microsoft.ContainerRegistry/registries/repositories:name] \
                     StringStartsWithIgnoreCase 'team/'))";
    azure.grant_if("Container Registry Repository Reader", &id, &registry, condition);
    assert!(pulls(&azure, "team/tool").await);
    assert!(!pulls(&azure, "app").await);
}

#[tokio::test(start_paused = true)]
async fn a_manifest_has_the_digest_of_its_bytes() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    let token = text(&access(&azure, &refresh(&azure).await, "repository:app:pull").await, "access_token");
    let answer = get(&azure, "/v2/app/manifests/1", &token, INDEX).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(INDEX)));
    let digest = azure.digest("myregistry.azurecr.io/app:1").unwrap();
    assert_eq!(answer.header("docker-content-digest"), Some(digest.as_str()));
    let same = get(&azure, &format!("/v2/app/manifests/{digest}"), &token, INDEX).await;
    assert_eq!(same.bytes, answer.bytes);

    let platform = answer.body["manifests"][1]["digest"].as_str().unwrap();
    let manifest = get(&azure, &format!("/v2/app/manifests/{platform}"), &token, MANIFEST).await;
    let config = manifest.body["config"]["digest"].as_str().unwrap();
    let config = get(&azure, &format!("/v2/app/blobs/{config}"), &token, "").await;
    assert_eq!(config.body["architecture"], "arm64");

    let missing = get(&azure, "/v2/app/manifests/2", &token, INDEX).await;
    assert_eq!((missing.status, missing.body["errors"][0]["code"].as_str()), (404, Some("MANIFEST_UNKNOWN")));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_knows_no_index_gets_one_platform() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    let token = text(&access(&azure, &refresh(&azure).await, "repository:app:pull").await, "access_token");
    let answer = get(&azure, "/v2/app/manifests/1", &token, MANIFEST).await;
    assert_eq!(answer.header("content-type"), Some(MANIFEST));
    assert_ne!(answer.header("docker-content-digest"), azure.digest("myregistry.azurecr.io/app:1").as_deref());
}

#[tokio::test(start_paused = true)]
async fn a_token_for_one_repository_opens_no_other() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    let token = text(&access(&azure, &refresh(&azure).await, "repository:app:pull").await, "access_token");
    let other = get(&azure, "/v2/team/tool/manifests/1", &token, MANIFEST).await;
    assert_eq!(other.status, 401);
    assert!(other.header("www-authenticate").unwrap().contains("scope=\"repository:team/tool:pull\""));
}

#[tokio::test(start_paused = true)]
async fn attributes_need_their_own_scope() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    let refresh = refresh(&azure).await;
    let pull = text(&access(&azure, &refresh, "repository:app:pull").await, "access_token");
    let refused = get(&azure, "/acr/v1/app/_tags/1", &pull, "").await;
    assert_eq!(
        (refused.status, refused.body["errors"][0]["detail"][0]["Action"].as_str()),
        (401, Some("metadata_read"))
    );
    let token = text(&access(&azure, &refresh, "repository:app:metadata_read").await, "access_token");
    let digest = azure.digest("myregistry.azurecr.io/app:1").unwrap();
    assert_eq!(get(&azure, "/acr/v1/app/_tags/1", &token, "").await.body["tag"]["digest"], digest);
    let path = format!("/acr/v1/app/_manifests/{}", digest.replace(':', "%3A"));
    let attributes = get(&azure, &path, &token, "").await;
    assert_eq!(attributes.body["manifest"]["references"][1]["architecture"], "arm64");
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_of_an_abac_registry_needs_its_own_role() {
    let azure = scene_of(RegistrySeed::new("group", "myregistry").abac());
    let (id, registry) = node(&azure);
    azure.grant("Container Registry Repository Reader", &id, &registry);
    assert_eq!(access(&azure, &refresh(&azure).await, "registry:catalog:*").await.status, 401);
    azure.grant("Container Registry Repository Catalog Lister", &id, &registry);
    let token = text(&access(&azure, &refresh(&azure).await, "registry:catalog:*").await, "access_token");
    let catalogue = get(&azure, "/acr/v1/_catalog", &token, "").await;
    assert_eq!(catalogue.body["repositories"], serde_json::json!(["app", "team/tool"]));
}

#[tokio::test(start_paused = true)]
async fn the_firewall_names_the_address_it_refuses() {
    let azure = scene_of(RegistrySeed::new("group", "myregistry").sku("Premium").only_from(&["192.0.2.0/24"]));
    let answer = send(&azure, Method::Get, &format!("{HOST}/v2/"), &[], None).await.unwrap();
    assert_eq!((answer.status, answer.body["errors"][0]["code"].as_str()), (403, Some("DENIED")));
    assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("203.0.113.7"));
}

#[tokio::test(start_paused = true)]
async fn arm_tokens_are_refused_where_the_policy_says_so() {
    let azure = scene();
    let (id, registry) = node(&azure);
    azure.grant("AcrPull", &id, &registry);
    let arm = token(&azure, "node", "https://management.azure.com").await;
    let pairs = [("grant_type", "access_token"), ("service", "myregistry.azurecr.io"), ("access_token", arm.as_str())];
    assert_eq!(form(&azure, "/oauth2/exchange", &pairs).await.status, 200);
    azure.set_registry("group", "myregistry", RegistrySeed::refuse_arm_tokens);
    assert_eq!(form(&azure, "/oauth2/exchange", &pairs).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn nobody_pulls_without_a_name_unless_the_registry_lets_everybody() {
    let azure = scene();
    let url = format!("{HOST}/oauth2/token?service=myregistry.azurecr.io&scope=repository%3Aapp%3Apull");
    assert_eq!(send(&azure, Method::Get, &url, &[], None).await.unwrap().status, 401);
    azure.set_registry("group", "myregistry", RegistrySeed::anonymous_pull);
    let answer = send(&azure, Method::Get, &url, &[], None).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(get(&azure, "/v2/app/manifests/1", &text(&answer, "access_token"), INDEX).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn docker_hub_gives_a_token_to_everybody_and_an_image_for_it() {
    let azure = Emulator::new().with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    let url = "https://registry-1.docker.io/v2/library/nginx/manifests/latest";
    let refused = send(&azure, Method::Get, url, &[], None).await.unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().contains("https://auth.docker.io/token"));
    let token = "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/nginx:pull";
    let token = send(&azure, Method::Get, token, &[], None).await.unwrap();
    let bearer = format!("Bearer {}", text(&token, "token"));
    assert_eq!(send(&azure, Method::Get, url, &[("authorization", bearer)], None).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn other_registries_ask_for_nothing() {
    let azure = Emulator::new().with_image("mcr.microsoft.com/a/b:1", &["linux/amd64"]);
    let url = "https://mcr.microsoft.com/v2/a/b/manifests/1";
    let answer = send(&azure, Method::Head, url, &[], None).await.unwrap();
    assert_eq!((answer.status, answer.bytes.len()), (200, 0));
    assert_eq!(answer.header("docker-content-digest"), azure.digest("mcr.microsoft.com/a/b:1").as_deref());
}

#[tokio::test(start_paused = true)]
async fn a_host_of_which_nothing_is_known_is_an_unknown_request() {
    let answer = send(&Emulator::new(), Method::Get, "https://nowhere.azurecr.io/v2/", &[], None).await.unwrap();
    assert_eq!((answer.status, answer.code()), (501, "EmulatorUnknownRequest"));
}
