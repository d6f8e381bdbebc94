//! The same kubelets as those of the emulator's own API server, for a real one.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::clock::Clock;
use super::super::kubelet::{Api, Workers, fields};
use super::super::names::Names;
use super::super::object::{key, uid};
use super::super::recorder::Happening;
use super::super::store::Key;
use super::{Remote, Write, path_of};

impl Api for Remote {
    fields!();

    fn known(&self, key: &Key) -> Option<&Value> {
        self.known.get(key)
    }

    fn pods(&self) -> Vec<Value> {
        Remote::pods(self).map(|pod| self.as_written(pod)).collect()
    }

    fn pod(&self, key: &Key) -> Option<Value> {
        self.known.get(key).map(|pod| self.as_written(pod))
    }

    fn write_status(&mut self, before: &Value, after: Value) {
        if before["status"] == after["status"] {
            return;
        }
        self.written.insert(uid(before).to_owned(), after["status"].clone());
        self.write(Write::status(&path_of(before), uid(before), &after["status"]));
    }

    fn write_images(&mut self, node: &str, images: Value) {
        let status = json!({"status": {"images": images}});
        self.write(Write::merge(format!("/api/v1/nodes/{node}/status"), &status, "status").of_node(node, true));
    }

    fn remove(&mut self, pod: &Value) {
        self.known.remove(&key("pods", pod));
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
            "preconditions": {"uid": uid(pod)}});
        self.write(Write::delete(path_of(pod)).with_body(&options).of_removal());
    }

    fn record(&mut self, pod: &Value, happening: &Happening<'_>) {
        let time = self.clock.text(self.now);
        if let Some(write) = self.events.record(pod, happening, self.now, &time) {
            self.write(write);
        }
    }
}
