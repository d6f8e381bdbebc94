//! What runs in a cluster, and how it is entered.

use crate::{error::to_py, value::through_json, values::Pods};
use pyo3::{prelude::*, types::PyTuple};

#[pymethods]
impl Pods {
    fn __len__(&self) -> usize {
        self.pods.0.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.pods.clone().into_pyobject(py)?.try_iter()?.into_any())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.pods.clone().into_pyobject(py)?.as_any().get_item(index)
    }

    fn _repr_html_(&self) -> PyResult<String> {
        Ok(html(&through_json::<aks_acr::Pods>(self)?.rows()))
    }
}

fn html(rows: &[[String; 5]]) -> String {
    let escape = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let line = |row: &[String; 5], cell: &str| {
        let cells = row.each_ref().map(escape).join(&format!("</{cell}><{cell}>"));
        format!("<tr><{cell}>{cells}</{cell}></tr>")
    };
    let (header, pods) = rows.split_at(1);
    let lines: Vec<String> =
        header.iter().map(|row| line(row, "th")).chain(pods.iter().map(|row| line(row, "td"))).collect();
    format!("<table>{}</table>", lines.concat())
}

/// A kubeconfig that Azure generated for a cluster. It contains keys; only `text` shows them.
#[pyclass(frozen, eq, hash, module = "aks_acr")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Kubeconfig {
    text: String,
    /// Address of the Kubernetes API.
    #[pyo3(get)]
    server: String,
    /// Name of the current context.
    #[pyo3(get)]
    context: String,
}

impl From<aks_acr::Kubeconfig> for Kubeconfig {
    fn from(kubeconfig: aks_acr::Kubeconfig) -> Self {
        let [text, server, context] = [kubeconfig.text(), kubeconfig.server(), kubeconfig.context()].map(str::to_owned);
        Self { text, server, context }
    }
}

#[pymethods]
impl Kubeconfig {
    /// Reads a kubeconfig's text.
    #[new]
    fn new(py: Python<'_>, text: &str) -> PyResult<Self> {
        aks_acr::Kubeconfig::parse(text).map(Self::from).map_err(|err| to_py(py, &err))
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("server", "context")
    }

    /// The whole text. It is a secret.
    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    fn __repr__(this: &Bound<'_, Self>) -> PyResult<String> {
        crate::value::repr(this.as_any())
    }

    /// One readable line, without the keys.
    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        aks_acr::Kubeconfig::parse(&self.text).map(|kubeconfig| kubeconfig.to_string()).map_err(|err| to_py(py, &err))
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        (this.get_type(), (&this.get().text,)).into_pyobject(this.py())
    }
}
