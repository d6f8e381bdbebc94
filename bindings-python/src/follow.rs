//! Runs: calls under way whose events are iterated.
//!
//! The end of the events raises what ended the work, if it failed; leaving them early cancels it.

use crate::{
    call::{Outcome, Told, Work},
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

/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(50);

/// What a call under way says.
pub enum Note {
    Event(aks_acr::Event),
    Done(Outcome),
}

/// Waits for what `take` takes within a tick, without keeping other threads from Python.
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

/// The next note of a call.
pub fn take_note(heard: &Mutex<Receiver<Note>>) -> Result<Note, RecvTimeoutError> {
    heard.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK)
}

fn broken_off() -> PyErr {
    PyRuntimeError::new_err("the call was broken off: it panicked, or the interpreter is ending")
}

/// A run and its events share this; when nobody holds it any more, the work is cancelled.
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

    /// One thread at a time: the note that is the last is kept before another looks.
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
    /// Nothing is done in a forked child, where none of the threads is that could be in the middle of it.
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

/// A call under way: iterate it for its events, then ask for its result.
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

    /// Waits for the end, and gives the result. Events that nobody iterated are left out.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        while self.0.next(py)?.is_some() {}
        self.0.end(py)
    }

    /// Stops the work. What Azure has begun goes on. It may be called from any thread.
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

/// A loop that was left early lets go of its iterator: nobody waits any more.
impl Drop for RunEvents {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What an asynchronous run and its events share.
struct AsyncShared {
    heard: AsyncMutex<UnboundedReceiver<aks_acr::Event>>,
    outcome: watch::Receiver<Option<Outcome>>,
    locals: TaskLocals,
    cancel: CancellationToken,
    process: u32,
}

impl AsyncShared {
    async fn end(&self) -> PyResult<Told> {
        let mut outcome = self.outcome.clone();
        let ended = outcome.wait_for(Option::is_some).await.map_err(|_| broken_off())?;
        ended.clone().map(Told).ok_or_else(broken_off)
    }

    async fn next(&self) -> PyResult<Event> {
        if let Some(event) = self.heard.lock().await.recv().await {
            return through_json(&event);
        }
        let Told(outcome) = self.end().await?;
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

/// A call under way: iterate it by `async for` for its events, then await it for its result.
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
            // Nobody waits any more if this fails.
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

    /// Stops the work. What Azure has begun goes on. It may be called from any thread.
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

/// A loop that was left early lets go of its iterator: nobody waits any more.
impl Drop for AsyncRunEvents {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
