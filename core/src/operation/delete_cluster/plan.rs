//! A plan of deleting a cluster, as a value that can be shown, stored and applied later.

use crate::{
    call::CallOptions,
    error::words,
    id::{ResourceId, SubscriptionId},
    operation::{attachments::PullGrant, delete_registry::write_unread, span::Outcome},
    quoted::Complete,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// A plan for deleting a cluster: what would be deleted, and which grants would stay behind. It is valid for one hour.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it reads the cluster again. If the cluster is gone, the call succeeds. If it has since been deleted and created again,
/// nothing is deleted. What runs on the cluster is not compared: workloads that were deployed after the plan are deleted too.
///
/// `Display` starts with a line for the cluster, marked with `-` and followed by its details. A line with `!` names a grant that would
/// stay behind, and a line with `?` names what could not be read.
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteClusterPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The cluster.
    pub cluster: ResourceId,
    /// Azure's `resourceUID`. A cluster with the same ID but another UID is not deleted.
    pub uid: String,
    /// The host of its API server, if it has one.
    pub host: Option<String>,
    /// Its Kubernetes version.
    pub kubernetes_version: String,
    /// The resource group with its nodes. It is deleted with the cluster, and so is everything in it: disks of persistent volumes, load
    /// balancer, public IP addresses. Empty if Azure reports none.
    pub node_resource_group: String,
    /// The grants of the kubelet identity itself that allow pulling. They stay behind: if the identity was created with the cluster, it is
    /// deleted with it, and Azure keeps role assignments of deleted identities. [`detach`](crate::Client::detach) removes the direct ones.
    pub grants: Vec<PullGrant>,
    /// The subscriptions that were searched for grants; empty if they could not be listed.
    pub subscriptions: Vec<SubscriptionId>,
    /// What could not be read. The plan says nothing about these parts.
    pub unread: Vec<UnreadClusterPart>,
}

/// What a plan could not read about a cluster, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnreadClusterPart {
    /// What is not known.
    pub part: ClusterPart,
    /// The action that the caller's roles lack, if that is the reason.
    pub missing_action: Option<String>,
    /// The error's text.
    pub reason: String,
}

/// A part of what a plan says about a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClusterPart {
    /// The grants of its kubelet identity.
    Grants,
}

words!(ClusterPart, "part": Grants => "grants");

/// Options for applying a plan to delete a cluster. The plan itself says what is deleted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyDeleteClusterOptions {
    /// Deadline (30 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyDeleteClusterOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl fmt::Display for UnreadClusterPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unread(f, self.part.as_str(), &self.reason, self.missing_action.as_deref())
    }
}

impl fmt::Display for DeleteClusterPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, kubernetes_version, node_resource_group, .. } = self;
        write!(f, "- cluster {} with all that runs on it\n    does: deletes {cluster}", cluster.name())?;
        if let Some(host) = &self.host {
            write!(f, "\n    API server: {}", Complete(host))?;
        }
        write!(f, "\n    Kubernetes: {}", Complete(kubernetes_version))?;
        if !node_resource_group.is_empty() {
            let nodes = Complete(node_resource_group);
            write!(f, "\n    nodes: resource group {nodes} with everything in it, such as the disks of volumes")?;
        }
        for one in &self.grants {
            write!(f, "\n! {} stays behind", Complete(&one.to_string()))?;
        }
        for one in &self.unread {
            write!(f, "\n? {one}")?;
        }
        Ok(())
    }
}

impl Outcome for DeleteClusterPlan {}
