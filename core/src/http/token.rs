//! Tokens for audiences other than Resource Manager's, whose pipeline has a cache of its own.

use crate::{
    call::Call,
    error::{Error, Result},
};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::sync::Mutex;

/// A token is renewed this long before it ends, as `azure_core` does.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// A cache of tokens by audience: callers at the same time share one request.
#[derive(Clone)]
pub(crate) struct Tokens {
    credential: Arc<dyn TokenCredential>,
    held: Arc<Mutex<HashMap<&'static str, AccessToken>>>,
}

impl Tokens {
    pub fn new(credential: Arc<dyn TokenCredential>) -> Self {
        Self { credential, held: Arc::default() }
    }

    /// A token for `scope`, such as `https://containerregistry.azure.net/.default`.
    pub async fn get(&self, scope: &'static str, call: &Call) -> Result<Secret> {
        call.run("getting a token", self.fetch(scope)).await
    }

    /// Lets go of a token that was not accepted.
    pub async fn forget(&self, scope: &str) {
        self.held.lock().await.remove(scope);
    }

    async fn fetch(&self, scope: &'static str) -> Result<Secret> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.get(scope).filter(|token| is_fresh(token)) {
            return Ok(token.token.clone());
        }
        let token = self
            .credential
            .get_token(&[scope], None)
            .await
            .map_err(|err| super::from_transport(err, "getting a token"));
        let token = token.map_err(|err: Error| err.with_context("audience", scope))?;
        held.insert(scope, token.clone());
        Ok(token.token)
    }
}

fn is_fresh(token: &AccessToken) -> bool {
    token.expires_on - RENEW_BEFORE > OffsetDateTime::now_utc()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}
