//! A credential that tries again, as Azure's own do: the emulator's asks once.

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use std::{sync::Arc, time::Duration};

const TRIES: u32 = 8;

#[derive(Debug)]
pub struct Patient(pub Arc<dyn TokenCredential>);

#[async_trait]
impl TokenCredential for Patient {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.0.get_token(scopes, options.clone()).await {
                Err(_) if tries < TRIES => tokio::time::sleep(Duration::from_millis(400) * tries).await,
                ended => return ended,
            }
        }
    }
}
