//! What runs in a cluster, and how it is entered.

use crate::{
    attach::Attachment,
    difference::Difference,
    error::to_py,
    pull::PullFailure,
    value::{Several, Time, through_json, value},
    word::Word,
};
use aks_acr::MergeOutcome;
use pyo3::{prelude::*, types::PyTuple};

value! {
    /// A cluster as Azure has it.
    pub struct Cluster {
        /// Its resource id.
        id: String,
        /// The region.
        location: String,
        /// The service's word for its state, such as `Succeeded` or `Updating`.
        state: String,
        /// The version of Kubernetes that runs.
        kubernetes_version: String,
        /// Such as `Free`.
        tier: String,
        /// The nodes of its first system pool. `None` where Azure states no count, as for a pool of several sizes.
        node_count: Option<u32>,
        /// The size of those; empty where Azure states none.
        vm_size: String,
        /// The host of its API server, once it has one.
        host: Option<String>,
    }
}

value! {
    /// A cluster that is there now, and what its nodes can pull from.
    pub struct CreatedCluster {
        /// The cluster.
        cluster: Cluster,
        /// `False`: it was there, or was being made already, and was left as it is.
        is_new: bool,
        /// In what one that was there differs from the one that would have been made.
        differences: Several<Difference>,
        /// What was found or done at each registry, in the order in which they were given.
        attachments: Several<Attachment>,
        /// By this Azure's activity log knows the write. `None` where nothing was written, or where its answer was lost.
        correlation_id: Option<String>,
    }
}

value! {
    /// A kubeconfig that is in a file now.
    pub struct MergedKubeconfig {
        /// The file that has the entries. Where it is a link, what that leads to was written.
        file: String,
        /// The name of the context.
        context: String,
        /// What was done to the entries.
        outcome: Word<MergeOutcome>,
        /// The context that was the current one, if there was one.
        previous_context: Option<String>,
        /// Whether the current context was changed.
        current_context_changed: bool,
        /// Whether the file's mode lets others than its owner read or write it. It had this mode before; the keys in it are
        /// theirs, too.
        is_open_to_others: bool,
    }
}

value! {
    /// An object that was applied. `str()` is `kind/name`.
    pub struct Applied {
        /// Such as `Deployment`.
        kind: String,
        /// Its name.
        name: String,
        /// Its namespace, where its kind has one.
        namespace: Option<String>,
        /// Whether it was not there before.
        is_new: bool,
    }
}

value! {
    /// A deployment that runs as its specification says.
    pub struct Rollout {
        /// Replicas that are ready.
        ready: u32,
        /// Replicas that are wanted.
        wanted: u32,
    }
}

value! {
    /// A pod.
    pub struct Pod {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// What kubectl shows as STATUS, such as `Running` or `ImagePullBackOff`.
        status: String,
        /// Containers that are ready, sidecars included.
        ready: u32,
        /// Containers that it has, sidecars included.
        containers: u32,
        /// How often its containers were started again.
        restarts: u32,
        /// When one of them last ended, if that is known.
        last_restart: Option<Time>,
        /// When it was made.
        created: Option<Time>,
        /// The node that it runs on, once it has one.
        node: Option<String>,
        /// Digest or id of the image that its first container runs, once it does.
        image_id: Option<String>,
        /// Why an image of it is not pulled, if one is not.
        pull_failure: Option<PullFailure>,
    }
}

value! {
    /// The pods of a namespace, by name. `str()` is the table that kubectl prints; a notebook shows it too.
    pub struct Pods {
        /// The pods, by name.
        pods: Several<Pod>,
        /// The cluster's own time when it told of them: ages count to it.
        at: Time,
    }
    impl {
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

/// A kubeconfig that Azure made for a cluster. It holds keys: only `text` shows them.
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
