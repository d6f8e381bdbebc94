//! No secret is shown.

use crate::{Scene, client};
use aks_acr::{Access, AttachOptions, CallOptions};
use aks_acr_emulator::{Emulator, Fault};
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use std::sync::{Arc, Mutex};

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

    let kubeconfig = client.kubeconfig(&scene.cluster, Access::Admin, CallOptions::default()).await.unwrap();
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
