//! Writes, and the hook that sees them.

use crate::{
    value::{Json, through_json, value},
    word::Word,
};
use aks_acr::{WriteHook, WriteService};
use pyo3::prelude::*;
use tokio::task::block_in_place;

value! {
    /// A request that changes something, before it is sent. `str()` is a line for a reader.
    pub struct Write {
        /// Who would be asked.
        service: Word<WriteService>,
        /// The method of HTTP, such as `PUT`.
        method: String,
        /// The resource id, or the cluster's resource id and the path in its API.
        target: String,
        /// The action that Azure checks. `None` for Kubernetes.
        action: Option<String>,
        /// What it is for, in words.
        step: String,
        /// What would be sent, without what may be secret: to Azure the body with such values replaced, to Kubernetes the object's
        /// kind, name and namespace.
        body: Option<Json>,
    }
    impl {
        fn __str__(&self) -> PyResult<String> {
            Ok(through_json::<aks_acr::Write>(self)?.to_string())
        }
    }
}

/// The caller's hook.
pub struct Hook(pub Py<PyAny>);

impl WriteHook for Hook {
    /// In a thread of ours, whose other work goes on elsewhere meanwhile.
    fn before(&self, write: &aks_acr::Write) -> Result<(), String> {
        let asked = block_in_place(|| Python::try_attach(|py| self.ask(py, write).map_err(|err| err.to_string())));
        asked.unwrap_or_else(|| Err("it could not be asked: the interpreter is ending".to_owned()))
    }
}

impl Hook {
    fn ask(&self, py: Python<'_>, write: &aks_acr::Write) -> PyResult<()> {
        let said = self.0.bind(py).call1((through_json::<Write>(write)?,))?;
        if said.hasattr("__await__")? {
            // What it comes to would be too late, so it may not pass for a yes. A coroutine that is closed complains of nothing.
            if said.hasattr("close")? {
                said.call_method0("close")?;
            }
            return Err(pyo3::exceptions::PyTypeError::new_err("it returned an awaitable, and must answer at once"));
        }
        if said.extract::<bool>().is_ok_and(|may_be_sent| !may_be_sent) {
            return Err(pyo3::exceptions::PyPermissionError::new_err("it returned False"));
        }
        Ok(())
    }
}
