//! Where the work runs: threads of our own, made at the first call, in each process that makes one.
//!
//! A fork copies no threads. A child that makes a client gets a runtime of its own; a client that was made before the fork says so.

use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyDict};
use pyo3_async_runtimes::{
    TaskLocals,
    generic::{ContextExt, Runtime as AnyRuntime},
};
use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

/// How long the work that is under way may take to end when the interpreter does.
const PARTING: Duration = Duration::from_millis(500);

/// The runtime, and the process that it was made in. The lock is held by threads that hold the interpreter, so that no fork finds
/// it taken.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// The runtime of this process.
pub fn handle(_attached: Python<'_>) -> PyResult<Handle> {
    let mut held = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, runtime)) = held.as_ref().filter(|(process, _)| *process == std::process::id()) {
        return Ok(runtime.handle().clone());
    }
    let made = Builder::new_multi_thread().worker_threads(2).thread_name("aks-acr").enable_all().build()?;
    let handle = made.handle().clone();
    // Threads of a runtime from before a fork do not exist here: it cannot be shut down.
    std::mem::forget(held.replace((std::process::id(), made)));
    Ok(handle)
}

/// Ends the work that is under way, before the interpreter does.
#[pyfunction]
pub fn shut_down(py: Python<'_>) {
    let held = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner).take();
    match held {
        Some((process, runtime)) if process == std::process::id() => py.detach(|| runtime.shutdown_timeout(PARTING)),
        from_another_process => std::mem::forget(from_another_process),
    }
}

/// Refuses to block a thread in which coroutines wait for their turn.
pub fn check_no_loop_runs(py: Python<'_>) -> PyResult<()> {
    // Where nobody has imported asyncio, no loop of it runs.
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

/// The loop and the context of the coroutine that the present work is done for, if it is done for one.
pub fn locals() -> Option<TaskLocals> {
    LOCALS.try_with(TaskLocals::clone).ok()
}

/// Our runtime, as the bridge to asyncio wants it.
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
