//! Garbage collection: objects without an owner are deleted, and owners that wait for their dependents are released.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::object::{is_deleting, list, set_or_remove, text, uid, without_finalizer};
use super::super::store::Key;
use super::MANAGER;

impl Kubernetes {
    pub(in super::super) fn collect_garbage(&mut self) {
        self.release_owners();
        let living: BTreeSet<String> = self.store.all().map(|(_, object)| uid(object).to_owned()).collect();
        let orphans: Vec<Key> = self
            .store
            .all()
            .filter(|(_, object)| {
                let owners = list(object, "/metadata/ownerReferences");
                !owners.is_empty()
                    && !is_deleting(object)
                    && owners.iter().all(|owner| !living.contains(text(owner, "/uid")))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in orphans {
            self.delete_key(&key, &Deletion::default());
        }
    }

    fn delete_key(&mut self, key: &Key, deletion: &Deletion) {
        if let Some(kind) = self.kinds.all().iter().find(|kind| kind.resource() == key.resource).cloned() {
            // It may be gone already: then there is nothing to do.
            let _ = self.delete(&kind, key, deletion);
        }
    }

    fn release_owners(&mut self) {
        let waiting: Vec<(Key, Value)> = self
            .store
            .all()
            .filter(|(_, object)| is_deleting(object) && !list(object, "/metadata/finalizers").is_empty())
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect();
        for (key, owner) in waiting {
            if has_finalizer(&owner, "foregroundDeletion") {
                self.delete_dependents_first(&key, &owner);
            } else if has_finalizer(&owner, "orphan") {
                self.orphan_dependents(&owner);
                self.finish(&key, &owner, "orphan");
            }
        }
    }

    fn delete_dependents_first(&mut self, key: &Key, owner: &Value) {
        let dependents = self.dependents(owner);
        for (dependent, object) in dependents.iter().filter(|(_, object)| !is_deleting(object)) {
            let has_own = !self.dependents(object).is_empty();
            let propagation = if has_own { "Foreground" } else { "Background" };
            self.delete_key(dependent, &Deletion { grace: None, propagation: propagation.to_owned() });
        }
        if self.dependents(owner).is_empty() {
            self.finish(key, owner, "foregroundDeletion");
        }
    }

    fn orphan_dependents(&mut self, owner: &Value) {
        for (key, before) in self.dependents(owner) {
            let mut after = before.clone();
            let left: Vec<_> = list(&before, "/metadata/ownerReferences")
                .iter()
                .filter(|reference| text(reference, "/uid") != uid(owner))
                .cloned()
                .collect();
            set_or_remove(&mut after, "ownerReferences", &left);
            self.store.put(key, after, self.now);
        }
    }

    fn dependents(&self, owner: &Value) -> Vec<(Key, Value)> {
        let belongs = |object: &Value| {
            list(object, "/metadata/ownerReferences").iter().any(|reference| text(reference, "/uid") == uid(owner))
        };
        self.store
            .all()
            .filter(|(_, object)| belongs(object))
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect()
    }

    fn finish(&mut self, key: &Key, owner: &Value, finalizer: &str) {
        let Some(kind) = self.kinds.all().iter().find(|kind| kind.resource() == key.resource).cloned() else {
            return;
        };
        let Some(after) = without_finalizer(owner, finalizer) else { return };
        if kind.custom {
            // A custom kind has no plural of the server's own to write by.
            let _ = self.update(&kind, owner, after, None, "", false);
        } else {
            self.change_as(MANAGER, &kind.plural, "", owner, after);
        }
    }
}

fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    list(object, "/metadata/finalizers").iter().any(|known| known == finalizer)
}
