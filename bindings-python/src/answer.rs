//! Answers of the caller's own code, which runs in a Python thread.

use crate::{raised, runtime::attached};
use aks_acr::CredentialFailure;
use azure_core::credentials::AccessToken;
use pyo3::{exceptions::PyValueError, prelude::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tokio::{runtime::Handle, sync::oneshot};

/// The answer of a credential or a hook.
pub enum Said {
    Token(AccessToken),
    Raised(PyErr, Box<CredentialFailure>),
    Allowed,
    Refused(String),
}

/// Takes one answer. Dropping it without an answer ends the wait.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct Answer(Arc<Mutex<State>>);

struct State {
    tell: Option<oneshot::Sender<Said>>,
    /// Stops the work on the answer once no call waits for it.
    stop: Option<Py<PyAny>>,
    is_left: bool,
}

impl Answer {
    /// The answer, and the task that waits for it.
    pub fn new() -> (Self, Asking) {
        let (tell, said) = oneshot::channel();
        let state = Arc::new(Mutex::new(State { tell: Some(tell), stop: None, is_left: false }));
        (Self(state.clone()), Asking { said, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, said: Said) {
        let mut state = self.state();
        state.stop = None;
        if let Some(tell) = state.tell.take() {
            // The call was cancelled: no task waits for the answer.
            let _ = tell.send(said);
        }
    }
}

/// Waits for an answer. Dropping it early, as a cancelled call does, stops the work on the answer.
pub struct Asking {
    said: oneshot::Receiver<Said>,
    state: Arc<Mutex<State>>,
}

impl Asking {
    /// The answer; `None` if the work ended without one.
    pub async fn said(&mut self) -> Option<Said> {
        (&mut self.said).await.ok()
    }

    /// The same for a thread that may block.
    pub fn wait(mut self) -> Option<Said> {
        Handle::current().block_on(self.said())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_left = true;
        let Some(stop) = state.stop.take() else { return };
        drop(state);
        // The interpreter may be busy, so this waits for it in a thread that runs no other work.
        let stop = move || {
            attached(|py| {
                if let Err(err) = stop.call0(py) {
                    err.write_unraisable(py, None);
                }
            })
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(stop)),
            Err(_) => drop(std::thread::spawn(stop)),
        }
    }
}

#[pymethods]
impl Answer {
    /// A token and its expiry in seconds since 1970.
    fn token(&self, text: String, expires_on: f64) -> PyResult<()> {
        #[expect(clippy::cast_possible_truncation, reason = "larger values are rejected as out of range")]
        let end = OffsetDateTime::from_unix_timestamp_nanos((expires_on * 1e9) as i128);
        let end = end.map_err(|_| {
            PyValueError::new_err(format!("expires_on of a token: must be seconds since 1970, not {expires_on}"))
        })?;
        self.tell(Said::Token(AccessToken::new(text, end)));
        Ok(())
    }

    /// Sets the function to call once no call waits for the answer. Returns `True` if none waits now.
    fn stop_by(&self, stop: Py<PyAny>) -> bool {
        let mut state = self.state();
        if !state.is_left && state.tell.is_some() {
            state.stop = Some(stop);
        }
        state.is_left
    }

    /// An exception.
    fn raised(&self, error: Bound<'_, PyAny>) {
        // Its attributes are read here, in a thread that holds the interpreter.
        let failure = raised::failure(&error);
        self.tell(Said::Raised(PyErr::from_value(error), Box::new(failure)));
    }

    /// The write may be sent.
    fn allowed(&self) {
        self.tell(Said::Allowed);
    }

    /// The write may not be sent.
    fn refused(&self, why: String) {
        self.tell(Said::Refused(why));
    }
}
