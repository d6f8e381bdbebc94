//! Credentials of Python's, as core wants them: any object with `get_token_info` or `get_token`, plain or a coroutine.

use crate::runtime::locals;
use async_trait::async_trait;
use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyTuple};
use pyo3_async_runtimes::into_future_with_locals;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// The caller's credential.
pub struct PyCredential {
    credential: Arc<Py<PyAny>>,
    private: Arc<PrivateLoop>,
}

impl PyCredential {
    pub fn new(credential: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        if !credential.hasattr("get_token_info")? && !credential.hasattr("get_token")? {
            let class = credential.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "wanted a credential with get_token_info or get_token, such as those of azure-identity, and not {class}"
            )));
        }
        Ok(Arc::new(Self { credential: Arc::new(credential.clone().unbind()), private: Arc::default() }))
    }

    async fn fetch(&self, scopes: Vec<String>) -> PyResult<AccessToken> {
        let (credential, private, locals) = (self.credential.clone(), self.private.clone(), locals());
        let has_loop = locals.is_some();
        // A plain credential talks to the network while it is asked: not on a thread that others' work runs on.
        let asked = tokio::task::spawn_blocking(move || {
            Python::attach(|py| {
                let answer = ask(credential.bind(py), &scopes)?;
                if !answer.hasattr("__await__")? {
                    return read(&answer).map(Asked::Token);
                }
                if has_loop {
                    return Ok(Asked::Awaitable(answer.unbind()));
                }
                read(&private.run(&answer)?).map(Asked::Token)
            })
        });
        let asked = asked.await.map_err(|err| PyTypeError::new_err(err.to_string()))??;
        let (awaitable, locals) = match (asked, locals) {
            (Asked::Token(token), _) => return Ok(token),
            (Asked::Awaitable(awaitable), Some(locals)) => (awaitable, locals),
            (Asked::Awaitable(_), None) => return Err(PyTypeError::new_err("no loop to await the credential in")),
        };
        let answer = Python::attach(|py| into_future_with_locals(&locals, awaitable.into_bound(py)))?.await?;
        Python::attach(|py| read(answer.bind(py)))
    }
}

enum Asked {
    Token(AccessToken),
    Awaitable(Py<PyAny>),
}

fn ask<'py>(credential: &Bound<'py, PyAny>, scopes: &[String]) -> PyResult<Bound<'py, PyAny>> {
    let method = if credential.hasattr("get_token_info")? { "get_token_info" } else { "get_token" };
    credential.call_method1(method, PyTuple::new(credential.py(), scopes)?)
}

/// `expires_on` is an int with some credentials and a float with others.
fn read(token: &Bound<'_, PyAny>) -> PyResult<AccessToken> {
    let text: String = token.getattr("token")?.extract()?;
    let seconds: f64 = token.getattr("expires_on")?.extract()?;
    let after = Duration::try_from_secs_f64(seconds).map_err(|err| PyTypeError::new_err(err.to_string()))?;
    Ok(AccessToken::new(text, (SystemTime::UNIX_EPOCH + after).into()))
}

/// The loop in which a blocking client awaits a credential: one for all its tokens, since such a credential keeps connections that
/// belong to the loop they were made in.
#[derive(Default)]
struct PrivateLoop(Mutex<Option<Py<PyAny>>>);

impl PrivateLoop {
    fn run<'py>(&self, awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = awaitable.py();
        // Waiting for another thread's turn while holding the interpreter would stop that thread.
        let mut held = loop {
            match self.0.try_lock() {
                Ok(held) => break held,
                Err(std::sync::TryLockError::Poisoned(held)) => break PoisonError::into_inner(held),
                Err(std::sync::TryLockError::WouldBlock) => {
                    py.detach(|| std::thread::sleep(Duration::from_millis(1)));
                }
            }
        };
        let runner = match &*held {
            Some(runner) => runner.bind(py).clone(),
            None => py.import("asyncio")?.call_method0("new_event_loop")?,
        };
        *held = Some(runner.clone().unbind());
        runner.call_method1("run_until_complete", (awaitable,))
    }
}

impl Drop for PrivateLoop {
    fn drop(&mut self) {
        if let Some(runner) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // At the interpreter's end there is nothing left to close.
            let _ = Python::try_attach(|py| runner.call_method0(py, "close").map(|_| ()));
        }
    }
}

#[async_trait]
impl TokenCredential for PyCredential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let token = self.fetch(scopes).await;
        // The exception itself is kept: it becomes the cause of ours.
        token.map_err(|err| Error::with_error(ErrorKind::Credential, err, "the credential raised an exception"))
    }
}

/// The credential may show what it likes of itself, so it is left out.
impl fmt::Debug for PyCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PyCredential")
    }
}
