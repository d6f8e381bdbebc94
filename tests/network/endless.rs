//! Bodies and headers without end, over a real connection: what is compressed counts as what it becomes.

use crate::script::{Script, peak, serve};
use aks_acr::{CallOptions, Client, Cloud, ErrorKind};
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use std::{sync::Arc, time::Duration};

#[derive(Debug)]
struct Anybody;

#[async_trait]
impl TokenCredential for Anybody {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let end = std::time::SystemTime::now() + Duration::from_secs(3600);
        Ok(AccessToken::new("token", end.into()))
    }
}

const SUBSCRIPTION: &str = "22222222-2222-2222-2222-222222222222";

async fn ask(script: Script, by_id: bool) -> aks_acr::Error {
    let (port, authority) = serve(move |_, _| script.clone()).await;
    let cloud = Cloud::custom(&format!("https://localhost:{port}"), ".azurecr.io").unwrap();
    let builder = Client::builder(Arc::new(Anybody), SUBSCRIPTION).environment(|_| None);
    let client = builder.cloud(cloud).add_root_certificates(authority).build().unwrap();
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry"
    );
    let registry = if by_id { id.parse() } else { "myregistry".parse() }.unwrap();
    let call = CallOptions::default().with_deadline(Duration::from_secs(60));
    client.registry(&registry, call).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused_by_its_limit_compressed_or_not() {
    let (plain, bomb) = (Script::endless("", " "), Script::gzip_bomb());
    for script in [plain, bomb] {
        for (by_id, limit) in [(true, "4 MiB, the limit for a resource"), (false, "8 MiB, the limit for a page")] {
            let before = peak();
            let err = ask(script.clone(), by_id).await;
            let grown = (peak() - before) / 1024;
            assert_eq!(err.kind(), ErrorKind::Unexpected, "{err:#}");
            assert!(err.to_string().contains(limit) && !err.is_transient(), "{err:#}");
            assert!(grown < 64, "{grown} MiB more in memory");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_without_end_is_refused() {
    let before = peak();
    let err = ask(Script::long_header(), true).await;
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
    let grown = (peak() - before) / 1024;
    assert!(grown < 64, "{grown} MiB more in memory");
}
