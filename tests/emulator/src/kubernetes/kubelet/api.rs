//! What a kubelet needs of the Kubernetes API, whichever server answers.

use serde_json::Value;
use tokio::time::Instant;

use super::super::Kubernetes;
use super::super::clock::Clock;
use super::super::names::Names;
use super::super::object::{key, uid};
use super::super::recorder::Happening;
use super::super::store::Key;
use super::Workers;

/// The API server as the kubelets of one cluster see it, and their clock.
pub(in super::super) trait Api {
    /// The nodes, and what their kubelets are doing.
    fn workers(&self) -> &Workers;
    fn workers_mut(&mut self) -> &mut Workers;
    fn names(&mut self) -> &mut Names;
    fn clock(&self) -> &Clock;
    fn now(&self) -> Instant;
    /// An object as the server has it.
    fn known(&self, key: &Key) -> Option<&Value>;
    /// All pods.
    fn pods(&self) -> Vec<Value>;
    fn pod(&self, key: &Key) -> Option<Value>;
    /// Writes the status that a pod has in `after`.
    fn write_status(&mut self, before: &Value, after: Value);
    /// Removes a pod whose containers have ended.
    fn remove(&mut self, pod: &Value);
    /// Writes which images a node has.
    fn write_images(&mut self, node: &str, images: Value);
    /// Writes an event of a pod.
    fn record(&mut self, pod: &Value, happening: &Happening<'_>);

    /// The time of day, as objects carry it.
    fn time(&self) -> String {
        self.clock().text(self.now())
    }

    /// An address for a pod on the node with this number, in the network that [`machine::node`](super::machine::node) gives it.
    fn pod_address(&mut self, node: usize) -> String {
        self.names().pod_address(node + 1)
    }

    /// Whether the pod with this key is the one with this uid.
    fn holds(&self, key: &Key, id: &str) -> bool {
        self.known(key).is_some_and(|pod| uid(pod) == id)
    }

    /// A Secret or ConfigMap, by its resource.
    fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.known(&Key::new(resource, namespace, name)).cloned()
    }
}

/// The methods of [`Api`] for what both of its types have in fields of the same names.
macro_rules! fields {
    () => {
        fn workers(&self) -> &Workers {
            &self.workers
        }

        fn workers_mut(&mut self) -> &mut Workers {
            &mut self.workers
        }

        fn names(&mut self) -> &mut Names {
            &mut self.names
        }

        fn clock(&self) -> &Clock {
            &self.clock
        }

        fn now(&self) -> Instant {
            self.now
        }
    };
}
#[cfg(feature = "serve")]
pub(in super::super) use fields;

/// The emulator's own API server, in process.
impl Api for Kubernetes {
    fields!();

    fn known(&self, key: &Key) -> Option<&Value> {
        self.store.get(key)
    }

    fn pods(&self) -> Vec<Value> {
        self.snapshot("pods")
    }

    fn pod(&self, key: &Key) -> Option<Value> {
        self.store.get(key).cloned()
    }

    fn write_status(&mut self, before: &Value, after: Value) {
        self.change_as("kubelet", "pods", "status", before, after);
    }

    fn write_images(&mut self, node: &str, images: Value) {
        let Some(before) = self.store.get(&Key::new("nodes", "", node)).cloned() else { return };
        let mut after = before.clone();
        after["status"]["images"] = images;
        self.change_as("kubelet", "nodes", "status", &before, after);
    }

    fn remove(&mut self, pod: &Value) {
        self.store.remove(&key("pods", pod), self.now);
    }

    fn record(&mut self, pod: &Value, happening: &Happening<'_>) {
        Kubernetes::record(self, pod, happening);
    }
}
