//! Runs: running calls whose events are iterated.
//!
//! If the work fails, its error is raised after the last event; leaving the events early cancels the work.

use crate::{
    call::{Outcome, Returned, Work},
    runtime::{Ours, attached, check_process, handle},
    value::through_json,
    values::Event,
};
use aks_acr::CancellationToken;
use pyo3::{
    exceptions::{PyRuntimeError, PyStopAsyncIteration},
    prelude::*,
};
use pyo3_async_runtimes::{
    TaskLocals,
    generic::{ContextExt as _, future_into_py_with_locals},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex as AsyncMutex, mpsc::UnboundedReceiver, watch},
};

/// How often Ctrl-C is checked for.
const TICK: Duration = Duration::from_millis(50);

/// A message of a running call.
pub enum Note {
    Event(aks_acr::Event),
    Done(Outcome),
}

/// Waits one tick for what `take` returns, without blocking other Python threads.
pub fn wait_for<T: Send>(py: Python<'_>, take: impl Fn() -> Result<T, RecvTimeoutError> + Send + Sync) -> PyResult<T> {
    loop {
        py.check_signals()?;
        match py.detach(&take) {
            Ok(taken) => return Ok(taken),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(broken_off()),
        }
    }
}

/// The next message of a call.
pub fn take_note(heard: &Mutex<Receiver<Note>>) -> Result<Note, RecvTimeoutError> {
    heard.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK)
}

fn broken_off() -> PyErr {
    PyRuntimeError::new_err("the call was interrupted: it panicked, or the interpreter is shutting down")
}

/// Shared by a run and its events. Dropping both cancels the work.
struct Shared {
    heard: Mutex<Receiver<Note>>,
    outcome: Mutex<Option<Outcome>>,
    cancel: CancellationToken,
    process: u32,
}

impl Shared {
    fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next event, `None` at the end.
    fn next(&self, py: Python<'_>) -> PyResult<Option<aks_acr::Event>> {
        check_process(self.process, "run")?;
        wait_for(py, || self.take())
    }

    /// One thread at a time: the last message is stored before the next thread reads.
    fn take(&self) -> Result<Option<aks_acr::Event>, RecvTimeoutError> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if self.outcome().is_some() {
            return Ok(None);
        }
        match heard.recv_timeout(TICK)? {
            Note::Event(event) => Ok(Some(event)),
            Note::Done(outcome) => {
                *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                Ok(None)
            }
        }
    }

    fn end(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.outcome().ok_or_else(broken_off)?(py)
    }
}

impl Shared {
    /// Does nothing in a forked child: the threads that do the work do not exist there.
    fn cancel(&self) {
        if self.process == std::process::id() {
            self.cancel.cancel();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// A running call: iterate it for its events, then read its `result()`.
#[pyclass(frozen, generic, module = "aks_acr")]
pub struct Run(Arc<Shared>);

impl Run {
    pub fn new(heard: Receiver<Note>, cancel: CancellationToken) -> Self {
        Self(Arc::new(Shared {
            heard: Mutex::new(heard),
            outcome: Mutex::new(None),
            cancel,
            process: std::process::id(),
        }))
    }
}

#[pymethods]
impl Run {
    fn __iter__(&self) -> RunEvents {
        RunEvents(self.0.clone())
    }

    /// Waits for the end and returns the result. Events that were not iterated are dropped.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        while self.0.next(py)?.is_some() {}
        self.0.end(py)
    }

    /// Stops the work. An operation that Azure has already started keeps running. May be called from any thread.
    fn cancel(&self) {
        self.0.cancel();
    }
}

/// The events of a run.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct RunEvents(Arc<Shared>);

#[pymethods]
impl RunEvents {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        match self.0.next(py)? {
            Some(event) => through_json(&event).map(Some),
            None => self.0.end(py).map(|_| None),
        }
    }
}

/// A loop that was left early drops its iterator: no caller waits any longer.
impl Drop for RunEvents {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Shared by an asynchronous run and its events.
struct AsyncShared {
    heard: AsyncMutex<UnboundedReceiver<aks_acr::Event>>,
    outcome: watch::Receiver<Option<Outcome>>,
    locals: TaskLocals,
    cancel: CancellationToken,
    process: u32,
}

impl AsyncShared {
    async fn end(&self) -> PyResult<Returned> {
        let mut outcome = self.outcome.clone();
        let ended = outcome.wait_for(Option::is_some).await.map_err(|_| broken_off())?;
        ended.clone().map(Returned).ok_or_else(broken_off)
    }

    async fn next(&self) -> PyResult<Event> {
        if let Some(event) = self.heard.lock().await.recv().await {
            return through_json(&event);
        }
        let Returned(outcome) = self.end().await?;
        let ended = tokio::task::spawn_blocking(move || attached(|py| outcome(py)));
        ended.await.ok().flatten().unwrap_or_else(|| Err(broken_off()))?;
        Err(PyStopAsyncIteration::new_err(()))
    }
}

impl AsyncShared {
    fn cancel(&self) {
        if self.process == std::process::id() {
            self.cancel.cancel();
        }
    }
}

impl Drop for AsyncShared {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// A running call: iterate it with `async for` for its events, then await it for its result.
#[pyclass(frozen, generic, module = "aks_acr.aio")]
pub struct AsyncRun(Arc<AsyncShared>);

impl AsyncRun {
    pub fn new(
        runtime: &Handle,
        locals: TaskLocals,
        work: Work,
        heard: UnboundedReceiver<aks_acr::Event>,
        cancel: CancellationToken,
    ) -> Self {
        let (tell, outcome) = watch::channel(None);
        runtime.spawn(Ours::scope(locals.clone(), async move {
            let outcome = work.await;
            // If this fails, no caller waits any longer.
            let _ = tell.send(Some(outcome));
        }));
        Self(Arc::new(AsyncShared {
            heard: AsyncMutex::new(heard),
            outcome,
            locals,
            cancel,
            process: std::process::id(),
        }))
    }
}

#[pymethods]
impl AsyncRun {
    fn __aiter__(&self) -> AsyncRunEvents {
        AsyncRunEvents(self.0.clone())
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        check_process(self.0.process, "run")?;
        let (shared, runtime) = (self.0.clone(), handle(py)?);
        let _entered = runtime.enter();
        let result = future_into_py_with_locals::<Ours, _, _>(py, self.0.locals.clone(), async move {
            let left = shared.cancel.clone().drop_guard();
            let end = shared.end().await;
            drop(left);
            end
        })?;
        result.call_method0("__await__")
    }

    /// Stops the work. An operation that Azure has already started keeps running. May be called from any thread.
    fn cancel(&self) {
        self.0.cancel();
    }
}

/// The events of an asynchronous run.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct AsyncRunEvents(Arc<AsyncShared>);

#[pymethods]
impl AsyncRunEvents {
    fn __aiter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        check_process(self.0.process, "run")?;
        let (shared, runtime) = (self.0.clone(), handle(py)?);
        let _entered = runtime.enter();
        future_into_py_with_locals::<Ours, _, _>(py, self.0.locals.clone(), async move { shared.next().await })
    }
}

/// A loop that was left early drops its iterator: no caller waits any longer.
impl Drop for AsyncRunEvents {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
