//! Clusters: creating them, access to them, applying manifests, watching pods.

mod apply_options;
mod azure;
mod body;
mod create;
mod credentials;
mod delete;
mod kubeconfig;
mod kubernetes;
pub(crate) mod manifest;
mod observed;
pub(crate) mod pods;
pub(crate) mod pull_secret;
mod reference;
pub(crate) mod stopped;
pub(crate) mod workload;

pub use apply_options::ApplyOptions;
pub use azure::AzureClusterDeployer;
pub(crate) use body::{API as CLUSTER_API, ClusterBody, about, get_cluster, list_clusters};
pub use create::{
    Cluster, ClusterCreation, ClusterTier, NetworkPlugin, NetworkPolicy, NewCluster, NewClusterSettings, NewNodePool,
    NodeOs, NodePoolMode, SshKey,
};
pub(crate) use create::{NODES, check_pools};
pub use delete::DeletedCluster;
pub(crate) use kubeconfig::Places;
pub use kubeconfig::{
    Access, Kubeconfig, KubeconfigOptions, MergeKubeconfigOptions, MergeOutcome, MergedKubeconfig, OnExistingEntry,
};
pub use manifest::Manifest;
pub(crate) use observed::PULL_IDENTITY;
pub use observed::{
    NodeTaint, NotCreated, ObservedNode, ObservedPod, ObservedPods, ObservedPull, ObservedSecret,
    ObservedServiceAccount, PodScope, SecretState, UnreadObjects,
};
pub use pods::{Pod, Pods};
pub(crate) use pull_secret::serves;
pub use pull_secret::{ExistingSecret, PullSecretState, RegistryCredential, ServiceAccountState};
pub use reference::ClusterRef;
pub(crate) use reference::TYPE;
pub use workload::{RolloutBlocker, RolloutBlockerKind, RolloutListener, RolloutPhase, WorkloadRef, WorkloadState};

use crate::{call::Call, error::Result, image::ImageReference};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{fmt, ops::ControlFlow};

/// Creates and deletes clusters, gives access to them, applies manifests and watches pods.
///
/// - `find` of a missing cluster is `None`. A missing resource group or subscription is an error.
/// - `start_create` returns when Azure has accepted the cluster. An existing cluster is never changed: if it is still being
///   created, that creation is returned; if it is created, it is returned with its differences; if its creation failed or it is
///   being deleted, the error names its state.
/// - `start_create` treats a cluster as missing only if Azure says so: not if the caller lacks the permission to read it, or no
///   response came.
/// - `start_create` registers no resource provider, and generates no SSH key, unless the options say so.
/// - `finish_create` waits for a cluster no matter which call started its creation, and returns the operation's own error text.
/// - `delete` deletes the cluster that `find` returned, and returns when Azure no longer returns it. It does not read it again first: Azure
///   rejects the deletion if the cluster has another [`etag`](Cluster::etag) by then. A cluster that is missing is a success and says so; one
///   that is already being deleted is waited for.
/// - `delete` sends a second request only after a read has shown that the same cluster, by its [`uid`](Cluster::uid), still exists.
/// - `kubeconfig` writes no file and starts no program. It is an error if a kubeconfig names a file, a proxy that the caller did not
///   configure, a server other than the cluster's, or a program other than `kubelogin`; the error names the field. The same applies to every
///   method that connects with it.
/// - `apply` looks up the kinds of all objects before it writes the first; it is server-side apply, so a second call changes nothing.
/// - `pull_secret` reads only. A missing namespace is an error, unless the caller may not read namespaces.
/// - `link_pull_secret` keeps the other pull secrets of a service account, also those that are added at the same time, and creates no service
///   account.
/// - `watch_rollout` reports each state and decides nothing: the operation decides whether a rollout has failed. Pods belong to a
///   workload by their owner references, not by their labels.
/// - `pods` of a namespace without pods is an empty list.
/// - `watch` reports the existing pods first, then each change.
/// - `observe_pods` reads only, and keeps no credential of a secret. A pod, a workload or a namespace that does not exist is an error; so is a
///   missing permission to read pods. What else the caller cannot read is in [`unread`](ObservedPods::unread), or is a secret
///   that is [`Unread`](SecretState::Unread).
/// - `nodes` reads only. What a node's labels do not say is `None`, never a guess.
/// - `delete_job` deletes the Job's pods, too. A Job that does not exist is a success and says so.
#[async_trait]
pub trait ClusterDeployer: fmt::Debug + Send + Sync + 'static {
    /// The cluster, if it exists.
    async fn find(&self, cluster: &ClusterRef, call: &Call) -> Result<Option<Cluster>>;
    /// Starts creating a cluster unless it exists.
    async fn start_create(&self, cluster: &NewCluster, call: &Call) -> Result<ClusterCreation>;
    /// Waits until a cluster is created.
    async fn finish_create(&self, creation: ClusterCreation, call: &Call) -> Result<Cluster>;
    /// Deletes a cluster with its nodes, and waits until it is gone.
    async fn delete(&self, cluster: &Cluster, call: &Call) -> Result<DeletedCluster>;
    /// The cluster's kubeconfig, as a value.
    async fn kubeconfig(&self, cluster: &ClusterRef, options: &KubeconfigOptions, call: &Call) -> Result<Kubeconfig>;
    /// Applies manifests.
    async fn apply(
        &self,
        cluster: &ClusterRef,
        manifests: &[Manifest],
        options: &ApplyOptions,
        call: &Call,
    ) -> Result<Vec<Applied>>;
    /// Reads an image pull secret, given by its namespace and name, and the service accounts that should use it.
    async fn pull_secret(
        &self,
        cluster: &ClusterRef,
        secret: (&str, &str),
        service_accounts: &[String],
        call: &Call,
    ) -> Result<PullSecretState>;
    /// Adds an image pull secret to a service account. Returns whether it was missing there.
    async fn link_pull_secret(
        &self,
        cluster: &ClusterRef,
        secret: (&str, &str),
        service_account: &str,
        call: &Call,
    ) -> Result<bool>;
    /// Reports the state of a workload's rollout, and each change, until the listener stops it, the deadline passes or the caller
    /// cancels.
    async fn watch_rollout(
        &self,
        cluster: &ClusterRef,
        workload: &WorkloadRef,
        listener: &mut RolloutListener<'_>,
        call: &Call,
    ) -> Result<()>;
    /// The current pods.
    async fn pods(&self, cluster: &ClusterRef, selection: &PodSelection, call: &Call) -> Result<Pods>;
    /// The current pods with what decides whether their images are pulled: their nodes, pull secrets and events.
    async fn observe_pods(&self, cluster: &ClusterRef, scope: &PodScope, call: &Call) -> Result<ObservedPods>;
    /// The nodes of a cluster and, if an image is given, whether each of them has it.
    async fn nodes(
        &self,
        cluster: &ClusterRef,
        image: Option<&ImageReference>,
        call: &Call,
    ) -> Result<Vec<ObservedNode>>;
    /// The service accounts that name an identity to pull with, of one namespace or of all.
    async fn service_accounts(
        &self,
        cluster: &ClusterRef,
        namespace: Option<&str>,
        call: &Call,
    ) -> Result<Vec<ObservedServiceAccount>>;
    /// Deletes a Job, given by its namespace and name. Returns whether it existed.
    async fn delete_job(&self, cluster: &ClusterRef, job: (&str, &str), call: &Call) -> Result<bool>;
    /// Reports the pods and their changes until the listener stops it, the deadline passes or the caller cancels.
    async fn watch(
        &self,
        cluster: &ClusterRef,
        selection: &PodSelection,
        listener: &mut PodListener<'_>,
        call: &Call,
    ) -> Result<()>;
}

/// Receives pod events; returns whether to continue.
pub type PodListener<'a> = dyn FnMut(PodEvent) -> ControlFlow<()> + Send + 'a;

/// A change to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodEvent {
    /// The pod exists: it is new or changed.
    Present(Box<Pod>),
    /// The pod was deleted.
    Gone {
        /// Its name.
        name: String,
    },
}

/// A selection of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PodSelection {
    /// The namespace of the pods; `default` by default.
    pub namespace: String,
    /// A label selector, such as `app=nginx0`; all pods by default.
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
    /// The object's kind, such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, if its kind has one.
    pub namespace: Option<String>,
    /// Whether the object is new; in a dry run, whether it would be new.
    /// `false`: it existed, and was changed or already matched the manifest.
    pub is_new: bool,
    /// Warnings from the cluster's API server, such as those from Pod Security admission or about a deprecated API version; usually empty.
    #[serde(default)]
    pub warnings: Vec<String>,
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
        Self { kind: kind.into(), name: name.into(), namespace: None, is_new: false, warnings: Vec::new() }
    }
}

/// A completed rollout of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rollout {
    /// Ready pods of the newest pod template; for a Job, the completed ones.
    pub ready: u32,
    /// Pods that the rollout needs.
    pub wanted: u32,
}

impl Rollout {
    /// A rollout with this many replicas.
    #[must_use]
    pub fn new(ready: u32, wanted: u32) -> Self {
        Self { ready, wanted }
    }
}
