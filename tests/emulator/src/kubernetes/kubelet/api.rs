//! What a kubelet needs of the Kubernetes API, whichever server answers.

use serde_json::Value;
use tokio::time::Instant;

use super::super::Kubernetes;
use super::super::object::{key, uid};
use super::super::recorder::Happening;
use super::super::store::Key;
use super::Workers;

/// The API server as the kubelets of one cluster see it, and their clock.
pub(in super::super) trait Api {
    /// The nodes, and what their kubelets are doing.
    fn workers(&self) -> &Workers;
    fn workers_mut(&mut self) -> &mut Workers;
    fn now(&self) -> Instant;
    /// The time of day, as objects carry it.
    fn time(&self) -> String;
    /// An address for a pod on the node with this number.
    fn pod_address(&mut self, node: usize) -> String;
    /// All pods.
    fn pods(&self) -> Vec<Value>;
    fn pod(&self, key: &Key) -> Option<Value>;
    /// Whether the pod with this key is the one with this uid.
    fn holds(&self, key: &Key, uid: &str) -> bool;
    /// A Secret or ConfigMap, by its resource.
    fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value>;
    /// Writes the status that a pod has in `after`.
    fn write_status(&mut self, before: &Value, after: Value);
    /// Removes a pod whose containers have ended.
    fn remove(&mut self, pod: &Value);
    /// Writes an event of a pod.
    fn record(&mut self, pod: &Value, happening: &Happening<'_>);
}

/// The emulator's own API server, in process.
impl Api for Kubernetes {
    fn workers(&self) -> &Workers {
        &self.workers
    }

    fn workers_mut(&mut self) -> &mut Workers {
        &mut self.workers
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn time(&self) -> String {
        self.clock.text(self.now)
    }

    fn pod_address(&mut self, node: usize) -> String {
        self.names.pod_address(node)
    }

    fn pods(&self) -> Vec<Value> {
        self.snapshot("pods")
    }

    fn pod(&self, key: &Key) -> Option<Value> {
        self.store.get(key).cloned()
    }

    fn holds(&self, key: &Key, id: &str) -> bool {
        self.store.get(key).is_some_and(|pod| uid(pod) == id)
    }

    fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.store.get(&Key::new(resource, namespace, name)).cloned()
    }

    fn write_status(&mut self, before: &Value, after: Value) {
        self.change_as("kubelet", "pods", "status", before, after);
    }

    fn remove(&mut self, pod: &Value) {
        self.store.remove(&key("pods", pod), self.now);
    }

    fn record(&mut self, pod: &Value, happening: &Happening<'_>) {
        Kubernetes::record(self, pod, happening);
    }
}
