//! Pods with what decides whether their images are pulled.

use super::{Pod, RolloutBlocker, WorkloadRef};
use crate::{diagnosis::text::PullFailure, error::Error};
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
}

/// Pods, and the nodes, secrets and events that say more about them.
#[derive(Debug)]
#[non_exhaustive]
pub struct ObservedPods {
    /// The pods, sorted by namespace and name.
    pub pods: Vec<ObservedPod>,
    /// The nodes of pods whose images are not pulled.
    pub nodes: Vec<ObservedNode>,
    /// The pull secrets of pods whose images are not pulled.
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
    /// When a pull last failed, if known.
    pub last_failed: Option<SystemTime>,
    /// What keeps it from running, if that is not a pull.
    pub blocker: Option<RolloutBlocker>,
    /// Its service account.
    pub service_account: String,
    /// The names of its pull secrets.
    pub pull_secrets: Vec<String>,
    /// Whether it runs and is ready, or has completed.
    pub is_healthy: bool,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedNode {
    /// Its name.
    pub name: String,
    /// Its operating system, such as `linux`.
    pub os: Option<String>,
    /// Its architecture, such as `amd64`.
    pub architecture: Option<String>,
}

/// An image pull secret, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
            last_failed: None,
            blocker: None,
            service_account: "default".to_owned(),
            pull_secrets: Vec::new(),
            is_healthy: false,
        }
    }
}

impl ObservedNode {
    /// A node of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), os: None, architecture: None }
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
