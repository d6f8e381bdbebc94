//! No secret is shown.

use crate::{Scene, client};
use aks_acr::{Access, AttachOptions, CallOptions, ImportHandle, KubeconfigOptions};
use aks_acr_emulator::{Emulator, Fault};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{AsyncRawResponse, HttpClient, Request},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Remembers the tokens that pass through it, and is careless enough to show them.
#[derive(Debug)]
struct Listening {
    inner: Arc<dyn TokenCredential>,
    heard: Mutex<Vec<String>>,
}

#[async_trait]
impl TokenCredential for Listening {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.inner.get_token(scopes, options).await?;
        self.heard.lock().unwrap().push(token.token.secret().to_owned());
        Ok(token)
    }
}

#[tokio::test(start_paused = true)]
async fn neither_debug_nor_errors_show_a_token_or_a_key() {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let listening = Arc::new(Listening { inner: azure.credential(), heard: Mutex::default() });
    let scene = Scene::of(azure.clone());
    let client = client(&azure, listening.clone());

    let kubeconfig =
        client.kubeconfig(&scene.cluster, KubeconfigOptions::default().with_access(Access::Admin)).await.unwrap();
    azure.fault(Fault::on("PUT", "/roleAssignments/").status(500).times(100));
    let failed = client.attach(&scene.cluster, &scene.registry, AttachOptions::default()).await.unwrap_err();
    let builder = aks_acr::Client::builder(listening.clone(), azure.subscription());
    let shown = format!("{client:?} {builder:?} {kubeconfig:?} {failed} {failed:#} {failed:?}");

    let heard = listening.heard.lock().unwrap();
    assert!(!heard.is_empty());
    for token in heard.iter() {
        assert!(!shown.contains(token.as_str()));
    }
    let keys: Vec<&str> = kubeconfig
        .text()
        .lines()
        .filter_map(|line| line.trim().split_once("-data: ").or(line.trim().split_once("token: ")))
        .map(|(_, key)| key)
        .collect();
    assert!(keys.len() >= 2, "the kubeconfig holds keys");
    assert!(keys.iter().all(|key| !shown.contains(key)));
}

/// A transport that breaks and, as reqwest does, says for which URL.
#[derive(Debug)]
struct Breaking;

#[derive(Debug)]
struct WithUrl(String, std::io::Error);

impl std::fmt::Display for WithUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error sending request for url ({})", self.0)
    }
}

impl std::error::Error for WithUrl {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.1)
    }
}

#[async_trait]
impl HttpClient for Breaking {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let lost = std::io::Error::other("connection reset");
        Err(azure_core::Error::new(azure_core::error::ErrorKind::Io, WithUrl(request.url().to_string(), lost)))
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_transport_does_not_show_the_signed_link_of_an_import() {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    let id = azure.registry_id("group", "myregistry");
    let link =
        format!("https://management.azure.com/subscriptions/{}/operationResults/x?s=top-secret", azure.subscription());
    let stored = serde_json::json!({ "registry": id, "targets": ["nginx:v1"], "link": link });
    let mut handle: ImportHandle = serde_json::from_value(stored).unwrap();
    let client = aks_acr::Client::builder(azure.credential(), azure.subscription())
        .transport(Arc::new(Breaking))
        .build()
        .unwrap();
    let call = CallOptions::default().start(Duration::from_secs(7200));
    let err = client.registry_importer().poll_import(&mut handle, &call).await.unwrap_err();
    let shown = format!("{err} {err:#} {err:?} {handle:?}");
    assert!(!shown.contains("top-secret"), "{shown}");
}

#[test]
fn an_error_in_a_manifest_does_not_quote_what_it_holds() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: top-secret\n bad: [\n";
    let err = aks_acr::Manifest::parse_all(text).unwrap_err();
    let shown = format!("{err} {err:#} {err:?}");
    assert!(shown.contains("line") && !shown.contains("top-secret"), "{shown}");
}
