//! Pods as `kubectl get pods` shows them: as values, and as a table.

mod age;
#[cfg(feature = "kubernetes")]
mod object;
#[cfg(feature = "kubernetes")]
mod read;
#[cfg(feature = "kubernetes")]
mod status;
mod table;

use crate::diagnosis::text::PullFailure;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

#[cfg(feature = "kubernetes")]
pub(crate) use read::{pull_failures, read_pod};

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What kubectl shows as STATUS, such as `Running` or `ImagePullBackOff`.
    pub status: String,
    /// The number of ready containers, including sidecars.
    pub ready: u32,
    /// Its containers, sidecars included.
    pub containers: u32,
    /// The number of container restarts.
    pub restarts: u32,
    /// When a container last exited, if known.
    #[serde(with = "crate::stored_time::option")]
    pub last_restart: Option<SystemTime>,
    /// When it was created.
    #[serde(with = "crate::stored_time::option")]
    pub created: Option<SystemTime>,
    /// The node that it runs on, once scheduled.
    pub node: Option<String>,
    /// Digest or ID of the image that its first container runs, once it runs.
    pub image_id: Option<String>,
    /// Why an image cannot be pulled; `None` if no pull failed.
    pub pull_failure: Option<PullFailure>,
    #[serde(skip)]
    pub(crate) labels: Vec<(String, String)>,
    #[serde(skip)]
    pub(crate) uid: String,
    #[serde(skip)]
    pub(crate) is_ready: bool,
}

impl Pod {
    /// A `Pod` value with this name and status; all other fields are empty.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, status: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: namespace.into(),
            status: status.into(),
            ready: 0,
            containers: 0,
            restarts: 0,
            last_restart: None,
            created: None,
            node: None,
            image_id: None,
            pull_failure: None,
            labels: Vec::new(),
            uid: String::new(),
            is_ready: false,
        }
    }
}

/// The pods of a namespace. `Display` gives the table of `kubectl get pods`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pods {
    /// The pods, sorted by name.
    pub pods: Vec<Pod>,
    /// When the cluster listed the pods; ages are relative to this time.
    #[serde(with = "crate::stored_time")]
    pub at: SystemTime,
}

impl Pods {
    /// Pods as they were listed at this time.
    #[must_use]
    pub fn new(pods: Vec<Pod>, at: SystemTime) -> Self {
        Self { pods, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn pods_that_were_stored_print_the_same_table() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        let mut pod = Pod::new("default", "web-0", "Running");
        pod.created = Some(SystemTime::UNIX_EPOCH);
        let pods = Pods::new(vec![pod, Pod::new("default", "web-1", "Pending")], at);
        let stored = serde_json::to_string(&pods).unwrap();
        let read: Pods = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, pods);
        assert_eq!(read.to_string(), pods.to_string());
        assert_eq!(read.rows().len(), 3);
    }

    /// As kubectl does: a real table is in `tests/peers/kubernetes`.
    #[test]
    fn a_time_in_the_future_is_invalid() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        let shown = |ahead: u64| {
            let mut pod = Pod::new("default", "web-0", "Running");
            (pod.restarts, pod.last_restart, pod.created) = (1, Some(at + Duration::from_secs(ahead)), Some(at));
            Pods::new(vec![pod], at).rows()[1][3].clone()
        };
        assert_eq!((shown(1), shown(2)), ("1 (0s ago)".to_owned(), "1 (<invalid> ago)".to_owned()));
    }
}
