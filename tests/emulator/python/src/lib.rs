//! The native half of the Python package `aks-acr-emulator`.
#![forbid(unsafe_code)]

/// The module `aks_acr_emulator._emulator`.
#[pyo3::pymodule(gil_used = false)]
mod _emulator {
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
