//! The runtime: our own threads, created at the first call in each process.
//!
//! A fork copies no threads. A child that makes a client gets its own runtime; a client made before the fork raises an error.

use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyDict};
use pyo3_async_runtimes::{
    TaskLocals,
    generic::{ContextExt, Runtime as AnyRuntime},
};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

/// How long running work may take to end at the interpreter's shutdown.
const PARTING: Duration = Duration::from_millis(500);

/// The runtime and the process that created it. Only threads that hold the interpreter take the lock, so no fork finds
/// it locked.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// Whether the interpreter is shutting down.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Runs work that needs the interpreter in one of our threads, unless the interpreter is shutting down: it stops a thread that still
/// waits for it, and with Rust frames below, that aborts the process. `shut_down` waits for work that has started, so the work must
/// be short. The caller's code may be long, so it runs in Python threads.
pub fn attached<R>(work: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    if ENDING.load(Ordering::SeqCst) {
        return None;
    }
    Python::try_attach(work)
}

/// The runtime of this process.
pub fn handle(_attached: Python<'_>) -> PyResult<Handle> {
    let mut held = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, runtime)) = held.as_ref().filter(|(process, _)| *process == std::process::id()) {
        return Ok(runtime.handle().clone());
    }
    let made = Builder::new_multi_thread().worker_threads(2).thread_name("aks-acr").enable_all().build()?;
    let handle = made.handle().clone();
    // Another exit handler may make a call after `shut_down`.
    ENDING.store(false, Ordering::SeqCst);
    // The threads of a runtime from before a fork do not exist here: it cannot be shut down.
    std::mem::forget(held.replace((std::process::id(), made)));
    Ok(handle)
}

/// Rejects an object that the parent of a forked child made: a fork copies no threads.
pub fn check_process(made_in: u32, what: &str) -> PyResult<()> {
    if made_in == std::process::id() {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(format!(
        "this {what} was made before the process forked, and a fork copies no threads and shares connections: \
         make a client in the child, or start children with the method 'spawn'"
    )))
}

/// Ends running work before the interpreter shuts down.
#[pyfunction]
pub fn shut_down(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    let held = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner).take();
    match held {
        Some((process, runtime)) if process == std::process::id() => py.detach(|| runtime.shutdown_timeout(PARTING)),
        from_another_process => std::mem::forget(from_another_process),
    }
}

/// Refuses to block a thread that runs an event loop.
pub fn check_no_loop_runs(py: Python<'_>) -> PyResult<()> {
    // If asyncio was not imported, no event loop runs.
    let Some(asyncio) = py.import("sys")?.getattr("modules")?.cast::<PyDict>()?.get_item("asyncio")? else {
        return Ok(());
    };
    if asyncio.call_method0("_get_running_loop")?.is_none() {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(
        "a blocking call would stop the event loop that runs in this thread: use aks_acr.aio.Client and await its methods",
    ))
}

tokio::task_local! {
    static LOCALS: TaskLocals;
}

/// The event loop and context of the coroutine that the current work belongs to, if any.
pub fn locals() -> Option<TaskLocals> {
    LOCALS.try_with(TaskLocals::clone).ok()
}

/// Our runtime, for the bridge to asyncio.
pub struct Ours;

impl AnyRuntime for Ours {
    type JoinError = tokio::task::JoinError;
    type JoinHandle = JoinHandle<()>;

    fn spawn<F: Future<Output = ()> + Send + 'static>(work: F) -> Self::JoinHandle {
        Handle::current().spawn(work)
    }

    fn spawn_blocking<F: FnOnce() + Send + 'static>(work: F) -> Self::JoinHandle {
        Handle::current().spawn_blocking(work)
    }
}

impl ContextExt for Ours {
    fn scope<F, R>(locals: TaskLocals, work: F) -> Pin<Box<dyn Future<Output = R> + Send>>
    where
        F: Future<Output = R> + Send + 'static,
    {
        Box::pin(LOCALS.scope(locals, work))
    }

    fn get_task_locals() -> Option<TaskLocals> {
        locals()
    }
}
