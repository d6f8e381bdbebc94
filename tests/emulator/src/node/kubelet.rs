//! What versions of the kubelet do differently.

use std::str::FromStr;

/// A minor version of the kubelet, 1.x. What depends on it was read in its sources at 1.33.3, 1.34.0, 1.35.0, 1.36.0 and 1.37.2:
/// `pkg/kubelet/images/image_manager.go` and `pkg/kubelet/kuberuntime/kuberuntime_container.go`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kubelet(u32);

impl FromStr for Kubelet {
    type Err = String;

    /// Reads a cluster's version, such as `1.33` or `1.33.4`.
    fn from_str(version: &str) -> Result<Self, String> {
        // Rust reads `+2` as a number too.
        let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
        let numbers: Option<Vec<u32>> = version.split('.').map(number).collect();
        match numbers.as_deref() {
            Some([1, minor] | [1, minor, _]) => Ok(Self(*minor)),
            _ => Err(format!("invalid version of Kubernetes {version:?}: write it as 1.33 or 1.33.4")),
        }
    }
}

impl Kubelet {
    /// By the version of a cluster, which was checked where it was given.
    pub(crate) fn of(version: &str) -> Self {
        version.parse().unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Whether a pod may use an image that another pod's secret has pulled: `KubeletEnsureSecretPulledImages`, on by default from 1.35.
    pub(super) fn verifies_access(self) -> bool {
        self.0 >= 35
    }

    /// The message for an image that is on the node.
    pub(crate) fn present(self, image: &str) -> String {
        let access = if self.verifies_access() { " and can be accessed by the pod" } else { "" };
        format!("Container image \"{image}\" already present on machine{access}")
    }

    pub(crate) fn created(self, container: &str) -> String {
        if self.0 >= 35 { String::from("Container created") } else { format!("Created container: {container}") }
    }

    pub(crate) fn started(self, container: &str) -> String {
        if self.0 >= 35 { String::from("Container started") } else { format!("Started container {container}") }
    }
}
