//! Clouds by name or by address.

use crate::error::to_py;
use pyo3::{
    prelude::*,
    types::{PyDict, PyMapping},
};

/// One of Azure's clouds.
#[pyclass(frozen, eq, module = "aks_acr")]
#[derive(Clone, PartialEq, Eq)]
pub struct Cloud {
    pub cloud: aks_acr::Cloud,
    pub name: String,
}

impl Default for Cloud {
    fn default() -> Self {
        Self { cloud: aks_acr::Cloud::default(), name: "public".to_owned() }
    }
}

#[pymethods]
impl Cloud {
    /// Another cloud, or an emulator of one: the address of its Resource Manager, such as `https://localhost:8443`, and the ending
    /// of its login servers, such as `.azurecr.io`.
    ///
    /// `authority` is where tokens come from, for the default chain of credentials; without it, `AZURE_AUTHORITY_HOST` or else the
    /// Resource Manager's own address. `graph` is where Microsoft Graph is, such as `https://graph.microsoft.com`, for
    /// `query_graph`.
    #[staticmethod]
    #[pyo3(signature = (resource_manager, registry_suffix, *, authority = None, graph = None))]
    fn custom(
        py: Python<'_>,
        resource_manager: &str,
        registry_suffix: &str,
        authority: Option<&str>,
        graph: Option<&str>,
    ) -> PyResult<Self> {
        let cloud = aks_acr::Cloud::custom(resource_manager, registry_suffix);
        let cloud = cloud.and_then(|cloud| match authority {
            Some(authority) => cloud.with_authority(authority),
            None => Ok(cloud),
        });
        let cloud = cloud.and_then(|cloud| match graph {
            Some(graph) => cloud.with_graph(graph),
            None => Ok(cloud),
        });
        Ok(Self { cloud: cloud.map_err(|err| to_py(py, &err))?, name: resource_manager.to_owned() })
    }

    fn __repr__(&self) -> String {
        format!("<Cloud {}>", self.name)
    }
}

/// A cloud, its name, or a mapping of what `Cloud.custom` takes.
impl FromPyObject<'_, '_> for Cloud {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(cloud) = given.cast::<Self>() {
            return Ok(cloud.get().clone());
        }
        if let Ok(name) = given.extract::<&str>() {
            let cloud = name.parse().map_err(|err| to_py(given.py(), &err))?;
            return Ok(Self { cloud, name: name.to_owned() });
        }
        let arguments = PyDict::new(given.py());
        arguments.update(&*given.cast::<PyMapping>()?)?;
        // A missing or unknown key is named as an argument is.
        let custom = given.py().get_type::<Self>().call_method("custom", (), Some(&arguments))?;
        Ok(custom.cast::<Self>()?.get().clone())
    }
}
