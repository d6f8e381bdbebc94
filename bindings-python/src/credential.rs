//! Adapts Python credentials to core: any object with `get_token_info` or `get_token`, plain or a coroutine.

use crate::{
    answer::{Answer, Said},
    interrupt,
    runtime::{attached, locals},
};
use aks_acr::CredentialFailure;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
};
use std::{fmt, sync::Arc};
use tokio::task::spawn_blocking;

/// The caller's credential, which is called in Python threads.
pub struct PyCredential(Arc<Py<PyAny>>);

impl PyCredential {
    pub fn new(credential: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        if !credential.hasattr("get_token_info")? && !credential.hasattr("get_token")? {
            let class = credential.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "credential: must have get_token_info or get_token, as those of azure-identity have, not {class}"
            )));
        }
        let asked = credential.py().import("aks_acr._ask")?.getattr("Credential")?.call1((credential,))?;
        Ok(Arc::new(Self(Arc::new(asked.unbind()))))
    }

    async fn fetch(&self, scopes: Vec<String>) -> Result<AccessToken, (PyErr, CredentialFailure)> {
        let (credential, locals) = (self.0.clone(), locals());
        let (answer, mut asking) = Answer::new();
        // Other threads may hold the interpreter for long, so this waits for it in a thread that runs no other work.
        let begun = spawn_blocking(move || {
            attached(|py| {
                let (event_loop, context) = locals.map(|one| (one.event_loop(py), one.context(py))).unzip();
                credential.call_method1(py, "begin", (scopes, event_loop, context, answer)).map(|_| ())
            })
        });
        let of_ours = |err| (err, CredentialFailure::default());
        begun.await.ok().flatten().unwrap_or_else(|| Err(ending())).map_err(of_ours)?;
        match asking.said().await {
            Some(Said::Token(token)) => Ok(token),
            Some(Said::Raised(err, failure)) => {
                interrupt::pass_on(&err);
                Err((err, *failure))
            }
            _ => Err(of_ours(ending())),
        }
    }
}

fn ending() -> PyErr {
    PyRuntimeError::new_err("the credential did not answer: the interpreter or its event loop has ended")
}

#[async_trait]
impl TokenCredential for PyCredential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let token = self.fetch(scopes).await;
        // Kept, to become the `__cause__` of our exception.
        token.map_err(|(err, failure)| failure.into_error(err))
    }
}

/// Leaves out the credential: its `repr` may show secrets.
impl fmt::Debug for PyCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PyCredential")
    }
}
