//! What a caller's own code answers, from a thread of Python's.

use crate::{raised, runtime::attached};
use aks_acr::CredentialFailure;
use azure_core::credentials::AccessToken;
use pyo3::{exceptions::PyValueError, prelude::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tokio::{runtime::Handle, sync::oneshot};

/// A credential's answer, or a hook's.
pub enum Said {
    Token(AccessToken),
    Raised(PyErr, Box<CredentialFailure>),
    Allowed,
    Refused(String),
}

/// Takes one answer. Where it is let go without one, nobody will answer any more.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct Answer(Arc<Mutex<State>>);

struct State {
    tell: Option<oneshot::Sender<Said>>,
    /// What ends the work on the answer when nobody waits for it any more.
    stop: Option<Py<PyAny>>,
    is_left: bool,
}

impl Answer {
    /// The answer, and who waits for it.
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
            // Nobody waits any more: the call was given up.
            let _ = tell.send(said);
        }
    }
}

/// Who waits for an answer. Dropped before there is one, as with a call that is cancelled, the work on it is stopped.
pub struct Asking {
    said: oneshot::Receiver<Said>,
    state: Arc<Mutex<State>>,
}

impl Asking {
    /// The answer, if there will be one.
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
        // The interpreter may be busy: it is waited for in a thread that no other work runs on.
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
    /// A token, and its end in seconds since 1970.
    fn token(&self, text: String, expires_on: f64) -> PyResult<()> {
        #[expect(clippy::cast_possible_truncation, reason = "what is too large is refused as out of range")]
        let end = OffsetDateTime::from_unix_timestamp_nanos((expires_on * 1e9) as i128);
        let end = end.map_err(|_| {
            PyValueError::new_err(format!("expires_on of a token: wanted seconds since 1970, and not {expires_on}"))
        })?;
        self.tell(Said::Token(AccessToken::new(text, end)));
        Ok(())
    }

    /// Says what is to be called if nobody waits for the answer any more. That is so already where it gives `True`.
    fn stop_by(&self, stop: Py<PyAny>) -> bool {
        let mut state = self.state();
        if !state.is_left && state.tell.is_some() {
            state.stop = Some(stop);
        }
        state.is_left
    }

    /// An exception.
    fn raised(&self, error: Bound<'_, PyAny>) {
        // What it says is read here, where Python runs already.
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
