//! The hook that sees writes.

use crate::call;
use aks_acr::{Write, WriteHook};
use napi::{
    Status, Unknown,
    bindgen_prelude::Function,
    threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use serde::Serialize;
use std::sync::mpsc;

/// What the JavaScript half makes of the caller's hook: it never throws, and gives why a write must not be sent, if it must not.
pub type OnWrite<'a> = Function<'a, Unknown<'static>, Option<String>>;

/// Weak: a client that is alive does not keep the process from exiting.
type Asking = ThreadsafeFunction<Asked, Option<String>, Unknown<'static>, Status, false, true>;

/// A write, and the number of its call.
#[derive(Serialize)]
pub struct Asked {
    value: Write,
    text: String,
    call: Option<u32>,
}

/// The caller's hook.
pub struct Hook(Asking);

impl Hook {
    /// Keeps the function for the life of a client.
    pub fn new(on_write: &OnWrite<'_>) -> napi::Result<Self> {
        let build = on_write.build_threadsafe_function().callee_handled::<false>().weak::<true>();
        let show = |asked: ThreadsafeCallContext<Asked>| asked.env.to_js_value(&asked.value);
        Ok(Self(build.build_callback(show)?))
    }
}

impl WriteHook for Hook {
    /// Waits for JavaScript's thread, which never waits for this one. Without an answer, for example because that thread is
    /// ending, nothing is sent.
    fn before(&self, write: &Write) -> Result<(), String> {
        let (sender, answer) = mpsc::channel();
        let hear = move |said: napi::Result<Option<String>>, _| {
            let _ = sender.send(said.unwrap_or_else(|err| Some(err.reason.clone())));
            Ok(())
        };
        let asked = Asked { value: write.clone(), text: write.to_string(), call: call::number() };
        self.0.call_with_return_value(asked, ThreadsafeFunctionCallMode::NonBlocking, hear);
        match tokio::task::block_in_place(|| answer.recv()) {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(reason),
            Err(_) => Err("it gave no answer".to_owned()),
        }
    }
}
