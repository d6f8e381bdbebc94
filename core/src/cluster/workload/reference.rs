//! References to workloads.

use super::WorkloadKind;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A workload in a cluster: its kind, name and namespace.
/// Without a kind, a name such as `web` means the Deployment `web`.
///
/// ```
/// use aks_acr::WorkloadRef;
///
/// let workload: WorkloadRef = "deployment/web".parse()?;
/// assert_eq!(workload, WorkloadRef::new("web"));
/// assert_eq!(workload.in_namespace("team").to_string(), "deployment/web");
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkloadRef {
    /// Its kind: `Deployment`, `StatefulSet`, `DaemonSet` or `Job`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The namespace of the workload; `default` by default.
    pub namespace: String,
}

impl WorkloadRef {
    /// A Deployment in the namespace `default`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { kind: "Deployment".to_owned(), name: name.into(), namespace: "default".to_owned() }
    }

    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Its kind, if its rollout can be waited for.
    pub(crate) fn known_kind(&self) -> Result<WorkloadKind> {
        WorkloadKind::parse(&self.kind).ok_or_else(|| {
            let known = WorkloadKind::ALL.map(WorkloadKind::name).join(", ");
            Error::new(ErrorKind::Unsupported, "the rollout of this kind cannot be waited for")
                .with_context("kind", self.kind.clone())
                .with_context("expected", format!("one of {known}"))
        })
    }
}

impl FromStr for WorkloadRef {
    type Err = Error;

    /// Parses `name` or `kind/name`, in the namespace `default`. The kind is written as in kubectl, in any case: `deployment`,
    /// `deployments`, `deploy`, `statefulset`, `sts`, `daemonset`, `ds`, `job`, and also `deployment.apps`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty part, or more than two.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::invalid("expected a name, or a kind and a name as in deployment/web", "workload", text);
        let (kind, name) = text.split_once('/').unwrap_or(("Deployment", text));
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            return Err(invalid());
        }
        let kind = WorkloadKind::parse(kind).map_or(kind, |known| known.name());
        Ok(Self { kind: kind.to_owned(), ..Self::new(name) })
    }
}

impl fmt::Display for WorkloadRef {
    /// The kind in lower case and the name, as kubectl writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.to_lowercase(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_is_read_as_kubectl_writes_it() {
        for text in ["web", "deployment/web", "Deployment/web", "deploy/web", "deployments/web"] {
            let workload: WorkloadRef = text.parse().unwrap();
            assert_eq!(workload, WorkloadRef::new("web"), "{text}");
            assert_eq!(workload.to_string().parse::<WorkloadRef>().unwrap(), workload);
        }
        for text in ["statefulset/db", "daemonset/agent", "job/migrate", "cronjob/x"] {
            let other: WorkloadRef = text.parse().unwrap();
            assert_eq!(other.to_string(), text);
            assert_eq!(other.known_kind().is_ok(), text != "cronjob/x", "{text}");
        }
        assert_eq!("sts/db".parse::<WorkloadRef>().unwrap().kind, "StatefulSet");
        for text in ["", "/", "deployment/", "/web", "a/b/c"] {
            assert!(text.parse::<WorkloadRef>().is_err(), "{text}");
        }
    }
}
