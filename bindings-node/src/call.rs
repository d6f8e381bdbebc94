//! One call: what stops it, and who hears of its steps.

use crate::argument::Millis;
use aks_acr::{CallOptions, CancellationToken, Event, Progress};
use napi::{
    Status, Unknown,
    bindgen_prelude::Function,
    threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use serde::Serialize;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::oneshot;

/// Weak: a listener does not keep the process from exiting.
type Listener = ThreadsafeFunction<Option<Event>, (), Unknown<'static>, Status, false, true>;

tokio::task_local! {
    /// The number of the call that the present work is done for.
    static NUMBER: u32;
}

/// The number of the next call.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The number of the call that the present work is done for, if it is done for one.
pub fn number() -> Option<u32> {
    NUMBER.try_with(|number| *number).ok()
}

/// A call that is about to be made, or is running.
#[napi]
pub struct Call {
    number: u32,
    cancel: CancellationToken,
    listener: Option<Arc<Listener>>,
}

/// A value and the line of text that it reads as.
#[derive(Serialize)]
pub struct Shown<T> {
    value: T,
    text: String,
}

impl<T: ToString> From<T> for Shown<T> {
    fn from(value: T) -> Self {
        Self { text: value.to_string(), value }
    }
}

#[napi]
impl Call {
    /// A call whose listener hears each event, and `null` after the last.
    #[napi(constructor)]
    pub fn new(listener: Option<Function<'_, Unknown<'static>, ()>>) -> napi::Result<Self> {
        let build = |function: Function<'_, Unknown<'static>, ()>| {
            let weak = function.build_threadsafe_function().callee_handled::<false>().weak::<true>();
            weak.build_callback(|told: ThreadsafeCallContext<Option<Event>>| {
                told.env.to_js_value(&told.value.map(Shown::from))
            })
        };
        let listener = listener.map(build).transpose()?.map(Arc::new);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self { number, cancel: CancellationToken::new(), listener })
    }

    /// The number that identifies the call in the caller's hooks.
    #[napi(getter)]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Cancels the call, begun or not.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl Call {
    /// Does the call's work, so that hooks learn which call they are asked for.
    pub fn scope<W: Future>(&self, work: W) -> impl Future<Output = W::Output> + use<W> {
        NUMBER.scope(self.number, work)
    }

    /// Core's options for it.
    pub fn options(&self, deadline: Option<Millis>) -> CallOptions {
        let mut options = of_deadline(deadline).with_cancel(self.cancel.clone());
        options.progress = self.listener.clone().map(|listener| Arc::new(Reported(listener)) as Arc<dyn Progress>);
        options
    }

    /// Waits until the listener has heard every event. It is weak and would let Node exit meanwhile; the promise that waits
    /// here does not.
    pub fn heard(&self) -> impl FnOnce() -> oneshot::Receiver<()> + Send + use<> {
        let listener = self.listener.clone();
        move || {
            let (sender, receiver) = oneshot::channel();
            if let Some(listener) = listener {
                // Dropped without being called if the environment is torn down: then no listener is left.
                let told = move |_, _| {
                    let _ = sender.send(());
                    Ok(())
                };
                listener.call_with_return_value(None, ThreadsafeFunctionCallMode::NonBlocking, told);
            }
            receiver
        }
    }
}

/// Core's options with nothing but a deadline.
pub fn of_deadline(deadline: Option<Millis>) -> CallOptions {
    let mut options = CallOptions::default();
    options.deadline = deadline.map(|millis| millis.0);
    options
}

struct Reported(Arc<Listener>);

impl Progress for Reported {
    fn event(&self, event: Event) {
        self.0.call(Some(event), ThreadsafeFunctionCallMode::NonBlocking);
    }
}
