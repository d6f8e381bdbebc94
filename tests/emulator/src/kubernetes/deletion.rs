//! Deleting objects: at once, or in agreement with kubelets, finalizers and dependents.

use std::time::Duration;

use serde_json::{Value, json};

use super::Kubernetes;
use super::controllers::definition;
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
        kind.kind == "Pod" && self.workers.work.contains_key(uid(object))
    }

    /// Deletes an object: at once, or by marking it for its kubelet, its finalizers or its dependents.
    pub(super) fn delete(&mut self, kind: &Kind, key: &Key, deletion: &Deletion) -> Result<Value, Refusal> {
        let Some(before) = self.store.get(key).cloned() else {
            return Err(Refusal::not_found(kind, &key.name));
        };
        let (after, is_kept) = self.marked(kind, &before, deletion);
        if !is_kept {
            self.erase(kind, key);
            return Ok(after);
        }
        if after == before {
            return Ok(before);
        }
        Ok(self.store.put(key.clone(), after, self.now))
    }

    /// An object as its deletion leaves it, and whether it is kept like that for a while.
    pub(super) fn marked(&self, kind: &Kind, before: &Value, deletion: &Deletion) -> (Value, bool) {
        let mut after = before.clone();
        hold(&mut after, kind, &deletion.propagation);
        let grace = self.grace(kind, before, deletion);
        let is_held = !list(&after, "/metadata/finalizers").is_empty();
        let is_kept = is_held || grace > 0 || kind.kind == "Namespace";
        if (is_kept || kind.kind == "Pod") && !is_deleting(before) {
            let time = self.clock.text(self.now + Duration::from_secs(grace.unsigned_abs()));
            mark(&mut after, kind, grace, &time);
        }
        (after, is_kept)
    }

    /// Seconds that a pod on a node is given; everything else goes at once.
    fn grace(&self, kind: &Kind, object: &Value, deletion: &Deletion) -> i64 {
        let has_ended = matches!(super::object::text(object, "/status/phase"), "Succeeded" | "Failed");
        if has_ended || !self.is_running(kind, object) {
            return 0;
        }
        let own = object::number(object, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
        deletion.grace.unwrap_or(own).max(0)
    }

    /// Removes an object without asking anyone.
    pub(super) fn erase(&mut self, kind: &Kind, key: &Key) -> Option<Value> {
        let last = self.store.remove(key, self.now)?;
        if kind.kind == "CustomResourceDefinition" {
            self.kinds.forget(&last);
        }
        Some(last)
    }
}

/// Sets the finalizers of a deletion that waits for dependents, leaves them behind, or waits for the objects of a definition.
fn hold(object: &mut Value, kind: &Kind, propagation: &str) {
    let of_policy = match propagation {
        "Foreground" => Some("foregroundDeletion"),
        "Orphan" => Some("orphan"),
        _ => None,
    };
    let of_kind = (kind.kind == "CustomResourceDefinition").then_some(definition::FINALIZER);
    for finalizer in of_policy.into_iter().chain(of_kind) {
        object::add_finalizer(object, finalizer);
    }
}

fn mark(object: &mut Value, kind: &Kind, grace: i64, time: &str) {
    let metadata = map(object, &["metadata"]);
    metadata.insert("deletionTimestamp".to_owned(), json!(time));
    match kind.kind.as_str() {
        "Namespace" => {
            map(object, &["status"]).insert("phase".to_owned(), json!("Terminating"));
        }
        "CustomResourceDefinition" => definition::mark_deleted(object, time),
        _ => {
            metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
            if let Some(generation) = metadata.get("generation").and_then(Value::as_i64) {
                metadata.insert("generation".to_owned(), json!(generation + 1));
            }
        }
    }
}
