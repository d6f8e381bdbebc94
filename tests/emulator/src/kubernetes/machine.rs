//! What a node says about itself.

use serde_json::{Value, json};

use super::NodeSpec;

/// The object of a node that has just become ready; its addresses follow from its number.
pub(super) fn node(spec: &NodeSpec, version: &str, number: usize, time: &str) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": time, "lastTransitionTime": time})
    };
    let resources = json!({"cpu": "2", "memory": "8Gi", "pods": "110", "ephemeral-storage": "128Gi"});
    json!({
        "metadata": {"name": spec.name, "labels": labels(spec)},
        "spec": {"podCIDR": format!("10.244.{}.0/24", (number + 1) % 256)},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address(number)}, {"type": "Hostname", "address": spec.name}],
            "capacity": resources, "allocatable": resources, "images": [sandbox_image()],
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")],
            "nodeInfo": {"kubeletVersion": format!("v{version}"), "kubeProxyVersion": "", "operatingSystem": spec.os,
                "architecture": spec.architecture, "containerRuntimeVersion": format!("containerd://{}", spec.containerd), "osImage": "Ubuntu 22.04.5 LTS",
                "kernelVersion": "5.15.0-azure", "machineID": "", "systemUUID": "", "bootID": ""}}
    })
}

/// The image that each node of AKS has from its beginning: the one of sandboxes, which its containerd is configured with
/// ([AgentBaker](https://github.com/Azure/AgentBaker), `sandbox_image`).
pub(crate) fn sandbox_image() -> Value {
    json!({"names": ["mcr.microsoft.com/oss/kubernetes/pause:3.6"], "sizeBytes": 301_463})
}

/// The labels of a node of AKS; those of its identity and its image are set by its [bootstrap](https://github.com/Azure/AgentBaker).
pub(super) fn labels(spec: &NodeSpec) -> Value {
    let mut labels = json!({
        "kubernetes.io/os": spec.os, "kubernetes.io/arch": spec.architecture, "kubernetes.io/hostname": spec.name,
        "agentpool": spec.pool, "kubernetes.azure.com/role": "agent"});
    for (name, value) in azure_labels(spec) {
        labels[name] = value.into();
    }
    labels
}

/// Those of them that only the bootstrap sets.
pub(crate) fn azure_labels(spec: &NodeSpec) -> Vec<(&'static str, String)> {
    let mut labels = vec![
        ("kubernetes.azure.com/agentpool", spec.pool.clone()),
        ("kubernetes.azure.com/node-image-version", spec.image().to_owned()),
    ];
    if let Some(identity) = spec.identity.as_ref().filter(|one| one.is_managed) {
        labels.push(("kubernetes.azure.com/kubelet-identity-client-id", identity.client.clone()));
    }
    labels
}

/// What a node is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Machine {
    /// The image, if it is not the oldest one here.
    pub(crate) image: Option<String>,
    /// The room on its disk for images, in bytes; `None`: it is never full.
    pub(crate) room: Option<u64>,
    /// How many pulls its kubelet starts; `None`: all of them.
    pub(crate) pulls: Option<crate::throttle::Rate>,
}

impl NodeSpec {
    /// The image that it is made from.
    pub(crate) fn image(&self) -> &str {
        self.machine.image.as_deref().unwrap_or_else(|| first_image(&self.os, &self.architecture))
    }
}

/// The image of nodes that were there from the beginning.
pub(crate) fn first_image(os: &str, architecture: &str) -> &'static str {
    match (os, architecture) {
        ("windows", _) => "AKSWindows-2022-containerd-20348.4405.251112",
        (_, "arm64") => "AKSUbuntu-2204gen2arm64containerd-202511.07.0",
        _ => "AKSUbuntu-2204gen2containerd-202511.07.0",
    }
}

/// The image of nodes that are made anew.
pub(crate) fn newest_image(os: &str, architecture: &str) -> &'static str {
    match (os, architecture) {
        ("windows", _) => "AKSWindows-2022-containerd-20348.4529.261013",
        (_, "arm64") => "AKSUbuntu-2204gen2arm64containerd-202610.19.0",
        _ => "AKSUbuntu-2204gen2containerd-202610.19.0",
    }
}

/// The first month whose images have a provider that asks for a token for registries.
const NEW_PROVIDER: &str = "202504";

impl NodeSpec {
    /// Whether its credential provider asks for a token for Azure Resource Manager: the image's name ends with its date.
    pub(crate) fn has_old_provider(&self) -> bool {
        let date = self.image().rsplit_once('-').map_or("", |(_, date)| date);
        self.os == "linux" && date.len() >= NEW_PROVIDER.len() && date < NEW_PROVIDER
    }
}

/// The address of a node, counted from 0.
pub(super) fn address(index: usize) -> String {
    format!("10.224.{}.{}", index / 250, 4 + index % 250)
}
