//! A server and clients for it.

use aks_acr_emulator::Emulator;
use aks_acr_emulator::serve::{Server, ServerOptions};
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
    for host in ["myregistry.azurecr.io", "registry-1.docker.io"] {
        let answer = client.get(format!("https://{host}/v2/")).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{host}");
    }
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
