//! The caller's identity from the environment: the chain that Azure's SDKs call `DefaultAzureCredential`.

mod assertion;
mod certificate;
mod choice;
mod context;
mod managed;
mod sign_in;
mod source;
mod tool;

use crate::{
    error::Result,
    http::{Caller, trace_token},
    telemetry::CREDENTIAL,
};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind as Azure,
};
use choice::Kind;
pub(crate) use context::CredentialContext;
use context::{CredentialSearch, broken};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::OnceCell, time::Instant};

/// The first available credential. Once chosen, its kind stays: a refused caller must not continue as another identity.
pub(crate) struct DefaultCredential {
    context: CredentialContext,
    kinds: &'static [Kind],
    found: OnceCell<InUse>,
}

/// The chosen credential. `None` once one of its tokens was rejected: it caches tokens itself and cannot drop them, so it is created
/// again.
struct InUse {
    kind: Kind,
    made: Mutex<Option<Arc<dyn TokenCredential>>>,
}

impl InUse {
    fn made(&self) -> MutexGuard<'_, Option<Arc<dyn TokenCredential>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DefaultCredential {
    /// Determines the credentials of the chain. No request is sent and no program is started.
    pub fn new(context: CredentialContext) -> Result<Self> {
        let kinds = choice::kinds(&context.environment)?;
        Ok(Self { context, kinds, found: OnceCell::new() })
    }

    async fn fetch(&self, scopes: &[&str]) -> azure_core::Result<AccessToken> {
        let mut first = None;
        let find = self.found.get_or_try_init(|| async {
            let (kind, credential, token) = self.find(scopes).await?;
            first = Some(token);
            Ok::<_, azure_core::Error>(InUse { kind, made: Mutex::new(Some(credential)) })
        });
        let found = find.await?;
        match first {
            Some(token) => Ok(token),
            None => logged(found.kind, self.made(found).await?.as_ref(), scopes).await,
        }
    }

    /// The credential of the chosen kind, created again after a rejection.
    async fn made(&self, found: &InUse) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let held = found.made().clone();
        if let Some(credential) = held {
            return Ok(credential);
        }
        let kind = found.kind;
        let broken = match source::find(kind, &self.context, true).await {
            CredentialSearch::Configured(credential) => {
                *found.made() = Some(credential.clone());
                return Ok(credential);
            }
            CredentialSearch::Absent(reason) => broken(reason),
            CredentialSearch::Broken(err) => err,
        };
        Err(credential_error(Failed { kind, source: Box::new(broken) }))
    }

    /// Tries one after the other. A credential that is not configured is skipped; one that is configured but fails is an error;
    /// otherwise the caller would continue as another identity.
    async fn find(&self, scopes: &[&str]) -> azure_core::Result<(Kind, Arc<dyn TokenCredential>, AccessToken)> {
        let mut tried = Vec::new();
        for &kind in self.kinds {
            let reason = match source::find(kind, &self.context, self.kinds.len() == 1).await {
                CredentialSearch::Absent(reason) => reason,
                CredentialSearch::Broken(err) => return Err(credential_error(Failed { kind, source: Box::new(err) })),
                CredentialSearch::Configured(credential) => match logged(kind, credential.as_ref(), scopes).await {
                    Ok(token) => {
                        tracing::info!(
                            target: CREDENTIAL,
                            credential = kind.name(),
                            "signing in with this credential of the default chain"
                        );
                        return Ok((kind, credential, token));
                    }
                    Err(err) if source::is_passed_over(kind, &err) => crate::error::chain(&err),
                    Err(err) => return Err(credential_error(Failed { kind, source: Box::new(err) })),
                },
            };
            tracing::debug!(target: CREDENTIAL, credential = kind.name(), reason, "skipped");
            tried.push((kind, reason));
        }
        Err(credential_error(NoneFound(tried)))
    }
}

async fn logged(kind: Kind, credential: &dyn TokenCredential, scopes: &[&str]) -> azure_core::Result<AccessToken> {
    let begun = Instant::now();
    let given = credential.get_token(scopes, None).await;
    trace_token(kind.name(), scopes, begun, &given);
    given.map_err(|err| match tool::trouble(kind, &crate::error::lines(&err)) {
        Some(trouble) => credential_error(trouble),
        None => err,
    })
}

#[async_trait]
impl TokenCredential for DefaultCredential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        self.fetch(scopes).await
    }
}

impl Caller for DefaultCredential {
    fn forget(&self) {
        if let Some(found) = self.found.get() {
            found.made().take();
        }
    }
}

impl fmt::Debug for DefaultCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultCredential").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

fn credential_error(err: impl std::error::Error + Send + Sync + 'static) -> azure_core::Error {
    azure_core::Error::new(Azure::Credential, err)
}

/// A credential that is configured but returned no token.
#[derive(Debug)]
struct Failed {
    kind: Kind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is configured but failed", self.kind.name())
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The credentials that were tried, and why each is not available.
#[derive(Debug)]
struct NoneFound(Vec<(Kind, String)>);

impl fmt::Display for NoneFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no credential of the default chain is available")?;
        for (kind, reason) in &self.0 {
            write!(f, "; {}: {reason}", kind.name())?;
        }
        Ok(())
    }
}

impl std::error::Error for NoneFound {}
