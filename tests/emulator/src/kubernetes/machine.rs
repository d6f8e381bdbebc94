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
        "metadata": {"name": spec.name, "labels": {
            "kubernetes.io/os": spec.os, "kubernetes.io/arch": spec.architecture, "kubernetes.io/hostname": spec.name,
            "agentpool": spec.pool, "kubernetes.azure.com/agentpool": spec.pool, "kubernetes.azure.com/role": "agent"}},
        "spec": {"podCIDR": format!("10.244.{}.0/24", (number + 1) % 256)},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address(number)}, {"type": "Hostname", "address": spec.name}],
            "capacity": resources, "allocatable": resources,
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

/// The address of a node, counted from 0.
pub(super) fn address(index: usize) -> String {
    format!("10.224.{}.{}", index / 250, 4 + index % 250)
}
