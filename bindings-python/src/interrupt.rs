//! What ends a program or a task rather than a call: `KeyboardInterrupt`, `SystemExit`, `asyncio.CancelledError`, `GeneratorExit` and
//! whatever else is no `Exception`. Raised by code of the caller's, it ends the call at once and passes through as it is.

use aks_acr::CancellationToken;
use pyo3::{exceptions::PyException, prelude::*};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

tokio::task_local! {
    static OF_CALL: Interrupt;
}

/// The way for it out of one call.
#[derive(Clone)]
pub struct Interrupt {
    raised: Arc<Mutex<Option<PyErr>>>,
    cancel: CancellationToken,
}

impl Interrupt {
    /// That of a call which `cancel` cancels.
    pub fn of(cancel: CancellationToken) -> Self {
        Self { raised: Arc::default(), cancel }
    }

    /// What cancels the call.
    pub fn cancel(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Does the work of the call: what is raised on its behalf is this one's.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        OF_CALL.scope(self, work).await
    }

    /// Ends the call, to raise this. The first one counts.
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

/// Whether it is no ordinary exception.
pub fn is_interrupt(py: Python<'_>, err: &PyErr) -> bool {
    !err.is_instance_of::<PyException>(py)
}

/// Ends the call that the present work is done for, if what was raised for it is no ordinary exception.
pub fn pass_on(err: &PyErr) {
    let Ok(interrupt) = OF_CALL.try_with(Interrupt::clone) else { return };
    crate::runtime::attached(|py| {
        if is_interrupt(py, err) {
            interrupt.end(err.clone_ref(py));
        }
    });
}
