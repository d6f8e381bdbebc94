//! Pods with what decides whether their images are pulled.

use super::{Pod, RolloutBlocker, WorkloadRef};
use crate::{diagnosis::text::PullFailure, error::Error};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// Which pods to examine: all of a namespace by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PodScope {
    /// The namespace. `None`: all namespaces.
    pub namespace: Option<String>,
    /// A label selector, such as `app=web`.
    pub labels: Option<String>,
    /// Only the pod of this name.
    pub pod: Option<String>,
    /// Only the pods of this workload. Its own namespace counts.
    pub workload: Option<WorkloadRef>,
    /// Whether to read what the kubelet says of pulls that succeed, too.
    pub with_pulls: bool,
    /// Whether to read only what shows that images were pulled: pods without such an image are left out.
    pub only_pulls: bool,
    /// Whether to read the service accounts of pods without pull secrets that a registry outside Azure has refused.
    pub with_account_secrets: bool,
}

/// Pods, and the nodes, secrets and events that say more about them.
#[derive(Debug)]
#[non_exhaustive]
pub struct ObservedPods {
    /// The pods, sorted by namespace and name.
    pub pods: Vec<ObservedPod>,
    /// The nodes of pods whose images are not pulled, if there are any, and of pods that run; with [`only_pulls`](PodScope::only_pulls) all nodes.
    pub nodes: Vec<ObservedNode>,
    /// The pull secrets of pods whose images are not pulled, and those that only their service accounts have.
    pub secrets: Vec<ObservedSecret>,
    /// Why pods are not created.
    pub not_created: Vec<NotCreated>,
    /// What the caller cannot read in Kubernetes.
    pub unread: Vec<UnreadObjects>,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedPod {
    /// The pod as kubectl shows it.
    pub pod: Pod,
    /// Its containers whose images are not pulled.
    pub failures: Vec<PullFailure>,
    /// Those of these containers whose image the node has, by name. Since Kubernetes 1.35, a node that has an image pulls it again for a pod
    /// whose credentials have not pulled it.
    pub pulled_again: Vec<String>,
    /// When a pull last failed, if known.
    pub last_failed: Option<SystemTime>,
    /// What keeps it from running, if that is not a pull.
    pub blocker: Option<RolloutBlocker>,
    /// Its service account.
    pub service_account: String,
    /// The names of its pull secrets.
    pub pull_secrets: Vec<String>,
    /// Pull secrets that its service account has and the pod lacks: a pod gets those that the account has when the pod is created. Read only
    /// [on request](PodScope::with_account_secrets).
    pub later_secrets: Vec<String>,
    /// Whether it runs and is ready, or has completed.
    pub is_healthy: bool,
    /// The kubelet's message about a pull that succeeded, if the [scope](PodScope::with_pulls) includes those.
    pub pulled: Option<String>,
    /// What shows that a node could use its images: its containers, and with [`only_pulls`](PodScope::only_pulls) the kubelet's events.
    pub pulls: Vec<ObservedPull>,
}

/// What shows that a node could use an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedPull {
    /// The image as the pod names it.
    pub image: String,
    /// When the kubelet reported the pull, or the container started.
    pub at: SystemTime,
    /// Whether the node pulled it at that time. Otherwise, the node may have had it since an earlier time.
    pub is_pulled: bool,
}

/// A node. What its labels do not say is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObservedNode {
    /// Its name.
    pub name: String,
    /// Its operating system, such as `linux`.
    pub os: Option<String>,
    /// Its architecture, such as `amd64`.
    pub architecture: Option<String>,
    /// When it was created.
    #[serde(with = "crate::stored_time::option")]
    pub created: Option<SystemTime>,
    /// Its node pool.
    pub pool: Option<String>,
    /// Client ID of the managed identity that it pulls with.
    pub identity_client_id: Option<String>,
    /// The node image that it was created from, such as `AKSUbuntu-2204gen2containerd-202511.07.0`.
    pub node_image: Option<String>,
    /// The version of its kubelet, such as `v1.35.1`.
    #[serde(default)]
    pub kubelet_version: Option<String>,
    /// Whether it is ready, and new pods may be scheduled on it.
    pub is_available: bool,
    /// Its taints that keep pods off it.
    pub taints: Vec<NodeTaint>,
    /// Whether the image that was asked about is on the node. `None`: no image was asked about, or the node does not list all its images.
    pub has_image: Option<bool>,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeTaint {
    /// Its key.
    pub key: String,
    /// Its value, which may be empty.
    pub value: String,
    /// Its effect, such as `NoSchedule`.
    pub effect: String,
}

/// An image pull secret, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObservedSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is known of it.
    pub state: SecretState,
}

/// What is known of a pull secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SecretState {
    /// It does not exist.
    Missing,
    /// It exists.
    Present {
        /// Its type, such as `kubernetes.io/dockerconfigjson`.
        secret_type: String,
        /// The hosts that it has credentials for, as its keys name them.
        hosts: Vec<String>,
    },
    /// The caller cannot read it.
    Unread,
}

/// The annotation with which a service account names the identity that its pods' images are pulled with. See `writeCredentialProviderConfig`
/// of [AgentBaker](https://github.com/Azure/AgentBaker).
pub(crate) const PULL_IDENTITY: &str = "kubernetes.azure.com/acr-client-id";

/// A service account that names the identity that its pods' images are pulled with.
///
/// It counts only on clusters whose nodes pull as service accounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObservedServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Client ID of the identity, from the annotation `kubernetes.azure.com/acr-client-id`.
    pub client_id: String,
}

/// Pods that are not created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotCreated {
    /// Their namespace.
    pub namespace: String,
    /// What keeps them from being created.
    pub blocker: RolloutBlocker,
}

impl NotCreated {
    /// Pods of this namespace that are not created for this reason.
    #[must_use]
    pub fn new(namespace: impl Into<String>, blocker: RolloutBlocker) -> Self {
        Self { namespace: namespace.into(), blocker }
    }
}

/// A kind of object that could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnreadObjects {
    /// The plural, such as `nodes`.
    pub resource: String,
    /// The error.
    pub error: Error,
}

impl ObservedPods {
    /// These pods, with nothing else known.
    #[must_use]
    pub fn new(pods: Vec<ObservedPod>) -> Self {
        Self { pods, nodes: Vec::new(), secrets: Vec::new(), not_created: Vec::new(), unread: Vec::new() }
    }
}

impl ObservedPod {
    /// A pod of which nothing else is known.
    #[must_use]
    pub fn new(pod: Pod) -> Self {
        Self {
            failures: pod.pull_failure.iter().cloned().collect(),
            pod,
            pulled_again: Vec::new(),
            last_failed: None,
            blocker: None,
            service_account: "default".to_owned(),
            pull_secrets: Vec::new(),
            later_secrets: Vec::new(),
            is_healthy: false,
            pulled: None,
            pulls: Vec::new(),
        }
    }
}

impl ObservedPull {
    /// An image that a node has used.
    #[must_use]
    pub fn new(image: impl Into<String>, at: SystemTime, is_pulled: bool) -> Self {
        Self { image: image.into(), at, is_pulled }
    }
}

impl ObservedNode {
    /// A node of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            os: None,
            architecture: None,
            created: None,
            pool: None,
            identity_client_id: None,
            node_image: None,
            kubelet_version: None,
            is_available: false,
            taints: Vec::new(),
            has_image: None,
        }
    }
}

impl NodeTaint {
    /// A taint.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>, effect: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), effect: effect.into() }
    }
}

impl ObservedServiceAccount {
    /// A service account that names an identity.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into(), client_id: client_id.into() }
    }
}

impl ObservedSecret {
    /// A secret in this state.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, state: SecretState) -> Self {
        Self { namespace: namespace.into(), name: name.into(), state }
    }
}

impl UnreadObjects {
    /// Objects of this kind that could not be read.
    #[must_use]
    pub fn new(resource: impl Into<String>, error: Error) -> Self {
        Self { resource: resource.into(), error }
    }
}
