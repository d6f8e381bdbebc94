//! Exceptions that end a program or a task: `KeyboardInterrupt`, `SystemExit`, `asyncio.CancelledError`, `GeneratorExit` and
//! others that are not an `Exception`. Raised by the caller's code, they end the call at once and pass through unchanged.

use aks_acr::CancellationToken;
use pyo3::{exceptions::PyException, prelude::*};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

tokio::task_local! {
    static OF_CALL: Interrupt;
}

/// Carries such an exception out of one call.
#[derive(Clone)]
pub struct Interrupt {
    raised: Arc<Mutex<Option<PyErr>>>,
    cancel: CancellationToken,
}

impl Interrupt {
    /// For a call that `cancel` cancels.
    pub fn of(cancel: CancellationToken) -> Self {
        Self { raised: Arc::default(), cancel }
    }

    /// What cancels the call.
    pub fn cancel(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Does the work of the call, and collects what is raised during it.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        OF_CALL.scope(self, work).await
    }

    /// Ends the call with this exception. The first one wins.
    pub fn end(&self, err: PyErr) {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(err);
        self.cancel.cancel();
    }

    /// What was raised, if anything was.
    pub fn raised(&self, py: Python<'_>) -> Option<PyErr> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.as_ref().map(|err| err.clone_ref(py))
    }
}

/// Whether it is not a subclass of `Exception`.
pub fn is_interrupt(py: Python<'_>, err: &PyErr) -> bool {
    !err.is_instance_of::<PyException>(py)
}

/// Ends the current call if the exception is not a subclass of `Exception`.
pub fn pass_on(err: &PyErr) {
    let Ok(interrupt) = OF_CALL.try_with(Interrupt::clone) else { return };
    crate::runtime::attached(|py| {
        if is_interrupt(py, err) {
            interrupt.end(err.clone_ref(py));
        }
    });
}
