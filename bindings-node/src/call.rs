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
use std::sync::Arc;
use tokio::sync::oneshot;

/// Weak: a listener does not keep the process from exiting.
type Listener = ThreadsafeFunction<Option<Event>, (), Unknown<'static>, Status, false, true>;

/// A call that is about to be made, or is under way.
#[napi]
pub struct Call {
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
        Ok(Self { cancel: CancellationToken::new(), listener })
    }

    /// Cancels the call, begun or not.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl Call {
    /// Core's options for it.
    pub fn options(&self, deadline: Option<Millis>) -> CallOptions {
        let mut options = CallOptions::default().with_cancel(self.cancel.clone());
        options.deadline = deadline.map(|millis| millis.0);
        options.progress = self.listener.clone().map(|listener| Arc::new(Told(listener)) as Arc<dyn Progress>);
        options
    }

    /// Waits until the listener has heard every event. It is weak and would let Node exit meanwhile; the promise that waits
    /// here does not.
    pub fn heard(&self) -> impl FnOnce() -> oneshot::Receiver<()> + Send + use<> {
        let listener = self.listener.clone();
        move || {
            let (sender, receiver) = oneshot::channel();
            if let Some(listener) = listener {
                // Dropped without being called where the environment is torn down: then there is nobody to hear.
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

struct Told(Arc<Listener>);

impl Progress for Told {
    fn event(&self, event: Event) {
        self.0.call(Some(event), ThreadsafeFunctionCallMode::NonBlocking);
    }
}
