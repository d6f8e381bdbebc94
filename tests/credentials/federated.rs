//! Assertions that someone else signs.

use crate::{attach, azure, builder, ids, outside::Outside, with};
use aks_acr::{CallOptions, Client, Error, ErrorKind};
use aks_acr_emulator::Emulator;
use azure_core::http::{Request, headers::AUTHORIZATION};
use std::{fs, path::PathBuf, time::Duration};

const ISSUER: &str = "https://issuer.example";
const LIFE: Duration = Duration::from_secs(300);

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("aks-acr-{}-{name}", std::process::id()))
}

async fn look(client: &Client) -> Result<bool, Error> {
    let call = CallOptions::default().start(Duration::from_secs(60));
    let image = "myregistry.azurecr.io/nginx:v1".parse()?;
    Ok(client.registry_importer().image(&image, &call).await?.is_some())
}

#[tokio::test(start_paused = true)]
async fn a_workload_reads_its_file_anew_for_every_assertion() {
    let azure = azure()
        .with_federated_credential("owner", ISSUER, "system:serviceaccount:ns:app")
        .with_image("myregistry.azurecr.io/nginx:v1", &["linux/amd64"]);
    let path = file("workload");
    let token = azure.federated_token(ISSUER, "system:serviceaccount:ns:app", LIFE);
    fs::write(&path, &token).unwrap();
    let variables = with(ids(&azure), &[("AZURE_FEDERATED_TOKEN_FILE", path.to_str().unwrap())]);
    let client = builder(&azure, variables).build().unwrap();
    attach(&client).await.unwrap();

    // A long job: the first assertion has ended when the registry's audience is asked for, and the cluster has written another.
    tokio::time::advance(LIFE).await;
    let err = look(&client).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains("AADSTS700024"), "{err:#}");
    fs::write(&path, azure.federated_token(ISSUER, "system:serviceaccount:ns:app", LIFE)).unwrap();
    assert!(look(&client).await.unwrap());
    assert!(!format!("{err:#} {err:?} {client:?}").contains(&token));
    fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_workload_whose_subject_entra_does_not_know_is_told_so() {
    let azure = azure().with_federated_credential("owner", ISSUER, "system:serviceaccount:ns:app");
    let path = file("stranger");
    let variables = with(ids(&azure), &[("AZURE_FEDERATED_TOKEN_FILE", path.to_str().unwrap())]);
    for (issuer, subject, code) in [
        (ISSUER, "system:serviceaccount:ns:other", "AADSTS700213"),
        ("https://other.example", "system:serviceaccount:ns:app", "AADSTS700211"),
    ] {
        fs::write(&path, azure.federated_token(issuer, subject, LIFE)).unwrap();
        let err = attach(&builder(&azure, variables.clone()).build().unwrap()).await.unwrap_err();
        assert!(err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains(code), "{err:#}");
    }
    fs::remove_file(&path).unwrap();
    let err = attach(&builder(&azure, variables).build().unwrap()).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains("could not read"), "{err:#}");
}

/// A service that gives an assertion to anyone who shows the right token.
fn service(azure: &Emulator, host: &'static str, field: &'static str) -> impl Fn(&Request) -> Option<String> + use<> {
    let token = azure.federated_token(ISSUER, "run", LIFE);
    move |request| {
        let shown = request.headers().get_optional_str(&AUTHORIZATION);
        let is_asked = request.url().host_str() == Some(host) && shown == Some("Bearer top-secret");
        is_asked.then(|| serde_json::json!({ field: token }).to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn a_workflow_of_github_signs_in() {
    let azure = azure().with_federated_credential("owner", ISSUER, "run");
    let more = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://actions.example/token?api-version=2.0"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "top-secret"),
    ];
    let outside = Outside::of(&azure, service(&azure, "actions.example", "value"));
    let client = builder(&azure, with(ids(&azure), &more)).transport(outside.clone()).build().unwrap();
    attach(&client).await.unwrap();
    let asked = "GET https://actions.example/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange";
    assert_eq!(outside.asked().first().map(String::as_str), Some(asked));
    assert!(!format!("{client:?}").contains("top-secret"));
}

#[tokio::test(start_paused = true)]
async fn a_service_connection_of_azure_pipelines_signs_in() {
    let azure = azure().with_federated_credential("owner", ISSUER, "run");
    let (client_id, _) = azure.client_secret_of("owner");
    let more = [
        ("SYSTEM_OIDCREQUESTURI", "https://pipelines.example/oidc"),
        ("SYSTEM_ACCESSTOKEN", "top-secret"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection"),
        ("AZURESUBSCRIPTION_CLIENT_ID", &client_id),
        ("AZURESUBSCRIPTION_TENANT_ID", azure.tenant()),
    ];
    let outside = Outside::of(&azure, service(&azure, "pipelines.example", "oidcToken"));
    let client = builder(&azure, with(Vec::new(), &more)).transport(outside.clone()).build().unwrap();
    attach(&client).await.unwrap();
    let asked = "POST https://pipelines.example/oidc?api-version=7.1&serviceConnectionId=connection";
    assert_eq!(outside.asked().first().map(String::as_str), Some(asked));
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_run_is_sent_nowhere_without_tls() {
    let azure = azure();
    let more =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", "http://actions.example/"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "top-secret")];
    let outside = Outside::of(&azure, |_| None);
    let client = builder(&azure, with(ids(&azure), &more)).transport(outside.clone()).build().unwrap();
    let err = attach(&client).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unauthenticated && !format!("{err:#}").contains("top-secret"), "{err:#}");
    assert!(outside.asked().is_empty(), "{:?}", outside.asked());
}
