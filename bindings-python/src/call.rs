//! A call that has not started, and the three ways to make it: blocking, as a coroutine, event by event.

use crate::{
    error::to_py,
    follow::{AsyncRun, Note, Run, take_note, wait_for},
    interrupt::{Interrupt, is_interrupt},
    runtime::{Ours, attached, check_no_loop_runs, handle},
    value::through_json,
    values::Event,
};
use aks_acr::{CallOptions, CancellationToken};
use pyo3::{
    IntoPyObjectExt as _,
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
};
use pyo3_async_runtimes::{TaskLocals, generic::future_into_py_with_locals};
use serde::Serialize;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How a call ended. The result or the exception can be read more than once.
pub type Outcome = Arc<dyn Fn(Python<'_>) -> PyResult<Py<PyAny>> + Send + Sync>;
pub type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Begin = Box<dyn FnOnce(CallOptions) -> Work + Send>;

/// The options of every call, and what cancels it from outside.
pub struct Manner {
    pub deadline: Option<Duration>,
    pub on_progress: Option<Py<PyAny>>,
    /// Cancelled when the client is closed.
    pub closed: CancellationToken,
}

/// A call that has not started.
#[pyclass(frozen, generic, module = "aks_acr._native")]
pub struct Call {
    begin: Mutex<Option<Begin>>,
    manner: Manner,
}

/// The end of a call whose result cannot be converted.
fn raised(err: PyErr) -> Outcome {
    Arc::new(move |py| Err(err.clone_ref(py)))
}

/// The end of a call that failed.
fn failed(err: aks_acr::Error) -> Outcome {
    Arc::new(move |py| Err(to_py(py, &err)))
}

impl Call {
    /// A call whose result is read from its JSON form.
    pub fn new<O, T, W>(manner: Manner, begin: impl FnOnce(CallOptions) -> W + Send + 'static) -> Self
    where
        O: for<'py> IntoPyObject<'py> + serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
        T: Serialize,
        W: Future<Output = aks_acr::Result<T>> + Send + 'static,
    {
        Self::converting(manner, begin, |value| through_json::<O>(&value))
    }

    /// A call whose result is converted by `convert`.
    pub fn converting<O, T, W>(
        manner: Manner,
        begin: impl FnOnce(CallOptions) -> W + Send + 'static,
        convert: impl FnOnce(T) -> PyResult<O> + Send + 'static,
    ) -> Self
    where
        O: for<'py> IntoPyObject<'py> + Clone + Send + Sync + 'static,
        W: Future<Output = aks_acr::Result<T>> + Send + 'static,
    {
        let begin: Begin = Box::new(|call| {
            let work = begin(call);
            Box::pin(async move {
                let outcome: Outcome = match work.await.map(convert) {
                    Ok(Ok(value)) => Arc::new(move |py| value.clone().into_py_any(py)),
                    Ok(Err(err)) => raised(err),
                    Err(err) => failed(err),
                };
                outcome
            })
        });
        Self { begin: Mutex::new(Some(begin)), manner }
    }

    /// The work, which reports its events to `tell`, and the token that cancels it.
    fn begin(
        &self,
        tell: Option<impl Fn(aks_acr::Event) + Send + Sync + 'static>,
    ) -> PyResult<(Work, CancellationToken)> {
        let interrupt = Interrupt::of(self.manner.closed.child_token());
        let cancel = interrupt.cancel();
        Ok((self.begin_with(tell, interrupt)?, cancel))
    }

    fn begin_with(
        &self,
        tell: Option<impl Fn(aks_acr::Event) + Send + Sync + 'static>,
        interrupt: Interrupt,
    ) -> PyResult<Work> {
        let begin = self.begin.lock().unwrap_or_else(PoisonError::into_inner).take();
        let begin = begin.ok_or_else(|| PyRuntimeError::new_err("this call was already made"))?;
        let mut options = CallOptions::default().with_cancel(interrupt.cancel());
        options.deadline = self.manner.deadline;
        if let Some(tell) = tell {
            options = options.with_progress(tell);
        }
        let work = begin(options);
        Ok(Box::pin(async move {
            let outcome = interrupt.clone().scope(work).await;
            let outcome: Outcome = Arc::new(move |py| match interrupt.raised(py) {
                Some(err) => Err(err),
                None => outcome(py),
            });
            outcome
        }))
    }

    fn listener(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.manner.on_progress.as_ref().map(|listener| listener.clone_ref(py))
    }

    fn refuse_listener(&self) -> PyResult<()> {
        if self.manner.on_progress.is_none() {
            return Ok(());
        }
        Err(PyTypeError::new_err("on_progress: not accepted by follow; iterate the run for its events"))
    }
}

#[pymethods]
impl Call {
    /// Makes the call and waits until it ends. Other threads keep running; Ctrl-C stops it.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        check_no_loop_runs(py)?;
        let listener = self.listener(py);
        let (tell, heard) = mpsc::channel();
        let sender = tell.clone();
        let (work, cancel) = self.begin(listener.is_some().then_some(move |event| {
            // The receiver is gone: the call is being cancelled.
            let _ = sender.send(Note::Event(event));
        }))?;
        let _left = cancel.drop_guard();
        let heard = Mutex::new(heard);
        handle(py)?.spawn(async move {
            let _ = tell.send(Note::Done(work.await));
        });
        loop {
            match wait_for(py, || take_note(&heard))? {
                Note::Done(outcome) => return outcome(py),
                Note::Event(event) => listener.as_ref().map_or(Ok(()), |listener| hear(py, listener, &event))?,
            }
        }
    }

    /// Makes the call; the caller awaits the returned object.
    fn start<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let locals = TaskLocals::with_running_loop(py)?.copy_context(py)?;
        let (tell, heard) = unbounded_channel();
        let interrupt = Interrupt::of(self.manner.closed.child_token());
        let cancel = interrupt.cancel();
        let listener = self.listener(py).map(|listener| {
            let ending = Py::new(py, Ending(interrupt.clone()))?;
            PyResult::Ok(Listener { listener, ending, locals: locals.clone() })
        });
        let listener = listener.transpose()?;
        let work = self.begin_with(
            listener.is_some().then_some(move |event| {
                let _ = tell.send(event);
            }),
            interrupt,
        )?;
        let runtime = handle(py)?;
        let _entered = runtime.enter();
        future_into_py_with_locals::<Ours, _, _>(py, locals, async move {
            let _left = cancel.drop_guard();
            Ok(Returned(drive(work, heard, listener).await))
        })
    }

    /// Makes the call and returns its run, outside any event loop.
    fn run(&self, py: Python<'_>) -> PyResult<Run> {
        check_no_loop_runs(py)?;
        self.refuse_listener()?;
        let (tell, heard) = mpsc::channel();
        let sender = tell.clone();
        let (work, cancel) = self.begin(Some(move |event| {
            let _ = sender.send(Note::Event(event));
        }))?;
        handle(py)?.spawn(async move {
            let _ = tell.send(Note::Done(work.await));
        });
        Ok(Run::new(heard, cancel))
    }

    /// Makes the call and returns its run, for coroutines of the running event loop.
    fn async_run(&self, py: Python<'_>) -> PyResult<AsyncRun> {
        self.refuse_listener()?;
        let locals = TaskLocals::with_running_loop(py)?.copy_context(py)?;
        let (tell, heard) = unbounded_channel();
        let (work, cancel) = self.begin(Some(move |event| {
            let _ = tell.send(event);
        }))?;
        Ok(AsyncRun::new(&handle(py)?, locals, work, heard, cancel))
    }
}

/// An outcome to hand to a coroutine.
pub struct Returned(pub Outcome);

impl<'py> IntoPyObject<'py> for Returned {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Ok((self.0)(py)?.into_bound(py))
    }
}

/// Ends, from the event loop's thread, a call that a coroutine awaits.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct Ending(Interrupt);

#[pymethods]
impl Ending {
    /// Ends the call with this exception.
    fn raised(&self, error: Bound<'_, PyAny>) {
        self.0.end(PyErr::from_value(error));
    }
}

/// Receives the events of a coroutine's call, in the loop's thread.
struct Listener {
    listener: Py<PyAny>,
    /// Ends the call if the listener raises `KeyboardInterrupt` or the like.
    ending: Py<Ending>,
    locals: TaskLocals,
}

impl Listener {
    async fn hear(self: Arc<Self>, event: aks_acr::Event) {
        let called = tokio::task::spawn_blocking(move || {
            attached(|py| {
                let delivered = through_json::<Event>(&event).and_then(|event| {
                    let hear = py.import("aks_acr._ask")?.getattr("hear")?;
                    let event_loop = self.locals.event_loop(py);
                    event_loop.call_method1("call_soon_threadsafe", (hear, &self.listener, event, &self.ending))
                });
                if let Err(err) = delivered {
                    err.write_unraisable(py, Some(self.listener.bind(py)));
                }
            })
        });
        // A panic of the listener is already reported; the work continues.
        let _ = called.await;
    }
}

/// Does the work and reports all its events, in order, before it returns.
async fn drive(mut work: Work, mut heard: UnboundedReceiver<aks_acr::Event>, listener: Option<Listener>) -> Outcome {
    let Some(listener) = listener.map(Arc::new) else { return work.await };
    let outcome = loop {
        tokio::select! {
            biased;
            Some(event) = heard.recv() => listener.clone().hear(event).await,
            outcome = &mut work => break outcome,
        }
    };
    while let Ok(event) = heard.try_recv() {
        listener.clone().hear(event).await;
    }
    outcome
}

/// Passes an event to the listener. An exception is reported and the call continues; only Ctrl-C and the like end it.
fn hear(py: Python<'_>, listener: &Py<PyAny>, event: &aks_acr::Event) -> PyResult<()> {
    match listener.call1(py, (through_json::<Event>(event)?,)) {
        Err(err) if !is_interrupt(py, &err) => {
            err.write_unraisable(py, Some(listener.bind(py)));
            Ok(())
        }
        heard => heard.map(|_| ()),
    }
}
