//! The one place where a future becomes a promise, and the form that every operation has.

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

/// Methods of the client, each from a block that reads its arguments and ends with the future that does the work.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($client:ident, $call:ident; $($argument:ident),*) $read:block)*) => {
        #[napi_derive::napi]
        impl Client {
            $(
                $(#[$doc])*
                #[napi]
                pub fn $name<'env>(
                    &self,
                    env: &'env napi::Env,
                    $call: &crate::call::Call,
                    $($argument: napi::Unknown<'_>,)*
                ) -> napi::Result<napi::bindgen_prelude::PromiseRaw<'env, napi::Unknown<'env>>> {
                    self.run(env, $call, |$client| Ok($read))
                }
            )*
        }
    };
}

pub(crate) use operations;
