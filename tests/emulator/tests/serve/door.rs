//! A server and clients for it.

use aks_acr_emulator::Emulator;
use aks_acr_emulator::serve::{Server, ServerOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use serde_json::Value;

pub async fn server(azure: Emulator) -> Server {
    Server::start(azure, ServerOptions::default()).await.unwrap()
}

fn builder(server: &Server) -> ClientBuilder {
    let authority = Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
    Client::builder().tls_certs_only([authority])
}

/// A client that comes to the origin.
pub fn direct(server: &Server) -> Client {
    builder(server).no_proxy().build().unwrap()
}

/// A client that comes through the proxy.
pub fn proxied(server: &Server) -> Client {
    builder(server).proxy(Proxy::https(server.proxy()).unwrap()).build().unwrap()
}

/// A token of the owner, from the Entra at `authority`.
pub async fn token(client: &Client, azure: &Emulator, authority: &str, scope: &str) -> String {
    let (id, secret) = azure.client_secret_of("owner");
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope={scope}");
    let url = format!("{authority}/{}/oauth2/v2.0/token", azure.tenant());
    let answer = client.post(url).body(form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_origin_is_a_cloud_of_its_own() {
    let server = server(Emulator::new().with_cluster("group", "dev")).await;
    let (client, azure, origin) = (direct(&server), server.emulator(), server.origin());
    let cloud: Value = client
        .get(format!("{origin}/metadata/endpoints?api-version=2022-09-01"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(cloud["authentication"]["loginEndpoint"], origin);

    let authority = format!("{origin}/{}/v2.0/.well-known/openid-configuration", azure.tenant());
    let authority: Value = client.get(authority).send().await.unwrap().json().await.unwrap();
    let endpoint = authority["token_endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with(&format!("{origin}/")), "{endpoint}");

    let token = token(&client, azure, origin, &format!("{origin}/.default")).await;
    let cluster = format!("{origin}/{}?api-version=2026-05-01", azure.cluster_id("group", "dev"));
    let answer = client.get(cluster).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(azure.requests().last().unwrap().host, "management.azure.com");
}

#[tokio::test]
async fn through_the_proxy_every_host_answers_under_its_own_name() {
    let azure =
        Emulator::new().with_registry("group", "myregistry").with_image("docker.io/library/nginx:1", &["linux/amd64"]);
    let server = server(azure).await;
    let client = proxied(&server);
    let scope = "https://management.azure.com/.default";
    let token = token(&client, server.emulator(), "https://login.microsoftonline.com", scope).await;
    let list = "https://management.azure.com/subscriptions?api-version=2022-12-01";
    let answer = client.get(list).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for host in ["myregistry.azurecr.io", "registry-1.docker.io", "index.docker.io"] {
        let answer = client.get(format!("https://{host}/v2/")).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{host}");
    }
}

#[tokio::test]
async fn a_slash_too_many_changes_nothing_and_links_name_the_origin() {
    let azure = Emulator::new().with_registry("group", "one").with_registry("group", "two").with_graph_rights("owner");
    let server = server(azure).await;
    let (client, azure, origin) = (direct(&server), server.emulator(), server.origin());
    azure.set_page_size(1);
    // One token is for all that answers at the origin.
    let token = token(&client, azure, origin, &format!("{origin}//.default")).await;
    let id = azure.client_secret_of("owner").0;
    let graph = format!("{origin}//v1.0/servicePrincipals?$filter=appId%20eq%20'{id}'");
    let found: Value = client.get(graph).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(found["value"][0]["displayName"], "owner");

    let kind = "providers/Microsoft.ContainerRegistry/registries?api-version=2025-11-01";
    let mut next = format!("{origin}//subscriptions/{}/{kind}", azure.subscription());
    let mut names = Vec::new();
    while !next.is_empty() {
        assert!(next.starts_with(&format!("{origin}/")), "{next}");
        let page: Value = client.get(&next).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        names.extend(page["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        page["nextLink"].as_str().unwrap_or_default().clone_into(&mut next);
    }
    assert_eq!(names, ["one", "two"]);
}

#[tokio::test]
async fn a_kubeconfig_leads_to_the_api_server_and_a_watch_ends_with_the_server() {
    let server = server(Emulator::new().with_cluster("group", "dev")).await;
    let (client, azure, origin) = (direct(&server), server.emulator(), server.origin());
    let own = token(&client, azure, origin, &format!("{origin}/.default")).await;
    let id = azure.cluster_id("group", "dev");
    let url = format!("{origin}{id}/listClusterUserCredential?api-version=2026-05-01");
    let answer: Value = client.post(url).bearer_auth(own).send().await.unwrap().json().await.unwrap();
    let file = STANDARD.decode(answer["kubeconfigs"][0]["value"].as_str().unwrap()).unwrap();
    let file: Value = serde_saphyr::from_str(std::str::from_utf8(&file).unwrap()).unwrap();
    let cluster = &file["clusters"][0]["cluster"];
    let authority = STANDARD.decode(cluster["certificate-authority-data"].as_str().unwrap()).unwrap();
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
        .proxy(Proxy::https(cluster["proxy-url"].as_str().unwrap()).unwrap())
        .build()
        .unwrap();
    let shown = file["users"][0]["user"]["token"].as_str().unwrap();
    let url = format!("{}/api/v1/nodes?watch=true", cluster["server"].as_str().unwrap());
    let mut watch = client.get(url).bearer_auth(shown).send().await.unwrap();
    let first = watch.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"{\"object\"") || first.starts_with(b"{\"type\""), "{first:?}");
    server.stop().await;
    while let Ok(Some(_)) = watch.chunk().await {}
}

#[tokio::test]
async fn the_proxy_leads_nowhere_else() {
    let server = server(Emulator::new()).await;
    let client = proxied(&server);
    for host in ["example.com", "nobody.azurecr.io", "management.azure.com:8443"] {
        let fault = client.get(format!("https://{host}/")).send().await.unwrap_err();
        assert!(fault.is_connect(), "{fault:?}");
    }
    assert!(server.emulator().requests().is_empty());
}
