//! The operations, each as a call that has not started.

#[expect(clippy::doc_link_with_quotes, reason = "examples in Python have lists of text")]
mod operations;

pub use operations::import_item;

use crate::{client::Held, cloud::Cloud, record::send_to_logging};
use pyo3::prelude::*;

/// The operations of a client. Each method returns a call that has not started.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct Calls(Held);

#[pymethods]
impl Calls {
    #[new]
    #[pyo3(signature = (credential, subscription_id, *, cloud = None, proxy = None, ca = None, read_only = false, on_write = None))]
    fn new(
        py: Python<'_>,
        credential: Option<Bound<'_, PyAny>>,
        subscription_id: &str,
        cloud: Option<Cloud>,
        proxy: Option<&str>,
        ca: Option<&str>,
        read_only: bool,
        on_write: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        send_to_logging(py)?;
        Held::new(py, credential, subscription_id, cloud.unwrap_or_default(), proxy, ca, read_only, on_write).map(Self)
    }

    /// The subscription in which names are looked up.
    #[getter]
    fn subscription_id(&self) -> &str {
        &self.0.subscription_id
    }

    /// The cloud's name, or the URL of its Resource Manager.
    #[getter]
    fn cloud(&self) -> &str {
        &self.0.cloud
    }

    /// Cancels running calls and releases its connections and the credential.
    fn close(&self) {
        self.0.close();
    }
}
