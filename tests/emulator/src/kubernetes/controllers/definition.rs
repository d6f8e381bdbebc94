//! Custom resource definitions: accepted they are served; deleted, their objects go first.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::object::{self, is_deleting, is_true, map, text};
use super::super::store::Key;

/// Holds a deleted definition until its objects are gone.
pub(in super::super) const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";
const MANAGER: &str = "kube-apiserver";

impl Kubernetes {
    pub(in super::super) fn sync_definitions(&mut self) {
        for definition in self.snapshot("customresourcedefinitions.apiextensions.k8s.io") {
            if is_deleting(&definition) {
                self.clean_up(&definition);
            } else if !is_established(&definition) {
                self.establish(&definition);
            }
        }
    }

    fn establish(&mut self, definition: &Value) {
        let time = self.clock.text(self.now);
        let mut after = definition.clone();
        let status = map(&mut after, &["status"]);
        status.insert("acceptedNames".to_owned(), definition["spec"]["names"].clone());
        status.insert(
            "conditions".to_owned(),
            json!([
                condition("NamesAccepted", "NoConflicts", "no conflicts found", &time),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted", &time),
            ]),
        );
        self.change_as(MANAGER, "customresourcedefinitions", "status", definition, after);
    }

    fn clean_up(&mut self, definition: &Value) {
        let resource = format!("{}.{}", text(definition, "/spec/names/plural"), text(definition, "/spec/group"));
        let objects: Vec<Key> = self.store.list(&resource, "").map(|one| object::key(&resource, one)).collect();
        let kind = self.kinds.all().iter().find(|kind| kind.custom && kind.resource() == resource).cloned();
        for key in &objects {
            match &kind {
                // One that has finalizers stays until they are gone.
                Some(kind) => drop(self.delete(kind, key, &Deletion::default())),
                None => drop(self.store.remove(key, self.now)),
            }
        }
        let is_empty = self.store.list(&resource, "").next().is_none();
        if let Some(after) = object::without_finalizer(definition, FINALIZER).filter(|_| is_empty) {
            self.change_as(MANAGER, "customresourcedefinitions", "", definition, after);
        }
    }
}

/// Whether the API server serves what a definition defines.
pub(in super::super) fn is_established(definition: &Value) -> bool {
    is_true(definition, "Established")
}

/// What the deletion of a definition writes into its status.
pub(in super::super) fn mark_deleted(definition: &mut Value, time: &str) {
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    let conditions = map(definition, &["status"]).entry("conditions").or_insert_with(|| json!([]));
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.push(condition("Terminating", "InstanceDeletionPending", message, time));
    }
}

fn condition(kind: &str, reason: &str, message: &str, time: &str) -> Value {
    json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": time})
}
