//! References to workloads.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// kubectl's names for a Deployment.
const DEPLOYMENT: [&str; 3] = ["deployment", "deployments", "deploy"];

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
    /// Its kind, such as `Deployment`.
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

    /// Rejects kinds whose rollout this library does not support.
    pub(crate) fn check_kind(&self) -> Result<()> {
        if DEPLOYMENT.iter().any(|known| known.eq_ignore_ascii_case(&self.kind)) {
            return Ok(());
        }
        Err(Error::new(crate::error::ErrorKind::Unsupported, "only the rollout of a Deployment can be waited for")
            .with_context("kind", self.kind.clone()))
    }
}

impl FromStr for WorkloadRef {
    type Err = Error;

    /// Parses `name` or `kind/name`, in the namespace `default`. The kind is written as in kubectl: `deployment`, `deployments`,
    /// `deploy`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty part, or more than two.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::invalid("expected a name, or a kind and a name as in deployment/web", "workload", text);
        let (kind, name) = text.split_once('/').unwrap_or(("Deployment", text));
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            return Err(invalid());
        }
        let is_deployment = DEPLOYMENT.iter().any(|known| known.eq_ignore_ascii_case(kind));
        let kind = if is_deployment { "Deployment" } else { kind };
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
        let other: WorkloadRef = "statefulset/db".parse().unwrap();
        assert_eq!(other.to_string().parse::<WorkloadRef>().unwrap(), other);
        assert!(other.check_kind().is_err());
        for text in ["", "/", "deployment/", "/web", "a/b/c"] {
            assert!(text.parse::<WorkloadRef>().is_err(), "{text}");
        }
    }
}
