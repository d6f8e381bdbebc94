//! The native half of the Python package `aks-acr`: it converts arguments, makes one call of the crate `aks-acr`, and converts
//! the result back.
#![forbid(unsafe_code)]
#![expect(clippy::doc_markdown, reason = "doc comments are Python's docstrings here")]
#![expect(clippy::struct_field_names, reason = "the fields are named as core's, which is their JSON form")]
#![expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
#![expect(
    clippy::unsafe_derive_deserialize,
    reason = "the unsafe methods are PyO3's, and rely on nothing in the fields"
)]

mod answer;
mod argument;
mod call;
mod calls;
mod client;
mod cloud;
mod cluster;
mod credential;
mod error;
mod follow;
mod import;
mod interrupt;
mod raised;
mod record;
mod registry;
mod rights;
mod runtime;
mod value;
mod values;
mod word;
mod write;

/// The module `aks_acr._native`.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::{
        answer::Answer,
        call::{Call, Ending},
        calls::Calls,
        cloud::Cloud,
        cluster::Kubeconfig,
        follow::{AsyncRun, AsyncRunEvents, Run, RunEvents},
        import::ImportHandle,
        registry::RegistryToken,
        rights::{custom_role_json, required_rights},
        runtime::shut_down,
        value::load,
        values::words,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::values::register(module)
    }
}
