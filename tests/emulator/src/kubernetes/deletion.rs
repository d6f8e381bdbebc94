//! Deleting objects: at once, or in agreement with kubelets, finalizers and dependents.

use std::time::Duration;

use serde_json::{Value, json};

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{self, is_deleting, list, map, uid};
use super::refusal::Refusal;
use super::store::Key;

/// How an object is to be deleted.
#[derive(Debug, Default)]
pub(super) struct Deletion {
    /// Seconds; the object's own when absent.
    pub(super) grace: Option<i64>,
    /// `Background`, `Foreground` or `Orphan`; empty means background.
    pub(super) propagation: String,
}

impl Kubernetes {
    /// A pod on a node is removed by its kubelet alone.
    pub(super) fn is_running(&self, kind: &Kind, object: &Value) -> bool {
        kind.kind == "Pod" && self.work.contains_key(uid(object))
    }

    /// Deletes an object: at once, or by marking it for its kubelet, its finalizers or its dependents.
    pub(super) fn delete(&mut self, kind: &Kind, key: &Key, deletion: &Deletion) -> Result<Value, Refusal> {
        let Some(before) = self.store.get(key).cloned() else {
            return Err(Refusal::not_found(kind, &key.name));
        };
        let mut after = before.clone();
        let grace = self.grace(kind, &before, deletion);
        let finalizer = match deletion.propagation.as_str() {
            "Foreground" => Some("foregroundDeletion"),
            "Orphan" => Some("orphan"),
            _ => None,
        };
        if let Some(finalizer) = finalizer {
            let finalizers = map(&mut after, &["metadata"]).entry("finalizers").or_insert_with(|| json!([]));
            if let Some(finalizers) =
                finalizers.as_array_mut().filter(|known| !known.iter().any(|known| known == finalizer))
            {
                finalizers.push(json!(finalizer));
            }
        }
        let unheld = list(&after, "/metadata/finalizers").is_empty();
        if unheld && grace == 0 && kind.kind != "Namespace" {
            return Ok(self.erase(kind, key).unwrap_or(before));
        }
        if is_deleting(&before) && after == before {
            return Ok(before);
        }
        let time = self.clock.text(self.now + Duration::from_secs(grace.unsigned_abs()));
        let metadata = map(&mut after, &["metadata"]);
        if !metadata.contains_key("deletionTimestamp") {
            metadata.insert("deletionTimestamp".to_owned(), json!(time));
            metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
            if let Some(generation) = metadata.get("generation").and_then(Value::as_i64) {
                metadata.insert("generation".to_owned(), json!(generation + 1));
            }
        }
        if kind.kind == "Namespace" {
            map(&mut after, &["status"]).insert("phase".to_owned(), json!("Terminating"));
        }
        Ok(self.store.put(key.clone(), after, self.now))
    }

    /// Seconds that a pod on a node is given; everything else goes at once.
    fn grace(&self, kind: &Kind, object: &Value, deletion: &Deletion) -> i64 {
        if !self.is_running(kind, object) {
            return 0;
        }
        let own = object::number(object, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
        deletion.grace.unwrap_or(own).max(0)
    }

    /// Removes an object without asking anybody.
    pub(super) fn erase(&mut self, kind: &Kind, key: &Key) -> Option<Value> {
        let last = self.store.remove(key, self.now)?;
        if kind.kind == "CustomResourceDefinition" {
            self.kinds.forget(&last);
        }
        Some(last)
    }
}
