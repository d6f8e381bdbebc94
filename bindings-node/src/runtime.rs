//! The one place where a future becomes a promise.

use crate::error::Result;
use napi::{Env, Unknown, bindgen_prelude::PromiseRaw};
use std::future::Future;

/// A promise of the result of `work`, made a value of JavaScript by `show`. An `async fn` under `#[napi]` could not give an error its
/// fields, so the error passes the threads as data and becomes an object on JavaScript's.
pub fn promise<T: Send + 'static>(
    env: &Env,
    work: impl Future<Output = Result<T>> + Send + 'static,
    show: impl FnOnce(&Env, T) -> napi::Result<Unknown<'_>> + Send + 'static,
) -> napi::Result<PromiseRaw<'_, Unknown<'_>>> {
    env.spawn_future_with_callback(async move { Ok(work.await) }, |env, done| match done {
        Ok(value) => show(env, value),
        Err(fault) => Err(fault.into_js(env)),
    })
}
