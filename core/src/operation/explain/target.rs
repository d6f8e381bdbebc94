//! What is explained, and the options.

use crate::{
    call::CallOptions,
    cluster::{PodScope, WorkloadRef},
    error::{Error, ErrorKind, Result},
    id::PrincipalId,
    registry::RegistryRef,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const POD: &str = "pod/";

/// What to explain: all pods, `pod/NAME`, or a workload such as `web` (a Deployment), `statefulset/db`, `daemonset/agent` or `job/migrate`.
///
/// ```
/// use aks_acr::{ExplainTarget, WorkloadRef};
///
/// assert_eq!("pod/web-0".parse::<ExplainTarget>()?, ExplainTarget::Pod("web-0".to_owned()));
/// assert_eq!("web".parse::<ExplainTarget>()?, ExplainTarget::Workload(WorkloadRef::new("web")));
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ExplainTarget {
    /// All pods of the namespace that match the selector.
    #[default]
    Pods,
    /// The pod of this name.
    Pod(String),
    /// The pods of this workload. A namespace in the options replaces its own.
    Workload(WorkloadRef),
}

impl FromStr for ExplainTarget {
    type Err = Error;

    /// Parses `pod/NAME`, or what a [`WorkloadRef`] is parsed from. An empty text means all pods.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty part, or more than two.
    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::Pods);
        }
        let pod = ["pods/", "po/", POD].into_iter().find_map(|kind| text.strip_prefix(kind));
        match pod {
            Some(name) if !name.is_empty() && !name.contains('/') => Ok(Self::Pod(name.to_owned())),
            Some(_) => Err(Error::invalid("expected a pod's name, as in pod/web-0", "target", text)),
            None => text.parse().map(Self::Workload).map_err(|_: Error| {
                Error::invalid(
                    "expected pod/NAME, a workload's name, or its kind and name as in statefulset/db",
                    "target",
                    text,
                )
            }),
        }
    }
}

impl fmt::Display for ExplainTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods => Ok(()),
            Self::Pod(name) => write!(f, "{POD}{name}"),
            Self::Workload(workload) => workload.fmt(f),
        }
    }
}

impl From<WorkloadRef> for ExplainTarget {
    fn from(workload: WorkloadRef) -> Self {
        Self::Workload(workload)
    }
}

/// Options for explaining why pods do not run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each reads something else, or more")]
pub struct ExplainOptions {
    /// The namespace of the pods, the pod or the workload; `default` by default.
    pub namespace: Option<String>,
    /// Whether to explain the pods of all namespaces. It excludes a target and a namespace.
    pub all_namespaces: bool,
    /// A label selector, such as `app=web`, which the pods have to match; all pods by default.
    pub selector: Option<String>,
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
    /// Resource IDs of registries that are not found by their login servers, such as those of another tenant. None by default: all subscriptions
    /// that the caller can see are searched. A registry that no image is from is not read, and one that is given by its name is searched as any other.
    pub registries: Vec<RegistryRef>,
    /// Whether to read in Azure's activity log and in Azure Resource Graph what has changed at the cluster and the registry; off by default. They
    /// show who has removed a grant or written the registry, and which of its settings were changed.
    pub changes: bool,
    /// Whether to read in the registry's resource logs who has signed in and pulled, from which address, and with which result; off by default. A
    /// registry has such logs only if a diagnostic setting sends them to a Log Analytics workspace. Azure takes minutes to show an event.
    pub registry_logs: bool,
    /// Deadline (2 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ExplainOptions {
    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets [`all_namespaces`](Self::all_namespaces).
    #[must_use]
    pub fn with_all_namespaces(mut self, all_namespaces: bool) -> Self {
        self.all_namespaces = all_namespaces;
        self
    }

    /// Sets [`selector`](Self::selector).
    #[must_use]
    pub fn with_selector(mut self, selector: impl Into<String>) -> Self {
        self.selector = Some(selector.into());
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

    /// Adds one of [`registries`](Self::registries).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registries.push(registry);
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

/// The pods that are meant.
pub(super) fn scope(target: &ExplainTarget, options: &ExplainOptions) -> Result<PodScope> {
    let mut scope = PodScope { labels: options.selector.clone(), with_account_secrets: true, ..PodScope::default() };
    if options.all_namespaces {
        let is_single = *target != ExplainTarget::Pods || options.namespace.is_some();
        let text = "all namespaces exclude a target and a namespace";
        return if is_single { Err(Error::invalid(text, "all_namespaces", "true")) } else { Ok(scope) };
    }
    let namespace = options.namespace.clone();
    match target {
        ExplainTarget::Pod(_) if options.selector.is_some() => {
            return Err(Error::invalid(
                "a pod excludes a selector",
                "selector",
                options.selector.as_deref().unwrap_or_default(),
            ));
        }
        ExplainTarget::Pod(name) => scope.pod = Some(name.clone()),
        ExplainTarget::Workload(workload) => {
            workload.known_kind().map_err(|err| err.saying("the pods of this kind of object are not known"))?;
            let workload = workload.clone();
            scope.workload = Some(match &namespace {
                Some(namespace) => workload.in_namespace(namespace),
                None => workload,
            });
        }
        ExplainTarget::Pods => {}
    }
    scope.namespace = Some(namespace.unwrap_or_else(|| "default".to_owned()));
    Ok(scope)
}

/// Names the role that is enough. A refusal by Azure names its action itself.
pub(super) fn refused(err: Error) -> Error {
    if err.kind() != ErrorKind::Forbidden || err.missing_action().is_some() {
        return err;
    }
    let hint = "to read pods and workloads, a cluster with Azure RBAC needs the role Azure Kubernetes Service RBAC Reader; another \
                one the cluster role view";
    err.with_context("hint", hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_it_is_shown() {
        for text in ["pod/web-0", "deployment/web", "statefulset/db", ""] {
            let target: ExplainTarget = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
        for text in ["pod/", "pod/a/b", "/", "a/b/c"] {
            assert!(text.parse::<ExplainTarget>().is_err(), "{text}");
        }
    }

    #[test]
    fn options_that_exclude_each_other_are_invalid() {
        let all = ExplainOptions::default().with_all_namespaces(true);
        assert!(scope(&ExplainTarget::Pods, &all).is_ok_and(|scope| scope.namespace.is_none()));
        assert!(scope(&"web".parse().unwrap(), &all).is_err());
        assert!(scope(&ExplainTarget::Pods, &all.with_namespace("team")).is_err());
        assert!(scope(&"pod/a".parse().unwrap(), &ExplainOptions::default().with_selector("a=b")).is_err());
        assert!(scope(&"cronjob/a".parse().unwrap(), &ExplainOptions::default()).is_err());
        let named = ExplainOptions::default().with_namespace("team");
        let scope = scope(&"web".parse().unwrap(), &named).unwrap();
        assert_eq!(scope.workload.map(|one| one.namespace).as_deref(), Some("team"));
    }
}
