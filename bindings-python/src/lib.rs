//! The native half of the Python package `aks-acr`.
#![forbid(unsafe_code)]

/// The module `aks_acr._native`.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
