//! The native half of the Node package: each operation reads its arguments, makes one call to the crate `aks-acr`, and gives
//! the result back in core's JSON form. The JavaScript half gives names, classes and types to that.

#![cfg_attr(
    test,
    allow(dead_code, reason = "`#[napi]` exports nothing in a test program, which this crate has none of")
)]
#![expect(clippy::trivially_copy_pass_by_ref, reason = "`#[napi]` and napi's own methods pass `Env` so")]

mod argument;
mod call;
mod client;
mod credential;
mod error;
mod import;
mod kubeconfig;
mod operations;
mod registry;
mod rights;
mod words;
mod write;

/// The version of the package.
#[napi_derive::napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
