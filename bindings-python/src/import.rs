//! Imported images.

use crate::{
    argument::Parsed,
    calls::import_item,
    error::{invalid, to_py},
    value::{Several, methods, through_json},
    values::{Import, StartedImport},
};
use aks_acr::{ImportItem, ImportOptions};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyList, PyMapping, PyString},
};
use serde::{Deserialize, Serialize};
use std::{
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

impl StartedImport {
    /// The JSON form of a handle does not contain all fields.
    pub fn from_core(started: aks_acr::StartedImport) -> PyResult<Self> {
        match started {
            aks_acr::StartedImport::Started { handle } => Ok(Self::Started { handle: handle.into() }),
            other => through_json(&other),
        }
    }
}

/// An import that Azure is working on. It can be stored and polled later, also by another process.
///
/// Azure signed the link in it: someone who has the link may be able to follow the import, so keep the JSON form secret. Each poll
/// replaces the link; copies of the handle within a process share it.
#[pyclass(frozen, eq, hash, from_py_object, module = "aks_acr")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "aks_acr::ImportHandle", into = "aks_acr::ImportHandle")]
pub struct ImportHandle(Arc<Mutex<aks_acr::ImportHandle>>);

impl ImportHandle {
    pub fn present(&self) -> aks_acr::ImportHandle {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn take_over(&self, newer: aks_acr::ImportHandle) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = newer;
    }
}

impl From<aks_acr::ImportHandle> for ImportHandle {
    fn from(handle: aks_acr::ImportHandle) -> Self {
        Self(Arc::new(Mutex::new(handle)))
    }
}

impl From<ImportHandle> for aks_acr::ImportHandle {
    fn from(handle: ImportHandle) -> Self {
        handle.present()
    }
}

/// Compares the stored form, which does not include `retry_after`.
impl PartialEq for ImportHandle {
    fn eq(&self, other: &Self) -> bool {
        serde_json::to_value(self.present()).ok() == serde_json::to_value(other.present()).ok()
    }
}

impl Eq for ImportHandle {}

/// Hashes the fields that a poll does not change.
impl Hash for ImportHandle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let present = self.present();
        present.registry.as_str().hash(state);
        present.targets.hash(state);
    }
}

methods! { ImportHandle;
    #[classattr]
    fn __match_args__() -> Several<&'static str> {
        Several(vec!["registry", "targets"])
    }

    /// Resource id of the registry that is imported into.
    #[getter]
    fn registry(&self) -> String {
        self.present().registry.to_string()
    }

    /// `repository:tag` of each target, or the repository of one without a tag.
    #[getter]
    fn targets(&self) -> Several<String> {
        Several(self.present().targets)
    }

    /// Correlation ID of the request that started the import, as in Azure's activity log.
    #[getter]
    fn correlation_id(&self) -> Option<String> {
        self.present().correlation_id
    }

    /// How long Azure asks the client to wait before the next poll, if it says so.
    #[getter]
    fn asked_wait(&self) -> Option<Duration> {
        self.present().asked_wait()
    }
}

/// A handle, or the result of `start_import` that contains it.
pub struct Followed(pub ImportHandle);

impl FromPyObject<'_, '_> for Followed {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        match given.extract::<StartedImport>() {
            Ok(StartedImport::Started { handle }) => Ok(Self(handle)),
            Ok(StartedImport::AlreadyExists { .. }) => {
                Err(PyValueError::new_err("the image already exists: no import was started"))
            }
            Err(_) => Ok(Self(given.extract()?)),
        }
    }
}

/// An image in a list: its source, or a mapping with the source and options.
pub struct Item(pub ImportItem);

impl FromPyObject<'_, '_> for Item {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyString>() {
            let Parsed(source) = given.extract()?;
            return Ok(Self(ImportItem::new(source, ImportOptions::default())));
        }
        import_item(&*given.cast::<PyMapping>()?).map(Self)
    }
}

/// A list of images. A single name or mapping is rejected.
pub struct Items(pub Vec<ImportItem>);

impl FromPyObject<'_, '_> for Items {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>() || given.cast::<PyMapping>().is_ok()
        {
            let class = given.get_type().qualname()?;
            return Err(invalid(given.py(), format!("images: must be a list of images, not {class}")));
        }
        let Several(items) = given.extract::<Several<Item>>()?;
        Ok(Self(items.into_iter().map(|Item(image)| image).collect()))
    }
}

/// The result of each image in a list: the import or the exception.
#[derive(Clone)]
pub struct Outcomes(Arc<Vec<aks_acr::Result<aks_acr::Import>>>);

impl From<Vec<aks_acr::Result<aks_acr::Import>>> for Outcomes {
    fn from(results: Vec<aks_acr::Result<aks_acr::Import>>) -> Self {
        Self(Arc::new(results))
    }
}

impl<'py> IntoPyObject<'py> for Outcomes {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let list = PyList::empty(py);
        for result in self.0.iter() {
            match result {
                Ok(import) => list.append(through_json::<Import>(import)?)?,
                Err(err) => list.append(to_py(py, err).into_value(py))?,
            }
        }
        Ok(list)
    }
}
