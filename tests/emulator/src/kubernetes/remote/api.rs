//! The same kubelets as those of the emulator's own API server, for a real one.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::kubelet::{Api, Workers};
use super::super::object::{key, uid};
use super::super::recorder::Happening;
use super::super::store::Key;
use super::{Remote, Write, path_of};

impl Api for Remote {
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
        self.addresses += 1;
        format!("10.244.{}.{}", node % 256, 4 + self.addresses % 250)
    }

    fn pods(&self) -> Vec<Value> {
        Remote::pods(self).map(|pod| self.as_written(pod)).collect()
    }

    fn pod(&self, key: &Key) -> Option<Value> {
        self.known.get(key).map(|pod| self.as_written(pod))
    }

    fn holds(&self, key: &Key, id: &str) -> bool {
        self.known.get(key).is_some_and(|pod| uid(pod) == id)
    }

    fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.known.get(&Key::new(resource, namespace, name)).cloned()
    }

    fn write_status(&mut self, before: &Value, after: Value) {
        if before["status"] == after["status"] {
            return;
        }
        self.written.insert(uid(before).to_owned(), after["status"].clone());
        self.write(Write::status(&path_of(before), uid(before), &after["status"]));
    }

    fn remove(&mut self, pod: &Value) {
        self.known.remove(&key("pods", pod));
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
            "preconditions": {"uid": uid(pod)}});
        self.write(Write::delete(path_of(pod)).with_body(&options));
    }

    fn record(&mut self, pod: &Value, happening: &Happening<'_>) {
        let time = self.clock.text(self.now);
        if let Some(write) = self.events.record(pod, happening, self.now, &time) {
            self.write(write);
        }
    }
}
