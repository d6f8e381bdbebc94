//! Clusters: making one, access to one, deploying to it, watching its pods.

mod apply_options;
mod azure;
mod body;
mod create;
mod credentials;
mod kubeconfig;
mod kubernetes;
pub(crate) mod manifest;
pub(crate) mod pods;
mod reference;
mod workload;

pub use apply_options::ApplyOptions;
pub use azure::AzureClusterDeployer;
pub(crate) use body::{API as CLUSTER_API, ClusterBody, about, get_cluster, list_clusters};
pub(crate) use create::NODES;
pub use create::{Cluster, ClusterCreation, ClusterTier, NewCluster, SshKey};
pub(crate) use kubeconfig::Places;
pub use kubeconfig::{
    Access, Kubeconfig, KubeconfigOptions, MergeKubeconfigOptions, MergeOutcome, MergedKubeconfig, OnExistingEntry,
};
pub use manifest::Manifest;
pub use pods::{Pod, Pods};
pub use reference::ClusterRef;
pub(crate) use reference::TYPE;
pub use workload::WorkloadRef;

use crate::{call::Call, error::Result};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{fmt, ops::ControlFlow, time::Duration};

/// Makes a cluster, gives access to it, deploys to it and watches its pods.
///
/// - `start_create` ends when Azure has accepted the cluster. One that is there is never written: where it is still being made,
///   that is what is begun; where it is made, it is the answer, with what differs; one that failed, or is being deleted, is an error that
///   names its state.
/// - `start_create` takes a cluster for absent only where Azure says so: not where the caller may not look, or no answer came.
/// - `start_create` registers no resource provider, and makes no SSH key, unless it was asked to.
/// - `finish_create` waits for a cluster by whomever it was begun, and tells the operation's own words.
/// - `kubeconfig` writes no file and starts no program. One that names a program other than `kubelogin`, a file, a proxy or a server of
///   others is an error that names the field, and so it is for what works through it.
/// - `apply` looks up the kinds of all objects before it writes the first; it is server-side apply, so a second time changes
///   nothing.
/// - `wait_for_rollout` ends when every replica is ready, or at a cause that does not pass.
/// - `pods` of a namespace without pods is an empty list.
/// - `watch` tells the pods that are there first, then each change.
#[async_trait]
pub trait ClusterDeployer: fmt::Debug + Send + Sync + 'static {
    /// Begins to make a cluster unless it exists.
    async fn start_create(&self, cluster: &NewCluster, call: &Call) -> Result<ClusterCreation>;
    /// Waits until a cluster is made.
    async fn finish_create(&self, creation: ClusterCreation, call: &Call) -> Result<Cluster>;
    /// The cluster's kubeconfig, as a value.
    async fn kubeconfig(&self, cluster: &ClusterRef, options: &KubeconfigOptions, call: &Call) -> Result<Kubeconfig>;
    /// Makes the objects of the manifests what the manifests say.
    async fn apply(
        &self,
        cluster: &ClusterRef,
        manifests: &[Manifest],
        options: &ApplyOptions,
        call: &Call,
    ) -> Result<Vec<Applied>>;
    /// Waits until a deployment runs as its specification says. A cause that depends on a grant is waited out for `patience`.
    async fn wait_for_rollout(
        &self,
        cluster: &ClusterRef,
        workload: &WorkloadRef,
        patience: Duration,
        call: &Call,
    ) -> Result<Rollout>;
    /// The pods at present.
    async fn pods(&self, cluster: &ClusterRef, selection: &PodSelection, call: &Call) -> Result<Pods>;
    /// Tells the pods and their changes until the listener breaks off, the deadline passes or the caller cancels.
    async fn watch(
        &self,
        cluster: &ClusterRef,
        selection: &PodSelection,
        listener: &mut PodListener<'_>,
        call: &Call,
    ) -> Result<()>;
}

/// Hears of pods; says whether to go on.
pub type PodListener<'a> = dyn FnMut(PodEvent) -> ControlFlow<()> + Send + 'a;

/// What happened to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodEvent {
    /// It is there, new or changed.
    Present(Box<Pod>),
    /// It is gone.
    Gone {
        /// Its name.
        name: String,
    },
}

/// Which pods are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PodSelection {
    /// Their namespace; `default` by default.
    pub namespace: String,
    /// Their labels, such as `app=nginx0`; all by default.
    pub labels: Option<String>,
}

impl PodSelection {
    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets [`labels`](Self::labels).
    #[must_use]
    pub fn with_labels(mut self, labels: impl Into<String>) -> Self {
        self.labels = Some(labels.into());
        self
    }
}

impl Default for PodSelection {
    fn default() -> Self {
        Self { namespace: "default".to_owned(), labels: None }
    }
}

/// An object that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// Such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, where its kind has one.
    pub namespace: Option<String>,
    /// Whether it was not there before; in a dry run, whether it would be new. What was there is not told apart further: it may have
    /// been changed, or been as the manifest says.
    pub is_new: bool,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Applied {
    /// An object that was applied.
    #[must_use]
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into(), namespace: None, is_new: false }
    }
}

/// A deployment that runs as its specification says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rollout {
    /// Replicas that are ready.
    pub ready: u32,
    /// Replicas that are wanted.
    pub wanted: u32,
}

impl Rollout {
    /// A deployment with this many replicas.
    #[must_use]
    pub fn new(ready: u32, wanted: u32) -> Self {
        Self { ready, wanted }
    }
}
