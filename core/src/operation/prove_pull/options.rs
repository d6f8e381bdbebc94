//! Options for proving a pull.

use crate::{
    call::CallOptions,
    cluster::NodeTaint,
    error::{Error, Result, words},
    operation::pull_secret::check_name,
    registry::RegistryRef,
    role::PROPAGATION,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Options for proving a pull.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProvePullOptions {
    /// Who pulls the image: the nodes by default.
    pub via: PullProofVia,
    /// The namespace of the Jobs; `default` by default. It must exist. A separate namespace keeps the Jobs apart from your workloads.
    pub namespace: String,
    /// The node pools to prove; by default all pools with nodes. A named pool is tried even if it has no node now.
    pub pools: Vec<String>,
    /// How many nodes of each pool pull the image; 1 by default, which Kubernetes chooses. With more, the nodes that do not have the image yet
    /// are tried first, and those that are cordoned or not ready are left out. It requires the permission to list nodes.
    pub nodes_per_pool: u32,
    /// The service account of the pods; `default` by default. Its pull secrets are used.
    pub service_account: Option<String>,
    /// Names of pull secrets for the pods, in addition to those of the service account.
    pub pull_secrets: Vec<String>,
    /// Labels for the Jobs and pods, as a policy may require. None by default.
    pub labels: BTreeMap<String, String>,
    /// Annotations for the Jobs and pods. None by default.
    pub annotations: BTreeMap<String, String>,
    /// Further taints to tolerate, as `kubectl taint` writes them: `key=value:NoSchedule`, `key:NoSchedule` or `key`. Those of the pool's
    /// nodes are tolerated anyway.
    pub tolerations: Vec<String>,
    /// The priority class of the pods; the cluster's default by default.
    pub priority_class: Option<String>,
    /// How long an existing grant may take to become effective, and the pods to be scheduled; 10 minutes by default. It does not extend the
    /// deadline.
    pub propagation_timeout: Duration,
    /// Whether to query Microsoft Graph for the cluster's service principal, if it has one and a pull fails; off by default.
    ///
    /// It reports the object ID, whether the service principal is enabled, and when its secrets end. It requires `Application.Read.All` in
    /// Microsoft Graph, which Azure roles do not include.
    pub query_graph: bool,
    /// Resource ID of the image's registry, if it is not found by its login server, such as one of another tenant. It is read if a pull fails. A registry
    /// that is given by its name is searched as any other.
    pub registry: Option<RegistryRef>,
    /// Deadline (15 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

/// Who pulls the image that is to be proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullProofVia {
    /// The cluster's nodes: a Job on one node of each pool.
    #[default]
    Nodes,
    /// The caller itself, with its own token, from where it is: nothing is started, and the cluster's API server is not contacted. It is weaker: it
    /// proves that the registry is reached from here and has the image, and nothing about the nodes, so that the outcome is
    /// [`Inconclusive`](crate::ProofOutcome::Inconclusive).
    CallerToken,
}

words!(PullProofVia, "via": Nodes => "nodes", CallerToken => "caller_token");

impl Default for ProvePullOptions {
    fn default() -> Self {
        Self {
            via: PullProofVia::default(),
            namespace: "default".to_owned(),
            pools: Vec::new(),
            nodes_per_pool: 1,
            service_account: None,
            pull_secrets: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            tolerations: Vec::new(),
            priority_class: None,
            propagation_timeout: PROPAGATION,
            query_graph: false,
            registry: None,
            call: CallOptions::default(),
        }
    }
}

impl ProvePullOptions {
    /// Sets [`via`](Self::via).
    #[must_use]
    pub fn with_via(mut self, via: PullProofVia) -> Self {
        self.via = via;
        self
    }

    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Adds one of [`pools`](Self::pools).
    #[must_use]
    pub fn with_pool(mut self, pool: impl Into<String>) -> Self {
        self.pools.push(pool.into());
        self
    }

    /// Sets [`nodes_per_pool`](Self::nodes_per_pool).
    #[must_use]
    pub fn with_nodes_per_pool(mut self, nodes_per_pool: u32) -> Self {
        self.nodes_per_pool = nodes_per_pool;
        self
    }

    /// Sets [`service_account`](Self::service_account).
    #[must_use]
    pub fn with_service_account(mut self, service_account: impl Into<String>) -> Self {
        self.service_account = Some(service_account.into());
        self
    }

    /// Adds one of [`pull_secrets`](Self::pull_secrets).
    #[must_use]
    pub fn with_pull_secret(mut self, name: impl Into<String>) -> Self {
        self.pull_secrets.push(name.into());
        self
    }

    /// Adds one of [`labels`](Self::labels).
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Adds one of [`annotations`](Self::annotations).
    #[must_use]
    pub fn with_annotation(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(name.into(), value.into());
        self
    }

    /// Adds one of [`tolerations`](Self::tolerations).
    #[must_use]
    pub fn with_toleration(mut self, taint: impl Into<String>) -> Self {
        self.tolerations.push(taint.into());
        self
    }

    /// Sets [`priority_class`](Self::priority_class).
    #[must_use]
    pub fn with_priority_class(mut self, name: impl Into<String>) -> Self {
        self.priority_class = Some(name.into());
        self
    }

    /// Sets [`propagation_timeout`](Self::propagation_timeout).
    #[must_use]
    pub fn with_propagation_timeout(mut self, propagation_timeout: Duration) -> Self {
        self.propagation_timeout = propagation_timeout;
        self
    }

    /// Sets [`query_graph`](Self::query_graph).
    #[must_use]
    pub fn with_query_graph(mut self, query_graph: bool) -> Self {
        self.query_graph = query_graph;
        self
    }

    /// Sets [`registry`](Self::registry).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }

    /// Rejects invalid options before the first request. Returns the taints to tolerate.
    pub(super) fn check(&self) -> Result<Vec<NodeTaint>> {
        check_name("namespace", &self.namespace)?;
        if self.nodes_per_pool == 0 {
            return Err(Error::invalid("expected 1 or more", "nodes_per_pool", "0"));
        }
        for (part, name) in [("service_account", &self.service_account), ("priority_class", &self.priority_class)] {
            name.iter().try_for_each(|name| check_name(part, name))?;
        }
        self.pull_secrets.iter().try_for_each(|name| check_name("pull_secrets", name))?;
        self.tolerations.iter().map(|text| taint(text)).collect()
    }
}

/// A taint as `kubectl taint` writes it. Without an effect, every effect is meant.
fn taint(text: &str) -> Result<NodeTaint> {
    let (named, effect) = text.split_once(':').unwrap_or((text, ""));
    let (key, value) = named.split_once('=').unwrap_or((named, ""));
    let is_effect = ["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
    if key.is_empty() || !is_effect || text.ends_with(':') {
        let wanted = "expected key=value:NoSchedule, key:NoSchedule or key";
        return Err(Error::invalid(wanted, "tolerations", text));
    }
    Ok(NodeTaint::new(key, value, effect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taint_is_read_as_kubectl_writes_it() {
        assert_eq!(taint("gpu").unwrap(), NodeTaint::new("gpu", "", ""));
        assert_eq!(taint("a/b=c:NoExecute").unwrap(), NodeTaint::new("a/b", "c", "NoExecute"));
        for wrong in ["", ":NoSchedule", "=v:NoSchedule", "k:Never", "k:"] {
            assert!(taint(wrong).is_err(), "{wrong}");
        }
    }
}
