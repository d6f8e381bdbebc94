//! The native half of the Python package `aks-acr-emulator`: JSON in, JSON out.
#![forbid(unsafe_code)]

/// The module `aks_acr_emulator._emulator`.
#[pyo3::pymodule(gil_used = false)]
mod _emulator {
    use aks_acr_emulator::serve::{Background, OrderError, ServeError};
    use pyo3::exceptions::{PyLookupError, PyOSError, PyRuntimeError, PyValueError};
    use pyo3::prelude::*;
    use serde_json::Value;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    /// A running emulator.
    #[pyclass(frozen, module = "aks_acr_emulator._emulator")]
    struct Native(Background);

    #[pymethods]
    impl Native {
        #[new]
        fn new(py: Python<'_>, wanted: &str) -> PyResult<Self> {
            let wanted = read(wanted)?;
            py.detach(|| Background::start(wanted)).map(Self).map_err(|fault| not_started(&fault))
        }

        fn facts(&self) -> String {
            self.0.facts().to_string()
        }

        fn order(&self, py: Python<'_>, name: &str, body: &str) -> PyResult<String> {
            let body = read(body)?;
            let done = py.detach(|| self.0.order(name, body));
            done.map(|done| done.to_string()).map_err(|fault| refused(&fault))
        }

        fn look(&self, py: Python<'_>, name: &str, since: usize) -> PyResult<String> {
            let seen = py.detach(|| self.0.look(name, since));
            seen.map(|seen| seen.to_string()).map_err(|fault| refused(&fault))
        }

        fn client_of(&self, caller: &str) -> PyResult<(String, String)> {
            self.0.client_of(caller).map_err(|fault| refused(&fault))
        }

        fn token(&self, py: Python<'_>, caller: &str, scopes: Vec<String>) -> PyResult<(String, u64)> {
            let token = py.detach(|| self.0.token_now(caller, scopes));
            let token = token.map_err(|fault| PyRuntimeError::new_err(fault.to_string()))?;
            Ok((token.token, token.expires))
        }

        fn registry_id(&self, group: &str, name: &str) -> String {
            self.0.emulator().registry_id(group, name)
        }

        fn cluster_id(&self, group: &str, name: &str) -> String {
            self.0.emulator().cluster_id(group, name)
        }

        fn kubelet_object_id(&self, group: &str, name: &str) -> String {
            self.0.emulator().kubelet_object_id(group, name)
        }

        fn object_id(&self, caller: &str) -> String {
            self.0.emulator().object_id_of(caller)
        }

        fn digest(&self, image: &str) -> Option<String> {
            self.0.emulator().digest(image)
        }

        fn stop(&self, py: Python<'_>) {
            py.detach(|| self.0.stop());
        }
    }

    fn read(text: &str) -> PyResult<Value> {
        serde_json::from_str(text).map_err(|fault| PyValueError::new_err(fault.to_string()))
    }

    fn refused(fault: &OrderError) -> PyErr {
        let text = fault.to_string();
        if fault.is_missing() { PyLookupError::new_err(text) } else { PyValueError::new_err(text) }
    }

    fn not_started(fault: &ServeError) -> PyErr {
        let text = fault.to_string();
        if fault.is_system() { PyOSError::new_err(text) } else { PyValueError::new_err(text) }
    }
}
