//! What a caller's own code answers, from a thread of Python's.

use azure_core::credentials::AccessToken;
use pyo3::{exceptions::PyValueError, prelude::*};
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// A credential's answer, or a hook's.
pub enum Said {
    Token(AccessToken),
    Raised(PyErr),
    Allowed,
    Refused(String),
}

/// Takes one answer. Where it is let go without one, nobody will answer any more.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct Answer(Mutex<Option<oneshot::Sender<Said>>>);

impl Answer {
    pub fn new() -> (Self, oneshot::Receiver<Said>) {
        let (tell, said) = oneshot::channel();
        (Self(Mutex::new(Some(tell))), said)
    }

    fn tell(&self, said: Said) {
        if let Some(tell) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Nobody waits any more: the call was given up.
            let _ = tell.send(said);
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

    /// An exception.
    fn raised(&self, error: Bound<'_, PyAny>) {
        self.tell(Said::Raised(PyErr::from_value(error)));
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
