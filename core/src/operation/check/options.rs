//! Options for a check.

use crate::{call::CallOptions, error::words, id::PrincipalId, image::ImageReference};
use serde::{Deserialize, Serialize};

/// Options for checking whether a cluster can pull.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The image to check, such as `team/app:v1`. Without a host it is an image of the registry. By default, the registry as a whole is
    /// checked: whether the cluster may pull from it, and reaches it.
    pub image: Option<ImageReference>,
    /// Object ID of the identity that pulls. By default, it is the cluster's kubelet identity. A cluster with a service principal needs it:
    /// Azure reports only the application ID of that. Or see `query_graph`.
    pub principal_id: Option<PrincipalId>,
    /// Whether to query Microsoft Graph for the cluster's service principal, if it has one; off by default.
    ///
    /// It reports the object ID, whether the service principal is enabled, and when its secrets end. It requires `Application.Read.All` in
    /// Microsoft Graph, which Azure roles do not include.
    pub query_graph: bool,
    /// The addresses from which the nodes reach the registry, such as `203.0.113.7`. They are needed only if the registry's firewall admits
    /// some addresses and the cluster's routes are your own; otherwise they are read from Azure.
    pub outbound_addresses: Vec<String>,
    /// Whether to read in Kubernetes which nodes have pulled from the registry, and what the nodes themselves pull with; by default, only if
    /// nothing else can answer.
    pub kubernetes: KubernetesReads,
    /// Whether to read in Azure's activity log and in Azure Resource Graph what has changed at the cluster and the registry; off by default. They
    /// show who has removed a grant or written the registry, and which of its settings were changed.
    pub changes: bool,
    /// Whether to read in the registry's resource logs who has signed in and pulled, from which address, and with which result; off by default. A
    /// registry has such logs only if a diagnostic setting sends them to a Log Analytics workspace. Azure takes minutes to show an event.
    pub registry_logs: bool,
    /// Deadline (1 minute by default), cancellation, progress.
    pub call: CallOptions,
}

/// Whether a check reads in Kubernetes which nodes have pulled from the registry, and what the nodes themselves pull with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KubernetesReads {
    /// It does not: that every node pulls with the cluster's identity is an assumption of the report.
    Never,
    /// It does if the verdict would be unknown otherwise, and such a pull can decide it.
    #[default]
    IfNeeded,
    /// It does, and reads the labels of the nodes and the scale sets of the node pools.
    Always,
}

words!(KubernetesReads, "kubernetes": Never => "never", IfNeeded => "if_needed", Always => "always");

impl CheckOptions {
    /// Sets [`image`](Self::image).
    #[must_use]
    pub fn with_image(mut self, image: ImageReference) -> Self {
        self.image = Some(image);
        self
    }

    /// Sets [`principal_id`](Self::principal_id).
    #[must_use]
    pub fn with_principal_id(mut self, principal_id: PrincipalId) -> Self {
        self.principal_id = Some(principal_id);
        self
    }

    /// Sets [`query_graph`](Self::query_graph).
    #[must_use]
    pub fn with_query_graph(mut self, query_graph: bool) -> Self {
        self.query_graph = query_graph;
        self
    }

    /// Adds one of [`outbound_addresses`](Self::outbound_addresses).
    #[must_use]
    pub fn with_outbound_address(mut self, address: impl Into<String>) -> Self {
        self.outbound_addresses.push(address.into());
        self
    }

    /// Sets [`kubernetes`](Self::kubernetes).
    #[must_use]
    pub fn with_kubernetes(mut self, kubernetes: KubernetesReads) -> Self {
        self.kubernetes = kubernetes;
        self
    }

    /// Sets [`changes`](Self::changes).
    #[must_use]
    pub fn with_changes(mut self, changes: bool) -> Self {
        self.changes = changes;
        self
    }

    /// Sets [`registry_logs`](Self::registry_logs).
    #[must_use]
    pub fn with_registry_logs(mut self, registry_logs: bool) -> Self {
        self.registry_logs = registry_logs;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}
