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

/// How long the work that is under way may take to end when the interpreter does.
const PARTING: Duration = Duration::from_millis(500);

/// The runtime, and the process that it was made in. The lock is held by threads that hold the interpreter, so that no fork finds
/// it taken.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// Whether the interpreter is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Does in a thread of ours what needs the interpreter, if that is not about to end: a thread that still waits for it then is stopped
/// where it is, and the frames of Rust below make an abort of that. What is begun before is waited for by `shut_down`, so it has to
/// be short: code of the caller's is not, and has threads of Python's.
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
    // What makes a call after `shut_down` is another part of the program that runs at its end.
    ENDING.store(false, Ordering::SeqCst);
    // Threads of a runtime from before a fork do not exist here: it cannot be shut down.
    std::mem::forget(held.replace((std::process::id(), made)));
    Ok(handle)
}

/// Refuses in a forked child what its parent made: a fork copies no threads.
pub fn check_process(made_in: u32, what: &str) -> PyResult<()> {
    if made_in == std::process::id() {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(format!(
        "this {what} was made before the process forked, and a fork copies no threads and shares connections: \
         make a client in the child, or start children with the method 'spawn'"
    )))
}

/// Ends the work that is under way, before the interpreter does.
#[pyfunction]
pub fn shut_down(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
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
